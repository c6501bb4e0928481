package web_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
	"github.com/getkin/kin-openapi/routers/gorillamux"
	"github.com/google/go-cmp/cmp"

	"github.com/quaeso/community-operator/ideas"
	"github.com/quaeso/community-operator/ideas/web"
	"github.com/quaeso/community-operator/internal/control"
)

// document is the OpenAPI document as it is served.
func document(t testing.TB, c *community) *openapi3.T {
	t.Helper()
	a := c.visitor().get("/api/v1/openapi.json").is(http.StatusOK)
	loader := openapi3.NewLoader()
	doc, err := loader.LoadFromData([]byte(a.body))
	if err != nil {
		t.Fatal(err)
	}
	if err := doc.Validate(t.Context()); err != nil {
		t.Fatalf("the document is not valid OpenAPI: %v", err)
	}
	if !strings.HasPrefix(doc.OpenAPI, "3.1") {
		t.Fatalf("the document is of OpenAPI %s", doc.OpenAPI)
	}
	return doc
}

// contract validates answers against the document; it is read once for all tests.
var contract struct {
	once   sync.Once
	router routers.Router
}

// program calls the API with a token.
type program struct {
	community *community
	token     string
	header    http.Header
}

// program makes a token for a member and a caller with it; without a member the caller has none.
func (c *community) program(m *ideas.Member, scopes ...ideas.Scope) *program {
	c.t.Helper()
	p := &program{community: c, header: http.Header{}}
	if m != nil {
		_, secret, err := c.store.IssueToken(c.t.Context(), m.ID, "test", scopes, 30)
		if err != nil {
			c.t.Fatal(err)
		}
		p.token = secret
		p.header.Set("Authorization", "Bearer "+secret)
	}
	return p
}

func (p *program) with(name, value string) *program {
	other := *p
	other.header = p.header.Clone()
	other.header.Set(name, value)
	return &other
}

func (p *program) get(path string) *answer { return p.call(http.MethodGet, path, "") }

// call sends a body as JSON and checks that the answer is one that the document has.
func (p *program) call(method, path, body string) *answer {
	t := p.community.t
	t.Helper()
	contract.once.Do(func() {
		doc := document(t, p.community)
		doc.Servers = openapi3.Servers{{URL: "https://" + host + "/api/v1"}}
		router, err := gorillamux.NewRouter(doc)
		if err != nil {
			t.Fatal(err)
		}
		contract.router = router
	})
	if !strings.HasPrefix(path, "http") {
		path = "https://" + host + "/api/v1" + path
	}
	r := httptest.NewRequestWithContext(t.Context(), method, path, strings.NewReader(body))
	maps.Copy(r.Header, p.header)
	if body != "" && r.Header.Get("Content-Type") == "" {
		r.Header.Set("Content-Type", "application/json")
	}
	w := httptest.NewRecorder()
	p.community.pages.ServeHTTP(w, r)
	a := &answer{t: t, path: path, status: w.Code, header: w.Result().Header, body: w.Body.String()}
	if a.header.Get("Access-Control-Allow-Origin") != "" || len(w.Result().Cookies()) > 0 {
		t.Errorf("%s answers with CORS headers or cookies: %v", path, a.header)
	}
	route, values, err := contract.router.FindRoute(r)
	if err != nil {
		return a // addresses and methods that the document does not have
	}
	input := &openapi3filter.ResponseValidationInput{
		RequestValidationInput: &openapi3filter.RequestValidationInput{Request: r, PathParams: values, Route: route},
		Status:                 a.status, Header: a.header, Body: io.NopCloser(bytes.NewReader([]byte(a.body))),
		Options: &openapi3filter.Options{IncludeResponseStatus: true},
	}
	if err := openapi3filter.ValidateResponse(t.Context(), input); err != nil {
		t.Errorf("%s %s answered what the document does not have: %v\n%d %s", method, path, err, a.status, a.body)
	}
	return a
}

