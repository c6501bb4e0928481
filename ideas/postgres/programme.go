package postgres

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/quaeso/community-operator/ideas"
	"github.com/quaeso/community-operator/internal/control"
)

// Programme implements ideas.ProgrammeSource.
func (s *Store) Programme(context.Context) *ideas.Programme { return s.programme.Load() }

// DeclareChallenge puts a valid challenge in force for all replicas. It returns what is in force afterwards; accepted
// is false for a generation older than the last one. Errors: *ideas.RefusedError, ideas.ErrNameTaken.
func (s *Store) DeclareChallenge(ctx context.Context, o control.Object[control.Challenge]) (inForce control.InForce, accepted bool, err error) {
	return declareObject(ctx, s, o, objectQueries{
		declare: `INSERT INTO challenge AS c (uid, name, generation, digest, spec) VALUES ($1, $2, $3, $4, $5)
			ON CONFLICT (uid) DO UPDATE SET name = excluded.name, generation = excluded.generation, digest = excluded.digest,
				spec = excluded.spec, accepted_at = now(), archived_at = NULL
			WHERE c.generation <= excluded.generation
				AND (c.generation, c.digest, c.archived_at) IS DISTINCT FROM (excluded.generation, excluded.digest, NULL)`,
		inForce: "SELECT uid, generation, digest FROM challenge WHERE uid = $1 AND archived_at IS NULL",
		allow:   func(ctx context.Context, tx pgx.Tx) error { return s.succeed(ctx, tx, o) },
		finish:  func(ctx context.Context, tx pgx.Tx) error { return keepBallot(ctx, tx, o.UID, o.Spec) },
	})
}

// WithdrawChallenge archives a challenge; what members wrote stays. Withdrawing one that is not in force changes nothing.
func (s *Store) WithdrawChallenge(ctx context.Context, uid string) error {
	s.awaiting.forget(uid)
	return s.withdraw(ctx, "UPDATE challenge SET archived_at = $2 WHERE uid = $1 AND archived_at IS NULL", []any{uid, s.config.Clock()}, nil)
}

// DeclareRewardPolicy is DeclareChallenge for a reward policy. Former generations are kept for the ledger.
func (s *Store) DeclareRewardPolicy(ctx context.Context, o control.Object[control.RewardPolicy]) (inForce control.InForce, accepted bool, err error) {
	// The lock on prizes looks at the challenges in memory.
	if err := s.refreshNow(ctx); err != nil {
		return inForce, false, err
	}
	return declareObject(ctx, s, o, objectQueries{
		// What a former one gave stays with it: the ledger names that.
		prepare: `UPDATE reward_policy SET in_force = false WHERE in_force AND NOT EXISTS (SELECT FROM reward_policy WHERE uid = $1 AND generation > $2)
			AND (uid = $1 AND generation < $2 OR name = $3 AND uid = $4)`,
		declare: `INSERT INTO reward_policy AS p (uid, name, generation, digest, spec, in_force)
			SELECT $1, $2, $3, $4, $5, true WHERE NOT EXISTS (SELECT FROM reward_policy WHERE uid = $1 AND generation > $3)
			ON CONFLICT (uid, generation) DO UPDATE SET name = excluded.name, digest = excluded.digest, spec = excluded.spec,
				accepted_at = now(), in_force = true
			WHERE (p.digest, p.in_force) IS DISTINCT FROM (excluded.digest, true)`,
		inForce: "SELECT uid, generation, digest FROM reward_policy WHERE uid = $1 AND in_force",
		allow:   func(ctx context.Context, tx pgx.Tx) error { return s.holdPrizes(ctx, tx, o) },
		finish:  relevel,
	})
}

// WithdrawRewardPolicy ends a policy; points that it gave stay.
func (s *Store) WithdrawRewardPolicy(ctx context.Context, uid string) error {
	return s.withdraw(ctx, "UPDATE reward_policy SET in_force = false WHERE uid = $1 AND in_force", []any{uid}, relevel)
}

