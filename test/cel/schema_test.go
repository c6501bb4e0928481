// Package cel_test holds the schema of the API against a real API server: every rule has an object that it
// refuses, in words that say what would be right, and one that it lets pass.
package cel_test

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	jsonpatch "github.com/evanphx/json-patch/v5"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	"github.com/quaeso/community-operator/internal/testutil/kubeapi"
)

// Valid objects that rows start from, in testdata.
const (
	community         = "community"
	communityExternal = "community-external"
	class             = "class"
	classShared       = "class-shared"
	classStandalone   = "class-standalone"
	challenge         = "challenge"
	ideation          = "challenge-ideation"
	ballotPerDay      = "challenge-per-day"
	ballotBudget      = "challenge-budget"
	ballotApproval    = "challenge-approval"
	survey            = "challenge-survey"
	conceptTest       = "challenge-concept-test"
	betaTest          = "challenge-beta-test"
	forum             = "challenge-forum"
	workshop          = "challenge-workshop"
	mission           = "challenge-mission"
	rewardPolicy      = "reward-policy"
)

var bases = []string{
	community, communityExternal, class, classShared, classStandalone, challenge, ideation, ballotPerDay, ballotBudget, ballotApproval,
	survey, conceptTest, betaTest, forum, workshop, mission, rewardPolicy,
}

// row is one object that the schema judges.
type row struct {
	// base is the valid object that it starts from.
	base string
	// patch changes the base: a JSON merge patch, written in YAML.
	patch string
	// then changes the stored object, for rules about transitions.
	then string
	// field and message of the refusal; both empty when the object is good.
	field, message string
}

// read returns a base with merge patches laid over it.
func read(t testing.TB, base string, patches ...string) *unstructured.Unstructured {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join("testdata", base+".yaml"))
	if err != nil {
		t.Fatal(err)
	}
	object, err := yaml.YAMLToJSON(raw)
	if err != nil {
		t.Fatalf("read %s: %v", base, err)
	}
	for _, patch := range patches {
		if patch == "" {
			continue
		}
		change, err := yaml.YAMLToJSON([]byte(patch))
		if err != nil {
			t.Fatalf("read the patch %s: %v", patch, err)
		}
		if object, err = jsonpatch.MergePatch(object, change); err != nil {
			t.Fatalf("patch %s: %v", base, err)
		}
	}
	u := &unstructured.Unstructured{}
	if err := json.Unmarshal(object, u); err != nil {
		t.Fatalf("read %s: %v", base, err)
	}
	return u
}

// namespaced tells whether an object's kind lives in namespaces: all but the class.
func namespaced(object *unstructured.Unstructured) bool { return object.GetKind() != "CommunityClass" }

// judge asks the API server about an object without storing it.
func judge(t testing.TB, object *unstructured.Unstructured) error {
	t.Helper()
	if namespaced(object) {
		object.SetNamespace("default")
	}
	return kubeapi.Shared(t).Client.Create(t.Context(), object, client.DryRunAll)
}

// judgeChange stores an object and asks the API server about a change to it.
func judgeChange(t testing.TB, r row) error {
	t.Helper()
	api := kubeapi.Shared(t)
	stored := read(t, r.base, r.patch)
	if namespaced(stored) {
		stored.SetNamespace(api.Namespace(t))
	}
	stored.SetName("a-" + strings.ToLower(rowName.ReplaceAllString(t.Name(), "")[:8]))
	if err := api.Client.Create(t.Context(), stored); err != nil {
		t.Fatalf("store the object to change: %v", err)
	}
	t.Cleanup(func() { _ = api.Client.Delete(t.Context(), stored) })
	change, err := yaml.YAMLToJSON([]byte(r.then))
	if err != nil {
		t.Fatal(err)
	}
	return api.Client.Patch(t.Context(), stored, client.RawPatch("application/merge-patch+json", change), client.DryRunAll)
}

var rowName = regexp.MustCompile(`[^a-zA-Z0-9]`)

// causes of a refusal, without the note that some rules were left out.
func causes(t testing.TB, err error) []metav1.StatusCause {
	t.Helper()
	var status apierrors.APIStatus
	if !errors.As(err, &status) || status.Status().Details == nil {
		t.Fatalf("the API server did not judge the object: %v", err)
	}
	return slices.DeleteFunc(slices.Clone(status.Status().Details.Causes), func(c metav1.StatusCause) bool {
		return strings.Contains(c.Message, "some validation rules were not checked")
	})
}

// check compares a verdict with what a row expects: acceptance, or exactly one cause.
func check(t *testing.T, err error, field, message string) {
	t.Helper()
	if message == "" {
		if err != nil {
			t.Errorf("refused a good object: %.600v", err)
		}
		return
	}
	if err == nil {
		t.Fatalf("accepted a bad object; want %s: %s", field, message)
	}
	got := causes(t, err)
	if len(got) != 1 || got[0].Field != field || !strings.HasSuffix(got[0].Message, message) {
		t.Errorf("want one cause, at %s: %s", field, message)
		for _, c := range got {
			t.Errorf("got %s: %.300s", c.Field, c.Message)
		}
	}
}

// schemas are the spec schemas of our kinds.
func schemas(t testing.TB) map[string]apiextensionsv1.JSONSchemaProps {
	t.Helper()
	root, err := kubeapi.Root()
	if err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob(filepath.Join(root, "config", "crd", "*_*.yaml"))
	if err != nil || len(files) == 0 {
		t.Fatalf("find the custom resource definitions: %v", err)
	}
	out := map[string]apiextensionsv1.JSONSchemaProps{}
	for _, file := range files {
		raw, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var crd apiextensionsv1.CustomResourceDefinition
		if err := yaml.UnmarshalStrict(raw, &crd); err != nil {
			t.Fatalf("read %s: %v", file, err)
		}
		out[crd.Spec.Names.Kind] = *crd.Spec.Versions[0].Schema.OpenAPIV3Schema
	}
	return out
}

// foreign are fields whose schema comes from Kubernetes.
var foreign = []string{"spec.podTemplate.affinity", "spec.podTemplate.tolerations"}

// walk visits every node of a schema. Elements of lists are written path[], values of maps path[*].
func walk(path string, node apiextensionsv1.JSONSchemaProps, visit func(path string, node apiextensionsv1.JSONSchemaProps)) {
	visit(path, node)
	if slices.Contains(foreign, path) {
		return
	}
	if node.Items != nil && node.Items.Schema != nil {
		walk(path+"[]", *node.Items.Schema, visit)
	}
	if node.AdditionalProperties != nil && node.AdditionalProperties.Schema != nil {
		walk(path+"[*]", *node.AdditionalProperties.Schema, visit)
	}
	for name, property := range node.Properties {
		walk(strings.TrimPrefix(path+"."+name, "."), property, visit)
	}
}

// inSpec tells whether a path is the user's to fill in.
func inSpec(path string) bool { return path == "spec" || strings.HasPrefix(path, "spec.") }
