package stack

import (
	"slices"

	"github.com/quaeso/community-operator/api/v1alpha1"
	"github.com/quaeso/community-operator/internal/certmanager"
)

// certificate has cert-manager fill the Secret with the community's own certificate, unless it brings one.
func certificate(p Plan) *certmanager.CertificateApplyConfiguration {
	tls, hostnames := p.Class.Spec.Routing.TLS, p.OwnCertificateHostnames()
	if tls == nil || tls.IssuerRef == nil || p.Community.Spec.TLS != nil || len(hostnames) == 0 {
		return nil
	}
	kind := tls.IssuerRef.Kind
	if kind == "" {
		kind = "ClusterIssuer"
	}
	return owned(p, v1alpha1.ComponentIdeas,
		certmanager.ApplyCertificate(TLSName(p.Community.Name), p.Community.Namespace).
			WithSpec(&certmanager.CertificateSpec{
				SecretName: TLSName(p.Community.Name),
				// With our labels the operator's cache sees the Secret, and removes it with the Community.
				SecretTemplate: &certmanager.SecretTemplate{
					Labels: Labels(p.Community.Name, v1alpha1.ComponentIdeas),
				},
				DNSNames:  slices.Clone(hostnames),
				IssuerRef: &certmanager.IssuerReference{Name: tls.IssuerRef.Name, Kind: kind, Group: certmanager.Group},
			}))
}
