package web_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/quaeso/community-operator/ideas"
	"github.com/quaeso/community-operator/ideas/web"
	"github.com/quaeso/community-operator/internal/control"
)

// Every call asks for the scope that the document says, and for nothing less: a token bounds what a program may do.
func TestScopesBoundEveryCall(t *testing.T) {
	c := open(t)
	c.team(control.House{})
	_, m := c.signedIn("Ada")
	_, lead := c.signedIn("lead")
	doc := document(t, c)
	scopes := map[ideas.Scope][]ideas.Scope{}
	for _, one := range ideas.Scopes() {
		for _, other := range ideas.Scopes() {
			if other != one {
				scopes[one] = append(scopes[one], other)
			}
		}
	}
	stranger, member := c.program(nil), c.program(&m, ideas.Scopes()...)
	programs := map[ideas.Scope]*program{}
	for scope, others := range scopes {
		programs[scope] = c.program(&lead, others...)
	}
	for _, route := range web.APIRoutes() {
		t.Run(route.Method+" "+route.Path, func(t *testing.T) {
			c.in(t)
			var described []string
			for _, requirement := range *doc.Paths.Value(route.Path).Operations()[route.Method].Security {
				described = append(described, strings.Join(requirement["token"], " "))
			}
			want := []string{string(route.Scope)}
			if route.Public {
				want = []string{"", string(route.Scope)}
			}
			if diff := cmp.Diff(want, described); diff != "" {
				t.Errorf("scopes in the document (-served +described):\n%s", diff)
			}
			path := strings.NewReplacer("{id}", "1", "{comment}", "1", "{name}", "none").Replace(route.Path)
			if a := stranger.call(route.Method, path, ""); (a.status == http.StatusUnauthorized) == route.Public {
				t.Errorf("without a token: %d", a.status)
			}
			refused := programs[route.Scope].call(route.Method, path, "").is(http.StatusForbidden)
			if got := refused.header.Get("WWW-Authenticate"); !strings.Contains(got, "insufficient_scope") {
				t.Errorf("WWW-Authenticate is %q", got)
			}
			if a := member.call(route.Method, path, ""); (a.status == http.StatusForbidden) != (route.Needs != "") {
				t.Errorf("a member without a role: %d", a.status)
			}
			if strings.HasPrefix(route.Path, "/team/") != (route.Needs != "") || strings.HasPrefix(route.Path, "/team/") != (route.Scope == ideas.ScopeTeam) {
				t.Errorf("a call of the team's side needs %q and the scope %q", route.Needs, route.Scope)
			}
		})
	}
}

// entries submits some by an author.
func (r *running) entries(c *ideas.Challenge, author ideas.Member, n int) []int64 {
	r.t.Helper()
	var ids []int64
	for i := range n {
		idea, err := r.store.SubmitEntry(r.t.Context(), author.ID, c, "", ideas.Content{Title: fmt.Sprintf("Entry %d", i+1), Body: "x"}, nil)
		if err != nil {
			r.t.Fatal(err)
		}
		ids = append(ids, idea.ID)
	}
	return ids
}

