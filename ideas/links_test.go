package ideas_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/quaeso/community-operator/ideas"
	"github.com/quaeso/community-operator/internal/control"
)

func TestCircles(t *testing.T) {
	origin := func(to string) control.Challenge { return control.Challenge{Origin: to} }
	selected := func(to string) control.Challenge {
		return control.Challenge{Eligibility: &control.Eligibility{SelectedIn: to}}
	}
	for name, tc := range map[string]struct {
		of   string
		all  map[string]control.Challenge
		want map[string]string
	}{
		"alone":             {"a", map[string]control.Challenge{"a": {}}, map[string]string{}},
		"a line":            {"a", map[string]control.Challenge{"a": origin("b"), "b": selected("c"), "c": {}}, map[string]string{}},
		"itself":            {"a", map[string]control.Challenge{"a": origin("a")}, map[string]string{"spec.origin": "leads back to this challenge (a → a): leave one of these links out"}},
		"two":               {"a", map[string]control.Challenge{"a": selected("b"), "b": origin("a")}, map[string]string{"spec.eligibility.selectedIn": "leads back to this challenge (a → b → a): leave one of these links out"}},
		"a circle of three": {"b", map[string]control.Challenge{"a": origin("b"), "b": origin("c"), "c": selected("a")}, map[string]string{"spec.origin": "leads back to this challenge (b → c → a → b): leave one of these links out"}},
		"others' circle":    {"a", map[string]control.Challenge{"a": origin("b"), "b": origin("c"), "c": origin("b")}, map[string]string{}},
		"to nobody yet":     {"a", map[string]control.Challenge{"a": origin("b")}, map[string]string{}},
	} {
		t.Run(name, func(t *testing.T) {
			links, got := map[string][]ideas.Link{}, map[string]string{}
			for name, c := range tc.all {
				links[name] = ideas.LinksOf(c)
			}
			for _, r := range ideas.Circles(tc.of, links) {
				got[r.Field] = r.Message
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("refusals (-want +got):\n%s", diff)
			}
		})
	}
}
