package web_test

import (
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"

	"golang.org/x/net/html"

	"github.com/quaeso/community-operator/ideas"
	"github.com/quaeso/community-operator/ideas/web"
	"github.com/quaeso/community-operator/internal/testutil"
)

// TestEveryPageInEveryLanguage holds what is true of all pages: language, one heading, labels, no inline code,
// headers, and no message key that shows.
func TestEveryPageInEveryLanguage(t *testing.T) {
	c := open(t)
	_, author := c.signedIn("Author")
	idea := c.idea(author, "A lamp for tents", "With a *hook*.")
	path := fmt.Sprintf("/ideas/%d-%s", idea.ID, idea.Slug)
	if _, err := c.store.AddComment(t.Context(), author.ID, idea.ID, "", "Bright!"); err != nil {
		t.Fatal(err)
	}
	pages := map[string]struct {
		status   int
		signedIn bool
		heading  [2]string
	}{
		"/":                        {200, false, [2]string{"La lumière de tous les jours", "Light for every day"}},
		"/ideas":                   {200, false, [2]string{"Idées", "Ideas"}},
		"/ideas?q=lamp":            {200, false, [2]string{"Idées", "Ideas"}},
		"/ideas?q=nothing":         {200, false, [2]string{"Idées", "Ideas"}},
		path:                       {200, false, [2]string{idea.Title, idea.Title}},
		path + "?":                 {200, true, [2]string{idea.Title, idea.Title}},
		"/ideas/new":               {200, true, [2]string{"Proposez votre idée", "Share your idea"}},
		"/sign-in":                 {200, false, [2]string{"Se connecter", "Sign in"}},
		"/sign-in/sent":            {200, false, [2]string{"Consultez vos mails", "Check your mail"}},
		"/sign-in/link?token=x":    {200, false, [2]string{"Vous y êtes presque", "Almost there"}},
		"/sign-in/link":            {410, false, [2]string{"Ce lien ne fonctionne plus", "This link no longer works"}},
		"/profile":                 {200, true, [2]string{"Mon profil", "My profile"}},
		"/profile?welcome=true":    {200, true, [2]string{"Bienvenue\u202f!", "Welcome!"}},
		"/profile/tokens":          {200, true, [2]string{"Jetons personnels", "Personal tokens"}},
		"/api":                     {200, false, [2]string{"L’API", "The API"}},
		"/nowhere":                 {404, false, [2]string{"Cette page n’existe pas", "This page does not exist"}},
		"/ideas/999":               {404, false, [2]string{"Cette page n’existe pas", "This page does not exist"}},
		"/ideas/x":                 {404, false, [2]string{"Cette page n’existe pas", "This page does not exist"}},
		"/ideas?after=!&order=top": {422, false, [2]string{"Nous n’avons pas compris", "We did not understand that"}},
	}
	for path, want := range pages {
		for i, language := range []string{"fr", "en"} {
			t.Run(language+path, func(t *testing.T) {
				c.in(t)
				b := c.visitor()
				if want.signedIn {
					b, _ = c.signedIn("Member")
				}
				b.cookies["__Host-language"] = language
				a := b.get(path).is(want.status)
				if got, want := a.heading(), strings.Join(strings.Fields(want.heading[i]), " "); got != want {
					t.Errorf("heading is %q, want %q", got, want)
				}
				wellFormed(t, a, language)
			})
		}
	}
}

