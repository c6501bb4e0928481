package v1alpha1

import (
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// CommunityClass is what a platform operator offers to communities, as a StorageClass is to volumes: where
// databases come from, how traffic comes in, which sizes there are and which image runs.
//
// +kubebuilder:object:root=true
// +kubebuilder:subresource:status
// +kubebuilder:resource:scope=Cluster,shortName=cclass;cclasses,categories=cocreation
// +kubebuilder:printcolumn:name="Default",type=boolean,JSONPath=".spec.default"
// +kubebuilder:printcolumn:name="Database",type=string,JSONPath=".spec.database.kind"
// +kubebuilder:printcolumn:name="Routing",type=string,JSONPath=".spec.routing.kind"
// +kubebuilder:printcolumn:name="Apex",type=string,JSONPath=".spec.routing.apexDomain"
// +kubebuilder:printcolumn:name="Communities",type=integer,JSONPath=".status.communities"
// +kubebuilder:printcolumn:name="Ready",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].status`
// +kubebuilder:printcolumn:name="Age",type=date,JSONPath=".metadata.creationTimestamp"
type CommunityClass struct {
	metav1.TypeMeta `json:",inline"`
	// metadata is the standard object metadata.
	metav1.ObjectMeta `json:"metadata,omitempty"`

	// spec is what the class offers.
	// +required
	Spec CommunityClassSpec `json:"spec"`
	// status is what the operator last saw.
	// +optional
	Status CommunityClassStatus `json:"status,omitempty"`
}

// CommunityClassList is a list of CommunityClasses.
//
// +kubebuilder:object:root=true
type CommunityClassList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`
	Items           []CommunityClass `json:"items"`
}

// CommunityClassSpec is what a class offers. A change reaches every community of the class.
//
// +kubebuilder:validation:XValidation:rule="!has(self.defaultSize) || self.sizes.exists(s, s.name == self.defaultSize)",message="defaultSize must be the name of one of the sizes",fieldPath=".defaultSize"
type CommunityClassSpec struct {
	// default marks the class that communities without a className use. Mark one class at most: while two
	// are marked, communities without a className are stalled.
	// +optional
	Default bool `json:"default,omitempty"`
	// database is where the databases of this class's communities come from.
	// +required
	Database ClassDatabase `json:"database"`
	// routing is how traffic reaches this class's communities.
	// +required
	Routing ClassRouting `json:"routing"`
	// sizes that a community may choose from.
	// +required
	// +listType=map
	// +listMapKey=name
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=12
	Sizes []Size `json:"sizes"`
	// defaultSize is the size of a community that names none. The first of sizes when absent.
	// +optional
	// +kubebuilder:validation:MaxLength=63
	DefaultSize string `json:"defaultSize,omitempty"`
	// ideaService is the application that every community runs.
	// +required
	IdeaService ClassIdeaService `json:"ideaService"`
	// podTemplate is laid over the pods of the idea service and of a standalone database. Its scheduling fields
	// also reach the pods of a cloudNativePG database. A change restarts these pods: a standalone database is away for
	// some seconds.
	// +optional
	PodTemplate *PodTemplateOverrides `json:"podTemplate,omitempty"`
	// mail is the SMTP server of communities that bring no mail Secret of their own. Absent: such communities
	// have no sign-in by mail.
	// +optional
	Mail *ClassMail `json:"mail,omitempty"`
	// isolation is how a community is fenced off from the rest of the cluster.
	// +optional
	Isolation *ClassIsolation `json:"isolation,omitempty"`
}

// DatabaseKind says where a community's database lives.
type DatabaseKind string

// Kinds of databases. DatabaseExternal is chosen per community, never by a class.
const (
	DatabaseCloudNativePG DatabaseKind = "cloudNativePG"
	DatabaseShared        DatabaseKind = "shared"
	DatabaseStandalone    DatabaseKind = "standalone"
	DatabaseExternal      DatabaseKind = "external"
)

// ClassDatabase says where databases come from: the kind, and the settings of that kind.
//
// +kubebuilder:validation:XValidation:rule="self.kind == 'cloudNativePG' || !has(self.cloudNativePG)",message="cloudNativePG is only for kind cloudNativePG; remove it or change kind",fieldPath=".cloudNativePG"
// +kubebuilder:validation:XValidation:rule="(self.kind == 'shared') == has(self.shared)",message="shared is required for kind shared and only for it",fieldPath=".shared"
// +kubebuilder:validation:XValidation:rule="(self.kind == 'standalone') == has(self.standalone)",message="standalone is required for kind standalone and only for it",fieldPath=".standalone"
type ClassDatabase struct {
	// kind is cloudNativePG (a CloudNativePG Cluster per community; for production), shared (a database and a
	// role per community on one existing server) or standalone (one PostgreSQL pod with a volume; for trying
	// out).
	// +required
	// +kubebuilder:validation:Enum=cloudNativePG;shared;standalone
	Kind DatabaseKind `json:"kind"`
	// cloudNativePG settings; the operator's defaults when absent.
	// +optional
	CloudNativePG *CloudNativePGSettings `json:"cloudNativePG,omitempty"`
	// shared names the existing server.
	// +optional
	Shared *SharedDatabaseSettings `json:"shared,omitempty"`
	// standalone names the PostgreSQL image.
	// +optional
	Standalone *StandaloneDatabaseSettings `json:"standalone,omitempty"`
}

// CloudNativePGSettings of the Cluster made for each community.
type CloudNativePGSettings struct {
	// instances of PostgreSQL per community: one primary, the others replicas. 1 when absent.
	// +optional
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=9
	Instances *int32 `json:"instances,omitempty"`
	// imageName is the PostgreSQL operand image; CloudNativePG's default when absent.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=512
	// +kubebuilder:validation:XValidation:rule="self.matches('^[a-zA-Z0-9][-a-zA-Z0-9._:/@]*$')",message="must be an image reference, such as registry.example/ideas:1.0"
	ImageName string `json:"imageName,omitempty"`
	// storageClassName of the volumes; the cluster's default when absent. Taken when a database is created.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	StorageClassName *string `json:"storageClassName,omitempty"`
	// parameters of postgresql.conf.
	// +optional
	// +kubebuilder:validation:MaxProperties=64
	// +kubebuilder:validation:XValidation:rule="self.all(k, k.matches('^[a-z_][a-z0-9_.]{0,62}$') && size(self[k]) <= 512)",message="a parameter is a lower-case PostgreSQL setting name with a value of at most 512 characters"
	Parameters map[string]string `json:"parameters,omitempty"`
}

// SharedDatabaseSettings name the server on which each community gets a database and a role of its own.
type SharedDatabaseSettings struct {
	// adminSecretName is a Secret in the operator's namespace with the key uri: a PostgreSQL connection URI
	// of a role that may create databases and roles (CREATEDB and CREATEROLE; no superuser needed). Its
	// sslmode also holds for the communities' connections.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	// +kubebuilder:validation:XValidation:rule="self.matches('^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$')",message="must be the name of a Secret in the operator's namespace, without a namespace: a-z, 0-9, '-' and '.'"
	AdminSecretName string `json:"adminSecretName"`
	// host is the server's address as communities reach it, when it differs from that of the admin URI, such
	// as a pooler.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	// +kubebuilder:validation:XValidation:rule="self.matches('^[a-zA-Z0-9]([-a-zA-Z0-9.]*[a-zA-Z0-9])?$')",message="host must be a host name or an IPv4 address alone, such as pooler.databases.svc; the port has a field of its own"
	Host string `json:"host,omitempty"`
	// port that goes with host; 5432 when absent.
	// +optional
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=65535
	Port *int32 `json:"port,omitempty"`
	// connectionLimit of each community's role; unlimited when absent.
	// +optional
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=10000
	ConnectionLimit *int32 `json:"connectionLimit,omitempty"`
}

// StandaloneDatabaseSettings of the single PostgreSQL pod made for each community.
type StandaloneDatabaseSettings struct {
	// image of PostgreSQL. It follows the conventions of the official postgres image: PGDATA, POSTGRES_USER,
	// POSTGRES_DB and POSTGRES_PASSWORD_FILE.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=512
	// +kubebuilder:validation:XValidation:rule="self.matches('^[a-zA-Z0-9][-a-zA-Z0-9._:/@]*$')",message="must be an image reference, such as registry.example/ideas:1.0"
	Image string `json:"image"`
	// storageClassName of the volume; the cluster's default when absent. Taken when a database is created.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	StorageClassName *string `json:"storageClassName,omitempty"`
}

// RoutingKind says which API carries the routes.
//
// +kubebuilder:validation:Enum=gateway;ingress
type RoutingKind string

// Kinds of routing.
const (
	RoutingGateway RoutingKind = "gateway"
	RoutingIngress RoutingKind = "ingress"
)

// ClassRouting says how traffic comes in.
//
// +kubebuilder:validation:XValidation:rule="(self.kind == 'gateway') == has(self.gateway)",message="gateway is required for kind gateway and only for it",fieldPath=".gateway"
// +kubebuilder:validation:XValidation:rule="self.kind == 'ingress' || !has(self.ingress)",message="ingress is only for kind ingress; remove it or change kind",fieldPath=".ingress"
type ClassRouting struct {
	// kind is gateway (an HTTPRoute on an existing Gateway) or ingress.
	// +required
	Kind RoutingKind `json:"kind"`
	// gateway that routes attach to.
	// +optional
	Gateway *GatewayReference `json:"gateway,omitempty"`
	// ingress settings; the cluster's default ingress class when absent.
	// +optional
	Ingress *IngressSettings `json:"ingress,omitempty"`
	// apexDomain under which a community without hostnames gets one: <community>.<apexDomain>. Point a
	// wildcard DNS record at the Gateway or the ingress controller.
	// +required
	// +kubebuilder:validation:MinLength=3
	// +kubebuilder:validation:MaxLength=189
	// +kubebuilder:validation:XValidation:rule="self.matches('^([a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?[.])+[a-z]([-a-z0-9]{0,61}[a-z0-9])?$')",message="apexDomain must be a lower-case domain of two labels or more, the last one starting with a letter, such as communities.example.com"
	ApexDomain string `json:"apexDomain"`
	// tls says who holds the certificates. Plain HTTP when absent.
	// +optional
	TLS *ClassTLS `json:"tls,omitempty"`
	// publicPort is the port that browsers use, where a forwarder or node port makes it differ from 443 (80
	// without TLS). It shows in URLs.
	// +optional
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=65535
	PublicPort *int32 `json:"publicPort,omitempty"`
}

// GatewayReference names a Gateway.
type GatewayReference struct {
	// name of the Gateway.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	Name string `json:"name"`
	// namespace of the Gateway.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=63
	Namespace string `json:"namespace"`
	// sectionName of the listener; every listener that allows the route when absent.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	SectionName *string `json:"sectionName,omitempty"`
}

// IngressSettings of each community's Ingress.
type IngressSettings struct {
	// className is the IngressClass; the cluster's default when absent.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	ClassName *string `json:"className,omitempty"`
	// annotations that the ingress controller, cert-manager or external-dns ask for.
	// +optional
	// +kubebuilder:validation:MaxProperties=32
	// +kubebuilder:validation:XValidation:rule="self.all(k, size(k) <= 317 && size(self[k]) <= 4096)",message="a value has at most 4096 characters, its key at most 317"
	Annotations map[string]string `json:"annotations,omitempty"`
}

// TLSMode says who holds the certificates.
//
// +kubebuilder:validation:Enum=wildcard;certManager
type TLSMode string

// Modes of TLS.
const (
	TLSWildcard    TLSMode = "wildcard"
	TLSCertManager TLSMode = "certManager"
)

// ClassTLS says who holds the certificates.
//
// +kubebuilder:validation:XValidation:rule="self.mode != 'certManager' || has(self.issuerRef)",message="issuerRef is required for mode certManager",fieldPath=".issuerRef"
type ClassTLS struct {
	// mode is wildcard (the Gateway's listener or the ingress controller serves a certificate for
	// *.apexDomain; one certificate for all communities) or certManager (a Certificate per community).
	// +required
	Mode TLSMode `json:"mode"`
	// issuerRef is the cert-manager issuer. Required for certManager. With wildcard it issues certificates
	// for hostnames outside apexDomain only; without it such communities bring a Secret (spec.tls).
	// +optional
	IssuerRef *IssuerReference `json:"issuerRef,omitempty"`
}

// IssuerReference names a cert-manager issuer.
type IssuerReference struct {
	// name of the issuer.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	Name string `json:"name"`
	// kind of the issuer: ClusterIssuer when absent, or Issuer (one in each community's namespace).
	// +optional
	// +kubebuilder:validation:Enum=ClusterIssuer;Issuer
	Kind string `json:"kind,omitempty"`
}

// Size is a named amount of everything that a community runs on.
type Size struct {
	// name that communities choose.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=63
	// +kubebuilder:validation:XValidation:rule="self.matches('^[a-z0-9]([-a-z0-9]*[a-z0-9])?$')",message="a size's name must use a-z, 0-9 and '-', such as small"
	Name string `json:"name"`
	// replicas of the idea service, where a community does not say. 1 when absent.
	// +optional
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=20
	Replicas *int32 `json:"replicas,omitempty"`
	// resources of each idea-service pod. 20m CPU and 48Mi requested, 256Mi limit when absent.
	// +optional
	Resources *Resources `json:"resources,omitempty"`
	// database resources and storage, for the kinds that run one per community.
	// +optional
	Database *DatabaseSize `json:"database,omitempty"`
}

// Resources are requests and limits for CPU and memory.
type Resources struct {
	// requests are what the scheduler reserves.
	// +optional
	Requests *ResourceAmounts `json:"requests,omitempty"`
	// limits are what a pod may use at most.
	// +optional
	Limits *ResourceAmounts `json:"limits,omitempty"`
}

// ResourceAmounts of one pod.
type ResourceAmounts struct {
	// cpu in cores, such as 250m.
	// +optional
	// +kubebuilder:validation:XValidation:rule="quantity(string(self)).isGreaterThan(quantity('0'))",message="cpu must be more than 0, such as 250m"
	CPU *resource.Quantity `json:"cpu,omitempty"`
	// memory in bytes, such as 128Mi.
	// +optional
	// +kubebuilder:validation:XValidation:rule="quantity(string(self)).isGreaterThan(quantity('0'))",message="memory must be more than 0, such as 128Mi"
	Memory *resource.Quantity `json:"memory,omitempty"`
}

// DatabaseSize is what a community's own database runs on.
type DatabaseSize struct {
	// storage of the volume. 1Gi when absent. It can grow where the storage class allows it, never shrink.
	// +optional
	// +kubebuilder:validation:XValidation:rule="quantity(string(self)).isGreaterThan(quantity('0'))",message="storage must be more than 0, such as 5Gi"
	Storage *resource.Quantity `json:"storage,omitempty"`
	// resources of each PostgreSQL pod. 50m CPU and 128Mi requested, 512Mi limit when absent.
	// +optional
	Resources *Resources `json:"resources,omitempty"`
}

// ClassIdeaService is the application that every community runs.
type ClassIdeaService struct {
	// image of the idea service.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=512
	// +kubebuilder:validation:XValidation:rule="self.matches('^[a-zA-Z0-9][-a-zA-Z0-9._:/@]*$')",message="must be an image reference, such as registry.example/ideas:1.0"
	Image string `json:"image"`
	// imagePullPolicy as in a pod: IfNotPresent when absent.
	// +optional
	// +kubebuilder:validation:Enum=Always;IfNotPresent;Never
	ImagePullPolicy corev1.PullPolicy `json:"imagePullPolicy,omitempty"`
	// imagePullSecretNames are Secrets of type kubernetes.io/dockerconfigjson in the operator's namespace.
	// Their registries are copied into one pull Secret beside each community.
	// +optional
	// +listType=set
	// +kubebuilder:validation:MaxItems=8
	// +kubebuilder:validation:items:MinLength=1
	// +kubebuilder:validation:items:MaxLength=253
	// +kubebuilder:validation:XValidation:rule="self.all(n, n.matches('^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$'))",message="each must be the name of a Secret in the operator's namespace, without a namespace: a-z, 0-9, '-' and '.'"
	ImagePullSecretNames []string `json:"imagePullSecretNames,omitempty"`
}

// PodTemplateOverrides are laid over the pods that the operator makes.
type PodTemplateOverrides struct {
	// annotations of the pods.
	// +optional
	// +kubebuilder:validation:MaxProperties=32
	// +kubebuilder:validation:XValidation:rule="self.all(k, size(k) <= 317 && size(self[k]) <= 4096)",message="a value has at most 4096 characters, its key at most 317"
	Annotations map[string]string `json:"annotations,omitempty"`
	// nodeSelector of the pods.
	// +optional
	// +kubebuilder:validation:MaxProperties=32
	// +kubebuilder:validation:XValidation:rule="self.all(k, size(k) <= 317 && size(self[k]) <= 63)",message="a value has at most 63 characters, its key at most 317"
	NodeSelector map[string]string `json:"nodeSelector,omitempty"`
	// tolerations of the pods.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=32
	Tolerations []corev1.Toleration `json:"tolerations,omitempty"`
	// affinity of the pods. Absent: replicas prefer different nodes.
	// +optional
	Affinity *corev1.Affinity `json:"affinity,omitempty"`
	// priorityClassName of the pods.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	PriorityClassName string `json:"priorityClassName,omitempty"`
}

// ClassMail is the SMTP server that communities send through.
type ClassMail struct {
	// host name of the SMTP server.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	// +kubebuilder:validation:XValidation:rule="self.matches('^[a-zA-Z0-9]([-a-zA-Z0-9.]*[a-zA-Z0-9])?$')",message="host must be a host name or an IPv4 address alone, such as smtp.example.com; the port has a field of its own"
	Host string `json:"host"`
	// port of the SMTP server; 587 when absent.
	// +optional
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=65535
	Port *int32 `json:"port,omitempty"`
	// tls is starttls (when absent), tls (from the first byte) or none.
	// +optional
	// +kubebuilder:validation:Enum=starttls;tls;none
	TLS string `json:"tls,omitempty"`
	// from is the sender's address, such as ideas@example.com.
	// +required
	// +kubebuilder:validation:MinLength=3
	// +kubebuilder:validation:MaxLength=254
	// +kubebuilder:validation:XValidation:rule="self.matches('^[a-zA-Z0-9.!#$%&*+/=?^_~-]+@[a-zA-Z0-9]([-a-zA-Z0-9.]*[a-zA-Z0-9])?$')",message="from must be an e-mail address alone, such as ideas@example.com"
	From string `json:"from"`
	// credentialsSecretName is a Secret in the operator's namespace with the keys username and password; no
	// authentication when absent.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	// +kubebuilder:validation:XValidation:rule="self.matches('^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$')",message="must be the name of a Secret in the operator's namespace, without a namespace: a-z, 0-9, '-' and '.'"
	CredentialsSecretName string `json:"credentialsSecretName,omitempty"`
}

// ClassIsolation is how a community is fenced off.
type ClassIsolation struct {
	// networkPolicies says whether the operator makes NetworkPolicies: the idea service is reached from the
	// proxy, the control port from the operator, the database from the idea service alone. Enabled when
	// absent.
	// +optional
	// +kubebuilder:validation:Enum=Enabled;Disabled
	NetworkPolicies string `json:"networkPolicies,omitempty"`
	// proxyNamespaces run the pods of the Gateway or ingress controller. The Gateway's namespace when absent;
	// for ingress, every namespace when absent.
	// +optional
	// +listType=set
	// +kubebuilder:validation:MaxItems=8
	// +kubebuilder:validation:items:MinLength=1
	// +kubebuilder:validation:items:MaxLength=63
	ProxyNamespaces []string `json:"proxyNamespaces,omitempty"`
	// monitoringNamespaces may scrape metrics. None when absent.
	// +optional
	// +listType=set
	// +kubebuilder:validation:MaxItems=8
	// +kubebuilder:validation:items:MinLength=1
	// +kubebuilder:validation:items:MaxLength=63
	MonitoringNamespaces []string `json:"monitoringNamespaces,omitempty"`
}

// CommunityClassStatus is what the operator last saw of a class.
type CommunityClassStatus struct {
	// observedGeneration is the generation that this status was made from.
	// +optional
	ObservedGeneration int64 `json:"observedGeneration,omitempty"`
	// communities is the number of communities that use the class.
	// +optional
	Communities int32 `json:"communities"`
	// conditions of the class: Ready, and Reconciling or Stalled while they are true.
	// +optional
	// +listType=map
	// +listMapKey=type
	// +kubebuilder:validation:MaxItems=16
	Conditions []metav1.Condition `json:"conditions,omitempty"`
}
