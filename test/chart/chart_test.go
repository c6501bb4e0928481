// Package chart_test holds the Helm chart: what it renders, what it refuses, that it equals config/default, and
// that it installs, upgrades and leaves on a real API server.
package chart_test

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"

	"github.com/quaeso/community-operator/internal/testutil"
	"github.com/quaeso/community-operator/internal/testutil/kubeapi"
)

const (
	release   = "community-operator"
	namespace = "community-system"
)

// tool finds a program: the Makefile names it in a variable; else where the Makefile puts it, or on PATH.
func tool(t *testing.T, name string) string {
	t.Helper()
	if path := os.Getenv(strings.ToUpper(name)); path != "" {
		return path
	}
	if cache, err := os.UserCacheDir(); err == nil {
		found, err := filepath.Glob(filepath.Join(cache, "community-operator", "bin", "tools", name+"-v*"))
		if err == nil && len(found) > 0 {
			return found[len(found)-1]
		}
	}
	path, err := exec.LookPath(name)
	if err != nil {
		t.Fatalf("%s is missing; run the tests with `make test`, which installs it, or name it in %s", name, strings.ToUpper(name))
	}
	return path
}

// run runs a program in the project's folder.
func run(t *testing.T, name string, arguments ...string) (stdout string, err error) {
	t.Helper()
	root, err := kubeapi.Root()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), tool(t, name), arguments...)
	cmd.Dir = root
	// Nothing of the developer's own Helm takes part.
	cmd.Env = append(os.Environ(), "HELM_CACHE_HOME="+t.TempDir(), "HELM_CONFIG_HOME="+t.TempDir(), "HELM_DATA_HOME="+t.TempDir())
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return string(out), errors.New(strings.TrimSpace(string(out) + stderr.String()))
	}
	return string(out), nil
}

// render renders the chart as for a cluster that knows our kinds.
func render(t *testing.T, arguments ...string) (string, error) {
	t.Helper()
	return run(t, "helm", append([]string{
		"template", release, "charts/community-operator", "--namespace", namespace,
		"--api-versions", "cocreation.quaeso.io/v1alpha1/CommunityClass",
	}, arguments...)...)
}

func valuesFiles(t *testing.T) map[string]string {
	t.Helper()
	found, err := filepath.Glob(filepath.Join("testdata", "*.values.yaml"))
	if err != nil || len(found) == 0 {
		t.Fatalf("find the values files: %v", err)
	}
	files := map[string]string{}
	for _, file := range found {
		path, err := filepath.Abs(file)
		if err != nil {
			t.Fatal(err)
		}
		files[strings.TrimSuffix(filepath.Base(file), ".values.yaml")] = path
	}
	return files
}

func TestLint(t *testing.T) {
	for name, file := range valuesFiles(t) {
		t.Run(name, func(t *testing.T) {
			if out, err := run(t, "helm", "lint", "--strict", "charts/community-operator", "--namespace", namespace, "--values", file); err != nil {
				t.Errorf("helm lint: %v %s", err, out)
			}
		})
	}
}

// TestGoldenRenderings shows what the values do. The CRDs are left out: they are compared with config/crd.
func TestGoldenRenderings(t *testing.T) {
	for name, file := range valuesFiles(t) {
		t.Run(name, func(t *testing.T) {
			out, err := render(t, "--values", file)
			if err != nil {
				t.Fatal(err)
			}
			testutil.Golden(t, name+".golden.yaml", write(t, decode(t, out)))
		})
	}
}

func decode(t *testing.T, out string) []*unstructured.Unstructured {
	t.Helper()
	objects, err := kubeapi.DecodeObjects([]byte(out))
	if err != nil {
		t.Fatalf("decode what was rendered: %v", err)
	}
	return objects
}

func key(o *unstructured.Unstructured) string {
	return o.GetKind() + " " + o.GetNamespace() + "/" + o.GetName()
}

func write(t *testing.T, objects []*unstructured.Unstructured) []byte {
	t.Helper()
	slices.SortFunc(objects, func(a, b *unstructured.Unstructured) int { return strings.Compare(key(a), key(b)) })
	var out strings.Builder
	for _, o := range objects {
		if o.GetKind() == "CustomResourceDefinition" {
			continue
		}
		raw, err := yaml.Marshal(o.Object)
		if err != nil {
			t.Fatal(err)
		}
		out.WriteString("---\n" + string(raw))
	}
	return []byte(out.String())
}

// TestChartEqualsKustomize compares what both ways of installing give, but for what Helm marks its objects
// with, and the namespace, which Helm creates by --create-namespace.
func TestChartEqualsKustomize(t *testing.T) {
	helm, err := render(t)
	if err != nil {
		t.Fatal(err)
	}
	kustomize, err := run(t, "kustomize", "build", "config/default")
	if err != nil {
		t.Fatal(err)
	}
	fromHelm, fromKustomize := bare(decode(t, helm)), bare(decode(t, kustomize))
	delete(fromKustomize, "Namespace /"+namespace)
	if diff := cmp.Diff(fromKustomize, fromHelm); diff != "" {
		t.Errorf("the chart (+) differs from config/default (-):\n%s", diff)
	}
}

// bare removes Helm's own marks.
func bare(objects []*unstructured.Unstructured) map[string]any {
	out := map[string]any{}
	for _, o := range objects {
		labels, annotations := o.GetLabels(), o.GetAnnotations()
		for _, mark := range []string{"app.kubernetes.io/managed-by", "app.kubernetes.io/version", "helm.sh/chart"} {
			delete(labels, mark)
		}
		if o.GetKind() == "CustomResourceDefinition" {
			delete(labels, "app.kubernetes.io/name")
		}
		delete(annotations, "helm.sh/resource-policy")
		if len(labels) == 0 {
			labels = nil
		}
		o.SetLabels(labels)
		o.SetAnnotations(annotations)
		out[key(o)] = o.Object
	}
	return out
}

func TestBadValuesAreRefused(t *testing.T) {
	tests := map[string]string{
		"misspelt value":           "replica=2",
		"misspelt nested value":    "metrics.enable=true",
		"replicas as text":         "replicas=two",
		"negative replicas":        "replicas=-1",
		"unknown level":            "logLevel=verbose",
		"no concurrency":           "maxConcurrentReconciles=0",
		"namespace in upper case":  "watchNamespaces={Brand}",
		"namespaces as text":       "watchNamespaces=brand",
		"same namespace twice":     "watchNamespaces={brand,brand}",
		"unknown pull policy":      "image.pullPolicy=Sometimes",
		"image with a space":       "image.repository=community operator",
		"tag with a colon":         "image.tag=a:b",
		"short digest":             "image.digest=sha256:abc",
		"argument that is no flag": "extraArgs={run}",
		"boolean as text":          "crds.install=maybe",
		"interval without a unit":  "metrics.serviceMonitor.interval=30",
		"class without a name":     "classes[0].spec.database.kind=shared",
		"class without a spec":     "classes[0].name=a",
	}
	for name, set := range tests {
		t.Run(name, func(t *testing.T) {
			_, err := render(t, "--set", set)
			if err == nil {
				t.Fatal("rendered")
			}
			if !strings.Contains(err.Error(), "values don't meet the specifications of the schema") {
				t.Errorf("refused, but not by the schema: %v", err)
			}
		})
	}
}
