//go:build e2e

package e2e

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	eventsv1 "k8s.io/api/events/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/rand"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	"github.com/quaeso/community-operator/api/v1alpha1"
)

// world is what one test has to itself: a namespace, a class, and an apex domain.
type world struct {
	*testing.T
	ctx       context.Context
	namespace string
	class     *v1alpha1.CommunityClass
	started   time.Time
}

// newWorld makes a namespace and a class with standalone databases and a Gateway; changes make another class
// of it.
func newWorld(t *testing.T, name string, changes ...func(*v1alpha1.CommunityClass)) *world {
	t.Helper()
	w := &world{T: t, ctx: t.Context(), namespace: "e2e-" + name + "-" + rand.String(4), started: time.Now()}
	if err := cluster.createNamespace(w.ctx, w.namespace); err != nil {
		t.Fatalf("create namespace %s: %v", w.namespace, err)
	}
	t.Cleanup(w.close)
	w.class = w.newClass(w.namespace, changes...)
	return w
}

func (w *world) newClass(name string, changes ...func(*v1alpha1.CommunityClass)) *v1alpha1.CommunityClass {
	w.Helper()
	class := &v1alpha1.CommunityClass{
		ObjectMeta: metav1.ObjectMeta{Name: name, Labels: map[string]string{labelE2E: "true"}},
		Spec: v1alpha1.CommunityClassSpec{
			Database: v1alpha1.ClassDatabase{
				Kind:       v1alpha1.DatabaseStandalone,
				Standalone: &v1alpha1.StandaloneDatabaseSettings{Image: cluster.postgresImage},
			},
			Routing: v1alpha1.ClassRouting{
				Kind:       v1alpha1.RoutingGateway,
				Gateway:    &v1alpha1.GatewayReference{Name: "traefik", Namespace: "traefik", SectionName: ptr.To("http")},
				ApexDomain: w.namespace + ".example",
			},
			Sizes:       []v1alpha1.Size{{Name: "small"}, {Name: "large", Replicas: ptr.To(int32(2))}},
			IdeaService: v1alpha1.ClassIdeaService{Image: cluster.ideasImage},
			Mail: &v1alpha1.ClassMail{
				Host: "mail." + mailNamespace + ".svc", Port: ptr.To(int32(1025)), TLS: "none", From: "ideas@e2e.example",
			},
		},
	}
	for _, change := range changes {
		change(class)
	}
	if err := cluster.client.Create(w.ctx, class); err != nil {
		w.Fatalf("create the class: %v", err)
	}
	return class
}

// community is a Community of the world, not yet created.
func (w *world) community(name string, changes ...func(*v1alpha1.Community)) *v1alpha1.Community {
	c := &v1alpha1.Community{
		TypeMeta:   metav1.TypeMeta{APIVersion: v1alpha1.GroupVersion.String(), Kind: "Community"},
		ObjectMeta: metav1.ObjectMeta{Namespace: w.namespace, Name: name},
		Spec: v1alpha1.CommunitySpec{
			ClassName: w.class.Name,
			Brand: v1alpha1.Brand{
				DisplayName: v1alpha1.TextByLocale{"fr": "Atelier Lumière", "en": "Lumière Lab"},
				TagLine:     v1alpha1.TextByLocale{"fr": "Vos idées, nos vélos", "en": "Your ideas, our bikes"},
			},
		},
	}
	for _, change := range changes {
		change(c)
	}
	return c
}

func (w *world) create(c *v1alpha1.Community) *v1alpha1.Community {
	w.Helper()
	if err := cluster.client.Create(w.ctx, c); err != nil {
		w.Fatalf("create Community %s: %v", c.Name, err)
	}
	return c
}

// ready creates a Community and waits until it is Ready.
func (w *world) ready(c *v1alpha1.Community) *v1alpha1.Community {
	w.Helper()
	w.create(c)
	w.waitReady(c)
	return c
}

func (w *world) get(o client.Object) {
	w.Helper()
	if err := cluster.client.Get(w.ctx, client.ObjectKeyFromObject(o), o); err != nil {
		w.Fatalf("get %T %s: %v", o, o.GetName(), err)
	}
}

