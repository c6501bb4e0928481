package web_test

import (
	"bytes"
	"fmt"
	"image"
	"image/png"
	"maps"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"golang.org/x/net/html"

	"github.com/quaeso/community-operator/ideas"
	"github.com/quaeso/community-operator/internal/control"
)

// withHouse puts house rules in force, with a lead, a moderator and an implementer of those names.
func withHouse(t *testing.T, house control.House) *community {
	t.Helper()
	house.Roles = map[string][]string{
		"lead": {"lead@members.example"}, "moderator": {"moderator@members.example"}, "implementer": {"implementer@members.example"},
	}
	return open(t, func(c *community) {
		_, _, err := c.store.Declare(t.Context(), control.Declaration{UID: "test", Generation: 1, Settings: control.Settings{
			BaseURL: "https://" + host, Brand: control.Brand{Name: map[string]string{"en": "Lumière Lab", "fr": "Atelier Lumière"}},
			Locales: []string{"fr", "en"}, TimeZone: "Europe/Paris", House: &house,
		}})
		if err != nil {
			t.Fatal(err)
		}
		c.config.Settings = c.store
	})
}

// upload sends a file as a browser does.
func (b *browser) upload(path, name string, content []byte, alt string) *answer {
	b.community.t.Helper()
	return b.uploads(path, url.Values{"alt": {alt}}, sentFile{"file", name, content})
}

// sentFile is a file that a form sends from an input.
type sentFile struct {
	input, name string
	content     []byte
}

// uploads sends a form with files.
func (b *browser) uploads(path string, values url.Values, files ...sentFile) *answer {
	b.community.t.Helper()
	var body bytes.Buffer
	form := multipart.NewWriter(&body)
	check := func(err error) {
		if err != nil {
			b.community.t.Fatal(err)
		}
	}
	for _, f := range files {
		part, err := form.CreateFormFile(f.input, f.name)
		check(err)
		_, err = part.Write(f.content)
		check(err)
	}
	for name, all := range values {
		for _, value := range all {
			check(form.WriteField(name, value))
		}
	}
	check(form.Close())
	r := httptest.NewRequestWithContext(b.community.t.Context(), http.MethodPost, "https://"+b.host+path, &body)
	maps.Copy(r.Header, b.header)
	r.Header.Set("Content-Type", form.FormDataContentType())
	for name, value := range b.cookies {
		r.AddCookie(&http.Cookie{Name: name, Value: value})
	}
	w := httptest.NewRecorder()
	b.community.pages.ServeHTTP(w, r)
	a := &answer{t: b.community.t, path: path, status: w.Code, header: w.Result().Header, body: w.Body.String()}
	var err error
	a.doc, err = html.Parse(strings.NewReader(a.body))
	check(err)
	return a
}

