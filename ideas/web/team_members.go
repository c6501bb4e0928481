package web

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/quaeso/community-operator/ideas"
)

// teamMemberRoutes are the team's pages about members.
func (a *app) teamMemberRoutes() map[string]handle {
	return map[string]handle{
		"GET /team/members":                a.team(ideas.MaySeeTeam, a.findMembers),
		"GET /team/members/{id}":           a.team(ideas.MaySeeTeam, a.showTeamMember),
		"POST /team/members/{id}/sanction": a.team(ideas.MayModerate, a.sanction),
		"POST /team/sanctions/{id}/lift":   a.team(ideas.MayModerate, a.liftSanction),
		"GET /team/appeals":                a.team(ideas.MayModerate, a.showAppeals),
		"POST /team/appeals/{id}":          a.team(ideas.MayModerate, a.answerAppeal),
		"GET /team/erasures":               a.team(ideas.MayAudit, a.showErasures),
	}
}

// teamMembersLength is the number of members on a page.
const teamMembersLength = 30

type teamMembersPage struct {
	teamPage
	Name       string
	Level      int
	Role       string
	Restricted bool
	Invited    bool
	Roles      []optionView
	Levels     []levelOption
	List       []teamMemberView
	More       string
	// Appeals wait for an answer.
	Appeals bool
	// Addresses tells that the member of the team may see and search for addresses.
	Addresses bool
}

type levelOption struct {
	Number int
	Label  string
	Chosen bool
}

type teamMemberView struct {
	ID        int64
	Person    memberView
	Email     string
	Since     string
	Level     string
	Restraint string
	InvitedBy string
	Referrals int
	URL       string
}

// findMembers searches. Addresses are personal data that few of the team need: for everybody else an "@" finds nothing.
func (a *app) findMembers(v *visit) error {
	asked := v.r.URL.Query()
	q := ideas.MemberQuery{
		Name: cut(clean(asked.Get("name")), ideas.MaxEmail), Restricted: asked.Get("restricted") == "true", Invited: asked.Get("invited") == "true",
		Limit: teamMembersLength + 1,
	}
	// What is no number filters nothing.
	q.Level, _ = strconv.Atoi(asked.Get("level"))
	q.Before, _ = strconv.ParseInt(asked.Get("before"), 10, 64)
	p := teamMembersPage{
		teamPage: v.teamPage("members", v.t("team.members")), Name: q.Name, Level: q.Level, Role: asked.Get("role"), Restricted: q.Restricted,
		Invited: q.Invited, Addresses: v.roles.May(ideas.MaySeeAddresses),
	}
	if !p.Addresses && strings.Contains(q.Name, "@") {
		q.Name = strings.ReplaceAll(q.Name, "@", "")
	}
	for _, role := range ideas.TeamRoles() {
		p.Roles = append(p.Roles, optionView{string(role), v.t(roleKeys[role]), p.Role == string(role)})
		if p.Role == string(role) {
			q.Addresses = append([]string{}, v.site.House.Roles[string(role)]...)
		}
	}
	for i, l := range v.levels() {
		p.Levels = append(p.Levels, levelOption{i + 1, v.site.text(l.Title, v.lang), q.Level == i+1})
	}
	list, err := a.cfg.Store.FindMembers(v.r.Context(), q)
	if err != nil {
		return fmt.Errorf("find members: %w", err)
	}
	if len(list) > teamMembersLength {
		list = list[:teamMembersLength]
		next := url.Values{}
		for _, name := range []string{"name", "level", "role", "restricted", "invited"} {
			if asked.Get(name) != "" {
				next.Set(name, asked.Get(name))
			}
		}
		next.Set("before", strconv.FormatInt(list[teamMembersLength-1].ID, 10))
		p.More = "/team/members?" + next.Encode()
	}
	for _, m := range list {
		p.List = append(p.List, v.teamMemberView(m))
	}
	if v.roles.May(ideas.MayModerate) {
		appeals, err := a.cfg.Store.Appeals(v.r.Context())
		if err != nil {
			return fmt.Errorf("list appeals: %w", err)
		}
		p.Appeals = len(appeals) > 0
	}
	v.here = "/team/members"
	return v.renderPrivate(http.StatusOK, "team-members", p)
}

