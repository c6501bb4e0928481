package ideas

import (
	"slices"
	"strings"
	"time"
)

// ApplicationState of an application.
type ApplicationState string

// States of an application.
const (
	ApplicationSubmitted ApplicationState = "submitted"
	ApplicationSelected  ApplicationState = "selected"
	ApplicationWaiting   ApplicationState = "waiting"
	ApplicationRefused   ApplicationState = "refused"
	ApplicationWithdrawn ApplicationState = "withdrawn"
	ApplicationDropped   ApplicationState = "dropped_out"
)

// Application of a member.
type Application struct {
	ID, Challenge int64
	Member        Author
	Answers       Answers
	Segments      Segments
	State         ApplicationState
	// Reason is what the applicant is told.
	Reason string
	// Place in the waiting list, from 1.
	Place int
	Votes int
	// Voted tells whether the member who looks has voted for it.
	Voted     bool
	CreatedAt time.Time
	DecidedAt time.Time
	// Points that the juror who looks has given.
	Points map[string]int
}

// ApplicationQuery selects a page of applications.
type ApplicationQuery struct {
	Challenge int64
	// State, empty for all that are not withdrawn.
	State ApplicationState
	// After is the last application's id of the former page, 0 for the first.
	After int64
	// ByVotes orders by votes instead of by number; After is then the offset.
	ByVotes bool
	Limit   int
}

// ApplicationCounts are how many applications stand where.
type ApplicationCounts map[ApplicationState]int

// DefaultRole is that of the selected where a call names none.
const DefaultRole = "participant"

// RecruitedRole is the role that the selected of a challenge receive.
func (c *Challenge) RecruitedRole() string {
	switch {
	case c.Spec.Recruiting != nil && c.Spec.Recruiting.Role != "":
		return c.Spec.Recruiting.Role
	case c.Spec.Mission != nil && c.Spec.Mission.Role != "":
		return c.Spec.Mission.Role
	case c.Spec.BetaTest != nil:
		return "tester"
	}
	return DefaultRole
}

// IsJuror tells whether an address, which its owner has proved, is of the challenge's jury.
func (c *Challenge) IsJuror(email string) bool {
	return email != "" && c.Spec.Jury != nil &&
		slices.ContainsFunc(c.Spec.Jury.Members, func(address string) bool { return strings.EqualFold(address, email) })
}
