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

// tell records an event and waits until it has been dispatched.
func (c *community) tell(kind ideas.EventKind, columns string, values ...any) {
	c.t.Helper()
	parts := make([]string, len(values))
	for i, v := range values {
		parts[i] = fmt.Sprint(v)
	}
	c.db.Exec(c.t, fmt.Sprintf("INSERT INTO ideas.event (kind, %s) VALUES ('%s', %s)", columns, kind, strings.Join(parts, ", ")))
	for c.db.QueryInt(c.t, "SELECT count(*) FROM ideas.event WHERE NOT dispatched") > 0 {
		if _, err := c.store.DispatchEvents(c.t.Context()); err != nil {
			c.t.Fatal(err)
		}
	}
}

// The bell counts, the list leads to what happened and marks it as read, page by page.
func TestNotificationCentre(t *testing.T) {
	c := openHouse(t, control.House{})
	b, m := c.signedIn("ada")
	if text := b.get("/notices").is(http.StatusOK).body; !strings.Contains(text, "All quiet") {
		t.Error("an empty list says nothing")
	}
	idea := c.idea(m, "A <b>lamp</b>", "Light")
	c.tell(ideas.EventIdeaState, "idea_id, data", idea.ID, `'{"to": "planned", "reason": "We <i>love</i> it"}'`)
	for range 26 {
		c.tell(ideas.EventIdeaAnswered, "idea_id", idea.ID)
	}
	first := b.get("/notices").is(http.StatusOK)
	if got := text(first.class("bell-count")[0]); got != "27" {
		t.Errorf("the bell shows %q", got)
	}
	if n := len(first.class("notice-unread")); n != 25 {
		t.Errorf("%d notices on a page", n)
	}
	more := ""
	for _, a := range first.tags("a") {
		if strings.Contains(attr(a, "href"), "?before=") {
			more = attr(a, "href")
		}
	}
	second := b.get(more).is(http.StatusOK)
	if !strings.Contains(second.body, "“A &lt;b&gt;lamp&lt;/b&gt;” is planned") || !strings.Contains(second.body, "We &lt;i&gt;love&lt;/i&gt; it") {
		t.Errorf("the change of state reads wrong:\n%.3000s", second.body)
	}
	var open string
	for _, a := range second.tags("a") {
		if strings.HasPrefix(attr(a, "href"), "/notices/") {
			open = attr(a, "href")
		}
	}
	b.get(open).leadsTo(fmt.Sprintf("/ideas/%d-%s", idea.ID, idea.Slug))
	if got := text(b.get("/").class("bell-count")[0]); got != "26" {
		t.Errorf("after opening one the bell shows %q", got)
	}
	b.get("/notices/1?to=//evil.example").leadsTo("/")
	other, _ := c.signedIn("bob")
	other.post("/notices/read", url.Values{"upTo": {"1000"}}).leadsTo("/notices")
	if got := text(b.get("/").class("bell-count")[0]); got != "26" {
		t.Errorf("somebody else has read Ada's: %q", got)
	}
	b.post("/notices/read", url.Values{"upTo": {"1000"}}).leadsTo("/notices")
	if len(b.get("/").class("bell-count")) != 0 {
		t.Error("the bell counts what was read")
	}
	c.visitor().get("/notices").leadsTo("/sign-in?returnTo=%2Fnotices")
}

