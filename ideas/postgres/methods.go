package postgres

import (
	"context"

	"github.com/jackc/pgx/v5"

	"github.com/quaeso/community-operator/ideas"
)

// admit refuses who may not take part in a challenge.
func (s *Store) admit(ctx context.Context, tx pgx.Tx, c *ideas.Challenge, member int64) error {
	return s.requireContributor(ctx, tx, member)
}
