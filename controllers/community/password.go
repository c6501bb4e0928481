package community

import (
	"context"
	"errors"
	"fmt"
	"net/url"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"

	"github.com/quaeso/community-operator/api/v1alpha1"
	"github.com/quaeso/community-operator/internal/apply"
	"github.com/quaeso/community-operator/internal/cnpg"
	"github.com/quaeso/community-operator/internal/control"
	"github.com/quaeso/community-operator/internal/stack"
)

// findDatabasePassword takes the password of the community's role from its Secret, or makes one. Where the
// Secret was lost, the password is recovered from the credentials in force: a new one would lock kept data.
func (r *Reconciler) findDatabasePassword(ctx context.Context, s *scope) error {
	if s.plan.Database.Kind == v1alpha1.DatabaseExternal {
		return nil
	}
	secret, err := r.ownSecret(ctx, s, stack.DatabaseName(s.community.Name))
	if err != nil {
		return err
	}
	stored := ""
	if secret != nil {
		stored = string(secret.Data[corev1.BasicAuthPasswordKey])
	}
	inForce, err := r.passwordInForce(ctx, s)
	if err != nil {
		return err
	}
	switch {
	case stored == "" && inForce == "":
		s.plan.Database.Password = randomPassword()
	case stored == "", s.tampered(secret, inForce):
		s.plan.Database.Password = inForce
	default:
		s.plan.Database.Password = stored
	}
	return nil
}

// passwordInForce returns the password that the pods use, "" when there is none.
func (r *Reconciler) passwordInForce(ctx context.Context, s *scope) (string, error) {
	credentials, err := r.ownSecret(ctx, s, stack.CredentialsName(s.community.Name))
	var foreign *apply.ForeignError
	switch {
	case errors.As(err, &foreign): // which is reported with the credentials; it does not concern the database
		return "", nil
	case err != nil || credentials == nil:
		return "", err
	}
	return passwordOf(string(credentials.Data[control.FileDatabaseURI]), stack.DatabaseRole(s.plan)), nil
}

// passwordOf returns the password in a URI of the role, "" when there is none that could be in force.
func passwordOf(uri, role string) string {
	u, err := url.Parse(uri)
	if err != nil || u.User.Username() != role {
		return ""
	}
	password, _ := u.User.Password()
	return password
}

// tampered tells whether the password of a standalone database was changed by hand while the one in force is
// the one that was applied last. Its server took the password once and follows no Secret. A cloudNativePG or
// shared database follows: there such a change is a rotation.
func (s *scope) tampered(secret *corev1.Secret, inForce string) bool {
	if s.plan.Database.Kind != v1alpha1.DatabaseStandalone || inForce == "" {
		return false
	}
	plan := s.plan
	plan.Database.Password = inForce
	return apply.WasApplied(secret, stack.DatabaseSecret(plan))
}

// keepVolume takes over what cannot change about a volume that exists.
func (r *Reconciler) keepVolume(ctx context.Context, s *scope) error {
	name := stack.DatabaseName(s.community.Name)
	switch s.plan.Database.Kind {
	case v1alpha1.DatabaseStandalone:
		live, err := r.applier.Get(ctx, s.owner, apply.Ref{GVK: corev1.SchemeGroupVersion.WithKind("PersistentVolumeClaim"), Name: name})
		if claim, ok := live.(*corev1.PersistentVolumeClaim); ok {
			s.plan.Database.KeepVolume(claim.Spec.Resources.Requests[corev1.ResourceStorage], claim.Spec.StorageClassName)
		}
		return err
	case v1alpha1.DatabaseCloudNativePG:
		gvk := cnpg.GroupVersion.WithKind(cnpg.ClusterKind)
		if !r.optional.installed(gvk) {
			return nil
		}
		live, err := r.applier.Get(ctx, s.owner, apply.Ref{GVK: gvk, Name: name})
		if cluster, ok := live.(*cnpg.Cluster); ok && cluster.Spec.Storage != nil {
			size, parseErr := resource.ParseQuantity(cluster.Spec.Storage.Size)
			if parseErr != nil {
				return fmt.Errorf("read the storage of Cluster %s: %w", name, parseErr)
			}
			s.plan.Database.KeepVolume(size, cluster.Spec.Storage.StorageClass)
		}
		return err
	default:
		return nil
	}
}
