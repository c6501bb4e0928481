package postgres

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/riverqueue/river"

	"github.com/quaeso/community-operator/ideas"
	"github.com/quaeso/community-operator/internal/control"
)

// carryOutEvery is how late the consequences of a date are carried out. The date itself holds at once: requests are
// measured by the clock.
const carryOutEvery = 10 * time.Second

// carryOutArgs is the job that carries out what dates have brought about.
type carryOutArgs struct{}

// Kind implements river.JobArgs.
func (carryOutArgs) Kind() string { return "challenge_dates" }

// InsertOpts implements river.JobArgsWithInsertOpts: one that waits is enough, however late it is.
func (carryOutArgs) InsertOpts() river.InsertOpts {
	return river.InsertOpts{MaxAttempts: 1, UniqueOpts: river.UniqueOpts{ByPeriod: carryOutEvery}}
}

type carryOutWorker struct {
	river.WorkerDefaults[carryOutArgs]
	store *Store
}

// Work implements river.Worker.
func (w *carryOutWorker) Work(ctx context.Context, _ *river.Job[carryOutArgs]) error {
	return w.store.CarryOut(ctx)
}

// challengeJobs carry out the dates of challenges.
func (s *Store) challengeJobs() Jobs {
	return Jobs{
		Register: func(workers *river.Workers) { river.AddWorker(workers, &carryOutWorker{store: s}) },
		Periodic: []*river.PeriodicJob{river.NewPeriodicJob(river.PeriodicInterval(carryOutEvery),
			func() (river.JobArgs, *river.InsertOpts) { return carryOutArgs{}, nil }, &river.PeriodicJobOpts{RunOnStart: true})},
	}
}

// progress is how far a challenge's dates have been carried out.
type progress struct {
	phase    string
	at       time.Time
	voteOpen bool
	released bool
	batch    string
}

const progressQuery = `SELECT c.phase, coalesce(c.phase_at, 'epoch'), b.challenge_id IS NOT NULL AND b.closed_at IS NULL, c.released_at IS NOT NULL,
		coalesce((SELECT max(day)::text FROM review_batch r WHERE r.challenge_id = c.id), '')
	FROM challenge c LEFT JOIN ballot b ON b.challenge_id = c.id WHERE c.id = $1`

func readProgress(ctx context.Context, q querier, id int64, lock string) (progress, error) {
	var p progress
	err := q.QueryRow(ctx, progressQuery+lock, id).Scan(&p.phase, &p.at, &p.voteOpen, &p.released, &p.batch)
	return p, err
}

// CarryOut does what the dates of all challenges have brought about and nobody has done yet, in order. Several replicas may
// run it at once, and a replica may die in it: each challenge is a transaction.
func (s *Store) CarryOut(ctx context.Context) error {
	var failures []error
	for _, c := range slices.Backward(s.Programme(ctx).Challenges) {
		if err := s.carryOut(ctx, c); err != nil {
			failures = append(failures, fmt.Errorf("challenge %s: %w", c.Name, err))
		}
	}
	return errors.Join(failures...)
}

func (s *Store) carryOut(ctx context.Context, c *ideas.Challenge) error {
	pool, err := s.db()
	if err != nil {
		return err
	}
	now := s.config.Clock()
	p, err := readProgress(ctx, pool, c.ID, "")
	if err != nil {
		return s.failed("read how far a challenge has come", err)
	}
	if s.isDue(c, p, now) {
		err := s.transact(ctx, "carry out the dates of a challenge", func(tx pgx.Tx) error {
			p, err := readProgress(ctx, tx, c.ID, " FOR NO KEY UPDATE OF c SKIP LOCKED")
			if errors.Is(err, pgx.ErrNoRows) {
				return nil // another replica is at it
			}
			if err != nil {
				return err
			}
			return s.follow(ctx, tx, c, p, now)
		})
		if err != nil {
			return err
		}
	}
	if len(c.Spec.Cancelled) > 0 || len(c.Spec.Paused) > 0 {
		return nil
	}
	return errors.Join(s.climb(ctx, c, now), s.leaveOver(ctx, c))
}

