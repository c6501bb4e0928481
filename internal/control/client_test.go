package control_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/quaeso/community-operator/internal/control"
)

var declaration = control.Declaration{
	UID: "uid-1", Generation: 7,
	Settings: control.Settings{
		BaseURL: "https://ideas.brand.example", Hostnames: []string{"ideas.brand.example"}, Locales: []string{"fr", "en"}, TimeZone: "Europe/Paris",
		Brand: control.Brand{Name: map[string]string{"fr": "Atelier", "en": "Lab"}, Colors: control.Colors{Primary: "#0b6e4f"}},
		OIDC:  &control.OIDC{IssuerURL: "https://login.brand.example"},
	},
}

// service answers one request and remembers it.
func service(t *testing.T, answer http.HandlerFunc) string {
	t.Helper()
	server := httptest.NewServer(answer)
	t.Cleanup(server.Close)
	return strings.TrimPrefix(server.URL, "http://")
}

func jsonAnswer(status int, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json; charset=utf-8")
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}
}

func TestObserve(t *testing.T) {
	want := control.State{
		Version: "1.2.3", InForce: control.InForce{UID: "uid-1", Generation: 7, Digest: "d"},
		Database: control.Database{Ready: true, SchemaVersion: 4}, SignIn: []string{"email"},
	}
	address := service(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet || r.URL.Path != control.CommunityPath || r.Header.Get("Authorization") != "Bearer t0ken" {
			t.Errorf("the request is %s %s with %q", r.Method, r.URL.Path, r.Header.Get("Authorization"))
		}
		raw, err := json.Marshal(want)
		if err != nil {
			t.Error(err)
		}
		jsonAnswer(http.StatusOK, string(raw))(w, r)
	})
	got, err := control.NewClient("").Observe(t.Context(), address, "t0ken")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("state (-want +got):\n%s", diff)
	}
}

// A field of a newer service is no reason to know nothing.
func TestObserveNewerService(t *testing.T) {
	address := service(t, jsonAnswer(http.StatusOK, `{"version":"9","mood":"good","database":{"ready":true,"size":1}}`))
	got, err := control.NewClient("").Observe(t.Context(), address, "t")
	if err != nil || got.Version != "9" || !got.Database.Ready {
		t.Errorf("a newer service gives %+v, %v", got, err)
	}
}

// What is no answer of the contract never looks like a state.
func TestWeirdAnswers(t *testing.T) {
	answers := map[string]http.HandlerFunc{
		"a page":                  func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "<html>Welcome</html>") },
		"JSON that says text":     func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, `{"database":{"ready":true}}`) },
		"nothing":                 func(http.ResponseWriter, *http.Request) {},
		"no content":              func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) },
		"empty JSON":              jsonAnswer(http.StatusOK, ""),
		"null":                    jsonAnswer(http.StatusOK, "null"),
		"a list":                  jsonAnswer(http.StatusOK, `[{"database":{"ready":true}}]`),
		"a string":                jsonAnswer(http.StatusOK, `"ready"`),
		"cut JSON":                jsonAnswer(http.StatusOK, `{"database":{"ready":tr`),
		"two values":              jsonAnswer(http.StatusOK, `{"database":{"ready":true}}{}`),
		"a field of another type": jsonAnswer(http.StatusOK, `{"database":{"ready":"yes"}}`),
		"too much":                jsonAnswer(http.StatusOK, `{"version":"`+strings.Repeat("x", control.MaxDeclarationBytes)+`"}`),
		"not found":               jsonAnswer(http.StatusNotFound, `{"database":{"ready":true}}`),
		"a failure":               jsonAnswer(http.StatusInternalServerError, `{"database":{"ready":true}}`),
		"bad request":             func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "unknown field", http.StatusBadRequest) },
		"created":                 jsonAnswer(http.StatusCreated, `{"database":{"ready":true},"inForce":{"uid":"uid-1"}}`),
	}
	for name, answer := range answers {
		t.Run(name, func(t *testing.T) {
			address := service(t, answer)
			state, err := control.NewClient("").Observe(t.Context(), address, "t")
			if !errors.Is(err, control.ErrContract) || state.Database.Ready {
				t.Errorf("Observe gives %+v, %v", state, err)
			}
			put, err := control.NewClient("").Declare(t.Context(), address, "t", declaration)
			if !errors.Is(err, control.ErrContract) || put.InForce.UID != "" || put.Database.Ready {
				t.Errorf("Declare gives %+v, %v", put, err)
			}
		})
	}
}

