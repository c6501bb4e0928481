package web_test

import (
	"context"
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/quaeso/community-operator/ideas"
	"github.com/quaeso/community-operator/internal/control"
)

// programme is a source of what a test declares.
type programme []*ideas.Challenge

func (p programme) Programme(context.Context) *ideas.Programme {
	return &ideas.Programme{Revision: 1, Challenges: p}
}

func declaredChallenge(t testing.TB, id int64, name string, spec control.Challenge) *ideas.Challenge {
	t.Helper()
	zone, err := time.LoadLocation("Europe/Paris")
	if err != nil {
		t.Fatal(err)
	}
	phases, err := ideas.ResolvePhases(spec.Phases, zone)
	if err != nil {
		t.Fatal(err)
	}
	return &ideas.Challenge{ID: id, UID: "uid-" + name, Name: name, Generation: 1, Spec: spec, Phases: phases}
}

func texts(en, fr string) map[string]string { return map[string]string{"en": en, "fr": fr} }

// The list has what is open before what comes and what has been, and each page shows its phases in the time of the
// community with the one that goes on.
func TestChallengePages(t *testing.T) {
	now := time.Date(2027, time.June, 2, 12, 0, 0, 0, time.UTC)
	phases := []control.Phase{{Name: control.PhaseOpen, Start: "2027-06-01T09:00"}, {Name: control.PhaseVoting, Start: "2027-07-01T09:00", End: "2027-07-08T09:00"}}
	c := open(t, func(c *community) {
		c.config.Clock = func() time.Time { return now }
		c.config.Programme = programme{
			declaredChallenge(t, 1, "past", control.Challenge{Type: control.TypeSurvey, Title: texts("Past one", "Ancien"), Phases: []control.Phase{{Name: control.PhaseOpen, Start: "2026-01-01T00:00", End: "2026-02-01T00:00"}}}),
			declaredChallenge(t, 2, "later", control.Challenge{Type: control.TypeWorkshop, Title: texts("Later one", "Plus tard"), Phases: []control.Phase{{Name: control.PhaseOpen, Start: "2027-09-01T00:00"}}}),
			declaredChallenge(t, 3, "summer", control.Challenge{
				Type: control.TypeContest, Title: texts("Summer light", "Lumière d’été"), Brief: texts("Make it **bright**. <script>x</script>", "Que ça **brille**."), Phases: phases,
			}),
			declaredChallenge(t, 4, "inner", control.Challenge{Type: control.TypeIdeation, Title: texts("For members", "Pour les membres"), Visibility: ideas.VisibleMembers}),
			declaredChallenge(t, 5, "stopped", control.Challenge{Type: control.TypeForum, Title: texts("Stopped", "Arrêté"), Paused: texts("Back on Monday.", "De retour lundi.")}),
		}
	})
	stranger := c.visitor()
	member, _ := c.signedIn("Member")
	list := stranger.get("/challenges").is(200)
	var order []string
	for _, n := range list.class("challenge-card-title") {
		order = append(order, text(n))
	}
	if got := strings.Join(order, ", "); got != "Summer light, Stopped, Later one, Past one" {
		t.Errorf("the list is %s", got)
	}
	if got := member.get("/challenges").is(200); !strings.Contains(got.body, "For members") {
		t.Error("a member does not see a challenge for members")
	}
	stranger.get("/challenges/inner").leadsTo("/sign-in?returnTo=%2Fchallenges%2Finner")
	member.get("/challenges/inner").is(200)
	stranger.get("/challenges/nowhere").is(404)

	page := stranger.get("/challenges/summer").is(200)
	wellFormed(t, page, "en")
	for _, want := range []string{"Summer light", "<strong>bright</strong>", "29 days left", "1 June 2027, 09:00", "All times are those of Europe/Paris."} {
		if !strings.Contains(page.body, want) {
			t.Errorf("the page does not say %q", want)
		}
	}
	if strings.Contains(page.body, "<script>x") {
		t.Error("the brief's script is on the page")
	}
	steps := page.class("timeline-step")
	if len(steps) != 2 || attr(steps[0], "aria-current") != "step" || attr(steps[1], "aria-current") != "" {
		t.Errorf("the timeline does not mark the phase that goes on: %s", text(steps[0]))
	}
	if got := stranger.get("/challenges/stopped").is(200); !strings.Contains(got.body, "Back on Monday.") {
		t.Error("a paused challenge does not say why")
	}
	french := c.visitor().speaks("fr").get("/challenges/summer").is(200)
	wellFormed(t, french, "fr")
	if !strings.Contains(french.body, "encore 29 jours") {
		t.Error("the French page does not count down")
	}
}

// Members follow a challenge from its page, and a call for ideas that selects who takes part shows where one stands.
func TestFollowAndApplyOnAChallenge(t *testing.T) {
	r := openRunning(t)
	c := r.declare("call", control.Challenge{
		Type: control.TypeIdeation, Recruiting: &control.Recruiting{Places: 3}, Phases: []control.Phase{
			{Name: control.PhaseRecruiting, Start: "2027-03-01T09:00", End: "2027-03-10T09:00"}, {Name: control.PhaseOpen, Start: "2027-03-10T09:00"},
		},
	})
	if n := len(r.visitor().get("/challenges/call").is(200).class("follow")); n != 0 {
		t.Error("a stranger is offered to follow")
	}
	member, _ := r.signedIn("Member")
	page := member.get("/challenges/call").is(200)
	wellFormed(t, page, "en")
	action := fmt.Sprintf("/follow/challenge/%d", c.ID)
	if got := attr(page.class("follow")[0], "action"); got != action {
		t.Fatalf("the button leads to %q", got)
	}
	if !strings.Contains(page.body, `href="/challenges/call/apply"`) {
		t.Error("the page does not lead to the application")
	}
	member.post(action, url.Values{"follow": {"true"}, "back": {"/challenges/call"}}).leadsTo("/challenges/call")
	if !strings.Contains(member.get("/challenges/call").is(200).body, `aria-pressed="true"`) {
		t.Error("the page does not tell that the challenge is followed")
	}
	member.post("/challenges/call/apply", url.Values{}).leadsTo("/challenges/call")
	if page := member.get("/challenges/call").is(200); !strings.Contains(page.body, "method-state-submitted") {
		t.Error("the page does not tell where the application stands")
	}
}
