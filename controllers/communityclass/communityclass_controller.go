// Package communityclass reconciles CommunityClasses: it counts the communities of a class, reports what is
// wrong with the class itself, and keeps a class that is in use from going.
package communityclass

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/util/workqueue"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller/controllerutil"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/predicate"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/quaeso/community-operator/api/v1alpha1"
	"github.com/quaeso/community-operator/internal/conditions"
)

// settle is how long changes of communities are gathered before a class is counted again: a thousand new
// communities are one write, not a thousand.
const settle = 2 * time.Second

// Reconciler reconciles CommunityClasses.
type Reconciler struct {
	// Client reads from the cache and writes.
	client.Client
}

// +kubebuilder:rbac:groups=cocreation.quaeso.io,resources=communityclasses,verbs=get;list;watch;patch
// +kubebuilder:rbac:groups=cocreation.quaeso.io,resources=communityclasses/status,verbs=patch

// Reconcile counts and judges one class.
func (r *Reconciler) Reconcile(ctx context.Context, req ctrl.Request) (ctrl.Result, error) {
	class := &v1alpha1.CommunityClass{}
	if err := r.Get(ctx, req.NamespacedName, class); err != nil {
		return ctrl.Result{}, client.IgnoreNotFound(err)
	}
	users, err := r.users(ctx, class)
	if err != nil {
		return ctrl.Result{}, err
	}
	before := class.DeepCopy()
	if !class.DeletionTimestamp.IsZero() {
		return ctrl.Result{}, r.reconcileDelete(ctx, class, before, users)
	}
	if controllerutil.AddFinalizer(class, v1alpha1.FinalizerClass) {
		// A patch of a list replaces it: the lock keeps a finalizer that somebody else added meanwhile.
		if err := r.Patch(ctx, class, client.MergeFromWithOptions(before, client.MergeFromWithOptimisticLock{})); err != nil {
			return ctrl.Result{}, fmt.Errorf("add the finalizer: %w", err)
		}
		before = class.DeepCopy()
	}
	conflict, err := r.otherDefaults(ctx, class)
	if err != nil {
		return ctrl.Result{}, err
	}
	return ctrl.Result{}, r.report(ctx, class, before, users, conflict)
}

// reconcileDelete lets a class go that no community uses.
func (r *Reconciler) reconcileDelete(ctx context.Context, class, before *v1alpha1.CommunityClass, users []string) error {
	if len(users) > 0 {
		inUse := conditions.Stall(v1alpha1.ReasonInUse,
			"the class goes when its communities are gone or use another class: %s", abbreviate(users))
		return r.report(ctx, class, before, users, inUse)
	}
	if !controllerutil.RemoveFinalizer(class, v1alpha1.FinalizerClass) {
		return nil
	}
	err := r.Patch(ctx, class, client.MergeFromWithOptions(before, client.MergeFromWithOptimisticLock{}))
	if client.IgnoreNotFound(err) != nil {
		return fmt.Errorf("remove the finalizer: %w", err)
	}
	return nil
}

// users are the communities that run on the class, as last resolved or as asked for.
func (r *Reconciler) users(ctx context.Context, class *v1alpha1.CommunityClass) ([]string, error) {
	list := &v1alpha1.CommunityList{}
	if err := r.List(ctx, list, client.DisableReadYourWritesConsistency); err != nil {
		return nil, fmt.Errorf("list Communities: %w", err)
	}
	var users []string
	for i := range list.Items {
		c := &list.Items[i]
		resolved := c.Status.Resolved != nil && c.Status.Resolved.ClassName == class.Name
		if resolved || c.Spec.ClassName == class.Name {
			users = append(users, c.Namespace+"/"+c.Name)
		}
	}
	slices.Sort(users)
	return users, nil
}

func (r *Reconciler) otherDefaults(ctx context.Context, class *v1alpha1.CommunityClass) (error, error) {
	if !class.Spec.Default {
		return nil, nil
	}
	list := &v1alpha1.CommunityClassList{}
	if err := r.List(ctx, list, client.DisableReadYourWritesConsistency); err != nil {
		return nil, fmt.Errorf("list CommunityClasses: %w", err)
	}
	var names []string
	for i := range list.Items {
		if list.Items[i].Spec.Default {
			names = append(names, list.Items[i].Name)
		}
	}
	if len(names) < 2 {
		return nil, nil
	}
	slices.Sort(names)
	return conditions.Stall(v1alpha1.ReasonSeveralDefaultClasses,
		"several classes have spec.default: true (%s); leave one mark", strings.Join(names, ", ")), nil
}

