package community_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/quaeso/community-operator/api/v1alpha1"
	"github.com/quaeso/community-operator/internal/control"
	"github.com/quaeso/community-operator/internal/stack"
)

// Settings that the service refuses are explained, and the last good ones stay in force.
func TestRefusedSettings(t *testing.T) {
	t.Parallel()
	w := newWorld(t, shared)
	w.startOperator(operatorOptions{})
	c := w.community("lumiere")
	w.waitReady(c)
	service := w.cluster.service(client.ObjectKeyFromObject(c))
	good, _ := service.lastDeclared()
	service.change(func(s *ideaService) {
		s.refusals = []control.Refusal{
			{Field: "settings.brand.colors.primary", Message: "too pale"}, {Field: "settings.timeZone", Message: "unknown"},
		}
	})
	change(w, c, func(c *v1alpha1.Community) { c.Spec.Brand.Colors = &v1alpha1.BrandColors{Primary: "#FEFEFE"} })
	w.waitStalled(c, v1alpha1.ReasonSettingsRefused, "brand.colors.primary: too pale", "timeZone: unknown", "last good ones stay in force")
	w.waitCondition(c, v1alpha1.ConditionWorkloadReady, metav1.ConditionTrue, v1alpha1.ReasonReady)
	service.change(func(s *ideaService) {
		if s.inForce.Generation != good.Generation {
			t.Errorf("generation %d is in force, want %d", s.inForce.Generation, good.Generation)
		}
		s.refusals = nil
	})
	change(w, c, func(c *v1alpha1.Community) { c.Spec.Brand.Colors.Primary = "#0B6E4F" })
	w.waitReady(c)
	if d, _ := service.lastDeclared(); d.Settings.Brand.Colors.Primary != "#0b6e4f" || d.Generation != c.Generation || d.UID != string(c.UID) {
		t.Errorf("declared was %+v", d)
	}
}

// An issuer whose client's Secret is missing does not replace the one that works.
func TestSettingsWaitForTheLoginSecret(t *testing.T) {
	t.Parallel()
	w := newWorld(t, shared)
	w.secrets()
	w.startOperator(operatorOptions{})
	c := w.community("lumiere", withOIDC)
	w.waitReady(c)
	change(w, c, func(c *v1alpha1.Community) {
		c.Spec.OIDC.IssuerURL, c.Spec.OIDC.ClientSecretName = "https://new.brand.example", "new-login"
	})
	w.waitStalled(c, v1alpha1.ReasonSecretNotFound, "new-login")
	service := w.cluster.service(client.ObjectKeyFromObject(c))
	if d, _ := service.lastDeclared(); d.Settings.OIDC == nil || d.Settings.OIDC.IssuerURL != "https://login.brand.example" {
		t.Errorf("the issuer in force is %+v", d.Settings.OIDC)
	}
	w.secret(w.namespace, "new-login", map[string]string{"clientID": "ideas", "clientSecret": "new-secret"})
	w.waitReady(c)
	if d, _ := service.lastDeclared(); d.Settings.OIDC.IssuerURL != "https://new.brand.example" {
		t.Errorf("the issuer in force is %+v", d.Settings.OIDC)
	}
}

