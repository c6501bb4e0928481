package postgres

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/quaeso/community-operator/ideas"
	"github.com/quaeso/community-operator/internal/control"
)

// maxJuryEntries bounds the entries that one jury scores.
const maxJuryEntries = 500

// seatOf is the juror's seat, and -1 for everybody else.
func (s *Store) seatOf(ctx context.Context, q querier, member int64, c *ideas.Challenge) (int, error) {
	var email string
	if err := q.QueryRow(ctx, "SELECT coalesce(email, '') FROM member WHERE id = $1", member).Scan(&email); err != nil {
		return -1, fmt.Errorf("look up member %d: %w", member, err)
	}
	return c.Seat(email), nil
}

// Jury implements ideas.ChallengeStore. A juror sees nobody else's scores until the challenge is decided.
func (s *Store) Jury(ctx context.Context, member int64, c *ideas.Challenge) (ideas.JuryState, error) {
	var state ideas.JuryState
	pool, err := s.db()
	if err != nil {
		return state, err
	}
	who, err := s.actor(ctx, pool, member)
	if err != nil {
		return state, s.failed("look up who asks for the jury", err)
	}
	seat, err := s.seatOf(ctx, pool, member, c)
	if err != nil {
		return state, s.failed("look for the juror's seat", err)
	}
	mayDecide := who.roles.May(ideas.MayDecide)
	if c.Spec.Jury == nil || seat < 0 && !mayDecide {
		return state, ideas.ErrNotFound
	}
	if err := s.readJury(ctx, pool, member, c, &state); err != nil {
		return state, s.failed("read the jury's work", err)
	}
	if !mayDecide && c.DecidedAt.IsZero() {
		state.Scores = slices.DeleteFunc(state.Scores, func(x ideas.JuryScore) bool { return x.Seat != seat })
		state.Entries = slices.DeleteFunc(state.Entries, func(e ideas.Entry) bool {
			conflicts := state.Conflicts[e.ID]
			return !slices.Contains(conflicts, seat) && !slices.Contains(ideas.AssignedSeats(*c.Spec.Jury, e.ID, conflicts), seat)
		})
	}
	return state, nil
}

func (s *Store) readJury(ctx context.Context, q querier, member int64, c *ideas.Challenge, state *ideas.JuryState) error {
	ids, err := queryIDs(ctx, q, `SELECT e.idea_id FROM entry e JOIN idea i ON i.id = e.idea_id
		WHERE e.challenge_id = $1 AND e.shortlisted AND i.visible ORDER BY e.idea_id LIMIT $2`, c.ID, maxJuryEntries)
	if err != nil {
		return err
	}
	if state.Entries, err = s.entriesByID(ctx, q, member, c, ids); err != nil {
		return err
	}
	seats, err := s.readJurors(ctx, q, c, state)
	if err != nil {
		return err
	}
	state.Conflicts = map[int64][]int{}
	rows, err := q.Query(ctx, "SELECT idea_id, juror_id FROM jury_part WHERE idea_id = ANY($1) AND conflict", ids)
	if err != nil {
		return err
	}
	var entry, juror int64
	if _, err := pgx.ForEachRow(rows, []any{&entry, &juror}, func() error {
		if seat, ok := seats[juror]; ok {
			state.Conflicts[entry] = append(state.Conflicts[entry], seat)
		}
		return nil
	}); err != nil {
		return err
	}
	if rows, err = q.Query(ctx, "SELECT idea_id, juror_id, criterion, score FROM jury_score WHERE idea_id = ANY($1) ORDER BY idea_id, juror_id", ids); err != nil {
		return err
	}
	var score ideas.JuryScore
	_, err = pgx.ForEachRow(rows, []any{&score.Entry, &juror, &score.Criterion, &score.Score}, func() error {
		if seat, ok := seats[juror]; ok {
			score.Seat = seat
			state.Scores = append(state.Scores, score)
		}
		return nil
	})
	if err != nil {
		return err
	}
	state.Placings, err = s.placings(ctx, q, c, ids)
	return err
}

// readJurors names who sits where, and gives the seats by member.
func (s *Store) readJurors(ctx context.Context, q querier, c *ideas.Challenge, state *ideas.JuryState) (map[int64]int, error) {
	addresses := make([]string, len(c.Spec.Jury.Members))
	for i, m := range c.Spec.Jury.Members {
		addresses[i] = strings.ToLower(m)
	}
	state.Jurors = make([]ideas.Author, len(addresses))
	rows, err := q.Query(ctx, "SELECT id, name, lower(email) FROM member WHERE lower(email) = ANY($1)", addresses)
	if err != nil {
		return nil, err
	}
	seats := map[int64]int{}
	var who ideas.Author
	var email string
	_, err = pgx.ForEachRow(rows, []any{&who.ID, &who.Name, &email}, func() error {
		if seat := slices.Index(addresses, email); seat >= 0 {
			state.Jurors[seat], seats[who.ID] = who, seat
		}
		return nil
	})
	return seats, err
}

