package stack_test

import (
	"testing"

	corev1 "k8s.io/api/core/v1"

	"github.com/quaeso/community-operator/api/v1alpha1"
	"github.com/quaeso/community-operator/internal/cnpg"
	"github.com/quaeso/community-operator/internal/stack"
	"github.com/quaeso/community-operator/internal/testutil"
)

// endpoints around the community brands/lumiere. soleil is another community of the same namespace, and rivals
// has a community that is called lumiere as well.
var endpoints = map[string]endpoint{
	"ideas":              pod("brands", "10.0.0.10", stack.Labels("lumiere", v1alpha1.ComponentIdeas)),
	"database":           pod("brands", "10.0.0.11", stack.Labels("lumiere", v1alpha1.ComponentDatabase)),
	"cnpg database":      pod("brands", "10.0.0.12", map[string]string{cnpg.LabelCluster: "lumiere-db"}),
	"cnpg replica":       pod("brands", "10.0.0.13", map[string]string{cnpg.LabelCluster: "lumiere-db"}),
	"soleil":             pod("brands", "10.0.0.20", stack.Labels("soleil", v1alpha1.ComponentIdeas)),
	"soleil database":    pod("brands", "10.0.0.21", stack.Labels("soleil", v1alpha1.ComponentDatabase)),
	"rivals":             pod("rivals", "10.0.1.10", stack.Labels("lumiere", v1alpha1.ComponentIdeas)),
	"rivals database":    pod("rivals", "10.0.1.11", stack.Labels("lumiere", v1alpha1.ComponentDatabase)),
	"proxy":              pod("gateway-system", "10.0.2.1", nil),
	"edge proxy":         pod("edge", "10.0.2.2", nil),
	"operator":           pod("community-system", "10.0.3.1", operatorLabels),
	"operator neighbour": pod("community-system", "10.0.3.2", nil),
	"operator impostor":  pod("rivals", "10.0.1.12", operatorLabels),
	"monitoring":         pod("monitoring", "10.0.4.1", nil),
	"cnpg operator":      pod("cnpg-system", "10.0.5.1", map[string]string{v1alpha1.LabelName: "cloudnative-pg"}),
	"dns":                pod("kube-system", "10.0.6.1", nil),
	"api server":         {ip: "10.96.0.1"},
	"metadata service":   {ip: "169.254.169.254"},
	"company network":    {ip: "192.168.1.10"},
	"carrier network":    {ip: "100.64.7.7"},
	"internet":           {ip: "203.0.113.7"},
	"internet v6":        {ip: "2001:db8::7"},
	"private v6":         {ip: "fd00::7"},
	"link-local v6":      {ip: "fe80::7"},
}

var operatorLabels = map[string]string{v1alpha1.LabelName: "community-operator"}

func pod(namespace, ip string, labels map[string]string) endpoint {
	return endpoint{namespace: namespace, labels: labels, ip: ip}
}

// route is traffic that a policy lets through or not.
type route struct {
	from, to string
	port     int32
	want     bool
}

// Ports of the idea service.
const (
	httpPort       = stack.PortHTTP
	controlPort    = stack.PortControl
	managementPort = stack.PortManagement
	postgresPort   = stack.PortPostgres
)

