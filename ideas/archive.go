package ideas

import "time"

// Archive is lived state from elsewhere, such as sample content: who wrote and supported what, when. Authors and
// supporters are indexes into Members; challenges are named as they are declared.
type Archive struct {
	Members       []ArchivedMember
	Ideas         []ArchivedIdea
	Responses     []ArchivedResponse
	Topics        []ArchivedTopic
	Registrations []ArchivedRegistration
	Decisions     []ArchivedDecision
	Applications  []ArchivedResponse
}

// ArchivedMember is known by its address.
type ArchivedMember struct {
	Email, Name, Locale string
	CreatedAt           time.Time
	// Attributes that the member has consented to give, by name.
	Attributes map[string][]string
}

// ArchivedIdea is known by its author and key.
type ArchivedIdea struct {
	Key         string
	Author      int
	Title, Body string
	CreatedAt   time.Time
	// Challenge it was submitted to, and Theme; empty for none.
	Challenge, Theme string
	Tags             []string
	CoAuthors        []int
	Supports         []ArchivedSupport
	// Votes of the challenge's ballot.
	Votes    []ArchivedVote
	Comments []ArchivedComment
	// Steps of its life after publication, in their order.
	Steps   []ArchivedStep
	Answers []ArchivedAnswer
	// DueAt is when the brand has promised to answer; zero for no promise.
	DueAt time.Time
}

// ArchivedStep leads an idea to another state.
type ArchivedStep struct {
	At time.Time
	To State
	As Capacity
	// By is a member; the service itself where As is AsService.
	By     int
	Reason string
}

// ArchivedAnswer is what the brand said of an idea.
type ArchivedAnswer struct {
	By        int
	Body      string
	CreatedAt time.Time
}

// ArchivedSupport of an idea.
type ArchivedSupport struct {
	Member    int
	CreatedAt time.Time
}

// ArchivedVote gives an entry points.
type ArchivedVote struct {
	Member, Points int
	CreatedAt      time.Time
}

// ArchivedDecision ends a contest.
type ArchivedDecision struct {
	Challenge string
	// By is the address of who decides.
	By      string
	Reason  string
	Winners []ArchivedWinner
}

// ArchivedWinner is an entry by its key.
type ArchivedWinner struct {
	Key    string
	Rank   int
	Reason string
}

// ArchivedComment is known by its author and key. A reply of a topic is one, too.
type ArchivedComment struct {
	Key       string
	Author    int
	Body      string
	CreatedAt time.Time
	// Answers is the number of the comment that it answers, counted from 1; 0 for none.
	Answers int
	Thanks  []int
}

// ArchivedResponse to a survey, or application to a call.
type ArchivedResponse struct {
	Challenge string
	Member    int
	At        time.Time
	// Typed is what was typed, by question.
	Typed map[string][]string
}

// ArchivedTopic of a forum is known by its author and key.
type ArchivedTopic struct {
	Challenge, Key string
	Author         int
	Title, Body    string
	CreatedAt      time.Time
	Pinned         bool
	Replies        []ArchivedComment
}

// ArchivedRegistration for a session of a workshop.
type ArchivedRegistration struct {
	Challenge, Session string
	Member             int
	At                 time.Time
}
