// Postgres is the entry point of the stand-alone PostgreSQL image: it prepares an empty data folder, applies
// the password, and becomes the server. It takes the settings of the well-known official image (PGDATA,
// POSTGRES_USER, POSTGRES_DB, POSTGRES_PASSWORD_FILE), so either image works in the same pod, and differs in this:
//
//   - it runs under any user id, with a read-only root file system;
//   - a stop in the middle of the preparation leaves nothing that a second start would take for a database;
//   - a changed password takes effect at the next start;
//   - the password itself never passes through SQL, arguments or logs, only its SCRAM verifier does.
package main

import (
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
)

const (
	// The folder's name depends on the processor.
	nssWrapperPattern = "/usr/lib/*-linux-gnu*/libnss_wrapper.so"
	socketDir         = "/run/postgresql"
)

// settings is what the environment says.
type settings struct {
	dataDir  string
	role     string
	database string
	password string
}

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "postgres image:", err)
		os.Exit(1)
	}
}

func run(arguments []string) error {
	// Another command, such as "psql" in a debugging pod, runs as it is.
	if len(arguments) > 0 && arguments[0] != "postgres" && !strings.HasPrefix(arguments[0], "-") {
		return become(arguments[0], arguments[1:])
	}
	if len(arguments) > 0 && arguments[0] == "postgres" {
		arguments = arguments[1:]
	}
	set, err := readSettings()
	if err != nil {
		return err
	}
	if err := giveUserAName(); err != nil {
		return err
	}
	if err := prepare(set); err != nil {
		return err
	}
	server := []string{"-D", set.dataDir, "-c", "listen_addresses=*", "-c", "unix_socket_directories=" + socketDir}
	return become("postgres", append(server, arguments...))
}

func readSettings() (settings, error) {
	set := settings{dataDir: os.Getenv("PGDATA"), role: os.Getenv("POSTGRES_USER"), database: os.Getenv("POSTGRES_DB")}
	if set.dataDir == "" {
		set.dataDir = "/var/lib/postgresql/data/pgdata"
	}
	if set.role == "" {
		set.role = "postgres"
	}
	if set.database == "" {
		set.database = set.role
	}
	set.password = os.Getenv("POSTGRES_PASSWORD")
	if file := os.Getenv("POSTGRES_PASSWORD_FILE"); file != "" {
		content, err := os.ReadFile(file)
		if err != nil {
			return set, fmt.Errorf("read POSTGRES_PASSWORD_FILE: %w", err)
		}
		set.password = strings.TrimRight(string(content), "\r\n")
	}
	if set.password == "" {
		return set, fmt.Errorf("no password: set POSTGRES_PASSWORD_FILE to a file that holds one")
	}
	return set, nil
}

// giveUserAName: PostgreSQL refuses to run under a user id without a name, and /etc/passwd is read-only.
// The wrapper library answers the question for the id that the pod was given.
func giveUserAName() error {
	uid := strconv.Itoa(os.Getuid())
	if _, err := user.LookupId(uid); err == nil {
		return nil
	}
	wrappers, err := filepath.Glob(nssWrapperPattern)
	if err != nil || len(wrappers) == 0 {
		return fmt.Errorf("the user id %s has no name and the image no libnss_wrapper to give it one", uid)
	}
	passwd, group := filepath.Join(os.TempDir(), "passwd"), filepath.Join(os.TempDir(), "group")
	entry := fmt.Sprintf("postgres:x:%d:%d:PostgreSQL:/tmp:/bin/false\n", os.Getuid(), os.Getgid())
	if err := os.WriteFile(passwd, []byte(entry), 0o600); err != nil {
		return fmt.Errorf("name the user id %s (is /tmp writable?): %w", uid, err)
	}
	if err := os.WriteFile(group, fmt.Appendf(nil, "postgres:x:%d:\n", os.Getgid()), 0o600); err != nil {
		return fmt.Errorf("name the group id: %w", err)
	}
	for name, value := range map[string]string{"LD_PRELOAD": wrappers[0], "NSS_WRAPPER_PASSWD": passwd, "NSS_WRAPPER_GROUP": group} {
		if err := os.Setenv(name, value); err != nil {
			return err
		}
	}
	return nil
}

// become replaces this process, so that PostgreSQL is the container's first process and gets its signals.
func become(program string, arguments []string) error {
	path, err := exec.LookPath(program)
	if err != nil {
		return err
	}
	if err := syscall.Exec(path, append([]string{filepath.Base(path)}, arguments...), os.Environ()); err != nil {
		return fmt.Errorf("start %s: %w", path, err)
	}
	return nil
}
