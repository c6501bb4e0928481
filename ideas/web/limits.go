package web

import (
	"context"
	"fmt"
	"net/http"
	"net/netip"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/quaeso/community-operator/ideas"
)

// Rate is how often something may be done.
type Rate = ideas.Rate

// Limit of one kind of requests, by who is signed in and by where they come from; a school or an office shares an address.
type Limit struct{ Member, Address Rate }

// Limits of requests. What changes something is counted in the database, where all replicas see it; what only reads is counted
// by each replica for itself, since reading a page writes nothing. One vote for each member, and how many sign-in links are
// mailed, the database holds besides.
type Limits struct {
	// Contributions are ideas, comments, entries, answers and reports, over pages and API together; so are Votes.
	Contributions, Votes Limit
	// Uploads are files, and Exports what reads much at once.
	Uploads, Exports Limit
	// SignIns are attempts to sign in: links asked for and redeemed, answers of an issuer, tokens that nobody has.
	SignIns Limit
	// Writes are all other forms, and APIWrites all other calls that change something.
	Writes, APIWrites Limit
	// Searches and Calls, those of the API that read, are counted by each replica for itself.
	Searches, Calls Limit
}

// DefaultLimits are those of a service that is told no others.
func DefaultLimits() Limits {
	writes := Limit{Rate{Every: time.Second, Burst: 60}, Rate{Every: time.Second / 20, Burst: 600}}
	return Limits{
		Contributions: Limit{Rate{Every: 5 * time.Second, Burst: 40}, Rate{Every: time.Second / 5, Burst: 600}},
		Votes:         writes, Writes: writes, APIWrites: writes,
		Uploads: Limit{Rate{Every: 20 * time.Second, Burst: 20}, Rate{Every: 2 * time.Second, Burst: 200}},
		Exports: Limit{Rate{Every: time.Minute, Burst: 20}, Rate{Every: 10 * time.Second, Burst: 100}},
		SignIns: Limit{Address: Rate{Every: time.Second, Burst: 200}},

		Searches: Limit{Rate{Every: time.Second, Burst: 60}, Rate{Every: time.Second / 10, Burst: 600}},
		Calls:    Limit{Rate{Every: time.Second / 10, Burst: 300}, Rate{Every: time.Second / 20, Burst: 600}},
	}
}

// limitKind names one of the Limits; empty for pages that are read.
type limitKind string

// Kinds of requests.
const (
	limitNone          limitKind = ""
	limitContributions limitKind = "contribution"
	limitVotes         limitKind = "vote"
	limitUploads       limitKind = "upload"
	limitExports       limitKind = "export"
	limitSignIns       limitKind = "sign-in"
	limitWrites        limitKind = "write"
	limitAPIWrites     limitKind = "api"
	limitSearches      limitKind = "search"
	limitCalls         limitKind = "call"
)

func (l Limits) of(kind limitKind) (limit Limit, shared bool) {
	switch kind {
	case limitContributions:
		return l.Contributions, true
	case limitVotes:
		return l.Votes, true
	case limitUploads:
		return l.Uploads, true
	case limitExports:
		return l.Exports, true
	case limitSignIns:
		return l.SignIns, true
	case limitAPIWrites:
		return l.APIWrites, true
	case limitSearches:
		return l.Searches, false
	case limitCalls:
		return l.Calls, false
	default:
		return l.Writes, true
	}
}

