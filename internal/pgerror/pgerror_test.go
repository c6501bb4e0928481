package pgerror_test

import (
	"context"
	"net"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/quaeso/community-operator/internal/control"
	"github.com/quaeso/community-operator/internal/pgerror"
	"github.com/quaeso/community-operator/internal/testutil"
)

// secret stands in every URI of this file and must stand in no message.
const secret = "s3cr3t-of-the-test"

// TestClassifyRealRefusals provokes each failure with real servers.
func TestClassifyRealRefusals(t *testing.T) {
	plain := testutil.Postgres(t)
	plain.Exec(t, "postgres",
		"CREATE ROLE brand LOGIN PASSWORD '"+secret+"'", "CREATE ROLE full LOGIN CONNECTION LIMIT 0 PASSWORD '"+secret+"'",
		"CREATE DATABASE brand OWNER brand", "CREATE DATABASE closed", "REVOKE CONNECT ON DATABASE closed FROM PUBLIC")
	secure := testutil.StartPostgres(t, testutil.PostgresOptions{
		TLS: true, RequireTLS: true, Settings: map[string]string{"listen_addresses": "127.0.0.1,127.0.0.2"},
	})
	secure.Exec(t, "postgres", "CREATE ROLE brand LOGIN PASSWORD '"+secret+"'", "CREATE DATABASE brand OWNER brand")
	at := func(server *testutil.PostgresServer, host string, port int) string {
		own := net.JoinHostPort(server.Host, strconv.Itoa(server.Port))
		return strings.Replace(server.URI("brand", secret, "brand"), own, net.JoinHostPort(host, strconv.Itoa(port)), 1)
	}

	for name, tc := range map[string]struct {
		uri        string
		reason     string
		message    string
		alternate  string
		noFailures bool
	}{
		"all is well":             {uri: plain.URI("brand", secret, "brand"), noFailures: true},
		"all is well with TLS":    {uri: secure.URI("brand", secret, "brand") + "?sslmode=verify-full&sslrootcert=" + secure.CA, noFailures: true},
		"wrong password":          {uri: plain.URI("brand", secret+"x", "brand"), reason: control.ReasonPasswordRefused, message: `password authentication failed for user "brand"`},
		"unknown role":            {uri: plain.URI("nobody", secret, "brand"), reason: control.ReasonPasswordRefused, message: "28P01"},
		"unknown database":        {uri: plain.URI("brand", secret, "bland"), reason: control.ReasonDatabaseMissing, message: `database "bland" does not exist`},
		"no right to connect":     {uri: plain.URI("brand", secret, "closed"), reason: control.ReasonPermissionDenied, message: "permission denied"},
		"connections used up":     {uri: plain.URI("full", secret, "brand"), reason: control.ReasonDatabaseUnreachable, message: "too many connections"},
		"TLS not offered":         {uri: plain.URI("brand", secret, "brand") + "?sslmode=require", reason: control.ReasonTLSRefused, message: "does not offer TLS"},
		"TLS wanted":              {uri: secure.URI("brand", secret, "brand") + "?sslmode=disable", reason: control.ReasonTLSRefused, message: "with TLS only"},
		"authority not trusted":   {uri: secure.URI("brand", secret, "brand") + "?sslmode=verify-full", reason: control.ReasonTLSRefused, message: "authority that is not trusted"},
		"name not in certificate": {uri: at(secure, "127.0.0.2", secure.Port) + "?sslmode=verify-full&sslrootcert=" + secure.CA, reason: control.ReasonTLSRefused, message: "not valid for 127.0.0.2"},
		"CA file missing":         {uri: secure.URI("brand", secret, "brand") + "?sslmode=verify-full&sslrootcert=/nowhere/ca.crt", reason: control.ReasonTLSRefused, message: "/nowhere/ca.crt"},
		"TLS, wrong password":     {uri: secure.URI("brand", secret+"x", "brand") + "?sslmode=require", reason: control.ReasonPasswordRefused, message: "28P01"},
		"closed port":             {uri: at(plain, plain.Host, closedPort(t)), reason: control.ReasonDatabaseUnreachable, message: "connection refused"},
		"silent port":             {uri: at(plain, plain.Host, listen(t, false)), reason: control.ReasonDatabaseUnreachable, message: "no answer in time"},
		"port that hangs up":      {uri: at(plain, plain.Host, listen(t, true)), reason: control.ReasonDatabaseUnreachable, message: "connection was cut"},
		"unknown host":            {uri: at(plain, "no-such-host.invalid", plain.Port), reason: control.ReasonDatabaseUnreachable, message: "host name no-such-host.invalid is unknown", alternate: "host name no-such-host.invalid cannot be resolved"},
		"not a URI":               {uri: "postgres://brand:" + secret + "@[/brand", reason: control.ReasonDatabaseUnreachable, message: "cannot be parsed"},
		"port out of range":       {uri: "postgres://brand:" + secret + "@host:99999/brand", reason: control.ReasonDatabaseUnreachable, message: "cannot be parsed"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			err := attempt(tc.uri)
			if tc.noFailures {
				if err != nil {
					t.Fatalf("connection failed: %v", err)
				}
				return
			}
			if err == nil {
				t.Fatal("connection succeeded")
			}
			state := pgerror.Database(err)
			if state.Ready || state.Reason != tc.reason {
				t.Errorf("reason = %q (ready %v), want %q; error: %v", state.Reason, state.Ready, tc.reason, err)
			}
			if !strings.Contains(state.Message, tc.message) && (tc.alternate == "" || !strings.Contains(state.Message, tc.alternate)) {
				t.Errorf("message = %q, want it to contain %q", state.Message, tc.message)
			}
			if strings.Contains(state.Message, secret) {
				t.Errorf("message %q holds the password", state.Message)
			}
			if _, again := pgerror.Classify(attempt(tc.uri)); again != state.Message {
				t.Errorf("message changes from attempt to attempt:\n%s\n%s", state.Message, again)
			}
		})
	}
}

