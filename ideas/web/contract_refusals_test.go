package web_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/quaeso/community-operator/internal/control"
)

// fullHouse has what challenges refer to.
func fullHouse() *control.House {
	house := quotaHouse()
	house.Themes = []control.Theme{{Name: "light", Title: map[string]string{"fr": "Lumière", "en": "Light"}}}
	house.Terms = []control.Terms{{Name: "licence", Kind: "licence", Version: "1", Text: map[string]string{"fr": "Nous pouvons l’utiliser.", "en": "We may use it."}}}
	return house
}

// fullContest has everything that decides one. It opens on 10 June 2027.
func fullContest(uid, name string, generation int64) control.Object[control.Challenge] {
	label := map[string]string{"fr": "Nom", "en": "Name"}
	o := ideation(uid, name, generation)
	o.Spec.Type, o.Spec.Theme, o.Spec.Terms, o.Spec.Winners, o.Spec.ExclusiveDays = control.TypeContest, "light", []string{"licence"}, 3, 90
	o.Spec.Phases = []control.Phase{
		{Name: control.PhaseOpen, Start: "2027-06-10T09:00", End: "2027-06-20T09:00"}, {Name: control.PhaseVoting, Start: "2027-06-20T09:00", End: "2027-06-30T09:00"},
		{Name: control.PhaseJury, Start: "2027-07-01T09:00", End: "2027-07-10T09:00"},
	}
	o.Spec.Eligibility = &control.Eligibility{MinimumAge: 16, Attributes: map[string][]string{"region": {"north"}}}
	o.Spec.Form = []control.FormField{{Name: "material", Label: label, Type: "text"}}
	o.Spec.Ballot = &control.Ballot{Kind: control.BallotScore, Maximum: 5, Shortlist: 10}
	o.Spec.Jury = &control.Jury{Members: []string{"jury@brand.example"}, Criteria: []control.Criterion{
		{Name: "use", Label: label, Weight: 60}, {Name: "beauty", Label: label, Weight: 40},
	}}
	return o
}

// fields of refusals; those that wait for something say for what.
func fields(refusals []control.Refusal) []string {
	var all []string
	for _, r := range refusals {
		text := r.Field
		if r.Awaits != nil {
			text += " awaits " + r.Awaits.Kind + " " + r.Awaits.Name
		}
		all = append(all, text)
	}
	return all
}

