//go:build e2e

// Package e2e holds the journeys: what the issues promise, shown on a real cluster with the operator installed
// by its chart. hack/e2e.sh prepares the cluster and runs them.
package e2e

import (
	"context"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	eventsv1 "k8s.io/api/events/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/kubernetes"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/quaeso/community-operator/api/v1alpha1"
	"github.com/quaeso/community-operator/internal/certmanager"
	"github.com/quaeso/community-operator/internal/cnpg"
)

// labelE2E marks the namespaces and classes that tests make, so that what an interrupted run left can be found.
const labelE2E = "cocreation.quaeso.io/e2e"

// mailNamespace holds the mail catcher.
const mailNamespace = "e2e-mail"

// suite is what all tests share.
type suite struct {
	client    client.Client
	clientset kubernetes.Interface
	// kubeconfig, kubectl and helm are for what people type.
	kubeconfig, kubectl, helm string
	// images of the programs under test and of their surroundings.
	ideasImage, postgresImage, mailImage string
	// operatorNamespace holds the operator and the Secrets that classes name.
	operatorNamespace string
	// nodeAddress answers for Traefik on the ports 80 and 443.
	nodeAddress string
	// inbox is the base URL of the mail catcher.
	inbox string
	// root of the repository.
	root string
}

var cluster suite

func TestMain(m *testing.M) {
	if err := cluster.prepare(context.Background()); err != nil {
		fmt.Fprintln(os.Stderr, "e2e:", err)
		os.Exit(1)
	}
	code := m.Run()
	if err := cluster.sweep(context.Background()); err != nil {
		fmt.Fprintln(os.Stderr, "e2e: clean up:", err)
		code = 1
	}
	os.Exit(code)
}

func (s *suite) prepare(ctx context.Context) error {
	for name, into := range map[string]*string{
		"KUBECONFIG": &s.kubeconfig, "E2E_KUBECTL": &s.kubectl, "E2E_HELM": &s.helm, "E2E_IDEAS_IMAGE": &s.ideasImage,
		"E2E_POSTGRES_IMAGE": &s.postgresImage, "E2E_MAIL_IMAGE": &s.mailImage, "E2E_OPERATOR_NAMESPACE": &s.operatorNamespace,
	} {
		if *into = os.Getenv(name); *into == "" {
			return fmt.Errorf("%s is not set; run the journeys with: make e2e", name)
		}
	}
	root, err := filepath.Abs("../..")
	if err != nil {
		return fmt.Errorf("find the repository: %w", err)
	}
	s.root = root
	if err := s.connect(); err != nil {
		return err
	}
	if err := s.sweep(ctx); err != nil {
		return fmt.Errorf("remove what a former run left: %w", err)
	}
	if s.nodeAddress, err = s.findNode(ctx); err != nil {
		return err
	}
	s.inbox, err = s.startMailCatcher(ctx)
	return err
}

func (s *suite) connect() error {
	cfg, err := clientcmd.BuildConfigFromFlags("", s.kubeconfig)
	if err != nil {
		return fmt.Errorf("read %s: %w", s.kubeconfig, err)
	}
	cfg.QPS = -1
	scheme := runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{
		clientgoscheme.AddToScheme, v1alpha1.AddToScheme, gatewayv1.Install, cnpg.AddToScheme, certmanager.AddToScheme,
	} {
		if err := add(scheme); err != nil {
			return fmt.Errorf("make the scheme: %w", err)
		}
	}
	if s.client, err = client.New(cfg, client.Options{Scheme: scheme}); err != nil {
		return fmt.Errorf("make the client: %w", err)
	}
	if s.clientset, err = kubernetes.NewForConfig(cfg); err != nil {
		return fmt.Errorf("make the client for logs: %w", err)
	}
	return nil
}

func (s *suite) findNode(ctx context.Context) (string, error) {
	nodes := &corev1.NodeList{}
	if err := s.client.List(ctx, nodes); err != nil {
		return "", fmt.Errorf("list the nodes: %w", err)
	}
	for _, n := range nodes.Items {
		for _, a := range n.Status.Addresses {
			if a.Type == corev1.NodeInternalIP {
				return a.Address, nil
			}
		}
	}
	return "", fmt.Errorf("no node has an internal address")
}

