// Package pgerror tells why a PostgreSQL database cannot be used, in the words of the control contract. The
// operator and the idea service use it alike, so that both name one failure by the same reason.
package pgerror

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"regexp"
	"strconv"
	"strings"
	"syscall"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/quaeso/community-operator/internal/control"
)

// SQLSTATE codes, see the appendix "PostgreSQL Error Codes" of its manual.
const (
	codeInvalidAuthorization = "28000"
	codeInvalidPassword      = "28P01"
	codeInvalidCatalogName   = "3D000"
	codeInsufficientRights   = "42501"
	codeTooManyConnections   = "53300"
	codeAdminShutdown        = "57P01"
	codeCrashShutdown        = "57P02"
	codeCannotConnectNow     = "57P03"
	codeReadOnlyTransaction  = "25006"
)

const cut = "the connection was cut before the server accepted it"

var clientAddress = regexp.MustCompile(`host "[0-9a-fA-F.:]+"`)

// Classify returns the reason, one of control's constants, and a message that says what was attempted and
// what came back. The message holds neither a password nor a text that changes from one attempt to the next,
// so that it can stand in a condition. Classify panics with a nil error.
func Classify(err error) (reason, message string) {
	reason, what := cause(err)
	if connect := (*pgconn.ConnectError)(nil); errors.As(err, &connect) && connect.Config != nil {
		c := connect.Config
		return reason, fmt.Sprintf("connect to database %q at %s as user %q: %s",
			c.Database, address(c.Host, c.Port), c.User, what)
	}
	return reason, what
}

// Database is the control contract's view of a failure.
func Database(err error) control.Database {
	reason, message := Classify(err)
	return control.Database{Reason: reason, Message: message}
}

func cause(err error) (reason, what string) {
	if answer := (*pgconn.PgError)(nil); errors.As(err, &answer) {
		return serverAnswer(answer)
	}
	if what, ok := tlsFailure(err); ok {
		return control.ReasonTLSRefused, what
	}
	if parse := (*pgconn.ParseConfigError)(nil); errors.As(err, &parse) {
		// Its text may hold the password.
		return control.ReasonDatabaseUnreachable, "the connection URI cannot be parsed; " +
			"right is postgres://user:password@host:port/database with reserved characters percent-encoded"
	}
	return control.ReasonDatabaseUnreachable, networkFailure(err)
}

func serverAnswer(answer *pgconn.PgError) (reason, what string) {
	// The address that pg_hba.conf has no entry for is that of one pod among several.
	what = fmt.Sprintf("the server answers: %s (SQLSTATE %s)", clientAddress.ReplaceAllString(answer.Message, "this client"), answer.Code)
	switch answer.Code {
	case codeInvalidPassword:
		return control.ReasonPasswordRefused, what
	case codeInvalidAuthorization:
		if wantsTLS(answer.Message) {
			return control.ReasonTLSRefused, what + "; it accepts this account with TLS only (sslmode=require or stricter)"
		}
		return control.ReasonPasswordRefused, what
	case codeInvalidCatalogName:
		return control.ReasonDatabaseMissing, what
	case codeInsufficientRights:
		return control.ReasonPermissionDenied, what
	case codeCannotConnectNow:
		return control.ReasonDatabaseStarting, what
	case codeTooManyConnections, codeAdminShutdown, codeCrashShutdown:
		return control.ReasonDatabaseUnreachable, what
	case codeReadOnlyTransaction:
		return control.ReasonDatabaseUnreachable, what + "; this is a standby, connect to the primary"
	}
	return control.ReasonDatabaseUnreachable, what
}

// wantsTLS recognises refusals of unencrypted connections: of pg_hba.conf, before and since PostgreSQL 14, and
// of managed servers. The server may word them in another language; then the reason is a refused account,
// with the server's text beside it.
func wantsTLS(message string) bool {
	for _, sign := range []string{"no encryption", "SSL off", "SSL connection is required", "connection is insecure"} {
		if strings.Contains(message, sign) {
			return true
		}
	}
	return false
}

func tlsFailure(err error) (what string, ok bool) {
	// pgx gives this failure no type of its own.
	if strings.Contains(err.Error(), "server refused TLS connection") {
		return "the server does not offer TLS, which the connection URI requires (sslmode)", true
	}
	if wrong := (x509.HostnameError{}); errors.As(err, &wrong) {
		return fmt.Sprintf("the server's certificate is not valid for %s", wrong.Host), true
	}
	if unknown := (x509.UnknownAuthorityError{}); errors.As(err, &unknown) {
		return "the server's certificate is signed by an authority that is not trusted (sslrootcert)", true
	}
	if invalid := (x509.CertificateInvalidError{}); errors.As(err, &invalid) {
		if invalid.Reason == x509.Expired {
			return "the server's certificate has expired or is not yet valid", true
		}
		return "the server's certificate is not valid", true
	}
	if failed := (*tls.CertificateVerificationError)(nil); errors.As(err, &failed) {
		return "the server's certificate cannot be verified", true
	}
	if alert := tls.AlertError(0); errors.As(err, &alert) {
		return fmt.Sprintf("the server ends the TLS handshake: %s", alert), true
	}
	if record := (tls.RecordHeaderError{}); errors.As(err, &record) {
		return "the server does not answer in TLS", true
	}
	if parse := (*pgconn.ParseConfigError)(nil); errors.As(err, &parse) {
		if missing := (*fs.PathError)(nil); errors.As(err, &missing) {
			return fmt.Sprintf("the certificate file %s of the connection URI cannot be read", missing.Path), true
		}
	}
	return "", false
}

func networkFailure(err error) string {
	if dns := (*net.DNSError)(nil); errors.As(err, &dns) {
		if dns.IsNotFound {
			return fmt.Sprintf("host name %s is unknown", dns.Name)
		}
		return fmt.Sprintf("host name %s cannot be resolved", dns.Name)
	}
	switch {
	case errors.Is(err, syscall.ECONNREFUSED):
		return "connection refused: nothing listens there"
	case errors.Is(err, syscall.EHOSTUNREACH), errors.Is(err, syscall.ENETUNREACH):
		return "no route to the host"
	case errors.Is(err, syscall.ENOENT):
		return "the server's socket does not exist"
	case errors.Is(err, context.Canceled):
		return "the attempt was given up"
	case errors.Is(err, context.DeadlineExceeded), pgconn.Timeout(err):
		return "no answer in time"
	}
	// Other texts of the network hold addresses and ports that change with every attempt.
	if network := (*net.OpError)(nil); errors.As(err, &network) {
		return cut
	}
	if connect := (*pgconn.ConnectError)(nil); errors.As(err, &connect) {
		return cut
	}
	return err.Error()
}

func address(host string, port uint16) string {
	if strings.HasPrefix(host, "/") {
		return host
	}
	return net.JoinHostPort(host, strconv.Itoa(int(port)))
}
