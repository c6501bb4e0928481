package community

import (
	"fmt"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/quaeso/community-operator/api/v1alpha1"
	"github.com/quaeso/community-operator/internal/certmanager"
	"github.com/quaeso/community-operator/internal/cnpg"
	"github.com/quaeso/community-operator/internal/conditions"
)

// optionalKinds are kinds of other projects. They are watched from the moment they are installed, and never
// asked for before.
type optionalKinds struct {
	mapper meta.RESTMapper
	scheme *runtime.Scheme
	// watch starts to watch a kind; it is called once a kind.
	watch func(client.Object) error

	mu      sync.Mutex
	watched map[schema.GroupVersionKind]bool
}

// projectOf names who installs an optional kind.
var projectOf = map[schema.GroupVersionKind]string{
	gatewayKind("HTTPRoute"):                                       "Gateway API",
	gatewayKind("ListenerSet"):                                     "Gateway API (1.5 or newer)",
	cnpg.GroupVersion.WithKind(cnpg.ClusterKind):                   "CloudNativePG",
	certmanager.GroupVersion.WithKind(certmanager.CertificateKind): "cert-manager",
}

// gatewayKind names a kind of the Gateway API.
func gatewayKind(kind string) schema.GroupVersionKind {
	return schema.GroupVersionKind{Group: gatewayv1.GroupName, Version: "v1", Kind: kind}
}

// installed tells whether a kind is there and watched. Kinds of Kubernetes itself always are.
func (o *optionalKinds) installed(gvk schema.GroupVersionKind) bool {
	if _, optional := projectOf[gvk]; !optional {
		return true
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.watched[gvk]
}

// ensure starts to watch a kind if it is installed by now.
func (o *optionalKinds) ensure(gvk schema.GroupVersionKind) (bool, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.watched[gvk] {
		return true, nil
	}
	if _, err := o.mapper.RESTMapping(gvk.GroupKind(), gvk.Version); err != nil {
		if meta.IsNoMatchError(err) {
			return false, nil
		}
		return false, fmt.Errorf("look up %s: %w", gvk.Kind, err)
	}
	obj, err := o.scheme.New(gvk)
	if err != nil {
		return false, fmt.Errorf("make an empty %s: %w", gvk.Kind, err)
	}
	if err := o.watch(obj.(client.Object)); err != nil {
		return false, fmt.Errorf("watch %s: %w", gvk.Kind, err)
	}
	o.watched[gvk] = true
	return true, nil
}

// missingKind returns a stalled error when a kind that the plan needs is not installed.
func (r *Reconciler) missingKind(gvk schema.GroupVersionKind) error {
	project, optional := projectOf[gvk]
	if !optional {
		return nil
	}
	ok, err := r.optional.ensure(gvk)
	if err != nil {
		return err
	}
	if !ok {
		return conditions.StallUntil(30*time.Second, v1alpha1.ReasonDependencyMissing,
			"the class needs %s, but the cluster has no %s (%s); install %s or use another class", project, gvk.Kind, gvk.GroupVersion(), project)
	}
	return nil
}