// Every wrong challenge is refused over the contract: the field is named, the message says what would be right, and
// nothing is in force.
func TestWrongChallengesAreRefused(t *testing.T) {
	c := openContract(t, fullHouse())
	type spec = control.Challenge
	for i, tc := range []struct {
		what    string
		change  func(*spec)
		field   string
		message string
	}{
		{"nothing", func(*spec) {}, "", ""},
		{"a type of its own", func(s *spec) { s.Type = "lottery" }, "spec.type", "must be one of"},
		{"overlapping phases", func(s *spec) { s.Phases[1].Start = "2027-06-19T09:00" }, "spec.phases[1].start", "must not be before the end"},
		{"a reversed phase", func(s *spec) { s.Phases[0].End = "2027-06-01T09:00" }, "spec.phases[0].end", "must be after the start"},
		{"reversed phases", func(s *spec) { s.Phases[0], s.Phases[1] = s.Phases[1], s.Phases[0] }, "spec.phases[1].name", "comes after"},
		{"an unknown phase", func(s *spec) { s.Phases[0].Name = "siesta" }, "spec.phases[0].name", "must be one of"},
		{"dates in the past", func(s *spec) {
			for i := range s.Phases {
				s.Phases[i].Start = strings.Replace(s.Phases[i].Start, "2027", "2017", 1)
				s.Phases[i].End = strings.Replace(s.Phases[i].End, "2027", "2017", 1)
			}
		}, "spec.phases[2].end", "is the year right?"},
		{"a time that clocks pass over", func(s *spec) { s.Phases[2].End = "2028-03-26T02:30" }, "spec.phases[2].end", "an hour later"},
		{"a time with a zone", func(s *spec) { s.Phases[0].Start += "Z" }, "spec.phases[0].start", "such as 2027-06-01T09:00"},
		{"an empty ballot", func(s *spec) { s.Ballot = &control.Ballot{} }, "spec.ballot.kind", "must be one of"},
		{"a scale of nothing", func(s *spec) { s.Ballot.Maximum = 0 }, "spec.ballot.maximum", "0 to 5"},
		{"a ballot that nobody can cast", func(s *spec) { s.Phases = s.Phases[2:] }, "spec.ballot", "needs a phase that lets members vote"},
		{"a ladder that falls", func(s *spec) { s.Ballot, s.Ladder = nil, []control.Rung{{Supporters: 100}, {Supporters: 100}} }, "spec.ladder[1].supporters", "must be more"},
		{"a ladder of more than all", func(s *spec) { s.Ballot, s.Ladder = nil, []control.Rung{{Supporters: 1, Percent: 101}} }, "spec.ladder[0].percent", "from 0 to 100"},
		{"a ladder that nobody can climb", func(s *spec) {
			s.Ballot, s.Ladder, s.Phases[0].Allows, s.Phases[1].Allows = nil, []control.Rung{{Supporters: 1}}, []string{"submit"}, []string{"comment"}
		}, "spec.ladder", "needs a phase that lets members vote"},
		{"a jury of nobody", func(s *spec) { s.Jury.Members = nil }, "spec.jury.members", "a jury of nobody decides nothing"},
		{"a phase without its jury", func(s *spec) { s.Jury = nil }, "spec.jury", "is missing"},
		{"weights that do not sum", func(s *spec) { s.Jury.Criteria[0].Weight = 50 }, "spec.jury.criteria", "must sum to 100, not 90"},
		{"an attribute's option that is none", func(s *spec) { s.Eligibility.Attributes["region"] = []string{"moon"} }, "spec.eligibility.attributes.region", "no option"},
		{"itself as the origin", func(s *spec) { s.Origin = "summer" }, "spec.origin", "another challenge"},
		{"those selected in itself", func(s *spec) { s.Eligibility.SelectedIn = "summer" }, "spec.eligibility.selectedIn", "another challenge"},
		{"a brief of 500 kB", func(s *spec) { s.Brief = map[string]string{"en": strings.Repeat("<", 500_000)} }, "spec.brief.en", "must be 100000 bytes at most, not 500000"},
		{"no title in a language", func(s *spec) { delete(s.Title, "fr") }, "spec.title.fr", "every locale"},
		{"an unknown theme", func(s *spec) { s.Theme = "dark" }, "spec.theme awaits Theme dark", "declare it there"},
		{"unknown terms", func(s *spec) { s.Terms = []string{"nda"} }, "spec.terms[0] awaits Terms nda", "declare them there"},
		{"an unknown attribute", func(s *spec) { s.Eligibility.Attributes = map[string][]string{"shoe": {"42"}} }, "spec.eligibility.attributes.shoe awaits Attribute shoe", "declare it there"},
		{"a quota of an unknown attribute", func(s *spec) { s.Quotas = []control.Quota{{Attribute: "shoe", Value: "42", Percent: 10}} }, "spec.quotas[0].attribute awaits Attribute shoe", "house's attributes"},
		{"an unknown origin", func(s *spec) { s.Origin = "spring" }, "spec.origin awaits Challenge spring", "waits for"},
		{"those selected in an unknown challenge", func(s *spec) { s.Eligibility.SelectedIn = "spring" }, "spec.eligibility.selectedIn awaits Challenge spring", "waits for"},
		{"an unknown policy", func(s *spec) { s.RewardPolicy = "stars" }, "spec.rewardPolicy awaits RewardPolicy stars", "waits for"},
	} {
		t.Run(tc.what, func(t *testing.T) {
			o := fullContest(fmt.Sprint("u", i), "summer", 1)
			tc.change(&o.Spec)
			answer := c.declare(o)
			if tc.field == "" {
				if len(answer.Refusals) > 0 || answer.InForce.UID != o.UID {
					t.Fatalf("refused: %+v", answer)
				}
				// The name is given up for the others, without a trace.
				c.db.Exec(t, "DELETE FROM ideas.ballot", "DELETE FROM ideas.challenge")
				return
			}
			if got := fields(answer.Refusals); len(got) == 0 || got[0] != tc.field {
				t.Fatalf("refused are %q, want %s first", got, tc.field)
			}
			if !strings.Contains(answer.Refusals[0].Message, tc.message) {
				t.Errorf("the message %q does not say %q", answer.Refusals[0].Message, tc.message)
			}
			if answer.Waits() != strings.Contains(tc.field, "awaits") {
				t.Errorf("waits: %t", answer.Waits())
			}
			if answer.InForce != (control.InForce{}) || c.db.QueryInt(t, "SELECT count(*) FROM ideas.challenge") != 0 {
				t.Errorf("in force is %+v", answer.InForce)
			}
		})
	}
}

