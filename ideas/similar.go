package ideas

import (
	"cmp"
	"context"
	"slices"
	"strings"
)

// MaxSimilar bounds how many similar ideas are shown.
const MaxSimilar = 5

// leastSimilar is the likeness from which somebody would want to know of the other idea.
const leastSimilar = 0.22

// SimilarStore finds what is there already.
type SimilarStore interface {
	// SimilarIdeas returns published ideas whose titles say nearly the same, the most similar first, MaxSimilar at most;
	// except is an idea that is not among them.
	SimilarIdeas(ctx context.Context, title string, except int64) ([]Idea, error)
}

// MostSimilar selects from candidates those whose title is like another, the most similar first.
func MostSimilar(title string, candidates []Idea) []Idea {
	type ranked struct {
		idea  Idea
		score float64
	}
	wanted := trigramsOf(title)
	var all []ranked
	for _, c := range candidates {
		if score := likeness(wanted, trigramsOf(c.Title)); score >= leastSimilar {
			all = append(all, ranked{c, score})
		}
	}
	slices.SortStableFunc(all, func(a, b ranked) int {
		return cmp.Or(cmp.Compare(b.score, a.score), cmp.Compare(b.idea.Supporters, a.idea.Supporters))
	})
	list := make([]Idea, 0, MaxSimilar)
	for _, r := range all[:min(len(all), MaxSimilar)] {
		list = append(list, r.idea)
	}
	return list
}

// trigramsOf a text's words: without case and accents, and without words too short to mean something.
func trigramsOf(text string) map[string]bool {
	all := map[string]bool{}
	for _, word := range strings.Fields(foldText(text)) {
		runes := []rune(word)
		if len(runes) < 3 {
			continue
		}
		runes = append(append([]rune{' '}, runes...), ' ')
		for i := range len(runes) - 2 {
			all[string(runes[i:i+3])] = true
		}
	}
	return all
}

// likeness of two texts: what they share of the shorter one, since who begins to type has not written all yet, weighed
// with what they share of both.
func likeness(a, b map[string]bool) float64 {
	if len(a) == 0 || len(b) == 0 {
		return 0
	}
	shared := 0
	for t := range a {
		if b[t] {
			shared++
		}
	}
	of := float64(shared)
	return (of/float64(min(len(a), len(b))) + of/float64(len(a)+len(b)-shared)) / 2
}
