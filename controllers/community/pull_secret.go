package community

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"

	"github.com/quaeso/community-operator/api/v1alpha1"
	"github.com/quaeso/community-operator/internal/conditions"
	"github.com/quaeso/community-operator/internal/stack"
)

// gatherPullSecret merges the class's pull Secrets, which live in the operator's namespace, into one.
func (r *Reconciler) gatherPullSecret(ctx context.Context, s *scope) error {
	names := s.class.Spec.IdeaService.ImagePullSecretNames
	if len(names) == 0 {
		return nil
	}
	merged := struct {
		Auths map[string]json.RawMessage `json:"auths"`
	}{Auths: map[string]json.RawMessage{}}
	for _, name := range names {
		one := merged
		one.Auths = nil
		if err := r.readPullSecret(ctx, types.NamespacedName{Namespace: r.OperatorNamespace, Name: name}, &one); err != nil {
			return errors.Join(err, r.keepPullSecret(ctx, s))
		}
		for registry, auth := range one.Auths {
			merged.Auths[registry] = auth
		}
	}
	raw, err := json.Marshal(merged)
	if err != nil {
		return fmt.Errorf("marshal the pull Secret: %w", err)
	}
	s.plan.PullSecret = raw
	return nil
}

// keepPullSecret leaves the last good pull Secret in place.
func (r *Reconciler) keepPullSecret(ctx context.Context, s *scope) error {
	own, err := r.ownSecret(ctx, s, stack.PullSecretName(s.community.Name))
	s.pullSecretUnknown = err != nil
	if own != nil {
		s.plan.PullSecret = own.Data[corev1.DockerConfigJsonKey]
	}
	return err
}

func (r *Reconciler) readPullSecret(ctx context.Context, ref types.NamespacedName, into any) error {
	secret := &corev1.Secret{}
	err := r.Live.Get(ctx, ref, secret)
	if apierrors.IsNotFound(err) {
		return conditions.Stall(v1alpha1.ReasonSecretNotFound,
			"the class's imagePullSecretNames name the Secret %s, which does not exist", ref)
	}
	if err != nil {
		return fmt.Errorf("get pull Secret %s: %w", ref, err)
	}
	if err := json.Unmarshal(secret.Data[corev1.DockerConfigJsonKey], into); err != nil {
		return conditions.Stall(v1alpha1.ReasonSecretIncomplete,
			"Secret %s, one of the class's imagePullSecretNames, must be of type %s with the key %s", ref,
			corev1.SecretTypeDockerConfigJson, corev1.DockerConfigJsonKey)
	}
	return nil
}
