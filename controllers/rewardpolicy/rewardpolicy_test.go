package rewardpolicy_test

import (
	"fmt"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/quaeso/community-operator/api/v1alpha1"
	"github.com/quaeso/community-operator/internal/testutil/programme"
)

func stars(w *programme.World, changes ...func(*v1alpha1.RewardPolicy)) *v1alpha1.RewardPolicy {
	p := &v1alpha1.RewardPolicy{
		ObjectMeta: metav1.ObjectMeta{Namespace: w.Namespace, Name: "stars"},
		Spec: v1alpha1.RewardPolicySpec{
			CommunityRef: v1alpha1.CommunityReference{Name: "lumiere"},
			Rules:        []v1alpha1.RewardRule{{Name: "supported", Event: "idea.supported", Points: 5, To: "author"}},
			Levels:       []v1alpha1.Level{{Name: "spark", Title: v1alpha1.TextByLocale{"fr": "Étincelle", "en": "Spark"}, Points: 5}},
		},
	}
	for _, change := range changes {
		change(p)
	}
	return p
}

func ideation(w *programme.World) *v1alpha1.Challenge {
	return &v1alpha1.Challenge{
		ObjectMeta: metav1.ObjectMeta{Namespace: w.Namespace, Name: "light"},
		Spec: v1alpha1.ChallengeSpec{
			CommunityRef: v1alpha1.CommunityReference{Name: "lumiere"}, Type: v1alpha1.ChallengeIdeation,
			Title: v1alpha1.TextByLocale{"fr": "Lumière", "en": "Light"},
		},
	}
}

// points of all members, and how often each event was counted at most.
func points(s *programme.Service) (sum, often int64) {
	return s.DB.QueryInt(s.TB, "SELECT coalesce(sum(points), 0) FROM ideas.points_entry"),
		s.DB.QueryInt(s.TB, "SELECT coalesce(max(n), 0) FROM (SELECT count(*) AS n FROM ideas.points_entry GROUP BY event_id, member_id, rule) e")
}

// A policy comes into force, gives points, is changed without giving them again, and ends when it is deleted.
func TestLife(t *testing.T) {
	t.Parallel()
	w := programme.New(t)
	w.Start(0)
	_, service := w.Community("lumiere", nil)
	p, c := stars(w), ideation(w)
	w.Create(p)
	w.Create(c)
	w.WaitReady(p)
	w.WaitReady(c)
	idea := service.Entry(service.Member("Author"), "light", "A lamp that dims itself")
	service.Support(service.Member("Voter"), idea)
	w.Eventually("the status should show what was given", func() error {
		w.Get(p)
		if p.Status.PointsIssued != 5 || p.Status.Members != 2 {
			return fmt.Errorf("it is %s", programme.AsJSON(p.Status))
		}
		return nil
	})
	programme.Change(w, p, func(p *v1alpha1.RewardPolicy) { p.Spec.Rules[0].Points = 7 })
	w.WaitReady(p)
	if sum, often := points(service); sum != 5 || often != 1 {
		t.Errorf("after the change %d points were given, for one event %d times at most", sum, often)
	}
	w.Delete(p)
	w.WaitGone(p)
	if known := service.Known(string(p.UID)); !known.Archived {
		t.Errorf("after its deletion the service knows %+v", known)
	}
	if sum, _ := points(service); sum != 5 {
		t.Errorf("after the deletion there are %d points", sum)
	}
}

// A policy that cannot hold is refused with the position of its fault, before anything changes.
func TestRefused(t *testing.T) {
	t.Parallel()
	w := programme.New(t)
	w.Start(0)
	_, service := w.Community("lumiere", nil)
	p := stars(w)
	w.Create(p)
	w.WaitReady(p)
	good, inForce := p.Spec.DeepCopy(), service.Known(string(p.UID))
	for name, v := range map[string]struct {
		change func(*v1alpha1.RewardPolicySpec)
		words  []string
	}{
		"an expression that ends too soon": {
			func(s *v1alpha1.RewardPolicySpec) { s.Rules[0].Condition = "idea.supporters >=" },
			[]string{"spec.rules[0].condition", "line 1, column"},
		},
		"a name that is not there, on the second line": {
			func(s *v1alpha1.RewardPolicySpec) {
				s.Rules[0].Condition = "idea.supporters > 1\n&& ideas.comments > 1"
			},
			[]string{"spec.rules[0].condition", "line 2, column 4", "ideas"},
		},
		"an expression that is no condition": {
			func(s *v1alpha1.RewardPolicySpec) { s.Rules[0].Condition = "idea.supporters + 1" },
			[]string{"spec.rules[0].condition", "line 1"},
		},
		"an event that nobody knows": {
			func(s *v1alpha1.RewardPolicySpec) { s.Rules[0].Event = "idea.dreamt" },
			[]string{"spec.rules[0].event", "idea.dreamt"},
		},
		"a text is missing": {
			func(s *v1alpha1.RewardPolicySpec) { delete(s.Levels[0].Title, "fr") },
			[]string{"spec.levels[0].title.fr"},
		},
		"a currency that does not exist": {
			func(s *v1alpha1.RewardPolicySpec) { s.Currency = "ABC" },
			[]string{"spec.currency"},
		},
	} {
		programme.Change(w, p, func(p *v1alpha1.RewardPolicy) { v.change(&p.Spec) })
		w.WaitStalled(p, v1alpha1.ReasonRefused, v.words...)
		if got := service.Known(string(p.UID)); got != inForce || p.Status.InForce.Generation != inForce.Generation {
			t.Errorf("%s: the service knows %+v, the status says %+v", name, got, p.Status.InForce)
		}
		programme.Change(w, p, func(p *v1alpha1.RewardPolicy) { p.Spec = *good.DeepCopy() })
		w.WaitReady(p)
		inForce = service.Known(string(p.UID))
	}
}

