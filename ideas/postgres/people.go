package postgres

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/quaeso/community-operator/ideas"
)

const maxNamed = 10

// MembersNamed implements ideas.CoAuthorStore.
func (s *Store) MembersNamed(ctx context.Context, name string) ([]ideas.Author, error) {
	name, err := ideas.CleanName(name)
	if err != nil {
		return nil, err
	}
	pool, err := s.db()
	if err != nil {
		return nil, err
	}
	rows, err := pool.Query(ctx, "SELECT id, name FROM member WHERE fold(name) = fold($1) AND erased_at IS NULL ORDER BY id LIMIT $2", name, maxNamed)
	if err != nil {
		return nil, s.failed("find members by name", err)
	}
	list, err := pgx.CollectRows(rows, pgx.RowToStructByPos[ideas.Author])
	return list, s.wrapped("find members by name", err)
}

// withAuthorship runs a change of who wrote an idea, by its author.
func (s *Store) withAuthorship(ctx context.Context, attempt string, author, id int64, change func(tx pgx.Tx, r ideaRow) error) error {
	_, err := s.withIdea(ctx, attempt, author, id, func(tx pgx.Tx, _ actor, r ideaRow) error {
		if r.author != author {
			return ideas.ErrForbidden
		}
		return change(tx, r)
	})
	return err
}

// InviteCoAuthor implements ideas.CoAuthorStore.
func (s *Store) InviteCoAuthor(ctx context.Context, author, id, invited int64) error {
	return s.withAuthorship(ctx, "invite a co-author", author, id, func(tx pgx.Tx, r ideaRow) error {
		if err := s.requireContributor(ctx, tx, author); err != nil {
			return err
		}
		if !r.state.Editable() {
			return ideas.ErrForbidden
		}
		if invited == author {
			return &ideas.FieldError{Field: "name", Code: "own"}
		}
		if err := roomForAuthors(ctx, tx, id); err != nil {
			return err
		}
		return s.inviteAuthor(ctx, tx, r, invited, false)
	})
}

// namedAuthors are the co-authors whom the author may know of: not those whose address alone was given, and who have not accepted.
const namedAuthors = "(c.state = 'accepted' OR NOT c.by_address)"

func roomForAuthors(ctx context.Context, tx pgx.Tx, idea int64) error {
	var n int
	if err := tx.QueryRow(ctx, "SELECT count(*) FROM co_author c WHERE c.idea_id = $1 AND "+namedAuthors, idea).Scan(&n); err != nil {
		return fmt.Errorf("count co-authors: %w", err)
	}
	if n >= ideas.MaxCoAuthors {
		return &ideas.FieldError{Field: "name", Code: "too_many", Limit: ideas.MaxCoAuthors}
	}
	return nil
}

// inviteAuthor invites somebody once; who has declined is not asked again.
func (s *Store) inviteAuthor(ctx context.Context, tx pgx.Tx, r ideaRow, invited int64, byAddress bool) error {
	tag, err := tx.Exec(ctx, `INSERT INTO co_author (idea_id, member_id, invited_at, by_address)
		SELECT $1, id, $3, $4 FROM member WHERE id = $2 AND erased_at IS NULL ON CONFLICT DO NOTHING`, r.id, invited, s.config.Clock(), byAddress)
	if err != nil {
		return fmt.Errorf("invite: %w", err)
	}
	if tag.RowsAffected() == 0 {
		var known bool
		if err := tx.QueryRow(ctx, "SELECT EXISTS (SELECT FROM co_author WHERE idea_id = $1 AND member_id = $2)", r.id, invited).Scan(&known); err != nil {
			return fmt.Errorf("look who is invited: %w", err)
		}
		switch {
		case byAddress:
			return nil
		case !known:
			return &ideas.FieldError{Field: "name", Code: "nobody"}
		}
		// Who was invited by address before is named like anybody else now.
		_, err := tx.Exec(ctx, "UPDATE co_author SET by_address = false WHERE idea_id = $1 AND member_id = $2 AND by_address", r.id, invited)
		return err
	}
	return s.recordEvents(ctx, tx, ideas.Event{
		Kind: ideas.EventCoAuthorInvited, Actor: r.author, Subject: invited, Idea: r.id, Challenge: r.challenge,
	})
}

// invitationsByAddress bounds how many addresses somebody tries.
var invitationsByAddress = allowance{kind: "co-authors by address", interval: 5 * time.Minute, burst: 10}

