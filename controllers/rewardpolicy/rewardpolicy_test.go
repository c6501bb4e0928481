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
