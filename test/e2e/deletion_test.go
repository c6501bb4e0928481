//go:build e2e

package e2e

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/quaeso/community-operator/api/v1alpha1"
	"github.com/quaeso/community-operator/internal/cnpg"
	"github.com/quaeso/community-operator/internal/stack"
)

// everyKind are the kinds that a community's children can have, and what they bring about.
const everyKind = "deployments,replicasets,statefulsets,pods,services,endpointslices,secrets,serviceaccounts,persistentvolumeclaims," +
	"networkpolicies,poddisruptionbudgets,ingresses,httproutes,listenersets,clusters.postgresql.cnpg.io,certificates.cert-manager.io"

// leftOf lists what is there of a community by its label. What CloudNativePG keeps beside a sleeping Cluster is
// the Cluster's: Services without pods and an account.
func (w *world) leftOf(community string) []string {
	w.Helper()
	out, err := kubectl(w.ctx, "", "get", everyKind, "-n", w.namespace, "-l", v1alpha1.LabelCommunity+"="+community,
		"-o", `jsonpath={range .items[*]}{.kind}/{.metadata.name},{.metadata.labels.cnpg\.io/cluster}{"\n"}{end}`)
	if err != nil {
		w.Fatal(err)
	}
	var left []string
	for line := range strings.Lines(out) {
		object, cluster, _ := strings.Cut(strings.TrimSpace(line), ",")
		kind, _, _ := strings.Cut(object, "/")
		if cluster != "" && (kind == "Service" || kind == "EndpointSlice" || kind == "ServiceAccount") {
			continue
		}
		left = append(left, object)
	}
	slices.Sort(left)
	return left
}

// waitGone waits until a Community is gone, and then until nothing but keeps is left of it.
func (w *world) waitGone(c *v1alpha1.Community, keeps ...string) {
	w.Helper()
	w.eventually(2*time.Minute, "Community "+c.Name+" goes", func() error {
		err := cluster.client.Get(w.ctx, client.ObjectKeyFromObject(c), c)
		if apierrors.IsNotFound(err) {
			return nil
		}
		if err == nil {
			err = errors.New("it is there")
			if ready := meta.FindStatusCondition(c.Status.Conditions, v1alpha1.ConditionReady); ready != nil {
				err = fmt.Errorf("%s: %s", ready.Reason, ready.Message)
			}
		}
		return err
	})
	w.eventually(time.Minute, "what belongs to "+c.Name+" goes", func() error {
		left := w.leftOf(c.Name)
		if got, want := strings.Join(left, " "), strings.Join(keeps, " "); got != want {
			return fmt.Errorf("there are %q, want %q", got, want)
		}
		return nil
	})
}

// volumesOf are the names of the PersistentVolumes that claims of the world's namespace are bound to.
func (w *world) volumesOf() []string {
	w.Helper()
	list := &corev1.PersistentVolumeList{}
	if err := cluster.client.List(w.ctx, list); err != nil {
		w.Fatalf("list the volumes: %v", err)
	}
	var names []string
	for _, v := range list.Items {
		if v.Spec.ClaimRef != nil && v.Spec.ClaimRef.Namespace == w.namespace {
			names = append(names, v.Name)
		}
	}
	return names
}

func (w *world) waitVolumesGone() {
	w.Helper()
	w.eventually(time.Minute, "the volumes go", func() error {
		if left := w.volumesOf(); len(left) > 0 {
			return fmt.Errorf("there are %v", left)
		}
		return nil
	})
}

func withDeletionPolicy(policy v1alpha1.DeletionPolicy) func(*v1alpha1.Community) {
	return func(c *v1alpha1.Community) { c.Spec.DeletionPolicy = policy }
}

// TestDeleteStandalone deletes a community with everything that it had, volume included.
func TestDeleteStandalone(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "delete")
	c := w.ready(w.community("lumiere", withDeletionPolicy(v1alpha1.DeletionDelete)))
	if len(w.leftOf(c.Name)) < 10 || len(w.volumesOf()) != 1 {
		t.Fatalf("before the deletion there are only %v and the volumes %v", w.leftOf(c.Name), w.volumesOf())
	}
	host := c.Status.URL
	w.waitServed(host)
	w.delete(c)
	w.waitGone(c)
	w.waitVolumesGone()
	w.eventually(proxyDelay, "the hostname is no longer served", func() error {
		got, err := w.visitor(host).do("GET", "/", nil)
		if err == nil && got.status != http.StatusNotFound {
			err = fmt.Errorf("it answers %d", got.status)
		}
		return err
	})
}

// TestDeleteCloudNativePG deletes a community together with its Cluster.
func TestDeleteCloudNativePG(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "deletecnpg", withCloudNativePG)
	c := w.ready(w.community("lumiere", withDeletionPolicy(v1alpha1.DeletionDelete)))
	w.delete(c)
	w.waitGone(c)
	w.waitVolumesGone()
}

