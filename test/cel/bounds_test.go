package cel_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// probe is one value at one field, and the words of the plain schema's refusal.
type probe struct {
	name  string
	value any
	// words of the refusal; with good, words that must not be said.
	words string
	good  bool
}

// TestPlainBounds takes every bound of the schema (required, enum, length, number, count, pattern) to a value
// just inside and to one just outside.
func TestPlainBounds(t *testing.T) {
	for kind, schema := range schemas(t) {
		walk("", schema, func(path string, node apiextensionsv1.JSONSchemaProps) {
			if !inSpec(path) || slices.Contains(foreign, path) {
				return
			}
			for _, p := range append(probes(node), requiredProbes(node)...) {
				t.Run(kind+" "+path+" "+p.name, func(t *testing.T) { p.try(t, kind, path) })
			}
		})
	}
}

func (p probe) try(t *testing.T, kind, path string) {
	object, set := find(t, kind, path)
	if required, ok := p.value.(removed); ok {
		set(func(value any) any {
			fields, _ := value.(map[string]any)
			delete(fields, string(required))
			return fields
		})
		path += "." + string(required)
	} else {
		set(p.made)
	}
	err := judge(t, object)
	said := false
	if err != nil {
		for _, c := range causes(t, err) {
			said = said || pathOf(c.Field) == path && strings.Contains(c.Message, p.words)
		}
	}
	if said == p.good {
		t.Errorf("want refused at %s with %q: %t; got: %.600v", path, p.words, !p.good, err)
	}
}

// removed is a field that is left out.
type removed string

// copies stands for a list with so many copies of its element, entries for a map with so many entries.
type (
	copies  int64
	entries int64
)

func (p probe) made(old any) any {
	switch n := p.value.(type) {
	case copies:
		element := any("x")
		if list, ok := old.([]any); ok && len(list) > 0 {
			element = list[0]
		}
		return slices.Repeat([]any{element}, int(n))
	case entries:
		values := map[string]any{}
		for i := range int64(n) {
			values[fmt.Sprintf("key%d", i)] = "x"
		}
		return values
	}
	return p.value
}

func requiredProbes(node apiextensionsv1.JSONSchemaProps) []probe {
	var out []probe
	for _, name := range node.Required {
		out = append(out, probe{name: "without " + name, value: removed(name), words: "Required value"})
	}
	return out
}

func probes(node apiextensionsv1.JSONSchemaProps) []probe {
	var out []probe
	around := func(what string, inside, outside any, words string) {
		out = append(out, probe{what + " inside", inside, words, true}, probe{what + " outside", outside, words, false})
	}
	if len(node.Enum) > 0 {
		out = append(out, probe{"unknown value", "no-such-value", "Unsupported value", false})
		for _, allowed := range node.Enum {
			var value any
			_ = json.Unmarshal(allowed.Raw, &value) // it came from a parsed definition
			out = append(out, probe{fmt.Sprint("value ", value), value, "Unsupported value", true})
		}
	}
	if node.MaxLength != nil {
		n := int(*node.MaxLength)
		around("longest", strings.Repeat("a", n), strings.Repeat("a", n+1), "Too long")
		out = append(out, probe{"1 MB", strings.Repeat("a", 1<<20), "Too long", false})
	}
	if node.MinLength != nil {
		n := int(*node.MinLength)
		around("shortest", strings.Repeat("a", n), strings.Repeat("a", n-1), "should be at least")
	}
	if node.Maximum != nil {
		around("highest", int64(*node.Maximum), int64(*node.Maximum)+1, "should be less than or equal to")
	}
	if node.Minimum != nil {
		around("lowest", int64(*node.Minimum), int64(*node.Minimum)-1, "should be greater than or equal to")
	}
	if node.MaxItems != nil {
		around("most", copies(*node.MaxItems), copies(*node.MaxItems+1), "must have at most")
	}
	if node.MinItems != nil {
		around("fewest", copies(*node.MinItems), copies(*node.MinItems-1), "should have at least")
	}
	if node.MaxProperties != nil {
		around("most entries", entries(*node.MaxProperties), entries(*node.MaxProperties+1), "must have at most")
	}
	if node.MinProperties != nil {
		around("fewest entries", entries(*node.MinProperties), entries(*node.MinProperties-1), "should have at least")
	}
	if node.Pattern != "" { // quantities are the only fields with one
		around("quantity", "100Mi", "a lot", "should match")
	}
	return out
}

// TestEverythingIsBounded fails for a new field that a user could fill without end.
func TestEverythingIsBounded(t *testing.T) {
	for kind, schema := range schemas(t) {
		walk("", schema, func(path string, node apiextensionsv1.JSONSchemaProps) {
			if !inSpec(path) || slices.Contains(foreign, path) {
				return
			}
			bounded := true
			switch {
			case node.XIntOrString: // a quantity, which the API server bounds
			case strings.HasSuffix(path, "[*]") && node.Type != "array":
				// A map's values are bounded by their own type or by a rule of the map.
				bounded = node.MaxLength != nil || slices.Contains(mapsWithARule, strings.TrimSuffix(path, "[*]"))
			case node.Type == "string":
				bounded = node.MaxLength != nil || len(node.Enum) > 0
			case node.Type == "integer":
				bounded = node.Maximum != nil && node.Minimum != nil
			case node.Type == "array":
				bounded = node.MaxItems != nil && node.XListType != nil
			case node.AdditionalProperties != nil:
				bounded = node.MaxProperties != nil
			}
			if !bounded {
				t.Errorf("%s: %s (%s) has no bound or, as a list, no type", kind, path, node.Type)
			}
		})
	}
}

// mapsWithARule bound their values by a rule, which TestRules holds.
var mapsWithARule = []string{
	"spec.database.cloudNativePG.parameters", "spec.routing.ingress.annotations",
	"spec.podTemplate.annotations", "spec.podTemplate.nodeSelector",
}

// find returns a good object that has a value at a path of the schema, and a way to change it.
func find(t *testing.T, kind, path string) (*unstructured.Unstructured, func(change func(any) any)) {
	t.Helper()
	for _, base := range bases {
		object := read(t, base)
		if object.GetKind() != kind {
			continue
		}
		if set, ok := setter(object.Object, strings.Split(plain(path), ".")); ok {
			return object, set
		}
	}
	t.Fatalf("no base in testdata has a value at %s", path)
	return nil, nil
}

// plain writes a path with list elements and map keys as parts of their own.
func plain(path string) string {
	return strings.NewReplacer("[]", ".[]", "[*]", ".[*]").Replace(path)
}

// pathOf writes the API server's field as walk writes paths.
func pathOf(field string) string {
	return mapKey.ReplaceAllString(index.ReplaceAllString(field, "[]"), "[*]$3")
}

func setter(value any, path []string) (set func(change func(any) any), ok bool) {
	switch v := value.(type) {
	case map[string]any:
		key := path[0]
		if key == "[*]" {
			key = slices.Sorted(maps.Keys(v))[0]
		}
		if _, has := v[key]; !has {
			return nil, false
		}
		if len(path) == 1 {
			return func(change func(any) any) { v[key] = change(v[key]) }, true
		}
		return setter(v[key], path[1:])
	case []any:
		if len(v) == 0 {
			return nil, false
		}
		if len(path) == 1 {
			return func(change func(any) any) { v[0] = change(v[0]) }, true
		}
		for _, element := range v {
			if set, ok := setter(element, path[1:]); ok {
				return set, true
			}
		}
	}
	return nil, false
}
