package postgres

import (
	"context"
	"errors"

	"github.com/jackc/pgx/v5"

	"github.com/quaeso/community-operator/ideas"
)

// followTargets find the challenge, 0 for none, of what there is to follow of a kind; $1 is its id.
var followTargets = map[ideas.FollowKind]string{
	ideas.FollowIdea:      "SELECT coalesce(challenge_id, 0) FROM idea WHERE id = $1 AND visible",
	ideas.FollowChallenge: "SELECT id FROM challenge WHERE id = $1 AND archived_at IS NULL",
	ideas.FollowMember:    "SELECT 0::bigint FROM member WHERE id = $1 AND erased_at IS NULL",
}

// Follow implements ideas.NoticeStore.
func (s *Store) Follow(ctx context.Context, member int64, kind ideas.FollowKind, target int64, follow bool) error {
	find, known := followTargets[kind]
	if !known || kind == ideas.FollowMember && member == target {
		return &ideas.FieldError{Field: "kind", Code: "invalid"}
	}
	return s.transact(ctx, "follow", func(tx pgx.Tx) error {
		var challenge int64
		err := tx.QueryRow(ctx, find, target).Scan(&challenge)
		if err == nil {
			err = s.requireSightOf(ctx, tx, member, challenge)
		}
		if err != nil && (follow || !errors.Is(err, pgx.ErrNoRows)) {
			return err
		}
		_, err = tx.Exec(ctx, `INSERT INTO follow (kind, target_id, member_id, following, created_at) VALUES ($1, $2, $3, $4, $5)
			ON CONFLICT (kind, target_id, member_id) DO UPDATE SET following = excluded.following`,
			kind, target, member, follow, s.config.Clock())
		return err
	})
}

// Follows implements ideas.NoticeStore.
func (s *Store) Follows(ctx context.Context, member int64, kind ideas.FollowKind, target int64) (bool, error) {
	pool, err := s.db()
	if err != nil {
		return false, err
	}
	var follows bool
	err = pool.QueryRow(ctx, `SELECT coalesce((SELECT following FROM follow WHERE kind = $1 AND target_id = $2 AND member_id = $3),
		$1 = $4 AND (EXISTS (SELECT FROM idea WHERE id = $2 AND author_id = $3) OR EXISTS (SELECT FROM support WHERE idea_id = $2 AND member_id = $3)))`,
		kind, target, member, ideas.FollowIdea).Scan(&follows)
	if err != nil {
		return false, s.failed("look whether a member follows", err)
	}
	return follows, nil
}
