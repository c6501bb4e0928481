package postgres

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/quaeso/community-operator/ideas"
)

// maxSanctions bounds a list of sanctions or appeals.
const maxSanctions = 50

// Sanction implements ideas.SanctionStore.
func (s *Store) Sanction(ctx context.Context, by, member int64, kind ideas.SanctionKind, reason string, ends time.Time) (ideas.Sanction, error) {
	reason, err := checkText("reason", reason, ideas.MaxReason)
	if err != nil {
		return ideas.Sanction{}, err
	}
	now := s.config.Clock()
	switch {
	case kind != ideas.SanctionWarn && kind != ideas.SanctionMute && kind != ideas.SanctionBlock:
		return ideas.Sanction{}, &ideas.FieldError{Field: "kind", Code: "invalid"}
	case kind == ideas.SanctionWarn:
		ends = time.Time{}
	case !ends.IsZero() && !ends.After(now):
		return ideas.Sanction{}, &ideas.FieldError{Field: "ends", Code: "invalid"}
	}
	if by == member {
		return ideas.Sanction{}, &ideas.FieldError{Field: "member", Code: "invalid"}
	}
	sanction := ideas.Sanction{Kind: kind, Reason: reason, At: now, Ends: ends, Member: ideas.Author{ID: member}, By: ideas.Author{ID: by}}
	err = s.transact(ctx, "sanction a member", func(tx pgx.Tx) error {
		err := tx.QueryRow(ctx, `INSERT INTO sanction (member_id, kind, reason, created_by, created_at, ends_at)
			SELECT id, $2, $3, nullif($4, 0), $5, $6 FROM member WHERE id = $1 AND erased_at IS NULL RETURNING id`,
			member, kind, reason, by, now, orNull(ends)).Scan(&sanction.ID)
		if err != nil {
			return err
		}
		if err := restrict(ctx, tx, member, now); err != nil {
			return err
		}
		detail := map[string]any{"sanction": sanction.ID, "kind": kind}
		if err := audit(ctx, tx, by, "member."+string(kind), "member", member, detail); err != nil {
			return err
		}
		return s.recordEvents(ctx, tx, ideas.Event{Kind: ideas.EventSanctioned, Actor: by, Subject: member, Data: detail})
	})
	return sanction, err
}

// restrict makes a member's restrictions those of the sanctions in force.
func restrict(ctx context.Context, tx pgx.Tx, member int64, now time.Time) error {
	_, err := tx.Exec(ctx, `UPDATE member m SET read_only_until = r.mute, blocked_until = r.block FROM (
			SELECT max(coalesce(ends_at, $3)) FILTER (WHERE kind = 'mute') AS mute,
				max(coalesce(ends_at, $3)) FILTER (WHERE kind = 'block') AS block
			FROM sanction WHERE member_id = $1 AND lifted_at IS NULL AND (ends_at IS NULL OR ends_at > $2)) r
		WHERE m.id = $1`, member, now, ideas.Forever)
	return err
}

// LiftSanction implements ideas.SanctionStore.
func (s *Store) LiftSanction(ctx context.Context, by, sanction int64) error {
	return s.transact(ctx, "lift a sanction", func(tx pgx.Tx) error { return s.lift(ctx, tx, by, sanction) })
}

func (s *Store) lift(ctx context.Context, tx pgx.Tx, by, sanction int64) error {
	now := s.config.Clock()
	var member int64
	err := tx.QueryRow(ctx, `UPDATE sanction SET lifted_at = $2, lifted_by = nullif($3, 0)
		WHERE id = $1 AND lifted_at IS NULL AND kind <> 'warn' AND member_id <> $3 RETURNING member_id`, sanction, now, by).Scan(&member)
	if err != nil {
		return err
	}
	if err := restrict(ctx, tx, member, now); err != nil {
		return err
	}
	detail := map[string]any{"sanction": sanction}
	if err := audit(ctx, tx, by, "member.lift", "member", member, detail); err != nil {
		return err
	}
	return s.recordEvents(ctx, tx, ideas.Event{Kind: ideas.EventSanctionLifted, Actor: by, Subject: member, Data: detail})
}