// All five kinds of ballot are cast, changed and withdrawn over the API, and one's own ballot is read.
func TestAPIBallots(t *testing.T) {
	for name, tc := range map[string]struct {
		ballot        control.Ballot
		first, second string
		code          string // why the second is refused; empty where it replaces the first
		other         string // a vote for another entry that the ballot refuses, with its code
		otherCode     string
		used          float64
	}{
		"support":  {control.Ballot{Kind: control.BallotSupport}, ``, `{"points":2}`, "points", ``, "", 0},
		"perDay":   {control.Ballot{Kind: control.BallotPerDay, PerDay: 1}, ``, `{"points":1}`, "", ``, "spent", 1},
		"score":    {control.Ballot{Kind: control.BallotScore, Minimum: 0, Maximum: 5}, `{"points":4}`, `{"points":2}`, "", `{"points":6}`, "points", 2},
		"budget":   {control.Ballot{Kind: control.BallotBudget, Budget: 10, MaxPerIdea: 8}, `{"points":8}`, `{"points":7}`, "", `{"points":4}`, "spent", 7},
		"approval": {control.Ballot{Kind: control.BallotApproval, Approvals: 1}, ``, `{"points":1}`, "", ``, "spent", 1},
		"hidden":   {control.Ballot{Kind: control.BallotSupport, Hidden: true}, ``, `{"points":1}`, "", ``, "", 0},
	} {
		t.Run(name, func(t *testing.T) {
			r := openRunning(t)
			c := r.declare("summer", march(func(c *control.Challenge) { c.Ballot = &tc.ballot }))
			_, author := r.signedIn("Author")
			_, m := r.signedIn("Ada")
			ids := r.entries(c, author, 2)
			p := r.program(&m, ideas.ScopeRead, ideas.ScopeWrite)
			vote := func(n int) string { return fmt.Sprintf("/ideas/%d/vote", ids[n]) }
			if got := read[jsonObject](p.call("PUT", vote(0), tc.first).is(http.StatusConflict)); got["code"] != "phase" {
				t.Errorf("before the vote: %v", got)
			}
			r.set(day(12))
			voted := read[jsonObject](p.call("PUT", vote(0), tc.first).is(http.StatusOK))
			if voted["own"] == nil || (voted["votes"] != nil) == (name == "support" || name == "hidden") {
				t.Errorf("voted: %v", voted)
			}
			again := p.call("PUT", vote(0), tc.second)
			if tc.code == "" {
				again.is(http.StatusOK)
			} else if got := read[jsonObject](again.is(http.StatusConflict)); got["code"] != tc.code {
				t.Errorf("another vote: %v, want %s", got, tc.code)
			}
			other := p.call("PUT", vote(1), tc.other)
			if tc.otherCode == "" {
				other.is(http.StatusOK)
			} else if got := read[jsonObject](other.is(http.StatusConflict)); got["code"] != tc.otherCode {
				t.Errorf("a vote for another entry: %v, want %s", got, tc.otherCode)
			}
			ballot := read[jsonObject](p.get("/challenges/summer/ballot").is(http.StatusOK))
			if ballot["kind"] != tc.ballot.Kind || ballot["open"] != true || tc.used > 0 && tc.ballot.Kind != control.BallotScore && ballot["used"] != tc.used {
				t.Errorf("the ballot: %v", ballot)
			}
			if got := read[jsonObject](r.program(nil).get("/challenges/summer/ballot").is(http.StatusOK)); got["used"] != nil || got["pseudonym"] != nil {
				t.Errorf("to nobody: %v", got)
			}
			votes := read[struct{ Items []jsonObject }](p.get("/challenges/summer/ballot/votes").is(http.StatusOK)).Items
			want := 1
			if tc.otherCode == "" {
				want = 2
			}
			if len(votes) != want || votes[0]["idea"] != float64(ids[0]) || (votes[0]["day"] != nil) != (name == "perDay") {
				t.Errorf("own votes: %v", votes)
			}
			first := p.get("/challenges/summer/ballot/votes?limit=1").is(http.StatusOK)
			if link := first.header.Get("Link"); (link != "") != (want > 1) {
				t.Errorf("the next page is %q", link)
			} else if link != "" {
				next, _, _ := strings.Cut(strings.TrimPrefix(link, "<"), ">")
				if rest := read[struct{ Items []jsonObject }](p.get(next).is(http.StatusOK)).Items; len(rest) != 1 || rest[0]["idea"] != float64(ids[1]) {
					t.Errorf("the second page: %v", rest)
				}
			}
			for range 2 {
				if got := read[jsonObject](p.call("DELETE", vote(0), "").is(http.StatusOK)); got["own"] != nil {
					t.Errorf("withdrawn: %v", got)
				}
			}
			entries := read[struct{ Items []jsonObject }](r.program(nil).get("/challenges/summer/entries").is(http.StatusOK)).Items
			if len(entries) != 2 {
				t.Errorf("entries: %v", entries)
			}
			r.set(day(21))
			if got := read[jsonObject](p.call("PUT", vote(0), tc.first).is(http.StatusConflict)); got["code"] != "closed" {
				t.Errorf("after the vote: %v", got)
			}
		})
	}
}

