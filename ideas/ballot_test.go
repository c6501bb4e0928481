package ideas_test

import (
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/quaeso/community-operator/ideas"
	"github.com/quaeso/community-operator/internal/control"
)

func vote(voter string, entry int64, points int) ideas.BallotVote {
	return ideas.BallotVote{Voter: voter, Entry: entry, Points: points}
}

func on(day string, v ideas.BallotVote) ideas.BallotVote {
	v.Day = day
	return v
}

func TestBallotRules(t *testing.T) {
	support := control.Ballot{Kind: control.BallotSupport}
	perDay := control.Ballot{Kind: control.BallotPerDay, PerDay: 2}
	score := control.Ballot{Kind: control.BallotScore, Maximum: 5}
	budget := control.Ballot{Kind: control.BallotBudget, Budget: 10, MaxPerIdea: 6}
	approval := control.Ballot{Kind: control.BallotApproval, Approvals: 2}
	for name, tc := range map[string]struct {
		ballot control.Ballot
		votes  []ideas.BallotVote
		want   string
	}{
		"support of several":             {support, []ideas.BallotVote{vote("a", 1, 1), vote("a", 2, 1), vote("b", 1, 1)}, ""},
		"support twice":                  {support, []ideas.BallotVote{vote("a", 1, 1), vote("a", 1, 1)}, "twice"},
		"support of two points":          {support, []ideas.BallotVote{vote("a", 1, 2)}, "points"},
		"as many as a day has":           {perDay, []ideas.BallotVote{on("2027-03-28", vote("a", 1, 1)), on("2027-03-28", vote("a", 2, 1)), on("2027-03-29", vote("a", 1, 1))}, ""},
		"more than a day has":            {perDay, []ideas.BallotVote{on("2027-03-28", vote("a", 1, 1)), on("2027-03-28", vote("a", 2, 1)), on("2027-03-28", vote("a", 3, 1))}, "allowance"},
		"the same twice on a day":        {perDay, []ideas.BallotVote{on("2027-03-28", vote("a", 1, 1)), on("2027-03-28", vote("a", 1, 1))}, "twice"},
		"by day without a day":           {perDay, []ideas.BallotVote{vote("a", 1, 1)}, "day"},
		"one a day when nothing is said": {control.Ballot{Kind: control.BallotPerDay}, []ideas.BallotVote{on("2027-03-28", vote("a", 1, 1)), on("2027-03-28", vote("a", 2, 1))}, "allowance"},
		"scores":                         {score, []ideas.BallotVote{vote("a", 1, 0), vote("a", 2, 5)}, ""},
		"a score above the scale":        {score, []ideas.BallotVote{vote("a", 1, 6)}, "points"},
		"a score below the scale":        {score, []ideas.BallotVote{vote("a", 1, -1)}, "points"},
		"a budget spent":                 {budget, []ideas.BallotVote{vote("a", 1, 6), vote("a", 2, 4)}, ""},
		"a budget overspent":             {budget, []ideas.BallotVote{vote("a", 1, 6), vote("a", 2, 5)}, "allowance"},
		"too much for one":               {budget, []ideas.BallotVote{vote("a", 1, 7)}, "points"},
		"all of a budget for one":        {control.Ballot{Kind: control.BallotBudget, Budget: 10}, []ideas.BallotVote{vote("a", 1, 10)}, ""},
		"approvals":                      {approval, []ideas.BallotVote{vote("a", 1, 1), vote("a", 2, 1), vote("b", 3, 1)}, ""},
		"one approval too many":          {approval, []ideas.BallotVote{vote("a", 1, 1), vote("a", 2, 1), vote("a", 3, 1)}, "allowance"},
		"approvals without a bound":      {control.Ballot{Kind: control.BallotApproval}, []ideas.BallotVote{vote("a", 1, 1), vote("a", 2, 1), vote("a", 3, 1)}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			err := ideas.RulesOf(tc.ballot).Check(tc.votes)
			var fault *ideas.VoteFault
			got := ""
			if errors.As(err, &fault) {
				got = fault.Code
			}
			if got != tc.want {
				t.Errorf("fault %q, want %q", got, tc.want)
			}
		})
	}
}

