package declared

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/quaeso/community-operator/ideas"
	"github.com/quaeso/community-operator/internal/control"
)

var namePattern = regexp.MustCompile(`^[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?$`)

// phaseOrder is the order in which phases follow each other.
var phaseOrder = []string{
	control.PhaseRecruiting, control.PhaseOpen, control.PhaseScreening, control.PhaseVoting, control.PhaseJury,
	control.PhaseRewarding, control.PhaseImplementing,
}

// CheckChallenge names every field of a challenge that is at fault, given the settings in force; nil for none.
func (rules Rules) CheckChallenge(o control.Object[control.Challenge], settings ideas.Settings) []control.Refusal {
	var r refusals
	checkObject(&r, o.UID, o.Name, o.Generation)
	checkOneOf(&r, "spec.type", o.Spec.Type, control.TypeIdeation, control.TypeContest, control.TypeConceptTest, control.TypeBetaTest,
		control.TypeSurvey, control.TypeForum, control.TypeWorkshop, control.TypeMission)
	checkLocalized(&r, "spec.title", o.Spec.Title, settings)
	checkTexts(&r, "spec.title", o.Spec.Title)
	checkPhases(&r, o.Spec.Phases, settings.TimeZone)
	checkMethods(&r, o.Spec, settings)
	checkFields(&r, "spec.form", o.Spec.Form, settings)
	checkContest(&r, o, settings)
	return r
}

// CheckNew names what is at fault in a challenge that nobody has declared before: one that is over already can have
// neither entries nor votes.
func CheckNew(c control.Challenge, settings ideas.Settings, now time.Time) []control.Refusal {
	zone, err := time.LoadLocation(settings.TimeZone)
	if err != nil {
		zone = time.UTC
	}
	phases, err := ideas.ResolvePhases(c.Phases, zone)
	if err != nil || len(phases) == 0 {
		return nil // the challenge's own check says so
	}
	var r refusals
	last := phases[len(phases)-1]
	if !last.End.IsZero() && !now.Before(last.End) {
		r.add(fmt.Sprintf("spec.phases[%d].end", len(phases)-1), "%s is in the past: a new challenge must not be over already; is the year right?", last.Phase.End)
	}
	return r
}

func checkObject(r *refusals, uid, name string, generation int64) {
	if uid == "" || len(uid) > maxUID {
		r.add("uid", "must be the object's uid, of 1 to %d bytes", maxUID)
	}
	if !namePattern.MatchString(name) {
		r.add("name", "must be a name of lower-case letters, digits, '-' and '.', such as summer-contest")
	}
	if generation < 1 {
		r.add("generation", "must be the object's generation, 1 or more")
	}
}

// checkLocalized asks for a text in every language of the community.
func checkLocalized(r *refusals, field string, texts map[string]string, settings ideas.Settings) {
	for _, locale := range settings.Locales {
		if strings.TrimSpace(texts[locale]) == "" {
			r.add(field+"."+quotable(locale), "is missing: every locale of the community needs a text")
		}
	}
}

// checkPhases refuses times that cannot be read, phases out of order, and those that end before they begin or overlap.
func checkPhases(r *refusals, phases []control.Phase, timeZone string) {
	zone, err := time.LoadLocation(timeZone)
	if err != nil {
		zone = time.UTC // the settings' own check says so
	}
	last := -1
	for i, p := range phases {
		at := slices.Index(phaseOrder, p.Name)
		switch {
		case at < 0:
			r.add(fmt.Sprintf("spec.phases[%d].name", i), "must be one of %v", phaseOrder)
		case at <= last:
			r.add(fmt.Sprintf("spec.phases[%d].name", i), "%s comes after %s: phases are in the order %v", p.Name, phaseOrder[last], phaseOrder)
		}
		last = max(last, at)
	}
	resolved, err := ideas.ResolvePhases(phases, zone)
	if err != nil {
		field, message, _ := strings.Cut(err.Error(), ": ")
		if errors.Is(err, control.ErrClockSkipped) {
			message += " in " + timeZone + ": take a time after it, such as an hour later"
		}
		r.add("spec."+field, "%s", message)
		return
	}
	for i, p := range resolved {
		if !p.End.IsZero() && !p.Start.Before(p.End) {
			r.add(fmt.Sprintf("spec.phases[%d].end", i), "must be after the start %s", p.Phase.Start)
		}
		if i > 0 && p.Start.Before(resolved[i-1].End) {
			r.add(fmt.Sprintf("spec.phases[%d].start", i), "must not be before the end of the phase before, %s", phases[i-1].End)
		}
	}
}
