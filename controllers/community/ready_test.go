package community_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/fluxcd/cli-utils/pkg/kstatus/status"
	"github.com/google/go-cmp/cmp"
	appsv1 "k8s.io/api/apps/v1"
	autoscalingv1 "k8s.io/api/autoscaling/v1"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	policyv1 "k8s.io/api/policy/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/quaeso/community-operator/api/v1alpha1"
	"github.com/quaeso/community-operator/internal/certmanager"
	"github.com/quaeso/community-operator/internal/cnpg"
	"github.com/quaeso/community-operator/internal/control"
	"github.com/quaeso/community-operator/internal/stack"
)

// kstatusOf judges a Community as GitOps tools do.
func (w *world) kstatusOf(c *v1alpha1.Community) status.Status {
	w.t.Helper()
	raw, err := runtime.DefaultUnstructuredConverter.ToUnstructured(c)
	if err != nil {
		w.t.Fatal(err)
	}
	result, err := status.Compute(&unstructured.Unstructured{Object: raw})
	if err != nil {
		w.t.Fatal(err)
	}
	return result.Status
}

func TestApplyToReady(t *testing.T) {
	t.Parallel()
	w := newWorld(t, shared)
	w.hold("StatefulSet")
	w.startOperator(operatorOptions{})
	c := w.community("lumiere", func(c *v1alpha1.Community) { c.Spec.Replicas = ptr.To[int32](2) })

	w.waitCondition(c, v1alpha1.ConditionReconciling, metav1.ConditionTrue, v1alpha1.ReasonProgressing)
	w.waitCondition(c, v1alpha1.ConditionDatabaseReady, metav1.ConditionFalse, v1alpha1.ReasonProgressing, "starting")
	if got := w.kstatusOf(c); got != status.InProgressStatus {
		t.Errorf("kstatus of a Community whose database starts is %s", got)
	}
	w.release("StatefulSet")
	w.waitReady(c)
	if got := w.kstatusOf(c); got != status.CurrentStatus {
		t.Errorf("kstatus of a ready Community is %s", got)
	}
	for _, absent := range []string{v1alpha1.ConditionReconciling, v1alpha1.ConditionStalled} {
		if meta.FindStatusCondition(c.Status.Conditions, absent) != nil {
			t.Errorf("a ready Community has the condition %s", absent)
		}
	}
	for _, part := range []string{v1alpha1.ConditionAccepted, v1alpha1.ConditionCredentialsReady, v1alpha1.ConditionDatabaseReady,
		v1alpha1.ConditionWorkloadReady, v1alpha1.ConditionSettingsInForce, v1alpha1.ConditionRouteReady} {
		if have := meta.FindStatusCondition(c.Status.Conditions, part); have == nil || have.Status != metav1.ConditionTrue || have.ObservedGeneration != c.Generation {
			t.Errorf("condition %s of a ready Community is %+v", part, have)
		}
	}
	want := v1alpha1.CommunityStatus{
		ObservedGeneration: 1, URL: "http://lumiere." + w.namespace + ".example.com", Hostnames: []string{"lumiere." + w.namespace + ".example.com"},
		Replicas: 2, ReadyReplicas: 2, Selector: stack.Selector("lumiere"), Version: "1.0.0",
		Database: &v1alpha1.DatabaseStatus{Kind: v1alpha1.DatabaseStandalone, Ready: true, Name: "lumiere-db", SchemaVersion: 3},
		InForce:  &v1alpha1.InForceStatus{Generation: 1},
		Resolved: &v1alpha1.ResolvedSettings{
			ClassName: w.class.Name, Size: "small", Replicas: 2, Image: "registry.example/ideas:1.0.0", Storage: ptr.To(resource.MustParse("1Gi")),
			Locales: []v1alpha1.Locale{"fr", "en"}, TimeZone: "Europe/Paris", Mail: "off", DeletionPolicy: v1alpha1.DeletionRetain,
		},
	}
	got := *c.Status.DeepCopy()
	got.Conditions = nil
	if declared, _ := w.cluster.service(client.ObjectKeyFromObject(c)).lastDeclared(); got.InForce == nil || got.InForce.Since == nil ||
		got.InForce.Digest != declared.Settings.Digest() {
		t.Fatalf("in force is %+v", got.InForce)
	}
	got.InForce.Since, got.InForce.Digest = nil, ""
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("status (-want +got):\n%s", diff)
	}
	eventually(t, "one event should tell", func() error {
		if events := w.events(c); len(events) != 1 || !strings.HasPrefix(events[0], "Normal Ready open at http://lumiere.") {
			return fmt.Errorf("events of a Community that became ready without trouble: %q", events)
		}
		return nil
	})
	w.checkChildren(c)
}

