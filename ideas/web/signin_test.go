package web_test

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/html"

	"github.com/quaeso/community-operator/ideas"
	"github.com/quaeso/community-operator/ideas/web"
)

func named(name string) func(*html.Node) bool {
	return func(n *html.Node) bool { return attr(n, "name") == name && n.Data != "meta" }
}

func TestSignInByMail(t *testing.T) {
	c := open(t)
	b := c.visitor()
	a := b.get("/sign-in?returnTo=/ideas/new").is(http.StatusOK)
	if got := text(a.class("lead")[0]); got != "Sign in to share your idea. You come straight back." {
		t.Errorf("the page says %q", got)
	}
	if got := value(a.all(named("returnTo"))[0]); got != "/ideas/new" {
		t.Errorf("the form returns to %q", got)
	}
	b.post("/sign-in", url.Values{"email": {"ada@members.example"}, "returnTo": {"/ideas/new"}}).leadsTo("/sign-in/sent")
	if got := text(b.get("/sign-in/sent").class("lead")[0]); !strings.Contains(got, "ada@members.example") || !strings.Contains(got, "20 minutes") {
		t.Errorf("the page says %q", got)
	}
	token := c.token()
	link := web.LinkPath + "?token=" + token
	// Whatever looks at links in mails must not use them up.
	for range 3 {
		if a := b.get(link).is(http.StatusOK); a.header.Get("Referrer-Policy") != "strict-origin" || a.header.Get("Cache-Control") != "no-store" {
			t.Errorf("the token may leave the page: %v", a.header)
		}
	}
	a = b.post(web.LinkPath, url.Values{"token": {token}})
	a.leadsTo("/profile?returnTo=%2Fideas%2Fnew&welcome=true")
	if got := value(b.get(a.header.Get("Location")).is(http.StatusOK).id("name")); got != "" {
		t.Errorf("a newcomer's name is given as %q", got)
	}
	b.get("/ideas/new").is(http.StatusOK)
	again := c.visitor().post(web.LinkPath, url.Values{"token": {token}}).is(http.StatusGone)
	if got := again.heading(); got != "This link no longer works" {
		t.Errorf("a used link says %q", got)
	}
	for _, wrong := range []string{"", "x", strings.Repeat("x", 10_000)} {
		c.visitor().post(web.LinkPath, url.Values{"token": {wrong}}).is(http.StatusGone)
	}
	if strings.Contains(c.log.String(), token) {
		t.Error("the log holds a sign-in link's token")
	}
	b.get("/sign-in?returnTo=/ideas").leadsTo("/ideas")
}

func TestMemberComesStraightBack(t *testing.T) {
	c := open(t)
	m, _ := c.member("Ada")
	c.db.Exec(t, "UPDATE ideas.member SET created_at = now() - interval '1 day'")
	b := c.visitor()
	b.post("/sign-in", url.Values{"email": {m.Email}, "returnTo": {"/ideas?order=top"}}).is(http.StatusSeeOther)
	b.post(web.LinkPath, url.Values{"token": {c.token()}}).leadsTo("/ideas?order=top")
	if got := text(b.get("/ideas?order=top").id("notice")); !strings.Contains(got, "you are signed in") {
		t.Errorf("the page says %q", got)
	}
}

// A new session takes the place of the one before, which ends: nobody can have planted or kept it.
func TestSigningInAgainReplacesTheSession(t *testing.T) {
	c := open(t)
	b, m := c.signedIn("Ada")
	before := b.cookies["__Host-session"]
	b.post("/sign-in", url.Values{"email": {m.Email}}).is(http.StatusSeeOther)
	b.post(web.LinkPath, url.Values{"token": {c.token()}}).is(http.StatusSeeOther)
	if after := b.cookies["__Host-session"]; after == "" || after == before {
		t.Error("the session did not change")
	}
	if _, err := c.store.Authenticate(t.Context(), before); !errors.Is(err, ideas.ErrNotFound) {
		t.Errorf("the session before goes on: %v", err)
	}
}

