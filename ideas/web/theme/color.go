// Package theme turns a brand's few colours into a complete, legible set: every pair of text and ground that
// the style sheet uses reaches the contrast that WCAG 2.2 AA asks for, in light and in dark.
package theme

import (
	"fmt"
	"math"
	"strconv"
)

// Color is an sRGB colour, eight bits a channel.
type Color struct{ R, G, B uint8 }

// The extremes, one of which is legible on any ground.
var (
	Black = Color{0, 0, 0}
	White = Color{255, 255, 255}
)

// Parse reads "#rrggbb"; ok is false for anything else.
func Parse(s string) (c Color, ok bool) {
	if len(s) != 7 || s[0] != '#' {
		return Color{}, false
	}
	n, err := strconv.ParseUint(s[1:], 16, 32)
	if err != nil {
		return Color{}, false
	}
	return Color{R: uint8(n >> 16), G: uint8(n >> 8), B: uint8(n)}, true //nolint:gosec // 24 bits, by the length
}

// String writes the colour as "#rrggbb".
func (c Color) String() string { return fmt.Sprintf("#%02x%02x%02x", c.R, c.G, c.B) }

// Luminance is the relative luminance of WCAG 2, 0 for black to 1 for white.
func (c Color) Luminance() float64 {
	return 0.2126*linear(c.R) + 0.7152*linear(c.G) + 0.0722*linear(c.B)
}

// Contrast is the contrast ratio of WCAG 2, 1 to 21; the order of the colours does not matter.
func Contrast(a, b Color) float64 {
	la, lb := a.Luminance(), b.Luminance()
	if la < lb {
		la, lb = lb, la
	}
	return (la + 0.05) / (lb + 0.05)
}

// On is the text colour, black or white, that is more legible on the ground. It reaches at least 4.5.
func On(ground Color) Color {
	if Contrast(White, ground) >= Contrast(Black, ground) {
		return White
	}
	return Black
}

// linear undoes the transfer function of sRGB for one channel.
func linear(v uint8) float64 {
	f := float64(v) / 255
	if f <= 0.04045 {
		return f / 12.92
	}
	return math.Pow((f+0.055)/1.055, 2.4)
}

// gamma applies the transfer function of sRGB and clips to the gamut.
func gamma(f float64) uint8 {
	if f <= 0.0031308 {
		f *= 12.92
	} else {
		f = 1.055*math.Pow(f, 1/2.4) - 0.055
	}
	return uint8(math.Round(255 * min(max(f, 0), 1)))
}

// lch is a colour in OKLCH: lightness 0 to 1, chroma, and hue in radians. Steps in it look even to the eye,
// so a derived shade keeps the brand's hue.
type lch struct{ l, c, h float64 }

// toLCH converts with Björn Ottosson's OKLab matrices (https://bottosson.github.io/posts/oklab/).
func (c Color) toLCH() lch {
	r, g, b := linear(c.R), linear(c.G), linear(c.B)
	l := math.Cbrt(0.4122214708*r + 0.5363325363*g + 0.0514459929*b)
	m := math.Cbrt(0.2119034982*r + 0.6806995451*g + 0.1073969566*b)
	s := math.Cbrt(0.0883024619*r + 0.2817188376*g + 0.6299787005*b)
	lightness := 0.2104542553*l + 0.7936177850*m - 0.0040720468*s
	a := 1.9779984951*l - 2.4285922050*m + 0.4505937099*s
	bb := 0.0259040371*l + 0.7827717662*m - 0.8086757660*s
	return lch{l: lightness, c: math.Hypot(a, bb), h: math.Atan2(bb, a)}
}

// color converts back; what lies outside sRGB is clipped.
func (p lch) color() Color {
	a, b := p.c*math.Cos(p.h), p.c*math.Sin(p.h)
	l := cube(p.l + 0.3963377774*a + 0.2158037573*b)
	m := cube(p.l - 0.1055613458*a - 0.0638541728*b)
	s := cube(p.l - 0.0894841775*a - 1.2914855480*b)
	return Color{
		R: gamma(4.0767416621*l - 3.3077115913*m + 0.2309699292*s),
		G: gamma(-1.2684380046*l + 2.6097574011*m - 0.3413193965*s),
		B: gamma(-0.0041960863*l - 0.7034186147*m + 1.7076147010*s),
	}
}

func cube(f float64) float64 { return f * f * f }

// mix blends share (0 to 1) of b into a, channel by channel.
func mix(a, b Color, share float64) Color {
	blend := func(x, y uint8) uint8 {
		return uint8(math.Round(float64(x)*(1-share) + float64(y)*share))
	}
	return Color{R: blend(a.R, b.R), G: blend(a.G, b.G), B: blend(a.B, b.B)}
}

// ensure returns the colour nearest to c, in steps of lightness toward pole (Black or White), that has the
// ratio against every ground. It ends at the pole at the latest, so pole itself must be legible on them.
func ensure(c Color, ratio float64, pole Color, grounds ...Color) Color {
	if legible(c, ratio, grounds) {
		return c
	}
	step := 0.01
	if pole == Black {
		step = -step
	}
	p := c.toLCH()
	for p.l += step; p.l > 0 && p.l < 1; p.l += step {
		// Colours near the extremes hold little chroma; fading it avoids shifts of hue by clipping.
		faded := p
		faded.c = min(p.c, 0.5*min(p.l, 1-p.l)+0.02)
		if got := faded.color(); legible(got, ratio, grounds) {
			return got
		}
	}
	return pole
}

func legible(c Color, ratio float64, grounds []Color) bool {
	for _, g := range grounds {
		if Contrast(c, g) < ratio {
			return false
		}
	}
	return true
}
