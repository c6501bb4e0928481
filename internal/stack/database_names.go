package stack

import (
	"crypto/sha256"
	"encoding/hex"
	"net"
	"net/url"
	"strconv"
	"strings"

	"github.com/quaeso/community-operator/api/v1alpha1"
	"github.com/quaeso/community-operator/internal/control"
)

// ownDatabase is the name of the role and of the database on a server that the community has to itself.
const ownDatabase = "ideas"

// maxIdentifier is the length at which PostgreSQL cuts identifiers off.
const maxIdentifier = 63

// SharedName is the name of a community's role and database on a shared server: c_<namespace>_<name>_<hash>,
// cut to what PostgreSQL keeps. The hash tells names apart that look alike once written so.
func SharedName(namespace, name string) string {
	const prefix, hashed = "c_", 4
	sum := sha256.Sum256([]byte(namespace + "/" + name))
	suffix := "_" + hex.EncodeToString(sum[:hashed])
	room := maxIdentifier - len(prefix) - len(suffix) - len("_")
	// The name says more than the namespace, so it is cut last.
	name = name[:min(len(name), room)]
	namespace = namespace[:min(len(namespace), room-len(name))]
	return prefix + identifier(namespace) + "_" + identifier(name) + suffix
}

// identifier writes a name with characters that need no quoting.
func identifier(s string) string {
	safe := []byte(strings.ToLower(s))
	for i, b := range safe {
		if (b < 'a' || b > 'z') && (b < '0' || b > '9') {
			safe[i] = '_'
		}
	}
	return string(safe)
}

// DatabaseRole is the name of the community's role.
func DatabaseRole(p Plan) string {
	if p.Database.Kind == v1alpha1.DatabaseShared {
		return SharedName(p.Community.Namespace, p.Community.Name)
	}
	return ownDatabase
}

// DatabaseURI is the connection URI of a database that the operator runs for the community alone. It is empty
// for the other kinds, whose address is not known from the plan.
func DatabaseURI(p Plan) string {
	host, query := DatabaseName(p.Community.Name), ""
	switch p.Database.Kind {
	case v1alpha1.DatabaseStandalone:
		// The official image serves no TLS. The pods of one community talk to each other, and the
		// NetworkPolicy lets nobody else in.
		query = "sslmode=disable"
	case v1alpha1.DatabaseCloudNativePG:
		host = primaryService(p.Community.Name)
		query = "sslmode=verify-full&sslrootcert=" + CredentialsMountPath + "/" + control.FileDatabaseCA
	default:
		return ""
	}
	// CloudNativePG's server certificate is for <service>.<namespace>.svc, so the host must be spelt so.
	host += "." + p.Community.Namespace + ".svc"
	uri := url.URL{
		Scheme:   "postgresql",
		User:     url.UserPassword(ownDatabase, p.Database.Password),
		Host:     net.JoinHostPort(host, strconv.Itoa(PortPostgres)),
		Path:     "/" + ownDatabase,
		RawQuery: query,
	}
	return uri.String()
}
