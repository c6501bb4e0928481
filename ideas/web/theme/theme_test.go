package theme

import (
	"math"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

func TestParse(t *testing.T) {
	for in, want := range map[string]struct {
		color Color
		ok    bool
	}{
		"#000000":    {Black, true},
		"#ffffff":    {White, true},
		"#1a2B3c":    {Color{0x1a, 0x2b, 0x3c}, true},
		"":           {},
		"#fff":       {},
		"1a2b3c4":    {},
		"#1a2b3":     {},
		"#1a2b3c4":   {},
		"#gggggg":    {},
		"#+12345":    {},
		"red;}*{a:b": {},
	} {
		got, ok := Parse(in)
		if got != want.color || ok != want.ok {
			t.Errorf("Parse(%q) = %v, %v; want %v, %v", in, got, ok, want.color, want.ok)
		}
	}
}

// The expected ratios are those of the WCAG working group's definition, as any contrast checker shows them.
func TestContrast(t *testing.T) {
	for name, tc := range map[string]struct {
		a, b string
		want float64
	}{
		"extremes":             {"#000000", "#ffffff", 21},
		"order does not count": {"#ffffff", "#000000", 21},
		"same":                 {"#3f3cbb", "#3f3cbb", 1},
		"the AA grey":          {"#767676", "#ffffff", 4.54},
		"just below AA":        {"#777777", "#ffffff", 4.48},
		"red on white":         {"#ff0000", "#ffffff", 4.00},
		"yellow on white":      {"#ffff00", "#ffffff", 1.07},
		"blue on black":        {"#0000ff", "#000000", 2.44},
	} {
		a, _ := Parse(tc.a)
		b, _ := Parse(tc.b)
		if got := Contrast(a, b); math.Abs(got-tc.want) > 0.005 {
			t.Errorf("%s: Contrast(%s, %s) = %.3f; want %.2f", name, tc.a, tc.b, got, tc.want)
		}
	}
}

func TestOnPicksTheLegibleExtreme(t *testing.T) {
	for in, want := range map[string]Color{
		"#ffd500": Black, "#0057b8": White, "#ffffff": Black, "#000000": White, "#e30613": White, "#ff8800": Black,
	} {
		c, _ := Parse(in)
		if got := On(c); got != want {
			t.Errorf("On(%s) = %s; want %s", in, got, want)
		}
	}
}

// A brand's own colours stay untouched where they are legible.
func TestLightKeepsDeclaredColours(t *testing.T) {
	c := func(s string) *Color { v, _ := Parse(s); return &v }
	b := Brand{Primary: c("#0057b8"), Accent: c("#ffd500"), Background: c("#ffffff"), Text: c("#1a1a1a")}
	p := Light(b)
	got := []Color{p.Primary, p.Hero, p.Accent, p.Ground, p.Text, p.Link}
	want := []Color{*b.Primary, *b.Primary, *b.Accent, *b.Background, *b.Text, *b.Primary}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("colours changed although legible (-want +got):\n%s", diff)
	}
}

func TestIllegibleDeclaredTextIsCorrected(t *testing.T) {
	c := func(s string) *Color { v, _ := Parse(s); return &v }
	p := Light(Brand{Background: c("#ffffff"), Text: c("#fafafa")})
	if got := Contrast(p.Text, p.Ground); got < TextRatio {
		t.Errorf("text %s on %s has contrast %.2f", p.Text, p.Ground, got)
	}
}

// TestEveryBrandIsLegible holds the promise of the package for brands that nobody thought of.
func TestEveryBrandIsLegible(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		color := rapid.Custom(func(t *rapid.T) *Color {
			if !rapid.Bool().Draw(t, "declared") {
				return nil
			}
			v := rapid.Uint32Range(0, 0xffffff).Draw(t, "rgb")
			return &Color{uint8(v >> 16), uint8(v >> 8), uint8(v)}
		})
		b := Brand{
			Primary: color.Draw(t, "primary"), Accent: color.Draw(t, "accent"),
			Background: color.Draw(t, "background"), Text: color.Draw(t, "text"),
		}
		check(t, "light", Light(b))
		dark := Dark(b)
		if !dark.Dark {
			t.Fatalf("the dark palette is light")
		}
		check(t, "dark", dark)
	})
}

func check(t *rapid.T, name string, p Palette) {
	need := func(ratio float64, what string, c Color, grounds ...Color) {
		for _, g := range grounds {
			if got := Contrast(c, g); got < ratio {
				t.Errorf("%s: %s %s on %s has contrast %.2f; want %.1f", name, what, c, g, got, ratio)
			}
		}
	}
	grounds := []Color{p.Ground, p.Surface, p.Sunken}
	for what, c := range map[string]Color{"text": p.Text, "muted": p.Muted, "link": p.Link, "danger": p.Danger} {
		need(TextRatio, what, c, grounds...)
	}
	need(OutlineRatio, "control", p.Control, grounds...)
	need(OutlineRatio, "focus", p.Focus, grounds...)
	need(TextRatio, "text on primary", p.OnPrimary, p.Primary, p.PrimaryHover)
	need(TextRatio, "text on soft", p.OnSoft, p.Soft)
	need(TextRatio, "text on accent", p.OnAccent, p.Accent)
	need(TextRatio, "text on soft accent", p.OnAccentSoft, p.AccentSoft)
	need(TextRatio, "text on soft danger", p.OnDangerSoft, p.DangerSoft)
	need(TextRatio, "hero", p.OnHero, p.Hero)
	need(TextRatio, "muted hero", p.OnHeroMuted, p.Hero)
	need(TextRatio, "hero's button", p.OnHeroButton, p.HeroButton)
	for i := range Avatars {
		need(TextRatio, "initials", p.OnAvatars[i], p.Avatars[i])
	}
}

func TestCSSHoldsBothSchemes(t *testing.T) {
	css := CSS(Brand{})
	for _, want := range []string{
		"color-scheme:light", "(prefers-color-scheme:dark)", "color-scheme:dark", "--primary:#3f3cbb", "--on-avatar-9:",
	} {
		if !strings.Contains(css, want) {
			t.Errorf("CSS lacks %q:\n%s", want, css)
		}
	}
}
