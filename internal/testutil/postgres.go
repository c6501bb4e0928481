// Package testutil starts the real things that tests stand on, and builds what they need.
package testutil

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// postgresAccount and postgresPassword are the superuser of every test server; it connects over TCP with a
// password, as services do in production.
const (
	postgresAccount  = "superuser"
	postgresPassword = "superuser:s3cret/@?" // characters that have a meaning in a URI
)

// PostgresOptions of a server of a test's own.
type PostgresOptions struct {
	// TLS makes the server offer TLS with a certificate for localhost and 127.0.0.1, see PostgresServer.CA.
	TLS bool
	// RequireTLS makes the server refuse connections without TLS.
	RequireTLS bool
	// Settings are lines of postgresql.conf, by name.
	Settings map[string]string
	// Data is a folder that SaveData of another server wrote; the server starts with a copy of it.
	Data string
}

// PostgresServer is a real PostgreSQL server on a loopback port of its own.
type PostgresServer struct {
	// Host and Port it listens on.
	Host string
	Port int
	// CA is the file with the certificate that signed the server's, where it offers TLS.
	CA string

	bin    string
	folder string
	keeper *exec.Cmd
	stop   func()

	mutex     sync.Mutex
	templates map[string]error
}

// sharedPostgres is the process's one server: a start costs about a second.
var sharedPostgres = sync.OnceValues(func() (*PostgresServer, error) {
	return startPostgres(PostgresOptions{})
})

// Postgres returns the test process's shared server. It ends with the process, however that ends.
func Postgres(t testing.TB) *PostgresServer {
	t.Helper()
	server, err := sharedPostgres()
	if err != nil {
		t.Fatalf("start PostgreSQL for tests: %v", err)
	}
	return server
}

// StartPostgres starts a server for one test, which may break it.
func StartPostgres(t testing.TB, options PostgresOptions) *PostgresServer {
	t.Helper()
	server, err := startPostgres(options)
	if err != nil {
		t.Fatalf("start PostgreSQL for a test: %v", err)
	}
	t.Cleanup(server.Stop)
	return server
}

// RunPostgres starts a server for a program that is no test; the program stops it, or it ends with the program.
func RunPostgres(options PostgresOptions) (*PostgresServer, error) { return startPostgres(options) }

// SaveData shuts the server down and copies its data to a folder that must not exist yet. The copy is complete
// once the folder is there.
func (s *PostgresServer) SaveData(folder string) error {
	control := exec.Command(filepath.Join(s.bin, "pg_ctl"), "stop", "--pgdata", s.data(), "--mode", "fast", "--wait", "--timeout", "120")
	control.Dir = s.folder
	control.SysProcAttr = &syscall.SysProcAttr{Credential: s.keeper.SysProcAttr.Credential}
	if out, err := control.CombinedOutput(); err != nil {
		return fmt.Errorf("shut the server down: %w: %s", err, out)
	}
	part := folder + ".part"
	if err := os.RemoveAll(part); err != nil {
		return fmt.Errorf("remove an unfinished copy: %w", err)
	}
	if err := copyFolder(s.data(), part); err != nil {
		return err
	}
	if err := os.Rename(part, folder); err != nil {
		return fmt.Errorf("finish the copy: %w", err)
	}
	return nil
}

// copyFolder keeps modes and, where it may, owners.
func copyFolder(from, to string) error {
	if out, err := exec.Command("cp", "-a", from, to).CombinedOutput(); err != nil {
		return fmt.Errorf("copy a data folder: %w: %s", err, out)
	}
	return nil
}

// Stop ends the server as a crash would, and waits until it is gone. Stopping twice is harmless.
func (s *PostgresServer) Stop() { s.stop() }

// URI of a database as an account that signs in with a password.
func (s *PostgresServer) URI(account, password, database string) string {
	u := url.URL{
		Scheme: "postgres", User: url.UserPassword(account, password),
		Host: net.JoinHostPort(s.Host, strconv.Itoa(s.Port)), Path: "/" + database,
	}
	return u.String()
}

// AdminURI of a database as the superuser.
func (s *PostgresServer) AdminURI(database string) string {
	return s.URI(postgresAccount, postgresPassword, database)
}

// Exec runs SQL as the superuser in a database.
func (s *PostgresServer) Exec(t testing.TB, database string, statements ...string) {
	t.Helper()
	if err := s.exec(database, statements...); err != nil {
		t.Fatalf("prepare database %s: %v", database, err)
	}
}

// Database makes an empty database owned by a role of its own without further rights, as a brand's is in
// production. It is dropped when the test ends.
func (s *PostgresServer) Database(t testing.TB) *PostgresDatabase {
	t.Helper()
	return s.database(t, "template0")
}

