package postgres_test

import (
	"context"
	"fmt"
	"slices"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/quaeso/community-operator/ideas"
	"github.com/quaeso/community-operator/ideas/postgres"
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
		"INSERT INTO ideas.support (idea_id, member_id) SELECT i.id, m.id FROM ideas.idea i, ideas.member m WHERE i.id * 31 % 83 > m.id",
		// The planner's statistics tell which words are frequent.
		"ANALYZE ideas.search")
	if err := store.LearnFrequentWords(t.Context()); err != nil {
		t.Fatal(err)
	}
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
		"few":         func(n int64) bool { return n%100 == 7 },
		"many":        func(n int64) bool { return n%5 == 0 },
		"most":        func(int64) bool { return true },
		"none":        func(int64) bool { return false },
		"the most":    func(int64) bool { return false }, // nobody has written "the"
		"most many":   func(n int64) bool { return n%5 == 0 },
		"many few":    func(n int64) bool { return n%5 == 0 }, // English passes over "few"
		"most -many":  func(n int64) bool { return n%5 != 0 },
		"few or many": func(n int64) bool { return n%100 == 7 || n%5 == 0 },
		`"most few"`:  func(n int64) bool { return n%100 == 7 },
		"most, idea!": func(int64) bool { return true },
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

// TestSearchesFollowIdeas changes ideas in every way that a search depends on.
func TestSearchesFollowIdeas(t *testing.T) {
	store, db := fresh(t)
	author := member(t, store, "Alix")
	idea := submit(t, store, author, "A tent")
	change := func(set string) { db.Exec(t, fmt.Sprintf("UPDATE ideas.idea SET %s WHERE id = %d", set, idea.ID)) }
	finds := func(when, search string, q ideas.Query, want bool) {
		t.Helper()
		q.Search = search
		page, err := store.ListIdeas(t.Context(), author.ID, q)
		if err != nil {
			t.Fatal(err)
		}
		// One that has looked closer finds what is spelled alike.
		if got := len(page.Ideas) > 0 && page.Corrected == ""; got != want {
			t.Errorf("%s: %q found: %v, want %v", when, search, got, want)
		}
	}
	finds("new", "tent", ideas.Query{}, true)
	change("title = 'A kayak', body = 'It floats'")
	finds("rewritten", "tent", ideas.Query{}, false)
	finds("rewritten", "kayak", ideas.Query{}, true)
	finds("without a tag", "kayak", ideas.Query{Tag: "water"}, false)
	change("tags = '{water}', theme = 'boats'")
	finds("with a tag and a theme", "kayak", ideas.Query{Tag: "water", Theme: "boats"}, true)
	change("state = 'planned'")
	finds("planned", "kayak", ideas.Query{State: ideas.StatePlanned}, true)
	finds("planned", "kayak", ideas.Query{State: ideas.StateGathering}, false)
	change("state = 'hidden', former_state = 'planned'")
	finds("hidden", "kayak", ideas.Query{}, false)
	change("state = 'planned', former_state = NULL")
	finds("shown again", "kayak", ideas.Query{}, true)
	if stale := db.QueryInt(t, `SELECT count(*) FROM ideas.search s JOIN ideas.idea i ON i.id = s.idea_id JOIN ideas.tally t ON t.idea_id = i.id
		WHERE (s.trend, s.supporters, s.visible, s.state, s.theme, s.tags) IS DISTINCT FROM (t.trend, t.supporters, i.visible, i.state, i.theme, i.tags)
			OR t.signature <> ideas.signature_of(tsvector_to_array(s.document))`); stale != 0 {
		t.Errorf("%d ideas are not searched by what they are", stale)
	}
	db.Exec(t, fmt.Sprintf("DELETE FROM ideas.idea WHERE id = %d", idea.ID))
	finds("removed", "kayak", ideas.Query{}, false)
}

// TestSearchRowsAreNarrow holds that documents are kept out of the table, short ones too: a search reads a row for each idea
// that it finds.
func TestSearchRowsAreNarrow(t *testing.T) {
	store, db := fresh(t)
	author := member(t, store, "Alix")
	db.Exec(t, fmt.Sprintf(`INSERT INTO ideas.idea (author_id, slug, title, body, state)
		SELECT %d, 's', 'Idea', string_agg(md5(n::text || m), ' '), 'gathering' FROM generate_series(1, 500) n, generate_series(1, 20) m GROUP BY n`, author.ID))
	if got := db.QueryInt(t, "SELECT pg_relation_size('ideas.search') / 500"); got > 250 {
		t.Errorf("a row takes %d bytes, want at most 250", got)
	}
}

