//go:build e2e

package e2e

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/quaeso/community-operator/internal/stack"
)

// communityYAML is what a person applies; the same fields as the sample's.
const communityYAML = `apiVersion: cocreation.quaeso.io/v1alpha1
kind: Community
metadata:
  name: lumiere
  namespace: %s
spec:
  className: %s
  brand:
    displayName: {fr: Atelier Lumière, en: Lumière Lab}
    tagLine: {fr: "Vos idées, nos vélos", en: "Your ideas, our bikes"}
    colors: {primary: "#0b6e4f", accent: "#f2a541"}
    timeZone: Europe/Paris
`

// TestStandalone is the whole way, as a person walks it: apply, open the page in a browser in two languages,
// sign in by mail, submit, support, comment; and the row is in PostgreSQL.
func TestStandalone(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "standalone")
	if _, err := kubectl(w.ctx, fmt.Sprintf(communityYAML, w.namespace, w.class.Name), "apply", "--server-side", "-f", "-"); err != nil {
		t.Fatal(err)
	}
	c := w.community("lumiere")
	w.waitReady(c)
	if want := "http://lumiere." + w.class.Spec.Routing.ApexDomain; c.Status.URL != want {
		t.Errorf("status.url is %q, want %q", c.Status.URL, want)
	}
	screenshots := filepath.Join(cluster.root, "test", "e2e", "screenshots")
	if err := os.RemoveAll(screenshots); err != nil {
		t.Fatal(err)
	}
	w.waitServed(c.Status.URL)
	host := strings.TrimPrefix(c.Status.URL, "http://")
	for _, way := range []struct{ locale, screen string }{{"fr", "desktop"}, {"en", "phone"}} {
		out := w.browser("journey.mjs", "--base", c.Status.URL, "--inbox", cluster.inbox, "--locale", way.locale, "--screen", way.screen,
			"--screenshots", screenshots, "--resolve", host+"="+cluster.nodeAddress)
		var left struct{ Title, Email string }
		if err := json.Unmarshal([]byte(out), &left); err != nil {
			t.Fatalf("read what the browser left behind: %v: %s", err, out)
		}
		rows, err := psql(w.ctx, w.namespace, stack.DatabaseName(c.Name)+"-0", "", "ideas", "ideas", sqlCountIdea(t, left.Title))
		if err != nil {
			t.Fatal(err)
		}
		if rows != "1" {
			t.Errorf("PostgreSQL has %s ideas %q with a supporter and a comment, want 1", rows, left.Title)
		}
	}
}

// TestAccessibility has axe look at every kind of page in French, as a stranger and as a member, and at those that
// everybody sees in English.
func TestAccessibility(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "axe")
	c := w.ready(w.community("lumiere"))
	w.waitServed(c.Status.URL)
	host := strings.TrimPrefix(c.Status.URL, "http://")
	common := []string{"--base", c.Status.URL, "--resolve", host + "=" + cluster.nodeAddress}
	w.browser("axe.mjs", append(common, "--locale", "fr", "--inbox", cluster.inbox)...)
	w.browser("axe.mjs", append(common, "--locale", "en", "--page", "/", "--page", "/ideas", "--page", "/sign-in")...)
}
