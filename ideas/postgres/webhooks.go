package postgres

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/jackc/pgx/v5"
	"github.com/riverqueue/river"

	"github.com/quaeso/community-operator/ideas"
	"github.com/quaeso/community-operator/internal/control"
	"github.com/quaeso/community-operator/internal/rules"
)

const (
	// secretBytes of a webhook, as standard-webhooks recommends.
	secretBytes = 32
	// secretPrefix begins a secret as it is shown.
	secretPrefix = "whsec_"
	// maxFailure bounds what is kept of a failure, in characters.
	maxFailure = 300
)

// conditions are those of the declared webhooks, compiled when they are first needed and forgotten when no webhook has
// them any more.
type conditions struct {
	mutex    sync.Mutex
	compiled map[string]*rules.EventCondition
}

// of gives a condition; nil for none, or for one that the rules no longer know.
func (c *conditions) of(text string) (*rules.EventCondition, error) {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	if known, ok := c.compiled[text]; ok {
		return known, nil
	}
	condition, err := rules.CompileEventCondition(text)
	if err != nil {
		return nil, fmt.Errorf("read a webhook's condition: %w", err)
	}
	if c.compiled == nil || len(c.compiled) >= 2*ideas.MaxWebhooks {
		c.compiled = map[string]*rules.EventCondition{}
	}
	c.compiled[text] = condition
	return condition, nil
}

func (s *Store) declaredWebhooks() []control.Webhook {
	settings, ok := s.Current(context.Background())
	if !ok || settings.House == nil {
		return nil
	}
	return settings.House.Webhooks
}

func (s *Store) declaredWebhook(name string) (control.Webhook, bool) {
	all := s.declaredWebhooks()
	i := slices.IndexFunc(all, func(w control.Webhook) bool { return w.Name == name })
	if i < 0 {
		return control.Webhook{}, false
	}
	return all[i], true
}

// callWebhooks is the consumer that writes a delivery, and the job that sends it, for each webhook that an event is for.
func (s *Store) callWebhooks(ctx context.Context, tx pgx.Tx, events []ideas.Event) error {
	declared := s.declaredWebhooks()
	if len(declared) == 0 {
		return nil
	}
	off, err := disabledWebhooks(ctx, tx)
	if err != nil {
		return err
	}
	for _, e := range events {
		var about *eventSubject
		for _, w := range declared {
			if off[w.Name] == w.URL || len(w.Events) > 0 && !slices.Contains(w.Events, string(e.Kind)) {
				continue
			}
			if about == nil {
				if about, err = s.eventSubject(ctx, tx, e); err != nil {
					return err
				}
			}
			if wanted, err := s.meets(ctx, tx, w, about); err != nil {
				return err
			} else if !wanted {
				continue
			}
			if err := s.addDelivery(ctx, tx, w, about); err != nil {
				return err
			}
		}
	}
	return nil
}

// disabledWebhooks are the addresses to which nothing is sent, by the name of the webhook.
func disabledWebhooks(ctx context.Context, tx pgx.Tx) (map[string]string, error) {
	rows, err := tx.Query(ctx, "SELECT name, url FROM webhook WHERE disabled_at IS NOT NULL")
	if err != nil {
		return nil, fmt.Errorf("list disabled webhooks: %w", err)
	}
	off := map[string]string{}
	var name, url string
	if _, err := pgx.ForEachRow(rows, []any{&name, &url}, func() error { off[name] = url; return nil }); err != nil {
		return nil, fmt.Errorf("list disabled webhooks: %w", err)
	}
	return off, nil
}

// eventSubject is an event with what it is about, as it is now.
type eventSubject struct {
	event     ideas.Event
	idea      *webhookIdea
	challenge *ideas.Challenge
	// supporters of the idea, also where they are hidden: the condition is the brand's own. tags likewise.
	supporters int
	tags       []string
}

