package rules_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/quaeso/community-operator/internal/rules"
)

func compile(t testing.TB, p rules.Policy) *rules.Engine {
	t.Helper()
	e, err := rules.Compile(p)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func zone(t testing.TB, name string) *time.Location {
	t.Helper()
	z, err := time.LoadLocation(name)
	if err != nil {
		t.Fatal(err)
	}
	return z
}

func TestApply(t *testing.T) {
	noon := time.Date(2027, 3, 27, 12, 0, 0, 0, time.UTC)
	for name, tc := range map[string]struct {
		policy   func(*rules.Policy)
		facts    rules.Facts
		standing rules.Standing
		want     rules.Outcome
	}{
		"a rule": {
			facts: rules.Facts{Event: "idea.published", Actor: true},
			want: rules.Outcome{
				Entries: []rules.Entry{{Rule: "published", Points: 10}}, Points: 10, Level: 1, Advanced: []string{"third-idea"},
			},
		},
		"an event that no rule is about":         {facts: rules.Facts{Event: "comment.published", Actor: true}, standing: rules.Standing{Points: 7}, want: rules.Outcome{Points: 7}},
		"the author, where it goes to the actor": {facts: rules.Facts{Event: "idea.published", Author: true}},
		"the actor, where it goes to the author": {facts: rules.Facts{Event: "idea.supported", Actor: true, Idea: rules.IdeaFacts{Supporters: 10}}},
		"whom it concerns": {
			policy: func(p *rules.Policy) { p.Rules[0].To = rules.ToSubject }, facts: rules.Facts{Event: "idea.published", Subject: true},
			want: rules.Outcome{Entries: []rules.Entry{{Rule: "published", Points: 10}}, Points: 10, Level: 1},
		},
		"what is left of the day's cap": {
			facts: rules.Facts{Event: "idea.published", Actor: true}, standing: rules.Standing{Points: 13, Today: map[string]int64{"published": 13}},
			want: rules.Outcome{
				Entries: []rules.Entry{{Rule: "published", Points: 7}}, Points: 20, Before: 1, Level: 1, Advanced: []string{"third-idea"},
			},
		},
		"a cap that is used up": {
			facts: rules.Facts{Event: "idea.published", Actor: true}, standing: rules.Standing{Points: 20, Today: map[string]int64{"published": 20}},
			want: rules.Outcome{Points: 20, Before: 1, Level: 1, Advanced: []string{"third-idea"}},
		},
		"a cap lowered below what was given": {
			facts: rules.Facts{Event: "idea.published", Actor: true}, standing: rules.Standing{Points: 5, Today: map[string]int64{"published": 90}},
			want: rules.Outcome{Points: 5, Advanced: []string{"third-idea"}},
		},
		"a condition that holds": {
			facts: rules.Facts{Event: "idea.supported", Author: true, Idea: rules.IdeaFacts{Supporters: 10}},
			want:  rules.Outcome{Entries: []rules.Entry{{Rule: "discussed", Points: 5}}, Points: 5},
		},
		"a condition that does not": {facts: rules.Facts{Event: "idea.supported", Author: true, Self: true, Idea: rules.IdeaFacts{Supporters: 10}}},
		"a condition that fails does not hold": {
			policy: condition("1 / idea.supporters > 0"), facts: rules.Facts{Event: "idea.supported", Author: true},
			want: rules.Outcome{Failures: []rules.Failure{{Field: "rules[1].condition"}}},
		},
		"the points before, in a rule": {
			policy: condition("member.points == 29 && member.level == 1"), facts: rules.Facts{Event: "idea.supported", Author: true}, standing: rules.Standing{Points: 29},
			want: rules.Outcome{
				Entries: []rules.Entry{{Rule: "discussed", Points: 5}}, Points: 34, Before: 1, Level: 2,
				Advanced: []string{"rich"}, Awarded: []string{"rich"},
			},
		},
		"the last of a badge's count": {
			facts: rules.Facts{Event: "idea.published", Actor: true}, standing: rules.Standing{Progress: map[string]int64{"third-idea": 2}, Today: map[string]int64{"published": 20}},
			want: rules.Outcome{Advanced: []string{"third-idea"}, Awarded: []string{"third-idea"}},
		},
		"a badge that the member has": {
			facts: rules.Facts{Event: "idea.supported", Author: true}, standing: rules.Standing{Points: 40, Badges: map[string]bool{"rich": true}},
			want: rules.Outcome{Points: 40, Before: 2, Level: 2},
		},
		"the hour of the community": {
			policy: condition("event.hour == 21 && event.weekday == 6 && event.time.getHours() == 12"),
			facts:  rules.Facts{Event: "idea.supported", Author: true, Time: noon.In(zone(t, "Asia/Tokyo"))},
			want:   rules.Outcome{Entries: []rules.Entry{{Rule: "discussed", Points: 5}}, Points: 5},
		},
		"lists, texts and the rest": {
			policy: condition("'juror' in member.roles && member.days > 30 && idea.tags.exists(t, t == 'tent') && idea.state == 'gathering' && idea.theme == 'camp' && " +
				"idea.comments == 3 && challenge.name == 'c' && challenge.type == 'contest' && challenge.theme == 'sea' && event.value == 4 && event.name == 'idea.supported'"),
			facts: rules.Facts{
				Event: "idea.supported", Author: true, Value: 4, Member: rules.MemberFacts{Days: 31, Roles: []string{"host", "juror"}},
				Idea:      rules.IdeaFacts{Tags: []string{"tent"}, State: "gathering", Theme: "camp", Comments: 3},
				Challenge: rules.ChallengeFacts{Name: "c", Type: "contest", Theme: "sea"},
			},
			want: rules.Outcome{Entries: []rules.Entry{{Rule: "discussed", Points: 5}}, Points: 5},
		},
	} {
		t.Run(name, func(t *testing.T) {
			p := policy()
			if tc.policy != nil {
				tc.policy(&p)
			}
			got := compile(t, p).Apply(tc.facts, tc.standing)
			if diff := cmp.Diff(tc.want, got, cmpopts.IgnoreFields(rules.Failure{}, "Err")); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestLevel(t *testing.T) {
	e := compile(t, policy())
	for points, want := range map[int64]int{0: 0, 9: 0, 10: 1, 29: 1, 30: 2, 1_000_000: 2} {
		if got := e.Level(points); got != want {
			t.Errorf("%d points are level %d, want %d", points, got, want)
		}
	}
}

func TestWants(t *testing.T) {
	p := policy()
	p.Rules = p.Rules[:1]
	e := compile(t, p)
	if !e.Wants("idea.published") || !e.Wants("idea.supported") || e.Wants("comment.published") {
		t.Error("the events of rules and badges are not the ones wanted")
	}
}

// Caps count days of the calendar in the community's time zone, whatever their length.
func TestDailyCapByDay(t *testing.T) {
	for name, tc := range map[string]struct {
		zone  string
		times []string
		want  []int64
	}{
		// 29 March 2026 has 23 hours in Paris, 25 October 25.
		"the short day": {"Europe/Paris", []string{
			"2026-03-28T22:59:59Z", "2026-03-28T23:00:00Z", "2026-03-29T21:59:59Z", "2026-03-29T22:00:00Z",
		}, []int64{10, 10, 0, 10}},
		"the long day": {"Europe/Paris", []string{
			"2026-10-24T21:59:59Z", "2026-10-24T22:00:00Z", "2026-10-25T22:30:00Z", "2026-10-25T23:00:00Z",
		}, []int64{10, 10, 0, 10}},
		"the hour that comes twice":      {"Europe/Paris", []string{"2026-10-25T00:30:00Z", "2026-10-25T01:30:00Z"}, []int64{10, 0}},
		"far from Greenwich":             {"Pacific/Auckland", []string{"2026-06-01T11:59:00Z", "2026-06-01T12:00:00Z"}, []int64{10, 10}},
		"the day that Samoa did without": {"Pacific/Apia", []string{"2011-12-30T09:59:00Z", "2011-12-30T10:00:00Z"}, []int64{10, 10}},
	} {
		t.Run(name, func(t *testing.T) {
			e := compile(t, rules.Policy{Rules: []rules.Rule{{Name: "r", Event: "comment.published", Points: 10, DailyCap: 10}}})
			account, before := rules.NewAccount(), int64(0)
			for i, text := range tc.times {
				at, err := time.Parse(time.RFC3339, text)
				if err != nil {
					t.Fatal(err)
				}
				out := account.Apply(e, zone(t, tc.zone), int64(i)+1, rules.Facts{Event: "comment.published", Actor: true, Time: at})
				if got := out.Points - before; got != tc.want[i] {
					t.Errorf("%s gives %d points, want %d", text, got, tc.want[i])
				}
				before = out.Points
			}
		})
	}
}

// What was taken back makes room under the cap of its day, and only of that day.
func TestReverse(t *testing.T) {
	e := compile(t, rules.Policy{
		Rules:  []rules.Rule{{Name: "r", Event: "idea.supported", Points: 10, DailyCap: 15}},
		Badges: []rules.Badge{{Name: "b", Event: "idea.supported", Count: 2}},
	})
	account := rules.NewAccount()
	at := time.Date(2027, 1, 1, 12, 0, 0, 0, time.UTC)
	for i, step := range []struct {
		reverse int64
		want    int64
		badge   bool
	}{{0, 10, false}, {1, 0, false}, {0, 10, false}, {0, 15, true}, {4, 10, true}, {0, 15, true}, {2, 15, true}} {
		if step.reverse > 0 {
			account.Reverse(step.reverse)
		} else {
			account.Apply(e, time.UTC, int64(i)+1, rules.Facts{Event: "idea.supported", Actor: true, Time: at})
		}
		if account.Points != step.want || account.Badges["b"] != step.badge {
			t.Errorf("after step %d: %d points and badge %t, want %d and %t", i+1, account.Points, account.Badges["b"], step.want, step.badge)
		}
	}
}

func TestPricing(t *testing.T) {
	before := compile(t, rules.Policy{
		Rules:  []rules.Rule{{Name: "said", Event: "comment.published", Points: 5}},
		Levels: []rules.Level{{Name: "low", Points: 5}, {Name: "old", Points: 20}},
	})
	after := compile(t, rules.Policy{
		Rules:  []rules.Rule{{Name: "said", Event: "comment.published", Points: 5, DailyCap: 5}},
		Levels: []rules.Level{{Name: "low", Points: 5}, {Name: "high", Points: 15}},
		Badges: []rules.Badge{{Name: "talker", Event: "comment.published", Count: 4}},
	})
	start := time.Date(2027, 1, 1, 12, 0, 0, 0, time.UTC)
	pricer := rules.NewPricer(before, after)
	for _, apart := range []time.Duration{time.Minute, 24 * time.Hour} {
		was, is := rules.NewAccount(), rules.NewAccount()
		for i := range int64(4) {
			facts := rules.Facts{Event: "comment.published", Actor: true, Time: start.Add(time.Duration(i) * apart)}
			was.Apply(before, time.UTC, i+1, facts)
			is.Apply(after, time.UTC, i+1, facts)
		}
		pricer.Add(was.Points, is)
	}
	pricer.Add(0, rules.NewAccount())
	pricer.Held("talker", 1)
	pricer.Held("gone", 1)
	pricer.Failed([]rules.Failure{{Field: "rules[0].condition"}})
	want := rules.Pricing{
		Members: 3, PointsBefore: 40, PointsAfter: 25, Fallen: 1,
		Levels:   []rules.LevelPrice{{Before: 1, After: 1}, {Level: 1, Name: "low", After: 1}, {Level: 2, Name: "high", Before: 2, After: 1}},
		Badges:   []rules.BadgePrice{{Name: "talker", Before: 1, After: 2}},
		Failures: map[string]int64{"rules[0].condition": 1},
	}
	if diff := cmp.Diff(want, pricer.Pricing()); diff != "" {
		t.Error(diff)
	}
}
