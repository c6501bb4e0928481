package postgres

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/quaeso/community-operator/ideas"
	"github.com/quaeso/community-operator/internal/control"
)

// declarationChannel is notified when another declaration is in force.
const declarationChannel = "ideas_declaration"

// declared is the declaration in force and what the pages make of it.
type declared struct {
	inForce  control.InForce
	settings ideas.Settings
}

// Current implements ideas.SettingsSource.
func (s *Store) Current(context.Context) (ideas.Settings, bool) {
	if s.config.Fallback != nil {
		return *s.config.Fallback, true
	}
	if d := s.declared.Load(); d != nil {
		return d.settings, true
	}
	return ideas.Settings{}, false
}

// InForce names the declaration that this replica serves; the zero value means none yet.
func (s *Store) InForce() control.InForce {
	if d := s.declared.Load(); d != nil {
		return d.inForce
	}
	return control.InForce{}
}

// Declare puts a valid declaration in force for all replicas. It returns what is in force afterwards;
// accepted is false when that is a later generation of the same object. Errors: *ideas.RefusedError.
func (s *Store) Declare(ctx context.Context, d control.Declaration) (inForce control.InForce, accepted bool, err error) {
	raw, err := json.Marshal(d.Settings)
	if err != nil {
		return s.InForce(), false, fmt.Errorf("encode settings: %w", err)
	}
	digest := d.Settings.Digest()
	// What is locked depends on the challenges in memory.
	if err := s.refreshNow(ctx); err != nil {
		return s.InForce(), false, err
	}
	if refusals := s.lockedSettings(ctx, d); len(refusals) > 0 {
		return s.InForce(), false, &ideas.RefusedError{Refusals: refusals}
	}
	err = s.transact(ctx, "declare the community", func(tx pgx.Tx) error {
		// Declaring what is in force writes nothing.
		tag, err := tx.Exec(ctx, `INSERT INTO declaration AS d (uid, generation, digest, settings) VALUES ($1, $2, $3, $4)
			ON CONFLICT (only_row) DO UPDATE SET uid = excluded.uid, generation = excluded.generation,
				digest = excluded.digest, settings = excluded.settings, accepted_at = now()
			WHERE (d.uid <> excluded.uid OR d.generation <= excluded.generation)
				AND (d.uid, d.generation, d.digest) IS DISTINCT FROM (excluded.uid, excluded.generation, excluded.digest)`,
			d.UID, d.Generation, digest, raw)
		if err != nil {
			return err
		}
		if tag.RowsAffected() > 0 {
			_, err = tx.Exec(ctx, "SELECT pg_notify($1, '')", declarationChannel)
		}
		return err
	})
	if err != nil {
		return s.InForce(), false, err
	}
	pool, err := s.db()
	if err != nil {
		return s.InForce(), false, err
	}
	if err := s.refresh(ctx, pool); err != nil {
		return s.InForce(), false, err
	}
	inForce = s.InForce()
	return inForce, inForce.UID != d.UID || inForce.Generation <= d.Generation, nil
}

// lockedSettings are the settings that must not change now. Another Community's, which takes the database into use, are
// taken as they are.
func (s *Store) lockedSettings(ctx context.Context, d control.Declaration) []control.Refusal {
	inForce := s.InForce()
	if inForce.UID != d.UID || inForce.Generation > d.Generation || s.config.Fallback != nil {
		return nil
	}
	former, _ := s.Current(ctx)
	return ideas.LockedSettings(former, d.Settings, s.Programme(ctx).Challenges, s.config.Clock())
}

// refresh reads what is declared if it is another than what is in memory.
func (s *Store) refresh(ctx context.Context, q querier) error {
	s.refreshing.Lock()
	defer s.refreshing.Unlock()
	// A connection that died without a word must not keep the others waiting.
	ctx, cancel := context.WithTimeout(ctx, connectTimeout)
	defer cancel()
	if err := s.refreshSettings(ctx, q); err != nil {
		return err
	}
	return s.refreshProgramme(ctx, q)
}

func (s *Store) refreshSettings(ctx context.Context, q querier) error {
	known := s.InForce()
	var next declared
	var raw []byte
	err := q.QueryRow(ctx, `SELECT uid, generation, digest, settings FROM declaration
		WHERE (uid, generation, digest) IS DISTINCT FROM ($1, $2, $3)`, known.UID, known.Generation, known.Digest).
		Scan(&next.inForce.UID, &next.inForce.Generation, &next.inForce.Digest, &raw)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("read the declaration: %w", err)
	}
	// Fields of a later release's declaration are passed over: it was accepted by one that knows them.
	var settings control.Settings
	if err := json.Unmarshal(raw, &settings); err != nil {
		return fmt.Errorf("read the declaration's settings: %w", err)
	}
	next.settings = translate(settings, next.inForce.Digest)
	s.declared.Store(&next)
	s.log.Info("declaration in force", "uid", next.inForce.UID, "generation", next.inForce.Generation, "digest", next.inForce.Digest)
	return nil
}

func translate(c control.Settings, revision string) ideas.Settings {
	settings := ideas.Settings{
		BaseURL: c.BaseURL, Hostnames: c.Hostnames, Name: c.Brand.Name, TagLine: c.Brand.TagLine, LogoURL: c.Brand.LogoURL,
		Colors:  ideas.Colors(c.Brand.Colors),
		Locales: c.Locales, TimeZone: c.TimeZone, House: c.House, Revision: revision,
	}
	if c.OIDC != nil {
		settings.OIDC = &ideas.OIDCSettings{IssuerURL: c.OIDC.IssuerURL, Label: c.OIDC.Label}
	}
	return settings
}
