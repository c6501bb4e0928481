package postgres_test

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"maps"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/jackc/pgx/v5"
	"pgregory.net/rapid"

	"github.com/quaeso/community-operator/ideas"
	"github.com/quaeso/community-operator/ideas/postgres"
	"github.com/quaeso/community-operator/internal/control"
)

// ownSupport is a model of what members have given to ideas, and of which stands for which.
type ownSupport struct {
	given map[[2]int64]bool // idea, member
	into  map[int64]int64
}

func (m *ownSupport) root(idea int64) int64 {
	for m.into[idea] != 0 {
		idea = m.into[idea]
	}
	return idea
}

// counted are the ideas and members that count.
func (m *ownSupport) counted() []string {
	all := map[string]bool{}
	for pair := range m.given {
		all[fmt.Sprint(m.root(pair[0]), " ", pair[1])] = true
	}
	return slices.Sorted(maps.Keys(all))
}

// TestNothingBreaksTheCounters does whatever members and moderators do, in any order, and compares what counts with what
// was given, and every counter with what it counts.
func TestNothingBreaksTheCounters(t *testing.T) {
	store, db := fresh(t)
	declareTeam(t, store, 1, control.House{})
	moderator := member(t, store, "Moderator")
	members := []ideas.Member{member(t, store, "Alix"), member(t, store, "Noa"), member(t, store, "Sam")}
	conn, err := pgx.Connect(t.Context(), db.Server.AdminURI(db.Name)+"?search_path=ideas")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close(context.Background()) }()
	// A database takes its time: fewer runs than the default, each of many steps.
	if err := flag.Set("rapid.checks", "15"); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = flag.Set("rapid.checks", "100") }()
	rapid.Check(t, func(rt *rapid.T) {
		w := &world{conn: conn, t: t, rt: rt, store: store, moderator: moderator, members: members, model: ownSupport{map[[2]int64]bool{}, map[int64]int64{}}}
		for i := range 4 {
			w.ideas = append(w.ideas, submit(t, store, members[i%3], fmt.Sprint("Idea ", i)).ID)
		}
		rt.Repeat(map[string]func(*rapid.T){
			"support": w.support, "merge": w.merge, "undo": w.undo, "hide": w.hide, "restore": w.restore,
			"comment": w.comment, "delete comment": w.deleteComment, "thank": w.thank, "": func(*rapid.T) { w.check() },
		})
		failed := t.Failed()
		if counted(t, db); !failed && t.Failed() {
			rt.Fatal("counters differ from what they count")
		}
	})
}

type world struct {
	t         *testing.T
	conn      *pgx.Conn
	rt        *rapid.T
	store     *postgres.Store
	moderator ideas.Member
	members   []ideas.Member
	ideas     []int64
	comments  []int64
	model     ownSupport
}

func (w *world) idea(rt *rapid.T) int64 { return rapid.SampledFrom(w.ideas).Draw(rt, "idea") }

func (w *world) member(rt *rapid.T) ideas.Member {
	return w.members[rapid.IntRange(0, len(w.members)-1).Draw(rt, "member")]
}

// fine fails unless the call was refused for what the idea's state allows.
func (w *world) fine(err error) bool {
	w.t.Helper()
	if err == nil {
		return true
	}
	if !errors.Is(err, ideas.ErrNotFound) && !errors.Is(err, ideas.ErrForbidden) && !errors.As(err, new(*ideas.TransitionError)) &&
		!errors.As(err, new(*ideas.FieldError)) {
		w.rt.Fatal(err)
	}
	return false
}

func (w *world) support(rt *rapid.T) {
	idea, m, on := w.idea(rt), w.member(rt), rapid.Bool().Draw(rt, "on")
	if _, err := w.store.SetSupport(w.t.Context(), m.ID, idea, on); !w.fine(err) {
		return
	}
	counts := slices.Contains(w.model.counted(), fmt.Sprint(idea, " ", m.ID))
	switch {
	case on && !counts:
		w.model.given[[2]int64{idea, m.ID}] = true
	case !on:
		maps.DeleteFunc(w.model.given, func(pair [2]int64, _ bool) bool { return w.model.root(pair[0]) == idea && pair[1] == m.ID })
	}
}

func (w *world) merge(rt *rapid.T) {
	from, into := w.idea(rt), w.idea(rt)
	if _, err := w.store.MergeIdea(w.t.Context(), w.moderator.ID, from, into, ideas.Reason{}); w.fine(err) {
		w.model.into[from] = into
	}
}