// DatabaseFrom makes a database like Database, as a copy of a template that fill prepares once per server.
func (s *PostgresServer) DatabaseFrom(t testing.TB, template string, fill func(uri string) error) *PostgresDatabase {
	t.Helper()
	if err := s.template(template, fill); err != nil {
		t.Fatalf("prepare template database %s: %v", template, err)
	}
	return s.database(t, template)
}

// PostgresDatabase is a database of one test.
type PostgresDatabase struct {
	Server *PostgresServer
	// Name of the database, its owning role and, for a plain Database, its password.
	Name, Role, Password string
}

// URI of the database as its owner.
func (d *PostgresDatabase) URI() string { return d.Server.URI(d.Role, d.Password, d.Name) }

// Exec runs SQL in the database as the superuser.
func (d *PostgresDatabase) Exec(t testing.TB, statements ...string) {
	t.Helper()
	d.Server.Exec(t, d.Name, statements...)
}

// QueryText returns the one text that a query gives, as the superuser.
func (d *PostgresDatabase) QueryText(t testing.TB, query string, args ...any) string {
	t.Helper()
	var text string
	d.queryOne(t, &text, query, args...)
	return text
}

// QueryInt returns the one number that a query gives, as the superuser.
func (d *PostgresDatabase) QueryInt(t testing.TB, query string, args ...any) int64 {
	t.Helper()
	var n int64
	d.queryOne(t, &n, query, args...)
	return n
}

func (d *PostgresDatabase) queryOne(t testing.TB, into any, query string, args ...any) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	conn, err := pgx.Connect(ctx, d.Server.AdminURI(d.Name))
	if err != nil {
		t.Fatalf("connect to test database: %v", err)
	}
	defer func() { _ = conn.Close(ctx) }()
	if err := conn.QueryRow(ctx, query, args...).Scan(into); err != nil {
		t.Fatalf("query %s: %v", query, err)
	}
}

// templateRole owns template databases. Copies keep the owner of what is in them, so roles of copies are
// made members of it.
const (
	templateRole     = "template_owner"
	templatePassword = "p@ss/of-templates"
)

func (s *PostgresServer) template(name string, fill func(uri string) error) error {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	if err, made := s.templates[name]; made {
		return err
	}
	err := func() error {
		if len(s.templates) == 0 {
			if err := s.exec("postgres", "CREATE ROLE "+templateRole+" LOGIN PASSWORD '"+templatePassword+"'"); err != nil {
				return err
			}
		}
		create := "CREATE DATABASE " + quote(name) + " OWNER " + templateRole + " TEMPLATE template0"
		if err := s.exec("postgres", create); err != nil {
			return err
		}
		return fill(s.URI(templateRole, templatePassword, name))
	}()
	s.templates[name] = err
	return err
}

func (s *PostgresServer) database(t testing.TB, template string) *PostgresDatabase {
	t.Helper()
	name := "test_" + randomName()
	d := &PostgresDatabase{Server: s, Name: name, Role: name, Password: "p@ss/" + name}
	if template == "template0" {
		s.Exec(t, "postgres", "CREATE ROLE "+quote(name)+" LOGIN PASSWORD '"+d.Password+"'")
	} else {
		d.Role, d.Password = templateRole, templatePassword
	}
	s.Exec(t, "postgres", "CREATE DATABASE "+quote(name)+" OWNER "+quote(d.Role)+" TEMPLATE "+quote(template))
	t.Cleanup(func() {
		// FORCE ends connections that a failed test left open. A server that the test stopped needs no drop.
		err := s.exec("postgres", "DROP DATABASE IF EXISTS "+quote(name)+" WITH (FORCE)")
		if refused := (*net.OpError)(nil); err != nil && !errors.As(err, &refused) {
			t.Errorf("drop test database: %v", err)
		}
	})
	return d
}

func (s *PostgresServer) exec(database string, statements ...string) error {
	ctx, cancel := context.WithTimeout(context.Background(), 60*time.Second)
	defer cancel()
	conn, err := pgx.Connect(ctx, s.AdminURI(database))
	if err != nil {
		return fmt.Errorf("connect as superuser: %w", err)
	}
	defer func() { _ = conn.Close(ctx) }()
	for _, statement := range statements {
		if _, err := conn.Exec(ctx, statement, pgx.QueryExecModeSimpleProtocol); err != nil {
			return fmt.Errorf("run %.120s: %w", statement, err)
		}
	}
	return nil
}