// InviteByAddress implements ideas.CoAuthorStore.
func (s *Store) InviteByAddress(ctx context.Context, author, id int64, address string) error {
	address, err := ideas.CleanEmail(address)
	if err != nil {
		return &ideas.FieldError{Field: "name", Code: "invalid"}
	}
	allowed := false
	err = s.withAuthorship(ctx, "invite a co-author by address", author, id, func(tx pgx.Tx, r ideaRow) error {
		if err := s.requireContributor(ctx, tx, author); err != nil {
			return err
		}
		if !r.state.Editable() {
			return ideas.ErrForbidden
		}
		if allowed, err = allow(ctx, tx, invitationsByAddress, strconv.FormatInt(author, 10)); err != nil || !allowed {
			return err
		}
		if err := roomForAuthors(ctx, tx, id); err != nil {
			return err
		}
		var invited int64
		err := tx.QueryRow(ctx, "SELECT id FROM member WHERE lower(email) = lower($1)", address).Scan(&invited)
		if errors.Is(err, pgx.ErrNoRows) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("look whose address it is: %w", err)
		}
		if invited == author {
			return &ideas.FieldError{Field: "name", Code: "own"}
		}
		return s.inviteAuthor(ctx, tx, r, invited, true)
	})
	if err == nil && !allowed {
		return ideas.ErrTooMany
	}
	return err
}

// AnswerInvitation implements ideas.CoAuthorStore.
func (s *Store) AnswerInvitation(ctx context.Context, member, id int64, accept bool) error {
	return s.transact(ctx, "answer an invitation", func(tx pgx.Tx) error {
		state, former := ideas.CoAuthorDeclined, []string{string(ideas.CoAuthorInvited), string(ideas.CoAuthorAccepted)}
		if accept {
			if err := s.requireContributor(ctx, tx, member); err != nil {
				return err
			}
			state, former = ideas.CoAuthorAccepted, former[:1]
		}
		var author int64
		err := tx.QueryRow(ctx, `UPDATE co_author c SET state = $3, answered_at = $4 FROM idea i
			WHERE c.idea_id = $1 AND c.member_id = $2 AND c.state = ANY ($5) AND i.id = c.idea_id AND i.state <> 'erased' RETURNING i.author_id`,
			id, member, state, s.config.Clock(), former).Scan(&author)
		if err != nil {
			return err
		}
		if !accept {
			return nil
		}
		return s.recordEvents(ctx, tx, ideas.Event{Kind: ideas.EventCoAuthorJoined, Actor: member, Subject: author, Idea: id})
	})
}

// RemoveCoAuthor implements ideas.CoAuthorStore.
func (s *Store) RemoveCoAuthor(ctx context.Context, author, id, removed int64) error {
	return s.withAuthorship(ctx, "remove a co-author", author, id, func(tx pgx.Tx, _ ideaRow) error {
		_, err := tx.Exec(ctx, "DELETE FROM co_author WHERE idea_id = $1 AND member_id = $2 AND state <> 'declined'", id, removed)
		return err
	})
}

// coAuthorsQuery lists who wrote an idea along, and who wrote those merged into it, and into these.
const coAuthorsQuery = family + `SELECT m.id, m.name, c.state FROM co_author c JOIN member m ON m.id = c.member_id
		WHERE c.idea_id = $1 AND c.state = ANY ($2) AND ` + namedAuthors + `
	UNION ALL
	SELECT id, name, 'merged' FROM (SELECT DISTINCT m.id, m.name FROM family f JOIN idea i ON i.id = f.id
		LEFT JOIN co_author c ON c.idea_id = i.id AND c.state = 'accepted' JOIN member m ON m.id IN (i.author_id, c.member_id)
		WHERE f.id <> $1 AND m.id <> $3 AND NOT EXISTS (SELECT FROM co_author o WHERE o.idea_id = $1 AND o.member_id = m.id AND o.state = 'accepted')
		ORDER BY m.id LIMIT $4) merged`

func scanCoAuthor(row pgx.Row) (ideas.CoAuthor, error) {
	var c ideas.CoAuthor
	err := row.Scan(&c.Member.ID, &c.Member.Name, &c.State)
	return c, err
}

// coAuthorStates are those that who asked may know of.
func coAuthorStates(r ideaRow) []string {
	states := []string{string(ideas.CoAuthorAccepted)}
	if len(r.as) > 0 && r.as[0] == ideas.AsAuthor {
		states = append(states, string(ideas.CoAuthorInvited), string(ideas.CoAuthorDeclined))
	}
	return states
}

// CoAuthors implements ideas.CoAuthorStore.
func (s *Store) CoAuthors(ctx context.Context, viewer, id int64) ([]ideas.CoAuthor, error) {
	r, err := s.seenIdea(ctx, viewer, id)
	if err != nil {
		return nil, s.failed("list co-authors", err)
	}
	pool, err := s.db()
	if err != nil {
		return nil, err
	}
	rows, err := pool.Query(ctx, coAuthorsQuery, id, coAuthorStates(r), r.author, maxMerged)
	if err != nil {
		return nil, s.failed("list co-authors", err)
	}
	list, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (ideas.CoAuthor, error) { return scanCoAuthor(row) })
	return list, s.wrapped("list co-authors", err)
}
