// Package postgres manages databases and roles on a shared PostgreSQL server for the operator, and tries
// connections before they are taken into use. All of the operator's SQL is here.
package postgres

// Admin is the connection of a role that may create databases and roles.
type Admin struct {
	// URI of the server, a PostgreSQL connection URI with user and password.
	URI string
	// CA holds the PEM certificates that the server is verified against; nil for the system's.
	CA []byte
}

// Database is one community's database, with a role of the same name that owns it.
type Database struct {
	// Name of the database and of the role.
	Name string
	// Owner is "<namespace>/<name>" of the Community. It is written into comments on database and role; one
	// with another owner, or without, is never touched.
	Owner string
	// Password of the role.
	Password string
	// ConnectionLimit of the role; 0 for none.
	ConnectionLimit int32
}

// Server manages databases on shared servers. The zero value is ready to use.
type Server struct{}
