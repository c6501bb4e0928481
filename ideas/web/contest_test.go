package web_test

import (
	"context"
	"fmt"
	"log/slog"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/net/html"

	"github.com/quaeso/community-operator/ideas"
	"github.com/quaeso/community-operator/ideas/postgres"
	"github.com/quaeso/community-operator/internal/control"
)

// running is a community with challenges and a clock that a test sets.
type running struct {
	*community
	now        atomic.Pointer[time.Time]
	generation int64
}

func (r *running) set(now time.Time) { r.now.Store(&now) }

// openRunning starts a community in Paris on 2 March 2027, with a lead.
func openRunning(t *testing.T) *running {
	t.Helper()
	r := &running{}
	r.set(time.Date(2027, time.March, 2, 12, 0, 0, 0, time.UTC))
	clock := func() time.Time { return *r.now.Load() }
	r.community = open(t, func(c *community) {
		c.store = postgres.New(postgres.Config{URI: func() (string, error) { return c.db.URI(), nil }, Clock: clock, Logger: slog.New(slog.DiscardHandler)})
		ctx, cancel := context.WithCancel(context.Background())
		done := make(chan struct{})
		go func() { defer close(done); c.store.Run(ctx) }()
		t.Cleanup(func() { cancel(); <-done })
		ready, stop := context.WithTimeout(t.Context(), 30*time.Second)
		defer stop()
		if err := c.store.WaitReady(ready); err != nil {
			t.Fatal(err)
		}
		_, _, err := c.store.Declare(t.Context(), control.Declaration{UID: "community", Generation: 1, Settings: control.Settings{
			BaseURL: "https://" + host, Hostnames: []string{host}, Brand: control.Brand{Name: texts("Lumière Lab", "Atelier Lumière")},
			Locales: []string{"fr", "en"}, TimeZone: "Europe/Paris", House: &control.House{Roles: map[string][]string{"lead": {"lead@members.example"}}},
		}})
		if err != nil {
			t.Fatal(err)
		}
		c.config.Store, c.config.SignIn, c.config.Settings, c.config.Programme, c.config.Clock = c.store, c.store, c.store, c.store, clock
	})
	return r
}

// declare puts a challenge in force.
func (r *running) declare(name string, spec control.Challenge) *ideas.Challenge {
	r.t.Helper()
	r.generation++
	if spec.Title == nil {
		spec.Title = texts(name, name)
	}
	o := control.Object[control.Challenge]{UID: "uid-" + name, Name: name, Generation: r.generation, Spec: spec}
	if _, _, err := r.store.DeclareChallenge(r.t.Context(), o); err != nil {
		r.t.Fatal(err)
	}
	return r.store.Programme(r.t.Context()).Challenge(name)
}

// carryOut lets dates have their consequences until the condition holds.
func (r *running) carryOut(until func() bool) {
	r.t.Helper()
	for deadline := time.Now().Add(time.Minute); !until(); {
		if err := r.store.CarryOut(r.t.Context()); err != nil {
			r.t.Fatal(err)
		}
		if time.Now().After(deadline) {
			r.t.Fatal("the dates have not had the consequences that the test waits for")
		}
	}
}

// march is a contest of March 2027: entries to the 10th, votes to the 20th, and a jury to the 30th where one is given.
func march(change func(*control.Challenge)) control.Challenge {
	c := control.Challenge{Type: control.TypeContest, Phases: []control.Phase{
		{Name: control.PhaseOpen, Start: "2027-03-01T09:00", End: "2027-03-10T09:00"},
		{Name: control.PhaseVoting, Start: "2027-03-10T09:00", End: "2027-03-20T09:00"},
	}}
	if change != nil {
		change(&c)
	}
	return c
}

func day(n int) time.Time { return time.Date(2027, time.March, n, 12, 0, 0, 0, time.UTC) }

