package conditions_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/quaeso/community-operator/api/v1alpha1"
	"github.com/quaeso/community-operator/internal/conditions"
)

var (
	errFailed = errors.New("connection reset")
	waiting   = conditions.Wait(5*time.Second, v1alpha1.ReasonProgressing, "the pod %s starts", "p")
	stalled   = conditions.Stall(v1alpha1.ReasonUnknownSize, "no size %q", "huge")
	retried   = conditions.StallUntil(20*time.Second, v1alpha1.ReasonTLSRefused, "no TLS")
)

func outcomes(errs ...error) []conditions.Outcome {
	var out []conditions.Outcome
	for i, err := range errs {
		out = append(out, conditions.Outcome{Type: fmt.Sprintf("Part%d", i), Err: err})
	}
	return out
}

func TestSummarize(t *testing.T) {
	type summary struct{ ready, reconciling, stalled, reason, message string }
	tests := map[string]struct {
		parts []error
		want  summary
	}{
		"nothing to do":               {nil, summary{ready: "True", reason: "Ready", message: "open"}},
		"all well":                    {[]error{nil, nil}, summary{ready: "True", reason: "Ready", message: "open"}},
		"waiting":                     {[]error{nil, waiting}, summary{ready: "False", reconciling: "True", reason: "Progressing", message: "the pod p starts"}},
		"failed":                      {[]error{errFailed}, summary{ready: "False", reconciling: "True", reason: "Retrying", message: "connection reset"}},
		"stalled":                     {[]error{stalled}, summary{ready: "False", stalled: "True", reason: "UnknownSize", message: `no size "huge"`}},
		"stalled speaks before all":   {[]error{waiting, errFailed, stalled, retried}, summary{ready: "False", stalled: "True", reason: "UnknownSize", message: `no size "huge"`}},
		"an error speaks before wait": {[]error{waiting, errFailed}, summary{ready: "False", reconciling: "True", reason: "Retrying", message: "connection reset"}},
		"the first of several waits":  {[]error{waiting, conditions.Wait(0, "Other", "other")}, summary{ready: "False", reconciling: "True", reason: "Progressing", message: "the pod p starts"}},
		"wrapped":                     {[]error{fmt.Errorf("apply: %w", stalled)}, summary{ready: "False", stalled: "True", reason: "UnknownSize", message: `apply: no size "huge"`}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			// Whatever was so before leaves no trace.
			for _, before := range [][]error{nil, {waiting}, {stalled}, {nil}} {
				var list []metav1.Condition
				if before != nil {
					conditions.Summarize(&list, 1, outcomes(before...), "open")
				}
				conditions.Summarize(&list, 7, outcomes(test.parts...), "open")
				got := summary{}
				for i := range list {
					c := list[i]
					if c.ObservedGeneration != 7 {
						t.Errorf("%s was observed at generation %d", c.Type, c.ObservedGeneration)
					}
					switch c.Type {
					case v1alpha1.ConditionReady:
						got.ready, got.reason, got.message = string(c.Status), c.Reason, c.Message
					case v1alpha1.ConditionReconciling:
						got.reconciling = string(c.Status)
					case v1alpha1.ConditionStalled:
						got.stalled = string(c.Status)
					}
				}
				if diff := cmp.Diff(test.want, got, cmp.AllowUnexported(summary{})); diff != "" {
					t.Errorf("after %v (-want +got):\n%s", before, diff)
				}
			}
		})
	}
}

func TestNext(t *testing.T) {
	const idle = 5 * time.Minute
	other := errors.New("timeout")
	tests := map[string]struct {
		parts []error
		next  time.Duration
		errs  []error
	}{
		"all well":                         {[]error{nil}, idle, nil},
		"a wait":                           {[]error{waiting}, 5 * time.Second, nil},
		"a wait for a watch":               {[]error{conditions.Wait(0, "R", "m")}, idle, nil},
		"the shortest wait":                {[]error{conditions.Wait(time.Minute, "R", "m"), waiting, retried}, 5 * time.Second, nil},
		"stalled":                          {[]error{stalled}, idle, nil},
		"stalled, by a cause from outside": {[]error{stalled, retried}, 20 * time.Second, nil},
		"longer than idle":                 {[]error{conditions.Wait(time.Hour, "R", "m")}, idle, nil},
		"errors":                           {[]error{errFailed, waiting, other}, 5 * time.Second, []error{errFailed, other}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			next, err := conditions.Next(outcomes(test.parts...), idle)
			if next != test.next {
				t.Errorf("next is %s, want %s", next, test.next)
			}
			if (err == nil) != (test.errs == nil) {
				t.Errorf("the error is %v", err)
			}
			for _, want := range test.errs {
				if !errors.Is(err, want) {
					t.Errorf("the error %v lacks %v", err, want)
				}
			}
			if errors.Is(err, waiting) || errors.Is(err, stalled) {
				t.Errorf("%v is no error to back off from", err)
			}
		})
	}
}

func TestSet(t *testing.T) {
	var list []metav1.Condition
	conditions.Set(&list, 3, "Part", stalled, "fine")
	if c := meta.FindStatusCondition(list, "Part"); c.Status != metav1.ConditionFalse || c.Reason != v1alpha1.ReasonUnknownSize || c.ObservedGeneration != 3 {
		t.Errorf("the condition is %+v", c)
	}
	since := list[0].LastTransitionTime
	conditions.Set(&list, 4, "Part", errFailed, "fine")
	if c := list[0]; c.Reason != v1alpha1.ReasonRetrying || c.ObservedGeneration != 4 || c.LastTransitionTime != since {
		t.Errorf("the condition is %+v", c)
	}
	conditions.Set(&list, 5, "Part", nil, "fine")
	if c := list[0]; c.Status != metav1.ConditionTrue || c.Reason != v1alpha1.ReasonReady || c.Message != "fine" || len(list) != 1 {
		t.Errorf("the condition is %+v", c)
	}
}

// Messages stay readable, and far below what the API server takes.
func TestLongMessages(t *testing.T) {
	var list []metav1.Condition
	long := conditions.Stall("R", "%s", strings.Repeat("é", 40_000))
	conditions.Set(&list, 1, "Part", long, "")
	conditions.Summarize(&list, 1, outcomes(long), "open")
	for _, c := range list {
		if n := utf8.RuneCountInString(c.Message); n != 1024 || !utf8.ValidString(c.Message) || !strings.HasSuffix(c.Message, "…") {
			t.Errorf("the message of %s has %d characters", c.Type, n)
		}
	}
}