// TestClassifyAnswers covers what a healthy server does not say on request.
func TestClassifyAnswers(t *testing.T) {
	for name, tc := range map[string]struct {
		answer pgconn.PgError
		reason string
	}{
		"starting up":             {pgconn.PgError{Code: "57P03", Message: "the database system is starting up"}, control.ReasonDatabaseStarting},
		"shutting down":           {pgconn.PgError{Code: "57P01", Message: "terminating connection"}, control.ReasonDatabaseUnreachable},
		"standby":                 {pgconn.PgError{Code: "25006", Message: "cannot execute INSERT in a read-only transaction"}, control.ReasonDatabaseUnreachable},
		"role without login":      {pgconn.PgError{Code: "28000", Message: `role "x" is not permitted to log in`}, control.ReasonPasswordRefused},
		"no entry, TLS off":       {pgconn.PgError{Code: "28000", Message: `no pg_hba.conf entry for host "10.0.0.1", user "x", database "x", SSL off`}, control.ReasonTLSRefused},
		"no entry, TLS on":        {pgconn.PgError{Code: "28000", Message: `no pg_hba.conf entry for host "10.0.0.1", user "x", database "x", SSL encryption`}, control.ReasonPasswordRefused},
		"no right in the schema":  {pgconn.PgError{Code: "42501", Message: "permission denied for schema"}, control.ReasonPermissionDenied},
		"something unforeseeable": {pgconn.PgError{Code: "XX000", Message: "cache lookup failed"}, control.ReasonDatabaseUnreachable},
	} {
		t.Run(name, func(t *testing.T) {
			reason, message := pgerror.Classify(&tc.answer)
			if reason != tc.reason || !strings.Contains(strings.ReplaceAll(message, "this client", `host "10.0.0.1"`), tc.answer.Message) || !strings.Contains(message, tc.answer.Code) {
				t.Errorf("got %q, %q; want %q and the server's words", reason, message, tc.reason)
			}
		})
	}
}

func attempt(uri string) error {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	conn, err := pgx.Connect(ctx, uri)
	if err != nil {
		return err
	}
	return conn.Close(context.Background())
}

func closedPort(t *testing.T) int {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	return l.Addr().(*net.TCPAddr).Port
}

// listen accepts connections and says nothing, or hangs up at once.
func listen(t *testing.T, hangUp bool) int {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			if hangUp {
				_ = conn.Close()
				continue
			}
			t.Cleanup(func() { _ = conn.Close() })
		}
	}()
	return l.Addr().(*net.TCPAddr).Port
}
