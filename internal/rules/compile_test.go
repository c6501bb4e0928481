package rules_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/quaeso/community-operator/internal/rules"
)

// policy is a valid one; tests change a copy.
func policy() rules.Policy {
	return rules.Policy{
		Rules: []rules.Rule{
			{Name: "published", Event: "idea.published", Points: 10, DailyCap: 20},
			{Name: "discussed", Event: "idea.supported", Condition: "idea.supporters >= 10 && !event.self", Points: 5, To: rules.ToAuthor},
		},
		Levels: []rules.Level{
			{Name: "explorer", Title: map[string]string{"en": "Explorer", "fr": "Explorateur"}, Points: 10},
			{Name: "maker", Points: 30},
		},
		Badges: []rules.Badge{
			{Name: "third-idea", Event: "idea.published", Count: 3},
			{Name: "rich", Event: "idea.supported", Condition: "member.points >= 30", To: rules.ToAuthor},
		},
		Prizes: []rules.Prize{
			{FromRank: 1, Title: map[string]string{"en": "500 euros"}, Amount: 50_000},
			{FromRank: 2, ToRank: 3, Title: map[string]string{"en": "100 euros"}, Amount: 10_000},
			{FromRank: 1, ToRank: 10, Title: map[string]string{"en": "A T-shirt", "fr": "Un T-shirt"}},
		},
		RevenueShare: &rules.RevenueShare{BasisPoints: 100, Base: rules.BaseNetSales, Minimum: 1_000, Until: "2027-12-31"},
		Currency:     "EUR",
	}
}

var events = []string{"idea.published", "idea.supported", "comment.published"}