// TestListsReadFewRows holds for every list and search that the rows that are read are bounded, whatever the planner
// chooses: by the page for lists, by what is found for rare words, and by the depth of a look through the list for frequent ones.
func TestListsReadFewRows(t *testing.T) {
	const all, size = 20000, 21
	store, db := fresh(t)
	author := member(t, store, "Alix")
	db.Exec(t, fmt.Sprintf(`INSERT INTO ideas.idea (author_id, slug, title, body, state, created_at)
		SELECT %d, 's', 'Idea ' || n, 'word' || n || CASE WHEN n %% 100 = 0 THEN ' usual' ELSE '' END || CASE WHEN n %% 3 = 0 THEN ' common' ELSE '' END
			|| CASE WHEN n %% 3 = 1 THEN ' apart' ELSE '' END, 'gathering', now() - n * interval '1 minute' FROM generate_series(1, %d) n`, author.ID, all),
		"INSERT INTO ideas.member (name, locale) SELECT 'v', 'fr' FROM generate_series(1, 500)",
		"INSERT INTO ideas.support (idea_id, member_id) SELECT i.id, m.id FROM ideas.idea i, ideas.member m WHERE i.id % 200 = m.id % 200",
		"ANALYZE")
	if err := store.LearnFrequentWords(t.Context()); err != nil {
		t.Fatal(err)
	}
	tests := map[string]struct {
		search string
		// most is the number of rows that are read beside those of the page's ideas.
		most int
	}{
		"list":                    {"", size},
		"rare word":               {"word777", 1},
		"unknown word":            {"nowhere", 0},
		"usual word":              {"usual", all / 100},
		"common word":             {"common", 4 * 3 * size},
		"word of every idea":      {"idea", 4 * size},
		"two words":               {"common usual", 4 * 300 * size / 10},
		"words never together":    {"common apart", 4 * postgres.WalkDepth},
		"all but a frequent word": {"-common", 8 * size},
	}
	conn, err := pgx.Connect(t.Context(), db.Server.AdminURI(db.Name)+"?search_path=ideas&random_page_cost=1.1&jit=off&max_parallel_workers_per_gather=0&plan_cache_mode=force_generic_plan")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close(context.Background()) }()
	for name, test := range tests {
		for _, order := range []ideas.Order{ideas.OrderNewest, ideas.OrderTop, ideas.OrderTrending} {
			first, err := store.ListIdeas(t.Context(), author.ID, ideas.Query{Order: order})
			if err != nil {
				t.Fatal(err)
			}
			for _, after := range []string{"", first.Next} {
				sql, args, err := store.ListStatements(t.Context(), author.ID, ideas.Query{Order: order, Search: test.search, After: after})
				if err != nil {
					t.Fatal(err)
				}
				got := 0.0
				for i := range sql {
					var plan []struct{ Plan planNode }
					if err := conn.QueryRow(t.Context(), "EXPLAIN (ANALYZE, FORMAT JSON, TIMING OFF) "+sql[i], args[i]...).Scan(&plan); err != nil {
						t.Fatal(err)
					}
					if got += plan[0].Plan.rowsRead(); plan[0].Plan.Rows == size {
						break
					}
				}
				// Each idea of the page takes a row of four tables and of the viewer's supports; the words and the totals take a few.
				if most := float64(test.most + 10*size + 50); got > most {
					t.Errorf("%s in order %s after %q reads %.0f rows, want at most %.0f", name, order, after, got, most)
				}
			}
		}
	}
}

// planNode is a part of an executed plan.
type planNode struct {
	Relation  string  `json:"Relation Name"`
	Rows      float64 `json:"Actual Rows"`
	Loops     float64 `json:"Actual Loops"`
	Filtered  float64 `json:"Rows Removed by Filter"`
	Rechecked float64 `json:"Rows Removed by Index Recheck"`
	Plans     []planNode
}

// rowsRead are the rows of tables that were looked at, kept or not.
func (n planNode) rowsRead() float64 {
	rows := 0.0
	if n.Relation != "" {
		rows = (n.Rows + n.Filtered + n.Rechecked) * n.Loops
	}
	for _, part := range n.Plans {
		rows += part.rowsRead()
	}
	return rows
}
