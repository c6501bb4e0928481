package postgres

import (
	"context"
	"errors"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/quaeso/community-operator/ideas"
)

// Invite implements ideas.JoiningStore.
func (s *Store) Invite(ctx context.Context, member int64, note string, limit int) (string, error) {
	if note != "" {
		var err error
		if note, err = ideas.CleanLine("note", note, ideas.MaxNote); err != nil {
			return "", err
		}
	}
	token, hash := newToken()
	err := s.transact(ctx, "invite somebody", func(tx pgx.Tx) error {
		if err := s.requireContributor(ctx, tx, member); err != nil {
			return err
		}
		now := s.config.Clock()
		// The member's row is locked, so that parallel requests count each other.
		if _, err := tx.Exec(ctx, "SELECT FROM member WHERE id = $1 FOR NO KEY UPDATE", member); err != nil {
			return err
		}
		var open int
		err := tx.QueryRow(ctx, "SELECT count(*) FROM invitation WHERE member_id = $1 AND used_at IS NULL AND expires_at > $2", member, now).Scan(&open)
		if err != nil {
			return err
		}
		if open >= limit {
			return ideas.ErrTooMany
		}
		_, err = tx.Exec(ctx, "INSERT INTO invitation (token_hash, member_id, note, created_at, expires_at) VALUES ($1, $2, $3, $4, $5)",
			hash, member, note, now, now.Add(ideas.InvitationLifetime))
		return err
	})
	if err != nil {
		return "", err
	}
	return token, nil
}

// Inviter implements ideas.JoiningStore.
func (s *Store) Inviter(ctx context.Context, token string) (ideas.Author, error) {
	var inviter ideas.Author
	hash, ok := tokenHash(token)
	if !ok {
		return inviter, ideas.ErrLinkSpent
	}
	pool, err := s.db()
	if err != nil {
		return inviter, err
	}
	err = pool.QueryRow(ctx, `SELECT m.id, m.name FROM invitation i JOIN member m ON m.id = i.member_id
		WHERE i.token_hash = $1 AND i.used_at IS NULL AND i.expires_at > $2`, hash, s.config.Clock()).Scan(&inviter.ID, &inviter.Name)
	if errors.Is(err, pgx.ErrNoRows) {
		return inviter, ideas.ErrLinkSpent
	}
	if err != nil {
		return inviter, s.failed("look who invites", err)
	}
	return inviter, nil
}

// Invitations implements ideas.JoiningStore.
func (s *Store) Invitations(ctx context.Context, member int64) ([]ideas.Invitation, int, error) {
	pool, err := s.db()
	if err != nil {
		return nil, 0, err
	}
	var joined int
	if err := pool.QueryRow(ctx, "SELECT referrals FROM member WHERE id = $1", member).Scan(&joined); err != nil {
		return nil, 0, s.failed("count who joined by invitation", err)
	}
	rows, err := pool.Query(ctx, `SELECT i.id, i.note, i.created_at, i.expires_at, coalesce(m.id, 0), coalesce(m.name, ''), i.used_at
		FROM invitation i LEFT JOIN member m ON m.id = i.used_by WHERE i.member_id = $1 ORDER BY i.id DESC LIMIT $2`, member, ideas.MaxPage)
	if err != nil {
		return nil, 0, s.failed("list invitations", err)
	}
	list, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (ideas.Invitation, error) {
		var i ideas.Invitation
		var used *time.Time
		err := row.Scan(&i.ID, &i.Note, &i.At, &i.ExpiresAt, &i.UsedBy.ID, &i.UsedBy.Name, &used)
		i.UsedAt = orZero(used)
		return i, err
	})
	if err != nil {
		return nil, 0, s.failed("list invitations", err)
	}
	return list, joined, nil
}

// WithdrawInvitation implements ideas.JoiningStore.
func (s *Store) WithdrawInvitation(ctx context.Context, member, invitation int64) error {
	pool, err := s.db()
	if err != nil {
		return err
	}
	tag, err := pool.Exec(ctx, "DELETE FROM invitation WHERE id = $1 AND member_id = $2 AND used_at IS NULL", invitation, member)
	if err != nil {
		return s.failed("withdraw an invitation", err)
	}
	if tag.RowsAffected() == 0 {
		return ideas.ErrNotFound
	}
	return nil
}
