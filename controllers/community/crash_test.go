package community_test

import (
	"errors"
	"fmt"
	"math/rand"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/quaeso/community-operator/api/v1alpha1"
	"github.com/quaeso/community-operator/internal/testutil"
)

// Killed after any of its writes and started again, the operator comes to the same end as one that was left
// alone.
func TestKilledAfterEveryWrite(t *testing.T) {
	t.Parallel()
	for name, v := range map[string]struct {
		class     func(*v1alpha1.CommunityClass)
		community func(*v1alpha1.Community)
	}{"standalone": {everything, withOwnHostname}, "shared": {sharedServer, nil}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			undisturbed := newWorld(t, shared, v.class)
			undisturbed.secrets()
			o := undisturbed.startOperator(operatorOptions{})
			c := undisturbed.community("lumiere", orNone(v.community))
			undisturbed.waitReady(c)
			o.api.settle(t)
			writes, _ := o.api.written()
			want := undisturbed.outcome(c)
			o.stop()
			for k := 1; k < len(writes); k++ {
				t.Run(fmt.Sprintf("write %d of %d", k, len(writes)), func(t *testing.T) {
					t.Parallel()
					w := newWorld(t, shared, v.class)
					w.secrets()
					c := w.newCommunity("lumiere", orNone(v.community))
					w.killAfter(k, func() { w.create(c) })
					w.startOperator(operatorOptions{})
					w.waitReady(c)
					w.waitOutcome(c, want)
				})
			}
		})
	}
}

// killAfter runs an operator until it has written so often, or has nothing to write any more: how often it writes
// the status depends on how fast the cluster is.
func (w *world) killAfter(writes int, work func()) {
	w.t.Helper()
	o := w.startOperator(operatorOptions{dieAfter: writes})
	work()
	eventually(w.t, fmt.Sprintf("the operator should write %d times", writes), func() error {
		if o.api.isDead() || o.api.quietFor() > 5*time.Second {
			return nil
		}
		return errors.New("it still works")
	})
	o.stop()
}

// So does a deletion that is interrupted after any of its writes.
func TestDeletionKilledAfterEveryWrite(t *testing.T) {
	t.Parallel()
	for k := 1; k <= 6; k++ {
		t.Run(fmt.Sprintf("write %d", k), func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, shared, certManager)
			first := w.startOperator(operatorOptions{})
			c := w.community("lumiere", dropping)
			w.waitReady(c)
			first.api.settle(t)
			first.stop()
			w.killAfter(k, func() { w.delete(c) })
			w.startOperator(operatorOptions{})
			w.waitGone(c)
			w.collectGarbage(c)
			if left := w.children("lumiere"); len(left) != 0 {
				t.Errorf("there is left %s", asJSON(left))
			}
		})
	}
}

// step is one change that an agency, or somebody by hand, makes.
type step struct {
	name string
	// community changes the spec; other anything else.
	community func(*v1alpha1.Community)
	other     func(*world, *v1alpha1.Community)
}

