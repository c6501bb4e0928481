package rewardpolicy

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

// indexCommunity finds the RewardPolicies of a Community in the cache.
const indexCommunity = "spec.communityRef.name"

// SetupWithManager registers the controller.
func (r *Reconciler) SetupWithManager(mgr ctrl.Manager, maxConcurrent int) error {
	err := mgr.GetFieldIndexer().IndexField(context.Background(), &v1alpha1.RewardPolicy{}, indexCommunity, func(o client.Object) []string {
		return []string{o.(*v1alpha1.RewardPolicy).Spec.CommunityRef.Name}
	})
	if err != nil {
		return fmt.Errorf("index RewardPolicies by Community: %w", err)
	}
	err = ctrl.NewControllerManagedBy(mgr).
		For(&v1alpha1.RewardPolicy{}, builder.WithPredicates(ideaservice.SpecChanged())).
		Watches(&v1alpha1.Community{}, handler.EnqueueRequestsFromMapFunc(r.ofCommunity), builder.WithPredicates(ideaservice.CommunityChanged())).
		Watches(&v1alpha1.RewardPolicy{}, handler.EnqueueRequestsFromMapFunc(r.hurry), builder.WithPredicates(ideaservice.LookAsked())).
		WatchesRawSource(source.Channel(r.Converger.Programmes.News(control.KindRewardPolicy), ideaservice.EnqueueNews())).
		WithOptions(controller.Options{MaxConcurrentReconciles: maxConcurrent}).
		Complete(r)
	if err != nil {
		return fmt.Errorf("build the RewardPolicy controller: %w", err)
	}
	return nil
}

// ofCommunity finds the policies of a Community that has changed, and has its programme looked at.
func (r *Reconciler) ofCommunity(ctx context.Context, community client.Object) []reconcile.Request {
	r.Converger.Programmes.Hurry(client.ObjectKeyFromObject(community))
	found := &v1alpha1.RewardPolicyList{}
	err := r.List(ctx, found, client.InNamespace(community.GetNamespace()), client.MatchingFields{indexCommunity: community.GetName()},
		client.UnsafeDisableDeepCopy, client.DisableReadYourWritesConsistency)
	if err != nil {
		ctrl.LoggerFrom(ctx).Error(err, "cannot list RewardPolicies")
		return nil
	}
	requests := make([]reconcile.Request, len(found.Items))
	for i := range found.Items {
		requests[i].NamespacedName = client.ObjectKeyFromObject(&found.Items[i])
	}
	return requests
}

// hurry has the programme looked at that a policy is part of. What is new in it comes as news.
func (r *Reconciler) hurry(_ context.Context, o client.Object) []reconcile.Request {
	p := o.(*v1alpha1.RewardPolicy)
	r.Converger.Programmes.Hurry(types.NamespacedName{Namespace: p.Namespace, Name: p.Spec.CommunityRef.Name})
	return nil
}