// limitedRoutes are the routes that are not counted as their method is: forms as writes, pages not at all.
var limitedRoutes = map[string]limitKind{
	"POST /ideas": limitContributions, "POST /ideas/{ref}/edit": limitContributions, "POST /ideas/{ref}/comments": limitContributions,
	"POST /ideas/{ref}/report": limitContributions, "POST /ideas/{ref}/authors": limitContributions, "POST /challenges/{name}/entries": limitContributions,
	"POST /challenges/{name}/apply": limitContributions, "POST /challenges/{name}/survey": limitContributions, "POST /challenges/{name}/topics": limitContributions,
	"POST /challenges/{name}/topics/{id}/replies": limitContributions, "POST /challenges/{name}/test/diary": limitContributions,
	"POST /challenges/{name}/test/bugs": limitContributions, "POST /challenges/{name}/tasks/{task}": limitContributions, "POST /invitations": limitContributions,

	"POST /ideas/{ref}/support": limitVotes, "POST /challenges/{name}/votes": limitVotes, "POST /challenges/{name}/applications/{id}/vote": limitVotes,

	"POST /ideas/{ref}/files": limitUploads, "POST /team/royalties": limitUploads,

	"POST /account/data/export": limitExports, "POST /team/exports/{kind}": limitExports, "POST /team/challenges/{name}/results.csv": limitExports,

	"POST /sign-in": limitSignIns, "POST " + LinkPath: limitSignIns, "GET " + OIDCCallbackPath: limitSignIns,
}

// limitOfRoute is how requests of a pattern are counted.
func limitOfRoute(pattern string) limitKind {
	if kind, ok := limitedRoutes[pattern]; ok {
		return kind
	}
	if strings.HasPrefix(pattern, http.MethodGet+" ") || !strings.Contains(pattern, " ") {
		return limitNone
	}
	return limitWrites
}

// maxRateKeys bounds the memory of a limiter. Beyond it those who are new are not counted until others rest.
const maxRateKeys = 20_000

// Of every allowance a replica grants a tenth without asking the database, which it gives back slowly, and takes what follows
// in portions: whoever votes now and then costs the database nothing, and an office behind one address little. Over all
// replicas a limit so holds to within a tenth for each.
const (
	ownShare   = 10
	ownSlower  = 20
	leaseShare = 20
)

// limiter counts by the generic cell rate algorithm: one moment for each key, at which its allowance is full again.
type limiter struct {
	mutex  sync.Mutex
	fullAt map[string]time.Time
	leases map[string]lease
	// asking has a channel for each key that the database is being asked about, closed with the answer.
	asking map[string]chan struct{}
}

// lease is what the database has granted for a key and is not used yet, or until when it grants nothing.
type lease struct {
	left                int
	until, refusedUntil time.Time
}

func newLimiter() *limiter {
	return &limiter{fullAt: map[string]time.Time{}, leases: map[string]lease{}, asking: map[string]chan struct{}{}}
}

// allow takes one from a key's allowance in this replica; wait is how long it takes until there is one again.
func (l *limiter) allow(key string, rate Rate, now time.Time) (wait time.Duration, ok bool) {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	full, known := l.fullAt[key]
	if full.Before(now) {
		full = now
	}
	next := full.Add(rate.Every)
	if over := next.Sub(now) - time.Duration(rate.Burst)*rate.Every; over > 0 {
		return over, false
	}
	if !known && len(l.fullAt) >= maxRateKeys && !l.forget(now) {
		return 0, true
	}
	l.fullAt[key] = next
	return 0, true
}

// forget drops those whose allowance is full.
func (l *limiter) forget(now time.Time) bool {
	for key, full := range l.fullAt {
		if !full.After(now) {
			delete(l.fullAt, key)
		}
	}
	return len(l.fullAt) < maxRateKeys
}

// share takes one from a key's allowance among all replicas.
func (l *limiter) share(ctx context.Context, store ideas.RateStore, key string, rate Rate, now time.Time) (wait time.Duration, ok bool, err error) {
	if own := (Rate{Every: ownSlower * rate.Every, Burst: rate.Burst / ownShare}); own.Burst > 0 {
		if _, ok := l.allow("own "+key, own, now); ok {
			return 0, true, nil
		}
	}
	for {
		wait, known, asking := l.leased(key, now)
		switch {
		case known:
			return wait, wait == 0, nil
		case asking != nil:
			// A crowd behind one address asks once, and shares what it is given.
			select {
			case <-asking:
				continue
			case <-ctx.Done():
				return 0, false, fmt.Errorf("wait for a share of the allowance: %w", ctx.Err())
			}
		}
		granted, wait, err := store.TakeRate(ctx, key, rate, max(1, rate.Burst/leaseShare), now)
		l.answered(key, granted, wait, rate, now)
		return wait, granted > 0, err
	}
}

