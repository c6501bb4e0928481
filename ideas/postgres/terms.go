package postgres

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/jackc/pgx/v5"

	"github.com/quaeso/community-operator/ideas"
)

// maxAcceptances bounds the list of what a member has accepted.
const maxAcceptances = 200

// AcceptedTerms implements ideas.TermsStore.
func (s *Store) AcceptedTerms(ctx context.Context, member int64, names []string) ([]ideas.TermsVersion, error) {
	settings, _ := s.Current(ctx)
	asked := settings.TermsNamed(names...)
	if len(asked) == 0 {
		return nil, nil
	}
	pool, err := s.db()
	if err != nil {
		return nil, err
	}
	missing, err := missingTerms(ctx, pool, member, asked)
	if err != nil {
		return nil, s.failed("look for accepted terms", err)
	}
	return missing, nil
}

func missingTerms(ctx context.Context, q querier, member int64, asked []ideas.TermsVersion) ([]ideas.TermsVersion, error) {
	hashes := make([]string, len(asked))
	for i, t := range asked {
		hashes[i] = t.Hash
	}
	rows, err := q.Query(ctx, "SELECT terms_hash FROM acceptance WHERE member_id = $1 AND terms_hash = ANY($2)", member, hashes)
	if err != nil {
		return nil, err
	}
	accepted, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return nil, err
	}
	return slices.DeleteFunc(slices.Clone(asked), func(t ideas.TermsVersion) bool { return slices.Contains(accepted, t.Hash) }), nil
}

// AcceptTerms implements ideas.TermsStore.
func (s *Store) AcceptTerms(ctx context.Context, member int64, locale string, hashes []string) error {
	return s.transact(ctx, "accept terms", func(tx pgx.Tx) error {
		if err := s.acceptTerms(ctx, tx, member, locale, hashes); err != nil {
			return err
		}
		return s.completeJoining(ctx, tx, member)
	})
}

func (s *Store) acceptTerms(ctx context.Context, tx pgx.Tx, member int64, locale string, hashes []string) error {
	settings, _ := s.Current(ctx)
	if settings.House == nil {
		return ideas.ErrNotFound
	}
	inForce := map[string]ideas.TermsVersion{}
	for _, t := range settings.House.Terms {
		for _, version := range settings.TermsNamed(t.Name) {
			inForce[version.Hash] = version
		}
	}
	for _, hash := range hashes {
		version, ok := inForce[hash]
		if !ok {
			return ideas.ErrNotFound
		}
		if err := s.acceptOne(ctx, tx, member, locale, version); err != nil {
			return err
		}
	}
	return nil
}

func (s *Store) acceptOne(ctx context.Context, tx pgx.Tx, member int64, locale string, version ideas.TermsVersion) error {
	texts, err := json.Marshal(version.Text)
	if err != nil {
		return fmt.Errorf("encode terms: %w", err)
	}
	if _, err := tx.Exec(ctx, `INSERT INTO terms (hash, name, kind, version, texts) VALUES ($1, $2, $3, $4, $5)
		ON CONFLICT (hash) DO NOTHING`, version.Hash, version.Name, version.Kind, version.Version, texts); err != nil {
		return err
	}
	locale, text := version.TextIn(locale)
	_, err = tx.Exec(ctx, `INSERT INTO acceptance (member_id, terms_hash, locale, text_hash, accepted_at) VALUES ($1, $2, $3, $4, $5)
		ON CONFLICT (member_id, terms_hash) DO NOTHING`, member, version.Hash, locale, ideas.TextHash(text), s.config.Clock())
	return err
}

// Acceptances implements ideas.TermsStore.
func (s *Store) Acceptances(ctx context.Context, member int64) ([]ideas.Acceptance, error) {
	pool, err := s.db()
	if err != nil {
		return nil, err
	}
	rows, err := pool.Query(ctx, `SELECT t.hash, t.name, t.kind, t.version, t.texts, a.locale, a.text_hash, a.accepted_at
		FROM acceptance a JOIN terms t ON t.hash = a.terms_hash WHERE a.member_id = $1 ORDER BY a.id DESC LIMIT $2`, member, maxAcceptances)
	if err != nil {
		return nil, s.failed("list accepted terms", err)
	}
	list, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (ideas.Acceptance, error) {
		var a ideas.Acceptance
		err := row.Scan(&a.Hash, &a.Name, &a.Kind, &a.Version, &a.TermsVersion.Text, &a.Locale, &a.TextHash, &a.At)
		a.Text = a.TermsVersion.Text[a.Locale]
		return a, err
	})
	if err != nil {
		return nil, s.failed("list accepted terms", err)
	}
	return list, nil
}
