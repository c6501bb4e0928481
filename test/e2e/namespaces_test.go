//go:build e2e

package e2e

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/quaeso/community-operator/api/v1alpha1"
)

// TestWatchNamespaces runs an operator that the chart limits to one namespace, with the rights that the chart gives
// it there: it brings up and follows the community of that namespace, and does not touch one elsewhere, which is what
// the cluster's own operator does as soon as it is back.
//
// It does not run in parallel: the cluster's own operator rests meanwhile.
func TestWatchNamespaces(t *testing.T) {
	elsewhere := newWorld(t, "unwatched")
	w := newWorld(t, "watched")
	own := w.restOperator()
	image := own.Spec.Template.Spec.Containers[0].Image
	repository, tag := image[:strings.LastIndex(image, ":")], image[strings.LastIndex(image, ":")+1:]
	home := w.namespace + "-operator"
	if err := cluster.createNamespace(w.ctx, home); err != nil {
		t.Fatalf("create namespace %s: %v", home, err)
	}
	uninstalled := false
	uninstall := func(ctx context.Context) error {
		if uninstalled {
			return nil
		}
		uninstalled = true
		return helm(ctx, "uninstall", w.namespace, "--namespace", home, "--wait")
	}
	t.Cleanup(func() {
		if err := uninstall(context.WithoutCancel(w.ctx)); err != nil {
			t.Error(err)
		}
	})
	alone := elsewhere.create(elsewhere.community("nordlys"))
	err := helm(w.ctx, "install", w.namespace, "charts/community-operator", "--namespace", home, "--wait", "--timeout", "2m",
		"--set", "crds.install=false,policies.install=false,rbac.aggregateToDefaultRoles=false",
		"--set", "image.repository="+repository+",image.tag="+tag, "--set", "watchNamespaces={"+w.namespace+"}")
	if err != nil {
		t.Fatal(err)
	}

	c := w.ready(w.community("lumiere"))
	w.waitServed(c.Status.URL)
	change(w, c, func(c *v1alpha1.Community) {
		c.Spec.Brand.DisplayName = v1alpha1.TextByLocale{"fr": "Maison Aurore", "en": "Maison Aurore"}
	})
	w.waitReady(c)
	w.eventually(readSoon, "the new name shows", func() error { return w.looksNamed(c.Status.URL, "Maison Aurore") })

	elsewhere.get(alone)
	if len(alone.Status.Conditions) != 0 || len(alone.Finalizers) != 0 {
		t.Errorf("the Community of another namespace has the finalizers %v and the conditions %+v", alone.Finalizers, alone.Status.Conditions)
	}
	if children := elsewhere.children(alone); len(children) != 0 {
		t.Errorf("the Community of another namespace has %d children", len(children))
	}
	if err := uninstall(w.ctx); err != nil {
		t.Fatal(err)
	}
	w.wakeOperator(own)
	elsewhere.waitReady(alone)
	w.waitReady(c)
}

// helm runs Helm as a person would, in the repository.
func helm(ctx context.Context, args ...string) error {
	cmd := exec.CommandContext(ctx, cluster.helm, args...)
	cmd.Dir = cluster.root
	cmd.Env = append(os.Environ(), "KUBECONFIG="+cluster.kubeconfig)
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("helm %s: %w: %s", args[0], err, strings.TrimSpace(out.String()))
	}
	return nil
}
