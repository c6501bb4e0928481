package web_test

import (
	"bytes"
	"context"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/net/html"

	"github.com/quaeso/community-operator/ideas"
	"github.com/quaeso/community-operator/ideas/postgres"
	"github.com/quaeso/community-operator/ideas/web"
	"github.com/quaeso/community-operator/internal/testutil"
)

const host = "ideas.brand.example"

// declaration is a settings source that a test can change.
type declaration struct {
	mutex    sync.Mutex
	settings ideas.Settings
	declared bool
}

func (d *declaration) Current(context.Context) (ideas.Settings, bool) {
	d.mutex.Lock()
	defer d.mutex.Unlock()
	return d.settings, d.declared
}

func (d *declaration) declare(s ideas.Settings) {
	d.mutex.Lock()
	defer d.mutex.Unlock()
	d.settings, d.declared = s, true
}

// community is the pages on a real database.
type community struct {
	t        testing.TB
	store    *postgres.Store
	db       *testutil.PostgresDatabase
	settings *declaration
	config   web.Config
	mail     bool
	log      *lines
	pages    http.Handler
}

// lines is what the pages have logged.
type lines struct {
	mutex  sync.Mutex
	buffer bytes.Buffer
}

func (l *lines) Write(p []byte) (int, error) {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	return l.buffer.Write(p)
}

func (l *lines) String() string {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	return l.buffer.String()
}

func brandSettings() ideas.Settings {
	return ideas.Settings{
		BaseURL: "https://" + host, Hostnames: []string{host, "idees.brand.example"},
		Name:    map[string]string{"en": "Lumière Lab", "fr": "Atelier Lumière"},
		TagLine: map[string]string{"en": "Light for every day", "fr": "La lumière de tous les jours"},
		Colors:  ideas.Colors{Primary: "#0b6b53"}, Locales: []string{"fr", "en"}, TimeZone: "Europe/Paris",
		Revision: "1",
	}
}

// open starts pages on a database of the test's own, with the changes made to their configuration.
func open(t testing.TB, changes ...func(*community)) *community {
	t.Helper()
	c := &community{t: t, settings: &declaration{}, mail: true, log: &lines{}, db: migrated(t)}
	c.settings.declare(brandSettings())
	c.store = run(t, c.db.URI(), func() bool { return c.mail })
	c.config = web.Config{
		Store: c.store, SignIn: c.store, Recognition: c.store, Settings: c.settings, Version: "test",
		Logger: slog.New(slog.NewTextHandler(c.log, &slog.HandlerOptions{Level: slog.LevelDebug})),
	}
	for _, change := range changes {
		change(c)
	}
	c.pages = web.New(c.config)
	return c
}

func migrated(t testing.TB) *testutil.PostgresDatabase {
	t.Helper()
	return testutil.Postgres(t).DatabaseFrom(t, "migrated", func(uri string) error {
		ctx, cancel := context.WithCancel(t.Context())
		store := postgres.New(postgres.Config{
			URI: func() (string, error) { return uri, nil }, Logger: slog.New(slog.DiscardHandler),
		})
		done := make(chan struct{})
		go func() { defer close(done); store.Run(ctx) }()
		defer func() { cancel(); <-done }() // a template must have no connection left
		return store.WaitReady(ctx)
	})
}

func run(t testing.TB, uri string, mail func() bool, changes ...func(*postgres.Config)) *postgres.Store {
	t.Helper()
	config := postgres.Config{URI: func() (string, error) { return uri, nil }, MailEnabled: mail, Logger: slog.New(slog.DiscardHandler)}
	for _, change := range changes {
		change(&config)
	}
	store := postgres.New(config)
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { defer close(done); store.Run(ctx) }()
	t.Cleanup(func() { cancel(); <-done })
	ready, stop := context.WithTimeout(t.Context(), 30*time.Second)
	defer stop()
	if err := store.WaitReady(ready); err != nil {
		t.Fatal(err)
	}
	return store
}

// in lets a subtest be the one that fails.
func (c *community) in(t *testing.T) {
	parent := c.t
	c.t = t
	t.Cleanup(func() { c.t = parent })
}

// member makes somebody of that name and returns the session.
func (c *community) member(name string) (ideas.Member, string) {
	c.t.Helper()
	session, err := c.store.SignInWith(c.t.Context(), ideas.Identity{
		Issuer: "https://issuer.example", Subject: name, Name: name, Locale: "en",
		Email: url.QueryEscape(strings.ToLower(name)) + "@members.example", EmailVerified: true,
	})
	if err != nil {
		c.t.Fatal(err)
	}
	m, err := c.store.Authenticate(c.t.Context(), session)
	if err != nil {
		c.t.Fatal(err)
	}
	return m, session
}

// idea publishes one.
func (c *community) idea(author ideas.Member, title, body string) ideas.Idea {
	c.t.Helper()
	idea, err := c.store.SubmitIdea(c.t.Context(), author.ID, "", title, body)
	if err != nil {
		c.t.Fatal(err)
	}
	return idea
}

// token claims the mail that waits and returns its link's token.
func (c *community) token() string {
	c.t.Helper()
	mail, err := c.store.ClaimMail(c.t.Context())
	if err != nil {
		c.t.Fatalf("no mail waits: %v", err)
	}
	token, err := c.store.IssueLink(c.t.Context(), mail)
	if err != nil {
		c.t.Fatal(err)
	}
	if err := c.store.MailSent(c.t.Context(), mail); err != nil {
		c.t.Fatal(err)
	}
	return token
}

