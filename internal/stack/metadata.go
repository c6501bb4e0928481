package stack

import (
	metav1ac "k8s.io/client-go/applyconfigurations/meta/v1"

	"github.com/quaeso/community-operator/api/v1alpha1"
)

// metadata is what every apply configuration offers, with its own type as the result.
type metadata[T any] interface {
	WithLabels(map[string]string) T
	WithAnnotations(map[string]string) T
	WithOwnerReferences(...*metav1ac.OwnerReferenceApplyConfiguration) T
}

// owned marks an object as a component's, to be deleted together with the Community.
func owned[T metadata[T]](p Plan, component string, object T) T {
	return object.
		WithLabels(Labels(p.Community.Name, component)).
		WithOwnerReferences(metav1ac.OwnerReference().
			WithAPIVersion(v1alpha1.GroupVersion.String()).
			WithKind("Community").
			WithName(p.Community.Name).
			WithUID(p.Community.UID).
			WithController(true).
			WithBlockOwnerDeletion(true))
}

// data marks an object that holds data, or what opens it. It never has an owner: the garbage collector would
// take it as soon as the Community is deleted in the foreground, before the deletion policy was carried out.
func data[T metadata[T]](p Plan, object T) T {
	return object.WithLabels(Labels(p.Community.Name, v1alpha1.ComponentDatabase))
}

// selector of a component's pods.
func selector(p Plan, component string) *metav1ac.LabelSelectorApplyConfiguration {
	return metav1ac.LabelSelector().WithMatchLabels(SelectorLabels(p.Community.Name, component))
}
