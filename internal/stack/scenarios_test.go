package stack_test

import (
	"maps"
	"slices"
	"testing"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"

	"github.com/quaeso/community-operator/api/v1alpha1"
	"github.com/quaeso/community-operator/internal/control"
	"github.com/quaeso/community-operator/internal/stack"
	"github.com/quaeso/community-operator/internal/testutil"
)

// scenario is a community with its class, and what the controller adds to their plan.
type scenario struct {
	community func(*v1alpha1.Community)
	class     func(*v1alpha1.CommunityClass)
	plan      func(*stack.Plan)
}

// scenarios by the name of their golden file.
var scenarios = map[string]scenario{
	"standalone-gateway": {},
	"cloudnativepg-gateway-wildcard": {
		class: func(c *v1alpha1.CommunityClass) { useCloudNativePG(c); useWildcard(c) },
		plan:  func(p *stack.Plan) { p.Credentials.Files[control.FileDatabaseCA] = []byte("CA PEM\n") },
	},
	"cloudnativepg-high-availability": {
		class: func(c *v1alpha1.CommunityClass) {
			useCloudNativePG(c)
			useWildcard(c)
			c.Spec.Database.CloudNativePG = &v1alpha1.CloudNativePGSettings{
				Instances:        ptr.To[int32](3),
				ImageName:        "registry.example/postgresql:18.1",
				StorageClassName: ptr.To("fast"),
				Parameters:       map[string]string{"max_connections": "60"},
			}
			c.Spec.Sizes = append(c.Spec.Sizes, largeSize())
			c.Spec.DefaultSize = "large"
		},
	},
	"shared-ingress-certmanager": {
		class: func(c *v1alpha1.CommunityClass) {
			useShared(c)
			useIngress(c)
			c.Spec.Routing.TLS = &v1alpha1.ClassTLS{
				Mode:      v1alpha1.TLSCertManager,
				IssuerRef: &v1alpha1.IssuerReference{Name: "letsencrypt"},
			}
		},
		plan: func(p *stack.Plan) { p.Credentials.DatabasePort = 6432 },
	},
	"external-ingress-secret": {
		community: func(c *v1alpha1.Community) {
			useExternal(c)
			c.Spec.Hostnames = []v1alpha1.Hostname{"ideas.lumiere.example", "lab.lumiere.example"}
			c.Spec.TLS = &v1alpha1.CommunityTLS{SecretName: "lumiere-certificate"}
			c.Spec.OIDC = &v1alpha1.CommunityOIDC{
				IssuerURL:        "https://login.lumiere.example:8443/realm",
				ClientSecretName: "lumiere-login",
				Label:            v1alpha1.TextByLocale{"fr": "Compte Lumière"},
			}
		},
		class: useIngress,
		plan:  func(p *stack.Plan) { p.Credentials.DatabasePort = 5433; p.Credentials.SMTPPort = 587 },
	},
	"gateway-brand-domain": {
		community: func(c *v1alpha1.Community) {
			c.Spec.Hostnames = []v1alpha1.Hostname{"ideas.lumiere.example", "lumiere.communities.example.com"}
		},
		class: func(c *v1alpha1.CommunityClass) {
			useWildcard(c)
			c.Spec.Routing.TLS.IssuerRef = &v1alpha1.IssuerReference{Name: "brands", Kind: "Issuer"}
			c.Spec.Routing.Gateway.SectionName = ptr.To("https")
		},
	},
	"class-overrides-everything": {
		community: overridingCommunity,
		class:     overridingClass,
		plan: func(p *stack.Plan) {
			p.PullSecret = []byte(`{"auths":{"registry.example":{"auth":"cm9ib3Q6dG9rZW4="}}}`)
			p.Credentials.SMTPPort = 465
		},
	},
	"class-overrides-cloudnativepg": {
		community: overridingCommunity,
		class:     func(c *v1alpha1.CommunityClass) { overridingClass(c); useCloudNativePG(c) },
		plan: func(p *stack.Plan) {
			p.PullSecret = []byte(`{"auths":{"registry.example":{"auth":"cm9ib3Q6dG9rZW4="}}}`)
		},
	},
	"no-credentials-yet": {plan: func(p *stack.Plan) { p.Credentials = nil }},
	"no-hostnames-held":  {class: useWildcard, plan: func(p *stack.Plan) { p.Hostnames = nil }},
	"single-locale": {
		community: func(c *v1alpha1.Community) {
			c.Spec.Brand = v1alpha1.Brand{DisplayName: v1alpha1.TextByLocale{"en": "Lumière Lab"}, TimeZone: "UTC"}
		},
	},
	"network-policies-off": {
		class: func(c *v1alpha1.CommunityClass) {
			c.Spec.Isolation = &v1alpha1.ClassIsolation{NetworkPolicies: "Disabled"}
		},
	},
}

