package ideas

import (
	"context"
	"time"

	"github.com/quaeso/community-operator/internal/control"
)

// InvitationLifetime is how long an invitation can be used.
const InvitationLifetime = 30 * 24 * time.Hour

// MaxInvitations that a member has open at once; the team has more.
const (
	MaxInvitations     = 10
	MaxTeamInvitations = 500
)

// Joining is what a member has still to do before taking part.
type Joining struct {
	Terms      []TermsVersion
	Attributes []control.Attribute
	// Age asks for the birth date.
	Age bool
}

// Done tells whether nothing is missing.
func (j Joining) Done() bool { return len(j.Terms) == 0 && len(j.Attributes) == 0 && !j.Age }

// JoinAnswers are what somebody answers on joining.
type JoinAnswers struct {
	// Locale in which texts were shown.
	Locale string
	// Born is a date, "2011-05-30".
	Born string
	// GuardianEmail is where consent is asked for those below the age.
	GuardianEmail string
	// Accepted are the hashes of terms.
	Accepted []string
	// Attributes by name.
	Attributes map[string][]string
}

// Invitation that a member has made.
type Invitation struct {
	ID            int64
	Note          string
	At, ExpiresAt time.Time
	// UsedBy has joined with it; the zero value for nobody. UsedAt stays when that member is erased.
	UsedBy Author
	UsedAt time.Time
}

// GuardianRequest is what a guardian is asked.
type GuardianRequest struct {
	Member Author
	// Answer is one of the Guardian constants; GuardianNeeded before the first.
	Answer string
	Locale string
}

// GuardianMail is the job that asks a guardian by mail.
type GuardianMail struct {
	Member int64 `json:"member" river:"unique"`
	// Asked keeps a second request apart from the first.
	Asked int64 `json:"asked" river:"unique"`
}

// Kind names the job.
func (GuardianMail) Kind() string { return "guardian_mail" }

// AttributeValue is what a member says of themselves, with the consent to it.
type AttributeValue struct {
	Name   string
	Values []string
	// Consent is the text agreed to, ConsentHash its hash.
	Consent, ConsentHash string
	At                   time.Time
}

// Segment is how many members gave one value of an attribute.
type Segment struct {
	Value   string
	Members int
}

// JoiningStore keeps how members join and what they say of themselves.
type JoiningStore interface {
	// Joining tells what a member has still to do, and notes it when that is nothing.
	Joining(ctx context.Context, member int64) (Joining, error)
	// Join keeps answers. Errors: *FieldError for each that is missing or wrong; ErrTooYoung, after which the membership has
	// ended and nothing of it is left.
	Join(ctx context.Context, member int64, answers JoinAnswers) error
	// AtLeast tells whether a member is that old; known is false where the birth date has to be asked for.
	AtLeast(ctx context.Context, member int64, years int) (yes, known bool, err error)

	// Invite makes an invitation and its token, which is shown once.
	Invite(ctx context.Context, member int64, note string, limit int) (token string, err error)
	// Inviter tells who invites with a token that still works, else ErrLinkSpent.
	Inviter(ctx context.Context, token string) (Author, error)
	// Invitations of a member, the newest first, MaxPage at most, and how many joined by one in all.
	Invitations(ctx context.Context, member int64) (list []Invitation, joined int, err error)
	// WithdrawInvitation removes one that nobody has used.
	WithdrawInvitation(ctx context.Context, member, invitation int64) error

	// AskGuardian mails a minor's guardian, in the minor's language, instead of whoever was asked before.
	AskGuardian(ctx context.Context, member int64, email string) error
	// GuardianRequest of a mail's token, else ErrLinkSpent.
	GuardianRequest(ctx context.Context, token string) (GuardianRequest, error)
	// AnswerGuardian keeps the answer, which can be changed with the same link. textHash is that of the text agreed to.
	AnswerGuardian(ctx context.Context, token string, consents bool, textHash string) error

	// Attributes that a member has given.
	Attributes(ctx context.Context, member int64) ([]AttributeValue, error)
	// SetAttribute keeps values with the consent text of the house rules in a locale; no values withdraw the consent.
	SetAttribute(ctx context.Context, member int64, name string, values []string, locale string) error
	// Segments counts the members by each value of an attribute.
	Segments(ctx context.Context, attribute string) ([]Segment, error)
}
