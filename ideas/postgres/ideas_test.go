package postgres_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/quaeso/community-operator/ideas"
	"github.com/quaeso/community-operator/ideas/postgres"
)

func TestSubmitGetAndList(t *testing.T) {
	store, _ := fresh(t)
	author := member(t, store, "Alix")
	idea, err := store.SubmitIdea(t.Context(), author.ID, "key-1", "  Une tente plus légère ", "Moins de 900 g.\r\nEt \"solide\"; DROP TABLE idea;--")
	if err != nil {
		t.Fatal(err)
	}
	want := ideas.Idea{
		ID: idea.ID, Slug: "une-tente-plus-legere", Title: "Une tente plus légère",
		Body: "Moins de 900 g.\nEt \"solide\"; DROP TABLE idea;--", State: ideas.StateGathering,
		Author: ideas.Author{ID: author.ID, Name: "Alix"}, Revision: 1,
	}
	ignoreTimes := cmpopts.IgnoreFields(ideas.Idea{}, "CreatedAt", "UpdatedAt", "StateAt")
	if diff := cmp.Diff(want, idea, ignoreTimes); diff != "" {
		t.Errorf("submitted idea (-want +got):\n%s", diff)
	}
	got, err := store.GetIdea(t.Context(), 0, idea.ID)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(idea, got); diff != "" {
		t.Errorf("idea read back (-submitted +read):\n%s", diff)
	}
	page, err := store.ListIdeas(t.Context(), author.ID, ideas.Query{})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(ideas.Page{Ideas: []ideas.Idea{idea}}, page); diff != "" {
		t.Errorf("list (-want +got):\n%s", diff)
	}
}

func TestRepeatedRequestsAreOne(t *testing.T) {
	store, db := fresh(t)
	author, other := member(t, store, "Alix"), member(t, store, "Noa")
	var wait sync.WaitGroup
	ids := make([]int64, 8)
	comments := make([]int64, 8)
	for i := range ids {
		wait.Go(func() {
			idea, err := store.SubmitIdea(t.Context(), author.ID, "same", "A lighter tent", "Please")
			if err != nil {
				t.Errorf("submit: %v", err)
				return
			}
			ids[i] = idea.ID
			comment, err := store.AddComment(t.Context(), author.ID, idea.ID, "same", "Yes")
			if err != nil {
				t.Errorf("comment: %v", err)
				return
			}
			comments[i] = comment.ID
		})
	}
	wait.Wait()
	if slices.Sort(ids); ids[0] != ids[7] {
		t.Errorf("one key made several ideas: %v", ids)
	}
	if slices.Sort(comments); comments[0] != comments[7] {
		t.Errorf("one key made several comments: %v", comments)
	}
	if theirs, err := store.SubmitIdea(t.Context(), other.ID, "same", "Another", "Idea"); err != nil || theirs.ID == ids[0] {
		t.Errorf("another member's same key gave idea %d, error %v; want an idea of its own", theirs.ID, err)
	}
	if n := db.QueryInt(t, "SELECT count(*) FROM ideas.idea"); n != 2 {
		t.Errorf("%d ideas stored, want 2", n)
	}
}

func TestInvalidInputIsRefusedByField(t *testing.T) {
	store, _ := fresh(t)
	m := member(t, store, "Alix")
	idea := submit(t, store, m, "A tent")
	submitErr := func(key, title, body string) error {
		_, err := store.SubmitIdea(t.Context(), m.ID, key, title, body)
		return err
	}
	listErr := func(q ideas.Query) error {
		_, err := store.ListIdeas(t.Context(), 0, q)
		return err
	}
	_, commentErr := store.AddComment(t.Context(), m.ID, idea.ID, "", " ")
	for name, tc := range map[string]struct {
		err  error
		want string
	}{
		"no title and no body": {submitErr("", "", ""), "title: required\nbody: required"},
		"long title":           {submitErr("", strings.Repeat("x", 121), "b"), "title: too_long"},
		"long key":             {submitErr(strings.Repeat("k", 65), "t", "b"), "key: too_long"},
		"empty comment":        {commentErr, "body: required"},
		"empty name":           {store.RenameMember(t.Context(), m.ID, "\t"), "name: required"},
		"unknown order":        {listErr(ideas.Query{Order: "id; DROP TABLE idea"}), "order: invalid"},
		"forged cursor":        {listErr(ideas.Query{After: "AAAA"}), "after: invalid"},
		"endless search":       {listErr(ideas.Query{Search: strings.Repeat("a ", 200)}), "search: too_long"},
	} {
		t.Run(name, func(t *testing.T) {
			field := (*ideas.FieldError)(nil)
			if !errors.As(tc.err, &field) || tc.err.Error() != tc.want {
				t.Errorf("error = %v, want field errors %q", tc.err, tc.want)
			}
		})
	}
}

