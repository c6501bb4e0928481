package community_test

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"sync"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/rest"
	"k8s.io/utils/ptr"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/config"
	"sigs.k8s.io/controller-runtime/pkg/controller"
	"sigs.k8s.io/controller-runtime/pkg/controller/controllerutil"
	"sigs.k8s.io/controller-runtime/pkg/manager"
	metricsserver "sigs.k8s.io/controller-runtime/pkg/metrics/server"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/quaeso/community-operator/api/v1alpha1"
	"github.com/quaeso/community-operator/internal/certmanager"
	"github.com/quaeso/community-operator/internal/cnpg"
	"github.com/quaeso/community-operator/internal/control"
	"github.com/quaeso/community-operator/internal/pgerror"
	"github.com/quaeso/community-operator/internal/stack"
)

// again is how soon the simulated cluster looks again at what is not as it should be.
const again = 50 * time.Millisecond

// cluster simulates what a bare API server lacks: nodes, the controllers of Kubernetes, a Gateway, an ingress
// controller, CloudNativePG and cert-manager. It works in the namespaces of the worlds that were added.
type cluster struct {
	client         client.Client
	ports          *controlPort
	controlAddress string

	mu     sync.Mutex
	worlds map[string]*world
	// services by namespace and name of their Deployment. They stay: their settings are in the database.
	services map[types.NamespacedName]*ideaService
	// passwords that databases were made with, by the UID of their volume. They do not follow the Secret.
	passwords map[types.UID]string
}

func startCluster(cfg *rest.Config) (*cluster, error) {
	ports, server := newControlPort()
	c := &cluster{
		ports: ports, controlAddress: strings.TrimPrefix(server.URL, "http://"), worlds: map[string]*world{},
		services: map[types.NamespacedName]*ideaService{}, passwords: map[types.UID]string{},
	}
	var err error
	if c.client, err = client.New(cfg, client.Options{Scheme: scheme}); err != nil {
		return nil, fmt.Errorf("make the simulated cluster's client: %w", err)
	}
	mgr, err := ctrl.NewManager(cfg, manager.Options{
		Scheme: scheme, Metrics: metricsserver.Options{BindAddress: "0"},
		Controller: config.Controller{SkipNameValidation: ptr.To(true)},
	})
	if err != nil {
		return nil, fmt.Errorf("make the simulated cluster: %w", err)
	}
	for _, err := range []error{
		simulate(c, mgr, &appsv1.Deployment{}, c.deployment), simulate(c, mgr, &appsv1.StatefulSet{}, c.statefulSet),
		simulate(c, mgr, &corev1.PersistentVolumeClaim{}, c.volume), simulate(c, mgr, &gatewayv1.HTTPRoute{}, c.httpRoute),
		simulate(c, mgr, &networkingv1.Ingress{}, c.ingress), simulate(c, mgr, &cnpg.Cluster{}, c.cluster),
		simulate(c, mgr, &certmanager.Certificate{}, c.certificate),
	} {
		if err != nil {
			return nil, err
		}
	}
	go func() { _ = mgr.Start(context.Background()) }()
	return c, nil
}

var errNotYet = errors.New("not yet")

// simulate has the cluster work on the objects of a kind, where that is installed.
func simulate[T client.Object](c *cluster, mgr manager.Manager, kind T, work func(context.Context, *world, T) error) error {
	gvk, err := mgr.GetClient().GroupVersionKindFor(kind)
	if err != nil {
		return err
	}
	if _, err := mgr.GetRESTMapper().RESTMapping(gvk.GroupKind(), gvk.Version); meta.IsNoMatchError(err) {
		return nil
	}
	return ctrl.NewControllerManagedBy(mgr).Named("simulated-" + strings.ToLower(gvk.Kind)).For(kind).
		WithOptions(controller.Options{MaxConcurrentReconciles: 4}).
		Complete(reconcile.Func(func(ctx context.Context, req ctrl.Request) (ctrl.Result, error) {
			w := c.world(req.Namespace)
			if w == nil {
				return ctrl.Result{}, nil
			}
			if w.holds(gvk.Kind) {
				return ctrl.Result{RequeueAfter: again}, nil
			}
			o := kind.DeepCopyObject().(T)
			if err := c.client.Get(ctx, req.NamespacedName, o); err != nil {
				return ctrl.Result{}, client.IgnoreNotFound(err)
			}
			before := o.DeepCopyObject().(client.Object)
			err := work(ctx, w, o)
			w.meddleWith(o)
			if !equality.Semantic.DeepEqual(before, o) {
				if err := c.client.Status().Patch(ctx, o, client.MergeFrom(before)); client.IgnoreNotFound(err) != nil {
					return ctrl.Result{}, err
				}
			}
			if err != nil {
				// Whatever it is, it is tried again soon.
				return ctrl.Result{RequeueAfter: again}, nil
			}
			return ctrl.Result{}, nil
		}))
}

