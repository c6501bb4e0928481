// Package cnpg holds the part of CloudNativePG's Cluster that the operator writes and reads. The types are our
// own: importing CloudNativePG's module would bring its whole dependency tree, and its full type would keep
// every field of every Cluster in the operator's memory.
//
// The JSON names are those of postgresql.cnpg.io/v1.
//
// +kubebuilder:object:generate=true
// +groupName=postgresql.cnpg.io
package cnpg

import (
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// GroupVersion of the kinds in this package.
var GroupVersion = schema.GroupVersion{Group: "postgresql.cnpg.io", Version: "v1"}

// ClusterKind is the kind of a Cluster.
const ClusterKind = "Cluster"

const (
	// AnnotationHibernation puts a Cluster to sleep or wakes it up.
	AnnotationHibernation = "cnpg.io/hibernation"
	// HibernationOn puts it to sleep: its pods go, its volumes stay.
	HibernationOn = "on"
	// HibernationOff wakes it up.
	HibernationOff = "off"
	// ConditionHibernation is true once a Cluster sleeps.
	ConditionHibernation = "cnpg.io/hibernation"
	// ConditionReady is true while every instance is.
	ConditionReady = "Ready"

	// LabelCluster is on every pod of a Cluster; its value is the Cluster's name.
	LabelCluster = "cnpg.io/cluster"
	// LabelReload on a Secret makes CloudNativePG take a changed password into use at once.
	LabelReload = "cnpg.io/reload"

	// PhaseHealthy is the status.phase of a Cluster with nothing left to do.
	PhaseHealthy = "Cluster in healthy state"

	// InstancePort is where an instance manager answers CloudNativePG's operator.
	InstancePort = 8000
)

// ServiceReadWrite is the selectorType of a Service that leads to the primary.
const ServiceReadWrite = "rw"

// CASecret is the name of the Secret whose ca.crt signs a Cluster's server certificate. CloudNativePG gives it
// no label of ours.
func CASecret(cluster string) string { return cluster + "-ca" }

// Cluster is one PostgreSQL, with its replicas.
//
// +kubebuilder:object:root=true
type Cluster struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitempty"`

	Spec   ClusterSpec   `json:"spec"`
	Status ClusterStatus `json:"status,omitempty"`
}

