package ideas

import (
	"cmp"
	"errors"
	"math/big"
	"slices"
	"strings"
	"time"

	"github.com/quaeso/community-operator/internal/control"
)

// DefaultMaximum of a criterion's scores.
const DefaultMaximum = 10

// MaximumOf a criterion's scores.
func MaximumOf(c control.Criterion) int {
	if c.Maximum > 0 {
		return c.Maximum
	}
	return DefaultMaximum
}

// Seat is the place of an address among the jurors; -1 for none. Seats do not change once a challenge is open.
func (c *Challenge) Seat(email string) int {
	if c.Spec.Jury == nil || email == "" {
		return -1
	}
	return slices.IndexFunc(c.Spec.Jury.Members, func(m string) bool { return strings.EqualFold(m, email) })
}

// AssignedSeats are the jurors who score an entry, given the seats that have declared a conflict of interest on it. The
// entries go round the table, so that each juror has as many; whoever has a conflict passes the entry on to the next.
func AssignedSeats(jury control.Jury, entry int64, conflicts []int) []int {
	n := len(jury.Members)
	if n == 0 {
		return nil
	}
	wanted := jury.ScoresPerEntry
	if wanted <= 0 || wanted > n {
		wanted = n
	}
	var seats []int
	for i := range n {
		seat := int((entry + int64(i)) % int64(n))
		if len(seats) < wanted && !slices.Contains(conflicts, seat) {
			seats = append(seats, seat)
		}
	}
	slices.Sort(seats)
	return seats
}

// JuryScore is what one juror gave an entry for one criterion.
type JuryScore struct {
	Entry     int64
	Seat      int
	Criterion string
	Score     int
}

// JuryVerdict is how an entry stands after jury and ballot. Values are exact.
type JuryVerdict struct {
	Entry int64
	// Jury is the mean of the jurors' weighted scores, and Ballot how the community voted, both from 0 to 100.
	Jury, Ballot *big.Rat
	// Final joins both as the challenge declares.
	Final *big.Rat
	// Scores is how many of the assigned jurors have scored all criteria, of Assigned.
	Scores, Assigned int
	// Rank from 1; those that stand equal share one.
	Rank int
}

// Tied tells whether another verdict has the same rank.
func Tied(verdicts []JuryVerdict, rank int) bool {
	n := 0
	for _, v := range verdicts {
		if v.Rank == rank {
			n++
		}
	}
	return n > 1
}

// Verdicts ranks entries by the jury's scores and the ballot's standings as the jury declares. conflicts are the seats
// that have declared one, by entry. A juror counts with all criteria scored.
func Verdicts(jury control.Jury, rules BallotRules, standings []Placing, conflicts map[int64][]int, scores []JuryScore) []JuryVerdict {
	given := map[int64]map[int]map[string]int{}
	for _, s := range scores {
		if given[s.Entry] == nil {
			given[s.Entry] = map[int]map[string]int{}
		}
		if given[s.Entry][s.Seat] == nil {
			given[s.Entry][s.Seat] = map[string]int{}
		}
		given[s.Entry][s.Seat][s.Criterion] = s.Score
	}
	ballot := ballotShares(rules, standings)
	verdicts := make([]JuryVerdict, len(standings))
	for i, standing := range standings {
		v := JuryVerdict{Entry: standing.Entry, Jury: new(big.Rat), Ballot: ballot[i]}
		seats := AssignedSeats(jury, standing.Entry, conflicts[standing.Entry])
		v.Assigned = len(seats)
		for _, seat := range seats {
			if sum, complete := weighted(jury.Criteria, given[standing.Entry][seat]); complete {
				v.Jury.Add(v.Jury, sum)
				v.Scores++
			}
		}
		if v.Scores > 0 {
			v.Jury.Quo(v.Jury, big.NewRat(int64(v.Scores), 1))
		}
		ballotPart := new(big.Rat).Mul(v.Ballot, big.NewRat(int64(jury.BallotPercent), 100))
		juryPart := new(big.Rat).Mul(v.Jury, big.NewRat(int64(100-jury.BallotPercent), 100))
		v.Final = juryPart.Add(juryPart, ballotPart)
		verdicts[i] = v
	}
	slices.SortFunc(verdicts, func(x, y JuryVerdict) int { return cmp.Or(y.Final.Cmp(x.Final), cmp.Compare(x.Entry, y.Entry)) })
	for i := range verdicts {
		verdicts[i].Rank = i + 1
		if i > 0 && verdicts[i].Final.Cmp(verdicts[i-1].Final) == 0 {
			verdicts[i].Rank = verdicts[i-1].Rank
		}
	}
	return verdicts
}

// weighted is a juror's score of an entry from 0 to 100; complete is false while a criterion is missing.
func weighted(criteria []control.Criterion, given map[string]int) (sum *big.Rat, complete bool) {
	sum = new(big.Rat)
	for _, c := range criteria {
		score, ok := given[c.Name]
		if !ok {
			return sum, false
		}
		sum.Add(sum, big.NewRat(int64(score)*int64(c.Weight), int64(MaximumOf(c))))
	}
	return sum, true
}