// newPlan resolves a scenario as the controller does.
func newPlan(t testing.TB, s scenario) stack.Plan {
	t.Helper()
	community, class := testutil.Community("lumiere"), testutil.CommunityClass("standard")
	if s.community != nil {
		s.community(community)
	}
	if s.class != nil {
		s.class(class)
	}
	p, err := stack.Resolve(community, class)
	if err != nil {
		t.Fatalf("resolve the plan: %v", err)
	}
	p.Hostnames = stack.WantedHostnames(community, class)
	p.OperatorNamespace = "community-system"
	p.Database.Password = "p@ss/word"
	p.Credentials = &stack.Credentials{Hash: "0123456789abcdef", Sources: `{"own":"7"}`, Files: map[string][]byte{
		control.FileControlToken: []byte("control-token-of-lumiere"),
	}}
	if uri := stack.DatabaseURI(p); uri != "" {
		p.Credentials.Files[control.FileDatabaseURI] = []byte(uri)
	}
	if s.plan != nil {
		s.plan(&p)
	}
	return p
}

// allPlans are the plans of every scenario, by name.
func allPlans(t testing.TB) map[string]stack.Plan {
	t.Helper()
	out := make(map[string]stack.Plan)
	for name, s := range scenarios {
		out[name] = newPlan(t, s)
	}
	return out
}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }

func useCloudNativePG(c *v1alpha1.CommunityClass) {
	c.Spec.Database = v1alpha1.ClassDatabase{Kind: v1alpha1.DatabaseCloudNativePG}
}

func useShared(c *v1alpha1.CommunityClass) {
	c.Spec.Database = v1alpha1.ClassDatabase{
		Kind:   v1alpha1.DatabaseShared,
		Shared: &v1alpha1.SharedDatabaseSettings{AdminSecretName: "postgres-admin"},
	}
}

func useExternal(c *v1alpha1.Community) {
	c.Spec.Database = &v1alpha1.CommunityDatabase{External: &v1alpha1.ExternalDatabase{SecretName: "lumiere-database"}}
}

func useIngress(c *v1alpha1.CommunityClass) {
	c.Spec.Routing.Kind = v1alpha1.RoutingIngress
	c.Spec.Routing.Gateway = nil
}

func useWildcard(c *v1alpha1.CommunityClass) {
	c.Spec.Routing.TLS = &v1alpha1.ClassTLS{Mode: v1alpha1.TLSWildcard}
}

func largeSize() v1alpha1.Size {
	return v1alpha1.Size{
		Name:     "large",
		Replicas: ptr.To[int32](3),
		Resources: &v1alpha1.Resources{
			Requests: &v1alpha1.ResourceAmounts{CPU: quantity("250m"), Memory: quantity("512Mi")},
			Limits:   &v1alpha1.ResourceAmounts{CPU: quantity("2"), Memory: quantity("1Gi")},
		},
		Database: &v1alpha1.DatabaseSize{
			Storage: quantity("20Gi"),
			Resources: &v1alpha1.Resources{
				Requests: &v1alpha1.ResourceAmounts{CPU: quantity("500m"), Memory: quantity("1Gi")},
				Limits:   &v1alpha1.ResourceAmounts{CPU: quantity("4"), Memory: quantity("2Gi")},
			},
		},
	}
}

func quantity(s string) *resource.Quantity { return ptr.To(resource.MustParse(s)) }

