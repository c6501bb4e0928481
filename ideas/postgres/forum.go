package postgres

import (
	"context"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"errors"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/quaeso/community-operator/ideas"
	"github.com/quaeso/community-operator/internal/control"
)

const topicQuery = `SELECT t.id, t.challenge_id, m.id, m.name, t.theme, t.title, t.body, t.state, t.reason, t.pinned, t.locked, t.replies,
	t.created_at, t.active_at FROM topic t JOIN member m ON m.id = t.author_id`

func scanTopic(row pgx.Row) (ideas.Topic, error) {
	var t ideas.Topic
	err := row.Scan(&t.ID, &t.Challenge, &t.Author.ID, &t.Author.Name, &t.Theme, &t.Title, &t.Body, &t.State, &t.Reason, &t.Pinned, &t.Locked,
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
	kind, state := ideas.EventTopicPublished, ideas.TopicVisible
	if c.Spec.Type == control.TypeMission {
		kind = ideas.EventMissionPost
		if !c.Spec.Mission.PostsUnmoderated {
			state = ideas.TopicPending
		}
	} else if c.ModeratedBefore(settings.House) {
		state = ideas.TopicPending
	}
	var topic ideas.Topic
	err := s.transact(ctx, "add a topic", func(tx pgx.Tx) error {
		if err := s.admit(ctx, tx, c, author); err != nil {
			return err
		}
		if err := requireRole(ctx, tx, c, author); err != nil {
			return err
		}
		now := s.config.Clock()
		var id int64
		err := tx.QueryRow(ctx, `INSERT INTO topic (challenge_id, author_id, submission_key, theme, title, body, state, created_at, active_at)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $8) ON CONFLICT (author_id, submission_key) DO NOTHING RETURNING id`,
			c.ID, author, nullable(key), theme, title, body, state, now).Scan(&id)
		if errors.Is(err, pgx.ErrNoRows) {
			topic, err = scanTopic(tx.QueryRow(ctx, topicQuery+" WHERE t.author_id = $1 AND t.submission_key = $2", author, key))
			return err
		}
		if err != nil {
			return err
		}
		if topic, err = scanTopic(tx.QueryRow(ctx, topicQuery+" WHERE t.id = $1", id)); err != nil || state != ideas.TopicVisible {
			return err
		}
		return s.recordEvents(ctx, tx, ideas.Event{Kind: kind, Actor: author, Challenge: c.ID, Data: map[string]any{"topic": id}})
	})
	return topic, err
}

// maxThread bounds the replies of a page.
const maxThread = 200

// ListReplies implements ideas.ForumStore.
func (s *Store) ListReplies(ctx context.Context, topic int64, after string, limit int) (ideas.ThreadPage, error) {
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
	rows, err := pool.Query(ctx, `SELECT r.id, m.id, m.name, cardinality(r.thread), CASE WHEN r.hidden THEN '' ELSE r.body END, r.hidden, r.created_at, r.thread
		FROM topic_reply r JOIN member m ON m.id = r.author_id WHERE r.topic_id = $1 AND r.thread > $2 ORDER BY r.thread LIMIT $3`, topic, position, limit+1)
	if err != nil {
		return ideas.ThreadPage{}, s.failed("list replies", err)
	}
	var threads [][]int64
	list, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (ideas.Reply, error) {
		var r ideas.Reply
		var thread []int64
		err := row.Scan(&r.ID, &r.Author.ID, &r.Author.Name, &r.Depth, &r.Body, &r.Hidden, &r.CreatedAt, &thread)
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
		var asked int64
		var locked bool
		err := tx.QueryRow(ctx, "SELECT author_id, locked FROM topic WHERE id = $1 AND challenge_id = $2 AND state = 'visible'", topic, c.ID).Scan(&asked, &locked)
		if err != nil {
			return err
		}
		if locked {
			return ideas.ErrClosed
		}
		above := []int64{}
		if parent != 0 {
			// An answer to the deepest stands beside it.
			err := tx.QueryRow(ctx, "SELECT thread[1:$3] FROM topic_reply WHERE id = $1 AND topic_id = $2 AND NOT hidden", parent, topic, ideas.MaxReplyDepth-1).Scan(&above)
			if err != nil {
				return err
			}
		}
		id, err := insertOnce(ctx, tx, `INSERT INTO topic_reply (topic_id, above, author_id, submission_key, body, created_at) VALUES ($1, $2, $3, $4, $5, $6)
			ON CONFLICT (author_id, topic_id, submission_key) DO NOTHING RETURNING id`, []any{topic, above, author, nullable(key), body, s.config.Clock()},
			"SELECT -id FROM topic_reply WHERE author_id = $1 AND topic_id = $2 AND submission_key = $3", []any{author, topic, key})
		if err != nil {
			return err
		}
		reply = ideas.Reply{ID: max(id, -id), Author: ideas.Author{ID: author}, Depth: len(above) + 1, Body: body}
		if id < 0 {
			return nil // sent again
		}
		return s.recordEvents(ctx, tx, ideas.Event{Kind: ideas.EventTopicReplied, Actor: author, Subject: asked, Challenge: c.ID, Data: map[string]any{"topic": topic}})
	})
	return reply, err
}

