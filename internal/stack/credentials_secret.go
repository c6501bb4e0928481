package stack

import (
	corev1 "k8s.io/api/core/v1"
	corev1ac "k8s.io/client-go/applyconfigurations/core/v1"

	"github.com/quaeso/community-operator/api/v1alpha1"
)

// CredentialsMountPath is where the idea service's pods find the credentials, one file each.
const CredentialsMountPath = "/etc/community/credentials"

// credentialsSecret holds the files that the idea service's pods mount.
func credentialsSecret(p Plan) *corev1ac.SecretApplyConfiguration {
	if p.Credentials == nil {
		return nil
	}
	return owned(p, v1alpha1.ComponentIdeas,
		corev1ac.Secret(CredentialsName(p.Community.Name), p.Community.Namespace).
			WithType(corev1.SecretTypeOpaque).
			WithAnnotations(map[string]string{v1alpha1.AnnotationSources: p.Credentials.Sources}).
			WithData(p.Credentials.Files))
}