// What answers on the control port is never trusted to be an idea service.
func TestWeirdService(t *testing.T) {
	t.Parallel()
	stubborn := control.State{InForce: control.InForce{UID: "another", Generation: 1}, Database: control.Database{Ready: true}}
	answers := map[string]struct {
		answer http.HandlerFunc
		reason string
	}{
		"a page":   {func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("<html>nginx</html>")) }, v1alpha1.ReasonServiceUnreachable},
		"nothing":  {hangUp, v1alpha1.ReasonServiceUnreachable},
		"failures": {func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "oops", http.StatusInternalServerError) }, v1alpha1.ReasonServiceUnreachable},
		"yes to all, and does nothing": {func(w http.ResponseWriter, r *http.Request) {
			if r.Method == http.MethodGet {
				write(w, http.StatusOK, stubborn)
			} else {
				write(w, http.StatusOK, control.Answer{InForce: stubborn.InForce})
			}
		}, v1alpha1.ReasonProgressing},
		"a reason that is none": {func(w http.ResponseWriter, _ *http.Request) {
			write(w, http.StatusOK, control.State{
				Version:  strings.Repeat("9", 5000) + "\n\x1b[31m",
				Database: control.Database{Reason: "no such reason!", Message: strings.Repeat("so bad\n", 5000)},
			})
		}, v1alpha1.ReasonDatabaseUnreachable},
	}
	for name, test := range answers {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, shared)
			w.startOperator(operatorOptions{})
			c := w.community("lumiere")
			w.waitReady(c)
			service := w.cluster.service(client.ObjectKeyFromObject(c))
			service.change(func(s *ideaService) { s.answer = test.answer })
			change(w, c, func(c *v1alpha1.Community) { c.Spec.Brand.DisplayName["en"] = "New" })
			eventually(t, "the trouble should show", func() error {
				err := w.client.Get(context.Background(), client.ObjectKeyFromObject(c), c)
				ready := meta.FindStatusCondition(c.Status.Conditions, v1alpha1.ConditionReady)
				if ready.Status != metav1.ConditionFalse || ready.Reason != test.reason || c.Status.ObservedGeneration != c.Generation {
					return fmt.Errorf("status is %s (%v)", asJSON(c.Status), err)
				}
				return err
			})
			if len(c.Status.Version) > 256 || strings.ContainsAny(c.Status.Version, "\n\x1b") {
				t.Errorf("the version is %q", c.Status.Version)
			}
			service.change(func(s *ideaService) { s.answer = nil })
			w.waitReady(c)
		})
	}
}

// A database of the cluster that is down for a moment is waited for; one that stays out of reach needs a person.
func TestOwnDatabaseOutOfReach(t *testing.T) {
	t.Parallel()
	w := newWorld(t, shared)
	w.startOperator(operatorOptions{})
	c := w.community("lumiere")
	w.waitReady(c)
	service := w.cluster.service(client.ObjectKeyFromObject(c))
	service.change(func(s *ideaService) {
		s.database = func(map[string][]byte) control.Database {
			return control.Database{Reason: control.ReasonDatabaseUnreachable, Message: "connection refused"}
		}
	})
	w.nudge(c)
	w.waitCondition(c, v1alpha1.ConditionDatabaseReady, metav1.ConditionFalse, v1alpha1.ReasonProgressing, "connection refused")
	if stalled := meta.FindStatusCondition(c.Status.Conditions, v1alpha1.ConditionStalled); stalled != nil {
		t.Errorf("Stalled at once: %s", stalled.Message)
	}
	w.waitStalled(c, v1alpha1.ReasonDatabaseUnreachable, "connection refused")
	service.change(func(s *ideaService) {
		s.database = func(map[string][]byte) control.Database { return control.Database{Ready: true, SchemaVersion: 3} }
	})
	w.waitReady(c)
}

// Pods that a quota refuses show in the Deployment's condition.
func TestQuota(t *testing.T) {
	t.Parallel()
	w := newWorld(t, shared)
	refusal := `pods "lumiere-5d9c-x7b2q" is forbidden: exceeded quota: brands, requested: requests.memory=48Mi, used: requests.memory=1Gi, limited: requests.memory=1Gi`
	w.meddling(refusing(&refusal))
	w.startOperator(operatorOptions{})
	c := w.community("lumiere")
	w.waitStalled(c, v1alpha1.ReasonQuotaExceeded, "exceeded quota: brands", "raise the quota or choose a smaller size")
	if message := meta.FindStatusCondition(c.Status.Conditions, v1alpha1.ConditionStalled).Message; strings.Contains(message, "x7b2q") {
		t.Errorf("the message changes with every pod: %s", message)
	}
	w.meddling(nil)
	w.hold("Deployment") // and let go, so that the simulated cluster looks again
	w.release("Deployment")
	w.touch("lumiere")
	w.waitReady(c)
}

