package programme

import (
	"context"
	"crypto/rand"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/quaeso/community-operator/ideas"
	"github.com/quaeso/community-operator/ideas/postgres"
	"github.com/quaeso/community-operator/ideas/web"
	"github.com/quaeso/community-operator/internal/control"
	"github.com/quaeso/community-operator/internal/testutil"
)

// Service is a real idea service of one community, on a real database.
type Service struct {
	testing.TB
	Store *postgres.Store
	DB    *testutil.PostgresDatabase
	// Address and Token of its control port.
	Address, Token string

	control http.Handler
	client  *control.Client

	mu     sync.Mutex
	now    time.Time
	answer http.Handler
	calls  map[string]int
}

// startService starts one on an empty database.
func startService(t testing.TB, client *control.Client, address string) *Service {
	t.Helper()
	s := &Service{TB: t, Address: address, Token: rand.Text(), client: client, calls: map[string]int{}, DB: migrated(t)}
	uri := s.DB.URI()
	s.Store = postgres.New(postgres.Config{
		URI: func() (string, error) { return uri, nil }, Clock: s.Now, TestOnly: true, Logger: slog.New(slog.DiscardHandler),
	})
	run(t, s.Store)
	s.control = web.NewControl(web.ControlConfig{
		Declarations: s.Store, Settings: s.Store, Token: func() (string, error) { return s.Token, nil },
		Locales: []string{"en", "fr"}, Version: "v1.0.0", Logger: slog.New(slog.DiscardHandler),
	})
	return s
}

func run(t testing.TB, store *postgres.Store) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { defer close(done); store.Run(ctx) }()
	t.Cleanup(func() { cancel(); <-done })
	ready, stop := context.WithTimeout(t.Context(), time.Minute)
	defer stop()
	if err := store.WaitReady(ready); err != nil {
		t.Fatal(err)
	}
}

func migrated(t testing.TB) *testutil.PostgresDatabase {
	t.Helper()
	return testutil.Postgres(t).DatabaseFrom(t, "migrated", func(uri string) error {
		ctx, cancel := context.WithCancel(context.Background())
		store := postgres.New(postgres.Config{URI: func() (string, error) { return uri, nil }, Logger: slog.New(slog.DiscardHandler)})
		done := make(chan struct{})
		go func() { defer close(done); store.Run(ctx) }()
		defer func() { cancel(); <-done }() // a template must have no connection left
		return store.WaitReady(ctx)
	})
}

// Now is the service's time: the machine's, unless SetClock has set it.
func (s *Service) Now() time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.now.IsZero() {
		return time.Now()
	}
	return s.now
}

// SetClock stops the service's clock at a time.
func (s *Service) SetClock(now time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.now = now
}

// Answer has somebody else answer on the control port; nil gives it back to the service.
func (s *Service) Answer(h http.Handler) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.answer = h
}

// Calls counts the calls of a method to paths that begin with a prefix.
func (s *Service) Calls(method, prefix string) (n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for call, times := range s.calls {
		if strings.HasPrefix(call, method+" "+prefix) {
			n += times
		}
	}
	return n
}

// ServeHTTP answers control calls.
func (s *Service) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	h := s.answer
	s.calls[r.Method+" "+r.URL.Path]++
	s.mu.Unlock()
	if h == nil {
		h = s.control
	}
	h.ServeHTTP(w, r)
}

// Control is the service's own handler, for answers that only sometimes are another.
func (s *Service) Control() http.Handler { return s.control }

// Declare declares settings, as the Community's controller does.
func (s *Service) Declare(d control.Declaration) {
	s.Helper()
	answer, err := s.client.Declare(s.Context(), s.Address, s.Token, d)
	if err != nil || answer.InForce.Digest != d.Settings.Digest() {
		s.Fatalf("declare the settings: %+v, %v", answer, err)
	}
}

// Known is what the service knows of an object.
func (s *Service) Known(uid string) control.KnownObject {
	s.Helper()
	list, err := s.client.Objects(s.Context(), s.Address, s.Token)
	if err != nil {
		s.Fatal(err)
	}
	for _, o := range list.Objects {
		if o.UID == uid {
			return o
		}
	}
	return control.KnownObject{}
}

// Member makes somebody of a name.
func (s *Service) Member(name string) ideas.Member {
	s.Helper()
	session, err := s.Store.SignInWith(s.Context(), ideas.Identity{
		Issuer: "https://issuer.example", Subject: name, Name: name, Locale: "en",
		Email: url.QueryEscape(strings.ToLower(name)) + "@members.example", EmailVerified: true,
	})
	if err != nil {
		s.Fatal(err)
	}
	m, err := s.Store.Authenticate(s.Context(), session)
	if err != nil {
		s.Fatal(err)
	}
	return m
}

// Happen has something happen that changes nothing.
func (s *Service) Happen() {
	s.Helper()
	s.DB.Exec(s.TB, "INSERT INTO ideas.event (kind, dispatched) VALUES ('test.happened', true)")
}

// Challenge is one in force, by its name.
func (s *Service) Challenge(name string) *ideas.Challenge {
	s.Helper()
	for _, c := range s.Store.Programme(s.Context()).Challenges {
		if c.Name == name {
			return c
		}
	}
	s.Fatalf("no challenge %s is in force", name)
	return nil
}

// Entry submits an idea to a challenge.
func (s *Service) Entry(author ideas.Member, challenge, title string) ideas.Idea {
	s.Helper()
	idea, err := s.Store.SubmitEntry(s.Context(), author.ID, s.Challenge(challenge), "", ideas.Content{Title: title, Body: "As it is said."}, nil)
	if err != nil {
		s.Fatal(err)
	}
	return idea
}

// Support supports an idea.
func (s *Service) Support(member ideas.Member, idea ideas.Idea) {
	s.Helper()
	if _, err := s.Store.SetSupport(s.Context(), member.ID, idea.ID, true); err != nil {
		s.Fatal(err)
	}
}

// controlPorts stands for the control ports of all communities: the Host header tells which one is meant.
type controlPorts struct {
	mu       sync.Mutex
	services map[string]*Service // by address
}

// ServeHTTP implements http.Handler.
func (p *controlPorts) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	p.mu.Lock()
	service := p.services[r.Host]
	p.mu.Unlock()
	if service == nil {
		HangUp(w, r)
		return
	}
	service.ServeHTTP(w, r)
}

func (p *controlPorts) set(address string, s *Service) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.services[address] = s
}

// HangUp ends a connection without an answer, as where nobody listens.
func HangUp(w http.ResponseWriter, _ *http.Request) {
	hijacker, ok := w.(http.Hijacker)
	if !ok { // somebody stands between
		w.WriteHeader(http.StatusBadGateway)
		return
	}
	if conn, _, err := hijacker.Hijack(); err == nil {
		_ = conn.Close()
	}
}
