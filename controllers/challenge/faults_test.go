package challenge_test

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/quaeso/community-operator/api/v1alpha1"
	"github.com/quaeso/community-operator/internal/testutil/programme"
)

// services that do not answer as they should.
var services = map[string]struct {
	answer http.Handler
	says   string
}{
	"down":             {http.HandlerFunc(programme.HangUp), "does not answer"},
	"hanging":          {http.HandlerFunc(hang), "does not answer"},
	"older":            {http.NotFoundHandler(), "does not keep the contract"},
	"something else":   {http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "<html>") }), "does not keep the contract"},
	"another token":    {http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusUnauthorized) }), "token"},
	"without database": {http.HandlerFunc(unready), "waits for its database"},
}

// hang never answers.
func hang(_ http.ResponseWriter, r *http.Request) {
	_, _ = io.Copy(io.Discard, r.Body) // only then is the end of the connection seen
	<-r.Context().Done()
}

func unready(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(http.StatusServiceUnavailable)
	fmt.Fprint(w, `{"inForce":{},"database":{"ready":false,"reason":"Unreachable"}}`)
}

// A challenge waits for its service without an error, and comes into force when that answers again. One that is in force
// says that nobody answers, and goes on as it was.
func TestServiceThatDoesNotAnswer(t *testing.T) {
	t.Parallel()
	for name, v := range services {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := programme.New(t)
			w.Start(0)
			_, service := w.Community("lumiere", nil)
			running := ideation(w, "lumiere", "running")
			w.Create(running)
			w.WaitReady(running)
			service.Answer(v.answer)
			c := ideation(w, "lumiere", "light")
			w.Create(c)
			for _, c := range []*v1alpha1.Challenge{c, running} {
				w.Eventually("it should say so", func() error {
					w.Get(c)
					for _, have := range c.Status.Conditions {
						if have.Type == v1alpha1.ConditionReconciling && have.Status == metav1.ConditionTrue && strings.Contains(have.Message, v.says) {
							return nil
						}
					}
					return fmt.Errorf("its conditions are %s", programme.AsJSON(c.Status.Conditions))
				})
			}
			if running.Status.Phase != "open" || running.Status.InForce == nil {
				t.Errorf("what was known of the running challenge is lost: %s", programme.AsJSON(running.Status))
			}
			service.Answer(nil)
			w.WaitReady(c)
			w.WaitReady(running)
		})
	}
}

// A deletion waits for a service that does not answer, and says how to do without.
func TestDeletionWaitsForTheService(t *testing.T) {
	t.Parallel()
	w := programme.New(t)
	w.Start(0)
	community, service := w.Community("lumiere", nil)
	first, second, third := ideation(w, "lumiere", "first"), ideation(w, "lumiere", "second"), ideation(w, "lumiere", "third")
	for _, c := range []*v1alpha1.Challenge{first, second, third} {
		w.Create(c)
		w.WaitReady(c)
	}
	service.Answer(http.HandlerFunc(programme.HangUp))
	for _, c := range []*v1alpha1.Challenge{first, second, third} {
		w.Delete(c)
		w.WaitWaiting(c, v1alpha1.ReasonDeleting, "does not answer", "deletionPolicy to Retain")
	}
	programme.Change(w, second, func(c *v1alpha1.Challenge) { c.Spec.DeletionPolicy = v1alpha1.WithdrawRetain })
	w.WaitGone(second)
	service.Answer(nil)
	w.WaitGone(first)
	w.WaitGone(third)
	if known := service.Known(string(first.UID)); !known.Archived {
		t.Errorf("the deleted challenge is %+v", known)
	}
	if known := service.Known(string(second.UID)); known.Archived {
		t.Errorf("the retained challenge is %+v", known)
	}
	// Together with its Community, a challenge goes at once: there is nothing to withdraw it from.
	last := ideation(w, "lumiere", "last")
	w.Create(last)
	w.WaitReady(last)
	service.Answer(http.HandlerFunc(programme.HangUp))
	w.Delete(community)
	w.WaitGone(community)
	w.WaitNotInForce(last, v1alpha1.ReasonCommunityNotFound)
	w.Delete(last)
	w.WaitGone(last)
}

