package community_test

import (
	"net/http"
	"testing"
	"time"

	"sigs.k8s.io/controller-runtime/pkg/client"
)

// A call of an idea service that hangs keeps a worker of the operator until it is given up, after three seconds.
// Were the service asked again at once, a few of that kind would take every worker for themselves.
func TestHangingServiceLeavesWorkersToOthers(t *testing.T) {
	t.Parallel()
	w := newWorld(t, shared)
	w.startOperator(operatorOptions{})
	c := w.community("hanging")
	w.waitReady(c)

	called := make(chan time.Time, 100)
	w.cluster.service(client.ObjectKeyFromObject(c)).change(func(s *ideaService) {
		s.answer = http.HandlerFunc(func(rw http.ResponseWriter, _ *http.Request) {
			called <- time.Now()
			if conn, _, err := rw.(http.Hijacker).Hijack(); err == nil {
				t.Cleanup(func() { _ = conn.Close() })
			}
		})
	})
	w.nudge(c)
	var calls []time.Time
	for len(calls) < 4 {
		select {
		case at := <-called:
			calls = append(calls, at)
		case <-t.Context().Done():
			t.Fatal("the operator has stopped asking")
		}
	}
	// The first calls may have other causes, such as the pods that are no longer ready.
	if gap := calls[3].Sub(calls[2]); gap < 5*time.Second {
		t.Errorf("the operator called again %s after the start of a call that it gave up after 3 s; want as long a pause", gap)
	}
}