// Every field that decides a contest is locked once it is open, by its path in the manifest; the contest goes on untouched,
// and the revert is accepted.
func TestOpenContestsAreLocked(t *testing.T) {
	c := openContract(t, fullHouse())
	c.mustDeclare(fullContest("u1", "summer", 1))
	c.at("2027-06-25T12:00")
	type spec = control.Challenge
	generation := int64(1)
	for _, tc := range []struct {
		what   string
		change func(*spec)
		want   []string
	}{
		{"eligibility", func(s *spec) { s.Eligibility.MinimumAge = 18 }, []string{"spec.eligibility.minimumAge"}},
		{"whose region", func(s *spec) { s.Eligibility.Attributes["region"] = []string{"south"} }, []string{"spec.eligibility.attributes"}},
		{"everybody", func(s *spec) { s.Eligibility = nil }, []string{"spec.eligibility"}},
		{"form", func(s *spec) { s.Form[0].Required = true }, []string{"spec.form[0].required"}},
		{"one more question", func(s *spec) { s.Form = append(s.Form, control.FormField{Name: "x", Label: s.Title, Type: "text"}) }, []string{"spec.form"}},
		{"ballot", func(s *spec) { s.Ballot.Maximum, s.Ballot.Hidden = 10, true }, []string{"spec.ballot.maximum", "spec.ballot.hidden"}},
		{"kind of ballot", func(s *spec) { s.Ballot = &control.Ballot{Kind: control.BallotApproval, Shortlist: 10} }, []string{"spec.ballot.kind", "spec.ballot.maximum"}},
		{"jurors", func(s *spec) { s.Jury.Members[0] = "friend@brand.example" }, []string{"spec.jury.members[0]"}},
		{"weights", func(s *spec) { s.Jury.Criteria[0].Weight, s.Jury.Criteria[1].Weight = 50, 50 }, []string{"spec.jury.criteria[0].weight", "spec.jury.criteria[1].weight"}},
		{"winners", func(s *spec) { s.Winners = 1 }, []string{"spec.winners"}},
		{"terms", func(s *spec) { s.Terms = nil }, []string{"spec.terms"}},
		{"rights", func(s *spec) { s.ExclusiveDays = 900 }, []string{"spec.exclusiveDays"}},
		{"a phase that is over", func(s *spec) { s.Phases[0].End = "2027-06-19T09:00" }, []string{"spec.phases[0].end"}},
		{"what it allowed", func(s *spec) { s.Phases[0].Allows = []string{"submit", "vote"} }, []string{"spec.phases[0].allows"}},
		{"the begin of this one", func(s *spec) { s.Phases[1].Start = "2027-06-21T09:00" }, []string{"spec.phases[1].start"}},
		{"type", func(s *spec) { s.Type = control.TypeIdeation }, []string{"spec.type"}},
		{"more time", func(s *spec) { s.Phases[1].End, s.Phases[2].Start = "2027-07-05T09:00", "2027-07-06T09:00" }, nil},
		{"another brief", func(s *spec) { s.Brief = map[string]string{"en": "Shine!"} }, nil},
		{"the revert", func(*spec) {}, nil},
	} {
		t.Run(tc.what, func(t *testing.T) {
			before := c.observeChallenge("u1")
			o := fullContest("u1", "summer", generation+1)
			tc.change(&o.Spec)
			answer := c.declare(o)
			if diff := cmp.Diff(tc.want, fields(answer.Refusals)); diff != "" {
				t.Fatalf("refusals (-want +got):\n%s", diff)
			}
			for _, r := range answer.Refusals {
				if !strings.Contains(r.Message, "put back") {
					t.Errorf("%s does not say what to do: %s", r.Field, r.Message)
				}
			}
			if tc.want == nil {
				generation++
				return
			}
			if answer.InForce != before.InForce {
				t.Errorf("in force is %+v, want %+v", answer.InForce, before.InForce)
			}
			if diff := cmp.Diff(before, c.observeChallenge("u1")); diff != "" {
				t.Errorf("the contest has changed (-before +after):\n%s", diff)
			}
		})
	}
}

