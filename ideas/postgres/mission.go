package postgres

import (
	"context"
	"errors"

	"github.com/jackc/pgx/v5"

	"github.com/quaeso/community-operator/ideas"
	"github.com/quaeso/community-operator/internal/control"
)

const resultQuery = `SELECT r.task, m.id, m.name, r.body, r.link, r.state, r.feedback, r.submitted_at
	FROM mission_result r JOIN member m ON m.id = r.member_id WHERE r.challenge_id = $1`

func (s *Store) results(ctx context.Context, query string, args ...any) ([]ideas.TaskResult, error) {
	pool, err := s.db()
	if err != nil {
		return nil, err
	}
	rows, err := pool.Query(ctx, query, args...)
	if err != nil {
		return nil, s.failed("list results", err)
	}
	list, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (ideas.TaskResult, error) {
		var r ideas.TaskResult
		err := row.Scan(&r.Task, &r.Member.ID, &r.Member.Name, &r.Body, &r.Link, &r.State, &r.Feedback, &r.SubmittedAt)
		return r, err
	})
	if err != nil {
		return nil, s.failed("list results", err)
	}
	return list, nil
}

// SubmitResult implements ideas.MissionStore.
func (s *Store) SubmitResult(ctx context.Context, c *ideas.Challenge, name string, member int64, body, link string) error {
	task, ok := c.Task(name)
	if !ok {
		return ideas.ErrNotFound
	}
	body, link, err := ideas.CleanResult(body, link)
	if err != nil {
		return err
	}
	if err := s.open(c, ideas.ActionRespond, ideas.ActionSubmit); err != nil {
		return err
	}
	now := s.config.Clock()
	if task.Due != "" {
		// A due time that cannot be read any more binds nobody.
		if due, err := control.ParseLocalTime(task.Due, s.zone()); err == nil && !now.Before(due) {
			return ideas.ErrClosed
		}
	}
	return s.transact(ctx, "submit a result", func(tx pgx.Tx) error {
		if err := s.admit(ctx, tx, c, member); err != nil {
			return err
		}
		if err := requireRole(ctx, tx, c, member); err != nil {
			return err
		}
		tag, err := tx.Exec(ctx, `INSERT INTO mission_result AS r (challenge_id, task, member_id, body, link, submitted_at) VALUES ($1, $2, $3, $4, $5, $6)
			ON CONFLICT (challenge_id, task, member_id) DO UPDATE SET body = excluded.body, link = excluded.link, state = 'submitted', submitted_at = excluded.submitted_at
			WHERE r.state <> 'accepted'`, c.ID, name, member, body, link, now)
		if err != nil {
			return err
		}
		if tag.RowsAffected() == 0 {
			return ideas.ErrClosed // it was accepted
		}
		return s.recordEvents(ctx, tx, ideas.Event{Kind: ideas.EventMissionTask, Actor: member, Challenge: c.ID, Data: map[string]any{"task": name}})
	})
}

// DecideResult implements ideas.MissionStore.
func (s *Store) DecideResult(ctx context.Context, actor int64, c *ideas.Challenge, task string, member int64, state ideas.ResultState, feedback string) error {
	if state != ideas.ResultAccepted && state != ideas.ResultRedo {
		return ideas.ErrNotFound
	}
	feedback, err := ideas.CleanReason(feedback, state == ideas.ResultRedo)
	if err != nil {
		return err
	}
	return s.transact(ctx, "decide on a result", func(tx pgx.Tx) error {
		tag, err := tx.Exec(ctx, `UPDATE mission_result SET state = $4, feedback = $5, decided_at = $6 WHERE challenge_id = $1 AND task = $2 AND member_id = $3`,
			c.ID, task, member, state, feedback, s.config.Clock())
		if err != nil {
			return err
		}
		if tag.RowsAffected() == 0 {
			return ideas.ErrNotFound
		}
		event := ideas.Event{
			Kind: ideas.EventMissionDecided, Actor: actor, Subject: member, Challenge: c.ID, Data: map[string]any{"task": task, "state": state},
		}
		if err := s.recordEvents(ctx, tx, event); err != nil {
			return err
		}
		return audit(ctx, tx, actor, "mission.decide", "challenge", c.ID, map[string]any{"task": task, "member": member, "state": state})
	})
}

