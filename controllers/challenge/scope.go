package challenge

import (
	"context"
	"math/rand/v2"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	ctrl "sigs.k8s.io/controller-runtime"

	"github.com/quaeso/community-operator/api/v1alpha1"
	"github.com/quaeso/community-operator/internal/conditions"
	"github.com/quaeso/community-operator/internal/control"
	"github.com/quaeso/community-operator/internal/declaration"
	"github.com/quaeso/community-operator/internal/ideaservice"
)

// scope is what the phases of one reconcile share.
type scope struct {
	// challenge as read; phases write its status.
	challenge *v1alpha1.Challenge
	// before is the Challenge as read, for the status patch.
	before  *v1alpha1.Challenge
	now     time.Time
	subject ideaservice.Subject
	// done tells how it stands in its community's idea service.
	done ideaservice.Converged
	// outcomes of the phases.
	outcomes []conditions.Outcome
}

func (r *Reconciler) newScope(c *v1alpha1.Challenge) *scope {
	s := &scope{challenge: c, before: c.DeepCopy(), now: r.Clock.Now()}
	declared := declaration.Challenge(c)
	s.subject = ideaservice.Subject{
		Object: c, Kind: control.KindChallenge, Community: c.Spec.CommunityRef.Name, Finalizer: v1alpha1.FinalizerChallenge,
		Want:        control.InForce{UID: declared.UID, Generation: declared.Generation, Digest: declared.Digest()},
		Last:        ideaservice.LastInForce(c.UID, c.Status.InForce),
		ReportDrift: c.Spec.DriftPolicy == v1alpha1.DriftReport,
		Again:       ideaservice.Again(c.Status.Conditions, s.now),
		Declare: func(ctx context.Context, e ideaservice.Endpoint, former string) (control.Answer, error) {
			declared.Former = former
			return r.Control.DeclareChallenge(ctx, e.Address, e.Token, declared)
		},
		Withdraw: func(ctx context.Context, e ideaservice.Endpoint) error {
			return r.Control.WithdrawChallenge(ctx, e.Address, e.Token, declared.UID)
		},
	}
	return s
}

func (s *scope) follower() ideaservice.Follower {
	return ideaservice.Follower{Kind: control.KindChallenge, NamespacedName: s.key()}
}

// transitionDue tells whether the phase should have changed since it was last seen.
func (s *scope) transitionDue() bool {
	next := s.before.Status.NextTransition
	return next != nil && !s.now.Before(next.Time)
}

// next says when to look again.
func (s *scope) next() (ctrl.Result, error) {
	idle := ideaservice.StateInterval + rand.N(ideaservice.StateInterval/10) //nolint:gosec // spreads load
	if next := s.challenge.Status.NextTransition; next != nil {
		idle = min(idle, untilTransition(next, s.now), untilShorter(next, s.now))
	}
	after, err := conditions.Next(s.outcomes, idle)
	return ctrl.Result{RequeueAfter: after}, err
}

// transitionSpread keeps challenges of many communities that change at the same moment from being asked about at once.
const transitionSpread = 3 * time.Second

// untilTransition is how long to wait for a transition. The idea service's clock may be late: it is asked again, less and
// less often.
func untilTransition(next *metav1.Time, now time.Time) time.Duration {
	return max(next.Sub(now), now.Sub(next.Time)/10, time.Second) + rand.N(transitionSpread) //nolint:gosec // spreads load
}

// record notes how bringing the challenge into force and observing it ended.
func (s *scope) record(inForce, observed error) {
	s.outcomes = []conditions.Outcome{{Type: v1alpha1.ConditionInForce, Err: inForce}, {Err: observed}}
	status := &s.challenge.Status
	conditions.Set(&status.Conditions, s.challenge.Generation, v1alpha1.ConditionInForce, inForce, "the idea service works by this spec")
	if inForce == nil && (s.done.Step != ideaservice.Keep || s.subject.Last != s.subject.Want) {
		since := metav1.NewTime(s.now)
		status.InForce = &v1alpha1.InForceStatus{Generation: s.subject.Want.Generation, Digest: s.subject.Want.Digest, Since: &since}
	}
	status.ObservedGeneration = s.challenge.Generation
	conditions.Summarize(&status.Conditions, s.challenge.Generation, s.outcomes, "in force in the Community "+s.challenge.Spec.CommunityRef.Name)
}
