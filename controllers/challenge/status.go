package challenge

import (
	"context"
	"slices"

	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/quaeso/community-operator/api/v1alpha1"
	"github.com/quaeso/community-operator/internal/conditions"
	"github.com/quaeso/community-operator/internal/control"
	"github.com/quaeso/community-operator/internal/ideaservice"
)

func (s *scope) key() types.NamespacedName { return client.ObjectKeyFromObject(s.challenge) }

// taking are the phases in which members take part.
var taking = []string{control.PhaseRecruiting, control.PhaseOpen, control.PhaseVoting}

func (s *scope) set(kind string, isTrue bool, reason, message string) {
	status := metav1.ConditionFalse
	if isTrue {
		status = metav1.ConditionTrue
	}
	meta.SetStatusCondition(&s.challenge.Status.Conditions, metav1.Condition{
		Type: kind, Status: status, ObservedGeneration: s.challenge.Generation, Reason: reason, Message: message,
	})
}

// notTaking says why members do not take part, by the phase.
var notTaking = map[string]string{
	"scheduled": v1alpha1.ReasonScheduled, "between": v1alpha1.ReasonBetweenPhases, "paused": v1alpha1.ReasonChallengePaused,
	"cancelled": v1alpha1.ReasonCancelled, "closed": v1alpha1.ReasonClosed, "decided": v1alpha1.ReasonDecided,
}

func (s *scope) reportOpen() {
	phase := s.challenge.Status.Phase
	if slices.Contains(taking, phase) {
		s.set(v1alpha1.ConditionOpen, true, v1alpha1.ReasonOpen, "members take part: the phase is "+phase)
		return
	}
	reason, known := notTaking[phase]
	if !known {
		reason = v1alpha1.ReasonTeamAtWork
	}
	s.set(v1alpha1.ConditionOpen, false, reason, "members do not take part now: the phase is "+phase)
}

// reportDecided tells whether winners or participants were selected, where the challenge is for that.
func (s *scope) reportDecided() {
	spec, status := &s.challenge.Spec, &s.challenge.Status
	selects := spec.Type == v1alpha1.ChallengeContest || spec.Winners > 0 || spec.Recruiting != nil
	switch {
	case status.DecidedAt != nil:
		s.set(v1alpha1.ConditionDecided, true, v1alpha1.ReasonDecided, "the winners were decided")
	case selects:
		s.set(v1alpha1.ConditionDecided, false, v1alpha1.ReasonUndecided, "nothing was decided yet")
	default:
		meta.RemoveStatusCondition(&status.Conditions, v1alpha1.ConditionDecided)
	}
}

// reportAnswers tells whether the brand keeps its promise of answers; nothing where it made none.
func (s *scope) reportAnswers() {
	house := s.done.Service.Community.Spec.House
	promised := s.challenge.Spec.AnswerWithinDays > 0 || house != nil && house.AnswerWithinDays > 0
	ideaservice.SetAnswersOnTime(&s.challenge.Status.Conditions, s.challenge.Generation, promised, s.challenge.Status.LateAnswers)
}

// reportRepresentative tells whether participants are as the quotas ask; nothing where there are none.
func (s *scope) reportRepresentative() {
	house := s.done.Service.Community.Spec.House
	asked := len(s.challenge.Spec.Quotas) > 0 || house != nil && len(house.Quotas) > 0
	ideaservice.SetRepresentative(&s.challenge.Status.Conditions, s.challenge.Generation, asked, s.challenge.Status.Representativeness)
}

// reportPaused says that nothing is done, and leaves everything else as it was last seen.
func (s *scope) reportPaused(reason, message string) {
	conditions.SetPaused(&s.challenge.Status.Conditions, s.challenge.Generation, reason, message)
	s.challenge.Status.ObservedGeneration = s.challenge.Generation
}

// patchStatus writes the status once, if it changed, and reports the change as events afterwards.
func (r *Reconciler) patchStatus(ctx context.Context, s *scope) error {
	before, after := &s.before.Status, &s.challenge.Status
	if equality.Semantic.DeepEqual(before, after) {
		return nil
	}
	written, err := ideaservice.WriteStatus(ctx, r.Client, s.before, s.challenge, after, before.InForce == nil && after.InForce != nil)
	if written {
		r.reportEvents(s)
	}
	return err
}
