package ideas_test

import (
	"fmt"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/quaeso/community-operator/ideas"
	"github.com/quaeso/community-operator/internal/control"
	"github.com/quaeso/community-operator/internal/rewards"
	"github.com/quaeso/community-operator/internal/rules"
)

func TestSharePrizes(t *testing.T) {
	title := map[string]string{"en": "x"}
	engine, err := rules.Compile(rewards.Rules(control.RewardPolicy{
		Prizes: []control.Prize{{FromRank: 1, Title: title, Amount: 100}, {FromRank: 1, Title: title}}, Currency: "EUR",
	}))
	if err != nil {
		t.Fatal(err)
	}
	authors := map[int64][]int64{7: {30, 10, 20}, 8: {40}, 9: nil}
	for name, tc := range map[string]struct {
		winners []ideas.Winner
		want    []ideas.PrizeShare
	}{
		"three authors share money and each gets the gift": {[]ideas.Winner{{7, 1}}, []ideas.PrizeShare{
			{7, 10, 1, 0, 34}, {7, 20, 1, 0, 33}, {7, 30, 1, 0, 33}, {7, 10, 1, 1, 0}, {7, 20, 1, 1, 0}, {7, 30, 1, 1, 0},
		}},
		"a rank without prizes":   {[]ideas.Winner{{8, 2}}, nil},
		"an idea without authors": {[]ideas.Winner{{9, 1}}, nil},
		"ideas that tie share first": {[]ideas.Winner{{7, 1}, {8, 1}}, []ideas.PrizeShare{
			{7, 10, 1, 0, 17}, {7, 20, 1, 0, 17}, {7, 30, 1, 0, 16}, {7, 10, 1, 1, 0}, {7, 20, 1, 1, 0}, {7, 30, 1, 1, 0}, {8, 40, 1, 0, 50}, {8, 40, 1, 1, 0},
		}},
	} {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(tc.want, ideas.SharePrizes(engine, tc.winners, func(idea int64) []int64 { return authors[idea] })); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// Nothing that is declared is lost on the way to the engine, also a field of a later day.
func TestRewardRulesKeepEverything(t *testing.T) {
	var declared control.RewardPolicy
	fill(reflect.ValueOf(&declared).Elem())
	want, got := flatten(reflect.ValueOf(declared)), flatten(reflect.ValueOf(rewards.Rules(declared)))
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// fill gives every field a value.
func fill(v reflect.Value) {
	switch v.Kind() {
	case reflect.Struct:
		for i := range v.NumField() {
			fill(v.Field(i))
		}
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		fill(v.Elem())
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 1, 1))
		fill(v.Index(0))
	case reflect.Map:
		v.Set(reflect.MakeMap(v.Type()))
		v.SetMapIndex(reflect.ValueOf("en"), reflect.ValueOf("text"))
	case reflect.String:
		v.SetString("text")
	default:
		v.SetInt(7)
	}
}

// flatten lists the paths and values of all fields, in alphabetical order.
func flatten(v reflect.Value) []string {
	var all []string
	var walk func(path string, v reflect.Value)
	walk = func(path string, v reflect.Value) {
		switch v.Kind() {
		case reflect.Struct:
			for i := range v.NumField() {
				walk(path+"."+v.Type().Field(i).Name, v.Field(i))
			}
		case reflect.Pointer:
			walk(path, v.Elem())
		case reflect.Slice:
			for i := range v.Len() {
				walk(path, v.Index(i))
			}
		default:
			all = append(all, path+" "+strings.TrimSpace(cmp.Diff(nil, v.Interface())))
		}
	}
	walk("", v)
	slices.Sort(all)
	return all
}

// Revenue is shared by the community's policy if it does, else by the first that does.
func TestSharingPolicy(t *testing.T) {
	share := &control.RevenueShare{}
	for name, tc := range map[string]struct {
		shares [2]bool
		want   string
	}{"none": {[2]bool{}, ""}, "both": {[2]bool{true, true}, "community"}, "the other": {[2]bool{true, false}, "a"}} {
		p := &ideas.Programme{Policies: []*ideas.RewardPolicy{{Name: "a"}, {Name: "community"}}}
		for i, shares := range tc.shares {
			if shares {
				p.Policies[i].Spec.RevenueShare = share
			}
		}
		got := ""
		if r := p.SharingPolicy(); r != nil {
			got = r.Name
		}
		if got != tc.want {
			t.Errorf("%s: %q shares, want %q", name, got, tc.want)
		}
	}
}

// The how-to names every event and every fact that a policy may use, with its type and meaning.
func TestRewardsAreDocumented(t *testing.T) {
	raw, err := os.ReadFile("../docs/how-to/reward-members.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, event := range ideas.RewardEvents() {
		if !strings.Contains(string(raw), "`"+event+"`") {
			t.Errorf("event %s is not documented", event)
		}
	}
	for _, v := range rules.Variables() {
		if row := fmt.Sprintf("| `%s` | %s | %s |", v.Name, v.Type, v.Meaning); !strings.Contains(string(raw), row) {
			t.Errorf("%q is missing", row)
		}
	}
}

func TestPolicyOf(t *testing.T) {
	policy := func(name string) *ideas.RewardPolicy {
		p := &ideas.RewardPolicy{Name: name}
		if strings.HasSuffix(name, "levels") {
			p.Spec.Levels = make([]control.Level, 1)
		}
		return p
	}
	challenge := func(id int64, policy string) *ideas.Challenge {
		return &ideas.Challenge{ID: id, Spec: control.Challenge{RewardPolicy: policy}}
	}
	challenges := []*ideas.Challenge{challenge(1, ""), challenge(2, "b"), challenge(3, "gone")}
	for name, tc := range map[string]struct {
		policies []string
		want     [4]string // outside of challenges, and in each
	}{
		"none":                       {nil, [4]string{}},
		"one":                        {[]string{"b"}, [4]string{"b", "b", "b", ""}},
		"the community's by name":    {[]string{"a", "b", "community"}, [4]string{"community", "community", "b", ""}},
		"else the first with levels": {[]string{"a", "b", "c-levels"}, [4]string{"c-levels", "c-levels", "b", ""}},
		"the first where none is so": {[]string{"a", "b"}, [4]string{"a", "a", "b", ""}},
	} {
		p := &ideas.Programme{Challenges: challenges}
		for _, n := range tc.policies {
			p.Policies = append(p.Policies, policy(n))
		}
		var got [4]string
		for i := range got {
			if r := p.PolicyOf(int64(i)); r != nil {
				got[i] = r.Name
			}
		}
		if got != tc.want {
			t.Errorf("%s: policies are %q, want %q", name, got, tc.want)
		}
	}
}
