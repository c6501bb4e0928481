package postgres

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/riverqueue/river"

	"github.com/quaeso/community-operator/ideas"
)

// Priorities of jobs of mails: what the clock decides comes first (river's 1), digests last.
const (
	priorityNotice = 3
	priorityDigest = 4
)

// Audiences select the ids of members (member_id) who are told of an event e.
const (
	// toIdea is everybody who wrote, supports (also where that counts for the idea it was merged into) or follows the event's idea, except who no longer wants to.
	toIdea = `SELECT s.member_id FROM e JOIN support s ON s.idea_id = e.idea_id
		UNION SELECT p.member_id FROM e JOIN parked_support p ON p.idea_id = e.idea_id
		UNION SELECT i.author_id FROM e JOIN idea i ON i.id = e.idea_id
		UNION SELECT f.member_id FROM e JOIN follow f ON f.kind = 'idea' AND f.target_id = e.idea_id AND f.following
		EXCEPT SELECT f.member_id FROM e JOIN follow f ON f.kind = 'idea' AND f.target_id = e.idea_id AND NOT f.following`
	// toAuthor is the idea's author alone.
	toAuthor = `SELECT i.author_id AS member_id FROM e JOIN idea i ON i.id = e.idea_id`
	// toConversation leaves out supporters: ten thousand of them want to know what becomes of an idea, not every comment.
	// The subject of a comment is whoever wrote the one that it answers.
	toConversation = `SELECT i.author_id AS member_id FROM e JOIN idea i ON i.id = e.idea_id
		UNION SELECT e.subject_id FROM e WHERE e.subject_id IS NOT NULL
		UNION SELECT f.member_id FROM e JOIN follow f ON f.kind = 'idea' AND f.target_id = e.idea_id AND f.following
		EXCEPT SELECT f.member_id FROM e JOIN follow f ON f.kind = 'idea' AND f.target_id = e.idea_id AND NOT f.following`
	// toFollowersOfAuthor are those who follow the member who wrote the idea.
	toFollowersOfAuthor = `SELECT f.member_id FROM e JOIN idea i ON i.id = e.idea_id
		JOIN follow f ON f.kind = 'member' AND f.target_id = i.author_id AND f.following`
	// toChallenge is everybody who follows the challenge or has an idea in it.
	toChallenge = `SELECT i.author_id AS member_id FROM e JOIN idea i ON i.challenge_id = e.challenge_id AND i.state <> 'draft'
		UNION SELECT f.member_id FROM e JOIN follow f ON f.kind = 'challenge' AND f.target_id = e.challenge_id AND f.following
		EXCEPT SELECT f.member_id FROM e JOIN follow f ON f.kind = 'challenge' AND f.target_id = e.challenge_id AND NOT f.following`
	toActor   = `SELECT e.actor_id AS member_id FROM e WHERE e.actor_id IS NOT NULL`
	toSubject = `SELECT e.subject_id AS member_id FROM e WHERE e.subject_id IS NOT NULL`
)

// telling is who is told of an event, and as what.
type telling struct {
	kind ideas.NoticeKind
	to   string
}

// toMembers is an audience of members by their ids.
func toMembers(ids ...int64) string {
	texts := make([]string, len(ids))
	for i, id := range ids {
		texts[i] = strconv.FormatInt(id, 10)
	}
	return "SELECT unnest('{" + strings.Join(texts, ",") + "}'::bigint[]) AS member_id"
}