func TestPodSecurityRefusesPods(t *testing.T) {
	t.Parallel()
	w := newWorld(t, shared)
	refusal := `pods "lumiere-5d9c-x7b2q" is forbidden: violates PodSecurity "restricted:latest": seccompProfile`
	w.meddling(refusing(&refusal))
	w.startOperator(operatorOptions{})
	c := w.community("lumiere")
	w.waitStalled(c, v1alpha1.ReasonPodsRefused, "violates PodSecurity")
}

// refusing gives Deployments the status of one whose pods are refused.
func refusing(message *string) func(client.Object) {
	return func(o client.Object) {
		d, ok := o.(*appsv1.Deployment)
		if !ok {
			return
		}
		d.Status = appsv1.DeploymentStatus{ObservedGeneration: d.Generation, Conditions: []appsv1.DeploymentCondition{{
			Type: appsv1.DeploymentReplicaFailure, Status: corev1.ConditionTrue, Reason: "FailedCreate", Message: *message,
			LastUpdateTime: d.CreationTimestamp, LastTransitionTime: d.CreationTimestamp,
		}}}
	}
}

// touch has the simulated cluster look at a Deployment again.
func (w *world) touch(name string) {
	w.t.Helper()
	change(w, &appsv1.Deployment{ObjectMeta: named(w.namespace, name)}, func(d *appsv1.Deployment) {
		metav1.SetMetaDataAnnotation(&d.ObjectMeta, "touched", time.Now().Format(time.RFC3339Nano))
	})
}

// A quota that refuses children themselves is named as well, and keeps nothing else from being made.
func TestQuotaOnChildren(t *testing.T) {
	t.Parallel()
	w := newWorld(t, shared)
	quota := &corev1.ResourceQuota{ObjectMeta: named(w.namespace, "none")}
	quota.Spec.Hard = corev1.ResourceList{"count/networkpolicies.networking.k8s.io": *zero()}
	w.create(quota)
	quota.Status.Hard, quota.Status.Used = quota.Spec.Hard, corev1.ResourceList{"count/networkpolicies.networking.k8s.io": *zero()}
	if err := w.client.Status().Update(t.Context(), quota); err != nil {
		t.Fatal(err)
	}
	w.startOperator(operatorOptions{})
	c := w.community("lumiere")
	w.waitStalled(c, v1alpha1.ReasonQuotaExceeded, "exceeded quota", "raise the quota")
	w.delete(quota)
	w.nudge(c)
	w.waitReady(c)
	w.get(&networkingv1.NetworkPolicy{ObjectMeta: named(w.namespace, "lumiere-ideas")})
}

// podTroubles are pods that do not get to run, and what is said of them.
func podTroubles() map[string]struct {
	component string
	status    corev1.PodStatus
	reason    string
	words     []string
} {
	waiting := func(reason, message string) corev1.PodStatus {
		return corev1.PodStatus{ContainerStatuses: []corev1.ContainerStatus{{
			Name: "main", State: corev1.ContainerState{Waiting: &corev1.ContainerStateWaiting{Reason: reason, Message: message}},
		}}}
	}
	crashed := waiting("CrashLoopBackOff", "back-off 5m0s restarting failed container")
	crashed.ContainerStatuses[0].RestartCount = 4
	crashed.ContainerStatuses[0].LastTerminationState.Terminated = &corev1.ContainerStateTerminated{ExitCode: 2, Reason: "Error"}
	unschedulable := corev1.PodStatus{Conditions: []corev1.PodCondition{{
		Type: corev1.PodScheduled, Status: corev1.ConditionFalse, Reason: corev1.PodReasonUnschedulable, Message: "0/3 nodes are available: 3 Insufficient memory.",
	}}}
	return map[string]struct {
		component string
		status    corev1.PodStatus
		reason    string
		words     []string
	}{
		"image":          {v1alpha1.ComponentIdeas, waiting("ImagePullBackOff", "Back-off pulling image"), v1alpha1.ReasonImagePullFailed, []string{`"example.com/main:1"`, "imagePullSecretNames"}},
		"database image": {v1alpha1.ComponentDatabase, waiting("ErrImagePull", "not found"), v1alpha1.ReasonImagePullFailed, []string{`"example.com/main:1"`}},
		"config":         {v1alpha1.ComponentIdeas, waiting("CreateContainerConfigError", `secret "x" not found`), v1alpha1.ReasonPodsRefused, []string{`secret "x" not found`}},
		"crash":          {v1alpha1.ComponentIdeas, crashed, v1alpha1.ReasonCrashing, []string{"container main ended with code 2 (Error)", "its last log line: cannot listen: address in use at postgresql://…@db token …"}},
		"no room":        {v1alpha1.ComponentIdeas, unschedulable, v1alpha1.ReasonUnschedulable, []string{"Insufficient memory"}},
	}
}