// placings of entries by the counters that the database keeps.
func (s *Store) placings(ctx context.Context, q querier, c *ideas.Challenge, ids []int64) ([]ideas.Placing, error) {
	columns := "votes, points"
	if c.Plain() {
		columns = "supporters, supporters::bigint"
	}
	rows, err := q.Query(ctx, "SELECT idea_id, "+columns+" FROM tally WHERE idea_id = ANY($1) ORDER BY idea_id", ids)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, func(row pgx.CollectableRow) (ideas.Placing, error) {
		var p ideas.Placing
		return p, row.Scan(&p.Entry, &p.Votes, &p.Points)
	})
}

// jurorAtWork makes sure that a juror is to score an entry now, and keeps the entry's jury as it is meanwhile.
func (s *Store) jurorAtWork(ctx context.Context, tx pgx.Tx, juror int64, c *ideas.Challenge, entry int64) error {
	if c.Spec.Jury == nil {
		return ideas.ErrNotFound
	}
	seat, err := s.seatOf(ctx, tx, juror, c)
	if err != nil {
		return err
	}
	if seat < 0 {
		return ideas.ErrNotFound
	}
	if err := c.BarJury(s.config.Clock()); err != nil {
		return err
	}
	var shortlisted bool
	err = tx.QueryRow(ctx, "SELECT e.shortlisted AND i.visible FROM entry e JOIN idea i ON i.id = e.idea_id WHERE e.idea_id = $1 AND e.challenge_id = $2 FOR UPDATE OF e",
		entry, c.ID).Scan(&shortlisted)
	if err != nil {
		return err
	}
	if !shortlisted {
		return &ideas.BarredError{Action: ideas.ActionScore, Code: ideas.BarredEntry}
	}
	return nil
}

// Score implements ideas.ChallengeStore.
func (s *Store) Score(ctx context.Context, juror int64, c *ideas.Challenge, entry int64, scores map[string]int) error {
	return s.transact(ctx, "score an entry", func(tx pgx.Tx) error {
		if err := s.jurorAtWork(ctx, tx, juror, c, entry); err != nil {
			return err
		}
		if err := c.CheckScores(scores); err != nil {
			return err
		}
		if err := s.isAssigned(ctx, tx, juror, c, entry); err != nil {
			return err
		}
		now := s.config.Clock()
		_, err := tx.Exec(ctx, `INSERT INTO jury_part (idea_id, juror_id, conflict, declared_at) VALUES ($1, $2, false, $3) ON CONFLICT DO NOTHING`, entry, juror, now)
		if err != nil {
			return err
		}
		for _, criterion := range c.Spec.Jury.Criteria {
			_, err := tx.Exec(ctx, `INSERT INTO jury_score (idea_id, juror_id, criterion, score, scored_at) VALUES ($1, $2, $3, $4, $5)
				ON CONFLICT (idea_id, juror_id, criterion) DO UPDATE SET score = excluded.score, scored_at = excluded.scored_at`,
				entry, juror, criterion.Name, scores[criterion.Name], now)
			if err != nil {
				return err
			}
		}
		return nil
	})
}

// isAssigned refuses a juror with a conflict of interest, and one whose score of the entry nobody asks for.
func (s *Store) isAssigned(ctx context.Context, tx pgx.Tx, juror int64, c *ideas.Challenge, entry int64) error {
	state := ideas.JuryState{}
	seats, err := s.readJurors(ctx, tx, c, &state)
	if err != nil {
		return err
	}
	with, err := queryIDs(ctx, tx, "SELECT juror_id FROM jury_part WHERE idea_id = $1 AND conflict", entry)
	if err != nil {
		return err
	}
	if slices.Contains(with, juror) {
		return &ideas.BarredError{Action: ideas.ActionScore, Code: ideas.BarredConflict}
	}
	var conflicts []int
	for _, id := range with {
		if seat, ok := seats[id]; ok {
			conflicts = append(conflicts, seat)
		}
	}
	if !slices.Contains(ideas.AssignedSeats(*c.Spec.Jury, entry, conflicts), seats[juror]) {
		return &ideas.BarredError{Action: ideas.ActionScore, Code: ideas.BarredSeat}
	}
	return nil
}

