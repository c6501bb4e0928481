package apply

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/intstr"
	corev1ac "k8s.io/client-go/applyconfigurations/core/v1"
	metav1ac "k8s.io/client-go/applyconfigurations/meta/v1"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/quaeso/community-operator/api/v1alpha1"
	"github.com/quaeso/community-operator/internal/testutil/kubeapi"
)

// counting counts the writes of an applier.
type counting struct {
	client.Client
	writes []string
}

// Apply implements client.Client.
func (c *counting) Apply(ctx context.Context, o runtime.ApplyConfiguration, options ...client.ApplyOption) error {
	c.writes = append(c.writes, "apply")
	return c.Client.Apply(ctx, o, options...)
}

// Patch implements client.Client.
func (c *counting) Patch(ctx context.Context, o client.Object, p client.Patch, options ...client.PatchOption) error {
	c.writes = append(c.writes, "patch")
	return c.Client.Patch(ctx, o, p, options...)
}

// Delete implements client.Client.
func (c *counting) Delete(ctx context.Context, o client.Object, options ...client.DeleteOption) error {
	c.writes = append(c.writes, "delete")
	return c.Client.Delete(ctx, o, options...)
}

// labelled reads as the operator's cache does: only what has our label.
type labelled struct{ client.Client }

// Get implements client.Client.
func (l labelled) Get(ctx context.Context, key client.ObjectKey, o client.Object, options ...client.GetOption) error {
	if err := l.Client.Get(ctx, key, o, options...); err != nil {
		return err
	}
	if o.GetLabels()[v1alpha1.LabelManagedBy] != v1alpha1.FieldManager {
		return apierrors.NewNotFound(corev1.Resource("cached"), key.Name)
	}
	return nil
}

type bench struct {
	t      *testing.T
	api    *kubeapi.Server
	writes *counting
	owner  Owner
	Applier
}

func newBench(t *testing.T) *bench {
	t.Helper()
	api := kubeapi.Shared(t)
	b := &bench{t: t, api: api, owner: Owner{UID: "uid-1", Namespace: api.Namespace(t), Name: "lumiere"}}
	b.writes = &counting{Client: labelled{api.Client}}
	b.Client, b.Live = b.writes, api.Client
	return b
}

func (b *bench) service(port int32) *corev1ac.ServiceApplyConfiguration {
	return corev1ac.Service("lumiere", b.owner.Namespace).
		WithLabels(map[string]string{v1alpha1.LabelManagedBy: v1alpha1.FieldManager, v1alpha1.LabelCommunity: b.owner.Name}).
		WithOwnerReferences(metav1ac.OwnerReference().WithAPIVersion(v1alpha1.GroupVersion.String()).WithKind("Community").
			WithName(b.owner.Name).WithUID(b.owner.UID).WithController(true)).
		WithSpec(corev1ac.ServiceSpec().WithSelector(map[string]string{"app": "ideas"}).
			WithPorts(corev1ac.ServicePort().WithName("http").WithPort(port).WithProtocol(corev1.ProtocolTCP).WithTargetPort(intstr.FromInt32(8080))))
}

// apply applies a Service and checks what was written.
func (b *bench) apply(port int32, writes ...string) client.Object {
	b.t.Helper()
	b.writes.writes = nil
	before, err := b.Apply(b.t.Context(), b.owner, b.service(port))
	if err != nil {
		b.t.Fatal(err)
	}
	if diff := cmp.Diff(writes, b.writes.writes); diff != "" {
		b.t.Errorf("writes (-want +got):\n%s", diff)
	}
	return before
}

func (b *bench) live() *corev1.Service {
	b.t.Helper()
	s := &corev1.Service{}
	if err := b.api.Client.Get(b.t.Context(), client.ObjectKey{Namespace: b.owner.Namespace, Name: "lumiere"}, s); err != nil {
		b.t.Fatal(err)
	}
	return s
}

func (b *bench) edit(how func(*corev1.Service)) {
	b.t.Helper()
	s := b.live()
	how(s)
	if err := b.api.Client.Update(b.t.Context(), s, client.FieldOwner("kubectl-edit")); err != nil {
		b.t.Fatal(err)
	}
}