// read decodes an answer.
func read[T any](a *answer) T {
	a.t.Helper()
	var v T
	if err := json.Unmarshal([]byte(a.body), &v); err != nil {
		a.t.Fatalf("%s: %v\n%s", a.path, err, a.body)
	}
	return v
}

type jsonObject = map[string]any

// problemFields are the fields that a problem names, with their codes.
func problemFields(a *answer) string {
	a.t.Helper()
	if got := a.header.Get("Content-Type"); got != "application/problem+json" {
		a.t.Errorf("%s answers with %s", a.path, got)
	}
	p := read[struct {
		Status int
		Errors []struct{ Field, Code string }
	}](a)
	if p.Status != a.status {
		a.t.Errorf("%s answers %d and says %d", a.path, a.status, p.Status)
	}
	var fields []string
	for _, e := range p.Errors {
		fields = append(fields, e.Field+" "+e.Code)
	}
	return strings.Join(fields, ", ")
}

// Every call is in the document, and the document has no other.
func TestEveryCallIsInTheDocument(t *testing.T) {
	c := open(t)
	var described []string
	for path, item := range document(t, c).Paths.Map() {
		for method := range item.Operations() {
			described = append(described, method+" "+path)
		}
	}
	slices.Sort(described)
	if diff := cmp.Diff(web.APICalls(), described); diff != "" {
		t.Errorf("calls (-served +described):\n%s", diff)
	}
}

func TestAPIIdeas(t *testing.T) {
	c := open(t)
	_, m := c.signedIn("Ada")
	p := c.program(&m, ideas.ScopeRead, ideas.ScopeWrite)
	created := p.call("POST", "/ideas", `{"title":"A lamp","body":"With a *hook*."}`).is(http.StatusCreated)
	idea := read[jsonObject](created)
	path := fmt.Sprintf("/ideas/%v", idea["id"])
	if got := created.header.Get("Location"); got != "https://"+host+"/api/v1"+path {
		t.Errorf("Location is %q", got)
	}
	if idea["supporters"] != 0.0 || idea["supported"] != false || idea["state"] != "gathering" {
		t.Errorf("the new idea is %v", idea)
	}
	for range 2 {
		if got := read[jsonObject](p.call("PUT", path+"/support", "").is(http.StatusOK)); got["supporters"] != 1.0 || got["supported"] != true {
			t.Errorf("supported: %v", got)
		}
	}
	first := p.get(path).is(http.StatusOK)
	etag := first.header.Get("ETag")
	p.with("If-None-Match", etag).get(path).is(http.StatusNotModified)
	if got := read[jsonObject](p.call("DELETE", path+"/support", "").is(http.StatusOK)); got["supporters"] != 0.0 {
		t.Errorf("withdrawn: %v", got)
	}
	p.with("If-None-Match", etag).get(path).is(http.StatusOK)
	p.call("POST", path+"/comments", `{"body":"Bright!"}`).is(http.StatusCreated)
	comments := read[struct{ Items []jsonObject }](p.get(path + "/comments").is(http.StatusOK))
	if len(comments.Items) != 1 || comments.Items[0]["body"] != "Bright!" {
		t.Errorf("comments: %v", comments)
	}
	// Without a token: the same, without what concerns the member.
	if got := read[jsonObject](c.program(nil).get(path).is(http.StatusOK)); got["supported"] != nil || got["supporters"] != 0.0 {
		t.Errorf("to nobody: %v", got)
	}
	if got := read[jsonObject](c.program(nil).get("/totals").is(http.StatusOK)); got["ideas"] != 1.0 || got["comments"] != 1.0 {
		t.Errorf("totals: %v", got)
	}
	me := read[jsonObject](p.get("/me").is(http.StatusOK))
	if me["name"] != "Ada" || me["email"] != "ada@members.example" {
		t.Errorf("me: %v", me)
	}
	if got := p.get(fmt.Sprintf("/members/%d", m.ID)).is(http.StatusOK).body; strings.Contains(got, "members.example") {
		t.Errorf("the public part of a member has the address: %s", got)
	}
}

