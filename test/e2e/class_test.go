//go:build e2e

package e2e

import (
	"fmt"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/rand"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/quaeso/community-operator/api/v1alpha1"
	"github.com/quaeso/community-operator/internal/stack"
)

// readSoon bounds what the operator does without waiting for pods.
const readSoon = 20 * time.Second

// TestClassChange changes a class under two communities: both get it by a rolling update, and no request fails.
// Their databases are somebody else's: a standalone one is a single pod, which such a change restarts.
func TestClassChange(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "classchange")
	const cost = "example.com/cost-centre"
	pg := startPostgres(w.ctx, t, w.namespace, "pg")
	communities := []*v1alpha1.Community{w.withDatabaseOn(pg, "lumiere"), w.withDatabaseOn(pg, "nordlys")}
	var stops []func()
	for _, c := range communities {
		w.waitReady(c)
		stops = append(stops, w.serving(c, "a change of the class"))
	}
	change(w, w.class, func(class *v1alpha1.CommunityClass) {
		class.Spec.PodTemplate = &v1alpha1.PodTemplateOverrides{Annotations: map[string]string{cost: "4711"}}
		class.Spec.Sizes[0].Resources = &v1alpha1.Resources{Requests: &v1alpha1.ResourceAmounts{Memory: ptr.To(resource.MustParse("40Mi"))}}
	})
	for _, c := range communities {
		w.eventually(time.Minute, "the class's change is rolled out to "+c.Name, func() error { return rolledOut(w, c, cost, "4711", "40Mi") })
		w.waitReady(c)
	}
	for _, stop := range stops {
		stop()
	}
}

// withDatabaseOn creates a community with an external database on a server of the test.
func (w *world) withDatabaseOn(pg *postgres, name string) *v1alpha1.Community {
	w.Helper()
	password := rand.String(20)
	pg.query(w.ctx, w.T, "postgres", "CREATE ROLE "+name+" LOGIN PASSWORD '"+password+"'")
	pg.query(w.ctx, w.T, "postgres", "CREATE DATABASE "+name+" OWNER "+name)
	connection := secret(w.namespace, name+"-database", map[string]string{"uri": pg.uri(name, password, name)})
	w.createAll(connection)
	return w.create(w.community(name, func(c *v1alpha1.Community) {
		c.Spec.Database = &v1alpha1.CommunityDatabase{External: &v1alpha1.ExternalDatabase{SecretName: connection.Name}}
	}))
}

// rolledOut tells whether every pod of a community's idea service carries an annotation and requests some memory.
func rolledOut(w *world, c *v1alpha1.Community, key, value, memory string) error {
	d := &appsv1.Deployment{ObjectMeta: metav1.ObjectMeta{Namespace: c.Namespace, Name: stack.IdeasName(c.Name)}}
	if err := cluster.client.Get(w.ctx, client.ObjectKeyFromObject(d), d); err != nil {
		return err
	}
	template := d.Spec.Template
	requested := template.Spec.Containers[0].Resources.Requests.Memory().String()
	if template.Annotations[key] != value || requested != memory {
		return fmt.Errorf("the pod template is annotated %v and requests %s", template.Annotations, requested)
	}
	s := d.Status
	if s.ObservedGeneration < d.Generation || s.UpdatedReplicas != s.Replicas || s.AvailableReplicas != *d.Spec.Replicas {
		return fmt.Errorf("%d of %d pods are updated, %d serve", s.UpdatedReplicas, s.Replicas, s.AvailableReplicas)
	}
	return nil
}

// TestClassInUse deletes a class that a community uses: it stays and says why, the community runs on and still
// obeys its spec, and the class goes when the community uses another.
func TestClassInUse(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "classuse")
	c := w.ready(w.community("lumiere"))
	other := w.newClass(w.namespace+"-other", func(class *v1alpha1.CommunityClass) { class.Spec = *w.class.Spec.DeepCopy() })
	stop := w.serving(c, "the deletion of the class")
	w.delete(w.class)
	w.eventually(readSoon, "the class says that it is in use", func() error {
		return classStalled(w, v1alpha1.ReasonInUse, w.namespace+"/"+c.Name, "gone or use another class")
	})
	const newName = "Atelier Renommé"
	change(w, c, func(c *v1alpha1.Community) { c.Spec.Brand.DisplayName["fr"] = newName })
	w.waitReady(c)
	w.visitor(c.Status.URL).sees("/", newName)

	change(w, c, func(c *v1alpha1.Community) { c.Spec.ClassName = other.Name })
	w.waitReady(c)
	w.eventually(readSoon, "the class that is no longer used goes", func() error {
		err := cluster.client.Get(w.ctx, client.ObjectKeyFromObject(w.class), w.class)
		if apierrors.IsNotFound(err) {
			return nil
		}
		if err == nil {
			err = fmt.Errorf("it is still there, with status %+v", w.class.Status)
		}
		return err
	})
	stop()
}

// classStalled tells whether the world's class is Stalled for a reason, with texts in the message.
func classStalled(w *world, reason string, says ...string) error {
	if err := cluster.client.Get(w.ctx, client.ObjectKeyFromObject(w.class), w.class); err != nil {
		return err
	}
	got := meta.FindStatusCondition(w.class.Status.Conditions, v1alpha1.ConditionStalled)
	if got == nil || got.Status != metav1.ConditionTrue || got.Reason != reason || !containsAll(got.Message, says) {
		return fmt.Errorf("the condition Stalled is %+v", got)
	}
	return nil
}
