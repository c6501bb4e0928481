package community

import (
	"context"
	"strings"
	"sync"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/quaeso/community-operator/api/v1alpha1"
	"github.com/quaeso/community-operator/internal/apply"
	"github.com/quaeso/community-operator/internal/conditions"
	"github.com/quaeso/community-operator/internal/control"
	"github.com/quaeso/community-operator/internal/ideaservice"
	"github.com/quaeso/community-operator/internal/stack"
)

// declareSettings declares the community's settings to its idea service, and notes what the service says.
func (r *Reconciler) declareSettings(ctx context.Context, s *scope) error {
	address, err := r.controlAddress(ctx, s)
	if err != nil {
		s.databaseErr = firstError(s.databaseErr, err)
		return err
	}
	s.happened = r.Programmes.Happened(client.ObjectKeyFromObject(s.community))
	state, err := r.Control.Observe(ctx, address, s.controlToken)
	if err != nil {
		// Nobody tells how the database is either, for the same cause.
		silent := ideaservice.Silent(err, s.poll())
		s.databaseErr = firstError(s.databaseErr, silent)
		return silent
	}
	r.observeService(s, state)
	if !state.Database.Ready {
		return conditions.Wait(s.poll(), v1alpha1.ReasonProgressing, "the idea service waits for its database")
	}
	s.reportInForce(state.InForce)
	if len(s.plan.Hostnames) == 0 {
		return conditions.Wait(0, v1alpha1.ReasonProgressing, "the settings wait for a hostname")
	}
	want, done, err := r.wantedSettings(ctx, s, state.InForce)
	switch {
	case err != nil:
		return err
	case done:
		r.follow(s, address)
		return nil
	case s.oidcErr != nil && state.InForce.UID == want.UID:
		return conditions.Wait(0, v1alpha1.ReasonProgressing, "the last good settings stay in force until the Secret of the OpenID Connect client is good")
	case s.oidcErr != nil:
		want.Settings.OIDC = nil
	}
	answer, err := r.Control.Declare(ctx, address, s.controlToken, want)
	if err != nil {
		return ideaservice.Silent(err, s.poll())
	}
	if answer.Database.Ready {
		s.reportInForce(answer.InForce)
	}
	if err := s.judge(answer, want); err != nil {
		return err
	}
	r.follow(s, address)
	if s.community.Spec.House != nil {
		// What is told of objectives and quotas goes by the new settings. Silence is noticed the next time.
		if state, err := r.Control.Observe(ctx, address, s.controlToken); err == nil {
			s.reportProgramme(state.Community)
		}
	}
	return nil
}

// reportInForce shows which of this Community's settings the idea service works by.
func (s *scope) reportInForce(now control.InForce) {
	status := &s.community.Status
	switch {
	case now.UID != string(s.community.UID):
		status.InForce = nil
	case status.InForce == nil || status.InForce.Generation != now.Generation || status.InForce.Digest != now.Digest:
		status.InForce = &v1alpha1.InForceStatus{Generation: now.Generation, Digest: now.Digest, Since: &metav1.Time{Time: s.now}}
	}
}

func inForce(d control.Declaration) control.InForce {
	return control.InForce{UID: d.UID, Generation: d.Generation, Digest: d.Settings.Digest()}
}

func (r *Reconciler) controlAddress(ctx context.Context, s *scope) (string, error) {
	notStarted := conditions.Wait(0, v1alpha1.ReasonProgressing, "the idea service has not been started yet")
	// Where there is no pod, a call would wait for nothing, and make the worker wait.
	deployment, ok := s.seen[apply.Ref{GVK: appsv1.SchemeGroupVersion.WithKind("Deployment"), Name: stack.IdeasName(s.community.Name)}].(*appsv1.Deployment)
	if !ok || deployment.Status.Replicas == 0 {
		return "", notStarted
	}
	ref := apply.Ref{GVK: corev1.SchemeGroupVersion.WithKind("Service"), Name: stack.ControlName(s.community.Name)}
	live, err := r.applier.Get(ctx, s.owner, ref)
	if err != nil {
		return "", err
	}
	service, _ := live.(*corev1.Service)
	address := ideaservice.Address(service)
	if address == "" || s.controlToken == "" || s.plan.Credentials == nil {
		return "", notStarted
	}
	return address, nil
}

// maxVersion keeps what a service calls its version printable in a table.
const maxVersion = 64

// observeService notes what the service says of itself and of its database.
func (r *Reconciler) observeService(s *scope, state control.State) {
	s.service = &state
	s.reportProgramme(state.Community)
	s.community.Status.Version = bounded(state.Version, maxVersion)
	if d := s.community.Status.Database; d != nil {
		d.Ready = state.Database.Ready
		d.SchemaVersion = state.Database.SchemaVersion
	}
	silent := !state.Database.Ready && state.Database.Reason == control.ReasonDatabaseUnreachable
	since := r.unreachable.since(client.ObjectKeyFromObject(s.community), silent, s.now)
	switch {
	case state.Database.Ready:
	case silent && s.ownDatabase() && since < reconnectTime:
		s.databaseErr = firstError(s.databaseErr, conditions.Wait(s.poll(), v1alpha1.ReasonProgressing, "the idea service has not reached its database yet: %s", state.Database.Message))
	default:
		s.databaseErr = firstError(s.databaseErr, databaseCondition(state.Database))
	}
}

// reconnectTime is how long an idea service may take to reach a database that runs in the cluster: it starts,
// fails over or restarts by itself.
const reconnectTime = 30 * time.Second

// ownDatabase tells whether the database runs for this community in the cluster.
func (s *scope) ownDatabase() bool {
	k := s.plan.Database.Kind
	return k == v1alpha1.DatabaseStandalone || k == v1alpha1.DatabaseCloudNativePG
}

// firstSeen remembers since when something is so.
type firstSeen struct {
	mu sync.Mutex
	at map[types.NamespacedName]time.Time
}

func newFirstSeen() *firstSeen { return &firstSeen{at: map[types.NamespacedName]time.Time{}} }

// since notes whether it is so, and returns for how long it has been.
func (f *firstSeen) since(who types.NamespacedName, isSo bool, now time.Time) time.Duration {
	f.mu.Lock()
	defer f.mu.Unlock()
	if !isSo {
		delete(f.at, who)
		return 0
	}
	if _, known := f.at[who]; !known {
		f.at[who] = now
	}
	return now.Sub(f.at[who])
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
