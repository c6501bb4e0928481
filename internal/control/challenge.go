package control

// ChallengePath and RewardPolicyPath are where one object is declared (PUT), withdrawn (DELETE) and observed (GET);
// its uid follows after a slash.
const (
	ChallengePath    = "/control/v1/challenges"
	RewardPolicyPath = "/control/v1/reward-policies"
)

// Object is the declaration of one Challenge or RewardPolicy.
type Object[T any] struct {
	// UID identifies the object; another object of the same name has another.
	UID string `json:"uid"`
	// Generation is the object's metadata.generation; a lower one than that in force is refused as stale.
	Generation int64 `json:"generation"`
	// Name is unique among the objects of a kind that are in force; it is part of addresses.
	Name string `json:"name"`
	// Former is the UID of an object in force of the same kind and name whose place this one takes, with everything that
	// was lived in it: after a restore, the same object has another UID.
	Former string `json:"former,omitempty"`
	Spec   T      `json:"spec"`
}

// Types of a challenge.
const (
	TypeIdeation    = "ideation"
	TypeContest     = "contest"
	TypeConceptTest = "conceptTest"
	TypeBetaTest    = "betaTest"
	TypeSurvey      = "survey"
	TypeForum       = "forum"
	TypeWorkshop    = "workshop"
	TypeMission     = "mission"
)

// Challenge is what a brand declares of one.
type Challenge struct {
	// Type is one of the Type constants and never changes.
	Type  string            `json:"type"`
	Title map[string]string `json:"title"`
	// Brief by locale, in Markdown.
	Brief map[string]string `json:"brief,omitempty"`
	// Theme names one of the house's themes.
	Theme string `json:"theme,omitempty"`
	// Phases in order, without overlap. A challenge without phases is always open.
	Phases []Phase `json:"phases,omitempty"`
	// Visibility is "public" (the default), "members", or "eligible".
	Visibility string `json:"visibility,omitempty"`
	// Eligibility of who may take part; nil means every member.
	Eligibility *Eligibility `json:"eligibility,omitempty"`
	// Form that an entry or an application fills, beside title and text.
	Form []FormField `json:"form,omitempty"`
	// Ballot of contests and ideation; nil means plain support.
	Ballot *Ballot `json:"ballot,omitempty"`
	// Ladder of rungs that an idea climbs by support.
	Ladder []Rung `json:"ladder,omitempty"`
	Jury   *Jury  `json:"jury,omitempty"`
	// Winners is the number of places of a contest; 0 leaves it to the decision.
	Winners int `json:"winners,omitempty"`
	// ReviewBatches are the dates ("2027-01-31") at which qualified ideas enter review together; empty means at once.
	ReviewBatches []string `json:"reviewBatches,omitempty"`
	// Terms are names of the house's terms, accepted before anything of the challenge is shown that they protect.
	Terms []string `json:"terms,omitempty"`
	// ExclusiveDays after the end in which the rights stay with the brand; then they return to authors of entries
	// that were not selected. 0 means the terms alone say.
	ExclusiveDays int `json:"exclusiveDays,omitempty"`
	// RewardPolicy names the policy whose prizes apply; empty means the community's only one.
	RewardPolicy string `json:"rewardPolicy,omitempty"`
	// AnswerWithinDays overrides the house's.
	AnswerWithinDays int `json:"answerWithinDays,omitempty"`
	// Responsible is the role that answers; "lead" when empty.
	Responsible string  `json:"responsible,omitempty"`
	Quotas      []Quota `json:"quotas,omitempty"`
	// Origin names the challenge that this one continues; its selected ideas come along, with credit.
	Origin string `json:"origin,omitempty"`
	// PreModerated overrides the house's moderation: "before" or "after".
	Moderation string `json:"moderation,omitempty"`
	// Paused and Cancelled say why, by locale; members are told.
	Paused    map[string]string `json:"paused,omitempty"`
	Cancelled map[string]string `json:"cancelled,omitempty"`

	Recruiting  *Recruiting  `json:"recruiting,omitempty"`
	Survey      *Survey      `json:"survey,omitempty"`
	ConceptTest *ConceptTest `json:"conceptTest,omitempty"`
	BetaTest    *BetaTest    `json:"betaTest,omitempty"`
	Forum       *Forum       `json:"forum,omitempty"`
	Workshop    *Workshop    `json:"workshop,omitempty"`
	Mission     *Mission     `json:"mission,omitempty"`
}

// Names of phases, in the order in which they follow each other. Each may be left out.
const (
	PhaseRecruiting   = "recruiting"
	PhaseOpen         = "open"
	PhaseScreening    = "screening"
	PhaseVoting       = "voting"
	PhaseJury         = "jury"
	PhaseRewarding    = "rewarding"
	PhaseImplementing = "implementing"
)

