package postgres_test

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/quaeso/community-operator/ideas"
	"github.com/quaeso/community-operator/internal/control"
)

// Comments answer each other, are changed and deleted by their authors, thanked for by others, and screened.
func TestConversation(t *testing.T) {
	db := migrated(t)
	now := time.Now()
	config := configFor(db)
	config.Clock = func() time.Time { return now }
	store := open(t, config)
	declareTeam(t, store, 1, control.House{Moderation: control.Moderation{BannedTerms: []string{"scam"}}})
	ctx := t.Context()
	author, other, moderator := member(t, store, "Author"), member(t, store, "Other"), member(t, store, "Moderator")
	idea := submit(t, store, author, "A lamp")
	add := func(c ideas.Comment, err error) ideas.Comment {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	first := add(store.AddComment(ctx, author.ID, idea.ID, "", "First"))
	second := add(store.AddComment(ctx, other.ID, idea.ID, "", "Second"))
	reply := add(store.Reply(ctx, other.ID, first.ID, "k", "To the first"))
	add(store.Reply(ctx, other.ID, first.ID, "k", "To the first"))
	add(store.Reply(ctx, author.ID, reply.ID, "", "To the reply"))
	waiting := add(store.AddComment(ctx, other.ID, idea.ID, "", "A SCÀM!"))
	shown := func(viewer int64) string {
		t.Helper()
		var all []string
		var after int64
		for {
			page, err := store.ListThreads(ctx, viewer, idea.ID, after, 2)
			if err != nil {
				t.Fatal(err)
			}
			for _, c := range page {
				indent := ""
				if c.Thread != 0 {
					indent = fmt.Sprintf(">%s ", c.RepliedTo.Name)
				}
				all, after = append(all, fmt.Sprintf("%s%s/%s", indent, c.Body, c.State)), c.ID
			}
			if len(page) == 0 {
				return strings.Join(all, ", ")
			}
		}
	}
	const thread = "First/published, >Author To the first/published, >Other To the reply/published, Second/published"
	if diff := cmp.Diff(thread, shown(0)); diff != "" {
		t.Errorf("everybody reads (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(thread+", A SCÀM!/pending", shown(other.ID)); diff != "" {
		t.Errorf("its author reads (-want +got):\n%s", diff)
	}
	for want, err := range map[error]error{
		ideas.ErrForbidden: store.DeleteComment(ctx, author.ID, second.ID),
		ideas.ErrNotFound:  store.DeleteComment(ctx, author.ID, waiting.ID),
	} {
		if !errors.Is(err, want) {
			t.Errorf("somebody else deletes a comment: %v, want %v", err, want)
		}
	}
	if _, err := store.EditComment(ctx, author.ID, second.ID, "Mine"); !errors.Is(err, ideas.ErrForbidden) {
		t.Errorf("somebody else edits: %v", err)
	}
	if c := add(store.EditComment(ctx, other.ID, second.ID, "Second, better")); c.Body != "Second, better" || c.EditedAt.IsZero() {
		t.Errorf("edited: %+v", c)
	}
	if err := store.ThankFor(ctx, other.ID, second.ID, true); !errors.Is(err, ideas.ErrForbidden) {
		t.Errorf("a member thanks for their own comment: %v", err)
	}
	for range 2 {
		if err := store.ThankFor(ctx, author.ID, second.ID, true); err != nil {
			t.Fatal(err)
		}
	}
	if c, err := store.GetComment(ctx, author.ID, second.ID); err != nil || c.Thanks != 1 || !c.Thanked {
		t.Errorf("thanked twice: %d, %v", c.Thanks, err)
	}
	now = now.Add(ideas.EditCommentWithin + time.Second)
	if _, err := store.EditComment(ctx, other.ID, second.ID, "Too late"); !errors.Is(err, ideas.ErrForbidden) {
		t.Errorf("a comment is edited when it was answered long since: %v", err)
	}
	if err := store.DeleteComment(ctx, author.ID, first.ID); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff("/deleted, >Author To the first/published, >Other To the reply/published, Second, better/published", shown(0)); diff != "" {
		t.Errorf("after the deletion (-want +got):\n%s", diff)
	}
	if err := store.HideComment(ctx, other.ID, second.ID, reason); !errors.Is(err, ideas.ErrForbidden) {
		t.Errorf("a member hides a comment: %v", err)
	}
	if _, err := store.ModeratedComment(ctx, other.ID, second.ID); !errors.Is(err, ideas.ErrForbidden) {
		t.Errorf("a member looks at a comment as a moderator: %v", err)
	}
	if err := store.HideComment(ctx, moderator.ID, second.ID, reason); err != nil {
		t.Fatal(err)
	}
	if c, err := store.ModeratedComment(ctx, moderator.ID, second.ID); err != nil || c.State != ideas.CommentHidden || c.Reason != reason {
		t.Errorf("the moderator sees %+v, %v", c, err)
	}
	if c, err := store.GetComment(ctx, other.ID, second.ID); err != nil || c.Reason != reason {
		t.Errorf("its author does not learn why it is hidden: %+v, %v", c.Reason, err)
	}
	if _, err := store.GetComment(ctx, author.ID, second.ID); !errors.Is(err, ideas.ErrNotFound) {
		t.Errorf("everybody reads a hidden comment: %v", err)
	}
	if err := store.RestoreComment(ctx, moderator.ID, second.ID); err != nil {
		t.Fatal(err)
	}
	if n := db.QueryInt(t, "SELECT count(*) FROM ideas.event WHERE kind = 'comment.published'"); n != 4 {
		t.Errorf("%d comments were told of, want 4", n)
	}
	counted(t, db)
}

// What waits and what is reported is decided about, in bulk, by moderators, with a reason.
func TestQueue(t *testing.T) {
	store, db := fresh(t)
	declareTeam(t, store, 1, control.House{Moderation: control.Moderation{BannedTerms: []string{"scam"}}})
	ctx := t.Context()
	author, other, moderator, implementer := member(t, store, "Author"), member(t, store, "Other"), member(t, store, "Moderator"), member(t, store, "Implementer")
	reported := submit(t, store, author, "A lamp")
	pending, err := store.SubmitIdea(ctx, author.ID, "", "No scam", "Really")
	if err != nil || pending.State != ideas.StatePending {
		t.Fatalf("an idea with a banned term is %s, %v", pending.State, err)
	}
	comment, err := store.AddComment(ctx, author.ID, reported.ID, "", "A scam")
	if err != nil {
		t.Fatal(err)
	}
	why := ideas.Reason{Code: ideas.ReasonAdvertising}
	for range 2 { // the second changes nothing
		if err := store.Report(ctx, other.ID, ideas.Contribution{Idea: reported.ID}, why); err != nil {
			t.Fatal(err)
		}
	}
	if err := store.Report(ctx, moderator.ID, ideas.Contribution{Idea: reported.ID}, ideas.Reason{Code: ideas.ReasonOther, Text: "Not nice"}); err != nil {
		t.Fatal(err)
	}
	for want, err := range map[string]error{
		ideas.ErrForbidden.Error(): store.Report(ctx, author.ID, ideas.Contribution{Idea: reported.ID}, why),
		"code: required":           store.Report(ctx, other.ID, ideas.Contribution{Idea: reported.ID}, ideas.Reason{Text: "x"}),
		"code: invalid":            store.Report(ctx, other.ID, ideas.Contribution{Idea: reported.ID}, ideas.Reason{Code: "x"}),
		"reason: required":         store.Report(ctx, other.ID, ideas.Contribution{Idea: reported.ID}, ideas.Reason{Code: ideas.ReasonOther}),
		ideas.ErrNotFound.Error():  store.Report(ctx, other.ID, ideas.Contribution{Idea: reported.ID, Comment: comment.ID}, why), // which nobody sees
	} {
		if err == nil || err.Error() != want {
			t.Errorf("report: %v, want %s", err, want)
		}
	}
	for _, m := range []ideas.Member{author, implementer} {
		_, queueErr := store.Queue(ctx, m.ID, 0, 10)
		_, lengthErr := store.QueueLength(ctx, m.ID)
		_, decideErr := store.Moderate(ctx, m.ID, []int64{1}, ideas.DecisionPublish, ideas.Reason{})
		for _, err := range []error{queueErr, lengthErr, decideErr} {
			if !errors.Is(err, ideas.ErrForbidden) {
				t.Errorf("%s moderates: %v", m.Name, err)
			}
		}
	}
	queue, err := store.Queue(ctx, moderator.ID, 0, 10)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	var items []int64
	for _, q := range queue {
		what := q.Idea.Title
		if q.Comment != nil {
			what = q.Comment.Body
		}
		got, items = append(got, fmt.Sprintf("%s %s %d/%d", what, q.Cause, q.ReportCount, len(q.Reports))), append(items, q.ID)
	}
	if diff := cmp.Diff("No scam terms 0/0, A scam terms 0/0, A lamp reported 2/2", strings.Join(got, ", ")); diff != "" {
		t.Fatalf("queue (-want +got):\n%s", diff)
	}
	if _, err := store.Moderate(ctx, moderator.ID, items, ideas.DecisionReject, ideas.Reason{Code: ideas.ReasonOther}); err == nil || err.Error() != "reason: required" {
		t.Errorf("refused without a reason: %v", err)
	}
	if _, err := store.Moderate(ctx, moderator.ID, items, ideas.DecisionChanges, reason); err == nil || db.QueryInt(t, "SELECT count(*) FROM ideas.moderation_item WHERE decided_at IS NULL") != 3 {
		t.Errorf("a decision that does not fit all was carried out for some: %v", err)
	}
	if n, err := store.Moderate(ctx, moderator.ID, items[:2], ideas.DecisionPublish, ideas.Reason{}); err != nil || n != 2 {
		t.Errorf("%d published, %v", n, err)
	}
	if n, err := store.Moderate(ctx, moderator.ID, items, ideas.DecisionReject, reason); err != nil || n != 1 {
		t.Errorf("%d decided again, %v; want the one that was open", n, err)
	}
	if own, err := store.OpenIdea(ctx, author.ID, reported.ID); err != nil || own.State != ideas.StateHidden || own.Reason != reason {
		t.Errorf("the reported idea is %s for %+v, %v", own.State, own.Reason, err)
	}
	if n, err := store.QueueLength(ctx, moderator.ID); err != nil || n != 0 {
		t.Errorf("%d are left, %v", n, err)
	}
	counted(t, db)
}

func TestReportsAreRateLimited(t *testing.T) {
	store, _ := fresh(t)
	author, other := member(t, store, "Author"), member(t, store, "Other")
	for i := range 12 {
		reported := ideas.Contribution{Idea: submit(t, store, author, fmt.Sprint("Idea ", i)).ID}
		err := store.Report(t.Context(), other.ID, reported, ideas.Reason{Code: ideas.ReasonOffTopic})
		if limited := errors.Is(err, ideas.ErrTooMany); limited != (i >= 10) || err != nil && !limited {
			t.Fatalf("report %d: %v", i, err)
		}
	}
}

// Who may answer does, in time or late, and nobody else.
func TestAnswers(t *testing.T) {
	db := migrated(t)
	now := time.Now()
	config := configFor(db)
	config.Clock = func() time.Time { return now }
	store := open(t, config)
	declareTeam(t, store, 1, control.House{AnswerWithinDays: 10})
	ctx := t.Context()
	author, lead, moderator := member(t, store, "Author"), member(t, store, "Lead"), member(t, store, "Moderator")
	var all []ideas.Idea
	for i := range 3 {
		idea := submit(t, store, author, fmt.Sprint("Idea ", i))
		if _, err := store.MoveIdea(ctx, lead.ID, idea.ID, ideas.StateQualified, ideas.Reason{}); err != nil {
			t.Fatal(err)
		}
		all = append(all, idea)
		now = now.Add(24 * time.Hour)
	}
	due := func() string {
		t.Helper()
		list, err := store.DueAnswers(ctx, lead.ID, 0, 10)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, d := range list {
			got = append(got, fmt.Sprintf("%s %v %s", d.Idea.Title, d.Late, d.Responsible))
		}
		return strings.Join(got, ", ")
	}
	if diff := cmp.Diff("Idea 0 false lead, Idea 1 false lead, Idea 2 false lead", due()); diff != "" {
		t.Errorf("due (-want +got):\n%s", diff)
	}
	now = now.Add(8*24*time.Hour + time.Hour)
	if diff := cmp.Diff("Idea 0 true lead, Idea 1 true lead, Idea 2 false lead", due()); diff != "" {
		t.Errorf("late (-want +got):\n%s", diff)
	}
	for _, m := range []ideas.Member{author, moderator} {
		if _, err := store.AnswerIdea(ctx, m.ID, all[0].ID, "Yes"); !errors.Is(err, ideas.ErrForbidden) {
			t.Errorf("%s answers for the brand: %v", m.Name, err)
		}
		if _, err := store.DueAnswers(ctx, m.ID, 0, 10); !errors.Is(err, ideas.ErrForbidden) {
			t.Errorf("%s sees what is late: %v", m.Name, err)
		}
	}
	if _, err := store.AnswerIdea(ctx, lead.ID, all[0].ID, " "); err == nil || err.Error() != "answer: required" {
		t.Errorf("an empty answer: %v", err)
	}
	if _, err := store.AnswerIdea(ctx, lead.ID, all[0].ID, "We are on it."); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff("Idea 1 true lead, Idea 2 false lead", due()); diff != "" {
		t.Errorf("after the answer (-want +got):\n%s", diff)
	}
	own, err := store.OpenIdea(ctx, 0, all[0].ID)
	if answers := own.Answers; err != nil || len(answers) != 1 || answers[0].Body != "We are on it." || answers[0].Author.Name != "Lead" || !own.AnswerDue.IsZero() {
		t.Errorf("answers %+v, due %v, %v", answers, own.AnswerDue, err)
	}
	if own, err := store.OpenIdea(ctx, 0, all[1].ID); err != nil || own.AnswerDue.IsZero() {
		t.Errorf("the promise does not show: %v", err)
	}
	if n := db.QueryInt(t, "SELECT count(*) FROM ideas.event WHERE kind = 'idea.answered'"); n != 1 {
		t.Errorf("%d answers were told of", n)
	}
}

// Files are seen by those who see the idea, and changed by those who may edit it.
func TestAttachments(t *testing.T) {
	store, _ := fresh(t)
	ctx := t.Context()
	author, other := member(t, store, "Author"), member(t, store, "Other")
	draft, err := store.CreateIdea(ctx, author.ID, "", ideas.Content{Title: "A lamp"}, false)
	if err != nil {
		t.Fatal(err)
	}
	content := bytes.Repeat([]byte("0123456789"), 60_000) // several chunks
	file := ideas.Attachment{Idea: draft.ID, Name: "lamp.png", Type: "image/png", Alt: " A lamp ", Width: 10, Height: 20}
	if _, err := store.Attach(ctx, other.ID, file, content); !errors.Is(err, ideas.ErrNotFound) {
		t.Errorf("somebody else attaches to a draft: %v", err)
	}
	kept, err := store.Attach(ctx, author.ID, file, content)
	if err != nil || kept.Alt != "A lamp" || kept.Size != len(content) {
		t.Fatalf("kept %+v, %v", kept, err)
	}
	if again, err := store.Attach(ctx, author.ID, file, content); err != nil || again.ID != kept.ID {
		t.Errorf("the same content is kept twice: %v", err)
	}
	if _, _, err := store.OpenAttachment(ctx, other.ID, kept.ID); !errors.Is(err, ideas.ErrNotFound) {
		t.Errorf("a draft's file is opened: %v", err)
	}
	if _, got, err := store.OpenAttachment(ctx, author.ID, kept.ID); err != nil || !bytes.Equal(got, content) {
		t.Errorf("read back %d bytes, %v", len(got), err)
	}
	for i := range ideas.MaxAttachments {
		_, err := store.Attach(ctx, author.ID, file, []byte(fmt.Sprint("file ", i)))
		if tooMany := err != nil && err.Error() == "file: too_many"; tooMany != (i == ideas.MaxAttachments-1) || err != nil && !tooMany {
			t.Errorf("file %d: %v", i+2, err)
		}
	}
	if _, err := store.Attach(ctx, author.ID, file, make([]byte, ideas.MaxAttachmentBytes+1)); err == nil || err.Error() != "file: too_large" {
		t.Errorf("a file that is too large: %v", err)
	}
	if _, err := store.EditIdea(ctx, author.ID, draft.ID, ideas.Content{Title: "A lamp", Body: "Text"}); err != nil {
		t.Fatal(err)
	}
	if _, err := store.ResubmitIdea(ctx, author.ID, draft.ID); err != nil {
		t.Fatal(err)
	}
	if own, err := store.OpenIdea(ctx, 0, draft.ID); err != nil || len(own.Attachments) != ideas.MaxAttachments {
		t.Errorf("everybody sees %d files, %v", len(own.Attachments), err)
	}
	for _, err := range []error{store.Detach(ctx, other.ID, kept.ID), store.DescribeAttachment(ctx, other.ID, kept.ID, "Mine")} {
		if !errors.Is(err, ideas.ErrForbidden) {
			t.Errorf("somebody else changes a file: %v", err)
		}
	}
	if err := store.Detach(ctx, author.ID, kept.ID); err != nil {
		t.Error(err)
	}
	if _, _, err := store.OpenAttachment(ctx, author.ID, kept.ID); !errors.Is(err, ideas.ErrNotFound) {
		t.Errorf("a removed file is opened: %v", err)
	}
}

// Who was invited and has accepted writes along, until the author thinks otherwise.
func TestCoAuthors(t *testing.T) {
	store, _ := fresh(t)
	ctx := t.Context()
	author, friend, other := member(t, store, "Author"), member(t, store, "Élodie"), member(t, store, "Other")
	idea := submit(t, store, author, "A lamp")
	found, err := store.MembersNamed(ctx, " elodie ")
	if err != nil || len(found) != 1 || found[0].ID != friend.ID {
		t.Fatalf("found %+v, %v", found, err)
	}
	edit := func(m ideas.Member) error {
		_, err := store.EditIdea(ctx, m.ID, idea.ID, ideas.Content{Title: "A lamp of " + m.Name, Body: "Text"})
		return err
	}
	if err := store.InviteCoAuthor(ctx, other.ID, idea.ID, friend.ID); !errors.Is(err, ideas.ErrForbidden) {
		t.Errorf("somebody else invites: %v", err)
	}
	if err := store.InviteCoAuthor(ctx, author.ID, idea.ID, author.ID); err == nil || err.Error() != "name: own" {
		t.Errorf("the author invites themselves: %v", err)
	}
	for range 2 {
		if err := store.InviteCoAuthor(ctx, author.ID, idea.ID, friend.ID); err != nil {
			t.Fatal(err)
		}
	}
	if err := edit(friend); !errors.Is(err, ideas.ErrForbidden) {
		t.Errorf("somebody writes along before accepting: %v", err)
	}
	if own, err := store.OpenIdea(ctx, friend.ID, idea.ID); err != nil || !own.Invited {
		t.Errorf("the invitation does not show: %v", err)
	}
	if err := store.AnswerInvitation(ctx, other.ID, idea.ID, true); !errors.Is(err, ideas.ErrNotFound) {
		t.Errorf("somebody accepts without an invitation: %v", err)
	}
	if people, err := store.CoAuthors(ctx, other.ID, idea.ID); err != nil || len(people) != 0 {
		t.Errorf("an open invitation shows to everybody: %+v, %v", people, err)
	}
	if err := store.AnswerInvitation(ctx, friend.ID, idea.ID, true); err != nil {
		t.Fatal(err)
	}
	if err := edit(friend); err != nil {
		t.Errorf("a co-author cannot edit: %v", err)
	}
	if people, err := store.CoAuthors(ctx, 0, idea.ID); err != nil || len(people) != 1 || people[0].Member.Name != "Élodie" {
		t.Errorf("co-authors %+v, %v", people, err)
	}
	if err := store.RemoveCoAuthor(ctx, friend.ID, idea.ID, friend.ID); !errors.Is(err, ideas.ErrForbidden) {
		t.Errorf("a co-author removes co-authors: %v", err)
	}
	if err := store.RemoveCoAuthor(ctx, author.ID, idea.ID, friend.ID); err != nil {
		t.Fatal(err)
	}
	if err := edit(friend); !errors.Is(err, ideas.ErrForbidden) {
		t.Errorf("somebody writes along after having been removed: %v", err)
	}
}

// What is typed with slips is found, and so is what says nearly the same.
func TestSlipsAndSimilarIdeas(t *testing.T) {
	store, db := fresh(t)
	ctx := t.Context()
	author := member(t, store, "Author")
	tent := submit(t, store, author, "Une tente plus légère pour les randonnées")
	submit(t, store, author, "Waterproof bags for cycling")
	for search, want := range map[string]string{
		"randonees": "randonnees", "legerre tente": "legere tente", "watreproof": "waterproof", "watterproof BAG": "bag waterproof",
		"zzzzzz": "", "tente": "", "x1y2": "", "'); DROP TABLE word": "",
	} {
		page, err := store.ListIdeas(ctx, 0, ideas.Query{Search: search})
		if err != nil || page.Corrected != want || want != "" && len(page.Ideas) != 1 {
			t.Errorf("search %q was corrected to %q with %d ideas, %v; want %q", search, page.Corrected, len(page.Ideas), err, want)
		}
	}
	for typed, want := range map[string]int{"tente legere": 1, "Tante légére": 1, "": 0, strings.Repeat("x", 500): 0, "nothing of it": 0} {
		if list, err := store.SimilarIdeas(ctx, typed, 0); err != nil || len(list) != want {
			t.Errorf("%d ideas are similar to %.20q, %v; want %d", len(list), typed, err, want)
		}
	}
	if list, err := store.SimilarIdeas(ctx, "tente legere", tent.ID); err != nil || len(list) != 0 {
		t.Errorf("an idea is similar to itself: %v", err)
	}
	db.Exec(t, "UPDATE ideas.idea SET state = 'hidden'")
	if list, err := store.SimilarIdeas(ctx, "tente legere", 0); err != nil || len(list) != 0 {
		t.Errorf("a hidden idea is shown as similar: %v", err)
	}
}
