// Package declared decides whether what a brand declares can be put in force, and follows a file of declarations where
// there is no operator.
package declared

import (
	"fmt"
	"maps"
	"net"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/quaeso/community-operator/internal/control"
)

// Bounds of a declaration, no tighter than the Community's schema.
const (
	maxUID       = 128
	maxText      = 160
	maxURL       = 2048
	maxHostnames = 32
	maxLocales   = 16
)

var (
	colorPattern    = regexp.MustCompile(`^#[0-9a-f]{6}$`)
	hostnamePattern = regexp.MustCompile(`^([a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?\.)*[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$`)
)

// Rules decide whether a declaration can be put in force.
type Rules struct {
	// Locales that the service speaks.
	Locales []string
	// PlainIssuers accepts OpenID Connect issuers without https, for tests and local work.
	PlainIssuers bool
}

// refusals collects what is wrong with a declaration.
type refusals []control.Refusal

func (r *refusals) add(field, format string, args ...any) {
	*r = append(*r, control.Refusal{Field: field, Message: fmt.Sprintf(format, args...)})
}

// await refuses a reference to what is not declared yet.
func (r *refusals) await(field string, to control.Reference, format string, args ...any) {
	r.add(field, format, args...)
	(*r)[len(*r)-1].Awaits = &to
}

// Check names every field of a community's declaration that is at fault, in a stable order; nil for none.
func (rules Rules) Check(d control.Declaration) []control.Refusal {
	var r refusals
	if d.UID == "" || len(d.UID) > maxUID {
		r.add("uid", "must be the Community's uid, of 1 to %d bytes", maxUID)
	}
	if d.Generation < 1 {
		r.add("generation", "must be the Community's generation, 1 or more")
	}
	s := d.Settings
	checkBaseURL(&r, s.BaseURL)
	checkHostnames(&r, s.Hostnames)
	rules.checkLocales(&r, s.Locales)
	checkBrand(&r, s)
	if _, err := time.LoadLocation(s.TimeZone); err != nil || s.TimeZone == "" || s.TimeZone == "Local" {
		r.add("settings.timeZone", "must be an IANA time zone such as Europe/Paris")
	}
	if s.OIDC != nil {
		rules.checkIssuer(&r, s.OIDC.IssuerURL)
		checkTexts(&r, "settings.oidc.label", s.OIDC.Label)
	}
	if s.House != nil {
		checkHouse(&r, s)
		rules.checkWebhooks(&r, s.House.Webhooks)
		checkObjectives(&r, s)
		checkHouseQuotas(&r, s.House)
	}
	return r
}

func checkBaseURL(r *refusals, raw string) {
	u, err := url.Parse(raw)
	if err != nil || len(raw) > maxURL || (u.Scheme != "http" && u.Scheme != "https") || u.Hostname() == "" ||
		raw != u.Scheme+"://"+u.Host {
		r.add("settings.baseURL", "must be a scheme and a host, without a path or trailing slash, such as https://ideas.brand.example")
	}
}

func checkHostnames(r *refusals, names []string) {
	if len(names) > maxHostnames {
		r.add("settings.hostnames", "must be %d names at most", maxHostnames)
		return
	}
	for i, name := range names {
		field := fmt.Sprintf("settings.hostnames[%d]", i)
		switch {
		case len(name) > 253 || !hostnamePattern.MatchString(name):
			r.add(field, "must be a host name in lower case such as ideas.brand.example, without a port")
		case net.ParseIP(name) != nil:
			r.add(field, "must be a name, not an IP address")
		case slices.Index(names, name) < i:
			r.add(field, "repeats an earlier name")
		}
	}
}

func (rules Rules) checkLocales(r *refusals, locales []string) {
	if len(locales) == 0 || len(locales) > maxLocales {
		r.add("settings.locales", "must be 1 to %d of %s", maxLocales, strings.Join(rules.Locales, ", "))
		return
	}
	for i, locale := range locales {
		field := fmt.Sprintf("settings.locales[%d]", i)
		if !slices.Contains(rules.Locales, locale) {
			r.add(field, "must be one of %s", strings.Join(rules.Locales, ", "))
		} else if slices.Index(locales, locale) < i {
			r.add(field, "repeats an earlier locale")
		}
	}
}

func checkBrand(r *refusals, s control.Settings) {
	for _, locale := range s.Locales {
		if s.Brand.Name[locale] == "" {
			r.add("settings.brand.name."+quotable(locale), "is missing: every locale of the settings needs a name")
		}
	}
	checkTexts(r, "settings.brand.name", s.Brand.Name)
	checkTexts(r, "settings.brand.tagLine", s.Brand.TagLine)
	if s.Brand.LogoURL != "" && !isPublicURL(s.Brand.LogoURL, "https") {
		r.add("settings.brand.logoURL", "must be an https address such as https://brand.example/logo.svg")
	}
	for _, c := range []struct{ name, value string }{
		{"primary", s.Brand.Colors.Primary}, {"accent", s.Brand.Colors.Accent},
		{"background", s.Brand.Colors.Background}, {"text", s.Brand.Colors.Text},
	} {
		if c.value != "" && !colorPattern.MatchString(c.value) {
			r.add("settings.brand.colors."+c.name, "must be a colour written as # and six lower-case hexadecimal digits, such as #0b6e4f")
		}
	}
}

// checkTexts refuses what cannot be shown on one line: pages set the text's direction themselves.
func checkTexts(r *refusals, field string, texts map[string]string) {
	if len(texts) > maxLocales {
		r.add(field, "must be %d texts at most", maxLocales)
		return
	}
	for _, locale := range slices.Sorted(maps.Keys(texts)) {
		text := texts[locale]
		switch {
		case utf8.RuneCountInString(text) > maxText:
			r.add(field+"."+quotable(locale), "must be %d characters at most", maxText)
		case strings.ContainsFunc(text, func(c rune) bool { return unicode.IsControl(c) || unicode.Is(unicode.Bidi_Control, c) }):
			r.add(field+"."+quotable(locale), "must be one line without control or text-direction characters")
		}
	}
}

func (rules Rules) checkIssuer(r *refusals, raw string) {
	schemes := []string{"https"}
	if rules.PlainIssuers {
		schemes = append(schemes, "http")
	}
	if !isPublicURL(raw, schemes...) || strings.ContainsAny(raw, "?#") {
		r.add("settings.oidc.issuerURL", "must be the issuer's https address, without a query, such as https://login.brand.example")
	}
}

func isPublicURL(raw string, schemes ...string) bool {
	u, err := url.Parse(raw)
	return err == nil && len(raw) <= maxURL && slices.Contains(schemes, u.Scheme) && u.Hostname() != "" && u.User == nil
}

// quotable keeps a hostile map key from filling a message.
func quotable(key string) string {
	const longest = 35
	return strings.ToValidUTF8(key[:min(len(key), longest)], "")
}
