//go:build e2e

package e2e

import (
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/quaeso/community-operator/api/v1alpha1"
	"github.com/quaeso/community-operator/internal/stack"
)

// TestScale scales a community to three and back as a person does, while members read.
func TestScale(t *testing.T) {
	w := newWorld(t, "scale")
	c := w.ready(w.community("lumiere"))
	w.waitServed(c.Status.URL)
	load := w.startTraffic(c.Status.URL + "/")
	for _, replicas := range []int32{3, 1} {
		if _, err := kubectl(w.ctx, "", "scale", "community/lumiere", "-n", w.namespace, fmt.Sprintf("--replicas=%d", replicas)); err != nil {
			t.Fatal(err)
		}
		w.waitReady(c)
		if c.Status.Replicas != replicas || c.Status.ReadyReplicas != replicas {
			t.Errorf("scaled to %d, status says %d replicas, %d ready", replicas, c.Status.Replicas, c.Status.ReadyReplicas)
		}
		w.eventually(time.Minute, fmt.Sprintf("%d pods serve and no other is left", replicas), func() error {
			if pods := w.ideasPods(c); len(pods) != int(replicas) {
				return fmt.Errorf("there are %d", len(pods))
			}
			return nil
		})
	}
	load.end(w, "scaling to 3 and back to 1")
}

// ideasPods are the names and UIDs of the idea service's pods.
func (w *world) ideasPods(c *v1alpha1.Community) []string {
	w.Helper()
	list := &corev1.PodList{}
	err := cluster.client.List(w.ctx, list, client.InNamespace(c.Namespace),
		client.MatchingLabels(stack.SelectorLabels(c.Name, v1alpha1.ComponentIdeas)))
	if err != nil {
		w.Fatalf("list the pods: %v", err)
	}
	var pods []string
	for _, p := range list.Items {
		pods = append(pods, fmt.Sprintf("%s (%s), %d restarts", p.Name, p.UID, restarts(p)))
	}
	slices.Sort(pods)
	return pods
}

func restarts(p corev1.Pod) int32 {
	var n int32
	for _, s := range p.Status.ContainerStatuses {
		n += s.RestartCount
	}
	return n
}

// brandDelay is how fast a change of the brand must show on every replica.
const brandDelay = 2 * time.Second

// TestBrandChange gives a community with two replicas new colours and a new name: they show within two seconds
// on every replica, in the same pods, and no request fails.
func TestBrandChange(t *testing.T) {
	w := newWorld(t, "brand")
	c := w.ready(w.community("lumiere", func(c *v1alpha1.Community) { c.Spec.Size = "large" }))
	pods := w.ideasPods(c)
	w.waitServed(c.Status.URL)
	load := w.startTraffic(c.Status.URL + "/")
	for i, look := range []struct{ color, name string }{{"#7a1fa2", "Violet Lab"}, {"#b3261e", "Ruby Lab"}, {"#0b6e4f", "Emerald Lab"}} {
		change(w, c, func(c *v1alpha1.Community) {
			c.Spec.Brand.Colors = &v1alpha1.BrandColors{Primary: v1alpha1.Color(look.color)}
			c.Spec.Brand.DisplayName["en"] = v1alpha1.BoundedText(look.name)
		})
		asked := time.Now()
		// Ten answers in a row come from both replicas.
		w.eventually(10*time.Second, "the page shows "+look.name+" in "+look.color, func() error {
			for range 10 {
				if err := w.looksLike(c.Status.URL, look.name, look.color); err != nil {
					return err
				}
			}
			return nil
		})
		took := time.Since(asked)
		t.Logf("change %d showed everywhere after %s", i+1, took.Round(10*time.Millisecond))
		if took > brandDelay {
			t.Errorf("change %d showed after %s, want within %s", i+1, took.Round(10*time.Millisecond), brandDelay)
		}
	}
	w.waitReady(c)
	load.end(w, "three changes of the brand")
	if now := w.ideasPods(c); !slices.Equal(pods, now) {
		t.Errorf("the pods changed from %v to %v", pods, now)
	}
}

var themeLink = regexp.MustCompile(`href="(/theme\.css[^"]*)"`)

// looksNamed opens the home page anew and compares its name.
func (w *world) looksNamed(base, name string) error {
	m := w.visitor(base)
	defer m.http.CloseIdleConnections()
	home, err := m.do("GET", "/?lang=en", nil)
	if err == nil && (home.status != http.StatusOK || !strings.Contains(home.body, name)) {
		err = fmt.Errorf("home answers %d without %q", home.status, name)
	}
	return err
}

// looksLike opens the home page anew and compares its name, and the colour in the style sheet it links to.
func (w *world) looksLike(base, name, color string) error {
	m := w.visitor(base)
	home, err := m.do("GET", "/?lang=en", nil)
	if err != nil {
		return err
	}
	defer m.http.CloseIdleConnections()
	if home.status != http.StatusOK || !strings.Contains(home.body, name) {
		return fmt.Errorf("home answers %d without %q", home.status, name)
	}
	link := themeLink.FindStringSubmatch(home.body)
	if link == nil {
		return fmt.Errorf("home links to no theme")
	}
	theme, err := m.do("GET", link[1], nil)
	if err != nil {
		return err
	}
	if theme.status != http.StatusOK || !strings.Contains(theme.body, color) {
		return fmt.Errorf("the theme answers %d without %s", theme.status, color)
	}
	return nil
}

// TestHostnameChange gives a community a second hostname in front of the first, then takes the first away,
// while members read. The route follows each time, and what stays served is served without a gap.
func TestHostnameChange(t *testing.T) {
	w := newWorld(t, "hostname")
	first, second := "first."+w.namespace+".example", "second."+w.namespace+".example"
	c := w.ready(w.community("lumiere", func(c *v1alpha1.Community) { c.Spec.Hostnames = []v1alpha1.Hostname{v1alpha1.Hostname(first)} }))
	w.waitServed(c.Status.URL)
	load := w.startTraffic("http://" + first + "/")

	change(w, c, func(c *v1alpha1.Community) {
		c.Spec.Hostnames = []v1alpha1.Hostname{v1alpha1.Hostname(second), v1alpha1.Hostname(first)}
	})
	w.waitReady(c)
	if want := "http://" + second; c.Status.URL != want {
		t.Errorf("status.url is %s, want %s", c.Status.URL, want)
	}
	w.eventually(5*time.Second, "the second hostname is served", func() error { return w.serves("http://" + second) })
	load.end(w, "adding a hostname, seen at the first")

	load = w.startTraffic("http://" + second + "/")
	change(w, c, func(c *v1alpha1.Community) { c.Spec.Hostnames = []v1alpha1.Hostname{v1alpha1.Hostname(second)} })
	w.waitReady(c)
	w.eventually(10*time.Second, "the first hostname is no longer served", func() error {
		got, err := w.visitor("http://"+first).do("GET", "/", nil)
		if err == nil && got.status != http.StatusNotFound {
			err = fmt.Errorf("it answers %d, want 404", got.status)
		}
		return err
	})
	w.mainPath("http://" + second)
	load.end(w, "removing a hostname, seen at the second")
}
