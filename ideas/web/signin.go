package web

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/quaeso/community-operator/ideas"
	"github.com/quaeso/community-operator/internal/control"
)

// signInRoutes are the pages that lead in and out.
func (a *app) signInRoutes() map[string]handle {
	return map[string]handle{
		"GET /sign-in":            a.signIn,
		"POST /sign-in":           a.requestLink,
		"GET /sign-in/sent":       a.linkSent,
		"GET " + LinkPath:         a.confirmLink,
		"POST " + LinkPath:        a.redeemLink,
		"GET /sign-in/oidc":       a.startOIDC,
		"GET " + OIDCCallbackPath: a.finishOIDC,
		"POST /sign-out":          a.signOut,
	}
}

// linkMinutes is how long a sign-in link works.
const linkMinutes = int(ideas.LinkLifetime / time.Minute)

type signInPage struct {
	page
	ReturnTo string
	// Reason says why signing in is asked for.
	Reason string
	// Mail and OIDC tell which ways of signing in there are.
	Mail, OIDC bool
	OIDCLabel  string
	OIDCURL    string
	Email      field
	// Problem is what went wrong with the form as a whole.
	Problem string
}

func (v *visit) signInPage(returnTo string) signInPage {
	returnTo = localPath(returnTo)
	v.here = "/sign-in?" + url.Values{"returnTo": {returnTo}}.Encode()
	p := signInPage{
		page: v.page(v.t("sign_in.title")), ReturnTo: returnTo, Mail: v.app.cfg.SignIn.MailEnabled(),
		OIDC: v.app.cfg.OIDC != nil && v.site.OIDC != nil,
	}
	p.Hidden = true
	p.SignIn = ""
	switch {
	case returnTo == "/ideas/new" || strings.HasPrefix(returnTo, "/ideas/new?"):
		p.Reason = v.t("sign_in.reason.submit")
	case strings.HasPrefix(returnTo, "/ideas/"):
		p.Reason = v.t("sign_in.reason.idea")
	}
	if p.OIDC {
		p.OIDCURL = "/sign-in/oidc?" + url.Values{"returnTo": {returnTo}}.Encode()
		if p.OIDCLabel = v.site.text(v.site.OIDC.Label, v.lang); p.OIDCLabel == "" {
			p.OIDCLabel = v.t("sign_in.oidc")
		}
	}
	return p
}

// signIn shows the ways of signing in that work here.
func (a *app) signIn(v *visit) error {
	returnTo := v.r.URL.Query().Get("returnTo")
	if v.member != nil && v.r.URL.Query().Get("again") == "" {
		return v.redirect(localPath(returnTo))
	}
	return v.renderPrivate(http.StatusOK, "signin", v.signInPage(returnTo))
}

// renderPrivate is render for pages that nothing may keep.
func (v *visit) renderPrivate(status int, name string, data any) error {
	v.w.Header().Set("Cache-Control", "no-store")
	return v.render(status, name, data)
}

// requestLink has a link mailed. The answer is the same whoever the address belongs to.
func (a *app) requestLink(v *visit) error {
	form := v.r.PostForm
	p := v.signInPage(form.Get("returnTo"))
	p.Email.Value = clean(form.Get("email"))
	err := a.cfg.SignIn.RequestLink(v.r.Context(), ideas.LinkRequest{
		Email: p.Email.Value, Locale: v.lang.Tag, ReturnTo: p.ReturnTo, ClientAddress: a.clientAddress(v.r), Invitation: v.cookie(invitationCookie),
	})
	if wrong := fieldErrors(err); len(wrong) > 0 {
		p.Email.Error = v.fieldText(wrong["email"])
		return v.renderPrivate(http.StatusUnprocessableEntity, "signin", p)
	}
	switch {
	case errors.Is(err, ideas.ErrTooMany):
		v.w.Header().Set("Retry-After", "120")
		p.Problem = v.t("sign_in.too_many")
		return v.renderPrivate(http.StatusTooManyRequests, "signin", p)
	case errors.Is(err, ideas.ErrMailOff):
		p.Mail = false
		return v.renderPrivate(http.StatusServiceUnavailable, "signin", p)
	case err != nil:
		return fmt.Errorf("request sign-in link: %w", err)
	}
	v.setText(sentCookie, p.Email.Value, ideas.LinkLifetime)
	return v.redirect("/sign-in/sent")
}

type sentPage struct {
	page
	// Text says where the link went and how long it works.
	Text string
}

// linkSent asks to look into the mail. The address comes from this browser's own form.
func (a *app) linkSent(v *visit) error {
	p := sentPage{page: v.page(v.t("sent.title")), Text: v.t("sent.text", "Minutes", linkMinutes)}
	p.Hidden = true
	p.SignIn = ""
	if email := clean(v.text(sentCookie)); email != "" && len(email) <= ideas.MaxEmail {
		p.Text = v.t("sent.to", "Email", email, "Minutes", linkMinutes)
	}
	return v.renderPrivate(http.StatusOK, "sent", p)
}

