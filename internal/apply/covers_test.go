package apply

import (
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

func values(t *testing.T, text string) map[string]any {
	t.Helper()
	var v map[string]any
	if err := json.Unmarshal([]byte(text), &v); err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return v
}

func TestCovers(t *testing.T) {
	tests := map[string]struct {
		have, want string
		covered    bool
	}{
		"the same":                        {`{"spec":{"replicas":2}}`, `{"spec":{"replicas":2}}`, true},
		"kind and version are not stored": {`{"spec":{"a":1}}`, `{"apiVersion":"v1","kind":"Service","spec":{"a":1}}`, true},
		"a field of somebody else":        {`{"spec":{"replicas":2,"paused":true}}`, `{"spec":{"replicas":2}}`, true},
		"another value":                   {`{"spec":{"replicas":3}}`, `{"spec":{"replicas":2}}`, false},
		"a missing field":                 {`{"spec":{}}`, `{"spec":{"replicas":2}}`, false},
		"a missing object":                {`{}`, `{"spec":{"replicas":2}}`, false},
		"another type":                    {`{"spec":{"port":"http"}}`, `{"spec":{"port":80}}`, false},
		"an int-or-string that is a name": {`{"spec":{"port":"http"}}`, `{"spec":{"port":"http"}}`, true},
		"a quantity":                      {`{"spec":{"cpu":"500m"}}`, `{"spec":{"cpu":"500m"}}`, true},
		"a quantity written otherwise":    {`{"spec":{"cpu":"0.5"}}`, `{"spec":{"cpu":"500m"}}`, false},
		"nothing wanted, nothing there":   {`{"spec":{}}`, `{"spec":{"list":[],"map":{}}}`, true},
		"nothing wanted, something there": {`{"spec":{"list":[1]}}`, `{"spec":{"list":[]}}`, false},
		"a list":                          {`{"list":["a","b"]}`, `{"list":["a","b"]}`, true},
		"a list in another order":         {`{"list":["b","a"]}`, `{"list":["a","b"]}`, false},
		"a list with an added element":    {`{"list":["a","b","c"]}`, `{"list":["a","b"]}`, false},
		"a list with a removed element":   {`{"list":["a"]}`, `{"list":["a","b"]}`, false},
		"an element with a default":       {`{"rules":[{"a":1,"b":2}]}`, `{"rules":[{"a":1}]}`, true},
		"an injected container":           {`{"containers":[{"name":"proxy"},{"name":"ideas","image":"i"}]}`, `{"containers":[{"name":"ideas","image":"i"}]}`, true},
		"a changed container":             {`{"containers":[{"name":"ideas","image":"other"}]}`, `{"containers":[{"name":"ideas","image":"i"}]}`, false},
		"a removed container":             {`{"containers":[{"name":"proxy"}]}`, `{"containers":[{"name":"ideas"}]}`, false},
		"an added variable":               {`{"env":[{"name":"A","value":"1"},{"name":"B","value":"2"}]}`, `{"env":[{"name":"A","value":"1"}]}`, true},
		"a changed variable":              {`{"env":[{"name":"A","value":"2"}]}`, `{"env":[{"name":"A","value":"1"}]}`, false},
		"an added container port":         {`{"ports":[{"containerPort":1},{"containerPort":2}]}`, `{"ports":[{"containerPort":2}]}`, true},
		"a port that has no key":          {`{"ports":[{"port":80},{"port":81}]}`, `{"ports":[{"port":80}]}`, false},
		"an owner beside ours":            {`{"ownerReferences":[{"uid":"x"},{"uid":"u","controller":true}]}`, `{"ownerReferences":[{"uid":"u","controller":true}]}`, true},
		"our owner removed":               {`{}`, `{"ownerReferences":[{"uid":"u"}]}`, false},
		"a null":                          {`{"spec":null}`, `{"spec":{"a":1}}`, false},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			if got := covers(values(t, test.have), values(t, test.want)); got != test.covered {
				t.Errorf("covers(%s, %s) is %t", test.have, test.want, got)
			}
		})
	}
}

// Numbers come as int64 from an object, and as float64 from JSON.
func TestCoversNumbersOfBothSides(t *testing.T) {
	have := map[string]any{"replicas": int64(2), "ports": []any{map[string]any{"containerPort": int64(8080), "name": "http"}}}
	if !covers(have, values(t, `{"replicas":2,"ports":[{"containerPort":8080,"name":"http"}]}`)) {
		t.Error("equal numbers of different types differ")
	}
	if covers(have, values(t, `{"replicas":3}`)) || covers(have, values(t, `{"replicas":"2"}`)) {
		t.Error("different numbers are equal")
	}
}

