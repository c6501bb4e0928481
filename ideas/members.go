package ideas

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/quaeso/community-operator/internal/control"
)

// Limits of what concerns members, in characters.
const (
	MaxReason    = 1_000
	MaxAppeal    = 4_000
	MaxAttribute = 200
	MaxNote      = 80
)

// Errors of members who may not do something, or not yet.
var (
	// ErrRestricted is returned for what a muted or blocked member may not do.
	ErrRestricted = errors.New("the member is muted or blocked")
	// ErrGuardianMissing is returned until a minor's guardian has consented.
	ErrGuardianMissing = errors.New("a guardian's consent is missing")
	// ErrNotJoined is returned until a member has met what the house asks for on joining.
	ErrNotJoined = errors.New("the member has not met what joining asks for")
	// ErrNotInvited is returned to somebody whom the sign-up policy keeps out.
	ErrNotInvited = errors.New("the sign-up policy does not admit the address")
	// ErrTooYoung is returned below the minimum age. Nothing is kept of who is.
	ErrTooYoung = errors.New("below the minimum age")
)

// States of a guardian's consent.
const (
	// GuardianNone is that of somebody who needs none.
	GuardianNone = "none"
	// GuardianNeeded and GuardianRefused let a minor read, but not contribute.
	GuardianNeeded  = "needed"
	GuardianRefused = "refused"
	GuardianGiven   = "given"
)

// Standing is what a member may do now.
type Standing struct {
	// BlockedUntil and ReadOnlyUntil are zero where nothing restricts the member, and Forever where nothing ends it.
	BlockedUntil, ReadOnlyUntil time.Time
	// Guardian is one of the Guardian constants.
	Guardian string
	// JoinedUnder is the digest of the Requirements that the member met last.
	JoinedUnder string
}

// Forever is the end of what does not end.
var Forever = time.Date(9999, time.December, 31, 0, 0, 0, 0, time.UTC)

// Blocked tells whether a member may do nothing but see why, appeal, and take their data along.
func (s Standing) Blocked(now time.Time) bool { return s.BlockedUntil.After(now) }

// ReadOnly tells whether a member may only read.
func (s Standing) ReadOnly(now time.Time) bool {
	return s.Blocked(now) || s.ReadOnlyUntil.After(now) || s.Guardian == GuardianNeeded || s.Guardian == GuardianRefused
}

// TermsVersion is a text of terms with the hash that tells it from every other.
type TermsVersion struct {
	control.Terms
	// Hash of name, kind, version and texts.
	Hash string
}

// NewTermsVersion hashes terms.
func NewTermsVersion(t control.Terms) TermsVersion {
	raw, err := json.Marshal(t) // keys of maps are sorted
	if err != nil {
		panic("ideas: terms cannot be encoded: " + err.Error()) // strings always can
	}
	return TermsVersion{Terms: t, Hash: hexHash(raw)}
}

// TextHash is the SHA-256 of a text, in hexadecimal, which anybody can compute anew.
func TextHash(text string) string { return hexHash([]byte(text)) }

func hexHash(raw []byte) string {
	sum := sha256.Sum256(raw)
	return hex.EncodeToString(sum[:])
}

// TermsNamed are the terms in force of the names: the last of each name and kind that the house rules list.
func (s Settings) TermsNamed(names ...string) []TermsVersion {
	if s.House == nil {
		return nil
	}
	type key struct{ name, kind string }
	last := map[key]int{}
	var found []TermsVersion
	for _, t := range s.House.Terms {
		if !slices.Contains(names, t.Name) {
			continue
		}
		if i, known := last[key{t.Name, t.Kind}]; known {
			found[i] = NewTermsVersion(t)
			continue
		}
		last[key{t.Name, t.Kind}] = len(found)
		found = append(found, NewTermsVersion(t))
	}
	return found
}

// Requirements are what the house asks of everybody who joins.
type Requirements struct {
	Terms      []TermsVersion
	Attributes []control.Attribute
	// MinimumAge and GuardianBelow ask for a birth date where one is not 0.
	MinimumAge, GuardianBelow int
	// Digest changes whenever something asked for does; empty for nothing.
	Digest string
}

// Requirements of the house rules.
func (s Settings) Requirements() Requirements {
	r := Requirements{Terms: s.TermsNamed(control.TermsOfCommunity)}
	if s.House == nil {
		return r
	}
	r.MinimumAge, r.GuardianBelow = s.House.SignUp.MinimumAge, s.House.SignUp.GuardianBelow
	for _, a := range s.House.Attributes {
		if a.Required {
			r.Attributes = append(r.Attributes, a)
		}
	}
	if len(r.Terms) == 0 && len(r.Attributes) == 0 && !r.AsksAge() {
		return r
	}
	asked := []string{"age", "false"}
	if r.AsksAge() {
		asked[1] = "true"
	}
	for _, t := range r.Terms {
		asked = append(asked, "terms", t.Hash)
	}
	for _, a := range r.Attributes {
		asked = append(asked, "attribute", a.Name)
	}
	r.Digest = hexHash([]byte(strings.Join(asked, "\x00")))[:32]
	return r
}

