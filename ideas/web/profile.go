package web

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/quaeso/community-operator/ideas"
	"github.com/quaeso/community-operator/internal/control"
)

// memberRoutes are a member's own pages.
func (a *app) memberRoutes() map[string]handle {
	return map[string]handle{
		"GET /profile":                    a.showProfile,
		"POST /profile":                   a.saveProfile,
		"POST /profile/attributes/{name}": a.member(a.saveAttribute),
	}
}

// memberPageRoutes are what others see of a member.
func (a *app) memberPageRoutes() map[string]handle {
	return map[string]handle{"GET /members/{ref}": a.showMember}
}

type profilePage struct {
	accountPage
	Name  field
	Email string
	Since string
	// ReturnTo is where somebody who has just joined goes on to; empty for everybody else.
	ReturnTo string
	// Public is the address of the page that others see.
	Public                       string
	ShowsIdeas, ShowsRecognition bool
	Attributes                   []attributeView
}

func (v *visit) profilePage(profile ideas.Profile, returnTo string) profilePage {
	v.here = "/profile"
	title := v.t("profile.title")
	if returnTo != "" {
		returnTo = localPath(returnTo)
		v.here += "?" + url.Values{"welcome": {"true"}, "returnTo": {returnTo}}.Encode()
		title = v.t("profile.welcome")
	}
	return profilePage{
		accountPage: v.accountPage("profile", title), Name: field{Value: v.member.Name}, Email: v.member.Email, ReturnTo: returnTo,
		Since:      v.t("profile.since", "Date", v.lang.catalog.Date(v.member.CreatedAt.In(v.site.location))),
		Public:     memberPath(v.member.ID, v.member.Name),
		ShowsIdeas: profile.ShowsIdeas, ShowsRecognition: profile.ShowsRecognition,
	}
}

// ownProfile is the page of the member's own profile with what they say of themselves.
func (a *app) ownProfile(v *visit, returnTo string) (profilePage, error) {
	profile, err := a.cfg.Store.Profile(v.r.Context(), v.member.ID, v.member.ID)
	if err != nil {
		return profilePage{}, fmt.Errorf("read a profile: %w", err)
	}
	p := v.profilePage(profile, returnTo)
	if v.site.House == nil || len(v.site.House.Attributes) == 0 || returnTo != "" {
		return p, nil
	}
	given, err := a.cfg.Store.Attributes(v.r.Context(), v.member.ID)
	if err != nil {
		return p, fmt.Errorf("read what a member says of themselves: %w", err)
	}
	for _, one := range v.site.House.Attributes {
		view := v.attributeView(one, nil)
		if i := slices.IndexFunc(given, func(g ideas.AttributeValue) bool { return g.Name == one.Name }); i >= 0 {
			view = v.attributeView(one, given[i].Values)
			view.Given, view.Since = true, v.t("attribute.since", "Date", v.lang.catalog.Date(given[i].At.In(v.site.location)))
		}
		p.Attributes = append(p.Attributes, view)
	}
	return p, nil
}

// showProfile shows what the community knows of the member. Somebody who has just joined has a name that the
// store made up, so the field waits empty for a real one.
func (a *app) showProfile(v *visit) error {
	if v.member == nil {
		return v.askToSignIn("/profile")
	}
	asked, returnTo := v.r.URL.Query(), ""
	if asked.Get("welcome") != "" {
		returnTo = localPath(asked.Get("returnTo"))
	}
	p, err := a.ownProfile(v, returnTo)
	if err != nil {
		return err
	}
	if returnTo != "" {
		p.Name.Value = ""
	}
	return v.renderPrivate(http.StatusOK, "profile", p)
}

// saveProfile keeps name, language and what is shown. A member who has just joined goes on to where they were.
func (a *app) saveProfile(v *visit) error {
	if v.member == nil {
		return v.askToSignIn("/profile")
	}
	form := v.r.PostForm
	returnTo := form.Get("returnTo")
	settings := ideas.ProfileSettings{
		Name: clean(form.Get("name")), ShowsIdeas: form.Get("showsIdeas") == "true", ShowsRecognition: form.Get("showsRecognition") == "true",
	}
	if form.Get("asked") == "" {
		// The form of somebody who has just joined does not ask what is shown: everything, until they say otherwise.
		settings.ShowsIdeas, settings.ShowsRecognition = true, true
	}
	if l, ok := v.site.language(form.Get("language")); ok {
		v.lang, settings.Locale = l, l.Tag
		v.setCookie(languageCookie, l.Tag, languageLifetime)
	}
	err := a.cfg.Store.SetProfile(v.r.Context(), v.member.ID, settings)
	if wrong := fieldErrors(err); len(wrong) > 0 {
		p, err := a.ownProfile(v, returnTo)
		if err != nil {
			return err
		}
		p.Name = field{Value: settings.Name, Error: v.fieldText(wrong["name"])}
		return v.renderPrivate(http.StatusUnprocessableEntity, "profile", p)
	}
	if err != nil {
		return fmt.Errorf("keep a profile: %w", err)
	}
	v.setFlash("flash.saved")
	if returnTo != "" {
		return v.redirect(localPath(returnTo))
	}
	return v.redirect("/profile")
}