// DeclareConflict implements ideas.ChallengeStore.
func (s *Store) DeclareConflict(ctx context.Context, juror int64, c *ideas.Challenge, entry int64, conflict bool, reason string) error {
	reason, err := ideas.CleanOptional("reason", reason, ideas.MaxReason)
	if err != nil {
		return err
	}
	return s.transact(ctx, "declare a conflict of interest", func(tx pgx.Tx) error {
		if err := s.jurorAtWork(ctx, tx, juror, c, entry); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, "DELETE FROM jury_score WHERE idea_id = $1 AND juror_id = $2", entry, juror); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, `INSERT INTO jury_part (idea_id, juror_id, conflict, reason, declared_at) VALUES ($1, $2, $3, $4, $5)
			ON CONFLICT (idea_id, juror_id) DO UPDATE SET conflict = excluded.conflict, reason = excluded.reason, declared_at = excluded.declared_at`,
			entry, juror, conflict, reason, s.config.Clock())
		if err != nil {
			return err
		}
		return audit(ctx, tx, juror, "jury.conflict", "idea", entry, map[string]any{"conflict": conflict})
	})
}

// Decide implements ideas.ChallengeStore.
func (s *Store) Decide(ctx context.Context, member int64, c *ideas.Challenge, winners []ideas.Decided, reason, ties string) error {
	var reasonErr, tiesErr error
	reason, reasonErr = ideas.CleanText("reason", reason, ideas.MaxReason)
	ties, tiesErr = ideas.CleanOptional("ties", ties, ideas.MaxReason)
	winnersErr := c.CheckDecision(winners)
	winners = slices.Clone(winners)
	for i := range winners {
		var err error
		winners[i].Reason, err = ideas.CleanText(fmt.Sprintf("reason-%d", winners[i].Entry), winners[i].Reason, ideas.MaxReason)
		winnersErr = errors.Join(winnersErr, err)
	}
	if err := errors.Join(reasonErr, tiesErr, winnersErr); err != nil {
		return err
	}
	err := s.transact(ctx, "decide a challenge", func(tx pgx.Tx) error {
		who, err := s.actor(ctx, tx, member)
		if err != nil {
			return err
		}
		if !who.roles.May(ideas.MayDecide) {
			return ideas.ErrForbidden
		}
		if err := s.mayDecide(ctx, tx, c); err != nil {
			return err
		}
		if ties == "" {
			if err := s.checkTies(ctx, tx, member, c, winners); err != nil {
				return err
			}
		}
		return s.writeDecision(ctx, tx, who, c, winners, reason, ties)
	})
	if err != nil {
		return err
	}
	return s.refreshNow(ctx)
}

// mayDecide tells why a challenge cannot be decided now, and closes a vote that the decision ends.
func (s *Store) mayDecide(ctx context.Context, tx pgx.Tx, c *ideas.Challenge) error {
	now := s.config.Clock()
	var decided bool
	if err := tx.QueryRow(ctx, "SELECT decided_at IS NOT NULL FROM challenge WHERE id = $1 FOR NO KEY UPDATE", c.ID).Scan(&decided); err != nil {
		return err
	}
	if decided {
		return &ideas.BarredError{Action: ideas.ActionDecide, Code: ideas.BarredClosed}
	}
	if err := c.BarDecision(now); err != nil {
		return err
	}
	p, err := readProgress(ctx, tx, c.ID, "")
	if err != nil {
		return err
	}
	if !p.voteOpen {
		return nil
	}
	return s.closeVote(ctx, tx, c, now)
}

// checkTies asks for a reason where the decision puts one of several that stand equal before the others.
func (s *Store) checkTies(ctx context.Context, tx pgx.Tx, member int64, c *ideas.Challenge, winners []ideas.Decided) error {
	verdicts, err := s.verdicts(ctx, tx, member, c)
	if err != nil {
		return err
	}
	if ideas.BreaksTie(verdicts, winners) {
		return &ideas.FieldError{Field: "ties", Code: "required"}
	}
	return nil
}

// verdicts of the jury and the vote, or of the vote alone where there is no jury.
func (s *Store) verdicts(ctx context.Context, q querier, member int64, c *ideas.Challenge) ([]ideas.JuryVerdict, error) {
	jury, state := control.Jury{BallotPercent: 100}, ideas.JuryState{}
	if c.Spec.Jury != nil {
		jury = *c.Spec.Jury
		if err := s.readJury(ctx, q, member, c, &state); err != nil {
			return nil, err
		}
	} else {
		ids, err := queryIDs(ctx, q, `SELECT i.id FROM idea i JOIN tally t ON t.idea_id = i.id WHERE t.challenge_id = $1 AND t.visible
			ORDER BY t.standing DESC, t.supporters DESC, t.idea_id LIMIT $2`, c.ID, maxJuryEntries)
		if err != nil {
			return nil, err
		}
		if state.Placings, err = s.placings(ctx, q, c, ids); err != nil {
			return nil, err
		}
	}
	return ideas.Verdicts(jury, ideas.RulesOf(c.Ballot()), state.Placings, state.Conflicts, state.Scores), nil
}

