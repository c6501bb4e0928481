package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"time"

	"github.com/quaeso/community-operator/ideas/postgres"
	"github.com/quaeso/community-operator/ideas/sample"
)

// seed fills a database with sample content. Running it again adds nothing.
func seed(ctx context.Context, args []string, out, errOut io.Writer) (err error) {
	var o databaseOptions
	flags := flag.NewFlagSet("ideas seed", flag.ContinueOnError)
	flags.SetOutput(errOut)
	o.declare(flags)
	wait := flags.Duration("wait", time.Minute, "how long to wait for the database")
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
	store := postgres.New(postgres.Config{URI: o.uri(), MaxConns: 1, Logger: log})
	done := make(chan struct{})
	running, stop := context.WithCancel(ctx)
	go func() { defer close(done); store.Run(running) }()
	defer func() { stop(); <-done }()
	if err := store.WaitReady(ctx); err != nil {
		return err
	}
	content := sample.Content(time.Now())
	added, err := store.StoreArchive(ctx, content)
	if err != nil {
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
