package stack

import (
	corev1 "k8s.io/api/core/v1"
	corev1ac "k8s.io/client-go/applyconfigurations/core/v1"

	"github.com/quaeso/community-operator/api/v1alpha1"
)

// pullSecret opens the registries of the class's images to the community's pods.
func pullSecret(p Plan) *corev1ac.SecretApplyConfiguration {
	if len(p.PullSecret) == 0 {
		return nil
	}
	return owned(p, v1alpha1.ComponentIdeas,
		corev1ac.Secret(PullSecretName(p.Community.Name), p.Community.Namespace).
			WithType(corev1.SecretTypeDockerConfigJson).
			WithData(map[string][]byte{corev1.DockerConfigJsonKey: p.PullSecret}))
}
