package apply_test

import (
	"context"
	"errors"
	"testing"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	corev1ac "k8s.io/client-go/applyconfigurations/core/v1"
	metav1ac "k8s.io/client-go/applyconfigurations/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"

	"k8s.io/apimachinery/pkg/runtime"

	"github.com/quaeso/community-operator/api/v1alpha1"
	"github.com/quaeso/community-operator/internal/apply"
	"github.com/quaeso/community-operator/internal/testutil/kubeapi"
)

// counted is a client that reads nothing, as a cache that does not hold the object, and counts what goes to the
// API server.
type counted struct{ applies, gets int }

func (c *counted) applier(t *testing.T, server *kubeapi.Server) apply.Applier {
	t.Helper()
	direct, err := client.NewWithWatch(server.Config, client.Options{Scheme: kubeapi.Scheme()})
	if err != nil {
		t.Fatal(err)
	}
	live := interceptor.NewClient(direct, interceptor.Funcs{
		Get: func(ctx context.Context, w client.WithWatch, key client.ObjectKey, o client.Object, opts ...client.GetOption) error {
			c.gets++
			return w.Get(ctx, key, o, opts...)
		},
	})
	unseeing := interceptor.NewClient(direct, interceptor.Funcs{
		Get: func(_ context.Context, _ client.WithWatch, key client.ObjectKey, _ client.Object, _ ...client.GetOption) error {
			return apierrors.NewNotFound(schema.GroupResource{}, key.Name)
		},
		Apply: func(ctx context.Context, w client.WithWatch, o runtime.ApplyConfiguration, opts ...client.ApplyOption) error {
			c.applies++
			return w.Apply(ctx, o, opts...)
		},
	})
	return apply.Applier{Client: unseeing, Live: live}
}

func wantedConfigMap(owner apply.Owner, value string) *corev1ac.ConfigMapApplyConfiguration {
	return corev1ac.ConfigMap("child", owner.Namespace).
		WithLabels(map[string]string{v1alpha1.LabelManagedBy: v1alpha1.FieldManager, v1alpha1.LabelCommunity: owner.Name}).
		WithOwnerReferences(metav1ac.OwnerReference().WithAPIVersion(v1alpha1.GroupVersion.String()).WithKind("Community").
			WithName(owner.Name).WithUID(owner.UID).WithController(true)).
		WithData(map[string]string{"key": value})
}

func TestUnseenObjects(t *testing.T) {
	server := kubeapi.Shared(t)
	ours := []metav1.OwnerReference{{
		APIVersion: v1alpha1.GroupVersion.String(), Kind: "Community", Name: "brand", UID: "ours", Controller: new(true),
	}}
	for name, test := range map[string]struct {
		there       *corev1.ConfigMap
		wantForeign bool
		wantValue   string
		wantApplies int
		wantGets    int
	}{
		"nothing there is made with one request": {
			wantValue: "new", wantApplies: 1,
		},
		"a foreign object is not touched": {
			there:       &corev1.ConfigMap{Data: map[string]string{"key": "foreign"}},
			wantForeign: true, wantValue: "foreign", wantApplies: 1, wantGets: 1,
		},
		"one of ours that lost its label is taken back": {
			there:     &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{OwnerReferences: ours}, Data: map[string]string{"key": "old"}},
			wantValue: "new", wantApplies: 2, wantGets: 1,
		},
	} {
		t.Run(name, func(t *testing.T) {
			owner := apply.Owner{UID: "ours", Namespace: server.Namespace(t), Name: "brand"}
			if test.there != nil {
				test.there.Namespace, test.there.Name = owner.Namespace, "child"
				if err := server.Client.Create(t.Context(), test.there); err != nil {
					t.Fatal(err)
				}
			}
			count := &counted{}
			applier := count.applier(t, server)
			_, err := applier.Apply(t.Context(), owner, wantedConfigMap(owner, "new"))
			var foreign *apply.ForeignError
			if errors.As(err, &foreign) != test.wantForeign || (err != nil && foreign == nil) {
				t.Errorf("Apply: %v, want a foreign object: %t", err, test.wantForeign)
			}
			got := &corev1.ConfigMap{}
			if err := server.Client.Get(t.Context(), types.NamespacedName{Namespace: owner.Namespace, Name: "child"}, got); err != nil {
				t.Fatal(err)
			}
			if got.Data["key"] != test.wantValue {
				t.Errorf("the object's value is %q, want %q", got.Data["key"], test.wantValue)
			}
			if labelled := got.Labels[v1alpha1.LabelManagedBy] != ""; labelled == test.wantForeign {
				t.Errorf("the object bears our label: %t", labelled)
			}
			if count.applies != test.wantApplies || count.gets != test.wantGets {
				t.Errorf("%d applies and %d reads, want %d and %d", count.applies, count.gets, test.wantApplies, test.wantGets)
			}
		})
	}
}

// An object that went between the conflict and the look is made like one that never was there.
func TestUnseenObjectThatGoesMeanwhile(t *testing.T) {
	server := kubeapi.Shared(t)
	owner := apply.Owner{UID: "ours", Namespace: server.Namespace(t), Name: "brand"}
	foreign := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: owner.Namespace, Name: "child"}}
	if err := server.Client.Create(t.Context(), foreign); err != nil {
		t.Fatal(err)
	}
	applier := (&counted{}).applier(t, server)
	applier.Live = interceptor.NewClient(applier.Live.(client.WithWatch), interceptor.Funcs{
		Get: func(ctx context.Context, w client.WithWatch, key client.ObjectKey, o client.Object, opts ...client.GetOption) error {
			if err := server.Client.Delete(ctx, foreign); err != nil {
				return err
			}
			return w.Get(ctx, key, o, opts...)
		},
	})
	if _, err := applier.Apply(t.Context(), owner, wantedConfigMap(owner, "new")); err != nil {
		t.Fatal(err)
	}
	got := &corev1.ConfigMap{}
	if err := server.Client.Get(t.Context(), client.ObjectKeyFromObject(foreign), got); err != nil {
		t.Fatal(err)
	}
	if got.Data["key"] != "new" {
		t.Errorf("the object's value is %q, want the wanted one", got.Data["key"])
	}
}
