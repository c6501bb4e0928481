//go:build e2e

package e2e

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	policyv1 "k8s.io/api/policy/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/quaeso/community-operator/api/v1alpha1"
)

// TestOperatorKilled kills the operator after every single one of its writes, before it learns that the write
// went through, and starts it anew: while a community is made, changed and deleted. Each time it ends where an
// operator that lives ends.
//
// It does not run in parallel: the cluster's own operator rests meanwhile.
func TestOperatorKilled(t *testing.T) {
	w := newWorld(t, "killed")
	own := w.restOperator()
	doomed := w.startDoomedOperator(own)
	spec := func(c *v1alpha1.Community) { c.Spec.DeletionPolicy = v1alpha1.DeletionDelete }

	c := w.ready(w.community("lumiere", spec))
	doomed.wantKilledAfter("PATCH communities", "PATCH communities/status", "PATCH secrets", "PATCH serviceaccounts",
		"PATCH networkpolicies", "PATCH persistentvolumeclaims", "PATCH statefulsets", "PATCH services", "PATCH deployments",
		"PATCH httproutes")
	edit := func(c *v1alpha1.Community) {
		c.Spec.Hostnames = []v1alpha1.Hostname{v1alpha1.Hostname(c.Name + ".moved." + w.class.Spec.Routing.ApexDomain)}
		c.Spec.Replicas = ptr.To(int32(2))
	}
	change(w, c, edit)
	w.waitReady(c)
	doomed.wantKilledAfter("PATCH httproutes", "PATCH deployments", "PATCH poddisruptionbudgets", "PATCH communities/status")
	doomed.stop()
	w.wakeOperator(own)

	w.eventually(readSoon, "the page opens", func() error { return w.opens(c.Status.URL) })
	w.mainPath(c.Status.URL)
	fresh := w.ready(w.community("nordlys", spec, edit))
	if diff := cmp.Diff(w.children(fresh), w.children(c)); diff != "" {
		t.Errorf("the operator that was killed left another stack (-never killed +killed):\n%s", diff)
	}
	w.restOperator()
	doomed.start()
	w.delete(c)
	w.eventually(time.Minute, "the community and everything of it goes", func() error { return w.nothingLeft(c) })
	doomed.wantKilledAfter("DELETE statefulsets", "DELETE persistentvolumeclaims", "DELETE secrets", "PATCH communities")
	doomed.stop()
}

// restOperator scales the cluster's own operator to none, until wakeOperator or the end of the test.
func (w *world) restOperator() *appsv1.Deployment {
	w.Helper()
	d, err := cluster.operator(w.ctx)
	if err != nil {
		w.Fatal(err)
	}
	w.Cleanup(func() {
		w.ctx = context.WithoutCancel(w.ctx)
		w.wakeOperator(d)
	})
	w.scaleOperator(d, 0)
	return d
}

func (w *world) wakeOperator(d *appsv1.Deployment) {
	w.Helper()
	w.scaleOperator(d, 1)
}

func (w *world) scaleOperator(d *appsv1.Deployment, replicas int32) {
	w.Helper()
	change(w, d, func(d *appsv1.Deployment) { d.Spec.Replicas = &replicas })
	w.eventually(time.Minute, fmt.Sprintf("the operator has %d replicas", replicas), func() error {
		if err := cluster.client.Get(w.ctx, client.ObjectKeyFromObject(d), d); err != nil {
			return err
		}
		pods := &corev1.PodList{}
		if err := cluster.client.List(w.ctx, pods, client.InNamespace(d.Namespace), client.MatchingLabels(d.Spec.Selector.MatchLabels)); err != nil {
			return err
		}
		if d.Status.ObservedGeneration < d.Generation || d.Status.AvailableReplicas != replicas || len(pods.Items) != int(replicas) {
			return fmt.Errorf("%d pods, %d available", len(pods.Items), d.Status.AvailableReplicas)
		}
		return nil
	})
}

// doomedOperator is the operator run from source, behind a proxy of the API server that kills it after each
// write.
type doomedOperator struct {
	*world
	command    []string
	kubeconfig string
	log        bytes.Buffer
	lives      sync.WaitGroup

	mu      sync.Mutex
	process *os.Process
	running bool
	// killedAfter are the writes that were followed by a death.
	killedAfter []string
}

