package community_test

import (
	"context"
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"
	storagev1 "k8s.io/api/storage/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/quaeso/community-operator/api/v1alpha1"
	"github.com/quaeso/community-operator/internal/stack"
	"github.com/quaeso/community-operator/internal/testutil"
)

// A spec that cannot be used is explained, leaves what runs as it is, and reverted it leaves no trace.
func TestBadSpecAndItsRevert(t *testing.T) {
	t.Parallel()
	w := newWorld(t, shared)
	other := testutil.CommunityClass(w.namespace+"-shared", func(c *v1alpha1.CommunityClass) {
		c.UID = ""
		sharedServer(c)
	})
	w.create(other)
	w.startOperator(operatorOptions{})
	neighbour := w.community("neighbour", func(c *v1alpha1.Community) { c.Spec.Hostnames = []v1alpha1.Hostname{"taken.brand.example"} })
	w.waitReady(neighbour)
	tests := map[string]struct {
		how    func(*v1alpha1.Community)
		reason string
		words  []string
	}{
		"unknown class":           {func(c *v1alpha1.Community) { c.Spec.ClassName = "gold" }, v1alpha1.ReasonClassNotFound, []string{`"gold"`, "create it or correct the name"}},
		"unknown size":            {func(c *v1alpha1.Community) { c.Spec.Size = "huge" }, v1alpha1.ReasonUnknownSize, []string{`"huge"`, "choose one of: small"}},
		"unknown time zone":       {func(c *v1alpha1.Community) { c.Spec.Brand.TimeZone = "Europe/Atlantis" }, v1alpha1.ReasonUnknownTimeZone, []string{`"Europe/Atlantis"`, "Europe/Paris"}},
		"the machine's time zone": {func(c *v1alpha1.Community) { c.Spec.Brand.TimeZone = "Local" }, v1alpha1.ReasonUnknownTimeZone, []string{`"Local"`}},
		"another database kind":   {func(c *v1alpha1.Community) { c.Spec.ClassName = other.Name }, v1alpha1.ReasonDatabaseKindChanged, []string{"standalone", "shared", "data is not moved"}},
		"a taken hostname":        {func(c *v1alpha1.Community) { c.Spec.Hostnames = []v1alpha1.Hostname{"taken.brand.example"} }, v1alpha1.ReasonHostnameTaken, []string{`"taken.brand.example"`, "another Community"}},
		"missing mail Secret":     {withMail, v1alpha1.ReasonSecretNotFound, []string{"spec.mail.secretName", "/smtp"}},
		"missing login Secret":    {withOIDC, v1alpha1.ReasonSecretNotFound, []string{"spec.oidc.clientSecretName", "/login"}},
		"missing TLS Secret":      {withTLS, v1alpha1.ReasonSecretNotFound, []string{"spec.tls.secretName", "kubectl create secret tls"}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := w.of(t)
			c := w.community(randomName())
			w.waitReady(c)
			good, before := c.Spec.DeepCopy(), w.outcome(c)
			change(w, c, test.how)
			w.waitStalled(c, test.reason, test.words...)
			w.nudge(c)
			w.waitStalled(c, test.reason)
			if diff := cmp.Diff(deployed(before), deployed(w.outcome(c))); diff != "" {
				t.Errorf("what runs changed (-before +after):\n%s", diff)
			}
			change(w, c, func(c *v1alpha1.Community) { c.Spec = *good })
			w.waitReady(c)
			w.waitOutcome(c, before)
		})
	}
}

// deployed picks what the pods are made of.
func deployed(outcome map[string]any) map[string]any {
	out := map[string]any{}
	for name, child := range outcome["children"].(map[string]any) {
		switch child.(map[string]any)["kind"] {
		case "Deployment", "StatefulSet", "Secret", "PersistentVolumeClaim", "Service":
			out[name] = child
		}
	}
	return out
}

// waitOutcome waits until children and status are as wanted.
func (w *world) waitOutcome(c *v1alpha1.Community, want map[string]any) {
	w.t.Helper()
	eventually(w.t, "children and status should be as wanted", func() error {
		if diff := cmp.Diff(want, w.outcome(c)); diff != "" {
			return errors.New("(-want +got):\n" + diff)
		}
		return nil
	})
}

