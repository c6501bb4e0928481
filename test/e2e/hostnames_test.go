//go:build e2e

package e2e

import (
	"fmt"
	"testing"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/quaeso/community-operator/api/v1alpha1"
)

// TestOneHostname has two communities ask for one hostname: the first keeps it, the second says so and takes
// nothing; when the first goes, the second takes over and serves.
func TestOneHostname(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "taken")
	host := "ideas." + w.namespace + ".example"
	ask := func(brand string) func(*v1alpha1.Community) {
		return func(c *v1alpha1.Community) {
			c.Spec.Hostnames = []v1alpha1.Hostname{v1alpha1.Hostname(host)}
			c.Spec.Brand.DisplayName = v1alpha1.TextByLocale{"fr": v1alpha1.BoundedText(brand), "en": v1alpha1.BoundedText(brand)}
			c.Spec.DeletionPolicy = v1alpha1.DeletionDelete
		}
	}
	first := w.ready(w.community("first", ask("Maison Première")))
	w.waitServed(first.Status.URL)
	load := w.startTraffic("http://" + host + "/")
	second := w.create(w.community("second", ask("Maison Seconde")))
	w.waitStalled(second, expect{v1alpha1.ConditionAccepted, v1alpha1.ReasonHostnameTaken, []string{host, "choose another name in spec.hostnames"}})

	w.visitor("http://"+host).sees("/", "Maison Première")
	if len(second.Status.Hostnames) != 0 || second.Status.URL != "" {
		t.Errorf("the second claims %v and %q", second.Status.Hostnames, second.Status.URL)
	}
	routes, err := kubectl(w.ctx, "", "get", "httproutes", "-n", w.namespace, "-o", "name")
	if err != nil || routes != "httproute.gateway.networking.k8s.io/first\n" {
		t.Errorf("there are the routes %q (%v), want the first's alone", routes, err)
	}
	w.get(first)
	if !meta.IsStatusConditionPresentAndEqual(first.Status.Conditions, v1alpha1.ConditionReady, metav1.ConditionTrue) {
		t.Error("the first is no longer Ready")
	}
	load.end(w, "a second claim of the hostname")

	w.delete(first)
	w.waitReady(second)
	w.eventually(proxyDelay, "the second serves the hostname", func() error {
		if second.Status.URL != "http://"+host {
			return fmt.Errorf("its url is %q", second.Status.URL)
		}
		return w.looksNamed("http://"+host, "Maison Seconde")
	})
}
