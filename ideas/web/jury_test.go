package web_test

import (
	"fmt"
	"net/url"
	"strings"
	"testing"

	"golang.org/x/net/html"

	"github.com/quaeso/community-operator/ideas"
	"github.com/quaeso/community-operator/internal/control"
)

// Jurors score on their pages, the lead decides on the team's, and everybody reads the outcome.
func TestJuryAndDecision(t *testing.T) {
	r := openRunning(t)
	spec := march(func(c *control.Challenge) {
		c.Ballot = &control.Ballot{Kind: control.BallotApproval, Shortlist: 2}
		c.Phases = append(c.Phases, control.Phase{Name: control.PhaseJury, Start: "2027-03-20T09:00", End: "2027-03-30T09:00"})
		c.Jury = &control.Jury{Members: []string{"juror@members.example"}, Criteria: []control.Criterion{
			{Name: "beauty", Label: texts("Beauty", "Beauté"), Weight: 60}, {Name: "use", Label: texts("Use", "Utilité"), Weight: 40, Maximum: 5},
		}}
		c.Winners = 1
	})
	c := r.declare("summer", spec)
	juror, _ := r.signedIn("Juror")
	lead, _ := r.signedIn("Lead")
	member, author := r.signedIn("Author")
	var ids []int64
	for _, title := range []string{"A lamp", "A torch"} {
		idea, err := r.store.SubmitEntry(t.Context(), author.ID, c, "", ideas.Content{Title: title, Body: "x"}, nil)
		if err != nil {
			t.Fatal(err)
		}
		ids = append(ids, idea.ID)
	}
	r.set(day(21))
	r.carryOut(func() bool { e, _, err := r.store.EntryOf(t.Context(), 0, ids[1]); return err == nil && e.Shortlisted })
	if page := juror.get("/challenges/summer").is(200); !strings.Contains(page.body, "You are on the jury") {
		t.Error("the juror is not invited")
	}
	for path, b := range map[string]*browser{"/challenges/summer/jury": member, fmt.Sprintf("/challenges/summer/jury/%d", ids[0]): member, "/team/challenges": member, "/team/challenges/summer": juror} {
		b.get(path).is(404)
	}
	r.visitor().get("/challenges/summer/jury").leadsTo("/sign-in?returnTo=%2Fchallenges%2Fsummer%2Fjury")
	wellFormed(t, juror.get("/challenges/summer/jury").is(200), "en")
	path := fmt.Sprintf("/challenges/summer/jury/%d", ids[0])
	wellFormed(t, juror.get(path).is(200), "en")
	wrong := juror.post(path, url.Values{"score-beauty": {"11"}, "score-use": {""}}).is(422)
	wellFormed(t, wrong, "en")
	if value(wrong.id("score-beauty")) != "11" || !strings.Contains(text(wrong.id("score-beauty-error")), "from 0 to 10") || text(wrong.id("score-use-error")) == "" {
		t.Error("wrong scores are not named with the input kept")
	}
	juror.post(path, url.Values{"score-beauty": {"8"}, "score-use": {"5"}}).leadsTo("/challenges/summer/jury")
	if page := juror.get("/challenges/summer/jury").is(200); !strings.Contains(page.body, "1 of 2 scored") {
		t.Error("the juror's progress is not shown")
	}
	conflict := fmt.Sprintf("/challenges/summer/jury/%d/conflict", ids[1])
	juror.post(conflict, url.Values{"conflict": {"true"}, "reason": {"My cousin."}}).is(303)
	juror.post(fmt.Sprintf("/challenges/summer/jury/%d", ids[1]), url.Values{"score-beauty": {"8"}, "score-use": {"5"}}).is(403)

	wellFormed(t, lead.get("/team/challenges").is(200), "en")
	team := lead.get("/team/challenges/summer").is(200)
	wellFormed(t, team, "en")
	if !strings.Contains(team.body, "88.00") || !strings.Contains(team.body, "1/1") || !strings.Contains(team.body, "0/0") {
		t.Error("the team does not see the ranking, or how complete it is")
	}
	decision := url.Values{fmt.Sprintf("rank-%d", ids[0]): {"2"}, fmt.Sprintf("reason-%d", ids[0]): {"Bright."}, "reason": {"All in all."}}
	again := lead.post("/team/challenges/summer/decision", decision).is(422)
	wellFormed(t, again, "en")
	if !strings.Contains(again.body, "Ranks follow on each other") || value(again.id("reason")) != "All in all." || value(again.id(fmt.Sprintf("rank-%d", ids[0]))) != "2" {
		t.Error("a gap in the ranks is not told with the input kept")
	}
	decision.Set(fmt.Sprintf("rank-%d", ids[0]), "1")
	juror.post("/team/challenges/summer/decision", decision).is(404)
	lead.post("/team/challenges/summer/decision", decision).leadsTo("/challenges/summer")
	lead.post("/team/challenges/summer/decision", decision).is(403)
	for _, language := range []string{"en", "fr"} {
		page := r.visitor().speaks(language).get("/challenges/summer").is(200)
		wellFormed(t, page, language)
		if len(page.class("challenge-until")) != 0 || len(page.all(func(n *html.Node) bool { return attr(n, "aria-current") == "step" })) != 0 {
			t.Error("after the decision the jury's phase still goes on")
		}
		for _, want := range []string{"A lamp", "Bright.", "All in all."} {
			if !strings.Contains(text(page.class("outcome")[0]), want) {
				t.Errorf("the outcome does not say %q", want)
			}
		}
		wellFormed(t, lead.speaks(language).get("/team/challenges/summer").is(200), "en")
	}
}