// objectQueries declare an object of one kind: $1 is the uid; prepare has the generation, the name and the former's uid,
// declare the name, generation, digest and specification.
type objectQueries struct {
	prepare, declare, inForce string
	// allow refuses a declaration for what is in force already; nil refuses none.
	allow func(ctx context.Context, tx pgx.Tx) error
	// finish does what else follows from a change; nil for nothing.
	finish func(ctx context.Context, tx pgx.Tx) error
}

func declareObject[T any](ctx context.Context, s *Store, o control.Object[T], q objectQueries) (control.InForce, bool, error) {
	var inForce control.InForce
	raw, err := json.Marshal(o.Spec)
	if err != nil {
		return inForce, false, fmt.Errorf("encode the specification: %w", err)
	}
	err = s.transact(ctx, "declare "+o.Name, func(tx pgx.Tx) error {
		// One declaration after the other: each looks at what the others have put in force.
		if _, err := tx.Exec(ctx, "SELECT FROM programme FOR NO KEY UPDATE"); err != nil {
			return err
		}
		if q.allow != nil {
			if err := q.allow(ctx, tx); err != nil {
				return err
			}
		}
		if q.prepare != "" {
			if _, err := tx.Exec(ctx, q.prepare, o.UID, o.Generation, o.Name, o.Former); err != nil {
				return err
			}
		}
		tag, err := tx.Exec(ctx, q.declare, o.UID, o.Name, o.Generation, o.Digest(), raw)
		if isUniqueViolation(err) {
			return fmt.Errorf("%w: %s", ideas.ErrNameTaken, o.Name)
		}
		if err != nil {
			return err
		}
		err = tx.QueryRow(ctx, q.inForce, o.UID).Scan(&inForce.UID, &inForce.Generation, &inForce.Digest)
		if errors.Is(err, pgx.ErrNoRows) {
			return nil // withdrawn in a later generation
		}
		if err != nil {
			return err
		}
		if tag.RowsAffected() == 0 {
			return nil // declaring what is in force writes nothing
		}
		if q.finish != nil {
			if err := q.finish(ctx, tx); err != nil {
				return err
			}
		}
		return announceProgramme(ctx, tx)
	})
	if err != nil {
		return inForce, false, err
	}
	if err := s.refreshNow(ctx); err != nil {
		return inForce, false, err
	}
	return inForce, inForce.UID == o.UID && inForce.Generation <= o.Generation, nil
}

func (s *Store) withdraw(ctx context.Context, update string, args []any, finish func(context.Context, pgx.Tx) error) error {
	err := s.transact(ctx, "withdraw a declaration", func(tx pgx.Tx) error {
		tag, err := tx.Exec(ctx, update, args...)
		if err != nil || tag.RowsAffected() == 0 {
			return err
		}
		if finish != nil {
			if err := finish(ctx, tx); err != nil {
				return err
			}
		}
		return announceProgramme(ctx, tx)
	})
	if err != nil {
		return err
	}
	return s.refreshNow(ctx)
}

// announceProgramme makes all replicas read the programme anew.
func announceProgramme(ctx context.Context, tx pgx.Tx) error {
	if _, err := tx.Exec(ctx, "UPDATE programme SET revision = revision + 1"); err != nil {
		return err
	}
	_, err := tx.Exec(ctx, "SELECT pg_notify($1, '')", declarationChannel)
	return err
}

func (s *Store) refreshNow(ctx context.Context) error {
	pool, err := s.db()
	if err != nil {
		return err
	}
	return s.refresh(ctx, pool)
}

