package community_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	policyv1 "k8s.io/api/policy/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"

	"errors"

	"github.com/quaeso/community-operator/api/v1alpha1"
	"github.com/quaeso/community-operator/internal/certmanager"
	"github.com/quaeso/community-operator/internal/cnpg"
	"github.com/quaeso/community-operator/internal/control"
)

// drift is a change that somebody made to a child by hand.
type drift struct {
	object client.Object
	how    func(client.Object)
}

func by[T client.Object](object T, how func(T)) drift {
	return drift{object: object, how: func(o client.Object) { how(o.(T)) }}
}

// everything is a class whose communities have every kind of child, but for those of the other kinds of
// database and routing.
func everything(c *v1alpha1.CommunityClass) {
	certManager(c)
	c.Spec.Routing.TLS.Mode = v1alpha1.TLSWildcard
	c.Spec.Sizes[0].Replicas = ptr.To[int32](2)
}

func withOwnHostname(c *v1alpha1.Community) {
	c.Spec.Hostnames = []v1alpha1.Hostname{"ideas.brand.example", v1alpha1.Hostname("lumiere." + c.Namespace + ".example.com")}
}

// Each change by hand is undone, whatever it is, and nothing else changes.
func TestDriftIsRepaired(t *testing.T) {
	t.Parallel()
	w := newWorld(t, shared, everything)
	w.startOperator(operatorOptions{})
	c := w.community("lumiere", withOwnHostname)
	w.waitReady(c)
	before := w.children("lumiere")
	for name, d := range drifts(w.namespace) {
		change(w, d.object, d.how)
		eventually(t, name+" should be undone", func() error {
			if diff := cmp.Diff(before, w.children("lumiere")); diff != "" {
				return errors.New("children (-before +after):\n" + diff)
			}
			return nil
		})
	}
	w.waitReady(c)
	if stalled := meta.FindStatusCondition(c.Status.Conditions, v1alpha1.ConditionStalled); stalled != nil {
		t.Errorf("Stalled: %s", stalled.Message)
	}
	for _, e := range w.events(c) {
		if e[:6] != "Normal" {
			t.Errorf("event: %s", e)
		}
	}
}

