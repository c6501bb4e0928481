package main

import (
	"context"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/quaeso/community-operator/ideas/postgres"
)

// backlogTimeout bounds what a scrape waits for the database.
const backlogTimeout = 2 * time.Second

// backlog asks the database at each scrape what waits. All replicas of a community say the same.
type backlog struct {
	store                                 *postgres.Store
	events, jobs, deliveries, unreachable *prometheus.Desc
}

func newBacklog(store *postgres.Store) *backlog {
	gauge := func(name, help string) *prometheus.Desc { return prometheus.NewDesc(name, help, nil, nil) }
	return &backlog{
		store:       store,
		events:      gauge("ideas_events_waiting", "Events whose consequences are still to follow."),
		jobs:        gauge("ideas_jobs_waiting", "Jobs that are scheduled, wait, run or are to be tried again."),
		deliveries:  gauge("ideas_webhook_deliveries_waiting", "Deliveries to webhooks that are still to be made."),
		unreachable: gauge("ideas_webhooks_disabled", "Webhooks that have failed for so long that nothing more is sent to them."),
	}
}

// Describe implements prometheus.Collector.
func (b *backlog) Describe(out chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{b.events, b.jobs, b.deliveries, b.unreachable} {
		out <- d
	}
}

// Collect implements prometheus.Collector. Without a database there is nothing to say; ideas_database_ready says that.
func (b *backlog) Collect(out chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), backlogTimeout)
	defer cancel()
	waits, err := b.store.Backlog(ctx)
	if err != nil {
		return
	}
	for desc, n := range map[*prometheus.Desc]int64{b.events: waits.Events, b.jobs: waits.Jobs, b.deliveries: waits.Deliveries, b.unreachable: waits.DisabledWebhooks} {
		out <- prometheus.MustNewConstMetric(desc, prometheus.GaugeValue, float64(n))
	}
}
