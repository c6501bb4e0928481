package certmanager

import (
	metav1ac "k8s.io/client-go/applyconfigurations/meta/v1"
)

// CertificateApplyConfiguration is a Certificate as the operator applies it.
//
// +kubebuilder:object:generate=false
type CertificateApplyConfiguration struct {
	metav1ac.TypeMetaApplyConfiguration    `json:",inline"`
	*metav1ac.ObjectMetaApplyConfiguration `json:"metadata,omitempty"`

	Spec *CertificateSpec `json:"spec,omitempty"`
}

// ApplyCertificate starts the apply configuration of a Certificate.
func ApplyCertificate(name, namespace string) *CertificateApplyConfiguration {
	return &CertificateApplyConfiguration{
		TypeMetaApplyConfiguration:   *metav1ac.TypeMeta().WithKind(CertificateKind).WithAPIVersion(GroupVersion.String()),
		ObjectMetaApplyConfiguration: metav1ac.ObjectMeta().WithName(name).WithNamespace(namespace),
	}
}

// IsApplyConfiguration implements runtime.ApplyConfiguration.
func (c *CertificateApplyConfiguration) IsApplyConfiguration() {}

// WithLabels adds labels.
func (c *CertificateApplyConfiguration) WithLabels(entries map[string]string) *CertificateApplyConfiguration {
	c.ObjectMetaApplyConfiguration.WithLabels(entries)
	return c
}

// WithAnnotations adds annotations.
func (c *CertificateApplyConfiguration) WithAnnotations(entries map[string]string) *CertificateApplyConfiguration {
	c.ObjectMetaApplyConfiguration.WithAnnotations(entries)
	return c
}

// WithOwnerReferences adds owner references.
func (c *CertificateApplyConfiguration) WithOwnerReferences(
	values ...*metav1ac.OwnerReferenceApplyConfiguration,
) *CertificateApplyConfiguration {
	c.ObjectMetaApplyConfiguration.WithOwnerReferences(values...)
	return c
}

// WithSpec sets the spec.
func (c *CertificateApplyConfiguration) WithSpec(spec *CertificateSpec) *CertificateApplyConfiguration {
	c.Spec = spec
	return c
}

// GetKind returns the kind, which the client needs to find the resource.
func (c *CertificateApplyConfiguration) GetKind() *string { return c.Kind }

// GetAPIVersion returns the API version, which the client needs to find the resource.
func (c *CertificateApplyConfiguration) GetAPIVersion() *string { return c.APIVersion }

// GetName returns the name, which the client puts into the request's path.
func (c *CertificateApplyConfiguration) GetName() *string { return c.Name }

// GetNamespace returns the namespace, which the client puts into the request's path.
func (c *CertificateApplyConfiguration) GetNamespace() *string { return c.Namespace }