func TestBallotRank(t *testing.T) {
	for name, tc := range map[string]struct {
		ballot control.Ballot
		votes  []ideas.BallotVote
		want   map[int64]int // ranks of the entries 1 to 3
	}{
		"support": {control.Ballot{Kind: control.BallotSupport}, []ideas.BallotVote{vote("a", 2, 1), vote("b", 2, 1), vote("a", 3, 1)}, map[int64]int{2: 1, 3: 2, 1: 3}},
		"ties share a rank and leave a gap": {
			control.Ballot{Kind: control.BallotApproval}, []ideas.BallotVote{vote("a", 2, 1), vote("b", 3, 1)}, map[int64]int{2: 1, 3: 1, 1: 3},
		},
		"budget counts points": {control.Ballot{Kind: control.BallotBudget, Budget: 10}, []ideas.BallotVote{vote("a", 1, 9), vote("a", 2, 1), vote("b", 2, 2)}, map[int64]int{1: 1, 2: 2, 3: 3}},
		// One 5 against three of 5, 5 and 4: the mean is higher, and still it does not lead.
		"a single high score does not lead": {
			control.Ballot{Kind: control.BallotScore, Maximum: 5}, []ideas.BallotVote{vote("a", 1, 5), vote("a", 2, 5), vote("b", 2, 5), vote("c", 2, 4)}, map[int64]int{2: 1, 1: 2, 3: 3},
		},
		// Without a vote an entry stands in the middle, and bad scores take it below.
		"bad scores are worse than none": {
			control.Ballot{Kind: control.BallotScore, Maximum: 5}, []ideas.BallotVote{vote("a", 1, 0), vote("b", 1, 1), vote("a", 2, 3)}, map[int64]int{2: 1, 3: 2, 1: 3},
		},
		"equal scores tie exactly": {
			control.Ballot{Kind: control.BallotScore, Minimum: 1, Maximum: 4}, []ideas.BallotVote{vote("a", 1, 1), vote("b", 1, 4), vote("a", 2, 3), vote("b", 2, 2)}, map[int64]int{1: 1, 2: 1, 3: 1},
		},
	} {
		t.Run(name, func(t *testing.T) {
			got := map[int64]int{}
			for _, s := range ideas.RulesOf(tc.ballot).Rank(ideas.CountVotes([]int64{1, 2, 3}, tc.votes)) {
				got[s.Entry] = s.Rank
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("ranks (-want +got):\n%s", diff)
			}
		})
	}
}

// A shortlist leaves nobody out who stands equal with its last.
func TestShortlist(t *testing.T) {
	ranked := []ideas.Placing{{Entry: 1, Rank: 1}, {Entry: 2, Rank: 2}, {Entry: 3, Rank: 2}, {Entry: 4, Rank: 4}}
	for n, want := range map[int]int{0: 4, 1: 1, 2: 3, 3: 3, 4: 4, 9: 4} {
		if got := len(ideas.Shortlist(ranked, n)); got != want {
			t.Errorf("%d places: %d go on, want %d", n, got, want)
		}
	}
}

func TestMean(t *testing.T) {
	for want, s := range map[int]ideas.Placing{0: {}, 450: {Votes: 2, Points: 9}, 333: {Votes: 3, Points: 10}, 467: {Votes: 3, Points: 14}} {
		if got := s.Mean(); got != want {
			t.Errorf("%d points of %d votes: %d, want %d", s.Points, s.Votes, got, want)
		}
	}
}

// The ladder of a toy maker: 100 in 60 days, 1,000 in a year, twice 5,000 in half a year.
var toyLadder = []control.Rung{{Supporters: 100, Days: 60}, {Supporters: 1000, Days: 365}, {Supporters: 5000, Days: 182}, {Supporters: 10000, Days: 182}}

