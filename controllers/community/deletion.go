package community

import (
	"context"
	"errors"
	"fmt"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller/controllerutil"

	"github.com/quaeso/community-operator/api/v1alpha1"
	"github.com/quaeso/community-operator/internal/apply"
	"github.com/quaeso/community-operator/internal/certmanager"
	"github.com/quaeso/community-operator/internal/cnpg"
	"github.com/quaeso/community-operator/internal/conditions"
	"github.com/quaeso/community-operator/internal/ideaservice"
	"github.com/quaeso/community-operator/internal/postgres"
	"github.com/quaeso/community-operator/internal/stack"
)

// reconcileDelete keeps or drops the data as the policy says, and lets the Community go last. The other
// children go with their owner. Nothing is created any more.
func (r *Reconciler) reconcileDelete(ctx context.Context, s *scope) (ctrl.Result, error) {
	if !controllerutil.ContainsFinalizer(s.community, v1alpha1.FinalizerCommunity) {
		return ctrl.Result{}, nil
	}
	var err error
	if deletionPolicy(s.community) == v1alpha1.DeletionDelete {
		err = r.dropData(ctx, s)
	} else {
		err = r.retainData(ctx, s)
	}
	if err == nil {
		err = r.dropCertificate(ctx, s)
	}
	var waiting *conditions.Waiting
	if errors.As(err, &waiting) {
		s.reportDeleting(waiting.Message)
		return ctrl.Result{RequeueAfter: max(waiting.Until, time.Second)}, r.patchStatus(ctx, s)
	}
	if err != nil {
		s.reportDeleting(err.Error())
		return ctrl.Result{}, errors.Join(err, r.patchStatus(ctx, s))
	}
	controllerutil.RemoveFinalizer(s.community, v1alpha1.FinalizerCommunity)
	// The lock keeps a finalizer that somebody else added meanwhile.
	err = r.Patch(ctx, s.community, client.MergeFromWithOptions(s.before, client.MergeFromWithOptimisticLock{}))
	if client.IgnoreNotFound(err) != nil {
		return ctrl.Result{}, fmt.Errorf("remove the finalizer: %w", err)
	}
	r.forget(client.ObjectKeyFromObject(s.community))
	return ctrl.Result{}, nil
}

// dropCertificate removes the Secret that cert-manager filled and leaves behind. The Certificate goes first, or
// cert-manager would make the Secret again.
func (r *Reconciler) dropCertificate(ctx context.Context, s *scope) error {
	certificate := apply.Ref{GVK: certmanager.GroupVersion.WithKind(certmanager.CertificateKind), Name: stack.TLSName(s.community.Name)}
	if r.optional.installed(certificate.GVK) {
		if err := r.deleteAndWait(ctx, s, certificate, "the Certificate to go"); err != nil {
			return err
		}
	}
	secret := apply.Ref{GVK: corev1.SchemeGroupVersion.WithKind("Secret"), Name: stack.TLSName(s.community.Name)}
	_, err := r.applier.Delete(ctx, s.owner, secret)
	return err
}

func (s *scope) reportDeleting(message string) {
	conditions.SetDeleting(&s.community.Status.Conditions, s.community.Generation, message)
	s.community.Status.ObservedGeneration = s.community.Generation
}

// dataObjects are the children that hold data. They have no owner reference, so that no garbage collection
// takes them before the policy has been carried out.
func dataObjects(community string) []apply.Ref {
	name := stack.DatabaseName(community)
	return []apply.Ref{
		{GVK: cnpg.GroupVersion.WithKind(cnpg.ClusterKind), Name: name},
		{GVK: corev1.SchemeGroupVersion.WithKind("PersistentVolumeClaim"), Name: name},
		{GVK: corev1.SchemeGroupVersion.WithKind("Secret"), Name: name},
	}
}

// retainData marks what stays behind, so that people see whose it was, and puts a Cluster to sleep.
func (r *Reconciler) retainData(ctx context.Context, s *scope) error {
	for _, ref := range dataObjects(s.community.Name) {
		if !r.optional.installed(ref.GVK) {
			continue
		}
		live, err := r.applier.Get(ctx, s.owner, ref)
		if err != nil {
			return err
		}
		if live == nil || !live.GetDeletionTimestamp().IsZero() {
			continue
		}
		marks := map[string]string{v1alpha1.AnnotationRetained: string(s.community.UID)}
		if ref.GVK.Kind == cnpg.ClusterKind {
			marks[cnpg.AnnotationHibernation] = cnpg.HibernationOn
		}
		if err := r.applier.Annotate(ctx, live, marks); err != nil {
			return err
		}
	}
	return nil
}

