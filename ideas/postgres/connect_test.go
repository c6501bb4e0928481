package postgres_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/quaeso/community-operator/ideas"
	"github.com/quaeso/community-operator/ideas/postgres"
	"github.com/quaeso/community-operator/internal/control"
	"github.com/quaeso/community-operator/internal/testutil"
)

// eventually asks until the answer is yes.
func eventually(t testing.TB, within time.Duration, what string, yes func() bool) {
	t.Helper()
	deadline := time.Now().Add(within)
	for !yes() {
		if time.Now().After(deadline) {
			t.Fatalf("%s: not within %s", what, within)
		}
		time.Sleep(5 * time.Millisecond)
	}
}

func TestRefusedConnectionsAreToldApart(t *testing.T) {
	db := migrated(t)
	secure := testutil.StartPostgres(t, testutil.PostgresOptions{TLS: true, RequireTLS: true})
	securely := secure.Database(t)
	noRights := db.Server.Database(t)
	noRights.Exec(t, "REVOKE ALL ON DATABASE "+noRights.Name+" FROM PUBLIC", "ALTER DATABASE "+noRights.Name+" OWNER TO CURRENT_USER",
		"GRANT CONNECT ON DATABASE "+noRights.Name+" TO "+noRights.Role)
	foreign := db.Server.Database(t)
	foreign.Exec(t, "CREATE ROLE "+foreign.Role+"_other", "CREATE SCHEMA ideas AUTHORIZATION "+foreign.Role+"_other",
		"GRANT ALL ON SCHEMA ideas TO "+foreign.Role)
	for name, tc := range map[string]struct{ uri, reason, message string }{
		"wrong password":              {db.Server.URI(db.Role, "wrong", db.Name), control.ReasonPasswordRefused, "28P01"},
		"missing database":            {db.Server.URI(db.Role, db.Password, "missing"), control.ReasonDatabaseMissing, "3D000"},
		"TLS refused":                 {db.URI() + "?sslmode=require", control.ReasonTLSRefused, "TLS"},
		"TLS wanted":                  {securely.URI() + "?sslmode=disable", control.ReasonTLSRefused, "TLS"},
		"unreachable":                 {strings.Replace(db.URI(), fmt.Sprint(db.Server.Port), "1", 1), control.ReasonDatabaseUnreachable, "refused"},
		"no right to make the schema": {noRights.URI(), control.ReasonPermissionDenied, "permission denied for database"},
		"schema of another role":      {foreign.URI(), control.ReasonMigrationFailed, "ALTER SCHEMA"},
	} {
		t.Run(name, func(t *testing.T) {
			store := run(t, postgres.Config{URI: func() (string, error) { return tc.uri, nil }})
			eventually(t, time.Minute, "the first attempt", func() bool {
				return store.Database().Reason != control.ReasonDatabaseStarting
			})
			state := store.Database()
			if state.Ready || state.Reason != tc.reason || !strings.Contains(state.Message, tc.message) {
				t.Errorf("state = %+v, want reason %s and a message with %q", state, tc.reason, tc.message)
			}
			if strings.Contains(state.Message, db.Password) {
				t.Errorf("message %q holds the password", state.Message)
			}
			if _, err := store.Totals(t.Context()); !errors.Is(err, ideas.ErrUnavailable) {
				t.Errorf("a call to the store gives %v, want ErrUnavailable", err)
			}
		})
	}
}

func TestMissingURIIsReported(t *testing.T) {
	store := run(t, postgres.Config{URI: func() (string, error) { return "", errors.New("database-uri is missing or empty") }})
	eventually(t, time.Minute, "the report", func() bool { return strings.Contains(store.Database().Message, "database-uri is missing") })
}

// TestRecoversFromARestart has the server crash and come back.
func TestRecoversFromARestart(t *testing.T) {
	first := testutil.StartPostgres(t, testutil.PostgresOptions{})
	db := first.Database(t)
	proxy := newProxy(t, first)
	uri := strings.Replace(db.URI(), fmt.Sprint(first.Port), fmt.Sprint(proxy.port), 1)
	store := open(t, postgres.Config{URI: func() (string, error) { return uri, nil }})
	proxy.cut()
	eventually(t, time.Minute, "the report of the outage", func() bool { return !store.Database().Ready })
	proxy.mend()
	eventually(t, time.Minute, "the recovery", func() bool { return store.Database().Ready })
	if _, err := store.Totals(t.Context()); err != nil {
		t.Errorf("after the recovery: %v", err)
	}
}