// saveAttribute keeps what a member says of themselves with their consent, or takes it back.
func (a *app) saveAttribute(v *visit) error {
	name := v.r.PathValue("name")
	values := filled(v.r.PostForm["attribute."+name])
	if v.r.PostForm.Get("withdraw") == "true" {
		values = nil
	}
	err := a.cfg.Store.SetAttribute(v.r.Context(), v.member.ID, name, values, v.lang.Tag)
	if wrong := fieldErrors(err); len(wrong) > 0 {
		p, err := a.ownProfile(v, "")
		if err != nil {
			return err
		}
		for i := range p.Attributes {
			if p.Attributes[i].Name == name {
				p.Attributes[i].Error = v.fieldText(wrong["attribute."+name])
			}
		}
		return v.renderPrivate(http.StatusUnprocessableEntity, "profile", p)
	}
	if err != nil {
		return fmt.Errorf("keep what a member says of themselves: %w", err)
	}
	v.setFlash("flash.saved")
	return v.redirect("/profile#about")
}

type memberPage struct {
	page
	Person    memberView
	Since     string
	Level     string
	Badges    []badgeView
	Referrals int
	Cards     []card
	Follow    *followView
	Own       bool
	// Mention is what calls the member in a text.
	Mention string
}

func memberPath(id int64, name string) string {
	return "/members/" + strconv.FormatInt(id, 10) + "-" + ideas.Slug(name)
}

// showMember is what others see of a member, as far as the member shows it. Search engines are kept out: people are found
// here by what they do here.
func (a *app) showMember(v *visit) error {
	id, err := v.refID()
	if err != nil {
		return err
	}
	profile, err := a.cfg.Store.Profile(v.r.Context(), v.viewer(), id)
	if err != nil {
		return fmt.Errorf("read a profile: %w", err)
	}
	path := memberPath(id, clean(profile.Author.Name))
	if v.r.URL.Path != path {
		v.w.Header().Set("Cache-Control", "no-cache")
		http.Redirect(v.w, v.r, path, http.StatusMovedPermanently) //nolint:gosec // a path of this site
		return nil
	}
	v.here = path
	person := v.person(id, profile.Author.Name)
	p := memberPage{
		page: v.page(person.Name), Person: person, Since: v.t("profile.since", "Date", v.lang.catalog.Date(profile.CreatedAt.In(v.site.location))),
		Referrals: profile.Referrals, Cards: v.cards(profile.Ideas), Own: v.viewer() == id, Mention: ideas.MentionOf(profile.Author),
	}
	p.Hidden, p.Section = true, "members"
	if p.Follow, err = v.followOf(ideas.FollowMember, id); err != nil {
		return err
	}
	if profile.ShowsRecognition && a.cfg.Recognition != nil && v.programme().CommunityPolicy() != nil {
		standing, err := a.cfg.Recognition.Standing(v.r.Context(), id)
		if err != nil {
			return fmt.Errorf("read what a member has earned: %w", err)
		}
		if levels := v.levels(); profile.Level >= 1 && profile.Level <= len(levels) {
			p.Level = v.site.text(levels[profile.Level-1].Title, v.lang)
		}
		p.Badges = v.badges(nil, standing.Badges)
	}
	return v.render(http.StatusOK, "member", p)
}

// teamLifetime is how long the ids of the brand's team are kept: somebody whom the house rules name may join any time.
const teamLifetime = 30 * time.Second

// team is who of the members has a role in the brand's team.
type team struct {
	mutex    sync.Mutex
	revision string
	until    time.Time
	roles    map[int64]ideas.Role
}

// teamRole is the name of a member's first role; empty for none. A failure to look is logged, and shows nobody's role.
func (v *visit) teamRole(id int64) string {
	if v.site.House == nil || len(v.site.House.Roles) == 0 {
		return ""
	}
	role, ok := v.app.teamOf(v)[id]
	if !ok {
		return ""
	}
	return v.t(roleKeys[role])
}

func (a *app) teamOf(v *visit) map[int64]ideas.Role {
	a.brandTeam.mutex.Lock()
	defer a.brandTeam.mutex.Unlock()
	now := time.Now()
	if a.brandTeam.revision == v.site.Revision && now.Before(a.brandTeam.until) {
		return a.brandTeam.roles
	}
	ids, err := a.cfg.Store.TeamMembers(v.r.Context(), teamAddresses(v.site.House))
	if err != nil {
		a.log.WarnContext(v.r.Context(), "team not read", "error", err)
		return a.brandTeam.roles
	}
	a.brandTeam.roles = make(map[int64]ideas.Role, len(ids))
	for address, id := range ids {
		if roles := v.site.RolesOf(address); len(roles) > 0 {
			a.brandTeam.roles[id] = roles[0]
		}
	}
	a.brandTeam.revision, a.brandTeam.until = v.site.Revision, now.Add(teamLifetime)
	return a.brandTeam.roles
}

// teamAddresses are all that the house rules give a role to.
func teamAddresses(h *control.House) []string {
	var all []string
	for _, role := range ideas.TeamRoles() {
		for _, address := range h.Roles[string(role)] {
			if address = strings.ToLower(address); !slices.Contains(all, address) {
				all = append(all, address)
			}
		}
	}
	return all
}