// A Community that never had a good spec says what is wrong, and gets ready once it is right.
func TestFirstSpecIsBad(t *testing.T) {
	t.Parallel()
	w := newWorld(t, shared)
	w.startOperator(operatorOptions{})
	missing := testutil.CommunityClass(w.namespace+"-late", func(c *v1alpha1.CommunityClass) {
		c.UID, c.Spec = "", w.class.Spec
		c.Spec.Routing.ApexDomain = "late." + w.class.Spec.Routing.ApexDomain
	})
	c := w.community("lumiere", func(c *v1alpha1.Community) { c.Spec.ClassName = missing.Name })
	w.waitStalled(c, v1alpha1.ReasonClassNotFound, missing.Name)
	if children := w.children("lumiere"); len(children) != 0 {
		t.Errorf("children without a class: %v", children)
	}
	w.create(missing)
	w.waitReady(c)
	if c.Status.URL != "http://lumiere."+missing.Spec.Routing.ApexDomain {
		t.Errorf("the URL is %s", c.Status.URL)
	}
}

// A class's change reaches its communities; a new image rolls the pods, a new size changes them.
func TestClassChange(t *testing.T) {
	t.Parallel()
	w := newWorld(t, shared, func(c *v1alpha1.CommunityClass) { c.Spec.Database.Standalone.StorageClassName = ptr.To(c.Name) })
	w.create(&storagev1.StorageClass{
		ObjectMeta: metav1.ObjectMeta{Name: w.class.Name}, Provisioner: "example.com/disks", AllowVolumeExpansion: ptr.To(true),
	})
	w.startOperator(operatorOptions{})
	c := w.community("lumiere")
	w.waitReady(c)
	change(w, w.class, func(c *v1alpha1.CommunityClass) {
		c.Spec.IdeaService.Image = "registry.example/ideas:2.0.0"
		c.Spec.Sizes[0].Replicas = ptr.To[int32](2)
		c.Spec.Sizes[0].Resources = &v1alpha1.Resources{Limits: &v1alpha1.ResourceAmounts{Memory: ptr.To(resource.MustParse("0.5Gi"))}}
		c.Spec.Sizes[0].Database = &v1alpha1.DatabaseSize{Storage: ptr.To(resource.MustParse("3Gi"))}
	})
	eventually(t, "the class's change should reach the community", func() error {
		if err := w.client.Get(context.Background(), client.ObjectKeyFromObject(c), c); err != nil {
			return err
		}
		r := c.Status.Resolved
		if r.Image != "registry.example/ideas:2.0.0" || r.Replicas != 2 || r.Storage.String() != "3Gi" || c.Status.ReadyReplicas != 2 {
			return errors.New("status is " + asJSON(c.Status))
		}
		return nil
	})
	w.waitReady(c)
	// Volumes only grow: a class that shrinks does not have every update refused.
	change(w, w.class, func(c *v1alpha1.CommunityClass) {
		c.Spec.Sizes[0].Database.Storage = ptr.To(resource.MustParse("2Gi"))
		c.Spec.Sizes[0].Replicas = ptr.To[int32](1)
	})
	eventually(t, "the smaller class should reach the community", func() error {
		err := w.client.Get(context.Background(), client.ObjectKeyFromObject(c), c)
		if c.Status.Resolved.Replicas != 1 || c.Status.Resolved.Storage.String() != "3Gi" || c.Status.Replicas != 1 {
			return errors.Join(err, errors.New("status is "+asJSON(c.Status)))
		}
		return err
	})
	w.waitReady(c)
}

// A class that moves to another kind of database does not take its communities' data away.
func TestClassChangesItsDatabaseKind(t *testing.T) {
	t.Parallel()
	w := newWorld(t, shared)
	w.startOperator(operatorOptions{})
	c := w.community("lumiere")
	w.waitReady(c)
	before, database := w.outcome(c), w.class.Spec.Database
	change(w, w.class, cloudNativePG)
	w.waitStalled(c, v1alpha1.ReasonDatabaseKindChanged, "standalone", "cloudNativePG")
	w.checkLastGood(c, before, "the class has another kind of database")
	change(w, w.class, func(c *v1alpha1.CommunityClass) { c.Spec.Database = database })
	w.waitReady(c)
	w.waitOutcome(c, before)
}

