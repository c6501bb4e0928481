package challenge

import (
	"context"
	"fmt"

	"k8s.io/apimachinery/pkg/types"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
	"sigs.k8s.io/controller-runtime/pkg/source"

	"github.com/quaeso/community-operator/api/v1alpha1"
	"github.com/quaeso/community-operator/internal/control"
	"github.com/quaeso/community-operator/internal/ideaservice"
)

// Indexes of the cache.
const (
	// indexCommunity finds the Challenges of a Community.
	indexCommunity = "spec.communityRef.name"
	// indexReference finds the Challenges that refer to a Challenge or a RewardPolicy, by kind and name.
	indexReference = "references"
)

// SetupWithManager registers the controller.
func (r *Reconciler) SetupWithManager(mgr ctrl.Manager, maxConcurrent int) error {
	for name, values := range map[string]func(*v1alpha1.Challenge) []string{
		indexCommunity: func(c *v1alpha1.Challenge) []string { return []string{c.Spec.CommunityRef.Name} },
		indexReference: references,
	} {
		err := mgr.GetFieldIndexer().IndexField(context.Background(), &v1alpha1.Challenge{}, name, func(o client.Object) []string {
			return values(o.(*v1alpha1.Challenge))
		})
		if err != nil {
			return fmt.Errorf("index Challenges by %s: %w", name, err)
		}
	}
	err := ctrl.NewControllerManagedBy(mgr).
		For(&v1alpha1.Challenge{}, builder.WithPredicates(ideaservice.SpecChanged())).
		Watches(&v1alpha1.Community{}, handler.EnqueueRequestsFromMapFunc(r.ofCommunity), builder.WithPredicates(ideaservice.CommunityChanged())).
		Watches(&v1alpha1.Challenge{}, handler.EnqueueRequestsFromMapFunc(r.referringTo(control.KindChallenge)), builder.WithPredicates(ideaservice.CameIntoForce())).
		Watches(&v1alpha1.Challenge{}, handler.EnqueueRequestsFromMapFunc(r.hurry), builder.WithPredicates(ideaservice.LookAsked())).
		Watches(&v1alpha1.RewardPolicy{}, handler.EnqueueRequestsFromMapFunc(r.referringTo(control.KindRewardPolicy)), builder.WithPredicates(ideaservice.CameIntoForce())).
		WatchesRawSource(source.Channel(r.Converger.Programmes.News(control.KindChallenge), ideaservice.EnqueueNews())).
		WithOptions(controller.Options{MaxConcurrentReconciles: maxConcurrent}).
		Complete(r)
	if err != nil {
		return fmt.Errorf("build the Challenge controller: %w", err)
	}
	return nil
}

// references are what a Challenge refers to, by kind and name.
func references(c *v1alpha1.Challenge) (out []string) {
	if c.Spec.RewardPolicy != "" {
		out = append(out, reference(control.KindRewardPolicy, string(c.Spec.RewardPolicy)))
	}
	for _, name := range challengesNamed(c) {
		out = append(out, reference(control.KindChallenge, name))
	}
	return out
}

func reference(kind, name string) string { return kind + "/" + name }

// ofCommunity finds the challenges of a Community that has changed, and has its programme looked at.
func (r *Reconciler) ofCommunity(ctx context.Context, community client.Object) []reconcile.Request {
	r.Converger.Programmes.Hurry(client.ObjectKeyFromObject(community))
	return r.list(ctx, community.GetNamespace(), client.MatchingFields{indexCommunity: community.GetName()})
}

// hurry has the programme looked at that a challenge is part of. What is new in it comes as news.
func (r *Reconciler) hurry(_ context.Context, o client.Object) []reconcile.Request {
	c := o.(*v1alpha1.Challenge)
	r.Converger.Programmes.Hurry(types.NamespacedName{Namespace: c.Namespace, Name: c.Spec.CommunityRef.Name})
	return nil
}

// referringTo finds the challenges that refer to an object.
func (r *Reconciler) referringTo(kind string) handler.MapFunc {
	return func(ctx context.Context, o client.Object) []reconcile.Request {
		return r.list(ctx, o.GetNamespace(), client.MatchingFields{indexReference: reference(kind, o.GetName())})
	}
}

func (r *Reconciler) list(ctx context.Context, namespace string, fields client.MatchingFields) []reconcile.Request {
	found := &v1alpha1.ChallengeList{}
	err := r.List(ctx, found, client.InNamespace(namespace), fields, client.UnsafeDisableDeepCopy, client.DisableReadYourWritesConsistency)
	if err != nil {
		ctrl.LoggerFrom(ctx).Error(err, "cannot list Challenges")
		return nil
	}
	requests := make([]reconcile.Request, len(found.Items))
	for i := range found.Items {
		requests[i].NamespacedName = client.ObjectKeyFromObject(&found.Items[i])
	}
	return requests
}
