package stack_test

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/utils/ptr"

	"github.com/quaeso/community-operator/api/v1alpha1"
	"github.com/quaeso/community-operator/internal/control"
	"github.com/quaeso/community-operator/internal/stack"
)

// mutation changes one field of a scenario. The children, or what is declared to the idea service, must differ
// afterwards. An empty scenario is "class-overrides-everything", which uses most fields.
type mutation struct {
	scenario  string
	community func(*v1alpha1.CommunitySpec)
	class     func(*v1alpha1.CommunityClassSpec)
}

// communityFields has a row for each field of CommunitySpec that the builders show.
var communityFields = map[string]mutation{
	"brand.displayName": {community: func(s *v1alpha1.CommunitySpec) { s.Brand.DisplayName["fr"] = "Autre" }},
	"brand.tagLine":     {community: func(s *v1alpha1.CommunitySpec) { s.Brand.TagLine["en"] = "Other" }},
	"brand.logoURL":     {community: func(s *v1alpha1.CommunitySpec) { s.Brand.LogoURL = "https://other.example/l.svg" }},
	"brand.colors.primary": {community: func(s *v1alpha1.CommunitySpec) {
		s.Brand.Colors.Primary = "#000001"
	}},
	"brand.colors.accent":     {community: func(s *v1alpha1.CommunitySpec) { s.Brand.Colors.Accent = "#000002" }},
	"brand.colors.background": {community: func(s *v1alpha1.CommunitySpec) { s.Brand.Colors.Background = "#000003" }},
	"brand.colors.text":       {community: func(s *v1alpha1.CommunitySpec) { s.Brand.Colors.Text = "#000004" }},
	"brand.locales":           {community: func(s *v1alpha1.CommunitySpec) { s.Brand.Locales = []v1alpha1.Locale{"fr"} }},
	"brand.timeZone":          {community: func(s *v1alpha1.CommunitySpec) { s.Brand.TimeZone = "UTC" }},
	"hostnames":               {community: func(s *v1alpha1.CommunitySpec) { s.Hostnames = s.Hostnames[:1] }},
	"size":                    {community: func(s *v1alpha1.CommunitySpec) { s.Size = "small" }},
	"replicas":                {community: func(s *v1alpha1.CommunitySpec) { s.Replicas = ptr.To[int32](4) }},
	"database.storage":        {community: func(s *v1alpha1.CommunitySpec) { s.Database.Storage = quantity("60Gi") }},
	"database.instances": {
		scenario:  "class-overrides-cloudnativepg",
		community: func(s *v1alpha1.CommunitySpec) { s.Database.Instances = ptr.To[int32](7) },
	},
	"tls.secretName": {community: func(s *v1alpha1.CommunitySpec) { s.TLS.SecretName = "other" }},
	"oidc.issuerURL": {community: func(s *v1alpha1.CommunitySpec) { s.OIDC.IssuerURL = "https://other.example" }},
	"house":          {community: func(s *v1alpha1.CommunitySpec) { s.House = &v1alpha1.House{Qualify: 5} }},
	"oidc.label":     {community: func(s *v1alpha1.CommunitySpec) { s.OIDC.Label["en"] = "Other" }},
}

// communityFieldsElsewhere are worked on outside this package.
var communityFieldsElsewhere = map[string]string{
	"className":                    "the controller reads the class that it names",
	"database.external.secretName": "the controller reads the Secret into the credentials",
	"mail.secretName":              "the controller reads the Secret into the credentials",
	"oidc.clientSecretName":        "the controller reads the Secret into the credentials",
	"paused":                       "the controller applies nothing",
	"deletionProtection":           "a ValidatingAdmissionPolicy refuses the deletion",
	"deletionPolicy":               "the controller keeps or drops the data on deletion",
}