// A changed policy is priced on what has happened, and with "only" nothing else is done with it.
func TestPriced(t *testing.T) {
	t.Parallel()
	w := programme.New(t)
	w.Start(0)
	_, service := w.Community("lumiere", nil)
	p, c := stars(w), ideation(w)
	w.Create(p)
	w.Create(c)
	w.WaitReady(p)
	w.WaitReady(c)
	service.Support(service.Member("Voter"), service.Entry(service.Member("Author"), "light", "A lamp that dims itself"))
	w.Eventually("points should be given", func() error {
		if sum, _ := points(service); sum != 5 {
			return fmt.Errorf("there are %d", sum)
		}
		return nil
	})
	inForce := service.Known(string(p.UID))
	programme.Change(w, p, func(p *v1alpha1.RewardPolicy) {
		metav1.SetMetaDataAnnotation(&p.ObjectMeta, v1alpha1.AnnotationPrice, "only")
		p.Spec.Rules[0].Points, p.Spec.Levels[0].Points = 20, 30
	})
	w.WaitCondition(p, v1alpha1.ConditionReady, metav1.ConditionUnknown, v1alpha1.ReasonPriceOnly, "remove the annotation")
	got := p.Status.Pricing
	if got == nil || got.Request != "only" || got.Generation != p.Generation || got.PointsBefore != 5 || got.PointsAfter != 20 || got.Fallen != 1 {
		t.Fatalf("the pricing is %s", programme.AsJSON(got))
	}
	want := []v1alpha1.LevelPrice{{Level: 0, Before: got.Levels[0].Before, After: got.Levels[0].Before + 1}, {Level: 1, Name: "spark", Before: 1}}
	if programme.AsJSON(want) != programme.AsJSON(got.Levels) {
		t.Errorf("levels are %s, want %s", programme.AsJSON(got.Levels), programme.AsJSON(want))
	}
	if known := service.Known(string(p.UID)); known != inForce {
		t.Errorf("in force is %+v, want it as before: %+v", known, inForce)
	}
	if sum, _ := points(service); sum != 5 {
		t.Errorf("pricing gave points: there are %d", sum)
	}
	programme.Change(w, p, func(p *v1alpha1.RewardPolicy) { p.Annotations[v1alpha1.AnnotationPrice] = "declared" })
	w.WaitReady(p)
	w.Eventually("another request is priced anew", func() error {
		w.Get(p)
		if p.Status.Pricing == nil || p.Status.Pricing.Request != "declared" {
			return fmt.Errorf("the pricing is %s", programme.AsJSON(p.Status.Pricing))
		}
		return nil
	})
	if known := service.Known(string(p.UID)); known.Generation != p.Generation {
		t.Errorf("in force is %+v, want generation %d", known, p.Generation)
	}
	programme.Change(w, p, func(p *v1alpha1.RewardPolicy) { delete(p.Annotations, v1alpha1.AnnotationPrice) })
	w.Eventually("the pricing goes with its annotation", func() error {
		w.Get(p)
		if p.Status.Pricing != nil {
			return fmt.Errorf("it is %s", programme.AsJSON(p.Status.Pricing))
		}
		return nil
	})
}

