package web_test

import (
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/quaeso/community-operator/ideas"
	"github.com/quaeso/community-operator/ideas/web"
	"github.com/quaeso/community-operator/internal/control"
)

// generous limits are none that a test meets.
func generous() web.Limits {
	many := web.Limit{Member: web.Rate{Every: time.Microsecond, Burst: 1_000_000}, Address: web.Rate{Every: time.Microsecond, Burst: 1_000_000}}
	return web.Limits{
		Contributions: many, Votes: many, Uploads: many, Exports: many, SignIns: many, Writes: many, APIWrites: many, Searches: many, Calls: many,
	}
}

// openForms are those that somebody uses who is not signed in, with what they ask for instead.
var openForms = map[string]string{
	"POST /sign-in": "an address", "POST /sign-in/link": "the token of a mail", "POST /sign-out": "nothing: without a session nothing ends",
	"POST /unsubscribe": "the token of a mail", "POST /guardian": "the token of a mail", "POST /account/erasure/confirmation": "the token of a mail",
	"POST /invitation": "the token of an invitation",
}

// teamRoutes are all pages and forms of the team's side, with the permission that each asks for.
var teamRoutes = map[string]ideas.Permission{
	"GET /team": ideas.MaySeeTeam, "GET /team/challenges": ideas.MaySeeTeam, "GET /team/challenges/{name}": ideas.MaySeeTeam,
	"GET /team/methods": ideas.MaySeeTeam, "GET /team/members": ideas.MaySeeTeam, "GET /team/members/{id}": ideas.MaySeeTeam,

	"GET /team/moderation": ideas.MayModerate, "POST /team/moderation": ideas.MayModerate, "POST /team/comments/{comment}": ideas.MayModerate,
	"GET /team/comments/{comment}":     ideas.MayModerate,
	"POST /team/members/{id}/sanction": ideas.MayModerate, "POST /team/sanctions/{id}/lift": ideas.MayModerate,
	"GET /team/appeals": ideas.MayModerate, "POST /team/appeals/{id}": ideas.MayModerate,
	"GET /team/erasures": ideas.MayAudit, "GET /team/audit": ideas.MayAudit,
	// The store looks at what exactly somebody may do to an idea.
	"GET /team/ideas/{ref}": ideas.MaySeeTeam, "POST /team/ideas/{ref}": ideas.MaySeeTeam,
	"GET /team/answers": ideas.MayMeasure,

	"POST /team/challenges/{name}/entries/{entry}": ideas.MayDecide, "POST /team/challenges/{name}/decision": ideas.MayDecide,
	"GET /team/challenges/{name}/applications": ideas.MayDecide, "POST /team/challenges/{name}/applications/{id}": ideas.MayDecide,
	"POST /team/challenges/{name}/applications/{id}/drop": ideas.MayDecide, "POST /team/challenges/{name}/selection": ideas.MayDecide,
	"POST /team/challenges/{name}/testers/{member}/drop": ideas.MayDecide,
	"GET /team/challenges/{name}/results":                ideas.MayMeasure, "POST /team/challenges/{name}/results.csv": ideas.MayExport,
	"GET /team/challenges/{name}/testers": ideas.MayAnswer, "GET /team/challenges/{name}/testers/{member}": ideas.MayAnswer,
	"POST /team/challenges/{name}/testers/{member}/kit": ideas.MayAnswer, "POST /team/challenges/{name}/bugs/{id}": ideas.MayAnswer,
	"GET /team/challenges/{name}/mission": ideas.MayAnswer, "POST /team/challenges/{name}/mission/results/{task}/{member}": ideas.MayAnswer,
	"POST /team/challenges/{name}/mission/ideas": ideas.MayAnswer,

	"GET /team/insights": ideas.MayMeasure, "POST /team/insights/objectives/{name}": ideas.MayMeasure,
	"GET /team/announcements": ideas.MayAnnounce, "POST /team/announcements": ideas.MayAnnounce, "GET /team/announcements/{id}": ideas.MayAnnounce,
	"GET /team/announcements/new": ideas.MayAnnounce, "GET /team/announcements/{id}/edit": ideas.MayAnnounce,
	"POST /team/announcements/{id}": ideas.MayAnnounce, "POST /team/announcements/{id}/send": ideas.MayAnnounce,
	"GET /team/exports": ideas.MayExport, "POST /team/exports/{kind}": ideas.MayExport,
	"GET /team/webhooks": ideas.MayIntegrate, "GET /team/webhooks/{name}": ideas.MayIntegrate, "POST /team/webhooks/{name}": ideas.MayIntegrate,
	"POST /team/webhooks/{name}/again": ideas.MayIntegrate,
	"GET /team/prizes":                 ideas.MayPay, "POST /team/prizes/{id}": ideas.MayPay, "GET /team/royalties": ideas.MayPay, "POST /team/royalties": ideas.MayPay,
	"GET /team/royalties/{id}": ideas.MayPay, "GET /team/royalties/{id}/payouts.csv": ideas.MayPay, "POST /team/royalties/{id}/approve": ideas.MayPay,
	"POST /team/payouts/{id}/paid": ideas.MayPay, "GET /team/sales/{id}": ideas.MayPay, "POST /team/sales/{id}/confirm": ideas.MayPay,
	"POST /team/sales/{id}/discard": ideas.MayPay,
}