func TestCompileRefuses(t *testing.T) {
	title := map[string]string{"en": "x"}
	for name, tc := range map[string]struct {
		change func(*rules.Policy)
		want   []string
	}{
		"nothing wrong":           {func(*rules.Policy) {}, nil},
		"an empty policy":         {func(p *rules.Policy) { *p = rules.Policy{} }, nil},
		"an unknown fact":         {condition("idea.supportes > 1"), []string{"rules[1].condition: 1:1: there is no idea.supportes; there are idea.state, idea.supporters, idea.comments, idea.theme, idea.tags"}},
		"a fault on another line": {condition("event.self &&\n  idea.supporters > 'a'"), []string{"rules[1].condition: 2:19: found no matching overload for '_>_' applied to '(int, string)'"}},
		"no truth value":          {condition("idea.supporters + 1"), []string{"rules[1].condition: 1:1: is of type int: a condition must be true or false, such as idea.supporters >= 10"}},
		"two faults":              {condition("a && b"), []string{"rules[1].condition: 1:1: there is no a; there are event.name, ", "rules[1].condition: 1:6: there is no b; there are event.name, "}},
		"unfinished":              {condition("event.self && ("), []string{"rules[1].condition: 1:16: Syntax error: mismatched input '<EOF>'"}},
		"a map":                   {condition("{'a': 1}.exists(k, k == 'a')"), []string{"rules[1].condition: 1:1: maps are not allowed: their entries come in no fixed order; use a list"}},
		"too costly": {
			condition("member.roles.all(a, member.roles.all(b, member.roles.all(c, idea.tags.exists(d, d == a + b + c))))"),
			[]string{"rules[1].condition: 1:1: may cost"},
		},
		"a pattern that does not compile": {condition("idea.state.matches('(')"), []string{"rules[1].condition: 1:20: invalid matches argument"}},
		"too long": {
			condition(strings.Repeat("event.self || ", 100) + "event.self"),
			[]string{"rules[1].condition: is 1410 characters long, 1024 at most are allowed"},
		},
		"nested too deeply": {condition(strings.Repeat("(", 200) + "true" + strings.Repeat(")", 200)), []string{"rules[1].condition: 1:"}},
		"a badge": {
			func(p *rules.Policy) {
				p.Badges[1] = rules.Badge{Name: "third-idea", Condition: "member.points", Count: -1, To: "me"}
			},
			[]string{
				`badges[1].name: repeats "third-idea"`, "badges[1].event: is missing", "badges[1].condition: 1:1: is of type int", `badges[1].to: is "me", must be actor, author or subject`,
				"badges[1].count: is -1",
			},
		},
		"a rule's fields": {
			func(p *rules.Policy) {
				p.Rules = []rules.Rule{
					{Name: "A", Event: "idea.publish", Points: 0, DailyCap: -1, To: "all"},
					{Name: "b", Event: "idea.published", Points: 5, DailyCap: 4},
					{Name: "b", Event: "idea.published", Points: rules.MaxPoints + 1},
				}
			},
			[]string{
				"rules[0].name: must be 1 to 63", `rules[0].event: "idea.publish" is no event: must be one of idea.published, `, `rules[0].to: is "all"`,
				"rules[0].points: is 0, must be from 1 to 100000",
				"rules[0].dailyCap: is -1", "rules[1].dailyCap: is 4, less than the 5 points of one event", `rules[2].name: repeats "b"`, "rules[2].points: is 100001",
			},
		},
		"too many rules": {func(p *rules.Policy) { p.Rules = make([]rules.Rule, rules.MaxRules+1) }, []string{"rules: has 65 items, 64 at most are allowed"}},
		"levels out of order": {
			func(p *rules.Policy) { p.Levels[1].Points = 10 },
			[]string{"levels[1].points: is 10, must be above the 10 of the level before"},
		},
		"a level of nothing": {func(p *rules.Policy) { p.Levels[0].Points = 0 }, []string{"levels[0].points: is 0, must be from 1"}},
		"an empty title":     {func(p *rules.Policy) { p.Levels[0].Title["en"] = "" }, []string{"levels[0].title.en: has 0 characters, must have 1 to 500"}},
		"prizes": {
			func(p *rules.Policy) {
				p.Prizes = []rules.Prize{{Title: title}, {FromRank: 3, ToRank: 2, Title: title}, {FromRank: 4}, {FromRank: 5, Amount: -1, Title: title}}
			},
			[]string{"prizes[0].fromRank: is 0", "prizes[1].toRank: is 2, must be from 3", "prizes[2].title: is missing", "prizes[3].amount: is -1"},
		},
		"a prize without a currency": {
			func(p *rules.Policy) { p.RevenueShare, p.Currency = nil, "" },
			[]string{"currency: is missing: prizes with an amount need the code of a currency, such as EUR"},
		},
		"prizes in kind need no currency": {func(p *rules.Policy) { p.Prizes, p.RevenueShare, p.Currency = p.Prizes[2:], nil, "" }, nil},
		"a revenue share": {
			func(p *rules.Policy) {
				p.RevenueShare = &rules.RevenueShare{BasisPoints: 10_001, Base: "profit", Minimum: -1, Until: "2027-02-30"}
				p.Prizes, p.Currency = nil, ""
			},
			[]string{
				"revenueShare.basisPoints: is 10001, must be from 1 to 10000", `revenueShare.base: is "profit", must be netSales or grossSales`,
				"revenueShare.minimum: is -1", `revenueShare.until: is "2027-02-30", must be a day`, "currency: is missing: payouts need",
			},
		},
		"no currency of this world": {func(p *rules.Policy) { p.Currency = "eur" }, []string{`currency: "eur" is no code of ISO 4217`}},
	} {
		t.Run(name, func(t *testing.T) {
			p := policy()
			tc.change(&p)
			_, err := rules.Compile(p, events...)
			var got rules.Errors
			if err != nil && !errors.As(err, &got) {
				t.Fatal(err)
			}
			if len(got) != len(tc.want) {
				t.Fatalf("Compile finds %q, want %q", got, tc.want)
			}
			for i, want := range tc.want {
				if !strings.HasPrefix(got[i].Error(), want) {
					t.Errorf("error %d is %q, want %q", i, got[i], want)
				}
			}
		})
	}
}

func condition(text string) func(*rules.Policy) {
	return func(p *rules.Policy) { p.Rules[1].Condition = text }
}

// Every variable can be used in a condition as the type that it is documented with.
func TestVariables(t *testing.T) {
	for _, v := range rules.Variables() {
		text := map[string]string{
			"int": "%s > 0", "bool": "%s", "string": "%s.startsWith('a')", "list(string)": "'a' in %s", "timestamp": "%s.getFullYear() > 2000",
		}[v.Type]
		p := policy()
		condition(fmt.Sprintf(text, v.Name))(&p)
		if _, err := rules.Compile(p); err != nil {
			t.Errorf("%s as %s: %v", v.Name, v.Type, err)
		}
		if v.Meaning == "" {
			t.Errorf("%s has no meaning", v.Name)
		}
	}
}

// An error tells its place apart from its message, so that a condition and a page can show both.
func TestErrorPosition(t *testing.T) {
	p := policy()
	condition("event.self\n|| event.selv")(&p)
	_, err := rules.Compile(p)
	var got *rules.Error
	if !errors.As(err, &got) {
		t.Fatal(err)
	}
	want := &rules.Error{Field: "rules[1].condition", Line: 2, Column: 4, Message: "there is no event.selv; there are event.name, event.time, event.hour, event.weekday, event.value, event.self"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}
