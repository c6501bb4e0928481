package webhooks_test

import (
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"

	"github.com/quaeso/community-operator/ideas"
	"github.com/quaeso/community-operator/ideas/postgres"
	"github.com/quaeso/community-operator/ideas/webhooks"
	"github.com/quaeso/community-operator/internal/control"
	"github.com/quaeso/community-operator/internal/testutil"
)

// receiver is a system that is told. It answers with the status that is set.
type receiver struct {
	*httptest.Server
	mutex    sync.Mutex
	status   int
	messages []message
}

type message struct {
	header http.Header
	body   []byte
}

func startReceiver(t *testing.T) *receiver {
	t.Helper()
	r := &receiver{status: http.StatusNoContent}
	r.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		body, _ := io.ReadAll(req.Body)
		r.mutex.Lock()
		defer r.mutex.Unlock()
		r.messages = append(r.messages, message{req.Header.Clone(), body})
		w.Header().Set("Location", "http://127.0.0.1:1/")
		w.WriteHeader(r.status)
	}))
	t.Cleanup(r.Close)
	return r
}

func (r *receiver) answers(status int) {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	r.status = status
}

func (r *receiver) received() []message {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	return append([]message(nil), r.messages...)
}

// community is a store with the worker, and a clock that the test moves.
type community struct {
	*postgres.Store
	db     *testutil.PostgresDatabase
	worker *webhooks.Worker
	mutex  sync.Mutex
	now    time.Time
}

func (c *community) clock() time.Time {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	return c.now
}

func (c *community) wait(d time.Duration) {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	c.now = c.now.Add(d)
}

func open(t *testing.T, allowPrivate bool, hooks ...control.Webhook) *community {
	t.Helper()
	c := &community{db: testutil.Postgres(t).Database(t), now: time.Now()}
	c.worker = webhooks.New(webhooks.Config{Store: func() webhooks.Store { return c }, AllowPrivate: allowPrivate, Logger: slog.New(slog.DiscardHandler)})
	settings := ideas.Settings{
		BaseURL: "https://ideas.brand.example", Locales: []string{"en"}, TimeZone: "Europe/Paris", Revision: "1", House: &control.House{Webhooks: hooks},
	}
	c.Store = postgres.New(postgres.Config{
		URI: func() (string, error) { return c.db.URI(), nil }, Fallback: &settings, Clock: c.clock, Logger: slog.New(slog.DiscardHandler),
		Jobs: []postgres.Jobs{{Register: c.worker.Register}}, TestOnly: true,
	})
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { defer close(done); c.Run(ctx) }()
	t.Cleanup(func() { stop(); <-done })
	ready, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	if err := c.WaitReady(ready); err != nil {
		t.Fatal(err)
	}
	return c
}

