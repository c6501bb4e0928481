package stack_test

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"os"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/json"
	"sigs.k8s.io/yaml"

	"github.com/quaeso/community-operator/internal/stack"
	"github.com/quaeso/community-operator/internal/testutil"
)

// TestGolden shows what each scenario becomes. Read testdata to learn what the operator makes.
func TestGolden(t *testing.T) {
	for name, s := range scenarios {
		t.Run(name, func(t *testing.T) {
			p := newPlan(t, s)
			var out bytes.Buffer
			fmt.Fprintf(&out, "# url: %s\n# database uri: %s\n", p.URL(), stack.DatabaseURI(p))
			out.WriteString("# Data of Secrets is decoded. Settings, the last document, are declared to the idea service.\n")
			writeObjects(t, &out, stack.Objects(p))
			out.WriteString("---\n")
			out.Write(toYAML(t, map[string]any{"settings": stack.Settings(p)}))
			testutil.Golden(t, name+".yaml", out.Bytes())
		})
	}
}

// TestGoldenFiles: a file that no scenario writes any more says nothing about the operator.
func TestGoldenFiles(t *testing.T) {
	entries, err := os.ReadDir("testdata")
	if err != nil {
		t.Fatalf("list the golden files: %v", err)
	}
	for _, e := range entries {
		name, isYAML := strings.CutSuffix(e.Name(), ".yaml")
		if !isYAML {
			continue // rapid's failure files
		}
		_, live := scenarios[name]
		if !live {
			t.Errorf("testdata/%s belongs to no scenario; delete it", e.Name())
		}
	}
}

func writeObjects(t testing.TB, out *bytes.Buffer, objects []runtime.ApplyConfiguration) {
	t.Helper()
	for _, o := range objects {
		object := toMap(t, o)
		if object["kind"] == "Secret" {
			decodeData(t, object)
		}
		out.WriteString("---\n")
		out.Write(toYAML(t, object))
	}
}

// decodeData makes a Secret readable.
func decodeData(t testing.TB, secret map[string]any) {
	t.Helper()
	data, _ := secret["data"].(map[string]any)
	for key, value := range data {
		raw, err := base64.StdEncoding.DecodeString(value.(string))
		if err != nil {
			t.Fatalf("decode key %s of a Secret: %v", key, err)
		}
		data[key] = string(raw)
	}
}

func toMap(t testing.TB, object any) map[string]any {
	t.Helper()
	raw, err := json.Marshal(object)
	if err != nil {
		t.Fatalf("marshal %T: %v", object, err)
	}
	var out map[string]any
	if err := json.Unmarshal(raw, &out); err != nil {
		t.Fatalf("unmarshal %T: %v", object, err)
	}
	return out
}

func toYAML(t testing.TB, object any) []byte {
	t.Helper()
	out, err := yaml.Marshal(object)
	if err != nil {
		t.Fatalf("write %T as YAML: %v", object, err)
	}
	return out
}
