//go:build e2e

package journeys

import (
	"flag"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"sync"
)

// pageList has the addresses that the service answers with GET, one on a line; a test beside the pages keeps it true.
const pageList = "../../ideas/web/testdata/pages.txt"

// notPages answer with a file or lead on to a page, so there is nothing for axe-core to look at.
var notPages = []string{
	"/account/data/export/{id}", "/account/terms/{hash}/certificate", "/challenges/{name}/draw.json", "/challenges/{name}/result.jsonl",
	"/challenges/{name}/sessions/{session}/calendar.ics", "/files/{file}/{digest}/{name}", "/notices/{id}",
	"/sign-in/oidc", "/sign-in/oidc/callback", "/team/royalties/{id}/payouts.csv",
	// A part of the form of a new idea.
	"/ideas/similar",
}

// seenByAxe is what axe-core has looked at in any journey, in light and dark: by page, the languages.
var seenByAxe sightings

type sightings struct {
	mutex sync.Mutex
	seen  map[string][]string
	pages *http.ServeMux
}

type sighting struct{ Path, Locale string }

// saw notes the page that a path leads to.
func (s *sightings) saw(one sighting) (struct{}, error) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	if s.pages == nil {
		list, err := listPages()
		if err != nil {
			return struct{}{}, err
		}
		s.pages, s.seen = http.NewServeMux(), map[string][]string{}
		for _, page := range list {
			s.pages.Handle("GET "+page, http.NotFoundHandler())
		}
	}
	_, pattern := s.pages.Handler(httptest.NewRequest(http.MethodGet, one.Path, http.NoBody))
	page := strings.TrimPrefix(pattern, "GET ")
	if !slices.Contains(s.seen[page], one.Locale) {
		s.seen[page] = append(s.seen[page], one.Locale)
	}
	return struct{}{}, nil
}

// complete names the pages that no journey has shown to axe-core in both languages.
func (s *sightings) complete() error {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	list, err := listPages()
	if err != nil {
		return err
	}
	var missing []string
	for _, page := range list {
		known := slices.Contains(notPages, page)
		switch {
		case known && s.seen[page] != nil:
			missing = append(missing, page+" is a page after all: take it from notPages")
		case !known && len(s.seen[page]) < 2:
			missing = append(missing, fmt.Sprintf("%s was seen in %v", page, s.seen[page]))
		}
	}
	for _, page := range notPages {
		if !slices.Contains(list, page) {
			missing = append(missing, page+" is no address any more: take it from notPages")
		}
	}
	if len(missing) > 0 {
		return fmt.Errorf("axe-core must see every page in both languages; let a journey show it with w.shot:\n%s", strings.Join(missing, "\n"))
	}
	return nil
}

func listPages() ([]string, error) {
	raw, err := os.ReadFile(pageList)
	if err != nil {
		return nil, fmt.Errorf("read the list of pages: %w", err)
	}
	return strings.Fields(string(raw)), nil
}

// everythingRan tells that no journey was left out by a flag.
func everythingRan() bool {
	for _, name := range []string{"test.run", "test.skip", "test.list"} {
		if f := flag.Lookup(name); f != nil && f.Value.String() != "" {
			return false
		}
	}
	return true
}
