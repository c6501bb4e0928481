package rewardpolicy

import (
	"context"
	"errors"
	"fmt"

	"k8s.io/apimachinery/pkg/api/equality"
	ctrl "sigs.k8s.io/controller-runtime"

	"github.com/quaeso/community-operator/api/v1alpha1"
	"github.com/quaeso/community-operator/internal/conditions"
	"github.com/quaeso/community-operator/internal/ideaservice"
)

// reportPaused says that nothing is done, and leaves everything else as it was last seen.
func (s *scope) reportPaused(reason, message string) {
	conditions.SetPaused(&s.policy.Status.Conditions, s.policy.Generation, reason, message)
	s.policy.Status.ObservedGeneration = s.policy.Generation
}

// reconcileDelete ends the policy in its idea service, unless it is to stay in force there, and lets it go.
func (r *Reconciler) reconcileDelete(ctx context.Context, s *scope) (ctrl.Result, error) {
	err := r.Converger.Release(ctx, s.subject, s.policy.Spec.DeletionPolicy == v1alpha1.WithdrawRetain)
	if err == nil {
		return ctrl.Result{}, nil
	}
	conditions.SetDeleting(&s.policy.Status.Conditions, s.policy.Generation, err.Error())
	s.policy.Status.ObservedGeneration = s.policy.Generation
	var waiting *conditions.Waiting
	if errors.As(err, &waiting) {
		return ctrl.Result{RequeueAfter: waiting.Until}, r.patchStatus(ctx, s)
	}
	return ctrl.Result{}, errors.Join(err, r.patchStatus(ctx, s))
}

// patchStatus writes the status once, if it changed, and reports the change as events afterwards.
func (r *Reconciler) patchStatus(ctx context.Context, s *scope) error {
	before, after := &s.before.Status, &s.policy.Status
	if equality.Semantic.DeepEqual(before, after) {
		return nil
	}
	written, err := ideaservice.WriteStatus(ctx, r.Client, s.before, s.policy, after, before.InForce == nil && after.InForce != nil)
	if written {
		r.reportEvents(s)
	}
	return err
}

// reportEvents tells of transitions, once each.
func (r *Reconciler) reportEvents(s *scope) {
	before, after := &s.before.Status, &s.policy.Status
	if c := conditions.ReadyChange(before.Conditions, after.Conditions); c != nil {
		c.Report(r.Events, s.policy)
	}
	for _, c := range s.done.Changes(after.Conditions) {
		c.Report(r.Events, s.policy)
	}
	if after.Pricing != nil && !equality.Semantic.DeepEqual(before.Pricing, after.Pricing) {
		conditions.Change{
			Type: "Normal", Reason: "Priced", Action: "Price",
			Message: fmt.Sprintf("this spec would have given %d points instead of %d; %d members would rise, %d fall",
				after.Pricing.PointsAfter, after.Pricing.PointsBefore, after.Pricing.Risen, after.Pricing.Fallen),
		}.Report(r.Events, s.policy)
	}
}
