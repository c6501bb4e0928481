package stack_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/utils/ptr"

	"github.com/quaeso/community-operator/api/v1alpha1"
	"github.com/quaeso/community-operator/internal/stack"
)

// named is what controller-runtime's client asks of an apply configuration.
type named interface {
	GetName() *string
	GetNamespace() *string
	GetKind() *string
	GetAPIVersion() *string
}

// dataKinds hold data, or what opens it, when their name is that of the database.
var dataKinds = map[string]bool{"Secret": true, "PersistentVolumeClaim": true, "Cluster": true}

// TestMetadata: every object can be addressed, carries our labels, and goes with its Community unless it is data.
func TestMetadata(t *testing.T) {
	for name, p := range allPlans(t) {
		t.Run(name, func(t *testing.T) {
			for _, object := range stack.Objects(p) {
				checkMetadata(t, p, object)
			}
		})
	}
}

func checkMetadata(t *testing.T, p stack.Plan, object runtime.ApplyConfiguration) {
	t.Helper()
	o := unstructured.Unstructured{Object: toMap(t, object)}
	id := o.GetKind() + " " + o.GetName()
	n, ok := object.(named)
	if !ok {
		t.Fatalf("%s: %T lacks a getter that the client needs", id, object)
	}
	got := []string{*n.GetAPIVersion(), *n.GetKind(), *n.GetNamespace(), *n.GetName()}
	want := []string{o.GetAPIVersion(), o.GetKind(), p.Community.Namespace, o.GetName()}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%s: getters (-want +got):\n%s", id, diff)
	}

	component := o.GetLabels()[v1alpha1.LabelComponent]
	for label, value := range stack.Labels(p.Community.Name, component) {
		if o.GetLabels()[label] != value {
			t.Errorf("%s: label %s is %q, want %q", id, label, o.GetLabels()[label], value)
		}
	}
	if component != v1alpha1.ComponentIdeas && component != v1alpha1.ComponentDatabase {
		t.Errorf("%s belongs to no component: %q", id, component)
	}

	var owners []metav1.OwnerReference
	isData := dataKinds[o.GetKind()] && o.GetName() == stack.DatabaseName(p.Community.Name)
	if !isData {
		owners = []metav1.OwnerReference{{
			APIVersion: "cocreation.quaeso.io/v1alpha1", Kind: "Community", Name: p.Community.Name, UID: p.Community.UID,
			Controller: ptr.To(true), BlockOwnerDeletion: ptr.To(true),
		}}
	}
	if diff := cmp.Diff(owners, o.GetOwnerReferences()); diff != "" {
		t.Errorf("%s: owners (-want +got):\n%s", id, diff)
	}
}

// TestObjectNames: the applier and the pruner find objects by kind and name, so none may come twice.
func TestObjectNames(t *testing.T) {
	for name, p := range allPlans(t) {
		t.Run(name, func(t *testing.T) {
			seen := map[string]bool{}
			for _, object := range stack.Objects(p) {
				o := unstructured.Unstructured{Object: toMap(t, object)}
				id := o.GetAPIVersion() + " " + o.GetKind() + " " + o.GetName()
				if seen[id] {
					t.Errorf("%s is described twice", id)
				}
				seen[id] = true
			}
		})
	}
}

// TestKinds says which kinds each plan consists of, in the order of creation.
func TestKinds(t *testing.T) {
	standalone := []string{"Secret/lumiere-db", "NetworkPolicy/lumiere-db", "PersistentVolumeClaim/lumiere-db",
		"StatefulSet/lumiere-db", "Service/lumiere-db"}
	tests := map[string]struct {
		scenario string
		change   func(*stack.Plan)
		database []string
		ideas    []string
	}{
		"everything runs": {
			scenario: "standalone-gateway",
			database: standalone,
			ideas: []string{"Secret/lumiere-credentials", "Service/lumiere", "Service/lumiere-control",
				"Deployment/lumiere", "HTTPRoute/lumiere"},
		},
		"credentials are not known": {
			scenario: "no-credentials-yet",
			database: standalone,
			ideas:    []string{"Service/lumiere", "Service/lumiere-control", "HTTPRoute/lumiere"},
		},
		"no hostname is held": {
			scenario: "no-hostnames-held",
			database: standalone,
			ideas:    []string{"Secret/lumiere-credentials", "Service/lumiere", "Service/lumiere-control", "Deployment/lumiere"},
		},
		"several replicas": {
			scenario: "standalone-gateway",
			change:   func(p *stack.Plan) { p.Replicas = 2 },
			database: standalone,
			ideas: []string{"Secret/lumiere-credentials", "Service/lumiere", "Service/lumiere-control",
				"Deployment/lumiere", "PodDisruptionBudget/lumiere", "HTTPRoute/lumiere"},
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			p := newPlan(t, scenarios[tt.scenario])
			if tt.change != nil {
				tt.change(&p)
			}
			if diff := cmp.Diff(tt.database, ids(t, stack.DatabaseObjects(p))); diff != "" {
				t.Errorf("database objects (-want +got):\n%s", diff)
			}
			want := append([]string{"ServiceAccount/lumiere", "NetworkPolicy/lumiere-ideas"}, tt.database...)
			want = append(want, tt.ideas...)
			if diff := cmp.Diff(want, ids(t, stack.Objects(p))); diff != "" {
				t.Errorf("objects (-want +got):\n%s", diff)
			}
		})
	}
}

func ids(t *testing.T, objects []runtime.ApplyConfiguration) []string {
	t.Helper()
	var out []string
	for _, object := range objects {
		o := unstructured.Unstructured{Object: toMap(t, object)}
		out = append(out, o.GetKind()+"/"+o.GetName())
	}
	return out
}