func TestSignInDoesNotTellWhoIsAMember(t *testing.T) {
	c := open(t)
	m, _ := c.member("Ada")
	answers := map[string]string{}
	for _, email := range []string{m.Email, "nobody@members.example"} {
		b := c.visitor()
		a := b.post("/sign-in", url.Values{"email": {email}}).is(http.StatusSeeOther)
		sent := b.get(a.header.Get("Location")).is(http.StatusOK)
		var cookies []string
		for _, cookie := range a.cookies {
			cookies = append(cookies, cookie.Name)
		}
		a.header.Del("Set-Cookie")
		answers[email] = strings.ReplaceAll(sent.body, email, "…") + strings.Join(cookies, " ")
		for name, values := range a.header {
			answers[email] += name + strings.Join(values, " ")
		}
	}
	if len(answers[m.Email]) == 0 || len(answers[m.Email]) != len(answers["nobody@members.example"]) {
		t.Error("the answers differ")
	}
}

func TestSignInKeepsAWrongAddress(t *testing.T) {
	c := open(t)
	for email, want := range map[string]string{
		"":                   "Please fill this in.",
		"ada":                "This does not look like a mail address. It should read like name@example.com.",
		"<script>@x.example": "This does not look like a mail address. It should read like name@example.com.",
		"a@" + strings.Repeat("a.", 130) + "example": "This is too long: at most 254 characters.",
	} {
		a := c.visitor().post("/sign-in", url.Values{"email": {email}, "returnTo": {"/ideas"}}).is(http.StatusUnprocessableEntity)
		if value(a.id("email")) != email || text(a.id("email-error")) != want {
			t.Errorf("%.40q: the field holds %.40q and says %q", email, value(a.id("email")), text(a.id("email-error")))
		}
		if got := value(a.all(named("returnTo"))[0]); got != "/ideas" {
			t.Errorf("the way back is lost: %q", got)
		}
		accessible(t, a)
	}
}

func TestAskingTooOftenIsRefusedKindly(t *testing.T) {
	c := open(t)
	form := url.Values{"email": {"ada@members.example"}}
	for i := range 20 {
		a := c.visitor().post("/sign-in", form)
		if a.status == http.StatusSeeOther && i < 10 {
			continue
		}
		a.is(http.StatusTooManyRequests)
		if a.header.Get("Retry-After") == "" || !strings.Contains(text(a.class("alert")[0]), "wait a few minutes") {
			t.Errorf("the page says %q", text(a.class("alert")[0]))
		}
		if got := value(a.id("email")); got != "ada@members.example" {
			t.Errorf("the address is lost: %q", got)
		}
		return
	}
	t.Error("nothing limits how often links are asked for")
}

func TestSignInSaysWhenMailIsOff(t *testing.T) {
	c := open(t, func(c *community) { c.mail = false })
	a := c.visitor().get("/sign-in").is(http.StatusOK)
	if got := text(a.class("alert")[0]); !strings.HasPrefix(got, "Sign-in by mail is off") {
		t.Errorf("the page says %q", got)
	}
	if len(a.all(named("email"))) != 0 {
		t.Error("the page asks for an address that it cannot use")
	}
	a = c.visitor().post("/sign-in", url.Values{"email": {"ada@members.example"}}).is(http.StatusServiceUnavailable)
	if got := text(a.class("alert")[0]); !strings.HasPrefix(got, "Sign-in by mail is off") {
		t.Errorf("the answer says %q", got)
	}
}

func TestWhereSignInReturnsTo(t *testing.T) {
	c := open(t)
	for _, returnTo := range []string{
		"//evil.example", `/\evil.example`, "https://evil.example", "javascript:alert(1)", "/\t/evil.example", "\n//evil.example",
		"/sign-out", "/sign-in/link?token=x", "evil.example", "/" + strings.Repeat("a", 600), "///evil.example", "/%09/evil\x00",
	} {
		a := c.visitor().get("/sign-in?" + url.Values{"returnTo": {returnTo}}.Encode()).is(http.StatusOK)
		if got := value(a.all(named("returnTo"))[0]); got != "/" {
			t.Errorf("%q returns to %q", returnTo, got)
		}
		b, _ := c.signedIn("Ada")
		b.get("/sign-in?" + url.Values{"returnTo": {returnTo}}.Encode()).leadsTo("/")
		a = b.post("/ideas/1/support", url.Values{"back": {returnTo}, "support": {"true"}})
		if got := a.header.Get("Location"); strings.Contains(got, "evil") {
			t.Errorf("support leads to %q", got)
		}
	}
}

