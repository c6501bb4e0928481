package postgres_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/quaeso/community-operator/internal/pgerror"
	"github.com/quaeso/community-operator/internal/postgres"
	"github.com/quaeso/community-operator/internal/testutil"
)

const owner = "brands/maison-claire"

// fixture is a server with an administrator that is no superuser.
type fixture struct {
	*testutil.PostgresServer
	admin  postgres.Admin
	server *postgres.Server
}

// administrator needs quoting, as an administrator may.
const administrator = `admin "one"`

var makeAdministrator sync.Once

func setup(t *testing.T) fixture {
	t.Helper()
	server := testutil.Postgres(t)
	makeAdministrator.Do(func() {
		server.Exec(t, "postgres", "CREATE ROLE "+pgx.Identifier{administrator}.Sanitize()+" LOGIN CREATEDB CREATEROLE PASSWORD 'admin:p@ss/'")
	})
	return fixture{
		PostgresServer: server, server: &postgres.Server{},
		admin: postgres.Admin{URI: server.URI(administrator, "admin:p@ss/", "")},
	}
}

// database returns a database of the test's own, dropped when the test ends.
func (f fixture) database(t *testing.T) postgres.Database {
	t.Helper()
	db := postgres.Database{Name: "c_" + strings.ToLower(t.Name()), Owner: owner, Password: "first-password", ConnectionLimit: 7}
	f.cleanUp(t, db.Name)
	return db
}

func (f fixture) cleanUp(t *testing.T, name string) {
	t.Helper()
	quoted := pgx.Identifier{name}.Sanitize()
	t.Cleanup(func() {
		f.Exec(t, "postgres", "DROP DATABASE IF EXISTS "+quoted+" WITH (FORCE)", "DROP ROLE IF EXISTS "+quoted)
	})
}

func (f fixture) ensure(t *testing.T, db postgres.Database) {
	t.Helper()
	if err := f.server.Ensure(t.Context(), f.admin, db); err != nil {
		t.Fatalf("ensure %s: %v", db.Name, err)
	}
}

// connect signs in as a community does.
func (f fixture) connect(t *testing.T, db postgres.Database) (*pgx.Conn, error) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), f.URI(db.Name, db.Password, db.Name))
	if err == nil {
		t.Cleanup(func() { _ = conn.Close(context.Background()) }) //nolint:usetesting // the test's own has ended
	}
	return conn, err
}

// text returns the one value that a query gives, as the superuser.
func (f fixture) text(t *testing.T, query string, args ...any) string {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), f.AdminURI("postgres"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close(t.Context()) }()
	var value string
	if err := conn.QueryRow(t.Context(), query, args...).Scan(&value); err != nil {
		t.Fatalf("query %s: %v", query, err)
	}
	return value
}

func (f fixture) exists(t *testing.T, name string) (role, database bool) {
	t.Helper()
	got := f.text(t, `SELECT EXISTS (SELECT FROM pg_roles WHERE rolname = $1) || ' ' || EXISTS (SELECT FROM pg_database WHERE datname = $1)`, name)
	return strings.HasPrefix(got, "true"), strings.HasSuffix(got, "true")
}

func TestEnsureMakesAUsableAndFencedDatabase(t *testing.T) {
	f := setup(t)
	db := f.database(t)
	f.ensure(t, db)

	conn, err := f.connect(t, db)
	if err != nil {
		t.Fatalf("the community cannot sign in: %v", err)
	}
	if _, err := conn.Exec(t.Context(), "CREATE SCHEMA ideas; CREATE TABLE ideas.idea (id int)"); err != nil {
		t.Errorf("the community cannot make its schema: %v", err)
	}
	if _, err := conn.Exec(t.Context(), "CREATE DATABASE other"); err == nil {
		t.Error("the community's role can make databases")
	}
	if _, err := conn.Exec(t.Context(), "CREATE ROLE other"); err == nil {
		t.Error("the community's role can make roles")
	}
	got := f.text(t, `SELECT concat_ws(' ', rolcanlogin, rolsuper, rolcreatedb, rolcreaterole, rolreplication, rolbypassrls, rolconnlimit,
		shobj_description(oid, 'pg_authid')) FROM pg_roles WHERE rolname = $1`, db.Name)
	if want := "t f f f f f 7 community-operator: " + owner; got != want {
		t.Errorf("the role is %q, want %q", got, want)
	}
	stranger := f.Database(t)
	_, err = pgx.Connect(t.Context(), f.URI(stranger.Role, stranger.Password, db.Name))
	if reason, _ := classify(err); reason != "PermissionDenied" {
		t.Errorf("another community's role connects: %v", err)
	}
}

