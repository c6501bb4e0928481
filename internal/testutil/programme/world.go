// Package programme starts what tests of the controllers of Challenges and RewardPolicies stand on: a real API server, real
// idea services on a real PostgreSQL, and operators that can be killed between any two calls.
package programme

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	corev1 "k8s.io/api/core/v1"
	eventsv1 "k8s.io/api/events/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/util/retry"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/quaeso/community-operator/api/v1alpha1"
	"github.com/quaeso/community-operator/internal/control"
	"github.com/quaeso/community-operator/internal/ideaservice"
	"github.com/quaeso/community-operator/internal/stack"
	"github.com/quaeso/community-operator/internal/testutil"
	"github.com/quaeso/community-operator/internal/testutil/kubeapi"
)

// patience is how long a condition may take to come true on a machine that does much else.
const patience = 90 * time.Second

// platform is what the tests of a process share.
type platform struct {
	server  *kubeapi.Server
	account *rest.Config
	ports   *controlPorts
	// control calls every service.
	control *control.Client
}

var shared = sync.OnceValues(func() (*platform, error) {
	// The usual range of addresses of Services is too small for all tests.
	server, err := kubeapi.Run(kubeapi.Options{APIServer: map[string]string{"service-cluster-ip-range": "10.96.0.0/16"}})
	if err != nil {
		return nil, err
	}
	account, err := server.OperatorAccount()
	if err != nil {
		return nil, err
	}
	ports := &controlPorts{services: map[string]*Service{}}
	front := httptest.NewServer(ports)
	return &platform{
		server: server, account: account, ports: ports, control: control.NewClient(strings.TrimPrefix(front.URL, "http://")),
	}, nil
})

// World is one test's part: a namespace with its communities.
type World struct {
	testing.TB
	Client    client.Client
	Namespace string

	platform *platform
}

// New makes a test's world.
func New(t testing.TB) *World {
	t.Helper()
	p, err := shared()
	if err != nil {
		t.Fatalf("start the platform: %v", err)
	}
	return &World{TB: t, Client: p.server.Client, Namespace: p.server.Namespace(t), platform: p}
}

// Community makes a Community whose idea service runs, as its own controller leaves it. The settings are those of the test
// builders in Paris, with the house.
func (w *World) Community(name string, house *control.House) (*v1alpha1.Community, *Service) {
	w.Helper()
	c := w.NewCommunity(name)
	service := w.Serve(c, nil)
	w.Settle(c, service, house)
	return c, service
}

// NewCommunity makes a Community that nothing runs for yet.
func (w *World) NewCommunity(name string) *v1alpha1.Community {
	w.Helper()
	c := testutil.Community(name, func(c *v1alpha1.Community) { c.Namespace, c.UID, c.Generation = w.Namespace, "", 0 })
	w.Create(c)
	return c
}

// Serve starts the idea service of a Community, or has one that runs answer for it.
func (w *World) Serve(c *v1alpha1.Community, service *Service) *Service {
	w.Helper()
	owner := []metav1.OwnerReference{*metav1.NewControllerRef(c, v1alpha1.GroupVersion.WithKind("Community"))}
	labels := map[string]string{v1alpha1.LabelManagedBy: v1alpha1.FieldManager, v1alpha1.LabelCommunity: c.Name}
	port := &corev1.Service{
		ObjectMeta: metav1.ObjectMeta{Namespace: w.Namespace, Name: stack.ControlName(c.Name), Labels: labels, OwnerReferences: owner},
		Spec:       corev1.ServiceSpec{Ports: []corev1.ServicePort{{Name: "control", Port: stack.PortControl}}},
	}
	w.Create(port)
	address := ideaservice.Address(port)
	if service == nil {
		service = startService(w.TB, w.platform.control, address)
	}
	service.Address = address
	w.platform.ports.set(address, service)
	w.Create(&corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{Namespace: w.Namespace, Name: stack.CredentialsName(c.Name), Labels: labels, OwnerReferences: owner},
		StringData: map[string]string{control.FileControlToken: service.Token},
	})
	return service
}

