package cel_test

import (
	"strings"
	"testing"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/quaeso/community-operator/internal/testutil/kubeapi"
)

const wayOut = `kubectl -n %s patch community maison-claire --type=merge -p '{"spec":{"deletionProtection":false}}'`

// enforced deletes, without doing it, until the answer is the policy's: the API server takes a new policy into
// force a moment after it was stored.
func enforced(t *testing.T, object *unstructured.Unstructured) error {
	t.Helper()
	deadline := time.Now().Add(30 * time.Second)
	for {
		err := kubeapi.Shared(t).Client.Delete(t.Context(), object, client.DryRunAll)
		if err != nil || time.Now().After(deadline) {
			return err
		}
		time.Sleep(50 * time.Millisecond) // polling: nothing announces the policy
	}
}

func TestDeletionProtection(t *testing.T) {
	api := kubeapi.Shared(t).Client
	object := stored(t, community)
	err := enforced(t, object)
	want := strings.ReplaceAll(wayOut, "%s", object.GetNamespace())
	if !apierrors.IsForbidden(err) || !strings.Contains(err.Error(), "is protected from deletion") || !strings.Contains(err.Error(), want) {
		t.Fatalf("the deletion of a protected Community answers: %v", err)
	}
	collection := &unstructured.Unstructured{Object: map[string]any{"apiVersion": object.GetAPIVersion(), "kind": "Community"}}
	if err := api.DeleteAllOf(t.Context(), collection, client.InNamespace(object.GetNamespace())); !apierrors.IsForbidden(err) {
		t.Errorf("the deletion of all Communities, one of them protected, answers: %v", err)
	}

	// The command of the message, and its effect.
	arguments := strings.Fields(strings.NewReplacer("'", "", "kubectl ", "").Replace(want))
	kubectl(t, arguments...)
	if err := api.Delete(t.Context(), object); err != nil {
		t.Errorf("a Community whose protection was lifted cannot be deleted: %v", err)
	}
}

func TestUnprotectedCommunitiesAreDeleted(t *testing.T) {
	protected := stored(t, community)
	if err := enforced(t, protected); err == nil {
		t.Fatal("the policy is not in force")
	}
	object := stored(t, communityExternal)
	collection := &unstructured.Unstructured{Object: map[string]any{"apiVersion": object.GetAPIVersion(), "kind": "Community"}}
	if err := kubeapi.Shared(t).Client.DeleteAllOf(t.Context(), collection, client.InNamespace(object.GetNamespace())); err != nil {
		t.Errorf("a Community without protection cannot be deleted: %v", err)
	}
}