// sweep removes the namespaces and classes of this suite and waits until they are gone.
func (s *suite) sweep(ctx context.Context) error {
	ours := client.HasLabels{labelE2E}
	return wait.PollUntilContextTimeout(ctx, time.Second, 3*time.Minute, true, func(ctx context.Context) (bool, error) {
		namespaces, classes := &corev1.NamespaceList{}, &v1alpha1.CommunityClassList{}
		if err := s.client.List(ctx, namespaces, ours); err != nil {
			return false, err
		}
		if err := s.client.List(ctx, classes, ours); err != nil {
			return false, err
		}
		for i := range namespaces.Items {
			if err := s.remove(ctx, &namespaces.Items[i]); err != nil {
				return false, err
			}
		}
		for i := range classes.Items {
			if err := client.IgnoreNotFound(s.client.Delete(ctx, &classes.Items[i])); err != nil {
				return false, err
			}
		}
		return len(namespaces.Items)+len(classes.Items) == 0, nil
	})
}

// remove goes one step towards a namespace's end: first what runs in it, then the namespace. The other way
// round Kubernetes waits for half of the longest grace period, although the pods are gone long before.
func (s *suite) remove(ctx context.Context, ns *corev1.Namespace) error {
	if !ns.DeletionTimestamp.IsZero() {
		return nil
	}
	if err := s.removeCommunities(ctx, ns.Name); err != nil {
		return err
	}
	if err := client.IgnoreNotFound(s.client.DeleteAllOf(ctx, &cnpg.Cluster{}, client.InNamespace(ns.Name))); err != nil {
		return fmt.Errorf("delete the Clusters of %s: %w", ns.Name, err)
	}
	pods := &corev1.PodList{}
	if err := s.client.List(ctx, pods, client.InNamespace(ns.Name)); err != nil {
		return fmt.Errorf("list the pods of %s: %w", ns.Name, err)
	}
	for i := range pods.Items {
		if p := &pods.Items[i]; len(p.OwnerReferences) == 0 {
			if err := client.IgnoreNotFound(s.client.Delete(ctx, p)); err != nil {
				return fmt.Errorf("delete pod %s/%s: %w", p.Namespace, p.Name, err)
			}
		}
	}
	if len(pods.Items) > 0 {
		return nil
	}
	return client.IgnoreNotFound(s.client.Delete(ctx, ns))
}

// removeCommunities deletes what a test left, without its data being dropped first: the server that holds it
// may be gone already.
func (s *suite) removeCommunities(ctx context.Context, namespace string) error {
	list := &v1alpha1.CommunityList{}
	if err := s.client.List(ctx, list, client.InNamespace(namespace)); err != nil {
		return fmt.Errorf("list the Communities of %s: %w", namespace, err)
	}
	for i := range list.Items {
		c := &list.Items[i]
		before := c.DeepCopy()
		c.Spec.DeletionProtection, c.Spec.DeletionPolicy = false, v1alpha1.DeletionRetain
		if err := s.client.Patch(ctx, c, client.MergeFrom(before)); client.IgnoreNotFound(err) != nil {
			return fmt.Errorf("prepare Community %s/%s for its deletion: %w", c.Namespace, c.Name, err)
		}
		if err := client.IgnoreNotFound(s.client.Delete(ctx, c)); err != nil {
			return fmt.Errorf("delete Community %s/%s: %w", c.Namespace, c.Name, err)
		}
	}
	return nil
}

