package declaration

import (
	"github.com/quaeso/community-operator/api/v1alpha1"
	"github.com/quaeso/community-operator/internal/control"
)

// House declares house rules; nil for none. configMaps are the data, by name, of the ConfigMaps that terms take their
// texts from. A text that is not among them is left out.
func House(h *v1alpha1.House, configMaps map[string]map[string]string) *control.House {
	return optional(h, func(h v1alpha1.House) control.House {
		out := control.House{
			Attributes: each(h.Attributes, attribute),
			Roles:      lists(h.Roles),
			Terms: each(h.Terms, func(t v1alpha1.Terms) control.Terms {
				return terms(t, configMaps)
			}),
			Themes:           each(h.Themes, theme),
			Quotas:           each(h.Quotas, quota),
			Objectives:       each(h.Objectives, objective),
			AnswerWithinDays: int(h.AnswerWithinDays),
			Qualify:          int(h.Qualify),
			Webhooks:         each(h.Webhooks, webhook),
		}
		if m := h.Moderation; m != nil {
			out.Moderation = control.Moderation{
				When: string(m.When), TrustedLevel: int(m.TrustedLevel), BannedTerms: plain(m.BannedTerms),
			}
		}
		if s := h.SignUp; s != nil {
			out.SignUp = control.SignUp{
				Policy: string(s.Policy), Domains: plain(s.Domains), MinimumAge: int(s.MinimumAge),
				GuardianBelow: int(s.GuardianBelow), Closed: s.Closed,
			}
		}
		if r := h.Retention; r != nil {
			out.Retention = control.Retention{InactiveMemberDays: int(r.InactiveMemberDays), AuditDays: int(r.AuditDays)}
		}
		return out
	})
}

func attribute(a v1alpha1.Attribute) control.Attribute {
	return control.Attribute{
		Name:     string(a.Name),
		Label:    texts(a.Label),
		Consent:  texts(a.Consent),
		Options:  each(a.Options, option),
		Multiple: a.Multiple,
		Required: a.Required,
	}
}

func terms(t v1alpha1.Terms, configMaps map[string]map[string]string) control.Terms {
	out := control.Terms{Name: string(t.Name), Kind: string(t.Kind), Version: t.Version, Text: texts(t.Text)}
	if t.TextFrom == nil {
		return out
	}
	out.Text = map[string]string{}
	for locale, key := range t.TextFrom.Keys {
		if text, ok := configMaps[t.TextFrom.ConfigMapName][string(key)]; ok {
			out.Text[locale] = text
		}
	}
	return out
}

func theme(t v1alpha1.Theme) control.Theme {
	return control.Theme{Name: string(t.Name), Title: texts(t.Title)}
}

func objective(o v1alpha1.Objective) control.Objective {
	return control.Objective{
		Name:     string(o.Name),
		Title:    texts(o.Title),
		Metric:   string(o.Metric),
		Baseline: o.Baseline,
		Target:   o.Target,
		Deadline: string(o.Deadline),
		Team:     string(o.Team),
	}
}

func webhook(w v1alpha1.Webhook) control.Webhook {
	return control.Webhook{
		Name: string(w.Name), URL: string(w.URL), Events: plain(w.Events), Condition: string(w.Condition),
	}
}
