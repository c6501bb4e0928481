package web

import (
	"fmt"
	"net/http"
	"net/url"
)

type profilePage struct {
	page
	Name        field
	Email       string
	Since       string
	Welcome     bool
	ReturnTo    string
	ProfileLang string
}

func (v *visit) profilePage(returnTo string) profilePage {
	v.here = "/profile"
	if returnTo != "" {
		v.here += "?" + url.Values{"returnTo": {localPath(returnTo)}}.Encode()
	}
	p := profilePage{
		page: v.page(v.t("profile.title")), Name: field{Value: clean(v.member.Name)}, Email: v.member.Email,
		ReturnTo: returnTo, Welcome: clean(v.member.Name) == "",
		Since: v.t("profile.since", "Date", v.lang.catalog.Date(v.member.CreatedAt.In(v.site.location))),
	}
	p.Hidden = true
	p.Section = "profile"
	return p
}

// showProfile shows what the community knows of the member.
func (a *app) showProfile(v *visit) error {
	if v.member == nil {
		return v.askToSignIn("/profile")
	}
	return v.renderPrivate(http.StatusOK, "profile", v.profilePage(v.r.URL.Query().Get("returnTo")))
}

// saveProfile keeps name and language. A member who has just joined goes on to where they were.
func (a *app) saveProfile(v *visit) error {
	if v.member == nil {
		return v.askToSignIn("/profile")
	}
	form := v.r.PostForm
	name := clean(form.Get("name"))
	if l, ok := v.site.language(form.Get("language")); ok {
		v.lang = l
		v.setCookie(languageCookie, l.Tag, languageLifetime)
	}
	err := a.cfg.Store.RenameMember(v.r.Context(), v.member.ID, name)
	if wrong := fieldErrors(err); len(wrong) > 0 {
		p := v.profilePage(form.Get("returnTo"))
		p.Name = field{Value: name, Error: v.fieldText(wrong["name"])}
		return v.renderPrivate(http.StatusUnprocessableEntity, "profile", p)
	}
	if err != nil {
		return fmt.Errorf("rename member: %w", err)
	}
	v.setFlash("saved")
	if returnTo := form.Get("returnTo"); returnTo != "" {
		return v.redirect(localPath(returnTo))
	}
	return v.redirect("/profile")
}
