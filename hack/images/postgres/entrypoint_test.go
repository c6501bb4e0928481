package main

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// nobody is who the server runs as in the tests: PostgreSQL refuses root, and pods have no root.
const nobody = 65534

// box is a data volume and the program under test.
type box struct {
	t       *testing.T
	dir     string
	program string
	tools   string
	port    int
}

func newBox(t *testing.T) *box {
	t.Helper()
	found, _ := filepath.Glob("/usr/lib/postgresql/*/bin/initdb")
	if len(found) == 0 || os.Getuid() != 0 {
		t.Fatal("needs root and a PostgreSQL server: apt-get install postgresql-15")
	}
	dir, err := os.MkdirTemp("", "entrypoint")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	b := &box{t: t, dir: dir, program: filepath.Join(dir, "entrypoint"), tools: filepath.Dir(found[len(found)-1]), port: freePort(t)}
	if output, err := exec.Command("go", "build", "-o", b.program, ".").CombinedOutput(); err != nil {
		t.Fatalf("build: %v\n%s", err, output)
	}
	if err := os.Mkdir(filepath.Join(dir, "volume"), 0o700); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{dir, filepath.Join(dir, "volume")} {
		if err := os.Chown(name, nobody, nobody); err != nil {
			t.Fatal(err)
		}
	}
	return b
}

func (b *box) data() string { return filepath.Join(b.dir, "volume", "pgdata") }

// command runs the entry point as a pod would, under a user id without rights.
func (b *box) command(password string) *exec.Cmd {
	file := filepath.Join(b.dir, "password")
	if err := os.WriteFile(file, []byte(password+"\n"), 0o644); err != nil {
		b.t.Fatal(err)
	}
	command := exec.Command(b.program, "-c", fmt.Sprintf("port=%d", b.port), "-c", "unix_socket_directories="+b.dir)
	command.Env = []string{
		"PATH=" + b.tools, "TMPDIR=" + b.dir, "PGDATA=" + b.data(),
		"POSTGRES_USER=community", "POSTGRES_DB=ideas", "POSTGRES_PASSWORD_FILE=" + file,
	}
	command.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobody, Gid: nobody}}
	return command
}

// start brings the server up and returns a function that stops it with a signal.
func (b *box) start(password string) func(syscall.Signal) {
	b.t.Helper()
	command := b.command(password)
	var output strings.Builder
	command.Stdout, command.Stderr = &output, &output
	if err := command.Start(); err != nil {
		b.t.Fatal(err)
	}
	exited := make(chan struct{})
	go func() { _ = command.Wait(); close(exited) }()
	b.t.Cleanup(func() { _ = command.Process.Kill(); <-exited })
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(50 * time.Millisecond) {
		if connection, err := net.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", b.port)); err == nil {
			_ = connection.Close()
			break
		}
		select {
		case <-exited:
			b.t.Fatalf("the server ended:\n%s", output.String())
		default:
		}
		if time.Now().After(deadline) {
			b.t.Fatalf("no server after a minute:\n%s", output.String())
		}
	}
	return func(signal syscall.Signal) {
		_ = command.Process.Signal(signal)
		<-exited
		if strings.Contains(output.String(), password) || strings.Contains(output.String(), verifierPrefix) {
			b.t.Errorf("the password or its verifier is in the log:\n%s", output.String())
		}
	}
}

func (b *box) query(password, statement string) (string, error) {
	arguments := []string{
		"--no-psqlrc", "-tA", "-h", "127.0.0.1", "-p", fmt.Sprint(b.port), "-U", "community", "-d", "ideas", "-c", statement,
	}
	// The port opens before the server takes statements.
	for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(100 * time.Millisecond) {
		command := exec.Command(filepath.Join(b.tools, "psql"), arguments...)
		command.Env = []string{"PGPASSWORD=" + password, "PGCONNECT_TIMEOUT=10"}
		output, err := command.CombinedOutput()
		text := strings.TrimSpace(string(output))
		if err == nil || !strings.Contains(text, "starting up") || time.Now().After(deadline) {
			return text, err
		}
	}
}

func TestDataAndPasswordsOverRestarts(t *testing.T) {
	b := newBox(t)
	stop := b.start(`pa"ss'word one`)
	if text, err := b.query(`pa"ss'word one`, "CREATE TABLE kept AS SELECT 7 AS x"); err != nil {
		t.Fatalf("first start: %v: %s", err, text)
	}
	if text, err := b.query("wrong", "SELECT 1"); err == nil || !strings.Contains(text, "password authentication failed") {
		t.Errorf("a wrong password is answered with %q, %v", text, err)
	}
	stop(syscall.SIGINT)

	// A hard stop leaves the lock file and a log to replay; the password changed meanwhile.
	stop = b.start("two")
	stop(syscall.SIGKILL)
	// In a pod the server's other processes end with the first; here they notice a moment later.
	b.waitUntilAlone()
	stop = b.start("three")
	if text, err := b.query("three", "SELECT x FROM kept"); err != nil || text != "7" {
		t.Errorf("after a crash and a new password: %q, %v, want 7", text, err)
	}
	if text, err := b.query("two", "SELECT 1"); err == nil {
		t.Errorf("the old password still works: %q", text)
	}
	stop(syscall.SIGINT)
}

func TestInterruptedPreparationIsStartedOver(t *testing.T) {
	b := newBox(t)
	command := b.command("secret")
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	partial := b.data() + ".partial"
	for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(time.Millisecond) {
		if _, err := os.Stat(filepath.Join(partial, "PG_VERSION")); err == nil {
			break
		}
		if time.Now().After(deadline) {
			t.Fatal("the preparation did not begin")
		}
	}
	_ = command.Process.Kill()
	_ = command.Wait()
	if _, err := os.Stat(b.data()); err == nil {
		t.Fatal("a half-made database bears the final name")
	}
	// In a pod initdb ends with the entry point; here it is on its own, and may still write.
	b.waitUntilAlone()
	stop := b.start("secret")
	if text, err := b.query("secret", "SELECT current_database()"); err != nil || text != "ideas" {
		t.Errorf("after an interrupted preparation: %q, %v", text, err)
	}
	stop(syscall.SIGINT)
}

// waitUntilAlone waits until no process works in the box's folder any more.
func (b *box) waitUntilAlone() {
	b.t.Helper()
	for deadline := time.Now().Add(time.Minute); len(b.processes()) > 0; time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			b.t.Fatalf("processes %v still work in %s", b.processes(), b.dir)
		}
	}
}

// processes are those that were started with the box's folder, or stand in it, as PostgreSQL's do.
func (b *box) processes() []string {
	entries, _ := filepath.Glob("/proc/[0-9]*")
	var found []string
	for _, entry := range entries {
		if entry == fmt.Sprintf("/proc/%d", os.Getpid()) {
			continue
		}
		arguments, _ := os.ReadFile(entry + "/cmdline")
		folder, _ := os.Readlink(entry + "/cwd")
		if strings.Contains(string(arguments), b.dir) || strings.HasPrefix(folder, b.dir) {
			found = append(found, entry)
		}
	}
	return found
}

func TestForeignFilesAreRefused(t *testing.T) {
	b := newBox(t)
	if err := os.MkdirAll(filepath.Join(b.data(), "lost+found"), 0o755); err != nil {
		t.Fatal(err)
	}
	output, err := b.command("secret").CombinedOutput()
	if err == nil || !strings.Contains(string(output), "must be a folder below the volume's mount point") {
		t.Errorf("a folder with other files gives %v:\n%s", err, output)
	}
}

func freePort(t *testing.T) int {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	return listener.Addr().(*net.TCPAddr).Port
}
