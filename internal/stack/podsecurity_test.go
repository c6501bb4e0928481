package stack_test

import (
	"testing"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime"
	podsecurity "k8s.io/pod-security-admission/api"
	"k8s.io/pod-security-admission/policy"

	"github.com/quaeso/community-operator/internal/stack"
)

// podTemplates are the templates of a plan's Deployments and StatefulSets, by kind.
func podTemplates(t testing.TB, p stack.Plan) map[string]corev1.PodTemplateSpec {
	t.Helper()
	out := map[string]corev1.PodTemplateSpec{}
	for _, object := range stack.Objects(p) {
		o := toMap(t, object)
		spec, _ := o["spec"].(map[string]any)
		template, ok := spec["template"].(map[string]any)
		if !ok {
			continue
		}
		var pod corev1.PodTemplateSpec
		if err := runtime.DefaultUnstructuredConverter.FromUnstructuredWithValidation(template, &pod, true); err != nil {
			t.Fatalf("read the pod template of %s: %v", o["kind"], err)
		}
		out[o["kind"].(string)] = pod
	}
	return out
}

// TestPodSecurity asks the admission plugin's own evaluator whether a namespace that enforces "restricted" would
// take the pods.
func TestPodSecurity(t *testing.T) {
	evaluator, err := policy.NewEvaluator(policy.DefaultChecks(), nil)
	if err != nil {
		t.Fatalf("make the evaluator: %v", err)
	}
	restricted := podsecurity.LevelVersion{Level: podsecurity.LevelRestricted, Version: podsecurity.LatestVersion()}
	evaluated := 0
	for name, p := range allPlans(t) {
		for kind, pod := range podTemplates(t, p) {
			t.Run(name+"/"+kind, func(t *testing.T) {
				result := policy.AggregateCheckResults(evaluator.EvaluatePod(restricted, &pod.ObjectMeta, &pod.Spec))
				if !result.Allowed {
					t.Errorf("refused: %s", result.ForbiddenDetail())
				}
			})
			evaluated++
		}
	}
	if evaluated < len(scenarios) {
		t.Errorf("only %d pod templates were evaluated", evaluated)
	}
}

// TestPodsBeyondRestricted holds what the architecture asks for and "restricted" does not.
func TestPodsBeyondRestricted(t *testing.T) {
	for name, p := range allPlans(t) {
		for kind, pod := range podTemplates(t, p) {
			t.Run(name+"/"+kind, func(t *testing.T) {
				if token := pod.Spec.AutomountServiceAccountToken; token == nil || *token {
					t.Error("the pods mount a service-account token")
				}
				if links := pod.Spec.EnableServiceLinks; links == nil || *links {
					t.Error("the pods get variables of their neighbours' Services")
				}
				for _, c := range pod.Spec.Containers {
					if root := c.SecurityContext.ReadOnlyRootFilesystem; root == nil || !*root {
						t.Errorf("container %s can write to its root file system", c.Name)
					}
					if c.Resources.Requests.Cpu().IsZero() || c.Resources.Requests.Memory().IsZero() {
						t.Errorf("container %s requests no CPU or no memory", c.Name)
					}
					if c.Resources.Limits.Memory().IsZero() {
						t.Errorf("container %s has no memory limit", c.Name)
					}
				}
			})
		}
	}
}
