package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/quaeso/community-operator/api/v1alpha1"
	"github.com/quaeso/community-operator/internal/stack"
	"github.com/quaeso/community-operator/internal/testutil"
	"github.com/quaeso/community-operator/test/bench/report"
)

// maxVisibleSeconds is how long 95 of 100 Challenges may take from their apply until a visitor sees them.
const maxVisibleSeconds = 2

// measureChallenges applies Challenges one after the other to a community that runs, and measures until each page is there;
// then it changes each, and measures until the page shows that.
func (b *bench) measureChallenges(ctx context.Context, r *report.Report) error {
	class := b.class(v1alpha1.DatabaseStandalone)
	if err := b.apply(ctx, class); err != nil {
		return err
	}
	namespace, err := b.namespace(ctx)
	if err != nil {
		return err
	}
	events, err := b.client.Watch(ctx, &v1alpha1.CommunityList{}, client.InNamespace(namespace))
	if err != nil {
		return fmt.Errorf("watch Communities: %w", err)
	}
	defer events.Stop()
	c := testutil.Community(communityName, func(c *v1alpha1.Community) {
		c.UID, c.Generation, c.Namespace, c.Spec.ClassName = "", 0, namespace, class.Name
		c.TypeMeta = metav1.TypeMeta{APIVersion: v1alpha1.GroupVersion.String(), Kind: "Community"}
	})
	if err := b.apply(ctx, c); err != nil {
		return err
	}
	if _, err := waitReady(ctx, events); err != nil {
		return err
	}
	pages, err := b.pages(ctx, namespace)
	if err != nil {
		return err
	}
	var made, changed []time.Duration
	for i := range b.options.challenges {
		name := "challenge-" + strconv.Itoa(i)
		for _, step := range []struct {
			into  *[]time.Duration
			title string
		}{{&made, "Made " + name}, {&changed, "Changed " + name}} {
			took, err := b.applyChallenge(ctx, pages, namespace, name, step.title)
			if err != nil {
				return err
			}
			*step.into = append(*step.into, took)
		}
	}
	for _, measured := range []struct {
		what  string
		times []time.Duration
	}{{"a new Challenge", made}, {"a changed Challenge", changed}} {
		slices.Sort(measured.times)
		r.Note(measured.what+" is visible after (median)", "%.2f s", middle(measured.times).Seconds())
		r.AtMost(measured.what+" is visible after (95 of 100)", measured.times[len(measured.times)*95/100].Seconds(), maxVisibleSeconds, " s")
	}
	return b.remove(ctx, namespace)
}

// pages is where the community's pages are, and the name that they answer to.
type pages struct{ address, host string }

func (b *bench) pages(ctx context.Context, namespace string) (pages, error) {
	service, c := &corev1.Service{}, &v1alpha1.Community{}
	if err := b.client.Get(ctx, types.NamespacedName{Namespace: namespace, Name: stack.IdeasName(communityName)}, service); err != nil {
		return pages{}, fmt.Errorf("get the Service: %w", err)
	}
	if err := b.client.Get(ctx, types.NamespacedName{Namespace: namespace, Name: communityName}, c); err != nil {
		return pages{}, fmt.Errorf("get the Community: %w", err)
	}
	_, host, _ := strings.Cut(c.Status.URL, "://")
	return pages{address: fmt.Sprintf("http://%s:%d", service.Spec.ClusterIP, service.Spec.Ports[0].Port), host: host}, nil
}

// applyChallenge applies a Challenge and returns how long it took until its page shows the title.
func (b *bench) applyChallenge(ctx context.Context, p pages, namespace, name, title string) (time.Duration, error) {
	start := time.Now()
	err := b.apply(ctx, &v1alpha1.Challenge{
		TypeMeta:   metav1.TypeMeta{APIVersion: v1alpha1.GroupVersion.String(), Kind: "Challenge"},
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name},
		Spec: v1alpha1.ChallengeSpec{
			CommunityRef: v1alpha1.CommunityReference{Name: communityName}, Type: v1alpha1.ChallengeIdeation,
			Title: v1alpha1.TextByLocale{"fr": v1alpha1.BoundedText(title), "en": v1alpha1.BoundedText(title)},
		},
	})
	if err != nil {
		return 0, err
	}
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for {
		if p.shows(ctx, "/challenges/"+name, title) {
			return time.Since(start), nil
		}
		select {
		case <-ctx.Done():
			return 0, fmt.Errorf("wait for the page of %s: %w", name, ctx.Err())
		case <-tick.C:
		}
	}
}

func (p pages) shows(ctx context.Context, path, text string) bool {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, p.address+path, nil)
	if err != nil {
		return false
	}
	req.Host = p.host
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return false
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	return err == nil && resp.StatusCode == http.StatusOK && strings.Contains(string(body), text)
}
