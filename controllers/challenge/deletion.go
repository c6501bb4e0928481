package challenge

import (
	"context"
	"errors"

	ctrl "sigs.k8s.io/controller-runtime"

	"github.com/quaeso/community-operator/api/v1alpha1"
	"github.com/quaeso/community-operator/internal/conditions"
)

// reconcileDelete archives the challenge in its idea service, unless it is to stay in force there, and lets it go.
func (r *Reconciler) reconcileDelete(ctx context.Context, s *scope) (ctrl.Result, error) {
	err := r.Converger.Release(ctx, s.subject, s.challenge.Spec.DeletionPolicy == v1alpha1.WithdrawRetain)
	if err == nil {
		return ctrl.Result{}, nil
	}
	conditions.SetDeleting(&s.challenge.Status.Conditions, s.challenge.Generation, err.Error())
	s.challenge.Status.ObservedGeneration = s.challenge.Generation
	var waiting *conditions.Waiting
	if errors.As(err, &waiting) {
		return ctrl.Result{RequeueAfter: waiting.Until}, r.patchStatus(ctx, s)
	}
	return ctrl.Result{}, errors.Join(err, r.patchStatus(ctx, s))
}
