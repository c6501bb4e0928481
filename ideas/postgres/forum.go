package postgres

import (
	"context"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/quaeso/community-operator/ideas"
	"github.com/quaeso/community-operator/internal/control"
)

const topicQuery = `SELECT t.id, t.challenge_id, m.id, m.name, t.theme, t.title, t.body, t.state, t.reason_code, t.reason, t.pinned, t.locked, t.replies,
	t.created_at, t.active_at FROM topic t JOIN member m ON m.id = t.author_id`

func scanTopic(row pgx.Row) (ideas.Topic, error) {
	var t ideas.Topic
	err := row.Scan(&t.ID, &t.Challenge, &t.Author.ID, &t.Author.Name, &t.Theme, &t.Title, &t.Body, &t.State, &t.Reason.Code, &t.Reason.Text, &t.Pinned, &t.Locked,
		&t.Replies, &t.CreatedAt, &t.ActiveAt)
	return t, err
}

func (s *Store) topics(ctx context.Context, query string, args ...any) ([]ideas.Topic, error) {
	pool, err := s.db()
	if err != nil {
		return nil, err
	}
	rows, err := pool.Query(ctx, query, args...)
	if err != nil {
		return nil, s.failed("list topics", err)
	}
	list, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (ideas.Topic, error) { return scanTopic(row) })
	if err != nil {
		return nil, s.failed("list topics", err)
	}
	return list, nil
}

// ListTopics implements ideas.ForumStore.
func (s *Store) ListTopics(ctx context.Context, q ideas.TopicQuery) (ideas.TopicPage, error) {
	limit := pageSize(q.Limit)
	query := topicQuery + " WHERE t.challenge_id = $1 AND t.state = 'visible'"
	args := []any{q.Challenge, limit + 1}
	if q.Theme != "" {
		query += " AND t.theme = $3"
		args = append(args, q.Theme)
	}
	if q.After != "" {
		pinned, active, id, err := decodeTopicCursor(q.After)
		if err != nil {
			return ideas.TopicPage{}, err
		}
		args = append(args, pinned, active, id)
		if q.Theme == "" {
			query += " AND (t.pinned, t.active_at, t.id) < ($3, $4, $5)"
		} else {
			query += " AND (t.pinned, t.active_at, t.id) < ($4, $5, $6)"
		}
	}
	list, err := s.topics(ctx, query+" ORDER BY t.pinned DESC, t.active_at DESC, t.id DESC LIMIT $2", args...)
	if err != nil {
		return ideas.TopicPage{}, err
	}
	page := ideas.TopicPage{Topics: list}
	if len(list) > limit {
		page.Topics = list[:limit]
		page.Next = encodeTopicCursor(list[limit-1])
	}
	return page, nil
}

// encodeTopicCursor is the position of a topic in the list.
func encodeTopicCursor(t ideas.Topic) string {
	raw := []byte{'p', 0}
	if t.Pinned {
		raw[1] = 1
	}
	raw = binary.BigEndian.AppendUint64(raw, uint64(t.ActiveAt.UnixMicro()))
	raw = binary.BigEndian.AppendUint64(raw, uint64(t.ID)) //nolint:gosec // ids are positive
	return base64.RawURLEncoding.EncodeToString(raw)
}

func decodeTopicCursor(text string) (pinned bool, active time.Time, id int64, err error) {
	raw, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil || len(raw) != 18 || raw[0] != 'p' {
		return false, time.Time{}, 0, &ideas.FieldError{Field: "after", Code: "invalid"}
	}
	active = time.UnixMicro(int64(binary.BigEndian.Uint64(raw[2:])))          //nolint:gosec // the bits, not the number
	return raw[1] == 1, active, int64(binary.BigEndian.Uint64(raw[10:])), nil //nolint:gosec // the bits, not the number
}

// GetTopic implements ideas.ForumStore.
func (s *Store) GetTopic(ctx context.Context, viewer int64, team bool, id int64) (ideas.Topic, error) {
	pool, err := s.db()
	if err != nil {
		return ideas.Topic{}, err
	}
	t, err := scanTopic(pool.QueryRow(ctx, topicQuery+" WHERE t.id = $1 AND (t.state = 'visible' OR t.author_id = $2 OR $3)", id, viewer, team))
	if err != nil {
		return t, s.failed("get a topic", err)
	}
	return t, nil
}

