// Package oidc lets members sign in with an OpenID Connect issuer: the authorization code flow with PKCE, state
// and nonce. It knows no pages.
package oidc

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"time"

	gooidc "github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"

	"github.com/quaeso/community-operator/ideas"
	"github.com/quaeso/community-operator/ideas/publichttp"
)

const (
	// callTimeout bounds one call to the issuer; somebody waits for the page.
	callTimeout = 5 * time.Second
	// maxAnswer bounds an issuer's answer, in bytes.
	maxAnswer = 1 << 20
	// rediscoverAfter is the age at which the issuer's discovery document is read again.
	rediscoverAfter = time.Hour
	// failAgainFor is how long a failed discovery is not repeated: visitors must not queue up behind an issuer
	// that does not answer.
	failAgainFor = 2 * time.Second
)

// ErrNotConfigured is returned where no client is registered with the issuer.
var ErrNotConfigured = errors.New("no OpenID Connect client is configured")

// Attempt ties an issuer's answer to the browser that asked.
type Attempt struct {
	State, Nonce string
	// Verifier is the PKCE code verifier (RFC 7636).
	Verifier string
}

// Credentials of the client that is registered with the issuer.
type Credentials struct{ ID, Secret string }

// Client speaks to issuers. An issuer is discovered when it is first needed, so that one that is away keeps
// nothing else from working.
type Client struct {
	credentials func() (Credentials, error)
	http        *http.Client

	mutex    sync.Mutex
	provider *gooidc.Provider
	issuer   string
	read     time.Time
	failure  error
	failed   time.Time
}

// New makes a client. credentials is asked for every sign-in. allowPrivate lets issuers have plain, loopback
// and private addresses, for tests and local work.
func New(credentials func() (Credentials, error), allowPrivate bool) *Client {
	return &Client{credentials: credentials, http: publichttp.New(publichttp.Options{
		Timeout: callTimeout, MaxAnswer: maxAnswer, Redirects: 3, AllowPrivate: allowPrivate,
	})}
}

// AuthURL is where the browser asks the issuer for a code.
func (c *Client) AuthURL(ctx context.Context, issuer ideas.OIDCSettings, redirectURL string, a Attempt) (string, error) {
	config, _, err := c.config(ctx, issuer, redirectURL)
	if err != nil {
		return "", err
	}
	return config.AuthCodeURL(a.State, gooidc.Nonce(a.Nonce), oauth2.S256ChallengeOption(a.Verifier)), nil
}

// claims that an issuer makes of somebody.
type claims struct {
	Email         string `json:"email"`
	EmailVerified truth  `json:"email_verified"`
	Name          string `json:"name"`
	Locale        string `json:"locale"`
}

// truth is a boolean that some issuers send as a text.
type truth bool

// UnmarshalJSON implements json.Unmarshaler.
func (t *truth) UnmarshalJSON(raw []byte) error {
	*t = string(raw) == "true" || string(raw) == `"true"`
	return nil
}

// Exchange turns a code into an identity whose token has been verified: signature, issuer, audience, expiry and
// nonce. The caller has compared the state.
func (c *Client) Exchange(ctx context.Context, issuer ideas.OIDCSettings, redirectURL, code string, a Attempt) (ideas.Identity, error) {
	config, provider, err := c.config(ctx, issuer, redirectURL)
	if err != nil {
		return ideas.Identity{}, err
	}
	ctx = gooidc.ClientContext(ctx, c.http)
	token, err := config.Exchange(ctx, code, oauth2.VerifierOption(a.Verifier))
	if err != nil {
		return ideas.Identity{}, fmt.Errorf("exchange the code: %w", discreet(err))
	}
	raw, ok := token.Extra("id_token").(string)
	if !ok {
		return ideas.Identity{}, errors.New("the issuer sent no ID token")
	}
	id, err := provider.Verifier(&gooidc.Config{ClientID: config.ClientID}).Verify(ctx, raw)
	if err != nil {
		return ideas.Identity{}, fmt.Errorf("verify the ID token: %w", err)
	}
	if a.Nonce == "" || id.Nonce != a.Nonce {
		return ideas.Identity{}, errors.New("verify the ID token: its nonce is not the one that was sent")
	}
	var said claims
	if err := id.Claims(&said); err != nil {
		return ideas.Identity{}, fmt.Errorf("read the ID token: %w", err)
	}
	if said.Email == "" && provider.UserInfoEndpoint() != "" {
		if err := askUser(ctx, provider, token, id.Subject, &said); err != nil {
			return ideas.Identity{}, err
		}
	}
	return ideas.Identity{
		Issuer: id.Issuer, Subject: id.Subject, Email: said.Email, EmailVerified: bool(said.EmailVerified),
		Name: said.Name, Locale: said.Locale,
	}, nil
}

// askUser asks the userinfo endpoint, where many issuers keep the address.
func askUser(ctx context.Context, provider *gooidc.Provider, token *oauth2.Token, subject string, said *claims) error {
	info, err := provider.UserInfo(ctx, oauth2.StaticTokenSource(token))
	if err != nil {
		return fmt.Errorf("ask for the user's claims: %w", err)
	}
	if info.Subject != subject {
		return errors.New("ask for the user's claims: they are of somebody else")
	}
	if err := info.Claims(said); err != nil {
		return fmt.Errorf("read the user's claims: %w", err)
	}
	return nil
}

// discreet drops the token endpoint's answer, which may hold tokens, from an error.
func discreet(err error) error {
	refused := (*oauth2.RetrieveError)(nil)
	if !errors.As(err, &refused) {
		return err
	}
	status := 0
	if refused.Response != nil {
		status = refused.Response.StatusCode
	}
	return fmt.Errorf("the issuer answers status %d, error %q", status, refused.ErrorCode)
}

func (c *Client) config(ctx context.Context, issuer ideas.OIDCSettings, redirectURL string) (*oauth2.Config, *gooidc.Provider, error) {
	credentials, err := c.credentials()
	if err != nil {
		return nil, nil, fmt.Errorf("read the OpenID Connect client: %w", err)
	}
	if credentials.ID == "" {
		return nil, nil, ErrNotConfigured
	}
	provider, err := c.discover(ctx, issuer.IssuerURL)
	if err != nil {
		return nil, nil, err
	}
	return &oauth2.Config{
		ClientID: credentials.ID, ClientSecret: credentials.Secret, RedirectURL: redirectURL, Endpoint: provider.Endpoint(),
		Scopes: []string{gooidc.ScopeOpenID, "email", "profile"},
	}, provider, nil
}

// discover reads the issuer's discovery document. While the issuer is away, the former document goes on serving.
func (c *Client) discover(ctx context.Context, issuer string) (*gooidc.Provider, error) {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	known := c.provider != nil && c.issuer == issuer
	if known && time.Since(c.read) < rediscoverAfter {
		return c.provider, nil
	}
	if c.failure != nil && c.issuer == issuer && time.Since(c.failed) < failAgainFor {
		if known {
			return c.provider, nil
		}
		return nil, c.failure
	}
	// One visitor's going away must not look like a failure of the issuer to the others.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), callTimeout)
	defer cancel()
	provider, err := gooidc.NewProvider(gooidc.ClientContext(ctx, c.http), issuer)
	if err != nil {
		c.failure, c.failed = fmt.Errorf("discover issuer %s: %w", issuer, err), time.Now()
		if known {
			return c.provider, nil
		}
		c.provider, c.issuer = nil, issuer
		return nil, c.failure
	}
	c.provider, c.issuer, c.read, c.failure = provider, issuer, time.Now(), nil
	return provider, nil
}
