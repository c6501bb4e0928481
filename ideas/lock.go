package ideas

import (
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/quaeso/community-operator/internal/control"
)

// refuse collects a refusal of a field.
type refuse func(field, format string, args ...any)

// Locked names the fields of a new declaration that would change what decides the challenge once it is open; nil where
// it may take the former's place.
func (c *Challenge) Locked(next control.Challenge, now time.Time) []control.Refusal {
	var refusals []control.Refusal
	add := func(field, format string, args ...any) {
		refusals = append(refusals, control.Refusal{Field: "spec." + field, Message: fmt.Sprintf(format, args...), Cause: control.RefusedLocked})
	}
	if next.Type != c.Spec.Type {
		add("type", "never changes: put back %s, or declare another challenge and withdraw this one", c.Spec.Type)
	}
	if !c.Opened(now) || len(c.Spec.Phases) == 0 && c.Spec.Type != control.TypeContest {
		return refusals
	}
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
		lockChanged(f.name, f.former, f.next, "the challenge is open", "to change it, cancel this challenge and declare another", add)
	}
	lockPhases(c, next.Phases, now, add)
	return refusals
}

// PromisesPrizes tells whether members compete for prizes now: in a contest that has opened and is not decided.
func (c *Challenge) PromisesPrizes(now time.Time) bool {
	return c.Spec.Type == control.TypeContest && c.Opened(now) && c.DecidedAt.IsZero() && len(c.Spec.Cancelled) == 0
}

// LockedPrizes names the prizes of a new policy that would change what a contest that is open promises; nil where it may
// take the former's place.
func LockedPrizes(former, next control.RewardPolicy, contest string) []control.Refusal {
	var refusals []control.Refusal
	add := func(field, format string, args ...any) {
		refusals = append(refusals, control.Refusal{Field: "spec." + field, Message: fmt.Sprintf(format, args...), Cause: control.RefusedLocked})
	}
	why := "the challenge " + contest + ", which names this policy or follows it, is open and not decided"
	const instead = "to promise more, declare another policy for the next contest"
	lockChanged("prizes", former.Prizes, next.Prizes, why, instead, add)
	if slices.ContainsFunc(former.Prizes, func(p control.Prize) bool { return p.Amount > 0 }) {
		lockChanged("currency", former.Currency, next.Currency, why, instead, add)
	}
	return refusals
}

// mostLocked bounds the refusals of one field: whoever changed more reads the first.
const mostLocked = 5

// lockChanged refuses what differs, by its path in the manifest.
func lockChanged(field string, former, next any, why, instead string, add refuse) {
	changes := changedPaths(field, reflect.ValueOf(former), reflect.ValueOf(next))
	for _, change := range changes[:min(len(changes), mostLocked)] {
		back := "put back what was there"
		if change.former != "" {
			back = "put back " + change.former
		}
		add(change.path, "is locked because %s: %s; %s", why, back, instead)
	}
}

// change of a declared value.
type change struct {
	path string
	// former value, where it says something on one line.
	former string
}

// changedPaths are the paths, in the words of the manifest, at which two declared values of one type differ. An absent
// list or map is an empty one.
func changedPaths(path string, former, next reflect.Value) []change {
	switch former.Kind() {
	case reflect.Pointer:
		if former.IsNil() || next.IsNil() {
			if former.IsNil() == next.IsNil() {
				return nil
			}
			return []change{{path: path, former: shortly(former)}}
		}
		return changedPaths(path, former.Elem(), next.Elem())
	case reflect.Struct:
		var all []change
		for i := range former.NumField() {
			name, _, _ := strings.Cut(former.Type().Field(i).Tag.Get("json"), ",")
			all = append(all, changedPaths(path+"."+name, former.Field(i), next.Field(i))...)
		}
		return all
	case reflect.Slice:
		if former.Len() != next.Len() {
			return []change{{path: path, former: shortly(former)}}
		}
		var all []change
		for i := range former.Len() {
			all = append(all, changedPaths(fmt.Sprintf("%s[%d]", path, i), former.Index(i), next.Index(i))...)
		}
		return all
	case reflect.Map:
		if former.Len() == 0 && next.Len() == 0 || reflect.DeepEqual(former.Interface(), next.Interface()) {
			return nil
		}
		return []change{{path: path, former: shortly(former)}}
	}
	if former.Equal(next) {
		return nil
	}
	return []change{{path: path, former: shortly(former)}}
}