// tellings of each kind of event, the most personal first: a member is told of an event once.
var tellings = map[ideas.EventKind][]telling{
	ideas.EventIdeaPublished:    {{ideas.NoticeStatus, toAuthor}, {ideas.NoticeIdea, toFollowersOfAuthor}},
	ideas.EventIdeaState:        {{ideas.NoticeStatus, toIdea}},
	ideas.EventIdeaQualified:    {{ideas.NoticeStatus, toIdea}},
	ideas.EventIdeaSelected:     {{ideas.NoticeStatus, toIdea}},
	ideas.EventIdeaLaunched:     {{ideas.NoticeStatus, toIdea}},
	ideas.EventIdeaMerged:       {{ideas.NoticeMerge, toIdea}},
	ideas.EventRungReached:      {{ideas.NoticeStatus, toAuthor}},
	ideas.EventRightsReturned:   {{ideas.NoticeStatus, toSubject}},
	ideas.EventIdeaAnswered:     {{ideas.NoticeAnswer, toIdea}},
	ideas.EventCommentPublished: {{ideas.NoticeComment, toConversation}},
	ideas.EventChallengePhase:   {{ideas.NoticeChallenge, toChallenge}},
	ideas.EventChallengeDecided: {{ideas.NoticeChallenge, toChallenge}},
	ideas.EventAnnounced:        {{ideas.NoticeAnnouncement, toAnnounced}},
	ideas.EventBadgeAwarded:     {{ideas.NoticeRecognition, toSubject}},
	ideas.EventLevelReached:     {{ideas.NoticeRecognition, toSubject}},
	ideas.EventPrizePromised:    {{ideas.NoticeRecognition, toSubject}},
	ideas.EventPrizeHandedOver:  {{ideas.NoticeRecognition, toSubject}},
	ideas.EventPayoutApproved:   {{ideas.NoticeRecognition, toSubject}},
	ideas.EventPayoutPaid:       {{ideas.NoticeRecognition, toSubject}},
	ideas.EventSharesProposed:   {{ideas.NoticeRecognition, toSubject}},
	ideas.EventSanctioned:       {{ideas.NoticeAccount, toSubject}},
	ideas.EventSanctionLifted:   {{ideas.NoticeAccount, toSubject}},
	ideas.EventAppealAnswered:   {{ideas.NoticeAccount, toSubject}},
	ideas.EventGuardianAnswered: {{ideas.NoticeAccount, toSubject}},
	ideas.EventReferred:         {{ideas.NoticeAccount, toSubject}},
	ideas.EventCoAuthorInvited:  {{ideas.NoticeAccount, toSubject}},
	ideas.EventCoAuthorJoined:   {{ideas.NoticeAccount, toSubject}},

	ideas.EventApplicationSelected: {{ideas.NoticePlace, toSubject}},
	ideas.EventApplicationWaiting:  {{ideas.NoticePlace, toSubject}},
	ideas.EventApplicationRefused:  {{ideas.NoticeChallenge, toSubject}},
	ideas.EventApplicationDropped:  {{ideas.NoticePlace, toSubject}},
	ideas.EventTestKit:             {{ideas.NoticePlace, toSubject}},
	ideas.EventTestBugAnswered:     {{ideas.NoticeChallenge, toSubject}},
	ideas.EventTopicReplied:        {{ideas.NoticeComment, toSubject}},
	ideas.EventWorkshopRegistered:  {{ideas.NoticePlace, toActor}},
	ideas.EventWorkshopWaiting:     {{ideas.NoticePlace, toActor}},
	ideas.EventWorkshopMovedUp:     {{ideas.NoticePlace, toSubject}},
	ideas.EventMissionDecided:      {{ideas.NoticeChallenge, toSubject}},
}

// quietStates are those in which nobody but its author sees an idea.
var quietStates = map[string]bool{
	string(ideas.StateDraft): true, string(ideas.StatePending): true, string(ideas.StateChangesRequested): true,
	string(ideas.StateRejected): true, string(ideas.StateWithdrawn): true, string(ideas.StateHidden): true, string(ideas.StateErased): true,
}