func (c *cluster) add(w *world) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.worlds[w.namespace] = w
}

func (c *cluster) remove(w *world) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.worlds, w.namespace)
}

func (c *cluster) world(namespace string) *world {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.worlds[namespace]
}

// service returns the idea service of a community, which may not run yet.
func (c *cluster) service(key types.NamespacedName) *ideaService {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.services[key] == nil {
		w := c.worlds[key.Namespace]
		c.services[key] = &ideaService{database: func(files map[string][]byte) control.Database {
			if w != nil && w.serve != nil {
				return w.serve(files)
			}
			return c.connect(w, string(files[control.FileDatabaseURI]))
		}}
	}
	return c.services[key]
}

// deployment stands for the Deployment controller and the nodes.
func (c *cluster) deployment(ctx context.Context, _ *world, d *appsv1.Deployment) error {
	service := c.service(client.ObjectKeyFromObject(d))
	running := c.roll(ctx, d, service)
	status := appsv1.DeploymentStatus{
		ObservedGeneration: d.Generation, Replicas: *d.Spec.Replicas, UpdatedReplicas: *d.Spec.Replicas,
		Conditions: []appsv1.DeploymentCondition{{
			Type: appsv1.DeploymentProgressing, Status: corev1.ConditionTrue, Reason: "ReplicaSetUpdated",
			LastUpdateTime: d.CreationTimestamp, LastTransitionTime: d.CreationTimestamp,
		}},
	}
	if running != nil || !service.ready() {
		d.Status = status
		return errNotYet
	}
	status.ReadyReplicas, status.AvailableReplicas = status.Replicas, status.Replicas
	d.Status = status
	return nil
}

// roll has the idea service mount the credentials of the current pod template.
func (c *cluster) roll(ctx context.Context, d *appsv1.Deployment, service *ideaService) error {
	template := d.Spec.Template.Annotations[v1alpha1.AnnotationCredentials]
	rolled := false
	service.change(func(s *ideaService) { rolled = s.rolled == template })
	address := &corev1.Service{}
	if err := c.client.Get(ctx, types.NamespacedName{Namespace: d.Namespace, Name: stack.ControlName(d.Name)}, address); err != nil {
		return err
	}
	if !rolled {
		credentials := &corev1.Secret{}
		if err := c.client.Get(ctx, types.NamespacedName{Namespace: d.Namespace, Name: stack.CredentialsName(d.Name)}, credentials); err != nil {
			return err
		}
		service.change(func(s *ideaService) {
			s.rolled, s.files, s.token = template, credentials.Data, string(credentials.Data[control.FileControlToken])
		})
	}
	c.ports.set(address.Spec.ClusterIP, service)
	return nil
}

// connect tells how a database looks to an idea service.
func (c *cluster) connect(w *world, uri string) control.Database {
	u, err := url.Parse(uri)
	if err != nil || w == nil {
		return pgerror.Database(fmt.Errorf("connect: %w", err))
	}
	password, _ := u.User.Password()
	host, inCluster := strings.CutSuffix(u.Hostname(), "."+w.namespace+".svc")
	if !inCluster {
		return w.databases.serve(uri)
	}
	have, err := c.passwordOf(w, host)
	switch {
	case err != nil:
		return control.Database{Reason: control.ReasonDatabaseUnreachable, Message: "host name " + host + " is unknown"}
	case have != password:
		return control.Database{Reason: control.ReasonPasswordRefused, Message: "password authentication failed"}
	}
	return control.Database{Ready: true, SchemaVersion: 3}
}