func TestAPIListsReadOn(t *testing.T) {
	c := open(t)
	_, m := c.signedIn("Ada")
	var idea ideas.Idea
	for n := range 7 {
		idea = c.idea(m, fmt.Sprintf("Idea %d", n), "Text")
	}
	for n := range 7 {
		if _, err := c.store.AddComment(t.Context(), m.ID, idea.ID, "", fmt.Sprintf("Comment %d", n)); err != nil {
			t.Fatal(err)
		}
	}
	p := c.program(&m, ideas.ScopeRead)
	for _, path := range []string{"/ideas?order=newest&limit=3", "/ideas?order=top&limit=3", "/ideas?limit=3&q=idea", fmt.Sprintf("/ideas/%d/comments?limit=3", idea.ID)} {
		t.Run(path, func(t *testing.T) {
			c.in(t)
			seen := map[any]bool{}
			sizes := []int{}
			for next := path; next != ""; {
				a := p.get(next).is(http.StatusOK)
				list := read[struct {
					Items []jsonObject
					Next  string
				}](a)
				for _, item := range list.Items {
					seen[item["id"]] = true
				}
				sizes = append(sizes, len(list.Items))
				link := a.header.Get("Link")
				next, _, _ = strings.Cut(strings.TrimPrefix(link, "<"), ">")
				if (link == "") != (list.Next == "") || len(sizes) > 5 {
					t.Fatalf("Link is %q, next %q", link, list.Next)
				}
			}
			if diff := cmp.Diff([]int{3, 3, 1}, sizes); diff != "" || len(seen) != 7 {
				t.Errorf("%d items on pages (-want +got):\n%s", len(seen), diff)
			}
		})
	}
}