func TestUnauthorized(t *testing.T) {
	address := service(t, jsonAnswer(http.StatusUnauthorized, `{}`))
	if _, err := control.NewClient("").Observe(t.Context(), address, "old"); !errors.Is(err, control.ErrUnauthorized) {
		t.Errorf("Observe gives %v", err)
	}
	if _, err := control.NewClient("").Declare(t.Context(), address, "old", declaration); !errors.Is(err, control.ErrUnauthorized) {
		t.Errorf("Declare gives %v", err)
	}
}

// What has not changed is asked for by its ETag, and known from the last time.
func TestObserveByETag(t *testing.T) {
	type visit struct{ path, token, given string }
	var visits []visit
	phase := "open"
	address := service(t, func(w http.ResponseWriter, r *http.Request) {
		visits = append(visits, visit{r.URL.Path, r.Header.Get("Authorization"), r.Header.Get("If-None-Match")})
		etag := `"` + phase + `"`
		w.Header().Set("ETag", etag)
		if r.Header.Get("If-None-Match") == etag {
			w.WriteHeader(http.StatusNotModified)
			return
		}
		jsonAnswer(http.StatusOK, `{"inForce":{"uid":"u 1"},"phase":"`+phase+`"}`)(w, r)
	})
	client := control.NewClient("")
	observe := func(token, uid string) string {
		state, err := client.ObserveChallenge(t.Context(), address, token, uid)
		if err != nil || state.InForce.UID != "u 1" {
			t.Errorf("observed %+v, %v", state, err)
		}
		return state.Phase
	}
	var phases []string
	for _, change := range []string{"open", "open", "voting", "voting"} {
		phase = change
		phases = append(phases, observe("t", "u 1"))
	}
	observe("another", "u 1")
	observe("t", "u/2")
	if diff := cmp.Diff([]string{"open", "open", "voting", "voting"}, phases); diff != "" {
		t.Errorf("phases (-want +got):\n%s", diff)
	}
	path := control.ChallengePath + "/u 1"
	want := []visit{
		{path, "Bearer t", ""}, {path, "Bearer t", `"open"`}, {path, "Bearer t", `"open"`}, {path, "Bearer t", `"voting"`},
		// Neither another community's answer nor another object's is passed off as this one's.
		{path, "Bearer another", ""}, {control.ChallengePath + "/u/2", "Bearer t", ""},
	}
	if diff := cmp.Diff(want, visits, cmp.AllowUnexported(visit{})); diff != "" {
		t.Errorf("requests (-want +got):\n%s", diff)
	}
}

// Whoever says "not modified" without having been asked says nothing.
func TestNotModifiedUnasked(t *testing.T) {
	address := service(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNotModified) })
	if _, err := control.NewClient("").Observe(t.Context(), address, "t"); !errors.Is(err, control.ErrContract) {
		t.Errorf("Observe gives %v", err)
	}
}

