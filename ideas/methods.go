package ideas

import (
	"context"
	"time"
)

// MethodStore keeps what members and team do in the methods beside ideation. Beside the errors of Store, methods return
// ErrClosed for what the challenge does not take at the moment, and ErrFull where there is no room.
type MethodStore interface {
	RecruitingStore
	SurveyStore
	BetaTestStore
	ForumStore
	WorkshopStore
	MissionStore
}

// RecruitingStore keeps applications and selects among them.
type RecruitingStore interface {
	// Apply submits an application, or changes that which the member has submitted; typed as for CleanForm.
	Apply(ctx context.Context, c *Challenge, member int64, typed map[string][]string) (Application, error)
	// WithdrawApplication takes an application back; whoever was selected drops out and is replaced.
	WithdrawApplication(ctx context.Context, c *Challenge, member int64) error
	// MyApplication is the member's, or ErrNotFound.
	MyApplication(ctx context.Context, c *Challenge, member int64) (Application, error)
	// GetApplication of a challenge.
	GetApplication(ctx context.Context, c *Challenge, viewer, id int64) (Application, error)
	// ListApplications returns a page; viewer sets Voted and Points.
	ListApplications(ctx context.Context, viewer int64, q ApplicationQuery) ([]Application, error)
	// CountApplications by state.
	CountApplications(ctx context.Context, challenge int64) (ApplicationCounts, error)
	// VoteApplication gives or takes back a member's vote for an application and returns its votes.
	VoteApplication(ctx context.Context, c *Challenge, application, member int64, vote bool) (int, error)
	// ScoreApplication keeps a juror's points by criterion.
	ScoreApplication(ctx context.Context, c *Challenge, application int64, juror Member, points map[string]int) error
	// RankApplications in the order of community and jury.
	RankApplications(ctx context.Context, c *Challenge) ([]RankedApplication, error)
	// DecideApplication is the team's decision on one, with a text for the applicant.
	DecideApplication(ctx context.Context, actor int64, c *Challenge, application int64, state ApplicationState, reason string) error
	// CloseSelection fills the places that are left as the challenge declares it, by vote and jury or by draw, and puts who
	// remains on the waiting list with a text.
	CloseSelection(ctx context.Context, actor int64, c *Challenge, reason string) error
	// PublishedDraw is what anybody may know of a draw: before it, the commitment.
	PublishedDraw(ctx context.Context, c *Challenge) (Draw, error)
	// DropOut removes somebody who was selected; the next of the waiting list takes the place. actor 0 is the service.
	DropOut(ctx context.Context, actor int64, c *Challenge, member int64, cause string) error
	// HasChallengeRole tells whether a challenge has selected the member.
	HasChallengeRole(ctx context.Context, challenge, member int64) (bool, error)
}

// SurveyStanding is how far a survey is, and whether the member who looks has responded.
type SurveyStanding struct {
	Responses int
	Responded bool
	// Full tells that the limit, or the quota of one of the member's segments, is reached.
	Full bool
}

// SurveyStore keeps responses.
type SurveyStore interface {
	// SurveyStanding of a part of a challenge; member 0 for nobody.
	SurveyStanding(ctx context.Context, c *Challenge, part string, member int64) (SurveyStanding, error)
	// Respond keeps a member's only response to a part; typed as for CleanResponse. Responding again is ErrClosed.
	Respond(ctx context.Context, c *Challenge, part string, member int64, typed map[string][]string) error
	// Responses to a part, in no order that tells who came when where the survey is anonymous.
	Responses(ctx context.Context, c *Challenge, part string) ([]Response, error)
	// ExportResponses is Responses for somebody of the team who takes them out, which the audit log notes.
	ExportResponses(ctx context.Context, actor int64, c *Challenge, part string) ([]Response, error)
	// Exposures are what a member of a concept test is shown, assigned for good when first asked for.
	Exposures(ctx context.Context, c *Challenge, member int64) ([]Exposure, error)
	// StimuliShown is to how many members each stimulus was assigned.
	StimuliShown(ctx context.Context, challenge int64) (map[string]int, error)
}