func (r *Reconciler) report(ctx context.Context, class, before *v1alpha1.CommunityClass, users []string, problem error) error {
	class.Status.ObservedGeneration = class.Generation
	class.Status.Communities = int32(min(len(users), math.MaxInt32))
	conditions.Summarize(&class.Status.Conditions, class.Generation,
		[]conditions.Outcome{{Type: v1alpha1.ConditionReady, Err: problem}}, "the class can be used")
	if equality.Semantic.DeepEqual(before.Status, class.Status) {
		return nil
	}
	err := r.Status().Patch(ctx, class, client.MergeFrom(before))
	if err != nil && !apierrors.IsNotFound(err) {
		return fmt.Errorf("write the status: %w", err)
	}
	return nil
}

// abbreviate lists at most five names.
func abbreviate(names []string) string {
	const most = 5
	if len(names) <= most {
		return strings.Join(names, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(names[:most], ", "), len(names)-most)
}

// SetupWithManager registers the controller.
func (r *Reconciler) SetupWithManager(mgr ctrl.Manager) error {
	return ctrl.NewControllerManagedBy(mgr).
		For(&v1alpha1.CommunityClass{}, builder.WithPredicates(predicate.Or(predicate.GenerationChangedPredicate{},
			predicate.NewPredicateFuncs(func(o client.Object) bool { return o.GetDeletionTimestamp() != nil })))).
		Watches(&v1alpha1.CommunityClass{}, r.allDefaults(), builder.WithPredicates(predicate.GenerationChangedPredicate{})).
		Watches(&v1alpha1.Community{}, usersChanged()).
		Complete(r)
}

// allDefaults enqueues every marked class when one changes, since two marks are a conflict of both.
func (r *Reconciler) allDefaults() handler.EventHandler {
	return handler.EnqueueRequestsFromMapFunc(func(ctx context.Context, _ client.Object) []reconcile.Request {
		list := &v1alpha1.CommunityClassList{}
		if err := r.List(ctx, list, client.DisableReadYourWritesConsistency); err != nil {
			return nil
		}
		var out []reconcile.Request
		for i := range list.Items {
			if len(list.Items[i].Status.Conditions) > 0 {
				out = append(out, request(list.Items[i].Name))
			}
		}
		return out
	})
}

// usersChanged enqueues the classes of a Community that came, went or changed its class.
func usersChanged() handler.EventHandler {
	type queue = workqueue.TypedRateLimitingInterface[reconcile.Request]
	enqueue := func(q queue, objects ...client.Object) {
		for _, o := range objects {
			for _, name := range classesOf(o.(*v1alpha1.Community)) {
				q.AddAfter(request(name), settle)
			}
		}
	}
	return handler.Funcs{
		CreateFunc: func(_ context.Context, e event.CreateEvent, q queue) { enqueue(q, e.Object) },
		DeleteFunc: func(_ context.Context, e event.DeleteEvent, q queue) { enqueue(q, e.Object) },
		UpdateFunc: func(_ context.Context, e event.UpdateEvent, q queue) {
			old, now := classesOf(e.ObjectOld.(*v1alpha1.Community)), classesOf(e.ObjectNew.(*v1alpha1.Community))
			if !slices.Equal(old, now) {
				enqueue(q, e.ObjectOld, e.ObjectNew)
			}
		},
	}
}

func classesOf(c *v1alpha1.Community) []string {
	var names []string
	if c.Spec.ClassName != "" {
		names = append(names, c.Spec.ClassName)
	}
	if c.Status.Resolved != nil && c.Status.Resolved.ClassName != c.Spec.ClassName {
		names = append(names, c.Status.Resolved.ClassName)
	}
	return names
}

func request(class string) reconcile.Request {
	return reconcile.Request{NamespacedName: types.NamespacedName{Name: class}}
}
