package web_test

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/quaeso/community-operator/ideas"
	"github.com/quaeso/community-operator/internal/control"
)

func insightHouse() control.House {
	house := regions()
	house.Objectives = []control.Objective{
		{Name: "growth", Title: texts("Grow", "Grandir"), Metric: "members", Baseline: 0, Target: 1000, Deadline: "2037-06-30", Team: ideas.TeamMarketing},
		{Name: "joy", Title: texts("Joy", "Joie"), Metric: "satisfaction", Baseline: 60, Target: 75, Deadline: "2037-06-30", Team: ideas.TeamProduct},
	}
	return house
}

// The dashboards show what happened: activity, how far people come, who takes part, and what their votes weigh.
func TestInsights(t *testing.T) {
	c := open(t)
	c.team(insightHouse())
	c.only("/team/insights", ideas.RoleLead, ideas.RoleImplementer, ideas.RoleHost, ideas.RoleFollowUp)
	_, author := c.signedIn("Author")
	loud, quiet := c.idea(author, "Loud one", "Text"), c.idea(author, "Quiet one", "Text")
	support := func(name, region string, idea ideas.Idea) {
		_, m := c.signedIn(name)
		c.says(m, region)
		if _, err := c.store.SetSupport(t.Context(), m.ID, idea.ID, true); err != nil {
			t.Fatal(err)
		}
	}
	// Eight of the north support one, two of the south another: by the quotas, both halves count the same.
	for n := range 8 {
		support(fmt.Sprintf("North %d", n), "north", loud)
	}
	for n := range 2 {
		support(fmt.Sprintf("South %d", n), "south", quiet)
	}
	c.visitor().get("/").is(http.StatusOK)
	lead, m := c.signedIn("lead")
	lead.get("/ideas").is(http.StatusOK)
	for deadline := time.Now().Add(30 * time.Second); c.db.QueryInt(t, "SELECT count(*) FROM ideas.visit_day") < 2; {
		if time.Now().After(deadline) {
			t.Fatal("visits are not written within 30 s")
		}
		time.Sleep(20 * time.Millisecond)
	}
	for range 2 { // a second snapshot replaces the first
		if err := c.store.Snapshot(t.Context(), time.Now()); err != nil {
			t.Fatal(err)
		}
	}
	figure := func(metric string) int64 {
		return c.db.QueryInt(t, "SELECT value FROM ideas.kpi_day WHERE metric = $1 ORDER BY day DESC LIMIT 1", metric)
	}
	for metric, want := range map[string]int64{
		"ideas": 2, "votes": 10, "contributors": 1, "total.votes": 10, "total.voters": 10, "total.contributors": 1,
		"segment.region=north": 8, "segment.region=south": 2, "total.answeredOnTimePercent": 100,
	} {
		if got := figure(metric); got != want {
			t.Errorf("%s is %d, want %d", metric, got, want)
		}
	}
	if figure("visitors") < 2 {
		t.Error("visitors are not counted")
	}
	a := lead.get("/team/insights").is(http.StatusOK)
	main := text(a.id("main"))
	for _, want := range []string{
		"Region: North 8 80% 50% +30 0.63", "Region: South 2 20% 50% −30 2.50", "1 Loud one 8 5.00", "2 Quiet one 2 5.00",
		"have supported an idea", "No trend yet", "From 0, until 30 June 2037.",
	} {
		// The cells of a table stand without a space between them.
		if !strings.Contains(strings.ReplaceAll(main, " ", ""), strings.ReplaceAll(want, " ", "")) {
			t.Errorf("the page lacks %q", want)
		}
	}
	if n := len(a.class("chart")); n != 6 {
		t.Errorf("%d charts, want 6", n)
	}
	for _, svg := range a.class("chart") {
		if attr(svg, "role") != "img" || !strings.Contains(text(svg), "from") {
			t.Error("a chart says nothing to who does not see it")
		}
	}
	product, marketing := text(lead.get("/team/insights?view=product").id("main")), text(lead.get("/team/insights?view=marketing").id("main"))
	if !strings.Contains(product, "Joy") || strings.Contains(product, "Grow") || strings.Contains(marketing, "Joy") || !strings.Contains(marketing, "Visitors a day") {
		t.Errorf("product: %.300s\nmarketing: %.300s", product, marketing)
	}
	lead.post("/team/insights/objectives/joy", url.Values{"value": {"70"}}).leadsTo("/team/insights")
	lead.post("/team/insights/objectives/growth", url.Values{"value": {"70"}}).is(http.StatusNotFound)
	lead.post("/team/insights/objectives/joy", url.Values{"value": {"many"}}).leadsTo("/team/insights")
	c.db.Exec(t, "INSERT INTO ideas.objective_value (objective, day, value) VALUES ('joy', current_date - 10, 62)")
	if main := text(lead.get("/team/insights?view=product").is(http.StatusOK).id("main")); !strings.Contains(main, "On track 70 of 75") {
		t.Errorf("the objective: %.1200s", main)
	}
	if n := c.db.QueryInt(t, "SELECT count(*) FROM ideas.audit WHERE action = 'objective.enter' AND actor_id = $1", m.ID); n != 1 {
		t.Errorf("%d entries in the audit log", n)
	}
	for _, language := range []string{"en", "fr"} {
		lead.cookies["__Host-language"] = language
		for _, path := range []string{"/team/insights", "/team/insights?view=product", "/team"} {
			wellFormed(t, lead.get(path).is(http.StatusOK), language)
		}
	}
	moderator, _ := c.signedIn("moderator")
	moderator.post("/team/insights/objectives/joy", url.Values{"value": {"1"}}).is(http.StatusNotFound)
}