// browser keeps cookies and sends what a browser sends.
type browser struct {
	community *community
	cookies   map[string]string
	// header is sent with each request.
	header http.Header
	host   string
}

// visitor is somebody with a fresh browser in English.
func (c *community) visitor() *browser {
	return &browser{
		community: c, cookies: map[string]string{}, host: host,
		header: http.Header{"Accept-Language": {"en"}, "Sec-Fetch-Site": {"same-origin"}},
	}
}

// signedIn is a member's browser.
func (c *community) signedIn(name string) (*browser, ideas.Member) {
	c.t.Helper()
	m, session := c.member(name)
	b := c.visitor()
	b.cookies["__Host-session"] = session
	return b, m
}

func (b *browser) speaks(language string) *browser {
	b.header.Set("Accept-Language", language)
	return b
}

// with is the same browser sending one more header.
func (b *browser) with(name, value string) *browser {
	other := *b
	other.header = b.header.Clone()
	other.header.Set(name, value)
	return &other
}

func (b *browser) get(path string) *answer { return b.send(http.MethodGet, path, nil) }

func (b *browser) post(path string, form url.Values) *answer {
	return b.send(http.MethodPost, path, form)
}

func (b *browser) send(method, path string, form url.Values) *answer {
	b.community.t.Helper()
	r := httptest.NewRequestWithContext(b.community.t.Context(), method, "https://"+b.host+path, strings.NewReader(form.Encode()))
	maps.Copy(r.Header, b.header)
	if method == http.MethodPost {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	for name, value := range b.cookies {
		r.AddCookie(&http.Cookie{Name: name, Value: value})
	}
	w := httptest.NewRecorder()
	b.community.pages.ServeHTTP(w, r)
	result := w.Result()
	for _, cookie := range result.Cookies() {
		if cookie.MaxAge < 0 {
			delete(b.cookies, cookie.Name)
		} else {
			b.cookies[cookie.Name] = cookie.Value
		}
	}
	a := &answer{
		t: b.community.t, path: path, status: w.Code, header: result.Header, body: w.Body.String(), cookies: result.Cookies(),
	}
	if strings.HasPrefix(a.header.Get("Content-Type"), "text/html") && a.header.Get("Content-Encoding") == "" {
		doc, err := html.Parse(strings.NewReader(a.body))
		if err != nil {
			b.community.t.Fatalf("parse %s: %v", path, err)
		}
		a.doc = doc
	}
	return a
}

// answer is what came back.
type answer struct {
	t       testing.TB
	path    string
	status  int
	header  http.Header
	body    string
	cookies []*http.Cookie
	doc     *html.Node
}

// is fails the test unless the status is the wanted one.
func (a *answer) is(status int) *answer {
	a.t.Helper()
	if a.status != status {
		a.t.Fatalf("%s answered %d, want %d\n%.2000s", a.path, a.status, status, a.body)
	}
	return a
}

// leadsTo fails the test unless the answer is a redirect after a form to the path.
func (a *answer) leadsTo(path string) {
	a.t.Helper()
	a.is(http.StatusSeeOther)
	if got := a.header.Get("Location"); got != path {
		a.t.Fatalf("%s leads to %q, want %q", a.path, got, path)
	}
}

// all elements that the condition holds for.
func (a *answer) all(match func(*html.Node) bool) []*html.Node {
	a.t.Helper()
	if a.doc == nil {
		a.t.Fatalf("%s is no page: %.300s", a.path, a.body)
	}
	var found []*html.Node
	for n := range a.doc.Descendants() {
		if n.Type == html.ElementNode && match(n) {
			found = append(found, n)
		}
	}
	return found
}

func (a *answer) tags(names ...string) []*html.Node {
	return a.all(func(n *html.Node) bool { return slices.Contains(names, n.Data) })
}

func (a *answer) class(name string) []*html.Node {
	return a.all(func(n *html.Node) bool { return slices.Contains(strings.Fields(attr(n, "class")), name) })
}

// id is the element with that id; the test fails when there is none.
func (a *answer) id(id string) *html.Node {
	a.t.Helper()
	found := a.all(func(n *html.Node) bool { return attr(n, "id") == id })
	if len(found) != 1 {
		a.t.Fatalf("%s has %d elements with the id %q\n%.3000s", a.path, len(found), id, a.body)
	}
	return found[0]
}

// heading is the text of the one heading of the first level.
func (a *answer) heading() string {
	a.t.Helper()
	found := a.tags("h1")
	if len(found) != 1 {
		a.t.Fatalf("%s has %d headings of the first level", a.path, len(found))
	}
	return text(found[0])
}

// cookie that the answer sets; nil for none.
func (a *answer) cookie(name string) *http.Cookie {
	for _, c := range a.cookies {
		if c.Name == name {
			return c
		}
	}
	return nil
}

func attr(n *html.Node, name string) string {
	for _, a := range n.Attr {
		if a.Key == name {
			return a.Val
		}
	}
	return ""
}

func has(n *html.Node, name string) bool {
	return slices.ContainsFunc(n.Attr, func(a html.Attribute) bool { return a.Key == name })
}

// text of an element, with single spaces.
func text(n *html.Node) string {
	var b strings.Builder
	for d := range n.Descendants() {
		if d.Type == html.TextNode {
			b.WriteString(d.Data)
		}
	}
	return strings.Join(strings.Fields(b.String()), " ")
}

// value of an input or text area.
func value(n *html.Node) string {
	if n.Data != "textarea" {
		return attr(n, "value")
	}
	var b strings.Builder
	for d := range n.Descendants() {
		b.WriteString(d.Data)
	}
	return b.String()
}
