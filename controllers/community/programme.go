package community

import (
	"fmt"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/quaeso/community-operator/api/v1alpha1"
	"github.com/quaeso/community-operator/internal/control"
	"github.com/quaeso/community-operator/internal/ideaservice"
)

// maxObjectives is what status keeps of them.
const maxObjectives = 20

// follow has the Community looked at when something has happened in it: one call for it and all of its Challenges and
// RewardPolicies, and none of its own.
func (r *Reconciler) follow(s *scope, address string) {
	r.Programmes.Follow(&ideaservice.Service{
		Community: s.community, Endpoint: ideaservice.Endpoint{Address: address, Token: s.controlToken},
	}, s.happened)
}

// reportProgramme takes over what the idea service says of the programme. An older one says nothing.
func (s *scope) reportProgramme(state *control.CommunityState) {
	if state == nil {
		return
	}
	c, house := s.community, s.community.Spec.House
	if house == nil {
		house = &v1alpha1.House{}
	}
	status := &c.Status
	status.Members, status.Ideas, status.Votes, status.LateAnswers = state.Members, state.Ideas, state.Votes, state.LateAnswers
	status.Representativeness = ideaservice.Representativeness(state.Representativeness)
	status.Objectives = objectives(state.Objectives)
	ideaservice.SetAnswersOnTime(&status.Conditions, c.Generation, house.AnswerWithinDays > 0, state.LateAnswers)
	ideaservice.SetRepresentative(&status.Conditions, c.Generation, len(house.Quotas) > 0, status.Representativeness)
	s.reportObjectives(len(house.Objectives) > 0)
}

func objectives(from []control.ObjectiveState) (to []v1alpha1.ObjectiveStatus) {
	for _, o := range from[:min(len(from), maxObjectives)] {
		name := ideaservice.Bounded(o.Name, ideaservice.MaxWord)
		if slices.ContainsFunc(to, func(other v1alpha1.ObjectiveStatus) bool { return other.Name == name }) {
			continue // a list with a name twice would be refused as a whole
		}
		to = append(to, v1alpha1.ObjectiveStatus{
			Name: name, Current: o.Current, Target: o.Target, Standing: v1alpha1.Standing(ideaservice.Bounded(o.Standing, ideaservice.MaxWord)),
		})
	}
	return to
}

// reportObjectives tells whether the objectives will be reached; nothing where there are none.
func (s *scope) reportObjectives(asked bool) {
	status := &s.community.Status
	var behind, unknown []string
	for _, o := range status.Objectives {
		switch o.Standing {
		case v1alpha1.StandingReached, v1alpha1.StandingOnTrack:
		case v1alpha1.StandingBehind, v1alpha1.StandingMissed:
			behind = append(behind, fmt.Sprintf("%s (%s)", o.Name, o.Standing))
		default:
			unknown = append(unknown, o.Name)
		}
	}
	c := metav1.Condition{
		Type: v1alpha1.ConditionObjectivesOnTrack, ObservedGeneration: s.community.Generation,
		Status: metav1.ConditionTrue, Reason: v1alpha1.ReasonOnTrack, Message: "every objective is reached or on its way",
	}
	switch {
	case len(behind) > 0:
		c.Status, c.Reason = metav1.ConditionFalse, v1alpha1.ReasonBehind
		c.Message = "not on their way: " + strings.Join(behind, ", ")
	case len(unknown) > 0 || asked && len(status.Objectives) == 0:
		c.Status, c.Reason = metav1.ConditionUnknown, v1alpha1.ReasonNotMeasured
		c.Message = strings.TrimSuffix("too few values for a trend yet: "+strings.Join(unknown, ", "), ": ")
	case len(status.Objectives) == 0:
		meta.RemoveStatusCondition(&status.Conditions, v1alpha1.ConditionObjectivesOnTrack)
		return
	}
	meta.SetStatusCondition(&status.Conditions, c)
}