func TestWhatDoesNotExistIsNotFound(t *testing.T) {
	store, db := fresh(t)
	m := member(t, store, "Alix")
	hidden := submit(t, store, m, "Hidden")
	if _, err := store.SetSupport(t.Context(), m.ID, hidden.ID, true); err != nil {
		t.Fatal(err)
	}
	if _, err := store.AddComment(t.Context(), m.ID, hidden.ID, "key", "before"); err != nil {
		t.Fatal(err)
	}
	db.Exec(t, "UPDATE ideas.idea SET state = 'hidden'")
	for name, id := range map[string]int64{"hidden": hidden.ID, "unknown": 4711} {
		_, getErr := store.GetIdea(t.Context(), m.ID, id)
		_, supportErr := store.SetSupport(t.Context(), m.ID, id, true)
		_, withdrawErr := store.SetSupport(t.Context(), m.ID, id, false)
		_, commentErr := store.AddComment(t.Context(), m.ID, id, "key", "text")
		for call, err := range map[string]error{"get": getErr, "support": supportErr, "withdraw": withdrawErr, "comment": commentErr} {
			if !errors.Is(err, ideas.ErrNotFound) {
				t.Errorf("%s of a %s idea: error %v, want ErrNotFound", call, name, err)
			}
		}
	}
	if comments, err := store.ListComments(t.Context(), hidden.ID, 0, 10); err != nil || len(comments) != 0 {
		t.Errorf("comments of a hidden idea: %v, %v; want none", comments, err)
	}
	if page, err := store.ListIdeas(t.Context(), 0, ideas.Query{}); err != nil || len(page.Ideas) != 0 {
		t.Errorf("list with a hidden idea: %v, %v; want none", page, err)
	}
	if _, err := store.SubmitIdea(t.Context(), 4711, "", "t", "b"); !errors.Is(err, ideas.ErrNotFound) {
		t.Errorf("idea of an unknown member: error %v, want ErrNotFound", err)
	}
	if err := store.RenameMember(t.Context(), 4711, "x"); !errors.Is(err, ideas.ErrNotFound) {
		t.Errorf("rename of an unknown member: error %v, want ErrNotFound", err)
	}
	totals, err := store.Totals(t.Context())
	if want := (ideas.Totals{Members: 1, Ideas: 0, Votes: 1, Comments: 1}); err != nil || totals != want {
		t.Errorf("totals with a hidden idea: %+v, %v; want %+v", totals, err, want)
	}
}

func TestSupportCountsAMemberOnce(t *testing.T) {
	store, _ := fresh(t)
	m, other := member(t, store, "Alix"), member(t, store, "Noa")
	idea := submit(t, store, m, "A tent")
	for i, step := range []struct {
		member  ideas.Member
		support bool
		want    int
	}{{m, true, 1}, {m, true, 1}, {other, true, 2}, {m, false, 1}, {m, false, 1}, {m, true, 2}, {other, false, 1}, {m, false, 0}} {
		got, err := store.SetSupport(t.Context(), step.member.ID, idea.ID, step.support)
		if err != nil || got != step.want {
			t.Fatalf("step %d: %d supporters, error %v; want %d", i, got, err, step.want)
		}
		seen, err := store.GetIdea(t.Context(), step.member.ID, idea.ID)
		if err != nil || seen.Supported != step.support || seen.Supporters != step.want {
			t.Fatalf("step %d: idea shows supported %v by %d, error %v", i, seen.Supported, seen.Supporters, err)
		}
	}
}

// TestThreeHundredVotersAtOnce has each voter press the button twice, at the same moment.
func TestThreeHundredVotersAtOnce(t *testing.T) {
	const voters = 300
	db := migrated(t)
	stores := []*postgres.Store{open(t, configFor(db)), open(t, configFor(db))} // two replicas
	author := member(t, stores[0], "Alix")
	idea := submit(t, stores[0], author, "A tent")
	db.Exec(t, fmt.Sprintf("INSERT INTO ideas.member (name, locale) SELECT 'Voter ' || n, 'fr' FROM generate_series(1, %d) n", voters))
	first := db.QueryInt(t, "SELECT min(id) FROM ideas.member WHERE name LIKE 'Voter %'")
	start := make(chan struct{})
	var wait sync.WaitGroup
	for v := range voters {
		for _, store := range stores {
			wait.Go(func() {
				<-start
				if _, err := store.SetSupport(t.Context(), first+int64(v), idea.ID, true); err != nil {
					t.Errorf("voter %d: %v", v, err)
				}
			})
		}
	}
	close(start)
	wait.Wait()
	got, err := stores[0].GetIdea(t.Context(), 0, idea.ID)
	if err != nil || got.Supporters != voters {
		t.Errorf("%d supporters, error %v; want %d", got.Supporters, err, voters)
	}
	totals, err := stores[0].Totals(t.Context())
	if err != nil || totals.Votes != voters || totals.Members != voters+1 {
		t.Errorf("totals %+v, error %v; want %d votes of %d members", totals, err, voters, voters+1)
	}
}

