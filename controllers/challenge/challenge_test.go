package challenge_test

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/quaeso/community-operator/api/v1alpha1"
	"github.com/quaeso/community-operator/internal/testutil/programme"
)

// A challenge comes into force, is changed, and is archived with what people wrote when it is deleted. One of the same name
// takes that up again.
func TestLife(t *testing.T) {
	t.Parallel()
	w := programme.New(t)
	w.Start(0)
	_, service := w.Community("lumiere", nil)
	c := ideation(w, "lumiere", "light")
	w.Create(c)
	w.WaitReady(c)
	known := service.Known(string(c.UID))
	if known.Generation != c.Generation || known.Archived || c.Status.InForce == nil || c.Status.InForce.Digest != known.Digest {
		t.Errorf("the service knows %+v, the status says %+v", known, c.Status.InForce)
	}
	if c.Status.Phase != "open" || c.Status.NextTransition == nil || c.Status.ClosesIn == "" {
		t.Errorf("the status is %s", programme.AsJSON(c.Status))
	}
	author, voter := service.Member("Author"), service.Member("Voter")
	service.Support(voter, service.Entry(author, "light", "A lamp that dims itself"))
	w.Eventually("the status should show what people did", func() error {
		w.Get(c)
		want := []v1alpha1.EntryStatus{{Idea: 1, Title: "A lamp that dims itself", Votes: 1}}
		if diff := cmp.Diff(want, c.Status.Leaders); diff != "" || c.Status.Ideas != 1 || c.Status.Participants == 0 {
			return fmt.Errorf("it is %s", programme.AsJSON(c.Status))
		}
		return nil
	})
	programme.Change(w, c, func(c *v1alpha1.Challenge) { c.Spec.Title["en"] = "Nights without lamps" })
	w.WaitReady(c)
	if got := service.Challenge("light").Spec.Title["en"]; got != "Nights without lamps" {
		t.Errorf("after the change the service works by %q", got)
	}
	w.Delete(c)
	w.WaitGone(c)
	if known := service.Known(known.UID); !known.Archived {
		t.Errorf("after its deletion the service knows %+v", known)
	}
	again := ideation(w, "lumiere", "light")
	w.Create(again)
	w.WaitReady(again)
	if len(again.Status.Leaders) != 1 || again.Status.Leaders[0].Title != "A lamp that dims itself" {
		t.Errorf("the new object does not show what people wrote: %s", programme.AsJSON(again.Status))
	}
}
