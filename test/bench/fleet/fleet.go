package main

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"golang.org/x/sync/errgroup"

	"github.com/quaeso/community-operator/api/v1alpha1"
	"github.com/quaeso/community-operator/internal/testutil"
)

// fleet makes Communities and notes when they become Ready.
type fleet struct {
	client client.Client

	mu      sync.Mutex
	created map[types.NamespacedName]time.Time
	ready   map[types.NamespacedName]time.Time
}

// creators is how many Communities are made at once.
const creators = 4

func startFleet(ctx context.Context, c *cluster) (*fleet, error) {
	informers, err := cache.New(c.server.Config, cache.Options{Scheme: newScheme(), DefaultTransform: onlyConditions})
	if err != nil {
		return nil, fmt.Errorf("make informers: %w", err)
	}
	f := &fleet{client: c.server.Client, created: map[types.NamespacedName]time.Time{}, ready: map[types.NamespacedName]time.Time{}}
	if err := watch(ctx, informers, &v1alpha1.Community{}, func(o any) { f.note(o.(*v1alpha1.Community)) }); err != nil {
		return nil, err
	}
	go func() { _ = informers.Start(ctx) }() // ends with the context
	if !informers.WaitForCacheSync(ctx) {
		return nil, fmt.Errorf("wait for informers: %w", ctx.Err())
	}
	return f, nil
}

// onlyConditions keeps the benchmark's own memory small.
func onlyConditions(o any) (any, error) {
	if c, ok := o.(*v1alpha1.Community); ok {
		c.ManagedFields = nil
		c.Spec = v1alpha1.CommunitySpec{}
	}
	return o, nil
}

func (f *fleet) note(c *v1alpha1.Community) {
	if !meta.IsStatusConditionTrue(c.Status.Conditions, v1alpha1.ConditionReady) {
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if who := client.ObjectKeyFromObject(c); f.ready[who].IsZero() {
		f.ready[who] = time.Now()
	}
}

// newCommunities describes n Communities whose names start with prefix.
func newCommunities(prefix string, n int, change func(*v1alpha1.Community)) []*v1alpha1.Community {
	out := make([]*v1alpha1.Community, n)
	for i := range n {
		out[i] = testutil.Community(prefix+strconv.Itoa(i), func(c *v1alpha1.Community) {
			c.UID, c.Generation = "", 0
			c.Namespace = namespaceOf(i)
			c.Spec.ClassName = className
			if change != nil {
				change(c)
			}
		})
	}
	return out
}

// create makes Communities, in the order given.
func (f *fleet) create(ctx context.Context, communities []*v1alpha1.Community) error {
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(creators)
	for _, c := range communities {
		g.Go(func() error {
			f.mu.Lock()
			f.created[client.ObjectKeyFromObject(c)] = time.Now()
			f.mu.Unlock()
			if err := f.client.Create(ctx, c); err != nil {
				return fmt.Errorf("make Community %s: %w", c.Name, err)
			}
			return nil
		})
	}
	return g.Wait()
}

// waitUntilReady returns how long each Community took, shortest first, and the time from the first creation to
// the last Ready.
func (b *bench) waitUntilReady(ctx context.Context, communities []*v1alpha1.Community) (each []time.Duration, whole time.Duration, err error) {
	last := time.Now()
	err = b.whileRunning(ctx, b.options.timeout, "every Community to be Ready", func() (bool, error) {
		n := b.fleet.countReady(communities)
		if time.Since(last) > 10*time.Second {
			last = time.Now()
			progress("%d of %d Ready", n, len(communities))
		}
		return n == len(communities), nil
	})
	if err != nil {
		return nil, 0, err
	}
	each, whole = b.fleet.took(communities)
	return each, whole, nil
}

func (f *fleet) took(communities []*v1alpha1.Community) (each []time.Duration, whole time.Duration) {
	f.mu.Lock()
	defer f.mu.Unlock()
	var first, end time.Time
	for _, c := range communities {
		who := client.ObjectKeyFromObject(c)
		created, ready := f.created[who], f.ready[who]
		if first.IsZero() || created.Before(first) {
			first = created
		}
		if ready.After(end) {
			end = ready
		}
		each = append(each, ready.Sub(created))
	}
	slices.Sort(each)
	return each, end.Sub(first)
}

func (f *fleet) countReady(communities []*v1alpha1.Community) int {
	f.mu.Lock()
	defer f.mu.Unlock()
	n := 0
	for _, c := range communities {
		if !f.ready[client.ObjectKeyFromObject(c)].IsZero() {
			n++
		}
	}
	return n
}