func (v *visit) teamMemberView(m ideas.TeamMember) teamMemberView {
	view := teamMemberView{
		ID: m.ID, Person: v.person(m.ID, m.Name), Since: v.lang.catalog.Date(m.CreatedAt.In(v.site.location)), Referrals: m.Referrals,
		URL: "/team/members/" + strconv.FormatInt(m.ID, 10),
	}
	if v.roles.May(ideas.MaySeeAddresses) {
		view.Email = m.Email
	}
	if levels := v.levels(); m.Level >= 1 && m.Level <= len(levels) {
		view.Level = v.site.text(levels[m.Level-1].Title, v.lang)
	}
	if m.InvitedBy.ID != 0 {
		view.InvitedBy = v.person(m.InvitedBy.ID, m.InvitedBy.Name).Name
	}
	switch now := v.app.now(); {
	case m.Blocked(now):
		view.Restraint = v.t("sanction.block")
	case m.ReadOnlyUntil.After(now):
		view.Restraint = v.t("sanction.mute")
	case m.ReadOnly(now):
		view.Restraint = v.t("team.members.minor")
	}
	return view
}

type teamMemberPage struct {
	teamPage
	// Who the page is about; Member is whoever looks.
	Who          teamMemberView
	Active       string
	Sanctions    []sanctionView
	Invited      []memberView
	MayModerate  bool
	Reason, Ends field
	Kind         string
	Problem      string
}

func (a *app) showTeamMember(v *visit) error {
	id, err := v.pathID()
	if err != nil {
		return err
	}
	p, err := a.teamMemberPage(v, id)
	if err != nil {
		return err
	}
	return v.renderPrivate(http.StatusOK, "team-member", p)
}

func (a *app) teamMemberPage(v *visit, id int64) (teamMemberPage, error) {
	ctx := v.r.Context()
	var p teamMemberPage
	// The list's query, from just above the member on, finds the member first.
	list, err := a.cfg.Store.FindMembers(ctx, ideas.MemberQuery{Before: id + 1, Limit: 1})
	if err != nil {
		return p, fmt.Errorf("find a member: %w", err)
	}
	if len(list) == 0 || list[0].ID != id {
		return p, ideas.ErrNotFound
	}
	view := v.teamMemberView(list[0])
	v.here = view.URL
	p = teamMemberPage{
		teamPage: v.teamPage("members", view.Person.Name), Who: view, MayModerate: v.roles.May(ideas.MayModerate) && id != v.member.ID && v.mayTouch(id),
		Active: v.lang.catalog.Date(list[0].ActiveAt.In(v.site.location)), Kind: string(ideas.SanctionWarn),
	}
	sanctions, err := a.cfg.Store.Sanctions(ctx, id)
	if err != nil {
		return p, fmt.Errorf("list sanctions: %w", err)
	}
	for _, s := range sanctions {
		p.Sanctions = append(p.Sanctions, v.sanctionView(s))
	}
	invited, err := a.cfg.Store.FindMembers(ctx, ideas.MemberQuery{InvitedBy: id, Limit: ideas.MaxPage})
	if err != nil {
		return p, fmt.Errorf("list invited members: %w", err)
	}
	for _, m := range invited {
		p.Invited = append(p.Invited, v.person(m.ID, m.Name))
	}
	return p, nil
}

// mayTouch tells whether a member of the team may sanction somebody: the team's own are the lead's to judge.
func (v *visit) mayTouch(id int64) bool {
	return v.teamRole(id) == "" || slices.Contains(v.roles, ideas.RoleLead)
}

// sanctionDays are the lengths that the form offers; 0 does not end.
var sanctionDays = []string{"1", "3", "7", "30", "90", "0"}

