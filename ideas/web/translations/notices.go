package translations

import (
	"fmt"
	"net/url"
	"strconv"
	"strings"

	"github.com/quaeso/community-operator/ideas"
)

// stateNews are the message keys of what an idea's new state means to those who follow it.
var stateNews = map[ideas.State]string{
	ideas.StateChangesRequested: "notice.state.changes_requested", ideas.StateRejected: "notice.state.rejected",
	ideas.StateGathering: "notice.state.gathering", ideas.StateQualified: "notice.state.qualified",
	ideas.StateUnderReview: "notice.state.under_review", ideas.StateShortlisted: "notice.state.shortlisted",
	ideas.StateSelected: "notice.state.selected", ideas.StateNotSelected: "notice.state.not_selected",
	ideas.StatePlanned: "notice.state.planned", ideas.StateDevelopment: "notice.state.in_development",
	ideas.StateTesting: "notice.state.testing", ideas.StateLaunched: "notice.state.launched",
	ideas.StateExpired: "notice.state.expired", ideas.StateHidden: "notice.state.hidden",
}

// eventNews are the message keys of events that need no more than a name and a title.
var eventNews = map[ideas.EventKind]string{
	ideas.EventIdeaPublished: "notice.idea_published", ideas.EventIdeaMerged: "notice.merged", ideas.EventIdeaAnswered: "notice.answered",
	ideas.EventIdeaQualified: "notice.state.qualified", ideas.EventIdeaSelected: "notice.state.selected", ideas.EventIdeaLaunched: "notice.state.launched",
	ideas.EventCommentPublished: "notice.comment", ideas.EventChallengePhase: "notice.challenge_phase", ideas.EventChallengeDecided: "notice.challenge_decided",
	ideas.EventAnnounced: "notice.announcement", ideas.EventBadgeAwarded: "notice.badge", ideas.EventLevelReached: "notice.level",
	ideas.EventPrizePromised: "notice.prize_promised", ideas.EventPrizeHandedOver: "notice.prize_handed_over",
	ideas.EventSharesProposed: "notice.shares_proposed",
	ideas.EventPayoutApproved: "notice.payout_approved", ideas.EventPayoutPaid: "notice.payout_paid",
	ideas.EventSanctioned: "notice.sanctioned", ideas.EventSanctionLifted: "notice.sanction_lifted", ideas.EventAppealAnswered: "notice.appeal_answered",
	ideas.EventReferred: "notice.referred", ideas.EventRightsReturned: "notice.rights_returned", ideas.EventRungReached: "notice.rung",

	ideas.EventApplicationSelected: "notice.application_selected", ideas.EventApplicationWaiting: "notice.application_waiting",
	ideas.EventApplicationRefused: "notice.application_refused", ideas.EventApplicationDropped: "notice.application_dropped",
	ideas.EventTestKit: "notice.test_kit", ideas.EventTestBugAnswered: "notice.test_bug_answered", ideas.EventTopicReplied: "notice.topic_replied",
	ideas.EventWorkshopMovedUp: "notice.workshop_moved_up", ideas.EventMissionDecided: "notice.mission_decided",
	ideas.EventWorkshopRegistered: "notice.workshop_registered", ideas.EventWorkshopWaiting: "notice.workshop_waiting",
	ideas.EventWebhookDisabled: "notice.webhook_disabled",
	ideas.EventCoAuthorInvited: "notice.coauthor_invited", ideas.EventCoAuthorJoined: "notice.coauthor_joined",
}

