package stack_test

import (
	"encoding/json"
	"reflect"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/utils/ptr"
	"pgregory.net/rapid"

	"github.com/quaeso/community-operator/api/v1alpha1"
	"github.com/quaeso/community-operator/internal/stack"
)

// Names as the API accepts them.
var (
	communityNames = rapid.StringMatching(`[a-z]([-a-z0-9]{0,38}[a-z0-9])?`)
	dnsLabels      = rapid.StringMatching(`[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?`)
	hostnames      = rapid.StringMatching(`[a-z0-9]([-a-z0-9]{0,30}[a-z0-9])?([.][a-z0-9]([-a-z0-9]{0,30}[a-z0-9])?){1,6}`)
)

// anyPlan draws a valid plan.
func anyPlan(t *rapid.T, tb testing.TB) stack.Plan {
	s := scenarios[rapid.SampledFrom(sortedKeys(scenarios)).Draw(t, "scenario")]
	p := newPlan(tb, scenario{class: s.class, plan: s.plan, community: func(c *v1alpha1.Community) {
		if s.community != nil {
			s.community(c)
		}
		c.Name = communityNames.Draw(t, "name")
		c.Namespace = dnsLabels.Draw(t, "namespace")
		for _, h := range rapid.SliceOfN(hostnames, 0, 8).Draw(t, "hostnames") {
			c.Spec.Hostnames = append(c.Spec.Hostnames, v1alpha1.Hostname(h))
		}
		c.Spec.Replicas = rapid.Ptr(rapid.Int32Range(1, 20), true).Draw(t, "replicas")
	}})
	p.Size.Resources = anyResources(t, "ideas")
	p.Size.Database = &v1alpha1.DatabaseSize{Resources: anyResources(t, "database")}
	p.Database.Password = rapid.String().Draw(t, "password")
	return p
}

// anyResources draws amounts that people may set, each on its own, with no request above its limit. The border
// between requests and limits lies below or above the defaults.
func anyResources(t *rapid.T, label string) *v1alpha1.Resources {
	if !rapid.Bool().Draw(t, label+" set") {
		return nil
	}
	amount := func(label string, least, most int64, unit func(int64) resource.Quantity) *resource.Quantity {
		if !rapid.Bool().Draw(t, label+" set") {
			return nil
		}
		return ptr.To(unit(rapid.Int64Range(least, most).Draw(t, label)))
	}
	milli := func(n int64) resource.Quantity { return *resource.NewMilliQuantity(n, resource.DecimalSI) }
	mebi := func(n int64) resource.Quantity { return *resource.NewQuantity(n<<20, resource.BinarySI) }
	cpu := rapid.SampledFrom([]int64{5, 1000}).Draw(t, label+" cpu border")
	memory := rapid.SampledFrom([]int64{16, 1024}).Draw(t, label+" memory border")
	return &v1alpha1.Resources{
		Requests: &v1alpha1.ResourceAmounts{
			CPU: amount(label+" cpu", 1, cpu, milli), Memory: amount(label+" memory", 1, memory, mebi),
		},
		Limits: &v1alpha1.ResourceAmounts{
			CPU: amount(label+" cpu limit", cpu, 64000, milli), Memory: amount(label+" memory limit", memory, 1<<20, mebi),
		},
	}
}

// TestAnyPlanGivesValidNames: no valid Community has a name that makes one of its children invalid.
func TestAnyPlanGivesValidNames(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		p := anyPlan(rt, t)
		for _, object := range stack.Objects(p) {
			o := unstructured.Unstructured{Object: toMap(t, object)}
			check := validation.IsDNS1123Subdomain
			if o.GetKind() == "Service" || o.GetKind() == "Cluster" || o.GetKind() == "StatefulSet" {
				check = validation.IsDNS1035Label // what becomes a Service or a pod's host name is a label
			}
			for _, problem := range check(o.GetName()) {
				rt.Errorf("%s %s: %s", o.GetKind(), o.GetName(), problem)
			}
			for key, value := range o.GetLabels() {
				for _, problem := range append(validation.IsQualifiedName(key), validation.IsValidLabelValue(value)...) {
					rt.Errorf("%s %s, label %s=%s: %s", o.GetKind(), o.GetName(), key, value, problem)
				}
			}
			// CloudNativePG takes no longer names.
			if o.GetKind() == "Cluster" && len(o.GetName()) > 50 {
				rt.Errorf("Cluster %s has a name of %d characters", o.GetName(), len(o.GetName()))
			}
		}
	})
}

