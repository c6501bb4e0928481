package postgres

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"
	"github.com/riverqueue/river/rivermigrate"
)

// Jobs of a process.
const (
	jobWorkers = 4
	jobTimeout = 2 * time.Minute
	// jobGrace is how long jobs under way may take when the process ends or the connection is lost.
	jobGrace = 5 * time.Second
	// jobPoll is how late a job of another replica is taken up. Polling needs no connection of its own, which on
	// a server of many communities counts.
	jobPoll = time.Second
	// jobAttempts with the pauses of river, the fourth power of the attempt in seconds: about three days.
	jobAttempts = 15
)

// Jobs is what an adapter gives the queue: the workers of its kinds and what is to be done periodically.
type Jobs struct {
	// Register adds workers.
	Register func(*river.Workers)
	Periodic []*river.PeriodicJob
}

// migrateJobs makes the tables of the job queue. They are migrated with ours: a release of river that brings migrations
// needs one of ours too, if only an empty one.
func migrateJobs(ctx context.Context, config *pgx.ConnConfig) error {
	poolConfig, err := pgxpool.ParseConfig("")
	if err != nil {
		return fmt.Errorf("make the connection pool of the job queue's migration: %w", err)
	}
	poolConfig.ConnConfig, poolConfig.MaxConns = config.Copy(), 1
	pool, err := pgxpool.NewWithConfig(ctx, poolConfig)
	if err != nil {
		return fmt.Errorf("make the connection pool of the job queue's migration: %w", err)
	}
	defer pool.Close()
	migrator, err := rivermigrate.New(riverpgxv5.New(pool), &rivermigrate.Config{Schema: Schema, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		return fmt.Errorf("read the job queue's migrations: %w", err)
	}
	if _, err := migrator.Migrate(ctx, rivermigrate.DirectionUp, nil); err != nil {
		return fmt.Errorf("apply the job queue's migrations: %w", err)
	}
	return nil
}

// runJobs works on jobs until stop is called, which waits for those under way. A store that has no workers, such as
// that of a tool, only adds jobs.
func (s *Store) runJobs(ctx context.Context, pool *pgxpool.Pool) (stop func(), err error) {
	config := &river.Config{
		Schema: Schema, MaxAttempts: jobAttempts, JobTimeout: jobTimeout, Logger: slog.New(quiet{s.log.Handler()}),
		TestOnly:                    s.config.TestOnly,
		CompletedJobRetentionPeriod: jobsKept, CancelledJobRetentionPeriod: jobsKept, DiscardedJobRetentionPeriod: failedJobsKept,
		// What a process that has died was working on is taken up again.
		RescueStuckJobsAfter: jobTimeout + jobGrace,
		// Adapters work on jobs that the store adds, and a tool's store has none.
		SkipUnknownJobCheck: true,
	}
	for _, jobs := range append(s.config.Jobs, s.jobs()...) {
		if config.Workers == nil {
			config.Workers, config.PollOnly, config.FetchPollInterval = river.NewWorkers(), true, jobPoll
			config.Queues = map[string]river.QueueConfig{river.QueueDefault: {MaxWorkers: jobWorkers}}
		}
		jobs.Register(config.Workers)
		config.PeriodicJobs = append(config.PeriodicJobs, jobs.Periodic...)
	}
	client, err := river.NewClient(riverpgxv5.New(pool), config)
	if err != nil {
		return nil, fmt.Errorf("make the job queue's client: %w", err)
	}
	s.queue.Store(client)
	if config.Workers == nil {
		return func() {}, nil
	}
	if err := client.Start(context.WithoutCancel(ctx)); err != nil {
		return nil, fmt.Errorf("start the job queue: %w", err)
	}
	return func() {
		// A mail on its way is finished rather than sent again by somebody else.
		ctx, cancel := context.WithTimeout(context.Background(), jobGrace)
		defer cancel()
		if client.Stop(ctx) == nil {
			return
		}
		cancelling, cancel := context.WithTimeout(context.Background(), jobGrace)
		defer cancel()
		if err := client.StopAndCancel(cancelling); err != nil {
			s.log.Warn("jobs did not stop in time", "error", err)
		}
	}, nil
}

// jobs are the store's own: what the clock brings about.
func (s *Store) jobs() []Jobs {
	return []Jobs{s.methodJobs(), s.challengeJobs(), s.memberJobs(), s.insightJobs(), s.searchJobs()}
}

// enqueue adds a job in the transaction that makes it necessary.
func (s *Store) enqueue(ctx context.Context, tx pgx.Tx, args river.JobArgs, opts *river.InsertOpts) error {
	client := s.queue.Load()
	if client == nil {
		return fmt.Errorf("enqueue %s: the job queue has not started", args.Kind())
	}
	if _, err := client.InsertTx(ctx, tx, args, opts); err != nil {
		return fmt.Errorf("enqueue %s: %w", args.Kind(), err)
	}
	return nil
}

// enqueueAll adds many jobs at once.
func (s *Store) enqueueAll(ctx context.Context, tx pgx.Tx, jobs []river.InsertManyParams) error {
	client := s.queue.Load()
	if client == nil {
		return errors.New("enqueue jobs: the job queue has not started")
	}
	if len(jobs) == 0 {
		return nil
	}
	if _, err := client.InsertManyTx(ctx, tx, jobs); err != nil {
		return fmt.Errorf("enqueue %d jobs: %w", len(jobs), err)
	}
	return nil
}

// quiet passes warnings and errors of the job queue on. It tells at the info level of each start and of every leader.
type quiet struct{ slog.Handler }

func (q quiet) Enabled(ctx context.Context, level slog.Level) bool {
	return level >= slog.LevelWarn && q.Handler.Enabled(ctx, level)
}