func (w *world) createAll(objects ...client.Object) {
	w.Helper()
	for _, o := range objects {
		if err := cluster.client.Create(w.ctx, o); err != nil {
			w.Fatalf("create %T %s: %v", o, o.GetName(), err)
		}
	}
}

func (w *world) delete(o client.Object) {
	w.Helper()
	if err := cluster.client.Delete(w.ctx, o); err != nil {
		w.Fatalf("delete %T %s: %v", o, o.GetName(), err)
	}
}

// change patches an object the way a person edits it.
func change[T client.Object](w *world, o T, edit func(T)) {
	w.Helper()
	w.get(o)
	before := o.DeepCopyObject().(client.Object)
	edit(o)
	if err := cluster.client.Patch(w.ctx, o, client.MergeFrom(before)); err != nil {
		w.Fatalf("change %T %s: %v", o, o.GetName(), err)
	}
}

// eventually polls until probe finds nothing to complain of.
func (w *world) eventually(within time.Duration, what string, probe func() error) {
	w.Helper()
	var last error
	err := wait.PollUntilContextTimeout(w.ctx, 100*time.Millisecond, within, true, func(context.Context) (bool, error) {
		last = probe()
		return last == nil, nil
	})
	if err != nil {
		w.Fatalf("%s: not within %s: %v", what, within, last)
	}
}

// waitReady waits until the Community's latest generation is Ready, and reads it.
func (w *world) waitReady(c *v1alpha1.Community) {
	w.Helper()
	w.eventually(2*time.Minute, "Community "+c.Name+" is Ready", func() error {
		if err := cluster.client.Get(w.ctx, client.ObjectKeyFromObject(c), c); err != nil {
			return err
		}
		ready := meta.FindStatusCondition(c.Status.Conditions, v1alpha1.ConditionReady)
		switch {
		case ready == nil || ready.ObservedGeneration != c.Generation:
			return errors.New("the operator has not seen the current generation")
		case ready.Status != metav1.ConditionTrue:
			return fmt.Errorf("%s: %s", ready.Reason, ready.Message)
		}
		return nil
	})
}

// expect is a condition that a test waits for.
type expect struct {
	condition string
	reason    string
	// says are what the message must hold: what is wrong, and what would be right.
	says []string
}

// waitStalled waits for a condition that is false with a reason and a message, for the summary that repeats
// it, and for the Warning event that tells of it.
func (w *world) waitStalled(c *v1alpha1.Community, want expect) {
	w.Helper()
	w.eventually(90*time.Second, fmt.Sprintf("%s of %s is false because of %s", want.condition, c.Name, want.reason), func() error {
		if err := cluster.client.Get(w.ctx, client.ObjectKeyFromObject(c), c); err != nil {
			return err
		}
		for _, conditionType := range []string{want.condition, v1alpha1.ConditionReady} {
			got := meta.FindStatusCondition(c.Status.Conditions, conditionType)
			if got == nil {
				return fmt.Errorf("there is no condition %s", conditionType)
			}
			if got.Status != metav1.ConditionFalse || got.Reason != want.reason || got.ObservedGeneration != c.Generation {
				return fmt.Errorf("%s is %s because of %s (generation %d of %d): %s",
					conditionType, got.Status, got.Reason, got.ObservedGeneration, c.Generation, got.Message)
			}
			for _, part := range want.says {
				if !strings.Contains(got.Message, part) {
					return fmt.Errorf("the message of %s does not say %q: %s", conditionType, part, got.Message)
				}
			}
		}
		if !meta.IsStatusConditionTrue(c.Status.Conditions, v1alpha1.ConditionStalled) {
			return errors.New("it is not marked as Stalled")
		}
		return nil
	})
	w.waitEvent(c, want)
}

func (w *world) waitEvent(c *v1alpha1.Community, want expect) {
	w.Helper()
	w.eventually(20*time.Second, "a Warning event tells of "+want.reason, func() error {
		events, err := cluster.eventsIn(w.ctx, w.namespace)
		if err != nil {
			return err
		}
		for _, e := range events {
			if e.Regarding.UID == c.UID && e.Type == corev1.EventTypeWarning && e.Reason == want.reason && containsAll(e.Note, want.says) {
				return nil
			}
		}
		return fmt.Errorf("%d events, none of them", len(events))
	})
}

