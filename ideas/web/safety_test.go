package web_test

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"golang.org/x/net/html"

	"github.com/quaeso/community-operator/ideas"
	"github.com/quaeso/community-operator/ideas/web"
)

// hostile is what people type to see what happens.
var hostile = map[string]string{
	"script":          `</script><script>alert(1)</script>`,
	"end of field":    `</textarea><img src=x onerror=alert(1)>`,
	"attribute":       `" autofocus onfocus="alert(1)`,
	"template":        `{{.Member.Email}}{{template "top"}}`,
	"right to left":   "safe\u202egnp.exe\u2066x\u200f",
	"control":         "a\x00b\x1b[31mc\x7f",
	"broken UTF-8":    "a\xff\xfeb",
	"newlines":        "a\r\nSet-Cookie: x=y\r\n\r\nb",
	"lines apart":     "a\u2028b\u2029c",
	"Markdown link":   `[x](javascript:alert(1)) <https://x.example/"onmouseover=alert(1)>`,
	"Markdown image":  `![x](https://tracker.example/pixel.png)`,
	"Markdown HTML":   "<iframe src=https://x.example></iframe>\n\n<svg onload=alert(1)>",
	"Markdown data":   `[x](data:text/html;base64,PHNjcmlwdD4=)`,
	"long word":       strings.Repeat("W", 110),
	"many nested":     strings.Repeat("> ", 50) + "x",
	"percent":         "%00%0d%0a%s%n%2e%2e",
	"quotes":          `'"<>&` + "`",
	"message":         `{{.Count}} {name} %(x)s ${x}`,
	"combining marks": "Z" + strings.Repeat("\u0335", 50),
}

func TestHostileTextStaysText(t *testing.T) {
	c := open(t)
	for name, text := range hostile {
		t.Run(name, func(t *testing.T) {
			c.in(t)
			b, _ := c.signedIn("Author of " + name)
			b.post("/profile", url.Values{"name": {cutTo(text, ideas.MaxName)}}).is(http.StatusSeeOther)
			a := b.post("/ideas", url.Values{"title": {text}, "body": {text}}).is(http.StatusSeeOther)
			path := a.header.Get("Location")
			id, _, _ := strings.Cut(strings.TrimPrefix(path, "/ideas/"), "-")
			b.post("/ideas/"+id+"/comments", url.Values{"body": {text}}).is(http.StatusSeeOther)
			for _, page := range []string{
				path, "/", "/ideas", "/ideas?q=" + url.QueryEscape(text), "/profile", "/ideas/new?title=" + url.QueryEscape(text),
				"/sign-in?returnTo=" + url.QueryEscape(text),
			} {
				harmless(t, b.get(page))
			}
			// The same in forms that come back: nothing is published, everything is shown.
			harmless(t, b.post("/ideas", url.Values{"title": {text}, "body": {""}, "key": {text}}).is(http.StatusUnprocessableEntity))
			harmless(t, c.visitor().post("/sign-in", url.Values{"email": {text}, "returnTo": {text}}).is(http.StatusUnprocessableEntity))
			harmless(t, c.visitor().post("/ideas", url.Values{"title": {text}, "body": {text}}).is(http.StatusUnauthorized))
			for _, path := range []string{"/ideas/" + url.PathEscape(text), "/" + url.PathEscape(text), "/sign-in/link?token=" + url.QueryEscape(text)} {
				a := c.visitor().get(path)
				if a.status >= http.StatusInternalServerError {
					t.Errorf("%s answered %d", path, a.status)
				}
				if a.doc != nil {
					harmless(t, a)
				}
			}
		})
	}
}

func cutTo(s string, n int) string {
	if r := []rune(s); len(r) > n {
		return string(r[:n])
	}
	return s
}

