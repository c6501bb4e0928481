package cel_test

import (
	"context"
	"os/exec"
	"slices"
	"strings"
	"testing"

	autoscalingv1 "k8s.io/api/autoscaling/v1"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/quaeso/community-operator/api/v1alpha1"
	"github.com/quaeso/community-operator/internal/testutil/kubeapi"
)

// stored stores an object in a namespace of the test's own.
func stored(t *testing.T, base string, patches ...string) *unstructured.Unstructured {
	t.Helper()
	api := kubeapi.Shared(t)
	object := read(t, base, patches...)
	if namespaced(object) {
		object.SetNamespace(api.Namespace(t))
	}
	if err := api.Client.Create(t.Context(), object); err != nil {
		t.Fatalf("store %s: %v", base, err)
	}
	t.Cleanup(func() { _ = api.Client.Delete(context.Background(), object) }) //nolint:usetesting // the test's own has ended
	return object
}

func TestScaleIsReadAndWritten(t *testing.T) {
	api := kubeapi.Shared(t)
	object := stored(t, community)
	key := client.ObjectKeyFromObject(object)
	c := &v1alpha1.Community{}
	if err := api.Client.Get(t.Context(), key, c); err != nil {
		t.Fatal(err)
	}
	c.Status.Replicas, c.Status.Selector = 2, "app.kubernetes.io/instance=maison-claire"
	if err := api.Client.Status().Update(t.Context(), c); err != nil {
		t.Fatalf("write the status: %v", err)
	}

	scale := &autoscalingv1.Scale{}
	if err := api.Client.SubResource("scale").Get(t.Context(), c, scale); err != nil {
		t.Fatalf("read the scale: %v", err)
	}
	if scale.Spec.Replicas != 2 || scale.Status.Replicas != 2 || scale.Status.Selector != c.Status.Selector {
		t.Errorf("the scale reads %+v %+v", scale.Spec, scale.Status)
	}
	scale.Spec.Replicas = 3
	if err := api.Client.SubResource("scale").Update(t.Context(), c, client.WithSubResourceBody(scale)); err != nil {
		t.Fatalf("write the scale: %v", err)
	}
	if err := api.Client.Get(t.Context(), key, c); err != nil {
		t.Fatal(err)
	}
	if c.Spec.Replicas == nil || *c.Spec.Replicas != 3 {
		t.Errorf("spec.replicas is %v after scaling to 3", c.Spec.Replicas)
	}
	scale.ResourceVersion, scale.Spec.Replicas = "", 21
	err := api.Client.SubResource("scale").Update(t.Context(), c, client.WithSubResourceBody(scale))
	if err == nil || !strings.Contains(err.Error(), "spec.replicas") {
		t.Errorf("scaling beyond the bound answers %v", err)
	}
}

// TestScaleNeedsReplicas holds what docs/spec/community.md tells users of a HorizontalPodAutoscaler.
func TestScaleNeedsReplicas(t *testing.T) {
	object := stored(t, community, "spec: {replicas: null}")
	c := &v1alpha1.Community{ObjectMeta: metav1.ObjectMeta{Namespace: object.GetNamespace(), Name: object.GetName()}}
	err := kubeapi.Shared(t).Client.SubResource("scale").Get(t.Context(), c, &autoscalingv1.Scale{})
	if err == nil || !strings.Contains(err.Error(), "spec replicas") {
		t.Errorf("reading the scale of a community without replicas answers %v: the documentation says otherwise", err)
	}
}

// kubectl runs kubectl and returns what it prints.
func kubectl(t *testing.T, arguments ...string) string {
	t.Helper()
	path, err := kubeapi.Kubectl()
	if err != nil {
		t.Fatal(err)
	}
	arguments = append([]string{"--kubeconfig", kubeapi.Shared(t).Kubeconfig(t), "--cache-dir", t.TempDir()}, arguments...)
	out, err := exec.CommandContext(t.Context(), path, arguments...).CombinedOutput()
	if err != nil {
		t.Fatalf("kubectl %s: %v: %s", strings.Join(arguments, " "), err, out)
	}
	return string(out)
}

func TestKubectlKnowsCategoryShortNamesAndScale(t *testing.T) {
	namespace := stored(t, community).GetNamespace()
	stored(t, classStandalone)
	for _, base := range []string{challenge, rewardPolicy} {
		object := read(t, base)
		object.SetNamespace(namespace)
		if err := kubeapi.Shared(t).Client.Create(t.Context(), object); err != nil {
			t.Fatalf("store %s: %v", base, err)
		}
	}
	in := []string{"--namespace", namespace}

	all := kubectl(t, append(in, "get", "cocreation", "--output", "name")...)
	for _, want := range []string{"community.cocreation.quaeso.io/maison-claire", "communityclass.cocreation.quaeso.io/trial", "challenge.cocreation.quaeso.io/summer-contest", "rewardpolicy.cocreation.quaeso.io/prizes"} {
		if !strings.Contains(all, want) {
			t.Errorf("kubectl get cocreation lacks %s: %s", want, all)
		}
	}
	kubectl(t, append(in, "scale", "community/maison-claire", "--replicas=5")...)
	if got := kubectl(t, append(in, "get", "com/maison-claire", "--output", "jsonpath={.spec.replicas}")...); got != "5" {
		t.Errorf("spec.replicas is %s after kubectl scale --replicas=5", got)
	}
	for name, columns := range map[string]string{
		"com": "URL READY REPLICAS AGE STATUS", "cclass": "DEFAULT DATABASE ROUTING APEX COMMUNITIES READY AGE",
		"chal": "COMMUNITY TYPE PHASE IDEAS PARTICIPANTS CLOSES IN READY", "reward": "COMMUNITY MEMBERS POINTS ISSUED PAYOUTS DUE READY AGE",
	} {
		header, _, _ := strings.Cut(kubectl(t, append(in, "get", name)...), "\n")
		if got := strings.Join(strings.Fields(header), " "); got != "NAME "+columns {
			t.Errorf("kubectl get %s has the columns %s, want NAME %s", name, got, columns)
		}
	}
}

// shortNames are what users say: "challenges" alone are cert-manager's where that is installed.
var shortNames = map[string]string{"Community": "com", "CommunityClass": "cclass", "Challenge": "chal", "RewardPolicy": "reward"}

// TestExplainIsEnough holds kubectl explain to name every field of a challenge and of a policy, each with its meaning.
func TestExplainIsEnough(t *testing.T) {
	for kind, schema := range schemas(t) {
		out := kubectl(t, "explain", shortNames[kind]+".spec", "--recursive")
		for name := range schema.Properties["spec"].Properties {
			if !strings.Contains(out, name) {
				t.Errorf("kubectl explain %s.spec lacks %s", kind, name)
			}
		}
		walk("", schema, func(path string, node apiextensionsv1.JSONSchemaProps) {
			named := !strings.HasSuffix(path, "[]") && !strings.HasSuffix(path, "[*]")
			if inSpec(path) && named && node.Description == "" && !foreignPart(path) {
				t.Errorf("%s: %s has no description", kind, path)
			}
		})
	}
}

// foreignPart tells whether a path is below a field whose schema comes from Kubernetes.
func foreignPart(path string) bool {
	return slices.ContainsFunc(foreign, func(f string) bool { return strings.HasPrefix(path, f) })
}