// startDoomedOperator builds the operator, and runs it with the rights and in the namespace of the cluster's own.
func (w *world) startDoomedOperator(own *appsv1.Deployment) *doomedOperator {
	w.Helper()
	dir := w.TempDir()
	binary := filepath.Join(dir, "operator")
	build := exec.CommandContext(w.ctx, "go", "build", "-o", binary, ".")
	build.Dir = cluster.root
	if out, err := build.CombinedOutput(); err != nil {
		w.Fatalf("build the operator: %v\n%s", err, out)
	}
	o := &doomedOperator{world: w, kubeconfig: filepath.Join(dir, "kubeconfig"), command: []string{
		binary, "--operator-namespace=" + own.Namespace, "--metrics-bind-address=0", "--health-probe-bind-address=0",
	}}
	proxy := httptest.NewServer(o.proxy(own.Spec.Template.Spec.ServiceAccountName))
	w.Cleanup(func() {
		o.stop()
		proxy.Close()
		if w.Failed() {
			w.Logf("what the killed operator logged:\n%s", o.log.String())
		}
	})
	const name = "killed"
	err := clientcmd.WriteToFile(clientcmdapi.Config{
		Clusters:       map[string]*clientcmdapi.Cluster{name: {Server: proxy.URL}},
		Contexts:       map[string]*clientcmdapi.Context{name: {Cluster: name}},
		CurrentContext: name,
	}, o.kubeconfig)
	if err != nil {
		w.Fatalf("write the operator's kubeconfig: %v", err)
	}
	o.start()
	return o
}

// proxy leads to the API server as the operator's service account, so that its own roles hold.
func (o *doomedOperator) proxy(serviceAccount string) http.Handler {
	o.Helper()
	cfg, err := clientcmd.BuildConfigFromFlags("", cluster.kubeconfig)
	if err != nil {
		o.Fatal(err)
	}
	cfg.Impersonate = rest.ImpersonationConfig{UserName: "system:serviceaccount:" + cluster.operatorNamespace + ":" + serviceAccount}
	transport, err := rest.TransportFor(cfg)
	if err != nil {
		o.Fatal(err)
	}
	target, err := url.Parse(cfg.Host)
	if err != nil {
		o.Fatal(err)
	}
	return &httputil.ReverseProxy{
		Transport: transport, FlushInterval: -1,
		Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(target) },
		ModifyResponse: func(res *http.Response) error {
			if write := writeOf(res.Request); write != "" {
				o.kill(write)
				return errors.New("the operator died")
			}
			return nil
		},
		// Requests of an operator that is dead, which is the purpose.
		ErrorHandler: func(http.ResponseWriter, *http.Request, error) { panic(http.ErrAbortHandler) },
	}
}

// writeOf names a write to the operator's objects, such as "PATCH communities/status"; "" for anything else.
// Events and reviews of access change nothing that another operator would see.
func writeOf(r *http.Request) string {
	if r.Method == http.MethodGet || r.Method == http.MethodHead {
		return ""
	}
	path := strings.Split(strings.Trim(r.URL.Path, "/"), "/")
	i := slices.Index(path, "namespaces") + 2
	if i == 1 { // of the cluster: apis/GROUP/VERSION/RESOURCE
		i = 3
	}
	if i >= len(path) || path[i] == "events" || strings.Contains(path[i], "review") {
		return ""
	}
	resource := path[i]
	if len(path) > i+2 {
		resource += "/" + path[i+2]
	}
	return r.Method + " " + resource
}

func (o *doomedOperator) kill(write string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.killedAfter = append(o.killedAfter, write)
	if o.process != nil {
		_ = o.process.Kill() // it may be dead of another write
	}
}

// start gives the operator one life after the other until stop.
func (o *doomedOperator) start() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.running = true
	o.lives.Go(func() {
		for o.live() {
		}
	})
}

// live runs the operator until it dies.
func (o *doomedOperator) live() (again bool) {
	cmd := exec.Command(o.command[0], o.command[1:]...)
	cmd.Env = append(os.Environ(), "KUBECONFIG="+o.kubeconfig)
	cmd.Stderr = &o.log
	o.mu.Lock()
	if !o.running {
		o.mu.Unlock()
		return false
	}
	err := cmd.Start()
	o.process = cmd.Process
	o.mu.Unlock()
	if err != nil {
		o.Errorf("start the operator: %v", err)
		return false
	}
	err = cmd.Wait()
	if cmd.ProcessState.Exited() {
		o.Errorf("the operator ended by itself: %v", err)
		return false
	}
	return true
}