// isDue tells whether follow has anything to do.
func (s *Store) isDue(c *ideas.Challenge, p progress, now time.Time) bool {
	return p.phase != c.PhaseName(now) || p.voteOpen && s.voteIsOver(c, now) || !p.released && releaseIsDue(c, now, s.zone()) ||
		len(dueBatches(c, p.batch, now, s.zone())) > 0
}

func (s *Store) voteIsOver(c *ideas.Challenge, now time.Time) bool {
	return c.VoteClosed(now) && len(c.Spec.Cancelled) == 0
}

// follow carries out what is due of a challenge that this transaction has locked.
func (s *Store) follow(ctx context.Context, tx pgx.Tx, c *ideas.Challenge, p progress, now time.Time) error {
	if err := s.passPhases(ctx, tx, c, p, now); err != nil {
		return err
	}
	if p.voteOpen && s.voteIsOver(c, now) {
		if err := s.closeVote(ctx, tx, c, now); err != nil {
			return fmt.Errorf("close the vote: %w", err)
		}
	}
	for _, day := range dueBatches(c, p.batch, now, s.zone()) {
		if err := s.reviewBatch(ctx, tx, c, day); err != nil {
			return fmt.Errorf("begin the review of %s: %w", day, err)
		}
	}
	if !p.released && releaseIsDue(c, now, s.zone()) {
		if err := s.release(ctx, tx, c, now); err != nil {
			return fmt.Errorf("return the rights: %w", err)
		}
	}
	return nil
}

// passPhases records each phase that has begun since the last time, in order.
func (s *Store) passPhases(ctx context.Context, tx pgx.Tx, c *ideas.Challenge, p progress, now time.Time) error {
	from := p.phase
	if from == "draft" {
		from = ideas.PhaseScheduled
	}
	halted := len(c.Spec.Paused) > 0 || len(c.Spec.Cancelled) > 0
	var passed []ideas.Transition
	if !halted {
		passed = c.Transitions(from, p.at, now)
	}
	if last := from; len(passed) > 0 || last != c.PhaseName(now) {
		if len(passed) > 0 {
			last = passed[len(passed)-1].To
		}
		if to := c.PhaseName(now); last != to {
			// A pause, its end, or a declaration that has moved the dates.
			passed = append(passed, ideas.Transition{From: last, To: to, At: p.at})
		}
	}
	for _, t := range passed {
		e := ideas.Event{Kind: ideas.EventChallengePhase, Challenge: c.ID, Data: map[string]any{"from": t.From, "to": t.To}}
		if err := s.recordEvents(ctx, tx, e); err != nil {
			return err
		}
		if t.To == control.PhaseOpen || t.To == control.PhaseRecruiting {
			if err := s.continueOrigin(ctx, tx, c, now); err != nil {
				return fmt.Errorf("continue the ideas of %s: %w", c.Spec.Origin, err)
			}
		}
		p.at = t.At
	}
	_, err := tx.Exec(ctx, "UPDATE challenge SET phase = $2, phase_at = $3 WHERE id = $1", c.ID, c.PhaseName(now), p.at)
	return err
}