// Settle declares a Community's settings and says in its status that they are in force.
func (w *World) Settle(c *v1alpha1.Community, service *Service, house *control.House) {
	w.Helper()
	service.Declare(control.Declaration{UID: string(c.UID), Generation: c.Generation, Settings: control.Settings{
		BaseURL: "https://" + c.Name + ".example", Hostnames: []string{c.Name + ".example"},
		Brand:   control.Brand{Name: map[string]string{"fr": "Atelier Lumière", "en": "Lumière Lab"}},
		Locales: []string{"fr", "en"}, TimeZone: "Europe/Paris", House: house,
	}})
	w.Report(c, metav1.ConditionTrue, v1alpha1.ReasonReady)
}

// Report writes a Community's conditions SettingsInForce and Ready, as its own controller does.
func (w *World) Report(c *v1alpha1.Community, status metav1.ConditionStatus, reason string) {
	w.Helper()
	w.Get(c)
	before := c.DeepCopy()
	for _, kind := range []string{v1alpha1.ConditionSettingsInForce, v1alpha1.ConditionReady} {
		meta.SetStatusCondition(&c.Status.Conditions, metav1.Condition{
			Type: kind, Status: status, Reason: reason, ObservedGeneration: c.Generation, Message: "as the test says",
		})
	}
	c.Status.ObservedGeneration = c.Generation
	if err := w.Client.Status().Patch(context.Background(), c, client.MergeFrom(before)); err != nil {
		w.Fatalf("write the status of Community %s: %v", c.Name, err)
	}
}

// ReportVersion writes the release of a Community's idea service into its status.
func (w *World) ReportVersion(c *v1alpha1.Community, version string) {
	w.Helper()
	w.Get(c)
	before := c.DeepCopy()
	c.Status.Version = version
	if err := w.Client.Status().Patch(context.Background(), c, client.MergeFrom(before)); err != nil {
		w.Fatalf("write the status of Community %s: %v", c.Name, err)
	}
}

// Create makes an object.
func (w *World) Create(o client.Object) {
	w.Helper()
	if err := w.Client.Create(context.Background(), o); err != nil {
		w.Fatalf("create %T %s: %v", o, o.GetName(), err)
	}
}

// Get reads an object anew.
func (w *World) Get(o client.Object) {
	w.Helper()
	if err := w.Client.Get(context.Background(), client.ObjectKeyFromObject(o), o); err != nil {
		w.Fatalf("get %T %s: %v", o, o.GetName(), err)
	}
}

// Change changes an object as kubectl edit does.
func Change[T client.Object](w *World, o T, how func(T)) {
	w.Helper()
	err := retry.RetryOnConflict(retry.DefaultBackoff, func() error {
		if err := w.Client.Get(context.Background(), client.ObjectKeyFromObject(o), o); err != nil {
			return err
		}
		how(o)
		return w.Client.Update(context.Background(), o, client.FieldOwner("kubectl-edit"))
	})
	if err != nil {
		w.Fatalf("change %T %s: %v", o, o.GetName(), err)
	}
}

// Delete deletes an object.
func (w *World) Delete(o client.Object) {
	w.Helper()
	if err := w.Client.Delete(context.Background(), o, client.Preconditions{UID: ptr.To(o.GetUID())}); err != nil {
		w.Fatalf("delete %T %s: %v", o, o.GetName(), err)
	}
}

// WaitGone waits until an object that was read is gone.
func (w *World) WaitGone(o client.Object) {
	w.Helper()
	uid := o.GetUID()
	w.Eventually(fmt.Sprintf("%T %s should go", o, o.GetName()), func() error {
		err := w.Client.Get(context.Background(), client.ObjectKeyFromObject(o), o)
		switch {
		case apierrors.IsNotFound(err) || err == nil && o.GetUID() != uid:
			return nil
		case err == nil:
			return fmt.Errorf("it is still there: %s", AsJSON(Conditions(o)))
		}
		return err
	})
}

// Conditions of a Challenge or a RewardPolicy.
func Conditions(o client.Object) []metav1.Condition {
	switch o := o.(type) {
	case *v1alpha1.Challenge:
		return o.Status.Conditions
	case *v1alpha1.RewardPolicy:
		return o.Status.Conditions
	}
	return nil
}

// WaitReady waits until an object is ready at its current generation.
func (w *World) WaitReady(o client.Object) {
	w.Helper()
	w.WaitCondition(o, v1alpha1.ConditionReady, metav1.ConditionTrue, v1alpha1.ReasonReady)
}

// WaitStalled waits until an object says that a person must act.
func (w *World) WaitStalled(o client.Object, reason string, words ...string) {
	w.Helper()
	w.WaitCondition(o, v1alpha1.ConditionStalled, metav1.ConditionTrue, reason, words...)
}