// Notice says in one line what happened, and leads to where: a path of the site.
func (c *Catalog) Notice(n ideas.Notice) (text, path string) {
	key := eventNews[n.Event.Kind]
	switch n.Event.Kind {
	case ideas.EventIdeaState:
		to, _ := n.Event.Data["to"].(string)
		key = stateNews[ideas.State(to)]
	case ideas.EventGuardianAnswered:
		key = "notice.guardian_refused"
		if n.Event.Data["answer"] == ideas.GuardianGiven {
			key = "notice.guardian_given"
		}
	case ideas.EventIdeaPublished:
		if n.Kind == ideas.NoticeIdea {
			key = "notice.followed_idea"
		}
	}
	if n.Kind == ideas.NoticeMention {
		key = "notice.mention"
	}
	if key == "" {
		key = "notice.other"
	}
	name, title := strings.TrimSpace(n.Actor.Name), n.IdeaTitle
	if name == "" {
		name = c.Text("notice.nobody")
	}
	if title == "" {
		title = c.Text("notice.gone")
	}
	supporters, _ := n.Event.Data["supporters"].(float64) // JSON has read it as one
	return c.Text(key, "Name", name, "Title", title, "Award", c.award(n.Event.Data), "Challenge", n.Challenge, "Supporters", c.Number(int64(supporters))), noticePath(n)
}

// NoticeDetail is what else there is to say: the public reason of a change; empty for nothing.
func (c *Catalog) NoticeDetail(n ideas.Notice) string {
	reason, _ := n.Event.Data["reason"].(string)
	if reason == "" || n.Kind != ideas.NoticeStatus && n.Kind != ideas.NoticeMerge {
		return ""
	}
	return c.Text("notice.reason", "Reason", reason)
}

// award names what was given: by its title in the language, else by its name.
func (c *Catalog) award(data map[string]any) string {
	if titles, ok := data["title"].(map[string]any); ok {
		for _, tag := range []string{c.Tag, "en", "fr"} {
			if title, _ := titles[tag].(string); title != "" {
				return title
			}
		}
	}
	for _, field := range []string{"badge", "webhook", "name"} {
		if name, _ := data[field].(string); name != "" {
			return name
		}
	}
	if amount, ok := data["amount"].(float64); ok {
		currency, _ := data["currency"].(string)
		return c.Money(int64(amount), currency)
	}
	return ""
}

// eventID is an id of an event's data, which JSON has made a fraction of.
func eventID(value any) string {
	if f, ok := value.(float64); ok {
		return strconv.FormatInt(int64(f), 10)
	}
	return fmt.Sprint(value)
}

func noticePath(n ideas.Notice) string {
	switch {
	case n.Kind == ideas.NoticeAccount && n.Event.Kind == ideas.EventReferred:
		return "/invitations"
	case n.Event.Kind == ideas.EventWebhookDisabled:
		return "/team/webhooks"
	case n.Event.Kind == ideas.EventAnnounced && n.Event.Data["announcement"] != nil:
		return "/announcements/" + eventID(n.Event.Data["announcement"])
	case n.Event.Kind == ideas.EventCoAuthorInvited && n.IdeaTitle == "":
		return "/profile/ideas"
	case n.Kind == ideas.NoticeAccount && n.Event.Idea == 0:
		return "/account/standing"
	case n.Event.Idea != 0 && n.IdeaTitle != "":
		path := "/ideas/" + strconv.FormatInt(n.Event.Idea, 10) + "-" + url.PathEscape(n.IdeaSlug)
		if n.Event.Kind == ideas.EventSharesProposed {
			return path + "/shares"
		}
		if n.Event.Comment != 0 {
			path += "#comment-" + strconv.FormatInt(n.Event.Comment, 10)
		}
		return path
	case n.Challenge != "" && n.Event.Kind == ideas.EventTopicReplied:
		return fmt.Sprintf("/challenges/%s/topics/%s", url.PathEscape(n.Challenge), eventID(n.Event.Data["topic"]))
	case n.Challenge != "" && n.Event.Data["session"] != nil:
		return fmt.Sprintf("/challenges/%s/sessions/%v", url.PathEscape(n.Challenge), n.Event.Data["session"])
	case n.Challenge != "":
		return "/challenges/" + url.PathEscape(n.Challenge)
	case n.Kind == ideas.NoticeRecognition:
		return "/recognition"
	}
	return "/notices"
}