type linkPage struct {
	page
	Token   string
	Minutes int
	Heading string
	Text    string
}

// token is what a link or its form carries; empty for what cannot be one.
func token(s string) string {
	const longest = 256
	strange := func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && r != '-' && r != '_'
	}
	if len(s) > longest || strings.ContainsFunc(s, strange) {
		return ""
	}
	return s
}

// linkReferrer keeps the token in the page's address to this page. It is not no-referrer: with that, browsers
// send the form with "Origin: null", which over plain HTTP cannot be told from a form of another site.
const linkReferrer = "strict-origin"

// confirmLink asks for one click: programs that look at links in mails fetch this page, and must not use the
// link up.
func (a *app) confirmLink(v *visit) error {
	v.w.Header().Set("Referrer-Policy", linkReferrer)
	token := token(v.r.URL.Query().Get("token"))
	if token == "" {
		return v.linkSpent()
	}
	p := linkPage{page: v.page(v.t("link.title")), Token: token}
	p.Heading = v.t("link.title")
	p.Text = v.t("link.text", "Brand", p.Brand)
	p.Hidden = true
	p.SignIn = ""
	// The page's own address carries the token, so nothing on the page repeats it but the form and the
	// language links.
	p.Canonical, p.Alternates = "", nil
	return v.renderPrivate(http.StatusOK, "link", p)
}

func (v *visit) linkSpent() error {
	v.here = "/sign-in"
	p := linkPage{page: v.page(v.t("link.spent.title")), Heading: v.t("link.spent.title")}
	p.Text = v.t("link.spent.text", "Minutes", linkMinutes)
	p.Hidden = true
	p.SignIn = ""
	return v.renderPrivate(http.StatusGone, "link", p)
}

// redeemLink turns the link into a session.
func (a *app) redeemLink(v *visit) error {
	v.w.Header().Set("Referrer-Policy", linkReferrer)
	token := token(v.r.PostForm.Get("token"))
	if token == "" {
		return v.linkSpent()
	}
	session, returnTo, err := a.cfg.SignIn.RedeemLink(v.r.Context(), token)
	if errors.Is(err, ideas.ErrLinkSpent) {
		return v.linkSpent()
	}
	if errors.Is(err, ideas.ErrNotInvited) {
		return v.notInvited()
	}
	if err != nil {
		return fmt.Errorf("redeem sign-in link: %w", err)
	}
	return a.welcome(v, session, returnTo)
}

// notInvited tells somebody who has proved who they are that the community is not open to them.
func (v *visit) notInvited() error {
	v.here = "/"
	text := v.t("sign_in.not_invited.text")
	if v.site.House != nil && v.site.House.SignUp.Policy == control.SignUpDomains {
		text = v.t("sign_in.not_invited.domains", "Domains", strings.Join(v.site.House.SignUp.Domains, ", "))
	}
	return v.renderPrivate(http.StatusForbidden, "message", v.message(v.t("sign_in.not_invited.title"), text))
}

// newcomer is how long after joining somebody is asked for a name.
const newcomer = time.Minute

// welcome starts a session and goes on: to the profile for somebody who has just joined, else to where the
// member was.
func (a *app) welcome(v *visit, session, returnTo string) error {
	m, err := a.cfg.SignIn.Authenticate(v.r.Context(), session)
	if err != nil {
		return fmt.Errorf("authenticate new session: %w", err)
	}
	if v.session != "" {
		if err := a.cfg.SignIn.SignOut(v.r.Context(), v.session); err != nil {
			return fmt.Errorf("end the session before: %w", err)
		}
	}
	v.signedIn(session)
	v.setCookie(sentCookie, "", 0)
	if v.cookie(invitationCookie) != "" {
		v.setCookie(invitationCookie, "", 0)
	}
	returnTo = localPath(returnTo)
	if a.now().Sub(m.CreatedAt) < newcomer {
		return v.redirect("/profile?" + url.Values{"welcome": {"true"}, "returnTo": {returnTo}}.Encode())
	}
	v.setFlash("flash.signed_in")
	return v.redirect(returnTo)
}

// signOut ends the session here and in the store.
func (a *app) signOut(v *visit) error {
	if v.session != "" {
		if err := a.cfg.SignIn.SignOut(v.r.Context(), v.session); err != nil {
			return fmt.Errorf("sign out: %w", err)
		}
	}
	v.setCookie(sessionCookie, "", 0)
	v.setFlash("flash.signed_out")
	return v.redirect("/")
}
