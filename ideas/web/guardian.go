package web

import (
	"errors"
	"fmt"
	"net/http"

	"github.com/quaeso/community-operator/ideas"
	"github.com/quaeso/community-operator/internal/control"
)

type guardianPage struct {
	page
	Token, Name, Lead string
	Terms             []termsView
	// Given and Refused are the answer so far.
	Given, Refused bool
}

func (v *visit) guardianSpent() error {
	v.here = "/"
	return v.renderPrivate(http.StatusGone, "message", v.message(v.t("guardian.spent.title"), v.t("guardian.spent.text")))
}

// showGuardian tells a guardian what a minor asks for. The link came by mail, and nothing is answered by opening it.
func (a *app) showGuardian(v *visit) error {
	return a.renderGuardian(v, token(v.r.URL.Query().Get("token")))
}

func (a *app) renderGuardian(v *visit, token string) error {
	v.w.Header().Set("Referrer-Policy", linkReferrer)
	r, err := a.cfg.Store.GuardianRequest(v.r.Context(), token)
	if errors.Is(err, ideas.ErrLinkSpent) {
		return v.guardianSpent()
	}
	if err != nil {
		return fmt.Errorf("read a guardian's request: %w", err)
	}
	p := guardianPage{page: v.page(v.t("guardian.title")), Token: token, Name: v.person(r.Member.ID, r.Member.Name).Name}
	p.Lead = v.t("guardian.lead", "Name", p.Name, "Brand", p.Brand)
	p.Terms = v.termsViews(v.site.TermsNamed(control.TermsOfCommunity))
	p.Given, p.Refused = r.Answer == ideas.GuardianGiven, r.Answer == ideas.GuardianRefused
	p.Hidden, p.SignIn, p.Canonical, p.Alternates = true, "", "", nil
	return v.renderPrivate(http.StatusOK, "guardian", p)
}

func (a *app) answerGuardian(v *visit) error {
	v.w.Header().Set("Referrer-Policy", linkReferrer)
	form := v.r.PostForm
	answer := form.Get("answer")
	if answer != ideas.GuardianGiven && answer != ideas.GuardianRefused {
		return refuse(http.StatusBadRequest, "read a guardian's answer", nil)
	}
	agreed := v.t("guardian.consent")
	for _, t := range v.site.TermsNamed(control.TermsOfCommunity) {
		_, text := t.TextIn(v.lang.Tag)
		agreed += "\n\n" + text
	}
	token := token(form.Get("token"))
	err := a.cfg.Store.AnswerGuardian(v.r.Context(), token, answer == ideas.GuardianGiven, ideas.TextHash(agreed))
	if errors.Is(err, ideas.ErrLinkSpent) {
		return v.guardianSpent()
	}
	if err != nil {
		return fmt.Errorf("keep a guardian's answer: %w", err)
	}
	return a.renderGuardian(v, token)
}

// askGuardian writes to another guardian, or to the same once more.
func (a *app) askGuardian(v *visit) error {
	email := clean(v.r.PostForm.Get("guardian"))
	err := a.cfg.Store.AskGuardian(v.r.Context(), v.member.ID, email)
	if wrong := fieldErrors(err); len(wrong) > 0 {
		return a.renderStanding(v, http.StatusUnprocessableEntity, standingForm{guardian: field{email, v.joinText(wrong["guardian"])}})
	}
	if err != nil {
		return fmt.Errorf("ask a guardian: %w", err)
	}
	v.setFlash("flash.guardian_asked")
	return v.redirect("/account/standing")
}