func TestSurplus(t *testing.T) {
	tests := map[string]struct {
		kind, have, want string
		// patch removes what is too much; empty for nothing.
		patch string
	}{
		"a key added to a Secret":      {"Secret", `{"data":{"a":"1","b":"2"}}`, `{"data":{"a":"1"}}`, `{"data":{"b":null}}`},
		"a label added to a selector":  {"Service", `{"spec":{"selector":{"a":"1","b":"2"}}}`, `{"spec":{"selector":{"a":"1"}}}`, `{"spec":{"selector":{"b":null}}}`},
		"a port added to a Service":    {"Service", `{"spec":{"ports":[{"port":80},{"port":81}]}}`, `{"spec":{"ports":[{"port":80}]}}`, `{"spec":{"ports":[{"port":80}]}}`},
		"a range made of a port":       {"NetworkPolicy", `{"spec":{"ingress":[{"ports":[{"port":1,"endPort":9}]}]}}`, `{"spec":{"ingress":[{"ports":[{"port":1}]}]}}`, `{"spec":{"ingress":[{"ports":[{"port":1}]}]}}`},
		"egress added to a policy":     {"NetworkPolicy", `{"spec":{"policyTypes":["Ingress"],"egress":[{}]}}`, `{"spec":{"policyTypes":["Ingress"]}}`, `{"spec":{"egress":null}}`},
		"a filter added to a route":    {"HTTPRoute", `{"spec":{"rules":[{"matches":[1],"filters":[2]}]}}`, `{"spec":{"rules":[{"matches":[1]}]}}`, `{"spec":{"rules":[{"matches":[1]}]}}`},
		"a default backend":            {"Ingress", `{"spec":{"rules":[1],"ingressClassName":"x"}}`, `{"spec":{"rules":[1]}}`, ``},
		"two fields":                   {"Service", `{"spec":{"selector":{"a":"1","b":"2"},"ports":[1,2]}}`, `{"spec":{"selector":{"a":"1"},"ports":[1]}}`, `{"spec":{"selector":{"b":null},"ports":[1]}}`},
		"nothing":                      {"Secret", `{"data":{"a":"1"}}`, `{"data":{"a":"1"}}`, ``},
		"nothing but an empty value":   {"NetworkPolicy", `{"spec":{"podSelector":{},"ingress":[]}}`, `{"spec":{}}`, ``},
		"an annotation of a Secret":    {"Secret", `{"metadata":{"annotations":{"x":"y"}},"data":{"a":"1"}}`, `{"data":{"a":"1"}}`, ``},
		"a field of an open kind":      {"Deployment", `{"spec":{"paused":true,"replicas":1}}`, `{"spec":{"replicas":1}}`, ``},
		"a label of a budget selector": {"PodDisruptionBudget", `{"spec":{"selector":{"matchLabels":{"a":"1","b":"2"}}}}`, `{"spec":{"selector":{"matchLabels":{"a":"1"}}}}`, `{"spec":{"selector":{"matchLabels":{"b":null}}}}`},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			var want map[string]any
			if test.patch != "" {
				want = values(t, test.patch)
			}
			if diff := cmp.Diff(want, surplus(test.kind, values(t, test.have), values(t, test.want))); diff != "" {
				t.Errorf("patch (-want +got):\n%s", diff)
			}
		})
	}
}

// An object is always as wanted after what it lacks was added and what is too much was removed.
func TestSurplusRemovesEverything(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		want := map[string]any{"data": tree(t, 2)}
		have := map[string]any{"data": addTo(t, want["data"])}
		if !covers(have, want) && surplus("Secret", have, want) == nil {
			return // server-side apply would have repaired that
		}
		after := patched(have, surplus("Secret", have, want)).(map[string]any)
		if rest := surplus("Secret", after, want); rest != nil {
			t.Fatalf("of %v, wanted %v, there remains %v", have, want, rest)
		}
		if !covers(after, want) {
			t.Fatalf("of %v the patch leaves %v, wanted %v", have, after, want)
		}
	})
}

var names = rapid.SampledFrom([]string{"a", "b", "c"})

func tree(t *rapid.T, depth int) map[string]any {
	out := map[string]any{}
	for range rapid.IntRange(0, 3).Draw(t, "keys") {
		name := names.Draw(t, "key")
		switch kind := rapid.IntRange(0, 2).Draw(t, "kind"); {
		case kind == 0 && depth > 0:
			out[name] = tree(t, depth-1)
		case kind == 1:
			out[name] = []any{"x", map[string]any{"y": "z"}}
		default:
			out[name] = rapid.SampledFrom([]string{"1", "2"}).Draw(t, "value")
		}
	}
	return out
}

// addTo adds fields to a tree.
func addTo(t *rapid.T, v any) any {
	m, ok := v.(map[string]any)
	if !ok {
		return v
	}
	out := map[string]any{}
	for k, child := range m {
		out[k] = addTo(t, child)
	}
	for range rapid.IntRange(0, 2).Draw(t, "added") {
		name := names.Draw(t, "added key")
		if _, there := out[name]; !there {
			out[name] = "added"
		}
	}
	return out
}

// patched does what the API server does with a JSON merge patch.
func patched(v any, patch any) any {
	p, ok := patch.(map[string]any)
	if !ok {
		if patch == nil {
			return v
		}
		return patch
	}
	m, ok := v.(map[string]any)
	if !ok {
		m = map[string]any{}
	}
	out := map[string]any{}
	for k, child := range m {
		out[k] = child
	}
	for k, child := range p {
		if child == nil {
			delete(out, k)
			continue
		}
		out[k] = patched(out[k], child)
	}
	return out
}
