package web_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/quaeso/community-operator/ideas"
)

func ideaPath(i ideas.Idea) string { return fmt.Sprintf("/ideas/%d-%s", i.ID, i.Slug) }

func TestSupportWorksAsAPlainForm(t *testing.T) {
	c := open(t)
	b, author := c.signedIn("Author")
	idea := c.idea(author, "A lamp", "Text")
	action := fmt.Sprintf("/ideas/%d/support", idea.ID)
	back := ideaPath(idea)
	state := func() (pressed, count string) {
		a := b.get(back).is(http.StatusOK)
		return attr(a.id(fmt.Sprintf("vote-%d", idea.ID)), "aria-pressed"), text(a.class("vote-count")[0])
	}
	if pressed, count := state(); pressed != "false" || count != "0 supporters" {
		t.Fatalf("a new idea shows pressed=%s, %s", pressed, count)
	}
	// Twice the same: a repeated request changes nothing.
	for range 2 {
		b.post(action, url.Values{"support": {"true"}, "back": {back}}).leadsTo(back + fmt.Sprintf("#vote-%d", idea.ID))
	}
	if pressed, count := state(); pressed != "true" || count != "1 supporter" {
		t.Errorf("after support: pressed=%s, %s", pressed, count)
	}
	// The form on the page now withdraws.
	form := b.get(back).class("vote")[0]
	for n := range form.Descendants() {
		if attr(n, "name") == "support" && attr(n, "value") != "false" {
			t.Error("the form of a supported idea does not withdraw")
		}
	}
	b.post(action, url.Values{"support": {"false"}, "back": {back}}).is(http.StatusSeeOther)
	if pressed, count := state(); pressed != "false" || count != "0 supporters" {
		t.Errorf("after withdrawal: pressed=%s, %s", pressed, count)
	}
	b.post("/ideas/999/support", url.Values{"support": {"true"}}).is(http.StatusNotFound)
}

func TestSupportWithHTMXAnswersTheButton(t *testing.T) {
	c := open(t)
	b, author := c.signedIn("Author")
	idea := c.idea(author, "A <lamp>", "Text")
	action := fmt.Sprintf("/ideas/%d/support", idea.ID)
	a := b.with("HX-Request", "true").post(action, url.Values{"support": {"true"}, "back": {"/ideas?order=top"}}).is(http.StatusOK)
	if strings.Contains(a.body, "<html") || strings.Contains(a.body, "<lamp>") {
		t.Errorf("the fragment is wrong: %s", a.body)
	}
	button := a.id(fmt.Sprintf("vote-%d", idea.ID))
	if attr(button, "aria-pressed") != "true" || text(button) != "Support “A <lamp>”, 1 supporter" {
		t.Errorf("the button is pressed=%s, %q", attr(button, "aria-pressed"), text(button))
	}
	if !strings.Contains(a.body, `name="back" value="/ideas?order=top"`) {
		t.Error("the button forgets the page that it is on")
	}
	// Somebody who is not signed in is sent to do so, as a whole page.
	a = c.visitor().with("HX-Request", "true").post(action, url.Values{"support": {"true"}, "back": {"/ideas"}}).is(http.StatusNoContent)
	if got := a.header.Get("HX-Redirect"); got != "/sign-in?returnTo=%2Fideas" {
		t.Errorf("htmx is sent to %q", got)
	}
}

func TestSupportAsksToSignIn(t *testing.T) {
	c := open(t)
	_, author := c.signedIn("Author")
	idea := c.idea(author, "A lamp", "Text")
	form := url.Values{"support": {"true"}, "back": {ideaPath(idea)}}
	c.visitor().post(fmt.Sprintf("/ideas/%d/support", idea.ID), form).
		leadsTo("/sign-in?returnTo=" + url.QueryEscape(ideaPath(idea)))
	if got := c.db.QueryInt(t, "SELECT count(*) FROM ideas.support"); got != 0 {
		t.Errorf("%d supports by nobody", got)
	}
}

