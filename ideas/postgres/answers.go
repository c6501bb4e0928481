package postgres

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/quaeso/community-operator/ideas"
)

const maxAnswers = 20

// AnswerIdea implements ideas.AnswerStore.
func (s *Store) AnswerIdea(ctx context.Context, member, id int64, body string) (ideas.OfficialAnswer, error) {
	body, err := ideas.CleanText("answer", body, ideas.MaxOfficialAnswer)
	if err != nil {
		return ideas.OfficialAnswer{}, err
	}
	a := ideas.OfficialAnswer{Body: body, CreatedAt: s.config.Clock()}
	_, err = s.withIdea(ctx, "answer an idea", member, id, func(tx pgx.Tx, who actor, r ideaRow) error {
		if !who.roles.May(ideas.MayAnswer) || !r.state.Published() {
			return ideas.ErrForbidden
		}
		err := tx.QueryRow(ctx, `INSERT INTO official_answer (idea_id, author_id, body, created_at) VALUES ($1, $2, $3, $4) RETURNING id`,
			id, member, body, a.CreatedAt).Scan(&a.ID)
		if err != nil {
			return fmt.Errorf("write the answer: %w", err)
		}
		if _, err := tx.Exec(ctx, "UPDATE answer_due SET answered_at = $2 WHERE idea_id = $1 AND answered_at IS NULL", id, a.CreatedAt); err != nil {
			return fmt.Errorf("keep the promise: %w", err)
		}
		e := ideas.Event{Kind: ideas.EventIdeaAnswered, Actor: member, Idea: id, Challenge: r.challenge, Data: map[string]any{"answer": a.ID}}
		if who.id != r.author {
			e.Subject = r.author
		}
		if err := s.recordEvents(ctx, tx, e); err != nil {
			return err
		}
		a.Author.ID = member
		return audit(ctx, tx, member, "idea.answer", "idea", id, map[string]any{"answer": a.ID})
	})
	return a, err
}

const answersQuery = `SELECT a.id, coalesce(m.id, 0), coalesce(m.name, ''), a.body, a.created_at
	FROM official_answer a LEFT JOIN member m ON m.id = a.author_id WHERE a.idea_id = $1 ORDER BY a.id DESC LIMIT $2`

func scanAnswer(row pgx.Row) (ideas.OfficialAnswer, error) {
	var a ideas.OfficialAnswer
	err := row.Scan(&a.ID, &a.Author.ID, &a.Author.Name, &a.Body, &a.CreatedAt)
	return a, err
}

// teamMember is somebody with one of the permissions, else ErrForbidden.
func (s *Store) teamMember(ctx context.Context, q querier, member int64, permissions ...ideas.Permission) (actor, error) {
	who, err := s.actor(ctx, q, member)
	if err != nil {
		return who, err
	}
	for _, p := range permissions {
		if who.roles.May(p) {
			return who, nil
		}
	}
	return who, ideas.ErrForbidden
}

// DueAnswers implements ideas.AnswerStore.
func (s *Store) DueAnswers(ctx context.Context, member int64, offset, limit int) ([]ideas.DueAnswer, error) {
	pool, err := s.db()
	if err != nil {
		return nil, err
	}
	if _, err := s.teamMember(ctx, pool, member, ideas.MayAnswer, ideas.MayMeasure); err != nil {
		return nil, s.failed("list due answers", err)
	}
	now := s.config.Clock()
	rows, err := pool.Query(ctx, "SELECT "+ideaColumns+`, d.due_at, d.responsible FROM answer_due d JOIN tally t ON t.idea_id = d.idea_id
		JOIN idea i ON i.id = d.idea_id JOIN member m ON m.id = i.author_id
		WHERE d.answered_at IS NULL AND i.visible ORDER BY d.due_at, d.idea_id OFFSET $2 LIMIT $3`, member, max(offset, 0), pageSize(limit))
	if err != nil {
		return nil, s.failed("list due answers", err)
	}
	list, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (ideas.DueAnswer, error) {
		var d ideas.DueAnswer
		var err error
		d.Idea, _, err = scanIdea(row, &d.DueAt, &d.Responsible)
		d.Late = now.After(d.DueAt)
		return d, err
	})
	return list, s.wrapped("list due answers", err)
}

// Roadmap implements ideas.AnswerStore.
func (s *Store) Roadmap(ctx context.Context, viewer int64, state ideas.State, limit int) ([]ideas.Idea, error) {
	if !state.Published() || state == ideas.StateGathering {
		return nil, &ideas.FieldError{Field: "state", Code: "invalid"}
	}
	pool, err := s.db()
	if err != nil {
		return nil, err
	}
	// The state is written out, as the index has it.
	rows, err := pool.Query(ctx, fmt.Sprintf(`SELECT %s%s WHERE i.visible AND i.state = '%s' AND i.state <> 'gathering'
			AND (i.challenge_id IS NULL OR i.challenge_id <> ALL ($3)) ORDER BY i.state_at DESC, i.id DESC LIMIT $2`,
		ideaColumns, ideaTables, state), viewer, pageSize(limit), s.apart(ctx, viewer))
	if err != nil {
		return nil, s.failed("read the roadmap", err)
	}
	list, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (ideas.Idea, error) {
		idea, _, err := scanIdea(row)
		return idea, err
	})
	return list, s.wrapped("read the roadmap", err)
}
