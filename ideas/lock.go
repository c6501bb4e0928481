package ideas

import (
	"reflect"
	"time"

	"github.com/quaeso/community-operator/internal/control"
)

// Locked names the fields of a new declaration that would change what decides the challenge once it is open; nil where
// it may take the former's place.
func (c *Challenge) Locked(next control.Challenge, now time.Time) []control.Refusal {
	var refusals []control.Refusal
	refuse := func(field, message string) {
		refusals = append(refusals, control.Refusal{Field: "spec." + field, Message: message})
	}
	if next.Type != c.Spec.Type {
		refuse("type", "never changes: declare another challenge and withdraw this one")
	}
	if !c.Opened(now) || len(c.Spec.Phases) == 0 && c.Spec.Type != control.TypeContest {
		return refusals
	}
	const locked = "is locked because the challenge is open: put back the former value; to change it, cancel this challenge and declare another"
	for _, f := range []struct {
		name         string
		former, next any
	}{
		{"eligibility", c.Spec.Eligibility, next.Eligibility}, {"form", c.Spec.Form, next.Form}, {"ballot", c.Spec.Ballot, next.Ballot},
		{"ladder", c.Spec.Ladder, next.Ladder}, {"jury", c.Spec.Jury, next.Jury}, {"winners", c.Spec.Winners, next.Winners},
		{"terms", c.Spec.Terms, next.Terms}, {"rewardPolicy", c.Spec.RewardPolicy, next.RewardPolicy},
		{"exclusiveDays", c.Spec.ExclusiveDays, next.ExclusiveDays}, {"origin", c.Spec.Origin, next.Origin},
		{"recruiting", c.Spec.Recruiting, next.Recruiting},
	} {
		if !sameDeclared(f.former, f.next) {
			refuse(f.name, locked)
		}
	}
	lockPhases(c, next.Phases, now, refuse)
	return refusals
}

// sameDeclared holds an absent list for an empty one.
func sameDeclared(x, y any) bool {
	a, b := reflect.ValueOf(x), reflect.ValueOf(y)
	if (a.Kind() == reflect.Slice || a.Kind() == reflect.Map) && a.Len() == 0 && b.Len() == 0 {
		return true
	}
	return reflect.DeepEqual(x, y)
}

// lockPhases holds phases that are over as they were, and the beginning of the one that goes on. Its end, and what comes
// later, may still be moved: a brand gives more time.
func lockPhases(c *Challenge, next []control.Phase, now time.Time, refuse func(field, message string)) {
	for i, p := range c.Phases {
		over := !p.End.IsZero() && !now.Before(p.End)
		if !over && now.Before(p.Start) {
			return
		}
		const passed = "is locked because the phase has begun: put back the former phases up to it; only its end and what comes later can still be moved"
		if i >= len(next) || next[i].Name != p.Name || next[i].Start != p.Phase.Start || !sameDeclared(p.Allows, next[i].Allows) {
			refuse("phases", passed)
			return
		}
		// An absent end follows from the next phase's start, which is compared when its turn comes.
		if over && next[i].End != p.Phase.End {
			refuse("phases", "is locked because the phase "+p.Name+" is over: put back its end")
			return
		}
	}
}