// ClusterList is a list of Clusters.
//
// +kubebuilder:object:root=true
type ClusterList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`
	Items           []Cluster `json:"items"`
}

// ClusterSpec is what the operator asks for. A field left at its zero value is not written, so it serves as
// apply configuration as well.
type ClusterSpec struct {
	// Instances of PostgreSQL: one primary, the others replicas.
	Instances int32 `json:"instances,omitempty"`
	// ImageName of PostgreSQL.
	ImageName string `json:"imageName,omitempty"`
	// ImagePullSecrets of the image.
	ImagePullSecrets []corev1.LocalObjectReference `json:"imagePullSecrets,omitempty"`
	// Bootstrap says how a new Cluster gets its content.
	Bootstrap *Bootstrap `json:"bootstrap,omitempty"`
	// Storage of each instance.
	Storage *Storage `json:"storage,omitempty"`
	// PostgreSQL is the server's configuration.
	PostgreSQL *PostgreSQL `json:"postgresql,omitempty"`
	// InheritedMetadata goes onto everything that CloudNativePG makes for the Cluster, but for its CA and
	// certificate Secrets.
	InheritedMetadata *InheritedMetadata `json:"inheritedMetadata,omitempty"`
	// Resources of each instance.
	Resources *corev1.ResourceRequirements `json:"resources,omitempty"`
	// Affinity says where instances run.
	Affinity *Affinity `json:"affinity,omitempty"`
	// PriorityClassName of the pods.
	PriorityClassName string `json:"priorityClassName,omitempty"`
	// EnablePDB makes PodDisruptionBudgets.
	EnablePDB *bool `json:"enablePDB,omitempty"`
	// EnableSuperuserAccess gives the superuser a password.
	EnableSuperuserAccess *bool `json:"enableSuperuserAccess,omitempty"`
	// PrimaryUpdateStrategy is unsupervised or supervised.
	PrimaryUpdateStrategy string `json:"primaryUpdateStrategy,omitempty"`
	// SmartShutdownTimeout is how many seconds a stopping instance waits for its clients to leave.
	SmartShutdownTimeout *int32 `json:"smartShutdownTimeout,omitempty"`
	// StopDelay is how many seconds a stopping instance has in all; its pods' grace period.
	StopDelay *int32 `json:"stopDelay,omitempty"`
	// Probes of the instances' pods.
	Probes *Probes `json:"probes,omitempty"`
	// Managed is what else CloudNativePG keeps for the Cluster.
	Managed *Managed `json:"managed,omitempty"`
}

// Managed is what else CloudNativePG keeps for a Cluster.
type Managed struct {
	// Services beside CloudNativePG's own.
	Services *ManagedServices `json:"services,omitempty"`
}

// ManagedServices are Services beside CloudNativePG's own.
type ManagedServices struct {
	// Additional Services; the server's certificate is valid for their names as well.
	Additional []ManagedService `json:"additional,omitempty"`
}

// ManagedService is a Service that CloudNativePG makes from a template.
type ManagedService struct {
	// SelectorType is the kind of instance that it leads to, such as ServiceReadWrite.
	SelectorType string `json:"selectorType"`
	// ServiceTemplate is what CloudNativePG completes with selector and port.
	ServiceTemplate ServiceTemplate `json:"serviceTemplate"`
}

// ServiceTemplate is the part of a Service that is not CloudNativePG's own.
type ServiceTemplate struct {
	Metadata ServiceTemplateMetadata `json:"metadata"`
	Spec     ServiceTemplateSpec     `json:"spec"`
}

// ServiceTemplateMetadata names the Service.
type ServiceTemplateMetadata struct {
	Name string `json:"name"`
}

// ServiceTemplateSpec is the part of a Service's spec that is not CloudNativePG's own.
type ServiceTemplateSpec struct {
	// PublishNotReadyAddresses leads to pods that no probe has found ready yet.
	PublishNotReadyAddresses bool `json:"publishNotReadyAddresses,omitempty"`
}

// Probes of the instances' pods. What is absent is as CloudNativePG has it.
type Probes struct {
	// Startup finds out when an instance has come up.
	Startup *Probe `json:"startup,omitempty"`
}

// Probe is the part of a probe that is not CloudNativePG's own.
type Probe struct {
	// PeriodSeconds from one try to the next.
	PeriodSeconds int32 `json:"periodSeconds,omitempty"`
}

// Bootstrap says how a new Cluster gets its content.
type Bootstrap struct {
	// InitDB makes an empty database.
	InitDB *InitDB `json:"initdb,omitempty"`
}

// InitDB makes an empty database.
type InitDB struct {
	// Database to make.
	Database string `json:"database,omitempty"`
	// Owner of the database.
	Owner string `json:"owner,omitempty"`
	// Secret of type kubernetes.io/basic-auth with the owner's password.
	Secret *corev1.LocalObjectReference `json:"secret,omitempty"`
}

// Storage of an instance.
type Storage struct {
	// Size of the volume.
	Size string `json:"size,omitempty"`
	// StorageClass of the volume.
	StorageClass *string `json:"storageClass,omitempty"`
}

// PostgreSQL is the server's configuration.
type PostgreSQL struct {
	// Parameters of postgresql.conf.
	Parameters map[string]string `json:"parameters,omitempty"`
}

// InheritedMetadata goes onto what CloudNativePG makes.
type InheritedMetadata struct {
	Labels map[string]string `json:"labels,omitempty"`
}

// Affinity says where instances run.
type Affinity struct {
	// EnablePodAntiAffinity lets CloudNativePG keep instances on different nodes; true when absent.
	EnablePodAntiAffinity *bool `json:"enablePodAntiAffinity,omitempty"`
	// NodeSelector of the pods.
	NodeSelector map[string]string `json:"nodeSelector,omitempty"`
	// NodeAffinity of the pods.
	NodeAffinity *corev1.NodeAffinity `json:"nodeAffinity,omitempty"`
	// Tolerations of the pods.
	Tolerations []corev1.Toleration `json:"tolerations,omitempty"`
	// AdditionalPodAntiAffinity of the pods.
	AdditionalPodAntiAffinity *corev1.PodAntiAffinity `json:"additionalPodAntiAffinity,omitempty"`
	// AdditionalPodAffinity of the pods.
	AdditionalPodAffinity *corev1.PodAffinity `json:"additionalPodAffinity,omitempty"`
}

// ClusterStatus is what CloudNativePG last saw.
type ClusterStatus struct {
	// Phase in words, such as PhaseHealthy.
	Phase string `json:"phase,omitempty"`
	// PhaseReason explains the phase.
	PhaseReason string `json:"phaseReason,omitempty"`
	// Instances that exist.
	Instances int32 `json:"instances,omitempty"`
	// ReadyInstances accept connections.
	ReadyInstances int32 `json:"readyInstances,omitempty"`
	// CurrentPrimary is the primary's pod.
	CurrentPrimary string `json:"currentPrimary,omitempty"`
	// WriteService is the Service in front of the primary.
	WriteService string `json:"writeService,omitempty"`
	// Certificates names the Secrets in use.
	Certificates Certificates `json:"certificates,omitempty"`
	// SecretsResourceVersion tells when one of them changed.
	SecretsResourceVersion SecretsResourceVersion `json:"secretsResourceVersion,omitempty"`
	// Conditions of the Cluster.
	Conditions []metav1.Condition `json:"conditions,omitempty"`
}

// Certificates names the Secrets in use.
type Certificates struct {
	// ServerCASecret signs the server's certificate.
	ServerCASecret string `json:"serverCASecret,omitempty"`
}

// SecretsResourceVersion holds the resource versions of the Secrets that the instances have taken into use.
type SecretsResourceVersion struct {
	// ApplicationSecretVersion is that of the owner's password.
	ApplicationSecretVersion string `json:"applicationSecretVersion,omitempty"`
	// ServerCASecretVersion is that of the CA that signs the server's certificate.
	ServerCASecretVersion string `json:"serverCaSecretVersion,omitempty"`
}

// AddToScheme adds the kinds of this package to a scheme.
func AddToScheme(s *runtime.Scheme) error {
	s.AddKnownTypes(GroupVersion, &Cluster{}, &ClusterList{})
	metav1.AddToGroupVersion(s, GroupVersion)
	return nil
}