// Phase of a challenge. Start and End are times of day in the community's time zone, "2027-06-01T09:00"; End is the
// first moment that no longer belongs to the phase. An absent End is the next phase's Start, or never.
type Phase struct {
	Name  string `json:"name"`
	Start string `json:"start"`
	End   string `json:"end,omitempty"`
	// Allows overrides what members may do: "submit", "edit", "vote", "comment", "apply", "respond". Nil means what the
	// phase is for.
	Allows []string `json:"allows,omitempty"`
}

// Eligibility of who may take part. All conditions that are set hold together.
type Eligibility struct {
	MinimumAge int `json:"minimumAge,omitempty"`
	// Attributes: the member has one of the values of each.
	Attributes map[string][]string `json:"attributes,omitempty"`
	// Level is the lowest level.
	Level int `json:"level,omitempty"`
	// Roles: the member has one of them.
	Roles []string `json:"roles,omitempty"`
	// SelectedIn names a challenge whose selected applicants or winners may take part.
	SelectedIn string `json:"selectedIn,omitempty"`
	// EntriesPerMember bounds the entries of one member; 0 means no bound.
	EntriesPerMember int `json:"entriesPerMember,omitempty"`
}

// FormField of an entry or an application.
type FormField struct {
	Name  string            `json:"name"`
	Label map[string]string `json:"label"`
	Hint  map[string]string `json:"hint,omitempty"`
	// Type is "text", "longText", "number", "date", "choice", "choices", "yesNo", "url", "file".
	Type     string   `json:"type"`
	Required bool     `json:"required,omitempty"`
	Options  []Option `json:"options,omitempty"`
	// Minimum and Maximum bound a number; MaxLength a text, in characters.
	Minimum   *int64 `json:"minimum,omitempty"`
	Maximum   *int64 `json:"maximum,omitempty"`
	MaxLength int    `json:"maxLength,omitempty"`
	// Private fields are shown to the author and the team only.
	Private bool `json:"private,omitempty"`
}

// Kinds of a ballot.
const (
	BallotSupport  = "support"
	BallotPerDay   = "perDay"
	BallotScore    = "score"
	BallotBudget   = "budget"
	BallotApproval = "approval"
)

// Ballot says how members vote.
type Ballot struct {
	// Kind is one of the Ballot constants.
	Kind string `json:"kind"`
	// PerDay is the number of votes a member has on each day of the community's time zone (perDay), 1 when 0.
	PerDay int `json:"perDay,omitempty"`
	// Minimum and Maximum score, inclusive.
	Minimum int `json:"minimum,omitempty"`
	Maximum int `json:"maximum,omitempty"`
	// Budget is the number of votes that a member spreads; a withdrawn one returns.
	Budget int `json:"budget,omitempty"`
	// MaxPerIdea bounds what a member gives one idea of the budget; 0 means the whole budget.
	MaxPerIdea int `json:"maxPerIdea,omitempty"`
	// Approvals bounds the number of ideas that a member approves of; 0 means no bound.
	Approvals int `json:"approvals,omitempty"`
	// Hidden hides counts until the vote closes.
	Hidden bool `json:"hidden,omitempty"`
	// RandomOrder shows entries in an order of each member's own until the vote closes.
	RandomOrder bool `json:"randomOrder,omitempty"`
	// DaysPerEntry closes the vote on each entry so many days after its publication; 0 means with the phase.
	DaysPerEntry int `json:"daysPerEntry,omitempty"`
	// Shortlist is the number of entries that go on to the jury; 0 means all.
	Shortlist int `json:"shortlist,omitempty"`
}

// Rung of a ladder: Supporters within Days of the former rung (or of publication), else the idea expires.
type Rung struct {
	Supporters int `json:"supporters"`
	// Percent of supporters among members who have seen the idea; 0 asks for none.
	Percent int `json:"percent,omitempty"`
	// Days from the former rung; 0 means no deadline.
	Days int `json:"days,omitempty"`
}

// Jury scores what was shortlisted.
type Jury struct {
	// Members are addresses.
	Members  []string    `json:"members"`
	Criteria []Criterion `json:"criteria"`
	// ScoresPerEntry is how many jurors must have scored each entry; 0 means all without a conflict of interest.
	ScoresPerEntry int `json:"scoresPerEntry,omitempty"`
	// BallotPercent is the weight of the community's vote in the final ranking.
	BallotPercent int `json:"ballotPercent,omitempty"`
}

// Criterion of a jury; a score is from 0 to Maximum, 10 when 0. Weights sum to 100.
type Criterion struct {
	Name    string            `json:"name"`
	Label   map[string]string `json:"label"`
	Weight  int               `json:"weight"`
	Maximum int               `json:"maximum,omitempty"`
}