func classify(err error) (reason, message string) {
	if err == nil {
		return "", ""
	}
	return pgerror.Classify(err)
}

// written is a number that grows with everything that is written to the server.
func (f fixture) written(t *testing.T) string {
	t.Helper()
	return f.text(t, `SELECT string_agg(x, ' ') FROM (
		SELECT xmin::text || oid::text || rolcanlogin || rolconnlimit || coalesce(rolpassword, '') AS x FROM pg_authid
		UNION ALL SELECT xmin::text || oid::text FROM pg_database UNION ALL SELECT xmin::text || objoid::text FROM pg_shdescription
		UNION ALL SELECT xmin::text || roleid::text || member::text FROM pg_auth_members ORDER BY 1) AS everything`)
}

func TestEnsureAgainWritesNothing(t *testing.T) {
	f := setup(t)
	db := f.database(t)
	f.ensure(t, db)
	before := f.written(t)
	f.ensure(t, db)
	if after := f.written(t); after != before {
		t.Error("the second Ensure wrote to the server")
	}
	got, err := f.server.Observe(t.Context(), f.admin, db)
	if want := (postgres.Observation{RoleExists: true, DatabaseExists: true, UpToDate: true}); err != nil || got != want {
		t.Errorf("observed %+v, %v; want %+v", got, err, want)
	}
}

func TestEnsureRepairsDrift(t *testing.T) {
	f := setup(t)
	asAdmin := pgx.Identifier{administrator}.Sanitize()
	tests := map[string]string{
		"cannot sign in":      "ALTER ROLE %s NOLOGIN",
		"another limit":       "ALTER ROLE %s CONNECTION LIMIT 3",
		"may make databases":  "ALTER ROLE %s CREATEDB",
		"may make roles":      "ALTER ROLE %s CREATEROLE",
		"another password":    "ALTER ROLE %s PASSWORD 'other'",
		"no password":         "ALTER ROLE %s PASSWORD NULL",
		"open to all":         "GRANT CONNECT ON DATABASE %s TO PUBLIC",
		"temporary tables":    "GRANT TEMPORARY ON DATABASE %s TO PUBLIC",
		"closed to everybody": "ALTER DATABASE %s ALLOW_CONNECTIONS false",
		"another owner":       "ALTER DATABASE %s OWNER TO " + asAdmin,
		"database without a mark, as after an interruption": "COMMENT ON DATABASE %s IS NULL",
		"not a member":  "SET ROLE " + asAdmin + "; REVOKE %s FROM " + asAdmin,
		"database gone": "DROP DATABASE %s",
	}
	i := 0
	for name, drift := range tests {
		i++
		t.Run(name, func(t *testing.T) {
			db := postgres.Database{Name: fmt.Sprintf("drifted_%d", i), Owner: owner, Password: "first-password", ConnectionLimit: 7}
			f.cleanUp(t, db.Name)
			f.ensure(t, db)
			f.Exec(t, "postgres", fmt.Sprintf(drift, pgx.Identifier{db.Name}.Sanitize()))
			f.ensure(t, db)
			observed, err := f.server.Observe(t.Context(), f.admin, db)
			if err != nil || !observed.UpToDate {
				t.Errorf("after the repair: %+v, %v", observed, err)
			}
			if _, err := f.connect(t, db); err != nil {
				t.Errorf("the community cannot sign in after the repair: %v", err)
			}
		})
	}
}

func TestEnsureRefusesARoleThatBecameSuperuser(t *testing.T) {
	f := setup(t)
	db := f.database(t)
	f.ensure(t, db)
	f.Exec(t, "postgres", "ALTER ROLE "+db.Name+" SUPERUSER")
	err := f.server.Ensure(t.Context(), f.admin, db)
	if reason, message := classify(err); reason != "PermissionDenied" {
		t.Errorf("an administrator that cannot take SUPERUSER away got %s %s", reason, message)
	}
}

func TestPasswordRotation(t *testing.T) {
	f := setup(t)
	db := f.database(t)
	f.ensure(t, db)
	old := db
	db.Password = `second "password' \ $1 ; --`
	f.ensure(t, db)
	if _, err := f.connect(t, db); err != nil {
		t.Errorf("the new password is refused: %v", err)
	}
	if _, err := f.connect(t, old); err == nil {
		t.Error("the old password still works")
	}
}