// refreshProgramme reads the programme if it is another than the one in memory, or if the time zone is, which gives its
// dates their moments.
func (s *Store) refreshProgramme(ctx context.Context, q querier) error {
	known := s.programme.Load()
	zone := s.zone()
	var revision int64
	if err := q.QueryRow(ctx, "SELECT revision FROM programme").Scan(&revision); err != nil {
		return fmt.Errorf("read the programme's revision: %w", err)
	}
	if s.programmeRead && revision == known.Revision && zone.String() == s.programmeZone {
		return nil
	}
	next := &ideas.Programme{Revision: revision}
	var err error
	if next.Challenges, err = s.readChallenges(ctx, q, zone); err != nil {
		return fmt.Errorf("read the challenges: %w", err)
	}
	if next.Concealed, err = readConcealed(ctx, q); err != nil {
		return fmt.Errorf("read the visibility of challenges: %w", err)
	}
	if next.Policies, err = readPolicies(ctx, q); err != nil {
		return fmt.Errorf("read the reward policies: %w", err)
	}
	s.programme.Store(next)
	s.programmeRead, s.programmeZone = true, zone.String()
	return nil
}

// zone is the community's time zone. The control side refuses unknown ones.
func (s *Store) zone() *time.Location {
	settings, _ := s.Current(context.Background())
	zone, err := time.LoadLocation(settings.TimeZone)
	if err != nil {
		return time.UTC
	}
	return zone
}

func (s *Store) readChallenges(ctx context.Context, q querier, zone *time.Location) ([]*ideas.Challenge, error) {
	rows, err := q.Query(ctx, challengeQuery+"WHERE archived_at IS NULL ORDER BY id DESC")
	if err != nil {
		return nil, err
	}
	return s.collectChallenges(rows, zone)
}

// ArchivedChallenge implements ideas.ChallengeStore.
func (s *Store) ArchivedChallenge(ctx context.Context, name string) (*ideas.Challenge, error) {
	pool, err := s.db()
	if err != nil {
		return nil, err
	}
	rows, err := pool.Query(ctx, challengeQuery+"WHERE name = $1 AND archived_at IS NOT NULL ORDER BY archived_at DESC LIMIT 1", name)
	if err != nil {
		return nil, s.failed("read an archived challenge", err)
	}
	list, err := s.collectChallenges(rows, s.zone())
	if err != nil {
		return nil, s.failed("read an archived challenge", err)
	}
	if len(list) == 0 {
		return nil, ideas.ErrNotFound
	}
	return list[0], nil
}

const challengeQuery = `SELECT id, uid, name, generation, spec, declared_at, coalesce(decided_at, '0001-01-01'), coalesce(archived_at, '0001-01-01') FROM challenge `

func (s *Store) collectChallenges(rows pgx.Rows, zone *time.Location) ([]*ideas.Challenge, error) {
	return pgx.CollectRows(rows, func(row pgx.CollectableRow) (*ideas.Challenge, error) {
		var c ideas.Challenge
		var raw []byte
		if err := row.Scan(&c.ID, &c.UID, &c.Name, &c.Generation, &raw, &c.DeclaredAt, &c.DecidedAt, &c.ArchivedAt); err != nil {
			return nil, err
		}
		if err := json.Unmarshal(raw, &c.Spec); err != nil {
			return nil, fmt.Errorf("read challenge %s: %w", c.Name, err)
		}
		var err error
		if c.Phases, err = ideas.ResolvePhases(c.Spec.Phases, zone); err != nil {
			// Checked when it was declared; since then the time zone has changed. Its members see it closed.
			s.log.Error("phases cannot be read in the time zone", "challenge", c.Name, "error", err)
			c.Spec.Paused = map[string]string{"en": "paused", "fr": "en pause"}
		}
		return &c, nil
	})
}

// readConcealed includes archived challenges: what was written in confidence stays so.
func readConcealed(ctx context.Context, q querier) (map[int64]string, error) {
	rows, err := q.Query(ctx, "SELECT id, spec->>'visibility' FROM challenge WHERE spec->>'visibility' IN ($1, $2)",
		ideas.VisibleMembers, ideas.VisibleEligible)
	if err != nil {
		return nil, err
	}
	concealed := map[int64]string{}
	var id int64
	var visibility string
	_, err = pgx.ForEachRow(rows, []any{&id, &visibility}, func() error { concealed[id] = visibility; return nil })
	return concealed, err
}

