package web

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"html"
	"net/url"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/language"

	"github.com/quaeso/community-operator/ideas"
	"github.com/quaeso/community-operator/ideas/web/theme"
	"github.com/quaeso/community-operator/ideas/web/translations"
)

// site is what the pages derive from the settings, once per revision.
type site struct {
	ideas.Settings
	// declared is false before the first declaration.
	declared bool
	// languages offered, the default first; never empty.
	languages []offered
	matcher   language.Matcher
	location  *time.Location
	hostnames map[string]bool
	// secure tells that members reach the site by https.
	secure bool
	// themeCSS is the theme's style sheet and themeHash the address of this very content.
	themeCSS, themeHash   string
	fontFace              string
	themeLight, themeDark string
	// requirements of the house on joining.
	requirements            ideas.Requirements
	favicon, faviconAddress string
}

// offered is one of the site's languages.
type offered struct {
	// Tag as declared ("fr-BE"), and the catalog that serves it ("fr").
	Tag     string
	catalog *translations.Catalog
}

// Name of the language in itself.
func (o offered) Name() string { return o.catalog.Text("language.name") }

// site gives the current settings' site, made anew when their revision changes.
func (a *app) site(ctx context.Context) *site {
	settings, ok := a.cfg.Settings.Current(ctx)
	if !ok {
		return a.undeclared
	}
	if s := a.current.Load(); s != nil && s.Revision == settings.Revision {
		return s
	}
	s := a.newSite(settings)
	s.declared = true
	a.current.Store(s)
	return s
}

func (a *app) newSite(settings ideas.Settings) *site {
	s := &site{Settings: settings, requirements: settings.Requirements(), hostnames: make(map[string]bool, len(settings.Hostnames))}
	s.offer(a.catalogs)
	s.fontFace = a.assets.fontFace()
	for _, h := range settings.Hostnames {
		s.hostnames[normalHost(h)] = true
	}
	base, err := url.Parse(settings.BaseURL)
	if err == nil {
		s.secure = base.Scheme == "https"
		s.hostnames[normalHost(base.Host)] = true
	}
	s.location, err = time.LoadLocation(settings.TimeZone)
	if err != nil {
		// The control side refuses unknown zones; a page must not fail over one.
		s.location = time.UTC
	}
	s.paint()
	return s
}

// offer keeps the declared languages that have texts; where none has, the pages speak English.
func (s *site) offer(catalogs map[string]*translations.Catalog) {
	for _, tag := range s.Locales {
		base, _, _ := strings.Cut(strings.ToLower(tag), "-")
		if c := catalogs[base]; c != nil {
			s.languages = append(s.languages, offered{Tag: tag, catalog: c})
		}
	}
	if len(s.languages) == 0 {
		s.languages = []offered{{Tag: "en", catalog: catalogs["en"]}}
	}
	tags := make([]language.Tag, len(s.languages))
	for i, l := range s.languages {
		tags[i] = language.Make(l.Tag)
	}
	s.matcher = language.NewMatcher(tags)
}

// language of a tag, if the site offers it.
func (s *site) language(tag string) (offered, bool) {
	i := slices.IndexFunc(s.languages, func(l offered) bool { return strings.EqualFold(l.Tag, tag) })
	if i < 0 {
		return offered{}, false
	}
	return s.languages[i], true
}

// text picks the declared text for a language, else for the default one, else any; on one line.
func (s *site) text(texts map[string]string, lang offered) string { return s.pick(texts, lang, clean) }

// longText is text with its line ends, for Markdown.
func (s *site) longText(texts map[string]string, lang offered) string {
	return s.pick(texts, lang, cleanText)
}

func (s *site) pick(texts map[string]string, lang offered, clean func(string) string) string {
	for _, tag := range append([]string{lang.Tag, lang.catalog.Tag, s.languages[0].Tag}, s.Locales...) {
		if t := clean(texts[tag]); t != "" {
			return t
		}
	}
	return ""
}

// paint computes what depends on the brand's colours.
func (s *site) paint() {
	brand := theme.Brand{
		Primary: declaredColor(s.Colors.Primary), Accent: declaredColor(s.Colors.Accent),
		Background: declaredColor(s.Colors.Background), Text: declaredColor(s.Colors.Text),
	}
	light, dark := theme.Light(brand), theme.Dark(brand)
	s.themeCSS = s.fontFace + theme.CSS(brand)
	s.themeHash = contentHash([]byte(s.themeCSS))
	s.themeLight, s.themeDark = light.Surface.String(), dark.Surface.String()
	s.favicon = monogramSVG(initial(s.text(s.Name, s.languages[0])), light.Primary, light.OnPrimary)
	s.faviconAddress = "/favicon.svg?v=" + contentHash([]byte(s.favicon))
}

func declaredColor(s string) *theme.Color {
	c, ok := theme.Parse(s)
	if !ok {
		return nil
	}
	return &c
}

// monogramSVG is the letter on a rounded square.
func monogramSVG(letter string, ground, text theme.Color) string {
	return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 64 64"><rect width="64" height="64" rx="18" fill="` +
		ground.String() + `"/><text x="32" y="44" text-anchor="middle" font-family="system-ui,sans-serif" ` +
		`font-size="36" font-weight="700" fill="` + text.String() + `">` + html.EscapeString(letter) + `</text></svg>`
}

// initial is the first letter or digit of a name in upper case; "•" where there is none.
func initial(name string) string {
	for _, r := range name {
		if unicode.IsLetter(r) || unicode.IsDigit(r) {
			return strings.ToUpper(string(r))
		}
	}
	return "•"
}

// initials are those of the first and last word of a name.
func initials(name string) string {
	words := strings.FieldsFunc(name, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) })
	if len(words) == 0 {
		return "•"
	}
	first, _ := utf8.DecodeRuneInString(words[0])
	if len(words) == 1 {
		return strings.ToUpper(string(first))
	}
	last, _ := utf8.DecodeRuneInString(words[len(words)-1])
	return strings.ToUpper(string([]rune{first, last}))
}

// contentHash names content in an address that may be cached for ever.
func contentHash(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:6])
}