// A member enters with the challenge's own fields: what is wrong is said by its field with the input kept, what is
// private is seen by nobody else, and who may not enter reads why.
func TestEnterAContest(t *testing.T) {
	r := openRunning(t)
	r.declare("summer", march(func(c *control.Challenge) {
		c.Eligibility = &control.Eligibility{EntriesPerMember: 1}
		c.Form = []control.FormField{
			{Name: "material", Label: texts("Material", "Matière"), Type: "text", Required: true},
			{Name: "phone", Label: texts("Telephone", "Téléphone"), Type: "text", Private: true},
		}
	}))
	r.declare("elders", march(func(c *control.Challenge) { c.Eligibility = &control.Eligibility{MinimumAge: 60} }))
	author, _ := r.signedIn("Author")
	r.visitor().get("/challenges/summer/enter").leadsTo("/sign-in?returnTo=%2Fchallenges%2Fsummer%2Fenter")
	if page := author.get("/challenges/summer").is(200); !strings.Contains(page.body, `href="/challenges/summer/enter"`) {
		t.Error("the page does not lead to the form")
	}
	form := author.get("/challenges/summer/enter").is(200)
	wellFormed(t, form, "en")
	wrong := author.post("/challenges/summer/entries", url.Values{"key": {"k1"}, "title": {"A lamp"}, "body": {""}, "form.phone": {"0123"}}).is(422)
	wellFormed(t, wrong, "en")
	if got := value(wrong.id("title")); got != "A lamp" {
		t.Errorf("the title typed is %q now", got)
	}
	if value(wrong.id("form.phone")) != "0123" || wrong.id("body-error") == nil || wrong.id("form.material-error") == nil {
		t.Error("the input is not kept, or the wrong fields are not named")
	}
	filled := url.Values{"key": {"k1"}, "title": {"A lamp"}, "body": {"Made of glass."}, "form.material": {"Glass <b>"}, "form.phone": {"01 23 45"}}
	author.post("/challenges/summer/entries", filled).is(303)
	author.post("/challenges/summer/entries", filled).is(303) // an impatient second press
	page := r.visitor().get("/challenges/summer").is(200)
	wellFormed(t, page, "en")
	if n := len(page.class("contest-entry")); n != 1 {
		t.Fatalf("%d entries, want 1", n)
	}
	if !strings.Contains(page.body, "Glass &lt;b&gt;") || strings.Contains(page.body, "01 23 45") {
		t.Error("the public answer is not shown, or the private one is")
	}
	if own := author.get("/challenges/summer").is(200); !strings.Contains(own.body, "01 23 45") || !strings.Contains(own.body, "Each member may enter 1 idea") {
		t.Error("the author does not see the own answer, or why there is no second entry")
	}
	again := author.post("/challenges/summer/entries", url.Values{"key": {"k2"}, "title": {"Another"}, "body": {"One."}, "form.material": {"x"}}).is(403)
	if !strings.Contains(again.body, "Each member may enter 1 idea") || value(again.id("title")) != "Another" {
		t.Error("a second entry is not refused with the reason and the input")
	}
	young := author.get("/challenges/elders").is(200)
	if !strings.Contains(young.body, "people of 60 years and above") {
		t.Error("who may not enter does not read why")
	}
	author.get("/challenges/elders/enter").leadsTo("/challenges/elders#part")
	r.set(day(10))
	late := author.post("/challenges/summer/entries", url.Values{"key": {"k3"}, "title": {"Late"}, "body": {"One."}, "form.material": {"x"}}).is(403)
	if !strings.Contains(late.body, "This has closed.") {
		t.Error("a late entry is not told that it is late")
	}
}

// Fields that take a file: what is wrong with one is said by its field, a public one is shown to everybody, a private one to
// its author and the team alone.
func TestFilesOfAnEntry(t *testing.T) {
	r := openRunning(t)
	fields := []control.FormField{
		{Name: "sketch", Label: texts("Sketch", "Croquis"), Type: "file", Required: true},
		{Name: "proof", Label: texts("Proof of age", "Preuve d’âge"), Type: "file", Private: true},
		{Name: "phone", Label: texts("Telephone", "Téléphone"), Type: "text", Private: true},
	}
	r.declare("poster", march(func(c *control.Challenge) { c.Form = fields }))
	author, _ := r.signedIn("Author")
	other, _ := r.signedIn("Other")
	lead, leads := r.signedIn("Lead")
	wellFormed(t, author.get("/challenges/poster/enter").is(200), "en")
	const action = "/challenges/poster/entries"
	typed := url.Values{"key": {"k"}, "title": {"A poster"}, "body": {"Two colours."}, "form.phone": {"0123"}}
	sketch, proof := sentFile{"form.sketch", "sketch.png", tinyPicture(t)}, sentFile{"form.proof", "proof.png", append(tinyPicture(t), 0)}
	for name, files := range map[string][]sentFile{
		"none":       {proof},
		"HTML":       {{"form.sketch", "sketch.png", []byte("<script>alert(1)</script>")}, proof},
		"too large":  {{"form.sketch", "sketch.png", append(tinyPicture(t), make([]byte, ideas.MaxAttachmentBytes)...)}, proof},
		"of a guest": {{"form.other", "sketch.png", tinyPicture(t)}, proof},
	} {
		wrong := author.uploads(action, typed, files...).is(422)
		wellFormed(t, wrong, "en")
		if text(wrong.id("form.sketch-error")) == "" || strings.Contains(wrong.body, `"form.proof-error"`) || value(wrong.id("title")) != "A poster" {
			t.Errorf("%s: the page says %q", name, text(wrong.id("form.sketch-error")))
		}
	}
	author.post(action, url.Values{"key": {"k"}, "title": {"A poster"}, "body": {"Two."}, "form.sketch": {"a name alone"}}).is(422)
	r.visitor().uploads(action, typed, sketch).is(401)
	author.uploads(action, typed, sketch, proof).is(303)
	author.uploads(action, typed, sketch, proof).is(303) // an impatient second press
	if n := r.db.QueryInt(t, "SELECT count(*) FROM ideas.attachment"); n != 2 {
		t.Fatalf("%d files are kept, want 2", n)
	}
	addresses := func(b *browser) []string {
		t.Helper()
		page := b.get("/challenges/poster").is(200)
		wellFormed(t, page, "en")
		var all []string
		for _, img := range page.tags("img") {
			if src := attr(img, "src"); strings.HasPrefix(src, "/files/") {
				all = append(all, src)
			}
		}
		return all
	}
	own := addresses(author)
	if len(own) != 2 || len(addresses(lead)) != 2 || len(addresses(other)) != 1 || len(addresses(r.visitor())) != 1 {
		t.Fatalf("the author sees %q, the lead %q, another %q", own, addresses(lead), addresses(other))
	}
	// A program sees what is private where its token is for the team's work.
	for scope, want := range map[ideas.Scope]bool{ideas.ScopeRead: false, ideas.ScopeTeam: true} {
		answer := r.program(&leads, ideas.ScopeRead, scope).get("/challenges/poster/entries").is(200)
		if got := strings.Contains(answer.body, "0123"); got != want {
			t.Errorf("a token with the scope %s sees what is private: %v", scope, got)
		}
	}
	for i, want := range []int{200, 404} {
		other.get(own[i]).is(want)
		r.visitor().get(own[i]).is(want)
		author.get(own[i]).is(200)
		lead.get(own[i]).is(200)
	}
}