// classFields has a row for each field of CommunityClassSpec that the builders show.
var classFields = map[string]mutation{
	"database.kind": {class: func(s *v1alpha1.CommunityClassSpec) { s.Database.Kind = v1alpha1.DatabaseCloudNativePG }},
	"database.cloudNativePG.instances": {
		scenario: "cloudnativepg-high-availability",
		class:    func(s *v1alpha1.CommunityClassSpec) { s.Database.CloudNativePG.Instances = ptr.To[int32](5) },
	},
	"database.cloudNativePG.imageName": {
		scenario: "cloudnativepg-high-availability",
		class:    func(s *v1alpha1.CommunityClassSpec) { s.Database.CloudNativePG.ImageName = "other" },
	},
	"database.cloudNativePG.storageClassName": {
		scenario: "cloudnativepg-high-availability",
		class:    func(s *v1alpha1.CommunityClassSpec) { s.Database.CloudNativePG.StorageClassName = ptr.To("other") },
	},
	"database.cloudNativePG.parameters": {
		scenario: "cloudnativepg-high-availability",
		class:    func(s *v1alpha1.CommunityClassSpec) { s.Database.CloudNativePG.Parameters["work_mem"] = "8MB" },
	},
	"database.standalone.image": {class: func(s *v1alpha1.CommunityClassSpec) { s.Database.Standalone.Image = "other" }},
	"database.standalone.storageClassName": {class: func(s *v1alpha1.CommunityClassSpec) {
		s.Database.Standalone.StorageClassName = ptr.To("other")
	}},
	"routing.kind": {class: func(s *v1alpha1.CommunityClassSpec) {
		s.Routing.Kind = v1alpha1.RoutingGateway
		s.Routing.Gateway = &v1alpha1.GatewayReference{Name: "public", Namespace: "gateway-system"}
	}},
	"routing.gateway.name": {
		scenario: "gateway-brand-domain",
		class:    func(s *v1alpha1.CommunityClassSpec) { s.Routing.Gateway.Name = "other" },
	},
	"routing.gateway.namespace": {
		scenario: "gateway-brand-domain",
		class:    func(s *v1alpha1.CommunityClassSpec) { s.Routing.Gateway.Namespace = "other" },
	},
	"routing.gateway.sectionName": {
		scenario: "gateway-brand-domain",
		class:    func(s *v1alpha1.CommunityClassSpec) { s.Routing.Gateway.SectionName = ptr.To("other") },
	},
	"routing.ingress.className": {class: func(s *v1alpha1.CommunityClassSpec) {
		s.Routing.Ingress.ClassName = ptr.To("other")
	}},
	"routing.ingress.annotations": {class: func(s *v1alpha1.CommunityClassSpec) {
		s.Routing.Ingress.Annotations["ingress.example/body-size"] = "1m"
	}},
	"routing.apexDomain": {
		scenario: "standalone-gateway",
		class:    func(s *v1alpha1.CommunityClassSpec) { s.Routing.ApexDomain = "other.example" },
	},
	"routing.tls.mode": {
		scenario: "gateway-brand-domain",
		class:    func(s *v1alpha1.CommunityClassSpec) { s.Routing.TLS.Mode = v1alpha1.TLSCertManager },
	},
	"routing.tls.issuerRef.name": {
		scenario: "gateway-brand-domain",
		class:    func(s *v1alpha1.CommunityClassSpec) { s.Routing.TLS.IssuerRef.Name = "other" },
	},
	"routing.tls.issuerRef.kind": {
		scenario: "gateway-brand-domain",
		class:    func(s *v1alpha1.CommunityClassSpec) { s.Routing.TLS.IssuerRef.Kind = "ClusterIssuer" },
	},
	"routing.publicPort": {class: func(s *v1alpha1.CommunityClassSpec) { s.Routing.PublicPort = ptr.To[int32](443) }},
	"sizes[].name": {
		scenario: "cloudnativepg-high-availability",
		class: func(s *v1alpha1.CommunityClassSpec) {
			s.Sizes[0].Name, s.Sizes[1].Name = s.Sizes[1].Name, s.Sizes[0].Name
		},
	},
	"sizes[].replicas": {
		scenario: "cloudnativepg-high-availability",
		class:    func(s *v1alpha1.CommunityClassSpec) { s.Sizes[1].Replicas = ptr.To[int32](9) },
	},
	"sizes[].resources.requests.cpu":             largeAmount(func(s *v1alpha1.Size) **resource.Quantity { return &s.Resources.Requests.CPU }),
	"sizes[].resources.requests.memory":          largeAmount(func(s *v1alpha1.Size) **resource.Quantity { return &s.Resources.Requests.Memory }),
	"sizes[].resources.limits.cpu":               largeAmount(func(s *v1alpha1.Size) **resource.Quantity { return &s.Resources.Limits.CPU }),
	"sizes[].resources.limits.memory":            largeAmount(func(s *v1alpha1.Size) **resource.Quantity { return &s.Resources.Limits.Memory }),
	"sizes[].database.resources.requests.cpu":    largeAmount(func(s *v1alpha1.Size) **resource.Quantity { return &s.Database.Resources.Requests.CPU }),
	"sizes[].database.resources.requests.memory": largeAmount(func(s *v1alpha1.Size) **resource.Quantity { return &s.Database.Resources.Requests.Memory }),
	"sizes[].database.resources.limits.cpu":      largeAmount(func(s *v1alpha1.Size) **resource.Quantity { return &s.Database.Resources.Limits.CPU }),
	"sizes[].database.resources.limits.memory":   largeAmount(func(s *v1alpha1.Size) **resource.Quantity { return &s.Database.Resources.Limits.Memory }),
	"sizes[].database.storage": {
		scenario: "cloudnativepg-high-availability",
		class:    func(s *v1alpha1.CommunityClassSpec) { s.Sizes[1].Database.Storage = quantity("33Gi") },
	},
	"defaultSize": {
		scenario: "cloudnativepg-high-availability",
		class:    func(s *v1alpha1.CommunityClassSpec) { s.DefaultSize = "small" },
	},
	"ideaService.image": {class: func(s *v1alpha1.CommunityClassSpec) { s.IdeaService.Image = "other" }},
	"ideaService.imagePullPolicy": {class: func(s *v1alpha1.CommunityClassSpec) {
		s.IdeaService.ImagePullPolicy = corev1.PullNever
	}},
	"podTemplate.annotations":       {class: func(s *v1alpha1.CommunityClassSpec) { s.PodTemplate.Annotations["a"] = "b" }},
	"podTemplate.nodeSelector":      {class: func(s *v1alpha1.CommunityClassSpec) { s.PodTemplate.NodeSelector["a"] = "b" }},
	"podTemplate.tolerations":       {class: func(s *v1alpha1.CommunityClassSpec) { s.PodTemplate.Tolerations[0].Key = "other" }},
	"podTemplate.affinity":          {class: func(s *v1alpha1.CommunityClassSpec) { s.PodTemplate.Affinity.NodeAffinity = nil }},
	"podTemplate.priorityClassName": {class: func(s *v1alpha1.CommunityClassSpec) { s.PodTemplate.PriorityClassName = "other" }},
	"isolation.networkPolicies":     {class: func(s *v1alpha1.CommunityClassSpec) { s.Isolation.NetworkPolicies = "Disabled" }},
	"isolation.proxyNamespaces":     {class: func(s *v1alpha1.CommunityClassSpec) { s.Isolation.ProxyNamespaces = nil }},
	"isolation.monitoringNamespaces": {class: func(s *v1alpha1.CommunityClassSpec) {
		s.Isolation.MonitoringNamespaces = append(s.Isolation.MonitoringNamespaces, "other")
	}},
}

