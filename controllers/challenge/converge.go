package challenge

import (
	"context"
	"errors"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/types"

	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"github.com/quaeso/community-operator/api/v1alpha1"
	"github.com/quaeso/community-operator/internal/conditions"
)

// converge brings the challenge into force in its community's idea service. What it refers to may come later: then it
// waits, unless it waits for itself.
func (r *Reconciler) converge(ctx context.Context, s *scope) error {
	service, err := r.Converger.Find(ctx, s.subject)
	if err != nil {
		return err
	}
	s.done, err = r.Converger.Converge(ctx, service, s.subject)
	var waiting *conditions.Waiting
	if errors.As(err, &waiting) && waiting.Reason == v1alpha1.ReasonReferenceMissing {
		if circle := r.circle(ctx, s.challenge, nil); circle != nil {
			err = conditions.Stall(v1alpha1.ReasonReferenceCycle,
				"challenges refer to each other in a circle: %s; remove origin or eligibility.selectedIn of one of them", strings.Join(circle, " → "))
		}
	}
	return err
}

// circle follows references between challenges and returns the names of one that leads back to itself; nil for none.
func (r *Reconciler) circle(ctx context.Context, c *v1alpha1.Challenge, path []string) []string {
	if i := slices.Index(path, c.Name); i >= 0 {
		return append(slices.Clone(path[i:]), c.Name)
	}
	path = append(path, c.Name)
	for _, name := range challengesNamed(c) {
		next := &v1alpha1.Challenge{}
		err := r.Get(ctx, types.NamespacedName{Namespace: c.Namespace, Name: name}, next)
		if apierrors.IsNotFound(err) {
			continue
		}
		if err != nil {
			return nil // the wait for it is reported all the same
		}
		if circle := r.circle(ctx, next, path); circle != nil {
			return circle
		}
	}
	return nil
}

// challengesNamed are the challenges that one refers to.
func challengesNamed(c *v1alpha1.Challenge) (names []string) {
	if c.Spec.Origin != "" {
		names = append(names, string(c.Spec.Origin))
	}
	if e := c.Spec.Eligibility; e != nil && e.SelectedIn != "" {
		names = append(names, string(e.SelectedIn))
	}
	return names
}
