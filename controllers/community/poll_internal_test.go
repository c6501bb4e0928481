package community

import (
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/quaeso/community-operator/api/v1alpha1"
	"github.com/quaeso/community-operator/internal/apply"
	"github.com/quaeso/community-operator/internal/cnpg"
	"github.com/quaeso/community-operator/internal/stack"
	"github.com/quaeso/community-operator/internal/testutil"
)

// What is quick is looked at often, what is slow seldom, and a database that came up has what waited for it looked
// at often again.
func TestPoll(t *testing.T) {
	now := time.Now()
	set := func(ready int32) client.Object {
		return &appsv1.StatefulSet{Status: appsv1.StatefulSetStatus{ReadyReplicas: ready}}
	}
	cluster := func(primary string) client.Object {
		return &cnpg.Cluster{Status: cnpg.ClusterStatus{Phase: "Setting up primary", CurrentPrimary: primary}}
	}
	tests := map[string]struct {
		kind     v1alpha1.DatabaseKind
		created  time.Duration
		notReady time.Duration
		database client.Object
		up       time.Duration
		want     time.Duration
	}{
		"just made":                                   {kind: v1alpha1.DatabaseShared, want: 100 * time.Millisecond},
		"after a while":                               {kind: v1alpha1.DatabaseShared, created: 20 * time.Second, want: 2 * time.Second},
		"after an hour":                               {kind: v1alpha1.DatabaseShared, created: time.Hour, want: 15 * time.Second},
		"not ready any more":                          {kind: v1alpha1.DatabaseShared, created: time.Hour, notReady: 10 * time.Second, want: time.Second},
		"no pod of PostgreSQL":                        {kind: v1alpha1.DatabaseStandalone, created: 20 * time.Second, database: set(0), want: 2 * time.Second},
		"PostgreSQL came up":                          {kind: v1alpha1.DatabaseStandalone, created: 20 * time.Second, database: set(1), want: 100 * time.Millisecond},
		"no instance of the Cluster":                  {kind: v1alpha1.DatabaseCloudNativePG, created: 20 * time.Second, database: cluster(""), want: 2 * time.Second},
		"the Cluster's primary starts":                {kind: v1alpha1.DatabaseCloudNativePG, created: 20 * time.Second, database: cluster("lumiere-db-1"), want: 100 * time.Millisecond},
		"the Cluster's primary started a while ago":   {kind: v1alpha1.DatabaseCloudNativePG, created: time.Hour, database: cluster("lumiere-db-1"), up: 30 * time.Second, want: 3 * time.Second},
		"not ready any more, with a Cluster long up":  {kind: v1alpha1.DatabaseCloudNativePG, created: time.Hour, notReady: 20 * time.Second, database: cluster("lumiere-db-1"), up: time.Hour, want: 2 * time.Second},
		"a Cluster that is left of an earlier class":  {kind: v1alpha1.DatabaseShared, created: 20 * time.Second, database: cluster("lumiere-db-1"), want: 2 * time.Second},
		"nothing is known of the database's pods yet": {kind: v1alpha1.DatabaseStandalone, created: 20 * time.Second, want: 2 * time.Second},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			c := testutil.Community("lumiere", func(c *v1alpha1.Community) {
				c.CreationTimestamp = metav1.NewTime(now.Add(-test.created))
				if test.notReady > 0 {
					c.Status.Conditions = []metav1.Condition{{Type: v1alpha1.ConditionReady, LastTransitionTime: metav1.NewTime(now.Add(-test.notReady))}}
				}
			})
			s := newScope(c, now)
			s.plan.Database.Kind = test.kind
			switch test.database.(type) {
			case *appsv1.StatefulSet:
				s.seen[apply.Ref{GVK: appsv1.SchemeGroupVersion.WithKind("StatefulSet"), Name: stack.DatabaseName(c.Name)}] = test.database
			case *cnpg.Cluster:
				s.seen[apply.Ref{GVK: cnpg.GroupVersion.WithKind(cnpg.ClusterKind), Name: stack.DatabaseName(c.Name)}] = test.database
			}
			r := &Reconciler{up: newFirstSeen()}
			r.up.since(client.ObjectKeyFromObject(c), test.up > 0, now.Add(-test.up))
			r.noteDatabase(s)
			if got := s.poll(); got != test.want {
				t.Errorf("looked at again after %s, want %s", got, test.want)
			}
		})
	}
}

// A database that went away and came back starts the time anew.
func TestPollAfterRestartOfDatabase(t *testing.T) {
	up, c := newFirstSeen(), client.ObjectKey{Namespace: "brands", Name: "lumiere"}
	start := time.Now()
	for _, step := range []struct {
		after time.Duration
		up    bool
		want  time.Duration
	}{{0, true, 0}, {time.Minute, true, time.Minute}, {2 * time.Minute, false, 0}, {3 * time.Minute, true, 0}, {4 * time.Minute, true, time.Minute}} {
		if got := up.since(c, step.up, start.Add(step.after)); got != step.want {
			t.Errorf("after %s it has been up for %s, want %s", step.after, got, step.want)
		}
	}
}
