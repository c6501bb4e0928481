package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"sync/atomic"
	"time"

	"github.com/quaeso/community-operator/ideas"
	"github.com/quaeso/community-operator/ideas/declared"
	"github.com/quaeso/community-operator/ideas/postgres"
	"github.com/quaeso/community-operator/ideas/sample"
	"github.com/quaeso/community-operator/ideas/web/translations"
	"github.com/quaeso/community-operator/internal/control"
)

// seed fills a database with a sample community: what the brand declares, and what members and team made of it. Running
// it again adds nothing.
func seed(ctx context.Context, args []string, out, errOut io.Writer) (err error) {
	var o databaseOptions
	flags := flag.NewFlagSet("ideas seed", flag.ContinueOnError)
	flags.SetOutput(errOut)
	o.declare(flags)
	wait := flags.Duration("wait", time.Minute, "how long to wait for the database")
	file := flags.String("declared", "", "file for the sample's declarations, which is written unless it exists, put in force, and then given to the service with the same flag; "+
		"without it challenges and rewards are declared, and the community's own settings stay")
	baseURL := flags.String("base-url", "http://localhost:8080", "with --declared: the address of the community")
	if err := flags.Parse(args); err != nil {
		return fmt.Errorf("read the flags: %w", err)
	}
	if flags.NArg() > 0 {
		return fmt.Errorf("unexpected argument %q", flags.Arg(0))
	}
	if err := o.check(); err != nil {
		return err
	}
	log, err := o.logger(errOut)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, *wait)
	defer cancel()
	// The contest that is over takes votes only in its time.
	clock := &movedClock{}
	clock.back.Store(int64(sample.StoveVote * 24 * time.Hour))
	store := postgres.New(postgres.Config{URI: o.uri(), MaxConns: 4, Logger: log, Clock: clock.now})
	done := make(chan struct{})
	running, stop := context.WithCancel(ctx)
	go func() { defer close(done); store.Run(running) }()
	defer func() { stop(); <-done }()
	if err := store.WaitReady(ctx); err != nil {
		return err
	}
	if err := declareSample(ctx, store, *file, *baseURL); err != nil {
		return err
	}
	content := sample.Content(time.Now())
	added, err := store.StoreArchive(ctx, content)
	if err != nil {
		return err
	}
	clock.back.Store(0)
	if err := store.DecideArchive(ctx, content); err != nil {
		return err
	}
	totals, err := store.Totals(ctx)
	if err != nil {
		return err
	}
	_, printErr := fmt.Fprintf(out, "%d of %d sample ideas added; the community now has %d members, %d ideas, %d supports and %d comments\n",
		added, len(content.Ideas), totals.Members, totals.Ideas, totals.Votes, totals.Comments)
	return errors.Join(err, printErr)
}

// movedClock runs some time behind.
type movedClock struct{ back atomic.Int64 }

func (c *movedClock) now() time.Time { return time.Now().Add(-time.Duration(c.back.Load())) }

// declareSample puts what the sample's brand declares in force, but for what is declared by its name already: the dates of
// a community that was filled before stay.
func declareSample(ctx context.Context, store *postgres.Store, file, baseURL string) error {
	now := time.Now()
	raw, err := sample.Programme(baseURL, now)
	if err != nil {
		return err
	}
	if file != "" {
		if raw, err = keptFile(file, raw); err != nil {
			return err
		}
	}
	catalogs, err := translations.Load()
	if err != nil {
		return fmt.Errorf("list the locales: %w", err)
	}
	f, err := declared.Rules{Locales: slices.Sorted(maps.Keys(catalogs))}.Read(raw)
	if err != nil {
		return err
	}
	if file != "" {
		return declared.Apply(ctx, f, store, now.Unix())
	}
	inForce := store.Programme(ctx)
	f.Challenges = slices.DeleteFunc(f.Challenges, func(c declared.Named[control.Challenge]) bool {
		return slices.ContainsFunc(inForce.Challenges, func(known *ideas.Challenge) bool { return known.Name == c.Name })
	})
	f.RewardPolicies = slices.DeleteFunc(f.RewardPolicies, func(p declared.Named[control.RewardPolicy]) bool {
		return slices.ContainsFunc(inForce.Policies, func(known *ideas.RewardPolicy) bool { return known.Name == p.Name })
	})
	return declared.ApplyObjects(ctx, f, store, now.Unix())
}

// keptFile writes a file unless it exists, and returns what it holds.
func keptFile(path string, content []byte) ([]byte, error) {
	existing, err := os.ReadFile(path) //nolint:gosec // named by whoever runs us
	if err == nil {
		return existing, nil
	}
	if !errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("read the declarations: %w", err)
	}
	if err := os.WriteFile(path, content, 0o600); err != nil {
		return nil, fmt.Errorf("write the declarations: %w", err)
	}
	return content, nil
}