// wellFormed checks what holds for every page.
func wellFormed(t *testing.T, a *answer, language string) {
	t.Helper()
	if got := attr(a.tags("html")[0], "lang"); got != language {
		t.Errorf("html lang is %q, want %q", got, language)
	}
	if got := a.header.Get("Content-Language"); got != language {
		t.Errorf("Content-Language is %q, want %q", got, language)
	}
	for name, want := range map[string]string{
		"Content-Security-Policy": "default-src 'self'; img-src 'self' https: data:; object-src 'none'; base-uri 'none'; " +
			"form-action 'self'; frame-ancestors 'none'",
		"X-Content-Type-Options": "nosniff", "X-Frame-Options": "DENY", "Cross-Origin-Opener-Policy": "same-origin",
		"Strict-Transport-Security": "max-age=2592000", "Content-Type": "text/html; charset=utf-8",
	} {
		if got := a.header.Get(name); got != want {
			t.Errorf("%s is %q, want %q", name, got, want)
		}
	}
	if got := a.header.Get("Cache-Control"); got != "no-store" && got != "private, no-cache" {
		t.Errorf("Cache-Control is %q: somebody else's page could be kept", got)
	}
	if title := a.all(func(n *html.Node) bool { return n.Data == "title" && n.Namespace == "" }); len(title) != 1 || text(title[0]) == "" {
		t.Error("the page has no title")
	}
	// A key of the message files that shows means that a text is missing.
	for _, key := range regexp.MustCompile(`\b(?:page|home|idea|ideas|vote|nav|submit|profile|sign_in|link|sent|form|error)\.[a-z_]+\b`).
		FindAllString(strings.ReplaceAll(text(a.tags("body")[0]), host, ""), -1) {
		t.Errorf("the page shows the message key %q", key)
	}
	noInlineCode(t, a)
	accessible(t, a)
}

// noInlineCode checks that the content policy has nothing to refuse.
func noInlineCode(t *testing.T, a *answer) {
	t.Helper()
	for _, n := range a.all(func(*html.Node) bool { return true }) {
		if n.Data == "style" || n.Data == "script" && attr(n, "src") == "" {
			t.Errorf("the page has an inline <%s>", n.Data)
		}
		for _, at := range n.Attr {
			if at.Key == "style" || strings.HasPrefix(at.Key, "on") {
				t.Errorf("<%s> has the attribute %s", n.Data, at.Key)
			}
		}
	}
}

// accessible checks what needs no browser; axe-core checks the rest.
func accessible(t *testing.T, a *answer) {
	t.Helper()
	ids := map[string]int{}
	labels := map[string]bool{}
	for _, n := range a.all(func(*html.Node) bool { return true }) {
		if id := attr(n, "id"); id != "" {
			ids[id]++
		}
		if n.Data == "label" {
			labels[attr(n, "for")] = true
		}
	}
	for id, n := range ids {
		if n > 1 {
			t.Errorf("%d elements have the id %q", n, id)
		}
	}
	if ids["main"] != 1 || attr(a.class("skip")[0], "href") != "#main" {
		t.Error("the link that skips to the content leads nowhere")
	}
	for _, n := range a.tags("input", "textarea") {
		if typ := attr(n, "type"); typ == "hidden" || typ == "radio" {
			continue
		}
		if !labels[attr(n, "id")] {
			t.Errorf("the input %q has no label", attr(n, "name"))
		}
	}
	for _, n := range a.all(func(*html.Node) bool { return true }) {
		for _, name := range []string{"aria-describedby", "aria-labelledby", "popovertarget"} {
			for _, id := range strings.Fields(attr(n, name)) {
				if ids[id] == 0 {
					t.Errorf("%s of <%s> names %q, which does not exist", name, n.Data, id)
				}
			}
		}
		if n.Data == "img" && !has(n, "alt") {
			t.Error("an image has no alternative text")
		}
		if n.Data == "button" && text(n) == "" && attr(n, "aria-label") == "" {
			t.Error("a button has no name")
		}
	}
}

func TestHomeShowsTheCommunity(t *testing.T) {
	c := open(t)
	_, author := c.signedIn("Ada Lovelace")
	for i := range 9 {
		c.idea(author, fmt.Sprintf("Idea number %d", i), "Text")
	}
	a := c.visitor().get("/").is(http.StatusOK)
	cards := a.class("card-title")
	seen := map[string]bool{}
	for _, card := range cards {
		if seen[text(card)] {
			t.Errorf("%q is shown twice", text(card))
		}
		seen[text(card)] = true
	}
	if len(cards) != 7 {
		t.Errorf("home shows %d ideas, want 4 trending and 3 new ones", len(cards))
	}
	var totals []string
	for _, total := range a.class("total") {
		totals = append(totals, text(total))
	}
	if got, want := strings.Join(totals, "|"), "member1|ideas9|votes of support0|comments0"; got != want {
		t.Errorf("totals are %q, want %q", got, want)
	}
	if got := a.class("brand-name"); len(got) != 1 || text(got[0]) != "Lumière Lab" {
		t.Error("the brand's name does not show")
	}
}