func TestLadder(t *testing.T) {
	start := at(t, "2027-02-01T09:00:00Z") // ten o'clock in Paris
	published := ideas.Climb{Since: start, Deadline: at(t, "2027-04-02T08:00:00Z")}
	onRung := func(n int, since, deadline string) ideas.Climb {
		return ideas.Climb{Rung: n, Since: at(t, since), Deadline: at(t, deadline)}
	}
	share := []control.Rung{{Supporters: 10, Percent: 50, Days: 10}}
	for name, tc := range map[string]struct {
		ladder  []control.Rung
		from    ideas.Climb
		support ideas.Support
		now     string
		want    ideas.Climb
	}{
		"on its way":                      {toyLadder, published, ideas.Support{Supporters: 99}, "2027-04-02T07:59:59Z", published},
		"in time":                         {toyLadder, published, ideas.Support{Supporters: 100}, "2027-03-01T12:00:00Z", onRung(1, "2027-03-01T12:00:00Z", "2028-02-29T12:00:00Z")},
		"too late, by the same o'clock":   {toyLadder, published, ideas.Support{Supporters: 99}, "2027-04-02T08:00:00Z", ideas.Climb{Since: start, Deadline: published.Deadline, Expired: true}},
		"in time, noticed after downtime": {toyLadder, published, ideas.Support{Supporters: 100}, "2027-04-03T00:00:00Z", onRung(1, "2027-04-02T08:00:00Z", "2028-04-01T08:00:00Z")},
		"several at once":                 {toyLadder, published, ideas.Support{Supporters: 5000}, "2027-03-01T12:00:00Z", onRung(3, "2027-03-01T12:00:00Z", "2027-08-30T11:00:00Z")},
		"to the top": {
			toyLadder, onRung(3, "2027-03-01T12:00:00Z", "2027-08-30T11:00:00Z"), ideas.Support{Supporters: 10000}, "2027-08-01T00:00:00Z",
			ideas.Climb{Rung: 4, Since: at(t, "2027-08-01T00:00:00Z"), Done: true},
		},
		"expires half way":     {toyLadder, onRung(3, "2027-03-01T12:00:00Z", "2027-08-30T11:00:00Z"), ideas.Support{Supporters: 9999}, "2027-08-30T11:00:00Z", ideas.Climb{Rung: 3, Since: at(t, "2027-03-01T12:00:00Z"), Deadline: at(t, "2027-08-30T11:00:00Z"), Expired: true}},
		"many, but a minority": {share, ideas.Climb{Since: start}, ideas.Support{Supporters: 10, Seen: 21}, "2027-02-02T00:00:00Z", ideas.Climb{Since: start}},
		"a majority":           {share, ideas.Climb{Since: start}, ideas.Support{Supporters: 10, Seen: 20}, "2027-02-02T00:00:00Z", ideas.Climb{Rung: 1, Since: at(t, "2027-02-02T00:00:00Z"), Done: true}},
		"no deadline":          {[]control.Rung{{Supporters: 5}}, ideas.Climb{Since: start}, ideas.Support{Supporters: 4}, "2037-01-01T00:00:00Z", ideas.Climb{Since: start}},
	} {
		t.Run(name, func(t *testing.T) {
			got := ideas.NextRung(tc.ladder, tc.from, tc.support, at(t, tc.now), paris(t))
			if diff := cmp.Diff(tc.want, got, cmp.Comparer(func(x, y time.Time) bool { return x.Equal(y) })); diff != "" {
				t.Errorf("climb (-want +got):\n%s", diff)
			}
		})
	}
	if got := ideas.DeadlineOf(toyLadder[0], start, paris(t)); !got.Equal(published.Deadline) {
		t.Errorf("sixty days, one of them of 23 hours, end at %s", got)
	}
}
