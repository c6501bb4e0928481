package challenge_test

import (
	"fmt"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/quaeso/community-operator/api/v1alpha1"
	"github.com/quaeso/community-operator/internal/control"
	"github.com/quaeso/community-operator/internal/testutil/programme"
)

// drifts are ways in which a service comes to work by something else.
var drifts = map[string]func(*programme.Service, *v1alpha1.Challenge){
	"withdrawn by somebody else": func(s *programme.Service, c *v1alpha1.Challenge) {
		if err := s.Store.WithdrawChallenge(s.Context(), string(c.UID)); err != nil {
			s.Fatal(err)
		}
	},
	"restored from a time before it was there": func(s *programme.Service, _ *v1alpha1.Challenge) {
		s.DB.Exec(s.TB, "DELETE FROM ideas.ballot", "DELETE FROM ideas.challenge", "UPDATE ideas.programme SET revision = revision + 1")
	},
	"restored from a time before its last change": func(s *programme.Service, _ *v1alpha1.Challenge) {
		s.DB.Exec(s.TB, `UPDATE ideas.challenge SET generation = generation - 1, digest = 'former', spec = jsonb_set(spec, '{title,en}', '"Former"')`,
			"UPDATE ideas.programme SET revision = revision + 1")
	},
	"declared by somebody else": func(s *programme.Service, c *v1alpha1.Challenge) {
		_, _, err := s.Store.DeclareChallenge(s.Context(), control.Object[control.Challenge]{
			UID: string(c.UID), Name: c.Name, Generation: c.Generation, Spec: control.Challenge{
				Type: control.TypeIdeation, Title: map[string]string{"fr": "Autre", "en": "Other"},
				Phases: []control.Phase{{Name: control.PhaseOpen, Start: "2020-01-01T09:00", End: "2120-01-01T09:00"}},
			},
		})
		if err != nil {
			s.Fatal(err)
		}
	},
}

func TestDriftIsCorrected(t *testing.T) {
	t.Parallel()
	for name, drift := range drifts {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := programme.New(t)
			w.Start(0)
			_, service := w.Community("lumiere", nil)
			c := ideation(w, "lumiere", "light")
			w.Create(c)
			w.WaitReady(c)
			programme.Change(w, c, func(c *v1alpha1.Challenge) { c.Spec.Title["en"] = "Nights without lamps" })
			w.WaitReady(c)
			want := service.Known(string(c.UID))
			drift(service, c)
			w.Eventually("the service should work by the spec again", func() error {
				if got := service.Known(string(c.UID)); got != want {
					return fmt.Errorf("it knows %+v", got)
				}
				return nil
			})
			w.WaitEvent(c, "Warning DriftCorrected")
			w.WaitReady(c)
		})
	}
}

func TestDriftIsReported(t *testing.T) {
	t.Parallel()
	for name, drift := range drifts {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := programme.New(t)
			w.Start(0)
			_, service := w.Community("lumiere", nil)
			c := ideation(w, "lumiere", "light", func(c *v1alpha1.Challenge) { c.Spec.DriftPolicy = v1alpha1.DriftReport })
			w.Create(c)
			w.WaitReady(c)
			programme.Change(w, c, func(c *v1alpha1.Challenge) { c.Spec.Title["en"] = "Nights without lamps" })
			w.WaitReady(c)
			drift(service, c)
			drifted := service.Known(string(c.UID))
			w.WaitStalled(c, v1alpha1.ReasonDrifted, "driftPolicy", "Correct")
			if got := service.Known(string(c.UID)); got != drifted {
				t.Errorf("the service knows %+v, want it left at %+v", got, drifted)
			}
			programme.Change(w, c, func(c *v1alpha1.Challenge) { c.Spec.DriftPolicy = v1alpha1.DriftCorrect })
			w.WaitReady(c)
		})
	}
}

