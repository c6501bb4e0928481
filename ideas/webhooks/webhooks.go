// Package webhooks sends events to the addresses that a community declares, signed as standard-webhooks says.
package webhooks

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/riverqueue/river"
	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"

	"github.com/quaeso/community-operator/ideas"
	"github.com/quaeso/community-operator/ideas/publichttp"
)

const (
	// callTimeout bounds one attempt.
	callTimeout = 15 * time.Second
	// maxAnswer bounds what is read of an answer, in bytes; nothing of it is used.
	maxAnswer = 16 << 10
)

// Store is what the worker needs of the community's store.
type Store interface {
	ClaimDelivery(ctx context.Context, id int64) (ideas.OutgoingDelivery, error)
	RecordDelivery(ctx context.Context, id int64, o ideas.DeliveryOutcome) error
}

// Config of a worker.
type Config struct {
	// Store is asked for with every job, since the queue is the store's own.
	Store func() Store
	// AllowPrivate allows private addresses and plain http, for tests and local work.
	AllowPrivate bool
	Logger       *slog.Logger
	// Result counts attempts.
	Result func(delivered bool)
}

// Worker sends deliveries.
type Worker struct {
	river.WorkerDefaults[ideas.WebhookJob]
	config Config
	client *http.Client
}

// New makes a worker.
func New(config Config) *Worker {
	return &Worker{config: config, client: publichttp.New(publichttp.Options{
		Timeout: callTimeout, MaxAnswer: maxAnswer, AllowPrivate: config.AllowPrivate,
	})}
}

// Register adds the worker to the queue's.
func (w *Worker) Register(workers *river.Workers) { river.AddWorker(workers, w) }

// Work sends one delivery. An error makes the queue try again, later each time.
func (w *Worker) Work(ctx context.Context, job *river.Job[ideas.WebhookJob]) error {
	d, err := w.config.Store().ClaimDelivery(ctx, job.Args.Delivery)
	if errors.Is(err, ideas.ErrNotFound) {
		return nil // there is nothing left to send
	}
	if err != nil {
		return fmt.Errorf("claim a delivery: %w", err)
	}
	outcome := w.send(ctx, d)
	outcome.Final = job.Attempt >= job.MaxAttempts
	if w.config.Result != nil {
		w.config.Result(outcome.Failure == "")
	}
	if err := w.config.Store().RecordDelivery(ctx, d.ID, outcome); err != nil {
		return fmt.Errorf("record a delivery: %w", err)
	}
	if outcome.Failure == "" || outcome.Gone {
		return nil
	}
	w.config.Logger.Debug("webhook not delivered", "webhook", d.Webhook, "delivery", d.ID, "attempt", job.Attempt, "failure", outcome.Failure)
	return fmt.Errorf("webhook %s: %s", d.Webhook, outcome.Failure)
}

// send makes one attempt. What is kept of a failure names no more of the address than its host: a path may hold a secret.
func (w *Worker) send(ctx context.Context, d ideas.OutgoingDelivery) ideas.DeliveryOutcome {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, d.URL, bytes.NewReader(d.Payload))
	if err != nil {
		return ideas.DeliveryOutcome{Failure: "the address cannot be read"}
	}
	now := time.Now()
	signatures := make([]string, len(d.Secrets))
	for i, secret := range d.Secrets {
		signer, err := standardwebhooks.NewWebhookRaw(secret)
		if err == nil {
			signatures[i], err = signer.Sign(d.Message, now, d.Payload)
		}
		if err != nil {
			return ideas.DeliveryOutcome{Failure: "cannot be signed"}
		}
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("User-Agent", "community-operator-webhooks/1")
	request.Header.Set(standardwebhooks.HeaderWebhookID, d.Message)
	request.Header.Set(standardwebhooks.HeaderWebhookTimestamp, strconv.FormatInt(now.Unix(), 10))
	request.Header.Set(standardwebhooks.HeaderWebhookSignature, strings.Join(signatures, " "))
	response, err := w.client.Do(request)
	if err != nil {
		return ideas.DeliveryOutcome{Failure: failureOf(err)}
	}
	defer response.Body.Close()
	// Read so that the connection can be used again; what it says does not matter.
	_, _ = io.Copy(io.Discard, response.Body)
	outcome := ideas.DeliveryOutcome{Status: response.StatusCode}
	switch {
	case response.StatusCode >= 200 && response.StatusCode < 300:
	case response.StatusCode >= 300 && response.StatusCode < 400:
		outcome.Failure = "answered with a redirect, which is not followed: declare the address that it leads to"
	case response.StatusCode == http.StatusGone:
		outcome.Failure, outcome.Gone = "answered that it wants nothing more (410 Gone)", true
	default:
		outcome.Failure = "answered " + strconv.Itoa(response.StatusCode) + " " + http.StatusText(response.StatusCode)
	}
	return outcome
}

func failureOf(err error) string {
	var timeout interface{ Timeout() bool }
	switch {
	case errors.Is(err, publichttp.ErrPrivateAddress):
		return "the address is not a public one"
	case errors.As(err, &timeout) && timeout.Timeout():
		return "did not answer within " + callTimeout.String()
	}
	if whole := (*url.Error)(nil); errors.As(err, &whole) {
		err = whole.Err // without the address
	}
	return err.Error()
}