// AddTopic implements ideas.ForumStore.
func (s *Store) AddTopic(ctx context.Context, c *ideas.Challenge, author int64, key, theme, title, body string) (ideas.Topic, error) {
	title, titleErr := ideas.CleanTitle(title)
	body, bodyErr := ideas.CleanBody(body)
	if err := errors.Join(titleErr, bodyErr, checkKey(key)); err != nil {
		return ideas.Topic{}, err
	}
	settings, _ := s.Current(ctx)
	if !c.TakesTheme(settings.House, theme) {
		return ideas.Topic{}, &ideas.FieldError{Field: "theme", Code: "choice"}
	}
	if err := s.open(c, ideas.ActionSubmit); err != nil {
		return ideas.Topic{}, err
	}
	var topic ideas.Topic
	err := s.transact(ctx, "add a topic", func(tx pgx.Tx) error {
		if err := s.admit(ctx, tx, c, author); err != nil {
			return err
		}
		if err := requireRole(ctx, tx, c, author); err != nil {
			return err
		}
		cause, err := s.screenTalk(ctx, tx, c, author, c.Spec.Type == control.TypeMission, title, body)
		if err != nil {
			return err
		}
		state := ideas.TopicVisible
		if cause != "" {
			state = ideas.TopicPending
		}
		now := s.config.Clock()
		var id int64
		err = tx.QueryRow(ctx, `INSERT INTO topic (challenge_id, author_id, submission_key, theme, title, body, state, created_at, active_at)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $8) ON CONFLICT (author_id, submission_key) DO NOTHING RETURNING id`,
			c.ID, author, nullable(key), theme, title, body, state, now).Scan(&id)
		if errors.Is(err, pgx.ErrNoRows) {
			topic, err = scanTopic(tx.QueryRow(ctx, topicQuery+" WHERE t.author_id = $1 AND t.submission_key = $2", author, key))
			return err
		}
		if err != nil {
			return err
		}
		if topic, err = scanTopic(tx.QueryRow(ctx, topicQuery+" WHERE t.id = $1", id)); err != nil {
			return err
		}
		if cause != "" {
			return s.openItem(ctx, tx, ideas.Contribution{Topic: id}, cause)
		}
		return s.tellOfTopic(ctx, tx, topic)
	})
	return topic, err
}

// screenTalk tells why what is said in a forum or a mission waits for a moderator; empty where it does not. Posts of a
// mission wait unless it is declared that they do not; what holds a banned term always does.
func (s *Store) screenTalk(ctx context.Context, tx pgx.Tx, c *ideas.Challenge, author int64, post bool, texts ...string) (string, error) {
	who, err := s.actor(ctx, tx, author)
	if err != nil {
		return "", err
	}
	rules := s.house(ctx).Moderation
	when := c.Spec.Moderation
	if mission := c.Spec.Mission; mission != nil {
		switch {
		case mission.PostsUnmoderated:
			when = control.ModerationAfter
		case post:
			when, rules.TrustedLevel = control.ModerationBefore, 0
		}
	}
	return ideas.Screen(rules, when, who.level, who.roles, texts...), nil
}

// tellOfTopic records that a topic, or a post of a mission, is there for all to read.
func (s *Store) tellOfTopic(ctx context.Context, tx pgx.Tx, t ideas.Topic) error {
	kind := ideas.EventTopicPublished
	if c := s.Programme(ctx).ChallengeByID(t.Challenge); c != nil && c.Spec.Type == control.TypeMission {
		kind = ideas.EventMissionPost
	}
	return s.recordEvents(ctx, tx, ideas.Event{Kind: kind, Actor: t.Author.ID, Challenge: t.Challenge, Data: map[string]any{"topic": t.ID}})
}

// tellOfReply records that a reply is there for all to read.
func (s *Store) tellOfReply(ctx context.Context, tx pgx.Tx, t ideas.Topic, author int64) error {
	e := ideas.Event{Kind: ideas.EventTopicReplied, Actor: author, Subject: t.Author.ID, Challenge: t.Challenge, Data: map[string]any{"topic": t.ID}}
	return s.recordEvents(ctx, tx, e)
}

const replyQuery = `SELECT r.id, m.id, m.name, cardinality(r.thread), r.body, r.hidden, r.pending, r.reason_code, r.reason, r.created_at, r.thread
	FROM topic_reply r JOIN member m ON m.id = r.author_id`

// scanReply reads a row of replyQuery: a reply, and where it stands.
func scanReply(row pgx.Row) (r ideas.Reply, thread []int64, err error) {
	err = row.Scan(&r.ID, &r.Author.ID, &r.Author.Name, &r.Depth, &r.Body, &r.Hidden, &r.Pending, &r.Reason.Code, &r.Reason.Text, &r.CreatedAt, &thread)
	return r, thread, err
}

