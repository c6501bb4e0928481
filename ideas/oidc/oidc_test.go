package oidc_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/quaeso/community-operator/ideas"
	"github.com/quaeso/community-operator/ideas/oidc"
	"github.com/quaeso/community-operator/ideas/publichttp"
	"github.com/quaeso/community-operator/internal/testutil"
)

const redirectURL = "https://ideas.brand.example/sign-in/oidc/callback"

func newClient(i *testutil.OIDCIssuer) *oidc.Client {
	return oidc.New(func() (oidc.Credentials, error) { return oidc.Credentials{ID: i.ClientID, Secret: i.ClientSecret}, nil }, true)
}

func newAttempt() oidc.Attempt {
	return oidc.Attempt{State: rand.Text(), Nonce: rand.Text(), Verifier: rand.Text() + rand.Text()}
}

// authorize plays the browser: it goes to the issuer, and comes back with a code.
func authorize(t *testing.T, c *oidc.Client, i *testutil.OIDCIssuer, a oidc.Attempt) string {
	t.Helper()
	address, err := c.AuthURL(t.Context(), ideas.OIDCSettings{IssuerURL: i.URL}, redirectURL, a)
	if err != nil {
		t.Fatal(err)
	}
	browser := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	response, err := browser.Get(address)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	back, err := url.Parse(response.Header.Get("Location"))
	if err != nil || !strings.HasPrefix(response.Header.Get("Location"), redirectURL+"?") {
		t.Fatalf("the issuer answers %d and leads to %q", response.StatusCode, response.Header.Get("Location"))
	}
	if back.Query().Get("state") != a.State {
		t.Errorf("state = %q, want the attempt's", back.Query().Get("state"))
	}
	return back.Query().Get("code")
}

func exchange(t *testing.T, c *oidc.Client, i *testutil.OIDCIssuer, code string, a oidc.Attempt) (ideas.Identity, error) {
	t.Helper()
	return c.Exchange(t.Context(), ideas.OIDCSettings{IssuerURL: i.URL}, redirectURL, code, a)
}

func TestSignIn(t *testing.T) {
	for name, tc := range map[string]struct {
		change func(*testutil.OIDCIssuer)
		want   ideas.Identity
	}{
		"claims in the token": {func(*testutil.OIDCIssuer) {},
			ideas.Identity{Subject: "user-1", Email: "claire@brand.example", EmailVerified: true, Name: "Claire", Locale: "fr"}},
		"address from userinfo": {func(i *testutil.OIDCIssuer) { i.WithoutEmail = true },
			ideas.Identity{Subject: "user-1", Email: "claire@brand.example", EmailVerified: true, Name: "Claire", Locale: "fr"}},
		"verified as a text": {func(i *testutil.OIDCIssuer) { i.User["email_verified"] = "true" },
			ideas.Identity{Subject: "user-1", Email: "claire@brand.example", EmailVerified: true, Name: "Claire", Locale: "fr"}},
		"not verified": {func(i *testutil.OIDCIssuer) { i.User["email_verified"] = false },
			ideas.Identity{Subject: "user-1", Email: "claire@brand.example", Name: "Claire", Locale: "fr"}},
		"not verified, as a text": {func(i *testutil.OIDCIssuer) { i.User["email_verified"] = "false" },
			ideas.Identity{Subject: "user-1", Email: "claire@brand.example", Name: "Claire", Locale: "fr"}},
		"nothing said of verification": {func(i *testutil.OIDCIssuer) { delete(i.User, "email_verified") },
			ideas.Identity{Subject: "user-1", Email: "claire@brand.example", Name: "Claire", Locale: "fr"}},
	} {
		t.Run(name, func(t *testing.T) {
			issuer := testutil.StartOIDC(t)
			tc.change(issuer)
			tc.want.Issuer = issuer.URL
			c, a := newClient(issuer), newAttempt()
			code := authorize(t, c, issuer, a)
			got, err := exchange(t, c, issuer, code, a)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("identity (-want +got):\n%s", diff)
			}
			if _, err := exchange(t, c, issuer, code, a); err == nil {
				t.Error("a code worked twice")
			}
		})
	}
}

func TestWrongAnswersAreRefused(t *testing.T) {
	otherKey, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	claim := func(name string, value any) func(*testutil.OIDCIssuer) {
		return func(i *testutil.OIDCIssuer) { i.Change = func(claims map[string]any) { claims[name] = value } }
	}
	for name, tc := range map[string]struct {
		change  func(*testutil.OIDCIssuer)
		attempt func(*oidc.Attempt)
		message string
	}{
		"another issuer's token":  {change: claim("iss", "https://evil.example"), message: "verify the ID token"},
		"another client's token":  {change: claim("aud", "other"), message: "verify the ID token"},
		"expired token":           {change: claim("exp", time.Now().Add(-time.Hour).Unix()), message: "verify the ID token"},
		"replayed nonce":          {change: claim("nonce", "other"), message: "nonce"},
		"no nonce":                {change: claim("nonce", ""), message: "nonce"},
		"unknown key":             {change: func(i *testutil.OIDCIssuer) { i.SignWith = otherKey }, message: "verify the ID token"},
		"userinfo of another":     {change: func(i *testutil.OIDCIssuer) { i.WithoutEmail, i.InfoSubject = true, "user-2" }, message: "somebody else"},
		"another browser's code":  {attempt: func(a *oidc.Attempt) { a.Verifier = rand.Text() + rand.Text() }, message: "invalid_grant"},
		"wrong client secret":     {change: func(i *testutil.OIDCIssuer) { i.ClientSecret = "rotated" }, message: "invalid_client"},
		"issuer broken meanwhile": {change: func(i *testutil.OIDCIssuer) { i.Broken = true }, message: "status 500"},
	} {
		t.Run(name, func(t *testing.T) {
			issuer := testutil.StartOIDC(t)
			secret := issuer.ClientSecret
			c := oidc.New(func() (oidc.Credentials, error) { return oidc.Credentials{ID: issuer.ClientID, Secret: secret}, nil }, true)
			a := newAttempt()
			code := authorize(t, c, issuer, a)
			if tc.change != nil {
				issuer.Set(tc.change)
			}
			if tc.attempt != nil {
				tc.attempt(&a)
			}
			got, err := exchange(t, c, issuer, code, a)
			if err == nil {
				t.Fatalf("signed in as %+v", got)
			}
			if !strings.Contains(err.Error(), tc.message) || strings.Contains(err.Error(), "s3cret") || strings.Contains(err.Error(), a.Verifier) {
				t.Errorf("error = %v, want one with %q and without secrets", err, tc.message)
			}
		})
	}
}

