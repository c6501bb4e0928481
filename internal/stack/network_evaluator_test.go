package stack_test

import (
	"net/netip"
	"slices"
	"testing"

	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/quaeso/community-operator/internal/stack"
)

// endpoint is a pod, or with an empty namespace something outside the cluster's pods.
type endpoint struct {
	namespace string
	labels    map[string]string
	ip        string
}

// policyWorld evaluates NetworkPolicies as the API documents them: a pod that no policy selects for a direction
// is open in that direction; otherwise one rule of any policy must allow the traffic. A Service's port counts
// for nothing: policies see the pods' ports.
type policyWorld struct {
	t        testing.TB
	policies []networkingv1.NetworkPolicy
}

func newPolicyWorld(t testing.TB, plans ...stack.Plan) policyWorld {
	t.Helper()
	w := policyWorld{t: t}
	for _, p := range plans {
		for _, object := range stack.Objects(p) {
			o := toMap(t, object)
			if o["kind"] != "NetworkPolicy" {
				continue
			}
			var policy networkingv1.NetworkPolicy
			if err := runtime.DefaultUnstructuredConverter.FromUnstructuredWithValidation(o, &policy, true); err != nil {
				t.Fatalf("read a NetworkPolicy: %v", err)
			}
			w.policies = append(w.policies, policy)
		}
	}
	return w
}

// reaches tells whether traffic from one endpoint arrives at a port of another.
func (w policyWorld) reaches(from, to endpoint, protocol corev1.Protocol, port int32) bool {
	out := w.allowed(from, networkingv1.PolicyTypeEgress, func(p networkingv1.NetworkPolicy) bool {
		return slices.ContainsFunc(p.Spec.Egress, func(r networkingv1.NetworkPolicyEgressRule) bool {
			return matchPort(r.Ports, protocol, port) && w.matchPeer(p.Namespace, r.To, to)
		})
	})
	in := w.allowed(to, networkingv1.PolicyTypeIngress, func(p networkingv1.NetworkPolicy) bool {
		return slices.ContainsFunc(p.Spec.Ingress, func(r networkingv1.NetworkPolicyIngressRule) bool {
			return matchPort(r.Ports, protocol, port) && w.matchPeer(p.Namespace, r.From, from)
		})
	})
	return out && in
}

func (w policyWorld) allowed(pod endpoint, direction networkingv1.PolicyType, rules func(networkingv1.NetworkPolicy) bool) bool {
	isolated := false
	for _, p := range w.policies {
		if p.Namespace != pod.namespace || !slices.Contains(p.Spec.PolicyTypes, direction) || !w.selects(&p.Spec.PodSelector, pod.labels) {
			continue
		}
		if rules(p) {
			return true
		}
		isolated = true
	}
	return !isolated
}

func matchPort(ports []networkingv1.NetworkPolicyPort, protocol corev1.Protocol, port int32) bool {
	return len(ports) == 0 || slices.ContainsFunc(ports, func(p networkingv1.NetworkPolicyPort) bool {
		return *p.Protocol == protocol && (p.Port == nil || p.Port.IntVal == port)
	})
}

func (w policyWorld) matchPeer(namespace string, peers []networkingv1.NetworkPolicyPeer, e endpoint) bool {
	return len(peers) == 0 || slices.ContainsFunc(peers, func(p networkingv1.NetworkPolicyPeer) bool {
		if p.IPBlock != nil {
			return w.inBlock(p.IPBlock, e.ip)
		}
		if e.namespace == "" {
			return false
		}
		inNamespace := e.namespace == namespace
		if p.NamespaceSelector != nil {
			inNamespace = w.selects(p.NamespaceSelector, map[string]string{corev1.LabelMetadataName: e.namespace})
		}
		return inNamespace && (p.PodSelector == nil || w.selects(p.PodSelector, e.labels))
	})
}

func (w policyWorld) selects(selector *metav1.LabelSelector, set map[string]string) bool {
	w.t.Helper()
	s, err := metav1.LabelSelectorAsSelector(selector)
	if err != nil {
		w.t.Fatalf("read a selector: %v", err)
	}
	return s.Matches(labels.Set(set))
}

func (w policyWorld) inBlock(block *networkingv1.IPBlock, ip string) bool {
	w.t.Helper()
	contains := func(cidr string) bool {
		prefix, err := netip.ParsePrefix(cidr)
		if err != nil {
			w.t.Fatalf("read a block: %v", err)
		}
		if prefix != prefix.Masked() {
			w.t.Fatalf("block %s has bits beyond its mask", cidr)
		}
		return prefix.Contains(netip.MustParseAddr(ip))
	}
	return contains(block.CIDR) && !slices.ContainsFunc(block.Except, contains)
}
