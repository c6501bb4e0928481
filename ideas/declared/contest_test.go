package declared_test

import (
	"strings"
	"testing"

	"github.com/quaeso/community-operator/ideas"
	"github.com/quaeso/community-operator/internal/control"
)

// goodContest has everything that decides one.
func goodContest() control.Challenge {
	label := map[string]string{"en": "Use", "fr": "Utilité"}
	return control.Challenge{
		Type: control.TypeContest, Title: map[string]string{"en": "Summer", "fr": "Été"}, Theme: "light", Terms: []string{"licence"}, Responsible: "lead",
		Phases: []control.Phase{
			{Name: control.PhaseOpen, Start: "2027-06-01T09:00", Allows: []string{"submit", "vote"}},
			{Name: control.PhaseVoting, Start: "2027-07-01T09:00"}, {Name: control.PhaseJury, Start: "2027-07-08T09:00", End: "2027-07-20T09:00"},
		},
		Eligibility: &control.Eligibility{MinimumAge: 16, Attributes: map[string][]string{"region": {"north"}}},
		Ballot:      &control.Ballot{Kind: control.BallotScore, Maximum: 5, Shortlist: 10},
		Jury: &control.Jury{Members: []string{"jury@brand.example"}, BallotPercent: 30, Criteria: []control.Criterion{
			{Name: "use", Label: label, Weight: 60}, {Name: "beauty", Label: label, Weight: 40},
		}},
		Winners: 3, ExclusiveDays: 90,
	}
}

