package ideas_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/quaeso/community-operator/ideas"
	"github.com/quaeso/community-operator/internal/control"
)

func paris(t *testing.T) *time.Location {
	t.Helper()
	zone, err := time.LoadLocation("Europe/Paris")
	if err != nil {
		t.Fatal(err)
	}
	return zone
}

// challenge makes one with phases in Paris.
func challenge(t *testing.T, spec control.Challenge) *ideas.Challenge {
	t.Helper()
	phases, err := ideas.ResolvePhases(spec.Phases, paris(t))
	if err != nil {
		t.Fatal(err)
	}
	return &ideas.Challenge{ID: 1, UID: "uid-1", Name: "test", Generation: 1, Spec: spec, Phases: phases}
}

func at(t *testing.T, text string) time.Time {
	t.Helper()
	moment, err := time.Parse(time.RFC3339, text)
	if err != nil {
		t.Fatal(err)
	}
	return moment
}

// A phase lasts from its start by the clocks of the community to its end, whatever daylight saving does in between.
func TestAllows(t *testing.T) {
	contest := control.Challenge{Type: control.TypeContest, Phases: []control.Phase{
		{Name: control.PhaseOpen, Start: "2027-03-27T09:00", End: "2027-03-28T09:00"}, // a night of 23 hours
		{Name: control.PhaseVoting, Start: "2027-10-30T12:00", End: "2027-10-31T12:00"},
		{Name: control.PhaseJury, Start: "2027-11-01T00:00"},
	}}
	custom := contest
	custom.Phases = []control.Phase{{Name: control.PhaseOpen, Start: "2027-01-01T00:00", Allows: []string{"vote"}}}
	paused := contest
	paused.Paused = map[string]string{"en": "later"}
	for name, tc := range map[string]struct {
		spec   control.Challenge
		now    string
		action ideas.Action
		want   bool
	}{
		"a moment before":            {contest, "2027-03-27T07:59:59Z", ideas.ActionSubmit, false},
		"the first moment":           {contest, "2027-03-27T08:00:00Z", ideas.ActionSubmit, true},
		"the last second":            {contest, "2027-03-28T06:59:59Z", ideas.ActionSubmit, true},
		"the end, in summer time":    {contest, "2027-03-28T07:00:00Z", ideas.ActionSubmit, false},
		"no vote while open":         {contest, "2027-03-27T08:00:00Z", ideas.ActionVote, false},
		"vote starts in summer time": {contest, "2027-10-30T10:00:00Z", ideas.ActionVote, true},
		"vote lasts 25 hours":        {contest, "2027-10-31T10:59:59Z", ideas.ActionVote, true},
		"vote ends in winter time":   {contest, "2027-10-31T11:00:00Z", ideas.ActionVote, false},
		"jury comments":              {contest, "2027-12-01T00:00:00Z", ideas.ActionComment, true},
		"jury takes no entries":      {contest, "2027-12-01T00:00:00Z", ideas.ActionSubmit, false},
		"declared: vote":             {custom, "2027-02-01T00:00:00Z", ideas.ActionVote, true},
		"declared: nothing else":     {custom, "2027-02-01T00:00:00Z", ideas.ActionSubmit, false},
		"paused":                     {paused, "2027-03-27T08:00:00Z", ideas.ActionSubmit, false},
		"always open":                {control.Challenge{Type: control.TypeIdeation}, "2027-01-01T00:00:00Z", ideas.ActionVote, true},
		"a survey has no vote":       {control.Challenge{Type: control.TypeSurvey}, "2027-01-01T00:00:00Z", ideas.ActionVote, false},
	} {
		t.Run(name, func(t *testing.T) {
			if got := challenge(t, tc.spec).Allows(at(t, tc.now), tc.action); got != tc.want {
				t.Errorf("%s at %s: %v, want %v", tc.action, tc.now, got, tc.want)
			}
		})
	}
}