// tell makes notices of events: the consumer that the dispatcher calls.
func (s *Store) tell(ctx context.Context, tx pgx.Tx, events []ideas.Event) error {
	for _, e := range events {
		if e.Kind == ideas.EventCommentPublished || e.Kind == ideas.EventIdeaPublished {
			if err := s.tellMentioned(ctx, tx, e); err != nil {
				return err
			}
		}
		if e.Kind == ideas.EventWebhookDisabled {
			if err := s.tellTeam(ctx, tx, e, ideas.MayIntegrate); err != nil {
				return err
			}
		}
		for _, t := range tellings[e.Kind] {
			if t.kind == ideas.NoticeIdea && s.Programme(ctx).Concealed[e.Challenge] == ideas.VisibleEligible {
				continue // whoever follows the author need not be eligible
			}
			if to, _ := e.Data["to"].(string); e.Kind == ideas.EventIdeaState && quietStates[to] {
				t.to = toAuthor
			}
			if err := s.notify(ctx, tx, e.ID, t); err != nil {
				return fmt.Errorf("tell of event %d: %w", e.ID, err)
			}
		}
	}
	return nil
}

// notify tells an audience of an event, as each member prefers. However many they are, it is one statement, and one more
// for the mails that are wanted at once.
func (s *Store) notify(ctx context.Context, tx pgx.Tx, event int64, t telling) error {
	usual := ideas.DefaultPreference(t.kind)
	rows, err := tx.Query(ctx, `WITH e AS (SELECT * FROM event WHERE id = $1), audience AS (`+t.to+`), told AS (
			INSERT INTO notice (member_id, event_id, kind, created_at, listed, mail)
			SELECT m.id, $1, $2, $3, coalesce(p.listed, $4), CASE WHEN m.email IS NULL THEN 'off' ELSE coalesce(p.mail, $5) END
			FROM audience a JOIN member m ON m.id = a.member_id LEFT JOIN preference p ON p.member_id = m.id AND p.kind = $2
			WHERE m.erased_at IS NULL AND ($6 OR m.id IS DISTINCT FROM (SELECT actor_id FROM e))
				AND (coalesce(p.listed, $4) OR coalesce(p.mail, $5) <> 'off')
			ON CONFLICT (event_id, member_id) DO NOTHING RETURNING id, mail)
		SELECT id FROM told WHERE mail = 'now'`, event, t.kind, s.config.Clock(), usual.Listed, usual.Mail, t.to == toActor)
	if err != nil {
		return err
	}
	urgent, err := pgx.CollectRows(rows, pgx.RowTo[int64])
	if err != nil {
		return err
	}
	jobs := make([]river.InsertManyParams, len(urgent))
	for i, id := range urgent {
		jobs[i] = river.InsertManyParams{
			Args:       ideas.NoticeMail{Notice: id},
			InsertOpts: &river.InsertOpts{Priority: priorityNotice, UniqueOpts: river.UniqueOpts{ByArgs: true}},
		}
	}
	return s.enqueueAll(ctx, tx, jobs)
}

// tellTeam tells everybody of the brand's team who has a permission.
func (s *Store) tellTeam(ctx context.Context, tx pgx.Tx, e ideas.Event, p ideas.Permission) error {
	settings, _ := s.Current(ctx)
	rows, err := tx.Query(ctx, "SELECT id FROM member WHERE lower(email) = ANY($1) AND erased_at IS NULL", settings.TeamWith(p))
	if err != nil {
		return fmt.Errorf("look who is in the team: %w", err)
	}
	ids, err := pgx.CollectRows(rows, pgx.RowTo[int64])
	if err != nil {
		return fmt.Errorf("look who is in the team: %w", err)
	}
	if err := s.notify(ctx, tx, e.ID, telling{ideas.NoticeAccount, toMembers(ids...)}); err != nil {
		return fmt.Errorf("tell the team of event %d: %w", e.ID, err)
	}
	return nil
}

