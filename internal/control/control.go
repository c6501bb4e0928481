// Package control is the contract between the operator and the idea service: what the operator declares
// about a community, and what the service answers. Both programs use it, so it imports the standard library
// only.
//
// The contract in short:
//
//   - PUT /control/v1/community declares a community's settings. The call is idempotent. The answer says what
//     is in force afterwards; a refused declaration changes nothing and names each field at fault.
//   - GET /control/v1/community observes the service, with an ETag.
//   - PUT, DELETE and GET /control/v1/challenges/{uid} and /control/v1/reward-policies/{uid} do the same for one
//     Challenge or RewardPolicy. A DELETE archives: nothing that members wrote is lost.
//   - GET /control/v1/objects lists every Challenge and RewardPolicy that the service knows.
//   - POST /control/v1/reward-policies/{uid}/pricing tells what a changed policy would change, and writes nothing.
//   - GET /control/v1/erasures lists the proofs of erased members; POST carries them out again after a restore.
//
// Every call carries "Authorization: Bearer <token>"; the token is made per community. Every GET has an ETag. Unknown
// fields are refused, so that an old service never half-applies a newer contract. docs/reference/control-contract.md
// says it all.
package control

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
)

// CommunityPath is where the community's settings are declared (PUT) and observed (GET).
const CommunityPath = "/control/v1/community"

// MaxDeclarationBytes bounds the body of a declaration. It is more than the largest object that an API server keeps
// (1.5 MiB), so that what is too long is refused by its field's name.
const MaxDeclarationBytes = 2 << 20

// MaxAnswerBytes bounds the body of an answer.
const MaxAnswerBytes = 1 << 20

// Files of the credentials folder that the operator mounts into the idea service. A file that is absent
// switches its feature off.
const (
	// FileDatabaseURI holds the PostgreSQL connection URI.
	FileDatabaseURI = "database-uri"
	// FileDatabaseCA holds the PEM certificates that the database server is verified against. The URI's
	// sslrootcert names it where it is used.
	FileDatabaseCA = "database-ca.crt"
	// FileControlToken holds the bearer token of this contract.
	FileControlToken = "control-token"
	// FileMailHost holds the SMTP server's host name. Without it sign-in by mail is off.
	FileMailHost = "mail-host"
	// FileMailPort holds the SMTP server's port, 587 when absent.
	FileMailPort = "mail-port"
	// FileMailUsername and FileMailPassword hold the SMTP account; both absent means no authentication.
	FileMailUsername = "mail-username"
	FileMailPassword = "mail-password"
	// FileMailFrom holds the sender's address, for example "Ideas <ideas@brand.example>".
	FileMailFrom = "mail-from"
	// FileMailTLS holds "starttls" (the default), "tls" (from the first byte) or "none".
	FileMailTLS = "mail-tls"
	// FileOIDCClientID and FileOIDCClientSecret hold the OpenID Connect client registered for this community.
	FileOIDCClientID     = "oidc-client-id"
	FileOIDCClientSecret = "oidc-client-secret"
)

// Declaration is what the operator declares about one community.
type Declaration struct {
	// UID identifies the Community object. A database that was kept and is taken into use by a new Community
	// is declared with the new UID, which the service accepts.
	UID string `json:"uid"`
	// Generation is the Community's metadata.generation. A lower one than that in force, with the same UID,
	// is refused as stale.
	Generation int64 `json:"generation"`
	// Settings are what members see and what the service works by.
	Settings Settings `json:"settings"`
}

// Settings of a community.
type Settings struct {
	// BaseURL is the address members use, scheme and host without a trailing slash; links in mails start
	// with it.
	BaseURL string `json:"baseURL"`
	// Hostnames are all names the service answers to, the canonical one first.
	Hostnames []string `json:"hostnames,omitempty"`
	// Brand is how the community looks.
	Brand Brand `json:"brand"`
	// Locales are the languages offered ("fr", "en"), the default first. At least one.
	Locales []string `json:"locales"`
	// TimeZone is an IANA name such as "Europe/Paris".
	TimeZone string `json:"timeZone"`
	// OIDC is set where members may sign in with an OpenID Connect issuer.
	OIDC *OIDC `json:"oidc,omitempty"`
	// House are the community's house rules; nil means their defaults.
	House *House `json:"house,omitempty"`
}

// Brand is how a community looks.
type Brand struct {
	// Name by locale; every locale of the settings has one.
	Name map[string]string `json:"name"`
	// TagLine by locale, optional.
	TagLine map[string]string `json:"tagLine,omitempty"`
	// LogoURL is an https address of an image, optional.
	LogoURL string `json:"logoURL,omitempty"`
	// Colors of the theme, "#rrggbb".
	Colors Colors `json:"colors"`
}

// Colors of a brand's theme, each "#rrggbb" in lower case, or empty for the service's own.
type Colors struct {
	Primary    string `json:"primary,omitempty"`
	Accent     string `json:"accent,omitempty"`
	Background string `json:"background,omitempty"`
	Text       string `json:"text,omitempty"`
}

