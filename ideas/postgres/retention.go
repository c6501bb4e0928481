package postgres

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/riverqueue/river"

	"github.com/quaeso/community-operator/ideas"
)

const (
	retentionEvery = 24 * time.Hour
	// retentionBatch bounds the members of one run; the rest follows the next day.
	retentionBatch = 500
	day            = 24 * time.Hour
)

// retentionArgs is the periodic job that ends memberships that nobody has used for long, and removes what is old.
type retentionArgs struct{}

// Kind names the job.
func (retentionArgs) Kind() string { return "retention" }

// KeepRetention announces to members who did not come back that they will be erased, and erases those to whom it was
// announced a month ago. Whoever signs in meanwhile stays. The brand's team is left alone.
func (s *Store) KeepRetention(ctx context.Context) error {
	settings, _ := s.Current(ctx)
	if settings.House == nil || settings.House.Retention.InactiveMemberDays <= 0 {
		return nil
	}
	now := s.config.Clock()
	inactive := now.Add(-time.Duration(settings.House.Retention.InactiveMemberDays) * day)
	var team []string
	for _, addresses := range settings.House.Roles {
		team = append(team, addresses...)
	}
	if err := s.announceErasures(ctx, now, inactive.Add(ideas.RetentionNotice), team); err != nil {
		return err
	}
	pool, err := s.db()
	if err != nil {
		return err
	}
	rows, err := pool.Query(ctx, `SELECT id FROM member WHERE erased_at IS NULL AND active_at < $1 AND erasure_announced_at <= $2
		ORDER BY active_at LIMIT $3`, inactive, now.Add(-ideas.RetentionNotice), retentionBatch)
	if err != nil {
		return s.failed("look for members who did not come back", err)
	}
	due, err := pgx.CollectRows(rows, pgx.RowTo[int64])
	if err != nil {
		return s.failed("look for members who did not come back", err)
	}
	for _, member := range due {
		if err := s.eraseInactive(ctx, member, inactive); err != nil {
			return err
		}
	}
	return nil
}

func (s *Store) announceErasures(ctx context.Context, now, inactive time.Time, team []string) error {
	return s.transact(ctx, "announce erasures", func(tx pgx.Tx) error {
		rows, err := tx.Query(ctx, `UPDATE member SET erasure_announced_at = $2 WHERE id IN (
				SELECT id FROM member WHERE erased_at IS NULL AND active_at < $1 AND erasure_announced_at IS NULL
					AND NOT coalesce(lower(email) = ANY(SELECT lower(t) FROM unnest($3::text[]) t), false)
				ORDER BY active_at LIMIT $4 FOR UPDATE SKIP LOCKED) RETURNING id`, inactive, now, team, retentionBatch)
		if err != nil {
			return err
		}
		announced, err := pgx.CollectRows(rows, pgx.RowTo[int64])
		if err != nil {
			return err
		}
		jobs := make([]river.InsertManyParams, len(announced))
		for i, member := range announced {
			jobs[i] = river.InsertManyParams{
				Args:       ideas.RetentionMail{Member: member, Erased: now.Add(ideas.RetentionNotice).UTC()},
				InsertOpts: &river.InsertOpts{Priority: priorityDigest, UniqueOpts: river.UniqueOpts{ByArgs: true}},
			}
		}
		return s.enqueueAll(ctx, tx, jobs)
	})
}

// eraseInactive looks once more, with the row locked, whether the member has come back.
func (s *Store) eraseInactive(ctx context.Context, member int64, inactive time.Time) error {
	return s.transact(ctx, "erase an inactive member", func(tx pgx.Tx) error {
		var gone bool
		err := tx.QueryRow(ctx, "SELECT active_at < $2 AND erased_at IS NULL FROM member WHERE id = $1 FOR UPDATE", member, inactive).Scan(&gone)
		if err != nil || !gone {
			return err
		}
		now := s.config.Clock()
		proof := ideas.Erasure{Member: member}
		err = tx.QueryRow(ctx, `INSERT INTO erasure (member_id, contributions, cause, requested_at, expires_at) VALUES ($1, $2, $3, $4, $4)
			RETURNING id`, member, ideas.ContributionsKept, causeRetention, now).Scan(&proof.ID)
		if err != nil {
			return err
		}
		return s.proveErasure(ctx, tx, &proof, ideas.ContributionsKept, causeRetention)
	})
}

// RetentionRecipient is a member who has still not come back since an erasure was announced, else ideas.ErrNotFound.
func (s *Store) RetentionRecipient(ctx context.Context, member int64) (ideas.Recipient, error) {
	var to ideas.Recipient
	pool, err := s.db()
	if err != nil {
		return to, err
	}
	err = pool.QueryRow(ctx, `SELECT id, email, name, locale FROM member
		WHERE id = $1 AND erasure_announced_at IS NOT NULL AND email IS NOT NULL AND erased_at IS NULL`, member).
		Scan(&to.Member, &to.Email, &to.Name, &to.Locale)
	if err != nil {
		return to, s.failed("look whether a member has come back", err)
	}
	return to, nil
}

// memberJobs are what the clock, or a member's wish, brings about for members.
func (s *Store) memberJobs() Jobs {
	return Jobs{
		Register: func(workers *river.Workers) {
			river.AddWorker(workers, worker[planDigestsArgs]("plan digests", func(ctx context.Context, _ planDigestsArgs) error { return s.PlanDigests(ctx) }))
			river.AddWorker(workers, worker[retentionArgs]("keep retention", func(ctx context.Context, _ retentionArgs) error {
				return errors.Join(s.KeepRetention(ctx), s.KeepHistory(ctx))
			}))
			river.AddWorker(workers, worker("export personal data", s.makeExport))
		},
		Periodic: []*river.PeriodicJob{periodic(planDigestsArgs{}, planEvery), periodic(retentionArgs{}, retentionEvery)},
	}
}

// worker names what was attempted in a job's error.
func worker[T river.JobArgs](attempted string, work func(context.Context, T) error) river.Worker[T] {
	return river.WorkFunc(func(ctx context.Context, job *river.Job[T]) error {
		if err := work(ctx, job.Args); err != nil {
			return fmt.Errorf("%s: %w", attempted, err)
		}
		return nil
	})
}

// periodic is a job for one replica in each period; one that fails is left to the next.
func periodic(args river.JobArgs, period time.Duration) *river.PeriodicJob {
	return river.NewPeriodicJob(river.PeriodicInterval(period), func() (river.JobArgs, *river.InsertOpts) {
		return args, &river.InsertOpts{MaxAttempts: 1, UniqueOpts: river.UniqueOpts{ByPeriod: period}}
	}, &river.PeriodicJobOpts{RunOnStart: true})
}
