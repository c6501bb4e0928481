package stack_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	networkingv1 "k8s.io/api/networking/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/utils/ptr"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/quaeso/community-operator/api/v1alpha1"
	"github.com/quaeso/community-operator/internal/certmanager"
	"github.com/quaeso/community-operator/internal/stack"
)

const (
	apexHost  = "lumiere.communities.example.com"
	brandHost = "ideas.lumiere.example"
)

// certificates says which Secret serves which hostnames.
type certificates struct {
	// Wildcard hosts are served by whoever runs the proxy, Secrets' hosts by the community's own certificate.
	Wildcard []string
	Secrets  map[string][]string
	// Issued names are asked of cert-manager.
	Issued []string
}

// TestCertificates: the same hostnames get the same certificates behind a Gateway and behind an Ingress.
func TestCertificates(t *testing.T) {
	issuer := &v1alpha1.IssuerReference{Name: "brands"}
	brings := &v1alpha1.CommunityTLS{SecretName: "brand-tls"}
	tests := map[string]struct {
		class     *v1alpha1.ClassTLS
		community *v1alpha1.CommunityTLS
		hostnames []v1alpha1.Hostname
		wantURL   string
		want      certificates
	}{
		"plain HTTP": {
			hostnames: []v1alpha1.Hostname{apexHost, brandHost},
			wantURL:   "http://" + apexHost,
		},
		"wildcard": {
			class:   &v1alpha1.ClassTLS{Mode: v1alpha1.TLSWildcard},
			wantURL: "https://" + apexHost,
			want:    certificates{Wildcard: []string{apexHost}},
		},
		"wildcard does not cover two labels": {
			class:     &v1alpha1.ClassTLS{Mode: v1alpha1.TLSWildcard},
			hostnames: []v1alpha1.Hostname{"a.b.communities.example.com", apexHost},
			wantURL:   "http://a.b.communities.example.com",
			want:      certificates{Wildcard: []string{apexHost}},
		},
		"wildcard, a brand without certificate": {
			class:     &v1alpha1.ClassTLS{Mode: v1alpha1.TLSWildcard},
			hostnames: []v1alpha1.Hostname{brandHost, apexHost},
			wantURL:   "http://" + brandHost,
			want:      certificates{Wildcard: []string{apexHost}},
		},
		"wildcard, the issuer for a brand": {
			class:     &v1alpha1.ClassTLS{Mode: v1alpha1.TLSWildcard, IssuerRef: issuer},
			hostnames: []v1alpha1.Hostname{brandHost, apexHost},
			wantURL:   "https://" + brandHost,
			want: certificates{
				Wildcard: []string{apexHost},
				Secrets:  map[string][]string{"lumiere-tls": {brandHost}},
				Issued:   []string{brandHost},
			},
		},
		"wildcard, the issuer is not needed": {
			class:     &v1alpha1.ClassTLS{Mode: v1alpha1.TLSWildcard, IssuerRef: issuer},
			hostnames: []v1alpha1.Hostname{apexHost},
			wantURL:   "https://" + apexHost,
			want:      certificates{Wildcard: []string{apexHost}},
		},
		"wildcard, the brand brings a Secret": {
			class:     &v1alpha1.ClassTLS{Mode: v1alpha1.TLSWildcard, IssuerRef: issuer},
			community: brings,
			hostnames: []v1alpha1.Hostname{apexHost, brandHost},
			wantURL:   "https://" + apexHost,
			want:      certificates{Wildcard: []string{apexHost}, Secrets: map[string][]string{"brand-tls": {brandHost}}},
		},
		"no TLS in the class, the brand brings a Secret": {
			community: brings,
			hostnames: []v1alpha1.Hostname{brandHost, apexHost},
			wantURL:   "https://" + brandHost,
			want:      certificates{Secrets: map[string][]string{"brand-tls": {brandHost, apexHost}}},
		},
		"cert-manager for all": {
			class:     &v1alpha1.ClassTLS{Mode: v1alpha1.TLSCertManager, IssuerRef: issuer},
			hostnames: []v1alpha1.Hostname{brandHost, apexHost},
			wantURL:   "https://" + brandHost,
			want: certificates{
				Secrets: map[string][]string{"lumiere-tls": {brandHost, apexHost}},
				Issued:  []string{brandHost, apexHost},
			},
		},
		"cert-manager, the brand brings a Secret": {
			class:     &v1alpha1.ClassTLS{Mode: v1alpha1.TLSCertManager, IssuerRef: issuer},
			community: brings,
			hostnames: []v1alpha1.Hostname{brandHost},
			wantURL:   "https://" + brandHost,
			want:      certificates{Secrets: map[string][]string{"brand-tls": {brandHost}}},
		},
	}
	for name, tt := range tests {
		s := scenario{
			community: func(c *v1alpha1.Community) { c.Spec.TLS, c.Spec.Hostnames = tt.community, tt.hostnames },
			class:     func(c *v1alpha1.CommunityClass) { c.Spec.Routing.TLS = tt.class },
		}
		t.Run(name+"/gateway", func(t *testing.T) {
			p := newPlan(t, s)
			want := tt.want
			want.Wildcard = nil // the Gateway's own listeners are not ours to describe
			if diff := cmp.Diff(want, gatewayCertificates(t, p)); diff != "" {
				t.Errorf("certificates (-want +got):\n%s", diff)
			}
			if p.URL() != tt.wantURL {
				t.Errorf("url is %s, want %s", p.URL(), tt.wantURL)
			}
		})
		t.Run(name+"/ingress", func(t *testing.T) {
			p := newPlan(t, s)
			p.Class = p.Class.DeepCopy()
			useIngress(p.Class)
			if diff := cmp.Diff(tt.want, ingressCertificates(t, p)); diff != "" {
				t.Errorf("certificates (-want +got):\n%s", diff)
			}
		})
	}
}

