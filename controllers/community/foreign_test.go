package community_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	policyv1 "k8s.io/api/policy/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/quaeso/community-operator/api/v1alpha1"
	"github.com/quaeso/community-operator/internal/certmanager"
)

// foreigners are objects of somebody else, one at each name that a community needs. The community that they
// stand in the way of is called like their kind.
func foreigners(namespace string) map[string]client.Object {
	labels := map[string]string{"app": "somebody-elses"}
	pods := corev1.PodTemplateSpec{
		ObjectMeta: metav1.ObjectMeta{Labels: labels},
		Spec:       corev1.PodSpec{Containers: []corev1.Container{{Name: "main", Image: "example.com/main"}}},
	}
	selector := &metav1.LabelSelector{MatchLabels: labels}
	service := corev1.ServiceSpec{Selector: labels, Ports: []corev1.ServicePort{{Port: 80}}}
	at := func(suffix string) func(string) metav1.ObjectMeta {
		return func(name string) metav1.ObjectMeta { return named(namespace, name+suffix) }
	}
	return map[string]client.Object{
		"deployment":  &appsv1.Deployment{ObjectMeta: at("")("deployment"), Spec: appsv1.DeploymentSpec{Selector: selector, Template: pods}},
		"service":     &corev1.Service{ObjectMeta: at("")("service"), Spec: service},
		"control":     &corev1.Service{ObjectMeta: at("-control")("control"), Spec: service},
		"account":     &corev1.ServiceAccount{ObjectMeta: at("")("account")},
		"credentials": &corev1.Secret{ObjectMeta: at("-credentials")("credentials"), StringData: map[string]string{"key": "value"}},
		"password":    &corev1.Secret{ObjectMeta: at("-db")("password"), StringData: map[string]string{"password": "somebody-elses"}},
		"policy":      &networkingv1.NetworkPolicy{ObjectMeta: at("-ideas")("policy")},
		"fence":       &networkingv1.NetworkPolicy{ObjectMeta: at("-db")("fence")},
		"volume": &corev1.PersistentVolumeClaim{ObjectMeta: at("-db")("volume"), Spec: corev1.PersistentVolumeClaimSpec{
			AccessModes: []corev1.PersistentVolumeAccessMode{corev1.ReadWriteOnce},
			Resources:   corev1.VolumeResourceRequirements{Requests: corev1.ResourceList{corev1.ResourceStorage: resource.MustParse("7Gi")}},
		}},
		"set":         &appsv1.StatefulSet{ObjectMeta: at("-db")("set"), Spec: appsv1.StatefulSetSpec{Selector: selector, Template: pods}},
		"address":     &corev1.Service{ObjectMeta: at("-db")("address"), Spec: service},
		"budget":      &policyv1.PodDisruptionBudget{ObjectMeta: at("")("budget"), Spec: policyv1.PodDisruptionBudgetSpec{Selector: selector}},
		"route":       &gatewayv1.HTTPRoute{ObjectMeta: at("")("route"), Spec: gatewayv1.HTTPRouteSpec{Hostnames: []gatewayv1.Hostname{"other.example"}}},
		"listeners":   &gatewayv1.ListenerSet{ObjectMeta: at("")("listeners"), Spec: foreignListeners()},
		"certificate": foreignCertificate(at("-tls")("certificate")),
	}
}

func foreignListeners() gatewayv1.ListenerSetSpec {
	return gatewayv1.ListenerSetSpec{
		ParentRef: gatewayv1.ParentGatewayReference{Name: "other"},
		Listeners: []gatewayv1.ListenerEntry{{Name: "http", Port: 80, Protocol: gatewayv1.HTTPProtocolType}},
	}
}

func foreignCertificate(at metav1.ObjectMeta) *certmanager.Certificate {
	return &certmanager.Certificate{ObjectMeta: at, Spec: certmanager.CertificateSpec{
		SecretName: "somewhere", DNSNames: []string{"other.example"}, IssuerRef: &certmanager.IssuerReference{Name: "other"},
		SecretTemplate: &certmanager.SecretTemplate{},
	}}
}

// An object that somebody else made is never touched, keeps nothing but itself from being made, and once it is
// gone the community gets ready by itself.
func TestForeignObjects(t *testing.T) {
	t.Parallel()
	w := newWorld(t, shared, everything)
	foreign := foreigners(w.namespace)
	for _, o := range foreign {
		w.create(o)
	}
	w.hold("Certificate") // the simulated cert-manager would work on the foreign one too
	w.startOperator(operatorOptions{})
	for name, o := range foreign {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := w.of(t)
			before := w.versions(o)
			c := w.community(name, func(c *v1alpha1.Community) {
				c.Spec.Hostnames = []v1alpha1.Hostname{v1alpha1.Hostname(name + ".brand.example")}
			})
			w.waitStalled(c, v1alpha1.ReasonForeignObject, asKind(o)+" "+w.namespace+"/"+o.GetName(), "does not belong to this Community")
			w.checkRest(c, o)
			eventually(t, "an event should tell", func() error {
				if events := strings.Join(w.events(c), "\n"); !strings.Contains(events, "Warning ForeignObject "+asKind(o)) {
					return fmt.Errorf("events: %s", events)
				}
				return nil
			})
			w.nudge(c)
			w.waitStalled(c, v1alpha1.ReasonForeignObject)
			// The simulated cluster writes the status of workloads and routes.
			if diff := cmp.Diff(before, w.versions(o)); diff != "" && w.wroteTo(o) {
				t.Errorf("the foreign object was touched:\n%s", diff)
			}
			w.delete(o)
			w.release("Certificate")
			w.waitReady(c)
		})
	}
}

