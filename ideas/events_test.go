package ideas_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"slices"
	"strconv"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/quaeso/community-operator/ideas"
)

// Every kind that the file declares is in the list, so that a webhook may ask for it.
func TestEventKindsAreListed(t *testing.T) {
	file, err := parser.ParseFile(token.NewFileSet(), "events.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	var declared []ideas.EventKind
	ast.Inspect(file, func(n ast.Node) bool {
		spec, ok := n.(*ast.ValueSpec)
		if !ok {
			return true
		}
		if kind, ok := spec.Type.(*ast.Ident); ok && kind.Name == "EventKind" {
			text, err := strconv.Unquote(spec.Values[0].(*ast.BasicLit).Value)
			if err != nil {
				t.Fatal(err)
			}
			declared = append(declared, ideas.EventKind(text))
		}
		return true
	})
	slices.Sort(declared)
	if diff := cmp.Diff(declared, ideas.EventKinds()); diff != "" {
		t.Errorf("kinds (-declared +listed):\n%s", diff)
	}
}
