package community

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"net"
	"net/url"
	"strconv"
	"sync"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/quaeso/community-operator/api/v1alpha1"
	"github.com/quaeso/community-operator/internal/apply"
	"github.com/quaeso/community-operator/internal/cnpg"
	"github.com/quaeso/community-operator/internal/conditions"
	"github.com/quaeso/community-operator/internal/control"
	"github.com/quaeso/community-operator/internal/pgerror"
	"github.com/quaeso/community-operator/internal/postgres"
	"github.com/quaeso/community-operator/internal/stack"
)

// retryDatabase is how often a database that refused us is tried again: its cause is outside the cluster.
const retryDatabase = 20 * time.Second

// DatabaseServer manages databases on shared servers and tries connections.
type DatabaseServer interface {
	Ensure(ctx context.Context, admin postgres.Admin, db postgres.Database) error
	Drop(ctx context.Context, admin postgres.Admin, db postgres.Database) error
	Probe(ctx context.Context, uri string, caPEM []byte) error
}

// observeDatabase tells how far the community's database is. A shared one is made again where the idea service
// sees that it is not as it was made; applyErr says that what describes it could not be applied.
func (r *Reconciler) observeDatabase(ctx context.Context, s *scope, applyErr error) error {
	switch {
	case s.databaseUnknown, applyErr != nil: // told already
		return nil //nolint:nilerr // the caller reports applyErr first
	case s.plan.Database.Kind == v1alpha1.DatabaseShared && s.sharedErr == nil && s.databaseDrifted():
		return r.ensureShared(ctx, s, nil)
	case s.plan.Database.Kind == v1alpha1.DatabaseShared:
		return s.sharedErr
	case s.service != nil && s.service.Database.Ready, s.plan.Database.Kind == v1alpha1.DatabaseExternal:
		return nil
	case s.plan.Database.Kind == v1alpha1.DatabaseCloudNativePG:
		return observeCluster(s)
	default:
		return observeStandalone(s)
	}
}

func databaseStatus(s *scope) *v1alpha1.DatabaseStatus {
	d := &v1alpha1.DatabaseStatus{Kind: s.plan.Database.Kind}
	switch d.Kind {
	case v1alpha1.DatabaseShared:
		d.Name = stack.SharedName(s.community.Namespace, s.community.Name)
	case v1alpha1.DatabaseExternal:
	default:
		d.Name = stack.DatabaseName(s.community.Name)
	}
	return d
}

func observeStandalone(s *scope) error {
	set, ok := s.seen[apply.Ref{GVK: appsv1.SchemeGroupVersion.WithKind("StatefulSet"), Name: stack.DatabaseName(s.community.Name)}].(*appsv1.StatefulSet)
	if !ok || set.Status.ReadyReplicas == 0 {
		return conditions.Wait(0, v1alpha1.ReasonProgressing, "the PostgreSQL pod is starting")
	}
	return nil
}

// databaseCluster is the community's CloudNativePG Cluster as it was last seen, nil before there is one.
func (s *scope) databaseCluster() *cnpg.Cluster {
	cluster, _ := s.seen[apply.Ref{GVK: cnpg.GroupVersion.WithKind(cnpg.ClusterKind), Name: stack.DatabaseName(s.community.Name)}].(*cnpg.Cluster)
	return cluster
}

func observeCluster(s *scope) error {
	cluster := s.databaseCluster()
	if cluster == nil || cluster.Status.Phase == "" {
		return conditions.Wait(0, v1alpha1.ReasonProgressing, "CloudNativePG has not taken up the Cluster yet")
	}
	if cluster.Status.ReadyInstances == 0 {
		return conditions.Wait(0, v1alpha1.ReasonProgressing, "CloudNativePG: %s", cluster.Status.Phase)
	}
	return nil
}

// databaseUp tells whether a database that runs for this community takes connections, or will within a moment.
func (s *scope) databaseUp() bool {
	switch s.plan.Database.Kind {
	case v1alpha1.DatabaseCloudNativePG:
		cluster := s.databaseCluster()
		return cluster != nil && cluster.Status.CurrentPrimary != ""
	case v1alpha1.DatabaseStandalone:
		return observeStandalone(s) == nil
	default:
		return false
	}
}

// noteDatabase notes for how long the community's own database has been up.
func (r *Reconciler) noteDatabase(s *scope) {
	s.databaseUpFor = r.up.since(client.ObjectKeyFromObject(s.community), s.databaseUp(), s.now)
}

// ensuredDatabases remembers which shared databases were brought into their state, so that not every
// reconcile asks the server.
type ensuredDatabases struct {
	mu sync.Mutex
	at map[types.NamespacedName]ensured
}

type ensured struct {
	inputs string
	when   time.Time
}

// ensureInterval is how often a shared database is compared with its description without a cause.
const ensureInterval = 10 * time.Minute

