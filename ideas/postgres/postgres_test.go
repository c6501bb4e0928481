package postgres_test

import (
	"context"
	"log/slog"
	"testing"
	"time"

	"github.com/quaeso/community-operator/ideas"
	"github.com/quaeso/community-operator/ideas/postgres"
	"github.com/quaeso/community-operator/internal/testutil"
)

// migrated returns a database with the current schema.
func migrated(t testing.TB) *testutil.PostgresDatabase {
	t.Helper()
	return testutil.Postgres(t).DatabaseFrom(t, "migrated", func(uri string) error {
		ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
		store := postgres.New(postgres.Config{URI: func() (string, error) { return uri, nil }, Logger: slog.New(slog.DiscardHandler)})
		done := make(chan struct{})
		go func() { defer close(done); store.Run(ctx) }()
		defer func() { cancel(); <-done }() // a template must have no connection left
		return store.WaitReady(ctx)
	})
}

// open runs a store on a database until the test ends.
func open(t testing.TB, config postgres.Config) *postgres.Store {
	t.Helper()
	store := run(t, config)
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	if err := store.WaitReady(ctx); err != nil {
		t.Fatal(err)
	}
	return store
}

// run runs a store until the test ends, ready or not.
func run(t testing.TB, config postgres.Config) *postgres.Store {
	t.Helper()
	if config.Logger == nil {
		config.Logger = slog.New(slog.NewTextHandler(t.Output(), &slog.HandlerOptions{Level: slog.LevelDebug}))
	}
	if config.MailEnabled == nil {
		config.MailEnabled = func() bool { return true }
	}
	store := postgres.New(config)
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { defer close(done); store.Run(ctx) }()
	t.Cleanup(func() { cancel(); <-done })
	return store
}

// fresh is a store on a database of its own.
func fresh(t testing.TB) (*postgres.Store, *testutil.PostgresDatabase) {
	t.Helper()
	db := migrated(t)
	return open(t, configFor(db)), db
}

func configFor(db *testutil.PostgresDatabase) postgres.Config {
	return postgres.Config{URI: func() (string, error) { return db.URI(), nil }}
}

// member signs somebody in through an issuer, the shortest way to a member.
func member(t testing.TB, store *postgres.Store, name string) ideas.Member {
	t.Helper()
	session, err := store.SignInWith(t.Context(), ideas.Identity{
		Issuer: "https://issuer.example", Subject: name, Email: name + "@brand.example", EmailVerified: true, Name: name, Locale: "en",
	})
	if err != nil {
		t.Fatal(err)
	}
	m, err := store.Authenticate(t.Context(), session)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func submit(t testing.TB, store *postgres.Store, author ideas.Member, title string) ideas.Idea {
	t.Helper()
	idea, err := store.SubmitIdea(t.Context(), author.ID, "", title, "The text of "+title)
	if err != nil {
		t.Fatal(err)
	}
	return idea
}