// A contest from its entries to its outcome, by the API alone.
func TestAPIContest(t *testing.T) {
	r := openRunning(t)
	r.declare("summer", march(func(c *control.Challenge) {
		c.Ballot = &control.Ballot{Kind: control.BallotApproval, Shortlist: 1}
		c.Winners = 1
		c.Form = []control.FormField{{Name: "material", Label: texts("Material", "Matière"), Type: "text", Required: true}, {Name: "phone", Label: texts("Phone", "Téléphone"), Type: "text", Private: true}}
	}))
	_, m := r.signedIn("Ada")
	_, lead := r.signedIn("Lead")
	p, team := r.program(&m, ideas.ScopeRead, ideas.ScopeWrite), r.program(&lead, ideas.ScopeRead, ideas.ScopeTeam)
	if got := problemFields(p.call("POST", "/challenges/summer/entries", `{"title":"A lamp","body":"x"}`).is(http.StatusUnprocessableEntity)); got != "form.material required" {
		t.Errorf("fields are %q", got)
	}
	created := p.call("POST", "/challenges/summer/entries", `{"title":"A lamp","body":"x","tags":["light"],"answers":{"material":["wood"],"phone":["123"]}}`).is(http.StatusCreated)
	id := int64(read[jsonObject](created)["id"].(float64))
	shown := r.program(nil).get("/challenges/summer/entries").is(http.StatusOK)
	if !strings.Contains(shown.body, "wood") || strings.Contains(shown.body, "123") {
		t.Errorf("the entries: %s", shown.body)
	}
	r.set(day(12))
	p.call("PUT", fmt.Sprintf("/ideas/%d/vote", id), "").is(http.StatusOK)
	if got := r.program(nil).get("/challenges/summer/results").is(http.StatusOK).body; got != "{}\n" {
		t.Errorf("results before the close: %s", got)
	}
	r.set(day(21))
	r.carryOut(func() bool {
		_, err := r.store.Result(t.Context(), r.store.Programme(t.Context()).Challenge("summer"))
		return err == nil
	})
	results := read[struct {
		Vote    struct{ Voters int }
		Outcome *jsonObject
	}](r.program(nil).get("/challenges/summer/results").is(http.StatusOK))
	if results.Vote.Voters != 1 || results.Outcome != nil {
		t.Errorf("results after the close: %+v", results)
	}
	decision := "/team/challenges/summer/decision"
	problemFields(team.call("POST", decision, `{"winners":[],"reason":"x"}`).is(http.StatusUnprocessableEntity))
	decided := team.call("POST", decision, fmt.Sprintf(`{"winners":[{"idea":%d,"rank":1,"reason":"The brightest."}],"reason":"We make it."}`, id)).is(http.StatusOK)
	if !strings.Contains(decided.body, "The brightest.") {
		t.Errorf("decided: %s", decided.body)
	}
	changes := read[struct{ Items []jsonObject }](r.program(nil).get(fmt.Sprintf("/ideas/%d/changes", id)).is(http.StatusOK)).Items
	if len(changes) == 0 || changes[0]["to"] != "selected" || changes[0]["reason"] == nil {
		t.Errorf("changes: %v", changes)
	}
}