func containsAll(s string, parts []string) bool {
	for _, part := range parts {
		if !strings.Contains(s, part) {
			return false
		}
	}
	return true
}

// close judges what the test left behind, tells about it when something failed, and removes it.
func (w *world) close() {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	w.ctx = ctx
	w.checkNothingLeaked()
	if w.Failed() {
		w.dump()
	}
	// The first step; the suite's end goes the others and waits.
	ns := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: w.namespace}}
	if err := cluster.client.Get(ctx, client.ObjectKeyFromObject(ns), ns); client.IgnoreNotFound(err) != nil {
		w.Errorf("get namespace %s: %v", w.namespace, err)
	} else if err == nil {
		if err := cluster.remove(ctx, ns); err != nil {
			w.Errorf("remove namespace %s: %v", w.namespace, err)
		}
	}
	if w.class != nil {
		if err := cluster.client.Delete(ctx, w.class); client.IgnoreNotFound(err) != nil {
			w.Errorf("delete class %s: %v", w.class.Name, err)
		}
	}
}

// dump logs what helps to understand a failure.
func (w *world) dump() {
	var out bytes.Buffer
	list := &v1alpha1.CommunityList{}
	if err := cluster.client.List(w.ctx, list, client.InNamespace(w.namespace)); err != nil {
		fmt.Fprintln(&out, err)
	}
	for _, c := range list.Items {
		c.ManagedFields = nil
		if raw, err := yaml.Marshal(c); err == nil {
			fmt.Fprintf(&out, "--- Community %s\n%s", c.Name, raw)
		}
	}
	pods, err := kubectl(w.ctx, "", "get", "pods,pvc,httproutes,ingresses", "-n", w.namespace, "-o", "wide")
	fmt.Fprintf(&out, "--- objects (%v)\n%s", err, pods)
	events, _ := cluster.eventsIn(w.ctx, w.namespace)
	fmt.Fprintln(&out, "--- events")
	for _, e := range events {
		fmt.Fprintf(&out, "%s %s/%s %s: %s\n", eventTime(e), e.Regarding.Kind, e.Regarding.Name, e.Reason, e.Note)
	}
	log, err := cluster.operatorLog(w.ctx, w.started)
	fmt.Fprintf(&out, "--- the operator's log about the namespace (%v)\n", err)
	var ours []string
	for line := range strings.Lines(log) {
		if strings.Contains(line, w.namespace) {
			ours = append(ours, line)
		}
	}
	out.WriteString(strings.Join(ours[max(0, len(ours)-40):], ""))
	w.Logf("what is there after the failure:\n%s", out.String())
}

func eventTime(e eventsv1.Event) string {
	if e.EventTime.IsZero() {
		return e.DeprecatedLastTimestamp.Format(time.TimeOnly)
	}
	return e.EventTime.Format(time.TimeOnly)
}

// kubectl runs kubectl as a person would, with input on its standard input.
func kubectl(ctx context.Context, input string, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, cluster.kubectl, args...)
	cmd.Env = append(os.Environ(), "KUBECONFIG="+cluster.kubeconfig)
	cmd.Stdin = strings.NewReader(input)
	var out, problems bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &problems
	if err := cmd.Run(); err != nil {
		return out.String(), fmt.Errorf("kubectl %s: %w: %s", args[0], err, strings.TrimSpace(problems.String()))
	}
	return out.String(), nil
}

// browser runs one of the scripts of test/browser and returns what it prints.
func (w *world) browser(script string, args ...string) string {
	w.Helper()
	ctx, cancel := context.WithTimeout(w.ctx, 2*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, "node", append([]string{script}, args...)...)
	cmd.Dir = filepath.Join(cluster.root, "test", "browser")
	var out, problems bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &problems
	if err := cmd.Run(); err != nil {
		w.Fatalf("%s: %v\n%s%s", script, err, out.String(), problems.String())
	}
	return out.String()
}
