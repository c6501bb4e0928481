package main

import (
	"context"
	"fmt"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/quaeso/community-operator/api/v1alpha1"
	"github.com/quaeso/community-operator/test/bench/report"
)

// hanging starts the names of Communities whose idea service takes calls and never answers.
const hanging = "hanging-"

// incompleteSecret lacks every key that mail needs.
const incompleteSecret = "incomplete-mail"

// breakage is one way of being broken, and its share of ten broken Communities.
type breakage struct {
	prefix string
	share  int
	change func(*v1alpha1.Community)
}

func breakages() []breakage {
	return []breakage{
		{hanging, 6, nil},
		{"classless-", 2, func(c *v1alpha1.Community) { c.Spec.ClassName = "nowhere" }},
		{"mailless-", 2, func(c *v1alpha1.Community) {
			c.Spec.Mail = &v1alpha1.CommunityMail{SecretName: incompleteSecret}
		}},
	}
}

// measureBroken compares how soon healthy Communities are Ready beside broken ones with how soon they are
// beside as many healthy ones. Each pair of rounds gives a ratio, and every other pair has the broken ones first,
// so that a machine that becomes slower or faster touches both alike.
func (b *bench) measureBroken(ctx context.Context, r *report.Report) error {
	if b.options.rounds == 0 {
		return nil
	}
	for i := range fleetNamespaces {
		secret := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Name: incompleteSecret, Namespace: namespaceOf(i)}}
		if err := b.cluster.server.Client.Create(ctx, secret); err != nil {
			return fmt.Errorf("make an incomplete Secret: %w", err)
		}
	}
	var with, without, ratios, lateRatios []float64
	for pair := range b.options.rounds {
		var median, late [2]float64
		for i := range 2 {
			kind := (pair + i) % 2
			each, err := b.round(ctx, fmt.Sprintf("round%d-%d-", pair, kind), b.beside(pair, kind == 1))
			if err != nil {
				return err
			}
			median[kind], late[kind] = each[len(each)/2].Seconds(), each[len(each)*9/10].Seconds()
		}
		without, with = append(without, median[0]), append(with, median[1])
		ratios, lateRatios = append(ratios, median[1]/median[0]), append(lateRatios, late[1]/late[0])
	}
	r.Note("until Ready beside healthy ones (median)", "%.2f s", middle(without))
	r.Note(fmt.Sprintf("until Ready beside %d broken ones (median)", b.options.broken), "%.2f s", middle(with))
	r.AtMost("slowed by broken ones (median)", middle(ratios), maxSlowdown, "")
	r.AtMost("slowed by broken ones (9 of 10)", middle(lateRatios), maxSlowdown, "")
	return nil
}

func middle(values []float64) float64 {
	slices.Sort(values)
	return values[len(values)/2]
}

// beside describes what the healthy Communities of a round are made together with.
func (b *bench) beside(pair int, broken bool) []*v1alpha1.Community {
	if !broken {
		return newCommunities(fmt.Sprintf("extra-%d-", pair), b.options.broken, nil)
	}
	var out []*v1alpha1.Community
	for _, kind := range breakages() {
		out = append(out, newCommunities(fmt.Sprintf("%s%d-", kind.prefix, pair), b.options.broken*kind.share/10, kind.change)...)
	}
	return out
}

// round makes the beside and then healthy Communities, waits for the healthy ones, and removes all again.
func (b *bench) round(ctx context.Context, prefix string, beside []*v1alpha1.Community) ([]time.Duration, error) {
	before := b.times()
	healthy := newCommunities(prefix, b.options.others, nil)
	if err := b.fleet.create(ctx, append(beside, healthy...)); err != nil {
		return nil, err
	}
	each, whole, err := b.waitUntilReady(ctx, healthy)
	if err != nil {
		return nil, err
	}
	progress("round %s: Ready after %.1f s; %s", prefix, whole.Seconds(), b.times().since(before))
	for _, c := range append(beside, healthy...) {
		if err := b.cluster.server.Client.Delete(ctx, c); err != nil {
			return nil, fmt.Errorf("delete Community %s: %w", c.Name, err)
		}
	}
	_, err = b.settle(ctx, 2*time.Minute)
	return each, err
}