// Applications are submitted, changed, voted for, decided on and taken back; others see what is not private.
func TestAPIApplications(t *testing.T) {
	c := brandWithMethods(t)
	questions := []control.FormField{
		{Name: "why", Label: texts("Why", "Pourquoi"), Type: "text", Required: true}, {Name: "phone", Label: texts("Phone", "Téléphone"), Type: "text", Private: true},
	}
	c.declareMethod("flight", control.Challenge{Type: control.TypeMission, Mission: &control.Mission{}, Recruiting: &control.Recruiting{
		Places: 1, Selection: ideas.SelectionVote, Questions: questions,
	}}, control.PhaseRecruiting, -1, 1)
	_, lead := c.signedIn("Lead")
	_, ada := c.signedIn("Ada")
	_, lou := c.signedIn("Lou")
	p, other := c.program(&ada, ideas.ScopeRead, ideas.ScopeWrite), c.program(&lou, ideas.ScopeRead, ideas.ScopeWrite)
	team := c.program(&lead, ideas.ScopeTeam)
	const own = "/challenges/flight/application"
	p.get(own).is(http.StatusNotFound)
	if got := problemFields(p.call("PUT", own, `{"answers":{}}`).is(http.StatusUnprocessableEntity)); got != "form.why required" {
		t.Errorf("fields are %q", got)
	}
	p.call("PUT", own, `{"answers":{"why":["I fly"],"phone":["123"]}}`).is(http.StatusOK)
	mine := read[jsonObject](p.call("PUT", own, `{"answers":{"why":["I fly often"],"phone":["123"]}}`).is(http.StatusOK))
	if mine["state"] != "submitted" {
		t.Errorf("mine: %v", mine)
	}
	other.call("PUT", own, `{"answers":{"why":["Me too"]}}`).is(http.StatusOK)
	list := other.get("/challenges/flight/applications?limit=1").is(http.StatusOK)
	if !strings.Contains(list.body, "I fly often") || strings.Contains(list.body, "123") || list.header.Get("Link") == "" {
		t.Errorf("candidates: %s", list.body)
	}
	all := read[struct{ Items []jsonObject }](team.get("/team/challenges/flight/applications?state=submitted").is(http.StatusOK)).Items
	if len(all) != 2 || fmt.Sprint(all[0]["answers"]) != "map[phone:[123] why:[I fly often]]" {
		t.Errorf("the team sees %v", all)
	}
	team.get("/team/challenges/flight/applications?state=odd").is(http.StatusUnprocessableEntity)
	decide := func(n int) string {
		return fmt.Sprintf("/team/challenges/flight/applications/%v/decision", all[n]["id"])
	}
	problemFields(team.call("POST", decide(1), `{"state":"refused"}`).is(http.StatusUnprocessableEntity))
	if got := read[jsonObject](team.call("POST", decide(0), `{"state":"selected","reason":"Welcome"}`).is(http.StatusOK)); got["state"] != "selected" {
		t.Errorf("decided: %v", got)
	}
	problemFields(team.call("POST", decide(1), `{"state":"selected"}`).is(http.StatusConflict)) // no place is left
	if got := read[jsonObject](p.get(own).is(http.StatusOK)); got["state"] != "selected" || got["reason"] != "Welcome" {
		t.Errorf("the applicant reads %v", got)
	}
	problemFields(p.call("PUT", own, `{"answers":{"why":["Again"]}}`).is(http.StatusConflict))
	other.call("DELETE", own, "").is(http.StatusNoContent)
	notices := read[struct{ Items []jsonObject }](func() *answer {
		var a *answer
		eventually(t, "the notice", func() bool {
			a = p.get("/me/notices").is(http.StatusOK)
			return strings.Contains(a.body, "application.selected")
		})
		return a
	}()).Items
	if notices[0]["read"] != false || notices[0]["challenge"] != "flight" || notices[0]["text"] == "" {
		t.Errorf("notices: %v", notices)
	}
	problemFields(p.call("POST", "/me/notices/read", `{}`).is(http.StatusUnprocessableEntity))
	p.call("POST", "/me/notices/read", fmt.Sprintf(`{"ids":[%v]}`, notices[0]["id"])).is(http.StatusNoContent)
	if got := read[struct{ Items []jsonObject }](p.get("/me/notices").is(http.StatusOK)).Items; got[0]["read"] != true {
		t.Errorf("a notice that was read: %v", got[0])
	}
	// Somebody else's notices are nobody's to mark.
	other.call("POST", "/me/notices/read", fmt.Sprintf(`{"ids":[%v]}`, notices[0]["id"])).is(http.StatusNoContent)
}

