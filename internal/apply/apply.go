// Package apply brings children into the state that the builders describe: server-side apply, guarded so
// that no object of somebody else is ever taken over, and skipped when nothing would change.
package apply

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"sync"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/quaeso/community-operator/api/v1alpha1"
)

// Applier applies the children of one kind of owner.
type Applier struct {
	// Client reads from a cache that holds only objects with our label, and writes.
	Client client.Client
	// Live reads from the API server; it sees objects without our label.
	Live client.Reader

	// insisted remembers, by UID, closed fields as the API server left them after everything that is not wanted
	// had been taken away: the rest is its own defaults, which are not drift.
	insisted sync.Map
}

// Owner is the object whose children are applied.
type Owner struct {
	UID       types.UID
	Namespace string
	// Name is also the value of LabelCommunity of every child.
	Name string
}

// ForeignError says that an object that we did not make stands at a name that we need.
type ForeignError struct {
	Kind, Namespace, Name string
	// HeldBy names the controller of the object, when it has one.
	HeldBy string
	// Former tells that it is a child of an earlier Community of the same name, which is being collected.
	Former bool
}

// Error implements error.
func (e *ForeignError) Error() string {
	if e.Former {
		return fmt.Sprintf("%s %s/%s of an earlier Community of this name is being removed", e.Kind, e.Namespace, e.Name)
	}
	held := ""
	if e.HeldBy != "" {
		held = " (controlled by " + e.HeldBy + ")"
	}
	return fmt.Sprintf("%s %s/%s exists and does not belong to this Community%s; delete or rename it, or rename the Community",
		e.Kind, e.Namespace, e.Name, held)
}

// configuration is what every generated apply configuration offers.
type configuration interface {
	GetAPIVersion() *string
	GetKind() *string
	GetName() *string
	GetNamespace() *string
}

// Ref names a child.
type Ref struct {
	GVK  schema.GroupVersionKind
	Name string
}

// RefOf an apply configuration.
func RefOf(desired runtime.ApplyConfiguration) (Ref, error) {
	c, ok := desired.(configuration)
	if !ok || c.GetAPIVersion() == nil || c.GetKind() == nil || c.GetName() == nil {
		return Ref{}, fmt.Errorf("apply configuration %T names no object", desired)
	}
	gv, err := schema.ParseGroupVersion(*c.GetAPIVersion())
	if err != nil {
		return Ref{}, fmt.Errorf("parse apiVersion of %s %s: %w", *c.GetKind(), *c.GetName(), err)
	}
	return Ref{GVK: gv.WithKind(*c.GetKind()), Name: *c.GetName()}, nil
}

// Apply makes one child as desired, if it is not so already. It returns the child as the cache had it before;
// nil if it was not there. Errors: *ForeignError, or the API server's.
func (a *Applier) Apply(ctx context.Context, owner Owner, desired runtime.ApplyConfiguration) (client.Object, error) {
	ref, err := RefOf(desired)
	if err != nil {
		return nil, err
	}
	hash, want, err := describe(desired)
	if err != nil {
		return nil, fmt.Errorf("describe %s %s: %w", ref.GVK.Kind, ref.Name, err)
	}
	live, err := a.get(ctx, owner.Namespace, ref)
	if err != nil {
		return nil, err
	}
	var extra map[string]any
	changed := live != nil && live.GetAnnotations()[v1alpha1.AnnotationApplied] != hash
	if live != nil {
		if err := a.Guard(owner, ref.GVK.Kind, live); err != nil {
			return nil, err
		}
		have, err := content(live)
		if err != nil {
			return nil, fmt.Errorf("read %s %s: %w", ref.GVK.Kind, ref.Name, err)
		}
		extra = a.drift(ref, live.GetUID(), have, want)
		if !changed && covers(have, want) && extra == nil {
			return live, nil
		}
	}
	if err := set(desired, "WithAnnotations", map[string]string{v1alpha1.AnnotationApplied: hash}); err != nil {
		return nil, err
	}
	switch {
	case live == nil:
		return nil, a.applyUnseen(ctx, owner, ref, desired)
	case extra == nil, changed: // what differs is most likely our own from before
		err = a.write(ctx, owner, ref, desired)
		if extra == nil || !apierrors.IsInvalid(err) {
			return live, err
		}
	}
	return live, a.purge(ctx, owner, live, ref, extra, desired, want)
}