// checkChildren checks that every child of a standalone community with a route exists and is marked as its own.
func (w *world) checkChildren(c *v1alpha1.Community) {
	w.t.Helper()
	owned := []client.Object{
		&appsv1.Deployment{ObjectMeta: named(c.Namespace, c.Name)}, &corev1.Service{ObjectMeta: named(c.Namespace, c.Name)},
		&corev1.Service{ObjectMeta: named(c.Namespace, c.Name+"-control")}, &corev1.ServiceAccount{ObjectMeta: named(c.Namespace, c.Name)},
		&corev1.Secret{ObjectMeta: named(c.Namespace, c.Name+"-credentials")}, &networkingv1.NetworkPolicy{ObjectMeta: named(c.Namespace, c.Name+"-ideas")},
		&networkingv1.NetworkPolicy{ObjectMeta: named(c.Namespace, c.Name+"-db")}, &appsv1.StatefulSet{ObjectMeta: named(c.Namespace, c.Name+"-db")},
		&corev1.Service{ObjectMeta: named(c.Namespace, c.Name+"-db")}, &policyv1.PodDisruptionBudget{ObjectMeta: named(c.Namespace, c.Name)},
		&gatewayv1.HTTPRoute{ObjectMeta: named(c.Namespace, c.Name)},
	}
	data := []client.Object{
		&corev1.Secret{ObjectMeta: named(c.Namespace, c.Name+"-db")}, &corev1.PersistentVolumeClaim{ObjectMeta: named(c.Namespace, c.Name+"-db")},
	}
	for _, o := range append(owned, data...) {
		w.get(o)
		if o.GetLabels()[v1alpha1.LabelCommunity] != c.Name || o.GetLabels()[v1alpha1.LabelManagedBy] != v1alpha1.FieldManager {
			w.t.Errorf("%T %s has the labels %v", o, o.GetName(), o.GetLabels())
		}
	}
	for _, o := range owned {
		refs := o.GetOwnerReferences()
		if len(refs) != 1 || refs[0].UID != c.UID || !ptr.Deref(refs[0].Controller, false) || !ptr.Deref(refs[0].BlockOwnerDeletion, false) {
			w.t.Errorf("%T %s has the owners %v: it would not go with its Community", o, o.GetName(), refs)
		}
	}
	for _, o := range data {
		if refs := o.GetOwnerReferences(); len(refs) != 0 {
			w.t.Errorf("%T %s, which holds data, has the owners %v: it would go with its Community", o, o.GetName(), refs)
		}
	}
}

// What HorizontalPodAutoscalers and kubectl scale use.
func TestScaleSubresource(t *testing.T) {
	t.Parallel()
	w := newWorld(t, shared)
	w.startOperator(operatorOptions{})
	c := w.community("lumiere", func(c *v1alpha1.Community) { c.Spec.Replicas = ptr.To[int32](1) })
	w.waitReady(c)
	scale := &autoscalingv1.Scale{}
	if err := w.client.SubResource("scale").Get(t.Context(), c, scale); err != nil {
		t.Fatal(err)
	}
	if scale.Status.Replicas != 1 || scale.Status.Selector != stack.Selector("lumiere") {
		t.Errorf("the scale of one replica is %+v", scale.Status)
	}
	budget := &policyv1.PodDisruptionBudget{ObjectMeta: named(w.namespace, "lumiere")}
	for _, replicas := range []int32{3, 1} {
		scale.Spec.Replicas, scale.ResourceVersion = replicas, ""
		if err := w.client.SubResource("scale").Update(t.Context(), c, client.WithSubResourceBody(scale)); err != nil {
			t.Fatal(err)
		}
		eventually(t, fmt.Sprintf("%d replicas should serve", replicas), func() error {
			err := w.client.Get(t.Context(), client.ObjectKeyFromObject(c), c)
			if c.Status.Replicas != replicas || c.Status.ReadyReplicas != replicas || c.Status.ObservedGeneration != c.Generation {
				return fmt.Errorf("status is %s (%v)", asJSON(c.Status), err)
			}
			return err
		})
		w.waitReady(c)
		// One replica has no budget, which would keep its node from draining.
		if err := w.client.Get(t.Context(), client.ObjectKeyFromObject(budget), budget); (err == nil) != (replicas > 1) {
			t.Errorf("with %d replicas, looking for the PodDisruptionBudget gives: %v", replicas, err)
		}
	}
}

