package postgres

import (
	"context"
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
