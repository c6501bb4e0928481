// Package community reconciles Communities: each phase has a file of its own, and Reconcile is their table of
// contents.
package community

import (
	"context"
	"fmt"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/events"
	"k8s.io/utils/clock"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller/controllerutil"

	"github.com/quaeso/community-operator/api/v1alpha1"
	"github.com/quaeso/community-operator/internal/apply"
	"github.com/quaeso/community-operator/internal/conditions"
	"github.com/quaeso/community-operator/internal/control"
	"github.com/quaeso/community-operator/internal/ideaservice"
)

// idleInterval is how often a community that is as it should be is looked at without a cause: it finds what
// no watch reports, such as an idea service whose database went away.
const idleInterval = 5 * time.Minute

// Reconciler reconciles Communities.
type Reconciler struct {
	// Client reads from the cache and writes.
	client.Client
	// Live reads from the API server: foreign objects, Secrets of users, pods of a stack that fails.
	Live client.Reader
	// Versions tells the current resourceVersion of Secrets and ConfigMaps that are not ours, without their content.
	Versions client.Reader
	// Logs reads the last lines of crashing containers.
	Logs kubernetes.Interface
	// Events reports changes.
	Events events.EventRecorder
	// Control speaks to idea services.
	Control ControlClient
	// Programmes tells when something has happened in a community.
	Programmes *ideaservice.Programmes
	// Databases manages databases on shared servers and tries external ones.
	Databases DatabaseServer
	// OperatorNamespace holds the Secrets that classes name.
	OperatorNamespace string
	// Clock tells the time.
	Clock clock.PassiveClock

	applier  apply.Applier
	claims   *hostnameClaims
	optional *optionalKinds
	ensured  *ensuredDatabases
	// unreachable are the communities whose idea service does not reach its database, up those whose own database
	// is up.
	unreachable, up *firstSeen
	texts           *knownTexts
}

// ControlClient is the part of the control contract that phases need.
type ControlClient interface {
	Observe(ctx context.Context, address, token string) (control.State, error)
	Declare(ctx context.Context, address, token string, d control.Declaration) (control.Answer, error)
}

// +kubebuilder:rbac:groups=cocreation.quaeso.io,resources=communities,verbs=get;list;watch;patch
// +kubebuilder:rbac:groups=cocreation.quaeso.io,resources=communities/status,verbs=patch
// +kubebuilder:rbac:groups=cocreation.quaeso.io,resources=communities/finalizers,verbs=update
// +kubebuilder:rbac:groups=cocreation.quaeso.io,resources=communityclasses,verbs=get;list;watch
// +kubebuilder:rbac:groups="",resources=secrets;services;serviceaccounts;persistentvolumeclaims,verbs=get;list;watch;create;patch;delete
// +kubebuilder:rbac:groups="",resources=configmaps,verbs=get;list;watch
// +kubebuilder:rbac:groups="",resources=pods,verbs=list
// +kubebuilder:rbac:groups="",resources=pods/log,verbs=get
// +kubebuilder:rbac:groups=apps,resources=deployments;statefulsets,verbs=get;list;watch;create;patch;delete
// +kubebuilder:rbac:groups=networking.k8s.io,resources=ingresses;networkpolicies,verbs=get;list;watch;create;patch;delete
// +kubebuilder:rbac:groups=policy,resources=poddisruptionbudgets,verbs=get;list;watch;create;patch;delete
// +kubebuilder:rbac:groups=gateway.networking.k8s.io,resources=httproutes;listenersets,verbs=get;list;watch;create;patch;delete
// +kubebuilder:rbac:groups=gateway.networking.k8s.io,resources=gateways,verbs=get
// +kubebuilder:rbac:groups=postgresql.cnpg.io,resources=clusters,verbs=get;list;watch;create;patch;delete
// +kubebuilder:rbac:groups=cert-manager.io,resources=certificates,verbs=get;list;watch;create;patch;delete
// +kubebuilder:rbac:groups=events.k8s.io,resources=events,verbs=create;patch

