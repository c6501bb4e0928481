package ideas

import (
	"context"
	"regexp"
	"strconv"
	"time"
)

// NoticeKind groups notices by what members want to be told of.
type NoticeKind string

// Kinds of notices.
const (
	// NoticeStatus is a change of an idea's state.
	NoticeStatus NoticeKind = "status"
	// NoticeAnswer is the brand's answer to an idea.
	NoticeAnswer NoticeKind = "answer"
	// NoticeComment is a comment on an idea that one wrote or follows.
	NoticeComment NoticeKind = "comment"
	NoticeMention NoticeKind = "mention"
	NoticeMerge   NoticeKind = "merge"
	// NoticeIdea is an idea of a member whom one follows.
	NoticeIdea NoticeKind = "idea"
	// NoticeChallenge is a phase or a decision of a challenge.
	NoticeChallenge    NoticeKind = "challenge"
	NoticeAnnouncement NoticeKind = "announcement"
	// NoticePlace is a place that one has, waits for or has lost: in a workshop, a test or a mission.
	NoticePlace NoticeKind = "place"
	// NoticeRecognition is a badge, a level, a prize or a payout.
	NoticeRecognition NoticeKind = "recognition"
	// NoticeAccount concerns the member's own account, and is always listed.
	NoticeAccount NoticeKind = "account"
)

// MailMode says when a notice is mailed.
type MailMode string

// Modes of mailing.
const (
	MailOff    MailMode = "off"
	MailNow    MailMode = "now"
	MailDigest MailMode = "digest"
)

// Preference is what a member wants to be told of, and how.
type Preference struct {
	Kind NoticeKind
	// Listed shows it in the notification centre.
	Listed bool
	Mail   MailMode
}

// DefaultPreferences are those of somebody who has changed none, in the order in which pages show them.
func DefaultPreferences() []Preference {
	return []Preference{
		{NoticeStatus, true, MailDigest},
		{NoticeAnswer, true, MailDigest},
		{NoticeComment, true, MailDigest},
		{NoticeMention, true, MailNow},
		{NoticeMerge, true, MailDigest},
		{NoticeIdea, true, MailDigest},
		{NoticeChallenge, true, MailDigest},
		{NoticePlace, true, MailNow},
		{NoticeAnnouncement, true, MailDigest},
		{NoticeRecognition, true, MailDigest},
		{NoticeAccount, true, MailNow},
	}
}

// DefaultPreference of a kind.
func DefaultPreference(kind NoticeKind) Preference {
	for _, p := range DefaultPreferences() {
		if p.Kind == kind {
			return p
		}
	}
	return Preference{Kind: kind, Listed: true, Mail: MailOff}
}

// Frequencies of digests.
const (
	DigestDaily  = "daily"
	DigestWeekly = "weekly"
)

// NoticeSettings of a member.
type NoticeSettings struct {
	// Preferences of every kind.
	Preferences []Preference
	// Digest is DigestDaily or DigestWeekly.
	Digest string
	// TimeZone is an IANA name; empty follows the community's.
	TimeZone string
}

// Notice tells a member of one event.
type Notice struct {
	ID   int64
	Kind NoticeKind
	At   time.Time
	Read bool
	// Event that it tells of; its Kind is empty where the event is no longer kept.
	Event Event
	// Actor is whoever did it; the zero value for the service, or somebody erased since.
	Actor Author
	// IdeaSlug, IdeaTitle and IdeaState of the event's idea, where it can be seen.
	IdeaSlug, IdeaTitle string
	IdeaState           State
	// Challenge is the name of the event's challenge.
	Challenge string
}

// FollowKind is what can be followed.
type FollowKind string

// What can be followed.
const (
	FollowIdea      FollowKind = "idea"
	FollowChallenge FollowKind = "challenge"
	FollowMember    FollowKind = "member"
)

// NoticeStore keeps what members follow and are told of.
type NoticeStore interface {
	// Notices of a member, the newest first, at most limit before the one with the id (0: from the newest).
	Notices(ctx context.Context, member, before int64, limit int) ([]Notice, error)
	// ReadNotices marks notices as read: those with the ids, or all up to one where ids is nil.
	ReadNotices(ctx context.Context, member int64, ids []int64, upTo int64) error
	// NoticeSettings of a member, and how to change them.
	NoticeSettings(ctx context.Context, member int64) (NoticeSettings, error)
	SetNoticeSettings(ctx context.Context, member int64, s NoticeSettings) error
	// Follow or stop following. Authors and supporters of an idea follow it until they say otherwise.
	Follow(ctx context.Context, member int64, kind FollowKind, target int64, follow bool) error
	// Follows tells whether a member follows something.
	Follows(ctx context.Context, member int64, kind FollowKind, target int64) (bool, error)
	// UnsubscribeToken lets the holder of a mail stop mails of a kind without signing in; an empty kind means all.
	UnsubscribeToken(ctx context.Context, member int64, kind NoticeKind) (string, error)
	// Unsubscribe stops mails as the token says, and tells of which kind; ErrNotFound for a forged or outdated one.
	Unsubscribe(ctx context.Context, token string) (NoticeKind, error)
}

// A mention is a Markdown link to a member's page whose text begins with "@", so that it is one wherever Markdown is
// shown.
var mention = regexp.MustCompile(`\[@[^\]\n]{1,80}\]\(/members/([1-9][0-9]{0,17})(?:-[^)\s]{0,200})?\)`)

// maxMentions bounds whom one text can call.
const maxMentions = 20

// Mentions are the ids of the members whom a text mentions, each once, twenty at most.
func Mentions(text string) []int64 {
	var ids []int64
	seen := map[int64]bool{}
	for _, match := range mention.FindAllStringSubmatch(text, -1) {
		id, err := strconv.ParseInt(match[1], 10, 64)
		if err != nil || seen[id] {
			continue
		}
		seen[id] = true
		if ids = append(ids, id); len(ids) == maxMentions {
			break
		}
	}
	return ids
}

// MentionOf a member, as it stands in a text.
func MentionOf(m Author) string {
	return "[@" + cleanMentionName(m.Name) + "](/members/" + strconv.FormatInt(m.ID, 10) + ")"
}

func cleanMentionName(name string) string {
	clean := make([]rune, 0, len(name))
	for _, r := range name {
		if r != '[' && r != ']' && r != '\\' && r != '\n' {
			clean = append(clean, r)
		}
	}
	return string(clean)
}

// NoticeMail is the job that mails one notice.
type NoticeMail struct {
	Notice int64 `json:"notice" river:"unique"`
}

// Kind names the job.
func (NoticeMail) Kind() string { return "notice_mail" }

// DigestMail is the job that mails what a member has not been mailed of what happened before a moment.
type DigestMail struct {
	Member int64     `json:"member" river:"unique"`
	Before time.Time `json:"before" river:"unique"`
}

// Kind names the job.
func (DigestMail) Kind() string { return "digest_mail" }
