package theme

import (
	"fmt"
	"strings"
)

// CSS writes both palettes as custom properties; the dark one applies to readers who prefer dark pages.
func CSS(b Brand) string {
	var w strings.Builder
	w.WriteString(":root{")
	Light(b).write(&w)
	w.WriteString("}\n@media (prefers-color-scheme:dark){:root{")
	Dark(b).write(&w)
	w.WriteString("}}\n")
	return w.String()
}

// properties names the colours for the style sheet.
func (p Palette) properties() []property {
	return []property{
		{"ground", p.Ground}, {"surface", p.Surface}, {"sunken", p.Sunken},
		{"text", p.Text}, {"muted", p.Muted}, {"line", p.Line}, {"control", p.Control},
		{"primary", p.Primary}, {"primary-hover", p.PrimaryHover}, {"primary-edge", p.PrimaryEdge},
		{"on-primary", p.OnPrimary}, {"link", p.Link}, {"focus", p.Focus},
		{"soft", p.Soft}, {"on-soft", p.OnSoft},
		{"accent", p.Accent}, {"on-accent", p.OnAccent},
		{"accent-soft", p.AccentSoft}, {"on-accent-soft", p.OnAccentSoft},
		{"danger", p.Danger}, {"danger-soft", p.DangerSoft}, {"on-danger-soft", p.OnDangerSoft},
		{"hero", p.Hero}, {"on-hero", p.OnHero}, {"on-hero-muted", p.OnHeroMuted},
		{"hero-shade", p.HeroShade}, {"hero-tint", p.HeroTint},
		{"hero-button", p.HeroButton}, {"on-hero-button", p.OnHeroButton},
	}
}

type property struct {
	name  string
	value Color
}

func (p Palette) write(w *strings.Builder) {
	scheme := "light"
	if p.Dark {
		scheme = "dark"
	}
	fmt.Fprintf(w, "color-scheme:%s", scheme)
	for _, v := range p.properties() {
		fmt.Fprintf(w, ";--%s:%s", v.name, v.value)
	}
	for i := range Avatars {
		fmt.Fprintf(w, ";--avatar-%d:%s;--on-avatar-%d:%s", i, p.Avatars[i], i, p.OnAvatars[i])
	}
}
