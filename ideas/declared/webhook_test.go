package declared_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/quaeso/community-operator/ideas/declared"
	"github.com/quaeso/community-operator/internal/control"
)

func TestHouseRulesOfInterfaces(t *testing.T) {
	hook := func(change func(*control.Webhook)) control.House {
		w := control.Webhook{Name: "board", URL: "https://brand.example/hook", Events: []string{"idea.supported"}, Condition: "supporters >= 10"}
		change(&w)
		return control.House{Webhooks: []control.Webhook{w}}
	}
	objective := func(change func(*control.Objective)) control.House {
		o := control.Objective{
			Name: "joy", Title: map[string]string{"en": "Joy", "fr": "Joie"}, Metric: "satisfaction", Baseline: 60, Target: 75, Deadline: "2027-06-30", Team: "product",
		}
		change(&o)
		return control.House{Objectives: []control.Objective{o}}
	}
	quotas := func(q ...control.Quota) control.House {
		return control.House{Quotas: q, Attributes: []control.Attribute{{
			Name: "region", Label: map[string]string{"en": "Region", "fr": "Région"}, Consent: map[string]string{"en": "x", "fr": "x"},
			Options: []control.Option{
				{Name: "north", Label: map[string]string{"en": "North", "fr": "Nord"}}, {Name: "south", Label: map[string]string{"en": "South", "fr": "Sud"}},
			},
		}}}
	}
	for name, tc := range map[string]struct {
		house control.House
		want  string
	}{
		"right webhook":       {hook(func(*control.Webhook) {}), ""},
		"name":                {hook(func(w *control.Webhook) { w.Name = "A b" }), "webhooks[0].name: must be a name of lower-case letters, digits and '-', such as product-board"},
		"plain http":          {hook(func(w *control.Webhook) { w.URL = "http://brand.example" }), "webhooks[0].url: must be an https address without a user name, such as https://brand.example/hooks/ideas"},
		"user name":           {hook(func(w *control.Webhook) { w.URL = "https://a:b@brand.example" }), "webhooks[0].url: must be an https address without a user name, such as https://brand.example/hooks/ideas"},
		"metadata":            {hook(func(w *control.Webhook) { w.URL = "https://169.254.169.254/latest" }), "webhooks[0].url: must not be a private address"},
		"loopback":            {hook(func(w *control.Webhook) { w.URL = "https://[::1]:8080/" }), "webhooks[0].url: must not be a private address"},
		"event":               {hook(func(w *control.Webhook) { w.Events = []string{"idea.liked"} }), "webhooks[0].events[0]: is no event"},
		"condition":           {hook(func(w *control.Webhook) { w.Condition = "supporters >= 10 &" }), "webhooks[0].condition: line 1, column 18:"},
		"condition of nobody": {hook(func(w *control.Webhook) { w.Condition = "member.points > 1" }), "webhooks[0].condition: line 1, column 1:"},
		"right objective":     {objective(func(*control.Objective) {}), ""},
		"metric":              {objective(func(o *control.Objective) { o.Metric = "luck" }), "objectives[0].metric: must be one of"},
		"target":              {objective(func(o *control.Objective) { o.Target = 60 }), "objectives[0].target: must be another number than the baseline, 60"},
		"deadline":            {objective(func(o *control.Objective) { o.Deadline = "June" }), "objectives[0].deadline: must be a date such as 2027-06-30"},
		"title":               {objective(func(o *control.Objective) { delete(o.Title, "fr") }), "objectives[0].title.fr: is missing: every locale of the settings needs a title"},
		"right quotas":        {quotas(control.Quota{Attribute: "region", Value: "north", Percent: 60}, control.Quota{Attribute: "region", Value: "south", Percent: 40}), ""},
		"too much":            {quotas(control.Quota{Attribute: "region", Value: "north", Percent: 60}, control.Quota{Attribute: "region", Value: "south", Percent: 41}), "quotas[1].percent: makes the shares of the attribute sum to more than 100"},
		"attribute":           {quotas(control.Quota{Attribute: "age", Value: "north", Percent: 60}), "quotas[0].attribute: must be the name of one of the attributes"},
		"value":               {quotas(control.Quota{Attribute: "region", Value: "moon", Percent: 60}), "quotas[0].value: must be one of the options of the attribute region"},
	} {
		t.Run(name, func(t *testing.T) {
			d := control.Declaration{UID: "u", Generation: 1, Settings: control.Settings{
				BaseURL: "https://ideas.brand.example", Hostnames: []string{"ideas.brand.example"}, Locales: []string{"en", "fr"}, TimeZone: "Europe/Paris",
				Brand: control.Brand{Name: map[string]string{"en": "Brand", "fr": "Marque"}}, House: &tc.house,
			}}
			var got []string
			for _, refusal := range (declared.Rules{Locales: []string{"en", "fr"}}).Check(d) {
				got = append(got, strings.TrimPrefix(refusal.Field, "settings.house.")+": "+refusal.Message)
			}
			want := []string{tc.want}
			if tc.want == "" {
				want = nil
			}
			if !slices.EqualFunc(got, want, strings.HasPrefix) {
				t.Errorf("refusals (-want +got):\n%s", cmp.Diff(want, got))
			}
		})
	}
}
