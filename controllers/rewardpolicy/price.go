package rewardpolicy

import (
	"context"
	"errors"
	"maps"
	"math"
	"slices"
	"time"

	"github.com/quaeso/community-operator/api/v1alpha1"
	"github.com/quaeso/community-operator/internal/conditions"
	"github.com/quaeso/community-operator/internal/control"
	"github.com/quaeso/community-operator/internal/ideaservice"
)

const (
	// priceAgain is how soon to ask again a service that prices something else.
	priceAgain = 10 * time.Second
	// priceTooLong is how soon to try again what could not be priced in the time that it may take.
	priceTooLong = time.Hour
	// Bounds of what status takes over.
	maxRequest, maxWord, maxField  = 253, 63, 253
	maxLevels, maxBadges, maxFails = 21, 64, 128
)

// price asks, where the annotation does, what the spec would have given for everything that has happened. It is asked once
// for each value of the annotation and each generation, and writes nothing in the idea service.
func (r *Reconciler) price(ctx context.Context, s *scope) error {
	status := &s.policy.Status
	request := ideaservice.Bounded(s.policy.Annotations[v1alpha1.AnnotationPrice], maxRequest)
	if request == "" {
		status.Pricing = nil
		return nil
	}
	priced := status.Pricing != nil && status.Pricing.Request == request && status.Pricing.Generation == s.policy.Generation
	if priced || s.done.Service == nil {
		return nil
	}
	answer, err := r.Control.PriceRewardPolicy(ctx, s.done.Service.Address, s.done.Service.Token, s.declared)
	switch {
	case errors.Is(err, control.ErrBusy):
		return conditions.Wait(priceAgain, v1alpha1.ReasonProgressing, "the idea service is pricing another policy")
	case errors.Is(err, control.ErrTooLong):
		return conditions.StallUntil(priceTooLong, v1alpha1.ReasonServiceUnreachable, "%s; remove the annotation %s", control.ErrTooLong.Error(), v1alpha1.AnnotationPrice)
	case err != nil:
		return ideaservice.Silent(err, max(s.subject.Again, priceAgain))
	case answer.Pricing == nil:
		return ideaservice.Judge(control.Answer{Refusals: answer.Refusals}, s.subject.Want, s.subject.Again)
	}
	status.Pricing = pricingStatus(*answer.Pricing)
	status.Pricing.Request, status.Pricing.Generation = request, s.policy.Generation
	return nil
}

func pricingStatus(p control.Pricing) *v1alpha1.PricingStatus {
	out := &v1alpha1.PricingStatus{
		Members: p.Members, PointsBefore: p.PointsBefore, PointsAfter: p.PointsAfter, Risen: p.Risen, Fallen: p.Fallen,
	}
	for _, l := range p.Levels[:min(len(p.Levels), maxLevels)] {
		level := int32(min(max(l.Level, 0), math.MaxInt32))
		out.Levels = append(out.Levels, v1alpha1.LevelPrice{Level: level, Name: ideaservice.Bounded(l.Name, maxWord), Before: l.Before, After: l.After})
	}
	for _, b := range p.Badges[:min(len(p.Badges), maxBadges)] {
		out.Badges = append(out.Badges, v1alpha1.BadgePrice{Name: ideaservice.Bounded(b.Name, maxWord), Before: b.Before, After: b.After})
	}
	fields := slices.Sorted(maps.Keys(p.Failures))
	for _, field := range fields[:min(len(fields), maxFails)] {
		out.Failures = append(out.Failures, v1alpha1.PriceFailure{Field: ideaservice.Bounded(field, maxField), Events: p.Failures[field]})
	}
	return out
}