// Every ballot is given by plain forms, and htmx gets the vote and what is left in one answer.
func TestVoteInABallot(t *testing.T) {
	r := openRunning(t)
	c := r.declare("budget", march(func(c *control.Challenge) {
		c.Ballot = &control.Ballot{Kind: control.BallotBudget, Budget: 20, MaxPerIdea: 12, Hidden: true, RandomOrder: true}
	}))
	scored := r.declare("scored", march(func(c *control.Challenge) { c.Ballot = &control.Ballot{Kind: control.BallotScore, Maximum: 5} }))
	voter, author := r.signedIn("Voter")
	enter := func(c *ideas.Challenge, title string) int64 {
		idea, err := r.store.SubmitEntry(t.Context(), author.ID, c, "", ideas.Content{Title: title, Body: "x"}, nil)
		if err != nil {
			t.Fatal(err)
		}
		return idea.ID
	}
	entry, second, scoredEntry := enter(c, "A lamp"), enter(c, "A torch"), enter(scored, "A candle")
	vote := func(b *browser, challenge string, entry int64, points string) *answer {
		return b.post("/challenges/"+challenge+"/votes", url.Values{"entry": {fmt.Sprint(entry)}, "points": {points}, "back": {"/challenges/" + challenge}})
	}
	vote(voter, "budget", entry, "3").leadsTo(fmt.Sprintf("/challenges/budget#entry-%d", entry))
	if page := voter.get("/challenges/budget").is(200); !strings.Contains(page.body, "It is not time for this yet") {
		t.Error("a vote before its phase is not told that it is early")
	}
	r.set(day(12))
	page := voter.get("/challenges/budget").is(200)
	wellFormed(t, page, "en")
	if !strings.Contains(page.body, "20 points left") || !strings.Contains(page.body, "Nobody sees how it stands") {
		t.Error("the page does not explain the ballot")
	}
	vote(voter, "budget", entry, "12").is(303)
	part := vote(voter.with("HX-Request", "true"), "budget", second, "8").is(200)
	if got := value(part.id(fmt.Sprintf("points-%d", second))); got != "8" {
		t.Errorf("the vote shows %q", got)
	}
	if left := part.id("ballot-left"); text(left) != "0 points left" || attr(left, "hx-swap-oob") != "true" {
		t.Errorf("what is left is %q", text(left))
	}
	vote(voter, "budget", second, "9").is(303)
	if page := voter.get("/challenges/budget").is(200); !strings.Contains(page.body, "You have no votes left") {
		t.Error("an overspent budget is not told")
	}
	vote(voter, "budget", second, "hello").is(303)
	vote(voter, "budget", 999999, "1").is(404)
	stranger := r.visitor()
	vote(stranger, "budget", entry, "1").leadsTo("/sign-in?returnTo=%2Fchallenges%2Fbudget")
	for name, b := range map[string]*browser{"a stranger": stranger, "a voter": voter} {
		for _, path := range []string{"/challenges/budget", "/ideas", "/", fmt.Sprintf("/ideas/%d-a-lamp", entry)} {
			if body := b.get(path).is(200).body; strings.Contains(body, ">12<") || strings.Contains(body, "12 points<") {
				t.Errorf("%s sees the hidden count on %s", name, path)
			}
		}
	}
	vote(voter, "scored", scoredEntry, "4").is(303)
	open := voter.get("/challenges/scored").is(200)
	wellFormed(t, open, "en")
	pressed := open.all(func(n *html.Node) bool {
		return n.Data == "button" && attr(n, "aria-pressed") == "true" && attr(n, "name") == "points"
	})
	if len(pressed) != 1 || attr(pressed[0], "value") != "4" || !strings.Contains(open.body, "4.00 · 1 vote") {
		t.Errorf("the score given is not shown: %d pressed", len(pressed))
	}
	voter.post("/challenges/scored/votes", url.Values{"entry": {fmt.Sprint(scoredEntry)}, "withdraw": {"true"}, "back": {"https://evil.example"}}).
		leadsTo(fmt.Sprintf("/challenges/scored#entry-%d", scoredEntry))
	if body := voter.get("/challenges/scored").is(200).body; strings.Contains(body, "4.00") {
		t.Error("the score was not withdrawn")
	}
}

