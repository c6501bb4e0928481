package challenge

import (
	"context"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/quaeso/community-operator/api/v1alpha1"
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

// collectTimeout bounds the reading of the cache.
const collectTimeout = 5 * time.Second

// Metrics tells of the statuses of all Challenges as the operator's cache has them. Nothing is kept between scrapes, so
// what belongs to an object goes with it.
type Metrics struct {
	// Reader reads from the cache.
	Reader client.Reader
	// Elected is closed once this operator leads: others would count everything twice.
	Elected <-chan struct{}
}

// Describe implements prometheus.Collector.
func (m *Metrics) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{phaseDesc, conditionDesc, ideasDesc, votesDesc, participantsDesc, lateDesc, gapDesc, nextTransitionDesc} {
		ch <- d
	}
}

// Collect implements prometheus.Collector.
func (m *Metrics) Collect(ch chan<- prometheus.Metric) {
	select {
	case <-m.Elected:
	default:
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), collectTimeout)
	defer cancel()
	list := &v1alpha1.ChallengeList{}
	if err := m.Reader.List(ctx, list, client.UnsafeDisableDeepCopy, client.DisableReadYourWritesConsistency); err != nil {
		return // the cache is not filled yet
	}
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