// AsksAge tells whether the birth date matters.
func (r Requirements) AsksAge() bool { return r.MinimumAge > 0 || r.GuardianBelow > 0 }

// Age in full years on a day.
func Age(born, on time.Time) int {
	age := on.Year() - born.Year()
	if on.Month() < born.Month() || on.Month() == born.Month() && on.Day() < born.Day() {
		age--
	}
	return age
}

// Adult is the age from which somebody is paid money. A birth date is not kept beyond it, unless the house or a
// challenge asks for a higher age.
const Adult = 18

// Minor tells whether somebody is not of age on a day; born is nil where no birth date is kept.
func Minor(born *time.Time, on time.Time) bool { return born != nil && Age(*born, on) < Adult }

// Acceptance of terms by a member.
type Acceptance struct {
	TermsVersion
	// Locale of the text that was shown, Text and its hash.
	Locale, Text, TextHash string
	At                     time.Time
}

// SanctionKind is what a sanction does.
type SanctionKind string

// Kinds of sanctions.
const (
	// SanctionWarn tells the member and changes nothing else.
	SanctionWarn SanctionKind = "warn"
	// SanctionMute lets the member read only.
	SanctionMute SanctionKind = "mute"
	// SanctionBlock shows the member why, and nothing else.
	SanctionBlock SanctionKind = "block"
)

// Sanction of a member.
type Sanction struct {
	ID     int64
	Member Author
	Kind   SanctionKind
	Reason string
	// By is whoever of the team imposed it.
	By Author
	At time.Time
	// Ends is zero where it does not end, LiftedAt where it was not lifted.
	Ends, LiftedAt time.Time
	Appeal         string
	AppealedAt     time.Time
	Answer         string
	AnsweredAt     time.Time
}

// InForce tells whether a sanction restricts the member at a time. A warning never does.
func (s Sanction) InForce(now time.Time) bool {
	return s.Kind != SanctionWarn && s.LiftedAt.IsZero() && (s.Ends.IsZero() || s.Ends.After(now))
}

// MemberStore keeps what concerns members.
type MemberStore interface {
	JoiningStore
	TermsStore
	NoticeStore
	SanctionStore
	PersonalDataStore
	ProfileStore
}

// TermsStore keeps which terms were accepted by whom.
type TermsStore interface {
	// AcceptedTerms tells which terms of the names, as they are in force, the member has still to accept. Empty means
	// that what they protect may be shown.
	AcceptedTerms(ctx context.Context, member int64, names []string) (missing []TermsVersion, err error)
	// AcceptTerms keeps that the member accepted the terms with the hashes, read in a locale. What is no longer in force is
	// refused as ErrNotFound: another version has to be read.
	AcceptTerms(ctx context.Context, member int64, locale string, hashes []string) error
	// Acceptances of a member, the newest first.
	Acceptances(ctx context.Context, member int64) ([]Acceptance, error)
}

// SanctionStore keeps sanctions.
type SanctionStore interface {
	// Sanction imposes one; it is audited, and the member is told. A zero end means that it does not end by itself.
	Sanction(ctx context.Context, by, member int64, kind SanctionKind, reason string, ends time.Time) (Sanction, error)
	// LiftSanction ends one before its time.
	LiftSanction(ctx context.Context, by, sanction int64) error
	// Sanctions of a member, the newest first, 50 at most.
	Sanctions(ctx context.Context, member int64) ([]Sanction, error)
	// Appeal against a sanction of one's own, once.
	Appeal(ctx context.Context, member, sanction int64, text string) error
	// AnswerAppeal keeps the team's answer; lift also ends the sanction.
	AnswerAppeal(ctx context.Context, by, sanction int64, text string, lift bool) error
	// Appeals that wait for an answer, the oldest first.
	Appeals(ctx context.Context) ([]Sanction, error)
}

// TextIn is the text in a language, or in another where it has none; it says in which.
func (t TermsVersion) TextIn(locale string) (in, text string) {
	base, _, _ := strings.Cut(locale, "-")
	for _, tag := range []string{locale, base} {
		if text := t.Text[tag]; text != "" {
			return tag, text
		}
	}
	tags := make([]string, 0, len(t.Text))
	for tag := range t.Text {
		tags = append(tags, tag)
	}
	slices.Sort(tags)
	for _, tag := range tags {
		if t.Text[tag] != "" {
			return tag, t.Text[tag]
		}
	}
	return locale, ""
}