func TestApplyWritesOnlyWhatDiffers(t *testing.T) {
	b := newBench(t)
	if before := b.apply(80, "apply"); before != nil {
		t.Errorf("before the first apply there was %v", before)
	}
	if before := b.apply(80); before == nil {
		t.Error("what was there is not returned")
	}
	b.apply(81, "apply")
	if got := b.live().Spec.Ports; len(got) != 1 || got[0].Port != 81 {
		t.Errorf("ports are %v", got)
	}
	b.edit(func(s *corev1.Service) { s.Spec.Ports[0].Port = 82 })
	b.apply(81, "patch", "apply")
	// With a port of the same name that is somebody else's, an apply is invalid.
	b.edit(func(s *corev1.Service) { s.Spec.Ports[0].Port = 83 })
	b.apply(84, "apply", "patch", "apply")
	b.apply(84)
	b.apply(81, "apply", "patch", "apply")
	b.edit(func(s *corev1.Service) { s.Labels["team"], s.Annotations["note"] = "x", "y" })
	b.apply(81)
	b.edit(func(s *corev1.Service) { s.Labels[v1alpha1.LabelCommunity] = "other" })
	b.apply(81, "apply")
	b.edit(func(s *corev1.Service) { delete(s.Labels, v1alpha1.LabelManagedBy) })
	b.apply(81, "apply", "apply") // the first is refused, because something is there
	b.apply(81)
	if got := b.live(); got.Labels["team"] != "x" || got.Annotations["note"] != "y" {
		t.Errorf("what others set is gone: %v, %v", got.Labels, got.Annotations)
	}
}

// What the API server itself puts into a closed field is no drift: it is found out once, and not fought.
func TestApplyGivesInToDefaults(t *testing.T) {
	before := closed["Service"]
	closed["Service"] = []string{"spec"}
	defer func() { closed["Service"] = before }()
	b := newBench(t)
	b.apply(80, "apply")
	b.apply(80, "patch", "apply")
	b.apply(80)
	b.apply(80)
	b.edit(func(s *corev1.Service) { s.Spec.ExternalIPs = []string{"192.0.2.1"} })
	b.apply(80, "patch", "apply")
	if got := b.live().Spec.ExternalIPs; got != nil {
		t.Errorf("external IPs are %v", got)
	}
	b.apply(80)
}

func TestForeignObjectsAreNotTouched(t *testing.T) {
	b := newBench(t)
	foreign := &corev1.Service{
		ObjectMeta: metav1.ObjectMeta{Namespace: b.owner.Namespace, Name: "lumiere"}, Spec: corev1.ServiceSpec{Ports: []corev1.ServicePort{{Port: 9}}},
	}
	if err := b.api.Client.Create(t.Context(), foreign); err != nil {
		t.Fatal(err)
	}
	owners := map[string]struct {
		refs   []metav1.OwnerReference
		labels map[string]string
		former bool
		words  string
	}{
		"nobody's":     {words: "Service " + b.owner.Namespace + "/lumiere exists and does not belong to this Community;"},
		"another kind": {refs: []metav1.OwnerReference{{APIVersion: "apps/v1", Kind: "Deployment", Name: "web", UID: "u", Controller: ptr.To(true)}}, words: "(controlled by Deployment web)"},
		"another Community's, with our labels": {
			refs:   []metav1.OwnerReference{{APIVersion: v1alpha1.GroupVersion.String(), Kind: "Community", Name: "other", UID: "u", Controller: ptr.To(true)}},
			labels: map[string]string{v1alpha1.LabelManagedBy: v1alpha1.FieldManager, v1alpha1.LabelCommunity: "lumiere"}, words: "(controlled by Community other)",
		},
		"an earlier Community's": {
			refs:   []metav1.OwnerReference{{APIVersion: v1alpha1.GroupVersion.String(), Kind: "Community", Name: "lumiere", UID: "u", Controller: ptr.To(true)}},
			former: true, words: "is being removed",
		},
		"another community's data": {labels: map[string]string{v1alpha1.LabelManagedBy: v1alpha1.FieldManager, v1alpha1.LabelCommunity: "other"}, words: "does not belong"},
	}
	for name, test := range owners {
		t.Run(name, func(t *testing.T) {
			b.edit(func(s *corev1.Service) { s.OwnerReferences, s.Labels = test.refs, test.labels })
			before := b.live()
			_, err := b.Apply(t.Context(), b.owner, b.service(80))
			var foreign *ForeignError
			if !errors.As(err, &foreign) || foreign.Former != test.former || !strings.Contains(err.Error(), test.words) {
				t.Errorf("the error is %v, want %q", err, test.words)
			}
			if gone, err := b.Delete(t.Context(), b.owner, Ref{GVK: corev1.SchemeGroupVersion.WithKind("Service"), Name: "lumiere"}); !gone || err != nil {
				t.Errorf("its deletion gives %t, %v", gone, err)
			}
			if got, err := b.Get(t.Context(), b.owner, Ref{GVK: corev1.SchemeGroupVersion.WithKind("Service"), Name: "lumiere"}); got != nil || err != nil {
				t.Errorf("as ours we get %v, %v", got, err)
			}
			if after := b.live(); after.ResourceVersion != before.ResourceVersion {
				t.Error("it was touched")
			}
		})
	}
}

