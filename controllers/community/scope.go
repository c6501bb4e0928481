package community

import (
	"errors"
	"time"

	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/quaeso/community-operator/api/v1alpha1"
	"github.com/quaeso/community-operator/internal/apply"
	"github.com/quaeso/community-operator/internal/conditions"
	"github.com/quaeso/community-operator/internal/control"
	"github.com/quaeso/community-operator/internal/stack"
)

// scope is what the phases of one reconcile share.
type scope struct {
	// community as read; phases write its status.
	community *v1alpha1.Community
	// before is the Community as read, for the status patch.
	before *v1alpha1.Community
	owner  apply.Owner
	now    time.Time

	class *v1alpha1.CommunityClass
	plan  stack.Plan
	// seen are the children as the cache had them before they were applied.
	seen map[apply.Ref]client.Object
	// foreign are the children at whose names somebody else's objects stand.
	foreign map[apply.Ref]bool
	// controlToken of the idea service's control port.
	controlToken string
	// service is what the idea service answered; nil when it did not.
	service *control.State
	// happened is how much had happened in the community before the service was asked.
	happened int64
	// databaseErr is what the idea service, or a try of an external database, says of the connection.
	databaseErr error
	// databaseUpFor is how long the operator has seen the community's own database up.
	databaseUpFor time.Duration
	// sharedErr says why a shared database could not be made.
	sharedErr error
	// databaseUnknown and pullSecretUnknown tell that the plan lacks the database's password, or the pull Secret
	// that is in force: what is made from them stays as it is.
	databaseUnknown, pullSecretUnknown bool
	// tlsErr says what is wrong with the Secret that the community brings its certificate in, oidcErr with that
	// of its OpenID Connect client.
	tlsErr, oidcErr error

	outcomes []conditions.Outcome
}

func newScope(c *v1alpha1.Community, now time.Time) *scope {
	return &scope{
		community: c,
		before:    c.DeepCopy(),
		owner:     apply.Owner{UID: c.UID, Namespace: c.Namespace, Name: c.Name},
		now:       now,
		seen:      map[apply.Ref]client.Object{},
		foreign:   map[apply.Ref]bool{},
	}
}

// record notes how a phase ended.
func (s *scope) record(conditionType string, err error, okMessage string) {
	err = explain(err)
	s.outcomes = append(s.outcomes, conditions.Outcome{Type: conditionType, Err: err})
	conditions.Set(&s.community.Status.Conditions, s.community.Generation, conditionType, err, okMessage)
}

// explain turns errors that a person must act on into stalled ones.
func explain(err error) error {
	var foreign *apply.ForeignError
	var refused *stack.ResolveError
	switch {
	case errors.As(err, &foreign) && foreign.Former:
		// The garbage collector takes it, which our watch tells.
		return conditions.Wait(5*time.Second, v1alpha1.ReasonProgressing, "%s", foreign.Error())
	case errors.As(err, &foreign):
		// Nothing of ours changes when the foreign object goes, so no watch would tell.
		return conditions.StallUntil(30*time.Second, v1alpha1.ReasonForeignObject, "%s", foreign.Error())
	case errors.As(err, &refused):
		return conditions.Stall(refused.Reason, "%s", refused.Message)
	default:
		return refusedByAPI(err)
	}
}

// poll is how long to wait before looking again at something that is on its way: a tenth of the time since it
// was asked for, so that what is quick is seen at once and what is slow costs little. A database that has come up
// starts the time anew: what waited for it follows at once.
func (s *scope) poll() time.Duration {
	since := s.community.CreationTimestamp.Time
	for _, c := range s.before.Status.Conditions {
		if c.Type == v1alpha1.ConditionReady {
			since = c.LastTransitionTime.Time
		}
	}
	took := s.now.Sub(since)
	if s.databaseUp() {
		took = min(took, s.databaseUpFor)
	}
	return min(max(took/10, 100*time.Millisecond), 15*time.Second)
}