// TestEqualPlansGiveEqualObjects: a builder that depended on time, chance or the order of a map would have the
// operator write without end.
func TestEqualPlansGiveEqualObjects(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		p := anyPlan(rt, t)
		if diff := cmp.Diff(output(t, p), output(t, copyPlan(p))); diff != "" {
			rt.Errorf("the same plan gives different objects:\n%s", diff)
		}
	})
}

// TestObjectsStandApart: a client reads the API server's answer into what it applied. That must reach neither
// the plan nor the cached class behind it.
func TestObjectsStandApart(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		p := anyPlan(rt, t)
		before := copyPlan(p)
		for _, object := range stack.Objects(p) {
			raw, err := json.Marshal(scribble(toMap(t, object)))
			if err != nil {
				rt.Fatalf("marshal %T: %v", object, err)
			}
			// An answer of another shape is refused half-way; what was read until then counts.
			_ = json.Unmarshal(raw, object)
		}
		if diff := cmp.Diff(before, p); diff != "" {
			rt.Errorf("the plan changed (-before +after):\n%s", diff)
		}
	})
}

// scribble replaces every string and adds to every map.
func scribble(value any) any {
	switch v := value.(type) {
	case map[string]any:
		for key := range v {
			v[key] = scribble(v[key])
		}
		if len(v) > 0 && allStrings(v) {
			v["scribbled"] = "scribbled"
		}
		return v
	case []any:
		for i := range v {
			v[i] = scribble(v[i])
		}
		return v
	case string:
		if _, err := resource.ParseQuantity(v); err == nil {
			return "7"
		}
		return "scribbled"
	default:
		return v
	}
}

func allStrings(m map[string]any) bool {
	for _, v := range m {
		if reflect.TypeOf(v) != reflect.TypeFor[string]() {
			return false
		}
	}
	return true
}

// copyPlan copies everything that the builders could reach.
func copyPlan(p stack.Plan) stack.Plan {
	out := p
	out.Community, out.Class = p.Community.DeepCopy(), p.Class.DeepCopy()
	out.Size = *p.Size.DeepCopy()
	out.Hostnames = append([]string(nil), p.Hostnames...)
	out.Locales = append([]v1alpha1.Locale(nil), p.Locales...)
	out.PullSecret = append([]byte(nil), p.PullSecret...)
	if p.Database.StorageClassName != nil {
		out.Database.StorageClassName = ptr.To(*p.Database.StorageClassName)
	}
	if p.Credentials != nil {
		c := *p.Credentials
		c.Files = map[string][]byte{}
		for name, content := range p.Credentials.Files {
			c.Files[name] = append([]byte(nil), content...)
		}
		out.Credentials = &c
	}
	return out
}

// TestResources: the API server refuses a pod whose request is above its limit, so no default may lead there.
func TestResources(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		p := anyPlan(rt, t)
		for kind, pod := range podTemplates(t, p) {
			r := pod.Spec.Containers[0].Resources
			for _, name := range []corev1.ResourceName{corev1.ResourceCPU, corev1.ResourceMemory} {
				limit, limited := r.Limits[name]
				request := r.Requests[name]
				if limited && request.Cmp(limit) > 0 {
					rt.Errorf("%s: %s request %s is above the limit %s", kind, name, request.String(), limit.String())
				}
			}
		}
	})
}

// TestDefaultResources holds what the API's comments promise.
func TestDefaultResources(t *testing.T) {
	list := func(cpu, memory string) corev1.ResourceList {
		return corev1.ResourceList{corev1.ResourceCPU: resource.MustParse(cpu), corev1.ResourceMemory: resource.MustParse(memory)}
	}
	limit := func(memory string) corev1.ResourceList {
		return corev1.ResourceList{corev1.ResourceMemory: resource.MustParse(memory)}
	}
	want := map[string]corev1.ResourceRequirements{
		"Deployment":  {Requests: list("20m", "48Mi"), Limits: limit("256Mi")},
		"StatefulSet": {Requests: list("50m", "128Mi"), Limits: limit("512Mi")},
	}
	pods := podTemplates(t, newPlan(t, scenario{}))
	for kind, w := range want {
		if diff := cmp.Diff(w, pods[kind].Spec.Containers[0].Resources); diff != "" {
			t.Errorf("%s (-want +got):\n%s", kind, diff)
		}
	}
}
