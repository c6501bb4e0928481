// Package kubeapi starts a real etcd and a real API server for tests, with every API installed that the
// operator works with. It is a package of its own, so that tests of the idea service, which use testutil, link
// no Kubernetes libraries.
package kubeapi

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	utilruntime "k8s.io/apimachinery/pkg/util/runtime"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/envtest"

	"github.com/quaeso/community-operator/api/v1alpha1"
)

// startTimeout bounds the start of etcd, of the API server and of the installed APIs, each. A machine that
// compiles at the same time is slow.
const startTimeout = 2 * time.Minute

// API is a group of APIs that others define.
type API string

// APIs that the operator works with where they are installed.
const (
	GatewayAPI    API = "Gateway API"
	CloudNativePG API = "CloudNativePG"
	CertManager   API = "cert-manager"
)

// Options of a server of a test's own.
type Options struct {
	// Without names APIs that are not installed.
	Without []API
	// Bare leaves out our own definitions and policies as well as everybody else's.
	Bare bool
	// APIServer holds flags of kube-apiserver beside the usual ones, by name without dashes.
	APIServer map[string]string
}

// Server is a real API server with its etcd, without controllers, scheduler or nodes.
type Server struct {
	// Config of a cluster administrator.
	Config *rest.Config
	// Client of a cluster administrator, without a cache.
	Client client.Client

	environment *envtest.Environment
	stop        func()
}

// shared is the process's one server: a start costs seconds.
var shared = sync.OnceValues(func() (*Server, error) { return start(Options{}) })

// Shared returns the test process's one server, with every API installed. It ends with the process, however
// that ends.
func Shared(t testing.TB) *Server {
	t.Helper()
	s, err := shared()
	if err != nil {
		t.Fatalf("start an API server for tests: %v", err)
	}
	return s
}

// Start starts a server for one test, which may break it.
func Start(t testing.TB, options Options) *Server {
	t.Helper()
	s, err := start(options)
	if err != nil {
		t.Fatalf("start an API server for a test: %v", err)
	}
	t.Cleanup(s.Stop)
	return s
}

// Run starts a server for a program that is no test; the caller stops it. It ends with the program too.
func Run(options Options) (*Server, error) { return start(options) }

// Stop ends the server as a crash would. Stopping twice is harmless.
func (s *Server) Stop() { s.stop() }

// Scheme holds the types of Kubernetes, of custom resource definitions and of this project.
func Scheme() *runtime.Scheme {
	scheme := runtime.NewScheme()
	utilruntime.Must(clientgoscheme.AddToScheme(scheme))
	utilruntime.Must(apiextensionsv1.AddToScheme(scheme))
	utilruntime.Must(v1alpha1.AddToScheme(scheme))
	return scheme
}

// notInNames matches what a namespace's name cannot hold.
var notInNames = regexp.MustCompile(`[^a-z0-9]+`)

// Namespace makes a namespace of the test's own, named after it. It stays: without its controller no
// namespace is ever emptied.
func (s *Server) Namespace(t testing.TB) string {
	t.Helper()
	name := strings.Trim(notInNames.ReplaceAllString(strings.ToLower(t.Name()), "-"), "-")
	if len(name) > 40 {
		name = strings.Trim(name[len(name)-40:], "-")
	}
	namespace := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{GenerateName: name + "-"}}
	if err := s.Client.Create(t.Context(), namespace); err != nil {
		t.Fatalf("make a namespace: %v", err)
	}
	return namespace.Name
}

// User returns the configuration of a user who is authenticated and has no rights but those that are bound to
// them.
func (s *Server) User(t testing.TB, name string, groups ...string) *rest.Config {
	t.Helper()
	user, err := s.environment.AddUser(envtest.User{Name: name, Groups: groups}, s.Config)
	if err != nil {
		t.Fatalf("make user %s: %v", name, err)
	}
	return user.Config()
}

