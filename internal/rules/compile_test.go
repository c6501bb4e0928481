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
			{Name: "discussed", Event: "idea.supported", Condition: "idea.supporters >= 10 && idea.own", Points: 5},
		},
		Levels: []rules.Level{
			{Name: "explorer", Title: map[string]string{"en": "Explorer", "fr": "Explorateur"}, Threshold: 10},
			{Name: "maker", Threshold: 30},
		},
		Badges: []rules.Badge{
			{Name: "third-idea", Event: "idea.published", Count: 3},
			{Name: "rich", Condition: "member.points >= 30"},
		},
		Prizes: []rules.Prize{
			{Rank: 1, Amount: 50_000, Currency: "EUR"},
			{Rank: 2, LastRank: 3, Amount: 10_000, Currency: "EUR"},
			{Rank: 1, LastRank: 10, Text: map[string]string{"en": "A T-shirt", "fr": "Un T-shirt"}},
		},
		RevenueShare:   &rules.RevenueShare{Percentage: "1", Base: rules.BaseNetSales, Minimum: 1_000, Until: "2027-12-31"},
		PayoutCurrency: "EUR",
	}
}

func TestCompileRefuses(t *testing.T) {
	for name, tc := range map[string]struct {
		change func(*rules.Policy)
		want   []string
	}{
		"nothing wrong":           {func(*rules.Policy) {}, nil},
		"an empty policy":         {func(p *rules.Policy) { *p = rules.Policy{} }, nil},
		"an unknown fact":         {condition("idea.supportes > 1"), []string{"rules[1].condition: 1:1: there is no idea.supportes; there are idea.state, idea.supporters, idea.comments, idea.own, idea.tags"}},
		"a fault on another line": {condition("idea.own &&\n  idea.supporters > 'a'"), []string{"rules[1].condition: 2:19: found no matching overload for '_>_' applied to '(int, string)'"}},
		"no truth value":          {condition("idea.supporters + 1"), []string{"rules[1].condition: 1:1: is of type int: a condition must be true or false, such as idea.supporters >= 10"}},
		"two faults":              {condition("a && b"), []string{"rules[1].condition: 1:1: there is no a; there are event.name, ", "rules[1].condition: 1:6: there is no b; there are event.name, "}},
		"unfinished":              {condition("idea.own && ("), []string{"rules[1].condition: 1:14: Syntax error: mismatched input '<EOF>'"}},
		"a map":                   {condition("{'a': 1}.exists(k, k == 'a')"), []string{"rules[1].condition: 1:1: maps are not allowed: their entries come in no fixed order; use a list"}},
		"too costly": {
			condition("member.roles.all(a, member.roles.all(b, member.roles.all(c, idea.tags.exists(d, d == a + b + c))))"),
			[]string{"rules[1].condition: 1:1: may cost"},
		},
		"a pattern that does not compile": {condition("idea.state.matches('(')"), []string{"rules[1].condition: 1:20: invalid matches argument"}},
		"too long": {
			condition(strings.Repeat("idea.own || ", 100) + "idea.own"),
			[]string{"rules[1].condition: is 1208 characters long, 1024 at most are allowed"},
		},
		"nested too deeply": {condition(strings.Repeat("(", 200) + "true" + strings.Repeat(")", 200)), []string{"rules[1].condition: 1:"}},
		"a badge's condition": {
			func(p *rules.Policy) { p.Badges[1].Condition = "member.points" },
			[]string{"badges[1].condition: 1:1: is of type int"},
		},
		"a rule's fields": {
			func(p *rules.Policy) {
				p.Rules = []rules.Rule{
					{Name: "A", Event: "idea.publish", Points: 0, DailyCap: -1},
					{Name: "b", Event: "idea.published", Points: 5, DailyCap: 4},
					{Name: "b", Event: "idea.published", Points: rules.MaxPoints + 1},
				}
			},
			[]string{
				"rules[0].name: must be 1 to 63", `rules[0].event: "idea.publish" is no event`, "rules[0].points: is 0, must be from 1 to 100000",
				"rules[0].dailyCap: is -1", "rules[1].dailyCap: is 4, less than the 5 points of one event", `rules[2].name: repeats "b"`, "rules[2].points: is 100001",
			},
		},
		"too many rules": {func(p *rules.Policy) { p.Rules = make([]rules.Rule, rules.MaxRules+1) }, []string{"rules: has 65 items, 64 at most are allowed"}},
		"levels out of order": {
			func(p *rules.Policy) { p.Levels[1].Threshold = 10 },
			[]string{"levels[1].threshold: is 10, must be above the 10 of the level before"},
		},
		"an empty title":       {func(p *rules.Policy) { p.Levels[0].Title["en"] = "" }, []string{"levels[0].title.en: has 0 characters, must have 1 to 500"}},
		"a badge for everyone": {func(p *rules.Policy) { p.Badges[1].Condition = " " }, []string{"badges[1]: needs an event or a condition"}},
		"prizes": {
			func(p *rules.Policy) {
				p.Prizes = []rules.Prize{
					{Rank: 1, Amount: 100}, {Rank: 2, Amount: 100, Currency: "EURO"}, {Rank: 0, Text: map[string]string{"en": "x"}},
					{Rank: 3, LastRank: 2, Text: map[string]string{"en": "x"}}, {Rank: 4}, {Rank: 5, Amount: -1, Currency: "EUR"},
					{Rank: 6, Amount: 1, Currency: "EUR", Text: map[string]string{"en": "x"}}, {Rank: 7, Currency: "EUR", Text: map[string]string{"en": "x"}},
				}
			},
			[]string{
				"prizes[0].currency: is missing", `prizes[1].currency: "EURO" is no code`, "prizes[2].rank: is 0", "prizes[3].lastRank: is 2, must be from 3",
				"prizes[4]: needs an amount", "prizes[5].amount: is -1", "prizes[6]: is an amount or a text, not both", "prizes[7].currency: goes with an amount",
			},
		},
		"a revenue share": {
			func(p *rules.Policy) {
				p.RevenueShare = &rules.RevenueShare{Percentage: "101", Base: "profit", Minimum: -1, Until: "2027-02-30"}
				p.PayoutCurrency = ""
			},
			[]string{
				`revenueShare.percentage: "101" must be a number above 0`, `revenueShare.base: "profit" must be NetSales or GrossSales`,
				"revenueShare.minimum: is -1", `revenueShare.until: "2027-02-30" must be a day`, "payoutCurrency: is missing",
			},
		},
		"a currency without a share": {
			func(p *rules.Policy) { p.RevenueShare, p.PayoutCurrency = nil, "eur" },
			[]string{`payoutCurrency: "eur" is no code of ISO 4217`},
		},
	} {
		t.Run(name, func(t *testing.T) {
			p := policy()
			tc.change(&p)
			_, err := rules.Compile(p)
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
	condition("idea.own\n|| idea.oven")(&p)
	_, err := rules.Compile(p)
	var got *rules.Error
	if !errors.As(err, &got) {
		t.Fatal(err)
	}
	want := &rules.Error{Field: "rules[1].condition", Line: 2, Column: 4, Message: "there is no idea.oven; there are idea.state, idea.supporters, idea.comments, idea.own, idea.tags"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}
