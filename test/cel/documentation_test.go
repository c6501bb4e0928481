package cel_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"

	"github.com/quaeso/community-operator/internal/testutil/kubeapi"
)

// explainedTogether are fields that their parent's line explains.
var explainedTogether = []string{"cpu", "memory"}

// TestSpecPagesAreComplete fails for a field that the kind's page in docs/spec does not explain.
func TestSpecPagesAreComplete(t *testing.T) {
	for kind, schema := range schemas(t) {
		page := document(t, "docs/spec/"+strings.ToLower(kind)+".md")
		walk("", schema, func(path string, node apiextensionsv1.JSONSchemaProps) {
			last := path[strings.LastIndex(path, ".")+1:]
			field, ok := strings.CutPrefix(path, "spec.")
			if !ok || strings.HasSuffix(path, "[]") || strings.HasSuffix(path, "[*]") || slices.Contains(explainedTogether, last) {
				return
			}
			if !strings.Contains(page, "`"+field+"`") {
				t.Errorf("docs/spec: the page of %s does not explain `%s`", kind, field)
			}
		})
	}
}

// TestEveryReasonIsExplained fails for a condition or a reason that docs/spec does not explain.
func TestEveryReasonIsExplained(t *testing.T) {
	pages := ""
	for kind := range schemas(t) {
		pages += document(t, "docs/spec/"+strings.ToLower(kind)+".md")
	}
	root, err := kubeapi.Root()
	if err != nil {
		t.Fatal(err)
	}
	file, err := parser.ParseFile(token.NewFileSet(), filepath.Join(root, "api", "v1alpha1", "conditions.go"), nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	found := 0
	ast.Inspect(file, func(n ast.Node) bool {
		literal, ok := n.(*ast.BasicLit)
		if !ok || literal.Kind != token.STRING {
			return true
		}
		name, err := strconv.Unquote(literal.Value)
		if err != nil {
			t.Fatal(err)
		}
		found++
		if !strings.Contains(pages, "| `"+name+"` |") {
			t.Errorf("docs/spec has no line on %s", name)
		}
		return true
	})
	if found < 20 {
		t.Errorf("found only %d conditions and reasons", found)
	}
}

func document(t *testing.T, path string) string {
	t.Helper()
	root, err := kubeapi.Root()
	if err != nil {
		t.Fatal(err)
	}
	raw, err := os.ReadFile(filepath.Join(root, filepath.FromSlash(path)))
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}