// tellMentioned tells those whom a text calls by name, and records that they were.
func (s *Store) tellMentioned(ctx context.Context, tx pgx.Tx, e ideas.Event) error {
	query, id := "SELECT author_id, body FROM comment WHERE id = $1", e.Comment
	if e.Kind == ideas.EventIdeaPublished {
		query, id = "SELECT author_id, body FROM idea WHERE id = $1", e.Idea
	}
	rows, err := tx.Query(ctx, query, id)
	if err != nil {
		return fmt.Errorf("read what may mention somebody: %w", err)
	}
	type text struct {
		Author int64
		Body   string
	}
	found, err := pgx.CollectRows(rows, pgx.RowToStructByPos[text])
	if err != nil || len(found) == 0 {
		return err
	}
	for _, member := range ideas.Mentions(found[0].Body) {
		if member == found[0].Author {
			continue
		}
		if err := s.requireSightOf(ctx, tx, member, e.Challenge); errors.Is(err, ideas.ErrNotFound) || errors.Is(err, pgx.ErrNoRows) {
			continue // nobody learns of a challenge by being called into it
		} else if err != nil {
			return err
		}
		if err := s.notify(ctx, tx, e.ID, telling{ideas.NoticeMention, toMembers(member)}); err != nil {
			return fmt.Errorf("tell a mentioned member: %w", err)
		}
		err := s.recordEvents(ctx, tx, ideas.Event{
			Kind: ideas.EventMentioned, Actor: found[0].Author, Subject: member, Idea: e.Idea, Comment: e.Comment,
		})
		if err != nil {
			return err
		}
	}
	return nil
}

const noticeQuery = `SELECT n.id, n.kind, n.created_at, n.read_at IS NOT NULL, coalesce(e.id, 0), coalesce(e.kind, ''),
		coalesce(e.actor_id, 0), coalesce(e.subject_id, 0), coalesce(e.idea_id, 0), coalesce(c.id, 0), coalesce(e.comment_id, 0), e.data,
		coalesce(a.id, 0), coalesce(a.name, ''), coalesce(i.slug, ''), coalesce(i.title, ''), coalesce(i.state, ''), coalesce(c.name, '')
	FROM notice n LEFT JOIN event e ON e.id = n.event_id
		LEFT JOIN member a ON a.id = e.actor_id AND a.erased_at IS NULL
		LEFT JOIN idea i ON i.id = e.idea_id AND (i.visible OR i.state = 'merged' OR i.author_id = n.member_id)
		LEFT JOIN challenge c ON c.id = coalesce(e.challenge_id, i.challenge_id)`

func scanNotice(row pgx.CollectableRow) (ideas.Notice, error) {
	var n ideas.Notice
	e := &n.Event
	err := row.Scan(&n.ID, &n.Kind, &n.At, &n.Read, &e.ID, &e.Kind, &e.Actor, &e.Subject, &e.Idea, &e.Challenge, &e.Comment, &e.Data,
		&n.Actor.ID, &n.Actor.Name, &n.IdeaSlug, &n.IdeaTitle, &n.IdeaState, &n.Challenge)
	return n, err
}

// Notices implements ideas.NoticeStore.
func (s *Store) Notices(ctx context.Context, member, before int64, limit int) ([]ideas.Notice, error) {
	pool, err := s.db()
	if err != nil {
		return nil, err
	}
	rows, err := pool.Query(ctx, noticeQuery+` WHERE n.member_id = $1 AND n.listed AND ($2 = 0 OR n.id < $2) ORDER BY n.id DESC LIMIT $3`,
		member, before, pageSize(limit))
	if err != nil {
		return nil, s.failed("list notices", err)
	}
	list, err := pgx.CollectRows(rows, scanNotice)
	if err != nil {
		return nil, s.failed("list notices", err)
	}
	return list, nil
}