// OIDC names the OpenID Connect issuer; the client's id and secret come as credential files.
type OIDC struct {
	// IssuerURL is the issuer, as in its discovery document.
	IssuerURL string `json:"issuerURL"`
	// Label by locale of the sign-in button, optional.
	Label map[string]string `json:"label,omitempty"`
}

// Digest of the settings: equal settings have equal digests. Operator and service compare it, since settings
// can change without a new generation (a change of the class).
func (s Settings) Digest() string { return digest(s) }

// Digest of the specification: equal ones have equal digests.
func (o Object[T]) Digest() string { return digest(o.Spec) }

func digest(v any) string {
	// Marshalling structs of strings, numbers, slices and string maps cannot fail, and sorts map keys.
	raw, err := json.Marshal(v)
	if err != nil {
		panic(fmt.Sprintf("control: a declaration cannot be marshalled: %v", err))
	}
	sum := sha256.Sum256(raw)
	return hex.EncodeToString(sum[:16])
}

// InForce names the declaration that the service works by; the zero value means none yet.
type InForce struct {
	UID        string `json:"uid,omitempty"`
	Generation int64  `json:"generation,omitempty"`
	Digest     string `json:"digest,omitempty"`
}

// Refusal says why a declaration, or a part of it, was refused.
type Refusal struct {
	// Field is the path in the declaration, such as "settings.brand.colors.primary".
	Field string `json:"field"`
	// Message says what is wrong and what would be right.
	Message string `json:"message"`
	// Awaits names what the field refers to and is not declared yet; nil for a fault of the declaration itself. Declared
	// again once that is there, the declaration is accepted.
	Awaits *Reference `json:"awaits,omitempty"`
	// Cause is one of the Refused constants; empty for any other fault.
	Cause string `json:"cause,omitempty"`
}

// Causes of refusals that callers tell apart.
const (
	// RefusedLocked: the change would decide otherwise what is under way.
	RefusedLocked = "locked"
	// RefusedCircle: the references lead back to the object itself.
	RefusedCircle = "circle"
	// RefusedNameTaken: another object in force has the name.
	RefusedNameTaken = "nameTaken"
	// RefusedUnknownField: the contract is newer than the service.
	RefusedUnknownField = "unknownField"
)

// Kinds of what a declaration refers to.
const (
	KindChallenge    = "Challenge"
	KindRewardPolicy = "RewardPolicy"
	// KindTheme, KindTerms and KindAttribute are parts of the Community's house rules.
	KindTheme     = "Theme"
	KindTerms     = "Terms"
	KindAttribute = "Attribute"
)

// Reference names an object, or a part of the house rules.
type Reference struct {
	// Kind is one of the Kind constants.
	Kind string `json:"kind"`
	Name string `json:"name"`
}

// Answer to a PUT. Status 200: in force. 409: stale generation. 422: refused, see Refusals. 503: the database
// is not ready, see Database. In every case InForce says what the service works by now.
type Answer struct {
	InForce  InForce   `json:"inForce"`
	Refusals []Refusal `json:"refusals,omitempty"`
	Database Database  `json:"database"`
}

// Waits tells that nothing is wrong with the declaration itself: it is accepted once what it refers to is declared.
func (a Answer) Waits() bool {
	return len(a.Refusals) > 0 && !slices.ContainsFunc(a.Refusals, func(r Refusal) bool { return r.Awaits == nil })
}

// State is what a GET observes.
type State struct {
	// Version of the idea service.
	Version string `json:"version"`
	// InForce is the declaration that every replica serves, or will within two seconds.
	InForce InForce `json:"inForce"`
	// Database as this replica sees it.
	Database Database `json:"database"`
	// SignIn lists the ways of signing in that work: "email", "oidc".
	SignIn []string `json:"signIn,omitempty"`
	// Community is how the community stands; nil while the database is not ready.
	Community *CommunityState `json:"community,omitempty"`
}

// Database is the state of the service's database connection.
type Database struct {
	Ready bool `json:"ready"`
	// Reason is empty when ready, else one of the Reason constants.
	Reason string `json:"reason,omitempty"`
	// Message says what was attempted and what came back, without credentials.
	Message string `json:"message,omitempty"`
	// SchemaVersion is the number of the last migration applied.
	SchemaVersion int64 `json:"schemaVersion,omitempty"`
}

// Reasons of a database that is not ready.
const (
	ReasonDatabaseStarting    = "Starting"
	ReasonDatabaseUnreachable = "Unreachable"
	ReasonPasswordRefused     = "PasswordRefused"
	ReasonDatabaseMissing     = "DatabaseMissing"
	ReasonTLSRefused          = "TLSRefused"
	ReasonPermissionDenied    = "PermissionDenied"
	ReasonMigrationFailed     = "MigrationFailed"
)
