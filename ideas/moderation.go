package ideas

import (
	"context"
	"slices"
	"strings"
	"time"
	"unicode"

	"golang.org/x/text/unicode/norm"

	"github.com/quaeso/community-operator/internal/control"
)

// Reason is why something was refused or selected, for everybody to read: one of a list, in words, or both.
type Reason struct {
	// Code is one of the reason codes, whose text the pages have in every language; empty for words alone.
	Code ReasonCode
	Text string
}

// ReasonCode is a reason that comes up again and again.
type ReasonCode string

// Reason codes.
const (
	ReasonOffTopic     ReasonCode = "off_topic"
	ReasonUnclear      ReasonCode = "unclear"
	ReasonDuplicate    ReasonCode = "duplicate"
	ReasonExists       ReasonCode = "exists"
	ReasonOffensive    ReasonCode = "offensive"
	ReasonPersonalData ReasonCode = "personal_data"
	ReasonAdvertising  ReasonCode = "advertising"
	ReasonRights       ReasonCode = "rights"
	ReasonNotFeasible  ReasonCode = "not_feasible"
	ReasonOther        ReasonCode = "other"

	// ReasonBallot and ReasonJury are the service's own: the community's vote, and the decision of a challenge.
	ReasonBallot ReasonCode = "ballot"
	ReasonJury   ReasonCode = "jury"
)

// ModerationReasons are those for refusing or hiding a contribution.
func ModerationReasons() []ReasonCode {
	return []ReasonCode{
		ReasonOffTopic, ReasonUnclear, ReasonDuplicate, ReasonExists, ReasonOffensive, ReasonPersonalData, ReasonAdvertising,
		ReasonRights, ReasonNotFeasible, ReasonOther,
	}
}

// ReportReasons are those that members give for a report.
func ReportReasons() []ReasonCode {
	return []ReasonCode{
		ReasonOffensive, ReasonAdvertising, ReasonPersonalData, ReasonRights, ReasonDuplicate, ReasonOffTopic, ReasonOther,
	}
}

// Clean returns the reason as it is stored, or a *FieldError.
func (r Reason) Clean() (Reason, error) {
	if r.Code != "" && !slices.Contains(ModerationReasons(), r.Code) {
		return r, &FieldError{Field: "code", Code: "invalid"}
	}
	r.Text = cleanText(r.Text)
	if r.Text == "" {
		return r, nil
	}
	var err error
	r.Text, err = bounded("reason", r.Text, MaxReason)
	return r, err
}

// Check asks for a reason where one is needed: one of the list, except "other", or words.
func (r Reason) Check(needed bool) error {
	if needed && r.Text == "" && (r.Code == "" || r.Code == ReasonOther) {
		return &FieldError{Field: "reason", Code: "required"}
	}
	return nil
}

// Why a contribution waits for a moderator.
const (
	// CauseBefore: the house or the challenge looks at contributions before they are published.
	CauseBefore = "before"
	// CauseTerms: it holds one of the terms that always send it to the queue.
	CauseTerms = "terms"
	// CauseReported: members have reported it.
	CauseReported = "reported"
)

// Screen tells whether a contribution waits for a moderator, and why; empty for publication at once. challenge overrides
// when the house looks ("before", "after" or empty). Moderators' own contributions never wait.
func Screen(m control.Moderation, challenge string, level int, roles Roles, texts ...string) string {
	if roles.May(MayModerate) {
		return ""
	}
	if HasTerm(m.BannedTerms, texts...) {
		return CauseTerms
	}
	when := m.When
	if challenge != "" {
		when = challenge
	}
	if when == control.ModerationBefore && (m.TrustedLevel == 0 || level < m.TrustedLevel) {
		return CauseBefore
	}
	return ""
}

// HasTerm tells whether one of the terms, words or phrases, stands in one of the texts as whole words, without regard to
// case, accents and invisible characters.
func HasTerm(terms []string, texts ...string) bool {
	if len(terms) == 0 {
		return false
	}
	for _, text := range texts {
		words := foldedWords(text)
		for _, term := range terms {
			if folded := foldedWords(term); folded != "  " && strings.Contains(words, folded) {
				return true
			}
		}
	}
	return false
}

// foldedWords are a text's words without case and accents, with a space before and after each.
func foldedWords(text string) string {
	return " " + strings.Join(strings.Fields(foldText(text)), " ") + " "
}

// foldText strips case, accents and invisible characters, and makes a space of everything that is neither letter nor digit.
func foldText(text string) string {
	var b strings.Builder
	for _, r := range norm.NFKD.String(strings.ToLower(text)) {
		switch {
		case r == 'œ':
			b.WriteString("oe")
		case r == 'æ':
			b.WriteString("ae")
		case r == 'ß':
			b.WriteString("ss")
		case r == 'ø':
			b.WriteByte('o')
		case unicode.IsLetter(r), unicode.IsDigit(r):
			b.WriteRune(r)
		case unicode.Is(unicode.Mn, r), unicode.Is(unicode.Cf, r):
			// accents, soft hyphens, zero-width characters
		default:
			b.WriteByte(' ')
		}
	}
	return b.String()
}

// Decision of a moderator on a contribution in the queue.
type Decision string

// Decisions.
const (
	// DecisionPublish publishes what waits, and leaves what was reported as it is.
	DecisionPublish Decision = "publish"
	// DecisionChanges asks the author of an idea that waits for changes.
	DecisionChanges Decision = "changes"
	// DecisionReject refuses what waits, and hides what is published.
	DecisionReject Decision = "reject"
)

// Contribution is what members report and moderators look at: an idea, a comment on one, a topic of a forum or post of a
// mission, or a reply to one. What is not meant is 0.
type Contribution struct {
	Idea, Comment, Topic, Reply int64
}

// ModerationItem is a contribution that waits for a moderator.
type ModerationItem struct {
	ID   int64
	Idea Idea
	// Comment is nil where the idea itself is looked at.
	Comment *Comment
	// Topic is nil where it is an idea or a comment; Reply is nil where the topic itself is looked at.
	Topic    *Topic
	Reply    *Reply
	Cause    string
	OpenedAt time.Time
	// Reports of members, the first ones; ReportCount counts all.
	Reports     []Report
	ReportCount int
}

// Report of a contribution by a member.
type Report struct {
	Member    Author
	Reason    Reason
	CreatedAt time.Time
}

// ModerationStore keeps the moderators' queue. Errors are those of IdeaLifeStore.
type ModerationStore interface {
	// Report tells the moderators of a contribution that everybody sees. A member reports each once; another report of the
	// same changes nothing. ErrTooMany after many in a short time.
	Report(ctx context.Context, member int64, c Contribution, reason Reason) error
	// Queue lists what waits, the oldest first, at most limit items after the one with the id after.
	Queue(ctx context.Context, moderator, after int64, limit int) ([]ModerationItem, error)
	// QueueLength counts what waits, up to 100.
	QueueLength(ctx context.Context, moderator int64) (int, error)
	// Moderate decides about items of the queue, all or none, 100 at most; those decided meanwhile stay as they are.
	// It returns how many it decided.
	Moderate(ctx context.Context, moderator int64, items []int64, d Decision, reason Reason) (int, error)
	// ModeratedComment is a comment that everybody reads, or that a moderator has hidden.
	ModeratedComment(ctx context.Context, moderator, comment int64) (Comment, error)
	// HideComment takes a published comment out of sight; RestoreComment brings it back.
	HideComment(ctx context.Context, moderator, comment int64, reason Reason) error
	RestoreComment(ctx context.Context, moderator, comment int64) error
}
