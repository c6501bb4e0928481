package challenge_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/quaeso/community-operator/api/v1alpha1"
	"github.com/quaeso/community-operator/controllers/challenge"
	"github.com/quaeso/community-operator/internal/statusmetrics"
	"github.com/quaeso/community-operator/internal/testutil/programme"
)

// contest goes through its phases in June 2027, in Paris.
func contest(w *programme.World) *v1alpha1.Challenge {
	return ideation(w, "lumiere", "light", func(c *v1alpha1.Challenge) {
		c.Spec.Type, c.Spec.Winners = v1alpha1.ChallengeContest, 1
		c.Spec.Ballot = &v1alpha1.Ballot{Kind: "approval", Approvals: 3, Hidden: true}
		c.Spec.Phases = []v1alpha1.Phase{
			{Name: "open", Start: "2027-06-01T09:00", End: "2027-06-10T09:00"},
			{Name: "screening", Start: "2027-06-10T09:00", End: "2027-06-12T09:00"},
			{Name: "voting", Start: "2027-06-14T09:00", End: "2027-06-20T09:00"},
		}
	})
}

// The status follows the phases by the service's clock, and each change is told once.
func TestTransitions(t *testing.T) {
	t.Parallel()
	w := programme.New(t)
	w.Start(0)
	_, service := w.Community("lumiere", nil)
	paris, err := time.LoadLocation("Europe/Paris")
	if err != nil {
		t.Fatal(err)
	}
	service.SetClock(time.Date(2027, 5, 1, 9, 0, 0, 0, paris))
	c := contest(w)
	w.Create(c)
	w.WaitReady(c)
	for _, step := range []struct {
		at              time.Time
		phase           string
		open            metav1.ConditionStatus
		reason, message string
		next            string
	}{
		{time.Date(2027, 5, 1, 9, 0, 0, 0, paris), "scheduled", metav1.ConditionFalse, v1alpha1.ReasonScheduled, "Normal PhaseChanged the phase is scheduled", "2027-06-01T07:00:00Z"},
		{time.Date(2027, 6, 1, 9, 0, 0, 0, paris), "open", metav1.ConditionTrue, v1alpha1.ReasonOpen, "Normal PhaseChanged the phase changed from scheduled to open", "2027-06-10T07:00:00Z"},
		{time.Date(2027, 6, 11, 9, 0, 0, 0, paris), "screening", metav1.ConditionFalse, v1alpha1.ReasonTeamAtWork, "Normal PhaseChanged the phase changed from open to screening", "2027-06-12T07:00:00Z"},
		{time.Date(2027, 6, 13, 9, 0, 0, 0, paris), "between", metav1.ConditionFalse, v1alpha1.ReasonBetweenPhases, "Normal PhaseChanged the phase changed from screening to between", "2027-06-14T07:00:00Z"},
		{time.Date(2027, 6, 15, 9, 0, 0, 0, paris), "voting", metav1.ConditionTrue, v1alpha1.ReasonOpen, "Normal PhaseChanged the phase changed from between to voting", "2027-06-20T07:00:00Z"},
		{time.Date(2027, 7, 1, 9, 0, 0, 0, paris), "closed", metav1.ConditionFalse, v1alpha1.ReasonClosed, "Normal PhaseChanged the phase changed from voting to closed", ""},
	} {
		service.SetClock(step.at)
		// Nobody waits half a year: as if time had passed here as well, the operator looks.
		w.Nudge(c)
		w.Eventually("the phase should be "+step.phase, func() error {
			w.Get(c)
			next := ""
			if c.Status.NextTransition != nil {
				next = c.Status.NextTransition.UTC().Format(time.RFC3339)
			}
			if c.Status.Phase != step.phase || next != step.next {
				service.Happen()
				return fmt.Errorf("it is %s until %s", c.Status.Phase, next)
			}
			return nil
		})
		w.WaitCondition(c, v1alpha1.ConditionOpen, step.open, step.reason)
		w.WaitEvent(c, step.message)
	}
	w.WaitCondition(c, v1alpha1.ConditionDecided, metav1.ConditionFalse, v1alpha1.ReasonUndecided)
	if meta.FindStatusCondition(c.Status.Conditions, v1alpha1.ConditionAnswersOnTime) != nil {
		t.Error("there is a condition about answers, although none was promised")
	}
}

// The operator wakes for a transition by itself.
func TestWakesForTransition(t *testing.T) {
	t.Parallel()
	w := programme.New(t)
	w.Start(0)
	w.Community("lumiere", nil)
	paris, err := time.LoadLocation("Europe/Paris")
	if err != nil {
		t.Fatal(err)
	}
	// Times are declared to the minute: this one is over in one or two.
	end := time.Now().In(paris).Add(2 * time.Minute).Truncate(time.Minute)
	c := ideation(w, "lumiere", "light", func(c *v1alpha1.Challenge) {
		c.Spec.Phases = []v1alpha1.Phase{{Name: "open", Start: "2020-01-01T09:00", End: v1alpha1.LocalTime(end.Format("2006-01-02T15:04"))}}
	})
	w.Create(c)
	w.WaitReady(c)
	// A machine that does much else may have taken a minute until here.
	if closes := c.Status.ClosesIn; c.Status.Phase == "open" && closes != "<1h" || c.Status.Phase != "open" && time.Now().Before(end) {
		t.Errorf("before its end the status is %s", programme.AsJSON(c.Status))
	}
	w.Within(5*time.Minute, "the phase should be over by itself", func() error {
		if w.Get(c); c.Status.Phase != "closed" {
			return fmt.Errorf("it is %s", c.Status.Phase)
		}
		return nil
	})
	if now := time.Now(); now.Before(end) {
		t.Errorf("the phase ended %s too early", end.Sub(now))
	}
}

// Metrics tell of what is there, and go with it.
func TestMetrics(t *testing.T) {
	t.Parallel()
	w := programme.New(t)
	operator := w.Start(0)
	_, service := w.Community("lumiere", nil)
	c := ideation(w, "lumiere", "light")
	w.Create(c)
	w.WaitReady(c)
	service.Support(service.Member("Voter"), service.Entry(service.Member("Author"), "light", "A lamp that dims itself"))
	registry := prometheus.NewRegistry()
	registry.MustRegister(challenge.Metrics(statusmetrics.Source{Reader: operator.Manager.GetClient(), Elected: operator.Manager.Elected()}))
	labels := `{challenge="light",community="lumiere",namespace="` + w.Namespace + `"`
	want := []string{
		`community_operator_challenge_ideas` + labels + `} 1`, `community_operator_challenge_votes` + labels + `} 1`,
		`community_operator_challenge_late_answers` + labels + `} 0`,
		`community_operator_challenge_phase` + labels + `,phase="open",type="ideation"} 1`,
		`community_operator_challenge_condition{challenge="light",community="lumiere",condition="Ready",namespace="` + w.Namespace + `"} 1`,
	}
	w.Eventually("the metrics should tell of the challenge", func() error {
		got, err := programme.Scrape(registry)
		for _, line := range want {
			if err == nil && !strings.Contains(got, line) {
				err = fmt.Errorf("%s is not in\n%s", line, got)
			}
		}
		return err
	})
	w.Delete(c)
	w.WaitGone(c)
	w.Eventually("nothing should be told of it any more", func() error {
		got, err := programme.Scrape(registry)
		if err == nil && got != "" {
			err = fmt.Errorf("the metrics are\n%s", got)
		}
		return err
	})
}
