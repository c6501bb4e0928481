package community_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/quaeso/community-operator/api/v1alpha1"
	"github.com/quaeso/community-operator/internal/cnpg"
	"github.com/quaeso/community-operator/internal/stack"
)

// collectGarbage does what the garbage collector does once a Community is gone: what it owned goes.
func (w *world) collectGarbage(c *v1alpha1.Community) {
	w.t.Helper()
	for _, gvk := range childKinds {
		list := &unstructured.UnstructuredList{}
		list.SetGroupVersionKind(gvk.GroupVersion().WithKind(gvk.Kind + "List"))
		if err := w.client.List(context.Background(), list, client.InNamespace(w.namespace)); err != nil {
			w.t.Fatal(err)
		}
		for i := range list.Items {
			if owner := metav1.GetControllerOf(&list.Items[i]); owner != nil && owner.UID == c.UID {
				if err := w.client.Delete(context.Background(), &list.Items[i]); ignoreMissing(err) != nil {
					w.t.Fatal(err)
				}
			}
		}
	}
}

func dropping(c *v1alpha1.Community) { c.Spec.DeletionPolicy = v1alpha1.DeletionDelete }

// Retained data stays, marked, with its password; a Community made again under the same name has it back.
func TestRetainAndTakeIntoUseAgain(t *testing.T) {
	t.Parallel()
	data := map[string][]string{
		"standalone": {"PersistentVolumeClaim lumiere-db", "Secret lumiere-db"}, "cloudNativePG": {"Cluster lumiere-db", "Secret lumiere-db"},
		"shared": {"Secret lumiere-db"},
	}
	for name, class := range map[string]func(*v1alpha1.CommunityClass){"standalone": certManager, "cloudNativePG": cloudNativePG, "shared": sharedServer} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, shared, class)
			w.secrets()
			w.startOperator(operatorOptions{})
			c := w.community("lumiere")
			w.waitReady(c)
			before := w.outcome(c)
			secret := &corev1.Secret{ObjectMeta: named(w.namespace, "lumiere-db")}
			w.get(secret)
			password := string(secret.Data["password"])

			w.delete(c)
			w.waitGone(c)
			w.collectGarbage(c)
			w.checkRetained(c, data[name])
			if got := w.databases.asked("drop"); len(got) != 0 {
				t.Errorf("retained, the database was dropped: %q", got)
			}

			again := w.community("lumiere")
			w.waitReady(again)
			w.get(secret)
			if string(secret.Data["password"]) != password {
				t.Error("the data has a new password")
			}
			w.waitOutcome(again, before)
			for _, e := range w.events(again) {
				if strings.HasPrefix(e, "Warning") {
					t.Errorf("event: %s", e)
				}
			}
		})
	}
}

// checkRetained checks what is left of a Community that is gone.
func (w *world) checkRetained(c *v1alpha1.Community, want []string) {
	w.t.Helper()
	left := w.children(c.Name)
	var names []string
	for name, child := range left {
		names = append(names, name)
		annotations, _, _ := unstructured.NestedStringMap(child, "metadata", "annotations")
		if annotations[v1alpha1.AnnotationRetained] != string(c.UID) {
			w.t.Errorf("%s is not marked as retained: %v", name, annotations)
		}
		if strings.HasPrefix(name, "Cluster") && annotations[cnpg.AnnotationHibernation] != cnpg.HibernationOn {
			w.t.Errorf("%s is awake", name)
		}
	}
	slices.Sort(names)
	if diff := cmp.Diff(want, names); diff != "" {
		w.t.Errorf("what is left (-want +got):\n%s", diff)
	}
}