func TestPodTroubles(t *testing.T) {
	t.Parallel()
	for name, test := range podTroubles() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, shared)
			w.hold("Deployment")
			var told atomic.Value
			told.Store("nothing yet")
			w.startOperator(operatorOptions{podLogs: podLogs(t, func() string {
				return fmt.Sprintf("2026-11-21 22:01:02.123 UTC [17] cannot listen: address in use at postgresql://ideas:%[1]s@db token %[1]s\n", told.Load())
			})})
			c := w.newCommunity("lumiere")
			w.pod(c, test.component, test.status)
			w.create(c)
			credentials := &corev1.Secret{}
			eventually(t, "credentials should be there", func() error { return w.client.Get(t.Context(), w.key("lumiere-credentials"), credentials) })
			secret := string(credentials.Data[control.FileControlToken])
			told.Store(secret)
			w.waitStalled(c, test.reason, test.words...)
			message := meta.FindStatusCondition(c.Status.Conditions, v1alpha1.ConditionStalled).Message
			if strings.Contains(message, secret) || strings.Contains(message, "22:01:02") {
				t.Errorf("the message has a secret or a time: %s", message)
			}
			w.release("Deployment")
			w.touch("lumiere")
			w.waitReady(c)
		})
	}
}

// pod makes a pod of a component, as a ReplicaSet would.
func (w *world) pod(c *v1alpha1.Community, component string, status corev1.PodStatus) {
	w.t.Helper()
	pod := &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Namespace: c.Namespace, Name: c.Name + "-" + component + "-x7b2q", Labels: stack.Labels(c.Name, component)},
		Spec:       corev1.PodSpec{Containers: []corev1.Container{{Name: "main", Image: "example.com/main:1"}}},
	}
	w.create(pod)
	pod.Status = status
	if err := w.client.Status().Update(w.t.Context(), pod); err != nil {
		w.t.Fatal(err)
	}
}

// podLogs answers every request for a log.
func podLogs(t *testing.T, log func() string) kubernetes.Interface {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !strings.HasSuffix(r.URL.Path, "/log") || r.URL.Query().Get("previous") != "true" {
			http.NotFound(w, r)
			return
		}
		_, _ = w.Write([]byte(log()))
	}))
	t.Cleanup(server.Close)
	clients, err := kubernetes.NewForConfig(&rest.Config{Host: server.URL})
	if err != nil {
		t.Fatal(err)
	}
	return clients
}

