package challenge

import (
	"github.com/prometheus/client_golang/prometheus"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/quaeso/community-operator/api/v1alpha1"
	"github.com/quaeso/community-operator/internal/statusmetrics"
)

// labels of every metric of a Challenge.
var labels = []string{"namespace", "community", "challenge"}

func describe(name, help string, more ...string) *prometheus.Desc {
	return prometheus.NewDesc("community_operator_challenge_"+name, help, append(append([]string{}, labels...), more...), nil)
}

var (
	phaseDesc          = describe("phase", "1 for the phase that the challenge is in.", "type", "phase")
	conditionDesc      = describe("condition", "1 where the condition is true, 0 where it is false.", "condition")
	ideasDesc          = describe("ideas", "Published ideas.")
	votesDesc          = describe("votes", "Votes that count.")
	participantsDesc   = describe("participants", "Members who submitted, voted or responded.")
	lateDesc           = describe("late_answers", "Ideas whose promised answer is late.")
	gapDesc            = describe("representativeness_gap_points", "Largest distance between a quota and its segment's share, in percentage points.")
	nextTransitionDesc = describe("next_transition_timestamp_seconds", "When the phase changes by itself.")
)

// Metrics tells of the statuses of all Challenges as the operator's cache has them.
func Metrics(source statusmetrics.Source) prometheus.Collector {
	descs := []*prometheus.Desc{phaseDesc, conditionDesc, ideasDesc, votesDesc, participantsDesc, lateDesc, gapDesc, nextTransitionDesc}
	return statusmetrics.New(source, descs, func() *v1alpha1.ChallengeList { return &v1alpha1.ChallengeList{} }, tell)
}

func tell(list *v1alpha1.ChallengeList, ch chan<- prometheus.Metric) {
	for i := range list.Items {
		collect(ch, &list.Items[i])
	}
}

func collect(ch chan<- prometheus.Metric, c *v1alpha1.Challenge) {
	gauge := func(desc *prometheus.Desc, value float64, more ...string) {
		values := append([]string{c.Namespace, c.Spec.CommunityRef.Name, c.Name}, more...)
		ch <- prometheus.MustNewConstMetric(desc, prometheus.GaugeValue, value, values...)
	}
	status := &c.Status
	for _, kind := range []string{
		v1alpha1.ConditionReady, v1alpha1.ConditionOpen, v1alpha1.ConditionDecided, v1alpha1.ConditionAnswersOnTime, v1alpha1.ConditionRepresentative,
	} {
		if condition := meta.FindStatusCondition(status.Conditions, kind); condition != nil && condition.Status != metav1.ConditionUnknown {
			gauge(conditionDesc, boolean(condition.Status == metav1.ConditionTrue), kind)
		}
	}
	if status.Phase == "" {
		return // never in force: there is nothing to count
	}
	gauge(phaseDesc, 1, string(c.Spec.Type), status.Phase)
	gauge(ideasDesc, float64(status.Ideas))
	gauge(votesDesc, float64(status.Votes))
	gauge(participantsDesc, float64(status.Participants))
	gauge(lateDesc, float64(status.LateAnswers))
	if status.Representativeness != nil {
		gauge(gapDesc, float64(status.Representativeness.GapPercent))
	}
	if status.NextTransition != nil {
		gauge(nextTransitionDesc, float64(status.NextTransition.Unix()))
	}
}

func boolean(b bool) float64 {
	if b {
		return 1
	}
	return 0
}
