package web_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

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