func TestPasswordNeverReachesTheServer(t *testing.T) {
	server := testutil.StartPostgres(t, testutil.PostgresOptions{Settings: map[string]string{"log_statement": "all", "log_min_duration_statement": "0"}})
	admin := postgres.Admin{URI: server.AdminURI("postgres")}
	db := postgres.Database{Name: "quiet", Owner: owner, Password: "hush-hush-1"}
	for _, password := range []string{"hush-hush-1", "hush-hush-2"} {
		db.Password = password
		if err := (&postgres.Server{}).Ensure(t.Context(), admin, db); err != nil {
			t.Fatal(err)
		}
	}
	log := fixture{PostgresServer: server}.text(t, "SELECT pg_read_file(current_setting('unix_socket_directories') || '/log')")
	if !strings.Contains(log, "CREATE ROLE") || !strings.Contains(log, "ALTER ROLE") {
		t.Fatal("the server's log lacks our statements")
	}
	if strings.Contains(log, "hush-hush") {
		t.Error("the clear password is in the server's log")
	}
}

func TestEnsureAsSuperuser(t *testing.T) {
	f := setup(t)
	db := f.database(t)
	admin := postgres.Admin{URI: f.AdminURI("postgres")}
	if err := f.server.Ensure(t.Context(), admin, db); err != nil {
		t.Fatal(err)
	}
	if got := f.text(t, "SELECT count(*)::text FROM pg_auth_members WHERE roleid = $1::regrole AND member = 'superuser'::regrole AND NOT admin_option", db.Name); got != "0" {
		t.Error("a superuser was made a member of the role without need")
	}
	if err := f.server.Drop(t.Context(), admin, db); err != nil {
		t.Fatal(err)
	}
}

func TestForeignObjectsAreNotTouched(t *testing.T) {
	f := setup(t)
	tests := map[string]struct {
		prepare    []string
		kind, mark string
	}{
		"role without a mark":       {prepare: []string{"CREATE ROLE foreign_x"}, kind: "role"},
		"role of another owner":     {prepare: []string{"CREATE ROLE foreign_x", "COMMENT ON ROLE foreign_x IS 'community-operator: other/one'"}, kind: "role", mark: "community-operator: other/one"},
		"role with another comment": {prepare: []string{"CREATE ROLE foreign_x", "COMMENT ON ROLE foreign_x IS 'x community-operator: " + owner + "'"}, kind: "role", mark: "x community-operator: " + owner},
		"database without a mark":   {prepare: []string{"CREATE DATABASE foreign_x"}, kind: "database"},
		"database of another owner": {prepare: []string{"CREATE DATABASE foreign_x", "COMMENT ON DATABASE foreign_x IS 'community-operator: other/one'"}, kind: "database", mark: "community-operator: other/one"},
		"our role, unmarked database of somebody": {prepare: []string{
			"CREATE ROLE foreign_x", "COMMENT ON ROLE foreign_x IS 'community-operator: " + owner + "'", "CREATE DATABASE foreign_x",
		}, kind: "database"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			db := postgres.Database{Name: "foreign_x", Owner: owner, Password: "p"}
			f.cleanUp(t, db.Name)
			f.Exec(t, "postgres", test.prepare...)
			before := f.written(t)
			_, observeErr := f.server.Observe(t.Context(), f.admin, db)
			for verb, err := range map[string]error{
				"Observe": observeErr,
				"Ensure":  f.server.Ensure(t.Context(), f.admin, db),
				"Drop":    f.server.Drop(t.Context(), f.admin, db),
			} {
				var foreign *postgres.ForeignError
				if !errors.As(err, &foreign) {
					t.Fatalf("%s answered %v", verb, err)
				}
				if want := (postgres.ForeignError{Kind: test.kind, Name: db.Name, Mark: test.mark, Owner: owner}); *foreign != want {
					t.Errorf("%s: got %+v, want %+v", verb, *foreign, want)
				}
			}
			if f.written(t) != before {
				t.Error("a foreign object was touched")
			}
		})
	}
}

func TestKeptDatabaseIsTakenOver(t *testing.T) {
	f := setup(t)
	db := f.database(t)
	f.ensure(t, db)
	conn, err := f.connect(t, db)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := conn.Exec(t.Context(), "CREATE TABLE public.kept AS SELECT 42 AS answer"); err != nil {
		t.Fatal(err)
	}
	db.Password = "of the new Community"
	f.ensure(t, db)
	conn, err = f.connect(t, db)
	if err != nil {
		t.Fatal(err)
	}
	var answer int
	if err := conn.QueryRow(t.Context(), "SELECT answer FROM public.kept").Scan(&answer); err != nil || answer != 42 {
		t.Errorf("the kept data: %d, %v", answer, err)
	}
}