// KubeconfigOf returns a kubeconfig of a user who has the rights that are bound to them or to their groups.
func (s *Server) KubeconfigOf(name string, groups ...string) ([]byte, error) {
	user, err := s.environment.AddUser(envtest.User{Name: name, Groups: groups}, s.Config)
	if err != nil {
		return nil, fmt.Errorf("make user %s: %w", name, err)
	}
	kubeconfig, err := user.KubeConfig()
	if err != nil {
		return nil, fmt.Errorf("make the kubeconfig of user %s: %w", name, err)
	}
	return kubeconfig, nil
}

// Kubeconfig writes a kubeconfig file of a cluster administrator and returns its path.
func (s *Server) Kubeconfig(t testing.TB) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "kubeconfig")
	if err := os.WriteFile(path, s.environment.KubeConfig, 0o600); err != nil {
		t.Fatalf("write a kubeconfig: %v", err)
	}
	return path
}

func start(options Options) (*Server, error) {
	root, err := Root()
	if err != nil {
		return nil, err
	}
	binaries, err := findBinaries(root)
	if err != nil {
		return nil, err
	}
	var crds []string
	if !options.Bare {
		if crds, err = definitionFolders(root, options.Without); err != nil {
			return nil, err
		}
	}
	keeper, err := startKeeper(binaries)
	if err != nil {
		return nil, err
	}
	environment := &envtest.Environment{
		BinaryAssetsDirectory:    keeper.folder,
		ControlPlaneStartTimeout: startTimeout,
		ControlPlaneStopTimeout:  startTimeout,
		CRDInstallOptions: envtest.CRDInstallOptions{
			Scheme: Scheme(), Paths: crds, ErrorIfPathMissing: true, MaxTime: startTimeout,
		},
	}
	keeper.own(environment)
	for flag, value := range options.APIServer {
		environment.ControlPlane.GetAPIServer().Configure().Set(flag, value)
	}
	s := &Server{environment: environment, stop: keeper.stop}
	if err := s.open(root, options); err != nil {
		keeper.stop()
		return nil, err
	}
	return s, nil
}

func (s *Server) open(root string, options Options) error {
	config, err := s.environment.Start()
	if err != nil {
		return fmt.Errorf("start etcd and kube-apiserver: %w", err)
	}
	// Tests measure the operator, not the client's own rate limit.
	config.QPS = -1
	s.Config = config
	s.Client, err = client.New(config, client.Options{Scheme: Scheme()})
	if err != nil {
		return fmt.Errorf("make a client: %w", err)
	}
	if options.Bare {
		return nil
	}
	return s.installPolicies(filepath.Join(root, "config", "policies"))
}

func (s *Server) installPolicies(folder string) error {
	objects, err := ReadObjects(folder)
	if err != nil {
		return err
	}
	for _, o := range objects {
		if err := s.Client.Create(context.Background(), o); err != nil {
			return fmt.Errorf("install %s %s: %w", o.GetKind(), o.GetName(), err)
		}
	}
	return nil
}

// Root finds the folder of the project's module above the working directory.
func Root() (string, error) {
	folder, err := os.Getwd()
	if err != nil {
		return "", fmt.Errorf("find the project's folder: %w", err)
	}
	for {
		if _, err := os.Stat(filepath.Join(folder, "PROJECT")); err == nil {
			return folder, nil
		}
		parent := filepath.Dir(folder)
		if parent == folder {
			return "", errors.New("find the project's folder: no file PROJECT above the working directory")
		}
		folder = parent
	}
}

// ReadObjects reads the objects of a folder's YAML files, without its kustomization.
func ReadObjects(folder string) ([]*unstructured.Unstructured, error) {
	files, err := filepath.Glob(filepath.Join(folder, "*.yaml"))
	if err != nil {
		return nil, fmt.Errorf("list %s: %w", folder, err)
	}
	var objects []*unstructured.Unstructured
	for _, file := range files {
		if filepath.Base(file) == "kustomization.yaml" {
			continue
		}
		raw, err := os.ReadFile(file)
		if err != nil {
			return nil, fmt.Errorf("read %s: %w", file, err)
		}
		read, err := DecodeObjects(raw)
		if err != nil {
			return nil, fmt.Errorf("read %s: %w", file, err)
		}
		objects = append(objects, read...)
	}
	return objects, nil
}
