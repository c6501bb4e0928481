package declared_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// What the documentation shows can be declared. A block that begins with a comment "challenges of …" goes with the house
// rules of the same page.
func TestDocumentedDeclarations(t *testing.T) {
	pages, err := filepath.Glob("../../docs/how-to/*.md")
	if err != nil {
		t.Fatal(err)
	}
	found := 0
	for _, page := range pages {
		raw, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		house := ""
		for _, match := range regexp.MustCompile("(?s)```yaml\n(.*?)```").FindAllStringSubmatch(string(raw), -1) {
			block := match[1]
			switch {
			case strings.HasPrefix(block, "# declared.yaml"):
				house = block
			case strings.HasPrefix(block, "# challenges of"):
				block = house + block
			default:
				continue
			}
			found++
			if _, err := rules.Read([]byte(block)); err != nil {
				t.Errorf("%s: %v\n%s", filepath.Base(page), err, match[1])
			}
		}
	}
	if found < 3 {
		t.Errorf("found %d declarations in the documentation, want 3 at least", found)
	}
}
