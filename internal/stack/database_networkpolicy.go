package stack

import (
	networkingv1 "k8s.io/api/networking/v1"
	metav1ac "k8s.io/client-go/applyconfigurations/meta/v1"
	networkingv1ac "k8s.io/client-go/applyconfigurations/networking/v1"

	"github.com/quaeso/community-operator/api/v1alpha1"
	"github.com/quaeso/community-operator/internal/cnpg"
)

// databasePods selects the pods of a database that the community has to itself; nil when it has none.
func databasePods(p Plan) *metav1ac.LabelSelectorApplyConfiguration {
	switch p.Database.Kind {
	case v1alpha1.DatabaseStandalone:
		return selector(p, v1alpha1.ComponentDatabase)
	case v1alpha1.DatabaseCloudNativePG:
		return matchLabels(cnpg.LabelCluster, DatabaseName(p.Community.Name))
	default:
		return nil
	}
}

// databaseNetworkPolicy fences the database's pods: only this community's idea service gets in.
func databaseNetworkPolicy(p Plan) *networkingv1ac.NetworkPolicyApplyConfiguration {
	pods := databasePods(p)
	if pods == nil || !p.NetworkPolicies() {
		return nil
	}
	spec := networkingv1ac.NetworkPolicySpec().
		WithPodSelector(pods).
		WithPolicyTypes(networkingv1.PolicyTypeIngress).
		WithIngress(networkingv1ac.NetworkPolicyIngressRule().
			WithPorts(tcp(PortPostgres)).
			WithFrom(peerPods(selector(p, v1alpha1.ComponentIdeas))))
	if p.Database.Kind == v1alpha1.DatabaseStandalone {
		// The policy type without a rule: no way out at all.
		spec.WithPolicyTypes(networkingv1.PolicyTypeEgress)
	} else {
		spec.WithIngress(clusterIngress(p)...)
	}
	return owned(p, v1alpha1.ComponentDatabase,
		networkingv1ac.NetworkPolicy(DatabaseName(p.Community.Name), p.Community.Namespace).WithSpec(spec))
}

// clusterIngress is what a Cluster needs to work: its instances reach each other, and CloudNativePG's operator
// reaches them from whichever namespace it runs in. The way out stays open, because each instance reports to the
// API server, whose address a policy cannot know.
func clusterIngress(p Plan) []*networkingv1ac.NetworkPolicyIngressRuleApplyConfiguration {
	return []*networkingv1ac.NetworkPolicyIngressRuleApplyConfiguration{
		networkingv1ac.NetworkPolicyIngressRule().
			WithPorts(tcp(PortPostgres), tcp(cnpg.InstancePort)).
			WithFrom(peerPods(databasePods(p))),
		networkingv1ac.NetworkPolicyIngressRule().
			WithPorts(tcp(cnpg.InstancePort)).
			WithFrom(networkingv1ac.NetworkPolicyPeer().
				WithNamespaceSelector(metav1ac.LabelSelector()).
				WithPodSelector(matchLabels(v1alpha1.LabelName, "cloudnative-pg"))),
	}
}