func (a *app) sanction(v *visit) error {
	id, err := v.pathID()
	if err != nil {
		return err
	}
	if id == v.member.ID || !v.mayTouch(id) {
		return refuse(http.StatusForbidden, "sanction a member of the team", nil)
	}
	form := v.r.PostForm
	kind, reason := ideas.SanctionKind(form.Get("kind")), cleanText(form.Get("reason"))
	var ends time.Time
	if days, err := strconv.Atoi(form.Get("days")); err == nil && days > 0 && slices.Contains(sanctionDays, form.Get("days")) {
		ends = a.now().AddDate(0, 0, days)
	} else if form.Get("days") != "0" && kind != ideas.SanctionWarn {
		return refuse(http.StatusBadRequest, "read how long a sanction lasts", err)
	}
	_, err = a.cfg.Store.Sanction(v.r.Context(), v.member.ID, id, kind, reason, ends)
	if wrong := fieldErrors(err); len(wrong) > 0 {
		p, err := a.teamMemberPage(v, id)
		if err != nil {
			return err
		}
		p.Kind, p.Reason = string(kind), field{reason, v.fieldText(wrong["reason"])}
		return v.renderPrivate(http.StatusUnprocessableEntity, "team-member", p)
	}
	if err != nil {
		return fmt.Errorf("sanction a member: %w", err)
	}
	v.setFlash("flash.sanctioned")
	return v.redirect("/team/members/" + strconv.FormatInt(id, 10))
}

func (a *app) liftSanction(v *visit) error {
	id, err := v.pathID()
	if err != nil {
		return err
	}
	if err := a.cfg.Store.LiftSanction(v.r.Context(), v.member.ID, id); err != nil {
		return fmt.Errorf("lift a sanction: %w", err)
	}
	v.setFlash("flash.lifted")
	return v.redirect(localPath(v.r.PostForm.Get("back")))
}

type appealsPage struct {
	teamPage
	List []appealView
}

type appealView struct {
	sanctionView
	Member memberView
	Action string
	Reply  field
}

func (a *app) showAppeals(v *visit) error { return a.renderAppeals(v, http.StatusOK, 0, field{}) }

func (a *app) renderAppeals(v *visit, status int, wrong int64, reply field) error {
	list, err := a.cfg.Store.Appeals(v.r.Context())
	if err != nil {
		return fmt.Errorf("list appeals: %w", err)
	}
	v.here = "/team/appeals"
	p := appealsPage{teamPage: v.teamPage("members", v.t("team.member_appeals"))}
	for _, s := range list {
		view := appealView{
			sanctionView: v.sanctionView(s), Member: v.person(s.Member.ID, s.Member.Name), Action: "/team/appeals/" + strconv.FormatInt(s.ID, 10),
		}
		if s.ID == wrong {
			view.Reply = reply
		}
		p.List = append(p.List, view)
	}
	return v.renderPrivate(status, "team-appeals", p)
}

func (a *app) answerAppeal(v *visit) error {
	id, err := v.pathID()
	if err != nil {
		return err
	}
	text := cleanText(v.r.PostForm.Get("answer"))
	err = a.cfg.Store.AnswerAppeal(v.r.Context(), v.member.ID, id, text, v.r.PostForm.Get("lift") == "true")
	if wrong := fieldErrors(err); len(wrong) > 0 {
		return a.renderAppeals(v, http.StatusUnprocessableEntity, id, field{text, v.fieldText(wrong["answer"])})
	}
	if err != nil {
		return fmt.Errorf("answer an appeal: %w", err)
	}
	v.setFlash("flash.answered_appeal")
	return v.redirect("/team/appeals")
}

type erasuresPage struct {
	teamPage
	List []erasureView
	More string
}

type erasureView struct{ Number, When, Hash string }

// showErasures lists the proofs of erasures, for audits and for whoever restores a backup.
func (a *app) showErasures(v *visit) error {
	after, err := strconv.ParseInt(v.r.URL.Query().Get("after"), 10, 64)
	if err != nil || after < 0 {
		after = 0
	}
	list, err := a.cfg.Store.Erasures(v.r.Context(), after)
	if err != nil {
		return fmt.Errorf("list erasures: %w", err)
	}
	v.here = "/team/erasures"
	p := erasuresPage{teamPage: v.teamPage("members", v.t("team.erasures"))}
	for _, e := range list {
		p.List = append(p.List, erasureView{strconv.FormatInt(e.Member, 10), v.lang.catalog.DateTime(e.DoneAt.In(v.site.location)), e.Hash})
	}
	if len(list) == ideas.MaxPage {
		p.More = "/team/erasures?after=" + strconv.FormatInt(list[len(list)-1].ID, 10)
	}
	return v.renderPrivate(http.StatusOK, "team-erasures", p)
}