func TestDrop(t *testing.T) {
	f := setup(t)
	db := f.database(t)
	f.ensure(t, db)
	for range 2 { // what is gone already is no error
		if err := f.server.Drop(t.Context(), f.admin, db); err != nil {
			t.Fatal(err)
		}
		if role, database := f.exists(t, db.Name); role || database {
			t.Errorf("after the drop: role %t, database %t", role, database)
		}
	}
	f.ensure(t, db) // the name can be used again
}

func TestDropGoesOnAfterAnInterruption(t *testing.T) {
	f := setup(t)
	db := f.database(t)
	f.ensure(t, db)
	f.Exec(t, "postgres", "DROP DATABASE "+db.Name)
	if err := f.server.Drop(t.Context(), f.admin, db); err != nil {
		t.Fatal(err)
	}
	if role, _ := f.exists(t, db.Name); role {
		t.Error("the role is still there")
	}
}

// TestDropWithLiveConnections has clients that write, sit in transactions and reconnect at once.
func TestDropWithLiveConnections(t *testing.T) {
	f := setup(t)
	db := f.database(t)
	db.ConnectionLimit = 0
	f.ensure(t, db)
	ctx, cancel := context.WithCancel(t.Context())
	var clients sync.WaitGroup
	connected := make(chan struct{}, 100)
	for range 5 {
		clients.Go(func() {
			for ctx.Err() == nil {
				conn, err := pgx.Connect(ctx, f.URI(db.Name, db.Password, db.Name))
				if err != nil {
					continue
				}
				select {
				case connected <- struct{}{}:
				default:
				}
				_, _ = conn.Exec(ctx, "BEGIN; CREATE TABLE IF NOT EXISTS public.busy (i int); INSERT INTO public.busy VALUES (1); SELECT pg_sleep(30)")
				_ = conn.Close(ctx)
			}
		})
	}
	for range 5 {
		<-connected
	}
	started := time.Now()
	err := f.server.Drop(t.Context(), f.admin, db)
	cancel()
	clients.Wait()
	if err != nil {
		t.Fatalf("drop under live connections: %v", err)
	}
	if role, database := f.exists(t, db.Name); role || database {
		t.Errorf("after the drop: role %t, database %t", role, database)
	}
	if took := time.Since(started); took > 20*time.Second {
		t.Errorf("the drop took %s", took)
	}
}

func TestDropOfARoleThatPlantedObjects(t *testing.T) {
	f := setup(t)
	db := f.database(t)
	f.ensure(t, db)
	// As on servers that were upgraded from PostgreSQL 14 or older.
	f.Exec(t, "postgres", "GRANT CREATE ON SCHEMA public TO PUBLIC")
	t.Cleanup(func() { f.Exec(t, "postgres", "REVOKE CREATE ON SCHEMA public FROM PUBLIC") })
	f.Exec(t, "postgres", "SET ROLE "+db.Name,
		"CREATE FUNCTION public.pg_has_role(oid, text) RETURNS boolean LANGUAGE sql AS 'SELECT 1/0 = 1'",
		"CREATE FUNCTION public.shobj_description(oid, text) RETURNS text LANGUAGE sql AS $$SELECT 'community-operator: '$$")
	f.ensure(t, db)
	if err := f.server.Drop(t.Context(), f.admin, db); err != nil {
		t.Fatal(err)
	}
}

func TestConcurrentEnsure(t *testing.T) {
	f := setup(t)
	const many = 50
	var dbs []postgres.Database
	for i := range many {
		dbs = append(dbs, postgres.Database{Name: fmt.Sprintf("many_%d", i), Owner: owner, Password: fmt.Sprintf("password-%d", i)})
		f.cleanUp(t, dbs[i].Name)
	}
	dbs = append(dbs, dbs[0], dbs[0], dbs[0]) // two operators that both believe that they lead
	var all sync.WaitGroup
	failures := make([]error, len(dbs))
	for i, db := range dbs {
		all.Go(func() { failures[i] = f.server.Ensure(t.Context(), f.admin, db) })
	}
	all.Wait()
	if err := errors.Join(failures...); err != nil {
		t.Fatal(err)
	}
	for _, db := range dbs {
		if conn, err := f.connect(t, db); err != nil {
			t.Errorf("%s: %v", db.Name, err)
		} else {
			_ = conn.Close(t.Context())
		}
	}
}

