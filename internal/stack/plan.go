// Package stack describes a community's objects: pure functions from a Plan to apply configurations. Time,
// randomness and existing passwords come in as arguments, so equal plans give equal objects. A builder
// returns nil for an object that the plan does not want.
package stack

import (
	"fmt"
	"net"
	"slices"
	"strconv"
	"strings"

	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/apimachinery/pkg/labels"

	"github.com/quaeso/community-operator/api/v1alpha1"
)

// Ports of the idea service's pods.
const (
	PortHTTP       = 8080
	PortControl    = 8081
	PortManagement = 8082
	PortPostgres   = 5432
)

// Defaults where class and community say nothing.
var (
	DefaultStorage  = resource.MustParse("1Gi")
	DefaultTimeZone = "Europe/Paris"
)

// Plan is everything that the builders need to know, resolved: nothing is looked up from here on.
type Plan struct {
	Community *v1alpha1.Community
	Class     *v1alpha1.CommunityClass
	Size      v1alpha1.Size
	// Replicas wanted of the idea service.
	Replicas int32
	// Hostnames that the community holds, the canonical one first. Empty: no route.
	Hostnames []string
	Database  DatabasePlan
	Locales   []v1alpha1.Locale
	TimeZone  string
	// OperatorNamespace runs the operator, which alone may reach the control port.
	OperatorNamespace string
	// Credentials of the pods; nil while they are not known, and then no pods are described.
	Credentials *Credentials
	// ConfigMaps are the data, by name, of those that the house rules take texts from.
	ConfigMaps map[string]map[string]string
	// PullSecret is the merged .dockerconfigjson of the class's pull Secrets; empty for none.
	PullSecret []byte
}

// DatabasePlan is the resolved database.
type DatabasePlan struct {
	Kind    v1alpha1.DatabaseKind
	Storage resource.Quantity
	// StorageClassName of the volume; the cluster's default when nil.
	StorageClassName *string
	Instances        int32
	// Password of the community's role; made once and kept. Unused for external.
	Password string
}

// KeepVolume takes over what cannot be changed about a volume that exists: its class, and that it only grows.
// Without it a class that moved to another storage class or to smaller sizes would have every update refused.
func (d *DatabasePlan) KeepVolume(storage resource.Quantity, storageClassName *string) {
	d.StorageClassName = storageClassName
	if storage.Cmp(d.Storage) > 0 {
		d.Storage = storage
	}
}

// Credentials are what the idea service's pods read from files; keys are the control.File constants.
type Credentials struct {
	Files map[string][]byte
	// Hash is a keyed hash of the files; it changes when they do and rolls the pods.
	Hash string
	// Sources says which Secrets at which version the files came from, for AnnotationSources.
	Sources string
	// SMTPPort that egress must allow; 0 when mail is off.
	SMTPPort int32
	// DatabasePort that egress must allow for shared and external databases.
	DatabasePort int32
}

// ResolveError says which part of a spec cannot be used, with a condition reason.
type ResolveError struct {
	Reason  string
	Message string
}

// Error implements error.
func (e *ResolveError) Error() string { return e.Message }

// Resolve works out a plan from a Community and its class. Hostnames, credentials and passwords are filled in
// by the caller. Errors are *ResolveError.
func Resolve(c *v1alpha1.Community, class *v1alpha1.CommunityClass) (Plan, error) {
	size, err := resolveSize(c, class)
	if err != nil {
		return Plan{}, err
	}
	p := Plan{
		Community: c,
		Class:     class,
		Size:      size,
		Replicas:  1,
		Locales:   ResolveLocales(c.Spec.Brand),
		TimeZone:  c.Spec.Brand.TimeZone,
	}
	if p.TimeZone == "" {
		p.TimeZone = DefaultTimeZone
	}
	if size.Replicas != nil {
		p.Replicas = *size.Replicas
	}
	if c.Spec.Replicas != nil {
		p.Replicas = *c.Spec.Replicas
	}
	p.Database = resolveDatabase(c, class, size)
	if kept := keptDatabaseKind(c); kept != "" && kept != p.Database.Kind {
		return Plan{}, &ResolveError{Reason: v1alpha1.ReasonDatabaseKindChanged, Message: fmt.Sprintf(
			"the database of this community is of kind %s, but class %q now asks for %s; data is not moved between kinds: "+
				"name a class of kind %s in spec.className", kept, class.Name, p.Database.Kind, kept)}
	}
	return p, nil
}

func keptDatabaseKind(c *v1alpha1.Community) v1alpha1.DatabaseKind {
	if c.Status.Database == nil {
		return ""
	}
	return c.Status.Database.Kind
}

func resolveSize(c *v1alpha1.Community, class *v1alpha1.CommunityClass) (v1alpha1.Size, error) {
	want := c.Spec.Size
	if want == "" {
		want = class.Spec.DefaultSize
	}
	if want == "" {
		return class.Spec.Sizes[0], nil
	}
	var names []string
	for _, s := range class.Spec.Sizes {
		if s.Name == want {
			return s, nil
		}
		names = append(names, s.Name)
	}
	return v1alpha1.Size{}, &ResolveError{Reason: v1alpha1.ReasonUnknownSize, Message: fmt.Sprintf(
		"spec.size %q is not a size of class %q; choose one of: %s", want, class.Name, strings.Join(names, ", "))}
}