// webhookIdea is an idea in a payload.
type webhookIdea struct {
	ID int64 `json:"id"`
	// URL and Title are absent for an idea that is not published, or not for everybody to see.
	URL   string `json:"url,omitempty"`
	Title string `json:"title,omitempty"`
	State string `json:"state"`
	// Supporters is absent while the challenge hides counts.
	Supporters *int   `json:"supporters,omitempty"`
	Comments   int    `json:"comments"`
	Theme      string `json:"theme,omitempty"`
	// Tags is absent where the title is.
	Tags []string `json:"tags,omitempty"`
}

func (s *Store) eventSubject(ctx context.Context, tx pgx.Tx, e ideas.Event) (*eventSubject, error) {
	about := &eventSubject{event: e}
	challenge := e.Challenge
	if e.Idea != 0 {
		var i webhookIdea
		var slug string
		var visible bool
		err := tx.QueryRow(ctx, `SELECT i.id, i.slug, i.title, i.state, i.visible, t.supporters, t.comments, i.theme, i.tags, coalesce(i.challenge_id, 0)
			FROM idea i JOIN tally t ON t.idea_id = i.id WHERE i.id = $1`, e.Idea).
			Scan(&i.ID, &slug, &i.Title, &i.State, &visible, &about.supporters, &i.Comments, &i.Theme, &about.tags, &challenge)
		if err != nil && !errors.Is(err, pgx.ErrNoRows) {
			return nil, fmt.Errorf("read the idea of an event: %w", err)
		}
		if err == nil {
			about.idea, i.Tags = &i, about.tags
			settings, _ := s.Current(ctx)
			if i.URL = fmt.Sprintf("%s/ideas/%d-%s", settings.BaseURL, i.ID, slug); !visible || s.Programme(ctx).Concealed[challenge] != "" {
				i.URL, i.Title, i.Tags = "", "", nil
			}
		}
	}
	about.challenge = s.Programme(ctx).ChallengeByID(challenge)
	if about.idea != nil && (about.challenge == nil || !about.challenge.CountsHidden(s.config.Clock())) {
		about.idea.Supporters = &about.supporters
	}
	return about, nil
}

func (a *eventSubject) facts(zone *time.Location) rules.Facts {
	f := rules.Facts{Event: string(a.event.Kind), Time: a.event.At.In(zone)}
	if a.idea != nil {
		f.Idea = rules.IdeaFacts{
			State: a.idea.State, Supporters: int64(a.supporters), Comments: int64(a.idea.Comments), Theme: a.idea.Theme, Tags: a.tags,
		}
	}
	if a.challenge != nil {
		f.Challenge.Name, f.Challenge.Type, f.Challenge.Theme = a.challenge.Name, a.challenge.Spec.Type, a.challenge.Spec.Theme
	}
	return f
}

// meets tells whether an event is to be told. A condition on a count is met once by each idea: the primary key holds that.
func (s *Store) meets(ctx context.Context, tx pgx.Tx, w control.Webhook, about *eventSubject) (bool, error) {
	if w.Condition == "" {
		return true, nil
	}
	condition, err := s.conditions.of(w.Condition)
	if err != nil {
		// It was checked when it was declared; what is wrong with it must not hold the other webhooks back.
		s.log.Error("a webhook's condition cannot be read", "webhook", w.Name, "error", err)
		return false, nil
	}
	holds, err := condition.Holds(about.facts(s.zone()))
	if err != nil || !holds {
		return false, nil //nolint:nilerr // what cannot be computed, such as a division by zero, does not hold
	}
	if !condition.Counts() {
		return true, nil
	}
	if about.idea == nil {
		return false, nil // a count of nothing
	}
	tag, err := tx.Exec(ctx, "INSERT INTO webhook_crossing (webhook, condition, idea_id) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING",
		w.Name, w.Condition, about.idea.ID)
	if err != nil {
		return false, fmt.Errorf("note that a condition is met: %w", err)
	}
	return tag.RowsAffected() > 0, nil
}

// webhookPayload is what is sent, in the shape that standard-webhooks recommends. It names members by number alone.
type webhookPayload struct {
	Type      string      `json:"type"`
	Timestamp time.Time   `json:"timestamp"`
	Data      webhookData `json:"data"`
}