func TestHostileNames(t *testing.T) {
	f := setup(t)
	tests := map[string]string{
		"quotes":            `a"; DROP DATABASE postgres; --`,
		"apostrophe":        `a'b\'c`,
		"dollars":           `$1 $$ $x$`,
		"line break":        "a\nb",
		"upper case":        "MixedCase",
		"spaces and dots":   " a.b ",
		"emoji":             "💡",
		"percent":           "%s %d %%",
		"longest":           strings.Repeat("n", 63),
		"path":              "../../etc",
		"parameter":         "a?sslmode=disable&b=c#d",
		"another statement": "x WITH SUPERUSER",
	}
	for what, name := range tests {
		t.Run(what, func(t *testing.T) {
			db := postgres.Database{Name: name, Owner: "brands/" + name, Password: "p'\"\\"}
			f.cleanUp(t, name)
			f.ensure(t, db)
			f.ensure(t, db)
			if _, err := f.connect(t, db); err != nil {
				t.Errorf("the community cannot sign in: %v", err)
			}
			if err := f.server.Drop(t.Context(), f.admin, db); err != nil {
				t.Errorf("drop: %v", err)
			}
		})
	}
}

func TestImpossibleDescriptionsAreRefused(t *testing.T) {
	f := setup(t)
	tests := map[string]postgres.Database{
		"no name":              {Owner: owner, Password: "p"},
		"name that is cut off": {Name: strings.Repeat("n", 64), Owner: owner, Password: "p"},
		"null in the name":     {Name: "a\x00b", Owner: owner, Password: "p"},
		"not UTF-8":            {Name: "a\xff", Owner: owner, Password: "p"},
		"no owner":             {Name: "refused", Password: "p"},
		"no password":          {Name: "refused", Owner: owner},
		"password with umlaut": {Name: "refused", Owner: owner, Password: "pässword"},
		"negative limit":       {Name: "refused", Owner: owner, Password: "p", ConnectionLimit: -1},
		"reserved name":        {Name: "pg_monitor", Owner: owner, Password: "p"},
	}
	for name, db := range tests {
		t.Run(name, func(t *testing.T) {
			if err := f.server.Ensure(t.Context(), f.admin, db); err == nil {
				t.Error("no error")
			}
			if role, database := f.exists(t, "refused"); role || database {
				t.Errorf("it left role %t, database %t behind", role, database)
			}
		})
	}
}

func TestAdministratorWithoutRights(t *testing.T) {
	f := setup(t)
	weak := f.Database(t)
	db := f.database(t)
	err := f.server.Ensure(t.Context(), postgres.Admin{URI: weak.URI()}, db)
	if reason, message := classify(err); reason != "PermissionDenied" {
		t.Errorf("an administrator without rights got %s: %s", reason, message)
	}
}

