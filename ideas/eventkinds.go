package ideas

// EventKinds lists all kinds of events, in the order of their names.
func EventKinds() []EventKind {
	return []EventKind{
		EventAnnounced, EventApplicationDropped, EventApplicationRefused, EventApplicationSelected,
		EventApplicationSubmitted, EventApplicationWaiting, EventBadgeAwarded, EventBallotCast,
		EventBallotClosed, EventChallengeDecided, EventChallengePhase, EventCommentPublished, EventReported,
		EventIdeaAnswered, EventCoAuthorInvited, EventCoAuthorJoined, EventIdeaContinued, EventIdeaEdited,
		EventIdeaLaunched, EventIdeaMerged, EventIdeaPublished, EventIdeaQualified, EventRightsReturned,
		EventRungReached, EventIdeaSelected, EventSharesProposed, EventIdeaState, EventIdeaSubmitted, EventIdeaSupported,
		EventIdeaUnsupported, EventLevelReached, EventAppealAnswered, EventGuardianAnswered,
		EventMemberJoined, EventMentioned, EventReferred, EventSanctionLifted, EventSanctioned,
		EventMissionDecided, EventMissionPost, EventMissionTask, EventPayoutApproved, EventPayoutPaid,
		EventPrizeHandedOver, EventPrizePromised, EventSurveyResponded, EventTestBug, EventTestBugAnswered,
		EventTestDiary, EventTestKit, EventTopicPublished, EventTopicReplied, EventWebhookDisabled,
		EventWorkshopCancelled, EventWorkshopMovedUp, EventWorkshopOutcome, EventWorkshopRegistered,
		EventWorkshopWaiting,
	}
}
