// Package rewardpolicy reconciles RewardPolicies: it keeps each in force in its community's idea service, prices changed
// ones on request, and reports what they have given. Each phase has a file of its own, and Reconcile is their table of
// contents.
package rewardpolicy

import (
	"context"
	"errors"
	"fmt"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/client-go/tools/events"
	"k8s.io/utils/clock"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/quaeso/community-operator/api/v1alpha1"
	"github.com/quaeso/community-operator/internal/control"
	"github.com/quaeso/community-operator/internal/ideaservice"
)

// Reconciler reconciles RewardPolicies.
type Reconciler struct {
	// Client reads from the cache and writes.
	client.Client
	// Events reports changes.
	Events events.EventRecorder
	// Control speaks to idea services.
	Control ControlClient
	// Converger brings RewardPolicies into force.
	Converger *ideaservice.Converger
	// Clock tells the time.
	Clock clock.PassiveClock
}

// ControlClient is the part of the control contract that phases need.
type ControlClient interface {
	DeclareRewardPolicy(ctx context.Context, address, token string, o control.Object[control.RewardPolicy]) (control.Answer, error)
	WithdrawRewardPolicy(ctx context.Context, address, token, uid string) error
	ObserveRewardPolicy(ctx context.Context, address, token, uid string) (control.RewardPolicyState, error)
	PriceRewardPolicy(ctx context.Context, address, token string, o control.Object[control.RewardPolicy]) (control.PricingAnswer, error)
}

// +kubebuilder:rbac:groups=cocreation.quaeso.io,resources=rewardpolicies,verbs=get;list;watch;patch
// +kubebuilder:rbac:groups=cocreation.quaeso.io,resources=rewardpolicies/status,verbs=patch
// +kubebuilder:rbac:groups=cocreation.quaeso.io,resources=communities,verbs=get;list;watch
// +kubebuilder:rbac:groups="",resources=secrets;services,verbs=get;list;watch
// +kubebuilder:rbac:groups=events.k8s.io,resources=events,verbs=create;patch

// Reconcile brings one RewardPolicy into force and reports how it stands.
func (r *Reconciler) Reconcile(ctx context.Context, req ctrl.Request) (ctrl.Result, error) {
	policy := &v1alpha1.RewardPolicy{}
	if err := r.Get(ctx, req.NamespacedName, policy); err != nil {
		if apierrors.IsNotFound(err) {
			r.Converger.Programmes.Forget(ideaservice.Follower{Kind: control.KindRewardPolicy, NamespacedName: req.NamespacedName})
			return ctrl.Result{}, nil
		}
		return ctrl.Result{}, fmt.Errorf("get RewardPolicy: %w", err)
	}
	s := r.newScope(policy)
	switch {
	case !policy.DeletionTimestamp.IsZero():
		return r.reconcileDelete(ctx, s)
	case policy.Spec.Suspend:
		s.reportPaused(v1alpha1.ReasonSuspended, "spec.suspend is true: the operator changes nothing; what is in force stays so")
		return ctrl.Result{}, r.patchStatus(ctx, s)
	}
	inForce := r.converge(ctx, s)
	if paused := (*ideaservice.PausedError)(nil); errors.As(inForce, &paused) {
		s.reportPaused(v1alpha1.ReasonCommunityPaused, paused.Error())
		return ctrl.Result{}, r.patchStatus(ctx, s)
	}
	s.record(inForce, r.observe(ctx, s), r.price(ctx, s))
	if err := r.patchStatus(ctx, s); err != nil {
		return ctrl.Result{}, err
	}
	return s.next()
}