// With policy Delete nothing is left, in the order that data needs.
func TestDeleteLeavesNothing(t *testing.T) {
	t.Parallel()
	for name, v := range variants() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, shared, orNone(v.class))
			w.secrets()
			o := w.startOperator(operatorOptions{})
			c := w.community("lumiere", orNone(v.community), dropping)
			w.waitReady(c)
			kind := c.Status.Database.Kind
			w.delete(c)
			w.waitGone(c)
			w.collectGarbage(c)
			if left := w.children("lumiere"); len(left) != 0 {
				t.Errorf("there is left %s", asJSON(left))
			}
			drops := w.databases.asked("drop")
			want := []string{"drop " + stack.SharedName(w.namespace, "lumiere") + " of " + w.namespace + "/lumiere as admin"}
			if kind != v1alpha1.DatabaseShared {
				want = nil
			}
			if diff := cmp.Diff(want, slices.Compact(drops)); diff != "" {
				t.Errorf("what was dropped on shared servers (-want +got):\n%s", diff)
			}
			if kind == v1alpha1.DatabaseExternal && w.databases.connect("postgres://brand:p%40ss%2Fword@db.example.com/brand") != nil {
				t.Error("the external database was dropped")
			}
			if kind == v1alpha1.DatabaseStandalone {
				checkOrder(t, o, "DELETE", "/deployments/lumiere", "DELETE", "/statefulsets/lumiere-db")
				checkOrder(t, o, "DELETE", "/statefulsets/lumiere-db", "DELETE", "/persistentvolumeclaims/lumiere-db")
				checkOrder(t, o, "DELETE", "/persistentvolumeclaims/lumiere-db", "DELETE", "/secrets/lumiere-db")
			}
		})
	}
}

// While a Community is being deleted it says what it waits for, and makes nothing again, even where children go
// first, as in a foreground deletion.
func TestForegroundDeletion(t *testing.T) {
	t.Parallel()
	w := newWorld(t, shared)
	w.hold("PersistentVolumeClaim") // a pod still uses it
	w.startOperator(operatorOptions{})
	c := w.community("lumiere", dropping)
	w.waitReady(c)
	w.delete(c, client.PropagationPolicy(metav1.DeletePropagationForeground))
	w.waitCondition(c, v1alpha1.ConditionReady, metav1.ConditionFalse, v1alpha1.ReasonDeleting, "waiting for the PersistentVolumeClaim lumiere-db to go")
	w.delete(&corev1.Service{ObjectMeta: named(w.namespace, "lumiere")})
	w.delete(&gatewayv1.HTTPRoute{ObjectMeta: named(w.namespace, "lumiere")})
	w.nudge(c)
	w.waitCondition(c, v1alpha1.ConditionReconciling, metav1.ConditionTrue, v1alpha1.ReasonDeleting)
	children := w.children("lumiere")
	for _, name := range []string{"Service lumiere", "HTTPRoute lumiere", "Deployment lumiere", "StatefulSet lumiere-db"} {
		if children[name] != nil {
			t.Errorf("%s is there although the Community is being deleted", name)
		}
	}
	if children["Secret lumiere-db"] == nil {
		t.Error("the password went before the data")
	}
	w.release("PersistentVolumeClaim")
	eventually(t, "the operator should let the Community go", func() error {
		if err := w.client.Get(t.Context(), client.ObjectKeyFromObject(c), c); err != nil {
			return ignoreMissing(err)
		}
		if slices.Contains(c.Finalizers, v1alpha1.FinalizerCommunity) {
			return errors.New("its finalizers are " + strings.Join(c.Finalizers, ", "))
		}
		return nil
	})
}

// An object that took the place of ours is not deleted, nor is one that somebody else made.
func TestDeletionSparesStrangers(t *testing.T) {
	t.Parallel()
	w := newWorld(t, shared)
	o := w.startOperator(operatorOptions{})
	c := w.community("lumiere", dropping)
	w.waitReady(c)
	o.stop()
	w.delete(&appsv1.StatefulSet{ObjectMeta: named(w.namespace, "lumiere-db")})
	claim := &corev1.PersistentVolumeClaim{ObjectMeta: named(w.namespace, "lumiere-db")}
	w.get(claim)
	w.delete(claim)
	w.waitGone(claim)
	foreign := foreigners(w.namespace)["volume"].(*corev1.PersistentVolumeClaim)
	foreign.Name = "lumiere-db"
	w.create(foreign)
	w.delete(c)
	w.startOperator(operatorOptions{})
	w.waitGone(c)
	w.get(foreign)
	if foreign.DeletionTimestamp != nil {
		t.Error("a volume of somebody else was deleted")
	}
}