func quote(identifier string) string { return pgx.Identifier{identifier}.Sanitize() }

func randomName() string {
	raw := make([]byte, 6)
	_, _ = rand.Read(raw) // never fails, see crypto/rand
	return hex.EncodeToString(raw)
}

// startPostgres makes a data folder and starts a server on it.
func startPostgres(options PostgresOptions) (*PostgresServer, error) {
	bin, err := postgresBinaries()
	if err != nil {
		return nil, err
	}
	folder, err := os.MkdirTemp("", "testpg-")
	if err != nil {
		return nil, fmt.Errorf("make a folder: %w", err)
	}
	s := &PostgresServer{Host: "127.0.0.1", bin: bin, folder: folder, templates: map[string]error{}}
	if err := s.start(bin, options); err != nil {
		_ = os.RemoveAll(folder)
		return nil, err
	}
	return s, nil
}

func (s *PostgresServer) start(bin string, options PostgresOptions) error {
	credential, err := s.handOver()
	if err != nil {
		return err
	}
	if options.Data != "" {
		err = copyFolder(options.Data, s.data())
	} else {
		err = s.initdb(bin, credential)
	}
	if err != nil {
		return err
	}
	if err := s.configure(options, credential); err != nil {
		return err
	}
	// Another process may take the free port between its choice and the server's start.
	for range 5 {
		if err = s.launch(bin, credential); err == nil {
			return nil
		}
	}
	return err
}

// handOver makes the folder belong to an unprivileged account where the test runs as root, which PostgreSQL
// refuses.
func (s *PostgresServer) handOver() (*syscall.Credential, error) {
	if os.Getuid() != 0 {
		return nil, nil
	}
	for _, name := range []string{"postgres", "nobody"} {
		account, err := user.Lookup(name)
		if err != nil {
			continue
		}
		uid, err := strconv.ParseUint(account.Uid, 10, 32)
		if err != nil {
			return nil, fmt.Errorf("read the user id of %s: %w", name, err)
		}
		gid, err := strconv.ParseUint(account.Gid, 10, 32)
		if err != nil {
			return nil, fmt.Errorf("read the group id of %s: %w", name, err)
		}
		if err := os.Chown(s.folder, int(uid), int(gid)); err != nil {
			return nil, fmt.Errorf("hand the data folder to %s: %w", name, err)
		}
		return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}, nil
	}
	return nil, errors.New("PostgreSQL does not run as root, and neither user postgres nor nobody exists")
}

func (s *PostgresServer) initdb(bin string, credential *syscall.Credential) error {
	passwordFile := filepath.Join(s.folder, "password")
	if err := os.WriteFile(passwordFile, []byte(postgresPassword), 0o600); err != nil {
		return fmt.Errorf("write the superuser's password: %w", err)
	}
	if err := s.give(passwordFile, credential); err != nil {
		return err
	}
	cmd := exec.Command(filepath.Join(bin, "initdb"), "--pgdata", s.data(), "--username", postgresAccount,
		"--pwfile", passwordFile, "--auth", "scram-sha-256", "--encoding", "UTF8", "--locale", "C.UTF-8", "--no-sync", "--no-instructions")
	cmd.Dir = s.folder
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: credential}
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("run initdb: %w: %s", err, out)
	}
	return nil
}

func (s *PostgresServer) configure(options PostgresOptions, credential *syscall.Credential) error {
	settings := map[string]string{
		"listen_addresses": "127.0.0.1", "unix_socket_directories": s.folder, "max_connections": "150",
		// Tests need speed, and no durability: the folder lives as long as they do.
		"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off", "shared_buffers": "64MB",
		"autovacuum_naptime": "1h", "log_min_messages": "log", "lc_messages": "C",
	}
	hba := "local all all trust\nhost all all 127.0.0.1/32 scram-sha-256\n"
	if options.TLS {
		ca, err := s.writeCertificates(credential)
		if err != nil {
			return err
		}
		s.CA = ca
		settings["ssl"] = "on"
		settings["ssl_cert_file"] = filepath.Join(s.folder, "server.crt")
		settings["ssl_key_file"] = filepath.Join(s.folder, "server.key")
	}
	if options.RequireTLS {
		hba = "local all all trust\nhostssl all all 127.0.0.1/32 scram-sha-256\n"
	}
	for name, value := range options.Settings {
		settings[name] = value
	}
	var conf bytes.Buffer
	for name, value := range settings {
		fmt.Fprintf(&conf, "%s = '%s'\n", name, strings.ReplaceAll(value, "'", "''"))
	}
	for name, content := range map[string][]byte{"postgresql.conf": conf.Bytes(), "pg_hba.conf": []byte(hba)} {
		if err := os.WriteFile(filepath.Join(s.data(), name), content, 0o600); err != nil {
			return fmt.Errorf("configure the server: %w", err)
		}
	}
	return nil
}