func (e *ensuredDatabases) fresh(who types.NamespacedName, inputs string, now time.Time) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	have, ok := e.at[who]
	return ok && have.inputs == inputs && now.Sub(have.when) < ensureInterval
}

func (e *ensuredDatabases) done(who types.NamespacedName, inputs string, now time.Time) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.at[who] = ensured{inputs: inputs, when: now}
}

func (e *ensuredDatabases) forget(who types.NamespacedName) {
	e.mu.Lock()
	defer e.mu.Unlock()
	delete(e.at, who)
}

// ensureShared brings about a shared database, unless what describes it could not be applied.
func (r *Reconciler) ensureShared(ctx context.Context, s *scope, applyErr error) error {
	if s.plan.Database.Kind != v1alpha1.DatabaseShared || s.databaseUnknown || applyErr != nil {
		return nil //nolint:nilerr // told already
	}
	shared := s.class.Spec.Database.Shared
	ref := types.NamespacedName{Namespace: r.OperatorNamespace, Name: shared.AdminSecretName}
	version, err := r.version(ctx, kindSecret, ref)
	if err != nil {
		return err
	}
	who := client.ObjectKeyFromObject(s.community)
	inputs := fmt.Sprintf("%s: %s@%s, class %s generation %d, password %x", s.community.UID, ref, version, s.class.UID, s.class.Generation,
		sha256.Sum256([]byte(s.plan.Database.Password)))
	if version != "" && !s.databaseDrifted() && r.ensured.fresh(who, inputs, s.now) {
		return nil
	}
	admin, err := r.sharedAdmin(ctx, s.class)
	if err != nil {
		return err
	}
	if err := r.Databases.Ensure(ctx, admin, s.sharedDatabase()); err != nil {
		return databaseFailure(err)
	}
	r.ensured.done(who, inputs, s.now)
	return nil
}

// databaseDrifted tells whether the idea service sees a shared database that is not as we made it.
func (s *scope) databaseDrifted() bool {
	if s.service == nil {
		return false
	}
	switch s.service.Database.Reason {
	case control.ReasonPasswordRefused, control.ReasonDatabaseMissing, control.ReasonPermissionDenied:
		return true
	default:
		return false
	}
}

func (s *scope) sharedDatabase() postgres.Database {
	d := postgres.Database{
		Name:     stack.SharedName(s.community.Namespace, s.community.Name),
		Owner:    s.community.Namespace + "/" + s.community.Name,
		Password: s.plan.Database.Password,
	}
	if s.class != nil && s.class.Spec.Database.Shared != nil && s.class.Spec.Database.Shared.ConnectionLimit != nil {
		d.ConnectionLimit = *s.class.Spec.Database.Shared.ConnectionLimit
	}
	return d
}

// sharedAdmin reads the shared server's administrator connection from the operator's namespace.
func (r *Reconciler) sharedAdmin(ctx context.Context, class *v1alpha1.CommunityClass) (postgres.Admin, error) {
	ref := types.NamespacedName{Namespace: r.OperatorNamespace, Name: class.Spec.Database.Shared.AdminSecretName}
	secret := &corev1.Secret{}
	err := r.Live.Get(ctx, ref, secret)
	if apierrors.IsNotFound(err) {
		return postgres.Admin{}, conditions.Stall(v1alpha1.ReasonSecretNotFound,
			"the class names the Secret %s for its shared server, which does not exist; create it with the key uri", ref)
	}
	if err != nil {
		return postgres.Admin{}, fmt.Errorf("get the shared server's Secret: %w", err)
	}
	uri := string(trimNewline(secret.Data["uri"]))
	if u, err := url.Parse(uri); err != nil || u.Hostname() == "" || u.User.Username() == "" {
		return postgres.Admin{}, conditions.Stall(v1alpha1.ReasonSecretIncomplete,
			"Secret %s, the class's shared server: the key uri must be a connection URI with user, password and host", ref)
	}
	return postgres.Admin{URI: uri, CA: secret.Data["ca.crt"]}, nil
}

// gatherDatabase adds the connection of a database that the operator made.
func (r *Reconciler) gatherDatabase(ctx context.Context, s *scope, g *gathering) error {
	if s.databaseUnknown {
		g.keepLastGood(secretSource{files: []string{control.FileDatabaseURI, control.FileDatabaseCA}})
		return nil
	}
	switch s.plan.Database.Kind {
	case v1alpha1.DatabaseStandalone:
		g.files[control.FileDatabaseURI] = []byte(stack.DatabaseURI(s.plan))
		return nil
	case v1alpha1.DatabaseCloudNativePG:
		err := r.gatherFrom(ctx, s, g, clusterCA(s.community))
		if len(g.files[control.FileDatabaseCA]) > 0 {
			g.files[control.FileDatabaseURI] = []byte(stack.DatabaseURI(s.plan))
		}
		return err
	case v1alpha1.DatabaseShared:
		return r.gatherShared(ctx, s, g)
	default:
		return nil
	}
}