// maxThread bounds the replies of a page.
const maxThread = 200

// ListReplies implements ideas.ForumStore.
func (s *Store) ListReplies(ctx context.Context, viewer, topic int64, after string, limit int) (ideas.ThreadPage, error) {
	pool, err := s.db()
	if err != nil {
		return ideas.ThreadPage{}, err
	}
	position := []int64{}
	if after != "" {
		raw, err := base64.RawURLEncoding.DecodeString(after)
		if err != nil || json.Unmarshal(raw, &position) != nil || len(position) > ideas.MaxReplyDepth {
			return ideas.ThreadPage{}, &ideas.FieldError{Field: "after", Code: "invalid"}
		}
	}
	if limit <= 0 || limit > maxThread {
		limit = maxThread
	}
	// What waits for a moderator is shown to its author alone, and so is the text of what was hidden.
	rows, err := pool.Query(ctx, replyQuery+` WHERE r.topic_id = $1 AND r.thread > $2 AND (NOT r.pending OR r.author_id = $4)
		ORDER BY r.thread LIMIT $3`, topic, position, limit+1, viewer)
	if err != nil {
		return ideas.ThreadPage{}, s.failed("list replies", err)
	}
	var threads [][]int64
	list, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (ideas.Reply, error) {
		r, thread, err := scanReply(row)
		if r.Hidden && r.Author.ID != viewer {
			r.Body, r.Reason = "", ideas.Reason{}
		}
		threads = append(threads, thread)
		return r, err
	})
	if err != nil {
		return ideas.ThreadPage{}, s.failed("list replies", err)
	}
	page := ideas.ThreadPage{Replies: list}
	if len(list) > limit {
		raw, err := json.Marshal(threads[limit-1])
		if err != nil {
			return ideas.ThreadPage{}, s.failed("list replies", err)
		}
		page.Replies, page.Next = list[:limit], base64.RawURLEncoding.EncodeToString(raw)
	}
	return page, nil
}

// GetReply implements ideas.ForumStore.
func (s *Store) GetReply(ctx context.Context, topic, reply int64) (ideas.Reply, error) {
	pool, err := s.db()
	if err != nil {
		return ideas.Reply{}, err
	}
	r, _, err := scanReply(pool.QueryRow(ctx, replyQuery+" WHERE r.id = $1 AND r.topic_id = $2 AND NOT r.hidden", reply, topic))
	return r, s.wrapped("get a reply", err)
}

// AddReply implements ideas.ForumStore.
func (s *Store) AddReply(ctx context.Context, c *ideas.Challenge, topic, parent, author int64, key, body string) (ideas.Reply, error) {
	body, bodyErr := ideas.CleanComment(body)
	if err := errors.Join(bodyErr, checkKey(key)); err != nil {
		return ideas.Reply{}, err
	}
	if err := s.open(c, ideas.ActionComment); err != nil {
		return ideas.Reply{}, err
	}
	var reply ideas.Reply
	err := s.transact(ctx, "reply", func(tx pgx.Tx) error {
		if err := s.admit(ctx, tx, c, author); err != nil {
			return err
		}
		of, err := scanTopic(tx.QueryRow(ctx, topicQuery+" WHERE t.id = $1 AND t.challenge_id = $2 AND t.state = 'visible'", topic, c.ID))
		if err != nil {
			return err
		}
		if of.Locked {
			return ideas.ErrClosed
		}
		cause, err := s.screenTalk(ctx, tx, c, author, false, body)
		if err != nil {
			return err
		}
		above := []int64{}
		if parent != 0 {
			// An answer to the deepest stands beside it.
			err := tx.QueryRow(ctx, "SELECT thread[1:$3] FROM topic_reply WHERE id = $1 AND topic_id = $2 AND NOT hidden", parent, topic, ideas.MaxReplyDepth-1).Scan(&above)
			if err != nil {
				return err
			}
		}
		id, err := insertOnce(ctx, tx, `INSERT INTO topic_reply (topic_id, above, author_id, submission_key, body, created_at, hidden, pending)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $7) ON CONFLICT (author_id, topic_id, submission_key) DO NOTHING RETURNING id`,
			[]any{topic, above, author, nullable(key), body, s.config.Clock(), cause != ""},
			"SELECT -id FROM topic_reply WHERE author_id = $1 AND topic_id = $2 AND submission_key = $3", []any{author, topic, key})
		if err != nil {
			return err
		}
		reply = ideas.Reply{
			ID: max(id, -id), Author: ideas.Author{ID: author}, Depth: len(above) + 1, Body: body, Hidden: cause != "", Pending: cause != "",
		}
		switch {
		case id < 0:
			return nil // sent again
		case cause != "":
			return s.openItem(ctx, tx, ideas.Contribution{Topic: topic, Reply: id}, cause)
		}
		return s.tellOfReply(ctx, tx, of, author)
	})
	return reply, err
}