func tinyPicture(t *testing.T) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := png.Encode(&b, image.NewRGBA(image.Rect(0, 0, 30, 20))); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// TestFromDraftToLaunchWithoutJavaScript walks an idea's whole life by plain forms.
func TestFromDraftToLaunchWithoutJavaScript(t *testing.T) {
	c := withHouse(t, control.House{
		Moderation: control.Moderation{When: "before"}, AnswerWithinDays: 10,
		Themes: []control.Theme{{Name: "light", Title: map[string]string{"en": "Light", "fr": "Lumière"}}},
	})
	author, _ := c.signedIn("Author")
	moderator, _ := c.signedIn("Moderator")
	lead, _ := c.signedIn("Lead")
	stranger := c.visitor()

	a := author.post("/ideas", url.Values{"title": {"A lamp"}, "body": {"**Bright**"}, "do": {"preview"}}).is(http.StatusOK)
	if got := text(a.class("preview")[0]); !strings.Contains(got, "Bright") || strings.Contains(got, "**") {
		t.Errorf("the preview shows %q", got)
	}
	author.post("/ideas", url.Values{"key": {"k"}, "title": {"A lamp"}, "do": {"draft"}}).leadsTo("/ideas/1-a-lamp/edit")
	stranger.get("/ideas/1").is(http.StatusNotFound)
	moderator.get("/ideas/1/edit").is(http.StatusNotFound)
	accessible(t, author.get("/ideas/1-a-lamp/edit").is(http.StatusOK))
	author.post("/ideas/1/edit", url.Values{"title": {"A lamp"}, "body": {"Bright"}, "theme": {"light"}, "tags": {"#Tent, LED"}}).leadsTo("/ideas/1-a-lamp")
	if got := text(author.get("/ideas/1-a-lamp").is(http.StatusOK).class("idea-notice")[0]); !strings.Contains(got, "A moderator looks at this idea") {
		t.Errorf("the author reads %q", got)
	}
	stranger.get("/ideas/1-a-lamp").is(http.StatusNotFound)
	queue := moderator.get("/team/moderation").is(http.StatusOK)
	accessible(t, queue)
	item := attr(queue.all(named("item"))[0], "value")
	decide := func(decision, reason string) *answer {
		return moderator.post("/team/moderation", url.Values{"item": {item}, "decision": {decision}, "reason": {reason}})
	}
	a = decide("changes", "").is(http.StatusUnprocessableEntity)
	if got := text(a.id("reason-error")); !strings.Contains(got, "Please give a reason") {
		t.Errorf("the moderator reads %q", got)
	}
	decide("changes", "Which tents?").leadsTo("/team/moderation")
	if got := text(author.get("/ideas/1-a-lamp/edit").is(http.StatusOK).class("reason-text")[0]); got != "Which tents?" {
		t.Errorf("the author reads the reason %q", got)
	}
	author.post("/ideas/1/edit", url.Values{"title": {"A lamp"}, "body": {"Bright, for small tents"}, "theme": {"light"}, "tags": {"tent"}}).is(http.StatusSeeOther)
	item = attr(moderator.get("/team/moderation").all(named("item"))[0], "value")
	decide("publish", "").leadsTo("/team/moderation")
	page := stranger.get("/ideas/1-a-lamp").is(http.StatusOK)
	if got := text(page.class("tags")[0]); got != "Light #tent" {
		t.Errorf("the page shows the tags %q", got)
	}
	for path, n := range map[string]int{"/ideas?tag=tent": 1, "/ideas?theme=light": 1, "/ideas?theme=light&state=launched": 0, "/ideas?state=gathering": 1} {
		if got := len(stranger.get(path).is(http.StatusOK).class("card")); got != n {
			t.Errorf("%s shows %d ideas, want %d", path, got, n)
		}
	}
	step := func(to, reason string) {
		t.Helper()
		lead.post("/team/ideas/1", url.Values{"do": {"move"}, "to": {to}, "reason": {reason}}).leadsTo("/team/ideas/1")
	}
	step("qualified", "")
	if got := text(stranger.get("/ideas/1-a-lamp").class("life-due")[0]); !strings.Contains(got, "Lumière Lab answers by") {
		t.Errorf("the promise reads %q", got)
	}
	if got := text(lead.get("/team/answers").is(http.StatusOK).class("own")[0]); !strings.Contains(got, "A lamp") {
		t.Errorf("what is due shows %q", got)
	}
	lead.post("/team/ideas/1", url.Values{"do": {"answer"}, "answer": {" "}}).is(http.StatusUnprocessableEntity)
	lead.post("/team/ideas/1", url.Values{"do": {"answer"}, "answer": {"We **love** it."}}).leadsTo("/team/ideas/1")
	if got := text(stranger.get("/ideas/1-a-lamp").class("answers")[0]); !strings.Contains(got, "We love it.") {
		t.Errorf("the answer reads %q", got)
	}
	step("selected", "The best of all.")
	for _, to := range []string{"planned", "in_development", "testing", "launched"} {
		step(to, "")
		road := stranger.get("/roadmap").is(http.StatusOK)
		if got := text(road.class("road-" + to)[0]); !strings.Contains(got, "A lamp") {
			t.Errorf("the roadmap shows of %s: %q", to, got)
		}
		accessible(t, road)
	}
	if got := text(author.get("/ideas/1-a-lamp/history").is(http.StatusOK).tags("ins")[0]); !strings.Contains(got, "for small tents") {
		t.Errorf("the history marks %q as new", got)
	}
	stranger.get("/ideas/1-a-lamp/history").is(http.StatusForbidden)
	for _, path := range []string{"/ideas/1-a-lamp", "/team/ideas/1", "/profile/ideas", "/ideas/1-a-lamp/history", "/ideas/1-a-lamp/authors"} {
		for _, b := range []*browser{author, lead} {
			if a := b.get(path); a.status == http.StatusOK {
				accessible(t, a)
			}
		}
	}
}

