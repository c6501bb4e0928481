package ideas

import (
	"context"
	"time"
)

// Bounds of webhooks.
const (
	// MaxWebhooks of a community.
	MaxWebhooks = 20
	// WebhookPatience is how long a webhook may fail without any success before nothing more is sent to it.
	WebhookPatience = 3 * 24 * time.Hour
	// WebhookAttempts of one delivery, with growing pauses: about three days.
	WebhookAttempts = 17
	// SecretOverlap is how long the former secret signs too after another was made.
	SecretOverlap = 24 * time.Hour
)

// States of a delivery.
const (
	DeliveryWaiting   = "waiting"
	DeliveryDelivered = "delivered"
	// DeliveryFailed is given up; the team may have it sent again.
	DeliveryFailed = "failed"
)

// WebhookJob sends one delivery.
type WebhookJob struct {
	Delivery int64 `json:"delivery"`
}

// Kind implements the queue's arguments of a job.
func (WebhookJob) Kind() string { return "webhook" }

// OutgoingDelivery is what is to be sent.
type OutgoingDelivery struct {
	ID      int64
	Webhook string
	URL     string
	// Message identifies it to the receiver, the same for every attempt.
	Message string
	Payload []byte
	// Secrets that sign it: the present one and, for a day, the former.
	Secrets [][]byte
}

// DeliveryOutcome is what came of an attempt.
type DeliveryOutcome struct {
	// Status that the receiver answered; 0 where there was no answer.
	Status int
	// Failure says what went wrong; empty when it was delivered.
	Failure string
	// Final tells that it is not tried again.
	Final bool
	// Gone tells that the receiver wants nothing more (410).
	Gone bool
}

// Delivery of an event to a webhook, for the log.
type Delivery struct {
	ID       int64
	Webhook  string
	Kind     EventKind
	State    string
	Attempts int
	Status   int
	Failure  string
	// AttemptedAt is zero before the first attempt.
	CreatedAt, AttemptedAt time.Time
	Payload                []byte
}

// WebhookState is how a declared webhook stands.
type WebhookState struct {
	Name, URL, Condition string
	Events               []string
	// HasSecret tells that somebody has been shown a secret.
	HasSecret bool
	// FailingSince, LastSuccess and DisabledAt are zero where there was none.
	FailingSince, LastSuccess, DisabledAt time.Time
	// Waiting deliveries.
	Waiting int
}

// WebhookStore keeps deliveries and how webhooks stand. What is sent where is declared with the house rules.
type WebhookStore interface {
	// ClaimDelivery returns what a job is to send, or ErrNotFound when nothing is: it has been delivered, its webhook is
	// no longer declared, or disabled.
	ClaimDelivery(ctx context.Context, id int64) (OutgoingDelivery, error)
	// RecordDelivery keeps the outcome of an attempt. A webhook that has failed for longer than WebhookPatience is disabled.
	RecordDelivery(ctx context.Context, id int64, o DeliveryOutcome) error
	// ListWebhooks returns those that are declared.
	ListWebhooks(ctx context.Context) ([]WebhookState, error)
	// ListDeliveries returns a webhook's, the newest first, from before the one with that id (0: from the newest).
	ListDeliveries(ctx context.Context, webhook string, before int64, limit int) ([]Delivery, error)
	// Redeliver sends a delivery again.
	Redeliver(ctx context.Context, actor, delivery int64) error
	// RenewWebhookSecret makes another secret, which is returned here and nowhere else.
	RenewWebhookSecret(ctx context.Context, actor int64, webhook string) (secret string, err error)
	// EnableWebhook takes up sending to one that was disabled.
	EnableWebhook(ctx context.Context, actor int64, webhook string) error
}
