package cel_test

import (
	"path/filepath"
	"testing"

	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/quaeso/community-operator/internal/testutil/kubeapi"
)

// TestSamplesAreValid asks the API server, strictly: a misspelt field is an error, too.
func TestSamplesAreValid(t *testing.T) {
	root, err := kubeapi.Root()
	if err != nil {
		t.Fatal(err)
	}
	api := client.WithFieldValidation(kubeapi.Shared(t).Client, "Strict")
	judged := map[string]bool{}
	initiatives, err := filepath.Glob(filepath.Join(root, "config", "samples", "initiatives", "*"))
	if err != nil || len(initiatives) == 0 {
		t.Fatalf("no initiatives: %v", err)
	}
	for _, folder := range append(initiatives, filepath.Join(root, "config", "samples"), filepath.Join(root, "config", "samples", "demo")) {
		objects, err := kubeapi.ReadObjects(folder)
		if err != nil {
			t.Fatal(err)
		}
		for _, object := range objects {
			if object.GetKind() != "CommunityClass" {
				object.SetNamespace("default") // others than those of the samples exist
			}
			if object.GetKind() == "Namespace" {
				object.SetNamespace("")
			}
			if err := api.Create(t.Context(), object, client.DryRunAll); err != nil {
				t.Errorf("%s: %s %s: %v", folder, object.GetKind(), object.GetName(), err)
			}
			judged[object.GetKind()] = true
		}
	}
	for kind := range schemas(t) {
		if !judged[kind] {
			t.Errorf("no sample is a %s", kind)
		}
	}
}
