package postgres

import (
	"context"
	"errors"

	"github.com/jackc/pgx/v5"

	"github.com/quaeso/community-operator/ideas"
)

const (
	defaultPage = 20
	// maxKey bounds an idempotency key, in bytes.
	maxKey = 64
)

// ideaColumns are read by scanIdea; $1 is the member who looks.
const ideaColumns = `i.id, i.slug, i.title, i.body, i.state, m.id, m.name, t.supporters, t.comments,
	i.created_at, i.updated_at, coalesce(i.challenge_id, 0), i.theme, i.tags, i.revision, i.state_at, i.reason_code, i.reason,
	EXISTS (SELECT FROM support s WHERE s.idea_id = i.id AND s.member_id = $1), t.trend`

const ideaTables = ` FROM tally t JOIN idea i ON i.id = t.idea_id JOIN member m ON m.id = i.author_id`

func pageSize(limit int) int {
	if limit <= 0 {
		return defaultPage
	}
	return min(limit, ideas.MaxPage)
}

// scanIdea reads ideaColumns, and what a query selects behind them.
func scanIdea(row pgx.Row, more ...any) (ideas.Idea, float64, error) {
	var i ideas.Idea
	var trend float64
	err := row.Scan(append([]any{&i.ID, &i.Slug, &i.Title, &i.Body, &i.State, &i.Author.ID, &i.Author.Name, &i.Supporters,
		&i.Comments, &i.CreatedAt, &i.UpdatedAt, &i.Challenge, &i.Theme, &i.Tags, &i.Revision, &i.StateAt, &i.Reason.Code,
		&i.Reason.Text, &i.Supported, &trend}, more...)...)
	if len(i.Tags) == 0 {
		i.Tags = nil
	}
	return i, trend, err
}

// GetIdea implements ideas.Store.
func (s *Store) GetIdea(ctx context.Context, viewer, id int64) (ideas.Idea, error) {
	pool, err := s.db()
	if err != nil {
		return ideas.Idea{}, err
	}
	idea, err := s.getIdea(ctx, pool, viewer, id)
	if err != nil {
		return idea, err
	}
	if err := s.requireSight(ctx, pool, viewer, idea); err != nil {
		return ideas.Idea{}, s.failed("get an idea", err)
	}
	return idea, nil
}

func (s *Store) getIdea(ctx context.Context, q querier, viewer, id int64) (ideas.Idea, error) {
	idea, _, err := scanIdea(q.QueryRow(ctx, "SELECT "+ideaColumns+ideaTables+" WHERE t.visible AND t.idea_id = $2", viewer, id))
	if err != nil {
		return ideas.Idea{}, s.failed("get an idea", err)
	}
	return idea, nil
}

// SubmitIdea implements ideas.Store.
func (s *Store) SubmitIdea(ctx context.Context, author int64, key, title, body string) (ideas.Idea, error) {
	return s.CreateIdea(ctx, author, key, ideas.Content{Title: title, Body: body}, true)
}

// Support and its withdrawal, with the event that tells of it; $1 is the idea and $2 the member. The idea is locked against
// being merged meanwhile, as the foreign key would a moment later. $3 are the challenges in which it counts now, $4 is the service's clock: a ladder's deadlines look
// at when support was given.
const (
	supportOpen = `(challenge_id IS NULL OR challenge_id = ANY ($3) AND state IN ('gathering', 'qualified', 'under_review', 'shortlisted'))`
	addSupport  = `WITH target AS (SELECT id, challenge_id FROM idea WHERE id = $1 AND visible AND ` + supportOpen + ` FOR KEY SHARE),
			added AS (INSERT INTO support (idea_id, member_id, created_at) SELECT id, $2, $4 FROM target ON CONFLICT DO NOTHING RETURNING idea_id)
		INSERT INTO event (kind, actor_id, idea_id, challenge_id)
		SELECT 'idea.supported', $2, t.id, t.challenge_id FROM added JOIN target t ON t.id = added.idea_id`
	// Withdrawing support of an idea that stands for merged ones withdraws it from those too. The lock comes in a
	// statement of its own, so that the next sees what a merge has written that it waited for.
	lockSupported   = "SELECT FROM idea WHERE id = $1 AND visible FOR KEY SHARE"
	withdrawSupport = `WITH target AS (SELECT id, challenge_id FROM idea WHERE id = $1 AND visible AND ` + supportOpen + `),
			removed AS (DELETE FROM support USING target t WHERE idea_id = t.id AND member_id = $2 RETURNING idea_id),
			parked AS (DELETE FROM parked_support USING target t WHERE root_id = t.id AND member_id = $2)
		INSERT INTO event (kind, actor_id, idea_id, challenge_id)
		SELECT 'idea.unsupported', $2, t.id, t.challenge_id FROM removed JOIN target t ON t.id = removed.idea_id`
)