// PendingTopics implements ideas.ForumStore.
func (s *Store) PendingTopics(ctx context.Context, challenge int64) ([]ideas.Topic, error) {
	return s.topics(ctx, topicQuery+" WHERE t.challenge_id = $1 AND t.state = 'pending' ORDER BY t.id LIMIT $2", challenge, ideas.MaxPage)
}

// ModerateTopic implements ideas.ForumStore.
func (s *Store) ModerateTopic(ctx context.Context, actor int64, c *ideas.Challenge, topic int64, change ideas.TopicChange) error {
	hides := change.State != nil && *change.State == ideas.TopicHidden
	reason, err := ideas.CleanReason(change.Reason, hides)
	if err != nil {
		return err
	}
	return s.transact(ctx, "moderate a topic", func(tx pgx.Tx) error {
		former, err := scanTopic(tx.QueryRow(ctx, topicQuery+" WHERE t.id = $1 AND t.challenge_id = $2 FOR NO KEY UPDATE OF t", topic, c.ID))
		if err != nil {
			return err
		}
		_, err = tx.Exec(ctx, `UPDATE topic SET pinned = coalesce($2, pinned), locked = coalesce($3, locked), state = coalesce($4, state), reason = $5 WHERE id = $1`,
			topic, change.Pinned, change.Locked, change.State, reason)
		if err != nil {
			return err
		}
		if former.State == ideas.TopicPending && change.State != nil && *change.State == ideas.TopicVisible {
			kind := ideas.EventTopicPublished
			if c.Spec.Type == control.TypeMission {
				kind = ideas.EventMissionPost
			}
			event := ideas.Event{Kind: kind, Actor: former.Author.ID, Challenge: c.ID, Data: map[string]any{"topic": topic}}
			if err := s.recordEvents(ctx, tx, event); err != nil {
				return err
			}
		}
		return audit(ctx, tx, actor, "topic.moderate", "topic", topic, map[string]any{
			"pinned": change.Pinned, "locked": change.Locked, "state": change.State, "reason": reason,
		})
	})
}

// HideReply implements ideas.ForumStore.
func (s *Store) HideReply(ctx context.Context, actor int64, c *ideas.Challenge, topic, reply int64, hidden bool, reason string) error {
	reason, err := ideas.CleanReason(reason, hidden)
	if err != nil {
		return err
	}
	return s.transact(ctx, "hide a reply", func(tx pgx.Tx) error {
		tag, err := tx.Exec(ctx, `UPDATE topic_reply SET hidden = $4 WHERE id = $1 AND topic_id = $2
			AND EXISTS (SELECT FROM topic WHERE id = $2 AND challenge_id = $3)`, reply, topic, c.ID, hidden)
		if err != nil {
			return err
		}
		if tag.RowsAffected() == 0 {
			return ideas.ErrNotFound
		}
		return audit(ctx, tx, actor, "reply.hide", "topic", topic, map[string]any{"reply": reply, "hidden": hidden, "reason": reason})
	})
}
