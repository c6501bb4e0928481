package ideaservice

import (
	"context"
	"errors"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller/controllerutil"

	"github.com/quaeso/community-operator/api/v1alpha1"
	"github.com/quaeso/community-operator/internal/conditions"
	"github.com/quaeso/community-operator/internal/control"
)

// Subject is a Challenge or a RewardPolicy on its way into force.
type Subject struct {
	// Object as read. Converging adds its finalizer.
	Object client.Object
	// Kind is one of control's Kind constants.
	Kind string
	// Community that it belongs to.
	Community string
	// Finalizer that it has from its first declaration until it was withdrawn.
	Finalizer string
	// Want is what should be in force, Last what was when the operator last put it in force.
	Want, Last control.InForce
	// ReportDrift leaves what was changed in the service as it is.
	ReportDrift bool
	// Again is how soon to look again at a service that will be ready by itself.
	Again time.Duration
	// Declare and Withdraw are the calls for its kind. former is the UID of what the subject takes the place of, if any.
	Declare  func(ctx context.Context, e Endpoint, former string) (control.Answer, error)
	Withdraw func(context.Context, Endpoint) error
}

func (s Subject) follower() Follower {
	return Follower{Kind: s.Kind, NamespacedName: client.ObjectKeyFromObject(s.Object)}
}

func (s Subject) community() types.NamespacedName {
	return types.NamespacedName{Namespace: s.Object.GetNamespace(), Name: s.Community}
}

// Converger brings subjects into force and keeps them there.
type Converger struct {
	Client     client.Client
	Finder     *Finder
	Programmes *Programmes
}

// Converged tells how a subject stands after converging.
type Converged struct {
	// Service that has it in force.
	Service *Service
	// Step that was taken.
	Step Step
	// InForce tells that the service has some generation of the subject in force.
	InForce bool
	// Happened and StateDue are those of Seen.
	Happened int64
	StateDue bool
	// Former is the UID under which an object of its name was in force; the subject took its place. Names are unique, so
	// that was the same object before a restore, or one that was let go with what it had.
	Former string
}

// Find returns the idea service of a subject's Community.
func (c *Converger) Find(ctx context.Context, s Subject) (*Service, error) {
	return c.Finder.Find(ctx, s.community())
}

// Look tells how a subject stands, without bringing it into force.
func (c *Converger) Look(ctx context.Context, service *Service, s Subject) (Converged, error) {
	done := Converged{Service: service}
	seen, err := c.Programmes.Look(ctx, service, s.follower(), s.Want.UID)
	if err != nil {
		// The programmes tell when the service answers again.
		return done, Silent(err, 0)
	}
	done.Happened, done.StateDue, done.Former = seen.Happened, seen.StateDue, seen.Former
	done.InForce = seen.Object.InForce() != (control.InForce{})
	done.Step = Next(s.Want, seen.Object.InForce(), s.Last)
	return done, nil
}

// Converge brings a subject into force where it is not. Errors: *conditions.Waiting, *conditions.Stalled, or what may
// pass. What was in force before stays so unless the service has accepted the subject.
func (c *Converger) Converge(ctx context.Context, service *Service, s Subject) (Converged, error) {
	done, err := c.Look(ctx, service, s)
	switch {
	case err != nil || done.Step == Keep:
		return done, err
	case done.Step == Repair && s.ReportDrift:
		return done, conditions.Stall(v1alpha1.ReasonDrifted,
			"the idea service no longer works by this, and spec.driftPolicy is Report: set it to Correct, or change this object, to have it declared again")
	}
	if err := c.hold(ctx, s); err != nil {
		return done, err
	}
	answer, err := s.Declare(ctx, service.Endpoint, done.Former)
	if err != nil {
		return done, Silent(err, s.Again)
	}
	if err := Judge(answer, s.Want, s.Again); err != nil {
		return done, err
	}
	done.InForce, done.StateDue = true, true
	c.Programmes.Note(service, control.KnownObject{
		Kind: s.Kind, UID: s.Want.UID, Name: s.Object.GetName(), Generation: s.Want.Generation, Digest: s.Want.Digest,
	})
	return done, nil
}

