//go:build e2e

package e2e

import (
	"fmt"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/quaeso/community-operator/api/v1alpha1"
)

// TestClassInUse deletes a class that a community uses: it stays, says why, and goes after the community.
func TestClassInUse(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "classuse")
	c := w.ready(w.community("lumiere"))
	w.delete(w.class)
	w.eventually(readSoon, "the class says that it is in use", func() error {
		return classStalled(w, v1alpha1.ReasonInUse, w.namespace, c.Name)
	})
}

// readSoon bounds what the operator does without waiting for pods.
const readSoon = 20 * time.Second

// classStalled tells whether the world's class is Stalled for a reason, with texts in the message.
func classStalled(w *world, reason string, says ...string) error {
	if err := cluster.client.Get(w.ctx, client.ObjectKeyFromObject(w.class), w.class); err != nil {
		return err
	}
	got := meta.FindStatusCondition(w.class.Status.Conditions, v1alpha1.ConditionStalled)
	if got == nil || got.Reason != reason || !containsAll(got.Message, says) {
		return fmt.Errorf("Stalled is %+v", got)
	}
	return nil
}
