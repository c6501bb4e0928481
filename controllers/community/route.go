package community

import (
	"context"
	"fmt"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/ptr"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/quaeso/community-operator/api/v1alpha1"
	"github.com/quaeso/community-operator/internal/apply"
	"github.com/quaeso/community-operator/internal/certmanager"
	"github.com/quaeso/community-operator/internal/conditions"
	"github.com/quaeso/community-operator/internal/stack"
)

// observeRoute tells whether traffic reaches the community: the Gateway or the ingress controller took the
// route, and the certificates are there.
func (r *Reconciler) observeRoute(ctx context.Context, s *scope) error {
	if len(s.plan.Hostnames) == 0 {
		return conditions.Stall(v1alpha1.ReasonHostnameTaken, "the community holds no hostname, so nothing is routed to it")
	}
	if err := r.observeCertificates(ctx, s); err != nil {
		return err
	}
	if s.class.Spec.Routing.Kind == v1alpha1.RoutingIngress {
		return r.observeIngress(ctx, s)
	}
	return r.observeHTTPRoute(ctx, s)
}

func (r *Reconciler) observeHTTPRoute(ctx context.Context, s *scope) error {
	gvk := gatewayKind("HTTPRoute")
	if err := r.missingKind(gvk); err != nil {
		return err
	}
	live, err := r.applier.Get(ctx, s.owner, apply.Ref{GVK: gvk, Name: stack.IdeasName(s.community.Name)})
	if err != nil {
		return err
	}
	route, ok := live.(*gatewayv1.HTTPRoute)
	if !ok {
		return conditions.Wait(0, v1alpha1.ReasonProgressing, "the HTTPRoute is being made")
	}
	for _, ref := range neededParents(s.plan, route) {
		parent := findParent(route, ref)
		if parent == nil {
			return r.unansweredRoute(ctx, s)
		}
		for _, t := range []gatewayv1.RouteConditionType{gatewayv1.RouteConditionAccepted, gatewayv1.RouteConditionResolvedRefs} {
			if err := parentCondition(*parent, string(t), route.Generation); err != nil {
				return err
			}
		}
	}
	return nil
}

// neededParents are the parents of a route that the hostnames depend on: the class's Gateway, the community's
// own listeners, or both.
func neededParents(p stack.Plan, route *gatewayv1.HTTPRoute) []gatewayv1.ParentReference {
	needed := map[string]bool{}
	own := p.OwnCertificateHostnames()
	for _, h := range p.Hostnames {
		if slices.Contains(own, h) {
			needed["ListenerSet"] = true
		} else {
			needed["Gateway"] = true
		}
	}
	return slices.DeleteFunc(slices.Clone(route.Spec.ParentRefs), func(ref gatewayv1.ParentReference) bool {
		return !needed[string(ptr.Deref(ref.Kind, "Gateway"))]
	})
}

// findParent finds what a parent says of a route. What a parent says that the route does not name any more
// does not count: nobody may be left to take it back.
func findParent(route *gatewayv1.HTTPRoute, ref gatewayv1.ParentReference) *gatewayv1.RouteParentStatus {
	for i := range route.Status.Parents {
		p := route.Status.Parents[i].ParentRef
		if p.Name == ref.Name && ptr.Deref(p.Kind, "Gateway") == ptr.Deref(ref.Kind, "Gateway") &&
			ptr.Deref(p.Namespace, gatewayv1.Namespace(route.Namespace)) == ptr.Deref(ref.Namespace, gatewayv1.Namespace(route.Namespace)) &&
			ptr.Deref(p.SectionName, "") == ptr.Deref(ref.SectionName, "") {
			return &route.Status.Parents[i]
		}
	}
	return nil
}

func parentCondition(parent gatewayv1.RouteParentStatus, conditionType string, generation int64) error {
	c := meta.FindStatusCondition(parent.Conditions, conditionType)
	name := string(parent.ParentRef.Name)
	switch {
	case c == nil || c.ObservedGeneration < generation:
		return conditions.Wait(0, v1alpha1.ReasonProgressing, "%s has not looked at the current route yet", name)
	case c.Status != metav1.ConditionTrue && c.Reason == string(gatewayv1.RouteReasonBackendNotFound):
		return conditions.Wait(0, v1alpha1.ReasonProgressing, "%s does not see the Service yet", name)
	case c.Status != metav1.ConditionTrue:
		return conditions.StallUntil(30*time.Second, v1alpha1.ReasonRouteRefused,
			"%s refuses the route (%s): %s", name, c.Reason, c.Message)
	default:
		return nil
	}
}

