package rewardpolicy

import (
	"github.com/prometheus/client_golang/prometheus"
	"k8s.io/apimachinery/pkg/api/meta"

	"github.com/quaeso/community-operator/api/v1alpha1"
	"github.com/quaeso/community-operator/internal/statusmetrics"
)

func describe(name, help string) *prometheus.Desc {
	return prometheus.NewDesc("community_operator_reward_policy_"+name, help, []string{"namespace", "community", "reward_policy"}, nil)
}

var (
	readyDesc   = describe("ready", "1 where the idea service works by the spec, 0 where it does not.")
	membersDesc = describe("members", "Members of the community.")
	pointsDesc  = describe("points_issued", "Points that the policy has given, less what was taken back.")
	payoutsDesc = describe("payouts_due", "Payouts that statements owe and that are not paid yet.")
)

// Metrics tells of the statuses of all RewardPolicies as the operator's cache has them.
func Metrics(source statusmetrics.Source) prometheus.Collector {
	descs := []*prometheus.Desc{readyDesc, membersDesc, pointsDesc, payoutsDesc}
	return statusmetrics.New(source, descs, func() *v1alpha1.RewardPolicyList { return &v1alpha1.RewardPolicyList{} }, tell)
}

func tell(list *v1alpha1.RewardPolicyList, ch chan<- prometheus.Metric) {
	for i := range list.Items {
		p := &list.Items[i]
		gauge := func(desc *prometheus.Desc, value int64) {
			ch <- prometheus.MustNewConstMetric(desc, prometheus.GaugeValue, float64(value), p.Namespace, p.Spec.CommunityRef.Name, p.Name)
		}
		ready := int64(0)
		if meta.IsStatusConditionTrue(p.Status.Conditions, v1alpha1.ConditionReady) {
			ready = 1
		}
		gauge(readyDesc, ready)
		if p.Status.InForce != nil {
			gauge(membersDesc, p.Status.Members)
			gauge(pointsDesc, p.Status.PointsIssued)
			gauge(payoutsDesc, p.Status.PayoutsDue)
		}
	}
}