// Recruiting is a call for applications.
type Recruiting struct {
	// Questions that applicants answer.
	Questions []FormField `json:"questions,omitempty"`
	// Places to be filled.
	Places int `json:"places"`
	// Quotas of the selection, in percent of the places.
	Quotas []Quota `json:"quotas,omitempty"`
	// Selection is "team" (the default), "vote" (by the community's and the jury's vote), or "draw".
	Selection string `json:"selection,omitempty"`
	// Role that the selected receive in the challenge, such as "tester".
	Role string `json:"role,omitempty"`
}

// Survey asks questions; one response each.
type Survey struct {
	Questions []Question `json:"questions"`
	// Limit closes the survey after so many responses; 0 means none. Quotas of the challenge bound segments.
	Limit int `json:"limit,omitempty"`
	// Anonymous keeps no link between member and response.
	Anonymous bool `json:"anonymous,omitempty"`
}

// Question of a survey.
type Question struct {
	Name  string            `json:"name"`
	Label map[string]string `json:"label"`
	// Type is "text", "single", "multiple", "scale", "rating", "ranking", "number", "matrix", "nps".
	Type     string   `json:"type"`
	Required bool     `json:"required,omitempty"`
	Options  []Option `json:"options,omitempty"`
	// Rows of a matrix.
	Rows []Option `json:"rows,omitempty"`
	// Minimum and Maximum of a scale (1 and 5 when both are 0), a number (unbounded when both are 0), or a rating, which
	// begins at 1 and ends at Maximum, 5 when 0.
	Minimum int `json:"minimum,omitempty"`
	Maximum int `json:"maximum,omitempty"`
	// LowLabel and HighLabel say what the ends of a scale mean, by locale.
	LowLabel  map[string]string `json:"lowLabel,omitempty"`
	HighLabel map[string]string `json:"highLabel,omitempty"`
	// ShowIf asks only those whose answer to an earlier question has the value: "question=option".
	ShowIf string `json:"showIf,omitempty"`
}

// ConceptTest shows stimuli and asks the same questions of each.
type ConceptTest struct {
	Stimuli   []Stimulus `json:"stimuli"`
	Questions []Question `json:"questions"`
	// PerMember is how many stimuli each member sees, in random order; 0 means all.
	PerMember int `json:"perMember,omitempty"`
}

// Stimulus is one concept.
type Stimulus struct {
	Name  string            `json:"name"`
	Title map[string]string `json:"title"`
	// Text in Markdown, by locale.
	Text map[string]string `json:"text,omitempty"`
	// Image, Video and Link (3-D or VR) are https addresses.
	Image string `json:"image,omitempty"`
	// ImageAlt describes the image, by locale.
	ImageAlt map[string]string `json:"imageAlt,omitempty"`
	Video    string            `json:"video,omitempty"`
	Link     string            `json:"link,omitempty"`
}

// BetaTest lets selected members test a product.
type BetaTest struct {
	// Kit describes what testers receive, by locale.
	Kit map[string]string `json:"kit,omitempty"`
	// DiaryDays is how often a diary entry is due, in days; 0 leaves it to testers.
	DiaryDays int `json:"diaryDays,omitempty"`
	// DropOutDays without any entry after which a tester counts as dropped out and the next is asked; 0 means never.
	DropOutDays int `json:"dropOutDays,omitempty"`
	// FinalSurvey is asked at the end.
	FinalSurvey *Survey `json:"finalSurvey,omitempty"`
}

// Forum has topics by theme.
type Forum struct {
	// Themes of its topics, names of the house's; empty means all.
	Themes []string `json:"themes,omitempty"`
}

// Workshop is a session with places.
type Workshop struct {
	Sessions []Session `json:"sessions"`
}

// Session of a workshop.
type Session struct {
	Name  string            `json:"name"`
	Title map[string]string `json:"title"`
	// Start and End are local times as in Phase.
	Start string `json:"start"`
	End   string `json:"end"`
	// Place by locale, or Link, an https address shown to who is registered.
	Place    map[string]string `json:"place,omitempty"`
	Link     string            `json:"link,omitempty"`
	Capacity int               `json:"capacity"`
	// Facilitator is an address.
	Facilitator string  `json:"facilitator,omitempty"`
	Rounds      []Round `json:"rounds,omitempty"`
}

// Round of a session.
type Round struct {
	Title   map[string]string `json:"title"`
	Minutes int               `json:"minutes"`
}

// Mission gives members tasks and a role.
type Mission struct {
	// Role that those on the mission have, such as "ambassador".
	Role  string `json:"role"`
	Tasks []Task `json:"tasks"`
	// PostsUnmoderated publishes their posts without moderation.
	PostsUnmoderated bool `json:"postsUnmoderated,omitempty"`
}

// Task of a mission.
type Task struct {
	Name  string            `json:"name"`
	Title map[string]string `json:"title"`
	Brief map[string]string `json:"brief,omitempty"`
	// Due is a local time as in Phase; empty means with the mission.
	Due string `json:"due,omitempty"`
}
