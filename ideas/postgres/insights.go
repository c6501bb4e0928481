package postgres

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/riverqueue/river"

	"github.com/quaeso/community-operator/ideas"
)

const (
	snapshotEvery = time.Hour
	// rankedIdeas are weighed in each snapshot.
	rankedIdeas = 20
	// maxVisits bounds the visitors that wait to be written, and those remembered for the day.
	maxVisits = 50_000
	// attentionCounts end here.
	attentionCounts = 1000
)

type snapshotArgs struct{}

// Kind implements river.JobArgs.
func (snapshotArgs) Kind() string { return "snapshot" }

type snapshotWorker struct {
	river.WorkerDefaults[snapshotArgs]
	store *Store
}

// Work writes the figures of today, and of yesterday once more: what happened after its last snapshot belongs to it.
func (w *snapshotWorker) Work(ctx context.Context, _ *river.Job[snapshotArgs]) error {
	today := w.store.config.Clock().In(w.store.zone())
	return errors.Join(w.store.Snapshot(ctx, today.AddDate(0, 0, -1)), w.store.Snapshot(ctx, today))
}

func (s *Store) insightJobs() Jobs {
	return Jobs{
		Register: func(workers *river.Workers) { river.AddWorker(workers, &snapshotWorker{store: s}) },
		Periodic: []*river.PeriodicJob{river.NewPeriodicJob(river.PeriodicInterval(snapshotEvery),
			func() (river.JobArgs, *river.InsertOpts) { return snapshotArgs{}, nil }, nil)},
	}
}

// dayFigures are counts of one day: $1 its first moment, $2 that of the next.
var dayFigures = map[string]string{
	ideas.MetricJoined:   "SELECT count(*) FROM member WHERE created_at >= $1 AND created_at < $2",
	ideas.MetricIdeas:    "SELECT count(*) FROM idea WHERE created_at >= $1 AND created_at < $2 AND visible",
	ideas.MetricComments: "SELECT count(*) FROM comment WHERE created_at >= $1 AND created_at < $2 AND visible",
	ideas.MetricContributors: `SELECT count(*) FROM (SELECT author_id FROM idea WHERE created_at >= $1 AND created_at < $2 AND visible
		UNION SELECT author_id FROM comment WHERE created_at >= $1 AND created_at < $2 AND visible) c`,
}

// presentFigures are what has been reached; they are known for the present alone.
var presentFigures = map[string]string{
	ideas.MetricMembers:     "SELECT coalesce(sum(n), 0)::bigint FROM total WHERE kind = 'members'",
	ideas.MetricAllIdeas:    "SELECT coalesce(sum(n), 0)::bigint FROM total WHERE kind = 'ideas'",
	ideas.MetricAllVotes:    "SELECT coalesce(sum(n), 0)::bigint FROM total WHERE kind = 'votes'",
	ideas.MetricAllComments: "SELECT coalesce(sum(n), 0)::bigint FROM total WHERE kind = 'comments'",
	ideas.MetricEverContributed: `SELECT count(*) FROM member m WHERE m.erased_at IS NULL AND (EXISTS (SELECT FROM idea i WHERE i.author_id = m.id AND i.visible)
		OR EXISTS (SELECT FROM comment c WHERE c.author_id = m.id AND c.visible))`,
	ideas.MetricEverVoted: "SELECT count(*) FROM member m WHERE m.erased_at IS NULL AND EXISTS (SELECT FROM support s WHERE s.member_id = m.id)",
	ideas.MetricLaunched:  "SELECT count(*) FROM idea WHERE visible AND state = 'launched'",
	ideas.MetricSelected:  "SELECT count(*) FROM idea WHERE visible AND state IN ('selected', 'planned', 'in_development', 'testing', 'launched')",
}

