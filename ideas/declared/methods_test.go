package declared_test

import (
	"strings"
	"testing"

	"github.com/goccy/go-yaml"

	"github.com/quaeso/community-operator/ideas"
	"github.com/quaeso/community-operator/internal/control"
)

// methods are valid declarations that each row of the test spoils in one place.
var methods = map[string]string{
	"survey": `
type: survey
title: {en: S, fr: S}
quotas: [{attribute: region, value: north, percent: 60}, {attribute: region, value: south, percent: 40}]
survey:
  limit: 100
  questions:
    - {name: flew, type: single, label: {en: Flew, fr: Volé}, options: [{name: "yes", label: {en: Y, fr: O}}, {name: "no", label: {en: N, fr: N}}]}
    - {name: why, type: text, label: {en: Why, fr: Pourquoi}, showIf: flew=yes}
    - {name: grid, type: matrix, label: {en: G, fr: G}, rows: [{name: seat, label: {en: S, fr: S}}], options: [{name: good, label: {en: G, fr: B}}, {name: bad, label: {en: B, fr: M}}]}
    - {name: scale, type: scale, minimum: 1, maximum: 7, label: {en: S, fr: S}}
`,
	"test": `
type: betaTest
title: {en: T, fr: T}
recruiting:
  places: 4
  selection: draw
  role: tester
  questions: [{name: home, type: choice, label: {en: H, fr: H}, options: [{name: flat, label: {en: F, fr: A}}, {name: house, label: {en: H, fr: M}}]}]
  quotas: [{attribute: home, value: flat, percent: 50}]
betaTest: {diaryDays: 3, dropOutDays: 7, kit: {en: K, fr: K}, finalSurvey: {questions: [{name: nps, type: nps, label: {en: N, fr: N}}]}}
`,
	"concept": `
type: conceptTest
title: {en: C, fr: C}
conceptTest:
  perMember: 1
  stimuli: [{name: a, title: {en: A, fr: A}, image: "https://brand.example/a.png", imageAlt: {en: A, fr: A}}, {name: b, title: {en: B, fr: B}, text: {en: B, fr: B}}]
  questions: [{name: like, type: rating, label: {en: L, fr: L}}]
`,
	"workshop": `
type: workshop
title: {en: W, fr: W}
workshop:
  sessions:
    - {name: one, title: {en: O, fr: U}, start: "2027-03-01T18:00", end: "2027-03-01T19:00", capacity: 5, link: "https://meet.brand.example/1", facilitator: lou@brand.example, rounds: [{title: {en: R, fr: R}, minutes: 20}]}
`,
	"mission": `
type: mission
title: {en: M, fr: M}
mission: {role: hunter, tasks: [{name: fly, title: {en: F, fr: V}, due: "2027-03-01T18:00"}]}
`,
	"forum": `
type: forum
title: {en: F, fr: F}
forum: {themes: [food]}
`,
}

var methodSettings = ideas.Settings{
	Locales: []string{"en", "fr"}, TimeZone: "Europe/Paris",
	House: &control.House{
		Themes:     []control.Theme{{Name: "food"}},
		Attributes: []control.Attribute{{Name: "region", Options: []control.Option{{Name: "north"}, {Name: "south"}}}},
	},
}

func refusedMethods(t *testing.T, content string) string {
	t.Helper()
	var spec control.Challenge
	if err := yaml.UnmarshalWithOptions([]byte(content), &spec, yaml.UseJSONUnmarshaler(), yaml.Strict()); err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, r := range rules.CheckChallenge(control.Object[control.Challenge]{UID: "u", Generation: 1, Name: "c", Spec: spec}, methodSettings) {
		all = append(all, r.Field+": "+r.Message)
	}
	return strings.Join(all, "; ")
}

func TestMethodsThatCanBePutInForce(t *testing.T) {
	for name, content := range methods {
		if got := refusedMethods(t, content); got != "" {
			t.Errorf("%s is refused: %s", name, got)
		}
	}
}

