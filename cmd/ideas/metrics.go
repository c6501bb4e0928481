package main

import (
	"net/http"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/quaeso/community-operator/ideas/postgres"
)

// metrics of the service. Labels have few values: routes by their pattern, never by their path.
type metrics struct {
	registry *prometheus.Registry
	requests *prometheus.HistogramVec
	mails    *prometheus.CounterVec
	webhooks *prometheus.CounterVec
}

func newMetrics(store *postgres.Store) *metrics {
	m := &metrics{
		registry: prometheus.NewRegistry(),
		requests: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "ideas_http_request_duration_seconds", Help: "Duration of requests for pages, by route and status.",
			Buckets: []float64{.005, .01, .025, .05, .1, .25, .5, 1, 2.5, 10},
		}, []string{"route", "method", "status"}),
		mails: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "ideas_mails_total", Help: "Sign-in mails handed to the SMTP server, by result.",
		}, []string{"result"}),
	}
	m.webhooks = prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "ideas_webhook_attempts_total", Help: "Attempts to deliver an event to a webhook, by result.",
	}, []string{"result"})
	m.registry.MustRegister(m.requests, m.mails, m.webhooks, newBacklog(store), collectors.NewGoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	gauge := func(name, help string, value func() float64) {
		m.registry.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: name, Help: help}, value))
	}
	gauge("ideas_database_ready", "1 when the database is connected and its schema current.", func() float64 {
		if store.Database().Ready {
			return 1
		}
		return 0
	})
	gauge("ideas_declaration_generation", "Generation of the declaration in force; 0 without one.", func() float64 {
		return float64(store.InForce().Generation)
	})
	pool := func(name, help string, value func(open, inUse, most int32) int32) {
		gauge(name, help, func() float64 {
			stat := store.Stat()
			if stat == nil {
				return 0
			}
			return float64(value(stat.TotalConns(), stat.AcquiredConns(), stat.MaxConns()))
		})
	}
	pool("ideas_database_connections_open", "Connections of the pool.", func(open, _, _ int32) int32 { return open })
	pool("ideas_database_connections_in_use", "Connections of the pool that run a query.", func(_, inUse, _ int32) int32 { return inUse })
	pool("ideas_database_connections_max", "Most connections that the pool may have.", func(_, _, most int32) int32 { return most })
	return m
}

func (m *metrics) handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{})
}

func (m *metrics) mail(sent bool) {
	result := "failed"
	if sent {
		result = "sent"
	}
	m.mails.WithLabelValues(result).Inc()
}

func (m *metrics) webhook(delivered bool) {
	result := "failed"
	if delivered {
		result = "delivered"
	}
	m.webhooks.WithLabelValues(result).Inc()
}

// measure times requests. The router writes the pattern that it has found into the request.
func (m *metrics) measure(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		start := time.Now()
		recorder := &statusRecorder{ResponseWriter: w, status: http.StatusOK}
		defer func() {
			m.requests.WithLabelValues(r.Pattern, knownMethod(r.Method), strconv.Itoa(recorder.status)).Observe(time.Since(start).Seconds())
		}()
		next.ServeHTTP(recorder, r)
	})
}

// knownMethod keeps clients from making up label values.
func knownMethod(method string) string {
	switch method {
	case http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete:
		return method
	}
	return "other"
}

type statusRecorder struct {
	http.ResponseWriter
	status int
}

// WriteHeader implements http.ResponseWriter.
func (r *statusRecorder) WriteHeader(status int) {
	r.status = status
	r.ResponseWriter.WriteHeader(status)
}

// Unwrap lets http.ResponseController reach the connection.
func (r *statusRecorder) Unwrap() http.ResponseWriter { return r.ResponseWriter }
