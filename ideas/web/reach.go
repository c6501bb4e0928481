package web

import "github.com/quaeso/community-operator/ideas"

// reachRoutes are the team's pages for speaking to many, taking data out and looking at what was done.
func (a *app) reachRoutes() map[string]handle {
	return map[string]handle{
		"GET /team/exports":                        a.team(ideas.MayExport, a.showExports),
		"POST /team/exports/{kind}":                a.team(ideas.MayExport, a.export),
		"GET /team/audit":                          a.team(ideas.MayAudit, a.showAudit),
		"GET " + announcementsPath:                 a.team(ideas.MayAnnounce, a.showAnnouncements),
		"POST " + announcementsPath:                a.team(ideas.MayAnnounce, a.saveAnnouncement),
		"GET " + announcementsPath + "/new":        a.team(ideas.MayAnnounce, a.newAnnouncement),
		"GET " + announcementsPath + "/{id}":       a.team(ideas.MayAnnounce, a.previewAnnouncement),
		"POST " + announcementsPath + "/{id}":      a.team(ideas.MayAnnounce, a.saveAnnouncement),
		"GET " + announcementsPath + "/{id}/edit":  a.team(ideas.MayAnnounce, a.editAnnouncement),
		"POST " + announcementsPath + "/{id}/send": a.team(ideas.MayAnnounce, a.sendAnnouncement),
		"GET /announcements/{id}":                  a.readAnnouncement,
	}
}
