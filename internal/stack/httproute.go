package stack

import (
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"
	gatewayv1ac "sigs.k8s.io/gateway-api/applyconfiguration/apis/v1"

	"github.com/quaeso/community-operator/api/v1alpha1"
)

// httpRoute leads the community's hostnames from the Gateway to its pages. Without a hostname there is no
// route: it would take every hostname that nobody holds.
func httpRoute(p Plan) *gatewayv1ac.HTTPRouteApplyConfiguration {
	if p.Class.Spec.Routing.Gateway == nil || len(p.Hostnames) == 0 {
		return nil
	}
	spec := gatewayv1ac.HTTPRouteSpec().
		WithParentRefs(routeParents(p)...).
		WithRules(gatewayv1ac.HTTPRouteRule().
			WithMatches(gatewayv1ac.HTTPRouteMatch().
				WithPath(gatewayv1ac.HTTPPathMatch().
					WithType(gatewayv1.PathMatchPathPrefix).
					WithValue("/"))).
			WithBackendRefs(gatewayv1ac.HTTPBackendRef().
				WithGroup("").
				WithKind("Service").
				WithName(gatewayv1.ObjectName(IdeasName(p.Community.Name))).
				WithPort(servicePort).
				WithWeight(1)))
	for _, h := range p.Hostnames {
		spec.WithHostnames(gatewayv1.Hostname(h))
	}
	return owned(p, v1alpha1.ComponentIdeas,
		gatewayv1ac.HTTPRoute(IdeasName(p.Community.Name), p.Community.Namespace).WithSpec(spec))
}

// routeParents are what the route attaches to: the Gateway, and the community's own listeners where it has any.
func routeParents(p Plan) []*gatewayv1ac.ParentReferenceApplyConfiguration {
	gateway := p.Class.Spec.Routing.Gateway
	parent := gatewayv1ac.ParentReference().
		WithGroup(gatewayv1.GroupName).
		WithKind("Gateway").
		WithName(gatewayv1.ObjectName(gateway.Name)).
		WithNamespace(gatewayv1.Namespace(gateway.Namespace))
	if gateway.SectionName != nil {
		parent.WithSectionName(gatewayv1.SectionName(*gateway.SectionName))
	}
	parents := []*gatewayv1ac.ParentReferenceApplyConfiguration{parent}
	if len(p.OwnCertificateHostnames()) > 0 {
		parents = append(parents, gatewayv1ac.ParentReference().
			WithGroup(gatewayv1.GroupName).
			WithKind("ListenerSet").
			WithName(gatewayv1.ObjectName(IdeasName(p.Community.Name))))
	}
	return parents
}