var placeholder = regexp.MustCompile(`\{[^}]*\}`)

// pathOf a pattern with values for its placeholders; 1 where none is given.
func pathOf(pattern string, values map[string]string) string {
	_, path, _ := strings.Cut(pattern, " ")
	return placeholder.ReplaceAllStringFunc(path, func(name string) string {
		name = strings.Trim(name, "{}.$")
		if name == "" {
			return ""
		}
		if value, ok := values[name]; ok {
			return value
		}
		return "1"
	})
}

// rows counts what every table holds, but those of requests and those that the clock fills.
func (c *community) rows() string {
	c.t.Helper()
	return c.db.QueryText(c.t, `SELECT string_agg(name || ' ' || n, ', ' ORDER BY name) FROM (SELECT c.relname AS name,
		(xpath('/row/n/text()', query_to_xml(format('SELECT count(*) AS n FROM ideas.%I', c.relname), false, true, '')))[1]::text AS n
		FROM pg_class c WHERE c.relnamespace = 'ideas'::regnamespace AND c.relkind = 'r' AND c.relname !~ '^(rate|river_.*|visit_day|kpi_day|idea_weighted|session|event|notice|review_batch|ballot_result)$') t`)
}

// No form takes anything from another site, from somebody who is not signed in, or a megabyte. The routes that are served
// are asked for, so that a new form cannot be forgotten.
func TestEveryFormIsProtected(t *testing.T) {
	c := open(t, func(c *community) { c.config.Limits = generous() })
	c.team(control.House{})
	b, m := c.signedIn("lead")
	idea := c.idea(m, "A lamp", "Text")
	values := map[string]string{"ref": fmt.Sprint(idea.ID), "kind": "idea", "id": fmt.Sprint(idea.ID)}
	before := c.rows()
	forms := 0
	for _, pattern := range web.Routes() {
		method, _, _ := strings.Cut(pattern, " ")
		if method != http.MethodPost {
			continue
		}
		forms++
		t.Run(pattern, func(t *testing.T) {
			c.in(t)
			path := pathOf(pattern, values)
			if a := b.with("Sec-Fetch-Site", "cross-site").post(path, url.Values{}).is(http.StatusForbidden); a.heading() != "This request was stopped" {
				t.Errorf("from another site: %q", a.heading())
			}
			if a := b.post(path, url.Values{"anything": {strings.Repeat("x", 1<<20)}}).is(http.StatusRequestEntityTooLarge); a.heading() != "That was too much at once" {
				t.Errorf("a megabyte: %q", a.heading())
			}
			if openForms[pattern] != "" {
				return
			}
			a := c.visitor().post(path, url.Values{})
			refused := a.status == http.StatusNotFound || a.status == http.StatusUnauthorized || a.status == http.StatusForbidden ||
				a.status == http.StatusSeeOther && strings.HasPrefix(a.header.Get("Location"), "/sign-in")
			if !refused {
				t.Errorf("somebody who is not signed in: %d to %q", a.status, a.header.Get("Location"))
			}
		})
	}
	if forms < 80 {
		t.Errorf("only %d forms are looked at", forms)
	}
	if diff := cmp.Diff(before, c.rows()); diff != "" {
		t.Errorf("something was written (-before +after):\n%s", diff)
	}
}

