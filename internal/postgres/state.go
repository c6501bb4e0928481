package postgres

import (
	"context"
	"fmt"
)

// state is what a server holds at one name.
type state struct {
	// superuser tells whether the administrator is one, who needs no membership.
	superuser bool
	// membershipOptions tells whether GRANT takes options (PostgreSQL 16 and later).
	membershipOptions bool
	role              struct {
		exists  bool
		mark    string
		login   bool
		limit   int32
		excess  []string // attributes that it must not have
		granted bool     // to the administrator, with what it needs to make the role own a database
	}
	database struct {
		exists bool
		mark   string
		owner  string
		closed bool // to everybody but its owner
		usable bool
	}
}

// stateQuery reads pg_roles and pg_database, which everybody may. pg_has_role knows SET since PostgreSQL 16; a
// CASE keeps older servers from evaluating it.
const stateQuery = `
SELECT me.rolsuper, v.number >= 160000,
       r.oid IS NOT NULL, coalesce(shobj_description(r.oid, 'pg_authid'), ''),
       coalesce(r.rolcanlogin, false), coalesce(r.rolconnlimit, -1),
       array_remove(ARRAY[
           CASE WHEN r.rolsuper THEN 'NOSUPERUSER' END, CASE WHEN r.rolcreatedb THEN 'NOCREATEDB' END,
           CASE WHEN r.rolcreaterole THEN 'NOCREATEROLE' END, CASE WHEN r.rolreplication THEN 'NOREPLICATION' END,
           CASE WHEN r.rolbypassrls THEN 'NOBYPASSRLS' END], NULL),
       coalesce(me.rolsuper OR pg_has_role(r.oid, 'USAGE') AND CASE WHEN v.number >= 160000
           THEN pg_has_role(r.oid, 'SET') ELSE pg_has_role(r.oid, 'MEMBER') END, false),
       d.oid IS NOT NULL, coalesce(shobj_description(d.oid, 'pg_database'), ''),
       coalesce(pg_get_userbyid(d.datdba), ''),
       NOT EXISTS (SELECT FROM aclexplode(coalesce(d.datacl, acldefault('d', d.datdba))) a WHERE a.grantee = 0),
       coalesce(d.datallowconn, true)
FROM (SELECT $1::name AS name) n
JOIN pg_roles me ON me.rolname = current_user
CROSS JOIN (SELECT current_setting('server_version_num')::int AS number) v
LEFT JOIN pg_roles r ON r.rolname = n.name
LEFT JOIN pg_database d ON d.datname = n.name`

// read observes and guards: what is not the owner's is an error.
func (c *session) read(ctx context.Context, db Database) (state, error) {
	var s state
	err := c.conn.QueryRow(ctx, stateQuery, db.Name).Scan(&s.superuser, &s.membershipOptions,
		&s.role.exists, &s.role.mark, &s.role.login, &s.role.limit, &s.role.excess, &s.role.granted,
		&s.database.exists, &s.database.mark, &s.database.owner, &s.database.closed, &s.database.usable)
	if err != nil {
		return state{}, fmt.Errorf("look for role and database: %w", err)
	}
	return s, s.guard(db)
}

func (s *state) guard(db Database) error {
	want := mark(db.Owner)
	if s.role.exists && s.role.mark != want {
		return &ForeignError{Kind: "role", Name: db.Name, Mark: s.role.mark, Owner: db.Owner}
	}
	// CREATE DATABASE runs in no transaction, so an interrupted Ensure leaves a database without a mark. It
	// belongs to the role, which never is without one.
	interrupted := s.role.exists && s.database.mark == "" && s.database.owner == db.Name
	if s.database.exists && s.database.mark != want && !interrupted {
		return &ForeignError{Kind: "database", Name: db.Name, Mark: s.database.mark, Owner: db.Owner}
	}
	return nil
}

func (s *state) upToDate(db Database) bool {
	return s.roleUpToDate(db) && s.databaseUpToDate(db)
}

func (s *state) roleUpToDate(db Database) bool {
	r := s.role
	return r.exists && r.login && r.limit == db.limit() && len(r.excess) == 0 && r.granted
}

func (s *state) databaseUpToDate(db Database) bool {
	d := s.database
	return d.exists && d.mark == mark(db.Owner) && d.owner == db.Name && d.closed && d.usable
}

// limit as PostgreSQL writes it.
func (d Database) limit() int32 {
	if d.ConnectionLimit == 0 {
		return -1
	}
	return d.ConnectionLimit
}
