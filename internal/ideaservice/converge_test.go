package ideaservice_test

import (
	"errors"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/quaeso/community-operator/api/v1alpha1"
	"github.com/quaeso/community-operator/internal/conditions"
	"github.com/quaeso/community-operator/internal/control"
	"github.com/quaeso/community-operator/internal/ideaservice"
)

func generation(n int64, digest string) control.InForce {
	return control.InForce{UID: "u", Generation: n, Digest: digest}
}

func TestNext(t *testing.T) {
	none := control.InForce{}
	for name, tc := range map[string]struct {
		want, have, last control.InForce
		step             ideaservice.Step
	}{
		"never declared": {generation(1, "a"), none, none, ideaservice.Declare},
		"in force":       {generation(1, "a"), generation(1, "a"), generation(1, "a"), ideaservice.Keep},
		"in force, and the status was not written": {generation(1, "a"), generation(1, "a"), none, ideaservice.Keep},
		"changed": {generation(2, "b"), generation(1, "a"), generation(1, "a"), ideaservice.Declare},
		"changed again before the status was written":      {generation(3, "c"), generation(2, "b"), generation(1, "a"), ideaservice.Declare},
		"the operator has other words for it":              {generation(1, "b"), generation(1, "a"), generation(1, "a"), ideaservice.Declare},
		"withdrawn by somebody else":                       {generation(1, "a"), none, generation(1, "a"), ideaservice.Repair},
		"declared by somebody else":                        {generation(1, "a"), generation(1, "x"), generation(1, "a"), ideaservice.Repair},
		"the service was restored":                         {generation(2, "b"), generation(1, "a"), generation(2, "b"), ideaservice.Repair},
		"the service was restored, and the object changed": {generation(3, "c"), generation(1, "a"), generation(2, "b"), ideaservice.Declare},
	} {
		t.Run(name, func(t *testing.T) {
			if got := ideaservice.Next(tc.want, tc.have, tc.last); got != tc.step {
				t.Errorf("got %d, want %d", got, tc.step)
			}
		})
	}
}

func TestJudge(t *testing.T) {
	want := generation(2, "b")
	refused := func(field, message, cause string, awaits *control.Reference) control.Answer {
		return control.Answer{InForce: generation(1, "a"), Refusals: []control.Refusal{{Field: field, Message: message, Cause: cause, Awaits: awaits}}}
	}
	for name, tc := range map[string]struct {
		answer  control.Answer
		reason  string
		stalled bool
	}{
		"in force":                  {control.Answer{InForce: want}, "", false},
		"waits for another":         {refused("spec.origin", "waits", "", &control.Reference{Kind: control.KindChallenge, Name: "x"}), v1alpha1.ReasonReferenceMissing, false},
		"refused":                   {refused("spec.title.fr", "is missing", "", nil), v1alpha1.ReasonRefused, true},
		"locked":                    {refused("spec.ballot", "is locked because the challenge is open", control.RefusedLocked, nil), v1alpha1.ReasonLocked, true},
		"a name that another has":   {refused("name", "another object has it", control.RefusedNameTaken, nil), v1alpha1.ReasonNameTaken, true},
		"of a newer contract":       {refused("mission", "this release of the idea service does not know the field", control.RefusedUnknownField, nil), v1alpha1.ReasonServiceOutdated, true},
		"in a circle":               {refused("spec.origin", "leads back to this challenge (a → b → a)", control.RefusedCircle, nil), v1alpha1.ReasonReferenceCycle, true},
		"older than what is":        {control.Answer{InForce: generation(5, "e")}, v1alpha1.ReasonStale, true},
		"database that is not up":   {control.Answer{InForce: generation(1, "a")}, v1alpha1.ReasonProgressing, false},
		"something else by its UID": {control.Answer{InForce: control.InForce{UID: "v", Generation: 9}}, v1alpha1.ReasonProgressing, false},
	} {
		t.Run(name, func(t *testing.T) {
			err := ideaservice.Judge(tc.answer, want, time.Second)
			if tc.reason == "" {
				if err != nil {
					t.Errorf("got %v", err)
				}
				return
			}
			stalled := (*conditions.Stalled)(nil)
			if got := conditions.Reason(err); got != tc.reason || errors.As(err, &stalled) != tc.stalled {
				t.Errorf("got %s: %v", got, err)
			}
		})
	}
}

func TestAgain(t *testing.T) {
	now := time.Date(2027, 1, 1, 12, 0, 0, 0, time.UTC)
	since := func(ago time.Duration) []metav1.Condition {
		return []metav1.Condition{{Type: v1alpha1.ConditionInForce, LastTransitionTime: metav1.NewTime(now.Add(-ago))}}
	}
	for name, tc := range map[string]struct {
		list []metav1.Condition
		want time.Duration
	}{
		"never seen":    {nil, 200 * time.Millisecond},
		"just now":      {since(0), 200 * time.Millisecond},
		"for a minute":  {since(time.Minute), 6 * time.Second},
		"for a day":     {since(24 * time.Hour), 15 * time.Second},
		"in the future": {since(-time.Hour), 200 * time.Millisecond},
	} {
		t.Run(name, func(t *testing.T) {
			if got := ideaservice.Again(tc.list, now); got != tc.want {
				t.Errorf("got %s, want %s", got, tc.want)
			}
		})
	}
}

func TestBounded(t *testing.T) {
	for text, want := range map[string]string{
		"": "", "short": "short", "exactly": "exactly", "too long": "too lo…", "éééééééé": "éééééé…", "a\xffb": "ab",
	} {
		if got := ideaservice.Bounded(text, 7); got != want {
			t.Errorf("%q becomes %q, want %q", text, got, want)
		}
	}
}