// TestWhoMayDoWhat sends every form of an idea's life as everybody.
func TestWhoMayDoWhat(t *testing.T) {
	c := withHouse(t, control.House{})
	author, m := c.signedIn("Author")
	idea := c.idea(m, "A lamp", "Text")
	other := c.idea(m, "Another", "Text")
	comment, err := c.store.AddComment(t.Context(), m.ID, idea.ID, "", "Hello")
	if err != nil {
		t.Fatal(err)
	}
	people := map[string]*browser{"nobody": c.visitor(), "author": author}
	for _, name := range []string{"Other", "Moderator", "Implementer", "Lead"} {
		people[strings.ToLower(name)], _ = c.signedIn(name)
	}
	ofIdea, ofTeam := fmt.Sprintf("/ideas/%d", idea.ID), fmt.Sprintf("/team/ideas/%d", idea.ID)
	for name, tc := range map[string]struct {
		path string
		form url.Values
		// may are those for whom it is not refused; all others are.
		may string
	}{
		"edit":           {ofIdea + "/edit", url.Values{"title": {"A lamp"}, "body": {"Text"}}, "author"},
		"withdraw":       {fmt.Sprintf("/ideas/%d/withdraw", other.ID), nil, "author"},
		"delete":         {ofIdea + "/delete", nil, ""},
		"invite":         {ofIdea + "/authors", url.Values{"name": {"Other"}}, "author"},
		"answer":         {ofTeam, url.Values{"do": {"answer"}, "answer": {"Yes"}}, "implementer lead"},
		"merge":          {ofTeam, url.Values{"do": {"merge"}, "into": {"999"}}, "moderator lead"},
		"moderate":       {"/team/moderation", url.Values{"item": {"1"}, "decision": {"publish"}}, "moderator lead"},
		"review":         {ofTeam, url.Values{"do": {"move"}, "to": {"not_selected"}}, "lead"},
		"hide a comment": {fmt.Sprintf("/team/comments/%d", comment.ID), url.Values{"do": {"restore"}}, ""},
		"edit a comment": {fmt.Sprintf("/comments/%d", comment.ID), url.Values{"do": {"edit"}, "body": {"x"}}, "author"},
		"report":         {ofIdea + "/report", url.Values{"code": {"off_topic"}}, "other moderator implementer lead"},
	} {
		for who, b := range people {
			a := b.post(tc.path, tc.form)
			asked := strings.HasPrefix(a.header.Get("Location"), "/sign-in")
			refused := asked || a.status == http.StatusForbidden || a.status == http.StatusNotFound || a.status == http.StatusConflict
			if may := strings.Contains(" "+tc.may+" ", " "+who+" "); may == refused && (name != "withdraw" || who == "author") {
				t.Errorf("%s as %s: %d to %q; they may: %v", name, who, a.status, a.header.Get("Location"), may)
			}
			if a.status >= http.StatusInternalServerError {
				t.Errorf("%s as %s answered %d", name, who, a.status)
			}
		}
	}
	for _, path := range []string{"/team/moderation", "/team/answers", ofTeam} {
		people["other"].get(path).is(http.StatusNotFound)
	}
}