// wroteTo tells whether the operator wrote to an object.
func (w *world) wroteTo(o client.Object) bool {
	w.t.Helper()
	w.get(o)
	return slices.ContainsFunc(o.GetManagedFields(), func(f metav1.ManagedFieldsEntry) bool { return f.Manager == v1alpha1.FieldManager })
}

// checkRest checks that what does not depend on a foreign object was made all the same.
func (w *world) checkRest(c *v1alpha1.Community, foreign client.Object) {
	w.t.Helper()
	for _, o := range []client.Object{
		&corev1.ServiceAccount{ObjectMeta: named(c.Namespace, c.Name)}, &corev1.Service{ObjectMeta: named(c.Namespace, c.Name)},
		&networkingv1.NetworkPolicy{ObjectMeta: named(c.Namespace, c.Name+"-ideas")}, &gatewayv1.HTTPRoute{ObjectMeta: named(c.Namespace, c.Name)},
		&policyv1.PodDisruptionBudget{ObjectMeta: named(c.Namespace, c.Name)}, &appsv1.StatefulSet{ObjectMeta: named(c.Namespace, c.Name+"-db")},
	} {
		if w.wouldUse(o, foreign) {
			if err := w.client.Get(w.t.Context(), client.ObjectKeyFromObject(o), o); err == nil {
				w.t.Errorf("%T was made and uses the foreign %T", o, foreign)
			}
			continue
		}
		eventually(w.t, fmt.Sprintf("%T should be there beside the foreign %T", o, foreign), func() error {
			if err := w.client.Get(w.t.Context(), client.ObjectKeyFromObject(o), o); err != nil {
				return err
			}
			if asKind(o) != asKind(foreign) && o.GetLabels()[v1alpha1.LabelCommunity] != c.Name {
				return fmt.Errorf("its labels are %v", o.GetLabels())
			}
			return nil
		})
	}
}

// wouldUse tells whether a child depends on an object in a way that must not be while that is somebody else's.
func (w *world) wouldUse(child, foreign client.Object) bool {
	switch asKind(child) {
	case "HTTPRoute":
		return asKind(foreign) == "Service" && foreign.GetName() == child.GetName()
	case "StatefulSet":
		return (asKind(foreign) == "PersistentVolumeClaim" || asKind(foreign) == "Secret") && foreign.GetName() == child.GetName()
	default:
		return false
	}
}

// Children that an earlier Community of the same name left to the garbage collector are waited for: nobody has
// to do anything about them.
func TestChildrenOfAnEarlierCommunity(t *testing.T) {
	t.Parallel()
	w := newWorld(t, shared)
	old := &corev1.ServiceAccount{ObjectMeta: named(w.namespace, "lumiere")}
	old.Labels = map[string]string{v1alpha1.LabelManagedBy: v1alpha1.FieldManager, v1alpha1.LabelCommunity: "lumiere"}
	old.OwnerReferences = []metav1.OwnerReference{{
		APIVersion: v1alpha1.GroupVersion.String(), Kind: "Community", Name: "lumiere", UID: "earlier", Controller: ptr.To(true),
	}}
	w.create(old)
	w.startOperator(operatorOptions{})
	c := w.community("lumiere")
	w.waitCondition(c, v1alpha1.ConditionWorkloadReady, metav1.ConditionFalse, v1alpha1.ReasonProgressing, "earlier Community")
	if stalled := meta.FindStatusCondition(c.Status.Conditions, v1alpha1.ConditionStalled); stalled != nil {
		t.Errorf("Stalled: %s", stalled.Message)
	}
	w.delete(old)
	w.waitReady(c)
	for _, e := range w.events(c) {
		if strings.HasPrefix(e, "Warning") {
			t.Errorf("event: %s", e)
		}
	}
}

// A child of another community is foreign too, and its owner is named.
func TestChildOfAnotherCommunity(t *testing.T) {
	t.Parallel()
	w := newWorld(t, shared)
	w.startOperator(operatorOptions{})
	first := w.community("brand")
	w.waitReady(first)
	// Its Service would be that of the first one's database.
	second := w.community("brand-db")
	w.waitStalled(second, v1alpha1.ReasonForeignObject, "Service "+w.namespace+"/brand-db", "controlled by Community brand")
	w.nudge(first)
	w.waitReady(first)
}

func foreignIngress(namespace, name string) *networkingv1.Ingress {
	return &networkingv1.Ingress{ObjectMeta: named(namespace, name), Spec: networkingv1.IngressSpec{
		DefaultBackend: &networkingv1.IngressBackend{Service: &networkingv1.IngressServiceBackend{Name: "other", Port: networkingv1.ServiceBackendPort{Number: 80}}},
	}}
}