// What waits is listed and decided, comments are hidden and restored, ideas merged and parted, by the API.
func TestAPIModeration(t *testing.T) {
	c := open(t)
	c.team(control.House{Moderation: control.Moderation{When: control.ModerationBefore}, AnswerWithinDays: 10})
	c.config.Settings = c.store
	c.pages = web.New(c.config)
	_, ada := c.signedIn("Ada")
	_, lou := c.signedIn("Lou")
	_, lead := c.signedIn("lead")
	_, moderator := c.signedIn("moderator")
	p, reader := c.program(&ada, ideas.ScopeWrite), c.program(&lou, ideas.ScopeRead, ideas.ScopeWrite)
	team, decides := c.program(&moderator, ideas.ScopeTeam), c.program(&lead, ideas.ScopeTeam)
	for _, title := range []string{"One", "Two", "Three"} {
		p.call("POST", "/ideas", `{"title":"`+title+`","body":"x"}`).is(http.StatusCreated)
	}
	type queue struct {
		Items []struct {
			ID          int64
			Cause       string
			ReportCount int
			Idea        struct{ ID int64 }
			Comment     *jsonObject
			Reports     []jsonObject
		}
		Next string
	}
	first := read[queue](team.get("/team/moderation?limit=2").is(http.StatusOK))
	second := read[queue](team.get("/team/moderation?limit=2&cursor=" + first.Next).is(http.StatusOK))
	if len(first.Items) != 2 || len(second.Items) != 1 || first.Items[0].Cause != "before" || second.Next != "" {
		t.Fatalf("the queue: %+v %+v", first, second)
	}
	one, two, three := first.Items[0], first.Items[1], second.Items[0]
	reader.get(fmt.Sprintf("/ideas/%d", one.Idea.ID)).is(http.StatusNotFound)
	problemFields(team.call("POST", "/team/moderation", fmt.Sprintf(`{"items":[%d],"decision":"reject"}`, three.ID)).is(http.StatusUnprocessableEntity))
	problemFields(team.call("POST", "/team/moderation", fmt.Sprintf(`{"items":[%d],"decision":"burn"}`, three.ID)).is(http.StatusUnprocessableEntity))
	if got := read[jsonObject](team.call("POST", "/team/moderation", fmt.Sprintf(`{"items":[%d,%d],"decision":"publish"}`, one.ID, two.ID)).is(http.StatusOK)); got["decided"] != 2.0 {
		t.Errorf("decided: %v", got)
	}
	team.call("POST", "/team/moderation", fmt.Sprintf(`{"items":[%d],"decision":"reject","reason":{"code":"off_topic"}}`, three.ID)).is(http.StatusOK)
	idea := fmt.Sprintf("/ideas/%d", one.Idea.ID)
	reader.get(idea).is(http.StatusOK)
	problemFields(reader.call("POST", idea+"/reports", `{"code":"unclear"}`).is(http.StatusUnprocessableEntity))
	reader.call("POST", idea+"/reports", `{"code":"advertising","text":"It sells."}`).is(http.StatusNoContent)
	p.call("POST", idea+"/reports", `{"code":"advertising"}`).is(http.StatusForbidden) // one's own
	comment, err := c.store.AddComment(t.Context(), moderator.ID, one.Idea.ID, "", "Bright!")
	if err != nil {
		t.Fatal(err)
	}
	reader.call("POST", fmt.Sprintf("%s/comments/%d/reports", idea, comment.ID), `{"code":"offensive"}`).is(http.StatusNoContent)
	reports := read[queue](team.get("/team/moderation").is(http.StatusOK)).Items
	if len(reports) != 2 || reports[0].ReportCount != 1 || len(reports[0].Reports) != 1 || reports[1].Comment == nil {
		t.Errorf("reported: %+v", reports)
	}
	problemFields(team.call("POST", fmt.Sprintf("/team/comments/%d/hide", comment.ID), `{"reason":{}}`).is(http.StatusUnprocessableEntity))
	team.call("POST", fmt.Sprintf("/team/comments/%d/hide", comment.ID), `{"reason":{"code":"offensive"}}`).is(http.StatusNoContent)
	team.call("POST", fmt.Sprintf("/team/comments/%d/restore", comment.ID), "").is(http.StatusNoContent)
	merged := fmt.Sprintf("/team/ideas/%d", two.Idea.ID)
	if got := read[jsonObject](team.call("POST", merged+"/merge", fmt.Sprintf(`{"into":%d}`, one.Idea.ID)).is(http.StatusOK)); got["id"] != float64(one.Idea.ID) {
		t.Errorf("merged: %v", got)
	}
	if got := read[jsonObject](team.call("POST", merged+"/unmerge", "").is(http.StatusOK)); got["state"] != "gathering" {
		t.Errorf("parted: %v", got)
	}
	team.call("POST", fmt.Sprintf("/team/ideas/%d/state", one.Idea.ID), `{"state":"hidden","reason":{"code":"off_topic"}}`).is(http.StatusOK)
	team.call("POST", fmt.Sprintf("/team/ideas/%d/restore", one.Idea.ID), "").is(http.StatusOK)
	decides.call("POST", fmt.Sprintf("/team/ideas/%d/answers", one.Idea.ID), `{"body":"In May."}`).is(http.StatusCreated)
	answers := read[struct{ Items []jsonObject }](reader.get(idea + "/answers").is(http.StatusOK)).Items
	if len(answers) != 1 || answers[0]["body"] != "In May." {
		t.Errorf("answers: %v", answers)
	}
	c.db.Exec(t, fmt.Sprintf("INSERT INTO ideas.answer_due (idea_id, due_at, responsible) VALUES (%d, now(), 'lead'), (%d, now() + interval '1 day', 'host')", one.Idea.ID, two.Idea.ID))
	due := read[struct {
		Items []jsonObject
		Next  string
	}](decides.get("/team/answers?limit=1").is(http.StatusOK))
	rest := read[struct{ Items []jsonObject }](decides.get("/team/answers?limit=1&cursor=" + due.Next).is(http.StatusOK))
	if len(due.Items) != 1 || due.Items[0]["late"] != true || len(rest.Items) != 1 || rest.Items[0]["late"] != false {
		t.Errorf("due answers: %v, then %v", due, rest)
	}
}

