package kubeapi

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/util/yaml"
)

// findBinaries finds etcd, kube-apiserver and kubectl in the folders that KUBEBUILDER_ASSETS lists or, without
// it, where hack/cluster/build.sh puts them.
func findBinaries(root string) (map[string]string, error) {
	folders := filepath.SplitList(os.Getenv("KUBEBUILDER_ASSETS"))
	if len(folders) == 0 {
		versions, err := readVersions(root)
		if err != nil {
			return nil, err
		}
		cache, err := os.UserCacheDir() // respects XDG_CACHE_HOME
		if err != nil {
			return nil, fmt.Errorf("find the binaries of etcd and kube-apiserver: %w", err)
		}
		built := filepath.Join(cache, "community-operator", "bin")
		folders = []string{
			filepath.Join(built, "kubernetes-"+versions["KUBERNETES_VERSION"]),
			filepath.Join(built, "etcd-"+versions["ETCD_VERSION"]),
		}
	}
	binaries := map[string]string{}
	for _, name := range []string{"etcd", "kube-apiserver", "kubectl"} {
		for _, folder := range folders {
			path := filepath.Join(folder, name)
			if info, err := os.Stat(path); err == nil && info.Mode().IsRegular() && binaries[name] == "" {
				binaries[name] = path
			}
		}
		if binaries[name] == "" {
			return nil, fmt.Errorf("%s is in none of %s: build it with `hack/cluster/build.sh etcd kube-apiserver kubectl`, "+
				"or list the folders that have it in KUBEBUILDER_ASSETS", name, strings.Join(folders, ", "))
		}
	}
	return binaries, nil
}

// Kubectl returns the path of kubectl, of the same version as the API server.
func Kubectl() (string, error) {
	root, err := Root()
	if err != nil {
		return "", err
	}
	binaries, err := findBinaries(root)
	return binaries["kubectl"], err
}

// foreignAPI is where the custom resource definitions of somebody else's API come from.
type foreignAPI struct {
	api     API
	module  string
	version string // its key in hack/cluster/versions.env
	folder  string
}

var foreignAPIs = []foreignAPI{
	{GatewayAPI, "sigs.k8s.io/gateway-api", "GATEWAY_API_VERSION", "config/crd/standard"},
	{CloudNativePG, "github.com/cloudnative-pg/cloudnative-pg", "CLOUDNATIVE_PG_VERSION", "config/crd/bases"},
	{CertManager, "github.com/cert-manager/cert-manager", "CERT_MANAGER_VERSION", "deploy/crds"},
}

// definitionFolders returns the folders of the custom resource definitions to install: ours, and those of
// other projects in the versions that the local cluster runs.
func definitionFolders(root string, without []API) ([]string, error) {
	versions, err := readVersions(root)
	if err != nil {
		return nil, err
	}
	folders := []string{filepath.Join(root, "config", "crd")}
	for _, f := range foreignAPIs {
		if slices.Contains(without, f.api) {
			continue
		}
		version, ok := versions[f.version]
		if !ok {
			return nil, fmt.Errorf("find the definitions of %s: hack/cluster/versions.env has no %s", f.api, f.version)
		}
		module, err := moduleFolder(f.module + "@" + version)
		if err != nil {
			return nil, fmt.Errorf("find the definitions of %s: %w", f.api, err)
		}
		folders = append(folders, filepath.Join(module, filepath.FromSlash(f.folder)))
	}
	return folders, nil
}

func readVersions(root string) (map[string]string, error) {
	raw, err := os.ReadFile(filepath.Join(root, "hack", "cluster", "versions.env"))
	if err != nil {
		return nil, fmt.Errorf("read the versions of the local cluster: %w", err)
	}
	versions := map[string]string{}
	for line := range strings.Lines(string(raw)) {
		if key, value, ok := strings.Cut(strings.TrimSpace(line), "="); ok && !strings.HasPrefix(key, "#") {
			versions[key] = strings.Trim(value, `"'`)
		}
	}
	return versions, nil
}

// moduleFolder returns the folder of a module in Go's module cache and downloads it where needed.
func moduleFolder(module string) (string, error) {
	cmd := exec.Command("go", "mod", "download", "-json", module)
	cmd.Dir = os.TempDir() // outside the project: its go.sum stays as it is
	cmd.Env = append(os.Environ(), "GOWORK=off", "GOFLAGS=-mod=mod")
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, runErr := cmd.Output()
	var answer struct{ Dir, Error string }
	if err := json.Unmarshal(out, &answer); err != nil || runErr != nil || answer.Dir == "" {
		return "", fmt.Errorf("download module %s: %w", module,
			errors.Join(runErr, errors.New(strings.TrimSpace(answer.Error+" "+stderr.String()))))
	}
	return answer.Dir, nil
}

// DecodeObjects reads the objects of a YAML stream.
func DecodeObjects(raw []byte) ([]*unstructured.Unstructured, error) {
	decoder := yaml.NewYAMLOrJSONDecoder(bytes.NewReader(raw), 4096)
	var objects []*unstructured.Unstructured
	for {
		content := map[string]any{}
		if err := decoder.Decode(&content); errors.Is(err, io.EOF) {
			return objects, nil
		} else if err != nil {
			return nil, fmt.Errorf("decode YAML: %w", err)
		}
		if len(content) > 0 {
			objects = append(objects, &unstructured.Unstructured{Object: content})
		}
	}
}
