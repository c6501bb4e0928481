package challenge

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strconv"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/quaeso/community-operator/api/v1alpha1"
	"github.com/quaeso/community-operator/internal/control"
	"github.com/quaeso/community-operator/internal/ideaservice"
)

// Bounds of what status takes over from the idea service.
const (
	maxLeaders   = 5
	maxShortlist = 20
	maxWinners   = 100
	maxTitle     = 200
)

// observe reads how a challenge stands that the idea service has in force, in this or an earlier generation, when that
// may have become otherwise.
func (r *Reconciler) observe(ctx context.Context, s *scope) error {
	service := s.done.Service
	if service == nil || !s.done.InForce {
		return nil
	}
	if !s.done.StateDue && !s.transitionDue() {
		s.reportClosing()
		return nil
	}
	state, err := r.Control.ObserveChallenge(ctx, service.Address, service.Token, string(s.challenge.UID))
	if errors.Is(err, control.ErrUnknownObject) {
		return nil // it was withdrawn just now, which the programme will tell
	}
	if err != nil {
		return ideaservice.Silent(err, s.subject.Again)
	}
	r.Converger.Programmes.Observed(s.follower(), s.done.Happened)
	s.reportState(state)
	return nil
}

// reportState takes over what the idea service says.
func (s *scope) reportState(state control.ChallengeState) {
	status := &s.challenge.Status
	status.Phase = ideaservice.Bounded(state.Phase, ideaservice.MaxWord)
	status.NextTransition, status.DecidedAt = timeOf(state.NextChange), timeOf(state.DecidedAt)
	status.Ideas, status.Votes, status.Participants = state.Ideas, state.Votes, state.Participants
	status.LateAnswers = state.LateAnswers
	status.Representativeness = ideaservice.Representativeness(state.Representativeness)
	status.Leaders = entries(state.Leaders, maxLeaders)
	status.Shortlist = entries(state.Shortlist, maxShortlist)
	status.Winners = entries(state.Winners, maxWinners)
	status.ResultSHA256 = ideaservice.Bounded(state.ResultSHA256, 64)
	s.reportClosing()
	s.reportOpen()
	s.reportDecided()
	s.reportAnswers()
	s.reportRepresentative()
}

// timeOf drops what a status cannot keep.
func timeOf(t *time.Time) *metav1.Time {
	if t == nil {
		return nil
	}
	seconds := metav1.NewTime(t.Truncate(time.Second))
	return &seconds
}

func entries(from []control.EntryState, most int) (to []v1alpha1.EntryStatus) {
	for _, e := range from[:min(len(from), most)] {
		to = append(to, v1alpha1.EntryStatus{
			Idea: e.Idea, Title: ideaservice.Bounded(e.Title, maxTitle), Votes: e.Votes, Points: e.Points,
			Rank: int32(min(max(e.Rank, 0), math.MaxInt32)),
		})
	}
	return to
}

const day = 24 * time.Hour

// reportClosing says in how many days the phase changes, on the last day in how many hours.
func (s *scope) reportClosing() {
	status := &s.challenge.Status
	status.ClosesIn = ""
	if status.NextTransition == nil {
		return
	}
	switch left := status.NextTransition.Sub(s.now); {
	case left >= day:
		status.ClosesIn = strconv.Itoa(int(left/day)) + "d"
	case left >= time.Hour:
		status.ClosesIn = fmt.Sprintf("%dh", left/time.Hour)
	default:
		status.ClosesIn = "<1h"
	}
}

// untilShorter is how long closesIn stays as it is; nothing changes it in the last hour.
func untilShorter(next *metav1.Time, now time.Time) time.Duration {
	left := next.Sub(now)
	switch {
	case left >= day:
		return left%day + time.Second
	case left >= time.Hour:
		return left%time.Hour + time.Second
	default:
		return math.MaxInt64
	}
}
