package ideas

import "time"

// EventKind names something that happened in a community. Notices, points, webhooks, objectives and the feed of
// activity follow from events; none of them is written where the thing happens.
type EventKind string

// Kinds of events. Their names are part of reward policies, webhooks and the API, and never change.
const (
	EventMemberJoined EventKind = "member.joined"

	EventIdeaSubmitted EventKind = "idea.submitted"
	EventIdeaPublished EventKind = "idea.published"
	EventIdeaEdited    EventKind = "idea.edited"
	// EventIdeaState is any other change of an idea's state; its Data has "from", "to" and "reason".
	EventIdeaState     EventKind = "idea.state"
	EventIdeaQualified EventKind = "idea.qualified"
	EventIdeaSelected  EventKind = "idea.selected"
	EventIdeaLaunched  EventKind = "idea.launched"
	EventIdeaMerged    EventKind = "idea.merged"
	EventIdeaAnswered  EventKind = "idea.answered"
	EventIdeaSupported EventKind = "idea.supported"
	// EventIdeaUnsupported takes back what EventIdeaSupported has said.
	EventIdeaUnsupported EventKind = "idea.unsupported"

	// EventCoAuthorInvited and EventCoAuthorJoined have in Subject the invited member and the author.
	EventCoAuthorInvited EventKind = "idea.coauthor_invited"
	EventCoAuthorJoined  EventKind = "idea.coauthor_joined"
	// EventSharesProposed has in Subject an author who is asked to agree on how the authors share.
	EventSharesProposed EventKind = "idea.shares_proposed"
	// EventReported tells that a member has reported a contribution; only the team hears of it.
	EventReported EventKind = "contribution.reported"

	EventCommentPublished EventKind = "comment.published"
	// EventMentioned has in Subject the member who is mentioned.
	EventMentioned EventKind = "member.mentioned"

	// EventChallengePhase has in Data "from" and "to".
	EventChallengePhase   EventKind = "challenge.phase"
	EventChallengeDecided EventKind = "challenge.decided"
	// EventAnnounced is a broadcast of the team; its Data has "announcement", the id.
	EventAnnounced EventKind = "announcement.published"

	// EventSanctioned and EventSanctionLifted have the member in Subject; Data has "sanction" and its "kind".
	EventSanctioned     EventKind = "member.sanctioned"
	EventSanctionLifted EventKind = "member.sanction_lifted"
	// EventAppealAnswered has the member in Subject.
	EventAppealAnswered EventKind = "member.appeal_answered"
	// EventGuardianAnswered has the minor in Subject; Data has "answer", "given" or "refused".
	EventGuardianAnswered EventKind = "member.guardian_answered"
	// EventReferred has in Subject who invited the Actor.
	EventReferred EventKind = "member.referred"

	// EventBallotCast is a vote in a challenge's ballot other than plain support.
	EventBallotCast EventKind = "ballot.cast"
	// EventBallotClosed has in Data "sha256", that of the published result.
	EventBallotClosed EventKind = "ballot.closed"
	// EventRungReached has in Data "rung" from 1, "of" how many, and "supporters".
	EventRungReached EventKind = "idea.rung_reached"
	// EventIdeaContinued is an idea that a challenge has taken over from its origin; Data has "origin", the idea there,
	// and Subject is its author.
	EventIdeaContinued EventKind = "idea.continued"
	// EventRightsReturned has in Subject the author who may use the idea freely again.
	EventRightsReturned EventKind = "idea.rights_returned"

	// EventBadgeAwarded and EventLevelReached have the member in Subject; Data has "badge" or "level" with its "name",
	// and the "title" by locale.
	EventBadgeAwarded EventKind = "badge.awarded"
	EventLevelReached EventKind = "level.reached"
	// EventPrizePromised and EventPrizeHandedOver have the winner in Subject; Data has the "title" by locale.
	EventPrizePromised   EventKind = "prize.promised"
	EventPrizeHandedOver EventKind = "prize.handed_over"
	// EventPayoutApproved and EventPayoutPaid have the member in Subject; Data has "amount" in minor units and "currency".
	EventPayoutApproved EventKind = "payout.approved"
	EventPayoutPaid     EventKind = "payout.paid"

	// EventWebhookDisabled has in Data the name of a "webhook" that has failed for too long.
	EventWebhookDisabled EventKind = "webhook.disabled"
)

// Kinds of events of the methods beside ideation. Where the team or the service decides, the member whom it concerns is
// the Subject.
const (
	EventApplicationSubmitted EventKind = "application.submitted"
	EventApplicationSelected  EventKind = "application.selected"
	EventApplicationWaiting   EventKind = "application.waiting"
	EventApplicationRefused   EventKind = "application.refused"
	// EventApplicationDropped is a member who was selected and takes part no longer; its Data has "cause".
	EventApplicationDropped EventKind = "application.dropped"

	// EventSurveyResponded has in Data the "part": "survey", "final" or "stimulus:NAME".
	EventSurveyResponded EventKind = "survey.responded"

	// EventTestKit has in Data the "kit" and, once sent, the "tracking".
	EventTestKit   EventKind = "test.kit"
	EventTestDiary EventKind = "test.diary"
	// EventTestBug has in Data "bug" and "severity".
	EventTestBug EventKind = "test.bug"
	// EventTestBugAnswered has in Data "bug" and "status".
	EventTestBugAnswered EventKind = "test.bugAnswered"

	// EventTopicPublished and EventTopicReplied have in Data "topic"; the topic's author is the Subject of a reply.
	EventTopicPublished EventKind = "topic.published"
	EventTopicReplied   EventKind = "topic.replied"

	// EventWorkshopRegistered, EventWorkshopWaiting, EventWorkshopMovedUp and EventWorkshopCancelled have in Data "session"; all but the last have
	// its "title", too.
	EventWorkshopRegistered EventKind = "workshop.registered"
	EventWorkshopWaiting    EventKind = "workshop.waiting"
	// EventWorkshopMovedUp is a member of the waiting list who has a place now.
	EventWorkshopMovedUp   EventKind = "workshop.movedUp"
	EventWorkshopCancelled EventKind = "workshop.cancelled"
	// EventWorkshopOutcome is an idea that came out of a session.
	EventWorkshopOutcome EventKind = "workshop.outcome"

	// EventMissionTask and EventMissionDecided have in Data "task"; a decision has "state" too.
	EventMissionTask    EventKind = "mission.task"
	EventMissionDecided EventKind = "mission.decided"
	// EventMissionPost has in Data "topic".
	EventMissionPost EventKind = "mission.post"
)

// Event is something that happened. Fields that do not concern its kind are zero.
type Event struct {
	ID   int64
	Kind EventKind
	At   time.Time
	// Actor is the member who did it; 0 for the service itself and for those erased since.
	Actor int64
	// Subject is the member whom it concerns, if another than the actor.
	Subject   int64
	Idea      int64
	Challenge int64
	Comment   int64
	// Data holds what else belongs to the kind; small, and without personal data.
	Data map[string]any
}
