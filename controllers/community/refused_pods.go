package community

import (
	"context"
	"fmt"
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/quaeso/community-operator/api/v1alpha1"
	"github.com/quaeso/community-operator/internal/apply"
	"github.com/quaeso/community-operator/internal/conditions"
	"github.com/quaeso/community-operator/internal/stack"
)

// +kubebuilder:rbac:groups="",resources=events,verbs=list

// refusedDatabasePod says why the API server does not let the pod of a standalone database in. A Deployment has a
// condition for that; a StatefulSet tells it in an event alone.
func (r *Reconciler) refusedDatabasePod(ctx context.Context, s *scope) error {
	ref := apply.Ref{GVK: appsv1.SchemeGroupVersion.WithKind("StatefulSet"), Name: stack.DatabaseName(s.community.Name)}
	set, err := r.applier.Get(ctx, s.owner, ref)
	if err != nil || set == nil {
		return err
	}
	list := &corev1.EventList{}
	if err := r.Live.List(ctx, list, client.InNamespace(s.community.Namespace), client.MatchingFields{
		"involvedObject.uid": string(set.GetUID()), "reason": "FailedCreate",
	}); err != nil {
		return fmt.Errorf("list the events of the database's StatefulSet: %w", err)
	}
	var last *corev1.Event
	for i := range list.Items {
		e := &list.Items[i]
		// A claim that is refused has events of the same reason.
		if strings.Contains(e.Message, "pods \"") && (last == nil || last.LastTimestamp.Before(&e.LastTimestamp)) {
			last = e
		}
	}
	if last == nil {
		return nil
	}
	// Create Pod x-db-0 in StatefulSet x-db failed error: pods "x-db-0" is forbidden: …
	_, why, _ := strings.Cut(last.Message, "failed error: ")
	if strings.Contains(why, "exceeded quota") {
		return conditions.StallUntil(rediagnose, v1alpha1.ReasonQuotaExceeded,
			"a ResourceQuota refuses the database's pod: %s; raise the quota or choose a smaller size", why)
	}
	return conditions.StallUntil(rediagnose, v1alpha1.ReasonPodsRefused, "the API server refuses the database's pod: %s", why)
}