func TestEmptyCommunityInvitesToBegin(t *testing.T) {
	c := open(t)
	for _, path := range []string{"/", "/ideas"} {
		if got := c.visitor().get(path).is(http.StatusOK).class("empty-title"); len(got) != 1 || text(got[0]) != "The first idea is the boldest" {
			t.Errorf("%s of an empty community does not invite to begin", path)
		}
	}
}

func TestLogoReplacesTheNameAndKeepsItForReaders(t *testing.T) {
	c := open(t)
	s := brandSettings()
	s.LogoURL, s.Revision = "https://brand.example/logo.svg", "2"
	c.settings.declare(s)
	logo := c.visitor().get("/").is(http.StatusOK).class("brand-logo")
	if len(logo) != 1 || attr(logo[0], "src") != s.LogoURL || attr(logo[0], "alt") != "Lumière Lab" {
		t.Errorf("the logo does not show with the brand's name as its text: %v", logo)
	}
	if attr(logo[0], "width") == "" || attr(logo[0], "height") == "" {
		t.Error("the logo reserves no room, so the page jumps when it arrives")
	}
}

func TestListReadsOnWithAndWithoutJavaScript(t *testing.T) {
	c := open(t)
	_, author := c.signedIn("Author")
	for i := range 25 {
		c.idea(author, fmt.Sprintf("Idea %02d", i), "Text")
	}
	for _, order := range []string{"", "newest", "top"} {
		first := c.visitor().get("/ideas?order=" + order).is(http.StatusOK)
		more := attr(first.id("more").FirstChild, "href")
		if n := len(first.class("card")); n != 20 || more == "" {
			t.Fatalf("order %q: the first page has %d ideas and leads to %q", order, n, more)
		}
		plain := c.visitor().get(more).is(http.StatusOK)
		plain.heading()
		fragment := c.visitor().with("HX-Request", "true").with("HX-Target", "more").get(more).is(http.StatusOK)
		if strings.Contains(fragment.body, "<html") || strings.Contains(fragment.body, "<h1") {
			t.Errorf("order %q: htmx gets more than the ideas", order)
		}
		seen := map[string]int{}
		for _, card := range first.class("card-title") {
			seen[text(card)]++
		}
		for name, a := range map[string]*answer{"page": plain, "fragment": fragment} {
			if n := len(a.class("card")); n != 5 {
				t.Errorf("order %q: the second %s has %d ideas, want 5", order, name, n)
			}
			if strings.Contains(a.body, `id="more"`) {
				t.Errorf("order %q: the last %s leads on", order, name)
			}
		}
		for _, card := range plain.class("card-title") {
			seen[text(card)]++
		}
		if len(seen) != 25 {
			t.Errorf("order %q: %d different ideas on both pages, want 25", order, len(seen))
		}
	}
}

func TestListKeepsOrderAndSearch(t *testing.T) {
	c := open(t)
	_, author := c.signedIn("Author")
	c.idea(author, "A lamp", "Text")
	c.idea(author, "A tent", "Text")
	a := c.visitor().get("/ideas?order=top&q=lamp").is(http.StatusOK)
	if cards := a.class("card-title"); len(cards) != 1 || text(cards[0]) != "A lamp" {
		t.Errorf("the search finds %d ideas", len(cards))
	}
	var current []string
	for _, tab := range a.class("tab") {
		if attr(tab, "aria-current") == "true" {
			current = append(current, text(tab))
		}
		if !strings.Contains(attr(tab, "href"), "q=lamp") {
			t.Errorf("the order %q forgets the search", text(tab))
		}
	}
	if !slices.Equal(current, []string{"Most supported"}) {
		t.Errorf("current order is %v", current)
	}
	if got := value(a.id("q")); got != "lamp" {
		t.Errorf("the search field holds %q", got)
	}
	if a := c.visitor().get("/ideas?order=hostile").is(http.StatusOK); attr(a.class("tab")[0], "aria-current") != "true" {
		t.Error("an unknown order does not fall back to trending")
	}
}

