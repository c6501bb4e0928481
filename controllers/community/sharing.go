package community

import (
	"maps"
	"slices"
	"strings"
	"sync"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	policyv1 "k8s.io/api/policy/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// sharing makes cached objects use one copy of what is equal in many of them: a community's children bear the
// same labels and select the same pods, and a class's communities run the same containers. Half of the cache is
// made of that. Sharing is safe because objects in a cache are never changed: readers get copies.
type sharing struct {
	mu sync.Mutex
	// What was in use lately is in young, or still in old. What is in neither is forgotten here and lives on in
	// the objects that have it.
	young, old map[string]any
}

// sharedValues is how many values young holds before it becomes old.
const sharedValues = 20_000

func newSharing() *sharing { return &sharing{young: map[string]any{}} }

// transform prepares an object for the cache; it is a toolscache.TransformFunc.
func (s *sharing) transform(o any) (any, error) {
	accessor, err := meta.Accessor(o)
	if err != nil { // a tombstone
		return o, nil //nolint:nilerr // there is nothing to prepare
	}
	accessor.SetManagedFields(nil)
	accessor.SetLabels(s.labels(accessor.GetLabels()))
	accessor.SetOwnerReferences(s.owners(accessor.GetOwnerReferences()))
	switch o := o.(type) {
	case *appsv1.Deployment:
		s.selector(o.Spec.Selector)
		s.pods(&o.Spec.Template)
	case *appsv1.StatefulSet:
		s.selector(o.Spec.Selector)
		s.pods(&o.Spec.Template)
	case *corev1.Service:
		o.Spec.Selector = s.labels(o.Spec.Selector)
	case *networkingv1.NetworkPolicy:
		s.policy(&o.Spec)
	case *policyv1.PodDisruptionBudget:
		s.selector(o.Spec.Selector)
	}
	return o, nil
}

func (s *sharing) pods(t *corev1.PodTemplateSpec) {
	t.Labels = s.labels(t.Labels)
	for i := range t.Spec.Containers {
		// Protocol Buffers write a container's few maps in order, so equal ones have equal keys.
		if key, err := t.Spec.Containers[i].Marshal(); err == nil {
			t.Spec.Containers[i] = shared(s, "container "+string(key), t.Spec.Containers[i])
		}
	}
	if a := t.Spec.Affinity; a != nil && a.PodAntiAffinity != nil {
		terms := a.PodAntiAffinity.PreferredDuringSchedulingIgnoredDuringExecution
		for i := range terms {
			s.selector(terms[i].PodAffinityTerm.LabelSelector)
		}
	}
}

func (s *sharing) policy(p *networkingv1.NetworkPolicySpec) {
	s.selector(&p.PodSelector)
	for _, rule := range p.Ingress {
		s.peers(rule.From)
	}
	for _, rule := range p.Egress {
		s.peers(rule.To)
	}
}

func (s *sharing) peers(peers []networkingv1.NetworkPolicyPeer) {
	for i := range peers {
		s.selector(peers[i].PodSelector)
		s.selector(peers[i].NamespaceSelector)
	}
}

func (s *sharing) selector(l *metav1.LabelSelector) {
	if l != nil {
		l.MatchLabels = s.labels(l.MatchLabels)
	}
}

func (s *sharing) labels(l map[string]string) map[string]string {
	if len(l) == 0 {
		return l
	}
	var key strings.Builder
	key.WriteString("labels")
	for _, k := range slices.Sorted(maps.Keys(l)) {
		key.WriteString("\x00" + k + "\x00" + l[k])
	}
	return shared(s, key.String(), l)
}

func (s *sharing) owners(o []metav1.OwnerReference) []metav1.OwnerReference {
	if len(o) != 1 {
		return o
	}
	key, err := o[0].Marshal()
	if err != nil {
		return o
	}
	return shared(s, "owner "+string(key), o)
}

// shared returns the value that is in use for a key already, or value from now on.
func shared[T any](s *sharing, key string, value T) T {
	s.mu.Lock()
	defer s.mu.Unlock()
	v, ok := s.young[key]
	if !ok {
		if v, ok = s.old[key]; !ok {
			v = value
		}
		if len(s.young) >= sharedValues {
			s.old, s.young = s.young, make(map[string]any)
		}
		s.young[key] = v
	}
	return v.(T)
}
