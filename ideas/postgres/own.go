package postgres

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/quaeso/community-operator/ideas"
)

// OpenIdea implements ideas.IdeaLifeStore. What belongs to the idea is read in one round trip.
func (s *Store) OpenIdea(ctx context.Context, viewer, id int64) (ideas.OwnIdea, error) {
	var own ideas.OwnIdea
	r, err := s.seenIdea(ctx, viewer, id)
	if err != nil {
		return own, s.failed("open an idea", err)
	}
	pool, err := s.db()
	if err != nil {
		return own, err
	}
	own.MergedInto, own.As, own.Invited = r.canonical, r.as, r.invited
	var batch pgx.Batch
	batch.Queue("SELECT "+ideaColumns+ideaTables+" WHERE t.idea_id = $2", viewer, id).QueryRow(func(row pgx.Row) error {
		own.Idea, _, err = scanIdea(row)
		return err
	})
	collect(&batch, &own.Changes, scanChange, changesQuery, id, shownChanges)
	collect(&batch, &own.CoAuthors, scanCoAuthor, coAuthorsQuery, id, coAuthorStates(r), r.author, maxMerged)
	collect(&batch, &own.Answers, scanAnswer, answersQuery, id, maxAnswers)
	collect(&batch, &own.Attachments, scanAttachment, attachmentsQuery, id, ideas.MaxAttachments)
	var due []time.Time
	collect(&batch, &due, func(row pgx.Row) (at time.Time, err error) { return at, row.Scan(&at) },
		"SELECT due_at FROM answer_due WHERE idea_id = $1 AND answered_at IS NULL", id)
	if err := pool.SendBatch(ctx, &batch).Close(); err != nil {
		return own, s.failed("read what belongs to an idea", err)
	}
	if len(due) > 0 {
		own.AnswerDue = due[0]
	}
	return own, nil
}

// collect adds a query to a batch, whose rows are put into a list.
func collect[T any](batch *pgx.Batch, list *[]T, scan func(pgx.Row) (T, error), query string, args ...any) {
	batch.Queue(query, args...).Query(func(rows pgx.Rows) error {
		var err error
		*list, err = pgx.CollectRows(rows, func(row pgx.CollectableRow) (T, error) { return scan(row) })
		return err
	})
}

// seenIdea looks up an idea that the viewer may see.
func (s *Store) seenIdea(ctx context.Context, viewer, id int64) (ideaRow, error) {
	pool, err := s.db()
	if err != nil {
		return ideaRow{}, err
	}
	who, err := s.actor(ctx, pool, viewer)
	if err != nil {
		return ideaRow{}, err
	}
	return readIdea(ctx, pool, id, who)
}

// wrapped is failed for an error that may be nil.
func (s *Store) wrapped(attempt string, err error) error {
	if err == nil {
		return nil
	}
	return s.failed(attempt, err)
}

// ListOwnIdeas implements ideas.IdeaLifeStore.
func (s *Store) ListOwnIdeas(ctx context.Context, author int64) ([]ideas.Idea, error) {
	pool, err := s.db()
	if err != nil {
		return nil, err
	}
	rows, err := pool.Query(ctx, "SELECT "+ideaColumns+ideaTables+` WHERE i.id IN (
			(SELECT id FROM idea WHERE author_id = $1 AND state <> 'erased' ORDER BY id DESC LIMIT $2)
			UNION (SELECT idea_id FROM co_author WHERE member_id = $1 AND state <> 'declined' ORDER BY idea_id DESC LIMIT $2))
		AND i.state <> 'erased' ORDER BY i.id DESC LIMIT $2`, author, maxOwnIdeas)
	if err != nil {
		return nil, s.failed("list a member's ideas", err)
	}
	list, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (ideas.Idea, error) {
		idea, _, err := scanIdea(row)
		return idea, err
	})
	return list, s.wrapped("list a member's ideas", err)
}

// ListRevisions implements ideas.IdeaLifeStore.
func (s *Store) ListRevisions(ctx context.Context, viewer, id int64) ([]ideas.Revision, error) {
	r, err := s.seenIdea(ctx, viewer, id)
	if err != nil {
		return nil, s.failed("list an idea's revisions", err)
	}
	if len(r.as) == 0 {
		return nil, ideas.ErrForbidden
	}
	pool, err := s.db()
	if err != nil {
		return nil, err
	}
	rows, err := pool.Query(ctx, `SELECT r.number, r.at, coalesce(m.id, 0), coalesce(m.name, ''), r.title, r.body
		FROM idea_revision r LEFT JOIN member m ON m.id = r.author_id WHERE r.idea_id = $1 ORDER BY r.number DESC LIMIT $2`, id, maxRevisions)
	if err != nil {
		return nil, s.failed("list an idea's revisions", err)
	}
	list, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (ideas.Revision, error) {
		var r ideas.Revision
		err := row.Scan(&r.Number, &r.At, &r.Author.ID, &r.Author.Name, &r.Title, &r.Body)
		return r, err
	})
	return list, s.wrapped("list an idea's revisions", err)
}

// ListChanges implements ideas.IdeaLifeStore.
func (s *Store) ListChanges(ctx context.Context, viewer, id int64, limit int) ([]ideas.StateChange, error) {
	if _, err := s.seenIdea(ctx, viewer, id); err != nil {
		return nil, s.failed("list an idea's changes", err)
	}
	pool, err := s.db()
	if err != nil {
		return nil, err
	}
	list, err := listChanges(ctx, pool, id, pageSize(limit))
	return list, s.wrapped("list an idea's changes", err)
}

const changesQuery = `SELECT c.at, coalesce(m.id, 0), coalesce(m.name, ''), c.capacity, c.from_state, c.to_state, c.reason_code, c.reason
	FROM idea_change c LEFT JOIN member m ON m.id = c.actor_id WHERE c.idea_id = $1 ORDER BY c.id DESC LIMIT $2`

func scanChange(row pgx.Row) (ideas.StateChange, error) {
	var c ideas.StateChange
	err := row.Scan(&c.At, &c.Actor.ID, &c.Actor.Name, &c.As, &c.From, &c.To, &c.Reason.Code, &c.Reason.Text)
	return c, err
}

func listChanges(ctx context.Context, q querier, idea int64, limit int) ([]ideas.StateChange, error) {
	rows, err := q.Query(ctx, changesQuery, idea, limit)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, func(row pgx.CollectableRow) (ideas.StateChange, error) { return scanChange(row) })
}