// drift returns a patch that removes what closed fields of a child hold beyond what is wanted and beyond what
// the API server insists on; nil where there is nothing.
func (a *Applier) drift(ref Ref, uid types.UID, have, want map[string]any) map[string]any {
	extra := surplus(ref.GVK.Kind, have, want)
	if insisted, ok := a.insisted.Load(uid); ok && reflect.DeepEqual(insisted, closedContent(ref.GVK.Kind, have)) {
		return nil
	}
	return extra
}

// purge takes away what somebody else added to closed fields of a child, and then applies it: an apply by itself
// leaves that there, or is refused because of it.
func (a *Applier) purge(ctx context.Context, owner Owner, live client.Object, ref Ref, extra map[string]any, desired runtime.ApplyConfiguration, want map[string]any) error {
	// The UID keeps the patch from another object that took the place of this one.
	raw, err := json.Marshal(merge(map[string]any{"metadata": map[string]any{"uid": live.GetUID()}}, extra))
	if err != nil {
		return fmt.Errorf("marshal a patch of %s %s: %w", ref.GVK.Kind, ref.Name, err)
	}
	patched := live.DeepCopyObject().(client.Object)
	if err := a.Client.Patch(ctx, patched, client.RawPatch(types.MergePatchType, raw), client.FieldOwner(v1alpha1.FieldManager)); err != nil {
		return fmt.Errorf("remove what was added to %s %s/%s: %w", ref.GVK.Kind, owner.Namespace, ref.Name, err)
	}
	if err := a.write(ctx, owner, ref, desired); err != nil {
		return err
	}
	after, err := content(patched)
	if err != nil {
		return fmt.Errorf("read %s %s: %w", ref.GVK.Kind, ref.Name, err)
	}
	if surplus(ref.GVK.Kind, after, want) != nil {
		a.insisted.Store(live.GetUID(), closedContent(ref.GVK.Kind, after))
	}
	return nil
}

func (a *Applier) write(ctx context.Context, owner Owner, ref Ref, desired runtime.ApplyConfiguration) error {
	if err := a.Client.Apply(ctx, desired, client.FieldOwner(v1alpha1.FieldManager), client.ForceOwnership); err != nil {
		return fmt.Errorf("apply %s %s/%s: %w", ref.GVK.Kind, owner.Namespace, ref.Name, err)
	}
	return nil
}

// WasApplied tells whether an object was last applied as desired, whatever became of it since.
func WasApplied(live client.Object, desired runtime.ApplyConfiguration) bool {
	hash, _, err := describe(desired)
	return err == nil && live.GetAnnotations()[v1alpha1.AnnotationApplied] == hash
}

// Get reads a child of ours from the cache; nil when there is none.
func (a *Applier) Get(ctx context.Context, owner Owner, ref Ref) (client.Object, error) {
	live, err := a.get(ctx, owner.Namespace, ref)
	if err != nil || live == nil || !owns(owner, live) {
		return nil, err
	}
	return live, nil
}

// Delete removes a child if it is there and ours, and tells whether it is gone. A child that changed since it
// was read is not deleted.
func (a *Applier) Delete(ctx context.Context, owner Owner, ref Ref) (gone bool, err error) {
	live, err := a.get(ctx, owner.Namespace, ref)
	if err != nil {
		return false, err
	}
	if live == nil || !owns(owner, live) {
		return true, nil
	}
	if live.GetDeletionTimestamp() != nil {
		return false, nil
	}
	uid := live.GetUID()
	err = a.Client.Delete(ctx, live, client.Preconditions{UID: &uid}, client.PropagationPolicy(metav1.DeletePropagationBackground))
	if err != nil && !apierrors.IsNotFound(err) {
		return false, fmt.Errorf("delete %s %s/%s: %w", ref.GVK.Kind, owner.Namespace, ref.Name, err)
	}
	return apierrors.IsNotFound(err), nil
}

func (a *Applier) get(ctx context.Context, namespace string, ref Ref) (client.Object, error) {
	raw, err := a.Client.Scheme().New(ref.GVK)
	if err != nil {
		return nil, fmt.Errorf("make an empty %s: %w", ref.GVK.Kind, err)
	}
	obj, ok := raw.(client.Object)
	if !ok {
		return nil, fmt.Errorf("%s is not an API object", ref.GVK.Kind)
	}
	err = a.Client.Get(ctx, types.NamespacedName{Namespace: namespace, Name: ref.Name}, obj)
	if apierrors.IsNotFound(err) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("get %s %s/%s: %w", ref.GVK.Kind, namespace, ref.Name, err)
	}
	return obj, nil
}

