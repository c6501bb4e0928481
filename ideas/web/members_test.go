package web_test

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/quaeso/community-operator/ideas"
	"github.com/quaeso/community-operator/internal/control"
)

// openHouse starts pages that follow house rules as they are declared.
func openHouse(t testing.TB, house control.House) *community {
	t.Helper()
	c := open(t, func(c *community) { c.config.Settings = c.store })
	c.house(1, house)
	return c
}

// house puts house rules in force.
func (c *community) house(generation int64, house control.House) {
	c.t.Helper()
	s := brandSettings()
	_, _, err := c.store.Declare(c.t.Context(), control.Declaration{UID: "community", Generation: generation, Settings: control.Settings{
		BaseURL: s.BaseURL, Hostnames: s.Hostnames, Brand: control.Brand{Name: s.Name, TagLine: s.TagLine}, Locales: s.Locales, TimeZone: s.TimeZone, House: &house,
	}})
	if err != nil {
		c.t.Fatal(err)
	}
}

func terms(name, kind, text string) control.Terms {
	return control.Terms{Name: name, Kind: kind, Version: "1", Text: map[string]string{"en": text, "fr": "Français : " + text}}
}

// Somebody new answers what the house asks for, then goes on to where they were.
func TestJoinPage(t *testing.T) {
	c := openHouse(t, control.House{
		SignUp: control.SignUp{MinimumAge: 13, GuardianBelow: 15},
		Terms:  []control.Terms{terms("community", "participation", "Be **kind**")},
		Attributes: []control.Attribute{{
			Name: "region", Required: true, Label: map[string]string{"en": "Region", "fr": "Région"}, Consent: map[string]string{"en": "For statistics", "fr": "Pour nos statistiques"},
			Options: []control.Option{{Name: "north", Label: map[string]string{"en": "North", "fr": "Nord"}}},
		}},
	})
	b, _ := c.signedIn("ada")
	b.get("/ideas/new").leadsTo("/join?returnTo=%2Fideas%2Fnew")
	b.post("/ideas", url.Values{"title": {"x"}, "body": {"y"}}).leadsTo("/join?returnTo=%2F")
	page := b.get("/join?returnTo=%2Fideas%2Fnew").is(http.StatusOK)
	for _, text := range []string{"<strong>kind</strong>", "For statistics", "North", `type="date"`, "younger than 15"} {
		if !strings.Contains(page.body, text) {
			t.Errorf("the page lacks %q", text)
		}
	}
	wrong := b.post("/join", url.Values{"returnTo": {"/ideas/new"}, "born": {"1990-01-02"}}).is(http.StatusUnprocessableEntity)
	if value(wrong.id("born")) != "1990-01-02" || len(wrong.class("field-error")) != 2 {
		t.Errorf("%d errors, and the birth date is %q", len(wrong.class("field-error")), value(wrong.id("born")))
	}
	hash := ideas.NewTermsVersion(terms("community", "participation", "Be **kind**")).Hash
	form := url.Values{"returnTo": {"/ideas/new"}, "born": {"1990-01-02"}, "attribute.region": {"north"}, "accept": {hash}}
	b.post("/join", form).leadsTo("/ideas/new")
	b.get("/ideas/new").is(http.StatusOK)
	b.get("/join?returnTo=//evil.example").leadsTo("/")

	// The certificate holds the text, and its hash is that of what follows the line.
	list := b.get("/account/terms").is(http.StatusOK)
	var certificate string
	for _, a := range list.tags("a") {
		if strings.HasSuffix(attr(a, "href"), "/certificate") {
			certificate = attr(a, "href")
		}
	}
	file := b.get(certificate).is(http.StatusOK)
	_, text, _ := strings.Cut(file.body, strings.Repeat("-", 64)+"\n\n")
	sum := sha256.Sum256([]byte(text))
	if !strings.Contains(file.body, hex.EncodeToString(sum[:])) || !strings.Contains(text, "Be **kind**") {
		t.Errorf("the certificate's hash is not that of its text:\n%s", file.body)
	}
	other, _ := c.signedIn("bob")
	other.get(certificate).is(http.StatusNotFound)

	kinder := terms("community", "participation", "Be kinder")
	kinder.Version = "2"
	c.house(2, control.House{Terms: []control.Terms{kinder}})
	if text := b.get("/join?returnTo=%2F").is(http.StatusOK).heading(); text != "Something is new" {
		t.Errorf("a new version is asked for under %q", text)
	}
	young, _ := c.signedIn("kid")
	c.house(3, control.House{SignUp: control.SignUp{MinimumAge: 13}})
	refused := young.post("/join", url.Values{"born": {time.Now().AddDate(-10, 0, 0).Format(time.DateOnly)}}).is(http.StatusForbidden)
	if refused.heading() != "Not yet" || young.cookies["__Host-session"] != "" {
		t.Errorf("too young: %q, session %q", refused.heading(), young.cookies["__Host-session"])
	}
}