// passwordOf returns the password that a database of the cluster lets in.
func (c *cluster) passwordOf(w *world, host string) (string, error) {
	ctx := context.Background()
	if name, ok := strings.CutSuffix(host, "-primary"); ok { // CloudNativePG follows the Secret
		pg, secret := &cnpg.Cluster{}, &corev1.Secret{}
		if err := c.client.Get(ctx, w.key(name), pg); err != nil || pg.Status.ReadyInstances == 0 {
			return "", errors.Join(err, errNotYet)
		}
		err := c.client.Get(ctx, w.key(name), secret)
		return string(secret.Data[corev1.BasicAuthPasswordKey]), err
	}
	set, claim := &appsv1.StatefulSet{}, &corev1.PersistentVolumeClaim{}
	if err := c.client.Get(ctx, w.key(host), set); err != nil || set.Status.ReadyReplicas == 0 {
		return "", errors.Join(err, errNotYet)
	}
	if err := c.client.Get(ctx, w.key(host), claim); err != nil {
		return "", err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.passwords[claim.UID], nil
}

// statefulSet stands for the node that runs a standalone PostgreSQL, which takes its password from the Secret
// when it makes the database, and never again.
func (c *cluster) statefulSet(ctx context.Context, w *world, s *appsv1.StatefulSet) error {
	claim, secret := &corev1.PersistentVolumeClaim{}, &corev1.Secret{}
	if err := errors.Join(c.client.Get(ctx, w.key(s.Name), claim), c.client.Get(ctx, w.key(s.Name), secret)); err != nil {
		return err
	}
	c.mu.Lock()
	if _, made := c.passwords[claim.UID]; !made {
		c.passwords[claim.UID] = string(secret.Data[corev1.BasicAuthPasswordKey])
	}
	c.mu.Unlock()
	s.Status = appsv1.StatefulSetStatus{
		ObservedGeneration: s.Generation, Replicas: 1, ReadyReplicas: 1, CurrentReplicas: 1, UpdatedReplicas: 1, AvailableReplicas: 1,
	}
	return nil
}

// volume binds claims, and lets them go when no database uses them any more.
func (c *cluster) volume(ctx context.Context, w *world, v *corev1.PersistentVolumeClaim) error {
	if v.DeletionTimestamp.IsZero() {
		v.Status.Phase = corev1.ClaimBound
		return nil
	}
	if err := c.client.Get(ctx, w.key(v.Name), &appsv1.StatefulSet{}); !apierrors.IsNotFound(err) {
		return errNotYet
	}
	before := v.DeepCopy()
	v.Finalizers = nil
	return c.client.Patch(ctx, v, client.MergeFrom(before))
}

func (c *cluster) httpRoute(_ context.Context, _ *world, r *gatewayv1.HTTPRoute) error {
	r.Status.Parents = nil
	for _, ref := range r.Spec.ParentRefs {
		parent := gatewayv1.RouteParentStatus{ParentRef: ref, ControllerName: "example.com/gateway"}
		for _, kind := range []gatewayv1.RouteConditionType{gatewayv1.RouteConditionAccepted, gatewayv1.RouteConditionResolvedRefs} {
			parent.Conditions = append(parent.Conditions, metav1.Condition{
				Type: string(kind), Status: metav1.ConditionTrue, Reason: string(kind), ObservedGeneration: r.Generation,
				LastTransitionTime: r.CreationTimestamp,
			})
		}
		r.Status.Parents = append(r.Status.Parents, parent)
	}
	return nil
}

func (c *cluster) ingress(_ context.Context, _ *world, i *networkingv1.Ingress) error {
	i.Status.LoadBalancer.Ingress = []networkingv1.IngressLoadBalancerIngress{{IP: "192.0.2.1"}}
	return nil
}

// cluster stands for CloudNativePG.
func (c *cluster) cluster(ctx context.Context, w *world, pg *cnpg.Cluster) error {
	ca := &corev1.Secret{ObjectMeta: named(w.namespace, cnpg.CASecret(pg.Name)), Data: map[string][]byte{"ca.crt": []byte("the authority of " + pg.Name)}}
	if err := controllerutil.SetControllerReference(pg, ca, scheme); err != nil {
		return err
	}
	if err := c.client.Create(ctx, ca); err != nil && !apierrors.IsAlreadyExists(err) {
		return err
	}
	pg.Status.Phase, pg.Status.ReadyInstances, pg.Status.Instances = cnpg.PhaseHealthy, pg.Spec.Instances, pg.Spec.Instances
	if pg.Annotations[cnpg.AnnotationHibernation] == cnpg.HibernationOn {
		pg.Status.ReadyInstances, pg.Status.Instances = 0, 0
	}
	return nil
}

// certificate stands for cert-manager.
func (c *cluster) certificate(ctx context.Context, w *world, cert *certmanager.Certificate) error {
	secret := &corev1.Secret{
		ObjectMeta: named(w.namespace, cert.Spec.SecretName), Type: corev1.SecretTypeTLS,
		Data: map[string][]byte{corev1.TLSCertKey: []byte("certificate"), corev1.TLSPrivateKeyKey: []byte("private key of " + cert.Name)},
	}
	secret.Labels = cert.Spec.SecretTemplate.Labels
	if err := c.client.Create(ctx, secret); err != nil && !apierrors.IsAlreadyExists(err) {
		return err
	}
	cert.Status.Conditions = []certmanager.CertificateCondition{{
		Type: certmanager.ConditionReady, Status: metav1.ConditionTrue, Reason: "Ready", ObservedGeneration: cert.Generation,
	}}
	return nil
}
