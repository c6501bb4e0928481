package postgres

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/quaeso/community-operator/ideas"
	"github.com/quaeso/community-operator/internal/control"
)

// awaiting are declarations that were refused because they wait for others, by uid. Two that wait for each other would do
// so for ever, each for a good reason, so the links of those that wait are remembered.
type awaiting struct {
	mutex sync.Mutex
	known map[string]awaitingOne
}

type awaitingOne struct {
	name  string
	links []ideas.Link
	at    time.Time
}

// Bounds of those that are remembered. Whoever still waits is declared again and again.
const (
	maxAwaiting  = 1000
	awaitingTime = time.Hour
)

func (a *awaiting) note(uid, name string, links []ideas.Link) {
	a.mutex.Lock()
	defer a.mutex.Unlock()
	if a.known == nil {
		a.known = map[string]awaitingOne{}
	}
	maps.DeleteFunc(a.known, func(_ string, one awaitingOne) bool { return time.Since(one.at) > awaitingTime })
	if len(a.known) < maxAwaiting {
		a.known[uid] = awaitingOne{name, links, time.Now()}
	}
}

func (a *awaiting) forget(uid string) {
	a.mutex.Lock()
	defer a.mutex.Unlock()
	delete(a.known, uid)
}

// addTo adds the links of those that wait to those of the challenges in force.
func (a *awaiting) addTo(links map[string][]ideas.Link) {
	a.mutex.Lock()
	defer a.mutex.Unlock()
	for _, one := range a.known {
		links[one.name] = one.links
	}
}

// former is the challenge whose place a declaration takes: that of the same object, else of the same name. ID is 0 where
// there is none.
type former struct {
	ideas.Challenge
	archived bool
}

// formerChallenge reads what a declaration would change, and keeps it from changing meanwhile: what is in memory may be a
// moment old. An object that was made anew under a name takes up what was archived under it, and one that names the uid of
// its former what that has in force.
func formerChallenge(ctx context.Context, tx pgx.Tx, o control.Object[control.Challenge]) (former, error) {
	var f former
	var raw []byte
	err := tx.QueryRow(ctx, `SELECT id, uid, name, generation, spec, archived_at IS NOT NULL, declared_at, coalesce(decided_at, '0001-01-01')
		FROM challenge WHERE uid = $1 OR name = $2 AND (uid = $3 OR archived_at IS NOT NULL) AND NOT EXISTS (SELECT FROM challenge WHERE uid = $1)
		ORDER BY archived_at DESC NULLS FIRST, id DESC LIMIT 1 FOR NO KEY UPDATE`, o.UID, o.Name, o.Former).
		Scan(&f.ID, &f.UID, &f.Name, &f.Generation, &raw, &f.archived, &f.DeclaredAt, &f.DecidedAt)
	if errors.Is(err, pgx.ErrNoRows) {
		return former{}, nil
	}
	if err != nil {
		return former{}, fmt.Errorf("read the former declaration: %w", err)
	}
	if err := json.Unmarshal(raw, &f.Spec); err != nil {
		return former{}, fmt.Errorf("read the former declaration: %w", err)
	}
	return f, nil
}

// succeed prepares the place of a declared challenge. It refuses a change of what decides one that is open, and what
// refers to nothing.
func (s *Store) succeed(ctx context.Context, tx pgx.Tx, o control.Object[control.Challenge]) error {
	f, err := formerChallenge(ctx, tx, o)
	if err != nil || f.UID == o.UID && f.Generation > o.Generation {
		return err
	}
	if f.ID != 0 {
		if refusals := s.lockedBy(f, o); len(refusals) > 0 {
			return &ideas.RefusedError{Refusals: refusals}
		}
	}
	if err := s.checkLinks(ctx, tx, f, o); err != nil {
		return err
	}
	if f.ID == 0 || f.UID == o.UID {
		return nil
	}
	// The generation is one less than that of the declaration, which then follows in any case.
	if _, err := tx.Exec(ctx, "UPDATE challenge SET uid = $2, generation = $3 WHERE id = $1", f.ID, o.UID, min(f.Generation, o.Generation)-1); err != nil {
		return fmt.Errorf("take the place of the former challenge: %w", err)
	}
	return nil
}

// lockedBy are the fields that the former declaration does not let change.
func (s *Store) lockedBy(f former, o control.Object[control.Challenge]) []control.Refusal {
	var err error
	if f.Phases, err = ideas.ResolvePhases(f.Spec.Phases, s.zone()); err != nil {
		return nil // it cannot be read in the time zone of now, so it is not open either
	}
	refusals := f.Locked(o.Spec, s.config.Clock())
	if f.archived || f.UID != o.UID {
		for i := range refusals {
			refusals[i].Message += "; the community had a challenge of this name before, whose entries and votes come back with it: to begin anew, take another name"
		}
	}
	return refusals
}

