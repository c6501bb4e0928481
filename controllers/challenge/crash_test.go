package challenge_test

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/quaeso/community-operator/api/v1alpha1"
	"github.com/quaeso/community-operator/internal/testutil/programme"
)

// Killed between any two calls while it brings challenges into force, changes them and archives them, the operator comes to
// the same end when it is started again, and no vote is lost.
func TestKilledBetweenAnyTwoCalls(t *testing.T) {
	t.Parallel()
	for k := 1; k <= 8; k++ {
		t.Run(fmt.Sprintf("change %d", k), func(t *testing.T) {
			t.Parallel()
			w := programme.New(t)
			_, service := w.Community("lumiere", nil)
			kill := func(work func()) {
				o := w.Start(k)
				work()
				o.Life.WaitEnd(w)
				o.Stop()
			}
			kept := ideation(w, "lumiere", "kept")
			archived := ideation(w, "lumiere", "archived", func(c *v1alpha1.Challenge) { c.Spec.Origin = "kept" })
			kill(func() {
				w.Create(archived)
				w.Create(kept)
			})
			second := w.Start(0)
			w.WaitReady(kept)
			w.WaitReady(archived)
			idea := service.Entry(service.Member("Author"), "kept", "A lamp that dims itself")
			service.Support(service.Member("Voter"), idea)
			second.Stop()
			kill(func() {
				programme.Change(w, kept, func(c *v1alpha1.Challenge) { c.Spec.Title["en"] = "Nights without lamps" })
				w.Delete(archived)
			})
			w.Start(0)
			w.WaitReady(kept)
			w.WaitGone(archived)
			w.Eventually("the status should be that of an operator that was never killed", func() error {
				w.Get(kept)
				want := v1alpha1.ChallengeStatus{
					ObservedGeneration: kept.Generation, InForce: &v1alpha1.InForceStatus{Generation: kept.Generation}, Phase: "open",
					Ideas: 1, Votes: 1, Participants: 2, Leaders: []v1alpha1.EntryStatus{{Idea: idea.ID, Title: "A lamp that dims itself", Votes: 1}},
				}
				if diff := cmp.Diff(want, kept.Status, cmpopts.IgnoreFields(v1alpha1.ChallengeStatus{}, "Conditions", "ClosesIn", "NextTransition"),
					cmpopts.IgnoreFields(v1alpha1.InForceStatus{}, "Digest", "Since"), cmpopts.IgnoreTypes(metav1.Time{})); diff != "" {
					return fmt.Errorf("it differs (-want +got):\n%s", diff)
				}
				return nil
			})
			if known := service.Known(string(archived.UID)); !known.Archived {
				t.Errorf("the deleted challenge is %+v", known)
			}
			if n := service.DB.QueryInt(t, "SELECT count(*) FROM ideas.challenge"); n != 2 {
				t.Errorf("the service has %d challenges, want 2", n)
			}
		})
	}
}