// The community's settings do not change what was agreed either: the text of accepted terms, and the moments of phases.
func TestSettingsThatAreLocked(t *testing.T) {
	c := openContract(t, fullHouse())
	c.mustDeclare(fullContest("u1", "summer", 1))
	for _, tc := range []struct {
		what, now string
		change    func(*control.Declaration)
		want      []string
	}{
		{"another text of a version", "2027-06-01T12:00", func(d *control.Declaration) { d.Settings.House.Terms[0].Text["en"] = "We own it." }, []string{"settings.house.terms[0].text.en"}},
		{"a version of its own", "2027-06-01T12:00", func(d *control.Declaration) {
			d.Settings.House.Terms[0].Text["en"], d.Settings.House.Terms[0].Version = "We own it.", "2"
		}, nil},
		{"the zone before it opens", "2027-06-01T12:00", func(d *control.Declaration) { d.Settings.TimeZone = "Europe/Lisbon" }, nil},
		{"the zone while it is open", "2027-06-25T12:00", func(d *control.Declaration) { d.Settings.TimeZone = "Europe/Paris" }, []string{"settings.timeZone"}},
		{"a zone of the same time", "2027-06-25T12:00", func(d *control.Declaration) { d.Settings.TimeZone = "Europe/London" }, nil},
		{"the zone after it", "2027-08-25T12:00", func(d *control.Declaration) { d.Settings.TimeZone = "Europe/Paris" }, nil},
	} {
		t.Run(tc.what, func(t *testing.T) {
			c.at(tc.now)
			d := valid()
			d.Settings.House = fullHouse()
			settings, _ := c.store.Current(t.Context())
			d.Generation, d.Settings.TimeZone = c.store.InForce().Generation+1, settings.TimeZone
			tc.change(&d)
			answer, err := c.client.Declare(t.Context(), c.address, controlToken, d)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tc.want, fields(answer.Refusals)); diff != "" {
				t.Errorf("refusals (-want +got):\n%s", diff)
			}
			if taken := answer.InForce.Generation == d.Generation; taken != (tc.want == nil) {
				t.Errorf("in force is generation %d after %d", answer.InForce.Generation, d.Generation)
			}
		})
	}
}

func (c *operated) declarePolicy(o control.Object[control.RewardPolicy]) control.Answer {
	c.Helper()
	answer, err := c.client.DeclareRewardPolicy(c.Context(), c.address, controlToken, o)
	if err != nil {
		c.Fatal(err)
	}
	return answer
}

func stars(uid string, generation int64) control.Object[control.RewardPolicy] {
	title := map[string]string{"fr": "Prix", "en": "Prize"}
	return control.Object[control.RewardPolicy]{UID: uid, Name: "stars", Generation: generation, Spec: control.RewardPolicy{
		Rules:  []control.RewardRule{{Name: "idea", Event: "idea.published", Points: 10}},
		Prizes: []control.Prize{{FromRank: 1, Title: title, Amount: 100_000}, {FromRank: 2, ToRank: 3, Title: title}}, Currency: "EUR",
	}}
}

// Prizes of an open contest are locked, and nothing else of the policy is; a wrong policy is refused before it changes
// anything.
func TestPoliciesAreRefused(t *testing.T) {
	c := openContract(t, fullHouse())
	if answer := c.declarePolicy(stars("p1", 1)); len(answer.Refusals) > 0 {
		t.Fatalf("refused: %+v", answer)
	}
	o := fullContest("u1", "summer", 1)
	o.Spec.RewardPolicy = "stars"
	c.mustDeclare(o)
	type spec = control.RewardPolicy
	generation := int64(1)
	for _, tc := range []struct {
		what, now string
		change    func(*spec)
		want      []string
	}{
		{"prizes before it opens", "2027-06-01T12:00", func(s *spec) { s.Prizes[0].Amount++ }, nil},
		{"as it was", "2027-06-01T12:00", func(*spec) {}, nil},
		{"a prize without a currency", "2027-06-01T12:00", func(s *spec) { s.Currency = "" }, []string{"spec.currency"}},
		{"an unknown currency", "2027-06-01T12:00", func(s *spec) { s.Currency = "XXQ" }, []string{"spec.currency"}},
		{"a wrong condition", "2027-06-01T12:00", func(s *spec) { s.Rules[0].Condition = "idea.colour == 1" }, []string{"spec.rules[0].condition"}},
		{"an unknown event", "2027-06-01T12:00", func(s *spec) { s.Rules[0].Event = "idea.sneezed" }, []string{"spec.rules[0].event"}},
		{"a smaller prize", "2027-06-25T12:00", func(s *spec) { s.Prizes[0].Amount = 1 }, []string{"spec.prizes[0].amount"}},
		{"a prize less", "2027-06-25T12:00", func(s *spec) { s.Prizes = s.Prizes[:1] }, []string{"spec.prizes"}},
		{"another currency", "2027-06-25T12:00", func(s *spec) { s.Currency = "JPY" }, []string{"spec.currency"}},
		{"rules", "2027-06-25T12:00", func(s *spec) { s.Rules[0].Points = 20 }, nil},
	} {
		t.Run(tc.what, func(t *testing.T) {
			c.at(tc.now)
			next := stars("p1", generation+1)
			tc.change(&next.Spec)
			answer := c.declarePolicy(next)
			if diff := cmp.Diff(tc.want, fields(answer.Refusals)); diff != "" {
				t.Errorf("refusals (-want +got):\n%s", diff)
			}
			if tc.want == nil {
				generation++
			}
			if answer.InForce.Generation != generation || answer.InForce.UID != "p1" {
				t.Errorf("in force is %+v, want generation %d", answer.InForce, generation)
			}
		})
	}
}

