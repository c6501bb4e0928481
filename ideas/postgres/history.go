package postgres

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
)

// How long what has happened is kept. docs/reference/retention.md says the same to whoever answers for the data.
const (
	// eventsKept covers a year and a month: reward policies are priced on it, and notices tell of it.
	eventsKept = 400 * day
	// deliveriesKept is how long the log of deliveries goes back.
	deliveriesKept = 30 * day
	// jobsKept and failedJobsKept are those of jobs that are done, and that were given up.
	jobsKept       = day
	failedJobsKept = 7 * day

	// historyBatch bounds the rows of one transaction, historyBatches those of one run; the rest follows the next day.
	historyBatch   = 5_000
	historyBatches = 400
)

// KeepHistory removes events, and notices of them, that are older than they are kept, and what the audit log has from before
// the days that the house rules name. What waits to be dispatched stays, however old it is.
func (s *Store) KeepHistory(ctx context.Context) error {
	if err := s.sweepErased(ctx); err != nil {
		return err
	}
	now := s.config.Clock()
	// The oldest rows have the lowest numbers: a batch looks at those alone.
	for _, old := range []struct{ name, remove string }{
		{"notices", `DELETE FROM notice WHERE id IN (SELECT id FROM (SELECT id, created_at FROM notice ORDER BY id LIMIT $2) n WHERE created_at < $1)`},
		{"events", `DELETE FROM event WHERE id IN (SELECT id FROM (SELECT id, at FROM event WHERE dispatched ORDER BY id LIMIT $2) e WHERE at < $1
			AND NOT EXISTS (SELECT FROM notice n WHERE n.event_id = e.id))`},
	} {
		if err := s.removeOld(ctx, old.name, old.remove, now.Add(-eventsKept)); err != nil {
			return err
		}
	}
	settings, _ := s.Current(ctx)
	if settings.House == nil || settings.House.Retention.AuditDays <= 0 {
		return nil
	}
	return s.removeOld(ctx, "the audit log", `DELETE FROM audit WHERE id IN (SELECT id FROM (SELECT id, at FROM audit ORDER BY id LIMIT $2) a WHERE at < $1)`,
		now.Add(-time.Duration(settings.House.Retention.AuditDays)*day))
}

// sweepErased takes members who were erased within two days out of events that were being dispatched at that moment.
func (s *Store) sweepErased(ctx context.Context) error {
	pool, err := s.db()
	if err != nil {
		return err
	}
	erased, err := queryIDs(ctx, pool, "SELECT DISTINCT member_id FROM erasure WHERE done_at > $1", s.config.Clock().Add(-2*day))
	if err != nil {
		return s.failed("look who was erased", err)
	}
	for _, member := range erased {
		err := s.transact(ctx, "take somebody erased out of events", func(tx pgx.Tx) error {
			for _, table := range recordTables() {
				if table.name != "event" {
					continue
				}
				if _, err := table.erase(ctx, tx, member, false); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// removeOld removes in batches what is older than a moment.
func (s *Store) removeOld(ctx context.Context, what, remove string, before time.Time) error {
	for range historyBatches {
		removed := int64(0)
		err := s.transact(ctx, "remove what is old of "+what, func(tx pgx.Tx) error {
			// The audit log gives rows away to nobody else.
			if _, err := tx.Exec(ctx, "SELECT set_config('ideas.retention', 'on', true)"); err != nil {
				return fmt.Errorf("allow the removal: %w", err)
			}
			tag, err := tx.Exec(ctx, remove, before, historyBatch)
			removed = tag.RowsAffected()
			return err
		})
		if err != nil {
			return err
		}
		if removed == 0 {
			return nil
		}
	}
	return nil
}
