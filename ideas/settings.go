package ideas

import (
	"context"

	"github.com/quaeso/community-operator/internal/control"
)

// Settings are what the pages work by; the web and control side translate the declaration into them.
type Settings struct {
	BaseURL   string
	Hostnames []string
	Name      map[string]string
	TagLine   map[string]string
	LogoURL   string
	Colors    Colors
	// Locales offered, the default first.
	Locales  []string
	TimeZone string
	OIDC     *OIDCSettings
	// House rules; nil means their defaults.
	House *control.House
	// Revision changes whenever the settings do; pages use it as a cache key.
	Revision string
}

// Colors of the theme, "#rrggbb" or empty for the service's own.
type Colors struct{ Primary, Accent, Background, Text string }

// OIDCSettings names the issuer that members may sign in with.
type OIDCSettings struct {
	IssuerURL string
	Label     map[string]string
}

// SettingsSource gives the settings in force. Current is cheap (memory), and follows a declaration accepted by
// any replica within two seconds; ok is false before the first declaration.
type SettingsSource interface {
	Current(ctx context.Context) (s Settings, ok bool)
}