// Snapshot implements ideas.InsightStore.
func (s *Store) Snapshot(ctx context.Context, at time.Time) error {
	zone, now := s.zone(), s.config.Clock()
	at = at.In(zone)
	from := time.Date(at.Year(), at.Month(), at.Day(), 0, 0, 0, 0, zone)
	to := from.AddDate(0, 0, 1)
	day := from.Format(time.DateOnly)
	return s.transact(ctx, "write the figures of "+day, func(tx pgx.Tx) error {
		keep := func(metric, query string, args ...any) error {
			_, err := tx.Exec(ctx, fmt.Sprintf(`INSERT INTO kpi_day AS k (day, metric, value) SELECT '%s', '%s', (%s)
				ON CONFLICT (metric, day) DO UPDATE SET value = excluded.value WHERE k.value <> excluded.value`, day, metric, query), args...)
			if err != nil {
				return fmt.Errorf("figure %s: %w", metric, err)
			}
			return nil
		}
		for metric, query := range dayFigures {
			if err := keep(metric, query, from, to); err != nil {
				return err
			}
		}
		if err := keep(ideas.MetricVisitors, "SELECT count(*) FROM visit_day WHERE day = $1", day); err != nil {
			return err
		}
		if now.Before(from) || !now.Before(to) {
			return nil
		}
		for metric, query := range presentFigures {
			if err := keep(metric, query); err != nil {
				return err
			}
		}
		if err := keep(ideas.MetricActive, "SELECT count(*) FROM member WHERE erased_at IS NULL AND active_at > $1", now.AddDate(0, 0, -30)); err != nil {
			return err
		}
		// Of the answers that were given or should have been: without any, nothing was late.
		if err := keep(ideas.MetricAnswered, `SELECT coalesce(100 * count(*) FILTER (WHERE answered_at <= due_at) / nullif(count(*), 0), 100)
			FROM answer_due WHERE answered_at IS NOT NULL OR due_at < $1`, now); err != nil {
			return err
		}
		// Votes of the day are what the total has grown by; a day of withdrawals has none.
		if err := keep(ideas.MetricVotes, `SELECT greatest(0, (SELECT value FROM kpi_day WHERE metric = 'total.votes' AND day = $1)
			- coalesce((SELECT value FROM kpi_day WHERE metric = 'total.votes' AND day < $1 ORDER BY day DESC LIMIT 1), 0))`, day); err != nil {
			return err
		}
		if err := s.snapshotSegments(ctx, tx, day); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, "DELETE FROM visit_day WHERE day < $1::date - 1", day)
		return err
	})
}

// snapshotSegments counts the participants of the declared segments and weighs the most supported ideas by them.
func (s *Store) snapshotSegments(ctx context.Context, tx pgx.Tx, day string) error {
	settings, ok := s.Current(ctx)
	if !ok || settings.House == nil || len(settings.House.Quotas) == 0 {
		return nil
	}
	participants := map[ideas.QuotaSegment]int64{}
	for _, q := range settings.House.Quotas {
		segment := ideas.QuotaSegment{Attribute: q.Attribute, Value: q.Value}
		var n int64
		err := tx.QueryRow(ctx, "WITH counted AS ("+communitySegment+`)
			INSERT INTO kpi_day (day, metric, value) SELECT $3::date, $4, n FROM counted
			ON CONFLICT (metric, day) DO UPDATE SET value = excluded.value RETURNING value`, q.Attribute, q.Value, day, segment.Metric()).Scan(&n)
		if err != nil {
			return fmt.Errorf("count a segment: %w", err)
		}
		participants[segment] = n
	}
	var names, values []string
	var weights []float64
	for _, share := range ideas.Shares(settings.House.Quotas, participants) {
		names, values, weights = append(names, share.Attribute), append(values, share.Value), append(weights, share.Weight)
	}
	if _, err := tx.Exec(ctx, "DELETE FROM idea_weighted"); err != nil {
		return fmt.Errorf("forget the former ranking: %w", err)
	}
	_, err := tx.Exec(ctx, `WITH top AS (SELECT idea_id, supporters FROM tally WHERE visible ORDER BY supporters DESC, idea_id DESC LIMIT $1),
		weights AS (SELECT * FROM unnest($2::text[], $3::text[], $4::float8[]) w(name, value, weight))
		INSERT INTO idea_weighted (idea_id, supporters, weighted)
		SELECT top.idea_id, top.supporters, coalesce(sum(least($5::float8, greatest(1 / $5::float8, coalesce(w.weight, 1)))), 0)
		FROM top LEFT JOIN support s ON s.idea_id = top.idea_id LEFT JOIN LATERAL (
			SELECT exp(sum(ln(x.weight))) AS weight FROM attribute t JOIN weights x ON x.name = t.name AND x.value = t.value WHERE t.member_id = s.member_id
		) w ON s.member_id IS NOT NULL WHERE top.supporters > 0 GROUP BY top.idea_id, top.supporters`, rankedIdeas, names, values, weights, float64(ideas.MaxWeight))
	if err != nil {
		return fmt.Errorf("weigh the ranking: %w", err)
	}
	return nil
}