func TestSubmitPublishesOnce(t *testing.T) {
	c := open(t)
	c.visitor().get("/ideas/new").leadsTo("/sign-in?returnTo=%2Fideas%2Fnew")
	c.visitor().get("/ideas/new?title=A+lamp").leadsTo("/sign-in?returnTo=%2Fideas%2Fnew%3Ftitle%3DA%2Blamp")
	b, _ := c.signedIn("Author")
	if got := value(b.get("/ideas/new?title=A+lamp").id("title")); got != "A lamp" {
		t.Errorf("the title begun in a search is lost: %q", got)
	}
	key := value(b.get("/ideas/new").is(http.StatusOK).all(named("key"))[0])
	if len(key) < 20 {
		t.Errorf("the form's key is %q", key)
	}
	form := url.Values{"key": {key}, "title": {" A  lamp "}, "body": {"One\r\nTwo"}}
	for range 2 {
		b.post("/ideas", form).leadsTo("/ideas/1-a-lamp")
	}
	if got := c.db.QueryInt(t, "SELECT count(*) FROM ideas.idea"); got != 1 {
		t.Errorf("a form sent twice made %d ideas", got)
	}
	a := b.get("/ideas/1-a-lamp").is(http.StatusOK)
	if got := text(a.id("notice")); !strings.Contains(got, "Your idea is online") {
		t.Errorf("the page says %q after publishing", got)
	}
	if got := text(b.get("/ideas/1-a-lamp").id("notice")); got != "" {
		t.Errorf("the page says it again: %q", got)
	}
}

func TestSubmitKeepsWhatIsWrong(t *testing.T) {
	c := open(t)
	b, _ := c.signedIn("Author")
	long := strings.Repeat("é", ideas.MaxTitle+1)
	for name, tc := range map[string]struct {
		title, body            string
		titleError, bodyError  string
		language, alert, focus string
	}{
		"both empty": {"", " ", "Please fill this in.", "Please fill this in.", "en", "2 things need your attention", "title"},
		"title long": {long, "Text", "This is too long: at most 120 characters.", "", "en", "One thing needs your attention", "title"},
		"body long": {
			"Lampe", strings.Repeat("x", ideas.MaxBody+1), "", "C’est trop long : 10 000 caractères au plus.", "fr",
			"Un point demande votre attention", "body",
		},
	} {
		t.Run(name, func(t *testing.T) {
			c.in(t)
			a := b.speaks(tc.language).with("Cookie", "__Host-language="+tc.language).
				post("/ideas", url.Values{"key": {"k"}, "title": {tc.title}, "body": {tc.body}}).is(http.StatusUnprocessableEntity)
			for id, want := range map[string]struct{ value, wrong string }{
				"title": {tc.title, tc.titleError}, "body": {strings.TrimSpace(tc.body), tc.bodyError},
			} {
				input := a.id(id)
				if got := value(input); got != want.value {
					t.Errorf("%s holds %.40q, want %.40q", id, got, want.value)
				}
				if invalid := attr(input, "aria-invalid") == "true"; invalid != (want.wrong != "") {
					t.Errorf("%s: aria-invalid is %v", id, invalid)
				}
				if has(input, "autofocus") != (tc.focus == id) {
					t.Errorf("%s: the focus is wrong", id)
				}
				if want.wrong == "" {
					continue
				}
				if got := plainSpaces(text(a.id(id + "-error"))); got != want.wrong {
					t.Errorf("%s says %q, want %q", id, got, want.wrong)
				}
				if !strings.Contains(attr(input, "aria-describedby"), id+"-error") {
					t.Errorf("%s is not described by its error", id)
				}
			}
			if got := text(a.class("alert")[0]); got != tc.alert {
				t.Errorf("the summary is %q, want %q", got, tc.alert)
			}
			if got := value(a.all(named("key"))[0]); got != "k" {
				t.Errorf("the form's key changed to %q", got)
			}
			accessible(t, a)
		})
	}
	if got := c.db.QueryInt(t, "SELECT count(*) FROM ideas.idea"); got != 0 {
		t.Errorf("%d ideas were kept", got)
	}
}

// plainSpaces makes spaces that do not break comparable.
func plainSpaces(s string) string {
	return strings.NewReplacer("\u00a0", " ", "\u202f", " ").Replace(s)
}

func TestNothingWrittenIsLostWhenTheSessionEnds(t *testing.T) {
	c := open(t)
	_, author := c.signedIn("Author")
	idea := c.idea(author, "A lamp", "Text")
	b := c.visitor()
	b.cookies["__Host-session"] = "ended"
	a := b.post("/ideas", url.Values{"title": {"My title"}, "body": {"My text"}}).is(http.StatusUnauthorized)
	if value(a.id("title")) != "My title" || value(a.id("body")) != "My text" {
		t.Error("the idea is lost")
	}
	accessible(t, a)
	a = b.post(fmt.Sprintf("/ideas/%d/comments", idea.ID), url.Values{"body": {"My comment"}}).is(http.StatusUnauthorized)
	if value(a.id("body")) != "My comment" {
		t.Error("the comment is lost")
	}
	accessible(t, a)
	if got := c.db.QueryInt(t, "SELECT count(*) FROM ideas.comment"); got != 0 {
		t.Errorf("%d comments by nobody", got)
	}
}

