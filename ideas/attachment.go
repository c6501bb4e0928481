package ideas

import (
	"context"
	"time"
)

// Limits of what is attached to an idea.
const (
	MaxAttachments = 5
	// MaxAttachmentBytes bounds one file.
	MaxAttachmentBytes = 5 << 20
	// MaxAlt bounds the description of a picture, in characters; MaxFileName a file's name.
	MaxAlt      = 300
	MaxFileName = 120
)

// MaxFileFields bounds the fields of one form that take a file: all of them are read at once.
const MaxFileFields = 3

// Attachment is a file of an idea.
type Attachment struct {
	ID, Idea int64
	// Field of the challenge's form that the file answers; empty for what is attached to the idea itself.
	Field string
	Name  string
	// Type is the media type that its content shows.
	Type string
	// Alt says what a picture shows.
	Alt  string
	Size int
	// Width and Height of a picture, 0 for others.
	Width, Height int
	// Digest of its content, SHA-256.
	Digest    []byte
	CreatedAt time.Time
}

// FormFile answers a field of a challenge's form: what is known of the file, and its content.
type FormFile struct {
	Attachment
	Content []byte
}

// AttachmentStore keeps files. Errors are those of IdeaLifeStore.
type AttachmentStore interface {
	// Attach adds a file whose content was looked at to an idea that its authors may edit. The same content is kept once.
	Attach(ctx context.Context, member int64, a Attachment, content []byte) (Attachment, error)
	// DescribeAttachment changes what a picture is said to show.
	DescribeAttachment(ctx context.Context, member, attachment int64, alt string) error
	// Detach removes a file.
	Detach(ctx context.Context, member, attachment int64) error
	// OpenAttachment returns a file of an idea that the viewer may see, with its content. One that answers a private field is
	// for the idea's authors and the team.
	OpenAttachment(ctx context.Context, viewer, attachment int64) (Attachment, []byte, error)
}
