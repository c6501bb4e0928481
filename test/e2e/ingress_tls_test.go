//go:build e2e

package e2e

import "testing"

// TestIngressTLS opens a community over https through an Ingress with a certificate of the brand's own.
func TestIngressTLS(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "ingresstls")
	w.ready(w.community("lumiere"))
}
