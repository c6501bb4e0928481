package stack

import (
	"strings"

	"github.com/quaeso/community-operator/api/v1alpha1"
	"github.com/quaeso/community-operator/internal/control"
	"github.com/quaeso/community-operator/internal/declaration"
)

// Settings are what is declared to the community's idea service.
func Settings(p Plan) control.Settings {
	s := control.Settings{
		BaseURL:   p.URL(),
		Hostnames: p.Hostnames,
		Brand: control.Brand{
			Name:    textByLocale(p.Community.Spec.Brand.DisplayName),
			TagLine: textByLocale(p.Community.Spec.Brand.TagLine),
			LogoURL: string(p.Community.Spec.Brand.LogoURL),
			Colors:  colors(p.Community.Spec.Brand.Colors),
		},
		TimeZone: p.TimeZone,
		House:    declaration.House(p.Community.Spec.House, p.ConfigMaps),
	}
	for _, l := range p.Locales {
		s.Locales = append(s.Locales, string(l))
	}
	if oidc := p.Community.Spec.OIDC; oidc != nil {
		s.OIDC = &control.OIDC{IssuerURL: string(oidc.IssuerURL), Label: textByLocale(oidc.Label)}
	}
	return s
}

func textByLocale(t v1alpha1.TextByLocale) map[string]string {
	if len(t) == 0 {
		return nil
	}
	out := make(map[string]string, len(t))
	for locale, text := range t {
		out[locale] = string(text)
	}
	return out
}

// colors are declared in lower case, as the contract asks for.
func colors(c *v1alpha1.BrandColors) control.Colors {
	if c == nil {
		return control.Colors{}
	}
	lower := func(c v1alpha1.Color) string { return strings.ToLower(string(c)) }
	return control.Colors{
		Primary:    lower(c.Primary),
		Accent:     lower(c.Accent),
		Background: lower(c.Background),
		Text:       lower(c.Text),
	}
}
