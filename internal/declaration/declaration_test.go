package declaration_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"sigs.k8s.io/yaml"

	"github.com/quaeso/community-operator/api/v1alpha1"
	"github.com/quaeso/community-operator/internal/control"
	"github.com/quaeso/community-operator/internal/declaration"
	"github.com/quaeso/community-operator/internal/testutil"
)

// read reads one of the objects that the schema's tests start from: together they have every field.
func read[T any](t *testing.T, name string) *T {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join("..", "..", "test", "cel", "testdata", name+".yaml"))
	if err != nil {
		t.Fatal(err)
	}
	object := new(T)
	if err := yaml.UnmarshalStrict(raw, object); err != nil {
		t.Fatalf("read %s: %v", name, err)
	}
	return object
}

// identified gives an object what the API server would.
func identified(c *v1alpha1.Challenge) *v1alpha1.Challenge {
	c.UID, c.Generation = "5f0c1a9e", 3
	return c
}

var configMaps = map[string]map[string]string{
	"maison-claire-terms": {"nda.fr.md": "Entre **nous**.\n", "nda.en.md": "Between **us**.\n", "other": "not asked for"},
}

// challenges are the objects that have every field of a Challenge between them.
func challenges(t *testing.T) map[string]*v1alpha1.Challenge {
	t.Helper()
	files, err := filepath.Glob(filepath.Join("..", "..", "test", "cel", "testdata", "challenge*.yaml"))
	if err != nil || len(files) < 8 {
		t.Fatalf("find the Challenges: %d, %v", len(files), err)
	}
	out := map[string]*v1alpha1.Challenge{}
	for _, file := range files {
		name := strings.TrimSuffix(filepath.Base(file), ".yaml")
		out[name] = identified(read[v1alpha1.Challenge](t, name))
	}
	return out
}

func golden(t *testing.T, name string, declared any) {
	t.Helper()
	got, err := yaml.Marshal(declared)
	if err != nil {
		t.Fatal(err)
	}
	testutil.Golden(t, name+".yaml", got)
}

func TestChallenge(t *testing.T) {
	for name, c := range challenges(t) {
		t.Run(name, func(t *testing.T) { golden(t, name, declaration.Challenge(c)) })
	}
}

func TestRewardPolicy(t *testing.T) {
	p := read[v1alpha1.RewardPolicy](t, "reward-policy")
	p.UID, p.Generation = "77d2b1c4", 2
	golden(t, "reward-policy", declaration.RewardPolicy(p))
}

func TestHouse(t *testing.T) {
	golden(t, "house", declaration.House(read[v1alpha1.Community](t, "community").Spec.House, configMaps))
	if got := declaration.House(nil, nil); got != nil {
		t.Errorf("no house rules are declared as %+v", got)
	}
}

// A text that is not there is left out, and never stands empty in its place.
func TestHouseWithoutText(t *testing.T) {
	house := read[v1alpha1.Community](t, "community").Spec.House
	for name, maps := range map[string]map[string]map[string]string{
		"no ConfigMap": nil, "no key": {"maison-claire-terms": {"other": "text"}},
	} {
		declared := declaration.House(house, maps)
		if got := declared.Terms[1].Text; len(got) != 0 {
			t.Errorf("%s: the text is %v", name, got)
		}
	}
}

// What is declared is what the contract's own form of the spec reads: the names of fields are the same, and nothing is
// left behind.
func TestNamesAreTheContracts(t *testing.T) {
	own := []string{"communityRef", "driftPolicy", "deletionPolicy", "suspend"}
	for name, c := range challenges(t) {
		sameAsContract(t, name, c.Spec, declaration.Challenge(c).Spec, own)
	}
	p := read[v1alpha1.RewardPolicy](t, "reward-policy")
	sameAsContract(t, "reward-policy", p.Spec, declaration.RewardPolicy(p).Spec, own)
	house := read[v1alpha1.Community](t, "community").Spec.House
	house.Terms = house.Terms[:1] // the other comes from a ConfigMap
	sameAsContract(t, "house", house, *declaration.House(house, nil), nil)
}

func sameAsContract[T any](t *testing.T, name string, spec any, declared T, own []string) {
	t.Helper()
	raw, err := json.Marshal(spec)
	if err != nil {
		t.Fatal(err)
	}
	fields := map[string]any{}
	if err := json.Unmarshal(raw, &fields); err != nil {
		t.Fatal(err)
	}
	for _, field := range own {
		delete(fields, field)
	}
	if raw, err = json.Marshal(fields); err != nil {
		t.Fatal(err)
	}
	var read T
	if err := control.Decode(strings.NewReader(string(raw)), &read); err != nil {
		t.Errorf("%s: %v", name, err)
	}
	if !reflect.DeepEqual(read, declared) {
		t.Errorf("%s is declared as\n%+v\nwant\n%+v", name, declared, read)
	}
}

// TestEveryFieldIsDeclared fails for a field of the contract that no builder fills.
func TestEveryFieldIsDeclared(t *testing.T) {
	filled := map[string]bool{}
	for _, c := range challenges(t) {
		fill(filled, "challenge", reflect.ValueOf(declaration.Challenge(c)))
	}
	p := read[v1alpha1.RewardPolicy](t, "reward-policy")
	p.UID, p.Generation = "77d2b1c4", 2
	fill(filled, "policy", reflect.ValueOf(declaration.RewardPolicy(p)))
	fill(filled, "house", reflect.ValueOf(declaration.House(read[v1alpha1.Community](t, "community").Spec.House, configMaps)))
	// Choices that the objects leave at their default, and what the service has rather than the object.
	for _, field := range []string{"house.Attributes[].Multiple", "challenge.Spec.BetaTest.FinalSurvey.Anonymous", "challenge.Former", "policy.Former"} {
		delete(filled, field)
	}
	for field, ok := range filled {
		if !ok {
			t.Errorf("%s is not declared", field)
		}
	}
	if len(filled) < 150 {
		t.Errorf("looked at %d fields only", len(filled))
	}
}

// fill notes for each field below a value whether it is set.
func fill(filled map[string]bool, path string, v reflect.Value) {
	filled[path] = filled[path] || !v.IsZero()
	switch v.Kind() {
	case reflect.Pointer:
		if v.IsNil() {
			v = reflect.New(v.Type().Elem())
		}
		if v.Elem().Kind() == reflect.Struct {
			fill(filled, path, v.Elem())
		}
	case reflect.Struct:
		for i := range v.NumField() {
			fill(filled, fmt.Sprintf("%s.%s", path, v.Type().Field(i).Name), v.Field(i))
		}
	case reflect.Slice:
		if v.Len() == 0 && v.Type().Elem().Kind() == reflect.Struct {
			fill(filled, path+"[]", reflect.Zero(v.Type().Elem()))
		}
		for i := range v.Len() {
			fill(filled, path+"[]", v.Index(i))
		}
	}
}
