package apply

import (
	"reflect"

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
	"volumes":          "name",
	"volumeMounts":     "mountPath",
	"imagePullSecrets": "name",
}

// covers tells whether a live object has every field of the wanted one at the wanted value. Fields that were
// defaulted or set by others do not count.
func covers(live client.Object, want map[string]any) bool {
	have, err := runtime.DefaultUnstructuredConverter.ToUnstructured(live)
	if err != nil {
		return false
	}
	for field, v := range want {
		switch field {
		case "apiVersion", "kind": // a typed object from a cache has none
		case "stringData": // write-only
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
		if key, ok := associative[field]; ok {
			return containsElements(key, h, w)
		}
		return containsInOrder(h, w)
	default:
		return equalScalar(have, want)
	}
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
			byKey[m[key]] = h
		}
	}
	for _, w := range want {
		m, ok := w.(map[string]any)
		if !ok || !contains("", byKey[m[key]], w) {
			return false
		}
	}
	return true
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
