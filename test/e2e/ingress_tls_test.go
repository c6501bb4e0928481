//go:build e2e

package e2e

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"net/http"
	"slices"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/quaeso/community-operator/api/v1alpha1"
	"github.com/quaeso/community-operator/internal/certmanager"
	"github.com/quaeso/community-operator/internal/stack"
)

// throughIngress makes a class route through Traefik's ingress controller.
func throughIngress(class *v1alpha1.CommunityClass) {
	class.Spec.Routing.Kind = v1alpha1.RoutingIngress
	class.Spec.Routing.Gateway = nil
	class.Spec.Routing.Ingress = &v1alpha1.IngressSettings{ClassName: ptr.To("traefik")}
}

// TestIngressTLS serves a community through an Ingress with a certificate that the brand brings: first with the
// Secret missing and of a wrong kind, then right. The page opens by https with that certificate and no other.
func TestIngressTLS(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "ingresstls", throughIngress)
	host := "ideas." + w.namespace + ".example"
	authority, certificate := newCertificate(t, host)
	c := w.create(w.community("lumiere", func(c *v1alpha1.Community) {
		c.Spec.Hostnames = []v1alpha1.Hostname{v1alpha1.Hostname(host)}
		c.Spec.TLS = &v1alpha1.CommunityTLS{SecretName: "brand-tls"}
	}))
	w.waitStalled(c, expect{v1alpha1.ConditionRouteReady, v1alpha1.ReasonSecretNotFound, []string{w.namespace + "/brand-tls", "kubectl create secret tls"}})
	opaque := secret(w.namespace, "brand-tls", map[string]string{"certificate": "elsewhere"})
	w.createAll(opaque)
	w.waitStalled(c, expect{v1alpha1.ConditionRouteReady, v1alpha1.ReasonSecretIncomplete, []string{"Opaque", "kubernetes.io/tls"}})
	w.delete(opaque)
	certificate.Namespace, certificate.Name = w.namespace, "brand-tls"
	w.createAll(certificate)
	w.waitReady(c)
	if want := "https://" + host; c.Status.URL != want {
		t.Fatalf("status.url is %q, want %q", c.Status.URL, want)
	}
	transport := &http.Transport{DialContext: throughNode, TLSClientConfig: &tls.Config{RootCAs: authority}}
	w.eventually(readSoon, "the page opens by https with the brand's certificate", func() error {
		m := w.visitor(c.Status.URL)
		m.http.Transport = transport
		got, err := m.do("GET", "/", nil)
		if err == nil && got.status != http.StatusOK {
			err = fmt.Errorf("answered %d", got.status)
		}
		return err
	})
	m := w.visitor(c.Status.URL)
	m.http.Transport = transport
	m.signIn()
	m.submit("A tent with a lock")
}

// TestCertManager asks cert-manager for the community's certificate. cert-manager itself does not run here: the
// Certificate is as asked, and the community waits for it and says so.
func TestCertManager(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "certmanager", throughIngress, func(class *v1alpha1.CommunityClass) {
		class.Spec.Routing.TLS = &v1alpha1.ClassTLS{
			Mode: v1alpha1.TLSCertManager, IssuerRef: &v1alpha1.IssuerReference{Name: "letters"},
		}
	})
	host := "ideas." + w.namespace + ".example"
	c := w.create(w.community("lumiere", func(c *v1alpha1.Community) {
		c.Spec.Hostnames = []v1alpha1.Hostname{v1alpha1.Hostname(host)}
	}))
	asked := &certmanager.Certificate{ObjectMeta: metav1.ObjectMeta{Namespace: w.namespace, Name: stack.TLSName(c.Name)}}
	w.eventually(readSoon, "a Certificate is asked for", func() error {
		return cluster.client.Get(w.ctx, client.ObjectKeyFromObject(asked), asked)
	})
	issuer := asked.Spec.IssuerRef
	if issuer.Name != "letters" || issuer.Kind != "ClusterIssuer" || !slices.Equal(asked.Spec.DNSNames, []string{host}) || asked.Spec.SecretName == "" {
		t.Errorf("the Certificate asks for %+v", asked.Spec)
	}
	w.eventually(2*time.Minute, "only the certificate is waited for", func() error { return w.waitsForCertificate(c) })
	ingress := &networkingv1.Ingress{ObjectMeta: metav1.ObjectMeta{Namespace: w.namespace, Name: stack.IdeasName(c.Name)}}
	if w.get(ingress); len(ingress.Spec.TLS) != 1 || ingress.Spec.TLS[0].SecretName != asked.Spec.SecretName || !slices.Equal(ingress.Spec.TLS[0].Hosts, []string{host}) {
		t.Errorf("the Ingress has tls %+v, want the Certificate's Secret %s", ingress.Spec.TLS, asked.Spec.SecretName)
	}
	w.issue(asked, host)
	w.waitReady(c)
	if want := "https://" + host; c.Status.URL != want {
		t.Errorf("status.url is %q, want %q", c.Status.URL, want)
	}
}

// waitsForCertificate tells whether Ready is false because of the certificate while everything else is ready.
func (w *world) waitsForCertificate(c *v1alpha1.Community) error {
	if err := cluster.client.Get(w.ctx, client.ObjectKeyFromObject(c), c); err != nil {
		return err
	}
	for _, got := range c.Status.Conditions {
		switch got.Type {
		case v1alpha1.ConditionReady, v1alpha1.ConditionRouteReady:
			if got.Status != metav1.ConditionFalse || got.Reason != v1alpha1.ReasonCertificatePending {
				return fmt.Errorf("%s is %s because of %s: %s", got.Type, got.Status, got.Reason, got.Message)
			}
		case v1alpha1.ConditionStalled:
			return fmt.Errorf("it is Stalled: %s", got.Message)
		default:
			if got.Status != metav1.ConditionTrue {
				return fmt.Errorf("%s is %s because of %s: %s", got.Type, got.Status, got.Reason, got.Message)
			}
		}
	}
	if len(c.Status.Conditions) == 0 {
		return errors.New("there are no conditions")
	}
	return nil
}

// issue does what cert-manager would: it fills the Secret and marks the Certificate as Ready.
func (w *world) issue(asked *certmanager.Certificate, host string) {
	w.Helper()
	_, issued := newCertificate(w.T, host)
	issued.Namespace, issued.Name = asked.Namespace, asked.Spec.SecretName
	if asked.Spec.SecretTemplate != nil {
		issued.Labels = asked.Spec.SecretTemplate.Labels
	}
	w.createAll(issued)
	w.get(asked)
	before := asked.DeepCopy()
	asked.Status.Conditions = []certmanager.CertificateCondition{{
		Type: "Ready", Status: metav1.ConditionTrue, Reason: "Ready", ObservedGeneration: asked.Generation,
	}}
	if err := cluster.client.Status().Patch(w.ctx, asked, client.MergeFrom(before)); err != nil {
		w.Fatalf("mark the Certificate as Ready: %v", err)
	}
}

// newCertificate makes a Secret with a certificate for a host, and the authority to check it against.
func newCertificate(t *testing.T, host string) (*x509.CertPool, *corev1.Secret) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: host}, DNSNames: []string{host},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	raw, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	rawKey, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	public := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: raw})
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(public) {
		t.Fatal("the new certificate cannot be read")
	}
	return pool, &corev1.Secret{Type: corev1.SecretTypeTLS, Data: map[string][]byte{
		corev1.TLSCertKey: public, corev1.TLSPrivateKeyKey: pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: rawKey}),
	}}
}
