package community

import (
	"context"
	"errors"
	"net"
	"strconv"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/quaeso/community-operator/api/v1alpha1"
	"github.com/quaeso/community-operator/internal/apply"
	"github.com/quaeso/community-operator/internal/conditions"
	"github.com/quaeso/community-operator/internal/control"
	"github.com/quaeso/community-operator/internal/stack"
)

// declareSettings declares the community's settings to its idea service, and notes what the service says.
func (r *Reconciler) declareSettings(ctx context.Context, s *scope) error {
	address, err := r.controlAddress(ctx, s)
	if err != nil {
		return err
	}
	state, err := r.Control.Observe(ctx, address, s.controlToken)
	if errors.Is(err, control.ErrUnauthorized) {
		return conditions.Wait(s.poll(), v1alpha1.ReasonProgressing, "the idea service has not taken up its new control token yet")
	}
	if err != nil {
		return s.serviceSilent()
	}
	s.observe(state)
	if !state.Database.Ready {
		return conditions.Wait(s.poll(), v1alpha1.ReasonProgressing, "the idea service waits for its database")
	}
	want := control.Declaration{
		UID: string(s.community.UID), Generation: s.community.Generation, Settings: stack.Settings(s.plan),
	}
	if state.InForce == inForce(want) {
		return nil
	}
	answer, err := r.Control.Declare(ctx, address, s.controlToken, want)
	if err != nil {
		return s.serviceSilent()
	}
	return s.judge(answer, want)
}

func inForce(d control.Declaration) control.InForce {
	return control.InForce{UID: d.UID, Generation: d.Generation, Digest: d.Settings.Digest()}
}

func (r *Reconciler) controlAddress(ctx context.Context, s *scope) (string, error) {
	ref := apply.Ref{GVK: corev1.SchemeGroupVersion.WithKind("Service"), Name: stack.ControlName(s.community.Name)}
	live, err := r.applier.Get(ctx, s.owner, ref)
	if err != nil {
		return "", err
	}
	service, ok := live.(*corev1.Service)
	if !ok || service.Spec.ClusterIP == "" || s.controlToken == "" || s.plan.Credentials == nil {
		return "", conditions.Wait(0, v1alpha1.ReasonProgressing, "the idea service has not been started yet")
	}
	return net.JoinHostPort(service.Spec.ClusterIP, strconv.Itoa(stack.PortControl)), nil
}

// serviceSilent waits for an idea service that does not answer. Nobody sees how it is, so the database's
// state is unknown too.
func (s *scope) serviceSilent() error {
	wait := conditions.Wait(s.poll(), v1alpha1.ReasonServiceUnreachable, "the idea service does not answer on its control port yet")
	s.databaseErr = firstError(s.databaseErr, conditions.Wait(0, v1alpha1.ReasonProgressing, "waiting for the idea service to report on its database"))
	return wait
}

// observe notes what the service says of itself and of its database.
func (s *scope) observe(state control.State) {
	s.service = &state
	s.community.Status.Version = state.Version
	if d := s.community.Status.Database; d != nil {
		d.Ready = state.Database.Ready
		d.SchemaVersion = state.Database.SchemaVersion
	}
	if !state.Database.Ready {
		s.databaseErr = firstError(s.databaseErr, databaseCondition(state.Database))
	}
}

func (s *scope) judge(answer control.Answer, want control.Declaration) error {
	if answer.InForce == inForce(want) {
		return nil
	}
	if len(answer.Refusals) == 0 {
		return conditions.Wait(s.poll(), v1alpha1.ReasonProgressing, "the idea service has not taken up the settings yet")
	}
	var faults []string
	for _, f := range answer.Refusals {
		faults = append(faults, strings.TrimPrefix(f.Field, "settings.")+": "+f.Message)
	}
	return conditions.StallUntil(time.Minute, v1alpha1.ReasonSettingsRefused,
		"the idea service refuses the settings, the last good ones stay in force: %s", strings.Join(faults, "; "))
}
