// Package ideaservice is the operator's side of a community's idea service: where it takes declarations, what it has in
// force, and what its answers mean.
package ideaservice

import (
	"context"
	"fmt"
	"net"
	"strconv"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/quaeso/community-operator/api/v1alpha1"
	"github.com/quaeso/community-operator/internal/apply"
	"github.com/quaeso/community-operator/internal/conditions"
	"github.com/quaeso/community-operator/internal/control"
	"github.com/quaeso/community-operator/internal/stack"
)

// Endpoint is where an idea service takes declarations, and the token that it asks for.
type Endpoint struct {
	Address, Token string
}

// Address of the control port behind a Service ("host:port"); empty as long as there is none.
func Address(s *corev1.Service) string {
	if s == nil || s.Spec.ClusterIP == "" {
		return ""
	}
	return net.JoinHostPort(s.Spec.ClusterIP, strconv.Itoa(stack.PortControl))
}

// Service is the idea service of a Community that takes declarations.
type Service struct {
	Community *v1alpha1.Community
	Endpoint
}

// Key names the Community.
func (s *Service) Key() types.NamespacedName { return client.ObjectKeyFromObject(s.Community) }

// Finder finds idea services.
type Finder struct {
	// Applier reads the children of Communities.
	Applier *apply.Applier
}

// PausedError says that nothing may change because the Community is paused.
type PausedError struct{ Community string }

// Error implements error.
func (e *PausedError) Error() string {
	return fmt.Sprintf("spec.paused of Community %s is true: the operator changes nothing; what is in force stays so", e.Community)
}

// GoneError says that there is no Community, or that it is being deleted.
type GoneError struct {
	// Deleting tells that it is still there.
	Deleting bool
	wait     error
}

// Error implements error.
func (e *GoneError) Error() string { return e.wait.Error() }

// Unwrap gives the *conditions.Waiting.
func (e *GoneError) Unwrap() error { return e.wait }

// Find returns the idea service of a Community, as far as the operator's cache knows. Errors: *GoneError, *PausedError,
// *conditions.Waiting; a watch on Communities tells when to look again.
func (f *Finder) Find(ctx context.Context, key types.NamespacedName) (*Service, error) {
	c := &v1alpha1.Community{}
	err := f.Applier.Client.Get(ctx, key, c)
	switch {
	case apierrors.IsNotFound(err):
		return nil, &GoneError{wait: conditions.Wait(0, v1alpha1.ReasonCommunityNotFound,
			"waits for the Community %s, which does not exist in this namespace", key.Name)}
	case err != nil:
		return nil, fmt.Errorf("get Community %s: %w", key.Name, err)
	case !c.DeletionTimestamp.IsZero():
		return nil, &GoneError{Deleting: true, wait: conditions.Wait(0, v1alpha1.ReasonCommunityNotReady,
			"the Community %s is being deleted", key.Name)}
	case c.Spec.Paused:
		return nil, &PausedError{Community: key.Name}
	case !TakesDeclarations(c):
		return nil, notReady(c)
	}
	endpoint, err := f.endpoint(ctx, c)
	if err != nil {
		return nil, err
	}
	if endpoint.Address == "" || endpoint.Token == "" {
		return nil, notReady(c)
	}
	return &Service{Community: c, Endpoint: endpoint}, nil
}

// TakesDeclarations tells whether the idea service of a Community has answered and works by settings of this Community:
// the current ones, or the last good ones where it refused those.
func TakesDeclarations(c *v1alpha1.Community) bool {
	settings := meta.FindStatusCondition(c.Status.Conditions, v1alpha1.ConditionSettingsInForce)
	if settings == nil {
		return false
	}
	switch settings.Reason {
	case v1alpha1.ReasonConfigMapNotFound, v1alpha1.ReasonConfigMapIncomplete:
		return c.Status.InForce != nil
	}
	return settings.Status == metav1.ConditionTrue || settings.Reason == v1alpha1.ReasonSettingsRefused
}

func notReady(c *v1alpha1.Community) error {
	reason := v1alpha1.ReasonProgressing
	if ready := meta.FindStatusCondition(c.Status.Conditions, v1alpha1.ConditionReady); ready != nil {
		reason = ready.Reason
	}
	return conditions.Wait(0, v1alpha1.ReasonCommunityNotReady, "waits for the Community %s to be ready; it says %s", c.Name, reason)
}

func (f *Finder) endpoint(ctx context.Context, c *v1alpha1.Community) (Endpoint, error) {
	owner := apply.Owner{UID: c.UID, Namespace: c.Namespace, Name: c.Name}
	core := corev1.SchemeGroupVersion
	var e Endpoint
	live, err := f.Applier.Get(ctx, owner, apply.Ref{GVK: core.WithKind("Service"), Name: stack.ControlName(c.Name)})
	if err != nil {
		return e, err
	}
	if service, ok := live.(*corev1.Service); ok {
		e.Address = Address(service)
	}
	live, err = f.Applier.Get(ctx, owner, apply.Ref{GVK: core.WithKind("Secret"), Name: stack.CredentialsName(c.Name)})
	if err != nil {
		return e, err
	}
	if secret, ok := live.(*corev1.Secret); ok {
		e.Token = string(secret.Data[control.FileControlToken])
	}
	return e, nil
}