// stale reads what was, not what is.
type stale struct {
	client.Client
	was client.Object
}

// Get implements client.Client.
func (s stale) Get(_ context.Context, _ client.ObjectKey, o client.Object, _ ...client.GetOption) error {
	s.was.(*corev1.Service).DeepCopyInto(o.(*corev1.Service))
	return nil
}

// An object that took the place of the one that was read is not deleted and not marked.
func TestStaleReads(t *testing.T) {
	b := newBench(t)
	b.apply(80, "apply")
	old := b.live()
	if err := b.api.Client.Delete(t.Context(), b.live()); err != nil {
		t.Fatal(err)
	}
	b.apply(80, "apply")
	b.Client = stale{Client: b.writes, was: old}
	ref := Ref{GVK: corev1.SchemeGroupVersion.WithKind("Service"), Name: "lumiere"}
	if gone, err := b.Delete(t.Context(), b.owner, ref); gone || !apierrors.IsConflict(err) {
		t.Errorf("the deletion gives %t, %v", gone, err)
	}
	if err := b.Annotate(t.Context(), old, map[string]string{"a": "b"}); !apierrors.IsConflict(err) {
		t.Errorf("the annotation gives %v", err)
	}
	if got := b.live(); got.DeletionTimestamp != nil || got.Annotations["a"] != "" {
		t.Errorf("another object was changed: %v", got.ObjectMeta)
	}
}

func TestAnnotate(t *testing.T) {
	b := newBench(t)
	b.apply(80, "apply")
	for _, step := range []struct {
		set    map[string]string
		writes int
		want   string
	}{{map[string]string{"mark": "1"}, 1, "1"}, {map[string]string{"mark": "1"}, 0, "1"}, {map[string]string{"mark": ""}, 1, ""}, {map[string]string{"mark": ""}, 0, ""}} {
		b.writes.writes = nil
		if err := b.Annotate(t.Context(), b.live(), step.set); err != nil {
			t.Fatal(err)
		}
		if got := b.live().Annotations["mark"]; got != step.want || len(b.writes.writes) != step.writes {
			t.Errorf("after %v the mark is %q, with the writes %v", step.set, got, b.writes.writes)
		}
	}
	gone := b.live()
	if err := b.api.Client.Delete(t.Context(), b.live()); err != nil {
		t.Fatal(err)
	}
	if err := b.Annotate(t.Context(), gone, map[string]string{"a": "b"}); err != nil {
		t.Errorf("marking what is gone gives %v", err)
	}
}

func TestWasApplied(t *testing.T) {
	b := newBench(t)
	b.apply(80, "apply")
	b.edit(func(s *corev1.Service) { s.Spec.Ports[0].Port = 7 })
	if live := b.live(); !WasApplied(live, b.service(80)) || WasApplied(live, b.service(7)) {
		t.Errorf("port 80 was applied: %t, port 7: %t", WasApplied(live, b.service(80)), WasApplied(live, b.service(7)))
	}
}

func TestRefOf(t *testing.T) {
	ref, err := RefOf(corev1ac.Secret("s", "n"))
	if want := (Ref{GVK: corev1.SchemeGroupVersion.WithKind("Secret"), Name: "s"}); err != nil || ref != want {
		t.Errorf("the ref is %v, %v", ref, err)
	}
	for name, bad := range map[string]runtime.ApplyConfiguration{
		"no name": (&corev1ac.SecretApplyConfiguration{}).WithKind("Secret").WithAPIVersion("v1"), "no kind": (&corev1ac.SecretApplyConfiguration{}).WithName("s"),
		"an odd version": corev1ac.Secret("s", "n").WithAPIVersion("a/b/c"),
	} {
		if _, err := RefOf(bad); err == nil {
			t.Errorf("%s is a ref: %s", name, fmt.Sprint(bad))
		}
	}
}