func (s *Store) writeDecision(ctx context.Context, tx pgx.Tx, who actor, c *ideas.Challenge, winners []ideas.Decided, reason, ties string) error {
	now := s.config.Clock()
	_, err := tx.Exec(ctx, "INSERT INTO decision (challenge_id, decided_by, decided_at, reason, ties) VALUES ($1, $2, $3, $4, $5)", c.ID, who.id, now, reason, ties)
	if err != nil {
		return err
	}
	ranks := make([]map[string]any, 0, len(winners))
	prizes := make([]ideas.Winner, 0, len(winners))
	for _, w := range winners {
		r, err := lockIdea(ctx, tx, w.Entry, who)
		if err != nil {
			return err
		}
		if r.challenge != c.ID {
			return ideas.ErrNotFound
		}
		_, err = tx.Exec(ctx, "INSERT INTO winner (challenge_id, idea_id, rank, reason) VALUES ($1, $2, $3, $4)", c.ID, w.Entry, w.Rank, w.Reason)
		if err != nil {
			return err
		}
		if r.state != ideas.StateSelected {
			if err := s.moveIdea(ctx, tx, r, ideas.StateSelected, who, ideas.Reason{Text: w.Reason}); err != nil {
				return err
			}
		}
		ranks = append(ranks, map[string]any{"idea": w.Entry, "rank": w.Rank})
		prizes = append(prizes, ideas.Winner{Idea: w.Entry, Rank: w.Rank})
	}
	_, err = tx.Exec(ctx, "UPDATE challenge SET decided_at = $2, phase = $3, phase_at = $2 WHERE id = $1", c.ID, now, ideas.PhaseDecided)
	if err != nil {
		return err
	}
	if err := audit(ctx, tx, who.id, "challenge.decide", "challenge", c.ID, map[string]any{"ranks": ranks, "reason": reason, "ties": ties}); err != nil {
		return err
	}
	if err := s.awardPrizes(ctx, tx, s.Programme(ctx), c.ID, prizes); err != nil {
		return fmt.Errorf("promise the prizes: %w", err)
	}
	err = s.recordEvents(ctx, tx,
		ideas.Event{Kind: ideas.EventChallengePhase, Actor: who.id, Challenge: c.ID, Data: map[string]any{"from": c.PhaseName(now), "to": ideas.PhaseDecided}},
		ideas.Event{Kind: ideas.EventChallengeDecided, Actor: who.id, Challenge: c.ID, Data: map[string]any{"ranks": ranks}})
	if err != nil {
		return err
	}
	// What continues this challenge and has begun already takes the winners over now.
	for _, next := range s.Programme(ctx).Challenges {
		if next.Spec.Origin == c.Name && next.StageAt(now) == ideas.StageOpen {
			if err := s.continueOrigin(ctx, tx, next, now); err != nil {
				return fmt.Errorf("continue in %s: %w", next.Name, err)
			}
		}
	}
	return announceProgramme(ctx, tx)
}

// OutcomeOf implements ideas.ChallengeStore.
func (s *Store) OutcomeOf(ctx context.Context, c *ideas.Challenge) (ideas.Outcome, error) {
	var o ideas.Outcome
	pool, err := s.db()
	if err != nil {
		return o, err
	}
	err = pool.QueryRow(ctx, "SELECT decided_at, reason, ties FROM decision WHERE challenge_id = $1", c.ID).Scan(&o.At, &o.Reason, &o.Ties)
	if err != nil {
		return o, s.failed("read a decision", err)
	}
	rows, err := pool.Query(ctx, "SELECT idea_id, rank, reason FROM winner WHERE challenge_id = $1 ORDER BY rank, idea_id LIMIT $2", c.ID, math.MaxInt16)
	if err != nil {
		return o, s.failed("read a decision", err)
	}
	o.Winners, err = pgx.CollectRows(rows, func(row pgx.CollectableRow) (ideas.Decided, error) {
		var d ideas.Decided
		return d, row.Scan(&d.Entry, &d.Rank, &d.Reason)
	})
	return o, s.wrapped("read a decision", err)
}
