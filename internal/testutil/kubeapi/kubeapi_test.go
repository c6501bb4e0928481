package kubeapi_test

import (
	"strings"
	"testing"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/quaeso/community-operator/api/v1alpha1"
	"github.com/quaeso/community-operator/internal/testutil/kubeapi"
)

func TestEveryAPIIsServed(t *testing.T) {
	server := kubeapi.Shared(t)
	for _, kind := range []schema.GroupVersionKind{
		{Group: "cocreation.quaeso.io", Version: "v1alpha1", Kind: "CommunityList"},
		{Group: "cocreation.quaeso.io", Version: "v1alpha1", Kind: "CommunityClassList"},
		{Group: "gateway.networking.k8s.io", Version: "v1", Kind: "HTTPRouteList"},
		{Group: "postgresql.cnpg.io", Version: "v1", Kind: "ClusterList"},
		{Group: "cert-manager.io", Version: "v1", Kind: "CertificateList"},
	} {
		list := &unstructured.UnstructuredList{}
		list.SetGroupVersionKind(kind)
		if err := server.Client.List(t.Context(), list); err != nil {
			t.Errorf("list %s: %v", kind.Kind, err)
		}
	}
}

func TestNamespacesAreATestsOwn(t *testing.T) {
	server := kubeapi.Shared(t)
	if first, second := server.Namespace(t), server.Namespace(t); first == second {
		t.Errorf("two namespaces are both named %s", first)
	}
}

func TestUserHasNoRightsOfTheirOwn(t *testing.T) {
	server := kubeapi.Shared(t)
	stranger, err := client.New(server.User(t, "stranger"), client.Options{Scheme: kubeapi.Scheme()})
	if err != nil {
		t.Fatal(err)
	}
	if err := stranger.List(t.Context(), &v1alpha1.CommunityList{}); !apierrors.IsForbidden(err) {
		t.Errorf("a user without rights listed communities: %v", err)
	}
}

func TestWithoutAnAPI(t *testing.T) {
	server := kubeapi.Start(t, kubeapi.Options{Without: []kubeapi.API{
		kubeapi.GatewayAPI, kubeapi.CloudNativePG, kubeapi.CertManager,
	}})
	list := &unstructured.UnstructuredList{}
	list.SetGroupVersionKind(schema.GroupVersionKind{Group: "gateway.networking.k8s.io", Version: "v1", Kind: "HTTPRouteList"})
	if err := server.Client.List(t.Context(), list); !meta.IsNoMatchError(err) {
		t.Errorf("an API that is not installed answered: %v", err)
	}
}

func TestMissingBinariesAreNamed(t *testing.T) {
	t.Setenv("KUBEBUILDER_ASSETS", t.TempDir())
	_, err := kubeapi.Kubectl()
	if err == nil || !strings.Contains(err.Error(), "hack/cluster/build.sh etcd kube-apiserver kubectl") {
		t.Errorf("missing binaries give: %v", err)
	}
}
