package web

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/quaeso/community-operator/ideas"
	"github.com/quaeso/community-operator/internal/control"
)

// termsRoutes are the pages about what members agree to.
func (a *app) termsRoutes() map[string]handle {
	return map[string]handle{
		"GET /terms":                            a.showTerms,
		"GET /terms/acceptance":                 a.member(a.askForTerms),
		"POST /terms/acceptance":                a.member(a.acceptTerms),
		"GET /account/terms":                    a.member(a.showAcceptances),
		"GET /account/terms/{hash}/certificate": a.member(a.termsCertificate),
	}
}

// requireTerms tells whether the member has accepted the terms of the names. Where it answers false it has led them to
// where they can, and the handler shows nothing of what the terms protect: it returns the error.
//
//	if accepted, err := v.requireTerms(challenge.Spec.Terms); !accepted {
//		return err
//	}
func (v *visit) requireTerms(names []string) (accepted bool, err error) {
	if len(v.site.TermsNamed(names...)) == 0 {
		return true, nil
	}
	back := "/"
	if v.r.Method == http.MethodGet {
		back = v.r.URL.RequestURI()
	} else if referred := localPath(v.r.PostForm.Get("back")); referred != "/" {
		back = referred
	}
	if v.member == nil {
		return false, v.askToSignIn(back)
	}
	missing, err := v.app.cfg.Store.AcceptedTerms(v.r.Context(), v.member.ID, names)
	if err != nil {
		return false, fmt.Errorf("look for accepted terms: %w", err)
	}
	if len(missing) == 0 {
		return true, nil
	}
	return false, v.redirect("/terms/acceptance?" + url.Values{"name": names, "returnTo": {localPath(back)}}.Encode())
}

type termsPage struct {
	page
	Terms    []termsView
	Names    []string
	ReturnTo string
	// Asked tells that the texts are to be accepted.
	Asked bool
}

// showTerms shows the community's terms to everybody.
func (a *app) showTerms(v *visit) error {
	v.here = "/terms"
	p := termsPage{page: v.page(v.t("terms.title")), Terms: v.termsViews(v.site.TermsNamed(control.TermsOfCommunity))}
	if len(p.Terms) == 0 {
		return refuse(http.StatusNotFound, "show terms: none are declared", nil)
	}
	return v.render(http.StatusOK, "terms", p)
}

func (a *app) termsAsked(v *visit, names []string, returnTo string) (termsPage, error) {
	v.here = "/terms/acceptance?" + url.Values{"name": names, "returnTo": {localPath(returnTo)}}.Encode()
	p := termsPage{page: v.page(v.t("terms.accept.title")), Names: names, ReturnTo: localPath(returnTo), Asked: true}
	p.Hidden = true
	missing, err := a.cfg.Store.AcceptedTerms(v.r.Context(), v.member.ID, names)
	if err != nil {
		return p, fmt.Errorf("look for accepted terms: %w", err)
	}
	p.Terms = v.termsViews(missing)
	return p, nil
}

// maxTermsNames bounds the terms that one page asks for.
const maxTermsNames = 20

// askForTerms shows what has to be accepted before something is shown.
func (a *app) askForTerms(v *visit) error {
	asked := v.r.URL.Query()
	p, err := a.termsAsked(v, asked["name"][:min(len(asked["name"]), maxTermsNames)], asked.Get("returnTo"))
	if err != nil {
		return err
	}
	if len(p.Terms) == 0 {
		return v.redirect(p.ReturnTo)
	}
	return v.renderPrivate(http.StatusOK, "terms", p)
}

func (a *app) acceptTerms(v *visit) error {
	form := v.r.PostForm
	p, err := a.termsAsked(v, form["name"][:min(len(form["name"]), maxTermsNames)], form.Get("returnTo"))
	if err != nil {
		return err
	}
	var accepted []string
	complete := true
	for i := range p.Terms {
		if slices.Contains(form["accept"], p.Terms[i].Hash) {
			p.Terms[i].Accepted = true
			accepted = append(accepted, p.Terms[i].Hash)
			continue
		}
		p.Terms[i].Error, complete = v.t("join.terms.required"), false
	}
	if !complete {
		return v.renderPrivate(http.StatusUnprocessableEntity, "terms", p)
	}
	if err := a.cfg.Store.AcceptTerms(v.r.Context(), v.member.ID, v.lang.Tag, accepted); err != nil {
		return fmt.Errorf("accept terms: %w", err)
	}
	return v.redirect(p.ReturnTo)
}

type acceptancesPage struct {
	accountPage
	List []acceptanceView
}

type acceptanceView struct {
	Title, Version, When, TextHash, Certificate string
	// InForce tells that the house still has this text.
	InForce bool
}

func (a *app) showAcceptances(v *visit) error {
	v.here = "/account/terms"
	p := acceptancesPage{accountPage: v.accountPage("terms", v.t("account.terms"))}
	list, err := a.cfg.Store.Acceptances(v.r.Context(), v.member.ID)
	if err != nil {
		return fmt.Errorf("list accepted terms: %w", err)
	}
	for _, one := range list {
		p.List = append(p.List, acceptanceView{
			Title: v.termsTitle(one.Kind), Version: clean(one.Version), When: v.lang.catalog.DateTime(one.At.In(v.site.location)),
			TextHash: one.TextHash, Certificate: "/account/terms/" + one.Hash + "/certificate",
			InForce: slices.ContainsFunc(v.site.TermsNamed(one.Name), func(t ideas.TermsVersion) bool { return t.Hash == one.Hash }),
		})
	}
	return v.renderPrivate(http.StatusOK, "acceptances", p)
}

// termsCertificate is a plain text: who accepted what and when, and the whole text below a line, whose hash anybody can
// compute again.
func (a *app) termsCertificate(v *visit) error {
	list, err := a.cfg.Store.Acceptances(v.r.Context(), v.member.ID)
	if err != nil {
		return fmt.Errorf("list accepted terms: %w", err)
	}
	i := slices.IndexFunc(list, func(one ideas.Acceptance) bool { return one.Hash == v.r.PathValue("hash") })
	if i < 0 {
		return refuse(http.StatusNotFound, "find accepted terms", nil)
	}
	one := list[i]
	v.here = "/account/terms"
	brand := v.site.text(v.site.Name, v.lang)
	lines := []string{
		v.t("certificate.title", "Brand", brand), "",
		v.t("certificate.member", "Name", clean(v.member.Name), "Number", v.member.ID),
		v.t("certificate.terms", "Title", v.termsTitle(one.Kind), "Version", clean(one.Version)),
		v.t("certificate.when", "Time", one.At.UTC().Format(time.RFC3339)),
		v.t("certificate.hash", "Hash", one.TextHash),
		"", v.t("certificate.check"), "", certificateRule, "", "",
	}
	h := v.w.Header()
	h.Set("Content-Type", "text/plain; charset=utf-8")
	h.Set("Content-Disposition", `attachment; filename="terms-`+one.Hash[:12]+`.txt"`)
	h.Set("Cache-Control", "no-store")
	v.w.WriteHeader(http.StatusOK)
	// A reader who has gone is no error of ours.
	_, _ = v.w.Write([]byte(strings.Join(lines, "\n") + one.Text)) //nolint:gosec // plain text, never rendered
	return nil
}

// certificateRule separates what the certificate says from the text.
const certificateRule = "----------------------------------------------------------------"
