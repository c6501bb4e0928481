package web

import (
	"net/http"

	"github.com/quaeso/community-operator/ideas"
	"github.com/quaeso/community-operator/internal/control"
)

// methodTeamRoutes are the team's side of the methods beside ideation.
func (a *app) methodTeamRoutes() map[string]handle {
	page := func(p ideas.Permission, has func(control.Challenge) bool, h methodHandle) handle {
		return a.team(p, a.method(has, true, h))
	}
	const base = "/team/challenges/{name}"
	return map[string]handle{
		"GET /team/methods": a.team(ideas.MaySeeTeam, a.listMethods),

		"GET " + base + "/applications":            page(ideas.MayDecide, hasRecruiting, a.showApplications),
		"POST " + base + "/applications/{id}":      page(ideas.MayDecide, hasRecruiting, a.decideApplication),
		"POST " + base + "/applications/{id}/drop": page(ideas.MayDecide, hasRecruiting, a.dropSelected),
		"POST " + base + "/selection":              page(ideas.MayDecide, hasRecruiting, a.closeSelection),

		"GET " + base + "/results":      page(ideas.MayMeasure, hasResults, a.showResults),
		"POST " + base + "/results.csv": page(ideas.MayExport, hasResults, a.exportResults),

		"GET " + base + "/testers":                page(ideas.MayAnswer, hasBetaTest, a.showTesters),
		"GET " + base + "/testers/{member}":       page(ideas.MayAnswer, hasBetaTest, a.showDiary),
		"POST " + base + "/testers/{member}/kit":  page(ideas.MayAnswer, hasBetaTest, a.setKit),
		"POST " + base + "/testers/{member}/drop": page(ideas.MayDecide, hasBetaTest, a.dropTester),
		"POST " + base + "/bugs/{id}":             page(ideas.MayAnswer, hasBetaTest, a.answerBug),

		"GET " + base + "/mission":                          page(ideas.MayAnswer, hasMission, a.showMission),
		"POST " + base + "/mission/results/{task}/{member}": page(ideas.MayAnswer, hasMission, a.decideResult),
		"POST " + base + "/mission/ideas":                   page(ideas.MayAnswer, hasMission, a.linkIdea),
	}
}

func hasResults(c control.Challenge) bool {
	return c.Survey != nil || c.ConceptTest != nil || c.BetaTest != nil && c.BetaTest.FinalSurvey != nil
}

// methodsPage leads the team to what each challenge needs of it.
type methodsPage struct {
	teamPage
	Rows []methodRow
}

type methodRow struct {
	challengeCard
	Links []navItem
}

func (a *app) listMethods(v *visit) error {
	v.here = "/team/methods"
	p := methodsPage{teamPage: v.teamPage("methods", v.t("team.methods"))}
	for _, c := range v.programme().Challenges {
		if len(p.Rows) == maxChallenges {
			break
		}
		row := methodRow{challengeCard: v.challengeCard(c)}
		path := teamChallengePath(c)
		for _, link := range []struct {
			has   bool
			needs ideas.Permission
			item  navItem
		}{
			{hasRecruiting(c.Spec), ideas.MayDecide, navItem{"", path + "/applications", v.t("applications.title")}},
			{hasBetaTest(c.Spec), ideas.MayAnswer, navItem{"", path + "/testers", v.t("testers.title")}},
			{hasMission(c.Spec), ideas.MayAnswer, navItem{"", path + "/mission", v.t("mission.progress")}},
			{hasResults(c.Spec), ideas.MayMeasure, navItem{"", path + "/results", v.t("results.title")}},
			{c.Spec.Forum != nil || hasWorkshop(c.Spec), ideas.MaySeeTeam, navItem{"", challengePath(c), v.t("methods.open")}},
		} {
			if link.has && v.roles.May(link.needs) {
				row.Links = append(row.Links, link.item)
			}
		}
		if len(row.Links) > 0 {
			p.Rows = append(p.Rows, row)
		}
	}
	return v.renderPrivate(http.StatusOK, "methods", p)
}
