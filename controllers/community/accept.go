package community

import (
	"context"
	"fmt"
	"strings"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/quaeso/community-operator/api/v1alpha1"
	"github.com/quaeso/community-operator/internal/conditions"
	"github.com/quaeso/community-operator/internal/stack"
)

// accept finds the class, resolves the spec into a plan and claims hostnames. A hostname that another
// community holds is reported, and the rest of the plan goes on without it.
func (r *Reconciler) accept(ctx context.Context, s *scope) error {
	class, err := r.findClass(ctx, s.community)
	if err != nil {
		return err
	}
	s.class = class
	plan, err := stack.Resolve(s.community, class)
	if err != nil {
		return err
	}
	// Go's name for the machine's own zone is not one of the database.
	if _, err := time.LoadLocation(plan.TimeZone); err != nil || plan.TimeZone == time.Local.String() {
		return conditions.Stall(v1alpha1.ReasonUnknownTimeZone,
			"spec.brand.timeZone %q is not in the time zone database; use an IANA name such as Europe/Paris", plan.TimeZone)
	}
	plan.OperatorNamespace = r.OperatorNamespace
	s.plan = plan
	return nil
}

func (r *Reconciler) findClass(ctx context.Context, c *v1alpha1.Community) (*v1alpha1.CommunityClass, error) {
	if name := c.Spec.ClassName; name != "" {
		class := &v1alpha1.CommunityClass{}
		err := r.Get(ctx, types.NamespacedName{Name: name}, class)
		if apierrors.IsNotFound(err) {
			return nil, conditions.Stall(v1alpha1.ReasonClassNotFound,
				"spec.className names the CommunityClass %q, which does not exist; create it or correct the name", name)
		}
		if err != nil {
			return nil, fmt.Errorf("get CommunityClass %s: %w", name, err)
		}
		return class, nil
	}
	return r.defaultClass(ctx)
}

func (r *Reconciler) defaultClass(ctx context.Context) (*v1alpha1.CommunityClass, error) {
	list := &v1alpha1.CommunityClassList{}
	if err := r.List(ctx, list, client.DisableReadYourWritesConsistency); err != nil {
		return nil, fmt.Errorf("list CommunityClasses: %w", err)
	}
	var found *v1alpha1.CommunityClass
	var names []string
	for i := range list.Items {
		if list.Items[i].Spec.Default {
			found = &list.Items[i]
			names = append(names, found.Name)
		}
	}
	switch len(names) {
	case 0:
		return nil, conditions.Stall(v1alpha1.ReasonNoDefaultClass,
			"spec.className is absent and no CommunityClass has spec.default: true; name a class or mark one")
	case 1:
		return found, nil
	default:
		return nil, conditions.Stall(v1alpha1.ReasonSeveralDefaultClasses,
			"spec.className is absent and several CommunityClasses have spec.default: true (%s); name a class or leave one mark",
			strings.Join(names, ", "))
	}
}
