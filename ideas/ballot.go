package ideas

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/quaeso/community-operator/internal/control"
)

// scorePrior is the number of votes in the middle of the scale with which every entry of a score ballot begins, so that
// a single high one does not lead.
const scorePrior = 5

// BallotRules are what holds for every single vote of a ballot.
type BallotRules struct {
	Kind string
	// Minimum and Maximum points of one vote.
	Minimum, Maximum int
	// Allowance of a member, and of each day where ByDay; 0 means no bound.
	Allowance int
	// CountsPoints tells that the allowance is of points, not of votes.
	CountsPoints bool
	// ByDay tells that votes belong to a day, and that a member may vote for the same entry on another.
	ByDay bool
}

// RulesOf a ballot, with what is left out filled in.
func RulesOf(b control.Ballot) BallotRules {
	r := BallotRules{Kind: b.Kind, Minimum: 1, Maximum: 1}
	switch b.Kind {
	case control.BallotPerDay:
		r.Allowance, r.ByDay = max(b.PerDay, 1), true
	case control.BallotScore:
		r.Minimum, r.Maximum = b.Minimum, b.Maximum
	case control.BallotBudget:
		r.Allowance, r.CountsPoints, r.Maximum = b.Budget, true, b.Budget
		if b.MaxPerIdea > 0 {
			r.Maximum = min(b.MaxPerIdea, b.Budget)
		}
	case control.BallotApproval:
		r.Allowance = b.Approvals
	}
	return r
}

// Plain tells whether votes are the support that ideas outside challenges have too. A hidden vote is not: nothing of it
// may show before it closes.
func (c *Challenge) Plain() bool {
	b := c.Ballot()
	return b.Kind == control.BallotSupport && !b.Hidden
}

// BallotVote is one vote as a ballot keeps it.
type BallotVote struct {
	Entry int64
	// Voter is a member's id or, in a published result, a pseudonym.
	Voter string
	// Day of a vote by day, "2027-06-01"; else empty.
	Day    string
	Points int
}

// VoteFault says in which way votes break a ballot's rules.
type VoteFault struct {
	Vote BallotVote
	// Code is "points", "allowance", "twice" or "day".
	Code string
}

// Error implements error.
func (e *VoteFault) Error() string {
	return fmt.Sprintf("vote of %s for entry %d: %s", e.Vote.Voter, e.Vote.Entry, e.Code)
}

// Check finds the first vote that breaks the rules, in the order given; nil where all keep them.
func (r BallotRules) Check(votes []BallotVote) error {
	type key struct {
		entry      int64
		voter, day string
	}
	type purse struct{ voter, day string }
	seen, used := map[key]bool{}, map[purse]int{}
	for _, v := range votes {
		if !r.ByDay && v.Day != "" || r.ByDay && v.Day == "" {
			return &VoteFault{v, "day"}
		}
		if v.Points < r.Minimum || v.Points > r.Maximum {
			return &VoteFault{v, "points"}
		}
		k := key{v.Entry, v.Voter, v.Day}
		if seen[k] {
			return &VoteFault{v, "twice"}
		}
		seen[k] = true
		p := purse{v.Voter, v.Day}
		if r.CountsPoints {
			used[p] += v.Points
		} else {
			used[p]++
		}
		if r.Allowance > 0 && used[p] > r.Allowance {
			return &VoteFault{v, "allowance"}
		}
	}
	return nil
}

// Placing is how an entry stands in a ballot.
type Placing struct {
	Entry  int64
	Votes  int
	Points int64
	// Rank from 1; entries that stand equal share one, and the next is as much lower.
	Rank int
}

// CountVotes counts votes by entry. Entries without votes are there too.
func CountVotes(entries []int64, votes []BallotVote) []Placing {
	standings := make([]Placing, len(entries))
	at := make(map[int64]int, len(entries))
	for i, id := range entries {
		standings[i].Entry, at[id] = id, i
	}
	for _, v := range votes {
		if i, ok := at[v.Entry]; ok {
			standings[i].Votes++
			standings[i].Points += int64(v.Points)
		}
	}
	return standings
}

// Compare orders two standings by what the ballot ranks: negative where x leads. The order is exact: no rounding makes
// or breaks a tie.
func (r BallotRules) Compare(x, y Placing) int {
	if r.Kind != control.BallotScore {
		return cmp.Compare(y.Points, x.Points)
	}
	middle := int64(scorePrior * (r.Minimum + r.Maximum)) // twice the points of the prior votes
	over, under := 2*x.Points+middle, int64(x.Votes+scorePrior)
	otherOver, otherUnder := 2*y.Points+middle, int64(y.Votes+scorePrior)
	return cmp.Compare(otherOver*under, over*otherUnder)
}

// Rank sorts standings and gives ranks. Those that stand equal share a rank and are in the order of their ids.
func (r BallotRules) Rank(standings []Placing) []Placing {
	ranked := slices.Clone(standings)
	slices.SortFunc(ranked, func(x, y Placing) int { return cmp.Or(r.Compare(x, y), cmp.Compare(x.Entry, y.Entry)) })
	for i := range ranked {
		if i > 0 && r.Compare(ranked[i-1], ranked[i]) == 0 {
			ranked[i].Rank = ranked[i-1].Rank
		} else {
			ranked[i].Rank = i + 1
		}
	}
	return ranked
}

// Shortlist is how many of the ranked go on: n, and all that stand equal with the last of them. 0 means all.
func Shortlist(ranked []Placing, n int) []Placing {
	if n <= 0 || n >= len(ranked) {
		return ranked
	}
	last := ranked[n-1].Rank
	for n < len(ranked) && ranked[n].Rank == last {
		n++
	}
	return ranked[:n]
}

// Mean of the scores, in hundredths, rounded; 0 without votes. It is what people read, and not what ranks.
func (s Placing) Mean() int {
	if s.Votes == 0 {
		return 0
	}
	n := int64(s.Votes)
	return int((200*s.Points + n) / (2 * n))
}
