package postgres

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/quaeso/community-operator/ideas"
)

const maxMerged = 50

// MergeIdea implements ideas.MergeStore.
func (s *Store) MergeIdea(ctx context.Context, member, duplicate, into int64, reason ideas.Reason) (ideas.Idea, error) {
	reason, err := reason.Clean()
	if err != nil {
		return ideas.Idea{}, err
	}
	if duplicate == into {
		return ideas.Idea{}, &ideas.FieldError{Field: "into", Code: "invalid"}
	}
	var idea ideas.Idea
	err = s.transact(ctx, "merge an idea", func(tx pgx.Tx) error {
		who, err := s.teamMember(ctx, tx, member, ideas.MayModerate, ideas.MayDecide)
		if err != nil {
			return err
		}
		from, to, err := lockPair(ctx, tx, duplicate, into, who)
		if err != nil {
			return err
		}
		switch {
		case !to.state.Published():
			return &ideas.FieldError{Field: "into", Code: "invalid"}
		case from.challenge != to.challenge:
			// Votes of one challenge must not count in another, whose voters, time and ballot differ.
			return &ideas.FieldError{Field: "into", Code: "challenge"}
		}
		from.into = into
		if err := s.moveIdea(ctx, tx, from, ideas.StateMerged, who, reason); err != nil {
			return err
		}
		if err := moveSupport(ctx, tx, duplicate, into); err != nil {
			return err
		}
		if err := moveComments(ctx, tx, duplicate, into); err != nil {
			return err
		}
		idea, err = anyIdea(ctx, tx, member, into)
		return err
	})
	return idea, err
}

// lockPair locks two ideas in the order of their numbers, and then their counters, so that merges, votes and comments
// cannot wait for each other in a circle.
func lockPair(ctx context.Context, tx pgx.Tx, one, other int64, who actor) (ideaRow, ideaRow, error) {
	var rows [2]ideaRow
	first, second := 0, 1
	if one > other {
		first, second = 1, 0
	}
	for _, i := range []int{first, second} {
		var err error
		if rows[i], err = lockIdea(ctx, tx, []int64{one, other}[i], who); err != nil {
			return rows[0], rows[1], err
		}
	}
	_, err := tx.Exec(ctx, "SELECT FROM tally WHERE idea_id = ANY ($1) ORDER BY idea_id FOR NO KEY UPDATE", []int64{one, other})
	if err != nil {
		return rows[0], rows[1], fmt.Errorf("lock the counters: %w", err)
	}
	return rows[0], rows[1], nil
}

// moveSupport parks what members have given to the duplicate, and lets it count for the other, once for each member.
func moveSupport(ctx context.Context, tx pgx.Tx, duplicate, into int64) error {
	for _, step := range []struct{ what, sql string }{
		{"park the duplicate's support", `INSERT INTO parked_support (idea_id, member_id, created_at, root_id)
			SELECT idea_id, member_id, created_at, $2 FROM support WHERE idea_id = $1 AND own`},
		{"let merged ideas follow", "UPDATE parked_support SET root_id = $2 WHERE root_id = $1"},
		{"remove the duplicate's support", "DELETE FROM support WHERE idea_id = $1 AND $2::bigint IS NOT NULL"},
		{"count it for the other", deriveSupport},
	} {
		if _, err := tx.Exec(ctx, step.sql, duplicate, into); err != nil {
			return fmt.Errorf("%s: %w", step.what, err)
		}
	}
	return nil
}

// deriveSupport counts parked support for the idea $2 that stands for the others.
const deriveSupport = `INSERT INTO support (idea_id, member_id, created_at, own)
	SELECT root_id, member_id, min(created_at), false FROM parked_support WHERE root_id = $2 AND $1::bigint IS NOT NULL GROUP BY root_id, member_id
	ON CONFLICT DO NOTHING`

// moveComments keeps in each comment the idea that it was written on. A form that is sent again meanwhile is another
// comment: its key belongs to the duplicate.
func moveComments(ctx context.Context, tx pgx.Tx, duplicate, into int64) error {
	_, err := tx.Exec(ctx, `UPDATE comment SET idea_id = $2, origin_id = coalesce(origin_id, idea_id), submission_key = NULL
		WHERE idea_id = $1`, duplicate, into)
	if err != nil {
		return fmt.Errorf("move the comments: %w", err)
	}
	_, err = tx.Exec(ctx, "UPDATE moderation_item m SET idea_id = $2 WHERE m.idea_id = $1 AND m.comment_id IS NOT NULL AND m.decided_at IS NULL", duplicate, into)
	if err != nil {
		return fmt.Errorf("move what waits for a moderator: %w", err)
	}
	return nil
}

