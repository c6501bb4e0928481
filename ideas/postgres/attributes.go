package postgres

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/quaeso/community-operator/ideas"
	"github.com/quaeso/community-operator/internal/control"
)

// maxSegments bounds the values of an attribute that are counted.
const maxSegments = 200

// Attributes implements ideas.JoiningStore.
func (s *Store) Attributes(ctx context.Context, member int64) ([]ideas.AttributeValue, error) {
	pool, err := s.db()
	if err != nil {
		return nil, err
	}
	rows, err := pool.Query(ctx, `SELECT c.attribute, array_agg(a.value ORDER BY a.value), c.text, c.text_hash, c.given_at
		FROM consent c JOIN attribute a ON a.consent_id = c.id WHERE c.member_id = $1 AND c.withdrawn_at IS NULL
		GROUP BY c.id ORDER BY c.attribute`, member)
	if err != nil {
		return nil, s.failed("read a member's attributes", err)
	}
	list, err := pgx.CollectRows(rows, pgx.RowToStructByPos[ideas.AttributeValue])
	if err != nil {
		return nil, s.failed("read a member's attributes", err)
	}
	return list, nil
}

// SetAttribute implements ideas.JoiningStore.
func (s *Store) SetAttribute(ctx context.Context, member int64, name string, values []string, locale string) error {
	settings, _ := s.Current(ctx)
	var declared []control.Attribute
	if settings.House != nil {
		declared = settings.House.Attributes
	}
	i := slices.IndexFunc(declared, func(a control.Attribute) bool { return a.Name == name })
	if i < 0 && len(values) > 0 {
		return ideas.ErrNotFound
	}
	return s.transact(ctx, "keep a member's attribute", func(tx pgx.Tx) error {
		if len(values) == 0 {
			return s.withdrawAttribute(ctx, tx, member, name)
		}
		if err := s.setAttribute(ctx, tx, member, declared[i], values, locale); err != nil {
			return err
		}
		return s.completeJoining(ctx, tx, member)
	})
}

// setAttribute keeps values. A consent whose text has not changed goes on.
func (s *Store) setAttribute(ctx context.Context, tx pgx.Tx, member int64, a control.Attribute, values []string, locale string) error {
	values, err := checkValues(a, values)
	if err != nil {
		return err
	}
	text := consentText(a, locale)
	now := s.config.Clock()
	if _, err := tx.Exec(ctx, `UPDATE consent SET withdrawn_at = $3
		WHERE member_id = $1 AND attribute = $2 AND withdrawn_at IS NULL AND text_hash <> $4`, member, a.Name, now, ideas.TextHash(text)); err != nil {
		return err
	}
	var consent int64
	err = tx.QueryRow(ctx, `INSERT INTO consent (member_id, attribute, locale, text, text_hash, given_at) VALUES ($1, $2, $3, $4, $5, $6)
		ON CONFLICT (member_id, attribute) WHERE withdrawn_at IS NULL DO UPDATE SET attribute = excluded.attribute RETURNING id`,
		member, a.Name, locale, text, ideas.TextHash(text), now).Scan(&consent)
	if err != nil {
		return err
	}
	if _, err := tx.Exec(ctx, "DELETE FROM attribute WHERE member_id = $1 AND name = $2", member, a.Name); err != nil {
		return err
	}
	_, err = tx.Exec(ctx, "INSERT INTO attribute (member_id, name, value, consent_id) SELECT $1, $2, v, $4 FROM unnest($3::text[]) v",
		member, a.Name, values, consent)
	return err
}

// withdrawAttribute deletes the values and keeps that, and when, there was a consent.
func (s *Store) withdrawAttribute(ctx context.Context, tx pgx.Tx, member int64, name string) error {
	if _, err := tx.Exec(ctx, "DELETE FROM attribute WHERE member_id = $1 AND name = $2", member, name); err != nil {
		return err
	}
	if _, err := tx.Exec(ctx, "UPDATE consent SET withdrawn_at = $3 WHERE member_id = $1 AND attribute = $2 AND withdrawn_at IS NULL",
		member, name, s.config.Clock()); err != nil {
		return err
	}
	if slices.ContainsFunc(s.requirements().Attributes, func(a control.Attribute) bool { return a.Name == name }) {
		// Without an answer that the house needs, the member has not joined.
		_, err := tx.Exec(ctx, "UPDATE member SET joined_under = '' WHERE id = $1", member)
		return err
	}
	return nil
}

func checkValues(a control.Attribute, values []string) ([]string, error) {
	field := "attribute." + a.Name
	if len(a.Options) == 0 {
		text, err := ideas.CleanLine(field, strings.Join(values, " "), ideas.MaxAttribute)
		return []string{text}, err
	}
	if len(values) > 1 && !a.Multiple {
		return nil, &ideas.FieldError{Field: field, Code: "invalid"}
	}
	for _, v := range values {
		if !slices.ContainsFunc(a.Options, func(o control.Option) bool { return o.Name == v }) {
			return nil, &ideas.FieldError{Field: field, Code: "invalid"}
		}
	}
	return slices.Compact(slices.Sorted(slices.Values(values))), nil
}

// consentText is what the member has read.
func consentText(a control.Attribute, locale string) string {
	_, text := ideas.TermsVersion{Terms: control.Terms{Text: a.Consent}}.TextIn(locale)
	return text
}

// Segments implements ideas.JoiningStore.
func (s *Store) Segments(ctx context.Context, attribute string) ([]ideas.Segment, error) {
	pool, err := s.db()
	if err != nil {
		return nil, err
	}
	rows, err := pool.Query(ctx, "SELECT value, count(*)::int FROM attribute WHERE name = $1 GROUP BY value ORDER BY count(*) DESC, value LIMIT $2",
		attribute, maxSegments)
	if err != nil {
		return nil, s.failed("count segments", err)
	}
	list, err := pgx.CollectRows(rows, pgx.RowToStructByPos[ideas.Segment])
	if err != nil {
		return nil, s.failed("count segments", fmt.Errorf("%s: %w", attribute, err))
	}
	return list, nil
}