func TestIdeaHasOneAddress(t *testing.T) {
	c := open(t)
	_, author := c.signedIn("Author")
	idea := c.idea(author, "Lampe à œillet", "Text")
	right := fmt.Sprintf("/ideas/%d-lampe-a-oeillet", idea.ID)
	c.visitor().get(right).is(http.StatusOK)
	for _, path := range []string{fmt.Sprintf("/ideas/%d", idea.ID), fmt.Sprintf("/ideas/%d-old-title", idea.ID)} {
		a := c.visitor().get(path + "?after=3").is(http.StatusMovedPermanently)
		if got := a.header.Get("Location"); got != right+"?after=3" {
			t.Errorf("%s leads to %q", path, got)
		}
		if got := a.header.Get("Cache-Control"); got != "no-cache" {
			t.Errorf("a browser may keep the redirect of %s: %q", path, got)
		}
	}
	for _, ref := range []string{"0", "-1", "+1", "1e3", "%31x", "99999999999999999999", "../profile", "1%2f2"} {
		if a := c.visitor().get("/ideas/" + ref); a.status != http.StatusNotFound && a.status != http.StatusMovedPermanently &&
			a.status != http.StatusTemporaryRedirect {
			t.Errorf("/ideas/%s answered %d", ref, a.status)
		}
	}
}

func TestLanguageLinksLeadToTheSamePage(t *testing.T) {
	c := open(t)
	a := c.visitor().get("/ideas?order=top").is(http.StatusOK)
	var links []string
	for _, n := range a.tags("link") {
		if attr(n, "rel") == "alternate" {
			links = append(links, attr(n, "hreflang")+" "+attr(n, "href"))
		}
	}
	want := []string{
		"fr https://" + host + "/ideas?lang=fr&order=top", "en https://" + host + "/ideas?lang=en&order=top",
	}
	if !slices.Equal(links, want) {
		t.Errorf("alternates are %q, want %q", links, want)
	}
	for _, n := range a.class("language") {
		if current := attr(n, "aria-current") == "true"; current != (attr(n, "lang") == "en") {
			t.Errorf("the language %q is marked wrongly", attr(n, "lang"))
		}
	}
	// A search result, a personal page and an error are nobody's landing page.
	for _, path := range []string{"/ideas?q=x", "/sign-in", "/nowhere"} {
		if !strings.Contains(c.visitor().get(path).body, `<meta name="robots" content="noindex">`) {
			t.Errorf("%s is offered to search engines", path)
		}
	}
}

func TestLanguageIsChosenInOrder(t *testing.T) {
	c := open(t)
	for name, tc := range map[string]struct {
		accept, query, cookie string
		member                bool
		want                  string
	}{
		"browser prefers French":         {accept: "fr-CA,en;q=0.5", want: "fr"},
		"browser prefers English":        {accept: "en-GB", want: "en"},
		"browser prefers what is absent": {accept: "de,ja", want: "fr"},
		"no preference":                  {want: "fr"},
		"broken preference":              {accept: ";;;=,,", want: "fr"},
		"endless preference":             {accept: strings.Repeat("en,", 5000), want: "fr"},
		"cookie beats browser":           {accept: "fr", cookie: "en", want: "en"},
		"address beats cookie":           {accept: "fr", cookie: "fr", query: "en", want: "en"},
		"unknown in the address":         {accept: "en", query: "xx", want: "en"},
		"hostile in the address":         {accept: "en", query: "<script>", want: "en"},
		"member's beats browser":         {accept: "fr", member: true, want: "en"},
		"cookie beats member's":          {accept: "en", cookie: "fr", member: true, want: "fr"},
	} {
		t.Run(name, func(t *testing.T) {
			c.in(t)
			b := c.visitor()
			if tc.member {
				b, _ = c.signedIn("English member")
			}
			b.speaks(tc.accept)
			if tc.cookie != "" {
				b.cookies["__Host-language"] = tc.cookie
			}
			path := "/"
			if tc.query != "" {
				path += "?lang=" + url.QueryEscape(tc.query)
			}
			a := b.get(path).is(http.StatusOK)
			if got := a.header.Get("Content-Language"); got != tc.want {
				t.Errorf("the page is in %q, want %q", got, tc.want)
			}
			for _, header := range []string{"Accept-Language", "Cookie"} {
				if !strings.Contains(a.header.Get("Vary"), header) {
					t.Errorf("Vary lacks %s", header)
				}
			}
			if kept := b.cookies["__Host-language"]; tc.query == "en" && kept != "en" {
				t.Errorf("the choice is kept as %q", kept)
			}
		})
	}
}