// classFieldsElsewhere are worked on outside this package.
var classFieldsElsewhere = map[string]string{
	"default":                          "the controller chooses the class of communities that name none",
	"database.shared.adminSecretName":  "the controller makes database and role, and the credentials",
	"database.shared.host":             "the controller writes it into the credentials",
	"database.shared.port":             "the controller writes it into the credentials",
	"database.shared.connectionLimit":  "the controller makes the role",
	"ideaService.imagePullSecretNames": "the controller merges them into the plan's PullSecret",
	"mail.host":                        "the controller writes it into the credentials",
	"mail.port":                        "the controller writes it into the credentials",
	"mail.tls":                         "the controller writes it into the credentials",
	"mail.from":                        "the controller writes it into the credentials",
	"mail.credentialsSecretName":       "the controller writes it into the credentials",
}

func largeAmount(field func(*v1alpha1.Size) **resource.Quantity) mutation {
	return mutation{
		scenario: "cloudnativepg-high-availability",
		class:    func(s *v1alpha1.CommunityClassSpec) { *field(&s.Sizes[1]) = quantity("768Mi") },
	}
}

// TestEveryFieldShows: a field that can be set and changes nothing is a lie to whoever sets it. A new field
// needs a row in one of the tables above.
func TestEveryFieldShows(t *testing.T) {
	tests := map[string]struct {
		spec      reflect.Type
		shown     map[string]mutation
		elsewhere map[string]string
	}{
		"Community":      {reflect.TypeFor[v1alpha1.CommunitySpec](), communityFields, communityFieldsElsewhere},
		"CommunityClass": {reflect.TypeFor[v1alpha1.CommunityClassSpec](), classFields, classFieldsElsewhere},
	}
	for kind, tt := range tests {
		t.Run(kind, func(t *testing.T) {
			fields := map[string]bool{}
			specFields(tt.spec, "", fields)
			for _, field := range sortedKeys(fields) {
				m, shown := tt.shown[field]
				_, elsewhere := tt.elsewhere[field]
				switch {
				case shown && elsewhere:
					t.Errorf("field %s is in both tables", field)
				case shown:
					t.Run(field, func(t *testing.T) { checkShows(t, m) })
				case !elsewhere:
					t.Errorf("field %s has no row: show it in the children or the settings and add a mutation, "+
						"or say where it is worked on", field)
				}
			}
			for _, field := range append(sortedKeys(tt.shown), sortedKeys(tt.elsewhere)...) {
				if !fields[field] {
					t.Errorf("row %s is of a field that does not exist", field)
				}
			}
		})
	}
}