// PendingTopics implements ideas.ForumStore.
func (s *Store) PendingTopics(ctx context.Context, challenge int64) ([]ideas.Topic, error) {
	return s.topics(ctx, topicQuery+" WHERE t.challenge_id = $1 AND t.state = 'pending' ORDER BY t.id LIMIT $2", challenge, ideas.MaxPage)
}

// lockTopic keeps a topic from being changed meanwhile.
func lockTopic(ctx context.Context, tx pgx.Tx, id int64) (ideas.Topic, error) {
	t, err := scanTopic(tx.QueryRow(ctx, topicQuery+" WHERE t.id = $1 FOR NO KEY UPDATE OF t", id))
	if err != nil {
		return t, fmt.Errorf("look up topic %d: %w", id, err)
	}
	return t, nil
}

// ModerateTopic implements ideas.ForumStore.
func (s *Store) ModerateTopic(ctx context.Context, moderator int64, c *ideas.Challenge, topic int64, change ideas.TopicChange) error {
	reason, err := change.Reason.Clean()
	if err != nil {
		return err
	}
	if err := reason.Check(change.State != nil && *change.State == ideas.TopicHidden); err != nil {
		return err // names the field
	}
	return s.transact(ctx, "moderate a topic", func(tx pgx.Tx) error {
		who, err := s.teamMember(ctx, tx, moderator, ideas.MayModerate)
		if err != nil {
			return err
		}
		former, err := lockTopic(ctx, tx, topic)
		if err != nil {
			return err
		}
		if former.Challenge != c.ID {
			return ideas.ErrNotFound
		}
		if change.Pinned != nil || change.Locked != nil {
			_, err := tx.Exec(ctx, "UPDATE topic SET pinned = coalesce($2, pinned), locked = coalesce($3, locked) WHERE id = $1", topic, change.Pinned, change.Locked)
			if err != nil {
				return err
			}
			detail := map[string]any{"pinned": change.Pinned, "locked": change.Locked}
			if err := audit(ctx, tx, who.id, "topic.moderate", "topic", topic, detail); err != nil {
				return err
			}
		}
		if change.State == nil {
			return nil
		}
		if err := s.moveTopic(ctx, tx, who, former, *change.State, reason); err != nil {
			return err
		}
		return s.closeItem(ctx, tx, ideas.Contribution{Topic: topic}, who, talkDecision(*change.State == ideas.TopicVisible))
	})
}

// talkDecision is what showing or hiding something amounts to in the queue.
func talkDecision(visible bool) string {
	if visible {
		return string(ideas.DecisionPublish)
	}
	return string(ideas.DecisionReject)
}

// moveTopic changes who sees a topic, as a moderator.
func (s *Store) moveTopic(ctx context.Context, tx pgx.Tx, who actor, t ideas.Topic, to ideas.TopicState, reason ideas.Reason) error {
	if to == ideas.TopicVisible {
		reason = ideas.Reason{}
	}
	if _, err := tx.Exec(ctx, "UPDATE topic SET state = $2, reason_code = $3, reason = $4 WHERE id = $1", t.ID, to, reason.Code, reason.Text); err != nil {
		return fmt.Errorf("change a topic's state: %w", err)
	}
	if t.State == ideas.TopicPending && to == ideas.TopicVisible {
		if err := s.tellOfTopic(ctx, tx, t); err != nil {
			return err
		}
	}
	detail := map[string]any{"from": t.State, "to": to, "code": reason.Code, "reason": reason.Text}
	return audit(ctx, tx, who.id, "topic."+string(to), "topic", t.ID, detail)
}

func (s *Store) decideTopic(ctx context.Context, tx pgx.Tx, who actor, t ideas.Topic, d ideas.Decision, reason ideas.Reason) error {
	to := map[ideas.Decision]ideas.TopicState{ideas.DecisionPublish: ideas.TopicVisible, ideas.DecisionReject: ideas.TopicHidden}[d]
	if to == "" {
		return &ideas.FieldError{Field: "decision", Code: "invalid"}
	}
	return s.moveTopic(ctx, tx, who, t, to, reason)
}

