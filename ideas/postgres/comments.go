package postgres

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/quaeso/community-operator/ideas"
)

// commentQuery is read by scanComment; $1 is the member who looks.
const commentQuery = `SELECT c.id, c.idea_id, m.id, m.name, c.body, c.created_at, c.state, coalesce(c.thread_id, 0), coalesce(c.reply_to, 0),
		coalesce(p.author_id, 0), coalesce(pm.name, ''), coalesce(c.edited_at, '0001-01-01'), c.thanks, c.reason_code, c.reason,
		EXISTS (SELECT FROM comment_thanks t WHERE t.comment_id = c.id AND t.member_id = $1)
	FROM comment c JOIN member m ON m.id = c.author_id LEFT JOIN comment p ON p.id = c.reply_to LEFT JOIN member pm ON pm.id = p.author_id`

func scanComment(row pgx.Row) (ideas.Comment, error) {
	var c ideas.Comment
	err := row.Scan(&c.ID, &c.IdeaID, &c.Author.ID, &c.Author.Name, &c.Body, &c.CreatedAt, &c.State, &c.Thread, &c.ReplyTo,
		&c.RepliedTo.ID, &c.RepliedTo.Name, &c.EditedAt, &c.Thanks, &c.Reason.Code, &c.Reason.Text, &c.Thanked)
	if c.EditedAt.Year() == 1 {
		c.EditedAt = c.EditedAt.UTC()
	}
	return c, err
}

func (s *Store) queryComments(ctx context.Context, query string, args ...any) ([]ideas.Comment, error) {
	pool, err := s.db()
	if err != nil {
		return nil, err
	}
	rows, err := pool.Query(ctx, commentQuery+query, args...)
	if err != nil {
		return nil, s.failed("list comments", err)
	}
	comments, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (ideas.Comment, error) { return scanComment(row) })
	return comments, s.wrapped("list comments", err)
}

// ListComments implements ideas.CommentStore.
func (s *Store) ListComments(ctx context.Context, idea, after int64, limit int) ([]ideas.Comment, error) {
	return s.queryComments(ctx, ` WHERE c.idea_id = $2 AND c.id > $3 AND c.visible
		AND EXISTS (SELECT FROM idea i WHERE i.id = $2 AND i.visible) ORDER BY c.id LIMIT $4`, int64(0), idea, after, pageSize(limit))
}

// ListThreads implements ideas.CommentStore.
func (s *Store) ListThreads(ctx context.Context, viewer, idea, after int64, limit int) ([]ideas.Comment, error) {
	list, err := s.queryComments(ctx, ` WHERE c.idea_id = $2
		AND (coalesce(c.thread_id, c.id), c.id) > (CASE WHEN $3::bigint < 0 THEN -$3 ELSE coalesce((SELECT a.thread_id FROM comment a WHERE a.id = $3), $3) END,
			CASE WHEN $3 < 0 THEN 0 ELSE $3 END)
		AND (c.visible OR c.author_id = $1 AND c.state IN ('pending', 'rejected', 'hidden')
			OR c.thread_id IS NULL AND EXISTS (SELECT FROM comment r WHERE r.thread_id = c.id AND r.visible))
		AND EXISTS (SELECT FROM idea i WHERE i.id = $2 AND i.visible)
		ORDER BY coalesce(c.thread_id, c.id), c.id LIMIT $4`, viewer, idea, after, pageSize(limit))
	for i, c := range list {
		if c.State != ideas.CommentPublished && c.Author.ID != viewer {
			list[i].Body, list[i].Author, list[i].Reason = "", ideas.Author{}, ideas.Reason{}
		}
	}
	return list, err
}

// GetComment implements ideas.CommentStore.
func (s *Store) GetComment(ctx context.Context, viewer, comment int64) (ideas.Comment, error) {
	list, err := s.queryComments(ctx, ` JOIN idea i ON i.id = c.idea_id AND i.visible
		WHERE c.id = $2 AND (c.visible OR c.author_id = $1 AND c.state IN ('pending', 'rejected', 'hidden'))`, viewer, comment)
	if err == nil && len(list) == 0 {
		err = ideas.ErrNotFound
	}
	if err != nil {
		return ideas.Comment{}, err
	}
	return list[0], nil
}

// AddComment implements ideas.CommentStore.
func (s *Store) AddComment(ctx context.Context, author, idea int64, key, body string) (ideas.Comment, error) {
	return s.addComment(ctx, author, idea, 0, key, body)
}