func TestCookiesAreProtected(t *testing.T) {
	for _, scheme := range []string{"https", "http"} {
		t.Run(scheme, func(t *testing.T) {
			c := open(t)
			s := brandSettings()
			s.BaseURL, s.Revision = scheme+"://"+host, "2"
			c.settings.declare(s)
			prefix := map[string]string{"https": "__Host-", "http": ""}[scheme]
			b := c.visitor()
			b.get("/?lang=en")
			b.post("/sign-in", url.Values{"email": {"ada@members.example"}})
			a := b.post(web.LinkPath, url.Values{"token": {c.token()}}).is(http.StatusSeeOther)
			session := a.cookie(prefix + "session")
			if session == nil {
				t.Fatalf("no session cookie among %v", a.cookies)
			}
			if !session.HttpOnly || session.SameSite != http.SameSiteLaxMode || session.Path != "/" || session.Domain != "" ||
				session.Secure != (scheme == "https") || session.MaxAge != int(ideas.SessionLifetime/time.Second) {
				t.Errorf("the session cookie is %v", session)
			}
			// A session lasts as long as it is used.
			if renewed := b.get("/").cookie(prefix + "session"); renewed == nil || renewed.Value != session.Value {
				t.Error("a visit does not prolong the session's cookie")
			}
			if hsts := b.get("/").header.Get("Strict-Transport-Security"); (hsts != "") != (scheme == "https") {
				t.Errorf("Strict-Transport-Security is %q", hsts)
			}
		})
	}
}

// issuer stands for an OpenID Connect issuer's client; the real one needs a registered client.
type issuer struct {
	attempt  web.OIDCAttempt
	redirect string
	identity ideas.Identity
	err      error
}

func (i *issuer) AuthURL(_ context.Context, s ideas.OIDCSettings, redirectURL string, attempt web.OIDCAttempt) (string, error) {
	i.attempt, i.redirect = attempt, redirectURL
	return s.IssuerURL + "/authorize?state=" + attempt.State, i.err
}

func (i *issuer) Exchange(_ context.Context, _ ideas.OIDCSettings, redirectURL, code string, attempt web.OIDCAttempt) (ideas.Identity, error) {
	if redirectURL != i.redirect || attempt != i.attempt || code != "code" {
		return ideas.Identity{}, errors.New("the exchange does not belong to the attempt")
	}
	return i.identity, i.err
}

func withIssuer(i *issuer) func(*community) {
	return func(c *community) {
		s := brandSettings()
		s.OIDC = &ideas.OIDCSettings{IssuerURL: "https://issuer.example", Label: map[string]string{"en": "Continue with <Brand>"}}
		c.settings.declare(s)
		c.config.OIDC = i
	}
}

func TestSignInWithOpenIDConnect(t *testing.T) {
	i := &issuer{identity: ideas.Identity{Issuer: "https://issuer.example", Subject: "1", Name: "Ada", Locale: "en"}}
	c := open(t, withIssuer(i))
	b := c.visitor()
	a := b.get("/sign-in?returnTo=/ideas/new").is(http.StatusOK)
	button := a.all(func(n *html.Node) bool { return strings.HasPrefix(attr(n, "href"), "/sign-in/oidc") })
	if len(button) != 1 || text(button[0]) != "Continue with <Brand>" {
		t.Fatalf("the button is missing: %v", button)
	}
	b.get(attr(button[0], "href")).leadsTo("https://issuer.example/authorize?state=" + i.attempt.State)
	if i.redirect != "https://"+host+web.OIDCCallbackPath || len(i.attempt.State) < 20 || len(i.attempt.Nonce) < 20 ||
		len(i.attempt.Verifier) < 43 || i.attempt.State == i.attempt.Nonce {
		t.Errorf("the attempt is weak: %q %+v", i.redirect, i.attempt)
	}
	b.get(web.OIDCCallbackPath + "?code=code&state=" + i.attempt.State).leadsTo("/profile?returnTo=%2Fideas%2Fnew&welcome=true")
	b.get("/ideas/new").is(http.StatusOK)
	// The attempt is used up.
	b.get(web.OIDCCallbackPath + "?code=code&state=" + i.attempt.State).is(http.StatusBadRequest)
}