// Members choose what they are told of; links in mails stop mails without signing in, by one press.
func TestNoticeSettingsAndUnsubscribe(t *testing.T) {
	c := openHouse(t, control.House{})
	b, m := c.signedIn("ada")
	form := url.Values{"digest": {"weekly"}, "timeZone": {"Mars/Base"}, "listed.status": {"true"}, "mail.status": {"off"}, "mail.mention": {"digest"}}
	b.post("/account/notices", form).is(http.StatusUnprocessableEntity)
	form.Set("timeZone", "America/Montreal")
	b.post("/account/notices", form).leadsTo("/account/notices")
	s, err := c.store.NoticeSettings(t.Context(), m.ID)
	if err != nil || s.Digest != ideas.DigestWeekly || s.TimeZone != "America/Montreal" {
		t.Errorf("kept %+v, error %v", s, err)
	}
	for _, p := range s.Preferences {
		if want := p.Kind == ideas.NoticeStatus || p.Kind == ideas.NoticeAccount; p.Listed != want {
			t.Errorf("%s listed: %v, want %v", p.Kind, p.Listed, want)
		}
	}
	form.Set("mail.status", "surprise")
	b.post("/account/notices", form).is(http.StatusUnprocessableEntity)

	token, err := c.store.UnsubscribeToken(t.Context(), m.ID, ideas.NoticeMention)
	if err != nil {
		t.Fatal(err)
	}
	stopped := func() int64 {
		return c.db.QueryInt(t, "SELECT count(*) FROM ideas.preference WHERE kind = 'mention' AND mail = 'off'")
	}
	reader := c.visitor()
	reader.get("/unsubscribe?token=" + token).is(http.StatusOK)
	if stopped() != 0 {
		t.Error("looking at the link has unsubscribed")
	}
	reader.post("/unsubscribe?token="+strings.ToUpper(token), nil).is(http.StatusGone)
	// Mail programs are no browsers: they send no cookies and no Sec-Fetch-Site.
	program := c.visitor()
	program.header = http.Header{}
	program.post("/unsubscribe?token="+token, url.Values{"List-Unsubscribe": {"One-Click"}}).is(http.StatusOK)
	if stopped() != 1 {
		t.Error("one click has not unsubscribed")
	}
}

// The page of a member shows what they want to show; what they say of themselves is theirs alone.
func TestMemberPages(t *testing.T) {
	c := openHouse(t, control.House{
		Roles: map[string][]string{"host": {"ada@members.example"}},
		Attributes: []control.Attribute{{
			Name: "region", Label: map[string]string{"en": "Region"}, Consent: map[string]string{"en": "For statistics"},
			Options: []control.Option{{Name: "north", Label: map[string]string{"en": "North"}}},
		}},
	})
	b, ada := c.signedIn("ada")
	idea := c.idea(ada, "A lamp", "Light")
	stranger, bob := c.signedIn("bob")
	path := fmt.Sprintf("/members/%d-ada", ada.ID)
	if a := stranger.get(fmt.Sprintf("/members/%d-other", ada.ID)).is(http.StatusMovedPermanently); a.header.Get("Location") != path {
		t.Errorf("leads to %s", a.header.Get("Location"))
	}
	page := stranger.get(path).is(http.StatusOK)
	for _, text := range []string{"A lamp", "Host", "Follow", "[@ada](/members/"} {
		if !strings.Contains(page.body, text) {
			t.Errorf("the page lacks %q", text)
		}
	}
	if strings.Contains(page.body, "ada@") || !strings.Contains(page.body, `content="noindex"`) {
		t.Error("the page tells the address, or lets robots list it")
	}
	action := fmt.Sprintf("/follow/member/%d", ada.ID)
	stranger.post(action, url.Values{"follow": {"true"}, "back": {path}}).leadsTo(path)
	if got, err := c.store.Follows(t.Context(), bob.ID, ideas.FollowMember, ada.ID); err != nil || !got {
		t.Errorf("follows: %v, %v", got, err)
	}
	c.visitor().post(action, url.Values{"follow": {"true"}, "back": {path}}).leadsTo("/sign-in?" + url.Values{"returnTo": {path}}.Encode())
	b.post(action, url.Values{"follow": {"true"}}).is(http.StatusUnprocessableEntity)
	if text := stranger.get(fmt.Sprintf("/ideas/%d-%s", idea.ID, idea.Slug)).is(http.StatusOK).body; !strings.Contains(text, `href="`+path+`"`) || !strings.Contains(text, ">Host<") {
		t.Error("the idea does not name its author's page and role")
	}
	b.post("/profile", url.Values{"name": {"ada"}, "asked": {"true"}, "language": {"fr"}}).leadsTo("/profile")
	if strings.Contains(stranger.get(path).body, "A lamp") {
		t.Error("the ideas are shown against the member's wish")
	}
	if got := c.db.QueryText(t, fmt.Sprintf("SELECT locale FROM ideas.member WHERE id = %d", ada.ID)); got != "fr" {
		t.Errorf("the language of mails is %q", got)
	}
	b.post("/profile/attributes/region", url.Values{"attribute.region": {"east"}}).is(http.StatusUnprocessableEntity)
	b.post("/profile/attributes/region", url.Values{"attribute.region": {"north"}}).leadsTo("/profile#about")
	if n := c.db.QueryInt(t, "SELECT count(*) FROM ideas.attribute"); n != 1 {
		t.Errorf("%d attributes kept", n)
	}
	if strings.Contains(stranger.get(path).body, "North") {
		t.Error("others see what the member says of themselves")
	}
	b.post("/profile/attributes/region", url.Values{"withdraw": {"true"}}).leadsTo("/profile#about")
	if n := c.db.QueryInt(t, "SELECT count(*) FROM ideas.attribute"); n != 0 {
		t.Errorf("%d attributes left", n)
	}
	for _, path := range []string{"/members/4711-x", "/members/x", "/members/-1"} {
		stranger.get(path).is(http.StatusNotFound)
	}
}

