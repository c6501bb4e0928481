package community

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/quaeso/community-operator/api/v1alpha1"
	"github.com/quaeso/community-operator/internal/apply"
	"github.com/quaeso/community-operator/internal/certmanager"
	"github.com/quaeso/community-operator/internal/cnpg"
	"github.com/quaeso/community-operator/internal/conditions"
	"github.com/quaeso/community-operator/internal/stack"
)

const workloadReadyMessage = "every replica serves"

// patience is how long pods may take before the operator asks the API server what keeps them.
const patience = 4 * time.Second

// applied says what is wrong with the children of each part.
type applied struct {
	database, workload, route error
}

// applyStack applies every child, and removes what the plan no longer wants. One refused object does not keep
// the others from their state.
func (r *Reconciler) applyStack(ctx context.Context, s *scope) applied {
	var out applied
	wanted := map[apply.Ref]bool{}
	for _, desired := range stack.Objects(s.plan) {
		ref, err := apply.RefOf(desired)
		if err != nil {
			out.workload = firstError(out.workload, err)
			continue
		}
		wanted[ref] = true
		part := out.partOf(s.community.Name, ref)
		*part = firstError(*part, r.applyChild(ctx, s, ref, desired))
	}
	secrets := corev1.SchemeGroupVersion.WithKind("Secret")
	if s.pullSecretUnknown {
		wanted[apply.Ref{GVK: secrets, Name: stack.PullSecretName(s.community.Name)}] = true
	}
	if name := stack.TLSName(s.community.Name); wanted[apply.Ref{GVK: certmanager.GroupVersion.WithKind(certmanager.CertificateKind), Name: name}] {
		wanted[apply.Ref{GVK: secrets, Name: name}] = true
	}
	if out.database == nil {
		out.database = r.reclaimData(ctx, s)
	}
	switch {
	case out.workload != nil || out.route != nil: // what is replaced goes only after what replaces it
	case s.plan.Credentials == nil:
		out.workload = conditions.Wait(0, v1alpha1.ReasonProgressing, "the pods wait for their credentials")
	default:
		out.workload = r.prune(ctx, s, wanted)
	}
	return out
}

func (a *applied) partOf(community string, ref apply.Ref) *error {
	switch {
	case ref.Name == stack.DatabaseName(community):
		return &a.database
	case slices.Contains(routeKinds, ref.GVK.Kind):
		return &a.route
	default:
		return &a.workload
	}
}

// routeKinds are the kinds of children that bring traffic.
var routeKinds = []string{"HTTPRoute", "ListenerSet", "Ingress", certmanager.CertificateKind}

func (r *Reconciler) applyChild(ctx context.Context, s *scope, ref apply.Ref, desired runtime.ApplyConfiguration) error {
	if err := r.missingKind(ref.GVK); err != nil {
		return err
	}
	withheld, err := r.withheld(ctx, s, ref)
	if withheld || err != nil {
		return err
	}
	s.seen[ref], err = r.applier.Apply(ctx, s.owner, desired)
	var foreign *apply.ForeignError
	s.foreign[ref] = errors.As(err, &foreign)
	return err
}

// withheld tells whether a child stays as it is, because what it is made from is not known, not good or not
// ours: a stack that runs is not taken apart over a Secret that went missing, PostgreSQL does not write to a
// volume of somebody else, and no traffic is led to pods of somebody else.
func (r *Reconciler) withheld(ctx context.Context, s *scope, ref apply.Ref) (bool, error) {
	core := corev1.SchemeGroupVersion
	switch {
	case ref.GVK.Kind == "StatefulSet" && s.foreign[apply.Ref{GVK: core.WithKind("PersistentVolumeClaim"), Name: ref.Name}]:
		return true, nil
	case (ref.GVK.Kind == "HTTPRoute" || ref.GVK.Kind == "Ingress") && s.foreign[apply.Ref{GVK: core.WithKind("Service"), Name: ref.Name}]:
		return true, nil
	case s.databaseUnknown && ref.Name == stack.DatabaseName(s.community.Name):
		return true, nil
	case s.pullSecretUnknown && slices.Contains([]string{"Deployment", "StatefulSet", cnpg.ClusterKind}, ref.GVK.Kind):
		return true, nil
	case s.plan.Credentials == nil && ref.GVK.Kind == "NetworkPolicy", // it would close the way to the database
		s.tlsErr != nil && (ref.GVK.Kind == "Ingress" || ref.GVK.Kind == "ListenerSet"):
		live, err := r.applier.Get(ctx, s.owner, ref)
		return live != nil, err
	default:
		return false, nil
	}
}

