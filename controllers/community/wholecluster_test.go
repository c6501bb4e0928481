package community_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/envtest"

	"github.com/quaeso/community-operator/api/v1alpha1"
	"github.com/quaeso/community-operator/internal/cnpg"
	"github.com/quaeso/community-operator/internal/testutil"
)

// Tests that need a cluster for themselves come one after the other.
func TestWholeCluster(t *testing.T) {
	t.Parallel()
	t.Run("a dependency comes later", testDependencyComesLater)
	t.Run("default classes", testDefaultClasses)
}

// An operator watches the whole cluster, as it does by default.
func testDefaultClasses(t *testing.T) {
	w := newWorld(t, bare, func(c *v1alpha1.CommunityClass) { c.Spec.Default = false })
	other := newWorld(t, bare)
	o := w.startOperator(operatorOptions{wholeCluster: true})
	byDefault := func(c *v1alpha1.Community) { c.Spec.ClassName = "" }

	// No class is the default.
	c := w.community("lumiere", byDefault)
	w.waitStalled(c, v1alpha1.ReasonNoDefaultClass, "name a class or mark one")
	// One is.
	change(w, w.class, func(c *v1alpha1.CommunityClass) { c.Spec.Default = true })
	w.waitReady(c)
	if c.Status.Resolved.ClassName != w.class.Name {
		t.Errorf("the class is %s", c.Status.Resolved.ClassName)
	}
	before := w.outcome(c)
	// Two are: nobody chooses for the agency, and what runs goes on.
	change(w, other.class, func(c *v1alpha1.CommunityClass) { c.Spec.Default = true })
	w.waitStalled(c, v1alpha1.ReasonSeveralDefaultClasses, w.class.Name, other.class.Name)
	w.checkLastGood(c, before, "two default classes")
	second := other.community("second", byDefault)
	other.waitStalled(second, v1alpha1.ReasonSeveralDefaultClasses)
	change(w, other.class, func(c *v1alpha1.CommunityClass) { c.Spec.Default = false })
	w.waitReady(c)
	other.waitReady(second)
	w.waitOutcome(c, before)

	// Secrets that are somebody else's, in whatever number and size, concern nobody.
	o.api.settle(t)
	o.api.silence(t, func() {
		for i := range 20 {
			secret := &corev1.Secret{ObjectMeta: named(w.namespace, "big"), Data: map[string][]byte{"x": make([]byte, 100<<10)}}
			secret.Name += strings.Repeat("g", i)
			w.create(secret)
		}
		o.api.settle(t)
	})
}

// An API that a class needs and the cluster lacks is named, and used as soon as it is installed.
func testDependencyComesLater(t *testing.T) {
	w := newWorld(t, bare, cloudNativePG)
	w.startOperator(operatorOptions{})
	c := w.community("lumiere")
	w.waitStalled(c, v1alpha1.ReasonDependencyMissing, "CloudNativePG", "Cluster (postgresql.cnpg.io/v1)", "install CloudNativePG or use another class")
	children := w.children("lumiere")
	for _, name := range []string{"Service lumiere", "ServiceAccount lumiere", "Secret lumiere-db", "HTTPRoute lumiere"} {
		if children[name] == nil {
			t.Errorf("%s was not made", name)
		}
	}
	standalone := testutil.CommunityClass(w.namespace+"-standalone", func(c *v1alpha1.CommunityClass) {
		c.UID, c.Spec.Routing = "", w.class.Spec.Routing
	})
	w.create(standalone)
	unconcerned := w.community("unconcerned", func(c *v1alpha1.Community) { c.Spec.ClassName = standalone.Name })
	w.waitReady(unconcerned)

	w.installCloudNativePG()
	pg := &cnpg.Cluster{ObjectMeta: named(w.namespace, "lumiere-db")}
	eventually(t, "the Cluster should be made", func() error {
		err := w.client.Get(t.Context(), client.ObjectKeyFromObject(pg), pg)
		if meta.IsNoMatchError(err) {
			return errorText("CloudNativePG is not installed")
		}
		return err
	})
	w.waitCondition(c, v1alpha1.ConditionDatabaseReady, metav1.ConditionFalse, v1alpha1.ReasonProgressing, "CloudNativePG")
	if stalled := meta.FindStatusCondition(c.Status.Conditions, v1alpha1.ConditionStalled); stalled != nil {
		t.Errorf("Stalled: %s", stalled.Message)
	}
	// The simulated CloudNativePG was not there to start with, so its work is done by hand.
	pg.Status.Phase, pg.Status.ReadyInstances = cnpg.PhaseHealthy, 1
	if err := w.client.Status().Update(t.Context(), pg); err != nil {
		t.Fatal(err)
	}
	w.create(&corev1.Secret{ObjectMeta: named(w.namespace, cnpg.CASecret(pg.Name)), Data: map[string][]byte{"ca.crt": []byte("authority")}})
	w.waitReady(c)
}

// installCloudNativePG installs its definitions, in the version that the local cluster runs.
func (w *world) installCloudNativePG() {
	w.t.Helper()
	p, err := shared()
	if err != nil {
		w.t.Fatal(err)
	}
	// Another API server of this process has them.
	list := &unstructured.UnstructuredList{}
	list.SetAPIVersion("apiextensions.k8s.io/v1")
	list.SetKind("CustomResourceDefinitionList")
	if err := p.client.List(w.t.Context(), list); err != nil {
		w.t.Fatal(err)
	}
	folder, n := w.t.TempDir(), 0
	for i := range list.Items {
		crd := &list.Items[i]
		if !strings.HasSuffix(crd.GetName(), ".postgresql.cnpg.io") {
			continue
		}
		n++
		crd.SetResourceVersion("")
		crd.SetUID("")
		unstructured.RemoveNestedField(crd.Object, "status")
		raw, err := crd.MarshalJSON()
		if err != nil {
			w.t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(folder, crd.GetName()+".json"), raw, 0o600); err != nil {
			w.t.Fatal(err)
		}
	}
	if n == 0 {
		w.t.Fatal("there are no definitions of CloudNativePG")
	}
	if _, err := envtest.InstallCRDs(w.server.Config, envtest.CRDInstallOptions{Paths: []string{folder}, ErrorIfPathMissing: true}); err != nil {
		w.t.Fatalf("install CloudNativePG: %v", err)
	}
}
