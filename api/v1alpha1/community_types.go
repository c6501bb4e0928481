package v1alpha1

import (
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// Community is one brand's co-creation community: its brand, its addresses and its running stack.
//
// The name becomes part of the names of its children and, without hostnames, of its address, so it is a DNS
// label of at most 40 characters.
//
// +kubebuilder:object:root=true
// +kubebuilder:subresource:status
// +kubebuilder:subresource:scale:specpath=.spec.replicas,statuspath=.status.replicas,selectorpath=.status.selector
// +kubebuilder:resource:scope=Namespaced,shortName=com;coms,categories=cocreation
// +kubebuilder:printcolumn:name="URL",type=string,JSONPath=".status.url"
// +kubebuilder:printcolumn:name="Ready",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].status`
// +kubebuilder:printcolumn:name="Replicas",type=integer,JSONPath=".status.replicas"
// +kubebuilder:printcolumn:name="Members",type=integer,JSONPath=".status.members",priority=1
// +kubebuilder:printcolumn:name="Ideas",type=integer,JSONPath=".status.ideas",priority=1
// +kubebuilder:printcolumn:name="Late",type=integer,JSONPath=".status.lateAnswers",priority=1
// +kubebuilder:printcolumn:name="Class",type=string,JSONPath=".status.resolved.className",priority=1
// +kubebuilder:printcolumn:name="Size",type=string,JSONPath=".status.resolved.size",priority=1
// +kubebuilder:printcolumn:name="Database",type=string,JSONPath=".status.database.kind",priority=1
// +kubebuilder:printcolumn:name="Version",type=string,JSONPath=".status.version",priority=1
// +kubebuilder:printcolumn:name="Age",type=date,JSONPath=".metadata.creationTimestamp"
// +kubebuilder:printcolumn:name="Status",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].message`
// +kubebuilder:validation:XValidation:rule="self.metadata.name.matches('^[a-z]([-a-z0-9]{0,38}[a-z0-9])?$')",message="a Community's name must start with a letter, use a-z, 0-9 and '-', and have at most 40 characters: it becomes part of host and object names"
type Community struct {
	metav1.TypeMeta `json:",inline"`
	// metadata is the standard object metadata.
	metav1.ObjectMeta `json:"metadata,omitempty"`

	// spec is what the agency asks for.
	// +required
	Spec CommunitySpec `json:"spec"`
	// status is what the operator last saw.
	// +optional
	Status CommunityStatus `json:"status,omitempty"`
}

// CommunityList is a list of Communities.
//
// +kubebuilder:object:root=true
type CommunityList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`
	Items           []Community `json:"items"`
}

// DeletionPolicy says what becomes of the data when a Community is deleted.
//
// +kubebuilder:validation:Enum=Retain;Delete
type DeletionPolicy string

// Deletion policies.
const (
	DeletionRetain DeletionPolicy = "Retain"
	DeletionDelete DeletionPolicy = "Delete"
)

// CommunitySpec is what the agency asks for.
//
// +kubebuilder:validation:XValidation:rule="(has(self.database) && has(self.database.external)) == (has(oldSelf.database) && has(oldSelf.database.external))",message="a community cannot move between an external database and one of its class: create a new Community and bring the data along",fieldPath=".database"
type CommunitySpec struct {
	// className is the CommunityClass; the default class when absent.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	ClassName string `json:"className,omitempty"`
	// brand is how the community looks and which languages it speaks. A change shows within seconds, without
	// a restart.
	// +required
	Brand Brand `json:"brand"`
	// hostnames that the community answers to, the canonical one first. <name>.<apexDomain of the class> when
	// absent. The first community to claim a hostname has it.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=8
	// +kubebuilder:validation:XValidation:rule="self.all(h, self.exists_one(o, o == h))",message="hostnames must not repeat"
	Hostnames []Hostname `json:"hostnames,omitempty"`
	// size is the name of one of the class's sizes; its default size when absent.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=63
	Size string `json:"size,omitempty"`
	// replicas of the idea service; the size's when absent. kubectl scale and a HorizontalPodAutoscaler set it.
	// +optional
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=20
	Replicas *int32 `json:"replicas,omitempty"`
	// database overrides what the class and the size say, or brings an external database.
	// +optional
	Database *CommunityDatabase `json:"database,omitempty"`
	// tls brings a certificate for hostnames that the class's certificate does not cover.
	// +optional
	TLS *CommunityTLS `json:"tls,omitempty"`
	// mail brings an SMTP server of the brand's own; the class's when absent.
	// +optional
	Mail *CommunityMail `json:"mail,omitempty"`
	// oidc lets members sign in with an OpenID Connect issuer.
	// +optional
	OIDC *CommunityOIDC `json:"oidc,omitempty"`
	// house are the community's house rules: moderation, sign-up, what members may say of themselves, the team's roles,
	// terms, themes, quotas, objectives, the promise of answers, webhooks and retention. A change is in force within
	// seconds, without a restart.
	// +optional
	House *House `json:"house,omitempty"`
	// paused stops the operator from changing anything about this community. What runs goes on running.
	// +optional
	Paused bool `json:"paused,omitempty"`
	// deletionProtection refuses the deletion of this Community until it is set to false.
	// +optional
	DeletionProtection bool `json:"deletionProtection,omitempty"`
	// deletionPolicy says what becomes of the data when this Community is deleted: Retain (when absent) keeps
	// the database and its credentials, and a new Community of the same name takes them into use; Delete drops
	// them.
	// +optional
	DeletionPolicy DeletionPolicy `json:"deletionPolicy,omitempty"`
}

// Locale is a language that the idea service speaks.
//
// +kubebuilder:validation:Enum=fr;en
type Locale string

// TextByLocale is a text in several languages.
//
// +kubebuilder:validation:MinProperties=1
// +kubebuilder:validation:MaxProperties=2
// +kubebuilder:validation:XValidation:rule="self.all(k, k in ['fr', 'en'])",message="locales are fr and en"
// +kubebuilder:validation:XValidation:rule="self.all(k, size(self[k].trim()) > 0)",message="a text must not be empty: write it, or remove its locale"
type TextByLocale map[string]BoundedText

// BoundedText is one line of text.
//
// +kubebuilder:validation:MaxLength=160
// +kubebuilder:validation:XValidation:rule="!self.matches('[\\\\x00-\\\\x1f\\\\x7f-\\\\x{9f}\\\\x{61c}\\\\x{200b}\\\\x{200e}\\\\x{200f}\\\\x{2028}-\\\\x{202e}\\\\x{2060}\\\\x{2066}-\\\\x{2069}\\\\x{feff}]')",message="a text must be one line without control, invisible or text-direction characters"
type BoundedText string

// Color is a colour as "#rrggbb".
//
// +kubebuilder:validation:MaxLength=7
// +kubebuilder:validation:XValidation:rule="self.matches('^#[0-9a-fA-F]{6}$')",message="a colour must be written as # and six hexadecimal digits, such as #0b6e4f"
type Color string

// Hostname is a fully qualified name that a browser uses.
//
// +kubebuilder:validation:MinLength=3
// +kubebuilder:validation:MaxLength=253
// +kubebuilder:validation:XValidation:rule="!isIP(self)",message="a hostname must be a name, not an IP address"
// +kubebuilder:validation:XValidation:rule="!self.startsWith('*')",message="a hostname must name one host; wildcards belong to the class's Gateway"
// +kubebuilder:validation:XValidation:rule="isIP(self) || self.startsWith('*') || self.matches('^([a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?[.])+[a-z]([-a-z0-9]{0,61}[a-z0-9])?$')",message="a hostname must be lower case, of two labels or more, the last one starting with a letter, such as ideas.brand.example"
// +kubebuilder:validation:XValidation:rule="!self.endsWith('.svc') && !self.endsWith('.cluster.local') && !self.endsWith('.internal')",message="a hostname must not be a name inside the cluster (.svc, .cluster.local, .internal)"
type Hostname string

// HTTPSURL is an address that a member's browser or the idea service opens. Names that resolve to an inner
// address are caught when the idea service connects; the schema catches what can be seen in the text.
//
// +kubebuilder:validation:MinLength=1
// +kubebuilder:validation:MaxLength=512
// +kubebuilder:validation:XValidation:rule="self.startsWith('https://') && isURL(self)",message="must be a whole https address, such as https://brand.example/logo.svg"
// +kubebuilder:validation:XValidation:rule="!self.startsWith('https://') || (self.matches('^https://([a-zA-Z0-9]([-a-zA-Z0-9]{0,61}[a-zA-Z0-9])?[.])+[a-zA-Z]([-a-zA-Z0-9]{0,61}[a-zA-Z0-9])?(:[0-9]{1,5})?([/?#]|$)') && !self.matches('(?i)^https://[^/?#]*[.](svc|cluster[.]local|internal|localhost)(:[0-9]*)?([/?#]|$)'))",message="must name a public host, such as brand.example: not an IP address, localhost, a name inside the cluster or a user"
// +kubebuilder:validation:XValidation:rule="self.matches('^[!#-;=?-\\\\[\\\\]_a-z~]*$')",message="must not contain spaces, quotes, angle brackets, braces, backslashes or letters outside ASCII: percent-encode them"
type HTTPSURL string

// Brand is how a community looks and which languages it speaks.
//
// +kubebuilder:validation:XValidation:rule="has(self.locales) ? self.locales.all(l, l in self.displayName) : true",message="displayName needs a text for each of the locales",fieldPath=".displayName"
type Brand struct {
	// displayName by locale, such as {fr: "Atelier Lumière", en: "Lumière Lab"}.
	// +required
	DisplayName TextByLocale `json:"displayName"`
	// tagLine by locale: the sentence below the name on the home page.
	// +optional
	TagLine TextByLocale `json:"tagLine,omitempty"`
	// logoURL is an https address of an image that browsers load.
	// +optional
	LogoURL HTTPSURL `json:"logoURL,omitempty"`
	// colors of the theme; the service's own when absent. Contrast is corrected where text would be hard to
	// read.
	// +optional
	Colors *BrandColors `json:"colors,omitempty"`
	// locales offered, the default first. The locales of displayName, fr first, when absent.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=2
	// +kubebuilder:validation:XValidation:rule="self.all(l, self.exists_one(o, o == l))",message="locales must not repeat"
	Locales []Locale `json:"locales,omitempty"`
	// timeZone is an IANA name, such as Europe/Paris (when absent).
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=64
	// +kubebuilder:validation:XValidation:rule="self.matches('^[A-Z][A-Za-z0-9_+-]*(/[A-Za-z0-9_+-]+){0,2}$')",message="timeZone must be an IANA name, such as Europe/Paris or UTC"
	TimeZone string `json:"timeZone,omitempty"`
}

// BrandColors are the colours of a theme.
type BrandColors struct {
	// primary is the colour of buttons and the hero.
	// +optional
	Primary Color `json:"primary,omitempty"`
	// accent is the colour of highlights.
	// +optional
	Accent Color `json:"accent,omitempty"`
	// background of the pages.
	// +optional
	Background Color `json:"background,omitempty"`
	// text is the colour of text.
	// +optional
	Text Color `json:"text,omitempty"`
}

// CommunityDatabase overrides what the class and the size say about the database, or brings an external one.
//
// +kubebuilder:validation:XValidation:rule="!has(self.external) || (!has(self.storage) && !has(self.instances))",message="storage and instances do not apply to an external database; remove them",fieldPath=".external"
type CommunityDatabase struct {
	// storage of the volume; the size's when absent. It can grow where the storage class allows it, never
	// shrink.
	// +optional
	// +kubebuilder:validation:XValidation:rule="quantity(string(self)).isGreaterThan(quantity('0'))",message="storage must be more than 0, such as 5Gi"
	// +kubebuilder:validation:XValidation:rule="quantity(string(self)).compareTo(quantity(string(oldSelf))) >= 0",message="storage cannot shrink: volumes only grow"
	Storage *resource.Quantity `json:"storage,omitempty"`
	// instances of a cloudNativePG database; the class's when absent.
	// +optional
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=9
	Instances *int32 `json:"instances,omitempty"`
	// external brings an existing database, whatever the class says.
	// +optional
	External *ExternalDatabase `json:"external,omitempty"`
}

// ExternalDatabase names an existing, empty database that the community alone uses.
type ExternalDatabase struct {
	// secretName is a Secret in this namespace with the key uri, a PostgreSQL connection URI such as
	// postgresql://user:password@host:5432/name?sslmode=verify-full, and optionally ca.crt, the certificates
	// that the server is verified against. A changed Secret is tried first and taken into use only when the
	// database accepts it.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	// +kubebuilder:validation:XValidation:rule="self.matches('^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$')",message="must be the name of a Secret in this namespace, without a namespace: a-z, 0-9, '-' and '.'"
	SecretName string `json:"secretName"`
}

// CommunityTLS brings a certificate.
type CommunityTLS struct {
	// secretName is a Secret of type kubernetes.io/tls in this namespace.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	// +kubebuilder:validation:XValidation:rule="self.matches('^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$')",message="must be the name of a Secret in this namespace, without a namespace: a-z, 0-9, '-' and '.'"
	SecretName string `json:"secretName"`
}

// CommunityMail brings an SMTP server.
type CommunityMail struct {
	// secretName is a Secret in this namespace with the keys host and from, and optionally port (587), tls
	// (starttls, tls or none), username and password.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	// +kubebuilder:validation:XValidation:rule="self.matches('^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$')",message="must be the name of a Secret in this namespace, without a namespace: a-z, 0-9, '-' and '.'"
	SecretName string `json:"secretName"`
}

// CommunityOIDC lets members sign in with an OpenID Connect issuer.
type CommunityOIDC struct {
	// issuerURL is the issuer, as its discovery document names it.
	// +required
	IssuerURL HTTPSURL `json:"issuerURL"`
	// clientSecretName is a Secret in this namespace with the keys clientID and clientSecret. Register
	// <url of the community>/sign-in/oidc/callback with the issuer.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	// +kubebuilder:validation:XValidation:rule="self.matches('^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$')",message="must be the name of a Secret in this namespace, without a namespace: a-z, 0-9, '-' and '.'"
	ClientSecretName string `json:"clientSecretName"`
	// label of the sign-in button by locale.
	// +optional
	Label TextByLocale `json:"label,omitempty"`
}

// CommunityStatus is what the operator last saw.
type CommunityStatus struct {
	// observedGeneration is the generation that this status was made from.
	// +optional
	ObservedGeneration int64 `json:"observedGeneration,omitempty"`
	// conditions of the community: Ready sums up; Accepted, DatabaseReady, CredentialsReady, WorkloadReady,
	// SettingsInForce and RouteReady are its parts. AnswersOnTime, Representative and ObjectivesOnTrack tell how the
	// programme goes, and do not count for Ready. Reconciling and Stalled are present while they are true.
	// +optional
	// +listType=map
	// +listMapKey=type
	// +kubebuilder:validation:MaxItems=16
	Conditions []metav1.Condition `json:"conditions,omitempty"`
	// url is where members open the community.
	// +optional
	URL string `json:"url,omitempty"`
	// hostnames that this community holds, the canonical one first.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=8
	Hostnames []string `json:"hostnames,omitempty"`
	// replicas of the idea service that exist.
	// +optional
	Replicas int32 `json:"replicas"`
	// readyReplicas of the idea service that serve.
	// +optional
	ReadyReplicas int32 `json:"readyReplicas"`
	// selector of the idea service's pods, for a HorizontalPodAutoscaler.
	// +optional
	Selector string `json:"selector,omitempty"`
	// version of the idea service that answered.
	// +optional
	Version string `json:"version,omitempty"`
	// database as the operator last saw it.
	// +optional
	Database *DatabaseStatus `json:"database,omitempty"`
	// inForce tells which settings the idea service works by; absent until it has taken up some of this Community's.
	// +optional
	InForce *InForceStatus `json:"inForce,omitempty"`
	// members of the community.
	// +optional
	Members int64 `json:"members"`
	// ideas that are published.
	// +optional
	Ideas int64 `json:"ideas"`
	// votes that count.
	// +optional
	Votes int64 `json:"votes"`
	// lateAnswers is the number of published ideas whose answer is later than the brand promised; 1,000 stands for more.
	// +optional
	LateAnswers int64 `json:"lateAnswers"`
	// representativeness of the participants by the quotas: the gap of the segment that is furthest from its own. Absent
	// without quotas, and while nobody has said anything of the attributes.
	// +optional
	Representativeness *RepresentativenessStatus `json:"representativeness,omitempty"`
	// objectives with their current values.
	// +optional
	// +listType=map
	// +listMapKey=name
	// +kubebuilder:validation:MaxItems=20
	Objectives []ObjectiveStatus `json:"objectives,omitempty"`
	// resolved shows what is in force after defaults of the class and the size.
	// +optional
	Resolved *ResolvedSettings `json:"resolved,omitempty"`
}

// DatabaseStatus is the state of a community's database.
type DatabaseStatus struct {
	// kind of the database: cloudNativePG, shared, standalone or external. It never changes once it is set.
	// +optional
	Kind DatabaseKind `json:"kind,omitempty"`
	// ready tells whether the database accepts the community's connections.
	// +optional
	Ready bool `json:"ready"`
	// name of the object or database: the Cluster, the StatefulSet or the database's name.
	// +optional
	Name string `json:"name,omitempty"`
	// schemaVersion is the idea service's last migration.
	// +optional
	SchemaVersion int64 `json:"schemaVersion,omitempty"`
}

// ResolvedSettings show what is in force after defaults.
type ResolvedSettings struct {
	// className that is used.
	// +optional
	ClassName string `json:"className,omitempty"`
	// size that is used.
	// +optional
	Size string `json:"size,omitempty"`
	// replicas that are asked for.
	// +optional
	Replicas int32 `json:"replicas,omitempty"`
	// image of the idea service.
	// +optional
	Image string `json:"image,omitempty"`
	// storage of the database's volume, for the kinds that have one.
	// +optional
	Storage *resource.Quantity `json:"storage,omitempty"`
	// locales offered, the default first.
	// +optional
	// +listType=atomic
	Locales []Locale `json:"locales,omitempty"`
	// timeZone in force.
	// +optional
	TimeZone string `json:"timeZone,omitempty"`
	// mail says where mail goes out: secret (the Community's), class, or off.
	// +optional
	Mail string `json:"mail,omitempty"`
	// deletionPolicy in force.
	// +optional
	DeletionPolicy DeletionPolicy `json:"deletionPolicy,omitempty"`
}
