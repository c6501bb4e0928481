package ideas_test

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/quaeso/community-operator/ideas"
	"github.com/quaeso/community-operator/internal/control"
)

func juryOf(members, perEntry, ballotPercent int) control.Jury {
	j := control.Jury{ScoresPerEntry: perEntry, BallotPercent: ballotPercent, Criteria: []control.Criterion{
		{Name: "beauty", Weight: 60}, {Name: "use", Weight: 40, Maximum: 5},
	}}
	for i := range members {
		j.Members = append(j.Members, string(rune('a'+i))+"@brand.example")
	}
	return j
}

func TestAssignedSeats(t *testing.T) {
	for name, tc := range map[string]struct {
		jury      control.Jury
		entry     int64
		conflicts []int
		want      []int
	}{
		"everybody scores everything":          {juryOf(3, 0, 0), 7, nil, []int{0, 1, 2}},
		"without who has a conflict":           {juryOf(3, 0, 0), 7, []int{1}, []int{0, 2}},
		"two of four, going round":             {juryOf(4, 2, 0), 7, nil, []int{0, 3}},
		"the next entry goes to the next":      {juryOf(4, 2, 0), 8, nil, []int{0, 1}},
		"a conflict passes it on":              {juryOf(4, 2, 0), 7, []int{3}, []int{0, 1}},
		"more scores than jurors":              {juryOf(2, 5, 0), 1, nil, []int{0, 1}},
		"nobody is left":                       {juryOf(2, 1, 0), 1, []int{0, 1}, nil},
		"a jury of nobody, which is refused":   {control.Jury{}, 1, nil, nil},
		"a single juror, whatever the number ": {juryOf(1, 1, 0), 99, nil, []int{0}},
	} {
		if diff := cmp.Diff(tc.want, ideas.AssignedSeats(tc.jury, tc.entry, tc.conflicts)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

func TestVerdicts(t *testing.T) {
	scores := func(entry int64, seat, beauty, use int) []ideas.JuryScore {
		return []ideas.JuryScore{{entry, seat, "beauty", beauty}, {entry, seat, "use", use}}
	}
	join := func(lists ...[]ideas.JuryScore) []ideas.JuryScore {
		var all []ideas.JuryScore
		for _, l := range lists {
			all = append(all, l...)
		}
		return all
	}
	standings := []ideas.Placing{{Entry: 1, Votes: 10, Points: 10}, {Entry: 2, Votes: 5, Points: 5}}
	support := ideas.RulesOf(control.Ballot{Kind: control.BallotSupport})
	for name, tc := range map[string]struct {
		jury      control.Jury
		rules     ideas.BallotRules
		standings []ideas.Placing
		conflicts map[int64][]int
		scores    []ideas.JuryScore
		want      map[int64]string
	}{
		// 10 of 10 at 60 % and 5 of 5 at 40 % are 100; 5 and 0 are 30.
		"weights":            {juryOf(1, 0, 0), support, standings, nil, join(scores(1, 0, 5, 0), scores(2, 0, 10, 5)), map[int64]string{2: "#1 100.00 1/1", 1: "#2 30.00 1/1"}},
		"the mean of jurors": {juryOf(2, 0, 0), support, standings[:1], nil, join(scores(1, 0, 10, 5), scores(1, 1, 5, 0)), map[int64]string{1: "#1 65.00 2/2"}},
		"a juror with half of the criteria does not count yet": {
			juryOf(2, 0, 0), support, standings[:1], nil, join(scores(1, 0, 10, 5), scores(1, 1, 5, 0)[:1]), map[int64]string{1: "#1 100.00 1/2"},
		},
		"a juror with a conflict does not count": {
			juryOf(2, 0, 0), support, standings[:1], map[int64][]int{1: {0}}, join(scores(1, 0, 10, 5), scores(1, 1, 5, 0)), map[int64]string{1: "#1 30.00 1/1"},
		},
		"a score for nobody's entry": {juryOf(2, 1, 0), support, standings[:1], nil, scores(1, 0, 10, 5), map[int64]string{1: "#1 0.00 0/1"}},
		// Jury 0 and 100, community 100 and 50, of which a quarter counts.
		"the community counts too": {juryOf(1, 0, 25), support, standings, nil, join(scores(1, 0, 0, 0), scores(2, 0, 10, 5)), map[int64]string{2: "#1 87.50 1/1", 1: "#2 25.00 1/1"}},
		"ties are shown":           {juryOf(1, 0, 0), support, standings, nil, join(scores(1, 0, 10, 0), scores(2, 0, 10, 0)), map[int64]string{1: "#1 60.00 1/1", 2: "#1 60.00 1/1"}},
		"scores of the community are of their scale": {
			juryOf(1, 0, 100), ideas.RulesOf(control.Ballot{Kind: control.BallotScore, Maximum: 5}),
			[]ideas.Placing{{Entry: 1, Votes: 5, Points: 25}, {Entry: 2}}, nil, nil, map[int64]string{1: "#1 75.00 0/1", 2: "#2 50.00 0/1"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			got := map[int64]string{}
			for _, v := range ideas.Verdicts(tc.jury, tc.rules, tc.standings, tc.conflicts, tc.scores) {
				got[v.Entry] = "#" + string(rune('0'+v.Rank)) + " " + v.Final.FloatString(2) + " " + string(rune('0'+v.Scores)) + "/" + string(rune('0'+v.Assigned))
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("verdicts (-want +got):\n%s", diff)
			}
		})
	}
}

func TestCheckDecision(t *testing.T) {
	ranks := func(ranks ...int) []ideas.Decided {
		winners := make([]ideas.Decided, len(ranks))
		for i, r := range ranks {
			winners[i] = ideas.Decided{Entry: int64(i + 1), Rank: r}
		}
		return winners
	}
	for name, tc := range map[string]struct {
		places int
		ranks  []ideas.Decided
		want   string
	}{
		"one":                        {3, ranks(1), ""},
		"three in any order":         {3, ranks(2, 3, 1), ""},
		"two share the first":        {3, ranks(1, 1, 3), ""},
		"two share the first, wrong": {3, ranks(1, 1, 2), "ranks"},
		"a gap":                      {3, ranks(1, 3), "ranks"},
		"nobody first":               {3, ranks(2, 3), "ranks"},
		"none":                       {3, nil, "required"},
		"more than places":           {2, ranks(1, 2, 3), "too_many"},
		"as many as the lead likes":  {0, ranks(1, 2, 3, 4), ""},
	} {
		c := challenge(t, control.Challenge{Type: control.TypeContest, Winners: tc.places})
		err := c.CheckDecision(tc.ranks)
		var field *ideas.FieldError
		got := ""
		if errors.As(err, &field) {
			got = field.Code
		}
		if got != tc.want {
			t.Errorf("%s: %q, want %q", name, got, tc.want)
		}
	}
}
