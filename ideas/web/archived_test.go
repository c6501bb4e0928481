package web_test

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/quaeso/community-operator/ideas"
	"github.com/quaeso/community-operator/internal/control"
)

// A withdrawn challenge keeps a page that says so, with everything that was written; nobody takes part any more. Declared
// again, it goes on where it was.
func TestArchivedChallenges(t *testing.T) {
	r := openRunning(t)
	eligible := func(c *control.Challenge) {
		c.Visibility, c.Eligibility = ideas.VisibleEligible, &control.Eligibility{Roles: []string{"lead"}}
	}
	contest := r.declare("summer", march(func(c *control.Challenge) { c.Ballot = &control.Ballot{Kind: control.BallotApproval} }))
	r.declare("within", march(func(c *control.Challenge) { c.Visibility = ideas.VisibleMembers }))
	r.declare("secret", march(eligible))
	forum := r.declare("talk", control.Challenge{Type: control.TypeForum, Forum: &control.Forum{}})
	member, author := r.signedIn("author")
	team, _ := r.signedIn("lead")
	entry, err := r.store.SubmitEntry(t.Context(), author.ID, contest, "", ideas.Content{Title: "A lamp for cyclists", Body: "It shines."}, nil)
	if err != nil {
		t.Fatal(err)
	}
	opened, err := r.store.AddTopic(t.Context(), forum, author.ID, "", "", "Which light", "Which?")
	if err != nil {
		t.Fatal(err)
	}
	topic := opened.ID
	r.set(day(12)) // the vote is open
	if page := member.get("/challenges/summer").is(http.StatusOK); !strings.Contains(page.body, `action="/challenges/summer/votes"`) || !strings.Contains(page.body, "challenge-until") {
		t.Error("before its end the vote is not open")
	}
	for _, name := range []string{"summer", "within", "secret", "talk"} {
		if err := r.store.WithdrawChallenge(t.Context(), "uid-"+name); err != nil {
			t.Fatal(err)
		}
	}
	page := member.get("/challenges/summer").is(http.StatusOK)
	for _, text := range []string{`action="/challenges/summer/votes"`, "challenge-until", "/challenges/summer/enter"} {
		if strings.Contains(page.body, text) {
			t.Errorf("the archived contest's page has %q", text)
		}
	}
	for _, text := range []string{"This challenge was archived on 12 March 2027", "A lamp for cyclists", `class="phase phase-archived">Archived`} {
		if !strings.Contains(page.body, text) {
			t.Errorf("the archived contest’s page lacks %q", text)
		}
	}
	for _, s := range []struct {
		who    *browser
		path   string
		status int
	}{
		{r.visitor(), "/challenges/within", http.StatusSeeOther}, {member, "/challenges/within", http.StatusOK},
		{member, "/challenges/secret", http.StatusNotFound}, {team, "/challenges/secret", http.StatusOK},
		{r.visitor(), "/challenges/talk", http.StatusOK}, {r.visitor(), fmt.Sprintf("/challenges/talk/topics/%d", topic), http.StatusOK},
		{member, "/challenges/talk/topics/new", http.StatusNotFound}, {member, "/challenges/summer/enter", http.StatusNotFound},
		{r.visitor(), fmt.Sprintf("/ideas/%d-%s", entry.ID, entry.Slug), http.StatusOK}, {r.visitor(), "/challenges/never", http.StatusNotFound},
	} {
		if got := s.who.get(s.path); got.status != s.status {
			t.Errorf("GET %s: status %d, want %d", s.path, got.status, s.status)
		}
	}
	member.post("/challenges/summer/votes", url.Values{"idea": {fmt.Sprint(entry.ID)}, "points": {"1"}}).is(http.StatusNotFound)
	member.post(fmt.Sprintf("/challenges/talk/topics/%d/replies", topic), url.Values{"body": {"This one."}}).is(http.StatusNotFound)
	if page := r.visitor().get("/challenges").is(http.StatusOK); strings.Contains(page.body, "/challenges/summer") {
		t.Error("an archived challenge is in the list")
	}
	again := r.declare("summer", march(func(c *control.Challenge) { c.Ballot = &control.Ballot{Kind: control.BallotApproval} }))
	page = r.visitor().get("/challenges/summer").is(http.StatusOK)
	if again.ID != contest.ID || strings.Contains(page.body, "archived") || !strings.Contains(page.body, "A lamp for cyclists") {
		t.Errorf("declared again, the challenge %d is %d, and its page is\n%s", contest.ID, again.ID, page.body)
	}
}