// reclaimData removes the marks of data that was retained and is in use again.
func (r *Reconciler) reclaimData(ctx context.Context, s *scope) error {
	for _, ref := range dataObjects(s.community.Name) {
		live := s.seen[ref]
		if live == nil || live.GetAnnotations()[v1alpha1.AnnotationRetained] == "" {
			continue
		}
		current, err := r.applier.Get(ctx, s.owner, ref)
		if err != nil {
			return err
		}
		if current != nil {
			if err := r.applier.Annotate(ctx, current, map[string]string{v1alpha1.AnnotationRetained: ""}); err != nil {
				return err
			}
		}
	}
	return nil
}

// dropData ends the idea service first, so that nobody writes any more, then drops the database.
func (r *Reconciler) dropData(ctx context.Context, s *scope) error {
	deployment := apply.Ref{GVK: appsv1.SchemeGroupVersion.WithKind("Deployment"), Name: stack.IdeasName(s.community.Name)}
	if err := r.deleteAndWait(ctx, s, deployment, "the idea service to stop"); err != nil {
		return err
	}
	if err := r.dropShared(ctx, s); err != nil {
		return err
	}
	set := apply.Ref{GVK: appsv1.SchemeGroupVersion.WithKind("StatefulSet"), Name: stack.DatabaseName(s.community.Name)}
	if err := r.deleteAndWait(ctx, s, set, "PostgreSQL to stop"); err != nil {
		return err
	}
	for _, ref := range dataObjects(s.community.Name) {
		if !r.optional.installed(ref.GVK) {
			continue
		}
		if err := r.deleteAndWait(ctx, s, ref, "the "+ref.GVK.Kind+" "+ref.Name+" to go"); err != nil {
			return err
		}
	}
	return nil
}

func (r *Reconciler) deleteAndWait(ctx context.Context, s *scope, ref apply.Ref, what string) error {
	gone, err := r.applier.Delete(ctx, s.owner, ref)
	if err != nil {
		return err
	}
	if !gone {
		return conditions.Wait(time.Second, v1alpha1.ReasonDeleting, "waiting for %s", what)
	}
	return nil
}

// dropShared drops database and role on the shared server. A server that is out of reach is waited for: set
// deletionPolicy to Retain to let the Community go without it.
func (r *Reconciler) dropShared(ctx context.Context, s *scope) error {
	const way = "; set spec.deletionPolicy to Retain to let the Community go and keep the database"
	class, err := r.classForDeletion(ctx, s)
	if err != nil || !usesShared(s.community, class) {
		return err
	}
	if class == nil || class.Spec.Database.Shared == nil {
		return conditions.Wait(retryDatabase, v1alpha1.ReasonDeleting,
			"waiting for the CommunityClass that names the shared server, to drop database %s%s", s.sharedDatabase().Name, way)
	}
	s.class = class
	admin, err := r.sharedAdmin(ctx, class)
	if err == nil {
		err = r.Databases.Drop(ctx, admin, s.sharedDatabase())
	}
	var foreign *postgres.ForeignError
	if errors.As(err, &foreign) {
		return nil // what is not this Community's is not dropped with it
	}
	if err != nil {
		return conditions.Wait(retryDatabase, v1alpha1.ReasonDeleting, "waiting for the shared server, to drop database %s: %s%s",
			s.sharedDatabase().Name, databaseFailure(err).Error(), way)
	}
	return nil
}

// usesShared tells whether a community may have a database on a shared server: one is made before the status
// that tells of it is written.
func usesShared(c *v1alpha1.Community, class *v1alpha1.CommunityClass) bool {
	if c.Status.Database != nil {
		return c.Status.Database.Kind == v1alpha1.DatabaseShared
	}
	external := c.Spec.Database != nil && c.Spec.Database.External != nil
	return !external && class != nil && class.Spec.Database.Kind == v1alpha1.DatabaseShared
}

// classForDeletion finds the class that was last resolved, whatever the spec says by now.
func (r *Reconciler) classForDeletion(ctx context.Context, s *scope) (*v1alpha1.CommunityClass, error) {
	if s.community.Status.Resolved == nil {
		class, err := r.findClass(ctx, s.community)
		var stalled *conditions.Stalled
		if errors.As(err, &stalled) {
			return nil, nil
		}
		return class, err
	}
	class := &v1alpha1.CommunityClass{}
	err := r.Get(ctx, types.NamespacedName{Name: s.community.Status.Resolved.ClassName}, class)
	if apierrors.IsNotFound(err) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("get the CommunityClass: %w", err)
	}
	return class, nil
}

// forget drops what is kept in memory about a Community that is gone.
func (r *Reconciler) forget(name types.NamespacedName) {
	r.claims.release(name)
	r.ensured.forget(name)
	r.unreachable.since(name, false, time.Time{})
	r.up.since(name, false, time.Time{})
	r.texts.forget(name)
	r.Programmes.Forget(ideaservice.Follower{Kind: ideaservice.KindCommunity, NamespacedName: name})
}