func scanFigures(rows pgx.Rows) ([]ideas.Figure, error) {
	return pgx.CollectRows(rows, func(row pgx.CollectableRow) (ideas.Figure, error) {
		var f ideas.Figure
		err := row.Scan(&f.Day, &f.Value)
		return f, err
	})
}

// Figures implements ideas.InsightStore.
func (s *Store) Figures(ctx context.Context, metric string, from time.Time) ([]ideas.Figure, error) {
	return s.readFigures(ctx, "SELECT day, value FROM kpi_day WHERE metric = $1 AND day >= $2 ORDER BY day LIMIT 800", metric, from.Format(time.DateOnly))
}

// ObjectiveValues implements ideas.InsightStore.
func (s *Store) ObjectiveValues(ctx context.Context, objective string) ([]ideas.Figure, error) {
	return s.readFigures(ctx, "SELECT day, value FROM objective_value WHERE objective = $1 ORDER BY day LIMIT 800", objective)
}

func (s *Store) readFigures(ctx context.Context, query string, args ...any) ([]ideas.Figure, error) {
	pool, err := s.db()
	if err != nil {
		return nil, err
	}
	rows, err := pool.Query(ctx, query, args...)
	if err != nil {
		return nil, s.failed("read figures", err)
	}
	figures, err := scanFigures(rows)
	if err != nil {
		return nil, s.failed("read figures", err)
	}
	return figures, nil
}

// EnterValue implements ideas.InsightStore.
func (s *Store) EnterValue(ctx context.Context, actor int64, objective string, day time.Time, value int64) error {
	return s.transact(ctx, "enter the value of an objective", func(tx pgx.Tx) error {
		_, err := tx.Exec(ctx, `INSERT INTO objective_value (objective, day, value, entered_by) VALUES ($1, $2, $3, $4)
			ON CONFLICT (objective, day) DO UPDATE SET value = excluded.value, entered_by = excluded.entered_by`,
			objective, day.Format(time.DateOnly), value, actor)
		if err != nil {
			return err
		}
		return audit(ctx, tx, actor, "objective.enter", "objective", 0, map[string]any{"objective": objective, "value": value})
	})
}

// SegmentParticipants implements ideas.InsightStore.
func (s *Store) SegmentParticipants(ctx context.Context, segments []ideas.QuotaSegment) (map[ideas.QuotaSegment]int64, error) {
	pool, err := s.db()
	if err != nil {
		return nil, err
	}
	found := map[ideas.QuotaSegment]int64{}
	for _, segment := range segments {
		var n int64
		err := pool.QueryRow(ctx, "SELECT value FROM kpi_day WHERE metric = $1 ORDER BY day DESC LIMIT 1", segment.Metric()).Scan(&n)
		if err != nil && !errors.Is(err, pgx.ErrNoRows) {
			return nil, s.failed("read a segment", err)
		}
		found[segment] = n
	}
	return found, nil
}

// WeightedRanking implements ideas.InsightStore.
func (s *Store) WeightedRanking(ctx context.Context) ([]ideas.RankedIdea, error) {
	pool, err := s.db()
	if err != nil {
		return nil, err
	}
	rows, err := pool.Query(ctx, `SELECT i.id, i.slug, i.title, w.supporters, w.weighted FROM idea_weighted w JOIN idea i ON i.id = w.idea_id
		WHERE i.visible ORDER BY w.supporters DESC, w.idea_id DESC LIMIT $1`, rankedIdeas)
	if err != nil {
		return nil, s.failed("read the weighted ranking", err)
	}
	list, err := pgx.CollectRows(rows, pgx.RowToStructByPos[ideas.RankedIdea])
	if err != nil {
		return nil, s.failed("read the weighted ranking", err)
	}
	return list, nil
}