func TestOnlyDeclaredLanguagesAreOffered(t *testing.T) {
	c := open(t)
	s := brandSettings()
	s.Locales, s.Revision = []string{"en"}, "2"
	c.settings.declare(s)
	a := c.visitor().speaks("fr").get("/?lang=fr").is(http.StatusOK)
	if got := a.header.Get("Content-Language"); got != "en" {
		t.Errorf("the page is in %q although only English is declared", got)
	}
	if len(a.class("language")) != 0 {
		t.Error("there is a choice among one language")
	}
	// A region has its base language's texts, and a language without texts is not offered.
	s.Locales, s.Revision = []string{"fr-BE", "de"}, "3"
	s.Name = map[string]string{"fr-BE": "Lumière belge"}
	c.settings.declare(s)
	a = c.visitor().speaks("de").get("/").is(http.StatusOK)
	if got := a.header.Get("Content-Language"); got != "fr-BE" || text(a.class("brand-name")[0]) != "Lumière belge" {
		t.Errorf("the page is in %q", got)
	}
}

func TestTimesAreInTheCommunitysZone(t *testing.T) {
	c := open(t)
	_, author := c.signedIn("Author")
	idea := c.idea(author, "Old idea", "Text")
	c.db.Exec(t, "UPDATE ideas.idea SET created_at = '2026-01-31 23:30:00Z', updated_at = '2026-01-31 23:30:00Z'")
	path := fmt.Sprintf("/ideas/%d-%s", idea.ID, idea.Slug)
	for language, want := range map[string]string{"en": "1 February 2026, 00:30", "fr": "1er février 2026 à 00:30"} {
		shown := c.visitor().speaks(language).get(path).is(http.StatusOK).tags("time")[0]
		if got := attr(shown, "title"); got != want {
			t.Errorf("%s: %q, want %q", language, got, want)
		}
		if got := attr(shown, "datetime"); got != "2026-01-31T23:30:00Z" {
			t.Errorf("%s: datetime is %q", language, got)
		}
	}
}

func TestNamesOfOthersNeverShowAddresses(t *testing.T) {
	c := open(t)
	b := c.visitor()
	b.post("/sign-in", url.Values{"email": {"secret.person@members.example"}}).is(http.StatusSeeOther)
	b.post("/sign-in/link", url.Values{"token": {c.token()}}).is(http.StatusSeeOther)
	b.post("/ideas", url.Values{"title": {"A lamp"}, "body": {"Text"}}).is(http.StatusSeeOther)
	for _, path := range []string{"/", "/ideas", "/ideas/1-a-lamp"} {
		if a := c.visitor().get(path).is(http.StatusOK); strings.Contains(a.body, "secret") {
			t.Errorf("%s shows the address of a member", path)
		}
	}
}

var _ ideas.SettingsSource = (*declaration)(nil)

// The list of pages is kept in a file, with which the journeys in Chromium compare what axe-core has looked at: a new page
// without a journey fails there.
func TestPagesAreListed(t *testing.T) {
	testutil.Golden(t, "pages.txt", []byte(strings.Join(web.PageRoutes(), "\n")+"\n"))
}
