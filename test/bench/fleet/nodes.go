package main

import (
	"context"
	"fmt"
	"net"
	"strconv"
	"strings"
	"sync"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	toolscache "k8s.io/client-go/tools/cache"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/quaeso/community-operator/api/v1alpha1"
	"github.com/quaeso/community-operator/internal/stack"
)

// nodes plays everybody who makes a Community's objects come true: volumes are bound, pods are ready, databases
// before the idea services that need them, and the Gateway accepts routes. Each object gets one status write.
type nodes struct {
	client   client.Client
	services *services
	work     chan func(context.Context)

	mu sync.Mutex
	// done holds the generation of each object that was answered.
	done map[types.UID]int64
	// databases are the Communities whose database runs, waiting the Deployments that wait for theirs.
	databases map[types.NamespacedName]bool
	waiting   map[types.NamespacedName]*metav1.PartialObjectMetadata
}

// nodeWorkers is how many status writes are under way at once.
const nodeWorkers = 8

func startNodes(ctx context.Context, c *cluster, s *services) (*nodes, error) {
	ours := labels.SelectorFromSet(labels.Set{v1alpha1.LabelManagedBy: v1alpha1.FieldManager})
	informers, err := cache.New(c.server.Config, cache.Options{
		Scheme: newScheme(), DefaultLabelSelector: ours, DefaultTransform: cache.TransformStripManagedFields(),
	})
	if err != nil {
		return nil, fmt.Errorf("make informers: %w", err)
	}
	n := &nodes{
		client: c.server.Client, services: s, work: make(chan func(context.Context), 100_000),
		done: map[types.UID]int64{}, databases: map[types.NamespacedName]bool{},
		waiting: map[types.NamespacedName]*metav1.PartialObjectMetadata{},
	}
	for gvk, react := range map[schema.GroupVersionKind]func(*metav1.PartialObjectMetadata){
		appsv1.SchemeGroupVersion.WithKind("Deployment"):               n.deployment,
		appsv1.SchemeGroupVersion.WithKind("StatefulSet"):              n.statefulSet,
		corev1.SchemeGroupVersion.WithKind("PersistentVolumeClaim"):    n.volume,
		{Group: gatewayv1.GroupName, Version: "v1", Kind: "HTTPRoute"}: n.route,
	} {
		m := &metav1.PartialObjectMetadata{}
		m.SetGroupVersionKind(gvk)
		if err := watch(ctx, informers, m, func(o any) { react(o.(*metav1.PartialObjectMetadata)) }); err != nil {
			return nil, err
		}
	}
	if err := watch(ctx, informers, &corev1.Service{}, func(o any) { n.service(o.(*corev1.Service)) }); err != nil {
		return nil, err
	}
	for range nodeWorkers {
		go n.labour(ctx)
	}
	go func() { _ = informers.Start(ctx) }() // ends with the context
	if !informers.WaitForCacheSync(ctx) {
		return nil, fmt.Errorf("wait for informers: %w", ctx.Err())
	}
	return n, nil
}

func watch(ctx context.Context, informers cache.Cache, o client.Object, react func(any)) error {
	informer, err := informers.GetInformer(ctx, o, cache.BlockUntilSynced(false))
	if err != nil {
		return fmt.Errorf("watch %T: %w", o, err)
	}
	_, err = informer.AddEventHandler(toolscache.ResourceEventHandlerFuncs{
		AddFunc: react, UpdateFunc: func(_, now any) { react(now) },
	})
	if err != nil {
		return fmt.Errorf("watch %T: %w", o, err)
	}
	return nil
}

func (n *nodes) labour(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case job := <-n.work:
			job(ctx)
		}
	}
}

// communityOf an object.
func communityOf(o client.Object) types.NamespacedName {
	return types.NamespacedName{Namespace: o.GetNamespace(), Name: o.GetLabels()[v1alpha1.LabelCommunity]}
}