// When a class moves from Gateway to ingress, the old route goes after the new one was made, and back.
func TestRoutingChange(t *testing.T) {
	t.Parallel()
	w := newWorld(t, shared)
	o := w.startOperator(operatorOptions{})
	c := w.community("lumiere")
	w.waitReady(c)
	before := w.outcome(c)
	gateway := w.class.Spec.Routing.Gateway.DeepCopy()
	change(w, w.class, ingress)
	eventually(t, "the Ingress should replace the HTTPRoute", func() error {
		children := w.children("lumiere")
		if children["Ingress lumiere"] == nil || children["HTTPRoute lumiere"] != nil {
			return errors.New("it did not")
		}
		return nil
	})
	w.waitReady(c)
	checkOrder(t, o, "PATCH", "/ingresses/lumiere", "DELETE", "/httproutes/lumiere")
	change(w, w.class, func(c *v1alpha1.CommunityClass) {
		c.Spec.Routing.Kind, c.Spec.Routing.Gateway = v1alpha1.RoutingGateway, gateway
	})
	w.waitOutcome(c, before)
	checkOrder(t, o, "PATCH", "/httproutes/lumiere", "DELETE", "/ingresses/lumiere")
}

// While the new route cannot be made, the old one stays.
func TestOldRouteStaysWhileNewOneIsRefused(t *testing.T) {
	t.Parallel()
	w := newWorld(t, shared)
	w.startOperator(operatorOptions{})
	c := w.community("lumiere")
	w.waitReady(c)
	foreign := foreignIngress(w.namespace, "lumiere")
	w.create(foreign)
	change(w, w.class, ingress)
	w.waitStalled(c, v1alpha1.ReasonForeignObject, "Ingress")
	w.waitCondition(c, v1alpha1.ConditionRouteReady, metav1.ConditionFalse, v1alpha1.ReasonForeignObject)
	w.waitCondition(c, v1alpha1.ConditionWorkloadReady, metav1.ConditionTrue, v1alpha1.ReasonReady)
	if w.children("lumiere")["HTTPRoute lumiere"] == nil {
		t.Error("the old route is gone although there is no new one")
	}
	w.delete(foreign)
	w.waitReady(c)
	if w.children("lumiere")["HTTPRoute lumiere"] != nil {
		t.Error("the old route is still there")
	}
}

// What a class stops to want is removed, and nothing else.
func TestPruning(t *testing.T) {
	t.Parallel()
	w := newWorld(t, shared, everything)
	w.startOperator(operatorOptions{})
	c := w.community("lumiere", withOwnHostname)
	w.waitReady(c)
	before := w.children("lumiere")
	change(w, w.class, func(c *v1alpha1.CommunityClass) {
		c.Spec.Routing.TLS, c.Spec.Sizes[0].Replicas = nil, nil
		c.Spec.Isolation = &v1alpha1.ClassIsolation{NetworkPolicies: "Disabled"}
	})
	gone := []string{"Certificate lumiere-tls", "ListenerSet lumiere", "PodDisruptionBudget lumiere", "NetworkPolicy lumiere-ideas",
		"NetworkPolicy lumiere-db", "Secret lumiere-tls"}
	eventually(t, "what is not wanted any more should go", func() error {
		after := w.children("lumiere")
		for _, name := range gone {
			if before[name] == nil {
				return errors.New("there was no " + name)
			}
			if after[name] != nil {
				return errors.New(name + " is still there")
			}
		}
		if len(after) != len(before)-len(gone) {
			return errors.New("there remain " + asJSON(after))
		}
		return nil
	})
	w.waitReady(c)
}

// Default hostnames follow the class's apex domain, and names never change.
func TestApexDomainChange(t *testing.T) {
	t.Parallel()
	w := newWorld(t, shared)
	w.startOperator(operatorOptions{})
	c := w.community("lumiere")
	w.waitReady(c)
	change(w, w.class, func(c *v1alpha1.CommunityClass) { c.Spec.Routing.ApexDomain = "new." + c.Spec.Routing.ApexDomain })
	eventually(t, "the URL should follow", func() error {
		err := w.client.Get(context.Background(), client.ObjectKeyFromObject(c), c)
		if c.Status.URL != "http://lumiere."+w.class.Spec.Routing.ApexDomain {
			return errors.Join(err, errors.New("it is "+c.Status.URL))
		}
		return err
	})
	w.waitReady(c)
	d, _ := w.cluster.service(client.ObjectKeyFromObject(c)).lastDeclared()
	if d.Settings.BaseURL != c.Status.URL {
		t.Errorf("the declared address is %s", d.Settings.BaseURL)
	}
	if c.Status.Selector != stack.Selector("lumiere") {
		t.Errorf("the selector is %s", c.Status.Selector)
	}
}