// A closed community shows strangers, and robots, nothing but the way in.
func TestClosedCommunity(t *testing.T) {
	c := openHouse(t, control.House{SignUp: control.SignUp{Closed: true}, Terms: []control.Terms{terms("community", "participation", "Be kind")}})
	author, m := c.signedIn("ada")
	author.post("/join", url.Values{"accept": {ideas.NewTermsVersion(terms("community", "participation", "Be kind")).Hash}}).leadsTo("/")
	idea := c.idea(m, "A secret lamp", "Do not tell")
	stranger := c.visitor()
	for path, want := range map[string]string{
		"/": "/sign-in?returnTo=%2F", "/ideas": "/sign-in?returnTo=%2Fideas", fmt.Sprintf("/ideas/%d-x", idea.ID): fmt.Sprintf("/sign-in?returnTo=%%2Fideas%%2F%d-x", idea.ID),
		"/nowhere": "/sign-in?returnTo=%2Fnowhere", "/members/1": "/sign-in?returnTo=%2Fmembers%2F1",
	} {
		stranger.get(path).leadsTo(want)
	}
	stranger.post("/ideas", url.Values{"title": {"x"}}).leadsTo("/sign-in?returnTo=%2F")
	stranger.get("/terms").is(http.StatusOK)
	if a := stranger.get("/sign-in").is(http.StatusOK); a.header.Get("X-Robots-Tag") == "" {
		t.Error("robots may list the pages of a closed community")
	}
	if robots := stranger.get("/robots.txt").body; !strings.Contains(robots, "Disallow: /\n") {
		t.Errorf("robots.txt: %q", robots)
	}
	author.get(fmt.Sprintf("/ideas/%d-%s", idea.ID, idea.Slug)).is(http.StatusOK)
}

// An invitation leads from the link to the session; the page that shows it uses nothing up.
func TestInvitationPages(t *testing.T) {
	c := openHouse(t, control.House{SignUp: control.SignUp{Policy: control.SignUpInvitation}, Roles: map[string][]string{"lead": {"ada@members.example"}}})
	host, _ := c.signedIn("ada")
	made := host.post("/invitations", url.Values{"note": {"For Bob"}}).is(http.StatusOK)
	address := value(made.id("link"))
	if !strings.HasPrefix(address, "https://"+host.host+"/invitation?token=") {
		t.Fatalf("the link is %q", address)
	}
	path := strings.TrimPrefix(address, "https://"+host.host)
	stranger := c.visitor()
	for range 2 {
		if text := stranger.get(path).is(http.StatusOK).body; !strings.Contains(text, "ada invites you") {
			t.Error("the page does not say who invites")
		}
	}
	token := strings.TrimPrefix(path, "/invitation?token=")
	stranger.post("/invitation", url.Values{"token": {token}}).leadsTo("/sign-in")
	join := func(b *browser, address string) *answer {
		b.post("/sign-in", url.Values{"email": {address}}).leadsTo("/sign-in/sent")
		return b.post("/sign-in/link", url.Values{"token": {c.token()}})
	}
	join(stranger, "bob@any.example").is(http.StatusSeeOther)
	if stranger.cookies["__Host-session"] == "" || stranger.cookies["__Host-invitation"] != "" {
		t.Errorf("cookies after joining: %v", stranger.cookies)
	}
	stranger.get("/profile").is(http.StatusOK)
	c.visitor().get(path).is(http.StatusGone)
	if text := host.get("/invitations").is(http.StatusOK).body; !strings.Contains(text, "has joined") {
		t.Error("the host does not see who joined")
	}
	for _, forged := range []string{"", "x", strings.Repeat("A", 43), "../../x"} {
		c.visitor().get("/invitation?token=" + url.QueryEscape(forged)).is(http.StatusGone)
	}
}

// Whatever the policy, whoever asks for a link gets the same answer: what the address is stays between us and its owner.
func TestPoliciesDoNotTellWhoIsAMember(t *testing.T) {
	for _, policy := range []control.SignUp{{}, {Policy: "invitation"}, {Policy: "domains", Domains: []string{"school.example"}}, {Policy: "invitation", Closed: true}} {
		c := openHouse(t, control.House{})
		c.member("ada")
		c.house(2, control.House{SignUp: policy})
		var bodies []string
		for _, address := range []string{"ada@members.example", "stranger@any.example", "pupil@school.example"} {
			b := c.visitor()
			sent := b.post("/sign-in", url.Values{"email": {address}})
			sent.leadsTo("/sign-in/sent")
			bodies = append(bodies, strings.ReplaceAll(b.get("/sign-in/sent").is(http.StatusOK).body, address, ""))
		}
		if bodies[0] != bodies[1] || bodies[1] != bodies[2] {
			t.Errorf("policy %+v tells members from others", policy)
		}
		if n := c.db.QueryInt(t, "SELECT count(DISTINCT (locale, return_to, invitation)) FROM ideas.sign_in_mail"); n != 1 {
			t.Errorf("policy %+v queues different mails", policy)
		}
	}
}