// WaitWaiting waits until an object says what it waits for.
func (w *World) WaitWaiting(o client.Object, reason string, words ...string) {
	w.Helper()
	w.WaitCondition(o, v1alpha1.ConditionReconciling, metav1.ConditionTrue, reason, words...)
}

// WaitNotInForce waits until an object says, with words, why it is not in force.
func (w *World) WaitNotInForce(o client.Object, reason string, words ...string) {
	w.Helper()
	w.WaitCondition(o, v1alpha1.ConditionInForce, metav1.ConditionFalse, reason, words...)
}

// WaitCondition waits for a condition that was made from the current generation.
func (w *World) WaitCondition(o client.Object, kind string, status metav1.ConditionStatus, reason string, words ...string) {
	w.Helper()
	w.Eventually(fmt.Sprintf("%T %s should have %s %s (%s)", o, o.GetName(), kind, status, reason), func() error {
		if err := w.Client.Get(context.Background(), client.ObjectKeyFromObject(o), o); err != nil {
			return err
		}
		have := meta.FindStatusCondition(Conditions(o), kind)
		if have == nil || have.Status != status || have.Reason != reason || have.ObservedGeneration != o.GetGeneration() {
			return fmt.Errorf("at generation %d, its conditions are %s", o.GetGeneration(), AsJSON(Conditions(o)))
		}
		for _, word := range words {
			if !strings.Contains(have.Message, word) {
				return fmt.Errorf("the message %q lacks %q", have.Message, word)
			}
		}
		return nil
	})
}

// Eventually waits until a check passes.
func (w *World) Eventually(what string, check func() error) {
	w.Helper()
	w.Within(patience, what, check)
}

// Within waits so long until a check passes.
func (w *World) Within(limit time.Duration, what string, check func() error) {
	w.Helper()
	ctx, cancel := context.WithTimeout(w.Context(), limit)
	defer cancel()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		err := check()
		if err == nil {
			return
		}
		select {
		case <-ctx.Done():
			w.Fatalf("%s: %v", what, errors.Join(err, context.Cause(ctx)))
		case <-tick.C:
		}
	}
}

// Nudge asks for a reconcile, as a person does.
func (w *World) Nudge(o client.Object) {
	w.Helper()
	Change(w, o, func(o client.Object) {
		annotations := o.GetAnnotations()
		if annotations == nil {
			annotations = map[string]string{}
		}
		annotations[v1alpha1.AnnotationReconcile] = time.Now().Format(time.RFC3339Nano)
		o.SetAnnotations(annotations)
	})
}

// Scrape returns what a registry tells, one line for each metric.
func Scrape(registry *prometheus.Registry) (string, error) {
	families, err := registry.Gather()
	if err != nil {
		return "", fmt.Errorf("gather the metrics: %w", err)
	}
	var out strings.Builder
	for _, family := range families {
		for _, metric := range family.GetMetric() {
			var labels []string
			for _, l := range metric.GetLabel() {
				labels = append(labels, fmt.Sprintf("%s=%q", l.GetName(), l.GetValue()))
			}
			fmt.Fprintf(&out, "%s{%s} %v\n", family.GetName(), strings.Join(labels, ","), metric.GetGauge().GetValue())
		}
	}
	return out.String(), nil
}

// AsJSON shows a value.
func AsJSON(v any) string {
	raw, err := json.Marshal(v)
	if err != nil {
		return err.Error()
	}
	return string(raw)
}

// Events of an object, as "type reason message".
func (w *World) Events(o client.Object) (out []string) {
	w.Helper()
	list := &eventsv1.EventList{}
	if err := w.Client.List(context.Background(), list, client.InNamespace(w.Namespace)); err != nil {
		w.Fatalf("list events: %v", err)
	}
	for _, e := range list.Items {
		if e.Regarding.UID == o.GetUID() {
			out = append(out, e.Type+" "+e.Reason+" "+e.Note)
		}
	}
	return out
}

// WaitEvent waits until an event was sent, and checks that it was sent once.
func (w *World) WaitEvent(o client.Object, start string) {
	w.Helper()
	w.Eventually("an event should say "+start, func() error {
		events, n := w.Events(o), 0
		for _, e := range events {
			if strings.HasPrefix(e, start) {
				n++
			}
		}
		if n != 1 {
			return fmt.Errorf("%d of them do: %q", n, events)
		}
		return nil
	})
}
