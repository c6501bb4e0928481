package web

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/quaeso/community-operator/ideas"
)

// OIDC is the code flow of OpenID Connect with one issuer.
type OIDC interface {
	// AuthURL is where the browser asks the issuer for a code.
	AuthURL(ctx context.Context, issuer ideas.OIDCSettings, redirectURL string, attempt OIDCAttempt) (string, error)
	// Exchange turns the code into a verified identity; it checks the attempt's nonce and PKCE verifier.
	Exchange(ctx context.Context, issuer ideas.OIDCSettings, redirectURL, code string, attempt OIDCAttempt) (
		ideas.Identity, error)
}

// OIDCAttempt ties an answer of the issuer to the browser that asked. The pages make it and keep it in a
// cookie.
type OIDCAttempt struct {
	State, Nonce string
	// Verifier is the PKCE code verifier (RFC 7636).
	Verifier string
}

// attemptLifetime is how long somebody may take at the issuer.
const attemptLifetime = 10 * time.Minute

// attempt is what the browser keeps while it is at the issuer.
type attempt struct {
	OIDCAttempt
	ReturnTo string
}

func (v *visit) oidcDeclared() error {
	if v.app.cfg.OIDC == nil || v.site.OIDC == nil {
		return refuse(http.StatusNotFound, "sign in with OpenID Connect: none is declared", nil)
	}
	return nil
}

// startOIDC sends the browser to the issuer.
func (a *app) startOIDC(v *visit) error {
	if err := v.oidcDeclared(); err != nil {
		return err
	}
	// A PKCE verifier has at least 43 characters; each text has 26 with 130 bits.
	started := attempt{
		OIDCAttempt: OIDCAttempt{State: rand.Text(), Nonce: rand.Text(), Verifier: rand.Text() + rand.Text()},
		ReturnTo:    localPath(v.r.URL.Query().Get("returnTo")),
	}
	target, err := a.cfg.OIDC.AuthURL(v.r.Context(), *v.site.OIDC, v.site.BaseURL+OIDCCallbackPath, started.OIDCAttempt)
	if err != nil {
		return refuse(http.StatusServiceUnavailable, "ask issuer for its address", err)
	}
	raw, err := json.Marshal(started)
	if err != nil {
		return fmt.Errorf("keep sign-in attempt: %w", err)
	}
	v.setText(attemptCookie, string(raw), attemptLifetime)
	v.w.Header().Set("Cache-Control", "no-store")
	http.Redirect(v.w, v.r, target, http.StatusSeeOther) //nolint:gosec // the declared issuer's address
	return nil
}

// finishOIDC takes the issuer's answer, from the browser that asked only.
func (a *app) finishOIDC(v *visit) error {
	v.w.Header().Set("Referrer-Policy", "no-referrer")
	if err := v.oidcDeclared(); err != nil {
		return err
	}
	answer := v.r.URL.Query()
	var started attempt
	kept := json.Unmarshal([]byte(v.text(attemptCookie)), &started)
	v.setCookie(attemptCookie, "", 0)
	if kept != nil || started.State == "" ||
		subtle.ConstantTimeCompare([]byte(answer.Get("state")), []byte(started.State)) != 1 {
		return a.oidcFailed(v, "/", errors.New("state does not match this browser's attempt"))
	}
	if code := answer.Get("error"); code != "" {
		return a.oidcFailed(v, started.ReturnTo, fmt.Errorf("issuer answered %q", cut(clean(code), 64)))
	}
	id, err := a.cfg.OIDC.Exchange(v.r.Context(), *v.site.OIDC, v.site.BaseURL+OIDCCallbackPath,
		answer.Get("code"), started.OIDCAttempt)
	if err != nil {
		return a.oidcFailed(v, started.ReturnTo, err)
	}
	id.Invitation = v.cookie(invitationCookie)
	session, err := a.cfg.SignIn.SignInWith(v.r.Context(), id)
	if errors.Is(err, ideas.ErrNotInvited) {
		return v.notInvited()
	}
	if err != nil {
		return fmt.Errorf("sign in with OpenID Connect: %w", err)
	}
	return a.welcome(v, session, started.ReturnTo)
}

// oidcFailed offers another try. The log says why, the page does not: it is the issuer's or the brand's to right.
func (a *app) oidcFailed(v *visit, returnTo string, cause error) error {
	a.log.WarnContext(v.r.Context(), "OpenID Connect sign-in failed", "error", cause)
	p := v.signInPage(returnTo)
	p.Problem = v.t("sign_in.oidc_failed")
	return v.renderPrivate(http.StatusBadRequest, "signin", p)
}
