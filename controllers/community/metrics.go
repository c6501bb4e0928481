package community

import (
	"github.com/prometheus/client_golang/prometheus"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/quaeso/community-operator/api/v1alpha1"
	"github.com/quaeso/community-operator/internal/statusmetrics"
)

func describe(name, help string, more ...string) *prometheus.Desc {
	return prometheus.NewDesc("community_operator_community_"+name, help, append([]string{"namespace", "community"}, more...), nil)
}

var (
	conditionDesc = describe("condition", "1 where the condition is true, 0 where it is false.", "condition")
	membersDesc   = describe("members", "Members of the community.")
	ideasDesc     = describe("ideas", "Published ideas.")
	votesDesc     = describe("votes", "Votes that count.")
	lateDesc      = describe("late_answers", "Ideas whose promised answer is late.")
	gapDesc       = describe("representativeness_gap_points", "Largest distance between a quota and its segment's share, in percentage points.")
	objectiveDesc = describe("objective", "Current value of an objective.", "objective")
	targetDesc    = describe("objective_target", "Value that an objective is to reach.", "objective")
)

// counted conditions are those that people watch.
var counted = []string{
	v1alpha1.ConditionReady, v1alpha1.ConditionAnswersOnTime, v1alpha1.ConditionRepresentative, v1alpha1.ConditionObjectivesOnTrack,
}

// Metrics tells of the statuses of all Communities as the operator's cache has them.
func Metrics(source statusmetrics.Source) prometheus.Collector {
	descs := []*prometheus.Desc{conditionDesc, membersDesc, ideasDesc, votesDesc, lateDesc, gapDesc, objectiveDesc, targetDesc}
	return statusmetrics.New(source, descs, func() *v1alpha1.CommunityList { return &v1alpha1.CommunityList{} }, tell)
}

func tell(list *v1alpha1.CommunityList, ch chan<- prometheus.Metric) {
	for i := range list.Items {
		collect(ch, &list.Items[i])
	}
}

func collect(ch chan<- prometheus.Metric, c *v1alpha1.Community) {
	gauge := func(desc *prometheus.Desc, value float64, more ...string) {
		ch <- prometheus.MustNewConstMetric(desc, prometheus.GaugeValue, value, append([]string{c.Namespace, c.Name}, more...)...)
	}
	status := &c.Status
	for _, kind := range counted {
		switch condition := meta.FindStatusCondition(status.Conditions, kind); {
		case condition == nil, condition.Status == metav1.ConditionUnknown:
		case condition.Status == metav1.ConditionTrue:
			gauge(conditionDesc, 1, kind)
		default:
			gauge(conditionDesc, 0, kind)
		}
	}
	if status.InForce == nil {
		return // it has never been at work: there is nothing to count
	}
	gauge(membersDesc, float64(status.Members))
	gauge(ideasDesc, float64(status.Ideas))
	gauge(votesDesc, float64(status.Votes))
	gauge(lateDesc, float64(status.LateAnswers))
	if status.Representativeness != nil {
		gauge(gapDesc, float64(status.Representativeness.GapPercent))
	}
	for _, o := range status.Objectives {
		gauge(targetDesc, float64(o.Target), o.Name)
		if o.Current != nil {
			gauge(objectiveDesc, float64(*o.Current), o.Name)
		}
	}
}
