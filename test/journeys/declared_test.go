//go:build e2e

package journeys

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/quaeso/community-operator/ideas/declared"
)

// Every declaration of a journey can be put in force: what is wrong with one is told here, and not by a page that misses.
func TestDeclarations(t *testing.T) {
	files, err := filepath.Glob("declared/*.yaml")
	if err != nil || len(files) == 0 {
		t.Fatalf("no declarations: %v", err)
	}
	for _, file := range files {
		name := strings.TrimSuffix(filepath.Base(file), ".yaml")
		t.Run(name, func(t *testing.T) {
			w := &world{T: t, base: "http://127.0.0.1:8080"}
			rules := declared.Rules{Locales: []string{"en", "fr"}}
			if _, err := rules.Read(w.declaration(name)); err != nil {
				t.Error(err)
			}
		})
	}
}
