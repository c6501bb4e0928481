package stack

import (
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/quaeso/community-operator/api/v1alpha1"
)

// Objects describes everything that a community wants, in the order of creation: what takes longest to come up,
// the database, goes first, and policies go before the pods that they fence.
func Objects(p Plan) []runtime.ApplyConfiguration {
	var out list
	want(&out, serviceAccount(p))
	want(&out, pullSecret(p))
	want(&out, ideasNetworkPolicy(p))
	out = append(out, DatabaseObjects(p)...)
	want(&out, credentialsSecret(p))
	want(&out, service(p))
	want(&out, controlService(p))
	want(&out, deployment(p))
	want(&out, podDisruptionBudget(p))
	want(&out, certificate(p))
	want(&out, listenerSet(p))
	want(&out, httpRoute(p))
	want(&out, ingress(p))
	return out
}

// DatabaseObjects describes the database alone. The data, and the password that opens it, have no owner.
func DatabaseObjects(p Plan) []runtime.ApplyConfiguration {
	var out list
	if p.Database.Kind == v1alpha1.DatabaseExternal {
		return out
	}
	want(&out, DatabaseSecret(p))
	want(&out, databaseNetworkPolicy(p))
	switch p.Database.Kind {
	case v1alpha1.DatabaseStandalone:
		want(&out, standaloneVolume(p))
		want(&out, standaloneStatefulSet(p))
		want(&out, standaloneService(p))
	case v1alpha1.DatabaseCloudNativePG:
		want(&out, cluster(p))
	}
	return out
}

type list = []runtime.ApplyConfiguration

// want adds an object unless the builder returned nil. It is generic because a nil pointer in an interface is
// not a nil interface.
func want[T any, P interface {
	*T
	runtime.ApplyConfiguration
}](out *list, object P) {
	if object != nil {
		*out = append(*out, object)
	}
}