// TestFiles refuses what is no picture, and serves what is one so that nothing in it runs.
func TestFiles(t *testing.T) {
	c := withHouse(t, control.House{})
	author, m := c.signedIn("Author")
	other, _ := c.signedIn("Other")
	draft, err := c.store.CreateIdea(t.Context(), m.ID, "", ideas.Content{Title: "A lamp"}, false)
	if err != nil {
		t.Fatal(err)
	}
	action := ideaPath(draft) + "/files"
	accessible(t, author.get(action).is(http.StatusOK))
	for name, content := range map[string][]byte{
		"nothing": {}, "HTML as a picture": []byte("<html><script>alert(1)</script>"), "SVG": []byte("<svg onload=alert(1)>"),
		"half a picture": tinyPicture(t)[:40], "too large": append(tinyPicture(t), make([]byte, ideas.MaxAttachmentBytes)...),
	} {
		a := author.upload(action, "lamp.png", content, "A lamp").is(http.StatusUnprocessableEntity)
		if got := text(a.id("file-error")); got == "" || value(a.id("alt")) != "A lamp" {
			t.Errorf("%s: the page says %q and keeps %q", name, got, value(a.id("alt")))
		}
	}
	author.upload(action, "x.png", make([]byte, ideas.MaxAttachmentBytes+1<<20), "").is(http.StatusRequestEntityTooLarge)
	other.upload(action, "lamp.png", tinyPicture(t), "").is(http.StatusNotFound)
	c.visitor().upload(action, "lamp.png", tinyPicture(t), "").is(http.StatusSeeOther)
	cross := author.with("Sec-Fetch-Site", "cross-site")
	cross.upload(action, "lamp.png", tinyPicture(t), "").is(http.StatusForbidden)
	author.upload(action, "../../e\"vil\r\n.php.html", tinyPicture(t), `"><script>`).leadsTo(action)
	if n := c.db.QueryInt(t, "SELECT count(*) FROM ideas.attachment"); n != 1 {
		t.Fatalf("%d files are kept, want 1", n)
	}
	address := attr(author.get(action).class("file")[0].FirstChild, "src")
	other.get(address).is(http.StatusNotFound)
	f := author.get(address).is(http.StatusOK)
	for name, want := range map[string]string{
		"Content-Type": "image/png", "X-Content-Type-Options": "nosniff", "Cache-Control": "private, max-age=31536000, immutable",
		"Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; sandbox; frame-ancestors 'none'",
	} {
		if got := f.header.Get(name); got != want {
			t.Errorf("%s is %q, want %q", name, got, want)
		}
	}
	if got := f.header.Get("Content-Disposition"); !strings.HasPrefix(got, "inline; filename=") || !strings.Contains(got, ".png") || strings.ContainsAny(got, "/\\\r\n") {
		t.Errorf("Content-Disposition is %q", got)
	}
	if f.body != string(tinyPicture(t)) {
		t.Error("the picture is another")
	}
	author.post(ideaPath(draft)+"/edit", url.Values{"title": {"A lamp"}, "body": {"Text"}}).is(http.StatusSeeOther)
	c.visitor().get(address).is(http.StatusOK)
	c.visitor().get(strings.Replace(address, "/files/1/", "/files/1/0", 1)).is(http.StatusNotFound)
	page := c.visitor().get(ideaPath(draft)).is(http.StatusOK)
	noInlineCode(t, page)
	accessible(t, page)
	if got := attr(page.class("pictures")[0].FirstChild.FirstChild.FirstChild, "alt"); got != `"><script>` {
		t.Errorf("the picture's description is %q", got)
	}
}