// Each call has its method and path, and its refusals and failures can be told apart.
func TestObjectCalls(t *testing.T) {
	challenge := control.Object[control.Challenge]{UID: "u/1", Name: "summer", Generation: 3, Spec: control.Challenge{Type: control.TypeContest, Brief: map[string]string{"en": "a < b"}}}
	policy := control.Object[control.RewardPolicy]{UID: "u/1", Name: "stars", Generation: 3}
	calls := map[string]struct {
		want string
		call func(c *control.Client, address string) error
	}{
		"declare a challenge": {"PUT /control/v1/challenges/u%2F1", func(c *control.Client, address string) error {
			_, err := c.DeclareChallenge(t.Context(), address, "t", challenge)
			return err
		}},
		"withdraw a challenge": {"DELETE /control/v1/challenges/u%2F1", func(c *control.Client, address string) error {
			return c.WithdrawChallenge(t.Context(), address, "t", "u/1")
		}},
		"observe a challenge": {"GET /control/v1/challenges/u%2F1", func(c *control.Client, address string) error {
			_, err := c.ObserveChallenge(t.Context(), address, "t", "u/1")
			return err
		}},
		"declare a policy": {"PUT /control/v1/reward-policies/u%2F1", func(c *control.Client, address string) error {
			_, err := c.DeclareRewardPolicy(t.Context(), address, "t", policy)
			return err
		}},
		"withdraw a policy": {"DELETE /control/v1/reward-policies/u%2F1", func(c *control.Client, address string) error {
			return c.WithdrawRewardPolicy(t.Context(), address, "t", "u/1")
		}},
		"observe a policy": {"GET /control/v1/reward-policies/u%2F1", func(c *control.Client, address string) error {
			_, err := c.ObserveRewardPolicy(t.Context(), address, "t", "u/1")
			return err
		}},
		"price a policy": {"POST /control/v1/reward-policies/u%2F1/pricing", func(c *control.Client, address string) error {
			_, err := c.PriceRewardPolicy(t.Context(), address, "t", policy)
			return err
		}},
		"list objects": {"GET /control/v1/objects", func(c *control.Client, address string) error {
			_, err := c.Objects(t.Context(), address, "t")
			return err
		}},
		"list erasures": {"GET /control/v1/erasures?after=7", func(c *control.Client, address string) error {
			_, err := c.Erasures(t.Context(), address, "t", 7)
			return err
		}},
		"erase again": {"POST /control/v1/erasures", func(c *control.Client, address string) error {
			_, err := c.EraseAgain(t.Context(), address, "t", nil)
			return err
		}},
	}
	const ready = `{"database":{"ready":true}}`
	for name, tc := range calls {
		declares, one := strings.HasPrefix(name, "declare"), strings.HasPrefix(tc.want, "GET") && strings.Contains(tc.want, "u%2F1")
		for _, answer := range []struct {
			status int
			body   string
			want   error
		}{
			{http.StatusOK, ready, nil},
			{http.StatusServiceUnavailable, `{"database":{"ready":false}}`, map[bool]error{false: control.ErrNotReady}[declares]},
			{http.StatusNotFound, ready, map[bool]error{true: control.ErrUnknownObject, false: control.ErrContract}[one]},
			{http.StatusNotFound, `{}`, control.ErrContract},
			{http.StatusTooManyRequests, ready, control.ErrBusy},
			{http.StatusGatewayTimeout, ready, control.ErrTooLong},
			{http.StatusInternalServerError, ready, control.ErrContract},
		} {
			t.Run(fmt.Sprintf("%s %d %s", name, answer.status, answer.body), func(t *testing.T) {
				address := service(t, func(w http.ResponseWriter, r *http.Request) {
					if got := r.Method + " " + r.RequestURI; got != tc.want {
						t.Errorf("the request is %s, want %s", got, tc.want)
					}
					if body, _ := io.ReadAll(r.Body); name == "declare a challenge" && !strings.Contains(string(body), "a < b") {
						t.Errorf("a text is sent longer than it is: %s", body)
					}
					jsonAnswer(answer.status, answer.body)(w, r)
				})
				if err := tc.call(control.NewClient(""), address); !errors.Is(err, answer.want) || (err == nil) != (answer.want == nil) {
					t.Errorf("the error is %v, want %v", err, answer.want)
				}
			})
		}
	}
}

