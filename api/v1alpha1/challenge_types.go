package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// Challenge is one question that a brand puts to its community: an ideation, a contest, a concept test, a beta test, a
// survey, a forum, a workshop or a mission. The operator keeps it in force inside the running idea service; phases open
// and close there by the service's own clock, also while the operator is away.
//
// The name is part of the challenge's address and of the references to it.
//
// +kubebuilder:object:root=true
// +kubebuilder:subresource:status
// +kubebuilder:resource:scope=Namespaced,shortName=chal;chals,categories=cocreation
// +kubebuilder:printcolumn:name="Community",type=string,JSONPath=".spec.communityRef.name"
// +kubebuilder:printcolumn:name="Type",type=string,JSONPath=".spec.type"
// +kubebuilder:printcolumn:name="Phase",type=string,JSONPath=".status.phase"
// +kubebuilder:printcolumn:name="Ideas",type=integer,JSONPath=".status.ideas"
// +kubebuilder:printcolumn:name="Participants",type=integer,JSONPath=".status.participants"
// +kubebuilder:printcolumn:name="Closes in",type=string,JSONPath=".status.closesIn"
// +kubebuilder:printcolumn:name="Ready",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].status`
// +kubebuilder:printcolumn:name="Votes",type=integer,JSONPath=".status.votes",priority=1
// +kubebuilder:printcolumn:name="Late",type=integer,JSONPath=".status.lateAnswers",priority=1
// +kubebuilder:printcolumn:name="Age",type=date,JSONPath=".metadata.creationTimestamp",priority=1
// +kubebuilder:printcolumn:name="Status",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].message`,priority=1
// +kubebuilder:validation:XValidation:rule="!has(self.spec.origin) || self.spec.origin != self.metadata.name",message="origin must name another challenge than this one",fieldPath=".spec.origin"
// +kubebuilder:validation:XValidation:rule="!has(self.spec.eligibility) || !has(self.spec.eligibility.selectedIn) || self.spec.eligibility.selectedIn != self.metadata.name",message="selectedIn must name another challenge than this one",fieldPath=".spec.eligibility.selectedIn"
type Challenge struct {
	metav1.TypeMeta `json:",inline"`
	// metadata is the standard object metadata.
	metav1.ObjectMeta `json:"metadata,omitempty"`

	// spec is what the brand asks.
	// +required
	Spec ChallengeSpec `json:"spec"`
	// status is what the operator last saw in the idea service.
	// +optional
	Status ChallengeStatus `json:"status,omitempty"`
}