// After a downtime every phase that has begun is carried out, in order and once.
func TestTransitions(t *testing.T) {
	c := challenge(t, control.Challenge{Type: control.TypeContest, Phases: []control.Phase{
		{Name: control.PhaseOpen, Start: "2027-03-01T00:00", End: "2027-03-28T03:00"}, // the hour after the one that is skipped
		{Name: control.PhaseVoting, Start: "2027-04-01T00:00"},
		{Name: control.PhaseJury, Start: "2027-10-31T02:30", End: "2027-11-10T00:00"}, // the first of two
	}})
	long := "2028-01-01T00:00:00Z"
	all := []ideas.Transition{
		{ideas.PhaseScheduled, control.PhaseOpen, at(t, "2027-02-28T23:00:00Z")},
		{control.PhaseOpen, ideas.PhaseBetween, at(t, "2027-03-28T01:00:00Z")},
		{ideas.PhaseBetween, control.PhaseVoting, at(t, "2027-03-31T22:00:00Z")},
		{control.PhaseVoting, control.PhaseJury, at(t, "2027-10-31T00:30:00Z")},
		{control.PhaseJury, ideas.PhaseClosed, at(t, "2027-11-09T23:00:00Z")},
	}
	for name, tc := range map[string]struct {
		from       string
		since, now string
		want       []ideas.Transition
	}{
		"nothing yet":      {ideas.PhaseScheduled, "2027-01-01T00:00:00Z", "2027-02-28T22:59:59Z", nil},
		"the first moment": {ideas.PhaseScheduled, "2027-01-01T00:00:00Z", "2027-02-28T23:00:00Z", all[:1]},
		"once":             {control.PhaseOpen, "2027-02-28T23:00:00Z", "2027-03-01T00:00:00Z", nil},
		"everything":       {ideas.PhaseScheduled, "2027-01-01T00:00:00Z", long, all},
		"from the middle":  {control.PhaseVoting, "2027-03-31T22:00:00Z", long, all[3:]},
	} {
		t.Run(name, func(t *testing.T) {
			got := c.Transitions(tc.from, at(t, tc.since), at(t, tc.now))
			if diff := cmp.Diff(tc.want, got, cmp.Comparer(func(x, y time.Time) bool { return x.Equal(y) })); diff != "" {
				t.Errorf("transitions (-want +got):\n%s", diff)
			}
		})
	}
}

func TestObstacles(t *testing.T) {
	member := ideas.Participant{
		Age: 17, Level: 2, Attributes: map[string][]string{"region": {"north"}}, Roles: []string{"tester"}, SelectedIn: []string{"spring"}, Entries: 2,
		AcceptedTerms: true,
	}
	for name, tc := range map[string]struct {
		eligibility control.Eligibility
		change      func(*ideas.Participant)
		want        []ideas.Obstacle
	}{
		"nobody is barred":    {control.Eligibility{}, nil, nil},
		"old enough":          {control.Eligibility{MinimumAge: 17}, nil, nil},
		"too young":           {control.Eligibility{MinimumAge: 18}, nil, []ideas.Obstacle{{Code: ideas.ObstacleAge, Number: 18}}},
		"age not given":       {control.Eligibility{MinimumAge: 16}, func(p *ideas.Participant) { p.Age = 0 }, []ideas.Obstacle{{Code: ideas.ObstacleAgeGiven, Number: 16}}},
		"level reached":       {control.Eligibility{Level: 2}, nil, nil},
		"level too low":       {control.Eligibility{Level: 3}, nil, []ideas.Obstacle{{Code: ideas.ObstacleLevel, Number: 3}}},
		"one of the values":   {control.Eligibility{Attributes: map[string][]string{"region": {"north", "east"}}}, nil, nil},
		"none of the values":  {control.Eligibility{Attributes: map[string][]string{"region": {"south"}}}, nil, []ideas.Obstacle{{Code: ideas.ObstacleAttribute, Name: "region", Values: []string{"south"}}}},
		"role":                {control.Eligibility{Roles: []string{"tester", "lead"}}, nil, nil},
		"not the role":        {control.Eligibility{Roles: []string{"lead"}}, nil, []ideas.Obstacle{{Code: ideas.ObstacleRole, Values: []string{"lead"}}}},
		"selected":            {control.Eligibility{SelectedIn: "spring"}, nil, nil},
		"not selected":        {control.Eligibility{SelectedIn: "autumn"}, nil, []ideas.Obstacle{{Code: ideas.ObstacleSelected, Name: "autumn"}}},
		"entries left":        {control.Eligibility{EntriesPerMember: 3}, nil, nil},
		"no entries left":     {control.Eligibility{EntriesPerMember: 2}, nil, []ideas.Obstacle{{Code: ideas.ObstacleEntries, Number: 2}}},
		"all that is missing": {control.Eligibility{MinimumAge: 18, Level: 3}, nil, []ideas.Obstacle{{Code: ideas.ObstacleAge, Number: 18}, {Code: ideas.ObstacleLevel, Number: 3}}},
	} {
		t.Run(name, func(t *testing.T) {
			p := member
			if tc.change != nil {
				tc.change(&p)
			}
			c := challenge(t, control.Challenge{Type: control.TypeContest, Eligibility: &tc.eligibility})
			if diff := cmp.Diff(tc.want, c.EntryObstacles(p)); diff != "" {
				t.Errorf("obstacles (-want +got):\n%s", diff)
			}
		})
	}
}