// Every page and form of the team's side is in the list above, and does not exist for whoever lacks its permission.
func TestEveryTeamRouteAsksForItsPermission(t *testing.T) {
	c := open(t, func(c *community) { c.config.Limits = generous() })
	c.team(control.House{})
	browsers := map[ideas.Role]*browser{ideas.RoleMember: nil}
	for _, role := range append(ideas.TeamRoles(), ideas.RoleMember) {
		browsers[role], _ = c.signedIn(string(role))
	}
	before := c.rows()
	var served []string
	for _, pattern := range web.Routes() {
		_, path, _ := strings.Cut(pattern, " ")
		if path != "/team" && !strings.HasPrefix(path, "/team/") {
			continue
		}
		served = append(served, pattern)
		for role, b := range browsers {
			if permission := teamRoutes[pattern]; permission == "" || (ideas.Roles{role}).May(permission) {
				continue
			}
			method, _, _ := strings.Cut(pattern, " ")
			// Pages for several permissions are the store's to refuse.
			if a := b.send(method, pathOf(pattern, nil), url.Values{}); a.status != http.StatusNotFound && (a.status != http.StatusForbidden || role == ideas.RoleMember) {
				t.Errorf("%s answers %s with %d", pattern, role, a.status)
			}
		}
	}
	var listed []string
	for pattern := range teamRoutes {
		listed = append(listed, pattern)
	}
	slices.Sort(listed)
	slices.Sort(served)
	if diff := cmp.Diff(listed, served); diff != "" {
		t.Errorf("routes of the team's side (-listed +served):\n%s", diff)
	}
	// Who has the permission is let in: pages without a number open for the lead, who has all.
	for pattern := range teamRoutes {
		if strings.HasPrefix(pattern, "GET ") && !strings.Contains(pattern, "{") {
			browsers[ideas.RoleLead].get(pathOf(pattern, nil)).is(http.StatusOK)
		}
	}
	if diff := cmp.Diff(before, c.rows()); diff != "" {
		t.Errorf("something was written (-before +after):\n%s", diff)
	}
}

// quixotic is a word that stands in whatever belongs to challenges for the eligible alone.
const quixotic = "quixotic"

