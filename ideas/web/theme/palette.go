package theme

import "math"

// Ratios of WCAG 2.2: 1.4.3 for text, 1.4.11 for the outline of a control or of the focus.
const (
	TextRatio    = 4.5
	OutlineRatio = 3
)

// Brand is what is declared of a theme; a nil colour is derived.
type Brand struct{ Primary, Accent, Background, Text *Color }

// Palette is every colour that the style sheet uses. Text colours are legible on Ground, Surface and Sunken
// unless their name says what else they stand on.
type Palette struct {
	// Dark tells that light text stands on dark grounds.
	Dark bool
	// Ground is the page, Surface a card on it, Sunken a band that sets itself apart.
	Ground, Surface, Sunken Color
	Text, Muted             Color
	// Line separates; Control outlines something to fill in or press.
	Line, Control Color
	// Primary is the fill of the main action, PrimaryEdge its outline.
	Primary, PrimaryHover, PrimaryEdge, OnPrimary Color
	Link, Focus                                   Color
	// Soft fills are tints of their colour on Surface.
	Soft, OnSoft             Color
	Accent, OnAccent         Color
	AccentSoft, OnAccentSoft Color
	Danger                   Color
	DangerSoft, OnDangerSoft Color
	// Hero is the band that opens the home page.
	Hero, OnHero, OnHeroMuted Color
	HeroShade, HeroTint       Color
	HeroButton, OnHeroButton  Color
	// Avatars are the grounds of initials, OnAvatars their letters.
	Avatars, OnAvatars [Avatars]Color
}

// Avatars is how many different colours of initials there are.
const Avatars = 10

// The service's own colours, for a brand that declares none.
var (
	ownPrimary = Color{0x3f, 0x3c, 0xbb}
	ownAccent  = Color{0xf5, 0xa5, 0x24}
	ownDanger  = Color{0xb4, 0x23, 0x18}
)

// Light is the palette of the declared colours.
func Light(b Brand) Palette {
	primary := or(b.Primary, ownPrimary)
	hue := primary.toLCH()
	ground := or(b.Background, lch{l: 0.982, c: min(hue.c, 0.006), h: hue.h}.color())
	text := or(b.Text, tinted(hue, On(ground)))
	pole := On(ground)
	if Contrast(text, ground) >= TextRatio {
		// A declared text that is legible decides which side text is on, also on a ground of middle grey.
		pole = sideOf(text, ground)
	}
	p := Palette{Dark: pole == White, Ground: ground, Primary: primary, Hero: primary}
	p.Text = text
	return p.derive(pole, or(b.Accent, ownAccent), 0.09)
}

// Dark is the palette for readers who prefer dark pages. A brand whose own ground is dark keeps it.
func Dark(b Brand) Palette {
	if light := Light(b); light.Dark {
		return light
	}
	primary := or(b.Primary, ownPrimary)
	hue := primary.toLCH()
	p := Palette{Dark: true, Ground: lch{l: 0.19, c: min(hue.c, 0.016), h: hue.h}.color()}
	p.Text = tinted(hue, White)
	p.Primary = ensure(primary, OutlineRatio, White, p.Ground, raised(p.Ground, White))
	if p.Primary != primary && hue.c < 0.04 {
		// A black brand turns white on black; the grey between would look switched off.
		p.Primary = p.Text
	}
	// A large bright area would glare on a dark page.
	hero := hue
	hero.l, hero.c = min(hero.l, 0.36), min(hero.c, 0.13)
	p.Hero = hero.color()
	return p.derive(White, or(b.Accent, ownAccent), 0.2)
}