// An object that is restored under another UID takes up what was lived, and so does one that follows a retained one.
func TestTakenUp(t *testing.T) {
	t.Parallel()
	for name, lose := range map[string]func(*programme.World, *v1alpha1.Challenge){
		"restored": func(w *programme.World, c *v1alpha1.Challenge) {
			// Nobody withdraws what is lost with its cluster.
			programme.Change(w, c, func(c *v1alpha1.Challenge) { c.Finalizers = nil })
			w.Delete(c)
		},
		"retained": func(w *programme.World, c *v1alpha1.Challenge) {
			programme.Change(w, c, func(c *v1alpha1.Challenge) { c.Spec.DeletionPolicy = v1alpha1.WithdrawRetain })
			w.WaitReady(c)
			w.Delete(c)
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := programme.New(t)
			operator := w.Start(0)
			_, service := w.Community("lumiere", nil)
			former := ideation(w, "lumiere", "light")
			w.Create(former)
			w.WaitReady(former)
			idea := service.Entry(service.Member("Author"), "light", "A lamp that dims itself")
			service.Support(service.Member("Voter"), idea)
			if name == "restored" {
				operator.Stop()
			}
			lose(w, former)
			w.WaitGone(former)
			if known := service.Known(string(former.UID)); known.Archived || known.UID == "" {
				t.Fatalf("the former object is %+v in the service", known)
			}
			if name == "restored" {
				w.Start(0)
			}
			c := ideation(w, "lumiere", "light")
			w.Create(c)
			w.WaitReady(c)
			w.WaitEvent(c, "Normal TakenUp")
			w.Eventually("what was lived should be there", func() error {
				w.Get(c)
				if len(c.Status.Leaders) != 1 || c.Status.Leaders[0].Idea != idea.ID || c.Status.Leaders[0].Votes != 1 {
					return fmt.Errorf("the leaders are %+v", c.Status.Leaders)
				}
				return nil
			})
		})
	}
}

// An object that was restored from an earlier state, in a cluster that kept its UID, is older than what is in force.
func TestOlderThanInForce(t *testing.T) {
	t.Parallel()
	w := programme.New(t)
	w.Start(0)
	_, service := w.Community("lumiere", nil)
	c := ideation(w, "lumiere", "light")
	w.Create(c)
	w.WaitReady(c)
	service.DB.Exec(t, "UPDATE ideas.challenge SET generation = 3, digest = 'later'", "UPDATE ideas.programme SET revision = revision + 1")
	w.WaitStalled(c, v1alpha1.ReasonStale, "generation 3", "this is generation 1")
	for _, title := range []string{"Two", "Three", "Four"} {
		programme.Change(w, c, func(c *v1alpha1.Challenge) { c.Spec.Title["en"] = v1alpha1.BoundedText(title) })
	}
	w.WaitReady(c)
	if got := service.Challenge("light").Spec.Title["en"]; got != "Four" {
		t.Errorf("in force is %q", got)
	}
}

// A suspended challenge and one of a paused Community stay as they are, and go on afterwards.
func TestPaused(t *testing.T) {
	t.Parallel()
	w := programme.New(t)
	w.Start(0)
	community, service := w.Community("lumiere", nil)
	c := ideation(w, "lumiere", "light")
	w.Create(c)
	w.WaitReady(c)
	for name, v := range map[string]struct {
		reason      string
		pause, goOn func()
	}{
		"suspended": {
			v1alpha1.ReasonSuspended,
			func() { programme.Change(w, c, func(c *v1alpha1.Challenge) { c.Spec.Suspend = true }) },
			func() { programme.Change(w, c, func(c *v1alpha1.Challenge) { c.Spec.Suspend = false }) },
		},
		"of a paused Community": {
			v1alpha1.ReasonCommunityPaused,
			func() { programme.Change(w, community, func(c *v1alpha1.Community) { c.Spec.Paused = true }) },
			func() { programme.Change(w, community, func(c *v1alpha1.Community) { c.Spec.Paused = false }) },
		},
	} {
		title := v1alpha1.BoundedText("While " + name)
		v.pause()
		programme.Change(w, c, func(c *v1alpha1.Challenge) { c.Spec.Title["en"] = title })
		w.WaitCondition(c, v1alpha1.ConditionReady, metav1.ConditionUnknown, v.reason)
		if got := service.Challenge("light").Spec.Title["en"]; got == string(title) {
			t.Errorf("%s: it was declared all the same", name)
		}
		v.goOn()
		w.WaitReady(c)
		if got := service.Challenge("light").Spec.Title["en"]; got != string(title) {
			t.Errorf("%s: afterwards %q is in force", name, got)
		}
	}
}
