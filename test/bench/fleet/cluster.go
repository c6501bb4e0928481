package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strconv"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/quaeso/community-operator/api/v1alpha1"
	"github.com/quaeso/community-operator/internal/testutil"
	"github.com/quaeso/community-operator/internal/testutil/kubeapi"
)

const (
	operatorNamespace = "community-system"
	// operatorUser is whom the audit log knows the operator as: the service account of config/rbac, with its
	// rights and no others.
	operatorUser = "system:serviceaccount:" + operatorNamespace + ":community-operator"
)

// className is the fleet's CommunityClass: standalone databases behind a Gateway.
const className = "fleet"

// fleetNamespaces is how many namespaces the fleet is spread over, as over the agencies' teams.
const fleetNamespaces = 50

// auditPolicy has the API server note every request of the operator, and no other. Watches are not counted: a
// watch is one request however long it lasts.
const auditPolicy = `apiVersion: audit.k8s.io/v1
kind: Policy
omitStages: [RequestReceived, ResponseStarted, Panic]
rules:
- level: None
  verbs: [watch]
- level: Metadata
  users: [` + operatorUser + `]
- level: None
`

// cluster is the bare API server with what the fleet needs beside its Communities.
type cluster struct {
	server     *kubeapi.Server
	folder     string
	auditLog   string
	kubeconfig string
}

func newScheme() *runtime.Scheme {
	scheme := kubeapi.Scheme()
	if err := gatewayv1.Install(scheme); err != nil {
		panic(err) // types that are compiled in
	}
	return scheme
}

func startCluster(ctx context.Context) (_ *cluster, err error) {
	folder, err := os.MkdirTemp("", "bench-fleet-")
	if err != nil {
		return nil, fmt.Errorf("make a folder: %w", err)
	}
	c := &cluster{
		folder: folder, auditLog: filepath.Join(folder, "audit.log"), kubeconfig: filepath.Join(folder, "kubeconfig"),
	}
	defer func() {
		if err != nil {
			c.stop()
		}
	}()
	policy := filepath.Join(folder, "audit-policy.yaml")
	if err := os.WriteFile(policy, []byte(auditPolicy), 0o600); err != nil {
		return nil, fmt.Errorf("write the audit policy: %w", err)
	}
	c.server, err = kubeapi.Run(kubeapi.Options{APIServer: map[string]string{
		"audit-policy-file": policy,
		"audit-log-path":    c.auditLog,
		"audit-log-maxsize": "10000",
		"audit-log-mode":    "blocking", // what was answered has been noted
		// Three Services a Community do not fit into the range that tests use.
		"service-cluster-ip-range": "10.112.0.0/16",
	}})
	if err != nil {
		return nil, fmt.Errorf("start the API server: %w", err)
	}
	if err := c.writeKubeconfig(c.kubeconfig, operatorUser); err != nil {
		return nil, err
	}
	// For people who look around while the benchmark holds.
	if err := c.writeKubeconfig(filepath.Join(folder, "admin-kubeconfig"), "bench-admin", "system:masters"); err != nil {
		return nil, err
	}
	return c, c.furnish(ctx)
}

func (c *cluster) writeKubeconfig(path, user string, groups ...string) error {
	kubeconfig, err := c.server.KubeconfigOf(user, groups...)
	if err != nil {
		return err
	}
	if err := os.WriteFile(path, kubeconfig, 0o600); err != nil {
		return fmt.Errorf("write the kubeconfig of %s: %w", user, err)
	}
	return nil
}

// furnish makes the namespaces, the operator's rights, the Gateway and the class.
func (c *cluster) furnish(ctx context.Context) error {
	class := testutil.CommunityClass(className, func(c *v1alpha1.CommunityClass) { c.UID = "" })
	gateway := &gatewayv1.Gateway{
		ObjectMeta: metav1.ObjectMeta{Name: class.Spec.Routing.Gateway.Name, Namespace: class.Spec.Routing.Gateway.Namespace},
		Spec: gatewayv1.GatewaySpec{
			GatewayClassName: "bench",
			Listeners:        []gatewayv1.Listener{{Name: "http", Port: 80, Protocol: gatewayv1.HTTPProtocolType}},
		},
	}
	names := []string{operatorNamespace, gateway.Namespace}
	for i := range fleetNamespaces {
		names = append(names, namespaceOf(i))
	}
	var objects []client.Object
	for _, name := range names {
		objects = append(objects, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: name}})
	}
	root, err := kubeapi.Root()
	if err != nil {
		return err
	}
	rights, err := kubeapi.ReadObjects(filepath.Join(root, "config", "rbac"))
	if err != nil {
		return err
	}
	for _, o := range rights {
		objects = append(objects, o)
	}
	objects = append(objects, class, gateway)
	admin, err := client.New(c.server.Config, client.Options{Scheme: newScheme()})
	if err != nil {
		return fmt.Errorf("make a client: %w", err)
	}
	for _, o := range objects {
		if err := admin.Create(ctx, o); err != nil {
			return fmt.Errorf("make %T %s: %w", o, o.GetName(), err)
		}
	}
	return nil
}

// namespaceOf spreads Communities evenly.
func namespaceOf(i int) string { return "brands-" + strconv.Itoa(i%fleetNamespaces) }

func (c *cluster) stop() {
	if c.server != nil {
		c.server.Stop()
	}
	if err := os.RemoveAll(c.folder); err != nil {
		progress("cannot remove %s: %v", c.folder, err)
	}
}
