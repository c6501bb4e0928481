package community

import (
	"context"

	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	policyv1 "k8s.io/api/policy/v1"

	"github.com/quaeso/community-operator/internal/apply"
	"github.com/quaeso/community-operator/internal/certmanager"
	"github.com/quaeso/community-operator/internal/stack"
)

// prunable are the children that a plan may stop to want. Workloads and data are not among them: they go
// only with their Community.
func prunable(community string) []apply.Ref {
	ideas := stack.IdeasName(community)
	return []apply.Ref{
		{GVK: gatewayKind("HTTPRoute"), Name: ideas},
		{GVK: gatewayKind("ListenerSet"), Name: ideas},
		{GVK: networkingv1.SchemeGroupVersion.WithKind("Ingress"), Name: ideas},
		{GVK: certmanager.GroupVersion.WithKind(certmanager.CertificateKind), Name: stack.TLSName(community)},
		{GVK: networkingv1.SchemeGroupVersion.WithKind("NetworkPolicy"), Name: stack.IdeasPolicyName(community)},
		{GVK: networkingv1.SchemeGroupVersion.WithKind("NetworkPolicy"), Name: stack.DatabaseName(community)},
		{GVK: policyv1.SchemeGroupVersion.WithKind("PodDisruptionBudget"), Name: ideas},
		{GVK: corev1.SchemeGroupVersion.WithKind("Secret"), Name: stack.PullSecretName(community)},
		// cert-manager made it from the Certificate and leaves it behind.
		{GVK: corev1.SchemeGroupVersion.WithKind("Secret"), Name: stack.TLSName(community)},
	}
}

// prune removes children that are no longer wanted. A route goes only after the one that replaces it was
// applied, since everything wanted comes first.
func (r *Reconciler) prune(ctx context.Context, s *scope, wanted map[apply.Ref]bool) error {
	for _, ref := range prunable(s.community.Name) {
		if wanted[ref] || !r.optional.installed(ref.GVK) {
			continue
		}
		if _, err := r.applier.Delete(ctx, s.owner, ref); err != nil {
			return err
		}
	}
	return nil
}