func TestAPIRefuses(t *testing.T) {
	c := open(t)
	_, m := c.signedIn("Ada")
	idea := c.idea(m, "A lamp", "Text")
	path := fmt.Sprintf("/ideas/%d", idea.ID)
	reader, writer := c.program(&m, ideas.ScopeRead), c.program(&m, ideas.ScopeWrite)
	revoked := c.program(&m, ideas.ScopeRead)
	tokens, err := c.store.ListTokens(t.Context(), m.ID)
	if err != nil {
		t.Fatal(err)
	}
	if err := c.store.RevokeToken(t.Context(), m.ID, tokens[0].ID); err != nil {
		t.Fatal(err)
	}
	for name, tc := range map[string]struct {
		program      *program
		method, path string
		body         string
		status       int
		fields       string
	}{
		"no token":             {c.program(nil), "POST", "/ideas", `{}`, 401, ""},
		"no token for members": {c.program(nil), "GET", fmt.Sprintf("/members/%d", m.ID), "", 401, ""},
		"a revoked token":      {revoked, "GET", "/ideas", "", 401, ""},
		"a made-up token":      {c.program(nil).with("Authorization", "Bearer ideas_AAAA"), "GET", "/ideas", "", 401, ""},
		"basic authentication": {c.program(nil).with("Authorization", "Basic YTpi"), "GET", "/ideas", "", 401, ""},
		"a cookie":             {c.program(nil).with("Cookie", "__Host-session=x"), "GET", "/me", "", 401, ""},
		"another scope":        {reader, "POST", "/ideas", `{"title":"x","body":"y"}`, 403, ""},
		"reading with write":   {writer, "GET", "/me", "", 403, ""},
		"empty fields":         {writer, "POST", "/ideas", `{"title":" ","body":""}`, 422, "body required, title required"},
		"a long title":         {writer, "POST", "/ideas", `{"title":"` + strings.Repeat("x", 121) + `","body":"y"}`, 422, "title too_long"},
		"an unknown field":     {writer, "POST", "/ideas", `{"title":"x","body":"y","state":"launched"}`, 422, "state unknown"},
		"another type":         {writer, "POST", "/ideas", `{"title":7,"body":"y"}`, 422, "title invalid"},
		"no JSON":              {writer, "POST", "/ideas", `title=x`, 400, ""},
		"two values":           {writer, "POST", "/ideas", `{"title":"x","body":"y"} {}`, 400, ""},
		"another media type":   {writer.with("Content-Type", "text/plain"), "POST", "/ideas", `{"title":"x","body":"y"}`, 415, ""},
		"a megabyte":           {writer, "POST", "/ideas", `{"title":"x","body":"` + strings.Repeat("x", 1<<20) + `"}`, 413, ""},
		"a long key":           {writer.with("Idempotency-Key", strings.Repeat("k", 256)), "POST", "/ideas", `{}`, 422, "Idempotency-Key too_long"},
		"an order":             {reader, "GET", "/ideas?order=random", "", 422, "order invalid"},
		"a cursor":             {reader, "GET", "/ideas?cursor=!", "", 422, "cursor invalid"},
		"a comment's cursor":   {reader, "GET", path + "/comments?cursor=aaaa", "", 422, "cursor invalid"},
		"a limit":              {reader, "GET", "/ideas?limit=51", "", 422, "limit invalid"},
		"no such idea":         {reader, "GET", "/ideas/999999", "", 404, ""},
		"no number":            {reader, "GET", "/ideas/007", "", 404, ""},
		"no such comments":     {reader, "GET", "/ideas/999999/comments", "", 404, ""},
		"support of nothing":   {writer, "PUT", "/ideas/999999/support", "", 404, ""},
		"no such challenge":    {reader, "GET", "/challenges/none", "", 404, ""},
		"no such address":      {reader, "GET", "/nothing", "", 404, ""},
		"another method":       {writer, "DELETE", path, "", 405, ""},
		"a preflight":          {c.program(nil).with("Origin", "https://evil.example"), "OPTIONS", "/ideas", "", 405, ""},
		"another host":         {reader, "GET", "https://evil.example/api/v1/ideas", "", 421, ""},
	} {
		t.Run(name, func(t *testing.T) {
			c.in(t)
			a := tc.program.call(tc.method, tc.path, tc.body).is(tc.status)
			if got := problemFields(a); got != tc.fields {
				t.Errorf("fields are %q, want %q", got, tc.fields)
			}
			if challenge := a.header.Get("WWW-Authenticate"); tc.status == 401 && !strings.HasPrefix(challenge, "Bearer ") {
				t.Errorf("WWW-Authenticate is %q", challenge)
			}
			if strings.Contains(a.body, "ideas_") {
				t.Errorf("the answer repeats the token: %s", a.body)
			}
		})
	}
	if got := c.db.QueryInt(t, "SELECT count(*) FROM ideas.idea"); got != 1 {
		t.Errorf("%d ideas, want the one that was there", got)
	}
	if strings.Contains(c.log.String(), strings.TrimPrefix(reader.token, ideas.TokenPrefix)) {
		t.Error("the log holds a token")
	}
}

func TestAPICallsCountOnce(t *testing.T) {
	c := open(t)
	_, m := c.signedIn("Ada")
	p := c.program(&m, ideas.ScopeWrite).with("Idempotency-Key", "one")
	const body = `{"title":"A lamp","body":"Text"}`
	first := p.call("POST", "/ideas", body).is(http.StatusCreated)
	again := p.with("Accept-Encoding", "gzip").call("POST", "/ideas", body).is(http.StatusCreated)
	if again.body != first.body || again.header.Get("Location") != first.header.Get("Location") || again.header.Get("Idempotency-Replayed") != "true" {
		t.Errorf("again: %s %v", again.body, again.header)
	}
	problemFields(p.call("POST", "/ideas", `{"title":"Another","body":"Text"}`).is(http.StatusUnprocessableEntity))
	// A refusal gives the key free: the corrected call counts.
	q := p.with("Idempotency-Key", "two")
	q.call("POST", "/ideas", `{"title":"","body":"Text"}`).is(http.StatusUnprocessableEntity)
	q.call("POST", "/ideas", `{"title":"Better","body":"Text"}`).is(http.StatusCreated)
	// Another member's key is another key.
	_, other := c.signedIn("Lou")
	c.program(&other, ideas.ScopeWrite).with("Idempotency-Key", "one").call("POST", "/ideas", body).is(http.StatusCreated)
	// Many at once: one idea, and whoever comes too early is told so.
	var wait sync.WaitGroup
	for range 8 {
		wait.Go(func() {
			a := p.with("Idempotency-Key", "crowd").call("POST", "/ideas", body)
			if a.status != http.StatusCreated && a.status != http.StatusConflict {
				t.Errorf("in the crowd: %d %s", a.status, a.body)
			}
		})
	}
	wait.Wait()
	if got := c.db.QueryInt(t, "SELECT count(*) FROM ideas.idea"); got != 4 {
		t.Errorf("%d ideas, want 4", got)
	}
}