// Reply implements ideas.CommentStore.
func (s *Store) Reply(ctx context.Context, author, comment int64, key, body string) (ideas.Comment, error) {
	pool, err := s.db()
	if err != nil {
		return ideas.Comment{}, err
	}
	var idea int64
	if err := pool.QueryRow(ctx, "SELECT idea_id FROM comment WHERE id = $1 AND visible", comment).Scan(&idea); err != nil {
		return ideas.Comment{}, s.failed("look up the comment to answer", err)
	}
	return s.addComment(ctx, author, idea, comment, key, body)
}

func (s *Store) addComment(ctx context.Context, author, idea, replyTo int64, key, body string) (ideas.Comment, error) {
	body, bodyErr := ideas.CleanComment(body)
	if err := errors.Join(bodyErr, checkKey(key)); err != nil {
		return ideas.Comment{}, err
	}
	var comment ideas.Comment
	err := s.transact(ctx, "add a comment", func(tx pgx.Tx) error {
		who, err := s.contributor(ctx, tx, author)
		if err != nil {
			return err
		}
		// The idea is locked against being merged meanwhile.
		var challenge int64
		err = tx.QueryRow(ctx, "SELECT coalesce(challenge_id, 0) FROM idea WHERE id = $1 AND visible FOR KEY SHARE", idea).Scan(&challenge)
		if err != nil {
			return fmt.Errorf("look up the idea: %w", err)
		}
		if who.kept[challenge] {
			return ideas.ErrNotFound
		}
		if err := s.mayInChallenge(ctx, challenge, ideas.ActionComment); err != nil {
			return err
		}
		id, isNew, err := s.insertComment(ctx, tx, who, challenge, ideas.Comment{IdeaID: idea, ReplyTo: replyTo, Body: body}, key)
		if err != nil {
			return err
		}
		comment, err = scanComment(tx.QueryRow(ctx, commentQuery+" WHERE c.id = $2", author, id))
		if err != nil || !isNew {
			return err
		}
		if comment.State == ideas.CommentPublished {
			return s.tellOfComment(ctx, tx, comment, challenge)
		}
		return s.openItem(ctx, tx, ideas.Contribution{Idea: idea, Comment: id}, s.screen(ctx, who, challenge, body))
	})
	return comment, err
}

// insertComment inserts a comment, or finds what an earlier request with the same key has inserted.
func (s *Store) insertComment(ctx context.Context, tx pgx.Tx, who actor, challenge int64, c ideas.Comment, key string) (id int64, isNew bool, err error) {
	state := ideas.CommentPublished
	if s.screen(ctx, who, challenge, c.Body) != "" {
		state = ideas.CommentPending
	}
	err = tx.QueryRow(ctx, `INSERT INTO comment (author_id, idea_id, submission_key, body, state, reply_to, thread_id, created_at)
		VALUES ($1, $2, $3, $4, $5, nullif($6, 0), (SELECT coalesce(thread_id, id) FROM comment WHERE id = $6 AND idea_id = $2), $7)
		ON CONFLICT (author_id, idea_id, submission_key) DO NOTHING RETURNING id`,
		who.id, c.IdeaID, nullable(key), c.Body, state, c.ReplyTo, s.config.Clock()).Scan(&id)
	if errors.Is(err, pgx.ErrNoRows) {
		err = tx.QueryRow(ctx, "SELECT id FROM comment WHERE author_id = $1 AND idea_id = $2 AND submission_key = $3", who.id, c.IdeaID, key).Scan(&id)
		return id, false, err
	}
	return id, true, err
}

// tellOfComment records that a comment is there for all to read. Its subject wrote the one that it answers.
func (s *Store) tellOfComment(ctx context.Context, tx pgx.Tx, c ideas.Comment, challenge int64) error {
	e := ideas.Event{Kind: ideas.EventCommentPublished, Actor: c.Author.ID, Idea: c.IdeaID, Challenge: challenge, Comment: c.ID}
	if c.RepliedTo.ID != c.Author.ID {
		e.Subject = c.RepliedTo.ID
	}
	return s.recordEvents(ctx, tx, e)
}

// lockConversation keeps the idea of a comment from being merged, before the comment itself is locked: a merge takes its
// locks in the same order.
func lockConversation(ctx context.Context, tx pgx.Tx, comment int64) error {
	_, err := tx.Exec(ctx, "SELECT FROM comment c JOIN idea i ON i.id = c.idea_id WHERE c.id = $1 FOR KEY SHARE OF i", comment)
	if err != nil {
		return fmt.Errorf("lock the conversation: %w", err)
	}
	return nil
}

