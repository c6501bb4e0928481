package ideas

import (
	"context"
	"time"
)

// Bounds of announcements, in characters.
const (
	MaxAnnouncementTitle = 120
	MaxAnnouncement      = 5_000
)

// Audiences of announcements.
const (
	AudienceAll = "all"
	// AudienceSegment are the members who say one thing of themselves, with their consent.
	AudienceSegment = "segment"
	// AudienceChallenge are those who follow a challenge or have an idea in it.
	AudienceChallenge = "challenge"
)

// Announcement is what the team says to many at once.
type Announcement struct {
	ID int64
	// Title and Body (Markdown) by locale.
	Title, Body map[string]string
	Audience    string
	// Attribute and Value make the segment; Challenge is the one whose followers are meant.
	Attribute, Value string
	Challenge        int64
	Author           Author
	UpdatedAt        time.Time
	// SentAt is zero for a draft.
	SentAt time.Time
}

// AnnouncementStore keeps announcements. One is sent once, and never changed afterwards.
type AnnouncementStore interface {
	// SaveAnnouncement keeps a draft, a new one when its ID is 0, and returns its id. What was sent is ErrNotFound.
	SaveAnnouncement(ctx context.Context, actor int64, a Announcement, locales []string) (int64, error)
	// SendAnnouncement sends a draft to its audience; one that was sent before changes nothing.
	SendAnnouncement(ctx context.Context, actor, id int64) error
	// Announcements returns the newest, drafts first.
	Announcements(ctx context.Context, limit int) ([]Announcement, error)
	// Announcement of any kind, for the team.
	Announcement(ctx context.Context, id int64) (Announcement, error)
	// SentAnnouncement is one that the viewer may read: sent, and to an audience that the viewer belongs to.
	SentAnnouncement(ctx context.Context, viewer, id int64) (Announcement, error)
	// Reach is how many members an announcement would be sent to now.
	Reach(ctx context.Context, id int64) (int, error)
}

// ExportKind is what a table of an export holds.
type ExportKind string

// Kinds of exports.
const (
	ExportIdeas    ExportKind = "ideas"
	ExportComments ExportKind = "comments"
	// ExportVotes names members by a pseudonym, another one in each export.
	ExportVotes ExportKind = "votes"
	// ExportMembers has what members say of themselves, as long as they consent.
	ExportMembers ExportKind = "members"
)

// ExportKinds lists all of them.
func ExportKinds() []ExportKind {
	return []ExportKind{ExportIdeas, ExportComments, ExportVotes, ExportMembers}
}

// AuditEntry says what somebody of the team, or the service, did.
type AuditEntry struct {
	ID int64
	At time.Time
	// Actor is zero for the service, and for those erased since.
	Actor     Author
	Action    string
	Subject   string
	SubjectID int64
	Detail    map[string]any
}

// AuditQuery selects entries; zero fields select all.
type AuditQuery struct {
	// Action, or the beginning of several: "idea." for all that is done to ideas.
	Action string
	Actor  int64
	// Subject and SubjectID name what it was done to.
	Subject   string
	SubjectID int64
	// From and To bound the time, To excluded.
	From, To time.Time
	// Before is the id of the last entry of the page before.
	Before int64
	Limit  int
}

// RecordStore hands out what the community has kept.
type RecordStore interface {
	// Export hands the rows of a table, its heading first, to a function. It is audited. It reads in portions, so that
	// neither memory nor a long transaction is needed, and what is written meanwhile may be in it or not.
	Export(ctx context.Context, actor int64, kind ExportKind, row func([]string) error) error
	// Audit returns entries, the newest first.
	Audit(ctx context.Context, q AuditQuery) ([]AuditEntry, error)
}
