package postgres

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/quaeso/community-operator/ideas"
)

// takeRate counts by the generic cell rate algorithm: one moment for each key, at which its allowance is full again. The
// table is unlogged, so that counting waits for no disk.
const takeRate = `INSERT INTO rate AS r (key, full_at) VALUES ($1, $2::timestamptz + $3::interval)
	ON CONFLICT (key) DO UPDATE SET full_at = greatest(r.full_at, $2) + $3 WHERE greatest(r.full_at, $2) + $3 <= $2 + $4::interval`

// TakeRate implements ideas.RateStore.
func (s *Store) TakeRate(ctx context.Context, key string, rate ideas.Rate, n int, now time.Time) (granted int, wait time.Duration, err error) {
	pool, err := s.db()
	if err != nil {
		return 0, 0, err
	}
	sum := sha256.Sum256([]byte("requests\x00" + key))
	whole := time.Duration(rate.Burst) * rate.Every
	for _, n := range []int{n, 1} {
		tag, err := pool.Exec(ctx, takeRate, sum[:], now, time.Duration(n)*rate.Every, whole)
		if err != nil {
			return 0, 0, s.failed("count a request", err)
		}
		if tag.RowsAffected() > 0 {
			return n, 0, nil
		}
	}
	var full time.Time
	err = pool.QueryRow(ctx, "SELECT full_at FROM rate WHERE key = $1", sum[:]).Scan(&full)
	if errors.Is(err, pgx.ErrNoRows) {
		return 0, rate.Every, nil // full again, and forgotten, in between
	}
	if err != nil {
		return 0, 0, s.failed("count a request", fmt.Errorf("read an allowance: %w", err))
	}
	return 0, max(full.Add(rate.Every).Sub(now.Add(whole)), time.Millisecond), nil
}