// The home of the team names what waits for whom, and nothing that somebody cannot do.
func TestTeamHome(t *testing.T) {
	now := time.Now()
	spec := control.Challenge{Type: control.TypeContest, Title: texts("Lamps", "Lampes")}
	c := open(t, func(c *community) {
		closing := &ideas.Challenge{ID: 1, Name: "lamps", Spec: spec, Phases: []ideas.Phase{{Phase: control.Phase{Name: control.PhaseVoting}, Start: now.Add(-time.Hour), End: now.Add(48 * time.Hour)}}}
		later := &ideas.Challenge{ID: 2, Name: "later", Spec: control.Challenge{Type: control.TypeContest, Title: texts("Later", "Plus tard")}, Phases: []ideas.Phase{{Phase: control.Phase{Name: control.PhaseVoting}, Start: now, End: now.AddDate(0, 1, 0)}}}
		c.config.Programme = programme{closing, later}
	})
	c.team(control.House{})
	c.only("/team", ideas.TeamRoles()...)
	lead, author := c.signedIn("lead")
	if main := text(lead.get("/team").id("main")); !strings.Contains(main, "All done") || !strings.Contains(main, "Lamps") || strings.Contains(main, "Later") {
		t.Errorf("a quiet home: %s", main)
	}
	idea := c.idea(author, "A lamp", "Text")
	c.db.Exec(t,
		fmt.Sprintf("INSERT INTO ideas.answer_due (idea_id, due_at, responsible) VALUES (%d, now() - interval '1 day', 'lead')", idea.ID),
		fmt.Sprintf("INSERT INTO ideas.moderation_item (idea_id, cause, opened_at) VALUES (%d, 'reported', now())", idea.ID),
		"INSERT INTO ideas.webhook_delivery (webhook, event_id, kind, payload, state, created_at) VALUES ('x', 1, 'k', '{}', 'failed', now())")
	waits := func(role string) string {
		b, _ := c.signedIn(role)
		var items []string
		for _, n := range b.get("/team").is(http.StatusOK).class("attention-item") {
			items = append(items, text(n))
		}
		return strings.Join(items, "; ")
	}
	for role, want := range map[string]string{
		"lead":        "1 answer is late; 1 contribution waits for a moderator; 1 webhook delivery was given up this week",
		"moderator":   "1 contribution waits for a moderator",
		"implementer": "1 answer is late",
		"follow-up":   "",
	} {
		if got := waits(role); got != want {
			t.Errorf("for %s: %q, want %q", role, got, want)
		}
	}
}
