package postgres

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/riverqueue/river"

	"github.com/quaeso/community-operator/ideas"
)

const (
	// guardianLinkLifetime is how long a guardian has to answer; an answered link works until the minor is grown up.
	guardianLinkLifetime = 30 * 24 * time.Hour
	guardianAnswerKept   = 18 * 365 * 24 * time.Hour
)

// guardianRequests bounds how often one minor can have somebody written to.
var guardianRequests = allowance{kind: "guardians per member", interval: 6 * time.Hour, burst: 3}

// AskGuardian implements ideas.JoiningStore.
func (s *Store) AskGuardian(ctx context.Context, member int64, email string) error {
	return s.transact(ctx, "ask a guardian", func(tx pgx.Tx) error {
		var state string
		if err := tx.QueryRow(ctx, "SELECT guardian FROM member WHERE id = $1 FOR UPDATE", member).Scan(&state); err != nil {
			return err
		}
		if state != ideas.GuardianNeeded && state != ideas.GuardianRefused {
			return ideas.ErrNotFound
		}
		return s.askGuardian(ctx, tx, member, email)
	})
}

func (s *Store) askGuardian(ctx context.Context, tx pgx.Tx, member int64, raw string) error {
	email, err := ideas.CleanEmail(raw)
	if wrong := (*ideas.FieldError)(nil); errors.As(err, &wrong) {
		return &ideas.FieldError{Field: "guardian", Code: wrong.Code, Limit: wrong.Limit}
	}
	var own, locale string
	if err := tx.QueryRow(ctx, "SELECT coalesce(email, ''), locale FROM member WHERE id = $1", member).Scan(&own, &locale); err != nil {
		return err
	}
	if strings.EqualFold(own, email) {
		return &ideas.FieldError{Field: "guardian", Code: "own"}
	}
	for key, a := range map[string]allowance{own: guardianRequests, email: linksPerEmail} {
		allowed, err := allow(ctx, tx, a, key)
		if err != nil {
			return err
		}
		if !allowed {
			return ideas.ErrTooMany
		}
	}
	now := s.config.Clock()
	// The former link, if any, ends with the row that it stood in.
	_, err = tx.Exec(ctx, `INSERT INTO guardianship (member_id, email, locale, asked_at, expires_at) VALUES ($1, $2, $3, $4, $5)
		ON CONFLICT (member_id) DO UPDATE SET email = excluded.email, token_hash = NULL, locale = excluded.locale,
			asked_at = excluded.asked_at, expires_at = excluded.expires_at, answered_at = NULL, text_hash = NULL`,
		member, email, locale, now, now.Add(guardianLinkLifetime))
	if err != nil {
		return err
	}
	return s.enqueue(ctx, tx, ideas.GuardianMail{Member: member, Asked: now.UnixMicro()}, &river.InsertOpts{UniqueOpts: river.UniqueOpts{ByArgs: true}})
}

// GuardianRecipient is whom a minor's guardian mail goes to, with a new token for its link; ideas.ErrNotFound where nobody
// waits for an answer any more.
func (s *Store) GuardianRecipient(ctx context.Context, member int64) (email, locale, name, token string, err error) {
	pool, err := s.db()
	if err != nil {
		return "", "", "", "", err
	}
	token, hash := newToken()
	err = pool.QueryRow(ctx, `UPDATE guardianship g SET token_hash = $2 FROM member m
		WHERE g.member_id = $1 AND m.id = g.member_id AND g.answered_at IS NULL RETURNING g.email, g.locale, m.name`, member, hash).
		Scan(&email, &locale, &name)
	if err != nil {
		return "", "", "", "", s.failed("make a guardian's link", err)
	}
	return email, locale, name, token, nil
}

// GuardianRequest implements ideas.JoiningStore.
func (s *Store) GuardianRequest(ctx context.Context, token string) (ideas.GuardianRequest, error) {
	var r ideas.GuardianRequest
	hash, ok := tokenHash(token)
	if !ok {
		return r, ideas.ErrLinkSpent
	}
	pool, err := s.db()
	if err != nil {
		return r, err
	}
	err = pool.QueryRow(ctx, `SELECT m.id, m.name, m.guardian, g.locale FROM guardianship g JOIN member m ON m.id = g.member_id
		WHERE g.token_hash = $1 AND g.expires_at > $2`, hash, s.config.Clock()).Scan(&r.Member.ID, &r.Member.Name, &r.Answer, &r.Locale)
	if errors.Is(err, pgx.ErrNoRows) {
		return r, ideas.ErrLinkSpent
	}
	if err != nil {
		return r, s.failed("read a guardian's request", err)
	}
	return r, nil
}

// AnswerGuardian implements ideas.JoiningStore.
func (s *Store) AnswerGuardian(ctx context.Context, token string, consents bool, textHash string) error {
	hash, ok := tokenHash(token)
	if !ok {
		return ideas.ErrLinkSpent
	}
	answer := ideas.GuardianRefused
	if consents {
		answer = ideas.GuardianGiven
	}
	return s.transact(ctx, "keep a guardian's answer", func(tx pgx.Tx) error {
		now := s.config.Clock()
		var member int64
		err := tx.QueryRow(ctx, `UPDATE guardianship SET answered_at = $2, text_hash = $3, expires_at = $4
			WHERE token_hash = $1 AND expires_at > $2 RETURNING member_id`, hash, now, textHash, now.Add(guardianAnswerKept)).Scan(&member)
		if errors.Is(err, pgx.ErrNoRows) {
			return ideas.ErrLinkSpent
		}
		if err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, "UPDATE member SET guardian = $2 WHERE id = $1", member, answer); err != nil {
			return err
		}
		detail := map[string]any{"answer": answer}
		if err := audit(ctx, tx, 0, "member.guardian", "member", member, detail); err != nil {
			return err
		}
		return s.recordEvents(ctx, tx, ideas.Event{Kind: ideas.EventGuardianAnswered, Subject: member, Data: detail})
	})
}
