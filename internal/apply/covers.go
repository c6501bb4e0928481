package apply

import (
	"fmt"
	"reflect"
	"strings"

	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// associative names the lists in which server-side apply keeps an element that somebody else added, with the
// field that identifies an element. In every other list an extra element is drift, and is repaired.
var associative = map[string]string{
	"ownerReferences":  "uid",
	"containers":       "name",
	"initContainers":   "name",
	"env":              "name",
	"ports":            "containerPort", // those of Services and NetworkPolicies are closed
	"volumes":          "name",
	"volumeMounts":     "mountPath",
	"imagePullSecrets": "name",
}

// closed names, by kind, the fields in which whatever we do not describe is drift as well: one label more in a
// selector, one key more in a Secret or one filter more in a route changes what the object does.
var closed = map[string][]string{
	"Secret":              {"data"},
	"Service":             {"spec.selector", "spec.ports"},
	"NetworkPolicy":       {"spec"},
	"PodDisruptionBudget": {"spec.selector"},
	"HTTPRoute":           {"spec"},
	"ListenerSet":         {"spec"},
	"Ingress":             {"spec.rules", "spec.tls"},
}

// content returns an object as plain JSON values.
func content(live client.Object) (map[string]any, error) {
	values, err := runtime.DefaultUnstructuredConverter.ToUnstructured(live)
	if err != nil {
		return nil, fmt.Errorf("convert a %T: %w", live, err)
	}
	return values, nil
}

// covers tells whether a live object has every field of the wanted one at the wanted value. Fields that were
// defaulted or set by others do not count.
func covers(have, want map[string]any) bool {
	for field, v := range want {
		switch field {
		case "apiVersion", "kind": // a typed object from a cache has none
		default:
			if !contains(field, have[field], v) {
				return false
			}
		}
	}
	return true
}

func contains(field string, have, want any) bool {
	switch w := want.(type) {
	case map[string]any:
		h, ok := have.(map[string]any)
		if !ok {
			return len(w) == 0 && have == nil
		}
		for k, v := range w {
			if !contains(k, h[k], v) {
				return false
			}
		}
		return true
	case []any:
		h, ok := have.([]any)
		if !ok {
			return len(w) == 0 && have == nil
		}
		if key, ok := associative[field]; ok && hasKey(w, key) {
			return containsElements(key, h, w)
		}
		return containsInOrder(h, w)
	default:
		return equalScalar(have, want)
	}
}

// hasKey tells whether the wanted elements have the identifying field: lists of one name differ between kinds.
func hasKey(want []any, key string) bool {
	for _, w := range want {
		if m, ok := w.(map[string]any); !ok || m[key] == nil {
			return false
		}
	}
	return true
}

func containsInOrder(have, want []any) bool {
	if len(have) != len(want) {
		return false
	}
	for i := range want {
		if !contains("", have[i], want[i]) {
			return false
		}
	}
	return true
}

func containsElements(key string, have, want []any) bool {
	byKey := make(map[any]any, len(have))
	for _, h := range have {
		if m, ok := h.(map[string]any); ok {
			byKey[sameNumber(m[key])] = h
		}
	}
	for _, w := range want {
		m, ok := w.(map[string]any)
		if !ok || !contains("", byKey[sameNumber(m[key])], w) {
			return false
		}
	}
	return true
}

// sameNumber makes numbers of both sides equal as keys.
func sameNumber(v any) any {
	if n, ok := number(v); ok {
		return n
	}
	return v
}

// surplus returns a JSON merge patch that removes from the closed fields of an object what is not wanted; nil
// where there is nothing. Server-side apply itself leaves it there, because somebody else owns it.
func surplus(kind string, have, want map[string]any) map[string]any {
	var patch map[string]any
	for _, path := range closed[kind] {
		fields := strings.Split(path, ".")
		h, w := any(have), any(want)
		for _, f := range fields {
			h, w = child(h, f), child(w, f)
		}
		p, differs := trim(h, w)
		if !differs {
			continue
		}
		for i := len(fields) - 1; i >= 0; i-- {
			p = map[string]any{fields[i]: p}
		}
		patch = merge(patch, p.(map[string]any))
	}
	return patch
}

// closedContent returns the closed fields of an object.
func closedContent(kind string, have map[string]any) []any {
	out := make([]any, 0, len(closed[kind]))
	for _, path := range closed[kind] {
		v := any(have)
		for f := range strings.SplitSeq(path, ".") {
			v = child(v, f)
		}
		out = append(out, v)
	}
	return out
}

func child(v any, field string) any {
	m, ok := v.(map[string]any)
	if !ok {
		return nil
	}
	return m[field]
}

// trim returns what a merge patch has to say to leave only what is wanted. Lists are replaced as a whole.
func trim(have, want any) (patch any, differs bool) {
	h, ok := have.(map[string]any)
	w, wantsMap := want.(map[string]any)
	switch {
	case empty(have) && empty(want):
		return nil, false
	case want == nil:
		return nil, true
	case !ok || !wantsMap:
		return want, !exactly(have, want)
	}
	out := map[string]any{}
	for k, v := range h {
		if p, differs := trim(v, w[k]); differs {
			out[k] = p
		}
	}
	return out, len(out) > 0
}

// exactly tells whether there is neither less nor more than what is wanted.
func exactly(have, want any) bool {
	if empty(have) && empty(want) {
		return true
	}
	switch w := want.(type) {
	case map[string]any:
		h, ok := have.(map[string]any)
		if !ok {
			return false
		}
		for k, v := range h {
			if !exactly(v, w[k]) {
				return false
			}
		}
		return contains("", have, want)
	case []any:
		h, ok := have.([]any)
		if !ok || len(h) != len(w) {
			return false
		}
		for i := range w {
			if !exactly(h[i], w[i]) {
				return false
			}
		}
		return true
	default:
		return equalScalar(have, want)
	}
}

// empty tells whether a value says as much as its absence.
func empty(v any) bool {
	switch v := v.(type) {
	case nil:
		return true
	case map[string]any:
		return len(v) == 0
	case []any:
		return len(v) == 0
	}
	return false
}

func merge(into, from map[string]any) map[string]any {
	if into == nil {
		return from
	}
	for k, v := range from {
		below, ok := into[k].(map[string]any)
		if more, both := v.(map[string]any); ok && both {
			into[k] = merge(below, more)
			continue
		}
		into[k] = v
	}
	return into
}

// equalScalar compares JSON scalars; numbers are int64 on one side and float64 on the other.
func equalScalar(a, b any) bool {
	if x, ok := number(a); ok {
		y, ok := number(b)
		return ok && x == y
	}
	return reflect.DeepEqual(a, b)
}

func number(v any) (float64, bool) {
	switch n := v.(type) {
	case int64:
		return float64(n), true
	case float64:
		return n, true
	}
	return 0, false
}
