package postgres

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/quaeso/community-operator/ideas"
)

// Bounds of moderation.
const (
	maxDecided     = 100
	countedInQueue = 100
	shownReports   = 5
)

var reportsPerMember = allowance{kind: "reports per member", interval: 2 * time.Minute, burst: 10}

// Report implements ideas.ModerationStore.
func (s *Store) Report(ctx context.Context, member int64, c ideas.Contribution, reason ideas.Reason) error {
	reason, err := reason.Clean()
	if err != nil {
		return err
	}
	if !slices.Contains(ideas.ReportReasons(), reason.Code) {
		return &ideas.FieldError{Field: "code", Code: "required"}
	}
	if reason.Code == ideas.ReasonOther && reason.Text == "" {
		return &ideas.FieldError{Field: "reason", Code: "required"}
	}
	allowed := false
	err = s.transact(ctx, "report a contribution", func(tx pgx.Tx) error {
		if err := s.requireContributor(ctx, tx, member); err != nil {
			return err
		}
		author, challenge, err := seenAuthor(ctx, tx, c)
		if err == nil {
			err = s.requireSightOf(ctx, tx, member, challenge)
		}
		if err != nil {
			return err
		}
		if author == member {
			return ideas.ErrForbidden
		}
		if allowed, err = allow(ctx, tx, reportsPerMember, strconv.FormatInt(member, 10)); err != nil || !allowed {
			return err
		}
		return s.insertReport(ctx, tx, member, c, reason)
	})
	if err == nil && !allowed {
		return ideas.ErrTooMany
	}
	return err
}

// seenAuthor is who wrote a contribution that everybody sees.
func seenAuthor(ctx context.Context, tx pgx.Tx, c ideas.Contribution) (author, challenge int64, err error) {
	if c.Topic != 0 {
		err = tx.QueryRow(ctx, `SELECT coalesce(r.author_id, t.author_id), t.challenge_id FROM topic t LEFT JOIN topic_reply r ON r.id = $2 AND r.topic_id = t.id AND NOT r.hidden
			WHERE t.id = $1 AND t.state = 'visible' AND ($2 = 0 OR r.id IS NOT NULL) FOR KEY SHARE OF t`, c.Topic, c.Reply).Scan(&author, &challenge)
		return author, challenge, err
	}
	err = tx.QueryRow(ctx, `SELECT coalesce(c.author_id, i.author_id), coalesce(i.challenge_id, 0) FROM idea i LEFT JOIN comment c ON c.id = $2 AND c.idea_id = i.id AND c.visible
		WHERE i.id = $1 AND i.visible AND ($2 = 0 OR c.id IS NOT NULL) FOR KEY SHARE OF i`, c.Idea, c.Comment).Scan(&author, &challenge)
	return author, challenge, err
}

func (s *Store) insertReport(ctx context.Context, tx pgx.Tx, member int64, c ideas.Contribution, reason ideas.Reason) error {
	of := partsOf(c)
	var known bool
	err := tx.QueryRow(ctx, "SELECT EXISTS (SELECT FROM report WHERE member_id = $1 AND "+of.whole+" = $2 AND coalesce("+of.part+", 0) = $3)",
		member, of.wholeID, of.partID).Scan(&known)
	if err != nil || known {
		return err
	}
	item, err := s.itemOf(ctx, tx, c, ideas.CauseReported)
	if err != nil {
		return err
	}
	tag, err := tx.Exec(ctx, "INSERT INTO report (item_id, "+of.whole+", "+of.part+`, member_id, reason_code, reason, created_at)
		VALUES ($1, $2, nullif($3::bigint, 0), $4, $5, $6, $7) ON CONFLICT DO NOTHING`,
		item, of.wholeID, of.partID, member, reason.Code, reason.Text, s.config.Clock())
	if err != nil || tag.RowsAffected() == 0 {
		return err
	}
	if _, err := tx.Exec(ctx, "UPDATE moderation_item SET reports = reports + 1 WHERE id = $1", item); err != nil {
		return fmt.Errorf("count the report: %w", err)
	}
	e := ideas.Event{Kind: ideas.EventReported, Actor: member, Idea: c.Idea, Comment: c.Comment, Data: map[string]any{"code": reason.Code}}
	if c.Topic != 0 {
		e.Data["topic"] = c.Topic
	}
	return s.recordEvents(ctx, tx, e)
}