// harmless checks that nothing of a page came from a member's text but text.
func harmless(t *testing.T, a *answer) {
	t.Helper()
	if a.status == http.StatusSeeOther {
		return
	}
	if a.status >= http.StatusInternalServerError {
		t.Errorf("%s answered %d", a.path, a.status)
	}
	noInlineCode(t, a)
	for _, n := range a.all(func(*html.Node) bool { return true }) {
		switch n.Data {
		case "iframe", "object", "embed", "base", "img":
			t.Errorf("%s holds a <%s>", a.path, n.Data)
		case "script":
			if !strings.HasPrefix(attr(n, "src"), "/static/") {
				t.Errorf("%s runs %q", a.path, attr(n, "src"))
			}
		}
		for _, name := range []string{"href", "src", "action", "hx-get", "hx-post"} {
			u := strings.ToLower(attr(n, name))
			if strings.HasPrefix(u, "javascript:") || strings.HasPrefix(u, "data:") || strings.HasPrefix(u, "//") {
				t.Errorf("%s: %s=%q", a.path, name, u)
			}
		}
		if strings.HasPrefix(attr(n, "href"), "http") && n.Data == "a" && !strings.Contains(attr(n, "rel"), "nofollow") {
			t.Errorf("%s: a member's link is followed: %s", a.path, attr(n, "href"))
		}
	}
	for _, r := range []string{"\x00", "\x1b", "\u202e", "\u2066"} {
		if strings.Contains(a.body, r) {
			t.Errorf("%s holds the character %U", a.path, []rune(r)[0])
		}
	}
}

func TestAMegabyteInEveryInput(t *testing.T) {
	c := open(t)
	b, author := c.signedIn("Author")
	idea := c.idea(author, "A lamp", "Text")
	huge := strings.Repeat("x", 1<<20)
	for path, fields := range map[string][]string{
		"/ideas": {"title", "body", "key"},
		fmt.Sprintf("/ideas/%d/comments", idea.ID): {"body", "key"},
		fmt.Sprintf("/ideas/%d/support", idea.ID):  {"support", "back"},
		"/profile":   {"name", "language", "returnTo"},
		"/sign-in":   {"email", "returnTo"},
		web.LinkPath: {"token"},
		"/sign-out":  {"anything"},
	} {
		for _, field := range fields {
			a := b.post(path, url.Values{field: {huge}}).is(http.StatusRequestEntityTooLarge)
			if got := a.heading(); got != "That was too much at once" {
				t.Errorf("%s: %q", path, got)
			}
		}
	}
	// What is too long for its field but not for a form comes back with the reason, see the tests of each form.
	if got := c.db.QueryInt(t, "SELECT count(*) FROM ideas.idea"); got != 1 {
		t.Errorf("%d ideas", got)
	}
	for _, path := range []string{"/ideas?q=", "/ideas?after=", "/ideas?order=", "/?lang=", "/sign-in?returnTo=", "/sign-in/link?token=", "/ideas/"} {
		if a := b.get(path + huge[:60_000]); a.status >= http.StatusInternalServerError {
			t.Errorf("%s answered %d", path, a.status)
		}
	}
	b.cookies["__Host-session"], b.cookies["__Host-sent"], b.cookies["__Host-flash"] = huge[:4000], huge[:4000], huge[:4000]
	b.get("/sign-in/sent").is(http.StatusOK)
}

func TestFormsOfOtherSitesAreRefused(t *testing.T) {
	c := open(t)
	b, author := c.signedIn("Author")
	idea := c.idea(author, "A lamp", "Text")
	for name, change := range map[string]func(http.Header){
		"another site":    func(h http.Header) { h.Set("Sec-Fetch-Site", "cross-site") },
		"a sibling":       func(h http.Header) { h.Set("Sec-Fetch-Site", "same-site") },
		"an older client": func(h http.Header) { h.Del("Sec-Fetch-Site"); h.Set("Origin", "https://evil.example") },
	} {
		t.Run(name, func(t *testing.T) {
			c.in(t)
			other := *b
			other.header = b.header.Clone()
			change(other.header)
			for path, form := range map[string]url.Values{
				fmt.Sprintf("/ideas/%d/support", idea.ID):  {"support": {"true"}},
				fmt.Sprintf("/ideas/%d/comments", idea.ID): {"body": {"x"}},
				"/ideas":     {"title": {"x"}, "body": {"x"}},
				"/profile":   {"name": {"x"}},
				"/sign-out":  {},
				"/sign-in":   {"email": {"ada@members.example"}},
				web.LinkPath: {"token": {"x"}},
			} {
				a := other.post(path, form).is(http.StatusForbidden)
				if got := a.heading(); got != "This request was stopped" {
					t.Errorf("%s: %q", path, got)
				}
			}
			// A link from another site is welcome.
			other.get("/ideas").is(http.StatusOK)
		})
	}
	for table, want := range map[string]int64{"support": 0, "comment": 0, "idea": 1, "sign_in_mail": 0} {
		if got := c.db.QueryInt(t, "SELECT count(*) FROM ideas."+table); got != want {
			t.Errorf("%s has %d rows, want %d", table, got, want)
		}
	}
	b.get("/profile").is(http.StatusOK)
}