type webhookData struct {
	Event     int64          `json:"event"`
	Actor     int64          `json:"actor,omitempty"`
	Subject   int64          `json:"subject,omitempty"`
	Idea      *webhookIdea   `json:"idea,omitempty"`
	Challenge string         `json:"challenge,omitempty"`
	Comment   int64          `json:"comment,omitempty"`
	Detail    map[string]any `json:"detail,omitempty"`
}

func (s *Store) addDelivery(ctx context.Context, tx pgx.Tx, w control.Webhook, about *eventSubject) error {
	e := about.event
	payload := webhookPayload{string(e.Kind), e.At.UTC(), webhookData{
		Event: e.ID, Actor: e.Actor, Subject: e.Subject, Idea: about.idea, Comment: e.Comment, Detail: e.Data,
	}}
	if about.challenge != nil {
		payload.Data.Challenge = about.challenge.Name
	}
	raw, err := json.Marshal(payload)
	if err != nil {
		return fmt.Errorf("encode the payload of a webhook: %w", err)
	}
	// An address that was never called, or another one, starts afresh.
	_, err = tx.Exec(ctx, `INSERT INTO webhook AS w (name, url) VALUES ($1, $2)
		ON CONFLICT (name) DO UPDATE SET url = excluded.url, failing_since = NULL, disabled_at = NULL WHERE w.url <> excluded.url`, w.Name, w.URL)
	if err != nil {
		return fmt.Errorf("note a webhook: %w", err)
	}
	var id int64
	err = tx.QueryRow(ctx, `INSERT INTO webhook_delivery (webhook, event_id, kind, payload, created_at) VALUES ($1, $2, $3, $4, $5)
		ON CONFLICT (webhook, event_id) DO NOTHING RETURNING id`, w.Name, e.ID, e.Kind, raw, s.config.Clock()).Scan(&id)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("add a delivery: %w", err)
	}
	return s.enqueueDelivery(ctx, tx, id)
}

func (s *Store) enqueueDelivery(ctx context.Context, tx pgx.Tx, id int64) error {
	return s.enqueue(ctx, tx, ideas.WebhookJob{Delivery: id}, &river.InsertOpts{MaxAttempts: ideas.WebhookAttempts})
}

// ClaimDelivery implements ideas.WebhookStore.
func (s *Store) ClaimDelivery(ctx context.Context, id int64) (ideas.OutgoingDelivery, error) {
	d := ideas.OutgoingDelivery{ID: id, Message: fmt.Sprintf("msg_%d", id)}
	err := s.transact(ctx, "claim a delivery", func(tx pgx.Tx) error {
		err := tx.QueryRow(ctx, "SELECT webhook, payload FROM webhook_delivery WHERE id = $1 AND state = $2", id, ideas.DeliveryWaiting).
			Scan(&d.Webhook, &d.Payload)
		if err != nil {
			return err
		}
		giveUp := func(why string) error {
			d.Webhook = ""
			_, err := tx.Exec(ctx, "UPDATE webhook_delivery SET state = $2, failure = $3 WHERE id = $1", id, ideas.DeliveryFailed, why)
			return err
		}
		declared, ok := s.declaredWebhook(d.Webhook)
		if !ok {
			return giveUp("the webhook is no longer declared")
		}
		d.URL = declared.URL
		var secret, previous []byte
		var until *time.Time
		var disabled bool
		err = tx.QueryRow(ctx, `SELECT secret, previous_secret, previous_until, disabled_at IS NOT NULL AND url = $2 FROM webhook WHERE name = $1
			FOR NO KEY UPDATE`, d.Webhook, d.URL).Scan(&secret, &previous, &until, &disabled)
		if err != nil {
			return err
		}
		if disabled {
			return giveUp("the webhook is disabled")
		}
		if secret == nil {
			// Nobody has been shown one yet. It signs all the same: a receiver that checks learns nothing from a missing one.
			secret = newSecret()
			if _, err := tx.Exec(ctx, "UPDATE webhook SET secret = $2 WHERE name = $1", d.Webhook, secret); err != nil {
				return err
			}
		}
		d.Secrets = [][]byte{secret}
		if previous != nil && until != nil && s.config.Clock().Before(*until) {
			d.Secrets = append(d.Secrets, previous)
		}
		return nil
	})
	if err == nil && d.Webhook == "" {
		err = ideas.ErrNotFound
	}
	return d, err
}