// ChallengeList is a list of Challenges.
//
// +kubebuilder:object:root=true
type ChallengeList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`
	Items           []Challenge `json:"items"`
}

// ChallengeType is the method by which a community works on a challenge.
//
// +kubebuilder:validation:Enum=ideation;contest;conceptTest;betaTest;survey;forum;workshop;mission
type ChallengeType string

// Types of challenges.
const (
	ChallengeIdeation    ChallengeType = "ideation"
	ChallengeContest     ChallengeType = "contest"
	ChallengeConceptTest ChallengeType = "conceptTest"
	ChallengeBetaTest    ChallengeType = "betaTest"
	ChallengeSurvey      ChallengeType = "survey"
	ChallengeForum       ChallengeType = "forum"
	ChallengeWorkshop    ChallengeType = "workshop"
	ChallengeMission     ChallengeType = "mission"
)

// ChallengeSpec is what the brand asks. Once the challenge is open, what decides it is locked: eligibility, form, ballot,
// ladder, jury, winners, terms, rewardPolicy, exclusiveDays, origin, recruiting, and phases that have begun, of which the
// end may still be moved. Such a change is refused in the condition InForce, and the running challenge stays untouched.
//
// +kubebuilder:validation:XValidation:rule="(self.type == 'survey') == has(self.survey)",message="survey is required for type survey and only for it",fieldPath=".survey"
// +kubebuilder:validation:XValidation:rule="(self.type == 'conceptTest') == has(self.conceptTest)",message="conceptTest is required for type conceptTest and only for it",fieldPath=".conceptTest"
// +kubebuilder:validation:XValidation:rule="(self.type == 'betaTest') == has(self.betaTest)",message="betaTest is required for type betaTest and only for it",fieldPath=".betaTest"
// +kubebuilder:validation:XValidation:rule="(self.type == 'forum') == has(self.forum)",message="forum is required for type forum and only for it; {} is enough",fieldPath=".forum"
// +kubebuilder:validation:XValidation:rule="(self.type == 'workshop') == has(self.workshop)",message="workshop is required for type workshop and only for it",fieldPath=".workshop"
// +kubebuilder:validation:XValidation:rule="(self.type == 'mission') == has(self.mission)",message="mission is required for type mission and only for it",fieldPath=".mission"
// +kubebuilder:validation:XValidation:rule="self.type != 'betaTest' || has(self.recruiting)",message="recruiting is required for type betaTest: testers are selected among those who apply",fieldPath=".recruiting"
// +kubebuilder:validation:XValidation:rule="self.type in ['ideation', 'contest'] || !has(self.ballot)",message="ballot is only for types ideation and contest; remove it",fieldPath=".ballot"
// +kubebuilder:validation:XValidation:rule="self.type in ['ideation', 'contest'] || !has(self.ladder)",message="ladder is only for types ideation and contest; remove it",fieldPath=".ladder"
// +kubebuilder:validation:XValidation:rule="self.type in ['ideation', 'contest'] || !has(self.winners)",message="winners is only for types ideation and contest; remove it",fieldPath=".winners"
// +kubebuilder:validation:XValidation:rule="self.type in ['ideation', 'contest'] || !has(self.reviewBatches)",message="reviewBatches is only for types ideation and contest; remove it",fieldPath=".reviewBatches"
// +kubebuilder:validation:XValidation:rule="self.type in ['ideation', 'contest'] || has(self.recruiting) || !has(self.jury)",message="jury is only for types ideation and contest, or with recruiting; remove it",fieldPath=".jury"
// +kubebuilder:validation:XValidation:rule="!(self.type in ['ideation', 'contest']) || has(self.ladder) || !has(self.reviewBatches)",message="reviewBatches need a ladder: it is what ideas qualify by",fieldPath=".reviewBatches"
// +kubebuilder:validation:XValidation:rule="!has(self.ladder) || !has(self.ballot) || (self.ballot.kind == 'support' && (!has(self.ballot.hidden) || !self.ballot.hidden))",message="ballot must be of kind support and not hidden where there is a ladder: its rungs count supporters; or remove the ladder",fieldPath=".ballot"
// +kubebuilder:validation:XValidation:rule="!has(self.phases) || has(self.jury) || !self.phases.exists(p, p.name == 'jury')",message="jury is required where a phase is named jury: name its members and criteria, or remove the phase",fieldPath=".jury"
// +kubebuilder:validation:XValidation:rule="!has(self.phases) || has(self.recruiting) || !self.phases.exists(p, p.name == 'recruiting')",message="recruiting is required where a phase is named recruiting: say how many places there are, or remove the phase",fieldPath=".recruiting"
// +kubebuilder:validation:XValidation:rule="!has(self.quotas) || !has(self.survey) || has(self.survey.limit)",message="survey.limit is required where there are quotas: they are shares of it",fieldPath=".survey.limit"
type ChallengeSpec struct {
	// communityRef names the Community that the challenge is put to. It never changes.
	// +required
	// +kubebuilder:validation:XValidation:rule="self == oldSelf",message="communityRef never changes: create the challenge in the other community, and delete this one"
	CommunityRef CommunityReference `json:"communityRef"`
	// type is the method: ideation (submit, discuss, support), contest (the same with phases, a vote, a jury and
	// winners), conceptTest (stimuli and questions), betaTest (selected testers, kit, diary, bugs), survey, forum
	// (topics, always open), workshop (sessions with places) or mission (a role and tasks for selected members). It
	// never changes. All types but ideation and contest need the part of the spec that has the type's name.
	// +required
	// +kubebuilder:validation:XValidation:rule="self == oldSelf",message="type never changes: create another challenge, and delete this one"
	Type ChallengeType `json:"type"`
	// title by locale, such as {fr: "Des nuits plus légères", en: "Lighter nights"}. Each of the community's locales
	// needs one.
	// +required
	Title TextByLocale `json:"title"`
	// brief by locale, in Markdown: what is asked, and what becomes of the answers. 20,000 characters at most; link to
	// what is longer.
	// +optional
	Brief DocumentByLocale `json:"brief,omitempty"`
	// theme is the name of one of the community's themes (house.themes).
	// +optional
	Theme ItemName `json:"theme,omitempty"`
	// phases in order: recruiting, open, screening, voting, jury, rewarding, implementing. Each may be left out. A
	// challenge without phases is open from the beginning, until it is deleted.
	// +optional
	// +listType=map
	// +listMapKey=name
	// +kubebuilder:validation:MaxItems=7
	// +kubebuilder:validation:XValidation:rule="[0, 1, 2, 3, 4, 5].all(i, i + 1 >= size(self) || {'recruiting': 0, 'open': 1, 'screening': 2, 'voting': 3, 'jury': 4, 'rewarding': 5, 'implementing': 6}[self[i].name] < {'recruiting': 0, 'open': 1, 'screening': 2, 'voting': 3, 'jury': 4, 'rewarding': 5, 'implementing': 6}[self[i + 1].name])",message="phases must be in the order recruiting, open, screening, voting, jury, rewarding, implementing"
	// +kubebuilder:validation:XValidation:rule="[0, 1, 2, 3, 4, 5].all(i, i + 1 >= size(self) || self[i].start < self[i + 1].start)",message="phases must begin one after the other: the start of each must be after that of the phase before"
	// +kubebuilder:validation:XValidation:rule="[0, 1, 2, 3, 4, 5].all(i, i + 1 >= size(self) || self[i].start >= self[i + 1].start || !has(self[i].end) || self[i].end <= self[i + 1].start)",message="phases must not overlap: end each when the next one starts or before, or leave out its end"
	Phases []Phase `json:"phases,omitempty"`
	// visibility is who sees the challenge: public (when absent), members, or eligible (those who may take part).
	// +optional
	Visibility Visibility `json:"visibility,omitempty"`
	// eligibility of who may take part; every member when absent. All its conditions hold together.
	// +optional
	Eligibility *Eligibility `json:"eligibility,omitempty"`
	// form that an entry fills, beside title and text.
	// +optional
	// +listType=map
	// +listMapKey=name
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=40
	Form []FormField `json:"form,omitempty"`
	// ballot says how members vote in an ideation or a contest. Plain support when absent.
	// +optional
	Ballot *Ballot `json:"ballot,omitempty"`
	// ladder of rungs that an idea climbs by support. An idea that reaches the last rung qualifies for an answer; one
	// that misses a deadline expires, and may be submitted again.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=20
	// +kubebuilder:validation:XValidation:rule="self.map(r, r.supporters).isSorted() && self.all(r, self.exists_one(q, q.supporters == r.supporters))",message="ladder must rise: each rung asks for more supporters than the one before, such as 100, 1000, 10000"
	Ladder []Rung `json:"ladder,omitempty"`
	// jury scores the entries that the vote has shortlisted.
	// +optional
	Jury *Jury `json:"jury,omitempty"`
	// winners is the number of places, 1 to 100. The team's decision when absent.
	// +optional
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=100
	Winners int32 `json:"winners,omitempty"`
	// reviewBatches are the days, such as "2027-01-31", at which ideas that have climbed the ladder enter review
	// together. At once when absent.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=100
	// +kubebuilder:validation:XValidation:rule="self.isSorted() && self.all(d, self.exists_one(e, e == d))",message="reviewBatches must be days one after the other, without repetition"
	ReviewBatches []Date `json:"reviewBatches,omitempty"`
	// terms are names of the community's terms (house.terms) that members accept before they see anything of the
	// challenge that the terms protect.
	// +optional
	// +listType=set
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=10
	Terms []ItemName `json:"terms,omitempty"`
	// exclusiveDays after the end in which the rights stay with the brand; then those of entries that were not selected
	// return to their authors. The terms alone say when absent.
	// +optional
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=3650
	ExclusiveDays int32 `json:"exclusiveDays,omitempty"`
	// rewardPolicy is the name of the RewardPolicy whose prizes apply. The community's only one when absent.
	// +optional
	RewardPolicy ObjectName `json:"rewardPolicy,omitempty"`
	// answerWithinDays is how long the brand takes at most to answer an idea that has qualified. The community's
	// (house.answerWithinDays) when absent.
	// +optional
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=3650
	AnswerWithinDays int32 `json:"answerWithinDays,omitempty"`
	// responsible is the role that answers: lead (when absent), implementer, host, follow-up or moderator.
	// +optional
	Responsible TeamRole `json:"responsible,omitempty"`
	// quotas of segments that make participants representative; in a survey, shares of its limit. The community's
	// (house.quotas) when absent.
	// +optional
	// +listType=map
	// +listMapKey=attribute
	// +listMapKey=value
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=100
	// +kubebuilder:validation:XValidation:rule="self.all(q, self.filter(o, o.attribute == q.attribute).map(o, o.percent).sum() <= 100)",message="quotas of one attribute must sum to 100 percent at most"
	Quotas []Quota `json:"quotas,omitempty"`
	// origin is the name of the Challenge that this one continues: its selected ideas come along, with credit to their
	// authors.
	// +optional
	Origin ObjectName `json:"origin,omitempty"`
	// moderation of contributions: before or after publication. The community's (house.moderation.when) when absent.
	// +optional
	Moderation ModerationTime `json:"moderation,omitempty"`
	// paused says why nobody can take part for now, by locale; members read it. Remove it to go on.
	// +optional
	Paused NoticeByLocale `json:"paused,omitempty"`
	// cancelled says why the challenge was cancelled, by locale; members read it.
	// +optional
	Cancelled NoticeByLocale `json:"cancelled,omitempty"`

	// recruiting is a call for applications, for a beta test, a mission, or another challenge whose participants are
	// selected.
	// +optional
	Recruiting *Recruiting `json:"recruiting,omitempty"`
	// survey of type survey.
	// +optional
	Survey *Survey `json:"survey,omitempty"`
	// conceptTest of type conceptTest.
	// +optional
	ConceptTest *ConceptTest `json:"conceptTest,omitempty"`
	// betaTest of type betaTest.
	// +optional
	BetaTest *BetaTest `json:"betaTest,omitempty"`
	// forum of type forum; {} is enough.
	// +optional
	Forum *Forum `json:"forum,omitempty"`
	// workshop of type workshop.
	// +optional
	Workshop *Workshop `json:"workshop,omitempty"`
	// mission of type mission.
	// +optional
	Mission *Mission `json:"mission,omitempty"`

	// driftPolicy says what the operator does when the idea service no longer works by this spec, such as after a
	// restore: Correct (when absent) declares it again, Report says so and leaves it.
	// +optional
	DriftPolicy DriftPolicy `json:"driftPolicy,omitempty"`
	// deletionPolicy says what becomes of the challenge in the idea service when this object is deleted: Archive (when
	// absent) closes it and keeps everything that people wrote; Retain leaves it running as it was declared last. An
	// object of the same name takes it up again.
	// +optional
	DeletionPolicy WithdrawalPolicy `json:"deletionPolicy,omitempty"`
	// suspend stops the operator from changing anything about this challenge in the idea service, where it runs on as
	// it was declared last. To pause the challenge itself, say why in paused.
	// +optional
	Suspend bool `json:"suspend,omitempty"`
}

// PhaseName is the name of a phase.
//
// +kubebuilder:validation:Enum=recruiting;open;screening;voting;jury;rewarding;implementing
type PhaseName string

// Phase of a challenge.
//
// +kubebuilder:validation:XValidation:rule="!has(self.end) || self.start < self.end",message="end must be after start",fieldPath=".end"
type Phase struct {
	// name says what the phase is for: recruiting (apply), open (submit, discuss, take part), screening (the team looks
	// at entries), voting, jury, rewarding, implementing.
	// +required
	Name PhaseName `json:"name"`
	// start as a time in the community's time zone, such as "2027-06-01T09:00".
	// +required
	Start LocalTime `json:"start"`
	// end is the first moment that no longer belongs to the phase. The next phase's start, or never, when absent.
	// +optional
	End LocalTime `json:"end,omitempty"`
	// allows overrides what members may do in the phase: submit, edit, vote, comment, apply, respond. What the phase is
	// for when absent.
	// +optional
	// +listType=set
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=6
	Allows []MemberAction `json:"allows,omitempty"`
}

// MemberAction is something that members do in a phase.
//
// +kubebuilder:validation:Enum=submit;edit;vote;comment;apply;respond
type MemberAction string

// Visibility says who sees a challenge.
//
// +kubebuilder:validation:Enum=public;members;eligible
type Visibility string

// Eligibility of who may take part. All conditions that are set hold together.
type Eligibility struct {
	// minimumAge in years, 1 to 120.
	// +optional
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=120
	MinimumAge int32 `json:"minimumAge,omitempty"`
	// attributes: the member has one of the values of each, such as {region: [north, south]}. Keys are names of the
	// community's attributes (house.attributes), values names of their options.
	// +optional
	// +kubebuilder:validation:MinProperties=1
	// +kubebuilder:validation:MaxProperties=20
	// +kubebuilder:validation:XValidation:rule="self.all(k, k.matches('^[A-Za-z][-A-Za-z0-9_]{0,62}$'))",message="keys must be names of the community's attributes: a letter, then letters, digits, '-' and '_', such as region"
	Attributes map[string]AttributeValues `json:"attributes,omitempty"`
	// level is the lowest level of the community's RewardPolicy that may take part, counted from 1.
	// +optional
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=100
	Level int32 `json:"level,omitempty"`
	// roles: the member has one of them, of the team's or of those that recruiting and missions give.
	// +optional
	// +listType=set
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=20
	Roles []ItemName `json:"roles,omitempty"`
	// selectedIn is the name of a Challenge whose selected applicants or winners may take part.
	// +optional
	SelectedIn ObjectName `json:"selectedIn,omitempty"`
	// entriesPerMember bounds the entries of one member. No bound when absent.
	// +optional
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=1000000
	EntriesPerMember int32 `json:"entriesPerMember,omitempty"`
}

// AttributeValues are values of an attribute, of which a member has one.
//
// +listType=set
// +kubebuilder:validation:MinItems=1
// +kubebuilder:validation:MaxItems=100
type AttributeValues []ItemName

// FieldType is the type of a field.
//
// +kubebuilder:validation:Enum=text;longText;number;date;choice;choices;yesNo;url;file
type FieldType string

// FormField of an entry or an application.
//
// +kubebuilder:validation:XValidation:rule="(self.type in ['choice', 'choices']) == has(self.options)",message="options are required for types choice and choices, and only for them",fieldPath=".options"
// +kubebuilder:validation:XValidation:rule="self.type == 'number' || !has(self.minimum)",message="minimum is only for type number; remove it",fieldPath=".minimum"
// +kubebuilder:validation:XValidation:rule="self.type == 'number' || !has(self.maximum)",message="maximum is only for type number; remove it",fieldPath=".maximum"
// +kubebuilder:validation:XValidation:rule="!has(self.minimum) || !has(self.maximum) || self.minimum <= self.maximum",message="maximum must not be less than minimum",fieldPath=".maximum"
// +kubebuilder:validation:XValidation:rule="self.type in ['text', 'longText'] || !has(self.maxLength)",message="maxLength is only for types text and longText; remove it",fieldPath=".maxLength"
type FormField struct {
	// name is the key that answers are kept and exported by.
	// +required
	Name ItemName `json:"name"`
	// label by locale.
	// +required
	Label LabelByLocale `json:"label"`
	// hint by locale, shown below the label.
	// +optional
	Hint LabelByLocale `json:"hint,omitempty"`
	// type is text, longText, number, date, choice (one option), choices (several), yesNo, url, or file.
	// +required
	Type FieldType `json:"type"`
	// required refuses an entry without it.
	// +optional
	Required bool `json:"required,omitempty"`
	// options of a choice, 2 to 40.
	// +optional
	// +listType=map
	// +listMapKey=name
	// +kubebuilder:validation:MinItems=2
	// +kubebuilder:validation:MaxItems=40
	Options []Option `json:"options,omitempty"`
	// minimum of a number.
	// +optional
	// +kubebuilder:validation:Minimum=-1000000000000
	// +kubebuilder:validation:Maximum=1000000000000
	Minimum *int64 `json:"minimum,omitempty"`
	// maximum of a number.
	// +optional
	// +kubebuilder:validation:Minimum=-1000000000000
	// +kubebuilder:validation:Maximum=1000000000000
	Maximum *int64 `json:"maximum,omitempty"`
	// maxLength of a text in characters, up to 10,000.
	// +optional
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=10000
	MaxLength int32 `json:"maxLength,omitempty"`
	// private shows the answer to its author and the team only.
	// +optional
	Private bool `json:"private,omitempty"`
}

// BallotKind is the way in which members vote.
//
// +kubebuilder:validation:Enum=support;perDay;score;budget;approval
type BallotKind string

// Ballot says how members vote.
//
// +kubebuilder:validation:XValidation:rule="self.kind == 'perDay' || !has(self.perDay)",message="perDay is only for kind perDay; remove it or change kind",fieldPath=".perDay"
// +kubebuilder:validation:XValidation:rule="(self.kind == 'budget') == has(self.budget)",message="budget is required for kind budget and only for it: how many points each member spreads, such as 10",fieldPath=".budget"
// +kubebuilder:validation:XValidation:rule="self.kind == 'budget' || !has(self.maxPerIdea)",message="maxPerIdea is only for kind budget; remove it or change kind",fieldPath=".maxPerIdea"
// +kubebuilder:validation:XValidation:rule="!has(self.budget) || !has(self.maxPerIdea) || self.maxPerIdea <= self.budget",message="maxPerIdea must not be more than budget",fieldPath=".maxPerIdea"
// +kubebuilder:validation:XValidation:rule="self.kind == 'approval' || !has(self.approvals)",message="approvals is only for kind approval; remove it or change kind",fieldPath=".approvals"
// +kubebuilder:validation:XValidation:rule="self.kind == 'score' || !has(self.minimum)",message="minimum is only for kind score; remove it or change kind",fieldPath=".minimum"
// +kubebuilder:validation:XValidation:rule="(self.kind == 'score') == has(self.maximum)",message="maximum is required for kind score and only for it: a scale such as 0 to 5",fieldPath=".maximum"
// +kubebuilder:validation:XValidation:rule="!has(self.maximum) || (has(self.minimum) ? self.minimum : 0) < self.maximum",message="maximum must be more than minimum (0 when absent): a scale such as 0 to 5",fieldPath=".maximum"
type Ballot struct {
	// kind is support (one vote for each idea that a member likes), perDay (so many votes each day), score (from
	// minimum to maximum), budget (points to spread; a withdrawn one returns) or approval (of so many ideas).
	// +required
	Kind BallotKind `json:"kind"`
	// perDay is the number of votes that a member has on each day of the community's time zone; 1 when absent.
	// +optional
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=1000000
	PerDay int32 `json:"perDay,omitempty"`
	// minimum score, inclusive; 0 when absent.
	// +optional
	// +kubebuilder:validation:Minimum=-100
	// +kubebuilder:validation:Maximum=100
	Minimum *int32 `json:"minimum,omitempty"`
	// maximum score, inclusive.
	// +optional
	// +kubebuilder:validation:Minimum=-100
	// +kubebuilder:validation:Maximum=100
	Maximum *int32 `json:"maximum,omitempty"`
	// budget is the number of points that a member spreads.
	// +optional
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=1000000
	Budget int32 `json:"budget,omitempty"`
	// maxPerIdea bounds what a member gives one idea of the budget; the whole budget when absent.
	// +optional
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=1000000
	MaxPerIdea int32 `json:"maxPerIdea,omitempty"`
	// approvals bounds the number of ideas that a member approves of; no bound when absent.
	// +optional
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=1000000
	Approvals int32 `json:"approvals,omitempty"`
	// hidden hides counts until the vote closes, against herds.
	// +optional
	Hidden bool `json:"hidden,omitempty"`
	// randomOrder shows entries in an order of each member's own until the vote closes.
	// +optional
	RandomOrder bool `json:"randomOrder,omitempty"`
	// daysPerEntry closes the vote on each entry so many days after its publication; with the phase when absent.
	// +optional
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=3650
	DaysPerEntry int32 `json:"daysPerEntry,omitempty"`
	// shortlist is the number of entries that go on to the jury; all when absent.
	// +optional
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=500
	Shortlist int32 `json:"shortlist,omitempty"`
}

// Rung of a ladder: so many supporters within so many days of the former rung, or of publication, else the idea expires.
type Rung struct {
	// supporters that the rung asks for.
	// +required
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=100000000
	Supporters int32 `json:"supporters"`
	// percent of supporters among the members who have seen the idea; none is asked for when absent.
	// +optional
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=100
	Percent int32 `json:"percent,omitempty"`
	// days from the former rung; no deadline when absent.
	// +optional
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=3650
	Days int32 `json:"days,omitempty"`
}

// Jury scores what was shortlisted.
//
// +kubebuilder:validation:XValidation:rule="!has(self.scoresPerEntry) || self.scoresPerEntry <= size(self.members)",message="scoresPerEntry must not be more than there are members",fieldPath=".scoresPerEntry"
type Jury struct {
	// members are their e-mail addresses, 1 to 50. They sign in like everybody else.
	// +required
	// +listType=atomic
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=50
	// +kubebuilder:validation:XValidation:rule="self.all(m, self.exists_one(o, o.lowerAscii() == m.lowerAscii()))",message="members must not repeat"
	Members []Email `json:"members"`
	// criteria that each entry is scored by; their weights sum to 100.
	// +required
	// +listType=map
	// +listMapKey=name
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=20
	// +kubebuilder:validation:XValidation:rule="self.map(c, c.weight).sum() == 100",message="weights of the criteria must sum to 100"
	Criteria []Criterion `json:"criteria"`
	// scoresPerEntry is how many members must have scored each entry; all without a conflict of interest when absent.
	// +optional
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=50
	ScoresPerEntry int32 `json:"scoresPerEntry,omitempty"`
	// ballotPercent is the weight of the community's vote in the final ranking, up to 100; the jury alone decides when
	// absent.
	// +optional
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=100
	BallotPercent int32 `json:"ballotPercent,omitempty"`
}

// Criterion of a jury.
type Criterion struct {
	// name is the key that scores are kept by.
	// +required
	Name ItemName `json:"name"`
	// label by locale.
	// +required
	Label LabelByLocale `json:"label"`
	// weight in percent. The weights of all criteria sum to 100.
	// +required
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=100
	Weight int32 `json:"weight"`
	// maximum score; scores begin at 0. 10 when absent.
	// +optional
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=1000
	Maximum int32 `json:"maximum,omitempty"`
}

// ChallengeStatus is what the operator last saw of a challenge in the idea service.
type ChallengeStatus struct {
	// observedGeneration is the generation that this status was made from.
	// +optional
	ObservedGeneration int64 `json:"observedGeneration,omitempty"`
	// conditions of the challenge: Ready sums up; InForce is its part. Open, Decided, AnswersOnTime and Representative
	// tell how the challenge goes, and do not count for Ready. Reconciling and Stalled are present while they are true.
	// +optional
	// +listType=map
	// +listMapKey=type
	// +kubebuilder:validation:MaxItems=16
	Conditions []metav1.Condition `json:"conditions,omitempty"`
	// inForce tells which declaration the idea service works by; absent until there is one.
	// +optional
	InForce *InForceStatus `json:"inForce,omitempty"`
	// phase by the idea service's clock: scheduled, one of the declared phases, between (two of them), decided, closed, paused or
	// cancelled.
	// +optional
	// +kubebuilder:validation:MaxLength=63
	Phase string `json:"phase,omitempty"`
	// nextTransition is when the phase changes by itself; absent when it does not.
	// +optional
	NextTransition *metav1.Time `json:"nextTransition,omitempty"`
	// closesIn is the time until nextTransition as it was when it last changed: in days, on the last day in hours, such
	// as 12d, 5h, or <1h.
	// +optional
	// +kubebuilder:validation:MaxLength=16
	ClosesIn string `json:"closesIn,omitempty"`
	// decidedAt is when the winners were decided.
	// +optional
	DecidedAt *metav1.Time `json:"decidedAt,omitempty"`
	// ideas that are published.
	// +optional
	Ideas int64 `json:"ideas"`
	// votes that count.
	// +optional
	Votes int64 `json:"votes"`
	// participants, who submitted, voted or responded.
	// +optional
	Participants int64 `json:"participants"`
	// lateAnswers is the number of published ideas whose answer is later than the brand promised; 1,000 stands for more.
	// +optional
	LateAnswers int64 `json:"lateAnswers"`
	// representativeness of the participants by the quotas: the gap of the segment that is furthest from its own. Absent
	// without quotas, and while nobody has said anything of the attributes.
	// +optional
	Representativeness *RepresentativenessStatus `json:"representativeness,omitempty"`
	// leaders are the first entries, 5 at most; none while counts are hidden.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=5
	Leaders []EntryStatus `json:"leaders,omitempty"`
	// shortlist is what went on to the jury, 20 at most.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=20
	Shortlist []EntryStatus `json:"shortlist,omitempty"`
	// winners by rank, 100 at most.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=100
	Winners []EntryStatus `json:"winners,omitempty"`
	// resultSHA256 is the hash of the vote's published result, to verify it by; absent until the vote is closed.
	// +optional
	// +kubebuilder:validation:MaxLength=64
	ResultSHA256 string `json:"resultSHA256,omitempty"`
}

// EntryStatus is one entry of a challenge.
type EntryStatus struct {
	// idea is its number in the community.
	Idea int64 `json:"idea"`
	// title of the entry.
	// +optional
	// +kubebuilder:validation:MaxLength=200
	Title string `json:"title,omitempty"`
	// votes in the challenge's ballot, supporters where support is plain.
	// +optional
	Votes int64 `json:"votes"`
	// points of the ballot.
	// +optional
	Points int64 `json:"points,omitempty"`
	// rank among the winners.
	// +optional
	Rank int32 `json:"rank,omitempty"`
}