// ReadNotices implements ideas.NoticeStore.
func (s *Store) ReadNotices(ctx context.Context, member int64, ids []int64, upTo int64) error {
	pool, err := s.db()
	if err != nil {
		return err
	}
	_, err = pool.Exec(ctx, `UPDATE notice SET read_at = $4 WHERE member_id = $1 AND listed AND read_at IS NULL
		AND CASE WHEN $2::bigint[] IS NULL THEN id <= $3 ELSE id = ANY($2) END`, member, ids, upTo, s.config.Clock())
	if err != nil {
		return s.failed("mark notices as read", err)
	}
	return nil
}

// NoticeSettings implements ideas.NoticeStore.
func (s *Store) NoticeSettings(ctx context.Context, member int64) (ideas.NoticeSettings, error) {
	settings := ideas.NoticeSettings{Preferences: ideas.DefaultPreferences()}
	pool, err := s.db()
	if err != nil {
		return settings, err
	}
	err = pool.QueryRow(ctx, "SELECT digest, coalesce(time_zone, '') FROM member WHERE id = $1", member).Scan(&settings.Digest, &settings.TimeZone)
	if err != nil {
		return settings, s.failed("read what a member wants to be told of", err)
	}
	rows, err := pool.Query(ctx, "SELECT kind, listed, mail FROM preference WHERE member_id = $1", member)
	if err != nil {
		return settings, s.failed("read what a member wants to be told of", err)
	}
	changed, err := pgx.CollectRows(rows, pgx.RowToStructByPos[ideas.Preference])
	if err != nil {
		return settings, s.failed("read what a member wants to be told of", err)
	}
	for i, p := range settings.Preferences {
		for _, c := range changed {
			if c.Kind == p.Kind {
				settings.Preferences[i] = c
			}
		}
	}
	return settings, nil
}

// SetNoticeSettings implements ideas.NoticeStore.
func (s *Store) SetNoticeSettings(ctx context.Context, member int64, settings ideas.NoticeSettings) error {
	if settings.Digest != ideas.DigestDaily && settings.Digest != ideas.DigestWeekly {
		return &ideas.FieldError{Field: "digest", Code: "invalid"}
	}
	if _, err := time.LoadLocation(settings.TimeZone); err != nil || settings.TimeZone == "Local" || len(settings.TimeZone) > 64 {
		return &ideas.FieldError{Field: "timeZone", Code: "invalid"}
	}
	return s.transact(ctx, "keep what a member wants to be told of", func(tx pgx.Tx) error {
		tag, err := tx.Exec(ctx, "UPDATE member SET digest = $2, time_zone = nullif($3, '') WHERE id = $1", member, settings.Digest, settings.TimeZone)
		if err != nil {
			return err
		}
		if tag.RowsAffected() == 0 {
			return ideas.ErrNotFound
		}
		for _, p := range settings.Preferences {
			if err := setPreference(ctx, tx, member, p); err != nil {
				return err
			}
		}
		return nil
	})
}

func setPreference(ctx context.Context, tx pgx.Tx, member int64, p ideas.Preference) error {
	if ideas.DefaultPreference(p.Kind).Mail == ideas.MailOff || p.Mail != ideas.MailOff && p.Mail != ideas.MailNow && p.Mail != ideas.MailDigest {
		return &ideas.FieldError{Field: "preference", Code: "invalid"}
	}
	if p.Kind == ideas.NoticeAccount {
		p.Listed = true
	}
	_, err := tx.Exec(ctx, `INSERT INTO preference (member_id, kind, listed, mail) VALUES ($1, $2, $3, $4)
		ON CONFLICT (member_id, kind) DO UPDATE SET listed = excluded.listed, mail = excluded.mail`, member, p.Kind, p.Listed, p.Mail)
	if err != nil {
		return err
	}
	if p.Mail == ideas.MailOff {
		// What waits to be mailed is no longer wanted either.
		_, err = tx.Exec(ctx, "UPDATE notice SET mail = 'off' WHERE member_id = $1 AND kind = $2 AND mail IN ('now', 'digest')", member, p.Kind)
	}
	return err
}
