package chart_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/quaeso/community-operator/api/v1alpha1"
	"github.com/quaeso/community-operator/internal/testutil/kubeapi"
)

// TestInstallUpgradeUninstall takes a release through its life on an API server that knows nothing of ours.
func TestInstallUpgradeUninstall(t *testing.T) {
	server := kubeapi.Start(t, kubeapi.Options{Bare: true})
	cluster := []string{"--kubeconfig", server.Kubeconfig(t), "--namespace", namespace}
	values := valuesFiles(t)["everything"]
	const current = "charts/community-operator"
	install := func(chart string) string {
		t.Helper()
		out, err := run(t, "helm", append([]string{
			"upgrade", "--install", release, chart, "--create-namespace", "--values", values,
			"--set", "crds.install=true,metrics.serviceMonitor.enabled=false",
		}, cluster...)...)
		if err != nil {
			t.Fatalf("helm upgrade --install: %v", err)
		}
		return out
	}

	if out := install(olderChart(t)); !strings.Contains(out, "NOT CREATED YET") {
		t.Errorf("the first installation does not say that its classes are missing: %s", out)
	}
	if got := shortNames(t, server); got != "old" {
		t.Fatalf("the older chart's definition has the short names %s", got)
	}
	if out := install(current); strings.Contains(out, "NOT CREATED YET") {
		t.Errorf("the second installation says that its classes are missing: %s", out)
	}
	class := &v1alpha1.CommunityClass{ObjectMeta: metav1.ObjectMeta{Name: "try-out"}}
	must(t, server.Client.Get(t.Context(), client.ObjectKeyFromObject(class), class))
	if class.Labels["example.com/for"] != "trial" || !class.Spec.Default {
		t.Errorf("the class has the labels %v and the spec %+v", class.Labels, class.Spec)
	}

	if got := shortNames(t, server); got != "com coms" {
		t.Errorf("after the upgrade the definition has the short names %s", got)
	}

	community := &v1alpha1.Community{ObjectMeta: metav1.ObjectMeta{Name: "kept", Namespace: "default"}}
	community.Spec.Brand.DisplayName = v1alpha1.TextByLocale{"fr": "Gardée"}
	must(t, server.Client.Create(t.Context(), community))
	_, err := run(t, "helm", append([]string{"uninstall", release}, cluster...)...)
	must(t, err)
	must(t, server.Client.Get(t.Context(), client.ObjectKeyFromObject(community), community))
	deployment := &appsv1.Deployment{ObjectMeta: metav1.ObjectMeta{Name: "communities", Namespace: namespace}}
	if err := server.Client.Get(t.Context(), client.ObjectKeyFromObject(deployment), deployment); !apierrors.IsNotFound(err) {
		t.Errorf("the operator's Deployment after the removal: %v", err)
	}

	install(current) // takes the definitions that stayed into use again
}

// olderChart is the chart with another definition, as of a release before.
func olderChart(t *testing.T) string {
	t.Helper()
	root, err := kubeapi.Root()
	must(t, err)
	folder := t.TempDir()
	must(t, os.CopyFS(folder, os.DirFS(filepath.Join(root, "charts", "community-operator"))))
	makeOlder(t, filepath.Join(folder, "files", "crds"))
	return folder
}

func shortNames(t *testing.T, server *kubeapi.Server) string {
	t.Helper()
	definition := &apiextensionsv1.CustomResourceDefinition{}
	must(t, server.Client.Get(t.Context(), client.ObjectKey{Name: "communities.cocreation.quaeso.io"}, definition))
	if definition.Annotations["helm.sh/resource-policy"] != "keep" {
		t.Error("the definitions would go with the release")
	}
	return strings.Join(definition.Spec.Names.ShortNames, " ")
}

