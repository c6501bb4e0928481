package postgres

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/quaeso/community-operator/ideas"
)

// authorsOf an idea, the first one first; ideas.ErrNotFound for who is none of them.
func authorsOf(ctx context.Context, q querier, member, idea int64) ([]ideas.Author, error) {
	rows, err := q.Query(ctx, `SELECT m.id, m.name FROM (
			SELECT author_id AS member_id, 0 AS place FROM idea WHERE id = $1 AND state NOT IN ('draft', 'erased')
			UNION ALL SELECT member_id, 1 FROM co_author WHERE idea_id = $1 AND state = 'accepted') a
		JOIN member m ON m.id = a.member_id ORDER BY a.place, m.id`, idea)
	if err != nil {
		return nil, fmt.Errorf("list the authors: %w", err)
	}
	authors, err := pgx.CollectRows(rows, pgx.RowToStructByPos[ideas.Author])
	if err != nil {
		return nil, fmt.Errorf("list the authors: %w", err)
	}
	for _, author := range authors {
		if author.ID == member {
			return authors, nil
		}
	}
	return nil, ideas.ErrNotFound
}

// RevenueShares implements ideas.ShareStore.
func (s *Store) RevenueShares(ctx context.Context, member, idea int64) (ideas.RevenueShares, error) {
	var shares ideas.RevenueShares
	err := s.transact(ctx, "read how authors share", func(tx pgx.Tx) error {
		var err error
		if shares.Authors, err = authorsOf(ctx, tx, member, idea); err != nil {
			return err
		}
		rows, err := tx.Query(ctx, `SELECT a.id, coalesce(b.id, 0), coalesce(b.name, ''), a.proposed_at, coalesce(a.agreed_at, '0001-01-01'),
				m.id, m.name, p.percent, p.accepted_at IS NOT NULL
			FROM share_agreement a JOIN share_part p ON p.agreement_id = a.id JOIN member m ON m.id = p.member_id LEFT JOIN member b ON b.id = a.proposed_by
			WHERE a.idea_id = $1 AND a.ended_at IS NULL ORDER BY a.id, m.id`, idea)
		if err != nil {
			return fmt.Errorf("read agreements: %w", err)
		}
		var a ideas.ShareAgreement
		var part ideas.SharePart
		_, err = pgx.ForEachRow(rows, []any{
			&a.ID, &a.ProposedBy.ID, &a.ProposedBy.Name, &a.ProposedAt, &a.AgreedAt, &part.Member.ID, &part.Member.Name, &part.Percent, &part.Accepted,
		}, func() error {
			to := &shares.InForce
			if a.AgreedAt.Year() == 1 {
				to = &shares.Opened
			}
			if *to == nil {
				kept := a
				*to = &kept
			}
			(*to).Parts = append((*to).Parts, part)
			return nil
		})
		return err
	})
	return shares, err
}

// ProposeShares implements ideas.ShareStore. The database holds that the parts are a hundred, and that one proposal is open.
func (s *Store) ProposeShares(ctx context.Context, member, idea int64, percent map[int64]int) error {
	return s.transact(ctx, "propose how authors share", func(tx pgx.Tx) error {
		if err := s.requireContributor(ctx, tx, member); err != nil {
			return err
		}
		authors, err := s.lockShares(ctx, tx, member, idea)
		if err != nil {
			return err
		}
		sum := 0
		for _, author := range authors {
			given, has := percent[author.ID]
			if !has || given < 0 || given > 100 {
				return &ideas.FieldError{Field: "percent", Code: "invalid"}
			}
			sum += given
		}
		if sum != 100 || len(percent) != len(authors) || len(authors) < 2 {
			return &ideas.FieldError{Field: "percent", Code: "sum"}
		}
		now := s.config.Clock()
		if _, err := tx.Exec(ctx, "UPDATE share_agreement SET ended_at = $2 WHERE idea_id = $1 AND agreed_at IS NULL AND ended_at IS NULL", idea, now); err != nil {
			return err
		}
		var id int64
		err = tx.QueryRow(ctx, "INSERT INTO share_agreement (idea_id, proposed_by, proposed_at) VALUES ($1, $2, $3) RETURNING id", idea, member, now).Scan(&id)
		if err != nil {
			return err
		}
		for _, author := range authors {
			_, err := tx.Exec(ctx, "INSERT INTO share_part (agreement_id, member_id, percent, accepted_at) VALUES ($1, $2, $3, CASE WHEN $4 THEN $5::timestamptz END)",
				id, author.ID, percent[author.ID], author.ID == member, now)
			if err != nil {
				return err
			}
			if author.ID == member {
				continue
			}
			if err := s.recordEvents(ctx, tx, ideas.Event{Kind: ideas.EventSharesProposed, Actor: member, Subject: author.ID, Idea: idea}); err != nil {
				return err
			}
		}
		return nil
	})
}

// lockShares makes what authors do about one idea follow each other.
func (s *Store) lockShares(ctx context.Context, tx pgx.Tx, member, idea int64) ([]ideas.Author, error) {
	if _, err := tx.Exec(ctx, "SELECT FROM idea WHERE id = $1 FOR NO KEY UPDATE", idea); err != nil {
		return nil, fmt.Errorf("lock the idea: %w", err)
	}
	return authorsOf(ctx, tx, member, idea)
}

// AnswerShares implements ideas.ShareStore.
func (s *Store) AnswerShares(ctx context.Context, member, idea int64, accept bool) error {
	return s.transact(ctx, "answer how authors share", func(tx pgx.Tx) error {
		if _, err := s.lockShares(ctx, tx, member, idea); err != nil {
			return err
		}
		now := s.config.Clock()
		var id int64
		err := tx.QueryRow(ctx, `SELECT a.id FROM share_agreement a JOIN share_part p ON p.agreement_id = a.id AND p.member_id = $2
			WHERE a.idea_id = $1 AND a.agreed_at IS NULL AND a.ended_at IS NULL`, idea, member).Scan(&id)
		if errors.Is(err, pgx.ErrNoRows) {
			return ideas.ErrNotFound
		}
		if err != nil {
			return err
		}
		if !accept {
			_, err := tx.Exec(ctx, "UPDATE share_agreement SET ended_at = $2 WHERE id = $1", id, now)
			return err
		}
		if _, err := tx.Exec(ctx, "UPDATE share_part SET accepted_at = coalesce(accepted_at, $3) WHERE agreement_id = $1 AND member_id = $2", id, member, now); err != nil {
			return err
		}
		var open bool
		if err := tx.QueryRow(ctx, "SELECT EXISTS (SELECT FROM share_part WHERE agreement_id = $1 AND accepted_at IS NULL)", id).Scan(&open); err != nil || open {
			return err
		}
		if _, err := tx.Exec(ctx, "UPDATE share_agreement SET ended_at = $2 WHERE idea_id = $1 AND agreed_at IS NOT NULL AND ended_at IS NULL", idea, now); err != nil {
			return err
		}
		_, err = tx.Exec(ctx, "UPDATE share_agreement SET agreed_at = $2 WHERE id = $1", id, now)
		return err
	})
}