// What the challenge's phase does not allow on an idea's own page is told with its reason, and is no failure of ours.
func TestBarredOnAnIdeasPage(t *testing.T) {
	r := openRunning(t)
	c := r.declare("summer", march(func(c *control.Challenge) { c.Phases[1].Allows = []string{"vote"} }))
	member, author := r.signedIn("Member")
	idea, err := r.store.SubmitEntry(t.Context(), author.ID, c, "", ideas.Content{Title: "A lamp", Body: "x"}, nil)
	if err != nil {
		t.Fatal(err)
	}
	comment := url.Values{"key": {"k"}, "body": {"Bright!"}}
	member.post(fmt.Sprintf("/ideas/%d/comments", idea.ID), comment).is(303)
	r.set(day(12))
	comment.Set("key", "k2")
	answer := member.post(fmt.Sprintf("/ideas/%d/comments", idea.ID), comment).is(409)
	if answer.heading() != "This is not possible now" || !strings.Contains(answer.body, "It is not time for this yet") {
		t.Errorf("the page says %q", answer.heading())
	}
	member.post(fmt.Sprintf("/ideas/%d/support", idea.ID), url.Values{"support": {"true"}, "back": {"/ideas"}}).is(303)
	r.set(day(21))
	member.post(fmt.Sprintf("/ideas/%d/support", idea.ID), url.Values{"support": {"false"}, "back": {"/ideas"}}).is(303)
	if page := member.get("/ideas").is(200); !strings.Contains(page.body, "This has closed.") {
		t.Error("a late withdrawal is not told that it is late")
	}
}

// After the close the result is there for everybody, with the file and its hash.
func TestResultPage(t *testing.T) {
	r := openRunning(t)
	c := r.declare("summer", march(func(c *control.Challenge) { c.Ballot = &control.Ballot{Kind: control.BallotApproval, Hidden: true} }))
	voter, author := r.signedIn("Voter")
	idea, err := r.store.SubmitEntry(t.Context(), author.ID, c, "", ideas.Content{Title: "A lamp", Body: "x"}, nil)
	if err != nil {
		t.Fatal(err)
	}
	r.set(day(12))
	one := 1
	if err := r.store.Vote(t.Context(), author.ID, idea.ID, &one); err != nil {
		t.Fatal(err)
	}
	if page := voter.get("/challenges/summer").is(200); !strings.Contains(page.body, "Your pseudonym") || strings.Contains(page.body, "SHA-256") {
		t.Error("before the close there is no pseudonym, or a result")
	}
	r.visitor().get("/challenges/summer/result.jsonl").is(404)
	r.set(day(21))
	r.carryOut(func() bool { _, err := r.store.Result(t.Context(), c); return err == nil })
	page := r.visitor().get("/challenges/summer").is(200)
	wellFormed(t, page, "en")
	file := r.visitor().get("/challenges/summer/result.jsonl").is(200)
	verified, err := ideas.VerifyResult(strings.NewReader(file.body))
	if err != nil || !strings.Contains(page.body, verified.SHA256) {
		t.Errorf("the page does not show the hash of the file: %v", err)
	}
	if got := file.header.Get("Content-Disposition"); got != `attachment; filename="summer-result.jsonl"` {
		t.Errorf("the file is sent as %s", got)
	}
	french := r.visitor().speaks("fr").get("/challenges/summer").is(200)
	wellFormed(t, french, "fr")
}
