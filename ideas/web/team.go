package web

import (
	"net/http"

	"github.com/quaeso/community-operator/ideas"
)

// teamRoutes are the pages of the brand's team. Each asks for the permission that it needs; to everybody else it does
// not exist.
func (a *app) teamRoutes() map[string]handle {
	return map[string]handle{
		"GET /team": a.team(ideas.MaySeeTeam, a.showTeam),
	}
}

// team runs a handler for who has the permission.
func (a *app) team(p ideas.Permission, h handle) handle {
	return func(v *visit) error {
		if v.member == nil && v.r.Method == http.MethodGet {
			return v.askToSignIn(v.r.URL.RequestURI())
		}
		if !v.roles.May(p) {
			return refuse(http.StatusNotFound, "enter the team's side", nil)
		}
		return h(v)
	}
}

// teamNavItem is a page of the team's side and what it takes to see it.
type teamNavItem struct {
	navItem
	needs ideas.Permission
}

// teamPage is what every page of the team's side has.
type teamPage struct {
	page
	// TeamNav leads to the pages that the member may see.
	TeamNav []navItem
	// Tool is the section of TeamNav that the page belongs to.
	Tool    string
	Heading string
}

func (v *visit) teamPage(tool, heading string) teamPage {
	p := teamPage{page: v.page(heading), Tool: tool, Heading: heading}
	p.Section, p.Hidden = "team", true
	for _, item := range v.teamNav() {
		if v.roles.May(item.needs) {
			p.TeamNav = append(p.TeamNav, item.navItem)
		}
	}
	return p
}

// teamNav are all pages of the team's side, in the order of a working day.
func (v *visit) teamNav() []teamNavItem {
	return []teamNavItem{
		{navItem{"overview", "/team", v.t("team.overview")}, ideas.MaySeeTeam},
		{navItem{"challenges", "/team/challenges", v.t("team.challenges")}, ideas.MaySeeTeam},
		{navItem{"moderation", "/team/moderation", v.t("queue.title")}, ideas.MayModerate},
		{navItem{"answers", "/team/answers", v.t("answers.title")}, ideas.MayMeasure},
		{navItem{"prizes", "/team/prizes", v.t("team.prizes")}, ideas.MayPay},
		{navItem{"royalties", "/team/royalties", v.t("team.royalties")}, ideas.MayPay},
		{navItem{"insights", insightsPath, v.t("insights.title")}, ideas.MayMeasure},
		{navItem{"announcements", announcementsPath, v.t("announcements.title")}, ideas.MayAnnounce},
		{navItem{"exports", "/team/exports", v.t("exports.title")}, ideas.MayExport},
		{navItem{"audit", "/team/audit", v.t("audit.title")}, ideas.MayAudit},
		{navItem{"webhooks", webhooksPath, v.t("webhooks.title")}, ideas.MayIntegrate},
		{navItem{"methods", "/team/methods", v.t("team.methods")}, ideas.MaySeeTeam},
		{navItem{"members", "/team/members", v.t("team.members")}, ideas.MaySeeTeam},
	}
}
