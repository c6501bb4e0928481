package web

import (
	"maps"
	"slices"
	"strings"

	"github.com/quaeso/community-operator/ideas"
)

// APIRoute is a call as tests see it.
type APIRoute struct {
	Method, Path string
	Scope        ideas.Scope
	Public       bool
	Needs        ideas.Permission
}

// APIRoutes lists the calls with what each asks for.
func APIRoutes() []APIRoute {
	var all []APIRoute
	for _, r := range (&app{}).apiRoutes() {
		all = append(all, APIRoute{r.method, r.path, r.scope, r.public, r.needs})
	}
	return all
}

// APICalls lists the calls that are served, for the test that compares them with the document.
func APICalls() []string {
	var calls []string
	for _, route := range (&app{}).apiRoutes() {
		calls = append(calls, route.method+" "+route.path)
	}
	slices.Sort(calls)
	return calls
}

// PageRoutes lists the addresses that answer to GET, for the list that journeys compare with what axe-core has seen.
func PageRoutes() []string {
	var pages []string
	for pattern := range (&app{}).routes() {
		if path, isGet := strings.CutPrefix(pattern, "GET "); isGet {
			pages = append(pages, path)
		}
	}
	slices.Sort(pages)
	return pages
}

// Routes lists the patterns of all pages and forms.
func Routes() []string { return slices.Sorted(maps.Keys((&app{}).routes())) }

// LimitedRoutes are those that are counted in a way of their own.
func LimitedRoutes() map[string]limitKind { return limitedRoutes }
