package web

import (
	"context"
	"errors"
	"net/http"

	"github.com/quaeso/community-operator/ideas"
	"github.com/quaeso/community-operator/ideas/declared"
	"github.com/quaeso/community-operator/internal/control"
)

// objectCalls is what the control API does with objects of one kind.
type objectCalls[Spec, State any] struct {
	check    func(context.Context, control.Object[Spec]) ([]control.Refusal, error)
	declare  func(context.Context, control.Object[Spec]) (control.InForce, bool, error)
	withdraw func(context.Context, string) error
	observe  func(context.Context, string) (State, error)
	// inForce is what the object's uid, else its name has in force.
	inForce func(ctx context.Context, uid, name string) (control.InForce, error)
}

func (c *controlAPI) checkChallenge(ctx context.Context, o control.Object[control.Challenge]) ([]control.Refusal, error) {
	settings, _ := c.cfg.Settings.Current(ctx)
	refusals := c.rules.CheckChallenge(o, settings)
	known, err := c.cfg.Declarations.KnowsChallenge(ctx, o.UID, o.Name)
	if err == nil && !known {
		refusals = append(refusals, declared.CheckNew(o.Spec, settings, c.now())...)
	}
	return refusals, err
}

func (c *controlAPI) checkRewardPolicy(ctx context.Context, o control.Object[control.RewardPolicy]) ([]control.Refusal, error) {
	settings, _ := c.cfg.Settings.Current(ctx)
	return c.rules.CheckRewardPolicy(o, settings), nil
}

// serveObjects adds the calls of one kind.
func serveObjects[Spec, State any](c *controlAPI, mux *http.ServeMux, path string, calls objectCalls[Spec, State]) {
	mux.HandleFunc("PUT "+path+"/{uid}", func(w http.ResponseWriter, r *http.Request) { putObject(c, w, r, calls) })
	mux.HandleFunc("DELETE "+path+"/{uid}", func(w http.ResponseWriter, r *http.Request) {
		c.answerStored(w, control.InForce{}, calls.withdraw(r.Context(), r.PathValue("uid")))
	})
	mux.HandleFunc("GET "+path+"/{uid}", func(w http.ResponseWriter, r *http.Request) {
		state, err := calls.observe(r.Context(), r.PathValue("uid"))
		switch {
		case errors.Is(err, ideas.ErrNotFound):
			c.answerInStatus(w, http.StatusNotFound, control.InForce{}, nil)
		case err != nil:
			c.answerStored(w, control.InForce{}, err)
		default:
			c.sendTagged(w, r, state)
		}
	})
}

// decodeObject reads an object of the uid that the address names; ok is false where it has answered why it cannot be read.
func decodeObject[Spec any](c *controlAPI, w http.ResponseWriter, r *http.Request) (o control.Object[Spec], ok bool) {
	if err := control.Decode(r.Body, &o); err != nil {
		c.refuseUndecodable(w, control.InForce{}, err)
		return o, false
	}
	if o.UID != r.PathValue("uid") {
		c.answerInStatus(w, http.StatusUnprocessableEntity, control.InForce{}, []control.Refusal{{Field: "uid", Message: "must be the uid of the address"}})
		return o, false
	}
	return o, true
}

// refuseUndecodable tells a field that this release does not know from what is no object at all.
func (c *controlAPI) refuseUndecodable(w http.ResponseWriter, inForce control.InForce, err error) {
	refusal, status := undecodable(err), http.StatusUnprocessableEntity
	if refusal.Field == "" {
		status = http.StatusBadRequest
	}
	c.answerInStatus(w, status, inForce, []control.Refusal{refusal})
}

func putObject[Spec, State any](c *controlAPI, w http.ResponseWriter, r *http.Request, calls objectCalls[Spec, State]) {
	o, ok := decodeObject[Spec](c, w, r)
	if !ok {
		return
	}
	refusals, err := calls.check(r.Context(), o)
	var inForce control.InForce
	accepted := false
	if err == nil && len(refusals) == 0 {
		inForce, accepted, err = calls.declare(r.Context(), o)
	}
	var refused *ideas.RefusedError
	switch {
	case errors.As(err, &refused):
		refusals, err = refused.Refusals, nil
	case errors.Is(err, ideas.ErrNameTaken):
		refusals, err = []control.Refusal{{
			Field: "name", Message: "another object in force has this name: withdraw it first, or take another name", Cause: control.RefusedNameTaken,
		}}, nil
	}
	if err == nil && len(refusals) > 0 {
		inForce, err = calls.inForce(r.Context(), o.UID, o.Name)
	}
	switch {
	case err == nil && len(refusals) > 0:
		c.log.Warn("object refused", "uid", o.UID, "name", o.Name, "generation", o.Generation, "refusals", refusals)
		c.answerInStatus(w, http.StatusUnprocessableEntity, inForce, refusals)
	case err == nil && !accepted:
		c.answerInStatus(w, http.StatusConflict, inForce, nil)
	default:
		c.answerStored(w, inForce, err)
	}
}

// answerStored answers 200, or with the status of what kept a change from being stored.
func (c *controlAPI) answerStored(w http.ResponseWriter, inForce control.InForce, err error) {
	status := http.StatusOK
	switch {
	case errors.Is(err, ideas.ErrUnavailable):
		c.log.Warn("object not kept", "error", err)
		status = http.StatusServiceUnavailable
	case err != nil:
		c.log.Error("object not kept", "error", err)
		status = http.StatusInternalServerError
	}
	c.answerInStatus(w, status, inForce, nil)
}

func (c *controlAPI) answerInStatus(w http.ResponseWriter, status int, inForce control.InForce, refusals []control.Refusal) {
	c.sendJSON(w, status, control.Answer{InForce: inForce, Refusals: refusals, Database: c.cfg.Declarations.Database()})
}