// What was ended behind the operator's back, or lost by a restore of the database, is declared again, or reported.
func TestDrift(t *testing.T) {
	t.Parallel()
	for name, drift := range map[string]func(*programme.Service, *v1alpha1.RewardPolicy){
		"ended by somebody else": func(s *programme.Service, p *v1alpha1.RewardPolicy) {
			if err := s.Store.WithdrawRewardPolicy(s.Context(), string(p.UID)); err != nil {
				s.Fatal(err)
			}
		},
		"restored from a time before it was there": func(s *programme.Service, _ *v1alpha1.RewardPolicy) {
			s.DB.Exec(s.TB, "DELETE FROM ideas.reward_policy", "UPDATE ideas.programme SET revision = revision + 1")
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := programme.New(t)
			w.Start(0)
			_, service := w.Community("lumiere", nil)
			p := stars(w)
			w.Create(p)
			w.WaitReady(p)
			want := service.Known(string(p.UID))
			drift(service, p)
			w.Eventually("it should be in force again", func() error {
				if got := service.Known(string(p.UID)); got != want {
					return fmt.Errorf("the service knows %+v", got)
				}
				return nil
			})
			w.WaitEvent(p, "Warning DriftCorrected")
			programme.Change(w, p, func(p *v1alpha1.RewardPolicy) { p.Spec.DriftPolicy = v1alpha1.DriftReport })
			w.WaitReady(p)
			drift(service, p)
			w.WaitStalled(p, v1alpha1.ReasonDrifted, "driftPolicy")
		})
	}
}

// A policy that is restored under another UID takes the place of its former self: nobody loses a point, and nobody gets
// one twice.
func TestRestored(t *testing.T) {
	t.Parallel()
	w := programme.New(t)
	first := w.Start(0)
	_, service := w.Community("lumiere", nil)
	former, c := stars(w), ideation(w)
	w.Create(former)
	w.Create(c)
	w.WaitReady(former)
	w.WaitReady(c)
	idea := service.Entry(service.Member("Author"), "light", "A lamp that dims itself")
	service.Support(service.Member("Voter"), idea)
	w.Eventually("points should be given", func() error {
		if sum, _ := points(service); sum != 5 {
			return fmt.Errorf("there are %d", sum)
		}
		return nil
	})
	first.Stop()
	// Nobody withdraws what is lost with its cluster.
	programme.Change(w, former, func(p *v1alpha1.RewardPolicy) { p.Finalizers = nil })
	w.Delete(former)
	w.WaitGone(former)
	w.Start(0)
	p := stars(w)
	w.Create(p)
	w.WaitReady(p)
	w.WaitEvent(p, "Normal TakenUp")
	service.Support(service.Member("Another"), idea)
	w.Eventually("the points of both should be there", func() error {
		w.Get(p)
		if sum, often := points(service); sum != 10 || often != 1 || p.Status.PointsIssued != 10 {
			return fmt.Errorf("%d points, one event %d times, the status says %d", sum, often, p.Status.PointsIssued)
		}
		return nil
	})
}

// A suspended policy stays in force as it is, and goes on afterwards.
func TestSuspended(t *testing.T) {
	t.Parallel()
	w := programme.New(t)
	w.Start(0)
	_, service := w.Community("lumiere", nil)
	p := stars(w)
	w.Create(p)
	w.WaitReady(p)
	inForce := service.Known(string(p.UID))
	programme.Change(w, p, func(p *v1alpha1.RewardPolicy) { p.Spec.Suspend, p.Spec.Rules[0].Points = true, 9 })
	w.WaitCondition(p, v1alpha1.ConditionReady, metav1.ConditionUnknown, v1alpha1.ReasonSuspended)
	if got := service.Known(string(p.UID)); got != inForce {
		t.Errorf("suspended, the service knows %+v", got)
	}
	programme.Change(w, p, func(p *v1alpha1.RewardPolicy) { p.Spec.Suspend = false })
	w.WaitReady(p)
	if got := service.Known(string(p.UID)); got.Generation != p.Generation {
		t.Errorf("afterwards, the service knows %+v", got)
	}
}

// Killed between any two calls and started again, the operator comes to the same end, and nobody gets points twice.
func TestKilledBetweenAnyTwoCalls(t *testing.T) {
	t.Parallel()
	for k := 1; k <= 7; k++ {
		t.Run(fmt.Sprintf("change %d", k), func(t *testing.T) {
			t.Parallel()
			w := programme.New(t)
			_, service := w.Community("lumiere", nil)
			p, c := stars(w), ideation(w)
			first := w.Start(k)
			w.Create(p)
			w.Create(c)
			first.Life.WaitEnd(w)
			first.Stop()
			second := w.Start(0)
			w.WaitReady(p)
			w.WaitReady(c)
			idea := service.Entry(service.Member("Author"), "light", "A lamp that dims itself")
			service.Support(service.Member("Voter"), idea)
			second.Stop()
			third := w.Start(k)
			programme.Change(w, p, func(p *v1alpha1.RewardPolicy) { p.Spec.Rules[0].Points = 7 })
			third.Life.WaitEnd(w)
			third.Stop()
			w.Start(0)
			w.WaitReady(p)
			service.Support(service.Member("Another"), idea)
			w.Eventually("both supports should count, once each", func() error {
				if sum, often := points(service); sum != 12 && sum != 14 || often != 1 {
					return fmt.Errorf("%d points, one event %d times", sum, often)
				}
				return nil
			})
			if known := service.Known(string(p.UID)); known.Generation != p.Generation {
				t.Errorf("in force is %+v, want generation %d", known, p.Generation)
			}
		})
	}
}