// overridingCommunity says everything that a Community can say about its children and its settings.
func overridingCommunity(c *v1alpha1.Community) {
	c.Spec.Brand = v1alpha1.Brand{
		DisplayName: v1alpha1.TextByLocale{"fr": "Atelier Lumière", "en": "Lumière Lab"},
		TagLine:     v1alpha1.TextByLocale{"fr": "Vos idées, notre lumière", "en": "Your ideas, our light"},
		LogoURL:     "https://lumiere.example/logo.svg",
		Colors: &v1alpha1.BrandColors{
			Primary: "#0B6E4F", Accent: "#FA9F42", Background: "#FFFFFF", Text: "#1A1A1A",
		},
		Locales:  []v1alpha1.Locale{"en", "fr"},
		TimeZone: "Europe/Brussels",
	}
	c.Spec.Hostnames = []v1alpha1.Hostname{"lumiere.communities.example.com", "ideas.lumiere.example"}
	c.Spec.Size = "large"
	c.Spec.Replicas = ptr.To[int32](5)
	c.Spec.Database = &v1alpha1.CommunityDatabase{Storage: quantity("50Gi"), Instances: ptr.To[int32](2)}
	c.Spec.TLS = &v1alpha1.CommunityTLS{SecretName: "lumiere-certificate"}
	c.Spec.OIDC = &v1alpha1.CommunityOIDC{
		IssuerURL:        "https://login.lumiere.example",
		ClientSecretName: "lumiere-login",
		Label:            v1alpha1.TextByLocale{"fr": "Compte Lumière", "en": "Lumière account"},
	}
}

// overridingClass says everything that a class can say about the children of its communities.
func overridingClass(c *v1alpha1.CommunityClass) {
	c.Spec.Database.Standalone.StorageClassName = ptr.To("fast")
	c.Spec.Routing = v1alpha1.ClassRouting{
		Kind: v1alpha1.RoutingIngress,
		Ingress: &v1alpha1.IngressSettings{
			ClassName:   ptr.To("public"),
			Annotations: map[string]string{"ingress.example/body-size": "8m"},
		},
		ApexDomain: "communities.example.com",
		TLS:        &v1alpha1.ClassTLS{Mode: v1alpha1.TLSWildcard},
		PublicPort: ptr.To[int32](8443),
	}
	c.Spec.Sizes = append(c.Spec.Sizes, largeSize())
	c.Spec.DefaultSize = "small"
	c.Spec.IdeaService.ImagePullPolicy = corev1.PullAlways
	c.Spec.IdeaService.ImagePullSecretNames = []string{"registry"}
	c.Spec.PodTemplate = &v1alpha1.PodTemplateOverrides{
		Annotations: map[string]string{
			"team.example/cost-centre":     "brands",
			v1alpha1.AnnotationCredentials: "the operator's own value wins",
		},
		NodeSelector: map[string]string{"node.example/pool": "communities"},
		Tolerations: []corev1.Toleration{{
			Key: "node.example/pool", Operator: corev1.TolerationOpEqual, Value: "communities", Effect: corev1.TaintEffectNoSchedule,
		}},
		Affinity: &corev1.Affinity{
			NodeAffinity: &corev1.NodeAffinity{
				RequiredDuringSchedulingIgnoredDuringExecution: &corev1.NodeSelector{
					NodeSelectorTerms: []corev1.NodeSelectorTerm{{MatchExpressions: []corev1.NodeSelectorRequirement{{
						Key: "kubernetes.io/arch", Operator: corev1.NodeSelectorOpIn, Values: []string{"amd64"},
					}}}},
				},
			},
			PodAntiAffinity: &corev1.PodAntiAffinity{
				PreferredDuringSchedulingIgnoredDuringExecution: []corev1.WeightedPodAffinityTerm{{
					Weight: 1,
					PodAffinityTerm: corev1.PodAffinityTerm{
						TopologyKey:   "node.example/rack",
						LabelSelector: &metav1.LabelSelector{MatchLabels: map[string]string{v1alpha1.LabelPartOf: "community"}},
					},
				}},
			},
		},
		PriorityClassName: "brands",
	}
	c.Spec.Isolation = &v1alpha1.ClassIsolation{
		NetworkPolicies:      "Enabled",
		ProxyNamespaces:      []string{"traefik", "edge"},
		MonitoringNamespaces: []string{"monitoring"},
	}
}