func TestDiscovery(t *testing.T) {
	issuer := testutil.StartOIDC(t)
	c := newClient(issuer)
	ask := func() error {
		_, err := c.AuthURL(t.Context(), ideas.OIDCSettings{IssuerURL: issuer.URL}, redirectURL, newAttempt())
		return err
	}
	const path = "/.well-known/openid-configuration"
	issuer.Set(func(i *testutil.OIDCIssuer) { i.Broken = true })
	for range 5 {
		if err := ask(); err == nil || !strings.Contains(err.Error(), "discover issuer") {
			t.Fatalf("broken issuer: error %v", err)
		}
	}
	if n := issuer.Calls(path); n != 1 {
		t.Errorf("a broken issuer was asked %d times at once, want 1", n)
	}
	issuer.Set(func(i *testutil.OIDCIssuer) { i.Broken = false })
	deadline := time.Now().Add(15 * time.Second)
	for ask() != nil {
		if time.Now().After(deadline) {
			t.Fatal("an issuer that is back is not taken up")
		}
		time.Sleep(20 * time.Millisecond)
	}
	issuer.Set(func(i *testutil.OIDCIssuer) { i.Broken = true })
	before := issuer.Calls(path)
	if err := ask(); err != nil || issuer.Calls(path) != before {
		t.Errorf("a known issuer was asked again: error %v", err)
	}
	other := testutil.StartOIDC(t)
	if _, err := c.AuthURL(t.Context(), ideas.OIDCSettings{IssuerURL: other.URL}, redirectURL, newAttempt()); err != nil || other.Calls(path) != 1 {
		t.Errorf("another issuer: error %v", err)
	}
	unconfigured := oidc.New(func() (oidc.Credentials, error) { return oidc.Credentials{}, nil }, true)
	if _, err := unconfigured.AuthURL(t.Context(), ideas.OIDCSettings{IssuerURL: other.URL}, redirectURL, newAttempt()); !errors.Is(err, oidc.ErrNotConfigured) {
		t.Errorf("without a client: %v, want ErrNotConfigured", err)
	}
}

// TestPrivateAddressesAreRefused points the issuer's URL at places inside.
func TestPrivateAddressesAreRefused(t *testing.T) {
	issuer := testutil.StartOIDC(t)
	c := oidc.New(func() (oidc.Credentials, error) { return oidc.Credentials{ID: "x"}, nil }, false)
	port := issuer.URL[strings.LastIndex(issuer.URL, ":"):]
	for _, address := range []string{
		"https://127.0.0.1" + port, "https://localhost" + port, "https://[::1]" + port, "https://[::ffff:127.0.0.1]" + port,
		"https://0.0.0.0" + port, "https://169.254.169.254/latest", "https://10.0.0.1", "https://192.168.1.1", "https://172.16.0.1",
		"https://100.64.0.1", "https://[fe80::1]", "https://[fd00::1]", "https://[64:ff9b::7f00:1]", "https://224.0.0.1",
	} {
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		_, err := oidc.New(func() (oidc.Credentials, error) { return oidc.Credentials{ID: "x"}, nil }, false).
			AuthURL(ctx, ideas.OIDCSettings{IssuerURL: address}, redirectURL, newAttempt())
		cancel()
		if !errors.Is(err, publichttp.ErrPrivateAddress) {
			t.Errorf("%s: error %v, want ErrPrivateAddress", address, err)
		}
	}
	if _, err := c.AuthURL(t.Context(), ideas.OIDCSettings{IssuerURL: issuer.URL}, redirectURL, newAttempt()); err == nil || !strings.Contains(err.Error(), "only https") {
		t.Errorf("plain http: error %v, want it refused", err)
	}
	if n := issuer.Calls("/.well-known/openid-configuration"); n != 0 {
		t.Errorf("the issuer inside was called %d times", n)
	}
}

func TestEndlessAnswersAreCutOff(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		for range 4 << 10 {
			if _, err := w.Write(make([]byte, 1<<10)); err != nil {
				return
			}
		}
	}))
	t.Cleanup(server.Close)
	c := oidc.New(func() (oidc.Credentials, error) { return oidc.Credentials{ID: "x"}, nil }, true)
	_, err := c.AuthURL(t.Context(), ideas.OIDCSettings{IssuerURL: server.URL}, redirectURL, newAttempt())
	if err == nil || !strings.Contains(err.Error(), "longer than") {
		t.Errorf("error = %v, want the answer cut off", err)
	}
}