// Taking or ending what is one's own needs a fresh sign-in; the link of the mail alone erases, and only by a press.
func TestPersonalDataPages(t *testing.T) {
	c := openHouse(t, control.House{})
	b, m := c.signedIn("ada")
	b.post("/account/data/export", nil).leadsTo("/account/data")
	c.db.Exec(t, `UPDATE ideas.personal_export SET ready_at = now(), content = '\x504b0506'`)
	page := b.get("/account/data").is(http.StatusOK)
	download := ""
	for _, a := range page.tags("a") {
		if has(a, "download") {
			download = attr(a, "href")
		}
	}
	if a := b.get(download).is(http.StatusOK); a.header.Get("Content-Disposition") != `attachment; filename="my-data.zip"` || a.header.Get("Cache-Control") != "no-store" {
		t.Errorf("headers %v", a.header)
	}
	other, _ := c.signedIn("bob")
	other.get(download).is(http.StatusNotFound)
	c.db.Exec(t, "UPDATE ideas.session SET created_at = now() - interval '16 minutes'")
	b.get(download).leadsTo("/sign-in?again=true&returnTo=%2Faccount%2Fdata")
	b.get("/sign-in?again=true&returnTo=%2Faccount%2Fdata").is(http.StatusOK)
	b.post("/account/erasure", url.Values{"contributions": {"keep"}}).leadsTo("/sign-in?again=true&returnTo=%2Faccount%2Fdata")
	c.db.Exec(t, "UPDATE ideas.session SET created_at = now()")
	b.post("/account/erasure", url.Values{"contributions": {"surprise"}}).is(http.StatusUnprocessableEntity)
	b.post("/account/erasure", url.Values{"contributions": {"keep"}}).leadsTo("/account/data")
	_, token, err := c.store.ErasureRecipient(t.Context(), c.db.QueryInt(t, "SELECT id FROM ideas.erasure"))
	if err != nil {
		t.Fatal(err)
	}
	b.get("/account/erasure/confirmation?token=" + token).is(http.StatusOK)
	b.with("Sec-Fetch-Site", "cross-site").post("/account/erasure/confirmation", url.Values{"token": {token}}).is(http.StatusForbidden)
	b.get("/profile").is(http.StatusOK)
	done := b.post("/account/erasure/confirmation", url.Values{"token": {token}}).is(http.StatusOK)
	if done.heading() != "Everything is erased" {
		t.Errorf("said %q", done.heading())
	}
	b.get("/profile").leadsTo("/sign-in?returnTo=%2Fprofile")
	if n := c.db.QueryInt(t, fmt.Sprintf("SELECT count(*) FROM ideas.member WHERE id = %d AND email IS NULL", m.ID)); n != 1 {
		t.Error("the address is still there")
	}
}

