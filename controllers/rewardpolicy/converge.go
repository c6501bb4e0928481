package rewardpolicy

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/quaeso/community-operator/api/v1alpha1"
	"github.com/quaeso/community-operator/internal/conditions"
	"github.com/quaeso/community-operator/internal/rewards"
	"github.com/quaeso/community-operator/internal/rules"
)

// priceOnly is the value of the annotation that has a changed spec priced and not declared.
const priceOnly = "only"

// errPriceOnly is returned for a spec that is not declared because it is only to be priced.
var errPriceOnly = conditions.Stall(v1alpha1.ReasonPriceOnly,
	"the annotation %s is %q: this spec is priced, see status.pricing, and not declared; remove the annotation to declare it", v1alpha1.AnnotationPrice, priceOnly)

// converge brings the policy into force in its community's idea service. One that cannot hold is refused before anything
// changes.
func (r *Reconciler) converge(ctx context.Context, s *scope) error {
	if err := s.check(); err != nil {
		return err
	}
	service, err := r.Converger.Find(ctx, s.subject)
	if err != nil {
		return err
	}
	if s.policy.Annotations[v1alpha1.AnnotationPrice] == priceOnly && s.subject.Want != s.subject.Last {
		s.done, err = r.Converger.Look(ctx, service, s.subject)
		if err != nil {
			return err
		}
		return errPriceOnly
	}
	s.done, err = r.Converger.Converge(ctx, service, s.subject)
	return err
}

// check refuses what the engine of rewards could not work by, each fault of an expression with its position.
func (s *scope) check() error {
	_, err := rules.Compile(rewards.Rules(s.declared.Spec))
	var faults rules.Errors
	switch {
	case err == nil:
		return nil
	case !errors.As(err, &faults):
		return fmt.Errorf("check the rules: %w", err)
	}
	var told []string
	for _, f := range faults {
		position := ""
		if f.Line > 0 {
			position = fmt.Sprintf("line %d, column %d: ", f.Line, f.Column)
		}
		told = append(told, "spec."+f.Field+": "+position+f.Message)
	}
	return conditions.Stall(v1alpha1.ReasonRefused, "this cannot hold, and what was in force before stays so: %s", strings.Join(told, "; "))
}
