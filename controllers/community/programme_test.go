package community_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/quaeso/community-operator/api/v1alpha1"
	"github.com/quaeso/community-operator/controllers/community"
	"github.com/quaeso/community-operator/internal/control"
	"github.com/quaeso/community-operator/internal/statusmetrics"
)

func withObjectives(c *v1alpha1.Community) {
	title := v1alpha1.TextByLocale{"fr": "But", "en": "Goal"}
	c.Spec.House = &v1alpha1.House{
		AnswerWithinDays: 14,
		Objectives: []v1alpha1.Objective{
			{Name: "satisfaction", Title: title, Metric: "manual", Baseline: 68, Target: 80, Deadline: "2027-06-30"},
			{Name: "members", Title: title, Metric: "members", Target: 500, Deadline: "2027-12-31"},
		},
	}
}

// stands has a community's idea service say how it stands, and that something has happened.
func (w *world) stands(c *v1alpha1.Community, how control.CommunityState) {
	w.cluster.service(client.ObjectKeyFromObject(c)).change(func(s *ideaService) {
		s.standing = &how
		s.happened++
	})
}

// waitStands waits until a status and the reasons of conditions, "Type Status Reason", are as wanted.
func (w *world) waitStands(c *v1alpha1.Community, check func(v1alpha1.CommunityStatus) bool, reasons ...string) {
	w.t.Helper()
	eventually(w.t, "the status should tell how the programme goes", func() error {
		w.get(c)
		var got []string
		for _, kind := range []string{v1alpha1.ConditionAnswersOnTime, v1alpha1.ConditionRepresentative, v1alpha1.ConditionObjectivesOnTrack} {
			if is := meta.FindStatusCondition(c.Status.Conditions, kind); is != nil {
				got = append(got, fmt.Sprintf("%s %s %s", is.Type, is.Status, is.Reason))
			}
		}
		if diff := cmp.Diff(reasons, got); diff != "" {
			return errors.New("conditions (-want +got):\n" + diff)
		}
		if !check(c.Status) {
			return errors.New("the status is " + asJSON(c.Status))
		}
		return nil
	})
}

// What happens in a community shows in its status within the interval of looking, and does not count for Ready.
func TestProgrammeShowsInStatus(t *testing.T) {
	t.Parallel()
	w := newWorld(t, shared)
	w.startOperator(operatorOptions{})
	c := w.community("lumiere")
	w.waitReady(c)
	w.waitStands(c, func(s v1alpha1.CommunityStatus) bool { return s.Members == 0 && s.Objectives == nil })

	w.stands(c, control.CommunityState{
		Objectives: []control.ObjectiveState{{Name: "satisfaction", Target: 80, Standing: control.ObjectiveUnknown}},
	})
	change(w, c, withObjectives)
	w.waitReady(c)
	w.waitStands(c, func(s v1alpha1.CommunityStatus) bool { return len(s.Objectives) == 1 && s.Objectives[0].Current == nil },
		"AnswersOnTime True OnTime", "ObjectivesOnTrack Unknown NotMeasured")

	w.stands(c, control.CommunityState{
		Members: 120, Ideas: 40, Votes: 900, LateAnswers: 3,
		Representativeness: &control.Representativeness{Attribute: "region", Value: "north", GapPercent: 21, ActualPercent: 71, QuotaPercent: 50},
		Objectives: []control.ObjectiveState{
			{Name: "satisfaction", Current: ptr.To[int64](70), Target: 80, Standing: control.ObjectiveBehind},
			{Name: "members", Current: ptr.To[int64](120), Target: 500, Standing: control.ObjectiveOnTrack},
			{Name: "members", Target: 1, Standing: control.ObjectiveOnTrack},
		},
	})
	w.waitStands(c, func(s v1alpha1.CommunityStatus) bool {
		return s.Members == 120 && s.Ideas == 40 && s.Votes == 900 && s.LateAnswers == 3 && s.Representativeness.GapPercent == 21 &&
			len(s.Objectives) == 2 && *s.Objectives[0].Current == 70 && s.Objectives[1].Standing == v1alpha1.StandingOnTrack
	}, "AnswersOnTime False AnswersLate", "Representative False GapTooWide", "ObjectivesOnTrack False Behind")
	w.waitReady(c)

	w.stands(c, control.CommunityState{
		Members: 121, Representativeness: &control.Representativeness{Attribute: "region", Value: "north", GapPercent: 5, ActualPercent: 55, QuotaPercent: 50},
		Objectives: []control.ObjectiveState{
			{Name: "satisfaction", Current: ptr.To[int64](81), Target: 80, Standing: control.ObjectiveReached},
			{Name: "members", Current: ptr.To[int64](121), Target: 500, Standing: control.ObjectiveOnTrack},
		},
	})
	w.waitStands(c, func(s v1alpha1.CommunityStatus) bool { return s.Members == 121 },
		"AnswersOnTime True OnTime", "Representative True WithinQuotas", "ObjectivesOnTrack True OnTrack")
}