// A shared server that is out of reach is waited for, with a way out.
func TestSharedServerOutOfReach(t *testing.T) {
	t.Parallel()
	w := newWorld(t, shared, sharedServer)
	w.secrets()
	w.startOperator(operatorOptions{})
	c := w.community("lumiere", dropping)
	w.waitReady(c)
	w.databases.setDown(fmt.Errorf("dial tcp 10.0.0.9:5432: %w", syscall.ECONNREFUSED))
	w.delete(c)
	w.waitCondition(c, v1alpha1.ConditionReady, metav1.ConditionFalse, v1alpha1.ReasonDeleting,
		"waiting for the shared server", stack.SharedName(w.namespace, "lumiere"), "connection refused", "set spec.deletionPolicy to Retain")
	if w.children("lumiere")["Secret lumiere-db"] == nil {
		t.Error("the password went before the database")
	}
	change(w, c, func(c *v1alpha1.Community) { c.Spec.DeletionPolicy = v1alpha1.DeletionRetain })
	w.waitGone(c)
	w.collectGarbage(c)
	w.checkRetained(c, []string{"Secret lumiere-db"})
}

// So is a class that is gone, which names the server.
func TestDeletionWithoutTheClass(t *testing.T) {
	t.Parallel()
	w := newWorld(t, shared, sharedServer)
	w.secrets()
	w.startOperator(operatorOptions{})
	c := w.community("lumiere", dropping)
	w.waitReady(c)
	class := w.class.DeepCopy()
	w.delete(w.class)
	w.waitStalled(c, v1alpha1.ReasonClassNotFound)
	w.delete(c)
	w.waitCondition(c, v1alpha1.ConditionReady, metav1.ConditionFalse, v1alpha1.ReasonDeleting, "waiting for the CommunityClass", "set spec.deletionPolicy to Retain")
	class.ResourceVersion, class.UID = "", ""
	w.create(class)
	w.waitGone(c)
	if got := w.databases.asked("drop"); len(got) == 0 {
		t.Error("the database was not dropped")
	}
}

// The other kinds of database need no class to go.
func TestDeletionWithoutTheClassOfItsOwnDatabase(t *testing.T) {
	t.Parallel()
	w := newWorld(t, shared)
	w.startOperator(operatorOptions{})
	c := w.community("lumiere", dropping)
	w.waitReady(c)
	w.delete(w.class)
	w.delete(c)
	w.waitGone(c)
}

// A Community that was deleted before its status told of a shared database takes that along.
func TestDeletionBeforeTheFirstStatus(t *testing.T) {
	t.Parallel()
	w := newWorld(t, shared, sharedServer)
	w.secrets()
	c := w.newCommunity("lumiere", dropping)
	c.Finalizers = []string{v1alpha1.FinalizerCommunity}
	w.create(c)
	w.databases.allow("db.example.com", stack.SharedName(w.namespace, "lumiere"), "x")
	w.delete(c)
	w.startOperator(operatorOptions{})
	w.waitGone(c)
	if got := w.databases.asked("drop"); len(got) == 0 {
		t.Error("the database was not dropped")
	}
}

// A finalizer of somebody else is left alone.
func TestForeignFinalizer(t *testing.T) {
	t.Parallel()
	w := newWorld(t, shared)
	w.startOperator(operatorOptions{})
	c := w.community("lumiere", func(c *v1alpha1.Community) { c.Finalizers = []string{"example.com/backup"} })
	w.waitReady(c)
	if diff := cmp.Diff([]string{"example.com/backup", v1alpha1.FinalizerCommunity}, c.Finalizers); diff != "" {
		t.Errorf("finalizers (-want +got):\n%s", diff)
	}
	w.delete(c)
	eventually(t, "our finalizer should go", func() error {
		w.get(c)
		if diff := cmp.Diff([]string{"example.com/backup"}, c.Finalizers); diff != "" {
			return errors.New(diff)
		}
		return nil
	})
	if ready := meta.FindStatusCondition(c.Status.Conditions, v1alpha1.ConditionReady); ready == nil {
		t.Error("the status is gone")
	}
	change(w, c, func(c *v1alpha1.Community) { c.Finalizers = nil })
	w.waitGone(c)
}
