package web

import (
	"net/netip"
	"strconv"
	"sync"
	"time"

	"github.com/quaeso/community-operator/ideas"
)

// Rate is how often something may be done: once every interval, and so many times at once after a pause.
type Rate struct {
	Every time.Duration
	Burst int
}

// Limits of requests. Each replica counts for itself, in memory: a limit is there to stop a flood, and what must be
// exact, such as one vote for each member and how many sign-in links are mailed, the database holds.
type Limits struct {
	// MemberWrites and AddressWrites count forms and calls that change something, by who is signed in and by where they
	// come from; a school or an office shares an address.
	MemberWrites, AddressWrites Rate
	// MemberSearches and AddressSearches count what costs the database most: searches and exports.
	MemberSearches, AddressSearches Rate
	// MemberCalls and AddressCalls count calls of the JSON API that read.
	MemberCalls, AddressCalls Rate
}

// DefaultLimits are those of a service that is told no others.
func DefaultLimits() Limits {
	return Limits{
		MemberWrites: Rate{time.Second, 60}, AddressWrites: Rate{time.Second / 20, 600},
		MemberSearches: Rate{time.Second, 60}, AddressSearches: Rate{time.Second / 10, 600},
		MemberCalls: Rate{time.Second / 10, 300}, AddressCalls: Rate{time.Second / 20, 600},
	}
}

// maxRateKeys bounds the memory of a limiter. Beyond it those who are new are not counted until others rest.
const maxRateKeys = 20_000

// limiter counts by the generic cell rate algorithm: one moment for each key, at which its allowance is full again.
type limiter struct {
	mutex  sync.Mutex
	fullAt map[string]time.Time
}

func newLimiter() *limiter { return &limiter{fullAt: map[string]time.Time{}} }

// allow takes one from a key's allowance; wait is how long it takes until there is one again.
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

// limit counts one request of a kind by the member, 0 for nobody, and by the address.
func (a *app) limit(kind string, member int64, address string, byMember, byAddress Rate) error {
	now := a.now()
	if wait, ok := a.limiter.allow(kind+" "+addressKey(address), byAddress, now); !ok {
		return &tooManyError{wait}
	}
	if member == 0 {
		return nil
	}
	if wait, ok := a.limiter.allow(kind+" member "+strconv.FormatInt(member, 10), byMember, now); !ok {
		return &tooManyError{wait}
	}
	return nil
}

func (a *app) limitWrites(member int64, address string) error {
	return a.limit("write", member, address, a.cfg.Limits.MemberWrites, a.cfg.Limits.AddressWrites)
}

func (a *app) limitSearches(member int64, address string) error {
	return a.limit("search", member, address, a.cfg.Limits.MemberSearches, a.cfg.Limits.AddressSearches)
}

func (a *app) limitCalls(member int64, address string) error {
	return a.limit("call", member, address, a.cfg.Limits.MemberCalls, a.cfg.Limits.AddressCalls)
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