func TestAnswerWaits(t *testing.T) {
	fault, awaits := control.Refusal{Field: "spec.title"}, control.Refusal{Field: "spec.origin", Awaits: &control.Reference{Kind: control.KindChallenge, Name: "x"}}
	for name, tc := range map[string]struct {
		refusals []control.Refusal
		want     bool
	}{
		"in force":          {nil, false},
		"refused":           {[]control.Refusal{fault}, false},
		"waits":             {[]control.Refusal{awaits, awaits}, true},
		"refused and waits": {[]control.Refusal{awaits, fault}, false},
	} {
		t.Run(name, func(t *testing.T) {
			if got := (control.Answer{Refusals: tc.refusals}).Waits(); got != tc.want {
				t.Errorf("waits: %t, want %t", got, tc.want)
			}
		})
	}
}

// Following a redirect would carry the token to somebody else.
func TestRedirectIsNotFollowed(t *testing.T) {
	var visited atomic.Bool
	elsewhere := service(t, func(w http.ResponseWriter, r *http.Request) {
		visited.Store(true)
		jsonAnswer(http.StatusOK, `{"database":{"ready":true}}`)(w, r)
	})
	for _, status := range []int{http.StatusFound, http.StatusTemporaryRedirect} {
		address := service(t, func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "http://"+elsewhere, status) })
		if _, err := control.NewClient("").Observe(t.Context(), address, "t"); err == nil {
			t.Errorf("a redirect with status %d is a state", status)
		}
		if _, err := control.NewClient("").Declare(t.Context(), address, "t", declaration); err == nil {
			t.Errorf("a redirect with status %d is an answer", status)
		}
	}
	if visited.Load() {
		t.Error("a redirect was followed")
	}
}

func TestDeclare(t *testing.T) {
	refusal := `{"inForce":{"uid":"uid-1","generation":6},"refusals":[{"field":"settings.timeZone","message":"unknown"}],"database":{"ready":true}}`
	for status, body := range map[int]string{
		http.StatusOK:                  `{"inForce":{"uid":"uid-1","generation":7},"database":{"ready":true}}`,
		http.StatusConflict:            `{"inForce":{"uid":"uid-1","generation":8},"database":{"ready":true}}`,
		http.StatusUnprocessableEntity: refusal,
		http.StatusServiceUnavailable:  `{"inForce":{},"database":{"ready":false,"reason":"Starting"}}`,
	} {
		var got control.Declaration
		address := service(t, func(w http.ResponseWriter, r *http.Request) {
			if r.Method != http.MethodPut || r.Header.Get("Content-Type") != "application/json" || r.Header.Get("Authorization") != "Bearer t" {
				t.Errorf("the request is %s with %v", r.Method, r.Header)
			}
			if err := control.Decode(r.Body, &got); err != nil {
				t.Error(err)
			}
			jsonAnswer(status, body)(w, r)
		})
		answer, err := control.NewClient("").Declare(t.Context(), address, "t", declaration)
		if err != nil {
			t.Errorf("status %d: %v", status, err)
		}
		var want control.Answer
		if err := json.Unmarshal([]byte(body), &want); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, answer); diff != "" {
			t.Errorf("answer with status %d (-want +got):\n%s", status, diff)
		}
		if diff := cmp.Diff(declaration, got); diff != "" {
			t.Errorf("what arrives (-want +got):\n%s", diff)
		}
	}
}

// With a dial address every call goes there, and the Host header says whom it is for.
func TestDialAddress(t *testing.T) {
	var host string
	address := service(t, func(w http.ResponseWriter, r *http.Request) {
		host = r.Host
		jsonAnswer(http.StatusOK, `{"version":"1"}`)(w, r)
	})
	if _, err := control.NewClient(address).Observe(t.Context(), "10.0.0.7:8081", "t"); err != nil {
		t.Fatal(err)
	}
	if host != "10.0.0.7:8081" {
		t.Errorf("the Host header is %q", host)
	}
}