// TestNoticesASilentServer has the line go dead without a word, as when a node is lost.
func TestNoticesASilentServer(t *testing.T) {
	db := testutil.Postgres(t).Database(t)
	proxy := newProxy(t, db.Server)
	uri := strings.Replace(db.URI(), fmt.Sprint(db.Server.Port), fmt.Sprint(proxy.port), 1)
	store := open(t, postgres.Config{URI: func() (string, error) { return uri, nil }})
	if _, err := store.Totals(t.Context()); err != nil {
		t.Fatal(err)
	}
	proxy.frozen.Store(true)
	ctx, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond)
	defer cancel()
	if _, err := store.Totals(ctx); !errors.Is(err, ideas.ErrUnavailable) {
		t.Errorf("a query that gets no answer: %v, want ErrUnavailable", err)
	}
	eventually(t, time.Minute, "the report of the outage", func() bool { return !store.Database().Ready })
	proxy.frozen.Store(false)
	eventually(t, time.Minute, "the recovery", func() bool {
		_, err := store.Totals(t.Context())
		return store.Database().Ready && err == nil
	})
}

func TestRotatedPasswordIsTakenUp(t *testing.T) {
	db := testutil.Postgres(t).Database(t)
	var uri atomic.Value
	uri.Store(db.URI())
	store := open(t, postgres.Config{URI: func() (string, error) { return uri.Load().(string), nil }})

	uri.Store(db.Server.URI(db.Role, "not yet set", db.Name))
	eventually(t, time.Minute, "the complaint about the new password", func() bool {
		state := store.Database()
		return state.Ready && strings.Contains(state.Message, "28P01")
	})
	if _, err := store.Totals(t.Context()); err != nil {
		t.Errorf("while the new password does not work yet: %v", err)
	}
	db.Exec(t, "ALTER ROLE "+db.Role+" PASSWORD 'not yet set'")
	eventually(t, time.Minute, "the switch to the new password", func() bool {
		state := store.Database()
		return state.Ready && state.Message == ""
	})
	db.Exec(t, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = '"+db.Role+"'")
	eventually(t, time.Minute, "a query with the new password", func() bool {
		_, err := store.Totals(t.Context())
		return err == nil
	})
}

// TestHostileDatabase plants functions, operators and tables that would be taken for the real ones if any session
// looked into public, or let the role's own settings decide where to look.
func TestHostileDatabase(t *testing.T) {
	db := testutil.Postgres(t).Database(t)
	trap := `CREATE FUNCTION public.%s RETURNS %s LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'trapped'; END $$`
	db.Exec(t,
		"CREATE TABLE public.trapped (who text)", "GRANT ALL ON SCHEMA public TO PUBLIC",
		fmt.Sprintf(trap, "lower(varchar)", "text"), fmt.Sprintf(trap, "fold(text)", "text"), fmt.Sprintf(trap, "fold(varchar)", "text"),
		fmt.Sprintf(trap, "now()", "timestamptz"), fmt.Sprintf(trap, "count_total(text, integer)", "void"),
		fmt.Sprintf(trap, "search_document(varchar, varchar)", "tsvector"), fmt.Sprintf(trap, "search_query(varchar)", "tsquery"),
		fmt.Sprintf(trap, "pg_notify(text, varchar)", "void"), fmt.Sprintf(trap, "greatest_of(int, int)", "int"),
		fmt.Sprintf(trap, "same(text, varchar)", "boolean"), fmt.Sprintf(trap, "same_id(bigint, integer)", "boolean"),
		"CREATE OPERATOR public.= (LEFTARG = text, RIGHTARG = varchar, FUNCTION = public.same)",
		"CREATE OPERATOR public.= (LEFTARG = bigint, RIGHTARG = integer, FUNCTION = public.same_id)",
		"CREATE TABLE public.member (id bigint, email text, name text, locale text, created_at timestamptz)",
		"CREATE TABLE public.declaration (only_row boolean, uid text, generation bigint, digest text, settings jsonb)",
		"INSERT INTO public.declaration VALUES (true, 'planted', 99, 'x', '{\"baseURL\":\"https://evil.example\"}')",
		"CREATE TABLE public.goose_db_version (id serial, version_id bigint, is_applied boolean, tstamp timestamp default now())",
		"INSERT INTO public.goose_db_version (version_id, is_applied) VALUES (9999, true)",
		"GRANT ALL ON ALL TABLES IN SCHEMA public TO PUBLIC",
		"ALTER ROLE "+db.Role+" SET search_path = public, ideas", "ALTER DATABASE "+db.Name+" SET search_path = public, ideas")
	store := open(t, postgres.Config{URI: func() (string, error) { return db.URI() + "?search_path=public&options=-csearch_path%3Dpublic", nil }})

	if _, declared := store.Current(t.Context()); declared {
		t.Error("the planted declaration is in force")
	}
	if inForce, accepted, err := store.Declare(t.Context(), declaration("uid", 1, "#112233")); err != nil || !accepted {
		t.Errorf("declare: %+v, %v, %v", inForce, accepted, err)
	}
	m := member(t, store, "Alix")
	idea := submit(t, store, m, "A tent")
	if _, err := store.SetSupport(t.Context(), m.ID, idea.ID, true); err != nil {
		t.Errorf("support: %v", err)
	}
	if _, err := store.AddComment(t.Context(), m.ID, idea.ID, "key", "text"); err != nil {
		t.Errorf("comment: %v", err)
	}
	if page, err := store.ListIdeas(t.Context(), m.ID, ideas.Query{Search: "tent"}); err != nil || len(page.Ideas) != 1 {
		t.Errorf("search: %v, %v", page, err)
	}
	if err := store.RequestLink(t.Context(), ideas.LinkRequest{Email: "a@brand.example", Locale: "en", ReturnTo: "/", ClientAddress: "192.0.2.1"}); err != nil {
		t.Errorf("request a link: %v", err)
	}
	if n := db.QueryInt(t, "SELECT (SELECT count(*) FROM public.member) + (SELECT count(*) FROM public.trapped)"); n != 0 {
		t.Errorf("%d rows went into planted tables", n)
	}
	if n := db.QueryInt(t, "SELECT count(*) FROM ideas.member"); n != 1 {
		t.Errorf("%d members in our schema, want 1", n)
	}
}

func TestSessionsArePinned(t *testing.T) {
	_, db := fresh(t)
	for name, query := range map[string]string{
		"application names":    "SELECT count(*) FROM pg_stat_activity WHERE datname = '" + db.Name + "' AND usename = '" + db.Role + "' AND application_name <> 'ideas'",
		"passwords in queries": "SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%" + db.Password + "%' AND pid <> pg_backend_pid()",
	} {
		if n := db.QueryInt(t, query); n != 0 {
			t.Errorf("%s: %d sessions differ", name, n)
		}
	}
}

// TestReplicasMigrateTogether starts many stores on one empty database at the same moment.
func TestReplicasMigrateTogether(t *testing.T) {
	db := testutil.Postgres(t).Database(t)
	var wait sync.WaitGroup
	for range 6 {
		wait.Go(func() { open(t, configFor(db)) })
	}
	wait.Wait()
	if n := db.QueryInt(t, "SELECT count(*) FROM ideas.goose_db_version WHERE version_id = 1"); n != 1 {
		t.Errorf("the first migration is recorded %d times, want once", n)
	}
}

// TestProcessesMigrateTogether does the same with processes, and kills one on its way.
func TestProcessesMigrateTogether(t *testing.T) {
	if uri := os.Getenv("MIGRATE_URI"); uri != "" {
		open(t, postgres.Config{URI: func() (string, error) { return uri, nil }})
		return
	}
	db := testutil.Postgres(t).Database(t)
	var children []*exec.Cmd
	var outputs []*bytes.Buffer
	for range 3 {
		child := exec.Command(os.Args[0], "-test.run=^TestProcessesMigrateTogether$", "-test.timeout=60s")
		child.Env = append(os.Environ(), "MIGRATE_URI="+db.URI())
		out := &bytes.Buffer{}
		child.Stdout, child.Stderr = out, out
		if err := child.Start(); err != nil {
			t.Fatal(err)
		}
		children, outputs = append(children, child), append(outputs, out)
	}
	eventually(t, time.Minute, "a first connection", func() bool {
		return db.QueryInt(t, "SELECT count(*) FROM pg_stat_activity WHERE usename = '"+db.Role+"'") > 0
	})
	_ = children[0].Process.Kill()
	_ = children[0].Wait()
	for i, child := range children[1:] {
		if err := child.Wait(); err != nil {
			t.Errorf("process %d: %v\n%s", i+1, err, outputs[i+1])
		}
	}
	if n := db.QueryInt(t, "SELECT count(*) FROM ideas.goose_db_version WHERE version_id = 1"); n != 1 {
		t.Errorf("the first migration is recorded %d times, want once", n)
	}
}

// TestNewerSchemaIsServed is a roll-back to the release before.
func TestNewerSchemaIsServed(t *testing.T) {
	db := migrated(t)
	db.Exec(t, "INSERT INTO ideas.goose_db_version (version_id, is_applied) VALUES (4711, true)")
	store := open(t, configFor(db))
	if state := store.Database(); !state.Ready || state.SchemaVersion != 4711 {
		t.Errorf("state = %+v, want ready with schema 4711", state)
	}
}

func TestSecretsStayOutOfTheLog(t *testing.T) {
	db := testutil.Postgres(t).Database(t)
	var log lockedBuffer
	logger := slog.New(slog.NewJSONHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	var uri atomic.Value
	uri.Store("postgres://" + db.Role + ":hunter2@[broken")
	store := run(t, postgres.Config{URI: func() (string, error) { return uri.Load().(string), nil }, Logger: logger})
	eventually(t, time.Minute, "the report", func() bool { return strings.Contains(store.Database().Message, "cannot be parsed") })
	uri.Store(db.Server.URI(db.Role, "hunter2", db.Name))
	eventually(t, time.Minute, "the report", func() bool { return store.Database().Reason == control.ReasonPasswordRefused })
	uri.Store(db.URI())
	eventually(t, time.Minute, "the connection", func() bool { return store.Database().Ready })
	if text := log.String(); strings.Contains(text, "hunter2") || strings.Contains(text, db.Password) {
		t.Errorf("the log holds a password:\n%s", text)
	}
}

type lockedBuffer struct {
	mutex  sync.Mutex
	buffer bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mutex.Lock()
	defer b.mutex.Unlock()
	return b.buffer.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mutex.Lock()
	defer b.mutex.Unlock()
	return b.buffer.String()
}

// proxy stands between a store and its server, and can cut the line.
type proxy struct {
	port     int
	mutex    sync.Mutex
	isCut    bool
	conns    []net.Conn
	frozen   atomic.Bool
	upstream string
}

func newProxy(t *testing.T, server *testutil.PostgresServer) *proxy {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &proxy{port: l.Addr().(*net.TCPAddr).Port, upstream: net.JoinHostPort(server.Host, fmt.Sprint(server.Port))}
	t.Cleanup(func() { p.frozen.Store(false); _ = l.Close(); p.cut() })
	go func() {
		for {
			client, err := l.Accept()
			if err != nil {
				return
			}
			p.connect(client)
		}
	}()
	return p
}

func (p *proxy) connect(client net.Conn) {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	server, err := net.Dial("tcp", p.upstream)
	if err != nil || p.isCut {
		_ = client.Close()
		return
	}
	p.conns = append(p.conns, client, server)
	for _, pair := range [][2]net.Conn{{client, server}, {server, client}} {
		go func() {
			buffer := make([]byte, 32<<10)
			for {
				n, err := pair[0].Read(buffer)
				for p.frozen.Load() {
					time.Sleep(time.Millisecond)
				}
				if _, writeErr := pair[1].Write(buffer[:n]); err != nil || writeErr != nil {
					_ = pair[1].Close()
					return
				}
			}
		}()
	}
}

func (p *proxy) cut() {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	p.isCut = true
	for _, c := range p.conns {
		_ = c.Close()
	}
	p.conns = nil
}

func (p *proxy) mend() {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	p.isCut = false
}

// connectAs opens a plain connection, for statements that the store has no method for.
func connectAs(t testing.TB, uri string) *pgx.Conn {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), uri)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close(context.Background()) })
	return conn
}
