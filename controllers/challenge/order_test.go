package challenge_test

import (
	"fmt"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/quaeso/community-operator/api/v1alpha1"
	"github.com/quaeso/community-operator/internal/control"
	"github.com/quaeso/community-operator/internal/testutil/programme"
)

// Whatever comes first, the challenge comes into force when everything is there, and says until then what it waits for.
func TestOrderDoesNotMatter(t *testing.T) {
	t.Parallel()
	w := programme.New(t)
	w.Start(0)
	policy := &v1alpha1.RewardPolicy{
		ObjectMeta: metav1.ObjectMeta{Namespace: w.Namespace, Name: "stars"},
		Spec: v1alpha1.RewardPolicySpec{
			CommunityRef: v1alpha1.CommunityReference{Name: "lumiere"},
			Rules:        []v1alpha1.RewardRule{{Name: "published", Event: "idea.published", Points: 5}},
		},
	}
	origin := ideation(w, "lumiere", "origin")
	c := ideation(w, "lumiere", "light", func(c *v1alpha1.Challenge) {
		c.Spec.RewardPolicy, c.Spec.Origin, c.Spec.Theme = "stars", "origin", "shelter"
	})
	w.Create(c)
	w.WaitWaiting(c, v1alpha1.ReasonCommunityNotFound, "lumiere")
	if len(c.Finalizers) > 0 {
		t.Errorf("what was never declared has the finalizers %q", c.Finalizers)
	}
	community := w.NewCommunity("lumiere")
	w.WaitWaiting(c, v1alpha1.ReasonCommunityNotReady, "lumiere", "Progressing")
	w.Report(community, metav1.ConditionFalse, v1alpha1.ReasonClassNotFound)
	w.WaitWaiting(c, v1alpha1.ReasonCommunityNotReady, v1alpha1.ReasonClassNotFound)
	service := w.Serve(community, nil)
	w.Settle(community, service, nil)
	w.WaitNotInForce(c, v1alpha1.ReasonReferenceMissing, "spec.theme", "shelter")
	programme.Change(w, community, func(c *v1alpha1.Community) {
		c.Spec.Brand.TagLine = v1alpha1.TextByLocale{"en": "Another generation"}
	})
	w.Settle(community, service, &control.House{Themes: []control.Theme{{Name: "shelter", Title: map[string]string{"fr": "Abris", "en": "Shelter"}}}})
	w.WaitNotInForce(c, v1alpha1.ReasonReferenceMissing, "spec.rewardPolicy", "stars", "spec.origin")
	w.Create(policy)
	w.WaitReady(policy)
	w.WaitNotInForce(c, v1alpha1.ReasonReferenceMissing, "spec.origin", "origin")
	w.Create(origin)
	w.WaitReady(origin)
	w.WaitReady(c)
	if got := service.Challenge("light").Spec; got.RewardPolicy != "stars" || got.Origin != "origin" {
		t.Errorf("in force is %+v", got)
	}
}

// Challenges that wait for each other would wait for ever: that needs a person.
func TestReferencesInACircle(t *testing.T) {
	t.Parallel()
	w := programme.New(t)
	w.Start(0)
	w.Community("lumiere", nil)
	first := ideation(w, "lumiere", "first", func(c *v1alpha1.Challenge) { c.Spec.Origin = "second" })
	second := ideation(w, "lumiere", "second", func(c *v1alpha1.Challenge) { c.Spec.Origin = "third" })
	third := ideation(w, "lumiere", "third", func(c *v1alpha1.Challenge) {
		c.Spec.Eligibility = &v1alpha1.Eligibility{SelectedIn: "first"}
	})
	w.Create(first)
	w.WaitWaiting(first, v1alpha1.ReasonReferenceMissing, "spec.origin", "second")
	w.Create(second)
	w.Create(third)
	w.Eventually("one of them should say so", func() error {
		var said []string
		for _, c := range []*v1alpha1.Challenge{first, second, third} {
			w.Get(c)
			stalled := meta.FindStatusCondition(c.Status.Conditions, v1alpha1.ConditionStalled)
			if stalled != nil && stalled.Reason == v1alpha1.ReasonReferenceCycle && strings.Contains(stalled.Message, " → "+c.Name+")") {
				return nil
			}
			said = append(said, programme.AsJSON(c.Status.Conditions))
		}
		return fmt.Errorf("their conditions are %q", said)
	})
	programme.Change(w, third, func(c *v1alpha1.Challenge) { c.Spec.Eligibility = nil })
	for _, c := range []*v1alpha1.Challenge{third, second, first} {
		w.WaitReady(c)
	}
}
