package ideas

import (
	"context"
	"errors"
	"slices"
	"time"
)

// Scope is what a personal token may be used for.
type Scope string

// Scopes. A token has those that its owner chose; write does not include read.
const (
	ScopeRead  Scope = "read"
	ScopeWrite Scope = "write"
	// ScopeTeam is for calls of the team's side, and of no use to whoever has no role.
	ScopeTeam Scope = "team"
)

// Scopes that there are, in the order in which they are shown.
func Scopes() []Scope { return []Scope{ScopeRead, ScopeWrite, ScopeTeam} }

// Bounds of personal tokens.
const (
	// TokenPrefix begins every token, so that scanners for leaked secrets know one.
	TokenPrefix = "ideas_"
	// MaxTokens of one member.
	MaxTokens = 20
	// MaxTokenDays is the longest that a token lasts.
	MaxTokenDays = 365
)

// Token lets a program act for a member.
type Token struct {
	ID   int64
	Name string
	// Hint is the token's end, by which its owner knows it again.
	Hint                 string
	Scopes               []Scope
	CreatedAt, ExpiresAt time.Time
	// UsedAt is zero for one that was never used.
	UsedAt time.Time
}

// May tells whether the token has the scope.
func (t Token) May(s Scope) bool { return slices.Contains(t.Scopes, s) }

// Errors of requests that are sent again.
var (
	// ErrKeyReused is returned for an idempotency key that belongs to another request.
	ErrKeyReused = errors.New("the idempotency key was used for another request")
	// ErrUnderWay is returned while the first request of an idempotency key is being answered.
	ErrUnderWay = errors.New("the request with this idempotency key is being answered")
)

// KeptAnswer is what a request with an idempotency key was answered.
type KeptAnswer struct {
	Status   int
	Location string
	Body     []byte
}

// TokenStore keeps personal tokens, and the answers of requests that may be sent again.
type TokenStore interface {
	// IssueToken makes a token that lasts so many days. The secret is returned here and nowhere else.
	IssueToken(ctx context.Context, member int64, name string, scopes []Scope, days int) (t Token, secret string, err error)
	// ListTokens returns a member's tokens that have not expired, the newest first.
	ListTokens(ctx context.Context, member int64) ([]Token, error)
	// RevokeToken ends a token of the member; ErrNotFound when it is somebody else's.
	RevokeToken(ctx context.Context, member, token int64) error
	// AuthenticateToken returns whose token it is, or ErrNotFound.
	AuthenticateToken(ctx context.Context, secret string) (Member, Token, error)
	// BeginRequest takes an idempotency key for a request, or returns what the first request was answered, ErrKeyReused
	// or ErrUnderWay. A request that nobody has finished for a minute is begun anew.
	BeginRequest(ctx context.Context, member int64, key string, fingerprint [32]byte) (*KeptAnswer, error)
	// FinishRequest keeps the answer for a day; a nil answer gives the key free.
	FinishRequest(ctx context.Context, member int64, key string, answer *KeptAnswer) error
	// PublicMember is what everybody may know of a member.
	PublicMember(ctx context.Context, id int64) (Member, error)
}
