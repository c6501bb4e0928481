package cnpg

import (
	metav1ac "k8s.io/client-go/applyconfigurations/meta/v1"
)

// ClusterApplyConfiguration is a Cluster as the operator applies it.
//
// +kubebuilder:object:generate=false
type ClusterApplyConfiguration struct {
	metav1ac.TypeMetaApplyConfiguration    `json:",inline"`
	*metav1ac.ObjectMetaApplyConfiguration `json:"metadata,omitempty"`

	Spec *ClusterSpec `json:"spec,omitempty"`
}

// ApplyCluster starts the apply configuration of a Cluster.
func ApplyCluster(name, namespace string) *ClusterApplyConfiguration {
	return &ClusterApplyConfiguration{
		TypeMetaApplyConfiguration:   *metav1ac.TypeMeta().WithKind(ClusterKind).WithAPIVersion(GroupVersion.String()),
		ObjectMetaApplyConfiguration: metav1ac.ObjectMeta().WithName(name).WithNamespace(namespace),
	}
}

// IsApplyConfiguration implements runtime.ApplyConfiguration.
func (c *ClusterApplyConfiguration) IsApplyConfiguration() {}

// WithLabels adds labels.
func (c *ClusterApplyConfiguration) WithLabels(entries map[string]string) *ClusterApplyConfiguration {
	c.ObjectMetaApplyConfiguration.WithLabels(entries)
	return c
}

// WithAnnotations adds annotations.
func (c *ClusterApplyConfiguration) WithAnnotations(entries map[string]string) *ClusterApplyConfiguration {
	c.ObjectMetaApplyConfiguration.WithAnnotations(entries)
	return c
}

// WithOwnerReferences adds owner references.
func (c *ClusterApplyConfiguration) WithOwnerReferences(
	values ...*metav1ac.OwnerReferenceApplyConfiguration,
) *ClusterApplyConfiguration {
	c.ObjectMetaApplyConfiguration.WithOwnerReferences(values...)
	return c
}

// WithSpec sets the spec.
func (c *ClusterApplyConfiguration) WithSpec(spec *ClusterSpec) *ClusterApplyConfiguration {
	c.Spec = spec
	return c
}

// GetKind returns the kind, which the client needs to find the resource.
func (c *ClusterApplyConfiguration) GetKind() *string { return c.Kind }

// GetAPIVersion returns the API version, which the client needs to find the resource.
func (c *ClusterApplyConfiguration) GetAPIVersion() *string { return c.APIVersion }

// GetName returns the name, which the client puts into the request's path.
func (c *ClusterApplyConfiguration) GetName() *string { return c.Name }

// GetNamespace returns the namespace, which the client puts into the request's path.
func (c *ClusterApplyConfiguration) GetNamespace() *string { return c.Namespace }