func (o *doomedOperator) stop() {
	o.mu.Lock()
	o.running = false
	if o.process != nil {
		_ = o.process.Kill() // it may be dead already
	}
	o.mu.Unlock()
	o.lives.Wait()
}

// wantKilledAfter expects that the operator died after each of some writes since the last call.
func (o *doomedOperator) wantKilledAfter(writes ...string) {
	o.Helper()
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, w := range writes {
		if !slices.Contains(o.killedAfter, w) {
			o.Errorf("the operator was not killed after %s, only after %q", w, o.killedAfter)
		}
	}
	o.Logf("killed %d times: %q", len(o.killedAfter), o.killedAfter)
	o.killedAfter = nil
}

// childLists are empty lists of everything that belongs to a community.
func childLists() []client.ObjectList {
	return []client.ObjectList{
		&appsv1.DeploymentList{}, &appsv1.StatefulSetList{}, &corev1.ServiceList{}, &corev1.SecretList{}, &corev1.ServiceAccountList{},
		&corev1.PersistentVolumeClaimList{}, &networkingv1.NetworkPolicyList{}, &policyv1.PodDisruptionBudgetList{}, &gatewayv1.HTTPRouteList{},
	}
}

// children describes the objects of a community by kind and name, with "NAME" for its own name, without what
// differs between any two communities.
func (w *world) children(c *v1alpha1.Community) map[string]any {
	w.Helper()
	out := map[string]any{}
	err := w.eachChild(c, func(kind string, o client.Object) error {
		raw, err := json.Marshal(o)
		if err != nil {
			return err
		}
		var content map[string]any
		if err := json.Unmarshal(bytes.ReplaceAll(raw, []byte(c.Name), []byte("NAME")), &content); err != nil {
			return err
		}
		out[kind+" "+strings.ReplaceAll(o.GetName(), c.Name, "NAME")] = withoutIdentity(content)
		return nil
	})
	if err != nil {
		w.Fatal(err)
	}
	return out
}

func (w *world) eachChild(c *v1alpha1.Community, visit func(kind string, o client.Object) error) error {
	for _, list := range childLists() {
		err := cluster.client.List(w.ctx, list, client.InNamespace(c.Namespace), client.MatchingLabels{v1alpha1.LabelCommunity: c.Name})
		if err != nil {
			return fmt.Errorf("list %T: %w", list, err)
		}
		items, err := meta.ExtractList(list)
		if err != nil {
			return err
		}
		for _, item := range items {
			if err := visit(strings.TrimPrefix(fmt.Sprintf("%T", item), "*"), item.(client.Object)); err != nil {
				return err
			}
		}
	}
	return nil
}

// withoutIdentity drops what is drawn, counted or observed, at any depth.
func withoutIdentity(content map[string]any) map[string]any {
	for _, key := range []string{
		"status", "uid", "resourceVersion", "generation", "creationTimestamp", "managedFields", "clusterIP", "clusterIPs",
		"volumeName", "data", v1alpha1.AnnotationApplied, v1alpha1.AnnotationCredentials, v1alpha1.AnnotationSources,
		"deployment.kubernetes.io/revision",
	} {
		delete(content, key)
	}
	for key, value := range content {
		switch v := value.(type) {
		case map[string]any:
			content[key] = withoutIdentity(v)
		case []any:
			for i := range v {
				if inner, ok := v[i].(map[string]any); ok {
					v[i] = withoutIdentity(inner)
				}
			}
		}
	}
	return content
}

// nothingLeft tells whether a deleted community and all its objects are gone.
func (w *world) nothingLeft(c *v1alpha1.Community) error {
	err := cluster.client.Get(w.ctx, client.ObjectKeyFromObject(c), c.DeepCopy())
	if err == nil {
		return errors.New("the Community is still there")
	}
	if !apierrors.IsNotFound(err) {
		return err
	}
	return w.eachChild(c, func(kind string, o client.Object) error {
		return fmt.Errorf("%s %s is still there", kind, o.GetName())
	})
}