// SetSupport implements ideas.Store. The primary key of support holds that a member counts once, and the
// database's triggers keep the counters, however many requests arrive at once.
func (s *Store) SetSupport(ctx context.Context, member, idea int64, support bool) (int, error) {
	supporters, changed, err := s.setSupport(ctx, member, idea, support, s.openSupport(ctx))
	if err != nil || changed {
		return supporters, err
	}
	// Nothing changed: it was so already, or the idea is in a challenge that asks for more.
	challenge, err := s.maySupport(ctx, member, idea)
	if err != nil || challenge == 0 {
		return supporters, err
	}
	supporters, _, err = s.setSupport(ctx, member, idea, support, []int64{challenge})
	return supporters, err
}

// setSupport tells beside the supporters whether anything changed. challenges are those in which support counts.
func (s *Store) setSupport(ctx context.Context, member, idea int64, support bool, challenges []int64) (supporters int, changed bool, err error) {
	pool, err := s.db()
	if err != nil {
		return 0, false, err
	}
	// A batch is one transaction and one round trip; the last statement sees what the triggers of the one before have
	// counted.
	var batch pgx.Batch
	s.queueContributorCheck(&batch, member)
	if support {
		batch.Queue(addSupport, idea, member, challenges, s.config.Clock())
	} else {
		batch.Queue(lockSupported, idea)
		batch.Queue(withdrawSupport, idea, member, challenges)
	}
	batch.Queue("SELECT supporters FROM tally WHERE idea_id = $1 AND visible", idea)
	results := pool.SendBatch(ctx, &batch)
	defer func() { _ = results.Close() }() // closed below; here only after an error
	for range batch.Len() - 1 {
		tag, err := results.Exec()
		if err != nil {
			return 0, false, s.failed("set support", err)
		}
		changed = tag.Insert() && tag.RowsAffected() > 0
	}
	if err := results.QueryRow().Scan(&supporters); err != nil {
		return 0, false, s.failed("read the supporters of an idea", err)
	}
	if err := results.Close(); err != nil {
		return 0, false, s.failed("set support", err)
	}
	s.wakeDispatcher()
	return supporters, changed, nil
}

// insertOnce returns the id of a new row, or of the row that an earlier request with the same key made.
func insertOnce(ctx context.Context, tx pgx.Tx, insert string, values []any, find string, key []any) (int64, error) {
	var id int64
	err := tx.QueryRow(ctx, insert, values...).Scan(&id)
	if errors.Is(err, pgx.ErrNoRows) {
		err = tx.QueryRow(ctx, find, key...).Scan(&id)
	}
	return id, err
}

// Totals implements ideas.Store.
func (s *Store) Totals(ctx context.Context) (ideas.Totals, error) {
	pool, err := s.db()
	if err != nil {
		return ideas.Totals{}, err
	}
	var t ideas.Totals
	err = pool.QueryRow(ctx, `SELECT
		coalesce(sum(n) FILTER (WHERE kind = 'members'), 0)::bigint, coalesce(sum(n) FILTER (WHERE kind = 'ideas'), 0)::bigint,
		coalesce(sum(n) FILTER (WHERE kind = 'votes'), 0)::bigint, coalesce(sum(n) FILTER (WHERE kind = 'comments'), 0)::bigint
		FROM total`).Scan(&t.Members, &t.Ideas, &t.Votes, &t.Comments)
	if err != nil {
		return ideas.Totals{}, s.failed("read the totals", err)
	}
	return t, nil
}

// RenameMember implements ideas.Store.
func (s *Store) RenameMember(ctx context.Context, member int64, name string) error {
	name, err := ideas.CleanName(name)
	if err != nil {
		return err
	}
	pool, err := s.db()
	if err != nil {
		return err
	}
	tag, err := pool.Exec(ctx, "UPDATE member SET name = $2 WHERE id = $1", member, name)
	if err != nil {
		return s.failed("rename a member", err)
	}
	if tag.RowsAffected() == 0 {
		return ideas.ErrNotFound
	}
	return nil
}

func checkKey(key string) error {
	if len(key) > maxKey {
		return &ideas.FieldError{Field: "key", Code: "too_long", Limit: maxKey}
	}
	return nil
}

// nullable makes an absent idempotency key null, which is equal to no other.
func nullable(key string) any {
	if key == "" {
		return nil
	}
	return key
}