func TestProbe(t *testing.T) {
	f := setup(t)
	secure := testutil.StartPostgres(t, testutil.PostgresOptions{TLS: true, RequireTLS: true})
	ca, err := os.ReadFile(secure.CA)
	if err != nil {
		t.Fatal(err)
	}
	otherCA, err := os.ReadFile(testutil.StartPostgres(t, testutil.PostgresOptions{TLS: true}).CA)
	if err != nil {
		t.Fatal(err)
	}
	good := f.Database(t)
	fenced := f.database(t)
	f.ensure(t, fenced)
	limited := f.Database(t)
	limited.Exec(t, "CREATE ROLE limited LOGIN PASSWORD 'p'")
	t.Cleanup(func() { f.Exec(t, "postgres", "DROP ROLE limited") })
	installed := f.Database(t)
	installed.Exec(t, "CREATE SCHEMA ideas")
	localhost := strings.Replace(secure.AdminURI("postgres"), "127.0.0.1", "localhost", 1)
	tests := map[string]struct {
		uri    string
		ca     []byte
		reason string
		words  string
	}{
		"good":              {uri: good.URI()},
		"schema there":      {uri: f.URI("limited", "p", installed.Name)},
		"verified":          {uri: localhost + "?sslmode=verify-full", ca: ca},
		"verified, no name": {uri: localhost + "?sslmode=verify-ca", ca: ca},
		"TLS unverified":    {uri: localhost + "?sslmode=require"},

		"wrong password":       {uri: f.URI(good.Role, "wrong", good.Name), reason: "PasswordRefused", words: "password authentication failed"},
		"unknown user":         {uri: f.URI("nobody", "x", good.Name), reason: "PasswordRefused"},
		"missing database":     {uri: f.URI(good.Role, good.Password, "missing"), reason: "DatabaseMissing", words: `"missing"`},
		"another's database":   {uri: f.URI(good.Role, good.Password, fenced.Name), reason: "PermissionDenied"},
		"may not make schemas": {uri: f.URI("limited", "p", limited.Name), reason: "PermissionDenied", words: "permission denied for database"},
		"nothing listens":      {uri: "postgresql://u:p@127.0.0.1:1/db", reason: "Unreachable", words: "connection refused"},
		"unknown host":         {uri: "postgresql://u:p@no-such-host.invalid/db", reason: "Unreachable", words: "no-such-host.invalid"},
		"without TLS":          {uri: localhost + "?sslmode=disable", reason: "TLSRefused", words: "sslmode"},
		"no TLS offered":       {uri: good.URI() + "?sslmode=require", reason: "TLSRefused", words: "does not offer TLS"},
		"another authority":    {uri: localhost + "?sslmode=verify-full", ca: otherCA, reason: "TLSRefused", words: "not trusted"},
		"no authority":         {uri: localhost + "?sslmode=verify-full", reason: "TLSRefused", words: "not trusted"},
		"no PEM":               {uri: localhost + "?sslmode=verify-full", ca: []byte("x"), reason: "Unreachable", words: "ca.crt holds no PEM certificate"},
		"not a URI":            {uri: "host=localhost password=secret", reason: "Unreachable", words: "right is postgresql://"},
		"broken URI":           {uri: "postgresql://u:se%cret@h/db", reason: "Unreachable", words: "right is postgresql://"},
		"socket":               {uri: "postgresql://u:p@%2Ftmp/db", reason: "Unreachable", words: "right is postgresql://"},
		"a file of ours":       {uri: good.URI() + "?sslkey=/etc/shadow", reason: "Unreachable", words: `parameter "sslkey"`},
		"another host":         {uri: good.URI() + "?host=other", reason: "Unreachable", words: `parameter "host"`},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			reason, message := classify(f.server.Probe(t.Context(), test.uri, test.ca))
			if reason != test.reason || !strings.Contains(message, test.words) {
				t.Errorf("got %s: %s; want %s: %s", reason, message, test.reason, test.words)
			}
			if strings.Contains(message, "se%cret") || strings.Contains(message, "secret") {
				t.Errorf("the password shows: %s", message)
			}
		})
	}
	if n := good.QueryInt(t, "SELECT count(*) FROM pg_namespace WHERE nspname = 'ideas'"); n != 0 {
		t.Error("the probe left its schema behind")
	}
}

// silent accepts connections and never says a word.
func silent(t *testing.T) (address string) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			t.Cleanup(func() { _ = conn.Close() })
		}
	}()
	return listener.Addr().String()
}

func TestSilentServerHoldsNobodyUp(t *testing.T) {
	address := silent(t)
	server := &postgres.Server{}
	admin := postgres.Admin{URI: "postgresql://u:p@" + address + "/db?sslmode=disable"}
	started := time.Now()
	var all sync.WaitGroup
	for i := range 30 {
		all.Go(func() {
			err := server.Ensure(t.Context(), admin, postgres.Database{Name: fmt.Sprint("db", i), Owner: owner, Password: "p"})
			if reason, message := classify(err); reason != "Unreachable" || !strings.Contains(message, "no answer in time") {
				t.Errorf("a silent server gave %s: %s", reason, message)
			}
		})
	}
	all.Wait()
	if took := time.Since(started); took > 20*time.Second {
		t.Errorf("30 communities of a silent server kept workers for %s", took)
	}
}

func TestHostileServerCannotFillMemory(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	go func() {
		conn, err := listener.Accept()
		if err != nil {
			return
		}
		defer func() { _ = conn.Close() }()
		_, _ = conn.Read(make([]byte, 1024))
		_, _ = conn.Write([]byte{'E', 0x3f, 0xff, 0xff, 0xff}) // an error message of 1 GB
		_, _ = conn.Read(make([]byte, 1024))
	}()
	err = (&postgres.Server{}).Probe(t.Context(), "postgresql://u:p@"+listener.Addr().String()+"/db?sslmode=disable", nil)
	if err == nil || errors.Is(err, context.DeadlineExceeded) || pgconn.Timeout(err) {
		t.Errorf("a message of 1 GB was waited for: %v", err)
	}
}
