package community

import (
	"context"
	"fmt"
	"slices"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	policyv1 "k8s.io/api/policy/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/predicate"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
	"sigs.k8s.io/controller-runtime/pkg/source"

	"github.com/quaeso/community-operator/api/v1alpha1"
	"github.com/quaeso/community-operator/internal/apply"
	"github.com/quaeso/community-operator/internal/ideaservice"
	"github.com/quaeso/community-operator/internal/postgres"
)

// Indexes of the cache.
const (
	// indexClass finds the Communities of a class; "" are those that use the default class.
	indexClass = "spec.className"
	// indexSecret finds the Communities of a namespace that name a Secret.
	indexSecret = "secrets"
	// indexConfigMap finds the Communities of a namespace that name a ConfigMap.
	indexConfigMap = "configMaps"
)

// SetupWithManager registers the controller. versions is a cache of the metadata of Secrets and ConfigMaps that are not
// ours.
func (r *Reconciler) SetupWithManager(mgr ctrl.Manager, versions cache.Cache, maxConcurrent int) error {
	r.applier = apply.Applier{Client: r.Client, Live: r.Live}
	r.claims = newHostnameClaims()
	r.ensured = &ensuredDatabases{at: map[types.NamespacedName]ensured{}}
	r.unreachable = newFirstSeen()
	r.up = newFirstSeen()
	r.texts = newKnownTexts()
	if err := r.index(mgr); err != nil {
		return err
	}
	b := ctrl.NewControllerManagedBy(mgr).
		For(&v1alpha1.Community{}, builder.WithPredicates(predicate.Or(predicate.GenerationChangedPredicate{},
			predicate.AnnotationChangedPredicate{}, deletionStarted()))).
		Watches(&v1alpha1.CommunityClass{}, handler.EnqueueRequestsFromMapFunc(r.communitiesOfClass),
			builder.WithPredicates(predicate.GenerationChangedPredicate{})).
		WatchesRawSource(source.Kind(versions, metadataOf(kindSecret),
			handler.TypedEnqueueRequestsFromMapFunc(r.communitiesOfSecret))).
		WatchesRawSource(source.Kind(versions, metadataOf(kindConfigMap),
			handler.TypedEnqueueRequestsFromMapFunc(r.communitiesOfConfigMap))).
		WatchesRawSource(source.Channel(r.Programmes.News(ideaservice.KindCommunity), ideaservice.EnqueueNews())).
		WatchesRawSource(source.Channel(r.claims.freed, &handler.TypedEnqueueRequestForObject[*v1alpha1.Community]{})).
		WithOptions(controller.Options{MaxConcurrentReconciles: maxConcurrent})
	for _, child := range []client.Object{
		&appsv1.Deployment{}, &appsv1.StatefulSet{}, &corev1.Service{}, &corev1.Secret{}, &corev1.ServiceAccount{},
		&corev1.PersistentVolumeClaim{}, &networkingv1.Ingress{}, &networkingv1.NetworkPolicy{}, &policyv1.PodDisruptionBudget{},
	} {
		b = b.Watches(child, handler.EnqueueRequestsFromMapFunc(communityOfChild))
	}
	c, err := b.Build(r)
	if err != nil {
		return fmt.Errorf("build the Community controller: %w", err)
	}
	return r.setupOptionalKinds(mgr, c)
}

func (r *Reconciler) setupOptionalKinds(mgr ctrl.Manager, c controller.Controller) error {
	r.optional = &optionalKinds{
		mapper: mgr.GetRESTMapper(), scheme: mgr.GetScheme(),
		watched: map[schema.GroupVersionKind]bool{},
		watch: func(obj client.Object) error {
			return c.Watch(source.Kind(mgr.GetCache(), obj, handler.EnqueueRequestsFromMapFunc(communityOfChild)))
		},
	}
	for gvk := range projectOf {
		if _, err := r.optional.ensure(gvk); err != nil {
			return err
		}
	}
	return nil
}

