package web

import (
	"encoding/base64"
	"errors"
	"fmt"
	"hash/fnv"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"golang.org/x/text/language"

	"github.com/quaeso/community-operator/ideas"
	"github.com/quaeso/community-operator/ideas/web/theme"
)

// handle is a handler of pages. The error that it returns becomes a status and a page in one place.
type handle func(*visit) error

// visit is one request for a page: who asks, in which language, of which site.
type visit struct {
	w    http.ResponseWriter
	r    *http.Request
	app  *app
	site *site
	lang offered
	// member is nil for somebody who is not signed in; session is the token that proved who it is.
	member  *ideas.Member
	session string
	// roles that the house rules give to the member.
	roles ideas.Roles
	// here is where the page that is shown can be asked for again.
	here string
}

// Cookies. Those that hold something to protect get the __Host- prefix where members come by https: no
// subdomain and no plain connection can then set them.
const (
	sessionCookie  = "session"
	languageCookie = "language"
	flashCookie    = "flash"
	sentCookie     = "sent"
	attemptCookie  = "attempt"
	// invitationCookie holds the token of an invitation until somebody signs in with it.
	invitationCookie = "invitation"
)

const languageLifetime = 365 * 24 * time.Hour

func (a *app) visit(w http.ResponseWriter, r *http.Request) *visit {
	v := &visit{w: w, r: r, app: a, site: a.site(r.Context()), here: r.URL.RequestURI()}
	v.lang = v.accepted()
	return v
}

// t is a text in the reader's language.
func (v *visit) t(key string, pairs ...any) string { return v.lang.catalog.Text(key, pairs...) }

// cookieName is the name under which a cookie is kept on this site.
func (v *visit) cookieName(name string) string {
	if v.site.secure {
		return "__Host-" + name
	}
	return name
}

func (v *visit) cookie(name string) string {
	c, err := v.r.Cookie(v.cookieName(name))
	if err != nil {
		return ""
	}
	return c.Value
}

// setCookie keeps a value for the lifetime; an empty value ends the cookie.
func (v *visit) setCookie(name, value string, lifetime time.Duration) {
	c := &http.Cookie{ //nolint:gosec // Secure wherever members come by https
		Name: v.cookieName(name), Value: value, Path: "/", MaxAge: int(lifetime / time.Second),
		HttpOnly: true, Secure: v.site.secure, SameSite: http.SameSiteLaxMode,
	}
	if value == "" {
		c.MaxAge = -1
	}
	http.SetCookie(v.w, c)
}

// setText keeps a text that may hold characters which cookies may not.
func (v *visit) setText(name, text string, lifetime time.Duration) {
	v.setCookie(name, base64.RawURLEncoding.EncodeToString([]byte(text)), lifetime)
}

func (v *visit) text(name string) string {
	raw, err := base64.RawURLEncoding.DecodeString(v.cookie(name))
	if err != nil {
		return ""
	}
	return string(raw)
}

// authenticate finds the member of the session cookie. A session that has ended leaves nobody signed in.
func (v *visit) authenticate() error {
	session := v.cookie(sessionCookie)
	if session == "" {
		return nil
	}
	m, err := v.app.cfg.SignIn.Authenticate(v.r.Context(), session)
	switch {
	case errors.Is(err, ideas.ErrNotFound):
		v.setCookie(sessionCookie, "", 0)
		return nil
	case err != nil:
		return fmt.Errorf("authenticate session: %w", err)
	}
	v.member, v.session, v.roles = &m, session, v.site.RolesOf(m.Email)
	return nil
}

// viewer is the member's id, 0 for nobody.
func (v *visit) viewer() int64 {
	if v.member == nil {
		return 0
	}
	return v.member.ID
}

