package web

import (
	"fmt"
	"net/http"
	"net/url"
)

// memberRoutes are a member's own pages.
func (a *app) memberRoutes() map[string]handle {
	return map[string]handle{
		"GET /profile":  a.showProfile,
		"POST /profile": a.saveProfile,
	}
}

type profilePage struct {
	page
	Name  field
	Email string
	Since string
	// ReturnTo is where somebody who has just joined goes on to; empty for everybody else.
	ReturnTo string
}

func (v *visit) profilePage(returnTo string) profilePage {
	v.here = "/profile"
	title := v.t("profile.title")
	if returnTo != "" {
		returnTo = localPath(returnTo)
		v.here += "?" + url.Values{"welcome": {"true"}, "returnTo": {returnTo}}.Encode()
		title = v.t("profile.welcome")
	}
	p := profilePage{
		page: v.page(title), Name: field{Value: v.member.Name}, Email: v.member.Email, ReturnTo: returnTo,
		Since: v.t("profile.since", "Date", v.lang.catalog.Date(v.member.CreatedAt.In(v.site.location))),
	}
	p.Hidden = true
	p.Section = "profile"
	return p
}

// showProfile shows what the community knows of the member. Somebody who has just joined has a name that the
// store made up, so the field waits empty for a real one.
func (a *app) showProfile(v *visit) error {
	if v.member == nil {
		return v.askToSignIn("/profile")
	}
	asked := v.r.URL.Query()
	if asked.Get("welcome") == "" {
		return v.renderPrivate(http.StatusOK, "profile", v.profilePage(""))
	}
	p := v.profilePage(localPath(asked.Get("returnTo")))
	p.Name.Value = ""
	return v.renderPrivate(http.StatusOK, "profile", p)
}

// saveProfile keeps name and language. A member who has just joined goes on to where they were.
func (a *app) saveProfile(v *visit) error {
	if v.member == nil {
		return v.askToSignIn("/profile")
	}
	form := v.r.PostForm
	name, returnTo := clean(form.Get("name")), form.Get("returnTo")
	if l, ok := v.site.language(form.Get("language")); ok {
		v.lang = l
		v.setCookie(languageCookie, l.Tag, languageLifetime)
	}
	err := a.cfg.Store.RenameMember(v.r.Context(), v.member.ID, name)
	if wrong := fieldErrors(err); len(wrong) > 0 {
		p := v.profilePage(returnTo)
		p.Name = field{Value: name, Error: v.fieldText(wrong["name"])}
		return v.renderPrivate(http.StatusUnprocessableEntity, "profile", p)
	}
	if err != nil {
		return fmt.Errorf("rename member: %w", err)
	}
	v.setFlash("flash.saved")
	if returnTo != "" {
		return v.redirect(localPath(returnTo))
	}
	return v.redirect("/profile")
}
