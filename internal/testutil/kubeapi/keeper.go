package kubeapi

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"syscall"

	"sigs.k8s.io/controller-runtime/pkg/envtest"
)

// launcher stands for a binary in the folder that envtest is given: it leaves its process id behind for the
// keeper and becomes the binary.
const launcher = `#!/bin/sh
echo $$ >"%[1]s/%[2]s.pid" && exec "%[3]s" "$@"
`

// keeperScript waits for the end of its standard input, which comes when the test process ends in whatever
// way; then it ends the servers and removes their folder. The API server goes first: one that has lost its
// etcd takes long to go.
const keeperScript = `read -r _; cd /
for server in kube-apiserver etcd; do
  [ -f "$1/$server.pid" ] && kill -KILL "$(cat "$1/$server.pid")" 2>/dev/null
done
rm -rf "$1"; [ ! -e "$1" ] || { sleep 1; rm -rf "$1"; }`

// Folders of the servers' files, below the keeper's.
const (
	etcdData     = "etcd-data"
	certificates = "certificates"
)

// keeper outlives the test process for a moment, to leave neither a process nor a file behind.
type keeper struct {
	folder string
	stop   func()
}

func startKeeper(binaries map[string]string) (*keeper, error) {
	folder, err := os.MkdirTemp("", "testapi-")
	if err != nil {
		return nil, fmt.Errorf("make a folder: %w", err)
	}
	for _, own := range []string{etcdData, certificates} {
		if err := os.Mkdir(filepath.Join(folder, own), 0o700); err != nil {
			return nil, fmt.Errorf("make a folder: %w", err)
		}
	}
	for name, path := range binaries {
		script := fmt.Sprintf(launcher, folder, name, path)
		if err := os.WriteFile(filepath.Join(folder, name), []byte(script), 0o700); err != nil {
			return nil, fmt.Errorf("write the launcher of %s: %w", name, err)
		}
	}
	cmd := exec.Command("/bin/sh", "-c", keeperScript, "sh", folder)
	// A group of its own keeps an interrupt at the terminal from reaching the keeper before the clean-up.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	life, err := cmd.StdinPipe()
	if err != nil {
		return nil, fmt.Errorf("make the keeper's pipe: %w", err)
	}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("start the keeper: %w", err)
	}
	stop := sync.OnceFunc(func() {
		_ = life.Close()
		_ = cmd.Wait() // its status says nothing that matters
	})
	return &keeper{folder: folder, stop: stop}, nil
}

// own keeps every file of the servers in the keeper's folder.
func (k *keeper) own(environment *envtest.Environment) {
	environment.ControlPlane.Etcd = &envtest.Etcd{DataDir: filepath.Join(k.folder, etcdData)}
	environment.ControlPlane.GetAPIServer().CertDir = filepath.Join(k.folder, certificates)
}