// Queue implements ideas.ModerationStore.
func (s *Store) Queue(ctx context.Context, moderator, after int64, limit int) ([]ideas.ModerationItem, error) {
	pool, err := s.db()
	if err != nil {
		return nil, err
	}
	if _, err := s.teamMember(ctx, pool, moderator, ideas.MayModerate); err != nil {
		return nil, s.failed("read the queue", err)
	}
	list, err := queuedIdeas(ctx, pool, moderator, after, pageSize(limit))
	if err != nil {
		return nil, s.failed("read the queue", err)
	}
	topics, err := queuedTopics(ctx, pool, after, pageSize(limit))
	if err != nil {
		return nil, s.failed("read the queue", err)
	}
	list = append(list, topics...)
	slices.SortFunc(list, func(x, y ideas.ModerationItem) int { return cmp.Compare(x.ID, y.ID) })
	list = list[:min(len(list), pageSize(limit))]
	return list, s.wrapped("read reports", s.addReports(ctx, pool, list))
}

// queuedIdeas are the ideas and comments of the queue.
func queuedIdeas(ctx context.Context, q querier, moderator, after int64, limit int) ([]ideas.ModerationItem, error) {
	rows, err := q.Query(ctx, "SELECT "+ideaColumns+`, q.id, q.cause, q.opened_at, q.reports, coalesce(c.id, 0), coalesce(cm.id, 0),
			coalesce(cm.name, ''), coalesce(c.body, ''), coalesce(c.created_at, q.opened_at), coalesce(c.state, '')
		FROM moderation_item q JOIN tally t ON t.idea_id = q.idea_id JOIN idea i ON i.id = q.idea_id JOIN member m ON m.id = i.author_id
		LEFT JOIN comment c ON c.id = q.comment_id LEFT JOIN member cm ON cm.id = c.author_id
		WHERE q.decided_at IS NULL AND q.id > $2 ORDER BY q.id LIMIT $3`, moderator, after, limit)
	if err != nil {
		return nil, fmt.Errorf("list ideas and comments: %w", err)
	}
	return pgx.CollectRows(rows, func(row pgx.CollectableRow) (ideas.ModerationItem, error) {
		var q ideas.ModerationItem
		var c ideas.Comment
		var err error
		q.Idea, _, err = scanIdea(row, &q.ID, &q.Cause, &q.OpenedAt, &q.ReportCount, &c.ID, &c.Author.ID, &c.Author.Name, &c.Body, &c.CreatedAt, &c.State)
		if c.ID != 0 {
			q.Comment = &c
		}
		return q, err
	})
}

func (s *Store) addReports(ctx context.Context, q querier, list []ideas.ModerationItem) error {
	at := map[int64]int{}
	ids := make([]int64, len(list))
	for i, item := range list {
		at[item.ID], ids[i] = i, item.ID
	}
	rows, err := q.Query(ctx, `SELECT r.item_id, m.id, m.name, r.reason_code, r.reason, r.created_at
		FROM unnest($1::bigint[]) AS item (id), LATERAL (SELECT * FROM report WHERE item_id = item.id ORDER BY id LIMIT $2) r
		JOIN member m ON m.id = r.member_id`, ids, shownReports)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var item int64
		var r ideas.Report
		if err := rows.Scan(&item, &r.Member.ID, &r.Member.Name, &r.Reason.Code, &r.Reason.Text, &r.CreatedAt); err != nil {
			return err
		}
		list[at[item]].Reports = append(list[at[item]].Reports, r)
	}
	return rows.Err()
}

// QueueLength implements ideas.ModerationStore.
func (s *Store) QueueLength(ctx context.Context, moderator int64) (int, error) {
	pool, err := s.db()
	if err != nil {
		return 0, err
	}
	if _, err := s.teamMember(ctx, pool, moderator, ideas.MayModerate); err != nil {
		return 0, s.failed("count the queue", err)
	}
	var n int
	err = pool.QueryRow(ctx, "SELECT count(*) FROM (SELECT FROM moderation_item WHERE decided_at IS NULL LIMIT $1) q", countedInQueue).Scan(&n)
	return n, s.wrapped("count the queue", err)
}