func TestAPIOfAClosedCommunity(t *testing.T) {
	c := open(t)
	s := brandSettings()
	s.House, s.Revision = &control.House{SignUp: control.SignUp{Closed: true}}, "2"
	c.settings.declare(s)
	_, m := c.signedIn("Ada")
	for _, path := range []string{"/ideas", "/totals", "/challenges"} {
		c.program(nil).get(path).is(http.StatusUnauthorized)
		c.program(&m, ideas.ScopeRead).get(path).is(http.StatusOK)
	}
}

func TestAPIChallenges(t *testing.T) {
	now := time.Date(2027, 6, 1, 12, 0, 0, 0, time.UTC)
	phase := ideas.Phase{Phase: control.Phase{Name: control.PhaseVoting}, Start: now.Add(-time.Hour), End: now.Add(time.Hour)}
	spec := func(visibility string, terms ...string) control.Challenge {
		return control.Challenge{
			Type: control.TypeContest, Title: map[string]string{"en": "Lamps"}, Brief: map[string]string{"en": "Secret"},
			Visibility: visibility, Terms: terms, Ballot: &control.Ballot{Kind: control.BallotSupport, Hidden: true},
		}
	}
	// Ada has no level, so the first exists for the team alone.
	above := spec("eligible")
	above.Eligibility = &control.Eligibility{Level: 3}
	source := programme{
		{ID: 5, Name: "above", Spec: above},
		{ID: 4, Name: "eligible", Spec: spec("eligible")},
		{ID: 3, Name: "members", Spec: spec("members")},
		{ID: 2, Name: "terms", Spec: spec("", "nda")},
		{ID: 1, Name: "public", Spec: spec("public"), Phases: []ideas.Phase{phase}},
	}
	c := open(t, func(c *community) { c.config.Programme, c.config.Clock = source, func() time.Time { return now } })
	_, m := c.signedIn("Ada")
	names := func(p *program) string {
		var names []string
		for path := "/challenges?limit=1"; path != ""; {
			a := p.get(path).is(http.StatusOK)
			for _, item := range read[struct{ Items []jsonObject }](a).Items {
				names = append(names, item["name"].(string))
			}
			path, _, _ = strings.Cut(strings.TrimPrefix(a.header.Get("Link"), "<"), ">")
		}
		return strings.Join(names, " ")
	}
	member := c.program(&m, ideas.ScopeRead)
	if got := names(c.program(nil)); got != "terms public" {
		t.Errorf("nobody sees %q", got)
	}
	if got := names(member); got != "eligible members terms public" {
		t.Errorf("a member sees %q", got)
	}
	for _, path := range []string{"/challenges/above", "/challenges/above/entries", "/challenges/above/ballot", "/challenges/above/results", "/challenges/above/applications"} {
		member.get(path).is(http.StatusNotFound)
		c.program(nil).get(path).is(http.StatusNotFound)
	}
	if got := member.get("/challenges/terms").is(http.StatusOK).body; strings.Contains(got, "Secret") {
		t.Errorf("what is under terms shows: %s", got)
	}
	got := read[jsonObject](member.get("/challenges/public").is(http.StatusOK))
	if got["phase"] != "voting" || got["nextChange"] != "2027-06-01T13:00:00Z" {
		t.Errorf("challenge: %v", got)
	}
	// Hidden counts stay hidden until the vote closes.
	idea := c.idea(m, "A lamp", "Text")
	c.db.Exec(t, `INSERT INTO ideas.challenge (id, uid, name, generation, digest, spec) OVERRIDING SYSTEM VALUE VALUES (1, 'u', 'public', 1, '', '{}')`)
	c.db.Exec(t, fmt.Sprintf("UPDATE ideas.idea SET challenge_id = 1 WHERE id = %d", idea.ID))
	path := fmt.Sprintf("/ideas/%d", idea.ID)
	hidden := read[jsonObject](member.get(path).is(http.StatusOK))
	now = now.Add(time.Hour)
	shown := read[jsonObject](member.get(path).is(http.StatusOK))
	if hidden["supporters"] != nil || shown["supporters"] == nil {
		t.Errorf("during the vote %v, after it %v", hidden["supporters"], shown["supporters"])
	}
}

