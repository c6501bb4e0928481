package stack

import (
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"
	gatewayv1ac "sigs.k8s.io/gateway-api/applyconfiguration/apis/v1"

	"github.com/quaeso/community-operator/api/v1alpha1"
)

// httpsPort is the port of the listeners that a community adds to the Gateway.
const httpsPort = 443

// listenerSet adds an HTTPS listener to the class's Gateway for each hostname that its own certificates do not
// cover. The Secret stays in the community's namespace.
func listenerSet(p Plan) *gatewayv1ac.ListenerSetApplyConfiguration {
	gateway, hostnames := p.Class.Spec.Routing.Gateway, p.OwnCertificateHostnames()
	if gateway == nil || len(hostnames) == 0 {
		return nil
	}
	spec := gatewayv1ac.ListenerSetSpec().
		WithParentRef(gatewayv1ac.ParentGatewayReference().
			WithGroup(gatewayv1.GroupName).
			WithKind("Gateway").
			WithName(gatewayv1.ObjectName(gateway.Name)).
			WithNamespace(gatewayv1.Namespace(gateway.Namespace)))
	for _, h := range hostnames {
		spec.WithListeners(gatewayv1ac.ListenerEntry().
			WithName(gatewayv1.SectionName(h)).
			WithHostname(gatewayv1.Hostname(h)).
			WithPort(httpsPort).
			WithProtocol(gatewayv1.HTTPSProtocolType).
			WithTLS(gatewayv1ac.ListenerTLSConfig().
				WithMode(gatewayv1.TLSModeTerminate).
				WithCertificateRefs(gatewayv1ac.SecretObjectReference().
					WithGroup("").
					WithKind("Secret").
					WithName(gatewayv1.ObjectName(certificateSecretName(p))))).
			// Nobody else's route may use a brand's certificate.
			WithAllowedRoutes(gatewayv1ac.AllowedRoutes().
				WithNamespaces(gatewayv1ac.RouteNamespaces().WithFrom(gatewayv1.NamespacesFromSame))))
	}
	return owned(p, v1alpha1.ComponentIdeas,
		gatewayv1ac.ListenerSet(IdeasName(p.Community.Name), p.Community.Namespace).WithSpec(spec))
}