// chooseLanguage takes the one asked for in the address, else that chosen before, else the member's, else what
// the browser prefers, else the site's default. One asked for is kept as chosen.
func (v *visit) chooseLanguage() {
	if l, ok := v.site.language(v.r.URL.Query().Get("lang")); ok {
		v.lang = l
		v.setCookie(languageCookie, l.Tag, languageLifetime)
		return
	}
	if _, chosen := v.site.language(v.cookie(languageCookie)); chosen || v.member == nil {
		return
	}
	if l, ok := v.site.language(v.member.Locale); ok {
		v.lang = l
	}
}

// accepted is the language chosen before, else what the browser prefers, else the site's default.
func (v *visit) accepted() offered {
	if l, ok := v.site.language(v.cookie(languageCookie)); ok {
		return l
	}
	header := v.r.Header.Get("Accept-Language")
	if len(header) > 200 {
		header = ""
	}
	// A header that does not parse gives no preference, so the default.
	preferred, _, _ := language.ParseAcceptLanguage(header)
	_, i, _ := v.site.matcher.Match(preferred...)
	return v.site.languages[i]
}

// redirect sends the browser on to a path of this site after a form.
func (v *visit) redirect(path string) error {
	v.w.Header().Set("Cache-Control", "no-store")
	if v.r.Header.Get("HX-Request") != "" {
		// htmx would follow a redirect inside its request and put a whole page into a fragment's place.
		v.w.Header().Set("HX-Redirect", path)
		v.w.WriteHeader(http.StatusNoContent)
		return nil
	}
	http.Redirect(v.w, v.r, path, http.StatusSeeOther) //nolint:gosec // callers pass what localPath gave, or a path of their own
	return nil
}

// askToSignIn sends somebody who is not signed in to do so and come back to the path.
func (v *visit) askToSignIn(back string) error {
	return v.redirect("/sign-in?" + url.Values{"returnTo": {back}}.Encode())
}

// signedIn starts the session in this browser.
func (v *visit) signedIn(session string) {
	v.setCookie(sessionCookie, session, ideas.SessionLifetime)
}

// page is what every page shows around its content.
type page struct {
	Title, Lang, Version  string
	Brand, TagLine        string
	LogoURL, Initial      string
	Canonical             string
	Alternates, Languages []languageLink
	Member                *memberView
	SignIn                string
	Flash                 string
	// StyleSheet is the address of the theme's.
	StyleSheet            string
	ThemeLight, ThemeDark string
	Favicon               string
	// Hidden keeps the page out of search engines.
	Hidden bool
	// Section is the part of the site that the page belongs to.
	Section string
	// Nav leads to the parts of the site, Account to the member's own pages.
	Nav, Account []navItem
	// Unread is the number of the member's notices, as the bell shows it; empty for none.
	Unread string
	// Team tells that the member sees the team's side.
	Team bool
}

// navItem is one link of a menu.
type navItem struct {
	// Section that the link stands for, URL and Text.
	Section, URL, Text string
}

type languageLink struct {
	Tag, Name, URL string
	Current        bool
}

// memberView is what a page shows of somebody: a name, its initials and their colour.
type memberView struct {
	Name, Initials string
	Hue            int
	// URL of the member's page; empty for somebody who has left. Role is the member's in the brand's team.
	URL, Role string
}

func (v *visit) person(id int64, name string) memberView {
	name = clean(name)
	unnamed := name == ""
	if unnamed {
		name = v.t("member.unnamed")
	}
	h := fnv.New32a()
	// Writing to a hash cannot fail.
	_, _ = h.Write([]byte(strconv.FormatInt(id, 10)))
	view := memberView{Name: name, Initials: initials(name), Hue: int(h.Sum32() % theme.Avatars)}
	if id > 0 && !unnamed {
		view.URL, view.Role = memberPath(id, name), v.teamRole(id)
	}
	return view
}