// HideReply implements ideas.ForumStore.
func (s *Store) HideReply(ctx context.Context, moderator int64, c *ideas.Challenge, topic, reply int64, hidden bool, reason ideas.Reason) error {
	reason, err := reason.Clean()
	if err != nil {
		return err
	}
	if err := reason.Check(hidden); err != nil {
		return err // names the field
	}
	return s.transact(ctx, "hide a reply", func(tx pgx.Tx) error {
		who, err := s.teamMember(ctx, tx, moderator, ideas.MayModerate)
		if err != nil {
			return err
		}
		t, err := lockTopic(ctx, tx, topic)
		if err != nil {
			return err
		}
		if t.Challenge != c.ID {
			return ideas.ErrNotFound
		}
		if err := s.moveReply(ctx, tx, who, t, reply, hidden, reason); err != nil {
			return err
		}
		return s.closeItem(ctx, tx, ideas.Contribution{Topic: topic, Reply: reply}, who, talkDecision(!hidden))
	})
}

// moveReply shows or hides a reply, as a moderator.
func (s *Store) moveReply(ctx context.Context, tx pgx.Tx, who actor, t ideas.Topic, id int64, hidden bool, reason ideas.Reason) error {
	if !hidden {
		reason = ideas.Reason{}
	}
	former, _, err := scanReply(tx.QueryRow(ctx, replyQuery+" WHERE r.id = $1 AND r.topic_id = $2 FOR UPDATE OF r", id, t.ID))
	if err != nil {
		return fmt.Errorf("look up reply %d: %w", id, err)
	}
	_, err = tx.Exec(ctx, "UPDATE topic_reply SET hidden = $2, pending = false, reason_code = $3, reason = $4 WHERE id = $1", id, hidden, reason.Code, reason.Text)
	if err != nil {
		return fmt.Errorf("change who sees a reply: %w", err)
	}
	if former.Pending && !hidden {
		if err := s.tellOfReply(ctx, tx, t, former.Author.ID); err != nil {
			return err
		}
	}
	detail := map[string]any{"reply": id, "hidden": hidden, "code": reason.Code, "reason": reason.Text}
	return audit(ctx, tx, who.id, "reply.hide", "topic", t.ID, detail)
}

func (s *Store) decideReply(ctx context.Context, tx pgx.Tx, who actor, t ideas.Topic, id int64, d ideas.Decision, reason ideas.Reason) error {
	if d == ideas.DecisionChanges {
		return &ideas.FieldError{Field: "decision", Code: "invalid"}
	}
	return s.moveReply(ctx, tx, who, t, id, d == ideas.DecisionReject, reason)
}

// queuedTopics are the topics and replies of the moderators' queue.
func queuedTopics(ctx context.Context, q querier, after int64, limit int) ([]ideas.ModerationItem, error) {
	rows, err := q.Query(ctx, `SELECT q.id, q.cause, q.opened_at, q.reports, t.id, t.challenge_id, m.id, m.name, t.title, t.body, t.state,
			coalesce(r.id, 0), coalesce(rm.id, 0), coalesce(rm.name, ''), coalesce(r.body, ''), coalesce(r.pending, false), coalesce(r.created_at, q.opened_at)
		FROM moderation_item q JOIN topic t ON t.id = q.topic_id JOIN member m ON m.id = t.author_id
			LEFT JOIN topic_reply r ON r.id = q.reply_id LEFT JOIN member rm ON rm.id = r.author_id
		WHERE q.decided_at IS NULL AND q.id > $1 ORDER BY q.id LIMIT $2`, after, limit)
	if err != nil {
		return nil, fmt.Errorf("list topics and replies: %w", err)
	}
	return pgx.CollectRows(rows, func(row pgx.CollectableRow) (ideas.ModerationItem, error) {
		var item ideas.ModerationItem
		var t ideas.Topic
		var r ideas.Reply
		err := row.Scan(&item.ID, &item.Cause, &item.OpenedAt, &item.ReportCount, &t.ID, &t.Challenge, &t.Author.ID, &t.Author.Name, &t.Title, &t.Body,
			&t.State, &r.ID, &r.Author.ID, &r.Author.Name, &r.Body, &r.Pending, &r.CreatedAt)
		item.Topic = &t
		if r.ID != 0 {
			item.Reply = &r
		}
		return item, err
	})
}