// unansweredRoute tells a Gateway that is missing from one whose controller has not answered.
func (r *Reconciler) unansweredRoute(ctx context.Context, s *scope) error {
	ref := s.class.Spec.Routing.Gateway
	if s.now.Sub(s.community.CreationTimestamp.Time) < patience {
		return conditions.Wait(time.Second, v1alpha1.ReasonProgressing, "the Gateway %s/%s has not answered yet", ref.Namespace, ref.Name)
	}
	m := &metav1.PartialObjectMetadata{}
	m.SetGroupVersionKind(gatewayKind("Gateway"))
	err := r.Live.Get(ctx, types.NamespacedName{Namespace: ref.Namespace, Name: ref.Name}, m)
	if apierrors.IsNotFound(err) {
		return conditions.StallUntil(30*time.Second, v1alpha1.ReasonGatewayNotFound,
			"the class routes through the Gateway %s/%s, which does not exist; create it or correct the class", ref.Namespace, ref.Name)
	}
	if err != nil {
		return fmt.Errorf("get the Gateway: %w", err)
	}
	return conditions.Wait(30*time.Second, v1alpha1.ReasonProgressing, "the Gateway %s/%s has not answered; does its controller run?", ref.Namespace, ref.Name)
}

func (r *Reconciler) observeIngress(ctx context.Context, s *scope) error {
	ref := apply.Ref{GVK: networkingv1.SchemeGroupVersion.WithKind("Ingress"), Name: stack.IdeasName(s.community.Name)}
	live, err := r.applier.Get(ctx, s.owner, ref)
	if err != nil {
		return err
	}
	ingress, ok := live.(*networkingv1.Ingress)
	if !ok || len(ingress.Status.LoadBalancer.Ingress) == 0 {
		return conditions.Wait(0, v1alpha1.ReasonProgressing,
			"no ingress controller has published an address for the Ingress; does one serve its class?")
	}
	return nil
}

// observeCertificates tells whether the certificates of the community's own hostnames are there.
func (r *Reconciler) observeCertificates(ctx context.Context, s *scope) error {
	if len(s.plan.OwnCertificateHostnames()) == 0 {
		return nil
	}
	if s.community.Spec.TLS != nil {
		return s.tlsErr
	}
	gvk := certmanager.GroupVersion.WithKind(certmanager.CertificateKind)
	if err := r.missingKind(gvk); err != nil {
		return err
	}
	live, err := r.applier.Get(ctx, s.owner, apply.Ref{GVK: gvk, Name: stack.TLSName(s.community.Name)})
	if err != nil {
		return err
	}
	certificate, ok := live.(*certmanager.Certificate)
	if !ok {
		return conditions.Wait(0, v1alpha1.ReasonCertificatePending, "the Certificate is being made")
	}
	i := slices.IndexFunc(certificate.Status.Conditions, func(c certmanager.CertificateCondition) bool { return c.Type == "Ready" })
	if i < 0 || certificate.Status.Conditions[i].Status != metav1.ConditionTrue || certificate.Status.Conditions[i].ObservedGeneration < certificate.Generation {
		message := "cert-manager has not issued the certificate yet"
		if i >= 0 && certificate.Status.Conditions[i].Message != "" {
			message += ": " + certificate.Status.Conditions[i].Message
		}
		return conditions.Wait(0, v1alpha1.ReasonCertificatePending, "%s", message)
	}
	return nil
}

// checkTLSSecret looks at the Secret that a community brings its certificate in.
func (r *Reconciler) checkTLSSecret(ctx context.Context, s *scope) error {
	if s.community.Spec.TLS == nil || len(s.plan.OwnCertificateHostnames()) == 0 {
		return nil
	}
	const wants = "create it with: kubectl create secret tls"
	ref := types.NamespacedName{Namespace: s.community.Namespace, Name: s.community.Spec.TLS.SecretName}
	secret := &corev1.Secret{}
	err := r.Live.Get(ctx, ref, secret)
	switch {
	case apierrors.IsNotFound(err):
		return conditions.Stall(v1alpha1.ReasonSecretNotFound, "spec.tls.secretName names the Secret %s, which does not exist; %s", ref, wants)
	case err != nil:
		return fmt.Errorf("get the TLS Secret: %w", err)
	case secret.Type != corev1.SecretTypeTLS:
		return conditions.Stall(v1alpha1.ReasonSecretIncomplete, "Secret %s, named by spec.tls.secretName, is of type %q; it must be %q: %s",
			ref, secret.Type, corev1.SecretTypeTLS, wants)
	case len(secret.Data[corev1.TLSCertKey]) == 0 || len(secret.Data[corev1.TLSPrivateKeyKey]) == 0:
		return conditions.Stall(v1alpha1.ReasonSecretIncomplete, "Secret %s, named by spec.tls.secretName, lacks tls.crt or tls.key; %s", ref, wants)
	default:
		return nil
	}
}
