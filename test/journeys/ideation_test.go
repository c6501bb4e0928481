//go:build e2e

package journeys

import "testing"

// TestIdeation: a member's idea finds support and an answer.
func TestIdeation(t *testing.T) { walk(t, "ideation.mjs", "ideation") }
