// Package statusmetrics tells of the statuses of objects as Prometheus metrics.
package statusmetrics

import (
	"context"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// timeout bounds the reading of the cache.
const timeout = 5 * time.Second

// Source is where statuses are read.
type Source struct {
	// Reader reads from the operator's cache.
	Reader client.Reader
	// Elected is closed once this operator leads: others would count everything twice.
	Elected <-chan struct{}
}

// New returns a collector that lists the objects of a kind at each scrape and has each tell of itself. Nothing is kept in
// between, so what belongs to an object goes with it.
func New[L client.ObjectList](s Source, descs []*prometheus.Desc, empty func() L, tell func(L, chan<- prometheus.Metric)) prometheus.Collector {
	return &collector[L]{Source: s, descs: descs, empty: empty, tell: tell}
}

type collector[L client.ObjectList] struct {
	Source
	descs []*prometheus.Desc
	empty func() L
	tell  func(L, chan<- prometheus.Metric)
}

// Describe implements prometheus.Collector.
func (c *collector[L]) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range c.descs {
		ch <- d
	}
}

// Collect implements prometheus.Collector.
func (c *collector[L]) Collect(ch chan<- prometheus.Metric) {
	select {
	case <-c.Elected:
	default:
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), timeout)
	defer cancel()
	list := c.empty()
	if err := c.Reader.List(ctx, list, client.UnsafeDisableDeepCopy, client.DisableReadYourWritesConsistency); err != nil {
		return // the cache is not filled yet
	}
	c.tell(list, ch)
}
