package postgres

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/quaeso/community-operator/ideas"
)

// climbBatch bounds the entries that are looked at in one transaction.
const climbBatch = 100

// climb takes the entries of a challenge with a ladder to the rungs that they have reached, and lets those expire that
// have missed one.
func (s *Store) climb(ctx context.Context, c *ideas.Challenge, now time.Time) error {
	if len(c.Spec.Ladder) == 0 {
		return nil
	}
	if err := s.beginClimbs(ctx, c); err != nil {
		return err
	}
	pool, err := s.db()
	if err != nil {
		return err
	}
	for after := int64(0); ; {
		ids, err := queryIDs(ctx, pool, `SELECT e.idea_id FROM entry e WHERE e.challenge_id = $1 AND e.idea_id > $2 AND e.idea_id IN (
				SELECT t.idea_id FROM tally t WHERE t.supporters >= t.goal
				UNION ALL SELECT d.idea_id FROM entry d WHERE d.deadline <= $3) ORDER BY e.idea_id LIMIT $4`, c.ID, after, now, climbBatch)
		if err != nil {
			return s.failed("look for entries that climb", err)
		}
		for _, id := range ids {
			if err := s.climbOne(ctx, c, id, now); err != nil {
				return err
			}
			after = id
		}
		if len(ids) < climbBatch {
			return nil
		}
	}
}

// beginClimbs puts what was published since the last time at the foot of the ladder.
func (s *Store) beginClimbs(ctx context.Context, c *ideas.Challenge) error {
	first := c.Spec.Ladder[0]
	return s.transact(ctx, "begin to climb", func(tx pgx.Tx) error {
		rows, err := tx.Query(ctx, `SELECT e.idea_id, i.state_at FROM entry e JOIN idea i ON i.id = e.idea_id
			WHERE e.challenge_id = $1 AND e.rung_since IS NULL AND i.state = 'gathering'
			ORDER BY e.idea_id LIMIT 1000 FOR UPDATE OF e SKIP LOCKED`, c.ID)
		if err != nil {
			return err
		}
		type fresh struct {
			id        int64
			published time.Time
		}
		list, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (fresh, error) {
			var f fresh
			return f, row.Scan(&f.id, &f.published)
		})
		if err != nil {
			return err
		}
		for _, f := range list {
			deadline := orNull(ideas.DeadlineOf(first, f.published, s.zone()))
			if _, err := tx.Exec(ctx, "UPDATE entry SET rung_since = $2, deadline = $3 WHERE idea_id = $1", f.id, f.published, deadline); err != nil {
				return err
			}
			if _, err := tx.Exec(ctx, "UPDATE tally SET goal = $2 WHERE idea_id = $1", f.id, first.Supporters); err != nil {
				return err
			}
		}
		return nil
	})
}

// climbOne moves one entry as far as its support goes.
func (s *Store) climbOne(ctx context.Context, c *ideas.Challenge, id int64, now time.Time) error {
	return s.transact(ctx, fmt.Sprintf("take entry %d up the ladder", id), func(tx pgx.Tx) error {
		var at ideas.Climb
		var since, deadline *time.Time
		var support ideas.Support
		err := tx.QueryRow(ctx, `SELECT e.rung, e.rung_since, e.deadline, e.seen, t.supporters FROM entry e JOIN idea i ON i.id = e.idea_id
			JOIN tally t ON t.idea_id = e.idea_id WHERE e.idea_id = $1 AND i.state = 'gathering' AND e.rung_since IS NOT NULL
			FOR UPDATE OF e SKIP LOCKED`, id).Scan(&at.Rung, &since, &deadline, &support.Seen, &support.Supporters)
		if errors.Is(err, pgx.ErrNoRows) {
			return nil // another replica is at it, or it gathers no more
		}
		if err != nil {
			return err
		}
		at.Since, at.Deadline = orZero(since), orZero(deadline)
		if !at.Deadline.IsZero() && !now.Before(at.Deadline) {
			// What came after the deadline, before the service looked, is no support for this rung.
			err := tx.QueryRow(ctx, "SELECT count(*) FROM support WHERE idea_id = $1 AND created_at < $2", id, at.Deadline).Scan(&support.Supporters)
			if err != nil {
				return err
			}
		}
		next := ideas.NextRung(c.Spec.Ladder, at, support, now, s.zone())
		return s.writeClimb(ctx, tx, c, id, at, next, support)
	})
}

func (s *Store) writeClimb(ctx context.Context, tx pgx.Tx, c *ideas.Challenge, id int64, at, next ideas.Climb, support ideas.Support) error {
	if next.Rung == at.Rung && !next.Expired {
		return nil
	}
	var goal *int
	if next.Rung < len(c.Spec.Ladder) && !next.Expired {
		goal = &c.Spec.Ladder[next.Rung].Supporters
	}
	if _, err := tx.Exec(ctx, "UPDATE entry SET rung = $2, rung_since = $3, deadline = $4 WHERE idea_id = $1", id, next.Rung, next.Since, orNull(next.Deadline)); err != nil {
		return err
	}
	if _, err := tx.Exec(ctx, "UPDATE tally SET goal = $2 WHERE idea_id = $1", id, goal); err != nil {
		return err
	}
	for rung := at.Rung + 1; rung <= next.Rung; rung++ {
		e := ideas.Event{Kind: ideas.EventRungReached, Idea: id, Challenge: c.ID, Data: map[string]any{
			"rung": rung, "of": len(c.Spec.Ladder), "supporters": support.Supporters,
		}}
		if err := s.recordEvents(ctx, tx, e); err != nil {
			return err
		}
	}
	switch {
	case next.Expired:
		return s.moveAsService(ctx, tx, id, ideas.StateExpired, ideas.Reason{})
	case next.Done:
		if err := s.moveAsService(ctx, tx, id, ideas.StateQualified, ideas.Reason{}); err != nil {
			return err
		}
		if len(c.Spec.ReviewBatches) == 0 {
			return s.moveAsService(ctx, tx, id, ideas.StateUnderReview, ideas.Reason{})
		}
	}
	return nil
}
