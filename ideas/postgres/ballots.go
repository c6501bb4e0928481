package postgres

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/quaeso/community-operator/ideas"
	"github.com/quaeso/community-operator/internal/control"
)

// ballotKeyBytes is the length of the key that makes pseudonyms.
const ballotKeyBytes = 32

// anyDay is the day of votes that belong to none.
const anyDay = "-infinity"

// keepBallot brings the database's rules of a challenge's vote up to its declaration. A vote that is closed stays as it is.
func keepBallot(ctx context.Context, tx pgx.Tx, uid string, spec control.Challenge) error {
	if spec.Type != control.TypeIdeation && spec.Type != control.TypeContest {
		return nil
	}
	rules := ideas.RulesOf((&ideas.Challenge{Spec: spec}).Ballot())
	key := make([]byte, ballotKeyBytes)
	if _, err := rand.Read(key); err != nil {
		return fmt.Errorf("make the key of pseudonyms: %w", err)
	}
	_, err := tx.Exec(ctx, `INSERT INTO ballot AS b (challenge_id, kind, minimum, maximum, allowance, counts_points, key)
		SELECT id, $2, $3, $4, nullif($5, 0), $6, $7 FROM challenge WHERE uid = $1
		ON CONFLICT (challenge_id) DO UPDATE SET kind = excluded.kind, minimum = excluded.minimum, maximum = excluded.maximum,
			allowance = excluded.allowance, counts_points = excluded.counts_points
		WHERE b.closed_at IS NULL AND (b.kind, b.minimum, b.maximum, b.allowance, b.counts_points)
			IS DISTINCT FROM (excluded.kind, excluded.minimum, excluded.maximum, excluded.allowance, excluded.counts_points)`,
		uid, rules.Kind, rules.Minimum, rules.Maximum, rules.Allowance, rules.CountsPoints, key)
	if err != nil {
		return fmt.Errorf("keep the rules of the vote: %w", err)
	}
	return nil
}

// target of a vote.
type target struct {
	challenge  *ideas.Challenge
	state      ideas.State
	votesUntil time.Time
}

// targetOf is the challenge that an idea is voted in; the challenge is nil for an idea outside of challenges.
func (s *Store) targetOf(ctx context.Context, q querier, idea int64) (target, error) {
	var t target
	var challenge int64
	var published *time.Time
	err := q.QueryRow(ctx, `SELECT i.state, coalesce(i.challenge_id, 0), coalesce(i.published_at, i.created_at)
		FROM idea i WHERE i.id = $1 AND i.visible`, idea).Scan(&t.state, &challenge, &published)
	if err != nil {
		return t, fmt.Errorf("look up idea %d: %w", idea, err)
	}
	if challenge == 0 {
		return t, nil
	}
	if t.challenge = s.Programme(ctx).ChallengeByID(challenge); t.challenge == nil {
		return t, &ideas.BarredError{Action: ideas.ActionVote, Code: ideas.BarredClosed} // archived
	}
	t.votesUntil = s.votesUntil(t.challenge, published)
	return t, nil
}

// votesUntil is when an entry's own time for votes ends; zero where it has none.
func (s *Store) votesUntil(c *ideas.Challenge, published *time.Time) time.Time {
	days := c.Ballot().DaysPerEntry
	if days == 0 || published == nil {
		return time.Time{}
	}
	return published.In(s.zone()).AddDate(0, 0, days)
}

// mayVote tells why a member may not vote for a target now; nil where they may.
func (s *Store) mayVote(ctx context.Context, q querier, member int64, t target) error {
	now := s.config.Clock()
	if err := t.challenge.Bar(now, ideas.ActionVote); err != nil {
		return err
	}
	open := []ideas.State{ideas.StateGathering, ideas.StateQualified, ideas.StateUnderReview, ideas.StateShortlisted}
	if !slices.Contains(open, t.state) || !t.votesUntil.IsZero() && !now.Before(t.votesUntil) {
		return &ideas.BarredError{Action: ideas.ActionVote, Code: ideas.BarredEntry}
	}
	return s.mayTakePart(ctx, q, member, t.challenge, ideas.ActionVote)
}

