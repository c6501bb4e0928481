package challenge

import (
	"context"

	"github.com/quaeso/community-operator/api/v1alpha1"
)

// converge brings the challenge into force in its community's idea service. What it refers to may come later: it waits.
func (r *Reconciler) converge(ctx context.Context, s *scope) error {
	service, err := r.Converger.Find(ctx, s.subject)
	if err != nil {
		return err
	}
	s.done, err = r.Converger.Converge(ctx, service, s.subject)
	return err
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