// What the idea service refuses needs a person, changes nothing, and is told with its field.
func TestRefused(t *testing.T) {
	t.Parallel()
	w := programme.New(t)
	w.Start(0)
	_, service := w.Community("lumiere", nil)
	c := ideation(w, "lumiere", "light", func(c *v1alpha1.Challenge) {
		c.Spec.Ballot = &v1alpha1.Ballot{Kind: "approval", Approvals: 3}
	})
	w.Create(c)
	w.WaitReady(c)
	inForce := service.Known(string(c.UID))
	good := *c.Spec.DeepCopy()
	for name, v := range map[string]struct {
		change func(*v1alpha1.ChallengeSpec)
		reason string
		words  []string
	}{
		"a text is missing": {
			func(s *v1alpha1.ChallengeSpec) { delete(s.Title, "fr") },
			v1alpha1.ReasonRefused, []string{"spec.title.fr", "every locale of the community needs a text"},
		},
		"what decides an open challenge": {
			func(s *v1alpha1.ChallengeSpec) { s.Ballot.Approvals = 5 },
			v1alpha1.ReasonLocked, []string{"spec.ballot.approvals", "put back 3", "cancel this challenge and declare another"},
		},
		"a phase that has begun": {
			func(s *v1alpha1.ChallengeSpec) { s.Phases[0].Start = "2021-01-01T09:00" },
			v1alpha1.ReasonLocked, []string{"spec.phases", "put back"},
		},
		"a time that clocks skip": {
			func(s *v1alpha1.ChallengeSpec) { s.Phases[0].End = "2027-03-28T02:30" },
			v1alpha1.ReasonRefused, []string{"spec.phases[0]", "clocks are set forward over this time"},
		},
	} {
		programme.Change(w, c, func(c *v1alpha1.Challenge) { v.change(&c.Spec) })
		w.WaitStalled(c, v.reason, v.words...)
		if got := service.Known(string(c.UID)); got != inForce {
			t.Errorf("%s: the service knows %+v, want what was in force", name, got)
		}
		if c.Status.InForce.Generation != inForce.Generation || c.Status.Phase != "open" {
			t.Errorf("%s: the status says %s", name, programme.AsJSON(c.Status))
		}
		programme.Change(w, c, func(c *v1alpha1.Challenge) { c.Spec = *good.DeepCopy() })
		w.WaitReady(c)
		inForce = service.Known(string(c.UID))
	}
}

// A field that a service of an earlier release does not know is refused with what to do.
func TestOlderService(t *testing.T) {
	t.Parallel()
	w := programme.New(t)
	w.Start(0)
	_, service := w.Community("lumiere", nil)
	service.Answer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodPut {
			service.Control().ServeHTTP(rw, r)
			return
		}
		rw.Header().Set("Content-Type", "application/json")
		rw.WriteHeader(http.StatusUnprocessableEntity)
		fmt.Fprint(rw, `{"inForce":{},"refusals":[{"field":"mission","message":"this release of the idea service does not know the field: update its image","cause":"unknownField"}],"database":{"ready":true}}`)
	}))
	c := ideation(w, "lumiere", "light")
	w.Create(c)
	w.WaitStalled(c, v1alpha1.ReasonServiceOutdated, "mission", "update its image")
	service.Answer(nil)
	// A new release shows in the Community's status.
	community := &v1alpha1.Community{ObjectMeta: metav1.ObjectMeta{Namespace: w.Namespace, Name: "lumiere"}}
	w.ReportVersion(community, "v2.0.0")
	w.WaitReady(c)
}

// Two hundred challenges of one community come into force together, and are then one call a time.
func TestManyChallenges(t *testing.T) {
	t.Parallel()
	w := programme.New(t)
	operator := w.Start(0)
	_, service := w.Community("lumiere", nil)
	var all []*v1alpha1.Challenge
	for i := range 200 {
		c := ideation(w, "lumiere", fmt.Sprintf("challenge-%d", i))
		w.Create(c)
		all = append(all, c)
	}
	for _, c := range all {
		w.WaitReady(c)
	}
	// Phases that open are things that happen, for a moment.
	w.Eventually("a while should pass in which one call serves all", func() error {
		operator.Life.Settle(w)
		observed, changes := service.Calls(http.MethodGet, "/control/v1/challenges/"), len(operator.Life.Changes())
		listed := service.Calls(http.MethodGet, "/control/v1/objects")
		w.Eventually("the programme should be looked at again and again", func() error {
			if n := service.Calls(http.MethodGet, "/control/v1/objects") - listed; n < 5 {
				return fmt.Errorf("that was done %d times", n)
			}
			return nil
		})
		if n := service.Calls(http.MethodGet, "/control/v1/challenges/") - observed; n > 0 || len(operator.Life.Changes()) > changes {
			return fmt.Errorf("%d challenges were observed, and the operator wrote %q", n, operator.Life.Changes()[changes:])
		}
		return nil
	})
}
