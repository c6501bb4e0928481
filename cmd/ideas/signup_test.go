package main

import (
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/quaeso/community-operator/internal/control"
	"github.com/quaeso/community-operator/internal/testutil"
)

// person is somebody with a browser, and an account at the issuer.
type person struct {
	t       *testing.T
	service *process
	issuer  *testutil.OIDCIssuer
	user    map[string]any
	browser *http.Client
}

func newPerson(t *testing.T, p *process, issuer *testutil.OIDCIssuer, email string, verified bool) *person {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	user := map[string]any{"sub": "sub of " + email, "email": email, "email_verified": verified, "name": "Somebody", "locale": "en"}
	return &person{t, p, issuer, user, &http.Client{Jar: jar}}
}

// open follows a path to where it ends.
func (p *person) open(path string) (status int, at, body string) {
	p.t.Helper()
	return p.end(p.browser.Get("http://" + p.service.pages + path))
}

func (p *person) send(path string, form url.Values) (status int, at, body string) {
	p.t.Helper()
	return p.end(p.browser.PostForm("http://"+p.service.pages+path, form))
}

func (p *person) end(response *http.Response, err error) (int, string, string) {
	p.t.Helper()
	if err != nil {
		p.t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		p.t.Fatal(err)
	}
	return response.StatusCode, response.Request.URL.Path, string(body)
}

// signIn goes through the issuer, and tells whether there is a session afterwards, and where the way ends.
func (p *person) signIn() (in bool, at string) {
	p.t.Helper()
	p.issuer.Set(func(i *testutil.OIDCIssuer) { i.User = p.user })
	_, at, _ = p.open("/sign-in/oidc?returnTo=/ideas/new")
	_, profile, _ := p.open("/account/standing")
	return !strings.HasPrefix(profile, "/sign-in"), at
}

var invitationToken = regexp.MustCompile(`/invitation\?token=([\w-]+)`)

// Whom the sign-up policy keeps out comes in by no issuer either; who is a member stays one whatever the policy is by now.
func TestSignUpPoliciesHoldForAnIssuer(t *testing.T) {
	issuer := testutil.StartOIDC(t)
	db := testutil.Postgres(t).Database(t)
	p := start(t, "--allow-private-issuers", "--credentials-dir="+credentialFiles(t, map[string]string{
		control.FileDatabaseURI: db.URI(), control.FileControlToken: testToken,
		control.FileOIDCClientID: issuer.ClientID, control.FileOIDCClientSecret: issuer.ClientSecret,
	}))
	operator := control.NewClient("")
	generation := int64(0)
	declare := func(signUp control.SignUp) {
		t.Helper()
		generation++
		d := declarationFor(p, generation, "#0b6e4f")
		d.Settings.OIDC = &control.OIDC{IssuerURL: issuer.URL, Label: map[string]string{"en": "Continue", "fr": "Continuer"}}
		d.Settings.House = &control.House{SignUp: signUp, Roles: map[string][]string{"lead": {"lead@brand.example"}}}
		eventually(t, time.Minute, "the declaration", func() bool {
			answer, err := operator.Declare(t.Context(), p.control, testToken, d)
			if len(answer.Refusals) > 0 {
				t.Fatalf("refused: %v", answer.Refusals)
			}
			return err == nil && answer.InForce.Generation == generation
		})
	}
	someone := func(email string, verified bool) *person { return newPerson(t, p, issuer, email, verified) }
	early, lead := someone("early@elsewhere.example", true), someone("lead@brand.example", true)
	expect := func(what string, who *person, want bool) {
		t.Helper()
		if in, at := who.signIn(); in != want {
			t.Errorf("%s: signed in %v, want %v; the way ended at %s", what, in, want, at)
		}
	}

	declare(control.SignUp{})
	expect("a newcomer of an open community", early, true)

	declare(control.SignUp{Policy: control.SignUpDomains, Domains: []string{"brand.example"}})
	expect("an address of the domain", someone("claire@brand.example", true), true)
	expect("an address of another domain", someone("claire@brand.example.evil.example", true), false)
	expect("an address of the domain that nobody has verified", someone("paul@brand.example", false), false)
	expect("a member of another domain", someone("early@elsewhere.example", true), true)

	declare(control.SignUp{Policy: control.SignUpInvitation})
	expect("a newcomer without an invitation", someone("new@brand.example", true), false)
	expect("somebody whom the house rules name", lead, true)
	expect("a member from before", someone("claire@brand.example", true), true)
	_, _, page := lead.send("/invitations", url.Values{"note": {"For Bob"}})
	found := invitationToken.FindStringSubmatch(page)
	if found == nil {
		t.Fatalf("no invitation was made: %.500s", page)
	}
	for i, want := range []bool{true, false} { // it lets one person join
		guest := someone(fmt.Sprintf("guest%d@elsewhere.example", i), true)
		guest.open("/invitation?token=" + found[1])
		guest.send("/invitation", url.Values{"token": {found[1]}})
		expect(fmt.Sprintf("guest %d with an invitation", i+1), guest, want)
	}

	declare(control.SignUp{MinimumAge: 13, GuardianBelow: 16})
	year := time.Now().Year()
	for name, tc := range map[string]struct {
		born   int
		joined bool
		writes bool
	}{
		"a child": {year - 9, false, false}, "a minor": {year - 14, true, false}, "an adult": {year - 30, true, true},
	} {
		who := someone(strings.ReplaceAll(name, " ", ".")+"@elsewhere.example", true)
		if in, at := who.signIn(); !in || at != "/join" {
			t.Errorf("%s: signed in %v, led to %s; want to be asked for the age", name, in, at)
		}
		form := url.Values{"born": {fmt.Sprintf("%d-01-01", tc.born)}, "guardian": {"parent@elsewhere.example"}, "name": {"Somebody"}, "returnTo": {"/ideas/new"}}
		if _, at, body := who.send("/join", form); (at != "/join") != tc.joined {
			t.Errorf("%s joins and is led to %s: %.300s", name, at, body)
		}
		_, at, _ := who.send("/ideas", url.Values{"title": {"A lamp of " + name}, "body": {"Text"}})
		if wrote := db.QueryInt(t, "SELECT count(*) FROM ideas.idea WHERE title = 'A lamp of "+name+"'") == 1; wrote != tc.writes {
			t.Errorf("%s has submitted an idea: %v, want %v; led to %s", name, wrote, tc.writes, at)
		}
	}
}
