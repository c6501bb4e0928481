package community_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/api/meta"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/quaeso/community-operator/api/v1alpha1"
)

func answering(names ...string) func(*v1alpha1.Community) {
	return func(c *v1alpha1.Community) {
		c.Spec.Hostnames = nil
		for _, n := range names {
			c.Spec.Hostnames = append(c.Spec.Hostnames, v1alpha1.Hostname(n))
		}
	}
}

// routed returns the hostnames that a community's route takes.
func (w *world) routed(name string) []gatewayv1.Hostname {
	w.t.Helper()
	route := &gatewayv1.HTTPRoute{ObjectMeta: named(w.namespace, name)}
	if err := w.client.Get(w.t.Context(), w.key(name), route); ignoreMissing(err) != nil {
		w.t.Fatal(err)
	}
	return route.Spec.Hostnames
}

// Two communities never answer to one hostname, in whatever namespaces they are.
func TestHostnamesHaveOneHolder(t *testing.T) {
	t.Parallel()
	w, other := newWorld(t, shared), newWorld(t, shared)
	w.startOperator(operatorOptions{namespaces: []string{other.namespace}})
	sameClass := func(c *v1alpha1.Community) { c.Spec.ClassName = w.class.Name }
	first := w.community("lumiere")
	w.waitReady(first)
	byDefault := "lumiere." + w.class.Spec.Routing.ApexDomain

	twin := other.community("lumiere", sameClass)
	other.waitStalled(twin, v1alpha1.ReasonHostnameTaken, byDefault)
	thief := other.community("thief", sameClass, answering(byDefault))
	other.waitStalled(thief, v1alpha1.ReasonHostnameTaken, byDefault)
	partly := other.community("partly", sameClass, answering("free.brand.example", byDefault))
	other.waitStalled(partly, v1alpha1.ReasonHostnameTaken, byDefault)
	if diff := cmp.Diff([]string{"free.brand.example"}, partly.Status.Hostnames); diff != "" || partly.Status.URL != "http://free.brand.example" {
		t.Errorf("what is granted (-want +got):\n%s\nat %s", diff, partly.Status.URL)
	}
	if diff := cmp.Diff([]gatewayv1.Hostname{"free.brand.example"}, other.routed("partly")); diff != "" {
		t.Errorf("what is routed (-want +got):\n%s", diff)
	}
	for _, loser := range []*v1alpha1.Community{twin, thief} {
		if len(loser.Status.Hostnames) != 0 || loser.Status.URL != "" || len(other.routed(loser.Name)) != 0 {
			t.Errorf("%s has the hostnames %v, the URL %q and the route %v", loser.Name, loser.Status.Hostnames, loser.Status.URL, other.routed(loser.Name))
		}
	}
	// A change gives it back, and one of those who wait gets it without asking.
	change(w, first, answering("moved.brand.example"))
	w.waitReady(first)
	eventually(t, "somebody should get the hostname", func() error { return oneHolder(other, byDefault, twin, thief, partly) })
	if diff := cmp.Diff([]gatewayv1.Hostname{"moved.brand.example"}, w.routed("lumiere")); diff != "" {
		t.Errorf("what is routed to the first (-want +got):\n%s", diff)
	}
}

type errorText string

// Error implements error.
func (e errorText) Error() string { return string(e) }

func oneHolder(w *world, hostname string, all ...*v1alpha1.Community) error {
	holders := 0
	for _, c := range all {
		w.get(c)
		for _, h := range c.Status.Hostnames {
			if h == hostname {
				holders++
			}
		}
	}
	switch {
	case holders > 1:
		w.t.Fatalf("%d communities hold %s", holders, hostname)
	case holders == 0:
		return errorText("nobody holds " + hostname)
	}
	return nil
}

// A hostname is free when its holder is deleted.
func TestHostnameOfADeletedCommunity(t *testing.T) {
	t.Parallel()
	w := newWorld(t, shared)
	w.startOperator(operatorOptions{})
	first := w.community("first", answering("ideas.brand.example"))
	w.waitReady(first)
	second := w.community("second", answering("ideas.brand.example"))
	w.waitStalled(second, v1alpha1.ReasonHostnameTaken)
	w.delete(first)
	w.waitReady(second)
	if second.Status.URL != "http://ideas.brand.example" {
		t.Errorf("the URL is %s", second.Status.URL)
	}
}

// A community that is refused every name it wants keeps those it has.
func TestRefusedHostnamesKeepTheOldOnes(t *testing.T) {
	t.Parallel()
	w := newWorld(t, shared)
	w.startOperator(operatorOptions{})
	first := w.community("first", answering("ideas.brand.example"))
	w.waitReady(first)
	second := w.community("second", answering("other.brand.example"))
	w.waitReady(second)
	change(w, second, answering("ideas.brand.example"))
	w.waitStalled(second, v1alpha1.ReasonHostnameTaken, "ideas.brand.example")
	if diff := cmp.Diff([]gatewayv1.Hostname{"other.brand.example"}, w.routed("second")); diff != "" {
		t.Errorf("what is routed (-want +got):\n%s", diff)
	}
	if !meta.IsStatusConditionTrue(second.Status.Conditions, v1alpha1.ConditionRouteReady) || second.Status.URL != "http://other.brand.example" {
		t.Errorf("the old route is not as it was: %s", asJSON(second.Status))
	}
	change(w, second, answering("ideas.brand.example", "third.brand.example"))
	w.waitStalled(second, v1alpha1.ReasonHostnameTaken, "ideas.brand.example")
	if diff := cmp.Diff([]gatewayv1.Hostname{"third.brand.example"}, w.routed("second")); diff != "" {
		t.Errorf("what is routed (-want +got):\n%s", diff)
	}
}

// Who holds a hostname does not depend on who is looked at first after a restart.
func TestRestartKeepsTheHolder(t *testing.T) {
	t.Parallel()
	w := newWorld(t, shared)
	first := w.startOperator(operatorOptions{})
	// Its name comes last, so that it is listed last.
	holder := w.community("zoe", answering("ideas.brand.example"))
	w.waitReady(holder)
	waiting := w.community("adam", answering("ideas.brand.example"))
	w.waitStalled(waiting, v1alpha1.ReasonHostnameTaken)
	first.stop()
	for range 3 {
		o := w.startOperator(operatorOptions{})
		w.nudge(waiting)
		w.nudge(holder)
		change(w, holder, func(c *v1alpha1.Community) { c.Spec.Brand.DisplayName["en"] += "!" })
		w.waitReady(holder)
		w.waitStalled(waiting, v1alpha1.ReasonHostnameTaken)
		o.stop()
	}
}
