package conditions

import (
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/tools/events"

	"github.com/quaeso/community-operator/api/v1alpha1"
)

// Change is what people are told of, as an event.
type Change struct {
	// Type, Reason, Action and Message are those of an event.
	Type, Reason, Action, Message string
}

// maxNote is a little less than the 1,024 bytes that the events API takes.
const maxNote = 1000

// Report sends the change of an object as an event.
func (c Change) Report(events events.EventRecorder, o runtime.Object) {
	if len(c.Message) > maxNote {
		c.Message = strings.ToValidUTF8(c.Message[:maxNote], "") + "…"
	}
	events.Eventf(o, nil, c.Type, c.Reason, c.Action, "%s", c.Message)
}

// ReadyChange is the change of Ready that matters to people: ready, stalled with its cause, paused; nil for none.
func ReadyChange(before, after []metav1.Condition) *Change {
	was, is := meta.FindStatusCondition(before, v1alpha1.ConditionReady), meta.FindStatusCondition(after, v1alpha1.ConditionReady)
	if is == nil || (was != nil && was.Status == is.Status && was.Reason == is.Reason && was.Message == is.Message) {
		return nil
	}
	change := &Change{Type: corev1.EventTypeNormal, Reason: is.Reason, Action: "Reconcile", Message: is.Message}
	switch {
	case is.Status == metav1.ConditionTrue:
	case meta.IsStatusConditionTrue(after, v1alpha1.ConditionStalled):
		change.Type = corev1.EventTypeWarning
	case is.Status == metav1.ConditionUnknown:
		change.Action = "Pause"
	default:
		return nil
	}
	return change
}