// derive completes a palette that has Ground, Text, Primary and Hero; tint is the strength of soft fills.
func (p Palette) derive(pole, accent Color, tint float64) Palette {
	p.Surface = raised(p.Ground, pole)
	p.Sunken = guarded(mix(mix(p.Ground, p.Primary, 0.05), Black, 0.012), p.Ground, pole)
	if pole == White {
		p.Sunken = mix(p.Ground, Black, 0.2)
	}
	grounds := []Color{p.Ground, p.Surface, p.Sunken}

	p.Text = ensure(p.Text, TextRatio, pole, grounds...)
	p.Muted = ensure(mix(p.Text, p.Ground, 0.36), TextRatio+0.3, pole, grounds...)
	p.Line = mix(p.Surface, p.Text, 0.13)
	p.Control = ensure(mix(p.Surface, p.Text, 0.42), OutlineRatio, pole, grounds...)

	p.OnPrimary = On(p.Primary)
	p.PrimaryHover = hover(p.Primary, p.OnPrimary)
	p.PrimaryEdge = ensure(p.Primary, 1.5, pole, grounds...)
	p.Link = ensure(p.Primary, TextRatio, pole, grounds...)
	p.Focus = ensure(p.Primary, OutlineRatio, pole, grounds...)
	p.Soft, p.OnSoft = p.soft(p.Primary, pole, tint)

	if pole == White {
		// A dark accent would vanish on a dark page.
		accent = ensure(accent, 2, White, grounds...)
	}
	p.Accent, p.OnAccent = accent, On(accent)
	p.AccentSoft, p.OnAccentSoft = p.soft(accent, pole, tint*1.6)
	p.Danger = ensure(ownDanger, TextRatio, pole, grounds...)
	p.DangerSoft, p.OnDangerSoft = p.soft(p.Danger, pole, tint)

	p.OnHero = On(p.Hero)
	p.OnHeroMuted = ensure(mix(p.OnHero, p.Hero, 0.18), TextRatio, p.OnHero, p.Hero)
	p.HeroShade = mix(p.Hero, Black, 0.16)
	if Contrast(p.HeroShade, p.Hero) < 1.06 {
		p.HeroShade = mix(p.Hero, White, 0.08)
	}
	p.HeroTint = mix(p.Hero, White, 0.16)
	p.HeroButton = p.OnHero
	p.OnHeroButton = ensure(p.Hero, TextRatio, On(p.HeroButton), p.HeroButton)

	for i := range Avatars {
		h := (float64(i) + 0.4) * 2 * math.Pi / Avatars
		p.Avatars[i], p.OnAvatars[i] = lch{0.9, 0.055, h}.color(), lch{0.36, 0.085, h}.color()
		if p.Dark {
			p.Avatars[i], p.OnAvatars[i] = lch{0.38, 0.06, h}.color(), lch{0.93, 0.04, h}.color()
		}
	}
	return p
}

// soft is a tint of c on the surface and the text on it: a deep shade of c.
func (p Palette) soft(c, pole Color, tint float64) (ground, text Color) {
	ground = guarded(mix(p.Surface, c, tint), p.Surface, pole)
	return ground, ensure(c, TextRatio, pole, ground)
}

// raised is the ground of a card: nearer to the light, where text keeps its legibility.
func raised(ground, pole Color) Color {
	if pole == Black {
		return mix(ground, White, 0.75)
	}
	return guarded(mix(ground, White, 0.055), mix(ground, Black, 0.12), pole)
}

// guarded is the wanted ground where text can be legible on it with some room, else the other.
func guarded(want, other, pole Color) Color {
	if Contrast(pole, want) >= 5.5 {
		return want
	}
	return other
}

// hover is a shade of the fill on which its text stays legible.
func hover(fill, text Color) Color {
	away := Black
	if text == Black {
		away = White
	}
	if shade := mix(fill, away, 0.14); shade != fill {
		return shade
	}
	if shade := mix(fill, text, 0.18); Contrast(shade, text) >= TextRatio {
		return shade
	}
	return fill
}

// tinted is a text colour close to the pole with a breath of the hue.
func tinted(hue lch, pole Color) Color {
	if pole == White {
		return lch{l: 0.94, c: min(hue.c, 0.01), h: hue.h}.color()
	}
	return lch{l: 0.235, c: min(hue.c, 0.025), h: hue.h}.color()
}

// sideOf is the pole on whose side of the ground the text lies.
func sideOf(text, ground Color) Color {
	if text.Luminance() > ground.Luminance() {
		return White
	}
	return Black
}

func or(c *Color, own Color) Color {
	if c == nil {
		return own
	}
	return *c
}
