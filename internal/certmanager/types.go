// Package certmanager holds the part of cert-manager's Certificate that the operator writes and reads, so that
// it need not import cert-manager's module.
//
// The JSON names are those of cert-manager.io/v1.
//
// +kubebuilder:object:generate=true
// +groupName=cert-manager.io
package certmanager

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// Group of cert-manager's kinds.
const Group = "cert-manager.io"

// GroupVersion of the kinds in this package.
var GroupVersion = schema.GroupVersion{Group: Group, Version: "v1"}

// CertificateKind is the kind of a Certificate.
const CertificateKind = "Certificate"

// Conditions of a Certificate.
const (
	// ConditionReady is true while the Secret holds a valid certificate.
	ConditionReady = "Ready"
	// ConditionIssuing is true while a certificate is being asked for; its message says how far it came.
	ConditionIssuing = "Issuing"
)

// Certificate asks cert-manager for a certificate.
//
// +kubebuilder:object:root=true
type Certificate struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitempty"`

	Spec   CertificateSpec   `json:"spec"`
	Status CertificateStatus `json:"status,omitempty"`
}

// CertificateList is a list of Certificates.
//
// +kubebuilder:object:root=true
type CertificateList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`
	Items           []Certificate `json:"items"`
}

// CertificateSpec is what the operator asks for. A field left at its zero value is not written, so it serves as
// apply configuration as well.
type CertificateSpec struct {
	// SecretName of the Secret that cert-manager fills.
	SecretName string `json:"secretName,omitempty"`
	// SecretTemplate is laid over that Secret.
	SecretTemplate *SecretTemplate `json:"secretTemplate,omitempty"`
	// DNSNames that the certificate is for.
	DNSNames []string `json:"dnsNames,omitempty"`
	// IssuerRef names the issuer.
	IssuerRef *IssuerReference `json:"issuerRef,omitempty"`
}

// SecretTemplate is laid over the Secret that cert-manager fills.
type SecretTemplate struct {
	Labels map[string]string `json:"labels,omitempty"`
}

// IssuerReference names an issuer.
type IssuerReference struct {
	Name  string `json:"name,omitempty"`
	Kind  string `json:"kind,omitempty"`
	Group string `json:"group,omitempty"`
}

// CertificateStatus is what cert-manager last saw.
type CertificateStatus struct {
	// Conditions of the Certificate.
	Conditions []CertificateCondition `json:"conditions,omitempty"`
	// NotAfter is when the certificate ends.
	NotAfter *metav1.Time `json:"notAfter,omitempty"`
}

// CertificateCondition is one aspect of a Certificate. Unlike metav1.Condition it may lack a reason and a time.
type CertificateCondition struct {
	Type               string                 `json:"type"`
	Status             metav1.ConditionStatus `json:"status"`
	LastTransitionTime *metav1.Time           `json:"lastTransitionTime,omitempty"`
	Reason             string                 `json:"reason,omitempty"`
	Message            string                 `json:"message,omitempty"`
	ObservedGeneration int64                  `json:"observedGeneration,omitempty"`
}

// AddToScheme adds the kinds of this package to a scheme.
func AddToScheme(s *runtime.Scheme) error {
	s.AddKnownTypes(GroupVersion, &Certificate{}, &CertificateList{})
	metav1.AddToGroupVersion(s, GroupVersion)
	return nil
}