func (w *world) undo(rt *rapid.T) {
	idea := w.idea(rt)
	if _, err := w.store.UnmergeIdea(w.t.Context(), w.moderator.ID, idea); w.fine(err) {
		delete(w.model.into, idea)
	}
}

func (w *world) hide(rt *rapid.T) {
	_, err := w.store.MoveIdea(w.t.Context(), w.moderator.ID, w.idea(rt), ideas.StateHidden, ideas.Reason{Code: ideas.ReasonUnclear})
	w.fine(err)
}

func (w *world) restore(rt *rapid.T) {
	_, err := w.store.RestoreIdea(w.t.Context(), w.moderator.ID, w.idea(rt))
	w.fine(err)
}

func (w *world) comment(rt *rapid.T) {
	var c ideas.Comment
	var err error
	if len(w.comments) > 0 && rapid.Bool().Draw(rt, "reply") {
		c, err = w.store.Reply(w.t.Context(), w.member(rt).ID, rapid.SampledFrom(w.comments).Draw(rt, "comment"), "", "A reply")
	} else {
		c, err = w.store.AddComment(w.t.Context(), w.member(rt).ID, w.idea(rt), "", "A comment")
	}
	if w.fine(err) {
		w.comments = append(w.comments, c.ID)
	}
}

func (w *world) deleteComment(rt *rapid.T) {
	if len(w.comments) > 0 {
		w.fine(w.store.DeleteComment(w.t.Context(), w.member(rt).ID, rapid.SampledFrom(w.comments).Draw(rt, "comment")))
	}
}

func (w *world) thank(rt *rapid.T) {
	if len(w.comments) > 0 {
		w.fine(w.store.ThankFor(w.t.Context(), w.member(rt).ID, rapid.SampledFrom(w.comments).Draw(rt, "comment"), rapid.Bool().Draw(rt, "on")))
	}
}

// check compares what counts with what was given, after each step.
func (w *world) check() {
	rows, err := w.conn.Query(w.t.Context(), "SELECT idea_id || ' ' || member_id FROM support WHERE idea_id = ANY ($1)", w.ideas)
	if err != nil {
		w.rt.Fatal(err)
	}
	got, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		w.rt.Fatal(err)
	}
	slices.Sort(got)
	if diff := cmp.Diff(w.model.counted(), got, cmpopts.EquateEmpty()); diff != "" {
		w.rt.Fatalf("support (-given +counted):\n%s", diff)
	}
	var wrong, split int
	err = w.conn.QueryRow(w.t.Context(), `SELECT
		(SELECT count(*) FROM tally t WHERE idea_id = ANY ($1) AND (supporters, comments) IS DISTINCT FROM (
			(SELECT count(*) FROM support s WHERE s.idea_id = t.idea_id), (SELECT count(*) FROM comment c WHERE c.idea_id = t.idea_id AND c.visible))),
		(SELECT count(*) FROM comment r JOIN comment c ON c.id = r.thread_id WHERE r.idea_id = ANY ($1) AND r.idea_id <> c.idea_id)`, w.ideas).Scan(&wrong, &split)
	if err != nil || wrong != 0 || split != 0 {
		w.rt.Fatalf("%d ideas are counted wrongly, %d replies are on another idea than what they answer; error %v", wrong, split, err)
	}
}

