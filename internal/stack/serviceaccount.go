package stack

import (
	corev1ac "k8s.io/client-go/applyconfigurations/core/v1"

	"github.com/quaeso/community-operator/api/v1alpha1"
)

// serviceAccount is the identity of the community's pods. It has no rights, and no token is mounted.
func serviceAccount(p Plan) *corev1ac.ServiceAccountApplyConfiguration {
	return owned(p, v1alpha1.ComponentIdeas,
		corev1ac.ServiceAccount(IdeasName(p.Community.Name), p.Community.Namespace).
			WithAutomountServiceAccountToken(false))
}