// keeperScript runs the server and waits for the end of its standard input, which comes when the test
// process ends in whatever way; then it ends the server and removes its folder.
const keeperScript = `"$1"/postgres -D "$2"/data -c port="$3" >>"$2"/log 2>&1 </dev/null & server=$!
read -r _; kill -QUIT $server 2>/dev/null; wait $server; cd /; rm -rf "$2"`

func (s *PostgresServer) launch(bin string, credential *syscall.Credential) error {
	port, err := freePort()
	if err != nil {
		return err
	}
	s.Port = port
	s.keeper = exec.Command("/bin/sh", "-c", keeperScript, "sh", bin, s.folder, strconv.Itoa(port))
	s.keeper.Dir = s.folder
	// A group of its own keeps an interrupt at the terminal from reaching the keeper before the clean-up.
	s.keeper.SysProcAttr = &syscall.SysProcAttr{Credential: credential, Setpgid: true}
	life, err := s.keeper.StdinPipe()
	if err != nil {
		return fmt.Errorf("make the keeper's pipe: %w", err)
	}
	if err := s.keeper.Start(); err != nil {
		return fmt.Errorf("start the server: %w", err)
	}
	s.stop = sync.OnceFunc(func() {
		_ = life.Close()
		_ = s.keeper.Wait() // the script's status is the killed server's
		_ = os.RemoveAll(s.folder)
	})
	if err := s.waitReady(); err != nil {
		log, _ := os.ReadFile(filepath.Join(s.folder, "log"))
		s.keepFolderAndStop(life)
		return fmt.Errorf("%w; the server's log: %s", err, log)
	}
	return nil
}

// keepFolderAndStop ends a server that did not come up, for another try on the same folder.
func (s *PostgresServer) keepFolderAndStop(life interface{ Close() error }) {
	_ = syscall.Kill(-s.keeper.Process.Pid, syscall.SIGKILL)
	_ = life.Close()
	_ = s.keeper.Wait()
	_ = os.Remove(filepath.Join(s.data(), "postmaster.pid"))
}

func (s *PostgresServer) waitReady() error {
	deadline := time.Now().Add(60 * time.Second)
	for {
		err := s.exec("postgres", "SELECT 1")
		if err == nil {
			return nil
		}
		log, _ := os.ReadFile(filepath.Join(s.folder, "log"))
		if bytes.Contains(log, []byte("FATAL:  could not")) || time.Now().After(deadline) {
			return fmt.Errorf("wait for the server: %w", err)
		}
		time.Sleep(10 * time.Millisecond) // polling a process that announces itself in no other way
	}
}

func (s *PostgresServer) data() string { return filepath.Join(s.folder, "data") }

func (s *PostgresServer) give(path string, credential *syscall.Credential) error {
	if credential == nil {
		return nil
	}
	if err := os.Chown(path, int(credential.Uid), int(credential.Gid)); err != nil {
		return fmt.Errorf("hand %s to the server's account: %w", filepath.Base(path), err)
	}
	return nil
}

// postgresBinaries finds the newest server that is installed.
func postgresBinaries() (string, error) {
	found, err := filepath.Glob("/usr/lib/postgresql/*/bin/postgres")
	if err != nil {
		return "", fmt.Errorf("look for PostgreSQL: %w", err)
	}
	slices.SortFunc(found, func(a, b string) int { return postgresMajor(b) - postgresMajor(a) })
	if len(found) > 0 {
		return filepath.Dir(found[0]), nil
	}
	if path, err := exec.LookPath("postgres"); err == nil {
		if path, err = filepath.EvalSymlinks(path); err == nil {
			return filepath.Dir(path), nil
		}
	}
	return "", errors.New("no PostgreSQL server found in /usr/lib/postgresql/*/bin or on PATH: " +
		"install one, on Debian and Ubuntu with `apt-get install postgresql`")
}

func postgresMajor(path string) int {
	major, err := strconv.Atoi(filepath.Base(filepath.Dir(filepath.Dir(path))))
	if err != nil {
		return 0
	}
	return major
}

func freePort() (int, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, fmt.Errorf("find a free port: %w", err)
	}
	defer func() { _ = l.Close() }()
	address, ok := l.Addr().(*net.TCPAddr)
	if !ok {
		return 0, fmt.Errorf("find a free port: unexpected address %s", l.Addr())
	}
	return address.Port, nil
}
