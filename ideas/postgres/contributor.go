package postgres

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/quaeso/community-operator/ideas"
)

// memberErrors are those that require_contributor raises, by their code.
var memberErrors = map[string]error{
	"CO001": ideas.ErrRestricted, "CO002": ideas.ErrGuardianMissing, "CO003": ideas.ErrNotJoined,
}

const contributorCheck = "SELECT require_contributor($1, $2, $3)"

// requireContributor fails unless a member may contribute now: with ideas.ErrRestricted, ideas.ErrGuardianMissing or
// ideas.ErrNotJoined. Every path by which members write calls it in its transaction.
func (s *Store) requireContributor(ctx context.Context, tx pgx.Tx, member int64) error {
	if _, err := tx.Exec(ctx, contributorCheck, member, s.config.Clock(), s.requirements().Digest); err != nil {
		return s.failed("look whether the member may contribute", err)
	}
	return nil
}

// queueContributorCheck is requireContributor for a batch, which fails as a whole.
func (s *Store) queueContributorCheck(batch *pgx.Batch, member int64) {
	batch.Queue(contributorCheck, member, s.config.Clock(), s.requirements().Digest)
}

// requirements of a revision of the settings.
type requirements struct {
	ideas.Requirements
	revision string
}

// requirements of the house in force, made once per revision.
func (s *Store) requirements() ideas.Requirements {
	settings, _ := s.Current(context.Background())
	if known := s.required.Load(); known != nil && known.revision == settings.Revision {
		return known.Requirements
	}
	made := &requirements{settings.Requirements(), settings.Revision}
	s.required.Store(made)
	return made.Requirements
}

// orZero is the zero time for null.
func orZero(t *time.Time) time.Time {
	if t == nil {
		return time.Time{}
	}
	return *t
}

// orNull is null for the zero time.
func orNull(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}

// checkText cleans what the team or a member writes in a field.
func checkText(field, text string, limit int) (string, error) {
	cleaned, err := ideas.CleanText(field, text, limit)
	if err != nil {
		return "", fmt.Errorf("check %s: %w", field, err)
	}
	return cleaned, nil
}