// longestFormer is the longest former value that a refusal repeats.
const longestFormer = 120

// shortly writes a value as the manifest has it; empty where it is too long, or nothing.
func shortly(v reflect.Value) string {
	raw, err := json.Marshal(v.Interface())
	if err != nil || len(raw) > longestFormer {
		return ""
	}
	switch text := string(raw); text {
	case "null", "[]", "{}", `""`, "0", "false":
		return "its absence"
	default:
		return text
	}
}

// lockPhases holds phases that are over as they were, and the beginning of the one that goes on. Its end, and what comes
// later, may still be moved: a brand gives more time.
func lockPhases(c *Challenge, next []control.Phase, now time.Time, add refuse) {
	for i, p := range c.Phases {
		over := !p.End.IsZero() && !now.Before(p.End)
		if !over && now.Before(p.Start) {
			return
		}
		field := fmt.Sprintf("phases[%d]", i)
		const passed = "is locked because the phase %s has begun: put back %s; only its end and what comes later can still be moved"
		switch {
		case i >= len(next):
			add("phases", passed, p.Name, "the phase")
			return
		case next[i].Name != p.Name:
			add(field+".name", passed, p.Name, p.Name)
			return
		case next[i].Start != p.Phase.Start:
			add(field+".start", passed, p.Name, p.Phase.Start)
		case len(changedPaths("", reflect.ValueOf(p.Allows), reflect.ValueOf(next[i].Allows))) > 0:
			add(field+".allows", passed, p.Name, shortly(reflect.ValueOf(p.Allows)))
		}
		// An absent end follows from the next phase's start, which is compared when its turn comes.
		if over && next[i].End != p.Phase.End {
			add(field+".end", "is locked because the phase %s is over: put back %s", p.Name, shortly(reflect.ValueOf(p.Phase.End)))
		}
	}
}

// LockedSettings names the settings that would change what was agreed: the text of a version of terms, and by the time
// zone the moments of a challenge that is open.
func LockedSettings(former Settings, next control.Settings, challenges []*Challenge, now time.Time) []control.Refusal {
	var refusals []control.Refusal
	if former.House != nil && next.House != nil {
		for i, t := range next.House.Terms {
			at := slices.IndexFunc(former.House.Terms, func(f control.Terms) bool { return f.Name == t.Name && f.Version == t.Version })
			if at < 0 {
				continue
			}
			for _, locale := range sortedKeys(former.House.Terms[at].Text) {
				if t.Text[locale] == former.House.Terms[at].Text[locale] {
					continue
				}
				refusals = append(refusals, control.Refusal{
					Field:   fmt.Sprintf("settings.house.terms[%d].text.%s", i, locale),
					Message: fmt.Sprintf("is another text than version %s of the terms %s has, which members may have accepted: put it back, or give the new text a version of its own", t.Version, t.Name),
					Cause:   control.RefusedLocked,
				})
			}
		}
	}
	zone, err := time.LoadLocation(next.TimeZone)
	if err != nil || next.TimeZone == former.TimeZone {
		return refusals
	}
	for _, c := range challenges {
		if c.StageAt(now) != StageOpen || !c.Opened(now) || len(c.Phases) == 0 {
			continue
		}
		moved, err := ResolvePhases(c.Spec.Phases, zone)
		if err == nil && slices.EqualFunc(moved, c.Phases, func(a, b Phase) bool { return a.Start.Equal(b.Start) && a.End.Equal(b.End) }) {
			continue
		}
		return append(refusals, control.Refusal{
			Field: "settings.timeZone", Cause: control.RefusedLocked,
			Message: fmt.Sprintf("is locked because it would move the phases of the challenge %s, which is open: put back %s until it is over", c.Name, former.TimeZone),
		})
	}
	return refusals
}
