package ideaservice

import (
	"context"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/util/workqueue"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/predicate"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/quaeso/community-operator/api/v1alpha1"
)

// SpecChanged lets through what a person did to an object, not what the operator wrote into its status.
func SpecChanged() predicate.Predicate {
	deleted := predicate.NewPredicateFuncs(func(o client.Object) bool { return o.GetDeletionTimestamp() != nil })
	return predicate.Or(predicate.GenerationChangedPredicate{}, predicate.AnnotationChangedPredicate{}, deleted)
}

// LookAsked lets through a new value of the annotation that asks for a look now.
func LookAsked() predicate.Predicate {
	return predicate.Funcs{
		CreateFunc: func(event.CreateEvent) bool { return false }, DeleteFunc: func(event.DeleteEvent) bool { return false },
		UpdateFunc: func(e event.UpdateEvent) bool {
			return e.ObjectOld.GetAnnotations()[v1alpha1.AnnotationReconcile] != e.ObjectNew.GetAnnotations()[v1alpha1.AnnotationReconcile]
		},
	}
}

// EnqueueNews enqueues the objects that Programmes tells of.
func EnqueueNews() handler.TypedEventHandler[types.NamespacedName, reconcile.Request] {
	type queue = workqueue.TypedRateLimitingInterface[reconcile.Request]
	return handler.TypedFuncs[types.NamespacedName, reconcile.Request]{
		GenericFunc: func(_ context.Context, news News, q queue) { q.Add(reconcile.Request{NamespacedName: news.Object}) },
	}
}

// CommunityChanged lets through changes of a Community that matter to its Challenges and RewardPolicies: it comes or goes,
// is paused, works by other settings, has another release of the idea service, or waits for something else.
func CommunityChanged() predicate.Predicate {
	return predicate.Funcs{
		UpdateFunc: func(e event.UpdateEvent) bool {
			return standOf(e.ObjectOld.(*v1alpha1.Community)) != standOf(e.ObjectNew.(*v1alpha1.Community))
		},
	}
}

// stand is what matters of a Community.
type stand struct {
	uid                       types.UID
	deleting, paused, serving bool
	generation                int64
	version, waitsFor         string
}

func standOf(c *v1alpha1.Community) stand {
	s := stand{
		uid: c.UID, deleting: c.DeletionTimestamp != nil, paused: c.Spec.Paused, serving: TakesDeclarations(c),
		version: c.Status.Version,
	}
	if s.serving {
		s.generation = c.Status.ObservedGeneration
	} else if ready := meta.FindStatusCondition(c.Status.Conditions, v1alpha1.ConditionReady); ready != nil {
		s.waitsFor = ready.Reason
	}
	return s
}

// CameIntoForce lets through objects that came into force or ceased to be: others that refer to them may go on.
func CameIntoForce() predicate.Predicate {
	return predicate.Funcs{
		CreateFunc: func(event.CreateEvent) bool { return false },
		UpdateFunc: func(e event.UpdateEvent) bool { return inForce(e.ObjectOld) != inForce(e.ObjectNew) },
	}
}

func inForce(o client.Object) bool {
	var list []metav1.Condition
	switch o := o.(type) {
	case *v1alpha1.Challenge:
		list = o.Status.Conditions
	case *v1alpha1.RewardPolicy:
		list = o.Status.Conditions
	}
	return meta.IsStatusConditionTrue(list, v1alpha1.ConditionInForce)
}