func TestCommentAppears(t *testing.T) {
	c := open(t)
	b, author := c.signedIn("Ada Lovelace")
	idea := c.idea(author, "A lamp", "Text")
	action := fmt.Sprintf("/ideas/%d/comments", idea.ID)
	for range 2 {
		b.post(action, url.Values{"key": {"k"}, "body": {"So **bright**"}}).leadsTo(ideaPath(idea) + "#comment-1")
	}
	a := b.get(ideaPath(idea)).is(http.StatusOK)
	if n := len(a.class("comment")); n != 1 {
		t.Fatalf("a form sent twice made %d comments", n)
	}
	if got := text(a.id("comment-1")); !strings.HasPrefix(got, "Ada Lovelace just now") || !strings.Contains(got, "So bright") {
		t.Errorf("the comment reads %q", got)
	}
	if got := text(a.id("notice")); !strings.Contains(got, "your comment is online") {
		t.Errorf("the page says %q", got)
	}
}

func TestCommentKeepsWhatIsWrong(t *testing.T) {
	c := open(t)
	b, author := c.signedIn("Author")
	idea := c.idea(author, "A lamp", "Text")
	for body, want := range map[string]string{
		"": "Please fill this in.", strings.Repeat("x", ideas.MaxComment+1): "This is too long: at most 4,000 characters.",
	} {
		a := b.post(fmt.Sprintf("/ideas/%d/comments", idea.ID), url.Values{"body": {body}}).is(http.StatusUnprocessableEntity)
		if got := text(a.id("body-error")); got != want {
			t.Errorf("the field says %q, want %q", got, want)
		}
		if value(a.id("body")) != body {
			t.Error("the comment is lost")
		}
		accessible(t, a)
	}
	b.post("/ideas/999/comments", url.Values{"body": {"x"}}).is(http.StatusNotFound)
}

func TestLongConversationsArePaged(t *testing.T) {
	c := open(t)
	b, author := c.signedIn("Author")
	idea := c.idea(author, "A lamp", "Text")
	for i := range 45 {
		if _, err := c.store.AddComment(t.Context(), author.ID, idea.ID, "", fmt.Sprintf("Comment %d", i)); err != nil {
			t.Fatal(err)
		}
	}
	a := b.get(ideaPath(idea)).is(http.StatusOK)
	if n := len(a.class("comment")); n != 40 {
		t.Fatalf("the first page has %d comments", n)
	}
	more := a.class("comments-more")
	if len(more) != 1 {
		t.Fatalf("%d links to other comments", len(more))
	}
	a = b.get(strings.TrimSuffix(attr(more[0].FirstChild, "href"), "#comments")).is(http.StatusOK)
	if n := len(a.class("comment")); n != 5 || text(a.class("comments-more")[0]) != "Show earlier comments" {
		t.Errorf("the second page has %d comments", n)
	}
	// Whoever comments in a long conversation sees the comment, although it is beyond the first page.
	a = b.post(fmt.Sprintf("/ideas/%d/comments", idea.ID), url.Values{"body": {"The latest"}}).is(http.StatusSeeOther)
	path, fragment, _ := strings.Cut(a.header.Get("Location"), "#")
	if got := text(b.get(path).is(http.StatusOK).id(fragment)); !strings.Contains(got, "The latest") {
		t.Errorf("the browser shows %q", got)
	}
}