func TestOnlyDeclaredHostsAreServed(t *testing.T) {
	c := open(t)
	for name, status := range map[string]int{
		host: 200, strings.ToUpper(host): 200, host + ":8443": 200, host + ".": 200, "idees.brand.example": 200,
		"other.example": 421, "evil.example." + host: 421, "10.0.0.7": 421, "[::1]:80": 421, "localhost": 421,
	} {
		b := c.visitor()
		b.host = name
		a := b.get("/ideas").is(status)
		if status == http.StatusMisdirectedRequest && (strings.Contains(a.body, "Text of an idea") || len(a.class("card")) != 0) {
			t.Errorf("%s shows the community", name)
		}
	}
	// A new hostname is served without a restart.
	s := brandSettings()
	s.Hostnames, s.Revision = append(s.Hostnames, "other.example"), "2"
	c.settings.declare(s)
	b := c.visitor()
	b.host = "other.example"
	b.get("/ideas").is(http.StatusOK)
	c = open(t, func(c *community) { c.config.Alone = true })
	b = c.visitor()
	b.host = "localhost:8080"
	b.get("/ideas").is(http.StatusOK)
}

func TestBeforeTheFirstDeclaration(t *testing.T) {
	c := open(t, func(c *community) { c.settings = &declaration{}; c.config.Settings = c.settings })
	for language, heading := range map[string]string{"en": "A community is moving in", "fr": "Une communauté emménage"} {
		for _, path := range []string{"/", "/ideas", "/sign-in"} {
			a := c.visitor().speaks(language).get(path).is(http.StatusServiceUnavailable)
			if a.heading() != heading || a.header.Get("Retry-After") == "" || a.header.Get("Cache-Control") != "no-store" {
				t.Errorf("%s: %q, %v", path, a.heading(), a.header)
			}
			noInlineCode(t, a)
		}
	}
	if got := c.visitor().get("/robots.txt").is(http.StatusOK).body; !strings.Contains(got, "Disallow: /\n") {
		t.Errorf("search engines may keep the empty page: %q", got)
	}
	c.visitor().get("/theme.css").is(http.StatusOK)
	c.settings.declare(brandSettings())
	c.visitor().get("/").is(http.StatusOK)
}

func TestNewColoursShowAtOnce(t *testing.T) {
	c := open(t)
	address := func() string {
		for _, n := range c.visitor().get("/").tags("link") {
			if strings.HasPrefix(attr(n, "href"), "/theme.css") {
				return attr(n, "href")
			}
		}
		t.Fatal("no theme")
		return ""
	}
	before := address()
	a := c.visitor().get(before).is(http.StatusOK)
	if !strings.Contains(a.body, "--primary:#0b6b53") || !strings.Contains(a.header.Get("Cache-Control"), "immutable") {
		t.Errorf("the theme is %.200s, %q", a.body, a.header.Get("Cache-Control"))
	}
	s := brandSettings()
	s.Colors.Primary, s.Revision = "#e2001a", "2"
	c.settings.declare(s)
	after := address()
	if after == before {
		t.Error("the theme's address did not change, so browsers keep the old colours")
	}
	if a := c.visitor().get(after).is(http.StatusOK); !strings.Contains(a.body, "--primary:#e2001a") {
		t.Errorf("the theme is %.200s", a.body)
	}
	// A page of another replica may still name the old theme: it gets the new one, and nobody keeps that.
	if a := c.visitor().get(before).is(http.StatusOK); a.header.Get("Cache-Control") != "no-cache" {
		t.Errorf("Cache-Control is %q", a.header.Get("Cache-Control"))
	}
	// Colours that are none cannot get into the style sheet.
	s.Colors.Primary, s.Revision = "red;}body{display:none", "3"
	c.settings.declare(s)
	if a := c.visitor().get(address()); strings.Contains(a.body, "display:none") {
		t.Errorf("the theme is %.200s", a.body)
	}
}