// Moderate implements ideas.ModerationStore.
func (s *Store) Moderate(ctx context.Context, moderator int64, items []int64, d ideas.Decision, reason ideas.Reason) (int, error) {
	reason, err := reason.Clean()
	if err != nil {
		return 0, err
	}
	if len(items) == 0 {
		return 0, &ideas.FieldError{Field: "items", Code: "required"}
	}
	if len(items) > maxDecided {
		return 0, &ideas.FieldError{Field: "items", Code: "too_many", Limit: maxDecided}
	}
	if err := reason.Check(d != ideas.DecisionPublish); err != nil {
		return 0, err // names the field
	}
	decided := 0
	err = s.transact(ctx, "decide about contributions", func(tx pgx.Tx) error {
		who, err := s.teamMember(ctx, tx, moderator, ideas.MayModerate)
		if err != nil {
			return err
		}
		items = slices.Compact(slices.Sorted(slices.Values(items)))
		for _, item := range items {
			done, err := s.decideItem(ctx, tx, who, item, d, reason)
			if err != nil {
				return err
			}
			if done {
				decided++
			}
		}
		return nil
	})
	return decided, err
}

// decideItem locks the contribution before its item, as those do who change a contribution.
func (s *Store) decideItem(ctx context.Context, tx pgx.Tx, who actor, item int64, d ideas.Decision, reason ideas.Reason) (bool, error) {
	var c ideas.Contribution
	err := tx.QueryRow(ctx, `SELECT coalesce(idea_id, 0), coalesce(comment_id, 0), coalesce(topic_id, 0), coalesce(reply_id, 0)
		FROM moderation_item WHERE id = $1 AND decided_at IS NULL`, item).Scan(&c.Idea, &c.Comment, &c.Topic, &c.Reply)
	if errors.Is(err, pgx.ErrNoRows) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("look up item %d: %w", item, err)
	}
	var r ideaRow
	var topic ideas.Topic
	if c.Topic != 0 {
		topic, err = lockTopic(ctx, tx, c.Topic)
	} else {
		r, err = lockIdea(ctx, tx, c.Idea, who)
	}
	if err != nil {
		return false, err
	}
	var open bool
	if err := tx.QueryRow(ctx, "SELECT decided_at IS NULL FROM moderation_item WHERE id = $1 FOR UPDATE", item).Scan(&open); err != nil || !open {
		return false, err
	}
	switch {
	case c.Reply != 0:
		err = s.decideReply(ctx, tx, who, topic, c.Reply, d, reason)
	case c.Topic != 0:
		err = s.decideTopic(ctx, tx, who, topic, d, reason)
	case c.Comment != 0:
		err = s.decideComment(ctx, tx, who, r, c.Comment, d, reason)
	default:
		err = s.decideIdea(ctx, tx, who, r, d, reason)
	}
	if err != nil {
		return false, err
	}
	return true, s.closeItem(ctx, tx, c, who, string(d))
}

func (s *Store) decideIdea(ctx context.Context, tx pgx.Tx, who actor, r ideaRow, d ideas.Decision, reason ideas.Reason) error {
	to := map[ideas.Decision]ideas.State{
		ideas.DecisionPublish: ideas.StateGathering, ideas.DecisionChanges: ideas.StateChangesRequested, ideas.DecisionReject: ideas.StateRejected,
	}[d]
	switch {
	case r.state.Published() && d == ideas.DecisionReject:
		to = ideas.StateHidden
	case r.state.Published() && d == ideas.DecisionPublish:
		return audit(ctx, tx, who.id, "idea.keep", "idea", r.id, nil)
	}
	return s.moveIdea(ctx, tx, r, to, who, reason)
}