func resolveDatabase(c *v1alpha1.Community, class *v1alpha1.CommunityClass, size v1alpha1.Size) DatabasePlan {
	d := DatabasePlan{Kind: class.Spec.Database.Kind, Storage: DefaultStorage, Instances: 1}
	if size.Database != nil && size.Database.Storage != nil {
		d.Storage = *size.Database.Storage
	}
	if cnpg := class.Spec.Database.CloudNativePG; cnpg != nil {
		d.StorageClassName = cnpg.StorageClassName
		if cnpg.Instances != nil {
			d.Instances = *cnpg.Instances
		}
	}
	if standalone := class.Spec.Database.Standalone; standalone != nil {
		d.StorageClassName = standalone.StorageClassName
	}
	over := c.Spec.Database
	if over == nil {
		return d
	}
	if over.External != nil {
		return DatabasePlan{Kind: v1alpha1.DatabaseExternal}
	}
	if over.Storage != nil {
		d.Storage = *over.Storage
	}
	if over.Instances != nil {
		d.Instances = *over.Instances
	}
	return d
}

// ResolveLocales returns the locales offered, the default first.
func ResolveLocales(b v1alpha1.Brand) []v1alpha1.Locale {
	if len(b.Locales) > 0 {
		return b.Locales
	}
	var out []v1alpha1.Locale
	for _, l := range []v1alpha1.Locale{"fr", "en"} {
		if _, ok := b.DisplayName[string(l)]; ok {
			out = append(out, l)
		}
	}
	return out
}

// WantedHostnames are the hostnames that a community asks for, the canonical one first.
func WantedHostnames(c *v1alpha1.Community, class *v1alpha1.CommunityClass) []string {
	if len(c.Spec.Hostnames) == 0 {
		return []string{c.Name + "." + class.Spec.Routing.ApexDomain}
	}
	out := make([]string, 0, len(c.Spec.Hostnames))
	for _, h := range c.Spec.Hostnames {
		out = append(out, string(h))
	}
	return out
}

// URL is where members open the community; empty without a hostname.
func (p Plan) URL() string {
	if len(p.Hostnames) == 0 {
		return ""
	}
	scheme, port := "http", int32(80)
	if p.TLSFor(p.Hostnames[0]) {
		scheme, port = "https", 443
	}
	host := p.Hostnames[0]
	if public := p.Class.Spec.Routing.PublicPort; public != nil && *public != port {
		host = net.JoinHostPort(host, strconv.Itoa(int(*public)))
	}
	return scheme + "://" + host
}

// TLSFor tells whether a hostname is served with a certificate.
func (p Plan) TLSFor(hostname string) bool {
	if p.Community.Spec.TLS != nil {
		return true
	}
	tls := p.Class.Spec.Routing.TLS
	switch {
	case tls == nil:
		return false
	case tls.Mode == v1alpha1.TLSCertManager || tls.IssuerRef != nil:
		return true
	default:
		return UnderApex(hostname, p.Class.Spec.Routing.ApexDomain)
	}
}

// UnderApex tells whether a wildcard certificate for *.apex covers a hostname: exactly one label more.
func UnderApex(hostname, apex string) bool {
	label, ok := strings.CutSuffix(hostname, "."+apex)
	return ok && label != "" && !strings.Contains(label, ".")
}

// OwnCertificateHostnames are those that need a certificate of the community's own, from its Secret or from
// cert-manager.
func (p Plan) OwnCertificateHostnames() []string {
	tls := p.Class.Spec.Routing.TLS
	if tls == nil && p.Community.Spec.TLS == nil {
		return nil
	}
	if tls != nil && tls.Mode == v1alpha1.TLSCertManager {
		return p.Hostnames
	}
	if tls != nil && tls.IssuerRef == nil && p.Community.Spec.TLS == nil {
		return nil
	}
	return slices.DeleteFunc(slices.Clone(p.Hostnames), func(h string) bool {
		return tls != nil && UnderApex(h, p.Class.Spec.Routing.ApexDomain)
	})
}

// NetworkPolicies tells whether the class wants them.
func (p Plan) NetworkPolicies() bool {
	i := p.Class.Spec.Isolation
	return i == nil || i.NetworkPolicies != "Disabled"
}

// Names of a community's objects. They are part of what users see and type, and never change.

// IdeasName is the name of the idea service's Deployment, Service, ServiceAccount and route.
func IdeasName(community string) string { return community }

// ControlName is the name of the Service in front of the control port.
func ControlName(community string) string { return community + "-control" }

// CredentialsName is the name of the Secret that the idea service's pods mount.
func CredentialsName(community string) string { return community + "-credentials" }

// DatabaseName is the name of the community's database object and of its Secret.
func DatabaseName(community string) string { return community + "-db" }

// TLSName is the name of the Secret that cert-manager fills.
func TLSName(community string) string { return community + "-tls" }

// PullSecretName is the name of the merged pull Secret.
func PullSecretName(community string) string { return community + "-pull" }

// Labels of a component's objects.
func Labels(community, component string) map[string]string {
	l := SelectorLabels(community, component)
	l[v1alpha1.LabelManagedBy] = v1alpha1.FieldManager
	l[v1alpha1.LabelPartOf] = "community"
	l[v1alpha1.LabelCommunity] = community
	return l
}

// SelectorLabels select a component's pods. They are immutable in a Deployment, so they never change.
func SelectorLabels(community, component string) map[string]string {
	return map[string]string{
		v1alpha1.LabelName:      component,
		v1alpha1.LabelInstance:  community,
		v1alpha1.LabelComponent: component,
	}
}

// Selector of the idea service's pods, as status and HorizontalPodAutoscalers write it.
func Selector(community string) string {
	return labels.Set(SelectorLabels(community, v1alpha1.ComponentIdeas)).String()
}