func (v *visit) page(title string) page {
	s := v.site
	p := page{
		Lang: v.lang.Tag, Version: v.app.cfg.Version,
		Brand: s.text(s.Name, v.lang), TagLine: s.text(s.TagLine, v.lang), LogoURL: s.LogoURL,
		StyleSheet: "/theme.css?v=" + s.themeHash, ThemeLight: s.themeLight, ThemeDark: s.themeDark,
		Favicon: s.faviconAddress,
		SignIn:  "/sign-in?" + url.Values{"returnTo": {localPath(v.here)}}.Encode(),
	}
	p.Initial = initial(p.Brand)
	p.Title = title
	if p.Brand != "" && title != "" {
		p.Title = v.t("title", "Page", title, "Brand", p.Brand)
	} else if title == "" {
		p.Title = p.Brand
	}
	v.addLanguages(&p)
	if v.member != nil {
		m := v.person(v.member.ID, v.member.Name)
		p.Member = &m
		p.Unread = v.unread()
	}
	p.Nav, p.Account, p.Team = v.nav(), v.accountNav(), v.roles.May(ideas.MaySeeTeam)
	p.Flash = v.takeFlash()
	return p
}

// unread is the number of notices not read, as far as they are counted.
func (v *visit) unread() string {
	switch n := v.member.Unread; {
	case n == 0:
		return ""
	case n >= ideas.UnreadShown:
		return v.lang.catalog.Number(ideas.UnreadShown-1) + "+"
	default:
		return v.lang.catalog.Number(int64(n))
	}
}

// nav leads to the parts of the site.
func (v *visit) nav() []navItem {
	items := []navItem{
		{"ideas", "/ideas", v.t("nav.ideas")},
	}
	if len(v.programme().Challenges) > 0 {
		items = append(items, navItem{"challenges", "/challenges", v.t("nav.challenges")})
	}
	items = append(items, navItem{"roadmap", "/roadmap", v.t("nav.roadmap")})
	if len(v.programme().Policies) > 0 {
		items = append(items, navItem{"leaderboard", "/leaderboard", v.t("nav.leaderboard")})
	}
	return items
}

// accountNav leads to the member's own pages.
func (v *visit) accountNav() []navItem {
	items := []navItem{
		{"profile", "/profile", v.t("nav.profile")},
		{"own", "/profile/ideas", v.t("nav.own")},
		{"invitations", "/invitations", v.t("invitations.title")},
		{"tokens", tokensPath, v.t("nav.tokens")},
	}
	if len(v.programme().Policies) > 0 {
		items = append(items, navItem{"recognition", "/recognition", v.t("nav.recognition")})
	}
	return items
}

// addLanguages links the page to itself in the other languages.
func (v *visit) addLanguages(p *page) {
	u, err := url.Parse(v.here)
	if err != nil {
		return
	}
	query := u.Query()
	query.Del("lang")
	u.RawQuery, u.Fragment = query.Encode(), ""
	p.Canonical = v.site.BaseURL + u.RequestURI()
	for _, l := range v.site.languages {
		query.Set("lang", l.Tag)
		link := languageLink{
			Tag: l.Tag, Name: l.Name(), URL: u.Path + "?" + query.Encode(), Current: l.Tag == v.lang.Tag,
		}
		p.Languages = append(p.Languages, link)
		link.URL = v.site.BaseURL + link.URL
		p.Alternates = append(p.Alternates, link)
	}
	if len(p.Languages) == 1 {
		p.Languages, p.Alternates = nil, nil
	}
}

// setFlash keeps the key of a message, "flash.saved", which the next page shows once.
func (v *visit) setFlash(key string) { v.setCookie(flashCookie, key, time.Minute) }

func (v *visit) takeFlash() string {
	key := v.cookie(flashCookie)
	if key == "" {
		return ""
	}
	v.setCookie(flashCookie, "", 0)
	// A cookie may hold anything; what is no message is shown as nothing.
	if text := v.t(key); strings.HasPrefix(key, "flash.") && text != key {
		return text
	}
	return ""
}