// MyResults implements ideas.MissionStore.
func (s *Store) MyResults(ctx context.Context, challenge, member int64) (map[string]ideas.TaskResult, error) {
	list, err := s.results(ctx, resultQuery+" AND r.member_id = $2", challenge, member)
	if err != nil {
		return nil, err
	}
	all := map[string]ideas.TaskResult{}
	for _, r := range list {
		all[r.Task] = r
	}
	return all, nil
}

// Bounds of a mission's progress page.
const (
	maxMissionMembers = 500
	maxMissionResults = 5000
)

// MissionProgress implements ideas.MissionStore.
func (s *Store) MissionProgress(ctx context.Context, c *ideas.Challenge) (ideas.MissionProgress, error) {
	var progress ideas.MissionProgress
	pool, err := s.db()
	if err != nil {
		return progress, err
	}
	rows, err := pool.Query(ctx, `SELECT m.id, m.name FROM member m WHERE m.id IN (SELECT member_id FROM challenge_role WHERE challenge_id = $1
		UNION SELECT member_id FROM mission_result WHERE challenge_id = $1) ORDER BY m.name, m.id LIMIT $2`, c.ID, maxMissionMembers)
	if err != nil {
		return progress, s.failed("read the progress of a mission", err)
	}
	if progress.Members, err = pgx.CollectRows(rows, pgx.RowToStructByPos[ideas.Author]); err != nil {
		return progress, s.failed("read the progress of a mission", err)
	}
	if progress.Results, err = s.results(ctx, resultQuery+" ORDER BY r.submitted_at DESC LIMIT $2", c.ID, maxMissionResults); err != nil {
		return progress, err
	}
	if err := pool.QueryRow(ctx, "SELECT count(*) FROM topic WHERE challenge_id = $1 AND state = 'visible'", c.ID).Scan(&progress.Posts); err != nil {
		return progress, s.failed("read the progress of a mission", err)
	}
	progress.Ideas, err = s.IdeaProgress(ctx, c.ID)
	return progress, err
}

// LinkIdea implements ideas.MissionStore.
func (s *Store) LinkIdea(ctx context.Context, actor int64, c *ideas.Challenge, idea int64, linked bool) error {
	return s.transact(ctx, "link an idea to a challenge", func(tx pgx.Tx) error {
		change := "DELETE FROM challenge_idea WHERE challenge_id = $1 AND idea_id = $2"
		if linked {
			var found int64
			err := tx.QueryRow(ctx, "SELECT id FROM idea WHERE id = $1 AND visible", idea).Scan(&found)
			if errors.Is(err, pgx.ErrNoRows) {
				return &ideas.FieldError{Field: "idea", Code: "invalid"}
			}
			if err != nil {
				return err
			}
			change = "INSERT INTO challenge_idea (challenge_id, idea_id) VALUES ($1, $2) ON CONFLICT DO NOTHING"
		}
		tag, err := tx.Exec(ctx, change, c.ID, idea)
		if err != nil || tag.RowsAffected() == 0 {
			return err
		}
		return audit(ctx, tx, actor, "challenge.link", "idea", idea, map[string]any{"challenge": c.ID, "linked": linked})
	})
}

// IdeaProgress implements ideas.MissionStore.
func (s *Store) IdeaProgress(ctx context.Context, challenge int64) (ideas.IdeaProgress, error) {
	pool, err := s.db()
	if err != nil {
		return nil, err
	}
	rows, err := pool.Query(ctx, `SELECT state, count(*) FROM idea WHERE visible AND id IN (SELECT id FROM idea WHERE challenge_id = $1
		UNION SELECT idea_id FROM challenge_idea WHERE challenge_id = $1) GROUP BY state`, challenge)
	if err != nil {
		return nil, s.failed("count a challenge's ideas", err)
	}
	progress := ideas.IdeaProgress{}
	var state ideas.State
	var n int
	if _, err := pgx.ForEachRow(rows, []any{&state, &n}, func() error { progress[state] = n; return nil }); err != nil {
		return nil, s.failed("count a challenge's ideas", err)
	}
	return progress, nil
}
