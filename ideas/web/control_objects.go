package web

import (
	"context"
	"errors"
	"net/http"

	"github.com/quaeso/community-operator/ideas"
	"github.com/quaeso/community-operator/internal/control"
)

// objectCalls is what the control API does with objects of one kind.
type objectCalls[Spec, State any] struct {
	check    func(control.Object[Spec]) []control.Refusal
	declare  func(context.Context, control.Object[Spec]) (control.InForce, bool, error)
	withdraw func(context.Context, string) error
	observe  func(context.Context, string) (State, error)
}

func (c *controlAPI) checkChallenge(o control.Object[control.Challenge]) []control.Refusal {
	settings, _ := c.cfg.Settings.Current(context.Background())
	return c.rules.CheckChallenge(o, settings)
}

func (c *controlAPI) checkRewardPolicy(o control.Object[control.RewardPolicy]) []control.Refusal {
	settings, _ := c.cfg.Settings.Current(context.Background())
	return c.rules.CheckRewardPolicy(o, settings)
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
	refusals := calls.check(o)
	if len(refusals) > 0 {
		c.log.Warn("object refused", "uid", o.UID, "name", o.Name, "generation", o.Generation, "refusals", refusals)
		c.answerInStatus(w, http.StatusUnprocessableEntity, control.InForce{}, refusals)
		return
	}
	inForce, accepted, err := calls.declare(r.Context(), o)
	var locked *ideas.LockedError
	switch {
	case errors.As(err, &locked):
		c.answerInStatus(w, http.StatusUnprocessableEntity, inForce, locked.Refusals)
	case errors.Is(err, ideas.ErrNameTaken):
		c.answerInStatus(w, http.StatusUnprocessableEntity, inForce, []control.Refusal{{
			Field: "name", Message: "another object in force has this name: withdraw it first, or take another name",
		}})
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
