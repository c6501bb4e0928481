package rewardpolicy

import (
	"context"
	"errors"
	"math/rand/v2"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/quaeso/community-operator/api/v1alpha1"
	"github.com/quaeso/community-operator/internal/conditions"
	"github.com/quaeso/community-operator/internal/control"
	"github.com/quaeso/community-operator/internal/declaration"
	"github.com/quaeso/community-operator/internal/ideaservice"
)

// scope is what the phases of one reconcile share.
type scope struct {
	// policy as read; phases write its status.
	policy *v1alpha1.RewardPolicy
	// before is the RewardPolicy as read, for the status patch.
	before   *v1alpha1.RewardPolicy
	now      time.Time
	declared control.Object[control.RewardPolicy]
	subject  ideaservice.Subject
	// done tells how it stands in its community's idea service.
	done ideaservice.Converged
	// outcomes of the phases.
	outcomes []conditions.Outcome
}

func (r *Reconciler) newScope(p *v1alpha1.RewardPolicy) *scope {
	s := &scope{policy: p, before: p.DeepCopy(), now: r.Clock.Now(), declared: declaration.RewardPolicy(p)}
	s.subject = ideaservice.Subject{
		Object: p, Kind: control.KindRewardPolicy, Community: p.Spec.CommunityRef.Name, Finalizer: v1alpha1.FinalizerRewardPolicy,
		Want:        control.InForce{UID: s.declared.UID, Generation: s.declared.Generation, Digest: s.declared.Digest()},
		Last:        ideaservice.LastInForce(p.UID, p.Status.InForce),
		ReportDrift: p.Spec.DriftPolicy == v1alpha1.DriftReport,
		Again:       ideaservice.Again(p.Status.Conditions, s.now),
		Declare: func(ctx context.Context, e ideaservice.Endpoint, former string) (control.Answer, error) {
			o := s.declared
			o.Former = former
			return r.Control.DeclareRewardPolicy(ctx, e.Address, e.Token, o)
		},
		Withdraw: func(ctx context.Context, e ideaservice.Endpoint) error {
			return r.Control.WithdrawRewardPolicy(ctx, e.Address, e.Token, s.declared.UID)
		},
	}
	return s
}

func (s *scope) key() types.NamespacedName { return client.ObjectKeyFromObject(s.policy) }

// next says when to look again.
func (s *scope) next() (ctrl.Result, error) {
	idle := ideaservice.StateInterval + rand.N(ideaservice.StateInterval/10) //nolint:gosec // spreads load
	after, err := conditions.Next(s.outcomes, idle)
	return ctrl.Result{RequeueAfter: after}, err
}

// record notes how bringing the policy into force, observing and pricing it ended.
func (s *scope) record(inForce, observed, priced error) {
	status := &s.policy.Status
	conditions.Set(&status.Conditions, s.policy.Generation, v1alpha1.ConditionInForce, inForce, "the idea service works by this spec")
	status.ObservedGeneration = s.policy.Generation
	if inForce == nil && (s.done.Step != ideaservice.Keep || s.subject.Last != s.subject.Want) {
		since := metav1.NewTime(s.now)
		status.InForce = &v1alpha1.InForceStatus{Generation: s.subject.Want.Generation, Digest: s.subject.Want.Digest, Since: &since}
	}
	if errors.Is(inForce, errPriceOnly) && observed == nil && priced == nil {
		s.reportPaused(v1alpha1.ReasonPriceOnly, inForce.Error())
		return
	}
	s.outcomes = []conditions.Outcome{{Type: v1alpha1.ConditionInForce, Err: inForce}, {Err: observed}, {Err: priced}}
	conditions.Summarize(&status.Conditions, s.policy.Generation, s.outcomes, "in force in the Community "+s.policy.Spec.CommunityRef.Name)
}
