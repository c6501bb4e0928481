package main

import (
	"context"
	"fmt"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"golang.org/x/sync/errgroup"

	"github.com/quaeso/community-operator/api/v1alpha1"
	"github.com/quaeso/community-operator/test/bench/report"
)

// newChallenges describes the Challenges of one Community: calls for ideas with a brief of a page.
func newChallenges(c *v1alpha1.Community, n int) []*v1alpha1.Challenge {
	out := make([]*v1alpha1.Challenge, n)
	for i := range n {
		out[i] = &v1alpha1.Challenge{
			ObjectMeta: metav1.ObjectMeta{Namespace: c.Namespace, Name: fmt.Sprintf("%s-%d", c.Name, i)},
			Spec: v1alpha1.ChallengeSpec{
				CommunityRef: v1alpha1.CommunityReference{Name: c.Name}, Type: v1alpha1.ChallengeIdeation,
				Title:  v1alpha1.TextByLocale{"fr": "Des nuits plus légères", "en": "Lighter nights"},
				Brief:  v1alpha1.DocumentByLocale{"fr": v1alpha1.DocumentText(brief()), "en": v1alpha1.DocumentText(brief())},
				Phases: []v1alpha1.Phase{{Name: "open", Start: "2026-01-01T09:00"}},
			},
		}
	}
	return out
}

func brief() string {
	text := ""
	for range 20 {
		text += "What would make a short trip after dark feel safe, light and easy? Tell us what you tried.\n"
	}
	return text
}

// measureChallenges gives every Community its Challenges and measures until all are in force.
func (b *bench) measureChallenges(ctx context.Context, r *report.Report) error {
	if b.options.challenges == 0 {
		return nil
	}
	whole := b.options.communities * b.options.challenges
	progress("making %d Challenges", whole)
	before, calls, began := b.times(), b.services.called(), time.Now()
	if err := b.createChallenges(ctx); err != nil {
		return err
	}
	last := time.Now()
	err := b.whileRunning(ctx, b.options.timeout, "every Challenge to be Ready", func() (bool, error) {
		if time.Since(last) < time.Second {
			return false, nil
		}
		last = time.Now()
		list := &v1alpha1.ChallengeList{}
		if err := b.cluster.server.Client.List(ctx, list); err != nil {
			return false, fmt.Errorf("list Challenges: %w", err)
		}
		ready := 0
		for i := range list.Items {
			if meta.IsStatusConditionTrue(list.Items[i].Status.Conditions, v1alpha1.ConditionReady) {
				ready++
			}
		}
		return ready == whole, nil
	})
	if err != nil {
		return err
	}
	r.AtMost(fmt.Sprintf("%d Challenges Ready", whole), time.Since(began).Seconds(), maxChallengesSeconds, " s")
	requests, err := b.settle(ctx, 2*time.Minute)
	if err != nil {
		return err
	}
	all := count(requests, func(q request) bool { return !q.electing() && !q.starting() })
	r.Note("requests for each Challenge", "%.2f", float64(all.sum())/float64(whole))
	r.Note("control calls for each Challenge", "%.2f", float64(b.services.called()-calls)/float64(whole))
	r.Detail("Requests for each Challenge: %s.", all.per(whole))
	r.Detail("Processor time until all Challenges were Ready: %s.", b.times().since(before))
	mem, err := b.operator.memory()
	if err != nil {
		return err
	}
	r.AtMost("memory with Challenges, peak", mem.peak, b.maxMemory(), " MiB")
	return nil
}

func (b *bench) createChallenges(ctx context.Context) error {
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(creators)
	for _, c := range newCommunities("brand-", b.options.communities, nil) {
		g.Go(func() error {
			for _, challenge := range newChallenges(c, b.options.challenges) {
				if err := b.fleet.client.Create(ctx, challenge, client.FieldOwner("bench")); err != nil {
					return fmt.Errorf("make Challenge %s: %w", challenge.Name, err)
				}
			}
			return nil
		})
	}
	return g.Wait()
}