// absent is a resourceVersion that no object has. Applied with it, an object that is not there is made, and one
// that is there is answered with a conflict: one request makes what nobody else made, and overwrites nothing.
const absent = "1"

// applyUnseen makes an object that the cache, which holds only ours, does not show. Where there is one
// nevertheless, it is taken over if it is ours, and not touched if it is not.
func (a *Applier) applyUnseen(ctx context.Context, owner Owner, ref Ref, desired runtime.ApplyConfiguration) error {
	if err := set(desired, "WithResourceVersion", absent); err != nil {
		return err
	}
	err := a.write(ctx, owner, ref, desired)
	if !apierrors.IsConflict(err) {
		return err
	}
	m := &metav1.PartialObjectMetadata{}
	m.SetGroupVersionKind(ref.GVK)
	err = a.Live.Get(ctx, types.NamespacedName{Namespace: owner.Namespace, Name: ref.Name}, m)
	if err != nil && !apierrors.IsNotFound(err) {
		return fmt.Errorf("look for a foreign %s %s/%s: %w", ref.GVK.Kind, owner.Namespace, ref.Name, err)
	}
	if err == nil {
		if err := a.Guard(owner, ref.GVK.Kind, m); err != nil {
			return err
		}
	}
	// Of an object that went meanwhile this is empty, and asks for no version.
	if err := set(desired, "WithResourceVersion", m.ResourceVersion); err != nil {
		return err
	}
	return a.write(ctx, owner, ref, desired)
}

// Guard returns a *ForeignError for an object that does not belong to the owner.
func (a *Applier) Guard(owner Owner, kind string, live client.Object) error {
	if owns(owner, live) {
		return nil
	}
	foreign := &ForeignError{Kind: kind, Namespace: owner.Namespace, Name: live.GetName()}
	if c := metav1.GetControllerOf(live); c != nil {
		foreign.HeldBy = c.Kind + " " + c.Name
		foreign.Former = c.APIVersion == v1alpha1.GroupVersion.String() && c.Kind == "Community" && c.Name == owner.Name
	}
	return foreign
}

// owns tells whether an object is the owner's: by its controller reference, or, for data, which has none, by
// our labels with the owner's name. Data that an earlier Community of the same name left behind is the
// owner's too.
func owns(owner Owner, live client.Object) bool {
	if c := metav1.GetControllerOf(live); c != nil {
		return c.UID == owner.UID
	}
	l := live.GetLabels()
	return l[v1alpha1.LabelManagedBy] == v1alpha1.FieldManager && l[v1alpha1.LabelCommunity] == owner.Name
}

// Annotate sets annotations of a child that no apply owns, and removes those with an empty value. A child that
// changed since it was read is left alone and the call fails.
func (a *Applier) Annotate(ctx context.Context, live client.Object, annotations map[string]string) error {
	after := live.DeepCopyObject().(client.Object)
	have := after.GetAnnotations()
	if have == nil {
		have = map[string]string{}
	}
	changed := false
	for k, v := range annotations {
		if have[k] == v {
			continue
		}
		changed = true
		if v == "" {
			delete(have, k)
		} else {
			have[k] = v
		}
	}
	if !changed {
		return nil
	}
	after.SetAnnotations(have)
	err := a.Client.Patch(ctx, after, client.MergeFromWithOptions(live, client.MergeFromWithOptimisticLock{}))
	if client.IgnoreNotFound(err) != nil {
		return fmt.Errorf("annotate %T %s/%s: %w", live, live.GetNamespace(), live.GetName(), err)
	}
	return nil
}

// describe returns a hash of the desired object and the object as plain JSON values.
func describe(desired runtime.ApplyConfiguration) (string, map[string]any, error) {
	raw, err := json.Marshal(desired)
	if err != nil {
		return "", nil, err
	}
	var want map[string]any
	if err := json.Unmarshal(raw, &want); err != nil {
		return "", nil, err
	}
	sum := sha256.Sum256(raw)
	return hex.EncodeToString(sum[:8]), want, nil
}

var errNoMethod = errors.New("apply configuration has no such method")

// set calls a method of an apply configuration, such as WithAnnotations. Every generated one has them, but each
// with a result type of its own, so no interface fits.
func set(desired runtime.ApplyConfiguration, method string, value any) error {
	m := reflect.ValueOf(desired).MethodByName(method)
	if !m.IsValid() {
		return fmt.Errorf("%T.%s: %w", desired, method, errNoMethod)
	}
	m.Call([]reflect.Value{reflect.ValueOf(value)})
	return nil
}