// ballotShares are the standings from 0 to 100: of the scale for scores, else of the entry that leads.
func ballotShares(rules BallotRules, standings []Placing) []*big.Rat {
	shares := make([]*big.Rat, len(standings))
	lead := int64(0)
	for _, s := range standings {
		lead = max(lead, s.Points)
	}
	for i, s := range standings {
		shares[i] = new(big.Rat)
		switch {
		case rules.Kind == control.BallotScore && rules.Maximum > rules.Minimum:
			// (2·points + prior) / (2·(votes + prior)), of the scale from minimum to maximum
			votes := int64(s.Votes + scorePrior)
			over := 2*s.Points + int64(scorePrior*(rules.Minimum+rules.Maximum)) - 2*votes*int64(rules.Minimum)
			shares[i].SetFrac64(over*100, 2*votes*int64(rules.Maximum-rules.Minimum))
		case rules.Kind != control.BallotScore && lead > 0:
			shares[i].SetFrac64(s.Points*100, lead)
		}
	}
	return shares
}

// Decided is one entry's place in a decision.
type Decided struct {
	Entry int64
	Rank  int
	// Reason is public.
	Reason string
}

// CheckDecision refuses winners whose ranks do not follow on each other from 1, or that are more than the challenge has
// places for. Several may share a rank, with that much fewer places after them.
func (c *Challenge) CheckDecision(winners []Decided) error {
	if len(winners) == 0 {
		return &FieldError{Field: "winners", Code: "required"}
	}
	if c.Spec.Winners > 0 && len(winners) > c.Spec.Winners {
		return &FieldError{Field: "winners", Code: "too_many", Limit: c.Spec.Winners}
	}
	ranks := make([]int, len(winners))
	for i, w := range winners {
		ranks[i] = w.Rank
	}
	slices.Sort(ranks)
	for i, rank := range ranks {
		if rank != i+1 && (i == 0 || rank != ranks[i-1]) {
			return &FieldError{Field: "winners", Code: "ranks"}
		}
	}
	return nil
}

// BreaksTie tells whether winners put one entry before another that stands equal with it: then the lead says why.
func BreaksTie(verdicts []JuryVerdict, winners []Decided) bool {
	placed := map[int64]int{}
	for _, w := range winners {
		placed[w.Entry] = w.Rank
	}
	for i, v := range verdicts {
		for _, other := range verdicts[i+1:] {
			if other.Rank == v.Rank && placed[v.Entry] != placed[other.Entry] {
				return true
			}
		}
	}
	return false
}

// CheckScores refuses scores of a juror that lack a criterion or are beyond its scale.
func (c *Challenge) CheckScores(scores map[string]int) error {
	var wrong []error
	for _, criterion := range c.Spec.Jury.Criteria {
		field := "score-" + criterion.Name
		score, given := scores[criterion.Name]
		switch {
		case !given:
			wrong = append(wrong, &FieldError{Field: field, Code: "required"})
		case score < 0 || score > MaximumOf(criterion):
			wrong = append(wrong, &FieldError{Field: field, Code: "too_large", Limit: MaximumOf(criterion)})
		}
	}
	return errors.Join(wrong...)
}

// BarJury tells why jurors cannot score at a moment; nil where they can: from the end of the vote to the decision.
func (c *Challenge) BarJury(now time.Time) error {
	switch {
	case len(c.Spec.Cancelled) > 0:
		return &BarredError{Action: ActionScore, Code: BarredCancelled}
	case len(c.Spec.Paused) > 0:
		return &BarredError{Action: ActionScore, Code: BarredPaused}
	case !c.DecidedAt.IsZero(), !c.ArchivedAt.IsZero():
		return &BarredError{Action: ActionScore, Code: BarredClosed}
	}
	for _, p := range c.Phases {
		if p.Name == control.PhaseJury {
			if now.Before(p.Start) {
				return &BarredError{Action: ActionScore, Code: BarredPhase}
			}
			return nil
		}
	}
	if !c.VoteClosed(now) {
		return &BarredError{Action: ActionScore, Code: BarredPhase}
	}
	return nil
}

// BarDecision tells why a challenge cannot be decided at a moment; nil where it can: after the vote, once the jury's
// phase has begun where there is one.
func (c *Challenge) BarDecision(now time.Time) error {
	switch _, ends := c.VoteEnd(); {
	case c.Spec.Type != control.TypeContest && c.Spec.Type != control.TypeIdeation:
		return &BarredError{Action: ActionDecide, Code: BarredPhase}
	case len(c.Spec.Cancelled) > 0:
		return &BarredError{Action: ActionDecide, Code: BarredCancelled}
	case len(c.Spec.Paused) > 0:
		return &BarredError{Action: ActionDecide, Code: BarredPaused}
	case !c.DecidedAt.IsZero():
		return &BarredError{Action: ActionDecide, Code: BarredClosed}
	case c.Spec.Jury != nil && c.BarJury(now) != nil, ends && !c.VoteClosed(now):
		return &BarredError{Action: ActionDecide, Code: BarredPhase}
	}
	return nil
}