// continueOrigin brings the ideas that the origin has selected along, each once, as ideas of those who thought of them.
func (s *Store) continueOrigin(ctx context.Context, tx pgx.Tx, c *ideas.Challenge, now time.Time) error {
	if c.Spec.Origin == "" {
		return nil
	}
	origins, err := queryIDs(ctx, tx, `SELECT i.id FROM idea i JOIN challenge o ON o.id = i.challenge_id
		WHERE o.name = $2 AND i.state IN ('selected', 'planned', 'in_development', 'testing', 'launched')
			AND NOT EXISTS (SELECT FROM entry e WHERE e.challenge_id = $1 AND e.origin_id = i.id) ORDER BY i.id`, c.ID, c.Spec.Origin)
	if err != nil {
		return err
	}
	for _, origin := range origins {
		var id, author int64
		err := tx.QueryRow(ctx, `INSERT INTO idea (author_id, slug, title, body, theme, tags, state, challenge_id, created_at, updated_at, state_at, published_at)
			SELECT author_id, slug, title, body, theme, tags, 'gathering', $2, $3, $3, $3, $3 FROM idea WHERE id = $1 RETURNING id, author_id`,
			origin, c.ID, now).Scan(&id, &author)
		if err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, "UPDATE entry SET origin_id = $2 WHERE idea_id = $1", id, origin); err != nil {
			return err
		}
		e := ideas.Event{Kind: ideas.EventIdeaContinued, Subject: author, Idea: id, Challenge: c.ID, Data: map[string]any{"origin": origin}}
		if err := s.recordEvents(ctx, tx, e); err != nil {
			return err
		}
	}
	return nil
}

// dueBatches are the days of review batches that have come and were not carried out, in order.
func dueBatches(c *ideas.Challenge, last string, now time.Time, zone *time.Location) []string {
	if len(c.Spec.Paused) > 0 || len(c.Spec.Cancelled) > 0 {
		return nil
	}
	var due []string
	for _, day := range slices.Sorted(slices.Values(c.Spec.ReviewBatches)) {
		start, err := time.ParseInLocation(control.DateLayout, day, zone)
		if err == nil && day > last && !now.Before(start) {
			due = append(due, day)
		}
	}
	return due
}

// reviewBatch moves what had qualified before the day into review.
func (s *Store) reviewBatch(ctx context.Context, tx pgx.Tx, c *ideas.Challenge, day string) error {
	start, err := time.ParseInLocation(control.DateLayout, day, s.zone())
	if err != nil {
		return err
	}
	ids, err := queryIDs(ctx, tx, "SELECT id FROM idea WHERE challenge_id = $1 AND state = 'qualified' AND state_at < $2 ORDER BY id", c.ID, start)
	if err != nil {
		return err
	}
	for _, id := range ids {
		if err := s.moveAsService(ctx, tx, id, ideas.StateUnderReview, ideas.Reason{}); err != nil {
			return err
		}
	}
	_, err = tx.Exec(ctx, "INSERT INTO review_batch (challenge_id, day, ideas) VALUES ($1, $2::date, $3)", c.ID, day, len(ids))
	return err
}

func queryIDs(ctx context.Context, q querier, query string, args ...any) ([]int64, error) {
	rows, err := q.Query(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowTo[int64])
}

// releaseIsDue tells whether the rights in what was not selected return to its authors.
func releaseIsDue(c *ideas.Challenge, now time.Time, zone *time.Location) bool {
	at, ok := c.ReleaseAt(zone)
	return ok && !now.Before(at)
}

// release returns the rights, and tells each author.
func (s *Store) release(ctx context.Context, tx pgx.Tx, c *ideas.Challenge, now time.Time) error {
	_, err := tx.Exec(ctx, `WITH released AS (UPDATE entry e SET released_at = $2 FROM idea i
			WHERE i.id = e.idea_id AND e.challenge_id = $1 AND e.released_at IS NULL
				AND i.state NOT IN ('draft', 'selected', 'planned', 'in_development', 'testing', 'launched', 'erased')
			RETURNING e.idea_id, i.author_id)
		INSERT INTO event (kind, subject_id, idea_id, challenge_id) SELECT $3, author_id, idea_id, $1 FROM released`, c.ID, now, ideas.EventRightsReturned)
	if err != nil {
		return err
	}
	s.wakeDispatcher()
	_, err = tx.Exec(ctx, "UPDATE challenge SET released_at = $2 WHERE id = $1", c.ID, now)
	return err
}

// today is the day in the community's time zone.
func (s *Store) today() time.Time { return s.config.Clock().In(s.zone()) }
