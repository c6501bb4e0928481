package ideaservice

import (
	"errors"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/quaeso/community-operator/api/v1alpha1"
	"github.com/quaeso/community-operator/internal/conditions"
	"github.com/quaeso/community-operator/internal/control"
)

// Silent waits for an idea service that does not answer, or not by the contract, and looks again after a time. What
// exactly it said is not repeated: it may be anything.
func Silent(err error, again time.Duration) error {
	switch {
	case errors.Is(err, control.ErrUnauthorized):
		return conditions.Wait(again, v1alpha1.ReasonProgressing, "the idea service has not taken up its new control token yet")
	case errors.Is(err, control.ErrNotReady):
		return conditions.Wait(again, v1alpha1.ReasonProgressing, "the idea service waits for its database")
	case errors.Is(err, control.ErrContract):
		return conditions.Wait(again, v1alpha1.ReasonServiceUnreachable,
			"what answers on the idea service's control port does not keep the contract; is the class's image an idea service that fits this operator?")
	default:
		return conditions.Wait(again, v1alpha1.ReasonServiceUnreachable, "the idea service does not answer on its control port yet")
	}
}

// refusedAgain is how soon something that was refused is declared again although nothing here has changed: what it was
// refused for may have changed in the service.
const refusedAgain = 2 * time.Minute

// Judge says what an answer to a declaration means; nil when what was declared is in force. again is how soon to look
// where the service will be ready by itself.
func Judge(answer control.Answer, want control.InForce, again time.Duration) error {
	switch {
	case answer.InForce == want:
		return nil
	case answer.Waits():
		return conditions.Wait(refusedAgain, v1alpha1.ReasonReferenceMissing, "waits for what it refers to: %s", faults(answer.Refusals))
	case len(answer.Refusals) > 0:
		return conditions.StallUntil(refusedAgain, refusalReason(answer.Refusals),
			"the idea service refuses this, and what was in force before stays so: %s", faults(answer.Refusals))
	case answer.InForce.UID == want.UID && answer.InForce.Generation > want.Generation:
		return conditions.StallUntil(refusedAgain, v1alpha1.ReasonStale,
			"the idea service works by generation %d of this object, and this is generation %d: it was restored from an earlier state; "+
				"change it until its generation is higher", answer.InForce.Generation, want.Generation)
	default:
		return conditions.Wait(again, v1alpha1.ReasonProgressing, "the idea service has not taken this up yet")
	}
}

func refusalReason(refusals []control.Refusal) string {
	for _, r := range refusals {
		switch r.Cause {
		case control.RefusedCircle:
			return v1alpha1.ReasonReferenceCycle
		case control.RefusedLocked:
			return v1alpha1.ReasonLocked
		case control.RefusedNameTaken:
			return v1alpha1.ReasonNameTaken
		case control.RefusedUnknownField:
			return v1alpha1.ReasonServiceOutdated
		}
	}
	return v1alpha1.ReasonRefused
}

// faults lists refusals, each with its field.
func faults(refusals []control.Refusal) string {
	var out []string
	for _, f := range refusals {
		out = append(out, f.Field+": "+f.Message)
	}
	return strings.Join(out, "; ")
}

// Step is what to do about a declaration.
type Step int

// Steps.
const (
	// Keep: it is in force.
	Keep Step = iota
	// Declare it.
	Declare
	// Repair declares again what was in force and no longer is.
	Repair
)

// Next compares what should be in force with what is, and with what was when the operator last put it in force. A
// difference is drift only where neither the object nor the operator's words for it have changed since.
func Next(want, have, last control.InForce) Step {
	switch {
	case have == want:
		return Keep
	case last == want:
		return Repair
	default:
		return Declare
	}
}

// LastInForce is what status tells of the declaration that was last put in force.
func LastInForce(uid types.UID, status *v1alpha1.InForceStatus) control.InForce {
	if status == nil {
		return control.InForce{}
	}
	return control.InForce{UID: string(uid), Generation: status.Generation, Digest: status.Digest}
}

// Again is how long to wait before looking again at something that is on its way: a tenth of the time since the condition
// InForce was last otherwise, so that what is quick is seen at once and what is slow costs little.
func Again(list []metav1.Condition, now time.Time) time.Duration {
	const least, most = 200 * time.Millisecond, 15 * time.Second
	inForce := meta.FindStatusCondition(list, v1alpha1.ConditionInForce)
	if inForce == nil {
		return least
	}
	return min(max(now.Sub(inForce.LastTransitionTime.Time)/10, least), most)
}

// Bounded is a text from a service, cut to as many characters as a status may keep.
func Bounded(text string, most int) string {
	if r := []rune(strings.ToValidUTF8(text, "")); len(r) > most {
		return string(r[:most-1]) + "…"
	}
	return strings.ToValidUTF8(text, "")
}
