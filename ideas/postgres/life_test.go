package postgres_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/quaeso/community-operator/ideas"
	"github.com/quaeso/community-operator/ideas/postgres"
	"github.com/quaeso/community-operator/internal/control"
	"github.com/quaeso/community-operator/internal/testutil"
)

// declareTeam puts house rules in force, with a lead, a moderator and an implementer of those names.
func declareTeam(t testing.TB, store *postgres.Store, generation int64, house control.House) {
	t.Helper()
	house.Roles = map[string][]string{
		"lead": {"Lead@brand.example"}, "moderator": {"Moderator@brand.example"}, "implementer": {"Implementer@brand.example"},
	}
	_, _, err := store.Declare(t.Context(), control.Declaration{UID: "test", Generation: generation, Settings: control.Settings{
		BaseURL: "https://ideas.brand.example", Locales: []string{"en", "fr"}, TimeZone: "Europe/Paris", House: &house,
	}})
	if err != nil {
		t.Fatal(err)
	}
}

var reason = ideas.Reason{Code: ideas.ReasonUnclear, Text: "Please say more."}

// TestALife leads one idea from its draft to its launch, with what everybody may do on the way.
func TestALife(t *testing.T) {
	store, db := fresh(t)
	declareTeam(t, store, 1, control.House{
		Moderation: control.Moderation{When: "before"}, AnswerWithinDays: 10, Qualify: 2,
		Themes: []control.Theme{{Name: "light"}},
	})
	author, other := member(t, store, "Author"), member(t, store, "Other")
	lead, moderator := member(t, store, "Lead"), member(t, store, "Moderator")
	implementer := member(t, store, "Implementer")
	ctx := t.Context()

	draft, err := store.CreateIdea(ctx, author.ID, "k", ideas.Content{Title: "A lamp"}, false)
	if err != nil || draft.State != ideas.StateDraft {
		t.Fatalf("draft: %+v, %v", draft, err)
	}
	id := draft.ID
	move := func(who ideas.Member, to ideas.State, reason ideas.Reason, want error) {
		t.Helper()
		idea, err := store.MoveIdea(ctx, who.ID, id, to, reason)
		if !errors.Is(err, want) {
			t.Fatalf("%s to %s: error %v, want %v", who.Name, to, err, want)
		}
		if err == nil && idea.State != to {
			t.Fatalf("%s to %s: the idea is %s", who.Name, to, idea.State)
		}
	}
	for _, m := range []ideas.Member{other, lead, moderator} {
		if _, err := store.OpenIdea(ctx, m.ID, id); !errors.Is(err, ideas.ErrNotFound) {
			t.Errorf("%s sees the draft: %v", m.Name, err)
		}
		if _, err := store.EditIdea(ctx, m.ID, id, ideas.Content{Title: "Mine", Body: "now"}); !errors.Is(err, ideas.ErrNotFound) {
			t.Errorf("%s edits the draft: %v", m.Name, err)
		}
	}
	if _, err := store.ResubmitIdea(ctx, author.ID, id); err == nil || err.Error() != "body: required" {
		t.Errorf("a draft without a text is submitted: %v", err)
	}
	if _, err := store.EditIdea(ctx, author.ID, id, ideas.Content{Title: "A lamp", Body: "Bright", Theme: "dark"}); err == nil || err.Error() != "theme: invalid" {
		t.Errorf("an unknown theme: %v", err)
	}
	content := ideas.Content{Title: "A lamp", Body: "Bright", Theme: "light", Tags: []string{"Light, lamp"}}
	if _, err := store.EditIdea(ctx, author.ID, id, content); err != nil {
		t.Fatal(err)
	}
	idea, err := store.ResubmitIdea(ctx, author.ID, id)
	if err != nil || idea.State != ideas.StatePending {
		t.Fatalf("submitted: %s, %v; want pending", idea.State, err)
	}
	if _, err := store.GetIdea(ctx, author.ID, id); !errors.Is(err, ideas.ErrNotFound) {
		t.Errorf("a pending idea is public: %v", err)
	}
	if _, err := store.EditIdea(ctx, author.ID, id, content); !errors.Is(err, ideas.ErrForbidden) {
		t.Errorf("a pending idea is edited: %v", err)
	}
	move(author, ideas.StateGathering, reason, ideas.ErrForbidden)
	move(other, ideas.StateGathering, reason, ideas.ErrNotFound)
	move(implementer, ideas.StateGathering, reason, ideas.ErrNotFound)
	if _, err := store.MoveIdea(ctx, moderator.ID, id, ideas.StateChangesRequested, ideas.Reason{}); err == nil || err.Error() != "reason: required" {
		t.Errorf("changes are requested without a reason: %v", err)
	}
	move(moderator, ideas.StateChangesRequested, reason, nil)
	content.Body = "Bright, for tents"
	if _, err := store.EditIdea(ctx, author.ID, id, content); err != nil {
		t.Fatal(err)
	}
	if idea, err := store.ResubmitIdea(ctx, author.ID, id); err != nil || idea.State != ideas.StatePending || idea.Revision != 2 {
		t.Fatalf("resubmitted: %+v, %v", idea, err)
	}
	move(moderator, ideas.StateGathering, ideas.Reason{}, nil)
	for _, m := range []ideas.Member{other, lead} {
		if _, err := store.SetSupport(ctx, m.ID, id, true); err != nil {
			t.Fatal(err)
		}
	}
	await(t, "the idea to qualify", func() bool {
		idea, err := store.GetIdea(ctx, 0, id)
		return err == nil && idea.State == ideas.StateQualified
	})
	if n := db.QueryInt(t, "SELECT count(*) FROM ideas.answer_due WHERE responsible = 'lead' AND due_at BETWEEN now() + '9 days' AND now() + '11 days'"); n != 1 {
		t.Errorf("%d answers are due in ten days, want 1", n)
	}
	move(author, ideas.StateUnderReview, ideas.Reason{}, ideas.ErrForbidden)
	move(moderator, ideas.StateUnderReview, ideas.Reason{}, ideas.ErrForbidden)
	move(lead, ideas.StateUnderReview, ideas.Reason{}, nil)
	if _, err := store.MoveIdea(ctx, author.ID, id, ideas.StateWithdrawn, ideas.Reason{}); !errors.As(err, new(*ideas.TransitionError)) {
		t.Errorf("the author withdraws what is under review: %v", err)
	}
	move(lead, ideas.StateSelected, ideas.Reason{Text: "We love it."}, nil)
	move(moderator, ideas.StateHidden, reason, nil)
	if _, err := store.RestoreIdea(ctx, author.ID, id); !errors.Is(err, ideas.ErrForbidden) {
		t.Errorf("the author restores a hidden idea: %v", err)
	}
	if idea, err := store.RestoreIdea(ctx, moderator.ID, id); err != nil || idea.State != ideas.StateSelected || idea.Reason.Text != "We love it." {
		t.Errorf("restored: %s for %q, %v; want selected for what was said then", idea.State, idea.Reason.Text, err)
	}
	for _, to := range []ideas.State{ideas.StatePlanned, ideas.StateDevelopment, ideas.StateTesting, ideas.StateLaunched} {
		move(moderator, to, ideas.Reason{}, ideas.ErrForbidden)
		move(implementer, to, ideas.Reason{}, nil)
	}

	changes, err := store.ListChanges(ctx, 0, id, 50)
	if err != nil {
		t.Fatal(err)
	}
	var steps []string
	for _, c := range slices.Backward(changes) {
		steps = append(steps, fmt.Sprintf("%s %s", c.As, c.To))
	}
	want := "author pending, moderator changes_requested, author pending, moderator gathering, service qualified, decider under_review, " +
		"decider selected, moderator hidden, moderator selected, implementer planned, implementer in_development, implementer testing, implementer launched"
	if diff := cmp.Diff(want, strings.Join(steps, ", ")); diff != "" {
		t.Errorf("steps (-want +got):\n%s", diff)
	}
	wantEvents := "idea.submitted 1, idea.published 1, idea.supported 2, idea.qualified 1, idea.selected 1, idea.launched 1"
	for one := range strings.SplitSeq(wantEvents, ", ") {
		kind, n, _ := strings.Cut(one, " ")
		if got := db.QueryInt(t, "SELECT count(*) FROM ideas.event WHERE kind = '"+kind+"'"); fmt.Sprint(got) != n {
			t.Errorf("%d events %s, want %s", got, kind, n)
		}
	}
	if n := db.QueryInt(t, "SELECT count(*) FROM ideas.audit WHERE subject = 'idea' AND actor_id IS NOT NULL"); n != 10 {
		t.Errorf("the audit log has %d steps of the team, want 10", n)
	}
	if n := db.QueryInt(t, "SELECT count(*) FROM ideas.moderation_item WHERE decided_at IS NULL"); n != 0 {
		t.Errorf("%d items are open in the queue", n)
	}
	if n := db.QueryInt(t, "SELECT count(*) FROM ideas.answer_due WHERE answered_at IS NULL"); n != 0 {
		t.Errorf("%d answers are due after the decision", n)
	}
}