// Challenges may be declared before what they refer to, in any order; those that wait for each other are told so.
func TestTheOrderDoesNotMatter(t *testing.T) {
	c := openContract(t, fullHouse())
	linked := func(uid, name, origin, selectedIn, policy string) control.Object[control.Challenge] {
		o := fullContest(uid, name, 1)
		o.Spec.Origin, o.Spec.Eligibility.SelectedIn, o.Spec.RewardPolicy = origin, selectedIn, policy
		return o
	}
	all := map[string]control.Object[control.Challenge]{
		"autumn": linked("u3", "autumn", "summer", "spring", ""), "spring": linked("u1", "spring", "", "", "stars"), "summer": linked("u2", "summer", "spring", "", ""),
	}
	accepted := map[string]int{}
	for round := 1; round <= 3; round++ {
		for _, name := range slices.Sorted(maps.Keys(all)) {
			if answer := c.declare(all[name]); answer.InForce.UID == all[name].UID {
				accepted[name] = round
			} else if !answer.Waits() {
				t.Errorf("%s does not wait: %+v", name, answer.Refusals)
			}
			if accepted[name] > 0 {
				delete(all, name)
			}
		}
		if round == 1 {
			c.declarePolicy(stars("p1", 1))
		}
	}
	if diff := cmp.Diff(map[string]int{"spring": 2, "summer": 2, "autumn": 3}, accepted); diff != "" {
		t.Errorf("accepted in round (-want +got):\n%s", diff)
	}
	// A circle of challenges of which none is in force yet, and one that an edit would close.
	if answer := c.declare(linked("c1", "egg", "hen", "", "")); !answer.Waits() {
		t.Errorf("the egg does not wait: %+v", answer.Refusals)
	}
	for range 2 {
		for _, o := range []control.Object[control.Challenge]{linked("c2", "hen", "", "egg", ""), linked("c1", "egg", "hen", "", "")} {
			if answer := c.declare(o); answer.Waits() || len(answer.Refusals) != 1 || !strings.Contains(answer.Refusals[0].Message, "leads back") {
				t.Errorf("the circle of %s is answered with %+v", o.Name, answer)
			}
		}
	}
	if answer := c.declare(linked("c2", "hen", "", "", "")); len(answer.Refusals) > 0 {
		t.Errorf("the hen alone is refused: %+v", answer.Refusals)
	}
	closing := linked("u1", "spring", "autumn", "", "stars")
	closing.Generation = 2
	if answer := c.declare(closing); len(answer.Refusals) != 1 || answer.Refusals[0].Field != "spec.origin" || !strings.Contains(answer.Refusals[0].Message, "spring → autumn → ") {
		t.Errorf("an edit that closes a circle is answered with %+v", answer)
	}
	// What a challenge refers to may be withdrawn; its declaration can still change.
	if err := c.client.WithdrawRewardPolicy(t.Context(), c.address, controlToken, "p1"); err != nil {
		t.Fatal(err)
	}
	closing.Spec.Origin, closing.Spec.Winners = "", 2
	c.mustDeclare(closing)
}