// A Gateway that refuses, is missing, or has not looked at the current route is never taken for one that routes.
func TestRouteTroubles(t *testing.T) {
	t.Parallel()
	condition := func(r *gatewayv1.HTTPRoute, kind gatewayv1.RouteConditionType) *metav1.Condition {
		return meta.FindStatusCondition(r.Status.Parents[0].Conditions, string(kind))
	}
	tests := map[string]struct {
		how           func(*gatewayv1.HTTPRoute)
		reason, words string
	}{
		"refused": {func(r *gatewayv1.HTTPRoute) {
			c := condition(r, gatewayv1.RouteConditionAccepted)
			c.Status, c.Reason, c.Message = metav1.ConditionFalse, "NoMatchingListenerHostname", "no listener for it"
		}, v1alpha1.ReasonRouteRefused, "no listener for it"},
		"no Service yet": {func(r *gatewayv1.HTTPRoute) {
			c := condition(r, gatewayv1.RouteConditionResolvedRefs)
			c.Status, c.Reason = metav1.ConditionFalse, string(gatewayv1.RouteReasonBackendNotFound)
		}, v1alpha1.ReasonProgressing, "does not see the Service"},
		"an answer to an older route": {func(r *gatewayv1.HTTPRoute) {
			condition(r, gatewayv1.RouteConditionAccepted).ObservedGeneration = r.Generation - 1
		}, v1alpha1.ReasonProgressing, "has not looked at the current route"},
		"the answer of a former Gateway": {func(r *gatewayv1.HTTPRoute) { r.Status.Parents[0].ParentRef.Name = "former" }, v1alpha1.ReasonProgressing, "has not answered"},
		"no answer":                      {func(r *gatewayv1.HTTPRoute) { r.Status.Parents = nil }, v1alpha1.ReasonProgressing, "has not answered"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, shared)
			w.meddling(func(o client.Object) {
				if r, ok := o.(*gatewayv1.HTTPRoute); ok {
					test.how(r)
				}
			})
			w.startOperator(operatorOptions{})
			c := w.community("lumiere")
			w.waitCondition(c, v1alpha1.ConditionRouteReady, metav1.ConditionFalse, test.reason, test.words)
			w.meddling(nil)
			change(w, &gatewayv1.HTTPRoute{ObjectMeta: named(w.namespace, "lumiere")}, func(r *gatewayv1.HTTPRoute) {
				metav1.SetMetaDataAnnotation(&r.ObjectMeta, "touched", "now")
			})
			w.waitReady(c)
		})
	}
}

// A listener of the community's own counts as well, where a hostname needs it.
func TestEveryParentOfARouteCounts(t *testing.T) {
	t.Parallel()
	w := newWorld(t, shared, everything)
	w.meddling(func(o client.Object) {
		if r, ok := o.(*gatewayv1.HTTPRoute); ok && len(r.Status.Parents) > 1 {
			r.Status.Parents = r.Status.Parents[:1]
		}
	})
	w.startOperator(operatorOptions{})
	c := w.community("lumiere", withOwnHostname)
	w.waitCondition(c, v1alpha1.ConditionRouteReady, metav1.ConditionFalse, v1alpha1.ReasonProgressing)
}

func TestGatewayNotFound(t *testing.T) {
	t.Parallel()
	w := newWorld(t, shared, func(c *v1alpha1.CommunityClass) { c.Spec.Routing.Gateway.Name = "absent" })
	w.hold("HTTPRoute")
	w.startOperator(operatorOptions{})
	c := w.community("lumiere")
	w.waitStalled(c, v1alpha1.ReasonGatewayNotFound, w.namespace+"/absent", "create it or correct the class")
}

// A certificate for other names than the current ones does not count.
func TestCertificateOfOtherNames(t *testing.T) {
	t.Parallel()
	w := newWorld(t, shared, certManager)
	w.startOperator(operatorOptions{})
	c := w.community("lumiere")
	w.waitReady(c)
	w.hold("Certificate")
	change(w, c, answering("new.brand.example"))
	w.waitCondition(c, v1alpha1.ConditionRouteReady, metav1.ConditionFalse, v1alpha1.ReasonCertificatePending)
	w.release("Certificate")
	w.waitReady(c)
}

// Nothing is made in a namespace that is being deleted, and nobody is told to act.
func TestNamespaceIsBeingDeleted(t *testing.T) {
	t.Parallel()
	w := newWorld(t, shared)
	w.startOperator(operatorOptions{})
	c := w.community("lumiere")
	w.waitReady(c)
	w.delete(&corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: w.namespace}})
	w.delete(&corev1.ServiceAccount{ObjectMeta: named(w.namespace, "lumiere")})
	w.delete(&corev1.Secret{ObjectMeta: named(w.namespace, "lumiere-db")})
	w.waitCondition(c, v1alpha1.ConditionReconciling, metav1.ConditionTrue, v1alpha1.ReasonDeleting, "the namespace is being deleted")
	// The namespace's controller deletes the Community like everything else.
	w.delete(c)
	w.waitGone(c)
	for _, name := range []string{"ServiceAccount lumiere", "Secret lumiere-db"} {
		if w.children("lumiere")[name] != nil {
			t.Errorf("%s was made again", name)
		}
	}
}

