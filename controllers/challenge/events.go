package challenge

import (
	"fmt"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/quaeso/community-operator/api/v1alpha1"
	"github.com/quaeso/community-operator/internal/conditions"
)

// reportEvents tells of transitions, once each: what the status said before is compared with what it says now.
func (r *Reconciler) reportEvents(s *scope) {
	before, after := &s.before.Status, &s.challenge.Status
	changes := []conditions.Change{}
	if c := conditions.ReadyChange(before.Conditions, after.Conditions); c != nil {
		changes = append(changes, *c)
	}
	changes = append(changes, s.done.Changes(after.Conditions)...)
	if before.Phase != after.Phase && after.Phase != "" {
		changes = append(changes, normal("PhaseChanged", phaseMessage(before.Phase, after)))
	}
	for _, kind := range []string{v1alpha1.ConditionDecided, v1alpha1.ConditionAnswersOnTime, v1alpha1.ConditionRepresentative} {
		if c := turned(kind, before.Conditions, after.Conditions); c != nil {
			changes = append(changes, *c)
		}
	}
	for _, c := range changes {
		c.Report(r.Events, s.challenge)
	}
}

func normal(reason, message string) conditions.Change {
	return conditions.Change{Type: corev1.EventTypeNormal, Reason: reason, Action: "Observe", Message: message}
}

func phaseMessage(before string, after *v1alpha1.ChallengeStatus) string {
	message := "the phase is " + after.Phase
	if before != "" {
		message = fmt.Sprintf("the phase changed from %s to %s", before, after.Phase)
	}
	if after.NextTransition != nil {
		message += ", until " + after.NextTransition.UTC().Format("2006-01-02 15:04 MST")
	}
	return message
}

// turned tells of a condition that has become true or false.
func turned(kind string, before, after []metav1.Condition) *conditions.Change {
	was, is := meta.FindStatusCondition(before, kind), meta.FindStatusCondition(after, kind)
	if is == nil || is.Status == metav1.ConditionUnknown {
		return nil
	}
	switch {
	case was != nil && was.Status == is.Status:
		return nil
	case kind == v1alpha1.ConditionDecided && is.Status == metav1.ConditionFalse:
		return nil // it begins so
	case was == nil && is.Status == metav1.ConditionTrue && kind != v1alpha1.ConditionDecided:
		return nil // it begins well
	}
	c := normal(is.Reason, is.Message)
	if is.Status == metav1.ConditionFalse {
		c.Type = corev1.EventTypeWarning
	}
	return &c
}