func TestTokensPage(t *testing.T) {
	c := open(t)
	b, m := c.signedIn("Ada")
	c.visitor().get("/profile/tokens").leadsTo("/sign-in?returnTo=%2Fprofile%2Ftokens")
	a := b.post("/profile/tokens", url.Values{"name": {"Bot"}, "scope": {"read", "write"}, "days": {"7"}}).is(http.StatusCreated)
	secret := attr(a.id("secret"), "value")
	if !strings.HasPrefix(secret, ideas.TokenPrefix) || a.header.Get("Cache-Control") != "no-store" {
		t.Fatalf("the token is %q, Cache-Control %q", secret, a.header.Get("Cache-Control"))
	}
	if again := b.get("/profile/tokens").is(http.StatusOK); strings.Contains(again.body, secret) || len(again.class("token")) != 1 {
		t.Error("the token is shown twice, or not listed")
	}
	if got := c.db.QueryInt(t, "SELECT count(*) FROM ideas.api_token WHERE encode(token_hash, 'escape') LIKE '%"+secret[10:20]+"%'"); got != 0 {
		t.Error("the token is stored in clear")
	}
	p := c.program(nil).with("Authorization", "Bearer "+secret)
	p.get("/me").is(http.StatusOK)
	// Somebody else cannot revoke it.
	other, _ := c.signedIn("Lou")
	id := fmt.Sprint(c.db.QueryInt(t, "SELECT id FROM ideas.api_token"))
	other.post("/profile/tokens/revoke", url.Values{"id": {id}}).is(http.StatusSeeOther)
	p.get("/me").is(http.StatusOK)
	b.post("/profile/tokens/revoke", url.Values{"id": {id}}).leadsTo("/profile/tokens")
	p.get("/me").is(http.StatusUnauthorized)

	b.post("/profile/tokens", url.Values{"name": {""}, "days": {"7"}}).is(http.StatusUnprocessableEntity)
	b.post("/profile/tokens", url.Values{"name": {"x"}, "scope": {"team"}}).is(http.StatusForbidden)
	b.post("/profile/tokens", url.Values{"name": {"x"}, "scope": {"root"}}).is(http.StatusUnprocessableEntity)
	for range ideas.MaxTokens {
		if _, _, err := c.store.IssueToken(t.Context(), m.ID, "x", []ideas.Scope{ideas.ScopeRead}, 1); err != nil {
			t.Fatal(err)
		}
	}
	b.post("/profile/tokens", url.Values{"name": {"x"}, "scope": {"read"}}).is(http.StatusUnprocessableEntity)
}