func newSecret() []byte {
	secret := make([]byte, secretBytes)
	_, _ = rand.Read(secret) // never fails, see crypto/rand
	return secret
}

// RecordDelivery implements ideas.WebhookStore.
func (s *Store) RecordDelivery(ctx context.Context, id int64, o ideas.DeliveryOutcome) error {
	state := ideas.DeliveryWaiting
	switch {
	case o.Failure == "":
		state = ideas.DeliveryDelivered
	case o.Final || o.Gone:
		state = ideas.DeliveryFailed
	}
	if utf8.RuneCountInString(o.Failure) > maxFailure {
		o.Failure = string([]rune(o.Failure)[:maxFailure])
	}
	return s.transact(ctx, "record a delivery", func(tx pgx.Tx) error {
		now := s.config.Clock()
		var webhook string
		err := tx.QueryRow(ctx, `UPDATE webhook_delivery SET state = $2, attempts = least(attempts + 1, 32000), status = $3, failure = $4, attempted_at = $5
			WHERE id = $1 RETURNING webhook`, id, state, o.Status, o.Failure, now).Scan(&webhook)
		if err != nil {
			return err
		}
		if o.Failure == "" {
			_, err := tx.Exec(ctx, "UPDATE webhook SET failing_since = NULL, last_success_at = $2 WHERE name = $1", webhook, now)
			return err
		}
		tag, err := tx.Exec(ctx, `UPDATE webhook SET failing_since = coalesce(failing_since, $2),
				disabled_at = CASE WHEN $4 OR coalesce(failing_since, $2) <= $3 THEN $2 END
			WHERE name = $1 AND disabled_at IS NULL`, webhook, now, now.Add(-ideas.WebhookPatience), o.Gone)
		if err != nil || tag.RowsAffected() == 0 {
			return err
		}
		return s.tellDisabled(ctx, tx, webhook)
	})
}

// tellDisabled says in the audit log and as an event that a webhook has just been disabled.
func (s *Store) tellDisabled(ctx context.Context, tx pgx.Tx, webhook string) error {
	var disabled bool
	if err := tx.QueryRow(ctx, "SELECT disabled_at IS NOT NULL FROM webhook WHERE name = $1", webhook).Scan(&disabled); err != nil || !disabled {
		return err
	}
	detail := map[string]any{"webhook": webhook}
	if err := audit(ctx, tx, 0, "webhook.disabled", "webhook", 0, detail); err != nil {
		return err
	}
	// Other webhooks may be told of it, this one is not.
	return s.recordEvents(ctx, tx, ideas.Event{Kind: ideas.EventWebhookDisabled, Data: detail})
}

// ListWebhooks implements ideas.WebhookStore.
func (s *Store) ListWebhooks(ctx context.Context) ([]ideas.WebhookState, error) {
	pool, err := s.db()
	if err != nil {
		return nil, err
	}
	var all []ideas.WebhookState
	for _, w := range s.declaredWebhooks() {
		state := ideas.WebhookState{Name: w.Name, URL: w.URL, Condition: w.Condition, Events: w.Events}
		var failing, success, disabled *time.Time
		err := pool.QueryRow(ctx, `SELECT secret IS NOT NULL, failing_since, last_success_at, disabled_at,
				(SELECT count(*) FROM (SELECT FROM webhook_delivery d WHERE d.webhook = w.name AND d.state = 'waiting' LIMIT 1000) waiting)
			FROM webhook w WHERE name = $1 AND url = $2`, w.Name, w.URL).Scan(&state.HasSecret, &failing, &success, &disabled, &state.Waiting)
		if err != nil && !errors.Is(err, pgx.ErrNoRows) {
			return nil, s.failed("list webhooks", err)
		}
		state.FailingSince, state.LastSuccess, state.DisabledAt = orZero(failing), orZero(success), orZero(disabled)
		all = append(all, state)
	}
	return all, nil
}