// A service that hangs must not hold up the operator's other communities.
func TestHangingService(t *testing.T) {
	release := make(chan struct{})
	address := service(t, func(_ http.ResponseWriter, r *http.Request) {
		select {
		case <-release:
		case <-r.Context().Done():
		}
	})
	defer close(release)
	start := time.Now()
	_, err := control.NewClient("").Observe(t.Context(), address, "t")
	if took := time.Since(start); err == nil || took > 10*time.Second {
		t.Errorf("Observe of a service that hangs took %s: %v", took, err)
	}
	if errors.Is(err, control.ErrContract) {
		t.Errorf("silence is called a breach of the contract: %v", err)
	}
}

func TestNobodyListens(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := l.Addr().String()
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	_, err = control.NewClient("").Observe(t.Context(), address, "s3cret")
	if err == nil || errors.Is(err, control.ErrContract) {
		t.Errorf("Observe of nobody gives %v", err)
	}
	if err != nil && strings.Contains(err.Error(), "s3cret") {
		t.Errorf("the error gives the token away: %v", err)
	}
}

func TestCancelled(t *testing.T) {
	address := service(t, jsonAnswer(http.StatusOK, `{}`))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := control.NewClient("").Observe(ctx, address, "t"); !errors.Is(err, context.Canceled) {
		t.Errorf("Observe gives %v", err)
	}
}

func TestDecode(t *testing.T) {
	valid := `{"uid":"u","generation":1,"settings":{"baseURL":"https://a.example","brand":{"name":{"en":"A"},"colors":{}},"locales":["en"],"timeZone":"UTC"}}`
	tests := map[string]struct {
		body string
		ok   bool
	}{
		"a declaration":           {valid, true},
		"white space after it":    {valid + " \n", true},
		"an unknown field":        {strings.Replace(valid, `"uid"`, `"moderation":true,"uid"`, 1), false},
		"an unknown field inside": {strings.Replace(valid, `"colors":{}`, `"colors":{"link":"#ffffff"}`, 1), false},
		"a second value":          {valid + valid, false},
		"text after it":           {valid + "x", false},
		"nothing":                 {"", false},
		"another type":            {`{"uid":7}`, false},
		"cut":                     {valid[:40], false},
		"too long":                {`{"uid":"` + strings.Repeat("u", control.MaxDeclarationBytes) + `"}`, false},
		"too long by white space": {valid + strings.Repeat(" ", control.MaxDeclarationBytes), false},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			var d control.Declaration
			if err := control.Decode(strings.NewReader(test.body), &d); (err == nil) != test.ok {
				t.Errorf("Decode gives %v", err)
			}
		})
	}
}

// Equal settings have equal digests, and each setting counts.
func TestDigest(t *testing.T) {
	same := declaration.Settings
	same.Brand.Name = map[string]string{"en": "Lab", "fr": "Atelier"}
	if same.Digest() != declaration.Settings.Digest() {
		t.Error("the digest depends on the order of a map")
	}
	for name, change := range map[string]func(*control.Settings){
		"base URL":  func(s *control.Settings) { s.BaseURL = "http://other.example" },
		"hostnames": func(s *control.Settings) { s.Hostnames = append([]string{"x.example"}, s.Hostnames...) },
		"name":      func(s *control.Settings) { s.Brand.Name = map[string]string{"en": "Other"} },
		"tag line":  func(s *control.Settings) { s.Brand.TagLine = map[string]string{"en": "Yes"} },
		"logo":      func(s *control.Settings) { s.Brand.LogoURL = "https://x.example/l.svg" },
		"colour":    func(s *control.Settings) { s.Brand.Colors.Accent = "#ffffff" },
		"locales":   func(s *control.Settings) { s.Locales = []string{"en", "fr"} },
		"time zone": func(s *control.Settings) { s.TimeZone = "UTC" },
		"issuer":    func(s *control.Settings) { s.OIDC = &control.OIDC{IssuerURL: "https://other.example"} },
		"no issuer": func(s *control.Settings) { s.OIDC = nil },
	} {
		changed := declaration.Settings
		change(&changed)
		if changed.Digest() == declaration.Settings.Digest() {
			t.Errorf("another %s has the same digest", name)
		}
	}
}