func gatewayCertificates(t *testing.T, p stack.Plan) certificates {
	t.Helper()
	out := certificates{Issued: issued(t, p)}
	var set gatewayv1.ListenerSet
	if !read(t, p, "ListenerSet", &set) {
		return out
	}
	out.Secrets = map[string][]string{}
	for _, l := range set.Spec.Listeners {
		for _, ref := range l.TLS.CertificateRefs {
			out.Secrets[string(ref.Name)] = append(out.Secrets[string(ref.Name)], string(*l.Hostname))
		}
	}
	return out
}

func ingressCertificates(t *testing.T, p stack.Plan) certificates {
	t.Helper()
	out := certificates{Issued: issued(t, p)}
	var ingress networkingv1.Ingress
	if !read(t, p, "Ingress", &ingress) {
		t.Fatal("there is no Ingress")
	}
	for _, tls := range ingress.Spec.TLS {
		if tls.SecretName == "" {
			out.Wildcard = append(out.Wildcard, tls.Hosts...)
			continue
		}
		if out.Secrets == nil {
			out.Secrets = map[string][]string{}
		}
		out.Secrets[tls.SecretName] = tls.Hosts
	}
	return out
}

func issued(t *testing.T, p stack.Plan) []string {
	t.Helper()
	var c certmanager.Certificate
	if !read(t, p, "Certificate", &c) {
		return nil
	}
	if c.Spec.SecretName != c.Name {
		t.Errorf("Certificate %s fills Secret %s, not one of its own name", c.Name, c.Spec.SecretName)
	}
	return c.Spec.DNSNames
}

// read finds the plan's object of a kind and reads it into the API's type, which must know every field.
func read(t *testing.T, p stack.Plan, kind string, into any) bool {
	t.Helper()
	for _, object := range stack.Objects(p) {
		o := toMap(t, object)
		if o["kind"] != kind {
			continue
		}
		if err := runtime.DefaultUnstructuredConverter.FromUnstructuredWithValidation(o, into, true); err != nil {
			t.Fatalf("read the %s: %v", kind, err)
		}
		return true
	}
	return false
}

func TestURL(t *testing.T) {
	tests := map[string]struct {
		port      *int32
		tls       bool
		hostnames []string
		want      string
	}{
		"http":                          {nil, false, []string{apexHost}, "http://" + apexHost},
		"https":                         {nil, true, []string{apexHost}, "https://" + apexHost},
		"a forwarded port":              {ptr.To[int32](8080), false, []string{apexHost}, "http://" + apexHost + ":8080"},
		"a forwarded port with TLS":     {ptr.To[int32](8443), true, []string{apexHost}, "https://" + apexHost + ":8443"},
		"the standard port":             {ptr.To[int32](80), false, []string{apexHost}, "http://" + apexHost},
		"the standard port with TLS":    {ptr.To[int32](443), true, []string{apexHost}, "https://" + apexHost},
		"the other scheme's port":       {ptr.To[int32](443), false, []string{apexHost}, "http://" + apexHost + ":443"},
		"the first hostname":            {nil, true, []string{"a.communities.example.com", apexHost}, "https://a.communities.example.com"},
		"no hostname is held, no route": {nil, true, nil, ""},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			p := newPlan(t, scenario{
				class: func(c *v1alpha1.CommunityClass) {
					c.Spec.Routing.PublicPort = tt.port
					if tt.tls {
						useWildcard(c)
					}
				},
				plan: func(p *stack.Plan) { p.Hostnames = tt.hostnames },
			})
			if p.URL() != tt.want {
				t.Errorf("url is %q, want %q", p.URL(), tt.want)
			}
			if got := stack.Settings(p).BaseURL; got != tt.want {
				t.Errorf("the idea service is told %q, want %q", got, tt.want)
			}
		})
	}
}

func TestUnderApex(t *testing.T) {
	tests := map[string]bool{
		"lumiere.communities.example.com": true,
		"communities.example.com":         false,
		"a.b.communities.example.com":     false,
		"lumierecommunities.example.com":  false,
		".communities.example.com":        false,
		"lumiere.example":                 false,
	}
	for hostname, want := range tests {
		if got := stack.UnderApex(hostname, "communities.example.com"); got != want {
			t.Errorf("UnderApex(%q) is %t, want %t", hostname, got, want)
		}
	}
}

// TestRouteNeverReachesControl: no route leads to another port than the pages'.
func TestRouteNeverReachesControl(t *testing.T) {
	for name, p := range allPlans(t) {
		t.Run(name, func(t *testing.T) {
			var route gatewayv1.HTTPRoute
			if read(t, p, "HTTPRoute", &route) {
				for _, rule := range route.Spec.Rules {
					for _, b := range rule.BackendRefs {
						if string(b.Name) != "lumiere" || *b.Port != 80 || b.Namespace != nil {
							t.Errorf("the HTTPRoute leads to %s:%d", b.Name, *b.Port)
						}
					}
				}
				if len(route.Spec.Hostnames) == 0 {
					t.Error("the HTTPRoute takes every hostname")
				}
			}
			var ingress networkingv1.Ingress
			if read(t, p, "Ingress", &ingress) {
				for _, rule := range ingress.Spec.Rules {
					if b := rule.HTTP.Paths[0].Backend.Service; b.Name != "lumiere" || b.Port.Name != "http" {
						t.Errorf("the Ingress leads to %s:%s", b.Name, b.Port.Name)
					}
					if rule.Host == "" {
						t.Error("the Ingress takes every hostname")
					}
				}
			}
		})
	}
}