func TestWhoReachesWhat(t *testing.T) {
	tests := map[string]struct {
		scenario scenario
		routes   []route
	}{
		"standalone behind a gateway": {
			routes: []route{
				{"proxy", "ideas", httpPort, true},
				{"proxy", "ideas", controlPort, false},
				{"proxy", "ideas", managementPort, false},
				{"edge proxy", "ideas", httpPort, false},
				{"soleil", "ideas", httpPort, false},
				{"soleil", "ideas", controlPort, false},
				{"rivals", "ideas", httpPort, false},
				{"rivals", "ideas", controlPort, false},
				{"internet", "ideas", httpPort, false},
				{"operator", "ideas", controlPort, true},
				{"operator", "ideas", httpPort, false},
				{"operator neighbour", "ideas", controlPort, false},
				{"operator impostor", "ideas", controlPort, false},
				{"monitoring", "ideas", managementPort, false},

				{"ideas", "database", postgresPort, true},
				{"soleil", "database", postgresPort, false},
				{"rivals", "database", postgresPort, false},
				{"soleil database", "database", postgresPort, false},
				{"proxy", "database", postgresPort, false},
				{"operator", "database", postgresPort, false},

				{"ideas", "soleil", controlPort, false},
				{"ideas", "soleil database", postgresPort, false},
				{"ideas", "rivals database", postgresPort, false},
				{"ideas", "api server", 443, false},
				{"ideas", "metadata service", 80, false},
				{"ideas", "internet", 443, false},
				{"ideas", "internet", 80, false},
				{"ideas", "internet", 587, false},
				{"ideas", "operator", 8443, false},

				{"database", "internet", 443, false},
				{"database", "api server", 443, false},
				{"database", "dns", 53, false},
				{"database", "ideas", httpPort, false},
			},
		},
		"cloudNativePG": {
			scenario: scenarios["cloudnativepg-gateway-wildcard"],
			routes: []route{
				{"ideas", "cnpg database", postgresPort, true},
				{"ideas", "cnpg database", cnpg.InstancePort, false},
				{"soleil", "cnpg database", postgresPort, false},
				{"rivals", "cnpg database", postgresPort, false},
				{"cnpg operator", "cnpg database", cnpg.InstancePort, true},
				{"cnpg operator", "cnpg database", postgresPort, false},
				{"operator", "cnpg database", cnpg.InstancePort, false},
				{"cnpg replica", "cnpg database", postgresPort, true},
				{"cnpg replica", "cnpg database", cnpg.InstancePort, true},
				{"cnpg database", "api server", 443, true},
				{"ideas", "api server", 443, false},
			},
		},
		"shared server, mail, any ingress controller": {
			scenario: scenario{class: func(c *v1alpha1.CommunityClass) { useShared(c); useIngress(c) },
				plan: func(p *stack.Plan) { p.Credentials.DatabasePort, p.Credentials.SMTPPort = 6432, 2525 }},
			routes: []route{
				{"proxy", "ideas", httpPort, true},
				{"internet", "ideas", httpPort, true},
				{"proxy", "ideas", controlPort, false},
				{"ideas", "company network", 6432, true},
				{"ideas", "company network", 5432, false},
				{"ideas", "internet", 2525, true},
				{"ideas", "internet", 25, false},
			},
		},
		"external database": {
			scenario: scenario{community: useExternal, plan: func(p *stack.Plan) { p.Credentials.DatabasePort = 5432 }},
			routes: []route{
				{"ideas", "internet", 5432, true},
				{"ideas", "company network", 5432, true},
				{"ideas", "internet", 443, false},
			},
		},
		"an own database opens no way to others": {
			scenario: scenario{plan: func(p *stack.Plan) { p.Credentials.DatabasePort = 5432 }},
			routes: []route{
				{"ideas", "database", postgresPort, true},
				{"ideas", "rivals database", postgresPort, false},
				{"ideas", "internet", 5432, false},
			},
		},
		"single sign-on": {
			scenario: scenario{community: func(c *v1alpha1.Community) {
				c.Spec.OIDC = &v1alpha1.CommunityOIDC{IssuerURL: "https://login.example:8443", ClientSecretName: "login"}
			}},
			routes: []route{
				{"ideas", "internet", 443, true},
				{"ideas", "internet", 8443, true},
				{"ideas", "internet", 80, false},
				{"ideas", "internet v6", 443, true},
				{"ideas", "api server", 443, false},
				{"ideas", "metadata service", 443, false},
				{"ideas", "company network", 443, false},
				{"ideas", "carrier network", 443, false},
				{"ideas", "private v6", 443, false},
				{"ideas", "link-local v6", 443, false},
				{"ideas", "rivals", 443, false},
			},
		},
		"namespaces of the class": {
			scenario: scenario{class: func(c *v1alpha1.CommunityClass) {
				c.Spec.Isolation = &v1alpha1.ClassIsolation{
					ProxyNamespaces: []string{"edge"}, MonitoringNamespaces: []string{"monitoring"},
				}
			}},
			routes: []route{
				{"edge proxy", "ideas", httpPort, true},
				{"proxy", "ideas", httpPort, false},
				{"monitoring", "ideas", managementPort, true},
				{"monitoring", "ideas", httpPort, false},
				{"monitoring", "ideas", controlPort, false},
				{"edge proxy", "ideas", managementPort, false},
			},
		},
		"the operator runs outside the cluster": {
			scenario: scenario{plan: func(p *stack.Plan) { p.OperatorNamespace = "" }},
			routes: []route{
				{"operator impostor", "ideas", controlPort, false},
				{"proxy", "ideas", controlPort, false},
				{"proxy", "ideas", httpPort, true},
			},
		},
		"no credentials yet": {
			scenario: scenarios["no-credentials-yet"],
			routes: []route{
				{"proxy", "ideas", httpPort, true},
				{"ideas", "database", postgresPort, true},
				{"ideas", "internet", 587, false},
			},
		},
		"policies are off": {
			scenario: scenarios["network-policies-off"],
			routes: []route{
				{"rivals", "database", postgresPort, true},
				{"rivals", "ideas", controlPort, true},
			},
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			w := newPolicyWorld(t, newPlan(t, tt.scenario))
			for _, r := range tt.routes {
				if got := w.reaches(endpointNamed(t, r.from), endpointNamed(t, r.to), corev1.ProtocolTCP, r.port); got != r.want {
					t.Errorf("%s reaches %s:%d is %t, want %t", r.from, r.to, r.port, got, r.want)
				}
			}
		})
	}
}

// TestNames: every community can look up names, over UDP and, for long answers, over TCP.
func TestNames(t *testing.T) {
	for name, p := range allPlans(t) {
		w := newPolicyWorld(t, p)
		for _, protocol := range []corev1.Protocol{corev1.ProtocolUDP, corev1.ProtocolTCP} {
			if !w.reaches(endpoints["ideas"], endpoints["dns"], protocol, 53) {
				t.Errorf("%s: ideas cannot reach names over %s", name, protocol)
			}
		}
	}
}

// TestNeighbours: the policies of two communities in one namespace do not open anything to each other.
func TestNeighbours(t *testing.T) {
	lumiere := newPlan(t, scenario{})
	soleil := lumiere
	soleil.Community = testutil.Community("soleil")
	w := newPolicyWorld(t, lumiere, soleil)
	for _, r := range []route{
		{"ideas", "database", postgresPort, true},
		{"soleil", "soleil database", postgresPort, true},
		{"soleil", "database", postgresPort, false},
		{"ideas", "soleil database", postgresPort, false},
		{"soleil", "ideas", controlPort, false},
		{"soleil", "ideas", httpPort, false},
	} {
		if got := w.reaches(endpointNamed(t, r.from), endpointNamed(t, r.to), corev1.ProtocolTCP, r.port); got != r.want {
			t.Errorf("%s reaches %s:%d is %t, want %t", r.from, r.to, r.port, got, r.want)
		}
	}
}

func endpointNamed(t *testing.T, name string) endpoint {
	t.Helper()
	e, ok := endpoints[name]
	if !ok {
		t.Fatalf("no endpoint is called %q", name)
	}
	return e
}