// ListDeliveries implements ideas.WebhookStore.
func (s *Store) ListDeliveries(ctx context.Context, webhook string, before int64, limit int) ([]ideas.Delivery, error) {
	pool, err := s.db()
	if err != nil {
		return nil, err
	}
	rows, err := pool.Query(ctx, `SELECT id, webhook, kind, state, attempts, status, failure, created_at, coalesce(attempted_at, '0001-01-01'), payload
		FROM webhook_delivery WHERE webhook = $1 AND ($2 = 0 OR id < $2) ORDER BY id DESC LIMIT $3`, webhook, before, pageSize(limit))
	if err != nil {
		return nil, s.failed("list deliveries", err)
	}
	deliveries, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (ideas.Delivery, error) {
		var d ideas.Delivery
		err := row.Scan(&d.ID, &d.Webhook, &d.Kind, &d.State, &d.Attempts, &d.Status, &d.Failure, &d.CreatedAt, &d.AttemptedAt, &d.Payload)
		return d, err
	})
	if err != nil {
		return nil, s.failed("list deliveries", err)
	}
	return deliveries, nil
}

// Redeliver implements ideas.WebhookStore. One that waits is left to the job that it has.
func (s *Store) Redeliver(ctx context.Context, actor, delivery int64) error {
	return s.transact(ctx, "send a delivery again", func(tx pgx.Tx) error {
		var webhook, state string
		err := tx.QueryRow(ctx, "SELECT webhook, state FROM webhook_delivery WHERE id = $1 FOR NO KEY UPDATE", delivery).Scan(&webhook, &state)
		if err != nil || state == ideas.DeliveryWaiting {
			return err
		}
		if _, err := tx.Exec(ctx, "UPDATE webhook_delivery SET state = $2, failure = '' WHERE id = $1", delivery, ideas.DeliveryWaiting); err != nil {
			return err
		}
		if _, declared := s.declaredWebhook(webhook); !declared {
			return ideas.ErrNotFound
		}
		if err := audit(ctx, tx, actor, "webhook.redeliver", "webhook_delivery", delivery, map[string]any{"webhook": webhook}); err != nil {
			return err
		}
		return s.enqueueDelivery(ctx, tx, delivery)
	})
}

// RenewWebhookSecret implements ideas.WebhookStore.
func (s *Store) RenewWebhookSecret(ctx context.Context, actor int64, webhook string) (string, error) {
	declared, ok := s.declaredWebhook(webhook)
	if !ok {
		return "", ideas.ErrNotFound
	}
	secret := newSecret()
	err := s.transact(ctx, "renew the secret of a webhook", func(tx pgx.Tx) error {
		_, err := tx.Exec(ctx, `INSERT INTO webhook AS w (name, url, secret) VALUES ($1, $2, $3)
			ON CONFLICT (name) DO UPDATE SET secret = excluded.secret, previous_secret = w.secret, previous_until = $4`,
			webhook, declared.URL, secret, s.config.Clock().Add(ideas.SecretOverlap))
		if err != nil {
			return err
		}
		return audit(ctx, tx, actor, "webhook.secret", "webhook", 0, map[string]any{"webhook": webhook})
	})
	if err != nil {
		return "", err
	}
	return secretPrefix + base64.StdEncoding.EncodeToString(secret), nil
}

// EnableWebhook implements ideas.WebhookStore.
func (s *Store) EnableWebhook(ctx context.Context, actor int64, webhook string) error {
	if _, ok := s.declaredWebhook(webhook); !ok {
		return ideas.ErrNotFound
	}
	return s.transact(ctx, "enable a webhook", func(tx pgx.Tx) error {
		tag, err := tx.Exec(ctx, "UPDATE webhook SET disabled_at = NULL, failing_since = NULL WHERE name = $1 AND disabled_at IS NOT NULL", webhook)
		if err != nil || tag.RowsAffected() == 0 {
			return err
		}
		return audit(ctx, tx, actor, "webhook.enable", "webhook", 0, map[string]any{"webhook": webhook})
	})
}
