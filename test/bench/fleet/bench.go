package main

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/quaeso/community-operator/test/bench/report"
)

// What is required; see docs/benchmarks.md.
const (
	maxReadySeconds     = 120
	maxRequestsPerChild = 2
	maxStatusWrites     = 4
	maxMemoryMiB        = 150
	// maxMemoryOfChallenge, in MiB, is what a Challenge may add: its spec is in the cache, here with a brief of 1,800
	// characters in two languages.
	maxMemoryOfChallenge = 16.0 / 1024
	maxSecretsMiB        = 10
	maxRestartSeconds    = 10
	maxChallengesSeconds = 600
	maxCallsPerSecond    = 20
	maxQuietPercent      = 2
	// maxSlowdown allows for the noise between two rounds.
	maxSlowdown = 1.2
)

// settled is how long nothing may be written for the operator to count as done.
const settled = 5 * time.Second

// bench is one run: its parts build on each other.
type bench struct {
	options  options
	cluster  *cluster
	services *services
	nodes    *nodes
	fleet    *fleet
	operator *operator
	audit    *auditReader

	// restarted is the operator's memory after a restart, without and with foreign Secrets.
	restarted memory
	cancel    context.CancelFunc
}

func newBench(ctx context.Context, o options) (_ *bench, err error) {
	if o.operator == "" {
		return nil, errors.New("--operator must name the operator's binary")
	}
	ctx, cancel := context.WithCancel(ctx)
	b := &bench{options: o, cancel: cancel}
	defer func() {
		if err != nil {
			b.close()
		}
	}()
	progress("starting etcd and kube-apiserver")
	if b.cluster, err = startCluster(ctx); err != nil {
		return nil, err
	}
	b.audit = &auditReader{path: b.cluster.auditLog}
	if b.services, err = startServices(); err != nil {
		return nil, err
	}
	if b.nodes, err = startNodes(ctx, b.cluster, b.services); err != nil {
		return nil, err
	}
	if b.fleet, err = startFleet(ctx, b.cluster); err != nil {
		return nil, err
	}
	if b.operator, err = b.startOperator(ctx); err != nil {
		return nil, err
	}
	return b, nil
}

func (b *bench) close() {
	b.cancel()
	if b.operator != nil {
		_ = b.operator.cmd.Process.Kill() // it may have ended
	}
	if b.services != nil {
		b.services.stop()
	}
	if b.cluster != nil {
		b.cluster.stop()
	}
}

// measureStart makes the fleet and measures until every Community is Ready and the operator has come to rest.
func (b *bench) measureStart(ctx context.Context, r *report.Report) error {
	if _, err := b.settle(ctx, time.Minute); err != nil {
		return err
	}
	idle, err := b.operator.memory()
	if err != nil {
		return err
	}
	progress("making %d Communities", b.options.communities)
	before := b.times()
	go b.profile(ctx, "profile?seconds=60", "start-cpu.pprof")
	communities := newCommunities("brand-", b.options.communities, nil)
	if err := b.fleet.create(ctx, communities); err != nil {
		return err
	}
	b.profile(ctx, "heap", "start-heap.pprof")
	each, whole, err := b.waitUntilReady(ctx, communities)
	if err != nil {
		return err
	}
	used := b.times().since(before)
	progress("all Ready after %s", whole.Round(time.Second))
	requests, err := b.settle(ctx, time.Minute)
	if err != nil {
		return err
	}
	mem, err := b.operator.memory()
	if err != nil {
		return err
	}
	n := b.options.communities
	r.Note("processors, Communities", "%d, %d", runtime.GOMAXPROCS(0), n)
	r.AtMost("all Ready", whole.Seconds(), maxReadySeconds, " s")
	r.Note("until Ready, each (median, slowest)", "%.1f s, %.1f s", each[len(each)/2].Seconds(), each[len(each)-1].Seconds())
	r.Detail("Processor time until all Ready: %s.", used)
	reportRequests(r, requests, n)
	r.Note("memory before the first Community", "%.0f MiB", idle.now)
	r.AtMost("memory, peak", mem.peak, maxMemoryMiB, " MiB")
	return nil
}

// hold waits for an interrupt and says how to run another operator on the fleet.
func (b *bench) hold(ctx context.Context, _ *report.Report) error {
	progress("holding; for another operator: kill %d; KUBECONFIG=%s %s --operator-namespace=%s --control-dial-address=%s",
		b.operator.cmd.Process.Pid, b.cluster.kubeconfig, b.options.operator, operatorNamespace, b.services.address())
	<-ctx.Done()
	return nil
}

// reportRequests counts everything that it took to make them: the status writes, the finalizer, reads and
// events are shared out among the children.
func reportRequests(r *report.Report, requests []request, communities int) {
	all := count(requests, func(q request) bool { return !q.electing() && !q.starting() })
	children := map[string]bool{}
	for _, q := range requests {
		o := q.ObjectRef
		if q.Verb == "patch" && o.Subresource == "" && !slices.Contains([]string{"communities", "communityclasses"}, o.Resource) {
			children[o.Resource+" "+o.Namespace+"/"+o.Name] = true
		}
	}
	r.Note("children of each Community", "%.1f", float64(len(children))/float64(communities))
	r.Note("requests for each Community", "%.2f", float64(all.sum())/float64(communities))
	r.Detail("Requests for each Community: %s.", all.per(communities))
	r.AtMost("requests for each child, all included", float64(all.sum())/float64(len(children)), maxRequestsPerChild, "")
	r.AtMost("status writes for each Community", float64(all["patch communities/status"])/float64(communities), maxStatusWrites, "")
}

