package web

import (
	"crypto/rand"
	"fmt"
	"net/http"
)

type submitPage struct {
	page
	Key        string
	Idea, Body field
	Wrong      int
	// SignedOut tells that the session ended while writing.
	SignedOut bool
}

func (v *visit) submitPage() submitPage {
	v.here = "/ideas/new"
	p := submitPage{page: v.page(v.t("submit.title"))}
	p.Section = "submit"
	p.Hidden = true
	return p
}

// newIdea shows the form. Whoever is not signed in does so first and comes back, so that nothing written is
// lost on the way.
func (a *app) newIdea(v *visit) error {
	if v.member == nil {
		return v.askToSignIn(v.r.URL.RequestURI())
	}
	p := v.submitPage()
	p.Key = rand.Text()
	p.Idea.Value = cut(clean(v.r.URL.Query().Get("title")), maxSearch)
	return v.render(http.StatusOK, "submit", p)
}

// submitIdea publishes an idea, or shows the form again with what is wrong and all that was typed.
func (a *app) submitIdea(v *visit) error {
	p := v.submitPage()
	p.Key = formKey(v.r)
	p.Idea.Value = clean(v.r.PostForm.Get("title"))
	p.Body.Value = cleanText(v.r.PostForm.Get("body"))
	if v.member == nil {
		p.SignedOut = true
		return v.render(http.StatusUnauthorized, "submit", p)
	}
	idea, err := a.cfg.Store.SubmitIdea(v.r.Context(), v.member.ID, p.Key, p.Idea.Value, p.Body.Value)
	if wrong := fieldErrors(err); len(wrong) > 0 {
		p.Wrong = len(wrong)
		p.Idea.Error, p.Body.Error = v.fieldText(wrong["title"]), v.fieldText(wrong["body"])
		return v.render(http.StatusUnprocessableEntity, "submit", p)
	}
	if err != nil {
		return fmt.Errorf("submit idea: %w", err)
	}
	v.setFlash("flash.submitted")
	return v.redirect(ideaPath(idea))
}
