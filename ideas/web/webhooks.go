package web

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"time"

	"github.com/quaeso/community-operator/ideas"
)

const webhooksPath = "/team/webhooks"

// deliveriesLength is the number of deliveries on a page of a webhook's log.
const deliveriesLength = 30

// webhookRoutes are the pages of those who connect the community to other systems. What is sent where is declared; here they
// see how it goes.
func (a *app) webhookRoutes() map[string]handle {
	return map[string]handle{
		"GET " + webhooksPath:                    a.team(ideas.MayIntegrate, a.showWebhooks),
		"GET " + webhooksPath + "/{name}":        a.team(ideas.MayIntegrate, a.showWebhook),
		"POST " + webhooksPath + "/{name}":       a.team(ideas.MayIntegrate, a.changeWebhook),
		"POST " + webhooksPath + "/{name}/again": a.team(ideas.MayIntegrate, a.redeliver),
	}
}

type webhooksPage struct {
	teamPage
	Webhooks []webhookView
}

type webhookView struct {
	Name, Path, Host, Condition string
	Events                      []string
	HasSecret                   bool
	Waiting                     int
	// Failing, Success and Disabled are nil where there was none.
	Failing, Success, Disabled *moment
}

type webhookPage struct {
	teamPage
	Webhook webhookView
	// URL is shown here alone: its path may hold a secret.
	URL string
	// Secret just made; it is shown once.
	Secret     string
	Deliveries []deliveryView
	Older      string
}

type deliveryView struct {
	ID            int64
	Kind, State   string
	Waits, Failed bool
	Attempts      int
	Status        int
	Failure       string
	Created       moment
	Payload       string
}

// momentOrNil is nil for what never was.
func (v *visit) momentOrNil(t time.Time) *moment {
	if t.IsZero() {
		return nil
	}
	m := v.moment(t)
	return &m
}

func (v *visit) webhook(w ideas.WebhookState) webhookView {
	view := webhookView{
		Name: w.Name, Path: webhooksPath + "/" + url.PathEscape(w.Name), Condition: w.Condition, Events: w.Events,
		HasSecret: w.HasSecret, Waiting: w.Waiting, Failing: v.momentOrNil(w.FailingSince), Success: v.momentOrNil(w.LastSuccess),
		Disabled: v.momentOrNil(w.DisabledAt),
	}
	if u, err := url.Parse(w.URL); err == nil {
		view.Host = u.Host
	}
	return view
}

func (a *app) showWebhooks(v *visit) error {
	v.here = webhooksPath
	webhooks, err := a.cfg.Store.ListWebhooks(v.r.Context())
	if err != nil {
		return fmt.Errorf("list webhooks: %w", err)
	}
	p := webhooksPage{teamPage: v.teamPage("webhooks", v.t("webhooks.title"))}
	for _, w := range webhooks {
		p.Webhooks = append(p.Webhooks, v.webhook(w))
	}
	return v.renderPrivate(http.StatusOK, "webhooks", p)
}

func (a *app) showWebhook(v *visit) error { return a.renderWebhook(v, http.StatusOK, "") }

func (a *app) renderWebhook(v *visit, status int, secret string) error {
	ctx := v.r.Context()
	webhooks, err := a.cfg.Store.ListWebhooks(ctx)
	if err != nil {
		return fmt.Errorf("list webhooks: %w", err)
	}
	i := slices.IndexFunc(webhooks, func(w ideas.WebhookState) bool { return w.Name == v.r.PathValue("name") })
	if i < 0 {
		return refuse(http.StatusNotFound, "find webhook", nil)
	}
	before, err := strconv.ParseInt(v.r.URL.Query().Get("before"), 10, 64)
	if err != nil || before < 0 {
		before = 0
	}
	deliveries, err := a.cfg.Store.ListDeliveries(ctx, webhooks[i].Name, before, deliveriesLength+1)
	if err != nil {
		return fmt.Errorf("list deliveries: %w", err)
	}
	view := v.webhook(webhooks[i])
	v.here = view.Path
	p := webhookPage{teamPage: v.teamPage("webhooks", view.Name), Webhook: view, URL: webhooks[i].URL, Secret: secret}
	if len(deliveries) > deliveriesLength {
		deliveries = deliveries[:deliveriesLength]
		p.Older = fmt.Sprintf("%s?before=%d", view.Path, deliveries[len(deliveries)-1].ID)
	}
	for _, d := range deliveries {
		p.Deliveries = append(p.Deliveries, v.delivery(d))
	}
	return v.renderPrivate(status, "webhook", p)
}

func (v *visit) delivery(d ideas.Delivery) deliveryView {
	view := deliveryView{
		ID: d.ID, Kind: string(d.Kind), Attempts: d.Attempts, Status: d.Status, Failure: d.Failure, Created: v.moment(d.CreatedAt),
		Waits: d.State == ideas.DeliveryWaiting, Failed: d.State == ideas.DeliveryFailed,
	}
	switch d.State {
	case ideas.DeliveryDelivered:
		view.State = v.t("webhooks.delivered")
	case ideas.DeliveryFailed:
		view.State = v.t("webhooks.failed")
	default:
		view.State = v.t("webhooks.waiting")
	}
	var indented bytes.Buffer
	if err := json.Indent(&indented, d.Payload, "", "  "); err == nil {
		view.Payload = indented.String()
	}
	return view
}

// changeWebhook makes a secret, which is shown in the answer, or takes up sending again.
func (a *app) changeWebhook(v *visit) error {
	ctx, name := v.r.Context(), v.r.PathValue("name")
	switch v.r.PostForm.Get("action") {
	case "secret":
		secret, err := a.cfg.Store.RenewWebhookSecret(ctx, v.member.ID, name)
		if err != nil {
			return fmt.Errorf("renew secret of webhook: %w", err)
		}
		return a.renderWebhook(v, http.StatusCreated, secret)
	case "enable":
		if err := a.cfg.Store.EnableWebhook(ctx, v.member.ID, name); err != nil {
			return fmt.Errorf("enable webhook: %w", err)
		}
		v.setFlash("flash.webhook_enabled")
		return v.redirect(webhooksPath + "/" + url.PathEscape(name))
	}
	return refuse(http.StatusBadRequest, "read the action on a webhook", nil)
}

func (a *app) redeliver(v *visit) error {
	id, err := strconv.ParseInt(v.r.PostForm.Get("delivery"), 10, 64)
	if err != nil {
		return refuse(http.StatusNotFound, "read number of delivery", err)
	}
	// One that waits already is sent without being asked to.
	if err := a.cfg.Store.Redeliver(v.r.Context(), v.member.ID, id); err != nil && !errors.Is(err, ideas.ErrNotFound) {
		return fmt.Errorf("send delivery again: %w", err)
	}
	v.setFlash("flash.redelivered")
	return v.redirect(webhooksPath + "/" + url.PathEscape(v.r.PathValue("name")))
}
