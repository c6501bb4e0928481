// Package conditions sets status conditions the way kstatus reads them, and names the three ways in which a
// phase can end other than well: an error is tried again, waiting passes by itself, stalled needs a person.
package conditions

import (
	"errors"
	"fmt"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/quaeso/community-operator/api/v1alpha1"
)

// maxMessage keeps a message readable in a terminal and far below the API's 32 KiB.
const maxMessage = 1024

// Waiting says that a phase waits for something that comes by itself.
type Waiting struct {
	// Reason is a condition reason, Message what is waited for.
	Reason  string
	Message string
	// Until is when to look again at the latest; zero leaves it to watches.
	Until time.Duration
}

// Error implements error.
func (w *Waiting) Error() string { return w.Message }

// Stalled says that a person must act; Message says what to do.
type Stalled struct {
	Reason  string
	Message string
	// Until is when to look again although nothing seems to have changed; zero leaves it to watches. For
	// causes outside the cluster, which no watch reports.
	Until time.Duration
}

// Error implements error.
func (s *Stalled) Error() string { return s.Message }

// Wait returns a *Waiting error.
func Wait(until time.Duration, reason, format string, args ...any) error {
	return &Waiting{Reason: reason, Message: fmt.Sprintf(format, args...), Until: until}
}

// Stall returns a *Stalled error.
func Stall(reason, format string, args ...any) error {
	return &Stalled{Reason: reason, Message: fmt.Sprintf(format, args...)}
}

// StallUntil is Stall for a cause that no watch reports: the operator looks again after until.
func StallUntil(until time.Duration, reason, format string, args ...any) error {
	return &Stalled{Reason: reason, Message: fmt.Sprintf(format, args...), Until: until}
}

// Set records the outcome of a phase in the condition of the given type: true when err is nil, else false
// with the error's reason and message.
func Set(list *[]metav1.Condition, generation int64, conditionType string, err error, okMessage string) {
	c := metav1.Condition{
		Type: conditionType, Status: metav1.ConditionTrue, ObservedGeneration: generation,
		Reason: v1alpha1.ReasonReady, Message: okMessage,
	}
	if err != nil {
		c.Status = metav1.ConditionFalse
		c.Reason, c.Message = Reason(err), truncate(err.Error())
	}
	meta.SetStatusCondition(list, c)
}

// Reason of an error: that of a Waiting or Stalled, else Retrying.
func Reason(err error) string {
	var w *Waiting
	var s *Stalled
	switch {
	case errors.As(err, &s):
		return s.Reason
	case errors.As(err, &w):
		return w.Reason
	default:
		return v1alpha1.ReasonRetrying
	}
}

// Summarize sets Ready, Reconciling and Stalled from the parts, in the order given. The first part that
// stalls speaks for the whole, then the first error, then the first that waits.
func Summarize(list *[]metav1.Condition, generation int64, parts []Outcome, readyMessage string) {
	worst := pick(parts)
	if worst == nil {
		set(list, generation, v1alpha1.ConditionReady, metav1.ConditionTrue, v1alpha1.ReasonReady, readyMessage)
		meta.RemoveStatusCondition(list, v1alpha1.ConditionReconciling)
		meta.RemoveStatusCondition(list, v1alpha1.ConditionStalled)
		return
	}
	reason, message := Reason(worst.Err), truncate(worst.Err.Error())
	set(list, generation, v1alpha1.ConditionReady, metav1.ConditionFalse, reason, message)
	var s *Stalled
	if errors.As(worst.Err, &s) {
		set(list, generation, v1alpha1.ConditionStalled, metav1.ConditionTrue, reason, message)
		meta.RemoveStatusCondition(list, v1alpha1.ConditionReconciling)
		return
	}
	set(list, generation, v1alpha1.ConditionReconciling, metav1.ConditionTrue, reason, message)
	meta.RemoveStatusCondition(list, v1alpha1.ConditionStalled)
}

// SetPaused says that nothing is done, for a reason that is no fault.
func SetPaused(list *[]metav1.Condition, generation int64, reason, message string) {
	meta.RemoveStatusCondition(list, v1alpha1.ConditionReconciling)
	meta.RemoveStatusCondition(list, v1alpha1.ConditionStalled)
	set(list, generation, v1alpha1.ConditionReady, metav1.ConditionUnknown, reason, message)
}

// SetDeleting says what a deletion waits for.
func SetDeleting(list *[]metav1.Condition, generation int64, message string) {
	meta.RemoveStatusCondition(list, v1alpha1.ConditionStalled)
	set(list, generation, v1alpha1.ConditionReady, metav1.ConditionFalse, v1alpha1.ReasonDeleting, truncate(message))
	set(list, generation, v1alpha1.ConditionReconciling, metav1.ConditionTrue, v1alpha1.ReasonDeleting, truncate(message))
}

// Outcome of one phase.
type Outcome struct {
	// Type of the condition that the phase reports in.
	Type string
	// Err is nil when the phase went well.
	Err error
}

func pick(parts []Outcome) *Outcome {
	var failed, waiting *Outcome
	for i := range parts {
		p := &parts[i]
		var s *Stalled
		var w *Waiting
		switch {
		case p.Err == nil:
		case errors.As(p.Err, &s):
			return p
		case errors.As(p.Err, &w):
			if waiting == nil {
				waiting = p
			}
		case failed == nil:
			failed = p
		}
	}
	if failed != nil {
		return failed
	}
	return waiting
}

// Next works out when to reconcile again and which error to return for back-off: any real error wins, else
// the shortest wait, else idle.
func Next(parts []Outcome, idle time.Duration) (time.Duration, error) {
	next := idle
	var failures []error
	for _, p := range parts {
		var s *Stalled
		var w *Waiting
		var until time.Duration
		switch {
		case p.Err == nil:
			continue
		case errors.As(p.Err, &s):
			until = s.Until
		case errors.As(p.Err, &w):
			until = w.Until
		default:
			failures = append(failures, p.Err)
			continue
		}
		if until > 0 && until < next {
			next = until
		}
	}
	return next, errors.Join(failures...)
}

func set(list *[]metav1.Condition, generation int64, conditionType string, status metav1.ConditionStatus, reason, message string) {
	meta.SetStatusCondition(list, metav1.Condition{
		Type: conditionType, Status: status, ObservedGeneration: generation, Reason: reason, Message: message,
	})
}

func truncate(s string) string {
	r := []rune(s)
	if len(r) <= maxMessage {
		return s
	}
	return string(r[:maxMessage-1]) + "…"
}