// checkLinks refuses references to what nobody has declared yet, and to challenges that wait for this one. What the former
// declaration referred to as well is not looked for: it may have been withdrawn since.
func (s *Store) checkLinks(ctx context.Context, tx pgx.Tx, f former, o control.Object[control.Challenge]) error {
	links := ideas.LinksOf(o.Spec)
	refusals, err := s.circles(ctx, tx, o.Name, links)
	if err != nil {
		return err
	}
	if len(refusals) > 0 {
		s.awaiting.note(o.UID, o.Name, links)
		return &ideas.RefusedError{Refusals: refusals}
	}
	known := ideas.LinksOf(f.Spec)
	for _, link := range links {
		if slices.Contains(known, link) {
			continue
		}
		missing, err := isMissing(ctx, tx, "SELECT NOT EXISTS (SELECT FROM challenge WHERE name = $1)", link.To)
		if err != nil {
			return err
		}
		if missing {
			refusals = append(refusals, awaits(link.Field, control.KindChallenge, link.To))
		}
	}
	if name := o.Spec.RewardPolicy; name != "" && name != f.Spec.RewardPolicy {
		missing, err := isMissing(ctx, tx, "SELECT NOT EXISTS (SELECT FROM reward_policy WHERE name = $1 AND in_force)", name)
		if err != nil {
			return err
		}
		if missing {
			refusals = append(refusals, awaits("spec.rewardPolicy", control.KindRewardPolicy, name))
		}
	}
	if len(refusals) > 0 {
		s.awaiting.note(o.UID, o.Name, links)
		return &ideas.RefusedError{Refusals: refusals}
	}
	s.awaiting.forget(o.UID)
	return nil
}

func awaits(field, kind, name string) control.Refusal {
	return control.Refusal{
		Field: field, Message: fmt.Sprintf("waits for the %s %s, which nobody has declared in this community yet", kind, name),
		Awaits: &control.Reference{Kind: kind, Name: name},
	}
}

func isMissing(ctx context.Context, tx pgx.Tx, query, name string) (missing bool, err error) {
	if err := tx.QueryRow(ctx, query, name).Scan(&missing); err != nil {
		return false, fmt.Errorf("look for %s: %w", name, err)
	}
	return missing, nil
}

// circles refuses links that lead back to the challenge.
func (s *Store) circles(ctx context.Context, tx pgx.Tx, name string, own []ideas.Link) ([]control.Refusal, error) {
	if len(own) == 0 {
		return nil, nil
	}
	rows, err := tx.Query(ctx, `SELECT name, coalesce(spec->>'origin', ''), coalesce(spec#>>'{eligibility,selectedIn}', '') FROM challenge
		WHERE archived_at IS NULL AND (spec->>'origin' IS NOT NULL OR spec#>>'{eligibility,selectedIn}' IS NOT NULL)`)
	if err != nil {
		return nil, fmt.Errorf("read the links of challenges: %w", err)
	}
	links := map[string][]ideas.Link{}
	var of, origin, selectedIn string
	_, err = pgx.ForEachRow(rows, []any{&of, &origin, &selectedIn}, func() error {
		links[of] = ideas.LinksOf(control.Challenge{Origin: origin, Eligibility: &control.Eligibility{SelectedIn: selectedIn}})
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read the links of challenges: %w", err)
	}
	s.awaiting.addTo(links)
	links[name] = own
	return ideas.Circles(name, links), nil
}

// holdPrizes refuses a change of what open contests promise, also of a policy that was withdrawn meanwhile. Contests are
// those in memory, read just before.
func (s *Store) holdPrizes(ctx context.Context, tx pgx.Tx, o control.Object[control.RewardPolicy]) error {
	var raw []byte
	err := tx.QueryRow(ctx, "SELECT spec FROM reward_policy WHERE name = $1 ORDER BY in_force DESC, accepted_at DESC, generation DESC LIMIT 1", o.Name).Scan(&raw)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil
	}
	promised := ideas.RewardPolicy{Name: o.Name}
	if err == nil {
		err = json.Unmarshal(raw, &promised.Spec)
	}
	if err != nil {
		return fmt.Errorf("read the former policy: %w", err)
	}
	programme, now := s.Programme(ctx).With(&promised), s.config.Clock()
	var refusals []control.Refusal
	for _, c := range programme.Challenges {
		if policy := programme.PolicyOf(c.ID); policy == nil || policy.Name != o.Name || !c.PromisesPrizes(now) {
			continue
		}
		for _, r := range ideas.LockedPrizes(promised.Spec, o.Spec, c.Name) {
			if !slices.ContainsFunc(refusals, func(other control.Refusal) bool { return other.Field == r.Field }) {
				refusals = append(refusals, r)
			}
		}
	}
	if len(refusals) > 0 {
		return &ideas.RefusedError{Refusals: refusals}
	}
	return nil
}