// TestThreads answers, thanks, changes and deletes by plain forms, and hides what a moderator looks at first.
func TestThreads(t *testing.T) {
	c := withHouse(t, control.House{Moderation: control.Moderation{BannedTerms: []string{"scam"}}})
	author, m := c.signedIn("Author")
	other, _ := c.signedIn("Other")
	idea := c.idea(m, "A lamp", "Text")
	path := ideaPath(idea)
	author.post(fmt.Sprintf("/ideas/%d/comments", idea.ID), url.Values{"body": {"First"}}).is(http.StatusSeeOther)
	accessible(t, other.get("/comments/1").is(http.StatusOK))
	other.post("/comments/1", url.Values{"do": {"reply"}, "body": {"Second"}}).is(http.StatusSeeOther)
	other.post("/comments/1", url.Values{"do": {"reply"}, "body": {""}}).is(http.StatusUnprocessableEntity)
	other.post("/comments/1", url.Values{"do": {"thank"}}).is(http.StatusSeeOther)
	page := c.visitor().get(path).is(http.StatusOK)
	if got := text(page.id("comment-2")); !strings.Contains(got, "in reply to Author") || len(page.class("comment-reply")) != 1 {
		t.Errorf("the reply reads %q", got)
	}
	if got := text(page.id("comment-1")); !strings.Contains(got, "1 member finds this helpful") {
		t.Errorf("the thanks read %q", got)
	}
	other.post("/comments/2", url.Values{"do": {"edit"}, "body": {"A scam"}}).is(http.StatusSeeOther)
	if strings.Contains(c.visitor().get(path).body, "A scam") || !strings.Contains(other.get(path).body, "A moderator looks at your comment") {
		t.Error("a banned term is shown after an edit, or its author is not told")
	}
	author.post("/comments/1", url.Values{"do": {"delete"}}).is(http.StatusSeeOther)
	if strings.Contains(c.visitor().get(path).body, "First") {
		t.Error("a deleted comment is shown")
	}
	accessible(t, other.get(path))
}

// A merged idea's address leads on, and leads back when the merge is undone.
func TestMergedIdeasLeadOn(t *testing.T) {
	c := withHouse(t, control.House{})
	_, m := c.signedIn("Author")
	one, two := c.idea(m, "A lamp for tents", "Text"), c.idea(m, "A tent lamp", "Text")
	lead, _ := c.signedIn("Lead")
	managed := lead.get(fmt.Sprintf("/team/ideas/%d", two.ID)).is(http.StatusOK)
	accessible(t, managed)
	if got := text(managed.class("merge-list")[0]); !strings.Contains(got, "A lamp for tents") {
		t.Errorf("what it may be merged into shows %q", got)
	}
	form := url.Values{"do": {"merge"}, "into": {"https://" + host + ideaPath(one)}}
	lead.post(fmt.Sprintf("/team/ideas/%d", two.ID), form).is(http.StatusSeeOther)
	a := c.visitor().get(ideaPath(two)).is(http.StatusFound)
	if got := a.header.Get("Location"); got != fmt.Sprintf("/ideas/%d", one.ID) {
		t.Errorf("the merged idea leads to %q", got)
	}
	lead.post(fmt.Sprintf("/team/ideas/%d", two.ID), url.Values{"do": {"unmerge"}}).is(http.StatusSeeOther)
	c.visitor().get(ideaPath(two)).is(http.StatusOK)
	// Votes of one challenge must not count in another: the page says why not.
	c.db.Exec(t, `INSERT INTO ideas.challenge (id, uid, name, generation, digest, spec) OVERRIDING SYSTEM VALUE VALUES (1, 'u', 'summer', 1, '', '{}')`)
	c.db.Exec(t, fmt.Sprintf("UPDATE ideas.idea SET challenge_id = 1 WHERE id = %d", two.ID))
	refused := lead.post(fmt.Sprintf("/team/ideas/%d", two.ID), form).is(http.StatusUnprocessableEntity)
	if got := text(refused.id("into-error")); !strings.HasPrefix(got, "It belongs to another challenge.") {
		t.Errorf("ideas of two challenges: %q", got)
	}
	c.visitor().get(ideaPath(two)).is(http.StatusOK)
}

// While a title is typed, what is there already shows; a slip of the keyboard still finds.
func TestSimilarAndCorrected(t *testing.T) {
	c := open(t)
	_, m := c.signedIn("Author")
	c.idea(m, "A lighter tent for hiking", "Text")
	a := c.visitor().with("HX-Request", "true").get("/ideas/similar?title=lighter+tent").is(http.StatusOK)
	if !strings.Contains(a.body, "A lighter tent for hiking") || strings.Contains(a.body, "<html") {
		t.Errorf("similar ideas: %s", a.body)
	}
	a = c.visitor().get("/ideas?q=lihgter+tent").is(http.StatusOK)
	if len(a.class("card")) != 1 || len(a.class("corrected")) != 1 {
		t.Error("a search with a slip finds nothing, or does not say what it found")
	}
}

