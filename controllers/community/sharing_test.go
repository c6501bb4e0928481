package community

import (
	"maps"
	"reflect"
	"strconv"
	"testing"

	"github.com/google/go-cmp/cmp"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	policyv1 "k8s.io/api/policy/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// sharedKinds makes one object of each kind that sharing looks into, for a community.
func sharedKinds(community string) []client.Object {
	labels := func() map[string]string { return map[string]string{"instance": community, "name": "ideas"} }
	selector := func() *metav1.LabelSelector { return &metav1.LabelSelector{MatchLabels: labels()} }
	object := metav1.ObjectMeta{
		Name: community, Labels: labels(), Annotations: map[string]string{"hash": community},
		OwnerReferences: []metav1.OwnerReference{{Kind: "Community", Name: community, UID: "uid", Controller: new(true)}},
		ManagedFields:   []metav1.ManagedFieldsEntry{{Manager: "somebody"}},
	}
	pods := corev1.PodTemplateSpec{
		ObjectMeta: metav1.ObjectMeta{Labels: labels()},
		Spec: corev1.PodSpec{
			Affinity: &corev1.Affinity{PodAntiAffinity: &corev1.PodAntiAffinity{
				PreferredDuringSchedulingIgnoredDuringExecution: []corev1.WeightedPodAffinityTerm{{
					PodAffinityTerm: corev1.PodAffinityTerm{LabelSelector: selector()},
				}},
			}},
			Containers: []corev1.Container{{
				Name: "ideas", Args: []string{"--listen=:8080"},
				Resources: corev1.ResourceRequirements{Requests: corev1.ResourceList{
					corev1.ResourceCPU: resource.MustParse("50m"), corev1.ResourceMemory: resource.MustParse("64Mi"),
				}},
			}},
		},
	}
	peers := []networkingv1.NetworkPolicyPeer{{PodSelector: selector(), NamespaceSelector: selector()}}
	return []client.Object{
		&appsv1.Deployment{ObjectMeta: object, Spec: appsv1.DeploymentSpec{Selector: selector(), Template: pods}},
		&appsv1.StatefulSet{ObjectMeta: object, Spec: appsv1.StatefulSetSpec{Selector: selector(), Template: *pods.DeepCopy()}},
		&corev1.Service{ObjectMeta: object, Spec: corev1.ServiceSpec{Selector: labels()}},
		&networkingv1.NetworkPolicy{ObjectMeta: object, Spec: networkingv1.NetworkPolicySpec{
			PodSelector: *selector(),
			Ingress:     []networkingv1.NetworkPolicyIngressRule{{From: peers}},
			Egress:      []networkingv1.NetworkPolicyEgressRule{{To: peers}},
		}},
		&policyv1.PodDisruptionBudget{ObjectMeta: object, Spec: policyv1.PodDisruptionBudgetSpec{Selector: selector()}},
	}
}

func TestSharingKeepsEveryValue(t *testing.T) {
	s := newSharing()
	for _, community := range []string{"one", "two", "one"} {
		for i, o := range sharedKinds(community) {
			want := sharedKinds(community)[i]
			want.SetManagedFields(nil)
			got, err := s.transform(o)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("%T of community %s changed (-want +got):\n%s", o, community, diff)
			}
		}
	}
}

func TestSharingUsesOneCopy(t *testing.T) {
	s := newSharing()
	transformed := func(community string) (*appsv1.Deployment, *corev1.Service) {
		objects := sharedKinds(community)
		for _, o := range objects {
			if _, err := s.transform(o); err != nil {
				t.Fatal(err)
			}
		}
		return objects[0].(*appsv1.Deployment), objects[2].(*corev1.Service)
	}
	deployment, service := transformed("one")
	other, _ := transformed("two")
	same := func(a, b map[string]string) bool { return reflect.ValueOf(a).Pointer() == reflect.ValueOf(b).Pointer() }
	if !same(deployment.Labels, service.Spec.Selector) || !same(deployment.Labels, deployment.Spec.Selector.MatchLabels) {
		t.Error("equal labels of one community have several copies")
	}
	if &deployment.Spec.Template.Spec.Containers[0].Args[0] != &other.Spec.Template.Spec.Containers[0].Args[0] {
		t.Error("equal containers of two communities have several copies")
	}
	if same(deployment.Labels, other.Labels) || maps.Equal(deployment.Labels, other.Labels) {
		t.Error("two communities have the same labels")
	}
}

func TestSharingForgets(t *testing.T) {
	s := newSharing()
	for i := range 3 * sharedValues {
		s.labels(map[string]string{"number": strconv.Itoa(i)})
	}
	if n := len(s.young) + len(s.old); n > 2*sharedValues {
		t.Errorf("%d values are kept for ever", n)
	}
}
