package web

import (
	"fmt"
	"net/http"
	"strconv"

	"github.com/quaeso/community-operator/ideas"
)

// accountRoutes are the pages about a member's standing.
func (a *app) accountRoutes() map[string]handle {
	return map[string]handle{
		"GET /account/standing":              a.member(a.showStanding),
		"POST /account/standing/{id}/appeal": a.member(a.appeal),
	}
}

// accountPage is what the pages of one's own account have in common.
type accountPage struct {
	page
	Heading string
	// Tabs lead to the others; Tab is this one's section.
	Tabs []navItem
	Tab  string
}

func (v *visit) accountPage(tab, heading string) accountPage {
	p := accountPage{page: v.page(heading), Heading: heading, Tab: tab, Tabs: []navItem{
		{"profile", "/profile", v.t("nav.profile")},
		{"notices", NoticesPath, v.t("notices.title")},
		{"notice-settings", NoticeSettingsPath, v.t("notice_settings.title")},
		{"invitations", "/invitations", v.t("account.invitations")},
		{"standing", "/account/standing", v.t("account.standing")},
		{"data", "/account/data", v.t("data.title")},
	}}
	if v.site.House != nil && len(v.site.House.Terms) > 0 {
		p.Tabs = append(p.Tabs, navItem{"terms", "/account/terms", v.t("account.terms")})
	}
	p.Hidden, p.Section = true, tab
	return p
}

type standingPage struct {
	accountPage
	// Blocked tells that this page is all there is.
	Blocked bool
	// Lead says how things are.
	Lead      string
	Sanctions []sanctionView
	// Guardian is shown where one is missing.
	AskGuardian   bool
	GuardianState string
	Guardian      field
}

type sanctionView struct {
	ID           int64
	Title        string
	Reason       string
	When         string
	Until        string
	Over         bool
	Lifted       bool
	Appeal       string
	Answer       string
	MayAppeal    bool
	AppealAction string
	Form         field
}

// standingForm is what was typed wrongly.
type standingForm struct {
	guardian field
	sanction int64
	appeal   field
}

// sanctionTitles are the message keys of kinds of sanctions.
var sanctionTitles = map[ideas.SanctionKind]string{
	ideas.SanctionWarn: "sanction.warn", ideas.SanctionMute: "sanction.mute", ideas.SanctionBlock: "sanction.block",
}

func (v *visit) sanctionView(s ideas.Sanction) sanctionView {
	c, now := v.lang.catalog, v.app.now()
	view := sanctionView{
		ID: s.ID, Title: v.t(sanctionTitles[s.Kind]), Reason: clean(s.Reason), When: c.DateTime(s.At.In(v.site.location)),
		Lifted: !s.LiftedAt.IsZero(), Over: s.Kind != ideas.SanctionWarn && !s.InForce(now), Appeal: cleanText(s.Appeal), Answer: cleanText(s.Answer),
		MayAppeal:    s.AppealedAt.IsZero() && s.LiftedAt.IsZero() && (s.Kind == ideas.SanctionWarn || s.InForce(now)),
		AppealAction: "/account/standing/" + strconv.FormatInt(s.ID, 10) + "/appeal",
	}
	switch {
	case s.Kind == ideas.SanctionWarn:
	case s.Ends.IsZero():
		view.Until = v.t("sanction.endless")
	default:
		view.Until = v.t("sanction.until", "Time", c.DateTime(s.Ends.In(v.site.location)))
	}
	return view
}

func (a *app) showStanding(v *visit) error { return a.renderStanding(v, http.StatusOK, standingForm{}) }

// showBlocked stands in the place of every page that a blocked member asks for.
func (a *app) showBlocked(v *visit) error {
	return a.renderStanding(v, http.StatusForbidden, standingForm{})
}

func (a *app) renderStanding(v *visit, status int, form standingForm) error {
	v.here = "/account/standing"
	p := standingPage{accountPage: v.accountPage("standing", v.t("account.standing")), Blocked: v.member.Blocked(a.now())}
	list, err := a.cfg.Store.Sanctions(v.r.Context(), v.member.ID)
	if err != nil {
		return fmt.Errorf("list sanctions: %w", err)
	}
	for _, s := range list {
		view := v.sanctionView(s)
		if s.ID == form.sanction {
			view.Form = form.appeal
		}
		p.Sanctions = append(p.Sanctions, view)
	}
	switch {
	case p.Blocked:
		p.Heading, p.Nav, p.Lead = v.t("standing.blocked"), nil, v.t("standing.blocked.text")
	case v.member.ReadOnlyUntil.After(a.now()):
		p.Lead = v.t("standing.muted")
	case v.member.Guardian == ideas.GuardianNeeded:
		p.Lead, p.AskGuardian = v.t("standing.guardian_needed"), true
	case v.member.Guardian == ideas.GuardianRefused:
		p.Lead, p.AskGuardian = v.t("standing.guardian_refused"), true
	default:
		p.Lead = v.t("standing.good")
	}
	p.Guardian = form.guardian
	return v.renderPrivate(status, "standing", p)
}

func (a *app) appeal(v *visit) error {
	id, err := v.pathID()
	if err != nil {
		return err
	}
	text := cleanText(v.r.PostForm.Get("appeal"))
	err = a.cfg.Store.Appeal(v.r.Context(), v.member.ID, id, text)
	if wrong := fieldErrors(err); len(wrong) > 0 {
		return a.renderStanding(v, http.StatusUnprocessableEntity, standingForm{sanction: id, appeal: field{text, v.fieldText(wrong["appeal"])}})
	}
	if err != nil {
		return fmt.Errorf("appeal: %w", err)
	}
	v.setFlash("flash.appealed")
	return v.redirect("/account/standing")
}