// A merge counts everybody once, names the authors, moves the conversation, and is undone exactly.
func TestMergeAndUndo(t *testing.T) {
	store, db := fresh(t)
	declareTeam(t, store, 1, control.House{})
	ctx := t.Context()
	author, other, moderator, third := member(t, store, "Author"), member(t, store, "Other"), member(t, store, "Moderator"), member(t, store, "Third")
	canonical, duplicate := submit(t, store, author, "A tent"), submit(t, store, other, "The same tent")
	for _, pair := range [][2]int64{{author.ID, canonical.ID}, {author.ID, duplicate.ID}, {other.ID, duplicate.ID}} {
		if _, err := store.SetSupport(ctx, pair[0], pair[1], true); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := store.AddComment(ctx, third.ID, duplicate.ID, "", "On the duplicate"); err != nil {
		t.Fatal(err)
	}
	if _, err := store.MergeIdea(ctx, other.ID, duplicate.ID, canonical.ID, ideas.Reason{}); !errors.Is(err, ideas.ErrForbidden) {
		t.Errorf("a member merges ideas: %v", err)
	}
	merged, err := store.MergeIdea(ctx, moderator.ID, duplicate.ID, canonical.ID, ideas.Reason{})
	if err != nil || merged.Supporters != 2 || merged.Comments != 1 {
		t.Fatalf("merged: %d supporters and %d comments, %v; want 2 and 1", merged.Supporters, merged.Comments, err)
	}
	dispatch(t, store, db)
	if got := told(t, store, author); !slices.Contains(got, "merge/idea.merged") {
		t.Errorf("a supporter of the duplicate is told of %q, not of the merge", got)
	}
	people, err := store.CoAuthors(ctx, 0, canonical.ID)
	if want := []ideas.CoAuthor{{Member: ideas.Author{ID: other.ID, Name: "Other"}, State: ideas.CoAuthorMerged}}; err != nil || !cmp.Equal(want, people) {
		t.Errorf("co-authors %+v, %v; want the duplicate's author", people, err)
	}
	if own, err := store.OpenIdea(ctx, 0, duplicate.ID); err != nil || own.MergedInto != canonical.ID {
		t.Errorf("the duplicate leads to %d, %v", own.MergedInto, err)
	}
	if _, err := store.MergeIdea(ctx, moderator.ID, canonical.ID, duplicate.ID, ideas.Reason{}); err == nil || err.Error() != "into: invalid" {
		t.Errorf("ideas are merged in a circle: %v", err)
	}
	// Votes afterwards: one new, one withdrawn.
	if _, err := store.SetSupport(ctx, third.ID, canonical.ID, true); err != nil {
		t.Fatal(err)
	}
	if _, err := store.SetSupport(ctx, author.ID, canonical.ID, false); err != nil {
		t.Fatal(err)
	}
	if _, err := store.UnmergeIdea(ctx, author.ID, duplicate.ID); !errors.Is(err, ideas.ErrForbidden) {
		t.Errorf("a member undoes a merge: %v", err)
	}
	back, err := store.UnmergeIdea(ctx, moderator.ID, duplicate.ID)
	if err != nil || back.Supporters != 1 || back.Comments != 1 || back.State != ideas.StateGathering {
		t.Errorf("undone: %s with %d supporters and %d comments, %v; want 1 and 1", back.State, back.Supporters, back.Comments, err)
	}
	rest, err := store.GetIdea(ctx, 0, canonical.ID)
	if err != nil || rest.Supporters != 1 || rest.Comments != 0 {
		t.Errorf("the other has %d supporters and %d comments, %v; want 1 and 0", rest.Supporters, rest.Comments, err)
	}
	counted(t, db)
}

// TestVotesDuringMerges has members vote on both ideas while they are merged and parted again and again.
func TestVotesDuringMerges(t *testing.T) {
	store, db := fresh(t)
	declareTeam(t, store, 1, control.House{})
	author, moderator := member(t, store, "Author"), member(t, store, "Moderator")
	one, two := submit(t, store, author, "One"), submit(t, store, author, "Two")
	db.Exec(t, "INSERT INTO ideas.member (name, locale) SELECT 'Voter ' || n, 'fr' FROM generate_series(1, 6) n")
	first := db.QueryInt(t, "SELECT min(id) FROM ideas.member WHERE name LIKE 'Voter %'")
	done := make(chan struct{})
	finished := make(chan error, 6)
	for v := range 6 {
		go func() {
			for n := 0; ; n++ {
				select {
				case <-done:
					finished <- nil
					return
				default:
				}
				idea := []int64{one.ID, two.ID}[(n+v)%2]
				if _, err := store.SetSupport(t.Context(), first+int64(v), idea, n%3 != 2); err != nil && !errors.Is(err, ideas.ErrNotFound) {
					finished <- err
					return
				}
				if _, err := store.AddComment(t.Context(), first+int64(v), idea, "", "Hello"); err != nil && !errors.Is(err, ideas.ErrNotFound) {
					finished <- err
					return
				}
			}
		}()
	}
	for range 25 {
		if _, err := store.MergeIdea(t.Context(), moderator.ID, two.ID, one.ID, ideas.Reason{}); err != nil {
			t.Error(err)
		}
		if _, err := store.UnmergeIdea(t.Context(), moderator.ID, two.ID); err != nil {
			t.Error(err)
		}
	}
	close(done)
	for range 6 {
		if err := <-finished; err != nil {
			t.Error(err)
		}
	}
	counted(t, db)
}