// A co-author is invited by name, by the address of their page, a mention, or a mail address, which does not tell whether
// it is a member's.
func TestInviteCoAuthors(t *testing.T) {
	c := withHouse(t, control.House{})
	author, m := c.signedIn("Author")
	_, page := c.signedIn("Page")
	_, mentioned := c.signedIn("Mentioned")
	byMail, mailed := c.signedIn("Mailed")
	idea := c.idea(m, "A lamp", "Text")
	action := ideaPath(idea) + "/authors"
	accessible(t, author.get(action).is(http.StatusOK))
	invite := func(who string) *answer { return author.post(action, url.Values{"name": {who}}) }
	for _, who := range []string{fmt.Sprintf("https://%s/members/%d-page", host, page.ID), ideas.MentionOf(ideas.Author{ID: mentioned.ID, Name: "Mentioned"})} {
		invite(who).leadsTo(action)
	}
	for _, who := range []string{"nobody@members.example", mailed.Email} {
		answer := invite(who)
		answer.leadsTo(action)
		if text := author.get(action).is(http.StatusOK).body; strings.Contains(text, "Mailed") || strings.Contains(text, "nobody@") {
			t.Errorf("after inviting %s the page tells who has the address", who)
		}
	}
	for who, want := range map[string]string{
		"Nobody": "There is no such member.", "/members/999999": "There is no such member.", m.Email: "You are the author already.", "not@an": "",
	} {
		wrong := invite(who).is(http.StatusUnprocessableEntity)
		if got := text(wrong.id("name-error")); !strings.Contains(got, want) || got == "" || value(wrong.id("name")) != who {
			t.Errorf("%s: the page says %q", who, got)
		}
	}
	shown := author.get(action).is(http.StatusOK).body
	if !strings.Contains(shown, "Page") || !strings.Contains(shown, "Mentioned") {
		t.Error("who was invited by page or mention is not listed")
	}
	byMail.get(ideaPath(idea)).is(http.StatusOK).says("Author invites you")
	byMail.post(fmt.Sprintf("/ideas/%d/invitation", idea.ID), url.Values{"accept": {"true"}}).is(http.StatusSeeOther)
	if !strings.Contains(author.get(action).is(http.StatusOK).body, "Mailed") {
		t.Error("who has accepted is not named")
	}
}

// A moderator hides a comment from a page of its own, with a reason that its author reads, and brings it back.
func TestHideACommentFromItsPage(t *testing.T) {
	c := withHouse(t, control.House{})
	author, m := c.signedIn("Author")
	moderator, _ := c.signedIn("Moderator")
	idea := c.idea(m, "A lamp", "Text")
	comment, err := c.store.AddComment(t.Context(), m.ID, idea.ID, "", "Rude words")
	if err != nil {
		t.Fatal(err)
	}
	path := fmt.Sprintf("/team/comments/%d", comment.ID)
	if link := `href="` + path + `"`; strings.Contains(author.get(ideaPath(idea)).body, link) || !strings.Contains(moderator.get(ideaPath(idea)).body, link) {
		t.Error("the button to hide a comment is not for moderators alone")
	}
	author.get(path).is(http.StatusNotFound)
	accessible(t, moderator.get(path).is(http.StatusOK))
	wrong := moderator.post(path, url.Values{"do": {"hide"}, "code": {"other"}}).is(http.StatusUnprocessableEntity)
	if text(wrong.id("reason-error")) == "" {
		t.Error("a comment is hidden without a reason")
	}
	moderator.post(path, url.Values{"do": {"hide"}, "code": {"offensive"}, "reason": {"Please be kind."}}).leadsTo(path)
	c.visitor().get(ideaPath(idea)).is(http.StatusOK).doesNotSay("Rude words")
	author.get(ideaPath(idea)).is(http.StatusOK).says("Rude words", "Please be kind.")
	accessible(t, moderator.get(path).is(http.StatusOK).says("Please be kind."))
	moderator.post(path, url.Values{"do": {"restore"}}).leadsTo(path)
	c.visitor().get(ideaPath(idea)).is(http.StatusOK).says("Rude words")
}