func TestAPIEdits(t *testing.T) {
	c := open(t)
	_, m := c.signedIn("Ada")
	_, other := c.signedIn("Lou")
	idea := c.idea(m, "A lamp", "Text")
	path := fmt.Sprintf("/ideas/%d", idea.ID)
	p := c.program(&m, ideas.ScopeRead, ideas.ScopeWrite)
	read1 := p.get(path).is(http.StatusOK).header.Get("ETag")
	problemFields(p.call("PATCH", path, `{"title":"A light"}`).is(http.StatusPreconditionRequired))
	// A vote changes the answer, and is no edit.
	p.call("PUT", path+"/support", "").is(http.StatusOK)
	edited := p.with("If-Match", read1).call("PATCH", path, `{"title":"A light"}`).is(http.StatusOK)
	if got := read[jsonObject](edited); got["title"] != "A light" || got["body"] != "Text" || got["supporters"] != 1.0 {
		t.Errorf("edited: %v", got)
	}
	problemFields(p.with("If-Match", read1).call("PATCH", path, `{"title":"Mine"}`).is(http.StatusPreconditionFailed))
	// Tags are edits too, and of two who have read the same one is refused, however close they come.
	tag := edited.header.Get("ETag")
	var wait sync.WaitGroup
	var done, refused atomic.Int32
	for n := range 8 {
		wait.Go(func() {
			switch a := p.with("If-Match", tag).call("PATCH", path, fmt.Sprintf(`{"tags":["tag-%d"]}`, n)); a.status {
			case http.StatusOK:
				done.Add(1)
			case http.StatusPreconditionFailed:
				refused.Add(1)
			default:
				t.Errorf("an edit at the same time: %d %s", a.status, a.body)
			}
		})
	}
	wait.Wait()
	if done.Load() != 1 || refused.Load() != 7 {
		t.Errorf("of 8 edits of the same version %d were made and %d refused", done.Load(), refused.Load())
	}
	edited = p.get(path).is(http.StatusOK)
	if got := read[jsonObject](edited); len(got["tags"].([]any)) != 1 {
		t.Errorf("edited: %v", got)
	}
	p.with("If-Match", edited.header.Get("ETag")).call("PATCH", path, `{"title":""}`).is(http.StatusUnprocessableEntity)
	c.program(&other, ideas.ScopeWrite).with("If-Match", "*").call("PATCH", path, `{"title":"Stolen"}`).is(http.StatusForbidden)
}

func TestAPITeam(t *testing.T) {
	c := open(t)
	c.team(control.House{})
	_, lead := c.signedIn("lead")
	_, host := c.signedIn("host")
	_, m := c.signedIn("Ada")
	idea := c.idea(m, "A lamp", "Text")
	state, answers := fmt.Sprintf("/team/ideas/%d/state", idea.ID), fmt.Sprintf("/team/ideas/%d/answers", idea.ID)
	team := c.program(&lead, ideas.ScopeTeam)
	const review = `{"state":"under_review"}`
	for name, p := range map[string]*program{
		"a member": c.program(&m, ideas.ScopeTeam), "another scope": c.program(&lead, ideas.ScopeRead, ideas.ScopeWrite),
		"a role that does not decide": c.program(&host, ideas.ScopeTeam),
	} {
		if got := p.call("POST", state, review).status; got != http.StatusForbidden {
			t.Errorf("%s: %d", name, got)
		}
	}
	c.program(&m, ideas.ScopeTeam).call("POST", answers, `{"body":"No"}`).is(http.StatusForbidden)
	if got := read[jsonObject](team.call("POST", state, review).is(http.StatusOK)); got["state"] != "under_review" {
		t.Errorf("moved: %v", got)
	}
	problemFields(team.call("POST", state, `{"state":"launched"}`).is(http.StatusConflict))
	problemFields(team.call("POST", state, `{"state":"not_selected"}`).is(http.StatusUnprocessableEntity))
	team.call("POST", state, `{"state":"selected","reason":{"text":"We make it."}}`).is(http.StatusOK)
	team.call("POST", answers, `{"body":"In May."}`).is(http.StatusCreated)
	problemFields(team.call("POST", answers, `{"body":""}`).is(http.StatusUnprocessableEntity))
	if n := c.db.QueryInt(t, "SELECT count(*) FROM ideas.official_answer"); n != 1 {
		t.Errorf("%d answers", n)
	}
}
