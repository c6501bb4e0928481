package ideaservice

import (
	"fmt"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/quaeso/community-operator/api/v1alpha1"
	"github.com/quaeso/community-operator/internal/control"
)

// MaxWord bounds what an idea service calls something.
const MaxWord = 63

// Representativeness takes over what the idea service says of who takes part.
func Representativeness(of *control.Representativeness) *v1alpha1.RepresentativenessStatus {
	if of == nil {
		return nil
	}
	return &v1alpha1.RepresentativenessStatus{
		Attribute: Bounded(of.Attribute, MaxWord), Value: Bounded(of.Value, MaxWord),
		GapPercent: percent(of.GapPercent), ActualPercent: percent(of.ActualPercent), QuotaPercent: percent(of.QuotaPercent),
	}
}

func percent(n int) int32 { return int32(min(max(n, 0), 100)) }

// SetAnswersOnTime tells whether the brand keeps its promise of answers; nothing where it made none.
func SetAnswersOnTime(list *[]metav1.Condition, generation int64, promised bool, late int64) {
	if late == 0 && !promised {
		meta.RemoveStatusCondition(list, v1alpha1.ConditionAnswersOnTime)
		return
	}
	c := metav1.Condition{
		Type: v1alpha1.ConditionAnswersOnTime, ObservedGeneration: generation,
		Status: metav1.ConditionTrue, Reason: v1alpha1.ReasonOnTime, Message: "no promised answer is late",
	}
	if late > 0 {
		c.Status, c.Reason = metav1.ConditionFalse, v1alpha1.ReasonAnswersLate
		c.Message = fmt.Sprintf("%d ideas wait for their answer longer than was promised", late)
	}
	meta.SetStatusCondition(list, c)
}

// SetRepresentative tells whether participants are as the quotas ask; nothing where there are none.
func SetRepresentative(list *[]metav1.Condition, generation int64, asked bool, gap *v1alpha1.RepresentativenessStatus) {
	c := metav1.Condition{Type: v1alpha1.ConditionRepresentative, ObservedGeneration: generation}
	switch {
	case gap == nil && asked:
		c.Status, c.Reason = metav1.ConditionUnknown, v1alpha1.ReasonNoParticipants
		c.Message = "nobody has taken part of whom the quotas could tell"
	case gap == nil:
		meta.RemoveStatusCondition(list, v1alpha1.ConditionRepresentative)
		return
	case gap.GapPercent <= control.RepresentativeWithin:
		c.Status, c.Reason = metav1.ConditionTrue, v1alpha1.ReasonWithinQuotas
		c.Message = fmt.Sprintf("every segment is within %d percentage points of its quota", control.RepresentativeWithin)
	default:
		c.Status, c.Reason = metav1.ConditionFalse, v1alpha1.ReasonGapTooWide
		c.Message = fmt.Sprintf("%s %s is %d %% of the participants, its quota is %d %%", gap.Attribute, gap.Value, gap.ActualPercent, gap.QuotaPercent)
	}
	meta.SetStatusCondition(list, c)
}
