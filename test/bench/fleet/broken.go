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
// beside as many healthy ones. Rounds of both alternate, so that a machine that becomes slower or faster
// touches both.
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
	var with, without []time.Duration
	for round := range b.options.rounds {
		each, err := b.round(ctx, fmt.Sprintf("a%d-", round), newCommunities(fmt.Sprintf("extra-%d-", round), b.options.broken, nil))
		if err != nil {
			return err
		}
		without = append(without, each...)
		var broken []*v1alpha1.Community
		for _, kind := range breakages() {
			broken = append(broken, newCommunities(fmt.Sprintf("%s%d-", kind.prefix, round), b.options.broken*kind.share/10, kind.change)...)
		}
		if each, err = b.round(ctx, fmt.Sprintf("b%d-", round), broken); err != nil {
			return err
		}
		with = append(with, each...)
	}
	slices.Sort(without)
	slices.Sort(with)
	middle, late := len(with)/2, len(with)*9/10
	r.Note("until Ready beside healthy ones (median, 9 of 10)", "%.2f s, %.2f s", without[middle].Seconds(), without[late].Seconds())
	r.Note(fmt.Sprintf("until Ready beside %d broken ones (median, 9 of 10)", b.options.broken), "%.2f s, %.2f s",
		with[middle].Seconds(), with[late].Seconds())
	r.AtMost("slowed by broken ones, median", with[middle].Seconds()/without[middle].Seconds(), maxSlowdown, "")
	r.AtMost("slowed by broken ones, 9 of 10", with[late].Seconds()/without[late].Seconds(), maxSlowdown, "")
	return nil
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