// await polls until a condition holds.
func await(t testing.TB, what string, holds func() bool) {
	t.Helper()
	deadline := time.Now().Add(20 * time.Second)
	for !holds() {
		if time.Now().After(deadline) {
			t.Fatalf("waited in vain for %s", what)
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// Every version is kept, and shown to those who may see them.
func TestRevisions(t *testing.T) {
	store, _ := fresh(t)
	declareTeam(t, store, 1, control.House{Moderation: control.Moderation{BannedTerms: []string{"scam"}}})
	author, other, moderator := member(t, store, "Author"), member(t, store, "Other"), member(t, store, "Moderator")
	ctx := t.Context()
	idea := submit(t, store, author, "First")
	edit := func(title, body string) ideas.Idea {
		t.Helper()
		idea, err := store.EditIdea(ctx, author.ID, idea.ID, ideas.Content{Title: title, Body: body})
		if err != nil {
			t.Fatal(err)
		}
		return idea
	}
	edit("Second", "two")
	edit("Second", "two")
	if got := edit("Third", "three"); got.Revision != 3 || got.Slug != "third" {
		t.Errorf("after two changes the idea has revision %d and slug %s", got.Revision, got.Slug)
	}
	if _, err := store.EditIdea(ctx, other.ID, idea.ID, ideas.Content{Title: "Mine", Body: "now"}); !errors.Is(err, ideas.ErrForbidden) {
		t.Errorf("somebody else edits: %v", err)
	}
	for _, m := range []ideas.Member{author, moderator} {
		revisions, err := store.ListRevisions(ctx, m.ID, idea.ID)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, r := range revisions {
			got = append(got, fmt.Sprintf("%d %s by %s", r.Number, r.Title, r.Author.Name))
		}
		if diff := cmp.Diff("3 Third by Author, 2 Second by Author, 1 First by Author", strings.Join(got, ", ")); diff != "" {
			t.Errorf("revisions for %s (-want +got):\n%s", m.Name, diff)
		}
	}
	if _, err := store.ListRevisions(ctx, other.ID, idea.ID); !errors.Is(err, ideas.ErrForbidden) {
		t.Errorf("everybody sees the revisions: %v", err)
	}
	// An edit cannot bring past the moderators what would not have been published.
	if got := edit("Third", "a scam"); got.State != ideas.StatePending {
		t.Errorf("an idea with a banned term is %s after the edit", got.State)
	}
	got, err := store.MoveIdea(ctx, moderator.ID, idea.ID, ideas.StateGathering, ideas.Reason{})
	if err != nil || !got.CreatedAt.Equal(idea.CreatedAt) {
		t.Errorf("published again it is dated %v, it was %v; error %v", got.CreatedAt, idea.CreatedAt, err)
	}
}

// An expired idea begins again at zero.
func TestExpiredIdeasBeginAgain(t *testing.T) {
	store, db := fresh(t)
	declareTeam(t, store, 1, control.House{})
	author, other := member(t, store, "Author"), member(t, store, "Other")
	idea := submit(t, store, author, "A lamp")
	if _, err := store.SetSupport(t.Context(), other.ID, idea.ID, true); err != nil {
		t.Fatal(err)
	}
	db.Exec(t, "UPDATE ideas.idea SET state = 'expired'")
	if _, err := store.ResubmitIdea(t.Context(), other.ID, idea.ID); !errors.Is(err, ideas.ErrForbidden) {
		t.Errorf("somebody else submits it: %v", err)
	}
	if _, err := store.MoveIdea(t.Context(), author.ID, idea.ID, ideas.StateGathering, ideas.Reason{}); !errors.As(err, new(*ideas.TransitionError)) {
		t.Errorf("it goes on with its supporters: %v", err)
	}
	got, err := store.ResubmitIdea(t.Context(), author.ID, idea.ID)
	if err != nil || got.State != ideas.StateGathering || got.Supporters != 0 || !got.CreatedAt.After(idea.CreatedAt) {
		t.Errorf("submitted again: %s with %d supporters since %v, error %v", got.State, got.Supporters, got.CreatedAt, err)
	}
	if n, err := store.SetSupport(t.Context(), other.ID, idea.ID, true); err != nil || n != 1 {
		t.Errorf("support of the new begin counts %d, error %v", n, err)
	}
	counted(t, db)
}

// counted compares every counter with what it counts.
func counted(t testing.TB, db *testutil.PostgresDatabase) {
	t.Helper()
	for what, wrong := range map[string]string{
		"supporters": `SELECT count(*) FROM ideas.tally t WHERE supporters <> (SELECT count(*) FROM ideas.support s WHERE s.idea_id = t.idea_id)`,
		"comments":   `SELECT count(*) FROM ideas.tally t WHERE comments <> (SELECT count(*) FROM ideas.comment c WHERE c.idea_id = t.idea_id AND c.state = 'published')`,
		"visible":    `SELECT count(*) FROM ideas.tally t JOIN ideas.idea i ON i.id = t.idea_id WHERE t.visible <> i.visible`,
		"published":  `SELECT count(*) FROM ideas.idea WHERE visible AND published_at IS NULL`,
		"thanks":     `SELECT count(*) FROM ideas.comment c WHERE thanks <> (SELECT count(*) FROM ideas.comment_thanks t WHERE t.comment_id = c.id)`,
		"totals": `SELECT count(*) FROM (VALUES ('members', (SELECT count(*) FROM ideas.member)), ('ideas', (SELECT count(*) FROM ideas.idea WHERE visible)),
			('votes', (SELECT count(*) FROM ideas.support)), ('comments', (SELECT count(*) FROM ideas.comment WHERE state = 'published'))) w (kind, n)
			WHERE n <> (SELECT coalesce(sum(n), 0) FROM ideas.total t WHERE t.kind = w.kind)`,
		"trends": `SELECT count(*) FROM ideas.tally t JOIN ideas.idea i ON i.id = t.idea_id WHERE abs(t.trend - log(2,
			(power(2::float8, ideas.trend_of(i.created_at)) + coalesce((SELECT sum(power(2::float8, ideas.trend_of(s.created_at)))
			FROM ideas.support s WHERE s.idea_id = i.id), 0))::numeric)) > 1e-5`,
		"merged support": `SELECT count(*) FROM (
			SELECT root_id, member_id FROM ideas.parked_support EXCEPT SELECT idea_id, member_id FROM ideas.support) missing`,
		"derived support": `SELECT count(*) FROM (SELECT idea_id, member_id FROM ideas.support WHERE NOT own
			EXCEPT SELECT root_id, member_id FROM ideas.parked_support) unfounded`,
		"support of merged ideas": `SELECT count(*) FROM ideas.support s JOIN ideas.idea i ON i.id = s.idea_id WHERE i.state = 'merged'`,
	} {
		if n := db.QueryInt(t, wrong); n != 0 {
			t.Errorf("%s: %d are counted wrongly", what, n)
		}
	}
}

// Drafts are bounded, and only their author removes them.
func TestDrafts(t *testing.T) {
	store, _ := fresh(t)
	author, other := member(t, store, "Author"), member(t, store, "Other")
	var last ideas.Idea
	for i := range ideas.MaxDrafts {
		draft, err := store.CreateIdea(t.Context(), author.ID, fmt.Sprint(i), ideas.Content{Title: fmt.Sprint("Draft ", i)}, false)
		if err != nil {
			t.Fatal(err)
		}
		last = draft
	}
	if _, err := store.CreateIdea(t.Context(), author.ID, "", ideas.Content{Title: "One more"}, false); err == nil || err.Error() != "draft: too_many" {
		t.Errorf("one draft too many: %v", err)
	}
	if err := store.DeleteDraft(t.Context(), other.ID, last.ID); !errors.Is(err, ideas.ErrNotFound) {
		t.Errorf("somebody else deletes a draft: %v", err)
	}
	if err := store.DeleteDraft(t.Context(), author.ID, last.ID); err != nil {
		t.Error(err)
	}
	own, err := store.ListOwnIdeas(t.Context(), author.ID)
	if err != nil || len(own) != ideas.MaxDrafts-1 {
		t.Errorf("%d ideas of the author's own, error %v", len(own), err)
	}
	if own, err := store.ListOwnIdeas(t.Context(), other.ID); err != nil || len(own) != 0 {
		t.Errorf("%d ideas of somebody else's, error %v", len(own), err)
	}
}

// The list shows what has a theme, a tag or a state.
func TestFilters(t *testing.T) {
	store, _ := fresh(t)
	declareTeam(t, store, 1, control.House{Themes: []control.Theme{{Name: "light"}, {Name: "heat"}}})
	author, lead := member(t, store, "Author"), member(t, store, "Lead")
	for _, c := range []ideas.Content{
		{Title: "Lamp", Theme: "light", Tags: []string{"tent", "led"}}, {Title: "Stove", Theme: "heat", Tags: []string{"tent"}}, {Title: "Bag"},
	} {
		c.Body = "Text"
		idea, err := store.CreateIdea(t.Context(), author.ID, "", c, true)
		if err != nil {
			t.Fatal(err)
		}
		if c.Title == "Stove" {
			if _, err := store.MoveIdea(t.Context(), lead.ID, idea.ID, ideas.StateUnderReview, ideas.Reason{}); err != nil {
				t.Fatal(err)
			}
		}
	}
	for name, tc := range map[string]struct {
		query ideas.Query
		want  string
	}{
		"all":            {ideas.Query{}, "Bag Stove Lamp"},
		"theme":          {ideas.Query{Theme: "light"}, "Lamp"},
		"tag":            {ideas.Query{Tag: "tent"}, "Stove Lamp"},
		"both":           {ideas.Query{Tag: "tent", Theme: "heat"}, "Stove"},
		"state":          {ideas.Query{State: ideas.StateUnderReview}, "Stove"},
		"search and tag": {ideas.Query{Search: "lamp", Tag: "led"}, "Lamp"},
		"unknown":        {ideas.Query{Tag: "'; DROP"}, ""},
	} {
		for _, order := range []ideas.Order{ideas.OrderNewest, ideas.OrderTop, ideas.OrderTrending} {
			tc.query.Order = order
			page, err := store.ListIdeas(t.Context(), 0, tc.query)
			var got []string
			for _, i := range page.Ideas {
				got = append(got, i.Title)
			}
			if err != nil || strings.Join(got, " ") != tc.want {
				t.Errorf("%s in order %s: %q, %v; want %q", name, order, got, err, tc.want)
			}
		}
	}
	if _, err := store.ListIdeas(t.Context(), 0, ideas.Query{State: ideas.StateDraft}); err == nil || err.Error() != "state: invalid" {
		t.Errorf("drafts are listed: %v", err)
	}
}
