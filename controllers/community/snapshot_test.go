package community_test

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/quaeso/community-operator/api/v1alpha1"
	"github.com/quaeso/community-operator/internal/control"
	"github.com/quaeso/community-operator/internal/stack"
)

// childKinds are the kinds of children that a community may have.
var childKinds = []schema.GroupVersionKind{
	{Group: "apps", Version: "v1", Kind: "Deployment"}, {Group: "apps", Version: "v1", Kind: "StatefulSet"},
	{Version: "v1", Kind: "Service"}, {Version: "v1", Kind: "Secret"}, {Version: "v1", Kind: "ServiceAccount"},
	{Version: "v1", Kind: "PersistentVolumeClaim"}, {Group: "networking.k8s.io", Version: "v1", Kind: "NetworkPolicy"},
	{Group: "networking.k8s.io", Version: "v1", Kind: "Ingress"}, {Group: "policy", Version: "v1", Kind: "PodDisruptionBudget"},
	{Group: "gateway.networking.k8s.io", Version: "v1", Kind: "HTTPRoute"}, {Group: "gateway.networking.k8s.io", Version: "v1", Kind: "ListenerSet"},
	{Group: "postgresql.cnpg.io", Version: "v1", Kind: "Cluster"}, {Group: "cert-manager.io", Version: "v1", Kind: "Certificate"},
}

// children returns everything that is called like a child of a community, by kind and name, without what the
// API server adds to every object.
func (w *world) children(name string) map[string]map[string]any {
	w.t.Helper()
	out := map[string]map[string]any{}
	for _, gvk := range childKinds {
		list := &unstructured.UnstructuredList{}
		list.SetGroupVersionKind(gvk.GroupVersion().WithKind(gvk.Kind + "List"))
		err := w.client.List(context.Background(), list, client.InNamespace(w.namespace))
		if meta.IsNoMatchError(err) {
			continue
		}
		if err != nil {
			w.t.Fatalf("list %s: %v", gvk.Kind, err)
		}
		for i := range list.Items {
			o := &list.Items[i]
			if (o.GetName() != name && !strings.HasPrefix(o.GetName(), name+"-")) || strings.HasSuffix(o.GetName(), "-ca") {
				continue
			}
			out[gvk.Kind+" "+o.GetName()] = withoutNoise(o)
		}
	}
	return out
}

func withoutNoise(o *unstructured.Unstructured) map[string]any {
	for _, field := range []string{"uid", "resourceVersion", "managedFields", "creationTimestamp", "generation"} {
		unstructured.RemoveNestedField(o.Object, "metadata", field)
	}
	unstructured.RemoveNestedField(o.Object, "status")
	if o.GetKind() == "Service" {
		unstructured.RemoveNestedField(o.Object, "spec", "clusterIP")
		unstructured.RemoveNestedField(o.Object, "spec", "clusterIPs")
	}
	data, _, _ := unstructured.NestedStringMap(o.Object, "data")
	for key, value := range data {
		if raw, err := base64.StdEncoding.DecodeString(value); err == nil {
			_ = unstructured.SetNestedField(o.Object, string(raw), "data", key)
		}
	}
	return o.Object
}

var (
	hashes  = regexp.MustCompile(`"(cocreation\.quaeso\.io/(applied|credentials))":"[0-9a-f]+"`)
	sources = regexp.MustCompile(`@[0-9]*#[0-9a-f]+`)
	// generations of the class and digests of passwords are part of what a shared database's URI came from.
	sharedPart = regexp.MustCompile(`shared-[0-9]+-[0-9a-f]+`)
)

// outcome describes a community's children and status in a way that is equal for equal outcomes: names of
// namespaces, UIDs, times, and what was drawn at random are replaced by what they stand for.
func (w *world) outcome(c *v1alpha1.Community) map[string]any {
	w.t.Helper()
	w.get(c)
	credentials, database := &corev1.Secret{}, &corev1.Secret{}
	_ = w.client.Get(context.Background(), w.key(stack.CredentialsName(c.Name)), credentials)
	_ = w.client.Get(context.Background(), w.key(stack.DatabaseName(c.Name)), database)
	token, password := string(credentials.Data[control.FileControlToken]), string(database.Data[corev1.BasicAuthPasswordKey])
	replace := []string{string(c.UID), "‹uid›", stack.SharedName(w.namespace, c.Name), "‹shared name›", w.class.Name, "‹namespace›",
		w.operatorNamespace, "‹operator namespace›", w.namespace, "‹namespace›", c.Name, "‹name›"}
	if token != "" {
		replace = append(replace, token, "‹token›")
	}
	if password != "" {
		replace = append(replace, password, "‹password›")
	}
	status := c.Status.DeepCopy()
	status.ObservedGeneration = 0
	if status.InForce != nil {
		status.InForce = &v1alpha1.InForceStatus{}
	}
	for i := range status.Conditions {
		status.Conditions[i].LastTransitionTime, status.Conditions[i].ObservedGeneration = metav1.Time{}, 0
	}
	// The order of conditions tells only which was set first.
	slices.SortFunc(status.Conditions, func(a, b metav1.Condition) int { return strings.Compare(a.Type, b.Type) })
	text := asJSON(map[string]any{"children": w.children(c.Name), "status": status})
	text = sources.ReplaceAllString(hashes.ReplaceAllString(text, `"$1":"‹hash›"`), "@‹version›")
	text = sharedPart.ReplaceAllString(text, "shared")
	var out map[string]any
	if err := json.Unmarshal([]byte(strings.NewReplacer(replace...).Replace(text)), &out); err != nil {
		w.t.Fatal(err)
	}
	return out
}

// versions returns the resourceVersions of objects, which change with every write.
func (w *world) versions(objects ...client.Object) map[string]string {
	w.t.Helper()
	out := map[string]string{}
	for _, o := range objects {
		w.get(o)
		out[fmt.Sprintf("%T %s", o, o.GetName())] = o.GetResourceVersion()
	}
	return out
}