// refusedByAPI tells refusals of the API server that a person must act on from those that pass.
func refusedByAPI(err error) error {
	var status apierrors.APIStatus
	switch {
	case !errors.As(err, &status):
		return err
	case apierrors.IsForbidden(err) && strings.Contains(err.Error(), "exceeded quota"):
		return conditions.StallUntil(30*time.Second, v1alpha1.ReasonQuotaExceeded, "%s; raise the quota or choose a smaller size", oneLine(status))
	case apierrors.HasStatusCause(err, corev1.NamespaceTerminatingCause):
		return conditions.Wait(0, v1alpha1.ReasonDeleting, "the namespace is being deleted")
	case apierrors.IsInvalid(err) || apierrors.IsForbidden(err):
		return conditions.StallUntil(30*time.Second, v1alpha1.ReasonRefusedByAPI, "the API server refuses: %s", oneLine(status))
	default:
		return err
	}
}

// oneLine is the API server's message fit for a table; it may show a difference in lines.
func oneLine(status apierrors.APIStatus) string {
	return strings.Join(strings.Fields(status.Status().Message), " ")
}

// observeWorkload tells whether every replica serves, and if not, what keeps the pods.
func (r *Reconciler) observeWorkload(ctx context.Context, s *scope) error {
	status := &s.community.Status
	status.Selector = stack.Selector(s.community.Name)
	ref := apply.Ref{GVK: appsv1.SchemeGroupVersion.WithKind("Deployment"), Name: stack.IdeasName(s.community.Name)}
	live, err := r.applier.Get(ctx, s.owner, ref)
	if err != nil {
		return err
	}
	deployment, ok := live.(*appsv1.Deployment)
	if !ok {
		status.Replicas, status.ReadyReplicas = 0, 0
		return conditions.Wait(0, v1alpha1.ReasonProgressing, "the idea service has no Deployment yet")
	}
	status.Replicas, status.ReadyReplicas = deployment.Status.Replicas, deployment.Status.ReadyReplicas
	want := *deployment.Spec.Replicas
	d := deployment.Status
	if d.ObservedGeneration >= deployment.Generation && d.UpdatedReplicas == want && d.AvailableReplicas == want && d.Replicas == want {
		return nil
	}
	if err := refusedPods(deployment); err != nil {
		return err
	}
	if s.now.Sub(lastProgress(deployment)) >= patience {
		if err := r.diagnosePods(ctx, s); err != nil {
			return err
		}
	}
	return conditions.Wait(max(s.poll(), time.Second), v1alpha1.ReasonProgressing,
		"%d of %d replicas serve", d.AvailableReplicas, want)
}

// refusedPods reports pods that the API server did not let in.
func refusedPods(d *appsv1.Deployment) error {
	for _, c := range d.Status.Conditions {
		if c.Type != appsv1.DeploymentReplicaFailure || c.Status != corev1.ConditionTrue {
			continue
		}
		if strings.Contains(c.Message, "exceeded quota") {
			return conditions.StallUntil(30*time.Second, v1alpha1.ReasonQuotaExceeded,
				"a ResourceQuota refuses the pods: %s; raise the quota or choose a smaller size", withoutPodName(c.Message))
		}
		return conditions.StallUntil(30*time.Second, v1alpha1.ReasonPodsRefused, "the API server refuses the pods: %s", withoutPodName(c.Message))
	}
	return nil
}

// withoutPodName drops the random pod name from 'pods "x-abc" is forbidden: …', so that the text is stable.
func withoutPodName(message string) string {
	if strings.HasPrefix(message, "pods \"") {
		if _, rest, ok := strings.Cut(message, "\" "); ok {
			return rest
		}
	}
	return message
}

func lastProgress(d *appsv1.Deployment) time.Time {
	last := d.CreationTimestamp.Time
	for _, c := range d.Status.Conditions {
		if c.Type == appsv1.DeploymentProgressing && c.LastUpdateTime.After(last) {
			last = c.LastUpdateTime.Time
		}
	}
	return last
}
