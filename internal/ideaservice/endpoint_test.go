package ideaservice_test

import (
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/quaeso/community-operator/api/v1alpha1"
	"github.com/quaeso/community-operator/internal/ideaservice"
)

// Challenges go on being declared while the settings that are in force are the last good ones.
func TestTakesDeclarations(t *testing.T) {
	settings := func(status metav1.ConditionStatus, reason string) []metav1.Condition {
		return []metav1.Condition{{Type: v1alpha1.ConditionSettingsInForce, Status: status, Reason: reason}}
	}
	some := &v1alpha1.InForceStatus{Generation: 1}
	for name, tc := range map[string]struct {
		conditions []metav1.Condition
		inForce    *v1alpha1.InForceStatus
		want       bool
	}{
		"never looked at":                    {nil, nil, false},
		"in force":                           {settings(metav1.ConditionTrue, v1alpha1.ReasonReady), some, true},
		"refused":                            {settings(metav1.ConditionFalse, v1alpha1.ReasonSettingsRefused), some, true},
		"silent":                             {settings(metav1.ConditionFalse, v1alpha1.ReasonServiceUnreachable), some, false},
		"terms missing after the first time": {settings(metav1.ConditionFalse, v1alpha1.ReasonConfigMapNotFound), some, true},
		"terms not good any more":            {settings(metav1.ConditionFalse, v1alpha1.ReasonConfigMapIncomplete), some, true},
		"terms missing from the start":       {settings(metav1.ConditionFalse, v1alpha1.ReasonConfigMapNotFound), nil, false},
	} {
		t.Run(name, func(t *testing.T) {
			c := &v1alpha1.Community{Status: v1alpha1.CommunityStatus{Conditions: tc.conditions, InForce: tc.inForce}}
			if got := ideaservice.TakesDeclarations(c); got != tc.want {
				t.Errorf("takes declarations: %t, want %t", got, tc.want)
			}
		})
	}
}