// specFields collects the paths of the fields that people set. Types of other packages count as one field, and so do the
// house rules, whose fields the tests of internal/declaration count.
func specFields(typ reflect.Type, path string, out map[string]bool) {
	switch {
	case typ == reflect.TypeFor[*v1alpha1.House]():
		out[path] = true
	case typ.Kind() == reflect.Pointer:
		specFields(typ.Elem(), path, out)
	case typ.Kind() == reflect.Slice && isOurs(typ.Elem()):
		specFields(typ.Elem(), path+"[]", out)
	case isOurs(typ):
		for i := range typ.NumField() {
			name, _, _ := strings.Cut(typ.Field(i).Tag.Get("json"), ",")
			specFields(typ.Field(i).Type, strings.TrimPrefix(path+"."+name, "."), out)
		}
	default:
		out[path] = true
	}
}

func isOurs(typ reflect.Type) bool {
	return typ.Kind() == reflect.Struct && typ.PkgPath() == reflect.TypeFor[v1alpha1.Community]().PkgPath()
}

func checkShows(t *testing.T, m mutation) {
	t.Helper()
	name := m.scenario
	if name == "" {
		name = "class-overrides-everything"
	}
	base, changed := scenarios[name], scenarios[name]
	changed.community = func(c *v1alpha1.Community) {
		if base.community != nil {
			base.community(c)
		}
		if m.community != nil {
			m.community(&c.Spec)
		}
	}
	changed.class = func(c *v1alpha1.CommunityClass) {
		if base.class != nil {
			base.class(c)
		}
		if m.class != nil {
			m.class(&c.Spec)
		}
	}
	if output(t, newPlan(t, base)) == output(t, newPlan(t, changed)) {
		t.Errorf("scenario %s: the change shows neither in the children nor in the settings", name)
	}
}

// output is everything that a plan leads to, apart from the connection URI, which is made from the plan by the
// scenario itself.
func output(t testing.TB, p stack.Plan) string {
	t.Helper()
	raw, err := json.Marshal(struct {
		Objects  []runtime.ApplyConfiguration
		Settings control.Settings
	}{stack.Objects(p), stack.Settings(p)})
	if err != nil {
		t.Fatalf("marshal what the plan leads to: %v", err)
	}
	return string(raw)
}
