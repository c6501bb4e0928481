package postgres

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"
)

// completeJoining notes that a member has met what the house asks for, once that is so.
func (s *Store) completeJoining(ctx context.Context, tx pgx.Tx, member int64) error {
	asked := s.requirements()
	if asked.Digest == "" {
		return nil
	}
	missing, err := missingTerms(ctx, tx, member, asked.Terms)
	if err != nil {
		return fmt.Errorf("look for accepted terms: %w", err)
	}
	names := make([]string, len(asked.Attributes))
	for i, a := range asked.Attributes {
		names[i] = a.Name
	}
	var answered int
	var aged bool
	err = tx.QueryRow(ctx, `SELECT (SELECT count(DISTINCT name) FROM attribute WHERE member_id = $1 AND name = ANY($2)),
		born IS NOT NULL OR age_reached IS NOT NULL FROM member WHERE id = $1`, member, names).Scan(&answered, &aged)
	if err != nil {
		return fmt.Errorf("look for what joining asks for: %w", err)
	}
	if len(missing) > 0 || answered < len(names) || asked.AsksAge() && !aged {
		return nil
	}
	if _, err := tx.Exec(ctx, "UPDATE member SET joined_under = $2 WHERE id = $1", member, asked.Digest); err != nil {
		return fmt.Errorf("note that a member has joined: %w", err)
	}
	return nil
}