func (n *nodes) service(s *corev1.Service) {
	if who := communityOf(s); s.Name == stack.ControlName(who.Name) {
		n.services.knows(net.JoinHostPort(s.Spec.ClusterIP, strconv.Itoa(stack.PortControl)), who)
	}
}

func (n *nodes) volume(m *metav1.PartialObjectMetadata) {
	n.answer(m, `{"status":{"phase":"Bound","accessModes":["ReadWriteOnce"],"capacity":{"storage":"1Gi"}}}`, nil)
}

func (n *nodes) statefulSet(m *metav1.PartialObjectMetadata) {
	status := fmt.Sprintf(`{"status":{"observedGeneration":%d,"replicas":1,"readyReplicas":1,"currentReplicas":1,`+
		`"updatedReplicas":1,"availableReplicas":1,"currentRevision":"a","updateRevision":"a"}}`, m.Generation)
	n.answer(m, status, func() {
		n.mu.Lock()
		defer n.mu.Unlock()
		who := communityOf(m)
		n.databases[who] = true
		if d := n.waiting[who]; d != nil {
			delete(n.waiting, who)
			n.startPods(d)
		}
	})
}

// deployment starts a Community's pods once its database runs.
func (n *nodes) deployment(m *metav1.PartialObjectMetadata) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if who := communityOf(m); !n.databases[who] {
		n.waiting[who] = m
		return
	}
	n.startPods(m)
}

// startPods is called with the lock held.
func (n *nodes) startPods(m *metav1.PartialObjectMetadata) {
	const condition = `{"type":"%s","status":"True","reason":"%s","message":"",` +
		`"lastUpdateTime":"2026-01-01T00:00:00Z","lastTransitionTime":"2026-01-01T00:00:00Z"}`
	status := fmt.Sprintf(`{"status":{"observedGeneration":%d,"replicas":1,"updatedReplicas":1,"readyReplicas":1,`+
		`"availableReplicas":1,"conditions":[`+fmt.Sprintf(condition, "Available", "MinimumReplicasAvailable")+","+
		fmt.Sprintf(condition, "Progressing", "NewReplicaSetAvailable")+`]}}`, m.Generation)
	who := communityOf(m)
	n.services.run(who)
	n.answerLocked(m, status, nil)
}

func (n *nodes) route(m *metav1.PartialObjectMetadata) {
	condition := func(kind string) string {
		return fmt.Sprintf(`{"type":"%s","status":"True","reason":"%s","message":"","observedGeneration":%d,`+
			`"lastTransitionTime":"2026-01-01T00:00:00Z"}`, kind, kind, m.Generation)
	}
	n.answer(m, `{"status":{"parents":[{"controllerName":"bench.example/gateway","parentRef":{"group":"gateway.networking.k8s.io",`+
		`"kind":"Gateway","name":"public","namespace":"gateway-system"},"conditions":[`+
		strings.Join([]string{condition("Accepted"), condition("ResolvedRefs")}, ",")+`]}]}}`, nil)
}

// answer writes the status of an object once a generation.
func (n *nodes) answer(m *metav1.PartialObjectMetadata, status string, then func()) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.answerLocked(m, status, then)
}

func (n *nodes) answerLocked(m *metav1.PartialObjectMetadata, status string, then func()) {
	// A volume has no generation: it counts as 0, and absent as less.
	if generation, answered := n.done[m.UID]; answered && generation >= m.Generation {
		return
	}
	n.done[m.UID] = m.Generation
	n.work <- func(ctx context.Context) {
		target := &metav1.PartialObjectMetadata{}
		target.SetGroupVersionKind(m.GroupVersionKind())
		target.Namespace, target.Name = m.Namespace, m.Name
		err := n.client.Status().Patch(ctx, target, client.RawPatch(types.MergePatchType, []byte(status)))
		if err != nil && !apierrors.IsNotFound(err) && ctx.Err() == nil {
			progress("cannot write the status of %s %s/%s: %v", m.Kind, m.Namespace, m.Name, err)
		}
		if then != nil {
			then()
		}
	}
}