// clusterCA is the certificate authority that CloudNativePG makes for each Cluster.
func clusterCA(c *v1alpha1.Community) secretSource {
	return secretSource{
		part:    "clusterCA",
		ref:     types.NamespacedName{Namespace: c.Namespace, Name: cnpg.CASecret(stack.DatabaseName(c.Name))},
		field:   "the Cluster",
		files:   []string{control.FileDatabaseCA},
		read:    copyKeys(map[string]string{"ca.crt": control.FileDatabaseCA}),
		pending: "CloudNativePG has not made the Cluster's certificates yet",
	}
}

// gatherShared derives the community's connection from the administrator's: same server and sslmode, own user
// and database.
func (r *Reconciler) gatherShared(ctx context.Context, s *scope, g *gathering) error {
	shared := s.class.Spec.Database.Shared
	src := secretSource{
		part:  "shared",
		ref:   types.NamespacedName{Namespace: r.OperatorNamespace, Name: shared.AdminSecretName},
		field: "spec.database.shared.adminSecretName of the class", wants: "the key uri, and optionally ca.crt",
		files: []string{control.FileDatabaseURI, control.FileDatabaseCA},
		read: func(admin *corev1.Secret) (map[string][]byte, string) {
			files, problem := readAdminURI(admin)
			if problem != "" {
				return nil, problem
			}
			files[control.FileDatabaseURI] = []byte(sharedURI(string(files[control.FileDatabaseURI]), shared, s.sharedDatabase()))
			return files, ""
		},
	}
	// A changed host or password must be noticed although the Secret is the same.
	src.part += fmt.Sprintf("-%d-%s", s.class.Generation, g.digest(map[string][]byte{"password": []byte(s.plan.Database.Password)}))
	return r.gatherFrom(ctx, s, g, src)
}

// readAdminURI accepts an administrator's URI without a database name.
func readAdminURI(admin *corev1.Secret) (map[string][]byte, string) {
	u, err := url.Parse(string(trimNewline(admin.Data["uri"])))
	if err != nil {
		return nil, "the key uri cannot be parsed; special characters in user and password must be percent-encoded"
	}
	u.Path = "/postgres"
	copied := admin.DeepCopy()
	copied.Data["uri"] = []byte(u.String())
	return readExternalDatabase(copied)
}

func sharedURI(admin string, shared *v1alpha1.SharedDatabaseSettings, db postgres.Database) string {
	u, err := url.Parse(admin)
	if err != nil { // readExternalDatabase made it
		return ""
	}
	u.User = url.UserPassword(db.Name, db.Password)
	u.Path = "/" + db.Name
	if shared.Host != "" {
		port := "5432"
		if shared.Port != nil {
			port = strconv.Itoa(int(*shared.Port))
		}
		u.Host = net.JoinHostPort(shared.Host, port)
	}
	return u.String()
}

// refusedDatabase says that an external database refused a try.
type refusedDatabase struct{ err error }

// Error implements error.
func (e *refusedDatabase) Error() string { return e.err.Error() }

// tryDatabase connects to an external database before its connection is taken into use.
func tryDatabase(ctx context.Context, server DatabaseServer, files map[string][]byte) error {
	u, err := url.Parse(string(files[control.FileDatabaseURI]))
	if err != nil {
		return errors.New("the database URI cannot be parsed")
	}
	q := u.Query()
	q.Del("sslrootcert")
	u.RawQuery = q.Encode()
	if err := server.Probe(ctx, u.String(), files[control.FileDatabaseCA]); err != nil {
		return &refusedDatabase{err: databaseFailure(err)}
	}
	return nil
}

// databaseFailure names the cause of a failed connection: what may pass by itself is waited for, the rest
// needs a person. Either way the operator tries again by itself.
func databaseFailure(err error) error {
	var foreign *postgres.ForeignError
	if errors.As(err, &foreign) {
		return conditions.StallUntil(retryDatabase, v1alpha1.ReasonForeignObject, "%s", foreign.Error())
	}
	reason, message := pgerror.Classify(err)
	return databaseCondition(control.Database{Reason: reason, Message: message})
}

func databaseCondition(d control.Database) error {
	message := bounded(d.Message, maxDatabaseMessage)
	switch d.Reason {
	case control.ReasonDatabaseStarting, "":
		return conditions.Wait(retryDatabase, v1alpha1.ReasonProgressing, "the database is starting: %s", message)
	case control.ReasonDatabaseUnreachable, control.ReasonPasswordRefused, control.ReasonDatabaseMissing, control.ReasonTLSRefused,
		control.ReasonPermissionDenied, control.ReasonMigrationFailed:
		return conditions.StallUntil(retryDatabase, d.Reason, "%s", message)
	default: // a condition's reason must be one that the API server takes
		return conditions.StallUntil(retryDatabase, v1alpha1.ReasonDatabaseUnreachable, "%s", message)
	}
}

// maxDatabaseMessage bounds what an idea service says of its database.
const maxDatabaseMessage = 800