func TestFavicon(t *testing.T) {
	c := open(t)
	s := brandSettings()
	s.Name, s.Revision = map[string]string{"fr": "</text><script>é"}, "2"
	c.settings.declare(s)
	a := c.visitor().get("/favicon.svg").is(http.StatusOK)
	if got := a.header.Get("Content-Type"); got != "image/svg+xml" || !strings.Contains(a.body, ">T</text>") || strings.Contains(a.body, "<script") {
		t.Errorf("%s: %s", got, a.body)
	}
}

func TestStaticFilesAreKeptForEver(t *testing.T) {
	c := open(t)
	home := c.visitor().get("/")
	files := 0
	for _, n := range home.tags("link", "script") {
		path := attr(n, "href") + attr(n, "src")
		if !strings.HasPrefix(path, "/static/") {
			continue
		}
		files++
		plain := c.visitor().get(path).is(http.StatusOK)
		if got := plain.header.Get("Cache-Control"); got != "public, max-age=31536000, immutable" {
			t.Errorf("%s: Cache-Control is %q", path, got)
		}
		if plain.header.Get("X-Content-Type-Options") != "nosniff" || plain.header.Get("Content-Type") == "" {
			t.Errorf("%s: %v", path, plain.header)
		}
		zipped := c.visitor().with("Accept-Encoding", "br, gzip").get(path).is(http.StatusOK)
		if strings.HasSuffix(path, ".woff2") {
			if zipped.header.Get("Content-Encoding") != "" {
				t.Errorf("%s is compressed twice", path)
			}
			continue
		}
		if got := unzip(t, zipped); got != plain.body {
			t.Errorf("%s differs when compressed", path)
		}
	}
	if files != 4 {
		t.Errorf("home names %d static files, want typeface, style sheet and two scripts", files)
	}
	for _, path := range []string{"/static/", "/static/000000000000/app.css", "/static/app.css", "/static/../web.go"} {
		if a := c.visitor().get(path); a.status == http.StatusOK {
			t.Errorf("%s is served", path)
		}
	}
}

func unzip(t *testing.T, a *answer) string {
	t.Helper()
	if got := a.header.Get("Content-Encoding"); got != "gzip" {
		t.Fatalf("%s: Content-Encoding is %q", a.path, got)
	}
	r, err := gzip.NewReader(bytes.NewReader([]byte(a.body)))
	if err != nil {
		t.Fatal(err)
	}
	raw, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}

func TestPagesAreCompressedForThoseWhoUnderstand(t *testing.T) {
	c := open(t)
	plain := c.visitor().get("/sign-in").is(http.StatusOK)
	for accept, want := range map[string]string{"": "", "gzip": "gzip", "br, gzip;q=0.5": "gzip", "gzip;q=0": "", "deflate": ""} {
		a := c.visitor().with("Accept-Encoding", accept).get("/sign-in").is(http.StatusOK)
		if got := a.header.Get("Content-Encoding"); got != want {
			t.Errorf("Accept-Encoding %q is answered in %q", accept, got)
		}
		if want == "gzip" {
			if unzip(t, a) != plain.body {
				t.Error("the page differs when compressed")
			}
		}
	}
}

// TestHomeIsLight keeps what a first visit loads below 60 kB, the typeface and the logo aside.
func TestHomeIsLight(t *testing.T) {
	c := open(t)
	_, author := c.signedIn("Author")
	for i := range 9 {
		c.idea(author, fmt.Sprintf("Idea number %d", i), strings.Repeat("Some words about it. ", 40))
	}
	b := c.visitor().with("Accept-Encoding", "gzip")
	total := len(b.get("/").is(http.StatusOK).body)
	for _, n := range c.visitor().get("/").tags("link", "script") {
		path := attr(n, "href") + attr(n, "src")
		if attr(n, "rel") == "stylesheet" || n.Data == "script" {
			total += len(b.get(path).is(http.StatusOK).body)
		}
	}
	t.Logf("a first visit of home loads %d bytes", total)
	if total > 60_000 {
		t.Errorf("a first visit of home loads %d bytes", total)
	}
}

func TestHeadAnswersLikeGet(t *testing.T) {
	c := open(t)
	for _, path := range []string{"/", "/ideas", "/theme.css", "/favicon.svg"} {
		a := c.visitor().send(http.MethodHead, path, nil).is(http.StatusOK)
		if a.body != "" || a.header.Get("Content-Length") == "" {
			t.Errorf("%s: %d bytes, Content-Length %q", path, len(a.body), a.header.Get("Content-Length"))
		}
	}
}