func TestOpenIDConnectAnswersOfOthersAreRefused(t *testing.T) {
	i := &issuer{identity: ideas.Identity{Issuer: "https://issuer.example", Subject: "1", Name: "Ada"}}
	c := open(t, withIssuer(i))
	for name, tc := range map[string]struct{ query, cookie string }{
		"state of another browser": {query: "?code=code&state=other"},
		"no state":                 {query: "?code=code"},
		"no attempt":               {query: "?code=code&state=", cookie: "e30"},
		"broken attempt":           {query: "?code=code&state=x", cookie: "!!"},
		"refused by the issuer":    {query: "?error=access_denied&state="},
		"wrong code":               {query: "?code=wrong&state="},
	} {
		t.Run(name, func(t *testing.T) {
			c.in(t)
			b := c.visitor()
			b.get("/sign-in/oidc?returnTo=/ideas").is(http.StatusSeeOther)
			if tc.cookie != "" {
				b.cookies["__Host-attempt"] = tc.cookie
			} else if strings.HasSuffix(tc.query, "state=") {
				tc.query += i.attempt.State
			}
			a := b.get(web.OIDCCallbackPath + tc.query).is(http.StatusBadRequest)
			if got := text(a.class("alert")[0]); !strings.HasPrefix(got, "That did not work") {
				t.Errorf("the page says %q", got)
			}
			if b.cookies["__Host-session"] != "" {
				t.Error("somebody is signed in")
			}
		})
	}
	i.err = errors.New("issuer is down")
	c.visitor().get("/sign-in/oidc").is(http.StatusServiceUnavailable)
}

func TestOpenIDConnectOnlyWhereDeclared(t *testing.T) {
	c := open(t, func(c *community) { c.config.OIDC = &issuer{} })
	if strings.Contains(c.visitor().get("/sign-in").is(http.StatusOK).body, "/sign-in/oidc") {
		t.Error("the button shows without a declared issuer")
	}
	c.visitor().get("/sign-in/oidc").is(http.StatusNotFound)
	c.visitor().get(web.OIDCCallbackPath + "?code=x&state=x").is(http.StatusNotFound)
}

// recorder notes whom limits would count.
type recorder struct {
	ideas.SignIn
	client string
}

func (r *recorder) RequestLink(_ context.Context, request ideas.LinkRequest) error {
	r.client = request.ClientAddress
	return nil
}

func TestClientAddress(t *testing.T) {
	for name, tc := range map[string]struct {
		proxy     bool
		forwarded []string
		want      string
	}{
		"connection":             {want: "192.0.2.1"},
		"a claim without proxy":  {forwarded: []string{"203.0.113.9"}, want: "192.0.2.1"},
		"what the proxy saw":     {proxy: true, forwarded: []string{"203.0.113.9"}, want: "203.0.113.9"},
		"a claim before it":      {proxy: true, forwarded: []string{"198.51.100.1, 203.0.113.9"}, want: "203.0.113.9"},
		"a claim in its own":     {proxy: true, forwarded: []string{"198.51.100.1", "2001:db8::1"}, want: "2001:db8::1"},
		"nonsense":               {proxy: true, forwarded: []string{"<script>"}, want: "192.0.2.1"},
		"a proxy that is silent": {proxy: true, want: "192.0.2.1"},
	} {
		t.Run(name, func(t *testing.T) {
			r := &recorder{}
			c := open(t, func(c *community) { r.SignIn, c.config.SignIn, c.config.BehindProxy = c.store, r, tc.proxy })
			b := c.visitor()
			for _, line := range tc.forwarded {
				b.header.Add("X-Forwarded-For", line)
			}
			b.post("/sign-in", url.Values{"email": {"ada@members.example"}}).is(http.StatusSeeOther)
			if r.client != tc.want {
				t.Errorf("the client is %q, want %q", r.client, tc.want)
			}
		})
	}
}
