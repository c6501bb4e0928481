package testutil

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"sync"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
)

// OIDCIssuer is an OpenID Connect issuer on a loopback port: discovery, keys, authorization code flow with PKCE,
// and userinfo. Everybody is signed in as User.
type OIDCIssuer struct {
	URL          string
	ClientID     string
	ClientSecret string
	// User are the claims of whoever signs in; "sub" is needed.
	User map[string]any
	// Change alters the ID token's claims before it is signed, to play a wrong issuer.
	Change func(claims map[string]any)
	// WithoutEmail keeps the address for the userinfo endpoint; InfoSubject replaces its subject.
	WithoutEmail bool
	InfoSubject  string
	// SignWith replaces the published key.
	SignWith *ecdsa.PrivateKey
	// Broken answers every call with an error.
	Broken bool

	key    *ecdsa.PrivateKey
	mutex  sync.Mutex
	grants map[string]url.Values
	calls  map[string]int
}

// StartOIDC starts an issuer for one test.
func StartOIDC(t testing.TB) *OIDCIssuer {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatalf("start an OpenID Connect issuer: %v", err)
	}
	i := &OIDCIssuer{
		ClientID: "community", ClientSecret: "oidc-s3cret", key: key, grants: map[string]url.Values{}, calls: map[string]int{},
		User: map[string]any{"sub": "user-1", "email": "claire@brand.example", "email_verified": true, "name": "Claire", "locale": "fr"},
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /.well-known/openid-configuration", i.discovery)
	mux.HandleFunc("GET /keys", i.keys)
	mux.HandleFunc("GET /authorize", i.authorize)
	mux.HandleFunc("POST /token", i.token)
	mux.HandleFunc("GET /userinfo", i.userinfo)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		i.mutex.Lock()
		defer i.mutex.Unlock()
		i.calls[r.URL.Path]++
		if i.Broken {
			http.Error(w, "broken", http.StatusInternalServerError)
			return
		}
		mux.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	i.URL = server.URL
	return i
}

// Set changes the issuer while it runs.
func (i *OIDCIssuer) Set(change func(*OIDCIssuer)) {
	i.mutex.Lock()
	defer i.mutex.Unlock()
	change(i)
}

// Calls is the number of calls of a path so far.
func (i *OIDCIssuer) Calls(path string) int {
	i.mutex.Lock()
	defer i.mutex.Unlock()
	return i.calls[path]
}

func (i *OIDCIssuer) discovery(w http.ResponseWriter, _ *http.Request) {
	writeJSON(w, map[string]any{
		"issuer": i.URL, "authorization_endpoint": i.URL + "/authorize", "token_endpoint": i.URL + "/token",
		"jwks_uri": i.URL + "/keys", "userinfo_endpoint": i.URL + "/userinfo", "response_types_supported": []string{"code"},
		"subject_types_supported": []string{"public"}, "id_token_signing_alg_values_supported": []string{"ES256"},
		"code_challenge_methods_supported": []string{"S256"},
	})
}

func (i *OIDCIssuer) keys(w http.ResponseWriter, _ *http.Request) {
	writeJSON(w, jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: i.key.Public(), KeyID: "k1", Algorithm: "ES256", Use: "sig"}}})
}

// authorize is where a person would sign in; this one is in no doubt, and sends the browser back with a code.
func (i *OIDCIssuer) authorize(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	if q.Get("client_id") != i.ClientID || q.Get("response_type") != "code" || q.Get("code_challenge_method") != "S256" ||
		q.Get("state") == "" || q.Get("nonce") == "" {
		http.Error(w, "invalid_request", http.StatusBadRequest)
		return
	}
	code := rand.Text()
	i.grants[code] = q
	back, err := url.Parse(q.Get("redirect_uri"))
	if err != nil {
		http.Error(w, "invalid_request", http.StatusBadRequest)
		return
	}
	back.RawQuery = url.Values{"code": {code}, "state": {q.Get("state")}}.Encode()
	http.Redirect(w, r, back.String(), http.StatusFound)
}

func (i *OIDCIssuer) token(w http.ResponseWriter, r *http.Request) {
	id, secret, basic := r.BasicAuth()
	if !basic {
		id, secret = r.PostFormValue("client_id"), r.PostFormValue("client_secret")
	}
	grant, ok := i.grants[r.PostFormValue("code")]
	delete(i.grants, r.PostFormValue("code")) // a code works once
	challenge := sha256.Sum256([]byte(r.PostFormValue("code_verifier")))
	switch {
	case id != i.ClientID || secret != i.ClientSecret:
		writeError(w, "invalid_client")
		return
	case !ok, grant.Get("redirect_uri") != r.PostFormValue("redirect_uri"),
		grant.Get("code_challenge") != base64.RawURLEncoding.EncodeToString(challenge[:]):
		writeError(w, "invalid_grant")
		return
	}
	claims := map[string]any{
		"iss": i.URL, "aud": i.ClientID, "nonce": grant.Get("nonce"), "iat": time.Now().Unix(), "exp": time.Now().Add(time.Minute).Unix(),
	}
	for name, value := range i.User {
		if !i.WithoutEmail || (name != "email" && name != "email_verified") {
			claims[name] = value
		}
	}
	if i.Change != nil {
		i.Change(claims)
	}
	key := i.key
	if i.SignWith != nil {
		key = i.SignWith
	}
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.ES256, Key: jose.JSONWebKey{Key: key, KeyID: "k1"}}, nil)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	signed, err := jwt.Signed(signer).Claims(claims).Serialize()
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	writeJSON(w, map[string]any{"access_token": "access", "token_type": "Bearer", "expires_in": 60, "id_token": signed})
}

func (i *OIDCIssuer) userinfo(w http.ResponseWriter, r *http.Request) {
	if r.Header.Get("Authorization") != "Bearer access" {
		http.Error(w, "unauthorized", http.StatusUnauthorized)
		return
	}
	claims := map[string]any{}
	for name, value := range i.User {
		claims[name] = value
	}
	if i.InfoSubject != "" {
		claims["sub"] = i.InfoSubject
	}
	writeJSON(w, claims)
}

func writeError(w http.ResponseWriter, code string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(http.StatusBadRequest)
	_ = json.NewEncoder(w).Encode(map[string]string{"error": code, "error_description": "with a s3cret-detail"})
}

func writeJSON(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(v) // the caller may have gone
}
