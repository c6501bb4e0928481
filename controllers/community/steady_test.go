package community_test

import (
	"fmt"
	"testing"
	"time"

	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/quaeso/community-operator/api/v1alpha1"
	"github.com/quaeso/community-operator/internal/control"
)

// steadyWindow is how long nothing may be written.
const steadyWindow = 2 * time.Minute

// variants are communities that between them have every kind of child and every source of credentials.
func variants() map[string]struct {
	class     func(*v1alpha1.CommunityClass)
	community func(*v1alpha1.Community)
} {
	return map[string]struct {
		class     func(*v1alpha1.CommunityClass)
		community func(*v1alpha1.Community)
	}{
		"standalone":    {everything, withOwnHostname},
		"cloudNativePG": {cloudNativePG, nil},
		"shared":        {sharedServer, nil},
		"ingress with every Secret": {
			func(c *v1alpha1.CommunityClass) {
				ingress(c)
				c.Spec.IdeaService.ImagePullSecretNames = []string{"registry"}
				c.Spec.PodTemplate = &v1alpha1.PodTemplateOverrides{Annotations: map[string]string{"team": "brands"}, NodeSelector: map[string]string{"disk": "ssd"}}
			},
			func(c *v1alpha1.Community) {
				external(c)
				withMail(c)
				withOIDC(c)
				withTLS(c)
			},
		},
	}
}

// secrets makes every Secret that a variant may name.
func (w *world) secrets() {
	w.t.Helper()
	w.secret(w.operatorNamespace, "server", map[string]string{"uri": "postgres://admin:open-sesame@db.example.com:6432?sslmode=require"})
	w.pullSecret("registry")
	w.databases.allow("db.example.com", "brand", "p@ss/word")
	w.secret(w.namespace, "database", map[string]string{"uri": "postgres://brand:p%40ss%2Fword@db.example.com/brand"})
	w.secret(w.namespace, "smtp", map[string]string{"host": "smtp.brand.example", "from": "ideas@brand.example", "username": "ideas", "password": "smtp-password"})
	w.secret(w.namespace, "login", map[string]string{"clientID": "ideas", "clientSecret": "login-secret"})
	w.tlsSecret("certificate")
}

// Steady means steady: while nothing changes, and also when somebody asks for a reconcile again and again, the
// operator writes nothing.
func TestSteadyStateWritesNothing(t *testing.T) {
	t.Parallel()
	for name, v := range variants() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, shared, orNone(v.class))
			w.secrets()
			o := w.startOperator(operatorOptions{})
			c := w.community("lumiere", orNone(v.community))
			w.waitReady(c)
			o.api.settle(t)
			service := w.cluster.service(client.ObjectKeyFromObject(c))
			looked := service.observations()
			asked := len(w.databases.asked(""))
			o.api.silence(t, func() {
				end := time.After(steadyWindow)
				nudge := time.NewTicker(15 * time.Second)
				defer nudge.Stop()
				for {
					select {
					case <-end:
						return
					case <-nudge.C:
						w.nudge(c)
					}
				}
			})
			if service.observations() < looked+3 {
				t.Error("the operator was not at work while it wrote nothing")
			}
			if again := w.databases.asked("")[asked:]; len(again) > 0 {
				t.Errorf("database servers were asked again: %q", again)
			}
			w.waitReady(c)
		})
	}
}

// An operator that starts where another one left off has nothing to write.
func TestRestartWritesNothing(t *testing.T) {
	t.Parallel()
	for name, v := range variants() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, shared, orNone(v.class))
			w.secrets()
			first := w.startOperator(operatorOptions{})
			c := w.community("lumiere", orNone(v.community))
			w.waitReady(c)
			first.api.settle(t)
			first.stop()
			service := w.cluster.service(client.ObjectKeyFromObject(c))
			declared := len(service.declarations())
			second := w.startOperator(operatorOptions{})
			second.api.silence(t, func() {
				looked := service.observations()
				eventually(t, "the second operator should look", func() error {
					if service.observations() < looked+1 {
						return fmt.Errorf("looked %d times", service.observations()-looked)
					}
					return nil
				})
				second.api.settle(t)
			})
			if got := len(service.declarations()); got != declared {
				t.Errorf("the settings were declared %d times more", got-declared)
			}
		})
	}
}

// declarations returns everything that was declared.
func (s *ideaService) declarations() []control.Declaration {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]control.Declaration(nil), s.declared...)
}
