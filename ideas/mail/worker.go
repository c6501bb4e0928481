package mail

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"time"

	gomail "github.com/wneessen/go-mail"

	"github.com/quaeso/community-operator/ideas"
)

const (
	// sendTimeout stays below the outbox's first lease, so that no replica sends what another still sends.
	sendTimeout = 15 * time.Second
	// pollEvery is how often mails are looked for that nobody woke us for.
	pollEvery = 5 * time.Second
	// parallel bounds the connections to the SMTP server.
	parallel = 4
)

// Outbox holds the mails to be sent.
type Outbox interface {
	// MailWake has an item when a mail may wait.
	MailWake() <-chan struct{}
	// ClaimMail leases the next mail, or returns ideas.ErrNotFound.
	ClaimMail(ctx context.Context) (ideas.SignInMail, error)
	// IssueLink makes the token of a claimed mail.
	IssueLink(ctx context.Context, mail ideas.SignInMail) (token string, err error)
	// HandOverMail notes that a mail is about to be handed over to the server, or that the server has not taken it; one that
	// was handed over is not claimed again. ideas.ErrNotFound where somebody else has handed it over.
	HandOverMail(ctx context.Context, mail ideas.SignInMail, handedOver bool) error
	// MailSent removes a mail.
	MailSent(ctx context.Context, mail ideas.SignInMail) error
}

// Worker sends the mails of an outbox. Several replicas may have one each.
type Worker struct {
	Outbox   Outbox
	Settings ideas.SettingsSource
	// Config returns the SMTP server in force; false means that mail is off.
	Config func() (Config, bool, error)
	// LinkPath is the path of the page that redeems links.
	LinkPath string
	// Logger receives outcomes, without addresses and links.
	Logger *slog.Logger
	// Result is told of each attempt.
	Result func(sent bool)
}

// Run sends until the context ends, and returns when the sends under way are over.
func (w *Worker) Run(ctx context.Context) {
	tick := time.NewTicker(pollEvery)
	defer tick.Stop()
	for {
		w.drain(ctx)
		select {
		case <-ctx.Done():
			return
		case <-w.Outbox.MailWake():
		case <-tick.C:
		}
	}
}

// drain sends what waits, several at once.
func (w *Worker) drain(ctx context.Context) {
	config, on, err := w.Config()
	if err != nil {
		w.Logger.Error("mail settings refused", "error", err)
		return
	}
	settings, declared := w.Settings.Current(ctx)
	if !on || !declared {
		return
	}
	var wait sync.WaitGroup
	defer wait.Wait()
	slots := make(chan struct{}, parallel)
	for ctx.Err() == nil {
		slots <- struct{}{}
		mail, err := w.Outbox.ClaimMail(ctx)
		if err != nil {
			if !errors.Is(err, ideas.ErrNotFound) && !errors.Is(err, ideas.ErrUnavailable) && ctx.Err() == nil {
				w.Logger.Error("outbox not read", "error", err)
			}
			return
		}
		wait.Go(func() {
			defer func() { <-slots }()
			// A stop lets mails under way go out; a crash leaves them in the outbox.
			w.send(context.WithoutCancel(ctx), config, settings, mail)
		})
	}
}

func (w *Worker) send(ctx context.Context, config Config, settings ideas.Settings, mail ideas.SignInMail) {
	ctx, cancel := context.WithTimeout(ctx, sendTimeout)
	defer cancel()
	err := w.deliver(ctx, config, settings, mail)
	if w.Result != nil {
		w.Result(err == nil)
	}
	switch {
	case errors.Is(err, ideas.ErrNotFound):
		return // another replica has handed it over
	case err == nil:
		w.Logger.Info("sign-in mail sent", "mail", mail.ID)
	case isRefusedRecipient(err):
		w.Logger.Warn("sign-in mail refused for good", "mail", mail.ID, "error", discreet(err, mail))
	default:
		w.Logger.Warn("sign-in mail not sent, will be tried again", "mail", mail.ID, "error", discreet(err, mail))
		return
	}
	if err := w.Outbox.MailSent(ctx, mail); err != nil {
		w.Logger.Error("outbox not updated, the mail may come twice", "mail", mail.ID, "error", err)
	}
}

func (w *Worker) deliver(ctx context.Context, config Config, settings ideas.Settings, mail ideas.SignInMail) error {
	client, err := config.client()
	if err != nil {
		return err
	}
	token, err := w.Outbox.IssueLink(ctx, mail)
	if err != nil && !errors.Is(err, ideas.ErrNotInvited) {
		return fmt.Errorf("issue a link: %w", err)
	}
	var message *gomail.Msg
	if err == nil {
		message, err = compose(config, settings, mail, linkURL(settings, w.LinkPath, token))
	} else {
		message, err = refusal(config, settings, mail)
	}
	if err != nil {
		return err
	}
	err = handOver(ctx, client, message, func(handedOver bool) error {
		return w.Outbox.HandOverMail(context.WithoutCancel(ctx), mail, handedOver)
	})
	if err != nil && !errors.Is(err, ideas.ErrNotFound) {
		// A server's refusal may quote the message.
		return &sendError{err: err, token: token}
	}
	return err
}

// handOver sends a message once. It is noted as handed over when the server listens already and nothing is left to do but to
// say it, so that a process that dies leaves little room for a mail to be lost, and none for one to come twice. A server that
// refuses takes the note back.
func handOver(ctx context.Context, client *gomail.Client, message *gomail.Msg, note func(handedOver bool) error) error {
	if err := client.DialWithContext(ctx); err != nil {
		return fmt.Errorf("reach the server: %w", err)
	}
	// What the server says to the farewell changes nothing.
	defer func() { _ = client.Close() }()
	if err := note(true); err != nil {
		return err
	}
	err := client.Send(message)
	if err == nil {
		return nil
	}
	if noteErr := note(false); noteErr != nil {
		return errors.Join(err, fmt.Errorf("note that the server refused: %w", noteErr))
	}
	return err
}

// sendError keeps the link out of its text.
type sendError struct {
	err   error
	token string
}

func (e *sendError) Error() string {
	text := "send through the SMTP server: " + e.err.Error()
	if e.token == "" {
		return text
	}
	return strings.ReplaceAll(text, e.token, "[link]")
}

func (e *sendError) Unwrap() error { return e.err }

// isRefusedRecipient tells a mailbox that does not exist from a failure that may pass.
func isRefusedRecipient(err error) bool {
	refusal := (*gomail.SendError)(nil)
	return errors.As(err, &refusal) && refusal.Reason == gomail.ErrSMTPRcptTo && !refusal.IsTemp()
}

// discreet is an error's text without the member's address.
func discreet(err error, mail ideas.SignInMail) string {
	return strings.ReplaceAll(strings.ReplaceAll(err.Error(), mail.Email, "[address]"), strings.ToLower(mail.Email), "[address]")
}