// settle waits until the operator has written nothing for a while, and returns what it asked since the last
// call.
func (b *bench) settle(ctx context.Context, limit time.Duration) ([]request, error) {
	var all []request
	last := time.Now()
	err := b.whileRunning(ctx, limit, "the operator to come to rest", func() (bool, error) {
		requests, err := b.audit.read()
		all = append(all, requests...)
		if count(requests, request.writing).sum() > 0 {
			last = time.Now()
		}
		return time.Since(last) > settled, err
	})
	return all, err
}

// measureQuiet counts the writes of a time in which nothing happens.
func (b *bench) measureQuiet(ctx context.Context, r *report.Report) error {
	progress("watching for writes for %s", b.options.quiet)
	before, calls := b.times(), b.services.called()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(b.options.quiet):
	}
	after := b.times()
	r.AtMost("control calls each second while quiet", float64(b.services.called()-calls)/b.options.quiet.Seconds(), maxCallsPerSecond, "")
	r.AtMost("the operator's processor time while quiet, of one core", 100*(after.operator-before.operator)/after.at.Sub(before.at).Seconds(), maxQuietPercent, " %")
	requests, err := b.audit.read()
	if err != nil {
		return err
	}
	writes := count(requests, request.writing)
	r.AtMost(fmt.Sprintf("writes in %s of quiet", b.options.quiet), float64(writes.sum()), 0, "")
	if writes.sum() > 0 {
		r.Detail("Writes while quiet: %s.", writes.per(1))
	}
	r.Detail("Processor time while quiet: %s.", after.since(before))
	mem, err := b.operator.memory()
	if err != nil {
		return err
	}
	b.profile(ctx, "heap", "quiet-heap.pprof")
	r.Note("memory after the quiet", "%.0f MiB", mem.now)
	return nil
}

// measureRestart ends the operator and measures until its successor has looked at every Community.
func (b *bench) measureRestart(ctx context.Context, r *report.Report) error {
	took, writes, mem, err := b.restart(ctx, "restart")
	if err != nil {
		return err
	}
	b.restarted = mem
	r.AtMost("restarted, every Community looked at", took.Seconds(), maxRestartSeconds, " s")
	r.AtMost("writes after a restart", float64(writes.sum()), 0, "")
	if writes.sum() > 0 {
		r.Detail("Writes after a restart: %s.", writes.per(1))
	}
	r.AtMost("memory after a restart, peak", mem.peak, b.maxMemory(), " MiB")
	return nil
}

// maxMemory is what the operator may have resident with the whole fleet.
func (b *bench) maxMemory() float64 {
	return maxMemoryMiB + maxMemoryOfChallenge*float64(b.options.communities*b.options.challenges)
}

func (b *bench) restart(ctx context.Context, profile string) (took time.Duration, writes tally, mem memory, err error) {
	progress("restarting the operator")
	if err := b.operator.stop(ctx); err != nil {
		return 0, nil, memory{}, err
	}
	if _, err := b.audit.read(); err != nil {
		return 0, nil, memory{}, err
	}
	if b.operator, err = b.startOperator(ctx); err != nil {
		return 0, nil, memory{}, err
	}
	go b.profile(ctx, "profile?seconds=10", profile+"-cpu.pprof")
	started := b.operator.started
	err = b.whileRunning(ctx, b.options.timeout, "the operator to look at every Community", func() (bool, error) {
		return b.services.observedSince(started) >= b.options.communities, nil
	})
	if err != nil {
		return 0, nil, memory{}, err
	}
	took = time.Since(started)
	b.profile(ctx, "heap", profile+"-heap.pprof")
	requests, err := b.settle(ctx, time.Minute)
	if err != nil {
		return 0, nil, memory{}, err
	}
	mem, err = b.operator.memory()
	return took, count(requests, request.writing), mem, err
}

// measureForeignSecrets fills the cluster with Secrets that are no business of the operator.
func (b *bench) measureForeignSecrets(ctx context.Context, r *report.Report) error {
	if b.options.secrets == 0 {
		return nil
	}
	progress("making %d foreign Secrets of 1 MB", b.options.secrets)
	before, err := b.operator.memory()
	if err != nil {
		return err
	}
	content := []byte(strings.Repeat("x", 1_000_000))
	for i := range b.options.secrets {
		secret := &corev1.Secret{
			ObjectMeta: metav1.ObjectMeta{Name: fmt.Sprintf("foreign-%d", i), Namespace: namespaceOf(i)},
			Data:       map[string][]byte{"content": content},
		}
		if err := b.cluster.server.Client.Create(ctx, secret); err != nil {
			return fmt.Errorf("make a foreign Secret: %w", err)
		}
	}
	if _, err := b.settle(ctx, time.Minute); err != nil {
		return err
	}
	after, err := b.operator.memory()
	if err != nil {
		return err
	}
	r.AtMost(fmt.Sprintf("memory added by %d foreign Secrets of 1 MB", b.options.secrets), after.now-before.now, maxSecretsMiB, " MiB")
	took, _, mem, err := b.restart(ctx, "secrets")
	if err != nil {
		return err
	}
	r.AtMost("the same after a restart, peak", mem.peak-b.restarted.peak, maxSecretsMiB, " MiB")
	r.AtMost("memory with foreign Secrets, peak", mem.peak, b.maxMemory(), " MiB")
	r.AtMost("restarted with foreign Secrets", took.Seconds(), maxRestartSeconds, " s")
	return nil
}
