//go:build e2e

package e2e

import (
	"testing"

	"github.com/quaeso/community-operator/api/v1alpha1"
)

// TestUnknownClass names a class that is not there, before the first stack and after it.
func TestUnknownClass(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "noclass")
	c := w.create(w.community("lumiere", func(c *v1alpha1.Community) { c.Spec.ClassName = w.namespace + "-no" }))
	w.waitStalled(c, expect{v1alpha1.ConditionAccepted, v1alpha1.ReasonClassNotFound, []string{w.namespace + "-no", "create it or correct the name"}})
	change(w, c, func(c *v1alpha1.Community) { c.Spec.ClassName = w.class.Name })
	w.waitReady(c)
}
