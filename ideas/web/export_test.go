package web

import "slices"

// APICalls lists the calls that are served, for the test that compares them with the document.
func APICalls() []string {
	var calls []string
	for _, route := range (&app{}).apiRoutes() {
		calls = append(calls, route.method+" "+route.path)
	}
	slices.Sort(calls)
	return calls
}
