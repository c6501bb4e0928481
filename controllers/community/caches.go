package community

import (
	"fmt"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/client-go/rest"
	"k8s.io/utils/ptr"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/quaeso/community-operator/api/v1alpha1"
)

// CacheOptions of the manager: of other kinds than our own, only objects with our label are kept in memory,
// so that a cluster full of foreign Secrets costs nothing.
func CacheOptions(namespaces []string) cache.Options {
	ours := labels.SelectorFromSet(labels.Set{v1alpha1.LabelManagedBy: v1alpha1.FieldManager})
	return cache.Options{
		DefaultNamespaces:    namespaceConfigs(namespaces),
		DefaultLabelSelector: ours,
		DefaultTransform:     newSharing().transform,
		ByObject: map[client.Object]cache.ByObject{
			&v1alpha1.Community{}:      {Label: labels.Everything()},
			&v1alpha1.CommunityClass{}: {Label: labels.Everything()},
			&v1alpha1.Challenge{}:      {Label: labels.Everything()},
			&v1alpha1.RewardPolicy{}:   {Label: labels.Everything()},
		},
	}
}

// ClientOptions of the manager: a read waits until the cache has seen our own last write, so that nothing is
// done twice.
func ClientOptions() client.Options {
	return client.Options{Cache: &client.CacheOptions{EnableReadYourWritesConsistency: ptr.To(true)}}
}

// NewVersions makes a cache of the names and versions of Secrets and ConfigMaps that are not ours, to learn when one that
// a user wrote changes. Their content is not kept in the operator's memory.
func NewVersions(cfg *rest.Config, mgr ctrl.Manager, namespaces []string, operatorNamespace string) (cache.Cache, error) {
	foreign, err := labels.Parse(v1alpha1.LabelManagedBy + " notin (" + v1alpha1.FieldManager + ")")
	if err != nil {
		return nil, fmt.Errorf("parse the selector of foreign Secrets: %w", err)
	}
	secretNamespaces := namespaces
	if len(namespaces) > 0 {
		secretNamespaces = append([]string{operatorNamespace}, namespaces...)
	}
	c, err := cache.New(cfg, cache.Options{
		HTTPClient:           mgr.GetHTTPClient(),
		Scheme:               mgr.GetScheme(),
		Mapper:               mgr.GetRESTMapper(),
		DefaultLabelSelector: foreign,
		DefaultTransform:     onlyVersion,
		ByObject: map[client.Object]cache.ByObject{
			&corev1.Secret{}: {
				Namespaces: namespaceConfigs(secretNamespaces),
				Field:      fields.ParseSelectorOrDie("type!=helm.sh/release.v1,type!=kubernetes.io/service-account-token"),
			},
			&corev1.ConfigMap{}: {
				Namespaces: namespaceConfigs(namespaces),
				Field:      fields.ParseSelectorOrDie("metadata.name!=kube-root-ca.crt"), // one in every namespace
			},
		},
	})
	if err != nil {
		return nil, fmt.Errorf("make the cache of versions: %w", err)
	}
	if err := mgr.Add(c); err != nil {
		return nil, fmt.Errorf("add the cache of versions: %w", err)
	}
	return c, nil
}

// onlyVersion keeps the name and the version of an object.
func onlyVersion(o any) (any, error) {
	m, ok := o.(*metav1.PartialObjectMetadata)
	if !ok {
		return o, nil
	}
	m.ObjectMeta = metav1.ObjectMeta{Name: m.Name, Namespace: m.Namespace, UID: m.UID, ResourceVersion: m.ResourceVersion}
	return m, nil
}

func namespaceConfigs(namespaces []string) map[string]cache.Config {
	if len(namespaces) == 0 {
		return nil
	}
	out := map[string]cache.Config{}
	for _, n := range namespaces {
		out[n] = cache.Config{}
	}
	return out
}
