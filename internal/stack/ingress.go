package stack

import (
	"slices"

	networkingv1 "k8s.io/api/networking/v1"
	networkingv1ac "k8s.io/client-go/applyconfigurations/networking/v1"

	"github.com/quaeso/community-operator/api/v1alpha1"
)

// ingress leads the community's hostnames from the ingress controller to its pages. Without a hostname there is
// none: it would take every hostname that nobody holds.
func ingress(p Plan) *networkingv1ac.IngressApplyConfiguration {
	if p.Class.Spec.Routing.Kind != v1alpha1.RoutingIngress || len(p.Hostnames) == 0 {
		return nil
	}
	spec := networkingv1ac.IngressSpec().WithTLS(ingressTLS(p)...)
	for _, h := range p.Hostnames {
		spec.WithRules(networkingv1ac.IngressRule().
			WithHost(h).
			WithHTTP(networkingv1ac.HTTPIngressRuleValue().
				WithPaths(networkingv1ac.HTTPIngressPath().
					WithPath("/").
					WithPathType(networkingv1.PathTypePrefix).
					WithBackend(networkingv1ac.IngressBackend().
						WithService(networkingv1ac.IngressServiceBackend().
							WithName(IdeasName(p.Community.Name)).
							WithPort(networkingv1ac.ServiceBackendPort().WithName(portNameHTTP)))))))
	}
	out := owned(p, v1alpha1.ComponentIdeas,
		networkingv1ac.Ingress(IdeasName(p.Community.Name), p.Community.Namespace).WithSpec(spec))
	if settings := p.Class.Spec.Routing.Ingress; settings != nil {
		out.WithAnnotations(settings.Annotations)
		if settings.ClassName != nil {
			spec.WithIngressClassName(*settings.ClassName)
		}
	}
	return out
}

// ingressTLS names the hosts that the ingress controller serves with its own certificate (no Secret), and those
// with the community's.
func ingressTLS(p Plan) []*networkingv1ac.IngressTLSApplyConfiguration {
	var out []*networkingv1ac.IngressTLSApplyConfiguration
	own := p.OwnCertificateHostnames()
	wildcard := slices.DeleteFunc(slices.Clone(p.Hostnames), func(h string) bool {
		return !p.TLSFor(h) || slices.Contains(own, h)
	})
	if len(wildcard) > 0 {
		out = append(out, networkingv1ac.IngressTLS().WithHosts(wildcard...))
	}
	if len(own) > 0 {
		out = append(out, networkingv1ac.IngressTLS().WithHosts(own...).WithSecretName(certificateSecretName(p)))
	}
	return out
}