func (c *community) member(t *testing.T, name string) ideas.Member {
	t.Helper()
	session, err := c.SignInWith(t.Context(), ideas.Identity{Issuer: "https://i.example", Subject: name, Name: name, Email: name + "@brand.example", EmailVerified: true, Locale: "en"})
	if err != nil {
		t.Fatal(err)
	}
	m, err := c.Authenticate(t.Context(), session)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// event records one as the store does and has it dispatched.
func (c *community) event(t *testing.T, kind string, idea int64) {
	t.Helper()
	c.db.Exec(t, "INSERT INTO ideas.event (kind, idea_id) VALUES ('"+kind+"', nullif("+json.Number(itoa(idea)).String()+", 0))")
	eventually(t, "the event is dispatched", func() bool {
		return c.db.QueryInt(t, "SELECT count(*) FROM ideas.event WHERE NOT dispatched") == 0
	})
}

func itoa(n int64) string {
	raw, _ := json.Marshal(n)
	return string(raw)
}

func eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	deadline := time.Now().Add(time.Minute)
	for !holds() {
		if time.Now().After(deadline) {
			t.Fatalf("%s: not within a minute", what)
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// settled waits until no attempt at the webhook's deliveries is under way or to come. What the receiver has is not yet
// recorded: sent again before that, the delivery would be left to the attempt that it has.
func (c *community) settled(t *testing.T, webhook string) {
	t.Helper()
	eventually(t, "every delivery is recorded", func() bool {
		return c.db.QueryInt(t, "SELECT count(*) FROM ideas.webhook_delivery WHERE state = 'waiting' AND webhook = '"+webhook+"'") == 0
	})
}

// deliveries of a webhook once each has been tried.
func (c *community) deliveries(t *testing.T, webhook string) []ideas.Delivery {
	t.Helper()
	var all []ideas.Delivery
	eventually(t, "every delivery has been tried", func() bool {
		var err error
		if all, err = c.ListDeliveries(t.Context(), webhook, 0, 50); err != nil {
			t.Fatal(err)
		}
		for _, d := range all {
			if d.AttemptedAt.IsZero() && d.State == ideas.DeliveryWaiting {
				return false
			}
		}
		return true
	})
	return all
}

// An event is delivered once, signed with the secret that the lead was shown, and after another was made with both.
func TestDelivery(t *testing.T) {
	r := startReceiver(t)
	c := open(t, true, control.Webhook{Name: "board", URL: r.URL + "/hook", Events: []string{"idea.selected"}})
	m := c.member(t, "ada")
	idea, err := c.SubmitIdea(t.Context(), m.ID, "", "A lamp", "Text")
	if err != nil {
		t.Fatal(err)
	}
	secret, err := c.RenewWebhookSecret(t.Context(), m.ID, "board")
	if err != nil {
		t.Fatal(err)
	}
	c.event(t, "idea.selected", idea.ID)
	c.event(t, "idea.launched", idea.ID)
	eventually(t, "the event is delivered", func() bool { return len(r.received()) > 0 })
	got := r.received()[0]
	verify := func(secret string) error {
		w, err := standardwebhooks.NewWebhook(secret)
		if err != nil {
			return err
		}
		return w.Verify(got.body, got.header)
	}
	if err := verify(secret); err != nil {
		t.Errorf("the signature: %v", err)
	}
	var payload struct {
		Type string
		Data struct {
			Idea struct {
				ID         int64
				URL, Title string
				Supporters *int
			}
		}
	}
	if err := json.Unmarshal(got.body, &payload); err != nil {
		t.Fatal(err)
	}
	if payload.Type != "idea.selected" || payload.Data.Idea.Title != "A lamp" || payload.Data.Idea.Supporters == nil ||
		payload.Data.Idea.URL != "https://ideas.brand.example/ideas/"+itoa(idea.ID)+"-a-lamp" {
		t.Errorf("payload: %s", got.body)
	}
	if strings.Contains(string(got.body), "ada") {
		t.Errorf("the payload names a member: %s", got.body)
	}
	renewed, err := c.RenewWebhookSecret(t.Context(), m.ID, "board")
	if err != nil {
		t.Fatal(err)
	}
	c.settled(t, "board")
	d := c.deliveries(t, "board")[0]
	if d.State != ideas.DeliveryDelivered || d.Status != http.StatusNoContent || len(c.deliveries(t, "board")) != 1 {
		t.Errorf("the log: %+v", c.deliveries(t, "board"))
	}
	again := func(n int) {
		c.settled(t, "board")
		if err := c.Redeliver(t.Context(), m.ID, d.ID); err != nil {
			t.Fatal(err)
		}
		eventually(t, "it is sent again", func() bool { return len(r.received()) == n })
		got = r.received()[n-1]
	}
	again(2)
	if err := verify(secret); err != nil {
		t.Errorf("the former secret within a day: %v", err)
	}
	if err := verify(renewed); err != nil {
		t.Errorf("the new secret: %v", err)
	}
	if got.header.Get("webhook-id") != r.received()[0].header.Get("webhook-id") {
		t.Error("sent again, it is another message")
	}
	c.settled(t, "board")
	c.wait(ideas.SecretOverlap)
	again(3)
	if err := verify(secret); err == nil {
		t.Error("the former secret signs after a day")
	}
	if n := c.db.QueryInt(t, "SELECT count(*) FROM ideas.audit WHERE action LIKE 'webhook.%'"); n != 4 {
		t.Errorf("%d entries in the audit log, want 4", n)
	}
}

// A condition on a count is told once for each idea, any other each time.
func TestConditions(t *testing.T) {
	r := startReceiver(t)
	c := open(t, true,
		control.Webhook{Name: "crossed", URL: r.URL, Condition: "supporters >= 2"},
		control.Webhook{Name: "each", URL: r.URL, Condition: `idea.state == "gathering"`},
		control.Webhook{Name: "tagged", URL: r.URL, Condition: `"tent" in idea.tags && idea.theme == ""`},
		control.Webhook{Name: "other tag", URL: r.URL, Condition: `"lamp" in idea.tags`},
		control.Webhook{Name: "broken", URL: r.URL, Condition: "supporters >="},
		control.Webhook{Name: "other", URL: r.URL, Events: []string{"idea.launched"}})
	m, other := c.member(t, "ada"), c.member(t, "lou")
	idea, err := c.SubmitIdea(t.Context(), m.ID, "", "A lamp", "Text")
	if err != nil {
		t.Fatal(err)
	}
	eventually(t, "what the idea recorded is dispatched", func() bool {
		return c.db.QueryInt(t, "SELECT count(*) FROM ideas.event WHERE NOT dispatched") == 0
	})
	c.db.Exec(t, "DELETE FROM ideas.webhook_delivery")
	c.db.Exec(t, "UPDATE ideas.idea SET tags = '{hiking,tent}'")
	support := func(m ideas.Member, on bool) {
		if _, err := c.SetSupport(t.Context(), m.ID, idea.ID, on); err != nil {
			t.Fatal(err)
		}
		c.event(t, "test.supported", idea.ID)
	}
	support(m, true)
	support(other, true)
	support(other, false)
	support(other, true)
	c.event(t, "test.unrelated", 0)
	count := func(webhook string) int {
		n := 0
		for _, d := range c.deliveries(t, webhook) {
			if d.Kind == "test.supported" || d.Kind == "test.unrelated" {
				n++
			}
		}
		return n
	}
	got := map[string]int{}
	for _, name := range []string{"crossed", "each", "broken", "other", "tagged", "other tag"} {
		got[name] = count(name)
	}
	if n := c.db.QueryInt(t, "SELECT count(*) FROM ideas.webhook_delivery WHERE webhook = 'crossed'"); n != 1 {
		t.Errorf("the count was told %d times, want once", n)
	}
	got["crossed"] = 1
	if d := c.deliveries(t, "tagged"); len(d) == 0 || !strings.Contains(string(d[0].Payload), `"tags":["hiking","tent"]`) {
		t.Errorf("the payload has not the idea's tags: %s", d[0].Payload)
	}
	if diff := cmp.Diff(map[string]int{"crossed": 1, "each": 4, "broken": 0, "other": 0, "tagged": 4, "other tag": 0}, got); diff != "" {
		t.Errorf("deliveries (-want +got):\n%s", diff)
	}
}

// What fails is tried again, and said in the log; after days without a success nothing more is sent until somebody enables it.
func TestFailures(t *testing.T) {
	r := startReceiver(t)
	c := open(t, true, control.Webhook{Name: "board", URL: r.URL + "/secret-path", Events: []string{"idea.selected"}})
	m := c.member(t, "ada")
	r.answers(http.StatusInternalServerError)
	c.event(t, "idea.selected", 0)
	eventually(t, "it is tried again", func() bool { return len(r.received()) > 1 })
	d := c.deliveries(t, "board")[0]
	if d.State != ideas.DeliveryWaiting || d.Status != 500 || d.Failure != "answered 500 Internal Server Error" {
		t.Errorf("the log: %+v", d)
	}
	r.answers(http.StatusFound)
	c.event(t, "idea.selected", 0)
	eventually(t, "a redirect is not followed", func() bool { return strings.Contains(c.deliveries(t, "board")[0].Failure, "redirect") })
	state := func() ideas.WebhookState {
		all, err := c.ListWebhooks(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return all[0]
	}
	if s := state(); s.FailingSince.IsZero() || !s.DisabledAt.IsZero() || s.Waiting != 2 {
		t.Errorf("after a few failures: %+v", s)
	}
	c.wait(ideas.WebhookPatience + time.Hour)
	c.event(t, "idea.selected", 0)
	eventually(t, "it is disabled", func() bool { return !state().DisabledAt.IsZero() })
	if n := c.db.QueryInt(t, "SELECT count(*) FROM ideas.event WHERE kind = 'webhook.disabled' AND data->>'webhook' = 'board'"); n != 1 {
		t.Errorf("%d events say so, want 1", n)
	}
	before, logged := len(r.received()), c.db.QueryInt(t, "SELECT count(*) FROM ideas.webhook_delivery")
	c.event(t, "idea.selected", 0)
	if n := c.db.QueryInt(t, "SELECT count(*) FROM ideas.webhook_delivery"); n != logged {
		t.Errorf("%d deliveries: something is sent to a disabled webhook", n)
	}
	r.answers(http.StatusOK)
	if err := c.EnableWebhook(t.Context(), m.ID, "board"); err != nil {
		t.Fatal(err)
	}
	c.event(t, "idea.selected", 0)
	eventually(t, "it is delivered", func() bool { return c.deliveries(t, "board")[0].State == ideas.DeliveryDelivered })
	if s := state(); !s.FailingSince.IsZero() || s.LastSuccess.IsZero() || len(r.received()) <= before {
		t.Errorf("after a success: %+v", s)
	}
	r.answers(http.StatusGone)
	c.event(t, "idea.selected", 0)
	eventually(t, "a receiver that is gone is left alone", func() bool { return !state().DisabledAt.IsZero() })
}

// Whoever writes the house rules must not reach what only the service can.
func TestPrivateAddressesAreNotCalled(t *testing.T) {
	r := startReceiver(t)
	inside := strings.Replace(r.URL, "http:", "https:", 1)
	c := open(t, false, control.Webhook{Name: "inside", URL: inside}, control.Webhook{Name: "plain", URL: r.URL},
		control.Webhook{Name: "name", URL: strings.Replace(inside, "127.0.0.1", "localhost", 1)}, control.Webhook{Name: "metadata", URL: "https://169.254.169.254/latest"})
	c.event(t, "test.any", 0)
	for webhook, want := range map[string]string{
		"inside": "the address is not a public one", "name": "the address is not a public one", "metadata": "the address is not a public one",
		"plain": "only https is allowed",
	} {
		if d := c.deliveries(t, webhook); len(d) != 1 || !strings.Contains(d[0].Failure, want) {
			t.Errorf("%s: %+v, want %q", webhook, d, want)
		}
	}
	if n := len(r.received()); n != 0 {
		t.Errorf("the receiver inside was called %d times", n)
	}
}