// UnmergeIdea implements ideas.MergeStore.
func (s *Store) UnmergeIdea(ctx context.Context, member, duplicate int64) (ideas.Idea, error) {
	var idea ideas.Idea
	err := s.transact(ctx, "undo a merge", func(tx pgx.Tx) error {
		who, err := s.actor(ctx, tx, member)
		if err != nil {
			return err
		}
		seen, err := readIdea(ctx, tx, duplicate, who)
		if err != nil {
			return err
		}
		if seen.state != ideas.StateMerged {
			return &ideas.TransitionError{From: seen.state, To: seen.former}
		}
		root, err := rootOf(ctx, tx, seen.canonical)
		if err != nil {
			return err
		}
		from, _, err := lockPair(ctx, tx, duplicate, root, actor{id: who.id, roles: append(ideas.Roles{ideas.RoleLead}, who.roles...)})
		if err != nil {
			return err
		}
		if again, err := rootOf(ctx, tx, from.canonical); err != nil || from.state != ideas.StateMerged || again != root {
			return fmt.Errorf("the merge has changed meanwhile: %w", ideas.ErrUnavailable)
		}
		from.as = seen.as
		if err := s.moveIdea(ctx, tx, from, from.former, who, ideas.Reason{}); err != nil {
			return err
		}
		if from.former == ideas.StatePending {
			if err := s.openItem(ctx, tx, ideas.Contribution{Idea: duplicate}, ideas.CauseBefore); err != nil {
				return err
			}
		}
		if err := returnMerged(ctx, tx, duplicate, root); err != nil {
			return err
		}
		idea, err = anyIdea(ctx, tx, member, duplicate)
		return err
	})
	return idea, err
}

// rootOf the merged ideas: the one that stands for an idea, itself where it is not merged.
func rootOf(ctx context.Context, tx pgx.Tx, id int64) (int64, error) {
	var root int64
	err := tx.QueryRow(ctx, `WITH RECURSIVE up (id, canonical_id) AS (
			SELECT id, canonical_id FROM idea WHERE id = $1
			UNION SELECT i.id, i.canonical_id FROM up JOIN idea i ON i.id = up.canonical_id)
		SELECT id FROM up WHERE canonical_id IS NULL`, id).Scan(&root)
	if err != nil {
		return 0, fmt.Errorf("find the idea that stands for idea %d: %w", id, err)
	}
	return root, nil
}

// family is an idea ($1) with all that were merged into it.
const family = `WITH RECURSIVE family (id) AS (
	SELECT $1::bigint UNION SELECT i.id FROM family f JOIN idea i ON i.canonical_id = f.id) `

// returnMerged gives an idea back what is its own and that of the ideas merged into it, from the one that stood for it.
func returnMerged(ctx context.Context, tx pgx.Tx, duplicate, root int64) error {
	for _, step := range []struct{ what, sql string }{
		{"find what counts for it again", family + "UPDATE parked_support SET root_id = $1 WHERE root_id = $2 AND idea_id IN (SELECT id FROM family)"},
		{"take it from the other", `DELETE FROM support s WHERE s.idea_id = $2 AND NOT s.own AND $1::bigint IS NOT NULL
			AND NOT EXISTS (SELECT FROM parked_support p WHERE p.root_id = $2 AND p.member_id = s.member_id)`},
		{"date what stays with the other", `WITH late AS (DELETE FROM support s USING
				(SELECT member_id, min(created_at) AS at FROM parked_support WHERE root_id = $2 GROUP BY member_id) p
				WHERE s.idea_id = $2 AND NOT s.own AND s.member_id = p.member_id AND s.created_at <> p.at AND $1::bigint IS NOT NULL RETURNING s.member_id)
			SELECT count(*) FROM late`},
		{"count what stays with the other", deriveSupport},
		{"return its support", `INSERT INTO support (idea_id, member_id, created_at)
			SELECT idea_id, member_id, created_at FROM parked_support WHERE idea_id = $1 AND $2::bigint IS NOT NULL`},
		{"empty what was parked", "DELETE FROM parked_support WHERE idea_id = $1 AND $2::bigint IS NOT NULL"},
		{"count what was merged into it", `INSERT INTO support (idea_id, member_id, created_at, own)
			SELECT root_id, member_id, min(created_at), false FROM parked_support WHERE root_id = $1 AND $2::bigint IS NOT NULL GROUP BY root_id, member_id
			ON CONFLICT DO NOTHING`},
		{"return its comments, with their answers", family + `UPDATE comment c SET idea_id = $1, origin_id = CASE WHEN origin_id <> $1 THEN origin_id END
			WHERE c.idea_id = $2 AND (c.origin_id IN (SELECT id FROM family) OR c.thread_id IN
				(SELECT id FROM comment WHERE idea_id = $2 AND origin_id IN (SELECT id FROM family)))`},
		{"return what waits for a moderator", `UPDATE moderation_item m SET idea_id = $1 FROM comment c
			WHERE c.id = m.comment_id AND c.idea_id = $1 AND m.idea_id = $2 AND m.decided_at IS NULL`},
	} {
		if _, err := tx.Exec(ctx, step.sql, duplicate, root); err != nil {
			return fmt.Errorf("%s: %w", step.what, err)
		}
	}
	return nil
}

// MergedIdeas implements ideas.MergeStore.
func (s *Store) MergedIdeas(ctx context.Context, id int64) ([]ideas.Idea, error) {
	pool, err := s.db()
	if err != nil {
		return nil, err
	}
	rows, err := pool.Query(ctx, "SELECT "+ideaColumns+ideaTables+" WHERE i.canonical_id = $2 AND i.state = 'merged' ORDER BY i.id LIMIT $3",
		int64(0), id, maxMerged)
	if err != nil {
		return nil, s.failed("list merged ideas", err)
	}
	list, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (ideas.Idea, error) {
		idea, _, err := scanIdea(row)
		return idea, err
	})
	return list, s.wrapped("list merged ideas", err)
}
