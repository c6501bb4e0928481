package ideas_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/quaeso/community-operator/ideas"
)

func TestMostSimilar(t *testing.T) {
	var candidates []ideas.Idea
	for _, title := range []string{
		"Une tente plus légère pour les randonnées", "A lighter tent for hiking", "Waterproof bags for cycling",
		"Des sacs étanches pour le vélo", "A stove that works in the wind", "Lighter tents, please",
	} {
		candidates = append(candidates, ideas.Idea{Title: title})
	}
	for typed, want := range map[string]string{
		"tente legere":              "Une tente plus légère pour les randonnées",
		"A lighter tent":            "A lighter tent for hiking|Lighter tents, please",
		"Water proof bag for bikes": "Waterproof bags for cycling",
		"sac étanche":               "Des sacs étanches pour le vélo",
		"A stove for wind":          "A stove that works in the wind",
		"a I 1":                     "",
		"":                          "",
		"Something else entirely":   "",
	} {
		var got []string
		for _, idea := range ideas.MostSimilar(typed, candidates) {
			got = append(got, idea.Title)
		}
		if diff := cmp.Diff(want, strings.Join(got, "|")); diff != "" {
			t.Errorf("similar to %q (-want +got):\n%s", typed, diff)
		}
	}
}