// A blocked member sees why and until when, can appeal, and nothing else; a muted one reads.
func TestRestrictedMembers(t *testing.T) {
	c := openHouse(t, control.House{})
	lead, _ := c.member("lead")
	author, _ := c.member("author")
	idea := c.idea(author, "A lamp", "Light")
	path := fmt.Sprintf("/ideas/%d-%s", idea.ID, idea.Slug)
	b, loud := c.signedIn("loud")
	impose := func(kind ideas.SanctionKind, reason string) ideas.Sanction {
		s, err := c.store.Sanction(t.Context(), lead.ID, loud.ID, kind, reason, time.Now().Add(time.Hour))
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	mute := impose(ideas.SanctionMute, "Too <b>loud</b>")
	b.get(path).is(http.StatusOK)
	for _, answer := range []*answer{
		b.post(path+"/comments", url.Values{"body": {"x"}}), b.post(fmt.Sprintf("/ideas/%d/support", idea.ID), url.Values{"support": {"true"}}),
		b.post("/ideas", url.Values{"title": {"x"}, "body": {"y"}}),
	} {
		if answer.is(http.StatusForbidden); !strings.Contains(answer.body, "Too &lt;b&gt;loud&lt;/b&gt;") {
			t.Errorf("%s does not say why", answer.path)
		}
	}
	if err := c.store.LiftSanction(t.Context(), lead.ID, mute.ID); err != nil {
		t.Fatal(err)
	}
	block := impose(ideas.SanctionBlock, "Much too loud")
	for _, page := range []string{"/", "/ideas", path, "/profile", "/invitations", "/nowhere"} {
		if a := b.get(page).is(http.StatusForbidden); a.heading() != "You are blocked" || !strings.Contains(a.body, "Much too loud") || !strings.Contains(a.body, "until ") {
			t.Errorf("%s shows %q", page, a.heading())
		}
	}
	action := fmt.Sprintf("/account/standing/%d/appeal", block.ID)
	b.post(action, url.Values{"appeal": {" "}}).is(http.StatusUnprocessableEntity)
	b.post(action, url.Values{"appeal": {"I am sorry"}}).leadsTo("/account/standing")
	if text := b.get("/account/standing").body; !strings.Contains(text, "I am sorry") || !strings.Contains(text, "waits for an answer") {
		t.Error("the appeal is not shown")
	}
	stranger, _ := c.signedIn("stranger")
	stranger.post(action, url.Values{"appeal": {"Let them"}}).is(http.StatusNotFound)
	b.post("/sign-out", nil).leadsTo("/")
}

// The guardian's link alone answers, and opening it answers nothing.
func TestGuardianPages(t *testing.T) {
	c := openHouse(t, control.House{SignUp: control.SignUp{GuardianBelow: 15}, Terms: []control.Terms{terms("other", "licence", "x")}})
	b, kid := c.signedIn("kid")
	form := url.Values{"born": {time.Now().AddDate(-14, 0, 0).Format(time.DateOnly)}, "guardian": {"parent@home.example"}}
	b.post("/join", form).leadsTo("/")
	refused := b.post("/ideas", url.Values{"title": {"x"}, "body": {"y"}}).is(http.StatusForbidden)
	if !strings.Contains(refused.body, "consent of a parent") {
		t.Error("the minor is not told what is missing")
	}
	_, _, _, token, err := c.store.GuardianRecipient(t.Context(), kid.ID)
	if err != nil {
		t.Fatal(err)
	}
	parent := c.visitor()
	if text := parent.get("/guardian?token=" + token).is(http.StatusOK).body; !strings.Contains(text, "kid would like") {
		t.Error("the page does not name the minor")
	}
	b.post("/ideas", url.Values{"title": {"x"}, "body": {"y"}}).is(http.StatusForbidden)
	parent.post("/guardian", url.Values{"token": {token}, "answer": {"surprise"}}).is(http.StatusBadRequest)
	parent.post("/guardian", url.Values{"token": {token[:42]}, "answer": {"given"}}).is(http.StatusGone)
	evil := parent.with("Sec-Fetch-Site", "cross-site").with("Origin", "https://evil.example")
	evil.post("/guardian", url.Values{"token": {token}, "answer": {"given"}}).is(http.StatusForbidden)
	parent.post("/guardian", url.Values{"token": {token}, "answer": {"given"}}).is(http.StatusOK)
	b.post("/ideas", url.Values{"title": {"x"}, "body": {"y"}}).is(http.StatusSeeOther)
	parent.post("/guardian", url.Values{"token": {token}, "answer": {"refused"}}).is(http.StatusOK)
	b.post("/ideas", url.Values{"title": {"x"}, "body": {"y"}}).is(http.StatusForbidden)
	b.post("/account/guardian", url.Values{"guardian": {"kid@members.example"}}).is(http.StatusUnprocessableEntity)
	b.post("/account/guardian", url.Values{"guardian": {"other@home.example"}}).leadsTo("/account/standing")
	parent.get("/guardian?token=" + token).is(http.StatusGone)
}
