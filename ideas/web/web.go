// Package web serves the pages of a community: rendered on the server, usable without JavaScript, in the
// brand's colours and the reader's language.
package web

import (
	"context"
	"log/slog"
	"net/http"
	"time"

	"github.com/quaeso/community-operator/ideas"
)

// LinkPath is where a sign-in link leads; mails carry the settings' BaseURL + LinkPath + "?token=" + token.
const LinkPath = "/sign-in/link"

// OIDCCallbackPath is the redirect URI's path that is registered with an OpenID Connect issuer.
const OIDCCallbackPath = "/sign-in/oidc/callback"

// Config is what the pages are made of.
type Config struct {
	// Store keeps what members write.
	Store ideas.Store
	// SignIn makes and ends sessions.
	SignIn ideas.SignIn
	// Settings in force; before the first declaration every page says that the community is being set up.
	Settings ideas.SettingsSource
	// OIDC asks the declared issuer; nil where no client is configured, which hides the button.
	OIDC OIDC
	// Logger receives failures and, at debug level, requests; slog.Default when nil.
	Logger *slog.Logger
	// Clock tells the time; time.Now when nil.
	Clock func() time.Time
	// Version of the service, shown in the page source.
	Version string
	// Alone accepts any Host header, for work on pages without a declaration of hostnames.
	Alone bool
	// BehindProxy takes the client's address from the last entry of X-Forwarded-For, which the proxy in
	// front wrote. Without it the address is that of the connection.
	BehindProxy bool
}

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

// New makes the handler of all pages. It serves every path; the caller mounts probes and metrics elsewhere.
func New(cfg Config) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		http.Error(w, "not built yet", http.StatusNotImplemented)
	})
}
