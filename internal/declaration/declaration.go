// Package declaration translates what a brand asks for in the API into what the control contract declares to the idea
// service. It looks nothing up: what comes from elsewhere is an argument.
package declaration

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/quaeso/community-operator/internal/control"
)

// object declares a spec under the identity of its Kubernetes object.
func object[T any](meta metav1.ObjectMeta, spec T) control.Object[T] {
	return control.Object[T]{UID: string(meta.UID), Generation: meta.Generation, Name: meta.Name, Spec: spec}
}

// texts are those by locale; nil for none.
func texts[M ~map[string]V, V ~string](byLocale M) map[string]string {
	if len(byLocale) == 0 {
		return nil
	}
	out := make(map[string]string, len(byLocale))
	for locale, text := range byLocale {
		out[locale] = string(text)
	}
	return out
}

// plain are the values of a list without their types; nil for none.
func plain[V ~string](values []V) []string {
	return each(values, func(v V) string { return string(v) })
}

// lists are those of a map without their types; nil for none.
func lists[L ~[]V, V ~string](byKey map[string]L) map[string][]string {
	if len(byKey) == 0 {
		return nil
	}
	out := make(map[string][]string, len(byKey))
	for key, values := range byKey {
		out[key] = plain(values)
	}
	return out
}

// each translates the items of a list; nil for none.
func each[In, Out any](items []In, translate func(In) Out) []Out {
	if len(items) == 0 {
		return nil
	}
	out := make([]Out, len(items))
	for i, item := range items {
		out[i] = translate(item)
	}
	return out
}

// optional translates what may be absent.
func optional[In, Out any](in *In, translate func(In) Out) *Out {
	if in == nil {
		return nil
	}
	out := translate(*in)
	return &out
}

// number is 0 for an absent one.
func number(n *int32) int {
	if n == nil {
		return 0
	}
	return int(*n)
}
