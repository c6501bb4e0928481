package postgres

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/quaeso/community-operator/ideas"
	"github.com/quaeso/community-operator/internal/control"
)

// moveIdea takes one step of the state machine with all that belongs to it: the step is recorded, events tell of it, the
// audit log names who of the team did it, what waited for a moderator is settled, and promises of an answer begin or end.
func (s *Store) moveIdea(ctx context.Context, tx pgx.Tx, r ideaRow, to ideas.State, who actor, reason ideas.Reason) error {
	capacity, err := ideas.CheckTransition(r.state, to, r.as, reason)
	if err != nil {
		return err
	}
	now := s.config.Clock()
	if err := writeState(ctx, tx, r, to, reason, now); err != nil {
		return fmt.Errorf("write the state: %w", err)
	}
	_, err = tx.Exec(ctx, `INSERT INTO idea_change (idea_id, at, actor_id, capacity, from_state, to_state, reason_code, reason)
		VALUES ($1, $2, nullif($3, 0), $4, $5, $6, $7, $8)`, r.id, now, who.id, capacity, r.state, to, reason.Code, reason.Text)
	if err != nil {
		return fmt.Errorf("record the step: %w", err)
	}
	if err := s.tellOfStep(ctx, tx, r, to, who, reason); err != nil {
		return err
	}
	if capacity != ideas.AsAuthor && capacity != ideas.AsService {
		detail := map[string]any{"from": r.state, "to": to, "code": reason.Code, "reason": reason.Text}
		if err := audit(ctx, tx, who.id, "idea."+string(to), "idea", r.id, detail); err != nil {
			return err
		}
	}
	if r.state == ideas.StatePending || !to.Published() {
		if err := s.closeItem(ctx, tx, ideas.Contribution{Idea: r.id}, who, decisionOf(to)); err != nil {
			return err
		}
	}
	return s.keepPromise(ctx, tx, r, to, now)
}

// writeState changes an idea's row. Published for the first time, it is as old as its publication.
func writeState(ctx context.Context, tx pgx.Tx, r ideaRow, to ideas.State, reason ideas.Reason, now time.Time) error {
	former := ideas.State("")
	if to == ideas.StateHidden || to == ideas.StateMerged {
		former = r.state
	}
	_, err := tx.Exec(ctx, `UPDATE idea SET state = $2, state_at = $3, former_state = nullif($4, ''), canonical_id = nullif($5, 0),
			reason_code = $6, reason = $7 WHERE id = $1`, r.id, to, now, former, r.into, reason.Code, reason.Text)
	if err != nil {
		return err
	}
	if r.state == ideas.StateHidden || r.state == ideas.StateMerged {
		// Back in its former state it has the reason that it had there.
		_, err = tx.Exec(ctx, `UPDATE idea SET reason_code = c.reason_code, reason = c.reason
			FROM (SELECT reason_code, reason FROM idea_change WHERE idea_id = $1 AND to_state = $2 ORDER BY id DESC LIMIT 1) c
			WHERE id = $1`, r.id, to)
		return err
	}
	if to.Published() && !r.published {
		if _, err := tx.Exec(ctx, "UPDATE idea SET created_at = $2, updated_at = $2, published_at = $2 WHERE id = $1", r.id, now); err != nil {
			return err
		}
		_, err = tx.Exec(ctx, "UPDATE tally SET trend = trend_of($2) WHERE idea_id = $1 AND supporters = 0", r.id, now)
	}
	return err
}

// tellOfStep records the event of a step. What came back from where it was hidden is no news.
func (s *Store) tellOfStep(ctx context.Context, tx pgx.Tx, r ideaRow, to ideas.State, who actor, reason ideas.Reason) error {
	e := ideas.Event{
		Kind: ideas.EventIdeaState, Actor: who.id, Idea: r.id, Challenge: r.challenge,
		Data: map[string]any{"from": r.state, "to": to, "code": reason.Code, "reason": reason.Text},
	}
	if who.id != r.author {
		e.Subject = r.author
	}
	isNews := r.state != ideas.StateHidden && r.state != ideas.StateMerged
	switch {
	case to == ideas.StatePending && r.state == ideas.StateDraft:
		return nil // told as submitted
	case to == ideas.StateGathering && !r.published:
		e.Kind = ideas.EventIdeaPublished
	case to == ideas.StateQualified && isNews:
		e.Kind = ideas.EventIdeaQualified
	case to == ideas.StateSelected && isNews:
		e.Kind = ideas.EventIdeaSelected
	case to == ideas.StateLaunched && isNews:
		e.Kind = ideas.EventIdeaLaunched
	case to == ideas.StateMerged:
		e.Kind = ideas.EventIdeaMerged
		e.Data["into"] = r.into
	}
	return s.recordEvents(ctx, tx, e)
}

// decisionOf a moderator is what a step of an idea in the queue amounts to.
func decisionOf(to ideas.State) string {
	switch {
	case to.Published():
		return string(ideas.DecisionPublish)
	case to == ideas.StateChangesRequested:
		return string(ideas.DecisionChanges)
	case to == ideas.StateRejected, to == ideas.StateHidden:
		return string(ideas.DecisionReject)
	}
	return decisionGone
}

// decisionGone closes items of the queue whose contribution has gone by itself.
const decisionGone = "gone"

// contributionParts are the columns that name a contribution: what it is a part of, and the part, 0 for the whole.
type contributionParts struct {
	whole, part     string
	wholeID, partID int64
}

