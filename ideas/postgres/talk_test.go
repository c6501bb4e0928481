package postgres_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/quaeso/community-operator/ideas"
	"github.com/quaeso/community-operator/internal/control"
)

// queueOf is the moderators' queue as "what cause reports".
func queueOf(s *clocked, moderator ideas.Member) (text string, items []int64) {
	s.t.Helper()
	list, err := s.Queue(s.t.Context(), moderator.ID, 0, 20)
	if err != nil {
		s.t.Fatal(err)
	}
	var all []string
	for _, q := range list {
		what := q.Idea.Title
		switch {
		case q.Reply != nil:
			what = q.Topic.Title + "/" + q.Reply.Body
		case q.Topic != nil:
			what = q.Topic.Title
		}
		all, items = append(all, fmt.Sprintf("%s %s %d", what, q.Cause, q.ReportCount)), append(items, q.ID)
	}
	return strings.Join(all, ", "), items
}

// What is said in a forum waits for moderators as ideas do: in a forum that is looked at before, for a banned term, or when
// somebody reports it.
func TestTalkInTheQueue(t *testing.T) {
	s := openClocked(t)
	ctx := t.Context()
	declareTeam(t, s.Store, 1, control.House{Moderation: control.Moderation{BannedTerms: []string{"scam"}}})
	author, other, moderator := member(t, s.Store, "Author"), member(t, s.Store, "Other"), member(t, s.Store, "Moderator")
	before := s.declare("before", control.Challenge{Type: control.TypeForum, Forum: &control.Forum{}, Moderation: control.ModerationBefore})
	after := s.declare("after", control.Challenge{Type: control.TypeForum, Forum: &control.Forum{}})
	add := func(c *ideas.Challenge, who ideas.Member, title string, want ideas.TopicState) ideas.Topic {
		t.Helper()
		topic, err := s.AddTopic(ctx, c, who.ID, "", "", title, "Text")
		if err != nil || topic.State != want {
			t.Fatalf("%s is %s, %v; want %s", title, topic.State, err, want)
		}
		return topic
	}
	reply := func(c *ideas.Challenge, topic ideas.Topic, body string, pending bool) ideas.Reply {
		t.Helper()
		r, err := s.AddReply(ctx, c, topic.ID, 0, other.ID, "", body)
		if err != nil || r.Pending != pending {
			t.Fatalf("%s waits: %v, %v; want %v", body, r.Pending, err, pending)
		}
		return r
	}
	waiting := add(before, author, "Waits", ideas.TopicPending)
	add(before, moderator, "Of a moderator", ideas.TopicVisible)
	open := add(after, author, "Open", ideas.TopicVisible)
	add(after, author, "No scam", ideas.TopicPending)
	held := reply(after, open, "A scam", true)
	rude := reply(after, open, "Rude", false)
	why := ideas.Reason{Code: ideas.ReasonOffensive}
	for range 2 { // the second changes nothing
		if err := s.Report(ctx, author.ID, ideas.Contribution{Topic: open.ID, Reply: rude.ID}, why); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Report(ctx, other.ID, ideas.Contribution{Topic: open.ID}, why); err != nil {
		t.Fatal(err)
	}
	s.is(ideas.ErrForbidden, s.Report(ctx, author.ID, ideas.Contribution{Topic: open.ID}, why))
	s.is(ideas.ErrNotFound, s.Report(ctx, other.ID, ideas.Contribution{Topic: waiting.ID}, why))
	s.is(ideas.ErrNotFound, s.Report(ctx, author.ID, ideas.Contribution{Topic: open.ID, Reply: held.ID}, why))

	text, items := queueOf(s, moderator)
	if diff := cmp.Diff("Waits before 0, No scam terms 0, Open/A scam terms 0, Open/Rude reported 1, Open reported 1", text); diff != "" {
		t.Fatalf("queue (-want +got):\n%s", diff)
	}
	seen := func(viewer ideas.Member) string {
		t.Helper()
		page, err := s.ListReplies(ctx, viewer.ID, open.ID, "", 10)
		if err != nil {
			t.Fatal(err)
		}
		var all []string
		for _, r := range page.Replies {
			all = append(all, fmt.Sprintf("%s/%v/%v/%s", r.Body, r.Hidden, r.Pending, r.Reason.Text))
		}
		return strings.Join(all, ", ")
	}
	if diff := cmp.Diff([]string{"Rude/false/false/", "A scam/true/true/, Rude/false/false/"}, []string{seen(author), seen(other)}); diff != "" {
		t.Errorf("the thread for others and for the author of what waits (-want +got):\n%s", diff)
	}
	if _, err := s.Moderate(ctx, moderator.ID, items[:1], ideas.DecisionChanges, reason); err == nil {
		t.Error("changes are asked for of a topic, which nobody can change")
	}
	for _, decided := range []struct {
		items  []int64
		d      ideas.Decision
		reason ideas.Reason
	}{{items[:3], ideas.DecisionPublish, ideas.Reason{}}, {items[3:4], ideas.DecisionReject, reason}, {items[4:], ideas.DecisionPublish, ideas.Reason{}}} {
		if n, err := s.Moderate(ctx, moderator.ID, decided.items, decided.d, decided.reason); err != nil || n != len(decided.items) {
			t.Fatalf("%d decided, %v", n, err)
		}
	}
	if diff := cmp.Diff([]string{"A scam/false/false/, /true/false/", "A scam/false/false/, Rude/true/false/Please say more."}, []string{seen(author), seen(other)}); diff != "" {
		t.Errorf("after the decisions (-want +got):\n%s", diff)
	}
	if text, _ := queueOf(s, moderator); text != "" {
		t.Errorf("left in the queue: %s", text)
	}
	for kind, want := range map[ideas.EventKind]int64{ideas.EventTopicPublished: 4, ideas.EventTopicReplied: 2} {
		if n := s.count("SELECT count(*) FROM ideas.event WHERE kind = '" + string(kind) + "'"); n != want {
			t.Errorf("%d events %s, want %d", n, kind, want)
		}
	}
	if topic, err := s.GetTopic(ctx, other.ID, false, open.ID); err != nil || topic.Replies != 1 {
		t.Errorf("the topic counts %d replies, want 1, %v", topic.Replies, err)
	}
}

// Hiding what is in the queue from its own page settles the queue too, and so does an erasure.
func TestTalkLeavesTheQueue(t *testing.T) {
	s := openClocked(t)
	ctx := t.Context()
	declareTeam(t, s.Store, 1, control.House{Moderation: control.Moderation{When: control.ModerationBefore}})
	author, other, moderator := member(t, s.Store, "Author"), member(t, s.Store, "Other"), member(t, s.Store, "Moderator")
	c := s.declare("forum", control.Challenge{Type: control.TypeForum, Forum: &control.Forum{}})
	topic, err := s.AddTopic(ctx, c, author.ID, "", "", "One", "Text")
	if err != nil {
		t.Fatal(err)
	}
	visible := ideas.TopicVisible
	if err := s.ModerateTopic(ctx, moderator.ID, c, topic.ID, ideas.TopicChange{State: &visible}); err != nil {
		t.Fatal(err)
	}
	reply, err := s.AddReply(ctx, c, topic.ID, 0, other.ID, "", "Reply")
	if err != nil {
		t.Fatal(err)
	}
	if text, _ := queueOf(s, moderator); text != "One/Reply before 0" {
		t.Errorf("queue: %q", text)
	}
	if err := s.HideReply(ctx, moderator.ID, c, topic.ID, reply.ID, true, reason); err != nil {
		t.Fatal(err)
	}
	if _, err := s.AddTopic(ctx, c, author.ID, "", "", "Two", "Text"); err != nil {
		t.Fatal(err)
	}
	erase(s, author)
	if text, _ := queueOf(s, moderator); text != "" {
		t.Errorf("left in the queue: %s", text)
	}
}

// erase removes a member with all contributions.
func erase(s *clocked, m ideas.Member) {
	s.t.Helper()
	eraseWith(s, m, ideas.ContributionsRemoved)
}

// eraseWith removes a member, and contributions as asked for.
func eraseWith(s *clocked, m ideas.Member, contributions string) {
	s.t.Helper()
	if err := s.RequestErasure(s.t.Context(), m.ID, contributions); err != nil {
		s.t.Fatal(err)
	}
	_, token, err := s.ErasureRecipient(s.t.Context(), s.count("SELECT max(id) FROM ideas.erasure"))
	if err != nil {
		s.t.Fatal(err)
	}
	if _, err := s.ConfirmErasure(s.t.Context(), token); err != nil {
		s.t.Fatal(err)
	}
}

// Posts of a mission wait unless it is declared that they do not; a banned term always makes them wait.
func TestPostsInTheQueue(t *testing.T) {
	s := openClocked(t)
	declareTeam(t, s.Store, 1, control.House{Moderation: control.Moderation{BannedTerms: []string{"scam"}, TrustedLevel: 1}})
	hunter := member(t, s.Store, "Hunter")
	s.db.Exec(t, fmt.Sprintf("UPDATE ideas.member SET level = 3 WHERE id = %d", hunter.ID))
	for name, tc := range map[string]struct {
		unmoderated bool
		title       string
		want        ideas.TopicState
	}{
		"waits, however trusted":           {false, "A lounge", ideas.TopicPending},
		"declared not to wait":             {true, "A lounge", ideas.TopicVisible},
		"a banned term waits all the same": {true, "A scam", ideas.TopicPending},
	} {
		t.Run(name, func(t *testing.T) {
			c := s.declare("mission-"+fmt.Sprint(tc.unmoderated, len(tc.title)), control.Challenge{
				Type: control.TypeMission, Mission: &control.Mission{Role: "hunter", PostsUnmoderated: tc.unmoderated},
			})
			s.db.Exec(t, fmt.Sprintf("INSERT INTO ideas.challenge_role (challenge_id, member_id, role) VALUES (%d, %d, 'hunter')", c.ID, hunter.ID))
			post, err := s.AddTopic(t.Context(), c, hunter.ID, "", "", tc.title, "Text")
			if err != nil || post.State != tc.want {
				t.Errorf("the post is %s, %v; want %s", post.State, err, tc.want)
			}
		})
	}
}
