package postgres_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/quaeso/community-operator/ideas"
)

// TestSearchesOfEverySize walks through what is found by words that few, many and most ideas hold, which are found in
// different ways, and compares it with the list that holds everything.
func TestSearchesOfEverySize(t *testing.T) {
	const all = 4000
	store, db := fresh(t)
	author := member(t, store, "Alix")
	db.Exec(t, fmt.Sprintf(`INSERT INTO ideas.idea (author_id, slug, title, body, state, created_at)
		SELECT %d, 's', 'idea ' || n, 'most' || CASE WHEN n %% 5 = 0 THEN ' many' ELSE '' END || CASE WHEN n %% 100 = 7 THEN ' few' ELSE '' END,
			CASE WHEN n %% 9 = 0 THEN 'hidden' ELSE 'gathering' END, now() - n * 7919 %% 1000 * interval '1 minute' FROM generate_series(1, %d) n`, author.ID, all),
		"INSERT INTO ideas.member (name, locale) SELECT 'v', 'fr' FROM generate_series(1, 40)",
		"INSERT INTO ideas.support (idea_id, member_id) SELECT i.id, m.id FROM ideas.idea i, ideas.member m WHERE i.id * 31 % 83 > m.id")
	walk := func(order ideas.Order, search string) []int64 {
		var found []int64
		for after := ""; ; {
			page, err := store.ListIdeas(t.Context(), author.ID, ideas.Query{Order: order, Search: search, After: after, Limit: ideas.MaxPage})
			if err != nil {
				t.Fatalf("search %q by %s: %v", search, order, err)
			}
			for _, idea := range page.Ideas {
				found = append(found, idea.ID)
			}
			if after = page.Next; after == "" {
				return found
			}
		}
	}
	first := db.QueryInt(t, "SELECT min(id) FROM ideas.idea")
	holds := map[string]func(n int64) bool{
		"few":  func(n int64) bool { return n%100 == 7 },
		"many": func(n int64) bool { return n%5 == 0 },
		"most": func(int64) bool { return true },
		"none": func(int64) bool { return false },
	}
	for _, order := range []ideas.Order{ideas.OrderTrending, ideas.OrderTop, ideas.OrderNewest} {
		everything := walk(order, "")
		for word, holds := range holds {
			want := slices.DeleteFunc(slices.Clone(everything), func(id int64) bool { return !holds(id - first + 1) })
			if got := walk(order, word); !slices.Equal(got, want) {
				t.Errorf("%q by %s: %d ideas, want %d, or another order", word, order, len(got), len(want))
			}
		}
	}
}
