package cnpg_test

import (
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/quaeso/community-operator/internal/cnpg"
)

// TestApplyWritesWhatIsRead: what is applied reads back as the same Cluster, and nothing that was not set is
// written: server-side apply would take it over.
func TestApplyWritesWhatIsRead(t *testing.T) {
	spec := cnpg.ClusterSpec{
		Instances: 3,
		Bootstrap: &cnpg.Bootstrap{InitDB: &cnpg.InitDB{
			Database: "ideas", Owner: "ideas", Secret: &corev1.LocalObjectReference{Name: "lumiere-db"},
		}},
		EnablePDB: ptr.To(false),
	}
	raw, err := json.Marshal(cnpg.ApplyCluster("lumiere-db", "brands").
		WithLabels(map[string]string{"a": "b"}).
		WithAnnotations(map[string]string{cnpg.AnnotationHibernation: cnpg.HibernationOff}).
		WithSpec(&spec))
	if err != nil {
		t.Fatalf("marshal the apply configuration: %v", err)
	}
	const want = `{"kind":"Cluster","apiVersion":"postgresql.cnpg.io/v1",` +
		`"metadata":{"name":"lumiere-db","namespace":"brands","labels":{"a":"b"},"annotations":{"cnpg.io/hibernation":"off"}},` +
		`"spec":{"instances":3,"bootstrap":{"initdb":{"database":"ideas","owner":"ideas","secret":{"name":"lumiere-db"}}},` +
		`"enablePDB":false}}`
	if diff := cmp.Diff(want, string(raw)); diff != "" {
		t.Errorf("apply configuration (-want +got):\n%s", diff)
	}
	var got cnpg.Cluster
	if err := json.Unmarshal(raw, &got); err != nil {
		t.Fatalf("read it back: %v", err)
	}
	if diff := cmp.Diff(spec, got.Spec); diff != "" {
		t.Errorf("spec (-applied +read):\n%s", diff)
	}
}

// TestStatus reads a status as CloudNativePG writes it.
func TestStatus(t *testing.T) {
	const raw = `{"apiVersion":"postgresql.cnpg.io/v1","kind":"Cluster","metadata":{"name":"lumiere-db"},"status":{
		"phase":"Cluster in healthy state","phaseReason":"because","instances":1,"readyInstances":1,
		"currentPrimary":"lumiere-db-1","writeService":"lumiere-db-rw",
		"certificates":{"serverCASecret":"lumiere-db-ca","expirations":{"lumiere-db-ca":"2027-01-01 00:00:00 +0000 UTC"}},
		"secretsResourceVersion":{"applicationSecretVersion":"7","serverCaSecretVersion":"9"},
		"conditions":[{"type":"Ready","status":"True","reason":"ClusterIsReady","message":"Cluster is Ready"}],
		"instancesStatus":{"healthy":["lumiere-db-1"]}}}`
	var got cnpg.Cluster
	if err := json.Unmarshal([]byte(raw), &got); err != nil {
		t.Fatalf("read the Cluster: %v", err)
	}
	want := cnpg.ClusterStatus{
		Phase: cnpg.PhaseHealthy, PhaseReason: "because", Instances: 1, ReadyInstances: 1,
		CurrentPrimary: "lumiere-db-1", WriteService: "lumiere-db-rw",
		Certificates:           cnpg.Certificates{ServerCASecret: cnpg.CASecret("lumiere-db")},
		SecretsResourceVersion: cnpg.SecretsResourceVersion{ApplicationSecretVersion: "7", ServerCASecretVersion: "9"},
		Conditions: []metav1.Condition{{
			Type: cnpg.ConditionReady, Status: metav1.ConditionTrue, Reason: "ClusterIsReady", Message: "Cluster is Ready",
		}},
	}
	if diff := cmp.Diff(want, got.Status); diff != "" {
		t.Errorf("status (-want +got):\n%s", diff)
	}
}

func TestScheme(t *testing.T) {
	s := runtime.NewScheme()
	if err := cnpg.AddToScheme(s); err != nil {
		t.Fatalf("add to the scheme: %v", err)
	}
	for kind, object := range map[string]runtime.Object{cnpg.ClusterKind: &cnpg.Cluster{}, "ClusterList": &cnpg.ClusterList{}} {
		gvks, _, err := s.ObjectKinds(object)
		if err != nil || len(gvks) != 1 || gvks[0] != cnpg.GroupVersion.WithKind(kind) {
			t.Errorf("%T is known as %v (%v), want %s", object, gvks, err, kind)
		}
	}
}

var (
	_ client.Object              = (*cnpg.Cluster)(nil)
	_ client.ObjectList          = (*cnpg.ClusterList)(nil)
	_ runtime.ApplyConfiguration = (*cnpg.ClusterApplyConfiguration)(nil)
)
