package stack

import (
	corev1 "k8s.io/api/core/v1"
	corev1ac "k8s.io/client-go/applyconfigurations/core/v1"

	"github.com/quaeso/community-operator/api/v1alpha1"
	"github.com/quaeso/community-operator/internal/cnpg"
)

// DatabaseSecret holds the name and the password of the community's role. It is made before the database and
// kept as long as the data: one without the other is of no use.
func DatabaseSecret(p Plan) *corev1ac.SecretApplyConfiguration {
	s := data(p, corev1ac.Secret(DatabaseName(p.Community.Name), p.Community.Namespace)).
		WithType(corev1.SecretTypeBasicAuth).
		WithData(map[string][]byte{
			corev1.BasicAuthUsernameKey: []byte(DatabaseRole(p)),
			corev1.BasicAuthPasswordKey: []byte(p.Database.Password),
		})
	if p.Database.Kind == v1alpha1.DatabaseCloudNativePG {
		s.WithLabels(map[string]string{cnpg.LabelReload: "true"})
	}
	return s
}
