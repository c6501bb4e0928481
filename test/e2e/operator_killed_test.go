//go:build e2e

package e2e

import "testing"

// TestOperatorKilled kills the operator at every phase of a community's making.
func TestOperatorKilled(t *testing.T) {
	w := newWorld(t, "killed")
	w.ready(w.community("lumiere"))
}
