package certmanager_test

import (
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/quaeso/community-operator/internal/certmanager"
)

// TestApplyWritesWhatIsRead: what is applied reads back as the same Certificate, and nothing that was not set
// is written: server-side apply would take it over.
func TestApplyWritesWhatIsRead(t *testing.T) {
	spec := certmanager.CertificateSpec{
		SecretName: "lumiere-tls",
		DNSNames:   []string{"ideas.lumiere.example"},
		IssuerRef:  &certmanager.IssuerReference{Name: "brands", Kind: "ClusterIssuer", Group: certmanager.Group},
	}
	raw, err := json.Marshal(certmanager.ApplyCertificate("lumiere-tls", "brands").
		WithLabels(map[string]string{"a": "b"}).
		WithSpec(&spec))
	if err != nil {
		t.Fatalf("marshal the apply configuration: %v", err)
	}
	const want = `{"kind":"Certificate","apiVersion":"cert-manager.io/v1",` +
		`"metadata":{"name":"lumiere-tls","namespace":"brands","labels":{"a":"b"}},` +
		`"spec":{"secretName":"lumiere-tls","dnsNames":["ideas.lumiere.example"],` +
		`"issuerRef":{"name":"brands","kind":"ClusterIssuer","group":"cert-manager.io"}}}`
	if diff := cmp.Diff(want, string(raw)); diff != "" {
		t.Errorf("apply configuration (-want +got):\n%s", diff)
	}
	var got certmanager.Certificate
	if err := json.Unmarshal(raw, &got); err != nil {
		t.Fatalf("read it back: %v", err)
	}
	if diff := cmp.Diff(spec, got.Spec); diff != "" {
		t.Errorf("spec (-applied +read):\n%s", diff)
	}
}

// TestStatus reads a status as cert-manager writes it.
func TestStatus(t *testing.T) {
	const raw = `{"status":{"revision":1,"conditions":[{"type":"Ready","status":"False","reason":"DoesNotExist",
		"message":"Issuing certificate as Secret does not exist","observedGeneration":1}]}}`
	var got certmanager.Certificate
	if err := json.Unmarshal([]byte(raw), &got); err != nil {
		t.Fatalf("read the Certificate: %v", err)
	}
	want := certmanager.CertificateStatus{Conditions: []certmanager.CertificateCondition{{
		Type: certmanager.ConditionReady, Status: metav1.ConditionFalse, Reason: "DoesNotExist",
		Message: "Issuing certificate as Secret does not exist", ObservedGeneration: 1,
	}}}
	if diff := cmp.Diff(want, got.Status); diff != "" {
		t.Errorf("status (-want +got):\n%s", diff)
	}
}

func TestScheme(t *testing.T) {
	s := runtime.NewScheme()
	if err := certmanager.AddToScheme(s); err != nil {
		t.Fatalf("add to the scheme: %v", err)
	}
	for kind, object := range map[string]runtime.Object{
		certmanager.CertificateKind: &certmanager.Certificate{}, "CertificateList": &certmanager.CertificateList{},
	} {
		gvks, _, err := s.ObjectKinds(object)
		if err != nil || len(gvks) != 1 || gvks[0] != certmanager.GroupVersion.WithKind(kind) {
			t.Errorf("%T is known as %v (%v), want %s", object, gvks, err, kind)
		}
	}
}

var (
	_ client.Object              = (*certmanager.Certificate)(nil)
	_ client.ObjectList          = (*certmanager.CertificateList)(nil)
	_ runtime.ApplyConfiguration = (*certmanager.CertificateApplyConfiguration)(nil)
)
