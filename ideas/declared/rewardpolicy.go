package declared

import (
	"errors"
	"fmt"

	"github.com/quaeso/community-operator/ideas"
	"github.com/quaeso/community-operator/internal/control"
	"github.com/quaeso/community-operator/internal/rewards"
	engine "github.com/quaeso/community-operator/internal/rules"
)

// CheckRewardPolicy names every field of a reward policy that is at fault; nil for none. A fault of an expression begins
// with its line and column.
func (rules Rules) CheckRewardPolicy(o control.Object[control.RewardPolicy], settings ideas.Settings) []control.Refusal {
	var r refusals
	checkObject(&r, o.UID, o.Name, o.Generation)
	for i, l := range o.Spec.Levels[:min(len(o.Spec.Levels), engine.MaxLevels)] {
		checkLocalized(&r, fmt.Sprintf("spec.levels[%d].title", i), l.Title, settings)
	}
	for i, b := range o.Spec.Badges[:min(len(o.Spec.Badges), engine.MaxBadges)] {
		checkLocalized(&r, fmt.Sprintf("spec.badges[%d].title", i), b.Title, settings)
	}
	for i, p := range o.Spec.Prizes[:min(len(o.Spec.Prizes), engine.MaxPrizes)] {
		checkLocalized(&r, fmt.Sprintf("spec.prizes[%d].title", i), p.Title, settings)
	}
	_, err := engine.Compile(rewards.Rules(o.Spec), ideas.RewardEvents()...)
	var faults engine.Errors
	switch {
	case errors.As(err, &faults):
		for _, f := range faults {
			if f.Line > 0 {
				r.add("spec."+f.Field, "line %d, column %d: %s", f.Line, f.Column, f.Message)
			} else {
				r.add("spec."+f.Field, "%s", f.Message)
			}
		}
	case err != nil:
		r.add("spec", "cannot be checked: %v", err)
	}
	return r
}
