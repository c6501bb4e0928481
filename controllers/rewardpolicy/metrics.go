package rewardpolicy

import (
	"context"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"k8s.io/apimachinery/pkg/api/meta"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/quaeso/community-operator/api/v1alpha1"
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

// collectTimeout bounds the reading of the cache.
const collectTimeout = 5 * time.Second

// Metrics tells of the statuses of all RewardPolicies as the operator's cache has them. Nothing is kept between scrapes,
// so what belongs to an object goes with it.
type Metrics struct {
	// Reader reads from the cache.
	Reader client.Reader
	// Elected is closed once this operator leads: others would count everything twice.
	Elected <-chan struct{}
}

// Describe implements prometheus.Collector.
func (m *Metrics) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{readyDesc, membersDesc, pointsDesc, payoutsDesc} {
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
	list := &v1alpha1.RewardPolicyList{}
	if err := m.Reader.List(ctx, list, client.UnsafeDisableDeepCopy, client.DisableReadYourWritesConsistency); err != nil {
		return // the cache is not filled yet
	}
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
