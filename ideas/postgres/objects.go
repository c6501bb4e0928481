package postgres

import (
	"context"
	"errors"
	"slices"

	"github.com/jackc/pgx/v5"

	"github.com/quaeso/community-operator/internal/control"
)

// knownArchived are the archived objects that a list of all tells of.
const knownArchived = 500

// Objects lists what is in force and what was archived.
func (s *Store) Objects(ctx context.Context) (control.Objects, error) {
	list := control.Objects{Objects: []control.KnownObject{}}
	pool, err := s.db()
	if err != nil {
		return list, err
	}
	rows, err := pool.Query(ctx, `WITH policy AS (SELECT DISTINCT ON (uid) uid, name, generation, digest, NOT in_force AS archived, accepted_at
			FROM reward_policy ORDER BY uid, in_force DESC, generation DESC),
		known AS (SELECT $1 AS kind, uid, name, generation, digest, archived_at IS NOT NULL AS archived, coalesce(archived_at, accepted_at) AS at FROM challenge
			UNION ALL SELECT $2, uid, name, generation, digest, archived, accepted_at FROM policy)
		SELECT kind, uid, name, generation, digest, archived FROM (SELECT *, row_number() OVER (PARTITION BY archived ORDER BY at DESC, uid) AS place FROM known) k
		WHERE NOT archived OR place <= $3 ORDER BY archived, CASE WHEN archived THEN place END, kind, name`,
		control.KindChallenge, control.KindRewardPolicy, knownArchived+1)
	if err != nil {
		return list, s.failed("list the objects", err)
	}
	if list.Objects, err = pgx.CollectRows(rows, pgx.RowToStructByPos[control.KnownObject]); err != nil {
		return list, s.failed("list the objects", err)
	}
	if err := pool.QueryRow(ctx, "SELECT coalesce(max(id), 0) FROM event").Scan(&list.Happened); err != nil {
		return list, s.failed("list the objects", err)
	}
	// The query gives one more than is told of.
	if n := len(list.Objects); n > 0 && list.Objects[n-1].Archived {
		archived := slices.IndexFunc(list.Objects, func(o control.KnownObject) bool { return o.Archived })
		if list.Truncated = n-archived > knownArchived; list.Truncated {
			list.Objects = list.Objects[:n-1]
		}
	}
	return list, nil
}

// KnowsChallenge tells whether a challenge was ever declared, or another of its name.
func (s *Store) KnowsChallenge(ctx context.Context, uid, name string) (known bool, err error) {
	pool, err := s.db()
	if err != nil {
		return false, err
	}
	err = pool.QueryRow(ctx, "SELECT EXISTS (SELECT FROM challenge WHERE uid = $1 OR name = $2)", uid, name).Scan(&known)
	return known, s.wrapped("look for a challenge", err)
}

// ChallengeInForce is what an object's uid, else its name has in force; the zero value for nothing.
func (s *Store) ChallengeInForce(ctx context.Context, uid, name string) (control.InForce, error) {
	return s.inForceOf(ctx, "SELECT uid, generation, digest FROM challenge WHERE (uid = $1 OR name = $2) AND archived_at IS NULL ORDER BY uid <> $1 LIMIT 1", uid, name)
}

// RewardPolicyInForce is ChallengeInForce for a reward policy.
func (s *Store) RewardPolicyInForce(ctx context.Context, uid, name string) (control.InForce, error) {
	return s.inForceOf(ctx, "SELECT uid, generation, digest FROM reward_policy WHERE (uid = $1 OR name = $2) AND in_force ORDER BY uid <> $1 LIMIT 1", uid, name)
}

func (s *Store) inForceOf(ctx context.Context, query, uid, name string) (control.InForce, error) {
	var inForce control.InForce
	pool, err := s.db()
	if err != nil {
		return inForce, err
	}
	err = pool.QueryRow(ctx, query, uid, name).Scan(&inForce.UID, &inForce.Generation, &inForce.Digest)
	if errors.Is(err, pgx.ErrNoRows) {
		return inForce, nil
	}
	return inForce, s.wrapped("look what is in force", err)
}