func TestProfile(t *testing.T) {
	c := open(t)
	c.visitor().get("/profile").leadsTo("/sign-in?returnTo=%2Fprofile")
	c.visitor().post("/profile", url.Values{"name": {"x"}}).leadsTo("/sign-in?returnTo=%2Fprofile")
	b, m := c.signedIn("Ada")
	a := b.get("/profile").is(http.StatusOK)
	if value(a.id("name")) != "Ada" || value(a.id("email")) != m.Email {
		t.Errorf("the profile shows %q, %q", value(a.id("name")), value(a.id("email")))
	}
	b.post("/profile", url.Values{"name": {" Ada  Lovelace "}, "language": {"fr"}}).leadsTo("/profile")
	a = b.get("/profile").is(http.StatusOK)
	if got := value(a.id("name")); got != "Ada Lovelace" || a.header.Get("Content-Language") != "fr" {
		t.Errorf("after saving: %q in %s", got, a.header.Get("Content-Language"))
	}
	for _, name := range []string{"", strings.Repeat("x", ideas.MaxName+1)} {
		a = b.post("/profile", url.Values{"name": {name}, "returnTo": {"/ideas/new"}}).is(http.StatusUnprocessableEntity)
		if value(a.id("name")) != name || text(a.id("name-error")) == "" {
			t.Error("the wrong name is not shown with its error")
		}
	}
	b.post("/profile", url.Values{"name": {"Ada"}, "returnTo": {"/ideas/new"}}).leadsTo("/ideas/new")
	b.post("/profile", url.Values{"name": {"Ada"}, "returnTo": {"//evil.example"}}).leadsTo("/")
}

func TestSignOutEndsTheSession(t *testing.T) {
	c := open(t)
	b, _ := c.signedIn("Ada")
	session := b.cookies["__Host-session"]
	b.post("/sign-out", nil).leadsTo("/")
	if b.cookies["__Host-session"] != "" {
		t.Error("the browser keeps the session")
	}
	if _, err := c.store.Authenticate(t.Context(), session); !errors.Is(err, ideas.ErrNotFound) {
		t.Errorf("the session goes on: %v", err)
	}
	b.get("/").is(http.StatusOK)
}

// broken is a store that fails as told.
type broken struct {
	ideas.Store
	err   error
	panic bool
}

func (b *broken) Totals(ctx context.Context) (ideas.Totals, error) {
	switch {
	case b.panic:
		panic("broken")
	case b.err != nil:
		return ideas.Totals{}, b.err
	}
	return b.Store.Totals(ctx)
}

func TestFailuresBecomePages(t *testing.T) {
	store := &broken{}
	c := open(t, func(c *community) { store.Store, c.config.Store = c.store, store })
	for name, tc := range map[string]struct {
		err        error
		status     int
		heading    string
		retryAfter string
		logged     bool
	}{
		"unknown":      {errors.New("disk on fire"), 500, "Something went wrong on our side", "", true},
		"unavailable":  {fmt.Errorf("totals: %w", ideas.ErrUnavailable), 503, "Back in a moment", "5", true},
		"too slow":     {context.DeadlineExceeded, 503, "Back in a moment", "5", true},
		"too many":     {ideas.ErrTooMany, 429, "One moment, please", "120", false},
		"not found":    {ideas.ErrNotFound, 404, "This page does not exist", "", false},
		"refused":      {&ideas.FieldError{Field: "x", Code: "invalid"}, 422, "We did not understand that", "", false},
		"several":      {errors.Join(errors.New("a"), ideas.ErrUnavailable), 503, "Back in a moment", "5", true},
		"too much":     {&http.MaxBytesError{Limit: 1}, 413, "That was too much at once", "", false},
		"mail is off":  {ideas.ErrMailOff, 503, "Back in a moment", "5", true},
		"reader gone?": {context.Canceled, 500, "Something went wrong on our side", "", true},
	} {
		t.Run(name, func(t *testing.T) {
			c.in(t)
			store.err = tc.err
			before := len(c.log.String())
			a := c.visitor().get("/?token=secret").is(tc.status)
			if got := a.heading(); got != tc.heading {
				t.Errorf("heading is %q, want %q", got, tc.heading)
			}
			if got := a.header.Get("Retry-After"); got != tc.retryAfter {
				t.Errorf("Retry-After is %q, want %q", got, tc.retryAfter)
			}
			if strings.Contains(a.body, "fire") {
				t.Error("the page shows the cause")
			}
			log := c.log.String()[before:]
			if logged := strings.Contains(log, "level=ERROR"); logged != tc.logged {
				t.Errorf("logged as an error: %v, want %v\n%s", logged, tc.logged, log)
			}
			if strings.Contains(log, "secret") {
				t.Errorf("the log holds the query: %s", log)
			}
			wellFormed(t, a, "en")
		})
	}
	store.err, store.panic = nil, true
	c.visitor().get("/").is(http.StatusInternalServerError)
	if !strings.Contains(c.log.String(), "request panicked") {
		t.Error("a panic is not logged")
	}
	store.panic = false
	c.visitor().get("/").is(http.StatusOK)
}