// Topics of forums and replies to them are in the same queue.
func TestAPIModeratesTalk(t *testing.T) {
	c := open(t)
	c.team(control.House{})
	c.config.Settings, c.config.Programme = c.store, c.store
	c.pages = web.New(c.config)
	forum := c.declareMethod("forum", control.Challenge{Type: control.TypeForum, Forum: &control.Forum{}, Moderation: control.ModerationBefore})
	_, ada := c.signedIn("Ada")
	_, moderator := c.signedIn("moderator")
	team := c.program(&moderator, ideas.ScopeTeam)
	topic, err := c.store.AddTopic(t.Context(), forum, ada.ID, "", "", "Soups", "More of them")
	if err != nil {
		t.Fatal(err)
	}
	type queue struct {
		Items []struct {
			ID           int64
			Idea         *jsonObject
			Topic, Reply *struct {
				ID                     int64
				Challenge, Title, Body string
			}
		}
	}
	waiting := read[queue](team.get("/team/moderation").is(http.StatusOK)).Items
	if len(waiting) != 1 || waiting[0].Idea != nil || waiting[0].Topic == nil || waiting[0].Topic.Challenge != "forum" || waiting[0].Topic.Title != "Soups" {
		t.Fatalf("the queue: %+v", waiting)
	}
	team.call("POST", "/team/moderation", fmt.Sprintf(`{"items":[%d],"decision":"publish"}`, waiting[0].ID)).is(http.StatusOK)
	if _, err := c.store.AddReply(t.Context(), forum, topic.ID, 0, ada.ID, "", "Leek"); err != nil {
		t.Fatal(err)
	}
	waiting = read[queue](team.get("/team/moderation").is(http.StatusOK)).Items
	if len(waiting) != 1 || waiting[0].Reply == nil || waiting[0].Reply.Body != "Leek" || waiting[0].Topic.ID != topic.ID {
		t.Errorf("the queue: %+v", waiting)
	}
}