// startMailCatcher runs the inbox that every class of the suite sends to.
func (s *suite) startMailCatcher(ctx context.Context) (string, error) {
	if err := s.createNamespace(ctx, mailNamespace); err != nil {
		return "", err
	}
	pod := restrictedPod(mailNamespace, "mail", s.mailImage, 65532)
	pod.Spec.Containers[0].ReadinessProbe = &corev1.Probe{
		PeriodSeconds:  1,
		ProbeHandler:   corev1.ProbeHandler{HTTPGet: &corev1.HTTPGetAction{Path: "/livez", Port: intstr.FromInt32(8025)}},
		TimeoutSeconds: 2,
	}
	service := serviceFor(pod, corev1.ServicePort{Name: "smtp", Port: 1025}, corev1.ServicePort{Name: "web", Port: 8025})
	for _, o := range []client.Object{pod, service} {
		if err := s.client.Create(ctx, o); err != nil {
			return "", fmt.Errorf("create the mail catcher's %T: %w", o, err)
		}
	}
	if err := s.waitForPod(ctx, pod); err != nil {
		return "", fmt.Errorf("wait for the mail catcher: %w", err)
	}
	return "http://" + net.JoinHostPort(service.Spec.ClusterIP, "8025"), nil
}

// createNamespace makes a namespace that takes only pods of Pod Security's restricted profile.
func (s *suite) createNamespace(ctx context.Context, name string) error {
	ns := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: name, Labels: map[string]string{
		labelE2E: "true", "pod-security.kubernetes.io/enforce": "restricted",
	}}}
	err := s.client.Create(ctx, ns)
	if apierrors.IsAlreadyExists(err) {
		return fmt.Errorf("namespace %s is there already", name)
	}
	return err
}

func (s *suite) waitForPod(ctx context.Context, pod *corev1.Pod) error {
	return wait.PollUntilContextTimeout(ctx, 200*time.Millisecond, 90*time.Second, true, func(ctx context.Context) (bool, error) {
		live := &corev1.Pod{}
		if err := s.client.Get(ctx, client.ObjectKeyFromObject(pod), live); err != nil {
			return false, err
		}
		for _, c := range live.Status.Conditions {
			if c.Type == corev1.PodReady && c.Status == corev1.ConditionTrue {
				live.DeepCopyInto(pod)
				return true, nil
			}
		}
		return false, nil
	})
}

// operator returns the operator's Deployment.
func (s *suite) operator(ctx context.Context) (*appsv1.Deployment, error) {
	list := &appsv1.DeploymentList{}
	err := s.client.List(ctx, list, client.InNamespace(s.operatorNamespace), client.MatchingLabels{v1alpha1.LabelName: v1alpha1.FieldManager})
	if err != nil {
		return nil, fmt.Errorf("list the operator's Deployment: %w", err)
	}
	if len(list.Items) != 1 {
		return nil, fmt.Errorf("namespace %s has %d Deployments of the operator, want 1", s.operatorNamespace, len(list.Items))
	}
	return &list.Items[0], nil
}

// operatorLog returns the logs of the operator's pods, as far as they reach back.
func (s *suite) operatorLog(ctx context.Context, since time.Time) (string, error) {
	pods := &corev1.PodList{}
	err := s.client.List(ctx, pods, client.InNamespace(s.operatorNamespace), client.MatchingLabels{v1alpha1.LabelName: v1alpha1.FieldManager})
	if err != nil {
		return "", fmt.Errorf("list the operator's pods: %w", err)
	}
	var log strings.Builder
	for _, p := range pods.Items {
		raw, err := s.clientset.CoreV1().Pods(p.Namespace).GetLogs(p.Name, &corev1.PodLogOptions{
			SinceTime: ptr.To(metav1.NewTime(since)),
		}).DoRaw(ctx)
		if err != nil && !apierrors.IsNotFound(err) && !apierrors.IsBadRequest(err) {
			return "", fmt.Errorf("read the log of %s: %w", p.Name, err)
		}
		log.Write(raw)
	}
	return log.String(), nil
}

func (s *suite) eventsIn(ctx context.Context, namespace string) ([]eventsv1.Event, error) {
	list := &eventsv1.EventList{}
	if err := s.client.List(ctx, list, client.InNamespace(namespace)); err != nil {
		return nil, fmt.Errorf("list the events of %s: %w", namespace, err)
	}
	return list.Items, nil
}