func drifts(namespace string) map[string]drift {
	main, db := named(namespace, "lumiere"), named(namespace, "lumiere-db")
	credentials, policy := named(namespace, "lumiere-credentials"), named(namespace, "lumiere-ideas")
	out := map[string]drift{
		"another image": by(&appsv1.Deployment{ObjectMeta: main}, func(d *appsv1.Deployment) { d.Spec.Template.Spec.Containers[0].Image = "example.com/evil" }),
		"more replicas": by(&appsv1.Deployment{ObjectMeta: main}, func(d *appsv1.Deployment) { d.Spec.Replicas = ptr.To[int32](7) }),
		"another variable": by(&appsv1.Deployment{ObjectMeta: main}, func(d *appsv1.Deployment) {
			d.Spec.Template.Spec.Containers[0].Env[0].Value = "1"
		}),
		"a removed probe":    by(&appsv1.Deployment{ObjectMeta: main}, func(d *appsv1.Deployment) { d.Spec.Template.Spec.Containers[0].ReadinessProbe = nil }),
		"more rights":        by(&appsv1.Deployment{ObjectMeta: main}, func(d *appsv1.Deployment) { d.Spec.Template.Spec.SecurityContext.RunAsNonRoot = ptr.To(false) }),
		"another port":       by(&corev1.Service{ObjectMeta: main}, func(s *corev1.Service) { s.Spec.Ports[0].Port = 8080 }),
		"another pod's port": by(&corev1.Service{ObjectMeta: main}, func(s *corev1.Service) { s.Spec.Ports[0].TargetPort = intstr.FromString("control") }),
		"an added port": by(&corev1.Service{ObjectMeta: main}, func(s *corev1.Service) {
			s.Spec.Ports = append(s.Spec.Ports, corev1.ServicePort{Name: "control", Port: 8081, TargetPort: intstr.FromString("control")})
		}),
		"a narrower selector": by(&corev1.Service{ObjectMeta: main}, func(s *corev1.Service) { s.Spec.Selector["version"] = "2" }),
		"a public Service":    by(&corev1.Service{ObjectMeta: db}, func(s *corev1.Service) { s.Spec.Type = corev1.ServiceTypeNodePort }),
		"an added way in": by(&networkingv1.NetworkPolicy{ObjectMeta: policy}, func(p *networkingv1.NetworkPolicy) {
			p.Spec.Ingress = append(p.Spec.Ingress, networkingv1.NetworkPolicyIngressRule{})
		}),
		"a wider way in":   by(&networkingv1.NetworkPolicy{ObjectMeta: policy}, func(p *networkingv1.NetworkPolicy) { p.Spec.Ingress[0].From = nil }),
		"a range of ports": by(&networkingv1.NetworkPolicy{ObjectMeta: policy}, func(p *networkingv1.NetworkPolicy) { p.Spec.Ingress[0].Ports[0].EndPort = ptr.To[int32](9000) }),
		"fewer pods fenced": by(&networkingv1.NetworkPolicy{ObjectMeta: policy}, func(p *networkingv1.NetworkPolicy) {
			p.Spec.PodSelector.MatchLabels["version"] = "2"
		}),
		"a way out of the database": by(&networkingv1.NetworkPolicy{ObjectMeta: named(namespace, "lumiere-db")}, func(p *networkingv1.NetworkPolicy) {
			p.Spec.Egress = []networkingv1.NetworkPolicyEgressRule{{}}
		}),
		"other hostnames": by(&gatewayv1.HTTPRoute{ObjectMeta: main}, func(r *gatewayv1.HTTPRoute) { r.Spec.Hostnames = append(r.Spec.Hostnames, "evil.example") }),
		"a redirect": by(&gatewayv1.HTTPRoute{ObjectMeta: main}, func(r *gatewayv1.HTTPRoute) {
			r.Spec.Rules[0].BackendRefs = nil
			r.Spec.Rules[0].Filters = []gatewayv1.HTTPRouteFilter{{
				Type:            gatewayv1.HTTPRouteFilterRequestRedirect,
				RequestRedirect: &gatewayv1.HTTPRequestRedirectFilter{Hostname: ptr.To[gatewayv1.PreciseHostname]("evil.example")},
			}}
		}),
		"an added header": by(&gatewayv1.HTTPRoute{ObjectMeta: main}, func(r *gatewayv1.HTTPRoute) {
			r.Spec.Rules[0].Filters = []gatewayv1.HTTPRouteFilter{{
				Type:                  gatewayv1.HTTPRouteFilterRequestHeaderModifier,
				RequestHeaderModifier: &gatewayv1.HTTPHeaderFilter{Set: []gatewayv1.HTTPHeader{{Name: "X-User", Value: "admin"}}},
			}}
		}),
		"an added listener": by(&gatewayv1.ListenerSet{ObjectMeta: main}, func(l *gatewayv1.ListenerSet) {
			l.Spec.Listeners = append(l.Spec.Listeners, gatewayv1.ListenerEntry{Name: "evil", Port: 8443, Protocol: gatewayv1.HTTPProtocolType})
		}),
		"another certificate": by(&certmanager.Certificate{ObjectMeta: named(namespace, "lumiere-tls")}, func(c *certmanager.Certificate) {
			c.Spec.DNSNames = []string{"evil.example"}
		}),
		"another mail server":  by(&corev1.Secret{ObjectMeta: credentials}, func(s *corev1.Secret) { s.Data[control.FileMailHost] = []byte("smtp.evil.example") }),
		"another database":     by(&corev1.Secret{ObjectMeta: credentials}, func(s *corev1.Secret) { s.Data[control.FileDatabaseURI] = []byte("postgresql://evil.example/x") }),
		"a removed credential": by(&corev1.Secret{ObjectMeta: credentials}, func(s *corev1.Secret) { delete(s.Data, control.FileDatabaseURI) }),
		"another user":         by(&corev1.Secret{ObjectMeta: db}, func(s *corev1.Secret) { s.Data["username"] = []byte("postgres") }),
		"another password":     by(&corev1.Secret{ObjectMeta: db}, func(s *corev1.Secret) { s.Data["password"] = []byte("another-password") }),
		"no password":          by(&corev1.Secret{ObjectMeta: db}, func(s *corev1.Secret) { delete(s.Data, "password") }),
		"a laxer budget":       by(&policyv1.PodDisruptionBudget{ObjectMeta: main}, func(p *policyv1.PodDisruptionBudget) { p.Spec.MaxUnavailable = ptr.To(intstr.FromInt32(2)) }),
		"a narrower budget":    by(&policyv1.PodDisruptionBudget{ObjectMeta: main}, func(p *policyv1.PodDisruptionBudget) { p.Spec.Selector.MatchLabels["version"] = "2" }),
		"a volume's label":     by(&corev1.PersistentVolumeClaim{ObjectMeta: db}, func(p *corev1.PersistentVolumeClaim) { p.Labels["app.kubernetes.io/component"] = "other" }),
		"no database":          by(&appsv1.StatefulSet{ObjectMeta: db}, func(s *appsv1.StatefulSet) { s.Spec.Replicas = ptr.To[int32](0) }),
		"a token in the pods":  by(&corev1.ServiceAccount{ObjectMeta: main}, func(s *corev1.ServiceAccount) { s.AutomountServiceAccountToken = ptr.To(true) }),
	}
	for _, o := range []client.Object{
		&appsv1.Deployment{ObjectMeta: main}, &appsv1.StatefulSet{ObjectMeta: db}, &corev1.Service{ObjectMeta: main},
		&corev1.Secret{ObjectMeta: credentials}, &networkingv1.NetworkPolicy{ObjectMeta: policy}, &gatewayv1.HTTPRoute{ObjectMeta: main},
		&policyv1.PodDisruptionBudget{ObjectMeta: main}, &corev1.ServiceAccount{ObjectMeta: main},
	} {
		kind := asKind(o)
		out[kind+": no owner"] = drift{o.DeepCopyObject().(client.Object), func(o client.Object) { o.SetOwnerReferences(nil) }}
		// Without it the object is not in the operator's cache any more.
		out[kind+": no label"] = drift{o.DeepCopyObject().(client.Object), func(o client.Object) {
			labels := o.GetLabels()
			delete(labels, v1alpha1.LabelManagedBy)
			o.SetLabels(labels)
		}}
		out[kind+": no labels at all"] = drift{o.DeepCopyObject().(client.Object), func(o client.Object) { o.SetLabels(nil) }}
		out[kind+": no annotations"] = drift{o.DeepCopyObject().(client.Object), func(o client.Object) { o.SetAnnotations(nil) }}
	}
	return out
}

