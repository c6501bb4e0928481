package declared

import (
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"regexp"
	"slices"

	"github.com/quaeso/community-operator/ideas"
	"github.com/quaeso/community-operator/ideas/publichttp"
	"github.com/quaeso/community-operator/internal/control"
	engine "github.com/quaeso/community-operator/internal/rules"
)

var webhookName = regexp.MustCompile(`^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$`)

// checkWebhooks names what is wrong with where events are sent, and with when.
func (rules Rules) checkWebhooks(r *refusals, webhooks []control.Webhook) {
	const field = "settings.house.webhooks"
	if len(webhooks) > ideas.MaxWebhooks {
		r.add(field, "must be %d at most", ideas.MaxWebhooks)
		return
	}
	for i, w := range webhooks {
		at := fmt.Sprintf("%s[%d]", field, i)
		switch {
		case !webhookName.MatchString(w.Name):
			r.add(at+".name", "must be a name of lower-case letters, digits and '-', such as product-board")
		case slices.IndexFunc(webhooks, func(other control.Webhook) bool { return other.Name == w.Name }) < i:
			r.add(at+".name", "repeats an earlier name")
		}
		rules.checkWebhookURL(r, at+".url", w.URL)
		for n, event := range w.Events {
			if !slices.Contains(ideas.EventKinds(), ideas.EventKind(event)) {
				r.add(fmt.Sprintf("%s.events[%d]", at, n), "is no event: must be one of %q", ideas.EventKinds())
			}
		}
		checkWebhookCondition(r, at+".condition", w.Condition)
	}
}

// checkWebhookURL refuses what can be seen to lead inside. A name is looked at when it is called, each time.
func (rules Rules) checkWebhookURL(r *refusals, field, raw string) {
	schemes := []string{"https"}
	if rules.PlainIssuers {
		schemes = append(schemes, "http")
	}
	if !isPublicURL(raw, schemes...) {
		r.add(field, "must be an https address without a user name, such as https://brand.example/hooks/ideas")
		return
	}
	u, err := url.Parse(raw)
	if err != nil || rules.PlainIssuers {
		return
	}
	if address, err := netip.ParseAddr(u.Hostname()); err == nil && !publichttp.IsPublic(address) {
		r.add(field, "must not be a private address")
	}
}

func checkWebhookCondition(r *refusals, field, text string) {
	if text == "" {
		return
	}
	_, err := engine.CompileEventCondition(text)
	var wrong engine.Errors
	switch {
	case errors.As(err, &wrong):
		for _, fault := range wrong {
			if fault.Line == 0 {
				r.add(field, "%s", fault.Message)
			} else {
				r.add(field, "line %d, column %d: %s", fault.Line, fault.Column, fault.Message)
			}
		}
	case err != nil:
		r.add(field, "cannot be read: %v", err)
	}
}