func TestMetrics(t *testing.T) {
	t.Parallel()
	w := newWorld(t, shared)
	w.startOperator(operatorOptions{})
	c := w.community("lumiere", withObjectives)
	w.waitReady(c)
	w.stands(c, control.CommunityState{
		Members: 7, Ideas: 6, Votes: 5, LateAnswers: 4,
		Representativeness: &control.Representativeness{Attribute: "region", Value: "north", GapPercent: 3},
		Objectives:         []control.ObjectiveState{{Name: "members", Current: ptr.To[int64](7), Target: 500, Standing: control.ObjectiveUnknown}},
	})
	w.waitStands(c, func(s v1alpha1.CommunityStatus) bool { return s.Members == 7 },
		"AnswersOnTime False AnswersLate", "Representative True WithinQuotas", "ObjectivesOnTrack Unknown NotMeasured")

	elected := make(chan struct{})
	metrics := community.Metrics(statusmetrics.Source{Reader: client.NewNamespacedClient(w.client, w.namespace), Elected: elected})
	if told := gather(t, metrics); len(told) > 0 {
		t.Errorf("an operator that does not lead tells %v", told)
	}
	close(elected)
	want := map[string]float64{
		"members": 7, "ideas": 6, "votes": 5, "late_answers": 4, "representativeness_gap_points": 3,
		"objective objective=members": 7, "objective_target objective=members": 500,
		// What is unknown is neither true nor false.
		"condition condition=Ready": 1, "condition condition=AnswersOnTime": 0, "condition condition=Representative": 1,
	}
	if diff := cmp.Diff(want, gather(t, metrics)); diff != "" {
		t.Errorf("metrics (-want +got):\n%s", diff)
	}
	if is := meta.FindStatusCondition(c.Status.Conditions, v1alpha1.ConditionReady); is == nil || is.Status != metav1.ConditionTrue {
		t.Errorf("Ready is %+v", is)
	}
}

// gather returns what metrics tell of the community lumiere, by name and the labels of their own.
func gather(t *testing.T, metrics prometheus.Collector) map[string]float64 {
	t.Helper()
	registry := prometheus.NewPedanticRegistry()
	registry.MustRegister(metrics)
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	told := map[string]float64{}
	for _, family := range families {
		for _, m := range family.GetMetric() {
			name := strings.TrimPrefix(family.GetName(), "community_operator_community_")
			for _, label := range m.GetLabel() {
				switch label.GetName() {
				case "namespace":
				case "community":
					if label.GetValue() != "lumiere" {
						t.Errorf("%s is of %s", name, label.GetValue())
					}
				default:
					name += " " + label.GetName() + "=" + label.GetValue()
				}
			}
			told[name] = m.GetGauge().GetValue()
		}
	}
	return told
}