func asKind(o client.Object) string {
	gvks, _, err := scheme.ObjectKinds(o)
	if err != nil {
		return err.Error()
	}
	return gvks[0].Kind
}

func TestDriftOfAClusterIsRepaired(t *testing.T) {
	t.Parallel()
	w := newWorld(t, shared, cloudNativePG)
	w.startOperator(operatorOptions{})
	c := w.community("lumiere")
	w.waitReady(c)
	before := w.children("lumiere")
	for name, how := range map[string]func(*cnpg.Cluster){
		"another owner":   func(pg *cnpg.Cluster) { pg.Spec.Bootstrap.InitDB.Owner = "other" },
		"more instances":  func(pg *cnpg.Cluster) { pg.Spec.Instances = 3 },
		"put to sleep":    func(pg *cnpg.Cluster) { pg.Annotations[cnpg.AnnotationHibernation] = cnpg.HibernationOn },
		"superuser's way": func(pg *cnpg.Cluster) { pg.Spec.EnableSuperuserAccess = ptr.To(true) },
		"labels changed":  func(pg *cnpg.Cluster) { pg.Labels["app.kubernetes.io/component"] = "other" },
	} {
		change(w, &cnpg.Cluster{ObjectMeta: named(w.namespace, "lumiere-db")}, how)
		eventually(t, name+" should be undone", func() error {
			if diff := cmp.Diff(before, w.children("lumiere")); diff != "" {
				return errors.New("children (-before +after):\n" + diff)
			}
			return nil
		})
	}
	w.waitReady(c)
}