func TestComments(t *testing.T) {
	store, _ := fresh(t)
	m := member(t, store, "Alix")
	idea, other := submit(t, store, m, "A tent"), submit(t, store, m, "A bag")
	for i := range 5 {
		if _, err := store.AddComment(t.Context(), m.ID, idea.ID, "", fmt.Sprintf("comment %d", i)); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := store.AddComment(t.Context(), m.ID, other.ID, "", "elsewhere"); err != nil {
		t.Fatal(err)
	}
	var bodies []string
	var after int64
	for range 3 {
		comments, err := store.ListComments(t.Context(), idea.ID, after, 2)
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range comments {
			bodies, after = append(bodies, c.Body), c.ID
			if c.Author.Name != "Alix" || c.IdeaID != idea.ID {
				t.Errorf("comment %+v has the wrong author or idea", c)
			}
		}
	}
	if diff := cmp.Diff([]string{"comment 0", "comment 1", "comment 2", "comment 3", "comment 4"}, bodies); diff != "" {
		t.Errorf("comments in pages of two (-want +got):\n%s", diff)
	}
	if got, err := store.GetIdea(t.Context(), 0, idea.ID); err != nil || got.Comments != 5 {
		t.Errorf("idea counts %d comments, error %v; want 5", got.Comments, err)
	}
}

// TestOrdersReadOnWithoutGapsOrRepeats walks every order in pages of every size over ideas with equal values,
// and compares with the whole list.
func TestOrdersReadOnWithoutGapsOrRepeats(t *testing.T) {
	store, db := fresh(t)
	author := member(t, store, "Alix")
	db.Exec(t, "INSERT INTO ideas.member (name, locale) SELECT 'v', 'fr' FROM generate_series(1, 10)")
	for i := range 23 {
		submit(t, store, author, fmt.Sprintf("Idea %d", i))
	}
	db.Exec(t,
		"UPDATE ideas.idea SET created_at = now() - (id % 5) * interval '1 day'",
		"INSERT INTO ideas.support (idea_id, member_id, created_at) SELECT i.id, m.id, now() - (m.id % 3) * interval '3 days' FROM ideas.idea i JOIN ideas.member m ON m.name = 'v' AND m.id % 4 >= i.id % 4")
	less := map[ideas.Order]func(a, b ideas.Idea) int{
		ideas.OrderNewest: func(a, b ideas.Idea) int { return b.CreatedAt.Compare(a.CreatedAt) },
		ideas.OrderTop:    func(a, b ideas.Idea) int { return b.Supporters - a.Supporters },
	}
	for _, order := range []ideas.Order{ideas.OrderNewest, ideas.OrderTop, ideas.OrderTrending} {
		whole, err := store.ListIdeas(t.Context(), 0, ideas.Query{Order: order, Limit: ideas.MaxPage})
		if err != nil {
			t.Fatal(err)
		}
		if whole.Next != "" || len(whole.Ideas) != 23 {
			t.Fatalf("%s: whole list has %d ideas, next %q", order, len(whole.Ideas), whole.Next)
		}
		if cmp := less[order]; cmp != nil && !slices.IsSortedFunc(whole.Ideas, cmp) {
			t.Errorf("%s: list is not in order", order)
		}
		for size := 1; size <= 23; size += 5 {
			var walked []ideas.Idea
			q := ideas.Query{Order: order, Limit: size}
			for {
				page, err := store.ListIdeas(t.Context(), 0, q)
				if err != nil {
					t.Fatal(err)
				}
				walked = append(walked, page.Ideas...)
				if q.After = page.Next; q.After == "" {
					break
				}
			}
			if diff := cmp.Diff(whole.Ideas, walked); diff != "" {
				t.Errorf("%s in pages of %d (-whole +walked):\n%s", order, size, diff)
			}
		}
	}
	page, err := store.ListIdeas(t.Context(), 0, ideas.Query{Order: ideas.OrderTop, Limit: 1})
	if err != nil {
		t.Fatal(err)
	}
	var field *ideas.FieldError
	if _, err := store.ListIdeas(t.Context(), 0, ideas.Query{Order: ideas.OrderNewest, After: page.Next}); !errors.As(err, &field) {
		t.Errorf("another order's cursor: error %v, want a *FieldError", err)
	}
}

// TestTrendingPrefersRecentSupport compares the ranking that the database keeps up with the sum it stands for.
func TestTrendingPrefersRecentSupport(t *testing.T) {
	store, db := fresh(t)
	author := member(t, store, "Alix")
	old, recent, quiet := submit(t, store, author, "old"), submit(t, store, author, "recent"), submit(t, store, author, "quiet")
	db.Exec(t, "INSERT INTO ideas.member (name, locale) SELECT 'v', 'fr' FROM generate_series(1, 12)",
		"UPDATE ideas.tally SET trend = ideas.trend_of(now() - interval '60 days')",
		"UPDATE ideas.idea SET created_at = now() - interval '60 days'",
		fmt.Sprintf(`INSERT INTO ideas.support SELECT %d, id, now() - interval '40 days' FROM ideas.member WHERE name = 'v'`, old.ID),
		fmt.Sprintf(`INSERT INTO ideas.support SELECT %d, id, now() - interval '1 hour' FROM ideas.member WHERE name = 'v' LIMIT 3`, recent.ID))
	list, err := store.ListIdeas(t.Context(), 0, ideas.Query{Order: ideas.OrderTrending})
	if err != nil {
		t.Fatal(err)
	}
	got := []int64{list.Ideas[0].ID, list.Ideas[1].ID, list.Ideas[2].ID}
	if want := []int64{recent.ID, old.ID, quiet.ID}; !slices.Equal(got, want) {
		t.Errorf("trending = %v, want recent, old, quiet = %v", got, want)
	}
	// Withdrawing in any order leads back to where it began, within rounding.
	db.Exec(t, fmt.Sprintf("DELETE FROM ideas.support WHERE idea_id = %d AND member_id %% 2 = %d", old.ID, rand.IntN(2)))
	drift := `SELECT count(*) FROM ideas.tally t JOIN ideas.idea i ON i.id = t.idea_id WHERE abs(t.trend - log(2,
		(power(2::float8, ideas.trend_of(i.created_at)) + coalesce((SELECT sum(power(2::float8, ideas.trend_of(s.created_at)))
		FROM ideas.support s WHERE s.idea_id = i.id), 0))::numeric)) > 1e-6`
	if n := db.QueryInt(t, drift); n != 0 {
		t.Errorf("%d ideas' trend differs from the sum it stands for", n)
	}
	db.Exec(t, "DELETE FROM ideas.support")
	if n := db.QueryInt(t, drift); n != 0 {
		t.Errorf("%d ideas' trend differs after every support was withdrawn", n)
	}
}

func TestSearchMatchesWordsInBothLanguages(t *testing.T) {
	store, _ := fresh(t)
	author := member(t, store, "Alix")
	titles := map[string]string{
		"tente":  "Une tente plus légère pour les randonnées",
		"bag":    "Waterproof bags for cycling",
		"coeur":  "Montre avec mesure du cœur",
		"markup": `Say "yes" & <b>no</b>`,
	}
	for _, title := range titles {
		submit(t, store, author, title)
	}
	for search, want := range map[string][]string{
		"légère":          {"tente"},
		"legere":          {"tente"},
		"LÉGÈRE tente":    {"tente"},
		"randonnée":       {"tente"}, // another form of the word, in French
		"bag":             {"bag"},   // and in English
		"cycle":           {"bag"},
		"coeur":           {"coeur"},
		"tente bag":       nil, // all words, not any
		"tente or bag":    {"tente", "bag"},
		`"plus légère"`:   {"tente"},
		"-tente montre":   {"coeur"},
		`'); DROP TABLE`:  nil,
		`\ ! & | ( : * "`: nil,
		"yes":             {"markup"},
	} {
		for _, order := range []ideas.Order{ideas.OrderNewest, ideas.OrderTop, ideas.OrderTrending} {
			page, err := store.ListIdeas(t.Context(), 0, ideas.Query{Search: search, Order: order})
			if err != nil {
				t.Errorf("search %q: %v", search, err)
				continue
			}
			var got, wanted []string
			for _, i := range page.Ideas {
				got = append(got, i.Title)
			}
			for _, name := range want {
				wanted = append(wanted, titles[name])
			}
			slices.Sort(got)
			slices.Sort(wanted)
			if !slices.Equal(got, wanted) {
				t.Errorf("search %q in order %s found %q, want %q", search, order, got, wanted)
			}
		}
	}
}

func TestRenameShowsEverywhere(t *testing.T) {
	store, _ := fresh(t)
	m := member(t, store, "Alix")
	idea := submit(t, store, m, "A tent")
	if err := store.RenameMember(t.Context(), m.ID, "  Alix \u202Ede B. "); err != nil {
		t.Fatal(err)
	}
	if got, err := store.GetIdea(t.Context(), 0, idea.ID); err != nil || got.Author.Name != "Alix de B." {
		t.Errorf("author = %q, error %v; want the new name, cleaned", got.Author.Name, err)
	}
}