func (s *Store) decideComment(ctx context.Context, tx pgx.Tx, who actor, r ideaRow, id int64, d ideas.Decision, reason ideas.Reason) error {
	if d == ideas.DecisionChanges {
		return &ideas.FieldError{Field: "decision", Code: "invalid"}
	}
	c, err := scanComment(tx.QueryRow(ctx, commentQuery+" WHERE c.id = $2 FOR UPDATE OF c", int64(0), id))
	if err != nil {
		return fmt.Errorf("look up a comment: %w", err)
	}
	to := c.State
	switch {
	case d == ideas.DecisionPublish && c.State == ideas.CommentPending:
		to = ideas.CommentPublished
	case d == ideas.DecisionReject && c.State == ideas.CommentPending:
		to = ideas.CommentRejected
	case d == ideas.DecisionReject && c.State == ideas.CommentPublished:
		to = ideas.CommentHidden
	}
	return s.moveComment(ctx, tx, who, c, r.challenge, to, reason)
}

// moveComment changes a comment's state as a moderator.
func (s *Store) moveComment(ctx context.Context, tx pgx.Tx, who actor, c ideas.Comment, challenge int64, to ideas.CommentState, reason ideas.Reason) error {
	if to == ideas.CommentPublished {
		reason = ideas.Reason{}
	}
	if to != c.State {
		_, err := tx.Exec(ctx, "UPDATE comment SET state = $2, reason_code = $3, reason = $4 WHERE id = $1", c.ID, to, reason.Code, reason.Text)
		if err != nil {
			return fmt.Errorf("change a comment's state: %w", err)
		}
		if to == ideas.CommentPublished && c.State == ideas.CommentPending {
			if err := s.tellOfComment(ctx, tx, c, challenge); err != nil {
				return err
			}
		}
	}
	detail := map[string]any{"from": c.State, "to": to, "code": reason.Code, "reason": reason.Text}
	return audit(ctx, tx, who.id, "comment."+string(to), "comment", c.ID, detail)
}

// ModeratedComment implements ideas.ModerationStore.
func (s *Store) ModeratedComment(ctx context.Context, moderator, comment int64) (ideas.Comment, error) {
	pool, err := s.db()
	if err != nil {
		return ideas.Comment{}, err
	}
	if _, err := s.teamMember(ctx, pool, moderator, ideas.MayModerate); err != nil {
		return ideas.Comment{}, s.failed("read a comment", err)
	}
	c, err := scanComment(pool.QueryRow(ctx, commentQuery+" WHERE c.id = $2 AND c.state IN ('published', 'hidden')", moderator, comment))
	return c, s.wrapped("read a comment", err)
}

// HideComment implements ideas.ModerationStore.
func (s *Store) HideComment(ctx context.Context, moderator, comment int64, reason ideas.Reason) error {
	reason, err := reason.Clean()
	if err != nil {
		return err
	}
	if err := reason.Check(true); err != nil {
		return err // names the field
	}
	return s.switchComment(ctx, moderator, comment, ideas.CommentPublished, ideas.CommentHidden, reason)
}

// RestoreComment implements ideas.ModerationStore.
func (s *Store) RestoreComment(ctx context.Context, moderator, comment int64) error {
	return s.switchComment(ctx, moderator, comment, ideas.CommentHidden, ideas.CommentPublished, ideas.Reason{})
}

func (s *Store) switchComment(ctx context.Context, moderator, id int64, from, to ideas.CommentState, reason ideas.Reason) error {
	return s.transact(ctx, "change a comment's state", func(tx pgx.Tx) error {
		who, err := s.teamMember(ctx, tx, moderator, ideas.MayModerate)
		if err != nil {
			return err
		}
		if err := lockConversation(ctx, tx, id); err != nil {
			return err
		}
		c, err := scanComment(tx.QueryRow(ctx, commentQuery+" WHERE c.id = $2 AND c.state = $3 FOR UPDATE OF c", int64(0), id, from))
		if err != nil {
			return err
		}
		if err := s.moveComment(ctx, tx, who, c, 0, to, reason); err != nil {
			return err
		}
		return s.closeItem(ctx, tx, ideas.Contribution{Idea: c.IdeaID, Comment: id}, who, string(ideas.DecisionReject))
	})
}