// BetaTestStore keeps kits, diaries and bug reports.
type BetaTestStore interface {
	// Tester of a challenge, or ErrNotFound.
	Tester(ctx context.Context, c *Challenge, member int64) (Tester, error)
	// Testers of a challenge with their progress, those who dropped out last.
	Testers(ctx context.Context, c *Challenge) ([]Tester, error)
	// SetKit records where a kit is; a tester confirms the receipt of their own.
	SetKit(ctx context.Context, actor int64, c *Challenge, tester int64, kit Kit, tracking string) error
	// AddDiary adds an entry; key as in SubmitIdea.
	AddDiary(ctx context.Context, c *Challenge, tester int64, key string, mood int, body string) error
	// Diary of a tester, the newest entry first.
	Diary(ctx context.Context, challenge, tester int64) ([]DiaryEntry, error)
	// DiaryTimes are when each tester of a challenge has written.
	DiaryTimes(ctx context.Context, challenge int64) (map[int64][]time.Time, error)
	// ReportBug adds a report; key as in SubmitIdea.
	ReportBug(ctx context.Context, c *Challenge, tester int64, key, title, steps string, severity Severity) (Bug, error)
	// Bugs of a challenge, the newest first, of one tester or of all (0), before an id (0 for the first page).
	Bugs(ctx context.Context, challenge, tester, before int64, limit int) ([]Bug, error)
	// AnswerBug records what the team made of a report.
	AnswerBug(ctx context.Context, actor int64, c *Challenge, bug int64, answer BugAnswer) error
	// DropSilentTesters drops testers from whom nothing came for too long, and replaces them; it returns how many.
	DropSilentTesters(ctx context.Context) (int, error)
}

// ForumStore keeps topics and their replies.
type ForumStore interface {
	ListTopics(ctx context.Context, q TopicQuery) (TopicPage, error)
	// GetTopic that the viewer may see: a visible one, their own, or any for the team.
	GetTopic(ctx context.Context, viewer int64, team bool, id int64) (Topic, error)
	// AddTopic opens a topic, or publishes a post of a mission; key as in SubmitIdea.
	AddTopic(ctx context.Context, c *Challenge, author int64, key, theme, title, body string) (Topic, error)
	// ListReplies in the order of the thread, after a former page's Next.
	ListReplies(ctx context.Context, viewer, topic int64, after string, limit int) (ThreadPage, error)
	// GetReply to a topic that everybody sees.
	GetReply(ctx context.Context, topic, reply int64) (Reply, error)
	// AddReply below the topic (parent 0) or another reply; key as in SubmitIdea.
	AddReply(ctx context.Context, c *Challenge, topic, parent, author int64, key, body string) (Reply, error)
	// PendingTopics wait for the team.
	PendingTopics(ctx context.Context, challenge int64) ([]Topic, error)
	// ModerateTopic pins, locks, publishes or hides a topic.
	ModerateTopic(ctx context.Context, actor int64, c *Challenge, topic int64, change TopicChange) error
	// HideReply hides or shows a reply.
	HideReply(ctx context.Context, actor int64, c *Challenge, topic, reply int64, hidden bool, reason Reason) error
}

// TopicChange is what the team changes of a topic; nil stays.
type TopicChange struct {
	Pinned, Locked *bool
	State          *TopicState
	Reason         Reason
}

// WorkshopStore keeps registrations.
type WorkshopStore interface {
	// Register takes a place, or one in the waiting list where there is none.
	Register(ctx context.Context, c *Challenge, session string, member int64) (RegistrationState, error)
	// Unregister gives a place back, to the first who waits.
	Unregister(ctx context.Context, c *Challenge, session string, member int64) error
	// SessionPlaces of all sessions, by name; member 0 for nobody.
	SessionPlaces(ctx context.Context, c *Challenge, member int64) (map[string]SessionPlaces, error)
	// Registrations of a session, those with a place first.
	Registrations(ctx context.Context, challenge int64, session string) ([]Registration, error)
	// AddOutcome makes an idea of what a session brought, by the actor and with credit to all who took part.
	AddOutcome(ctx context.Context, actor int64, c *Challenge, session, key, title, body string) (Idea, error)
	// Outcomes of a session.
	Outcomes(ctx context.Context, viewer, challenge int64, session string) ([]Idea, error)
}

// MissionStore keeps results of tasks and what came of a mission.
type MissionStore interface {
	// SubmitResult delivers a task, again where it was given back.
	SubmitResult(ctx context.Context, c *Challenge, task string, member int64, body, link string) error
	// DecideResult is the team's.
	DecideResult(ctx context.Context, actor int64, c *Challenge, task string, member int64, state ResultState, feedback string) error
	// MyResults of a mission, by task.
	MyResults(ctx context.Context, challenge, member int64) (map[string]TaskResult, error)
	// MissionProgress of all its members.
	MissionProgress(ctx context.Context, c *Challenge) (MissionProgress, error)
	// LinkIdea makes an idea belong to a challenge beside its own, so that it is followed with it.
	LinkIdea(ctx context.Context, actor int64, c *Challenge, idea int64, linked bool) error
	// IdeaProgress of the challenge's ideas, those linked to it included.
	IdeaProgress(ctx context.Context, challenge int64) (IdeaProgress, error)
}