func readPolicies(ctx context.Context, q querier) ([]*ideas.RewardPolicy, error) {
	rows, err := q.Query(ctx, "SELECT uid, name, generation, spec FROM reward_policy WHERE in_force ORDER BY name")
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, func(row pgx.CollectableRow) (*ideas.RewardPolicy, error) {
		var p ideas.RewardPolicy
		var raw []byte
		if err := row.Scan(&p.UID, &p.Name, &p.Generation, &raw); err != nil {
			return nil, err
		}
		if err := json.Unmarshal(raw, &p.Spec); err != nil {
			return nil, fmt.Errorf("read reward policy %s: %w", p.Name, err)
		}
		return &p, nil
	})
}

// ObserveChallenge tells how a challenge in force stands.
func (s *Store) ObserveChallenge(ctx context.Context, uid string) (control.ChallengeState, error) {
	var state control.ChallengeState
	pool, err := s.db()
	if err != nil {
		return state, err
	}
	err = pool.QueryRow(ctx, "SELECT uid, generation, digest FROM challenge WHERE uid = $1 AND archived_at IS NULL", uid).
		Scan(&state.InForce.UID, &state.InForce.Generation, &state.InForce.Digest)
	if err != nil {
		return state, s.failed("observe a challenge", err)
	}
	c := s.Programme(ctx).ChallengeOf(state.InForce)
	if c == nil {
		// Another replica has just put it in force.
		if err := s.refreshNow(ctx); err != nil {
			return state, err
		}
		if c = s.Programme(ctx).ChallengeOf(state.InForce); c == nil {
			return state, ideas.ErrNotFound
		}
	}
	now := s.config.Clock()
	state.Phase = c.PhaseName(now)
	if next, ok := c.NextChange(now); ok {
		state.NextChange = &next
	}
	if !c.DecidedAt.IsZero() {
		state.DecidedAt = &c.DecidedAt
	}
	if err := s.observeEntries(ctx, pool, c, now, &state); err != nil {
		return state, s.failed("observe the entries of a challenge", err)
	}
	return state, nil
}

// ObserveRewardPolicy tells how a reward policy in force stands.
func (s *Store) ObserveRewardPolicy(ctx context.Context, uid string) (control.RewardPolicyState, error) {
	var state control.RewardPolicyState
	pool, err := s.db()
	if err != nil {
		return state, err
	}
	// A policy that was declared anew has another uid; what it gave is that of its name.
	err = pool.QueryRow(ctx, `SELECT p.uid, p.generation, p.digest, coalesce((SELECT sum(n) FROM total WHERE kind = 'members'), 0)::bigint,
			coalesce((SELECT sum(points) FROM policy_total WHERE policy_uid = ANY(u.uids)), 0)::bigint, d.n, d.amount
		FROM reward_policy p CROSS JOIN LATERAL (SELECT array_agg(DISTINCT uid) AS uids FROM reward_policy WHERE name = p.name) u
		CROSS JOIN LATERAL (SELECT count(*) AS n, coalesce(sum(o.payable), 0)::bigint AS amount
			FROM payout o JOIN royalty_statement r ON r.id = o.statement_id
			WHERE o.state IN ('due', 'approved') AND r.policy_uid = ANY(u.uids) AND o.currency = p.spec->>'currency') d
		WHERE p.uid = $1 AND p.in_force`, uid).
		Scan(&state.InForce.UID, &state.InForce.Generation, &state.InForce.Digest, &state.Members, &state.PointsIssued, &state.PayoutsDue, &state.PayoutsDueAmount)
	if err != nil {
		return state, s.failed("observe a reward policy", err)
	}
	return state, nil
}
