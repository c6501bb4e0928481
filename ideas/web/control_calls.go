package web

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"time"

	"github.com/quaeso/community-operator/ideas"
	"github.com/quaeso/community-operator/internal/control"
	"github.com/quaeso/community-operator/internal/rules"
)

// listObjects lists what the service knows.
func (c *controlAPI) listObjects(w http.ResponseWriter, r *http.Request) {
	objects, err := c.cfg.Declarations.Objects(r.Context())
	if err != nil {
		c.answerStored(w, control.InForce{}, err)
		return
	}
	c.sendTagged(w, r, objects)
}

// price tells what a changed reward policy would change.
func (c *controlAPI) price(w http.ResponseWriter, r *http.Request) {
	o, ok := decodeObject[control.RewardPolicy](c, w, r)
	if !ok {
		return
	}
	answer := control.PricingAnswer{Database: c.cfg.Declarations.Database()}
	settings, _ := c.cfg.Settings.Current(r.Context())
	if answer.Refusals = c.rules.CheckRewardPolicy(o, settings); len(answer.Refusals) > 0 {
		c.sendJSON(w, http.StatusUnprocessableEntity, answer)
		return
	}
	select {
	case c.pricing <- struct{}{}:
		defer func() { <-c.pricing }()
	default:
		c.sendJSON(w, http.StatusTooManyRequests, answer)
		return
	}
	// Reading everything that has happened takes longer than other answers.
	if err := http.NewResponseController(w).SetWriteDeadline(time.Now().Add(control.PricingTimeout)); err != nil && !errors.Is(err, http.ErrNotSupported) {
		c.log.Warn("no time for a pricing", "error", err)
	}
	// What is left of the time is for the answer.
	ctx, cancel := context.WithTimeout(r.Context(), control.PricingTimeout*9/10)
	defer cancel()
	priced, err := c.cfg.Declarations.PriceRewardPolicy(ctx, o.Name, o.Spec)
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		c.log.Warn("pricing takes too long", "policy", o.Name, "error", err)
		c.sendJSON(w, http.StatusGatewayTimeout, answer)
		return
	case err != nil:
		c.answerStored(w, control.InForce{}, err)
		return
	}
	pricing := inContract(priced)
	answer.Pricing = &pricing
	c.sendJSON(w, http.StatusOK, answer)
}

// inContract is a pricing in the words of the control contract.
func inContract(p rules.Pricing) control.Pricing {
	priced := control.Pricing{
		Members: p.Members, PointsBefore: p.PointsBefore, PointsAfter: p.PointsAfter, Risen: p.Risen, Fallen: p.Fallen, Failures: p.Failures,
	}
	for _, l := range p.Levels {
		priced.Levels = append(priced.Levels, control.LevelPrice(l))
	}
	for _, b := range p.Badges {
		priced.Badges = append(priced.Badges, control.BadgePrice(b))
	}
	return priced
}

// listErasures lists the proofs of erased members, a page at a time.
func (c *controlAPI) listErasures(w http.ResponseWriter, r *http.Request) {
	after := int64(0)
	if given := r.URL.Query().Get("after"); given != "" {
		var err error
		if after, err = strconv.ParseInt(given, 10, 64); err != nil || after < 0 {
			c.answer(w, http.StatusBadRequest, []control.Refusal{{Field: "after", Message: "must be the id of an erasure"}})
			return
		}
	}
	list, err := c.cfg.Declarations.Erasures(r.Context(), after)
	if err != nil {
		c.answerStored(w, control.InForce{}, err)
		return
	}
	page := control.Erasures{Erasures: []control.Erasure{}}
	for _, e := range list {
		page.Erasures = append(page.Erasures, control.Erasure{ID: e.ID, Member: e.Member, DoneAt: e.DoneAt, Record: e.Record, SHA256: e.Hash})
	}
	if n := len(list); n == ideas.MaxPage {
		page.Next = list[n-1].ID
	}
	c.sendTagged(w, r, page)
}

// eraseAgain erases members that a restore has brought back.
func (c *controlAPI) eraseAgain(w http.ResponseWriter, r *http.Request) {
	var proofs control.Erasures
	if err := control.Decode(r.Body, &proofs); err != nil {
		c.refuseUndecodable(w, control.InForce{}, err)
		return
	}
	list := make([]ideas.Erasure, len(proofs.Erasures))
	for i, e := range proofs.Erasures {
		list[i] = ideas.Erasure{Member: e.Member, DoneAt: e.DoneAt, Record: e.Record, Hash: e.SHA256}
	}
	done, err := c.cfg.Declarations.EraseAgain(r.Context(), list)
	if err != nil {
		c.answerStored(w, control.InForce{}, err)
		return
	}
	c.log.Info("members erased again", "proofs", len(list), "erased", done)
	c.sendJSON(w, http.StatusOK, control.Erased{Erased: done})
}

// setClock sets the clock of a build for tests.
func (c *controlAPI) setClock(w http.ResponseWriter, r *http.Request) {
	var clock control.Clock
	if err := control.Decode(r.Body, &clock); err != nil {
		c.refuseUndecodable(w, control.InForce{}, err)
		return
	}
	ahead, err := time.ParseDuration(clock.Ahead)
	if err == nil {
		err = c.cfg.SetClock(ahead)
	}
	if err != nil {
		c.answer(w, http.StatusUnprocessableEntity, []control.Refusal{{Field: "ahead", Message: err.Error()}})
		return
	}
	c.log.Warn("the clock was set", "ahead", ahead)
	c.sendJSON(w, http.StatusOK, control.Clock{Ahead: ahead.String(), Now: c.now().UTC()})
}
