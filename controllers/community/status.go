package community

import (
	"context"
	"fmt"

	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/quaeso/community-operator/api/v1alpha1"
	"github.com/quaeso/community-operator/internal/conditions"
)

// reportResolved shows what is in force after the defaults of class and size.
func (s *scope) reportResolved() {
	resolved := &v1alpha1.ResolvedSettings{
		ClassName:      s.class.Name,
		Size:           s.plan.Size.Name,
		Replicas:       s.plan.Replicas,
		Image:          s.class.Spec.IdeaService.Image,
		Locales:        s.plan.Locales,
		TimeZone:       s.plan.TimeZone,
		Mail:           "off",
		DeletionPolicy: deletionPolicy(s.community),
	}
	switch s.plan.Database.Kind {
	case v1alpha1.DatabaseStandalone, v1alpha1.DatabaseCloudNativePG:
		storage := s.plan.Database.Storage.DeepCopy()
		resolved.Storage = &storage
	}
	switch {
	case s.community.Spec.Mail != nil:
		resolved.Mail = "secret"
	case s.class.Spec.Mail != nil:
		resolved.Mail = "class"
	}
	s.community.Status.Resolved = resolved
}

func deletionPolicy(c *v1alpha1.Community) v1alpha1.DeletionPolicy {
	if c.Spec.DeletionPolicy == "" {
		return v1alpha1.DeletionRetain
	}
	return c.Spec.DeletionPolicy
}

// reportSummary sets Ready, Reconciling and Stalled from the phases.
func (s *scope) reportSummary() {
	s.community.Status.ObservedGeneration = s.community.Generation
	conditions.Summarize(&s.community.Status.Conditions, s.community.Generation, s.outcomes, "open at "+s.community.Status.URL)
}

// reportPaused says that nothing is done, and leaves everything else as it was last seen.
func (s *scope) reportPaused() {
	conditions.SetPaused(&s.community.Status.Conditions, s.community.Generation, v1alpha1.ReasonPaused,
		"spec.paused is true: the operator changes nothing; what runs goes on running")
	s.community.Status.ObservedGeneration = s.community.Generation
}

// patchStatus writes the status once, if it changed, and reports the change as an event afterwards.
func (r *Reconciler) patchStatus(ctx context.Context, s *scope) error {
	if equality.Semantic.DeepEqual(s.before.Status, s.community.Status) {
		return nil
	}
	err := r.Status().Patch(ctx, s.community, client.MergeFrom(s.before))
	if apierrors.IsNotFound(err) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("write the status: %w", err)
	}
	if c := conditions.ReadyChange(s.before.Status.Conditions, s.community.Status.Conditions); c != nil {
		c.Report(r.Events, s.community)
	}
	return nil
}