// TestDefinitionsAppliedOtherwiseAreTakenOver is the way from `make run`, or from config/default, to the chart.
func TestDefinitionsAppliedOtherwiseAreTakenOver(t *testing.T) {
	server := kubeapi.Start(t, kubeapi.Options{Bare: true})
	kubeconfig := server.Kubeconfig(t)
	kubectl, err := kubeapi.Kubectl()
	must(t, err)
	cmd := exec.CommandContext(t.Context(), kubectl, "--kubeconfig", kubeconfig, "apply", "--server-side", "-k", olderDefinitions(t))
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("apply the definitions: %v: %s", err, out)
	}
	_, err = run(t, "helm", "upgrade", "--install", release, "charts/community-operator", "--create-namespace",
		"--take-ownership", "--force-conflicts", "--kubeconfig", kubeconfig, "--namespace", namespace)
	must(t, err)
	if got := shortNames(t, server); got != "com coms" {
		t.Errorf("after the installation the definition has the short names %s", got)
	}
}

func olderDefinitions(t *testing.T) string {
	t.Helper()
	root, err := kubeapi.Root()
	must(t, err)
	folder := t.TempDir()
	must(t, os.CopyFS(folder, os.DirFS(filepath.Join(root, "config", "crd"))))
	makeOlder(t, folder)
	return folder
}

// makeOlder gives a definition other short names.
func makeOlder(t *testing.T, folder string) {
	t.Helper()
	file := filepath.Join(folder, "cocreation.quaeso.io_communities.yaml")
	raw, err := os.ReadFile(file)
	must(t, err)
	older := regexp.MustCompile(`shortNames:\n    - com\n    - coms\n`).ReplaceAll(raw, []byte("shortNames: [old]\n"))
	must(t, os.WriteFile(file, older, 0o600))
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// TestOperatorsRights installs each way and asks the API server what the operator's account may do.
func TestOperatorsRights(t *testing.T) {
	server := kubeapi.Start(t, kubeapi.Options{Bare: true})
	for _, name := range []string{"brand-a", "brand-b", "other"} {
		must(t, server.Client.Create(t.Context(), &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: name}}))
	}
	kubeconfig := server.Kubeconfig(t)
	type question struct {
		verb, kind, namespace string
	}
	// Where a release that works everywhere and one that works in brand-a and brand-b may do it.
	tests := map[question][2]bool{
		{"create", "deployments", "brand-a"}:          {true, true},
		{"create", "deployments", "other"}:            {true, false},
		{"list", "secrets", "brand-b"}:                {true, true},
		{"list", "secrets", "other"}:                  {true, false},
		{"list", "secrets", ""}:                       {true, false},
		{"get", "secrets", namespace}:                 {true, true},
		{"get", "communityclasses", ""}:               {true, true},
		{"get", "gateways", "other"}:                  {true, true},
		{"update", "leases", namespace}:               {true, true},
		{"create", "tokenreviews", ""}:                {true, true},
		{"create", "deployments", namespace}:          {true, false},
		{"patch", "challenges", "brand-a"}:            {true, true},
		{"patch", "rewardpolicies", "other"}:          {true, false},
		{"delete", "communities", "brand-a"}:          {false, false},
		{"delete", "challenges", "brand-a"}:           {false, false},
		{"create", "rewardpolicies", "brand-a"}:       {false, false},
		{"create", "roles", "brand-a"}:                {false, false},
		{"create", "pods", "brand-a"}:                 {false, false},
		{"create", "namespaces", ""}:                  {false, false},
		{"get", "nodes", ""}:                          {false, false},
		{"update", "leases", "kube-system"}:           {false, false},
		{"create", "customresourcedefinitions", ""}:   {false, false},
		{"delete", "validatingadmissionpolicies", ""}: {false, false},
	}
	for i, arguments := range [][]string{nil, {"--set", "watchNamespaces={brand-a,brand-b}"}} {
		_, err := run(t, "helm", append([]string{
			"upgrade", "--install", release, "charts/community-operator", "--create-namespace",
			"--kubeconfig", kubeconfig, "--namespace", namespace,
		}, arguments...)...)
		must(t, err)
		config := rest.CopyConfig(server.Config)
		config.Impersonate = rest.ImpersonationConfig{UserName: "system:serviceaccount:" + namespace + ":community-operator"}
		operator, err := client.New(config, client.Options{Scheme: kubeapi.Scheme()})
		must(t, err)
		for q, want := range tests {
			if got := may(t, operator, q.verb, q.kind, q.namespace); got != want[i] {
				t.Errorf("installed with %v: the operator may %s %s in %q: %t, want %t", arguments, q.verb, q.kind, q.namespace, got, want[i])
			}
		}
	}
}