func (r *Reconciler) index(mgr ctrl.Manager) error {
	indexer := mgr.GetFieldIndexer()
	err := indexer.IndexField(context.Background(), &v1alpha1.Community{}, indexClass, func(o client.Object) []string {
		return []string{o.(*v1alpha1.Community).Spec.ClassName}
	})
	if err != nil {
		return fmt.Errorf("index Communities by class: %w", err)
	}
	err = indexer.IndexField(context.Background(), &v1alpha1.Community{}, indexSecret, func(o client.Object) []string {
		return namedSecrets(o.(*v1alpha1.Community))
	})
	if err != nil {
		return fmt.Errorf("index Communities by Secret: %w", err)
	}
	err = indexer.IndexField(context.Background(), &v1alpha1.Community{}, indexConfigMap, func(o client.Object) []string {
		return namedConfigMaps(o.(*v1alpha1.Community))
	})
	if err != nil {
		return fmt.Errorf("index Communities by ConfigMap: %w", err)
	}
	return nil
}

// namedSecrets are the Secrets of its namespace that a Community depends on.
func namedSecrets(c *v1alpha1.Community) []string {
	var names []string
	if c.Spec.Mail != nil {
		names = append(names, c.Spec.Mail.SecretName)
	}
	if c.Spec.OIDC != nil {
		names = append(names, c.Spec.OIDC.ClientSecretName)
	}
	if c.Spec.TLS != nil {
		names = append(names, c.Spec.TLS.SecretName)
	}
	if c.Spec.Database != nil && c.Spec.Database.External != nil {
		names = append(names, c.Spec.Database.External.SecretName)
	}
	return append(names, clusterCA(c).ref.Name)
}

func communityOfChild(_ context.Context, child client.Object) []reconcile.Request {
	name := child.GetLabels()[v1alpha1.LabelCommunity]
	if name == "" {
		return nil
	}
	return []reconcile.Request{{NamespacedName: types.NamespacedName{Namespace: child.GetNamespace(), Name: name}}}
}

func (r *Reconciler) communitiesOfClass(ctx context.Context, class client.Object) []reconcile.Request {
	return append(r.list(ctx, client.MatchingFields{indexClass: class.GetName()}),
		r.list(ctx, client.MatchingFields{indexClass: ""})...)
}

// communitiesNaming are the Communities of an object's namespace that name it.
func (r *Reconciler) communitiesNaming(ctx context.Context, index string, o *metav1.PartialObjectMetadata) []reconcile.Request {
	// Asked for by namespace, a cache that does not hold the operator's own would refuse.
	return slices.DeleteFunc(r.list(ctx, client.MatchingFields{index: o.Name}),
		func(req reconcile.Request) bool { return req.Namespace != o.Namespace })
}

func (r *Reconciler) communitiesOfConfigMap(ctx context.Context, configMap *metav1.PartialObjectMetadata) []reconcile.Request {
	return r.communitiesNaming(ctx, indexConfigMap, configMap)
}

func (r *Reconciler) communitiesOfSecret(ctx context.Context, secret *metav1.PartialObjectMetadata) []reconcile.Request {
	requests := r.communitiesNaming(ctx, indexSecret, secret)
	if secret.Namespace != r.OperatorNamespace {
		return requests
	}
	classes := &v1alpha1.CommunityClassList{}
	if err := r.List(ctx, classes, client.DisableReadYourWritesConsistency); err != nil {
		return requests
	}
	for i := range classes.Items {
		if classNamesSecret(&classes.Items[i], secret.Name) {
			requests = append(requests, r.communitiesOfClass(ctx, &classes.Items[i])...)
		}
	}
	return requests
}

func classNamesSecret(class *v1alpha1.CommunityClass, name string) bool {
	if class.Spec.Mail != nil && class.Spec.Mail.CredentialsSecretName == name {
		return true
	}
	if class.Spec.Database.Shared != nil && class.Spec.Database.Shared.AdminSecretName == name {
		return true
	}
	for _, pull := range class.Spec.IdeaService.ImagePullSecretNames {
		if pull == name {
			return true
		}
	}
	return false
}

func (r *Reconciler) list(ctx context.Context, opts ...client.ListOption) []reconcile.Request {
	found := &v1alpha1.CommunityList{}
	if err := r.List(ctx, found, append(opts, client.DisableReadYourWritesConsistency)...); err != nil {
		ctrl.LoggerFrom(ctx).Error(err, "cannot list Communities")
		return nil
	}
	requests := make([]reconcile.Request, len(found.Items))
	for i := range found.Items {
		requests[i].NamespacedName = client.ObjectKeyFromObject(&found.Items[i])
	}
	return requests
}

func deletionStarted() predicate.Predicate {
	return predicate.NewPredicateFuncs(func(o client.Object) bool { return o.GetDeletionTimestamp() != nil })
}

var _ DatabaseServer = (*postgres.Server)(nil)