func steps(second string) []step {
	spec := func(name string, how func(*v1alpha1.CommunitySpec)) step {
		return step{name: name, community: func(c *v1alpha1.Community) { how(&c.Spec) }}
	}
	return []step{
		spec("large", func(s *v1alpha1.CommunitySpec) { s.Size = "large" }),
		spec("small", func(s *v1alpha1.CommunitySpec) { s.Size = "" }),
		spec("unknown size", func(s *v1alpha1.CommunitySpec) { s.Size = "huge" }),
		spec("three replicas", func(s *v1alpha1.CommunitySpec) { s.Replicas = ptr.To[int32](3) }),
		spec("no replicas given", func(s *v1alpha1.CommunitySpec) { s.Replicas = nil }),
		spec("colours", func(s *v1alpha1.CommunitySpec) { s.Brand.Colors = &v1alpha1.BrandColors{Primary: "#112233"} }),
		spec("English only", func(s *v1alpha1.CommunitySpec) { s.Brand.Locales = []v1alpha1.Locale{"en"} }),
		spec("both languages", func(s *v1alpha1.CommunitySpec) { s.Brand.Locales = nil }),
		spec("Tokyo", func(s *v1alpha1.CommunitySpec) { s.Brand.TimeZone = "Asia/Tokyo" }),
		spec("nowhere", func(s *v1alpha1.CommunitySpec) { s.Brand.TimeZone = "Europe/Atlantis" }),
		spec("default hostname", func(s *v1alpha1.CommunitySpec) { s.Hostnames, s.TLS = nil, nil }),
		{name: "own hostname", community: func(c *v1alpha1.Community) { answering(c.Name + ".brand.example")(c) }},
		{name: "certificate", community: func(c *v1alpha1.Community) {
			withTLS(c)
			answering(c.Name + ".brand.example")(c)
		}},
		{name: "mail", community: withMail},
		spec("no mail", func(s *v1alpha1.CommunitySpec) { s.Mail = nil }),
		spec("lost mail", func(s *v1alpha1.CommunitySpec) { s.Mail = &v1alpha1.CommunityMail{SecretName: "lost"} }),
		{name: "login", community: withOIDC},
		spec("no login", func(s *v1alpha1.CommunitySpec) { s.OIDC = nil }),
		spec("second class", func(s *v1alpha1.CommunitySpec) { s.ClassName = second }),
		{name: "first class", community: nil, other: func(w *world, c *v1alpha1.Community) {
			change(w, c, func(c *v1alpha1.Community) { c.Spec.ClassName = w.class.Name })
		}},
		spec("unknown class", func(s *v1alpha1.CommunitySpec) { s.ClassName = "gold" }),
		spec("pause", func(s *v1alpha1.CommunitySpec) { s.Paused = true }),
		spec("go on", func(s *v1alpha1.CommunitySpec) { s.Paused = false }),
		{name: "drift", other: func(w *world, c *v1alpha1.Community) {
			d := &appsv1.Deployment{ObjectMeta: named(c.Namespace, c.Name)}
			if err := w.client.Get(w.t.Context(), client.ObjectKeyFromObject(d), d); err == nil {
				change(w, d, func(d *appsv1.Deployment) { d.Spec.Replicas = ptr.To[int32](9) })
			}
		}},
		{name: "a Service is deleted", other: func(w *world, c *v1alpha1.Community) {
			_ = w.client.Delete(w.t.Context(), &corev1.Service{ObjectMeta: named(c.Namespace, c.Name)})
		}},
		{name: "wait", other: func(w *world, c *v1alpha1.Community) {
			eventually(w.t, "the operator should look", func() error {
				w.get(c)
				if c.Status.ObservedGeneration != c.Generation {
					return fmt.Errorf("it looked at generation %d of %d", c.Status.ObservedGeneration, c.Generation)
				}
				return nil
			})
		}},
	}
}

// usable makes a spec usable again, whatever happened to it.
func usable(w *world, c *v1alpha1.Community) {
	s := &c.Spec
	s.Paused = false
	if s.Size == "huge" {
		s.Size = "large"
	}
	if s.Brand.TimeZone == "Europe/Atlantis" {
		s.Brand.TimeZone = "UTC"
	}
	if s.Mail != nil {
		s.Mail.SecretName = "smtp"
	}
	if s.ClassName == "gold" {
		s.ClassName = w.class.Name
	}
}

// A spec that was reached over many others gives the same as if it had been the first.
func TestEveryPathLeadsToTheSame(t *testing.T) {
	t.Parallel()
	w := newWorld(t, shared, func(c *v1alpha1.CommunityClass) {
		c.Spec.Sizes = append(c.Spec.Sizes, v1alpha1.Size{Name: "large", Replicas: ptr.To[int32](2)})
		c.Spec.Routing.TLS = &v1alpha1.ClassTLS{Mode: v1alpha1.TLSWildcard}
	})
	second := testutil.CommunityClass(w.namespace+"-second", func(c *v1alpha1.CommunityClass) {
		c.UID, c.Spec = "", *w.class.Spec.DeepCopy()
		ingress(c)
		c.Spec.IdeaService.Image = "registry.example/ideas:2.0.0"
	})
	w.create(second)
	w.secrets()
	w.startOperator(operatorOptions{})
	for seed := range int64(6) {
		t.Run(fmt.Sprintf("seed %d", seed), func(t *testing.T) {
			t.Parallel()
			w := w.of(t)
			random, all := rand.New(rand.NewSource(seed)), steps(second.Name)
			walker := w.community(fmt.Sprintf("walker%d", seed))
			var path []string
			for range 14 {
				s := all[random.Intn(len(all))]
				path = append(path, s.name)
				if s.community != nil {
					change(w, walker, s.community)
				} else {
					s.other(w, walker)
				}
			}
			change(w, walker, func(c *v1alpha1.Community) { usable(w, c) })
			t.Logf("the path was %q", path)
			w.waitReady(walker)
			fresh := w.newCommunity(fmt.Sprintf("fresher%d", seed))
			fresh.Spec = *walker.Spec.DeepCopy()
			for i, h := range fresh.Spec.Hostnames {
				fresh.Spec.Hostnames[i] = v1alpha1.Hostname("fresher" + string(h)[len("walker"):])
			}
			w.create(fresh)
			w.waitReady(fresh)
			if diff := cmp.Diff(w.outcome(fresh), w.outcome(walker)); diff != "" {
				t.Errorf("what was reached differs (-fresh +walked):\n%s", diff)
			}
		})
	}
}