const sanctionQuery = `SELECT s.id, m.id, m.name, s.kind, s.reason, coalesce(b.id, 0), coalesce(b.name, ''), s.created_at, s.ends_at,
		s.lifted_at, coalesce(s.appeal, ''), s.appealed_at, coalesce(s.answer, ''), s.answered_at
	FROM sanction s JOIN member m ON m.id = s.member_id LEFT JOIN member b ON b.id = s.created_by`

func (s *Store) listSanctions(ctx context.Context, where string, args ...any) ([]ideas.Sanction, error) {
	pool, err := s.db()
	if err != nil {
		return nil, err
	}
	rows, err := pool.Query(ctx, sanctionQuery+where, args...)
	if err != nil {
		return nil, s.failed("list sanctions", err)
	}
	list, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (ideas.Sanction, error) {
		var x ideas.Sanction
		var ends, lifted, appealed, answered *time.Time
		err := row.Scan(&x.ID, &x.Member.ID, &x.Member.Name, &x.Kind, &x.Reason, &x.By.ID, &x.By.Name, &x.At, &ends, &lifted,
			&x.Appeal, &appealed, &x.Answer, &answered)
		x.Ends, x.LiftedAt, x.AppealedAt, x.AnsweredAt = orZero(ends), orZero(lifted), orZero(appealed), orZero(answered)
		return x, err
	})
	if err != nil {
		return nil, s.failed("list sanctions", err)
	}
	return list, nil
}

// Sanctions implements ideas.SanctionStore.
func (s *Store) Sanctions(ctx context.Context, member int64) ([]ideas.Sanction, error) {
	return s.listSanctions(ctx, " WHERE s.member_id = $1 ORDER BY s.id DESC LIMIT $2", member, maxSanctions)
}

// Appeals implements ideas.SanctionStore.
func (s *Store) Appeals(ctx context.Context) ([]ideas.Sanction, error) {
	return s.listSanctions(ctx, " WHERE s.appealed_at IS NOT NULL AND s.answered_at IS NULL ORDER BY s.appealed_at, s.id LIMIT $1", maxSanctions)
}

// Appeal implements ideas.SanctionStore.
func (s *Store) Appeal(ctx context.Context, member, sanction int64, text string) error {
	text, err := checkText("appeal", text, ideas.MaxAppeal)
	if err != nil {
		return err
	}
	return s.transact(ctx, "appeal against a sanction", func(tx pgx.Tx) error {
		tag, err := tx.Exec(ctx, `UPDATE sanction SET appeal = $3, appealed_at = $4
			WHERE id = $1 AND member_id = $2 AND appealed_at IS NULL AND lifted_at IS NULL`, sanction, member, text, s.config.Clock())
		if err != nil {
			return err
		}
		if tag.RowsAffected() == 0 {
			return ideas.ErrNotFound
		}
		return nil
	})
}

// AnswerAppeal implements ideas.SanctionStore.
func (s *Store) AnswerAppeal(ctx context.Context, by, sanction int64, text string, lift bool) error {
	text, err := checkText("answer", text, ideas.MaxAppeal)
	if err != nil {
		return err
	}
	return s.transact(ctx, "answer an appeal", func(tx pgx.Tx) error {
		var member int64
		var kind ideas.SanctionKind
		var over bool
		err := tx.QueryRow(ctx, `UPDATE sanction SET answer = $2, answered_at = $3, answered_by = nullif($4, 0)
			WHERE id = $1 AND appealed_at IS NOT NULL AND answered_at IS NULL AND member_id <> $4
			RETURNING member_id, kind, lifted_at IS NOT NULL`, sanction, text, s.config.Clock(), by).Scan(&member, &kind, &over)
		if err != nil {
			return err
		}
		if lift && !over && kind != ideas.SanctionWarn {
			if err := s.lift(ctx, tx, by, sanction); err != nil {
				return err
			}
		}
		detail := map[string]any{"sanction": sanction, "lifted": lift}
		if err := audit(ctx, tx, by, "member.answer_appeal", "member", member, detail); err != nil {
			return err
		}
		return s.recordEvents(ctx, tx, ideas.Event{Kind: ideas.EventAppealAnswered, Actor: by, Subject: member, Data: detail})
	})
}