// mayTakePart tells why a member is not eligible; nil where they are.
func (s *Store) mayTakePart(ctx context.Context, q querier, member int64, c *ideas.Challenge, a ideas.Action) error {
	if !c.Restricted() && len(c.Spec.Terms) == 0 && a != ideas.ActionSubmit {
		return nil
	}
	p, err := s.participant(ctx, q, member, c)
	if err != nil {
		return err
	}
	obstacles := c.Obstacles(p)
	if a == ideas.ActionSubmit {
		obstacles = c.EntryObstacles(p)
	} else if len(c.Spec.Terms) > 0 && !p.AcceptedTerms {
		obstacles = append(obstacles, ideas.Obstacle{Code: ideas.ObstacleTerms})
	}
	if len(obstacles) > 0 {
		return &ideas.BarredError{Action: a, Code: ideas.BarredEligibility, Obstacles: obstacles}
	}
	return nil
}

// Vote implements ideas.ChallengeStore.
func (s *Store) Vote(ctx context.Context, member, idea int64, points *int) error {
	return s.transact(ctx, "vote", func(tx pgx.Tx) error {
		t, err := s.targetOf(ctx, tx, idea)
		if err != nil {
			return err
		}
		if t.challenge == nil || t.challenge.Plain() {
			return ideas.ErrNotFound // support has its own way
		}
		if err := s.requireContributor(ctx, tx, member); err != nil {
			return err
		}
		if err := s.mayVote(ctx, tx, member, t); err != nil {
			return err
		}
		return s.writeVote(ctx, tx, member, idea, t.challenge, points)
	})
}

func (s *Store) writeVote(ctx context.Context, tx pgx.Tx, member, idea int64, c *ideas.Challenge, points *int) error {
	rules, day, now := ideas.RulesOf(c.Ballot()), s.voteDay(c), s.config.Clock()
	if points == nil {
		_, err := tx.Exec(ctx, "DELETE FROM ballot_vote WHERE idea_id = $1 AND member_id = $2 AND day = $3::date", idea, member, day)
		if err != nil {
			return fmt.Errorf("withdraw a vote: %w", err)
		}
		return nil
	}
	var isNew bool
	err := tx.QueryRow(ctx, `INSERT INTO ballot_vote AS v (challenge_id, idea_id, member_id, day, points, cast_at) VALUES ($1, $2, $3, $4::date, $5, $6)
		ON CONFLICT (idea_id, member_id, day) DO UPDATE SET points = excluded.points, cast_at = excluded.cast_at WHERE v.points <> excluded.points
		RETURNING xmax = 0`, c.ID, idea, member, day, *points, now).Scan(&isNew)
	switch {
	case errors.Is(err, pgx.ErrNoRows):
		return nil // the same once more
	case err != nil:
		return voteError(rules, err)
	case !isNew:
		return nil
	}
	e := ideas.Event{Kind: ideas.EventBallotCast, Actor: member, Idea: idea, Challenge: c.ID}
	if c.CountsHidden(now) {
		e.Idea = 0 // who listens to events must not be able to count
	}
	return s.recordEvents(ctx, tx, e)
}

// voteError says in the domain's words which rule of the ballot the database held.
func voteError(rules ideas.BallotRules, err error) error {
	answer := (*pgconn.PgError)(nil)
	if errors.As(err, &answer) {
		switch answer.ConstraintName {
		case "ballot_allowance":
			return &ideas.BarredError{Action: ideas.ActionVote, Code: ideas.BarredSpent, Limit: rules.Allowance}
		case "ballot_points":
			return &ideas.BarredError{Action: ideas.ActionVote, Code: ideas.BarredPoints, Limit: rules.Maximum}
		case "ballot_closed":
			return &ideas.BarredError{Action: ideas.ActionVote, Code: ideas.BarredClosed}
		}
	}
	return fmt.Errorf("vote: %w", err)
}

