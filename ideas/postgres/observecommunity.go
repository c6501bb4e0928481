package postgres

import (
	"context"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/quaeso/community-operator/ideas"
	"github.com/quaeso/community-operator/internal/control"
)

// lateAnswers selects the late answers that are counted: $1 is the moment and $2 where the count ends.
const lateAnswers = `SELECT FROM answer_due d JOIN idea i ON i.id = d.idea_id WHERE d.answered_at IS NULL AND d.due_at < $1 AND i.visible`

// ObserveCommunity tells how the community stands.
func (s *Store) ObserveCommunity(ctx context.Context) (control.CommunityState, error) {
	var state control.CommunityState
	pool, err := s.db()
	if err != nil {
		return state, err
	}
	now := s.config.Clock()
	var comments int64
	err = pool.QueryRow(ctx, `SELECT t.members, t.ideas, t.votes, t.comments, (SELECT count(*) FROM (`+lateAnswers+` LIMIT $2) q)
		FROM (SELECT coalesce(sum(n) FILTER (WHERE kind = 'members'), 0)::bigint AS members, coalesce(sum(n) FILTER (WHERE kind = 'ideas'), 0)::bigint AS ideas,
			coalesce(sum(n) FILTER (WHERE kind = 'votes'), 0)::bigint AS votes, coalesce(sum(n) FILTER (WHERE kind = 'comments'), 0)::bigint AS comments
			FROM total) t`, now, control.MaxCounted).Scan(&state.Members, &state.Ideas, &state.Votes, &comments, &state.LateAnswers)
	if err != nil {
		return state, s.failed("observe the community", err)
	}
	settings, _ := s.Current(ctx)
	if settings.House == nil {
		return state, nil
	}
	live := map[string]int64{
		ideas.MetricMembers: state.Members, ideas.MetricAllIdeas: state.Ideas, ideas.MetricAllVotes: state.Votes, ideas.MetricAllComments: comments,
	}
	if slices.ContainsFunc(settings.House.Objectives, func(o control.Objective) bool { return ideas.FigureOf(o.Metric) == ideas.MetricLaunched }) {
		var launched int64
		// The state is written out, as the index has it.
		if err := pool.QueryRow(ctx, "SELECT count(*) FROM idea WHERE visible AND state = 'launched' AND state <> 'gathering'").Scan(&launched); err != nil {
			return state, s.failed("count what was launched", err)
		}
		live[ideas.MetricLaunched] = launched
	}
	if state.Objectives, err = s.observeObjectives(ctx, pool, settings.House.Objectives, live, now); err != nil {
		return state, s.failed("observe the objectives", err)
	}
	state.Representativeness = s.representativeness(ctx, 0, settings.House.Quotas, state.Ideas+state.Votes+comments)
	return state, nil
}

// objectiveDays are the days whose figures tell where an objective is heading.
const objectiveDays = 90

// observeObjectives reads the figures of days; live are those that are known without a snapshot.
func (s *Store) observeObjectives(ctx context.Context, q querier, objectives []control.Objective, live map[string]int64, now time.Time) ([]control.ObjectiveState, error) {
	if len(objectives) == 0 {
		return nil, nil
	}
	local := now.In(s.zone())
	today := time.Date(local.Year(), local.Month(), local.Day(), 0, 0, 0, 0, time.UTC)
	var metrics, entered []string
	for _, o := range objectives {
		if figure := ideas.FigureOf(o.Metric); figure != "" {
			metrics = append(metrics, figure)
		} else {
			entered = append(entered, o.Name)
		}
	}
	rows, err := q.Query(ctx, `SELECT metric, day, value FROM kpi_day WHERE metric = ANY($1) AND day >= $3::date
		UNION ALL SELECT 'entered.' || objective, day, value FROM objective_value WHERE objective = ANY($2) AND day >= $3::date ORDER BY 1, 2`,
		metrics, entered, today.AddDate(0, 0, 1-objectiveDays).Format(time.DateOnly))
	if err != nil {
		return nil, err
	}
	figures := map[string][]ideas.Figure{}
	var metric string
	var f ideas.Figure
	if _, err := pgx.ForEachRow(rows, []any{&metric, &f.Day, &f.Value}, func() error { figures[metric] = append(figures[metric], f); return nil }); err != nil {
		return nil, err
	}
	for metric, value := range live {
		past := slices.DeleteFunc(figures[metric], func(f ideas.Figure) bool { return f.Day.Equal(today) })
		figures[metric] = append(past, ideas.Figure{Day: today, Value: value})
	}
	states := make([]control.ObjectiveState, len(objectives))
	for i, o := range objectives {
		metric := ideas.FigureOf(o.Metric)
		if metric == "" {
			metric = "entered." + o.Name
		}
		known := figures[metric]
		standing, _ := ideas.StandingOf(o, known, today)
		states[i] = control.ObjectiveState{
			Name: o.Name, Metric: o.Metric, Baseline: o.Baseline, Target: o.Target, Deadline: o.Deadline, Standing: string(standing),
		}
		if n := len(known); n > 0 {
			states[i].Current = &known[n-1].Value
		}
	}
	return states, nil
}
