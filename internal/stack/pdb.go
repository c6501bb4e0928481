package stack

import (
	policyv1 "k8s.io/api/policy/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
	policyv1ac "k8s.io/client-go/applyconfigurations/policy/v1"

	"github.com/quaeso/community-operator/api/v1alpha1"
)

// podDisruptionBudget lets nodes drain one replica at a time. A single replica has none: it would keep its node
// from draining for ever.
func podDisruptionBudget(p Plan) *policyv1ac.PodDisruptionBudgetApplyConfiguration {
	if p.Replicas <= 1 {
		return nil
	}
	return owned(p, v1alpha1.ComponentIdeas,
		policyv1ac.PodDisruptionBudget(IdeasName(p.Community.Name), p.Community.Namespace).
			WithSpec(policyv1ac.PodDisruptionBudgetSpec().
				WithMaxUnavailable(intstr.FromInt32(1)).
				WithUnhealthyPodEvictionPolicy(policyv1.AlwaysAllow).
				WithSelector(selector(p, v1alpha1.ComponentIdeas))))
}