// The team finds and restrains members; addresses are for the lead alone, and the team's own for the lead to judge.
func TestTeamMembers(t *testing.T) {
	c := openHouse(t, control.House{Roles: map[string][]string{
		"lead": {"lead@members.example"}, "moderator": {"mod@members.example"}, "follow-up": {"fran@members.example"},
	}})
	lead, leadMember := c.signedIn("lead")
	mod, _ := c.signedIn("mod")
	fran, _ := c.signedIn("fran")
	loud, loudMember := c.signedIn("loud")
	loud.get("/team/members").is(http.StatusNotFound)
	path := fmt.Sprintf("/team/members/%d", loudMember.ID)
	for name, tc := range map[string]struct {
		b     *browser
		sees  bool
		judge bool
	}{"lead": {lead, true, true}, "moderator": {mod, false, true}, "follow-up": {fran, false, false}} {
		list, one := tc.b.get("/team/members").is(http.StatusOK).body, tc.b.get(path).is(http.StatusOK).body
		found := tc.b.get("/team/members?name=" + url.QueryEscape("loud@members.example")).is(http.StatusOK).body
		if sees := strings.Contains(list+one+strings.ReplaceAll(found, `value="loud@members.example"`, ""), "loud@members"); sees != tc.sees {
			t.Errorf("%s sees addresses: %v", name, sees)
		}
		if finds := strings.Contains(found, path+`"`); finds != tc.sees {
			t.Errorf("%s finds by address: %v", name, finds)
		}
		if judge := strings.Contains(one, "/sanction\""); judge != tc.judge {
			t.Errorf("%s may judge: %v", name, judge)
		}
	}
	fran.post(path+"/sanction", url.Values{"kind": {"block"}, "reason": {"x"}, "days": {"0"}}).is(http.StatusNotFound)
	mod.post(path+"/sanction", url.Values{"kind": {"mute"}, "reason": {" "}, "days": {"7"}}).is(http.StatusUnprocessableEntity)
	mod.post(path+"/sanction", url.Values{"kind": {"mute"}, "reason": {"Too loud"}, "days": {"12345"}}).is(http.StatusBadRequest)
	mod.post(path+"/sanction", url.Values{"kind": {"mute"}, "reason": {"Too loud"}, "days": {"7"}}).leadsTo(path)
	mod.post(fmt.Sprintf("/team/members/%d/sanction", leadMember.ID), url.Values{"kind": {"block"}, "reason": {"x"}, "days": {"0"}}).is(http.StatusForbidden)
	lead.post(fmt.Sprintf("/team/members/%d/sanction", leadMember.ID), url.Values{"kind": {"block"}, "reason": {"x"}, "days": {"0"}}).is(http.StatusForbidden)
	if text := mod.get("/team/members?restricted=true").body; !strings.Contains(text, ">loud<") || strings.Contains(text, ">fran<") {
		t.Error("the restricted are not those that are listed")
	}
	id := c.db.QueryInt(t, "SELECT id FROM ideas.sanction")
	loud.post(fmt.Sprintf("/account/standing/%d/appeal", id), url.Values{"appeal": {"Sorry"}}).leadsTo("/account/standing")
	if text := mod.get("/team/appeals").is(http.StatusOK).body; !strings.Contains(text, "Sorry") {
		t.Error("the appeal is not listed")
	}
	mod.post(fmt.Sprintf("/team/appeals/%d", id), url.Values{"answer": {" "}, "lift": {"true"}}).is(http.StatusUnprocessableEntity)
	mod.post(fmt.Sprintf("/team/appeals/%d", id), url.Values{"answer": {"Welcome back"}, "lift": {"true"}}).leadsTo("/team/appeals")
	loud.post("/ideas", url.Values{"title": {"x"}, "body": {"y"}}).is(http.StatusSeeOther)
	lead.get("/team/erasures").is(http.StatusOK)
	mod.get("/team/erasures").is(http.StatusNotFound)
}
