package ideas

import "time"

// Archive is lived state from elsewhere, such as sample content: who wrote and supported what, when. Authors and
// supporters are indexes into Members.
type Archive struct {
	Members []ArchivedMember
	Ideas   []ArchivedIdea
}

// ArchivedMember is known by its address.
type ArchivedMember struct {
	Email, Name, Locale string
	CreatedAt           time.Time
}

// ArchivedIdea is known by its author and key.
type ArchivedIdea struct {
	Key         string
	Author      int
	Title, Body string
	CreatedAt   time.Time
	Supports    []ArchivedSupport
	Comments    []ArchivedComment
}

// ArchivedSupport of an idea.
type ArchivedSupport struct {
	Member    int
	CreatedAt time.Time
}

// ArchivedComment is known by its author and key.
type ArchivedComment struct {
	Key       string
	Author    int
	Body      string
	CreatedAt time.Time
}
