//go:build e2e

package e2e

import (
	"html"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/quaeso/community-operator/api/v1alpha1"
	"github.com/quaeso/community-operator/internal/stack"
)

// hostileText is what breaks out of HTML, scripts, templates and style sheets that are put together carelessly.
const hostileText = `"';{}</script><script>alert(1)</script>{{.}}${x}<!--`

// TestHostileBrand puts hostile text into every free text of the brand: it is refused, or shown as text.
func TestHostileBrand(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "hostile")
	for name, text := range map[string]string{
		"a line break": "Lab\nX-Injected: yes", "a right-to-left mark": "Lab \u202egnp.exe", "a megabyte": strings.Repeat("x", 1<<20),
	} {
		c := w.community("refused", func(c *v1alpha1.Community) { c.Spec.Brand.DisplayName["en"] = v1alpha1.BoundedText(text) })
		if err := cluster.client.Create(w.ctx, c); err == nil || !strings.Contains(err.Error(), "displayName") {
			t.Errorf("a name with %s is answered by %.200v, want a refusal that names the field", name, err)
		}
	}
	c := w.ready(w.community("lumiere", func(c *v1alpha1.Community) {
		texts := v1alpha1.TextByLocale{"fr": hostileText, "en": hostileText}
		c.Spec.Brand.DisplayName, c.Spec.Brand.TagLine = texts, texts
		c.Spec.Brand.LogoURL = "https://brand.example/logo.svg?a=b&c=%22%3E%3Cscript%3E"
	}))
	w.waitServed(c.Status.URL)
	m := w.visitor(c.Status.URL)
	m.signIn()
	idea := m.submit(`Tent ` + "</title><script>alert(2)</script>")
	for _, path := range []string{"/", "/ideas", "/sign-in", "/profile", idea, "/theme.css", "/favicon.svg"} {
		got, err := m.do("GET", path, nil)
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(got.body, "<script>alert") || strings.Contains(got.body, "</script><") && strings.Contains(got.body, "alert(1)</script>") {
			t.Errorf("%s shows hostile text as markup", path)
		}
	}
	if home := m.want(200, "GET", "/", nil); !strings.Contains(html.UnescapeString(home.body), hostileText) {
		t.Error("home does not show the name as it was written")
	}
}

// TestNothingToSteal looks at what a community's pods hold that an intruder could use, and makes sure that the
// search for leaked secrets, which ends every test, has something to look for.
func TestNothingToSteal(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "steal")
	c := w.ready(w.community("lumiere"))
	w.mainPath(c.Status.URL)

	pods := &corev1.PodList{}
	if err := cluster.client.List(w.ctx, pods, client.InNamespace(w.namespace)); err != nil || len(pods.Items) != 2 {
		t.Fatalf("there are %d pods, want 2 (%v)", len(pods.Items), err)
	}
	for _, p := range pods.Items {
		for _, v := range p.Spec.Volumes {
			if v.Projected != nil {
				t.Errorf("pod %s has the projected volume %s, which may hold a token", p.Name, v.Name)
			}
		}
		for _, container := range p.Spec.Containers {
			for _, e := range container.Env {
				if e.ValueFrom != nil && e.ValueFrom.SecretKeyRef != nil {
					t.Errorf("pod %s has a secret in its environment, %s", p.Name, e.Name)
				}
			}
		}
	}
	out, err := kubectl(w.ctx, "", "exec", "-n", w.namespace, "lumiere-db-0", "--", "ls", "/var/run/secrets")
	if err == nil {
		t.Errorf("a pod's /var/run/secrets holds %q", out)
	}

	values := w.secretValues()
	for _, name := range []string{
		stack.DatabaseName(c.Name) + "/password", stack.CredentialsName(c.Name) + "/control-token", stack.CredentialsName(c.Name) + "/database-uri",
	} {
		if values[name] == "" {
			t.Errorf("the search for leaks does not know %s; it knows %d values", name, len(values))
		}
	}
	for where, text := range w.readableTexts() {
		if (where == "events" || where == "Communities") && !strings.Contains(text, "lumiere") {
			t.Errorf("the search for leaks reads no %s", where)
		}
	}
}

// TestForeignSecret puts a Secret where the operator keeps its own: it is not touched, not used and reported.
func TestForeignSecret(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "foreignsecret")
	planted := secret(w.namespace, stack.DatabaseName("lumiere"), map[string]string{"password": "planted-by-somebody"})
	w.createAll(planted)
	c := w.create(w.community("lumiere"))
	w.waitStalled(c, expect{v1alpha1.ConditionCredentialsReady, v1alpha1.ReasonForeignObject, []string{"Secret", planted.Name, "delete or rename it"}})
	version := planted.ResourceVersion
	w.get(planted)
	if planted.ResourceVersion != version {
		t.Error("the foreign Secret was changed")
	}
	w.delete(planted)
	w.waitReady(c)
}