func TestCheckContest(t *testing.T) {
	settings := ideas.Settings{Locales: []string{"en", "fr"}, TimeZone: "Europe/Paris"}
	settings.House = &control.House{
		Themes: []control.Theme{{Name: "light"}}, Terms: []control.Terms{{Name: "licence"}},
		Attributes: []control.Attribute{{Name: "region", Options: []control.Option{{Name: "north"}, {Name: "south"}}}},
	}
	ideation := func(ladder ...control.Rung) func(*control.Challenge) {
		return func(c *control.Challenge) {
			c.Type, c.Ballot, c.Jury, c.Phases, c.Ladder = control.TypeIdeation, nil, nil, nil, ladder
		}
	}
	for name, tc := range map[string]struct {
		change func(*control.Challenge)
		want   string // "" for none
	}{
		"good":                  {func(*control.Challenge) {}, ""},
		"unknown theme":         {func(c *control.Challenge) { c.Theme = "dark" }, "spec.theme: dark is no theme"},
		"unknown terms":         {func(c *control.Challenge) { c.Terms = []string{"nda"} }, "spec.terms[0]: nda names no terms"},
		"continues itself":      {func(c *control.Challenge) { c.Origin = "summer" }, "spec.origin: must be another"},
		"unknown role":          {func(c *control.Challenge) { c.Responsible = "boss" }, "spec.responsible: must be one of"},
		"unknown action":        {func(c *control.Challenge) { c.Phases[0].Allows = []string{"fly"} }, "spec.phases[0].allows[0]: must be one of"},
		"unknown visibility":    {func(c *control.Challenge) { c.Visibility = "secret" }, "spec.visibility: must be one of"},
		"unknown attribute":     {func(c *control.Challenge) { c.Eligibility.Attributes = map[string][]string{"shoe": {"42"}} }, "spec.eligibility.attributes.shoe: is no attribute"},
		"unknown option":        {func(c *control.Challenge) { c.Eligibility.Attributes["region"] = []string{"moon"} }, "spec.eligibility.attributes.region: moon is no option"},
		"no value":              {func(c *control.Challenge) { c.Eligibility.Attributes["region"] = nil }, "must be one value or more"},
		"too old":               {func(c *control.Challenge) { c.Eligibility.MinimumAge = 200 }, "spec.eligibility.minimumAge: must be from 0 to 120"},
		"unknown ballot":        {func(c *control.Challenge) { c.Ballot = &control.Ballot{Kind: "dice"} }, "spec.ballot.kind: must be one of"},
		"an empty scale":        {func(c *control.Challenge) { c.Ballot.Maximum = 0 }, "spec.ballot.maximum: must be more than the minimum 0"},
		"a scale for approvals": {func(c *control.Challenge) { c.Ballot.Kind = control.BallotApproval }, "spec.ballot.minimum: and maximum belong"},
		"an empty budget":       {func(c *control.Challenge) { c.Ballot = &control.Ballot{Kind: control.BallotBudget} }, "spec.ballot.budget: is missing"},
		"more for one than there is": {func(c *control.Challenge) {
			c.Ballot = &control.Ballot{Kind: control.BallotBudget, Budget: 3, MaxPerIdea: 4}
		}, "spec.ballot.maxPerIdea: must not be more than the budget 3"},
		"a budget for approvals":          {func(c *control.Challenge) { c.Ballot = &control.Ballot{Kind: control.BallotApproval, Budget: 3} }, "spec.ballot.budget: belongs to a ballot of kind budget"},
		"a ballot of a survey":            {func(c *control.Challenge) { c.Type = control.TypeSurvey }, "spec.ballot: belongs to a challenge of type ideation or contest"},
		"a jury of nobody":                {func(c *control.Challenge) { c.Jury.Members = nil }, "spec.jury.members: must be 1 to 50 addresses"},
		"a juror without address":         {func(c *control.Challenge) { c.Jury.Members = []string{"Lou"} }, "spec.jury.members[0]: must be an e-mail address"},
		"a juror twice":                   {func(c *control.Challenge) { c.Jury.Members = []string{"a@brand.example", "A@brand.example"} }, "spec.jury.members[1]: repeats"},
		"more scores than jurors":         {func(c *control.Challenge) { c.Jury.ScoresPerEntry = 2 }, "spec.jury.scoresPerEntry: must be from 0 to 1"},
		"weights that do not sum":         {func(c *control.Challenge) { c.Jury.Criteria[0].Weight = 50 }, "spec.jury.criteria: weights must sum to 100, not 90"},
		"no criteria":                     {func(c *control.Challenge) { c.Jury.Criteria = nil }, "spec.jury.criteria: must be 1 to 20 criteria"},
		"a criterion twice":               {func(c *control.Challenge) { c.Jury.Criteria[1].Name = "use" }, "spec.jury.criteria[1].name: repeats"},
		"a jury's phase without jury":     {func(c *control.Challenge) { c.Jury = nil }, "spec.jury: is missing"},
		"ladder":                          {ideation(control.Rung{Supporters: 100, Days: 60}, control.Rung{Supporters: 1000, Days: 365}), ""},
		"a ladder that cannot be climbed": {ideation(control.Rung{Supporters: 100}, control.Rung{Supporters: 100}), "spec.ladder[1].supporters: must be more than the 100"},
		"a rung on the ground":            {ideation(control.Rung{}), "spec.ladder[0].supporters: must be from 1"},
		"a share above all":               {ideation(control.Rung{Supporters: 1, Percent: 101}), "spec.ladder[0].percent: must be from 0 to 100"},
		"a ladder without support":        {func(c *control.Challenge) { c.Ladder = []control.Rung{{Supporters: 1}} }, "spec.ballot: must be plain support"},
		"a batch of nothing":              {func(c *control.Challenge) { c.ReviewBatches = []string{"2027-01-01"} }, "spec.reviewBatches: needs a ladder"},
		"a batch on no day": {func(c *control.Challenge) {
			ideation(control.Rung{Supporters: 1})(c)
			c.ReviewBatches = []string{"2027-02-30"}
		}, "spec.reviewBatches[0]: must be a day"},
		"batches out of order": {func(c *control.Challenge) {
			ideation(control.Rung{Supporters: 1})(c)
			c.ReviewBatches = []string{"2027-02-02", "2027-02-01"}
		}, "spec.reviewBatches[1]: must be after"},
		"a brief of half a megabyte": {func(c *control.Challenge) { c.Brief = map[string]string{"en": strings.Repeat("x", 500_000)} }, "spec.brief.en: must be 100000 bytes at most"},
		"a field without a label":    {func(c *control.Challenge) { c.Form = []control.FormField{{Name: "x", Type: "text"}} }, "spec.form[0].label.en: is missing"},
	} {
		t.Run(name, func(t *testing.T) {
			c := goodContest()
			tc.change(&c)
			refusals := rules.CheckChallenge(control.Object[control.Challenge]{UID: "u", Name: "summer", Generation: 1, Spec: c}, settings)
			var all []string
			for _, r := range refusals {
				all = append(all, r.Field+": "+r.Message)
			}
			got := strings.Join(all, "\n")
			if tc.want == "" && got != "" || !strings.Contains(got, tc.want) {
				t.Errorf("refusals %q, want %q", got, tc.want)
			}
		})
	}
}

// A file in which challenges continue each other in a circle is refused.
func TestCircles(t *testing.T) {
	spec := `{type: ideation, title: {en: x, fr: x}, origin: %s}`
	file := community + "\nchallenges:\n  - {name: a, spec: " + strings.Replace(spec, "%s", "b", 1) + "}\n  - {name: b, spec: " + strings.Replace(spec, "%s", "a", 1) + "}\n"
	if _, err := rules.Read([]byte(file)); err == nil || !strings.Contains(err.Error(), "challenges[0].spec.origin: leads back to this challenge (a → b → a)") {
		t.Errorf("got %v", err)
	}
	if _, err := rules.Read([]byte(strings.Replace(file, "origin: b", "origin: c", 1))); err != nil {
		t.Errorf("a chain is refused: %v", err)
	}
}