// concealed declares a challenge of every type for members of a level that nobody else has, and fills them.
func (r *running) concealed(insider ideas.Member) (names []string, entry ideas.Idea) {
	r.t.Helper()
	secret := texts("A "+quixotic+" thing", "Une chose "+quixotic)
	field := control.FormField{Name: "why", Label: secret, Type: "text"}
	question := control.Question{Name: "why", Label: secret, Type: "text"}
	phases := []control.Phase{{Name: control.PhaseOpen, Start: "2027-03-01T09:00", End: "2027-03-30T09:00"}}
	for name, spec := range map[string]control.Challenge{
		"secret-contest":  {Type: control.TypeContest, Form: []control.FormField{field}, Ballot: &control.Ballot{Kind: control.BallotApproval}, Phases: []control.Phase{{Name: control.PhaseOpen, Start: "2027-03-01T09:00", End: "2027-03-30T09:00", Allows: []string{"submit", "vote", "comment"}}}},
		"secret-ideation": {Type: control.TypeIdeation, Phases: phases},
		"secret-survey":   {Type: control.TypeSurvey, Survey: &control.Survey{Questions: []control.Question{question}}, Phases: phases},
		"secret-concept":  {Type: control.TypeConceptTest, ConceptTest: &control.ConceptTest{Stimuli: []control.Stimulus{{Name: "1", Title: secret, Text: secret}}, Questions: []control.Question{question}}, Phases: phases},
		"secret-test":     {Type: control.TypeBetaTest, BetaTest: &control.BetaTest{Kit: secret}, Recruiting: &control.Recruiting{Places: 5, Selection: ideas.SelectionVote, Questions: []control.FormField{field}}, Phases: []control.Phase{{Name: control.PhaseRecruiting, Start: "2027-03-01T09:00", End: "2027-03-30T09:00"}}},
		"secret-forum":    {Type: control.TypeForum, Forum: &control.Forum{}},
		"secret-workshop": {Type: control.TypeWorkshop, Workshop: &control.Workshop{Sessions: []control.Session{{Name: "1", Title: secret, Start: "2027-03-20T09:00", End: "2027-03-20T11:00", Place: secret, Capacity: 3}}}, Phases: phases},
		"secret-mission":  {Type: control.TypeMission, Mission: &control.Mission{Role: "scout", Tasks: []control.Task{{Name: "1", Title: secret, Brief: secret}}}, Phases: phases},
	} {
		spec.Title, spec.Brief, spec.Visibility, spec.Eligibility = secret, secret, ideas.VisibleEligible, &control.Eligibility{Level: 3}
		r.declare(name, spec)
		names = append(names, name)
	}
	r.db.Exec(r.t, fmt.Sprintf("UPDATE ideas.member SET level = 3 WHERE id = %d", insider.ID))
	ctx := r.t.Context()
	contest := r.store.Programme(ctx).Challenge("secret-contest")
	var err error
	if entry, err = r.store.SubmitEntry(ctx, insider.ID, contest, "", ideas.Content{Title: "A " + quixotic + " lamp", Body: "A " + quixotic + " text", Tags: []string{quixotic}}, nil); err != nil {
		r.t.Fatal(err)
	}
	if _, err := r.store.AddComment(ctx, insider.ID, entry.ID, "", "A "+quixotic+" remark"); err != nil {
		r.t.Fatal(err)
	}
	if _, err := r.store.AddTopic(ctx, r.store.Programme(ctx).Challenge("secret-forum"), insider.ID, "", "", "A "+quixotic+" topic", "A "+quixotic+" text"); err != nil {
		r.t.Fatal(err)
	}
	if _, err := r.store.Apply(ctx, r.store.Programme(ctx).Challenge("secret-test"), insider.ID, map[string][]string{"why": {"For a " + quixotic + " reason"}}); err != nil {
		r.t.Fatal(err)
	}
	return names, entry
}