// Changes are what people are told of a subject that was put in force although it did not change.
func (d Converged) Changes(after []metav1.Condition) (changes []conditions.Change) {
	if !meta.IsStatusConditionTrue(after, v1alpha1.ConditionInForce) {
		return nil
	}
	if d.Step == Repair {
		changes = append(changes, conditions.Change{
			Type: corev1.EventTypeWarning, Reason: "DriftCorrected", Action: "Declare",
			Message: "the idea service no longer worked by this spec; it was declared again",
		})
	}
	if d.Step != Keep && d.Former != "" {
		changes = append(changes, conditions.Change{
			Type: corev1.EventTypeNormal, Reason: "TakenUp", Action: "Declare",
			Message: "took the place of the object of this name that the idea service had in force, with everything that was lived in it",
		})
	}
	return changes
}

// hold adds the finalizer. A subject that was never declared has none, and goes at once when it is deleted.
func (c *Converger) hold(ctx context.Context, s Subject) error {
	before := s.Object.DeepCopyObject().(client.Object)
	if !controllerutil.AddFinalizer(s.Object, s.Finalizer) {
		return nil
	}
	// The patch's answer is written into what it is given, and would undo the status made so far. The lock keeps a
	// finalizer that somebody else added meanwhile: a patch of a list replaces it.
	patched := s.Object.DeepCopyObject().(client.Object)
	if err := c.Client.Patch(ctx, patched, client.MergeFromWithOptions(before, client.MergeFromWithOptimisticLock{})); err != nil {
		return fmt.Errorf("add the finalizer: %w", err)
	}
	s.Object.SetResourceVersion(patched.GetResourceVersion())
	return nil
}

// Release withdraws a subject that is being deleted, unless it is to stay in force, and lets it go. Errors:
// *conditions.Waiting, or what may pass.
func (c *Converger) Release(ctx context.Context, s Subject, retain bool) error {
	if !controllerutil.ContainsFinalizer(s.Object, s.Finalizer) {
		return nil
	}
	if !retain {
		if err := c.withdraw(ctx, s); err != nil {
			return err
		}
	}
	before := s.Object.DeepCopyObject().(client.Object)
	controllerutil.RemoveFinalizer(s.Object, s.Finalizer)
	err := c.Client.Patch(ctx, s.Object, client.MergeFromWithOptions(before, client.MergeFromWithOptimisticLock{}))
	if client.IgnoreNotFound(err) != nil {
		return fmt.Errorf("remove the finalizer: %w", err)
	}
	c.Programmes.Forget(s.follower())
	return nil
}

// withdraw ends what is in force. Where the Community is gone, or goes as well, there is nothing to withdraw from.
func (c *Converger) withdraw(ctx context.Context, s Subject) error {
	const way = "; set spec.deletionPolicy to Retain to let this go and leave it in force"
	service, err := c.Find(ctx, s)
	var gone *GoneError
	var paused *PausedError
	var waiting *conditions.Waiting
	switch {
	case errors.As(err, &gone):
		return nil
	case errors.As(err, &paused):
		return conditions.Wait(0, v1alpha1.ReasonDeleting, "%s%s", paused.Error(), way)
	case errors.As(err, &waiting):
		return conditions.Wait(0, v1alpha1.ReasonDeleting, "%s, to withdraw this%s", waiting.Message, way)
	case err != nil:
		return err
	}
	if err := s.Withdraw(ctx, service.Endpoint); err != nil {
		return conditions.Wait(s.Again, v1alpha1.ReasonDeleting, "%s, to withdraw this%s", Silent(err, 0).Error(), way)
	}
	c.Programmes.Note(service, control.KnownObject{Kind: s.Kind, UID: s.Want.UID, Name: s.Object.GetName(), Archived: true})
	return nil
}
