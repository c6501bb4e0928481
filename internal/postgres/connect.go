package postgres

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgproto3"
)

const (
	// connectTimeout is short: an address that swallows packets keeps a worker of the operator for so long.
	connectTimeout = 5 * time.Second
	// maxMessage bounds what a server may send us in one message. Answers to our statements are small, and a
	// community may name a hostile server.
	maxMessage = 64 << 10
)

// queryParameters of a connection URI that are taken. Others name files of this machine, or other hosts.
var queryParameters = []string{"sslmode", "connect_timeout", "application_name", "target_session_attrs"}

// errURI never holds the URI: it has a password in it.
var errURI = errors.New("the connection URI cannot be parsed; right is " +
	"postgresql://user:password@host:5432/database with reserved characters percent-encoded")

// parse reads a connection URI.
func parse(uri string, caPEM []byte) (*pgx.ConnConfig, error) {
	u, err := url.Parse(uri)
	if err != nil || u.Scheme != "postgresql" && u.Scheme != "postgres" || u.Hostname() == "" || u.User.Username() == "" {
		return nil, errURI
	}
	query := u.Query()
	for key := range query {
		if !slices.Contains(queryParameters, key) {
			return nil, fmt.Errorf("the connection URI has the parameter %q; right are: %s", key, strings.Join(queryParameters, ", "))
		}
	}
	if strings.Trim(u.Path, "/") == "" {
		u.Path = "/postgres"
	}
	// Spelt out, so that no file of this machine's account stands in.
	query.Set("passfile", "/dev/null")
	query.Set("servicefile", "/dev/null")
	u.RawQuery = query.Encode()
	config, err := pgx.ParseConfig(u.String())
	if err != nil || strings.HasPrefix(config.Host, "/") {
		return nil, errURI
	}
	if err := trust(config, caPEM); err != nil {
		return nil, err
	}
	config.ConnectTimeout = connectTimeout
	config.RuntimeParams["application_name"] = "community-operator"
	config.DefaultQueryExecMode = pgx.QueryExecModeExec // prepares nothing: each statement runs once
	config.BuildFrontend = func(r io.Reader, w io.Writer) *pgproto3.Frontend {
		frontend := pgproto3.NewFrontend(r, w)
		frontend.SetMaxBodyLen(maxMessage)
		return frontend
	}
	return config, nil
}

// trust makes a connection verify the server against given certificates, where it verifies at all.
func trust(config *pgx.ConnConfig, caPEM []byte) error {
	if len(caPEM) == 0 {
		return nil
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(caPEM) {
		return errors.New("ca.crt holds no PEM certificate")
	}
	configs := []*tls.Config{config.TLSConfig}
	for _, fallback := range config.Fallbacks {
		configs = append(configs, fallback.TLSConfig)
	}
	for _, c := range configs {
		if c != nil {
			c.RootCAs = roots
		}
	}
	return nil
}

// pin sets what our sessions work by. pg_catalog comes first and nothing else is searched, so that no object
// that a tenant planted is ever called.
const pin = `SET search_path = pg_catalog, pg_temp; SET statement_timeout = '60s'; SET lock_timeout = '20s';
SET idle_in_transaction_session_timeout = '60s'; SET standard_conforming_strings = on`

func dial(ctx context.Context, config *pgx.ConnConfig) (*pgx.Conn, error) {
	conn, err := pgx.ConnectConfig(ctx, config)
	if err != nil {
		return nil, err // it says what was attempted, and callers name the database
	}
	if _, err := conn.Exec(ctx, pin, pgx.QueryExecModeSimpleProtocol); err != nil {
		hangUp(conn)
		return nil, fmt.Errorf("set up the session: %w", err)
	}
	return conn, nil
}

// hangUp closes a connection that may be dead, also when its context is over.
func hangUp(conn *pgx.Conn) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	_ = conn.Close(ctx)
}

func quote(name string) string { return pgx.Identifier{name}.Sanitize() }

// literal quotes a string for statements that take no parameters; standard_conforming_strings is pinned.
func literal(s string) string { return "'" + strings.ReplaceAll(s, "'", "''") + "'" }
