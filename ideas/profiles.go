package ideas

import (
	"context"
	"time"
)

// ProfileSettings are what a member shows of themselves.
type ProfileSettings struct {
	Name, Locale string
	// ShowsIdeas and ShowsRecognition say what others see on the member's page.
	ShowsIdeas, ShowsRecognition bool
}

// Profile is what others see of a member.
type Profile struct {
	Author
	Email     string
	CreatedAt time.Time
	Level     int
	// Referrals are how many joined by the member's invitation.
	Referrals int
	ProfileSettings
	// Ideas are the newest that everybody may see, empty where the member shows none.
	Ideas []Idea
	// Follows tells whether the viewer follows the member.
	Follows bool
}

// MemberQuery selects members for the team.
type MemberQuery struct {
	// Name begins so, without regard to case and accents. With an "@" it is an address, whole, for those who may see them.
	Name string
	// Level is the lowest; 0 for any.
	Level int
	// Restricted selects those whom a sanction restricts.
	Restricted bool
	// Invited selects those who joined by an invitation, InvitedBy those whom one member invited.
	Invited   bool
	InvitedBy int64
	// Addresses selects those with one of the addresses, such as the holders of a role; nil for any.
	Addresses []string
	// Before is the id of the last member of the page before; 0 for the first page.
	Before int64
	Limit  int
}

// TeamMember is what the team sees of a member.
type TeamMember struct {
	Author
	// Email is for those alone who may see it; pages leave it out for everybody else.
	Email     string
	CreatedAt time.Time
	Level     int
	Standing
	Referrals int
	InvitedBy Author
	ActiveAt  time.Time
}

// ProfileStore keeps what members show of themselves.
type ProfileStore interface {
	// Profile of a member as the viewer (0: nobody) sees it, or ErrNotFound.
	Profile(ctx context.Context, viewer, member int64) (Profile, error)
	// SetProfile keeps name, language and what is shown.
	SetProfile(ctx context.Context, member int64, s ProfileSettings) error
	// FindMembers lists members for the team, the newest first.
	FindMembers(ctx context.Context, q MemberQuery) ([]TeamMember, error)
	// TeamMembers are the ids of the members with the addresses, by address in lower case.
	TeamMembers(ctx context.Context, addresses []string) (map[string]int64, error)
}
