package declared

import (
	"fmt"
	"slices"
	"time"

	"github.com/quaeso/community-operator/ideas"
	"github.com/quaeso/community-operator/internal/control"
)

const (
	maxObjectives = 20
	maxQuotas     = 100
)

// checkObjectives asks for what makes an objective one that can be measured: metric, baseline, target, deadline.
func checkObjectives(r *refusals, s control.Settings) {
	const field = "settings.house.objectives"
	all := s.House.Objectives
	if len(all) > maxObjectives {
		r.add(field, "must be %d at most", maxObjectives)
		return
	}
	for i, o := range all {
		at := fmt.Sprintf("%s[%d]", field, i)
		switch {
		case !webhookName.MatchString(o.Name):
			r.add(at+".name", "must be a name of lower-case letters, digits and '-', such as satisfaction")
		case slices.IndexFunc(all, func(other control.Objective) bool { return other.Name == o.Name }) < i:
			r.add(at+".name", "repeats an earlier name")
		}
		checkTexts(r, at+".title", o.Title)
		for _, locale := range s.Locales {
			if o.Title[locale] == "" {
				r.add(at+".title."+quotable(locale), "is missing: every locale of the settings needs a title")
			}
		}
		if !slices.Contains(ideas.ObjectiveMetrics(), o.Metric) {
			r.add(at+".metric", "must be one of %q", ideas.ObjectiveMetrics())
		}
		if o.Target == o.Baseline {
			r.add(at+".target", "must be another number than the baseline, %d", o.Baseline)
		}
		if _, err := time.Parse(time.DateOnly, o.Deadline); err != nil {
			r.add(at+".deadline", "must be a date such as 2027-06-30")
		}
		checkOneOf(r, at+".team", o.Team, "", ideas.TeamProduct, ideas.TeamMarketing)
	}
}

// checkHouseQuotas asks that segments are of declared attributes and that no attribute's shares sum to more than the whole.
func checkHouseQuotas(r *refusals, house *control.House) {
	const field = "settings.house.quotas"
	if len(house.Quotas) > maxQuotas {
		r.add(field, "must be %d at most", maxQuotas)
		return
	}
	sums := map[string]int{}
	for i, q := range house.Quotas {
		at := fmt.Sprintf("%s[%d]", field, i)
		n := slices.IndexFunc(house.Attributes, func(a control.Attribute) bool { return a.Name == q.Attribute })
		switch {
		case n < 0:
			r.add(at+".attribute", "must be the name of one of the attributes")
		case !slices.ContainsFunc(house.Attributes[n].Options, func(o control.Option) bool { return o.Name == q.Value }):
			r.add(at+".value", "must be one of the options of the attribute %s", quotable(q.Attribute))
		case slices.IndexFunc(house.Quotas, func(other control.Quota) bool {
			return other.Attribute == q.Attribute && other.Value == q.Value
		}) < i:
			r.add(at+".value", "repeats an earlier segment")
		}
		if q.Percent < 1 || q.Percent > 100 {
			r.add(at+".percent", "must be from 1 to 100")
		}
		if sums[q.Attribute] += q.Percent; sums[q.Attribute] > 100 {
			r.add(at+".percent", "makes the shares of the attribute sum to more than 100")
		}
	}
}