// ownComment locks a comment of the member's own that is not yet gone.
func ownComment(ctx context.Context, tx pgx.Tx, member, comment int64) (c ideas.Comment, challenge int64, err error) {
	if err := lockConversation(ctx, tx, comment); err != nil {
		return c, 0, err
	}
	err = tx.QueryRow(ctx, `SELECT c.id, c.idea_id, c.author_id, c.body, c.state, c.created_at, coalesce(i.challenge_id, 0)
		FROM comment c JOIN idea i ON i.id = c.idea_id WHERE c.id = $1 AND c.state NOT IN ('deleted', 'erased') FOR UPDATE OF c`, comment).
		Scan(&c.ID, &c.IdeaID, &c.Author.ID, &c.Body, &c.State, &c.CreatedAt, &challenge)
	if err != nil {
		return c, 0, fmt.Errorf("look up a comment: %w", err)
	}
	if c.Author.ID != member {
		if c.State == ideas.CommentPublished {
			return c, 0, ideas.ErrForbidden
		}
		return c, 0, ideas.ErrNotFound
	}
	return c, challenge, nil
}

// EditComment implements ideas.CommentStore.
func (s *Store) EditComment(ctx context.Context, member, id int64, body string) (ideas.Comment, error) {
	body, err := ideas.CleanComment(body)
	if err != nil {
		return ideas.Comment{}, err
	}
	var comment ideas.Comment
	err = s.transact(ctx, "edit a comment", func(tx pgx.Tx) error {
		who, err := s.contributor(ctx, tx, member)
		if err != nil {
			return err
		}
		c, challenge, err := ownComment(ctx, tx, member, id)
		if err != nil {
			return err
		}
		now := s.config.Clock()
		if c.State != ideas.CommentPublished && c.State != ideas.CommentPending || now.Sub(c.CreatedAt) > ideas.EditCommentWithin {
			return fmt.Errorf("edit a comment that is %s since %s: %w", c.State, c.CreatedAt, ideas.ErrForbidden)
		}
		if body != c.Body {
			if err := s.rewriteComment(ctx, tx, who, c, challenge, body); err != nil {
				return err
			}
		}
		comment, err = scanComment(tx.QueryRow(ctx, commentQuery+" WHERE c.id = $2", member, id))
		return err
	})
	return comment, err
}

// rewriteComment sends a comment to the moderators where its new text would not have been published.
func (s *Store) rewriteComment(ctx context.Context, tx pgx.Tx, who actor, c ideas.Comment, challenge int64, body string) error {
	cause, state := s.screen(ctx, who, challenge, body), c.State
	if cause != "" {
		state = ideas.CommentPending
	}
	if _, err := tx.Exec(ctx, "UPDATE comment SET body = $2, edited_at = $3, state = $4 WHERE id = $1", c.ID, body, s.config.Clock(), state); err != nil {
		return fmt.Errorf("write the new text: %w", err)
	}
	if cause == "" {
		return nil
	}
	return s.openItem(ctx, tx, ideas.Contribution{Idea: c.IdeaID, Comment: c.ID}, cause)
}

// DeleteComment implements ideas.CommentStore.
func (s *Store) DeleteComment(ctx context.Context, member, id int64) error {
	return s.transact(ctx, "delete a comment", func(tx pgx.Tx) error {
		c, _, err := ownComment(ctx, tx, member, id)
		if err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, "DELETE FROM comment_thanks WHERE comment_id = $1", id); err != nil {
			return fmt.Errorf("remove its thanks: %w", err)
		}
		if _, err := tx.Exec(ctx, "UPDATE comment SET state = 'deleted', body = '' WHERE id = $1", id); err != nil {
			return fmt.Errorf("remove its text: %w", err)
		}
		return s.closeItem(ctx, tx, ideas.Contribution{Idea: c.IdeaID, Comment: id}, actor{}, decisionGone)
	})
}

// ThankFor implements ideas.CommentStore.
func (s *Store) ThankFor(ctx context.Context, member, id int64, thank bool) error {
	return s.transact(ctx, "thank for a comment", func(tx pgx.Tx) error {
		if err := s.requireContributor(ctx, tx, member); err != nil {
			return err
		}
		var author, challenge int64
		err := tx.QueryRow(ctx, `SELECT c.author_id, coalesce(i.challenge_id, 0) FROM comment c JOIN idea i ON i.id = c.idea_id
			WHERE c.id = $1 AND c.visible AND i.visible FOR KEY SHARE OF c`, id).Scan(&author, &challenge)
		if err == nil {
			err = s.requireSightOf(ctx, tx, member, challenge)
		}
		if err != nil {
			return err
		}
		if author == member {
			return ideas.ErrForbidden
		}
		change := "DELETE FROM comment_thanks WHERE comment_id = $1 AND member_id = $2"
		if thank {
			change = "INSERT INTO comment_thanks (comment_id, member_id) VALUES ($1, $2) ON CONFLICT DO NOTHING"
		}
		_, err = tx.Exec(ctx, change, id, member)
		return err
	})
}
