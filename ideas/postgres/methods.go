package postgres

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/quaeso/community-operator/ideas"
)

// admit refuses who may not take part in a challenge: whoever may not contribute at all, is not eligible, or has not
// accepted its terms.
func (s *Store) admit(ctx context.Context, tx pgx.Tx, c *ideas.Challenge, member int64) error {
	if err := s.requireContributor(ctx, tx, member); err != nil {
		return err
	}
	return s.mayTakePart(ctx, tx, member, c, ideas.ActionRespond)
}

// eraseMethods takes away what somebody said of themselves to take part, and where they do. Responses lose their name;
// diaries, reports, topics and results are contributions.
func (s *Store) eraseMethods(ctx context.Context, tx pgx.Tx, member int64, remove bool) error {
	for _, change := range []string{
		"DELETE FROM application WHERE member_id = $1", "DELETE FROM application_score WHERE juror_id = $1", "DELETE FROM challenge_role WHERE member_id = $1",
		"UPDATE survey_response SET member_id = NULL WHERE member_id = $1", "DELETE FROM survey_participation WHERE member_id = $1",
		"DELETE FROM exposure WHERE member_id = $1", "UPDATE tester SET tracking = '' WHERE member_id = $1",
	} {
		if _, err := tx.Exec(ctx, change, member); err != nil {
			return fmt.Errorf("erase what somebody took part in: %w", err)
		}
	}
	for _, c := range s.Programme(ctx).Challenges {
		if c.Spec.Workshop == nil {
			continue
		}
		for _, session := range c.Spec.Workshop.Sessions {
			if err := s.freePlace(ctx, tx, c, session, member); err != nil {
				return fmt.Errorf("free the places of somebody erased: %w", err)
			}
		}
	}
	if _, err := tx.Exec(ctx, "DELETE FROM workshop_registration WHERE member_id = $1", member); err != nil {
		return fmt.Errorf("erase registrations: %w", err)
	}
	if !remove {
		return nil
	}
	for _, change := range []string{
		"DELETE FROM tester WHERE member_id = $1", "UPDATE topic SET title = '–', body = '–', state = 'hidden' WHERE author_id = $1",
		"UPDATE topic_reply SET body = '–', hidden = true, pending = false WHERE author_id = $1",
		`DELETE FROM moderation_item WHERE decided_at IS NULL AND (topic_id IN (SELECT id FROM topic WHERE author_id = $1)
			OR reply_id IN (SELECT id FROM topic_reply WHERE author_id = $1))`, "DELETE FROM mission_result WHERE member_id = $1",
	} {
		if _, err := tx.Exec(ctx, change, member); err != nil {
			return fmt.Errorf("erase contributions to tests, forums and missions: %w", err)
		}
	}
	return nil
}
