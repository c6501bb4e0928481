// Package web serves the pages of a community: rendered on the server, usable without JavaScript, in the
// brand's colours and the reader's language.
package web

import (
	"fmt"
	"log/slog"
	"maps"
	"net/http"
	"slices"
	"sync/atomic"
	"time"

	"github.com/quaeso/community-operator/ideas"
	"github.com/quaeso/community-operator/ideas/web/compiled"
	"github.com/quaeso/community-operator/ideas/web/translations"
)

// LinkPath is where a sign-in link leads; mails carry the settings' BaseURL + LinkPath + "?token=" + token.
const LinkPath = "/sign-in/link"

// OIDCCallbackPath is the redirect URI's path that is registered with an OpenID Connect issuer.
const OIDCCallbackPath = "/sign-in/oidc/callback"

// Config is what the pages are made of.
type Config struct {
	// Store keeps what members write.
	Store ideas.Store
	// SignIn makes and ends sessions.
	SignIn ideas.SignIn
	// Recognition keeps what members earn.
	Recognition ideas.Recognition
	// Programme in force; an empty one when nil.
	Programme ideas.ProgrammeSource
	// Settings in force; before the first declaration every page says that the community is being set up.
	Settings ideas.SettingsSource
	// OIDC asks the declared issuer; nil where no client is configured, which hides the button.
	OIDC OIDC
	// Logger receives failures and, at debug level, requests; slog.Default when nil.
	Logger *slog.Logger
	// Clock tells the time; time.Now when nil.
	Clock func() time.Time
	// Version of the service, shown in the page source.
	Version string
	// Alone accepts any Host header, for work on pages without a declaration of hostnames.
	Alone bool
	// BehindProxy takes the client's address from the last entry of X-Forwarded-For, which the proxy in
	// front wrote. Without it the address is that of the connection.
	BehindProxy bool
	// Limits of requests; the default ones when zero.
	Limits Limits
}

// app holds what all requests share.
type app struct {
	cfg        Config
	log        *slog.Logger
	now        func() time.Time
	catalogs   map[string]*translations.Catalog
	templates  map[string]*compiled.Set
	assets     *assets
	markdown   *markdown
	compressor *compressor
	origin     *http.CrossOriginProtection
	// uploading has an item for each file that is being read.
	uploading chan struct{}
	limiter   *limiter
	// undeclared is what pages show before the first declaration; current is the last site made.
	undeclared *site
	current    atomic.Pointer[site]
	brandTeam  team
}

// New makes the handler of all pages. It serves every path; the caller mounts probes and metrics elsewhere.
// It panics when the embedded texts, templates or files are damaged, which the tests rule out.
func New(cfg Config) http.Handler {
	a := &app{
		cfg: cfg, log: cfg.Logger, now: cfg.Clock,
		markdown: newMarkdown(), compressor: newCompressor(), origin: http.NewCrossOriginProtection(), uploading: make(chan struct{}, uploads),
		limiter: newLimiter(),
	}
	if a.cfg.Limits == (Limits{}) {
		a.cfg.Limits = DefaultLimits()
	}
	if a.log == nil {
		a.log = slog.Default()
	}
	if a.now == nil {
		a.now = time.Now
	}
	var err error
	if a.catalogs, err = translations.Load(); err != nil {
		panic(fmt.Sprintf("web: %v", err))
	}
	if a.assets, err = newAssets(); err != nil {
		panic(fmt.Sprintf("web: %v", err))
	}
	a.templates = a.templateSets()
	a.undeclared = a.newSite(ideas.Settings{Locales: slices.Sorted(maps.Keys(a.catalogs))})
	return a.handler()
}

// handler routes requests. Files need no reader's session, so they bypass what pages go through.
func (a *app) handler() http.Handler {
	pages := http.NewServeMux()
	for pattern, h := range a.routes() {
		pages.Handle(pattern, a.page(limitOfRoute(pattern), h))
	}
	all := http.NewServeMux()
	all.Handle("GET /static/", a.assets)
	all.HandleFunc("GET /theme.css", a.theme)
	all.HandleFunc("GET /favicon.svg", a.favicon)
	all.HandleFunc("GET /favicon.ico", a.favicon)
	all.HandleFunc("GET /robots.txt", a.robots)
	all.Handle("/api/v1/", a.api())
	all.Handle("/", pages)
	return a.guard(all)
}

// routes of all pages and of the forms on them. Each part has its own beside its handlers.
func (a *app) routes() map[string]handle {
	all := map[string]handle{}
	for _, part := range []map[string]handle{
		a.siteRoutes(),
		a.ideaRoutes(), a.moderationRoutes(),
		a.challengeRoutes(), a.contestRoutes(), a.juryRoutes(),
		a.methodRoutes(),
		a.signInRoutes(),
		a.memberRoutes(),
		a.joinRoutes(),
		a.termsRoutes(),
		a.accountRoutes(),
		a.noticeRoutes(),
		a.dataRoutes(),
		a.memberPageRoutes(),
		a.teamMemberRoutes(),
		a.tokenRoutes(),
		a.teamRoutes(),
		a.recognitionRoutes(),
		a.royaltyRoutes(),
		a.webhookRoutes(),
		a.reachRoutes(),
		a.insightRoutes(),
	} {
		maps.Copy(all, part)
	}
	return all
}

// siteRoutes are the pages that belong to no part.
func (a *app) siteRoutes() map[string]handle {
	return map[string]handle{"GET /{$}": a.home, "/": a.notFound}
}