// TestDeleteShared drops database and role on the shared server, and nobody else's.
func TestDeleteShared(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "deleteshared")
	server := startPostgres(w.ctx, t, w.namespace, "server")
	useShared(w, server)
	c := w.ready(w.community("lumiere", withDeletionPolicy(v1alpha1.DeletionDelete)))
	other := w.ready(w.community("velo", withDeletionPolicy(v1alpha1.DeletionDelete)))
	w.delete(c)
	w.waitGone(c)
	left := server.query(w.ctx, t, "postgres",
		"SELECT datname FROM pg_database WHERE datname LIKE 'c\\_%' UNION ALL SELECT rolname FROM pg_roles WHERE rolname LIKE 'c\\_%'")
	name := stack.SharedName(w.namespace, other.Name)
	if left != name+"\n"+name {
		t.Errorf("the server has the databases and roles %q, want those of the other community alone, %s", left, name)
	}
}

// TestRetainStandalone deletes a community that keeps its data, makes it again under the same name, and finds
// the idea.
func TestRetainStandalone(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "retain")
	w.retainAndReturn(func() {}, "PersistentVolumeClaim/lumiere-db", "Secret/lumiere-db")
}

// TestRetainCloudNativePG does the same with a Cluster, which sleeps meanwhile.
func TestRetainCloudNativePG(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "retaincnpg", withCloudNativePG)
	w.retainAndReturn(func() {
		sleeping := &cnpg.Cluster{ObjectMeta: metav1.ObjectMeta{Namespace: w.namespace, Name: "lumiere-db"}}
		w.eventually(time.Minute, "the Cluster sleeps", func() error {
			if err := cluster.client.Get(w.ctx, client.ObjectKeyFromObject(sleeping), sleeping); err != nil {
				return err
			}
			if !meta.IsStatusConditionTrue(sleeping.Status.Conditions, cnpg.ConditionHibernation) {
				return fmt.Errorf("its conditions are %+v", sleeping.Status.Conditions)
			}
			return nil
		})
	}, "Cluster/lumiere-db", "PersistentVolumeClaim/lumiere-db-1", "Secret/lumiere-db")
}

// TestRetainShared does the same with a database on a shared server.
func TestRetainShared(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "retainshared")
	server := startPostgres(w.ctx, t, w.namespace, "server")
	useShared(w, server)
	w.retainAndReturn(func() {
		name := stack.SharedName(w.namespace, "lumiere")
		if got := server.query(w.ctx, t, "postgres", "SELECT count(*) FROM pg_database WHERE datname = '"+name+"'"); got != "1" {
			t.Errorf("the server has %s databases %s, want it kept", got, name)
		}
	}, "Secret/lumiere-db")
}

// retainAndReturn makes a community with an idea, deletes it, looks at what is kept, and makes it again.
func (w *world) retainAndReturn(meanwhile func(), keeps ...string) {
	w.Helper()
	c := w.ready(w.community("lumiere"))
	title, path := w.mainPath(c.Status.URL)
	w.delete(c)
	w.waitGone(c, keeps...)
	meanwhile()
	again := w.ready(w.community("lumiere"))
	w.waitServed(again.Status.URL)
	w.visitor(again.Status.URL).sees(path, title)
}

// TestDeleteNamespace deletes whole namespaces with a community in each: with either policy they go.
func TestDeleteNamespace(t *testing.T) {
	t.Parallel()
	for _, policy := range []v1alpha1.DeletionPolicy{v1alpha1.DeletionDelete, v1alpha1.DeletionRetain} {
		for name, database := range map[string]func(*v1alpha1.CommunityClass){
			"standalone": func(*v1alpha1.CommunityClass) {}, "cnpg": withCloudNativePG,
		} {
			t.Run(fmt.Sprintf("%s %s", name, policy), func(t *testing.T) {
				t.Parallel()
				w := newWorld(t, "ns-"+name+"-"+strings.ToLower(string(policy)), database)
				w.ready(w.community("lumiere", withDeletionPolicy(policy)))
				ns := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: w.namespace}}
				w.delete(ns)
				w.eventually(3*time.Minute, "the namespace goes", func() error {
					err := cluster.client.Get(w.ctx, client.ObjectKeyFromObject(ns), ns)
					if apierrors.IsNotFound(err) {
						return nil
					}
					if err == nil {
						err = fmt.Errorf("it is there: %+v", ns.Status.Conditions)
					}
					return err
				})
				w.waitVolumesGone()
			})
		}
	}
}

// TestDeletionProtection: a protected community cannot be deleted, says why, and can once the protection is
// lifted.
func TestDeletionProtection(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "protected")
	c := w.ready(w.community("lumiere", withDeletionPolicy(v1alpha1.DeletionDelete), func(c *v1alpha1.Community) {
		c.Spec.DeletionProtection = true
	}))
	_, err := kubectl(w.ctx, "", "delete", "community/lumiere", "-n", w.namespace, "--wait=false")
	if err == nil || !strings.Contains(err.Error(), "deletionProtection") {
		t.Fatalf("deleting it answers %v, want a refusal that names deletionProtection", err)
	}
	t.Logf("the refusal: %v", err)
	w.get(c)
	if !c.DeletionTimestamp.IsZero() {
		t.Fatal("it is being deleted in spite of its protection")
	}
	change(w, c, func(c *v1alpha1.Community) { c.Spec.DeletionProtection = false })
	w.delete(c)
	w.waitGone(c)
}
