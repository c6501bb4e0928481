package rewardpolicy

import (
	"context"
	"errors"
	"fmt"

	"github.com/quaeso/community-operator/internal/control"
	"github.com/quaeso/community-operator/internal/ideaservice"
	"github.com/quaeso/community-operator/internal/rules"
)

// observe reads how a policy stands that the idea service has in force, in this or an earlier generation, when that may
// have become otherwise.
func (r *Reconciler) observe(ctx context.Context, s *scope) error {
	service := s.done.Service
	if service == nil || !s.done.InForce || !s.done.StateDue {
		return nil
	}
	state, err := r.Control.ObserveRewardPolicy(ctx, service.Address, service.Token, string(s.policy.UID))
	if errors.Is(err, control.ErrUnknownObject) {
		return nil // it was withdrawn just now, which the programme will tell
	}
	if err != nil {
		return ideaservice.Silent(err, s.subject.Again)
	}
	r.Converger.Programmes.Observed(ideaservice.Follower{Kind: control.KindRewardPolicy, NamespacedName: s.key()}, s.done.Happened)
	status := &s.policy.Status
	status.Members, status.PointsIssued, status.PayoutsDue = state.Members, state.PointsIssued, state.PayoutsDue
	status.PayoutsDueAmount = ""
	if s.policy.Spec.Currency != "" {
		status.PayoutsDueAmount = money(state.PayoutsDueAmount, s.policy.Spec.Currency)
	}
	return nil
}

// money writes an amount in minor units with its currency.
func money(amount int64, currency string) string {
	digits, known := rules.CurrencyDigits(currency)
	if !known || digits == 0 {
		return fmt.Sprintf("%d %s", amount, currency)
	}
	unit := int64(1)
	for range digits {
		unit *= 10
	}
	sign := ""
	if amount < 0 {
		sign, amount = "-", -amount
	}
	return fmt.Sprintf("%s%d.%0*d %s", sign, amount/unit, digits, amount%unit, currency)
}
