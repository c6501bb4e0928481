package ideas

import (
	"context"
	"encoding/json"
	"time"
)

// Lifetimes of what concerns a member's own data.
const (
	// ExportLifetime is how long the copy of one's data can be downloaded.
	ExportLifetime = 7 * 24 * time.Hour
	// ErasureLinkLifetime is how long an erasure can be confirmed.
	ErasureLinkLifetime = 24 * time.Hour
	// FreshSignIn is how long ago a member must have signed in at most to take or end what is theirs.
	FreshSignIn = 15 * time.Minute
	// RetentionNotice is how long before an erasure for inactivity it is announced.
	RetentionNotice = 30 * 24 * time.Hour
)

// What becomes of the contributions of somebody who leaves.
const (
	// ContributionsKept stay without a name.
	ContributionsKept = "keep"
	// ContributionsRemoved are emptied.
	ContributionsRemoved = "remove"
)

// PersonalExport is the copy of a member's data.
type PersonalExport struct {
	ID          int64
	RequestedAt time.Time
	// ReadyAt is zero while the copy is being made.
	ReadyAt, ExpiresAt time.Time
	Size               int
}

// Erasure that was carried out. Record holds what was done without personal data, and Hash is its SHA-256.
type Erasure struct {
	ID     int64           `json:"id"`
	Member int64           `json:"member"`
	DoneAt time.Time       `json:"doneAt"`
	Record json.RawMessage `json:"record"`
	Hash   string          `json:"hash"`
}

// PersonalDataStore hands out and erases members' data.
type PersonalDataStore interface {
	// RequestExport has a copy made, unless one is being made or was within the day.
	RequestExport(ctx context.Context, member int64) error
	// Exports of a member that can be downloaded or are being made, the newest first.
	Exports(ctx context.Context, member int64) ([]PersonalExport, error)
	// ExportContent is the ZIP of a member's own copy.
	ExportContent(ctx context.Context, member, export int64) ([]byte, error)

	// RequestErasure mails a link that confirms it.
	RequestErasure(ctx context.Context, member int64, contributions string) error
	// PendingErasure tells what a link would do: contributions, and the member's name. ErrLinkSpent for one that is unknown,
	// used or too old.
	PendingErasure(ctx context.Context, token string) (name, contributions string, err error)
	// ConfirmErasure erases the member. The proof says that it was done.
	ConfirmErasure(ctx context.Context, token string) (Erasure, error)
	// Erasures carried out, the oldest first after the one with the id, MaxPage at most: after a restore, these members have
	// to be erased again.
	Erasures(ctx context.Context, after int64) ([]Erasure, error)
	// EraseAgain erases members that a restore has brought back.
	EraseAgain(ctx context.Context, erasures []Erasure) (done int, err error)
}