// Paused, a community is left alone, whatever happens to it; then the operator goes on.
func TestPaused(t *testing.T) {
	t.Parallel()
	w := newWorld(t, shared)
	o := w.startOperator(operatorOptions{})
	c := w.community("lumiere")
	w.waitReady(c)
	before := w.outcome(c)
	change(w, c, func(c *v1alpha1.Community) { c.Spec.Paused = true })
	w.waitCondition(c, v1alpha1.ConditionReady, metav1.ConditionUnknown, v1alpha1.ReasonPaused)
	// The event of being paused follows the status.
	o.api.settle(t)
	o.api.silence(t, func() {
		w.delete(&corev1.Service{ObjectMeta: named(w.namespace, "lumiere")})
		change(w, &appsv1.Deployment{ObjectMeta: named(w.namespace, "lumiere")}, func(d *appsv1.Deployment) { d.Spec.Replicas = ptr.To[int32](0) })
		change(w, w.class, func(c *v1alpha1.CommunityClass) { c.Spec.IdeaService.Image = "example.com/other" })
		w.nudge(c)
		o.api.settle(t)
	})
	statusWrites, _ := o.api.written()
	change(w, c, func(c *v1alpha1.Community) { c.Spec.Brand.DisplayName["en"] = "Changed" })
	w.waitCondition(c, v1alpha1.ConditionReady, metav1.ConditionUnknown, v1alpha1.ReasonPaused)
	o.api.settle(t)
	writes, _ := o.api.written()
	for _, write := range writes[len(statusWrites):] {
		if !strings.HasSuffix(write.path, "/communities/lumiere/status") {
			t.Errorf("paused, the operator wrote %s %s", write.method, write.path)
		}
	}
	change(w, w.class, func(class *v1alpha1.CommunityClass) { class.Spec.IdeaService.Image = "registry.example/ideas:1.0.0" })
	change(w, c, func(c *v1alpha1.Community) { c.Spec.Brand.DisplayName["en"], c.Spec.Paused = "Lumière Lab", false })
	w.waitReady(c)
	w.waitOutcome(c, before)
}

// A Community that is made paused gets nothing, not even a finalizer.
func TestPausedFromTheStart(t *testing.T) {
	t.Parallel()
	w := newWorld(t, shared)
	w.startOperator(operatorOptions{})
	c := w.community("lumiere", func(c *v1alpha1.Community) { c.Spec.Paused = true })
	w.waitCondition(c, v1alpha1.ConditionReady, metav1.ConditionUnknown, v1alpha1.ReasonPaused)
	if children := w.children("lumiere"); len(children) != 0 || len(c.Finalizers) != 0 {
		t.Errorf("paused, it has the finalizers %v and the children %v", c.Finalizers, children)
	}
	change(w, c, func(c *v1alpha1.Community) { c.Spec.Paused = false })
	w.waitReady(c)
}

// Hostile texts reach the service as they are, and break nothing on the way.
func TestHostileTexts(t *testing.T) {
	t.Parallel()
	w := newWorld(t, shared)
	w.startOperator(operatorOptions{})
	hostile := `"; DROP TABLE ideas; -- </script><script>{{.}} ${x} %s %n \u0000`
	c := w.community("lumiere", func(c *v1alpha1.Community) {
		c.Spec.Brand.DisplayName = v1alpha1.TextByLocale{"en": v1alpha1.BoundedText(hostile)}
		c.Spec.Brand.TagLine = v1alpha1.TextByLocale{"en": v1alpha1.BoundedText(strings.Repeat("é", 160))}
	})
	w.waitReady(c)
	d, _ := w.cluster.service(client.ObjectKeyFromObject(c)).lastDeclared()
	if raw, err := json.Marshal(d); err != nil || d.Settings.Brand.Name["en"] != hostile {
		t.Errorf("declared was %s (%v)", raw, err)
	}
}
