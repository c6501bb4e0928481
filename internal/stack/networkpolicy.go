package stack

import (
	"net/url"
	"slices"
	"strconv"

	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
	metav1ac "k8s.io/client-go/applyconfigurations/meta/v1"
	networkingv1ac "k8s.io/client-go/applyconfigurations/networking/v1"

	"github.com/quaeso/community-operator/api/v1alpha1"
)

const portDNS = 53

// IdeasPolicyName is the name of the NetworkPolicy around the idea service's pods.
func IdeasPolicyName(community string) string { return community + "-ideas" }

// ideasNetworkPolicy fences the idea service's pods: pages for the proxy, control for the operator, metrics for
// monitoring; out to names, the database, mail and sign-in, and to nothing else.
func ideasNetworkPolicy(p Plan) *networkingv1ac.NetworkPolicyApplyConfiguration {
	if !p.NetworkPolicies() {
		return nil
	}
	return owned(p, v1alpha1.ComponentIdeas,
		networkingv1ac.NetworkPolicy(IdeasPolicyName(p.Community.Name), p.Community.Namespace).
			WithSpec(networkingv1ac.NetworkPolicySpec().
				WithPodSelector(selector(p, v1alpha1.ComponentIdeas)).
				WithPolicyTypes(networkingv1.PolicyTypeIngress, networkingv1.PolicyTypeEgress).
				WithIngress(ideasIngress(p)...).
				WithEgress(ideasEgress(p)...)))
}

func ideasIngress(p Plan) []*networkingv1ac.NetworkPolicyIngressRuleApplyConfiguration {
	pages := networkingv1ac.NetworkPolicyIngressRule().WithPorts(tcp(PortHTTP))
	// A rule without peers lets everybody in: where an ingress controller runs cannot be known.
	if namespaces := proxyNamespaces(p); len(namespaces) > 0 {
		pages.WithFrom(peerNamespaces(namespaces...))
	}
	rules := []*networkingv1ac.NetworkPolicyIngressRuleApplyConfiguration{pages}
	// Run outside the cluster, the operator has no namespace, and no pod may be taken for it.
	if p.OperatorNamespace != "" {
		rules = append(rules, networkingv1ac.NetworkPolicyIngressRule().
			WithPorts(tcp(PortControl)).
			WithFrom(peerNamespaces(p.OperatorNamespace).
				WithPodSelector(matchLabels(v1alpha1.LabelName, v1alpha1.FieldManager))))
	}
	if i := p.Class.Spec.Isolation; i != nil && len(i.MonitoringNamespaces) > 0 {
		rules = append(rules, networkingv1ac.NetworkPolicyIngressRule().
			WithPorts(tcp(PortManagement)).
			WithFrom(peerNamespaces(i.MonitoringNamespaces...)))
	}
	return rules
}

// proxyNamespaces run the proxies that may reach the pages; empty for every source.
func proxyNamespaces(p Plan) []string {
	if i := p.Class.Spec.Isolation; i != nil && len(i.ProxyNamespaces) > 0 {
		return i.ProxyNamespaces
	}
	if g := p.Class.Spec.Routing.Gateway; g != nil {
		return []string{g.Namespace}
	}
	return nil
}

func ideasEgress(p Plan) []*networkingv1ac.NetworkPolicyEgressRuleApplyConfiguration {
	rules := []*networkingv1ac.NetworkPolicyEgressRuleApplyConfiguration{
		networkingv1ac.NetworkPolicyEgressRule().WithPorts(udp(portDNS), tcp(portDNS)),
	}
	if pods := databasePods(p); pods != nil {
		rules = append(rules, networkingv1ac.NetworkPolicyEgressRule().
			WithPorts(tcp(PortPostgres)).
			WithTo(peerPods(pods)))
	}
	// Addresses of databases and mail servers elsewhere are names, which a NetworkPolicy cannot hold, so only
	// their ports are.
	if c := p.Credentials; c != nil {
		if c.DatabasePort != 0 && databasePods(p) == nil {
			rules = append(rules, networkingv1ac.NetworkPolicyEgressRule().WithPorts(tcp(c.DatabasePort)))
		}
		if c.SMTPPort != 0 {
			rules = append(rules, networkingv1ac.NetworkPolicyEgressRule().WithPorts(tcp(c.SMTPPort)))
		}
	}
	if oidc := p.Community.Spec.OIDC; oidc != nil {
		rules = append(rules, oidcEgress(oidc))
	}
	return rules
}

// oidcEgress leads to the issuer, whose address is unknown but public: neither link-local (the metadata service
// of a cloud) nor private (the API server, other tenants, the company's network). An issuer that has a private
// address only cannot be used while the class wants NetworkPolicies.
func oidcEgress(oidc *v1alpha1.CommunityOIDC) *networkingv1ac.NetworkPolicyEgressRuleApplyConfiguration {
	rule := networkingv1ac.NetworkPolicyEgressRule().WithPorts(tcp(httpsPort))
	// The issuer may listen elsewhere and still name endpoints on the standard port.
	if port := issuerPort(oidc.IssuerURL); port != httpsPort {
		rule.WithPorts(tcp(port))
	}
	return rule.WithTo(
		networkingv1ac.NetworkPolicyPeer().WithIPBlock(networkingv1ac.IPBlock().
			WithCIDR("0.0.0.0/0").
			WithExcept("10.0.0.0/8", "100.64.0.0/10", "169.254.0.0/16", "172.16.0.0/12", "192.168.0.0/16")),
		networkingv1ac.NetworkPolicyPeer().WithIPBlock(networkingv1ac.IPBlock().
			WithCIDR("::/0").
			WithExcept("fc00::/7", "fe80::/10")))
}

func issuerPort(issuer v1alpha1.HTTPSURL) int32 {
	u, err := url.Parse(string(issuer))
	if err != nil {
		return httpsPort
	}
	port, err := strconv.ParseUint(u.Port(), 10, 16)
	if err != nil || port == 0 {
		return httpsPort
	}
	return int32(port)
}

func matchLabels(key, value string) *metav1ac.LabelSelectorApplyConfiguration {
	return metav1ac.LabelSelector().WithMatchLabels(map[string]string{key: value})
}

// peerNamespaces are all pods of some namespaces.
func peerNamespaces(names ...string) *networkingv1ac.NetworkPolicyPeerApplyConfiguration {
	sorted := slices.Sorted(slices.Values(names))
	return networkingv1ac.NetworkPolicyPeer().WithNamespaceSelector(metav1ac.LabelSelector().
		WithMatchExpressions(metav1ac.LabelSelectorRequirement().
			WithKey(corev1.LabelMetadataName).
			WithOperator(metav1.LabelSelectorOpIn).
			WithValues(sorted...)))
}

// peerPods are pods of the community's own namespace.
func peerPods(pods *metav1ac.LabelSelectorApplyConfiguration) *networkingv1ac.NetworkPolicyPeerApplyConfiguration {
	return networkingv1ac.NetworkPolicyPeer().WithPodSelector(pods)
}

func tcp(port int32) *networkingv1ac.NetworkPolicyPortApplyConfiguration {
	return networkingv1ac.NetworkPolicyPort().WithProtocol(corev1.ProtocolTCP).WithPort(intstr.FromInt32(port))
}

func udp(port int32) *networkingv1ac.NetworkPolicyPortApplyConfiguration {
	return networkingv1ac.NetworkPolicyPort().WithProtocol(corev1.ProtocolUDP).WithPort(intstr.FromInt32(port))
}
