package web_test

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/quaeso/community-operator/ideas/web"
	"github.com/quaeso/community-operator/internal/control"
)

func TestReadyzSaysWhatIsMissing(t *testing.T) {
	refused := control.Database{Reason: control.ReasonPasswordRefused, Message: "connect: 28P01"}
	for name, tc := range map[string]struct {
		database           control.Database
		declared, stopping bool
		missing            []string
	}{
		"ready":          {databaseReady, true, false, nil},
		"no database":    {refused, true, false, []string{"PasswordRefused: connect: 28P01"}},
		"no declaration": {databaseReady, false, false, []string{"no declaration"}},
		"neither":        {refused, false, false, []string{"PasswordRefused", "no declaration"}},
		"stopping":       {databaseReady, true, true, []string{"stopping"}},
	} {
		t.Run(name, func(t *testing.T) {
			h := web.NewManagement(web.ManagementConfig{
				Database: func() control.Database { return tc.database },
				Declared: func() bool { return tc.declared }, Stopping: func() bool { return tc.stopping },
			})
			w := httptest.NewRecorder()
			h.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/readyz", nil))
			var answer struct {
				Ready   bool
				Missing []string
			}
			if err := json.Unmarshal(w.Body.Bytes(), &answer); err != nil {
				t.Fatal(err)
			}
			if ready := len(tc.missing) == 0; answer.Ready != ready || (w.Code == http.StatusOK) != ready || len(answer.Missing) != len(tc.missing) {
				t.Fatalf("status %d, answer %+v; want missing %q", w.Code, answer, tc.missing)
			}
			for i, phrase := range tc.missing {
				if !strings.Contains(answer.Missing[i], phrase) {
					t.Errorf("missing %q, want %q", answer.Missing[i], phrase)
				}
			}
			live := httptest.NewRecorder()
			h.ServeHTTP(live, httptest.NewRequest(http.MethodGet, "/livez", nil))
			if live.Code != http.StatusOK {
				t.Errorf("livez: status %d, want 200 whatever the database does", live.Code)
			}
		})
	}
}

// A starting service is told to be ready in the moment it is; one that was ready before does not hold an answer back.
func TestReadyzWaitsForTheStart(t *testing.T) {
	for name, tc := range map[string]struct {
		query string
		// before tells that the service was ready once; declared and stopping when that changes.
		before             bool
		declared, stopping time.Duration
		gone               time.Duration
		want               time.Duration
		code               int
	}{
		"ready already":                {query: "?wait=5s", declared: 0, want: 0, code: 200},
		"ready while it waits":         {query: "?wait=5s", declared: time.Second, want: time.Second, code: 200},
		"not ready in time":            {query: "?wait=2s", declared: time.Minute, want: 2 * time.Second, code: 503},
		"a wait without bounds":        {query: "?wait=24h", declared: time.Hour, want: 10 * time.Second, code: 503},
		"stopping while it waits":      {query: "?wait=5s", declared: time.Minute, stopping: time.Second, want: time.Second, code: 503},
		"the prober goes":              {query: "?wait=5s", declared: time.Minute, gone: time.Second, want: time.Second, code: 503},
		"not ready any more":           {query: "?wait=5s", before: true, declared: time.Minute, want: 0, code: 503},
		"not asked to wait":            {declared: time.Minute, want: 0, code: 503},
		"a wait that is no duration":   {query: "?wait=soon", declared: time.Minute, want: 0, code: 503},
		"a wait into the past":         {query: "?wait=-1s", declared: time.Minute, want: 0, code: 503},
		"declared, but it stops first": {query: "?wait=5s", declared: 2 * time.Second, stopping: time.Second, want: time.Second, code: 503},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var declared, stopping atomic.Bool
				h := web.NewManagement(web.ManagementConfig{
					Database: func() control.Database { return databaseReady }, Declared: declared.Load, Stopping: stopping.Load,
				})
				get := func(query string) *httptest.ResponseRecorder {
					ctx, cancel := context.WithCancel(t.Context())
					defer cancel()
					if tc.gone > 0 {
						time.AfterFunc(tc.gone, cancel)
					}
					w := httptest.NewRecorder()
					h.ServeHTTP(w, httptest.NewRequestWithContext(ctx, http.MethodGet, "/readyz"+query, nil))
					return w
				}
				if tc.before {
					declared.Store(true)
					get("")
					declared.Store(false)
				}
				set := func(after time.Duration, flag *atomic.Bool) {
					time.AfterFunc(after, func() { flag.Store(true) })
					synctest.Wait()
				}
				set(tc.declared, &declared)
				if tc.stopping > 0 {
					set(tc.stopping, &stopping)
				}
				began := time.Now()
				w := get(tc.query)
				// The service is looked at every 20 ms.
				if took := time.Since(began); w.Code != tc.code || took < tc.want || took > tc.want+20*time.Millisecond {
					t.Errorf("answered %d after %s, want %d after %s", w.Code, took, tc.code, tc.want)
				}
			})
		})
	}
}

func TestMetricsAreServed(t *testing.T) {
	h := web.NewManagement(web.ManagementConfig{Metrics: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, "metric 1\n")
	})})
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/metrics", nil))
	if w.Code != http.StatusOK || w.Body.String() != "metric 1\n" {
		t.Errorf("status %d, body %q", w.Code, w.Body)
	}
}
