package postgres

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/quaeso/community-operator/ideas"
	"github.com/quaeso/community-operator/internal/control"
)

// Entries that a challenge's state names.
const (
	observedLeaders   = 5
	observedShortlist = 20
)

// observeEntries adds what members did in a challenge. While a vote is hidden nobody hears of its leaders, the operator
// included: its status is read by many.
func (s *Store) observeEntries(ctx context.Context, q querier, c *ideas.Challenge, now time.Time, state *control.ChallengeState) error {
	totals, err := s.ChallengeTotals(ctx, []int64{c.ID})
	if err != nil {
		return err
	}
	state.Ideas, state.Votes, state.Participants = totals[c.ID].Ideas, totals[c.ID].Votes, totals[c.ID].Participants
	if err := q.QueryRow(ctx, "SELECT count(*) FROM ("+lateAnswers+" AND i.challenge_id = $3 LIMIT $2) q", now, control.MaxCounted, c.ID).Scan(&state.LateAnswers); err != nil {
		return err
	}
	state.Representativeness = s.representativeness(ctx, c.ID, c.Spec.Quotas, state.Participants)
	if c.Spec.Type != control.TypeContest && c.Spec.Type != control.TypeIdeation {
		return nil
	}
	votes, order := "t.votes", "t.standing"
	if c.Plain() {
		votes, order = "t.supporters", "t.supporters"
	}
	columns := "SELECT i.id, i.title, " + votes + "::bigint, t.points, coalesce(w.rank, 0) FROM tally t JOIN idea i ON i.id = t.idea_id "
	winner := "LEFT JOIN winner w ON w.idea_id = i.id AND w.challenge_id = $1 "
	if !c.CountsHidden(now) {
		state.Leaders, err = observed(ctx, q, columns+winner+"WHERE t.challenge_id = $1 AND t.visible AND "+votes+" > 0 ORDER BY "+order+" DESC, t.idea_id DESC LIMIT $2",
			c.ID, observedLeaders)
		if err != nil {
			return err
		}
	}
	state.Shortlist, err = observed(ctx, q, columns+winner+"JOIN entry e ON e.idea_id = i.id WHERE e.challenge_id = $1 AND e.shortlisted AND t.visible ORDER BY i.id LIMIT $2",
		c.ID, observedShortlist)
	if err != nil {
		return err
	}
	state.Winners, err = observed(ctx, q, columns+"JOIN winner w ON w.idea_id = i.id AND w.challenge_id = $1 ORDER BY w.rank, i.id LIMIT $2", c.ID, observedShortlist)
	if err != nil {
		return err
	}
	return q.QueryRow(ctx, "SELECT coalesce((SELECT sha256 FROM ballot_result WHERE challenge_id = $1), '')", c.ID).Scan(&state.ResultSHA256)
}

func observed(ctx context.Context, q querier, query string, args ...any) ([]control.EntryState, error) {
	rows, err := q.Query(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, func(row pgx.CollectableRow) (control.EntryState, error) {
		var e control.EntryState
		return e, row.Scan(&e.Idea, &e.Title, &e.Votes, &e.Points, &e.Rank)
	})
}