// Every kind of database and of routing comes to Ready.
func TestEveryKindComesToReady(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		class     func(*v1alpha1.CommunityClass)
		community func(*v1alpha1.Community)
		prepare   func(*world)
		uri       string
	}{
		"cloudNativePG": {
			class: cloudNativePG, uri: "postgresql://ideas:PASSWORD@lumiere-db-primary.NAMESPACE.svc:5432/ideas?sslmode=verify-full&sslrootcert=/etc/community/credentials/database-ca.crt",
		},
		"shared": {
			class: sharedServer,
			prepare: func(w *world) {
				w.secret(w.operatorNamespace, "server", map[string]string{"uri": "postgres://admin:open-sesame@db.example.com:6432?sslmode=require"})
			},
			uri: "postgresql://SHARED:PASSWORD@db.example.com:6432/SHARED?sslmode=require",
		},
		"external": {
			community: external,
			prepare: func(w *world) {
				w.databases.allow("db.example.com", "brand", "p@ss/word")
				w.secret(w.namespace, "database", map[string]string{"uri": "postgres://brand:p%40ss%2Fword@db.example.com/brand"})
			},
			uri: "postgresql://brand:p%40ss%2Fword@db.example.com/brand?sslmode=require",
		},
		"ingress": {class: ingress, uri: "postgresql://ideas:PASSWORD@lumiere-db.NAMESPACE.svc:5432/ideas?sslmode=disable"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, shared, orNone(test.class))
			if test.prepare != nil {
				test.prepare(w)
			}
			w.startOperator(operatorOptions{})
			c := w.community("lumiere", orNone(test.community))
			w.waitReady(c)
			credentials := &corev1.Secret{ObjectMeta: named(w.namespace, "lumiere-credentials")}
			w.get(credentials)
			database := &corev1.Secret{ObjectMeta: named(w.namespace, "lumiere-db")}
			if name != "external" {
				w.get(database)
			}
			want := strings.NewReplacer("PASSWORD", string(database.Data["password"]), "NAMESPACE", w.namespace,
				"SHARED", stack.SharedName(w.namespace, "lumiere")).Replace(test.uri)
			if got := string(credentials.Data[control.FileDatabaseURI]); strings.ReplaceAll(got, "%2F", "/") != strings.ReplaceAll(want, "%2F", "/") {
				t.Errorf("the pods' database URI differs from the wanted %s", strings.ReplaceAll(want, string(database.Data["password"]), "PASSWORD"))
			}
		})
	}
}

func orNone[T any](change func(*T)) func(*T) {
	if change == nil {
		return func(*T) {}
	}
	return change
}

func cloudNativePG(c *v1alpha1.CommunityClass) {
	c.Spec.Database = v1alpha1.ClassDatabase{Kind: v1alpha1.DatabaseCloudNativePG}
}

func sharedServer(c *v1alpha1.CommunityClass) {
	c.Spec.Database = v1alpha1.ClassDatabase{
		Kind: v1alpha1.DatabaseShared, Shared: &v1alpha1.SharedDatabaseSettings{AdminSecretName: "server"},
	}
}

func ingress(c *v1alpha1.CommunityClass) {
	c.Spec.Routing.Kind, c.Spec.Routing.Gateway = v1alpha1.RoutingIngress, nil
}

func external(c *v1alpha1.Community) {
	c.Spec.Database = &v1alpha1.CommunityDatabase{External: &v1alpha1.ExternalDatabase{SecretName: "database"}}
}

// Status never says more than was seen: each part that is missing keeps Ready from being true.
func TestReadyNeedsEveryPart(t *testing.T) {
	t.Parallel()
	const credentials, database, settings = v1alpha1.ConditionCredentialsReady, v1alpha1.ConditionDatabaseReady, v1alpha1.ConditionSettingsInForce
	const workload, route = v1alpha1.ConditionWorkloadReady, v1alpha1.ConditionRouteReady
	tests := map[string]struct {
		class func(*v1alpha1.CommunityClass)
		hold  string
		// wants are the parts that are not ready.
		wants []string
	}{
		"no database pod":       {hold: "StatefulSet", wants: []string{database, settings, workload}},
		"no CloudNativePG":      {class: cloudNativePG, hold: cnpg.ClusterKind, wants: []string{credentials, database, settings, workload}},
		"no pods":               {hold: "Deployment", wants: []string{database, settings, workload}},
		"no Gateway":            {hold: "HTTPRoute", wants: []string{route}},
		"no ingress controller": {class: ingress, hold: "Ingress", wants: []string{route}},
		"no cert-manager":       {class: certManager, hold: certmanager.CertificateKind, wants: []string{route}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, shared, orNone(test.class))
			w.hold(test.hold)
			w.startOperator(operatorOptions{})
			c := w.community("lumiere")
			eventually(t, "everything else should be ready", func() error {
				err := w.client.Get(context.Background(), client.ObjectKeyFromObject(c), c)
				missing := []string{}
				for _, have := range c.Status.Conditions {
					part := have.Type != v1alpha1.ConditionReady && have.Type != v1alpha1.ConditionReconciling
					if part && have.Status != metav1.ConditionTrue {
						missing = append(missing, have.Type)
					}
				}
				slices.Sort(missing)
				if diff := cmp.Diff(test.wants, missing); diff != "" {
					return fmt.Errorf("parts that are not ready (-want +got):\n%s (%v)", diff, err)
				}
				return nil
			})
			if meta.IsStatusConditionTrue(c.Status.Conditions, v1alpha1.ConditionReady) {
				t.Errorf("Ready is true although %s", name)
			}
			if stalled := meta.FindStatusCondition(c.Status.Conditions, v1alpha1.ConditionStalled); stalled != nil {
				t.Errorf("Stalled although what is missing comes by itself: %s", stalled.Message)
			}
			w.release(test.hold)
			w.waitReady(c)
		})
	}
}

func certManager(c *v1alpha1.CommunityClass) {
	c.Spec.Routing.TLS = &v1alpha1.ClassTLS{Mode: v1alpha1.TLSCertManager, IssuerRef: &v1alpha1.IssuerReference{Name: "ca"}}
}
