package postgres

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"

	"github.com/quaeso/community-operator/ideas"
	"github.com/quaeso/community-operator/internal/testutil"
)

// openInside runs a store on a database of the test's own, with consumers of the test's.
func openInside(t *testing.T, consumers ...consumer) (*Store, *testutil.PostgresDatabase) {
	t.Helper()
	db := testutil.Postgres(t).Database(t)
	s := New(Config{URI: func() (string, error) { return db.URI(), nil }, Logger: slog.New(slog.DiscardHandler)})
	s.extraConsumers = consumers
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { defer close(done); s.Run(ctx) }()
	t.Cleanup(func() { stop(); <-done })
	ready, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	if err := s.WaitReady(ready); err != nil {
		t.Fatal(err)
	}
	return s, db
}

// An event that its consumer cannot take waits alone; the others are dispatched once, with what was made of them.
func TestDispatchEvents(t *testing.T) {
	ctx := t.Context()
	broken := errors.New("no")
	s, db := openInside(t, consumer{"test", func(ctx context.Context, tx pgx.Tx, events []ideas.Event) error {
		for _, e := range events {
			if e.Kind == "test.broken" {
				return broken
			}
			if _, err := tx.Exec(ctx, "INSERT INTO seen VALUES ($1)", e.Kind); err != nil {
				return err
			}
		}
		return nil
	}})
	err := s.transact(ctx, "record", func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, "CREATE TABLE seen (kind text)"); err != nil {
			return err
		}
		return s.recordEvents(ctx, tx, ideas.Event{Kind: "test.one", Actor: 7, Data: map[string]any{"n": 1.0}},
			ideas.Event{Kind: "test.broken"}, ideas.Event{Kind: "test.two"})
	})
	if err != nil {
		t.Fatal(err)
	}
	for db.QueryInt(t, "SELECT count(*) FROM ideas.event WHERE NOT dispatched") > 0 {
		if _, err := s.DispatchEvents(ctx); err != nil {
			t.Fatal(err)
		}
	}
	if got := db.QueryInt(t, "SELECT max(attempts) FROM ideas.event"); got != dispatchAttempts {
		t.Errorf("the broken event was tried %d times, want %d", got, dispatchAttempts)
	}
	pool, err := s.db()
	if err != nil {
		t.Fatal(err)
	}
	rows, err := pool.Query(ctx, "SELECT kind FROM seen ORDER BY kind")
	if err != nil {
		t.Fatal(err)
	}
	seen, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if diff := cmp.Diff("test.one test.two", strings.Join(seen, " ")); err != nil || diff != "" {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
}

// The audit log takes rows and gives none back.
func TestAuditIsAppendOnly(t *testing.T) {
	ctx := t.Context()
	s, _ := openInside(t)
	err := s.transact(ctx, "audit", func(tx pgx.Tx) error { return audit(ctx, tx, 0, "idea.hide", "idea", 1, nil) })
	if err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string]string{
		"changed": "UPDATE audit SET action = 'nothing'", "removed": "DELETE FROM audit",
	} {
		err := s.transact(ctx, name, func(tx pgx.Tx) error { _, err := tx.Exec(ctx, change); return err })
		if err == nil || !strings.Contains(err.Error(), "append-only") {
			t.Errorf("an entry was %s: %v", name, err)
		}
	}
}
