package ideaservice

import (
	"context"
	"encoding/json"
	"fmt"

	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// WriteStatus writes the status of an object that differs from before, and tells whether the object was still there. When
// the object has just come into force, counts of zero are written as well, which a difference leaves out: before, nobody
// knew them.
func WriteStatus(ctx context.Context, c client.Client, before, after client.Object, status any, cameIntoForce bool) (written bool, err error) {
	// A finalizer that was added meanwhile is no part of this write, nor the version that came of it.
	before = before.DeepCopyObject().(client.Object)
	before.SetFinalizers(after.GetFinalizers())
	before.SetResourceVersion(after.GetResourceVersion())
	patch := client.MergeFrom(before)
	if cameIntoForce {
		raw, err := json.Marshal(map[string]any{"status": status})
		if err != nil {
			return false, fmt.Errorf("marshal the status: %w", err)
		}
		patch = client.RawPatch(types.MergePatchType, raw)
	}
	// The answer is written into what is given.
	err = c.Status().Patch(ctx, after.DeepCopyObject().(client.Object), patch)
	if client.IgnoreNotFound(err) != nil {
		return false, fmt.Errorf("write the status: %w", err)
	}
	return err == nil, nil
}
