package postgres

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/quaeso/community-operator/ideas"
)

// Dispatching of events.
const (
	// dispatchBatch bounds the events of one transaction.
	dispatchBatch = 200
	// dispatchEvery is how late an event of another replica, which has ended since, is dispatched.
	dispatchEvery = 2 * time.Second
	// dispatchAttempts after which an event that no consumer can take is left, with an error in the log.
	dispatchAttempts = 8
)

// consumer makes something of events, in the transaction that marks them as dispatched: exactly once, or not at all.
type consumer struct {
	name    string
	consume func(ctx context.Context, tx pgx.Tx, events []ideas.Event) error
}

// consumers in their order: later ones see what earlier ones wrote.
func (s *Store) consumers() []consumer {
	return append([]consumer{
		{"qualify ideas", s.qualify},
		{"recognition", s.recognise},
		{"notices", s.tell},
		{"webhooks", s.callWebhooks},
	}, s.extraConsumers...)
}

// recordEvents writes what happened into the transaction in which it happened, and wakes the dispatcher. The wake may
// come before the commit; the dispatcher then finds it a moment later.
func (s *Store) recordEvents(ctx context.Context, tx pgx.Tx, events ...ideas.Event) error {
	for _, e := range events {
		var data []byte
		if len(e.Data) > 0 {
			var err error
			if data, err = json.Marshal(e.Data); err != nil {
				return fmt.Errorf("encode event %s: %w", e.Kind, err)
			}
		}
		_, err := tx.Exec(ctx, `INSERT INTO event (kind, actor_id, subject_id, idea_id, challenge_id, comment_id, data)
			VALUES ($1, nullif($2, 0), nullif($3, 0), nullif($4, 0), nullif($5, 0), nullif($6, 0), $7)`,
			e.Kind, e.Actor, e.Subject, e.Idea, e.Challenge, e.Comment, data)
		if err != nil {
			return fmt.Errorf("record event %s: %w", e.Kind, err)
		}
	}
	s.wakeDispatcher()
	return nil
}

func (s *Store) wakeDispatcher() {
	select {
	case s.eventWake <- struct{}{}:
	default:
	}
}

// dispatchEvents runs until the context ends. Replicas share the work: each takes events that no other has locked.
func (s *Store) dispatchEvents(ctx context.Context) {
	for ctx.Err() == nil {
		s.writeVisits(ctx)
		n, err := s.DispatchEvents(ctx)
		if err != nil && ctx.Err() == nil {
			s.log.Warn("events not dispatched", "error", err)
		}
		if n == dispatchBatch {
			continue
		}
		// A wake may precede its commit by some milliseconds, and events come in crowds: gather them.
		select {
		case <-ctx.Done():
			return
		case <-time.After(dispatchEvery):
		case <-s.eventWake:
			select {
			case <-ctx.Done():
				return
			case <-time.After(dispatchEvery / 20):
			}
		}
	}
}

// DispatchEvents hands a batch of waiting events to their consumers and returns how many there were. Where one of them
// fails, each is tried by itself, so that it alone waits.
func (s *Store) DispatchEvents(ctx context.Context) (int, error) {
	n := 0
	err := s.transact(ctx, "dispatch events", func(tx pgx.Tx) error {
		events, err := claimEvents(ctx, tx)
		if err != nil || len(events) == 0 {
			return err
		}
		n = len(events)
		failure := pgx.BeginFunc(ctx, tx, func(tx pgx.Tx) error { return s.consume(ctx, tx, events) })
		if failure == nil {
			return nil
		}
		if isConnectionFailure(failure) {
			return failure
		}
		for _, e := range events {
			one := []ideas.Event{e}
			failure := pgx.BeginFunc(ctx, tx, func(tx pgx.Tx) error { return s.consume(ctx, tx, one) })
			if failure == nil {
				continue
			}
			if err := s.postpone(ctx, tx, e, failure); err != nil {
				return err
			}
		}
		return nil
	})
	return n, err
}

func claimEvents(ctx context.Context, tx pgx.Tx) ([]ideas.Event, error) {
	rows, err := tx.Query(ctx, `SELECT id, kind, at, coalesce(actor_id, 0), coalesce(subject_id, 0), coalesce(idea_id, 0),
			coalesce(challenge_id, 0), coalesce(comment_id, 0), data
		FROM event WHERE NOT dispatched ORDER BY id LIMIT $1 FOR UPDATE SKIP LOCKED`, dispatchBatch)
	if err != nil {
		return nil, fmt.Errorf("claim events: %w", err)
	}
	events, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (ideas.Event, error) {
		var e ideas.Event
		err := row.Scan(&e.ID, &e.Kind, &e.At, &e.Actor, &e.Subject, &e.Idea, &e.Challenge, &e.Comment, &e.Data)
		return e, err
	})
	if err != nil {
		return nil, fmt.Errorf("claim events: %w", err)
	}
	return events, nil
}

// consume hands events to every consumer and marks them as dispatched.
func (s *Store) consume(ctx context.Context, tx pgx.Tx, events []ideas.Event) error {
	for _, c := range s.consumers() {
		if err := c.consume(ctx, tx, events); err != nil {
			return fmt.Errorf("%s: %w", c.name, err)
		}
	}
	ids := make([]int64, len(events))
	for i, e := range events {
		ids[i] = e.ID
	}
	if _, err := tx.Exec(ctx, "UPDATE event SET dispatched = true WHERE id = ANY($1)", ids); err != nil {
		return fmt.Errorf("mark events as dispatched: %w", err)
	}
	return nil
}

// postpone leaves an event for the next time, or for good after too many.
func (s *Store) postpone(ctx context.Context, tx pgx.Tx, e ideas.Event, failure error) error {
	var attempts int
	err := tx.QueryRow(ctx, `UPDATE event SET attempts = attempts + 1, dispatched = attempts + 1 >= $2 WHERE id = $1
		RETURNING attempts`, e.ID, dispatchAttempts).Scan(&attempts)
	if err != nil {
		return fmt.Errorf("postpone event %d: %w", e.ID, err)
	}
	level := s.log.Warn
	if attempts >= dispatchAttempts {
		level = s.log.Error
	}
	level("event not dispatched", "event", e.ID, "kind", e.Kind, "attempts", attempts, "error", failure)
	return nil
}