// Attention implements ideas.InsightStore.
func (s *Store) Attention(ctx context.Context) (ideas.Attention, error) {
	pool, err := s.db()
	if err != nil {
		return ideas.Attention{}, err
	}
	now := s.config.Clock()
	var a ideas.Attention
	err = pool.QueryRow(ctx, `SELECT
		(SELECT count(*) FROM (SELECT FROM moderation_item WHERE decided_at IS NULL LIMIT $1) q),
		(SELECT count(*) FROM (SELECT FROM answer_due WHERE answered_at IS NULL AND due_at < $2 LIMIT $1) q),
		(SELECT count(*) FROM (SELECT FROM answer_due WHERE answered_at IS NULL AND due_at >= $2 AND due_at < $3 LIMIT $1) q),
		(SELECT count(*) FROM (SELECT FROM webhook_delivery WHERE state = 'failed' AND created_at > $4 LIMIT $1) q)`,
		attentionCounts, now, now.AddDate(0, 0, 7), now.AddDate(0, 0, -7)).Scan(&a.Moderation, &a.LateAnswers, &a.DueAnswers, &a.FailedDeliveries)
	if err != nil {
		return a, s.failed("look what needs attention", err)
	}
	appeals, err := s.Appeals(ctx)
	if err != nil {
		return a, err
	}
	a.Appeals = len(appeals)
	return a, nil
}

// visits are the visitors of a day that this replica has seen, and those of them that are not written yet.
type visits struct {
	mutex   sync.Mutex
	day     string
	known   map[[16]byte]bool
	waiting [][]byte
}

// SawVisitor implements ideas.InsightStore.
func (s *Store) SawVisitor(visitor [16]byte) {
	day := s.config.Clock().In(s.zone()).Format(time.DateOnly)
	v := &s.visits
	v.mutex.Lock()
	defer v.mutex.Unlock()
	if v.day != day {
		// Those of the day before that nobody has written yet count for the new one: they came at midnight.
		v.day, v.known = day, map[[16]byte]bool{}
	}
	if v.known[visitor] || len(v.known) >= maxVisits {
		return
	}
	v.known[visitor] = true
	v.waiting = append(v.waiting, visitor[:])
}

// writeVisits writes those that wait. What cannot be written is left out: it is a figure, nothing that anybody wrote.
func (s *Store) writeVisits(ctx context.Context) {
	v := &s.visits
	v.mutex.Lock()
	waiting, day := v.waiting, v.day
	v.waiting = nil
	v.mutex.Unlock()
	pool, err := s.db()
	if len(waiting) == 0 || err != nil {
		return
	}
	if _, err := pool.Exec(ctx, "INSERT INTO visit_day (day, visitor) SELECT $1, unnest($2::bytea[]) ON CONFLICT DO NOTHING", day, waiting); err != nil && ctx.Err() == nil {
		s.log.Warn("visits not written", "error", err)
	}
}

// Backlog is what waits to be done, for the metrics.
type Backlog struct {
	// Events not dispatched, Jobs not finished, and Deliveries to webhooks that wait.
	Events, Jobs, Deliveries int64
	// DisabledWebhooks are called no more.
	DisabledWebhooks int64
}

// Backlog counts what waits. Its counts are read from indexes that hold what waits alone.
func (s *Store) Backlog(ctx context.Context) (Backlog, error) {
	pool, err := s.db()
	if err != nil {
		return Backlog{}, err
	}
	var b Backlog
	err = pool.QueryRow(ctx, `SELECT (SELECT count(*) FROM event WHERE NOT dispatched),
		(SELECT count(*) FROM river_job WHERE state IN ('available', 'retryable', 'running', 'scheduled')),
		(SELECT count(*) FROM webhook_delivery WHERE state = 'waiting'), (SELECT count(*) FROM webhook WHERE disabled_at IS NOT NULL)`).
		Scan(&b.Events, &b.Jobs, &b.Deliveries, &b.DisabledWebhooks)
	if err != nil {
		return b, s.failed("count what waits", err)
	}
	return b, nil
}