// OwnBallot implements ideas.ChallengeStore.
func (s *Store) OwnBallot(ctx context.Context, member int64, c *ideas.Challenge) (ideas.OwnBallot, error) {
	var own ideas.OwnBallot
	pool, err := s.db()
	if err != nil {
		return own, err
	}
	var key []byte
	err = pool.QueryRow(ctx, `SELECT b.key, coalesce(v.used, 0) FROM ballot b
		LEFT JOIN ballot_voter v ON v.challenge_id = b.challenge_id AND v.member_id = $2 AND v.day = $3::date WHERE b.challenge_id = $1`,
		c.ID, member, s.voteDay(c)).Scan(&key, &own.Used)
	if err != nil {
		return own, s.failed("read a member's ballot", err)
	}
	if len(key) > 0 {
		own.Pseudonym = ideas.Pseudonym(key, member)
	}
	return own, nil
}

// OwnVotes implements ideas.ChallengeStore.
func (s *Store) OwnVotes(ctx context.Context, member int64, c *ideas.Challenge, after string, limit int) ([]ideas.OwnVote, string, error) {
	pool, err := s.db()
	if err != nil {
		return nil, "", err
	}
	afterIdea, afterDay := int64(0), anyDay
	if after != "" {
		idea, day, _ := strings.Cut(after, " ")
		var idErr, dayErr error
		afterIdea, idErr = strconv.ParseInt(idea, 10, 64)
		if day != "" {
			_, dayErr = time.Parse(control.DateLayout, day)
			afterDay = day
		}
		if idErr != nil || dayErr != nil {
			return nil, "", &ideas.FieldError{Field: "cursor", Code: "invalid"}
		}
	}
	// Votes that belong to no day come after a cursor without one only with a later idea.
	query := `SELECT idea_id, CASE WHEN isfinite(day) THEN day::text ELSE '' END, points, cast_at FROM ballot_vote
		WHERE challenge_id = $1 AND member_id = $2 AND (idea_id, day) > ($3, $4::date) ORDER BY idea_id, day LIMIT $5`
	if c.Plain() {
		query = `SELECT s.idea_id, '', 1, s.created_at FROM support s JOIN idea i ON i.id = s.idea_id
			WHERE i.challenge_id = $1 AND s.member_id = $2 AND (s.idea_id, '-infinity'::date) > ($3, $4::date) ORDER BY s.idea_id LIMIT $5`
	}
	rows, err := pool.Query(ctx, query, c.ID, member, afterIdea, afterDay, pageSize(limit)+1)
	if err != nil {
		return nil, "", s.failed("list a member's votes", err)
	}
	votes, err := pgx.CollectRows(rows, pgx.RowToStructByPos[ideas.OwnVote])
	if err != nil {
		return nil, "", s.failed("list a member's votes", err)
	}
	next := ""
	if limit := pageSize(limit); len(votes) > limit {
		votes = votes[:limit]
		next = strings.TrimSpace(fmt.Sprintf("%d %s", votes[limit-1].Idea, votes[limit-1].Day))
	}
	return votes, next, nil
}

// openSupport are the challenges in which every member may support every entry now; never nil.
func (s *Store) openSupport(ctx context.Context) []int64 {
	open, now := []int64{}, s.config.Clock()
	for _, c := range s.Programme(ctx).Challenges {
		if c.Plain() && c.Allows(now, ideas.ActionVote) && !c.Restricted() && len(c.Spec.Terms) == 0 && c.Ballot().DaysPerEntry == 0 {
			open = append(open, c.ID)
		}
	}
	return open
}

// maySupport tells why a member may not support an idea of a challenge now, else which challenge it is; 0 for none.
func (s *Store) maySupport(ctx context.Context, member, idea int64) (int64, error) {
	pool, err := s.db()
	if err != nil {
		return 0, err
	}
	t, err := s.targetOf(ctx, pool, idea)
	if err == nil && t.challenge != nil {
		if !t.challenge.Plain() {
			return 0, ideas.ErrNotFound // the challenge's vote has its own way
		}
		err = s.mayVote(ctx, pool, member, t)
	}
	if err != nil {
		return 0, s.failed("look whether support is possible", err)
	}
	if t.challenge == nil {
		return 0, nil
	}
	return t.challenge.ID, nil
}