// leased uses what was granted before. Where nothing is known of the key the caller must ask the database, unless another does
// already, who closes asking. A flood is refused here.
func (l *limiter) leased(key string, now time.Time) (wait time.Duration, known bool, asking <-chan struct{}) {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	le := l.leases[key]
	switch {
	case le.left > 0 && le.until.After(now):
		le.left--
		l.leases[key] = le
		return 0, true, nil
	case le.refusedUntil.After(now):
		return le.refusedUntil.Sub(now), true, nil
	}
	// What was unused for so long the allowance has back.
	delete(l.leases, key)
	if asked, ok := l.asking[key]; ok {
		return 0, false, asked
	}
	l.asking[key] = make(chan struct{})
	return 0, false, nil
}

// answered keeps what the database has granted, less the one that the caller uses, and lets others go on.
func (l *limiter) answered(key string, granted int, wait time.Duration, rate Rate, now time.Time) {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	close(l.asking[key])
	delete(l.asking, key)
	if len(l.leases) >= maxRateKeys {
		for other, le := range l.leases {
			if !le.until.After(now) && !le.refusedUntil.After(now) {
				delete(l.leases, other)
			}
		}
	}
	switch {
	case len(l.leases) >= maxRateKeys:
		// The next request asks again.
	case granted > 0:
		l.leases[key] = lease{left: granted - 1, until: now.Add(time.Duration(granted) * rate.Every)}
	case wait > 0:
		l.leases[key] = lease{refusedUntil: now.Add(wait)}
	}
}

// tooManyError is ideas.ErrTooMany with how long to wait.
type tooManyError struct{ wait time.Duration }

// Error implements error.
func (e *tooManyError) Error() string { return "too many requests: wait " + e.wait.String() }

// Is makes it an ideas.ErrTooMany.
func (e *tooManyError) Is(target error) bool { return target == ideas.ErrTooMany }

// retryAfter in whole seconds, for the header.
func (e *tooManyError) retryAfter() string {
	return strconv.Itoa(max(1, int((e.wait+time.Second-1)/time.Second)))
}

// limit counts one request of a kind by the address and by the member, 0 for nobody.
func (a *app) limit(ctx context.Context, kind limitKind, member int64, address string) error {
	limit, shared := a.cfg.Limits.of(kind)
	if err := a.count(ctx, shared, string(kind)+" "+addressKey(address), limit.Address); err != nil {
		return err
	}
	if member == 0 {
		return nil
	}
	return a.count(ctx, shared, string(kind)+" member "+strconv.FormatInt(member, 10), limit.Member)
}

// count takes one from a key's allowance. While the database cannot be asked, each replica counts for itself.
func (a *app) count(ctx context.Context, shared bool, key string, rate Rate) error {
	if rate.Burst == 0 {
		return nil
	}
	now := a.now()
	if shared {
		wait, ok, err := a.limiter.share(ctx, a.cfg.Store, key, rate, now)
		if err == nil && ok {
			return nil
		}
		if err == nil {
			return &tooManyError{wait}
		}
		a.log.DebugContext(ctx, "requests are counted by this replica alone", "error", err)
	}
	if wait, ok := a.limiter.allow(key, rate, now); !ok {
		return &tooManyError{wait}
	}
	return nil
}

// addressKey groups the addresses that one client has: all of an IPv6 network of 64 bits.
func addressKey(address string) string {
	ip, err := netip.ParseAddr(address)
	if err != nil {
		return address
	}
	ip = ip.Unmap().WithZone("")
	if prefix, err := ip.Prefix(64); err == nil && ip.Is6() {
		return prefix.String()
	}
	return ip.String()
}
