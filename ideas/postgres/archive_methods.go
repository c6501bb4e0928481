package postgres

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/quaeso/community-operator/ideas"
)

// methods stores what belongs to challenges beside ideas. What is for a challenge that is not declared is left out.
func (w *archiver) methods(ctx context.Context, a ideas.Archive) error {
	for _, r := range a.Responses {
		if err := w.response(ctx, r); err != nil {
			return fmt.Errorf("store a response to %s: %w", r.Challenge, err)
		}
	}
	for _, r := range a.Applications {
		if err := w.application(ctx, r); err != nil {
			return fmt.Errorf("store an application to %s: %w", r.Challenge, err)
		}
	}
	for _, t := range a.Topics {
		if err := w.topic(ctx, t); err != nil {
			return fmt.Errorf("store topic %s: %w", t.Key, err)
		}
	}
	for _, r := range a.Registrations {
		if err := w.registration(ctx, r); err != nil {
			return fmt.Errorf("store a registration for %s: %w", r.Session, err)
		}
	}
	return nil
}

func (w *archiver) response(ctx context.Context, r ideas.ArchivedResponse) error {
	c := w.challenge(ctx, r.Challenge)
	if c == nil || c.Spec.Survey == nil {
		return nil
	}
	answers, err := ideas.CleanResponse(c.Spec.Survey.Questions, r.Typed)
	if err != nil {
		return err
	}
	member := w.members[r.Member]
	tag, err := w.tx.Exec(ctx, "INSERT INTO survey_participation (challenge_id, part, member_id) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING",
		c.ID, ideas.PartSurvey, member)
	if err != nil || tag.RowsAffected() == 0 {
		return err
	}
	segments, err := segmentsOf(ctx, w.tx, member, w.store.segmentNames(c, false))
	if err != nil {
		return err
	}
	if err := count(ctx, w.tx, c.ID, ideas.PartSurvey, counters(*c.Spec.Survey, c.Spec.Quotas, segments)); err != nil {
		return err
	}
	_, err = w.tx.Exec(ctx, `INSERT INTO survey_response (challenge_id, part, member_id, responded_at, answers, segments)
		VALUES ($1, $2, $3, $4, $5, $6)`, c.ID, ideas.PartSurvey, member, r.At, answers, segments)
	return err
}

func (w *archiver) application(ctx context.Context, r ideas.ArchivedResponse) error {
	c := w.challenge(ctx, r.Challenge)
	if c == nil || c.Spec.Recruiting == nil {
		return nil
	}
	answers, err := ideas.CleanForm(c.Spec.Recruiting.Questions, r.Typed)
	if err != nil {
		return err
	}
	segments, err := segmentsOf(ctx, w.tx, w.members[r.Member], attributesOf(c.Spec.Recruiting.Quotas))
	if err != nil {
		return err
	}
	_, err = w.tx.Exec(ctx, `INSERT INTO application (challenge_id, member_id, answers, segments, created_at) VALUES ($1, $2, $3, $4, $5)
		ON CONFLICT (challenge_id, member_id) DO NOTHING`, c.ID, w.members[r.Member], answers, segments, r.At)
	return err
}

func (w *archiver) topic(ctx context.Context, t ideas.ArchivedTopic) error {
	c := w.challenge(ctx, t.Challenge)
	if c == nil {
		return nil
	}
	var id int64
	err := w.tx.QueryRow(ctx, `INSERT INTO topic (challenge_id, author_id, submission_key, title, body, pinned, created_at, active_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $7) ON CONFLICT (author_id, submission_key) DO NOTHING RETURNING id`,
		c.ID, w.members[t.Author], t.Key, t.Title, t.Body, t.Pinned, t.CreatedAt).Scan(&id)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil // stored before
	}
	if err != nil {
		return err
	}
	stored := make([]int64, len(t.Replies))
	for i, r := range t.Replies {
		above := []int64{}
		if r.Answers > 0 {
			above = append(above, stored[r.Answers-1])
		}
		if err := w.tx.QueryRow(ctx, `INSERT INTO topic_reply (topic_id, above, author_id, submission_key, body, created_at) VALUES ($1, $2, $3, $4, $5, $6)
			RETURNING id`, id, above, w.members[r.Author], r.Key, r.Body, r.CreatedAt).Scan(&stored[i]); err != nil {
			return err
		}
	}
	return nil
}

func (w *archiver) registration(ctx context.Context, r ideas.ArchivedRegistration) error {
	c := w.challenge(ctx, r.Challenge)
	if c == nil || c.Spec.Workshop == nil {
		return nil
	}
	for _, session := range c.Spec.Workshop.Sessions {
		if session.Name != r.Session {
			continue
		}
		var taken int
		if err := w.tx.QueryRow(ctx, `INSERT INTO workshop_session AS s (challenge_id, session, capacity) VALUES ($1, $2, $3)
			ON CONFLICT (challenge_id, session) DO UPDATE SET capacity = greatest(s.taken, excluded.capacity) RETURNING taken`,
			c.ID, r.Session, session.Capacity).Scan(&taken); err != nil {
			return err
		}
		state := "registered"
		if taken >= session.Capacity {
			state = "waiting"
		}
		_, err := w.tx.Exec(ctx, `INSERT INTO workshop_registration (challenge_id, session, member_id, state, created_at) VALUES ($1, $2, $3, $4, $5)
			ON CONFLICT DO NOTHING`, c.ID, r.Session, w.members[r.Member], state, r.At)
		return err
	}
	return nil
}

// DecideArchive ends the contests of an archive that was stored, as the store's clock has them. What is decided already, or
// cannot be decided, is left out.
func (s *Store) DecideArchive(ctx context.Context, a ideas.Archive) error {
	if err := s.CarryOut(ctx); err != nil {
		return err
	}
	pool, err := s.db()
	if err != nil {
		return err
	}
	for _, d := range a.Decisions {
		c := (&archiver{store: s}).challenge(ctx, d.Challenge)
		if c == nil {
			continue
		}
		var by int64
		if err := pool.QueryRow(ctx, "SELECT id FROM member WHERE lower(email) = lower($1)", d.By).Scan(&by); err != nil {
			return s.failed("find who decides", err)
		}
		winners := make([]ideas.Decided, len(d.Winners))
		for i, w := range d.Winners {
			winners[i] = ideas.Decided{Rank: w.Rank, Reason: w.Reason}
			if err := pool.QueryRow(ctx, "SELECT id FROM idea WHERE challenge_id = $1 AND submission_key = $2", c.ID, w.Key).Scan(&winners[i].Entry); err != nil {
				return s.failed("find a winner", err)
			}
		}
		barred := (*ideas.BarredError)(nil)
		if err := s.Decide(ctx, by, c, winners, d.Reason, ""); err != nil && !errors.As(err, &barred) && !errors.Is(err, ideas.ErrForbidden) {
			return err
		}
	}
	return nil
}