func partsOf(c ideas.Contribution) contributionParts {
	if c.Topic != 0 {
		return contributionParts{"topic_id", "reply_id", c.Topic, c.Reply}
	}
	return contributionParts{"idea_id", "comment_id", c.Idea, c.Comment}
}

// openItem puts a contribution into the moderators' queue, or finds it there.
func (s *Store) openItem(ctx context.Context, tx pgx.Tx, c ideas.Contribution, cause string) error {
	_, err := s.itemOf(ctx, tx, c, cause)
	return err
}

func (s *Store) itemOf(ctx context.Context, tx pgx.Tx, c ideas.Contribution, cause string) (int64, error) {
	of := partsOf(c)
	open := "decided_at IS NULL"
	if c.Topic != 0 {
		open += " AND topic_id IS NOT NULL"
	}
	var id int64
	err := tx.QueryRow(ctx, "INSERT INTO moderation_item AS m ("+of.whole+", "+of.part+`, cause, opened_at) VALUES ($1, nullif($2::bigint, 0), $3, $4)
		ON CONFLICT (`+of.whole+", coalesce("+of.part+", 0)) WHERE "+open+`
		DO UPDATE SET cause = CASE WHEN excluded.cause = 'reported' THEN m.cause ELSE excluded.cause END RETURNING id`,
		of.wholeID, of.partID, cause, s.config.Clock()).Scan(&id)
	if err != nil {
		return 0, fmt.Errorf("put a contribution into the queue: %w", err)
	}
	return id, nil
}

// closeItem settles what waits in the queue about a contribution, if anything.
func (s *Store) closeItem(ctx context.Context, tx pgx.Tx, c ideas.Contribution, who actor, decision string) error {
	of := partsOf(c)
	_, err := tx.Exec(ctx, `UPDATE moderation_item SET decided_at = $3, decided_by = nullif($4::bigint, 0), decision = $5
		WHERE `+of.whole+" = $1 AND coalesce("+of.part+", 0) = $2 AND decided_at IS NULL", of.wholeID, of.partID, s.config.Clock(), who.id, decision)
	if err != nil {
		return fmt.Errorf("settle what waits in the queue: %w", err)
	}
	return nil
}

// keepPromise begins the time within which the brand answers when an idea qualifies, and ends it with a decision, whose
// public reason is an answer.
func (s *Store) keepPromise(ctx context.Context, tx pgx.Tx, r ideaRow, to ideas.State, now time.Time) error {
	switch {
	case to == ideas.StateQualified && r.state == ideas.StateGathering:
		days, responsible := answerRules(s.house(ctx), s.Programme(ctx).ChallengeByID(r.challenge))
		if days == 0 {
			return nil
		}
		_, err := tx.Exec(ctx, `INSERT INTO answer_due (idea_id, due_at, responsible) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING`,
			r.id, now.In(s.zone()).AddDate(0, 0, days), responsible)
		if err != nil {
			return fmt.Errorf("promise an answer: %w", err)
		}
	case to == ideas.StateSelected, to == ideas.StateNotSelected:
		if r.state == ideas.StateHidden {
			return nil
		}
		if _, err := tx.Exec(ctx, "UPDATE answer_due SET answered_at = $2 WHERE idea_id = $1 AND answered_at IS NULL", r.id, now); err != nil {
			return fmt.Errorf("keep the promise of an answer: %w", err)
		}
	}
	return nil
}

// answerRules are how many days the brand has for an answer (0: no promise) and the role that gives it.
func answerRules(house control.House, c *ideas.Challenge) (days int, responsible ideas.Role) {
	days, responsible = house.AnswerWithinDays, ideas.RoleLead
	if c == nil {
		return days, responsible
	}
	if c.Spec.AnswerWithinDays > 0 {
		days = c.Spec.AnswerWithinDays
	}
	if c.Spec.Responsible != "" {
		responsible = ideas.Role(c.Spec.Responsible)
	}
	return days, responsible
}

// qualify is what follows from support and merges: an idea outside a challenge that has as many supporters as the house
// rules ask for qualifies.
func (s *Store) qualify(ctx context.Context, tx pgx.Tx, events []ideas.Event) error {
	needed := s.house(ctx).Qualify
	if needed == 0 {
		return nil
	}
	var candidates []int64
	for _, e := range events {
		if e.Challenge != 0 {
			continue
		}
		switch e.Kind { // others gain no supporters
		case ideas.EventIdeaSupported, ideas.EventIdeaPublished, ideas.EventIdeaState:
			candidates = append(candidates, e.Idea)
		case ideas.EventIdeaMerged:
			if into, ok := e.Data["into"].(float64); ok {
				candidates = append(candidates, int64(into))
			}
		}
	}
	if len(candidates) == 0 {
		return nil
	}
	rows, err := tx.Query(ctx, `SELECT i.id FROM idea i JOIN tally t ON t.idea_id = i.id
		WHERE i.id = ANY ($1) AND i.state = 'gathering' AND i.challenge_id IS NULL AND t.supporters >= $2 ORDER BY i.id`, candidates, needed)
	if err != nil {
		return fmt.Errorf("look for ideas that qualify: %w", err)
	}
	ids, err := pgx.CollectRows(rows, pgx.RowTo[int64])
	if err != nil {
		return fmt.Errorf("look for ideas that qualify: %w", err)
	}
	for _, id := range ids {
		if err := s.moveAsService(ctx, tx, id, ideas.StateQualified, ideas.Reason{}); err != nil {
			return err
		}
	}
	return nil
}
