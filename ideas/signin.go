package ideas

import (
	"context"
	"errors"
	"time"
)

// Lifetimes of what signs a member in.
const (
	// LinkLifetime is how long a sign-in link works; it works once.
	LinkLifetime = 20 * time.Minute
	// SessionLifetime is how long a session lasts without use.
	SessionLifetime = 30 * 24 * time.Hour
)

// Errors of signing in.
var (
	// ErrLinkSpent is returned for a link that is unknown, used or too old.
	ErrLinkSpent = errors.New("sign-in link is unknown, used or too old")
	// ErrTooMany is returned when an address or a client asks for links too often.
	ErrTooMany = errors.New("too many attempts")
	// ErrMailOff is returned where no SMTP server is configured.
	ErrMailOff = errors.New("sign-in by mail is off: no SMTP server is configured")
)

// SignIn is the part of the domain that turns a proof of identity into a session. Tokens are random, and only
// their hashes are stored.
type SignIn interface {
	// MailEnabled tells whether links can be sent.
	MailEnabled() bool
	// RequestLink mails a link to the address, whether or not it belongs to a member or may become one, so that nobody
	// learns who is one. Errors: *FieldError, ErrTooMany, ErrMailOff.
	RequestLink(ctx context.Context, request LinkRequest) error
	// RedeemLink makes a session of a link's token, and a member of an address seen for the first time. Errors:
	// ErrLinkSpent, ErrNotInvited.
	RedeemLink(ctx context.Context, token string) (session string, returnTo string, err error)
	// SignInWith makes a session for an identity that an OpenID Connect issuer has vouched for; ErrNotInvited for somebody
	// new whom the sign-up policy keeps out.
	SignInWith(ctx context.Context, id Identity) (session string, err error)
	// Authenticate returns the member of a session, or ErrNotFound.
	Authenticate(ctx context.Context, session string) (Member, error)
	// SignOut ends a session.
	SignOut(ctx context.Context, session string) error
}

// LinkRequest asks for a sign-in link.
type LinkRequest struct {
	Email, Locale string
	// ReturnTo is a path on this site.
	ReturnTo string
	// ClientAddress is whom limits count.
	ClientAddress string
	// Invitation is the token of one, which counts for somebody new; empty for none.
	Invitation string
}

// Identity is what an OpenID Connect issuer says of somebody. Email counts only when EmailVerified.
type Identity struct {
	Issuer, Subject string
	Email           string
	EmailVerified   bool
	Name            string
	Locale          string
	// Invitation is the token of one, which counts for somebody new; empty for none.
	Invitation string
}

// SignInMail is a link that somebody asked for and that is to be mailed.
type SignInMail struct {
	ID     int64
	Email  string
	Locale string
}