// What belongs to a challenge for the eligible alone shows on no page, in no answer of the API, in no search, and nobody else
// can do anything to it, whatever route they take.
func TestConcealedChallengesShowNowhere(t *testing.T) {
	r := openRunning(t)
	r.config.Limits = generous()
	r.pages = web.New(r.config)
	inside, insider := r.signedIn("Insider")
	outside, outsider := r.signedIn("Outsider")
	// Whoever follows the author, or is called by name, is told of nothing.
	if err := r.store.Follow(t.Context(), outsider.ID, ideas.FollowMember, insider.ID, true); err != nil {
		t.Fatal(err)
	}
	names, entry := r.concealed(insider)
	if _, err := r.store.AddComment(t.Context(), insider.ID, entry.ID, "", "A "+quixotic+" word to "+ideas.MentionOf(ideas.Author{ID: outsider.ID, Name: "Outsider"})); err != nil {
		t.Fatal(err)
	}
	eventually(t, "everybody is told", func() bool { return r.db.QueryInt(t, "SELECT count(*) FROM ideas.event WHERE NOT dispatched") == 0 })
	if n := r.db.QueryInt(t, fmt.Sprintf("SELECT count(*) FROM ideas.notice WHERE member_id = %d", outsider.ID)); n != 0 {
		t.Errorf("%d notices tell of it", n)
	}
	for _, path := range []string{ideaPath(entry), "/challenges/secret-contest"} {
		if !strings.Contains(inside.get(path).is(http.StatusOK).body, quixotic) {
			t.Fatalf("the insider sees nothing on %s", path)
		}
	}
	stranger, member := r.program(nil), r.program(&outsider, ideas.Scopes()...)
	before := r.rows()
	clean := func(what string, a *answer) {
		t.Helper()
		if strings.Contains(strings.ToLower(a.body+fmt.Sprint(a.header)), quixotic) {
			t.Errorf("%s shows it: %d %.300s", what, a.status, a.body[max(0, strings.Index(strings.ToLower(a.body), quixotic)-150):])
		}
		if a.status >= http.StatusInternalServerError {
			t.Errorf("%s answers %d", what, a.status)
		}
	}
	form := url.Values{
		"support": {"true"}, "follow": {"true"}, "body": {"Hello there"}, "title": {"Hello"}, "entry": {fmt.Sprint(entry.ID)}, "points": {"1"}, "vote": {"true"},
		"code": {"offensive"}, "form.why": {"Because"}, "why": {"Because"}, "do": {"thank"}, "name": {"Outsider"}, "language": {"en"}, "digest": {"daily"},
	}
	for _, pattern := range web.Routes() {
		method, path, ok := strings.Cut(pattern, " ")
		if !ok || strings.HasPrefix(path, "/sign-") || path == "/profile" && method == http.MethodPost || strings.HasPrefix(path, "/account/") && method == http.MethodPost ||
			strings.HasPrefix(path, "/profile/") && method == http.MethodPost || path == "/ideas" && method == http.MethodPost || strings.HasPrefix(path, "/invitation") {
			continue // one's own account, and ideas outside of challenges
		}
		for _, name := range names {
			for _, number := range []string{"1", fmt.Sprint(entry.ID), fmt.Sprint(insider.ID)} {
				target := pathOf(pattern, map[string]string{"name": name, "ref": number, "id": number, "kind": "idea", "member": fmt.Sprint(insider.ID)})
				clean(method+" "+target+" for a member", outside.send(method, target, form))
				clean(method+" "+target+" for a stranger", r.visitor().send(method, target, form))
				if !strings.Contains(path, "{") {
					break
				}
			}
			if !strings.Contains(path, "{name}") {
				break
			}
		}
	}
	for _, path := range []string{"/ideas?q=" + quixotic, "/ideas?q=lamp", "/ideas?tag=" + quixotic, "/ideas/similar?title=" + quixotic + "+lamp", "/ideas?order=newest", fmt.Sprintf("/ideas/%d-x", entry.ID)} {
		for _, b := range []*browser{outside, r.visitor()} {
			if a := b.get(path); a.doc != nil && len(a.class("card")) > 0 || strings.Contains(a.body, ideaPath(entry)) {
				t.Errorf("%s finds it", path)
			}
		}
	}
	for _, route := range web.APIRoutes() {
		for _, name := range names {
			path := strings.NewReplacer("{name}", name, "{id}", fmt.Sprint(entry.ID), "{comment}", "1").Replace(route.Path)
			if route.Method == http.MethodPost && route.Path == "/ideas" {
				continue
			}
			for _, p := range []*program{stranger, member} {
				clean(route.Method+" "+path+" of the API", p.call(route.Method, path, `{"points":1,"body":"x","answers":{"why":["x"]},"title":"x","code":"offensive"}`))
			}
		}
	}
	clean("a search of the API", member.get("/ideas?q=lamp"))
	if n := r.db.QueryInt(t, fmt.Sprintf("SELECT count(*) FROM ideas.notice WHERE member_id = %d", outsider.ID)); n != 0 {
		t.Errorf("%d notices tell of it", n)
	}
	if n := r.db.QueryInt(t, fmt.Sprintf("SELECT count(*) FROM ideas.event WHERE actor_id = %d AND kind <> 'member.joined'", outsider.ID)); n != 0 {
		t.Errorf("%d events by somebody who sees nothing", n)
	}
	if diff := cmp.Diff(before, r.rows()); diff != "" {
		t.Errorf("something was written (-before +after):\n%s", diff)
	}
}