func TestMethodsThatAreRefused(t *testing.T) {
	for _, tc := range []struct{ method, old, new, want string }{
		{"survey", "type: survey", "type: forum", "spec.survey: belongs to a challenge of type survey, not forum"},
		{"survey", "type: survey", "type: forum", "spec.forum: is missing"},
		{"survey", "limit: 100", "limit: 0", "spec.survey.limit: must be set where quotas are"},
		{"survey", "value: south, percent: 40", "value: south, percent: 41", "spec.quotas[1].percent: must leave the quotas of region at 100"},
		{"survey", "value: south", "value: west", "spec.quotas[1].value: must be one of the options of region"},
		{"survey", "value: south", "value: north", "spec.quotas[1].value: repeats"},
		{"survey", "attribute: region, value: south", "attribute: shoe, value: south", "spec.quotas[1].attribute: must be one of the house's"},
		{"survey", "showIf: flew=yes", "showIf: flew=maybe", "spec.survey.questions[1].showIf: must name one of the options of flew"},
		{"survey", "showIf: flew=yes", "showIf: grid=good", "spec.survey.questions[1].showIf: must be an earlier question"},
		{"survey", "name: why", "name: flew", "spec.survey.questions[1].name: repeats"},
		{"survey", "name: why", "name: w.hy", "spec.survey.questions[1].name: must be a name"},
		{"survey", "type: scale", "type: surprise", "spec.survey.questions[3].type: must be one of"},
		{"survey", "maximum: 7", "maximum: 1", "spec.survey.questions[3].maximum: must make a scale"},
		{"survey", "maximum: 7", "maximum: 99", "spec.survey.questions[3].maximum: must make a scale"},
		{"survey", "rows: [{name: seat, label: {en: S, fr: S}}],", "", "spec.survey.questions[2].rows: must be 1 to"},
		{"survey", "fr: Pourquoi", "", "spec.survey.questions[1].label.fr: is missing"},
		{"test", "selection: draw", "selection: dice", "spec.recruiting.selection: must be one of"},
		{"test", "places: 4", "places: 0", "spec.recruiting.places: must be 1 to"},
		{"test", "value: flat", "value: boat", "spec.recruiting.quotas[0].value: must be one of the options of home"},
		{"test", "name: home, type: choice", "name: home, type: file", "spec.recruiting.questions[0].type: must not be file"},
		{"test", "dropOutDays: 7", "dropOutDays: 3", "spec.betaTest.dropOutDays: must be more than diaryDays"},
		{"test", "type: nps", "type: single", "spec.betaTest.finalSurvey.questions[0].options: must be 2 to"},
		{"concept", "https://brand.example/a.png", "http://brand.example/a.png", "spec.conceptTest.stimuli[0].image: must be an https address"},
		{"concept", ", imageAlt: {en: A, fr: A}", "", "spec.conceptTest.stimuli[0].imageAlt.en: is missing"},
		{"concept", ", text: {en: B, fr: B}", "", "spec.conceptTest.stimuli[1]: must show something"},
		{"concept", "perMember: 1", "perMember: 3", "spec.conceptTest.perMember: must be 0 for all"},
		{"workshop", "T19:00", "T18:00", "spec.workshop.sessions[0].end: must be after the start"},
		{"workshop", "2027-03-01T19:00", "noon", "spec.workshop.sessions[0].end: read \"noon\""},
		{"workshop", "minutes: 20", "minutes: 61", "spec.workshop.sessions[0].rounds: must fit"},
		{"workshop", "capacity: 5", "capacity: 0", "spec.workshop.sessions[0].capacity: must be 1 to"},
		{"workshop", `link: "https://meet.brand.example/1", `, "", "spec.workshop.sessions[0].place: is missing"},
		{"workshop", "lou@brand.example", "lou", "spec.workshop.sessions[0].facilitator: must be an e-mail address"},
		{"mission", "role: hunter", "role: a b", "spec.mission.role: must be a name"},
		{"mission", "2027-03-01T18:00", "2027-03-28T02:30", "spec.mission.tasks[0].due: read"},
		{"forum", "themes: [food]", "themes: [wine]", "spec.forum.themes[0]: must be one of the house's themes"},
	} {
		content := strings.Replace(methods[tc.method], tc.old, tc.new, 1)
		if content == methods[tc.method] {
			t.Errorf("%s has no %q", tc.method, tc.old)
		}
		if got := refusedMethods(t, content); !strings.Contains(got, tc.want) {
			t.Errorf("%s with %q: got %q, want %q", tc.method, tc.new, got, tc.want)
		}
	}
}