// Reconcile brings one Community into the state that its spec asks for.
func (r *Reconciler) Reconcile(ctx context.Context, req ctrl.Request) (result ctrl.Result, err error) {
	community := &v1alpha1.Community{}
	if err := r.Get(ctx, req.NamespacedName, community); err != nil {
		if apierrors.IsNotFound(err) {
			r.forget(req.NamespacedName)
			return ctrl.Result{}, nil
		}
		return ctrl.Result{}, fmt.Errorf("get Community: %w", err)
	}
	s := newScope(community, r.Clock.Now())
	switch {
	case !community.DeletionTimestamp.IsZero():
		return r.reconcileDelete(ctx, s)
	case community.Spec.Paused:
		s.reportPaused()
		return ctrl.Result{}, r.patchStatus(ctx, s)
	}
	if controllerutil.AddFinalizer(community, v1alpha1.FinalizerCommunity) {
		// A patch of a list replaces it: the lock keeps a finalizer that somebody else added meanwhile.
		if err := r.Patch(ctx, community, client.MergeFromWithOptions(s.before, client.MergeFromWithOptimisticLock{})); err != nil {
			return ctrl.Result{}, fmt.Errorf("add the finalizer: %w", err)
		}
		s = newScope(community, r.Clock.Now())
	}
	r.runPhases(ctx, s)
	next, phaseErr := conditions.Next(s.outcomes, idleInterval)
	s.reportSummary()
	if err := r.patchStatus(ctx, s); err != nil {
		return ctrl.Result{}, err
	}
	if phaseErr != nil {
		return ctrl.Result{}, phaseErr
	}
	// What keeps a worker waiting is left alone for at least as long: the workers are everybody's.
	return ctrl.Result{RequeueAfter: max(next, r.Clock.Since(s.now))}, nil
}

// runPhases works from the spec to the route. A phase that cannot go on leaves what runs as it is; the later
// phases still look, so that status tells the truth about what runs.
func (r *Reconciler) runPhases(ctx context.Context, s *scope) {
	if err := r.accept(ctx, s); err != nil {
		s.record(v1alpha1.ConditionAccepted, err, "")
		s.record(v1alpha1.ConditionWorkloadReady, r.observeWorkload(ctx, s), workloadReadyMessage)
		return
	}
	s.record(v1alpha1.ConditionAccepted, r.claimHostnames(ctx, s), "class, size and hostnames can be used")
	s.community.Status.Database = databaseStatus(s)
	passwordErr := firstError(r.findDatabasePassword(ctx, s), r.keepVolume(ctx, s))
	s.databaseUnknown = passwordErr != nil
	s.reportResolved()
	s.record(v1alpha1.ConditionCredentialsReady, firstError(passwordErr, r.gatherCredentials(ctx, s)), "every Secret is there and complete")
	s.tlsErr = r.checkTLSSecret(ctx, s)
	applied := r.applyStack(ctx, s)
	r.noteDatabase(s)
	// A shared database is there before the idea service first looks for it, and after its password was written.
	s.sharedErr = r.ensureShared(ctx, s, applied.database)
	serviceErr := r.declareSettings(ctx, s)
	s.record(v1alpha1.ConditionDatabaseReady, firstError(applied.database, r.observeDatabase(ctx, s, applied.database), s.databaseErr), "the database accepts connections")
	s.record(v1alpha1.ConditionWorkloadReady, firstError(applied.workload, r.observeWorkload(ctx, s)), workloadReadyMessage)
	s.record(v1alpha1.ConditionSettingsInForce, serviceErr, "the idea service works by the current settings")
	s.record(v1alpha1.ConditionRouteReady, firstError(applied.route, r.observeRoute(ctx, s)), "the route was accepted")
}

func firstError(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}
