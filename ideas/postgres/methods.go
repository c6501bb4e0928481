package postgres

import (
	"context"

	"github.com/jackc/pgx/v5"

	"github.com/quaeso/community-operator/ideas"
)

// admit refuses who may not take part in a challenge: whoever may not contribute at all, is not eligible, or has not
// accepted its terms.
func (s *Store) admit(ctx context.Context, tx pgx.Tx, c *ideas.Challenge, member int64) error {
	if err := s.requireContributor(ctx, tx, member); err != nil {
		return err
	}
	return s.mayTakePart(ctx, tx, member, c, ideas.ActionRespond)
}
