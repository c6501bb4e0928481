package postgres

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/quaeso/community-operator/ideas"
	"github.com/quaeso/community-operator/internal/control"
)

// Bounds of what is read of an idea's life at once.
const (
	maxOwnIdeas  = 100
	maxRevisions = 100
	shownChanges = 20
)

// actor is who asks, as the database and the house rules know them.
type actor struct {
	id    int64
	level int
	roles ideas.Roles
	// kept are the challenges whose ideas are kept from them, unless they are the author.
	kept map[int64]bool
}

// actor is the zero value for nobody. A member that does not exist is not found.
func (s *Store) actor(ctx context.Context, q querier, member int64) (actor, error) {
	if member == 0 {
		kept, err := s.keptFrom(ctx, q, actor{})
		return actor{kept: kept}, err
	}
	a := actor{id: member}
	var email string
	if err := q.QueryRow(ctx, "SELECT coalesce(email, ''), level FROM member WHERE id = $1", member).Scan(&email, &a.level); err != nil {
		return a, fmt.Errorf("look up member %d: %w", member, err)
	}
	settings, _ := s.Current(ctx)
	a.roles = settings.RolesOf(email)
	var err error
	a.kept, err = s.keptFrom(ctx, q, a)
	return a, err
}

// contributor is actor for what only those do who may contribute now.
func (s *Store) contributor(ctx context.Context, tx pgx.Tx, member int64) (actor, error) {
	if err := s.requireContributor(ctx, tx, member); err != nil {
		return actor{}, err
	}
	return s.actor(ctx, tx, member)
}

// house are the house rules in force, with their defaults.
func (s *Store) house(ctx context.Context) control.House {
	if settings, _ := s.Current(ctx); settings.House != nil {
		return *settings.House
	}
	return control.House{}
}

// screen tells why a contribution to a challenge (0 for none) waits for a moderator; empty where it does not.
func (s *Store) screen(ctx context.Context, who actor, challenge int64, texts ...string) string {
	when := ""
	if c := s.Programme(ctx).ChallengeByID(challenge); c != nil {
		when = c.Spec.Moderation
	}
	return ideas.Screen(s.house(ctx).Moderation, when, who.level, who.roles, texts...)
}

// ideaRow is what decides what may be done with an idea.
type ideaRow struct {
	id, author, challenge, canonical int64
	state, former                    ideas.State
	content                          ideas.Content
	revision                         int
	created                          time.Time
	published                        bool
	// into is the idea that a merge leads to.
	into int64
	// as is what who asked may act as; invited tells of an invitation not answered.
	as      []ideas.Capacity
	invited bool
}

func (r ideaRow) mayBeSeenBy(who actor) bool {
	if r.state == ideas.StateErased {
		return false
	}
	isAuthor := len(r.as) > 0 && r.as[0] == ideas.AsAuthor
	if who.kept[r.challenge] && !isAuthor && !r.invited {
		return false
	}
	return r.state.Published() || r.state == ideas.StateMerged || isAuthor || r.invited ||
		r.state != ideas.StateDraft && who.roles.May(ideas.MayModerate)
}

const ideaRowQuery = `SELECT i.id, i.author_id, coalesce(i.challenge_id, 0), coalesce(i.canonical_id, 0), i.state, coalesce(i.former_state, ''),
	i.title, i.body, i.theme, i.tags, i.revision, i.created_at, i.published_at IS NOT NULL, coalesce(c.state, '')
	FROM idea i LEFT JOIN co_author c ON c.idea_id = i.id AND c.member_id = $2 WHERE i.id = $1`

// readIdea reads an idea that who asks may see.
func readIdea(ctx context.Context, q querier, id int64, who actor) (ideaRow, error) {
	return scanIdeaRow(q.QueryRow(ctx, ideaRowQuery, id, who.id), who)
}

// lockIdea is readIdea, and keeps everybody else from changing and supporting the idea until the transaction ends.
func lockIdea(ctx context.Context, tx pgx.Tx, id int64, who actor) (ideaRow, error) {
	return scanIdeaRow(tx.QueryRow(ctx, ideaRowQuery+" FOR UPDATE OF i", id, who.id), who)
}

func scanIdeaRow(row pgx.Row, who actor) (ideaRow, error) {
	var r ideaRow
	var invitation ideas.CoAuthorState
	err := row.Scan(&r.id, &r.author, &r.challenge, &r.canonical, &r.state, &r.former, &r.content.Title, &r.content.Body,
		&r.content.Theme, &r.content.Tags, &r.revision, &r.created, &r.published, &invitation)
	if err != nil {
		return r, fmt.Errorf("look up an idea: %w", err)
	}
	r.content.Challenge = r.challenge
	r.as = ideas.CapacitiesOf(who.roles, who.id != 0 && (who.id == r.author || invitation == ideas.CoAuthorAccepted))
	r.invited = invitation == ideas.CoAuthorInvited
	if !r.mayBeSeenBy(who) {
		return r, ideas.ErrNotFound
	}
	return r, nil
}

// withIdea runs a change of an idea that a member may see, and returns the idea as it is afterwards.
func (s *Store) withIdea(ctx context.Context, attempt string, member, id int64, change func(tx pgx.Tx, who actor, r ideaRow) error) (ideas.Idea, error) {
	var idea ideas.Idea
	err := s.transact(ctx, attempt, func(tx pgx.Tx) error {
		who, err := s.actor(ctx, tx, member)
		if err != nil {
			return err
		}
		if who.id == 0 {
			return ideas.ErrForbidden
		}
		r, err := lockIdea(ctx, tx, id, who)
		if err != nil {
			return err
		}
		if err := change(tx, who, r); err != nil {
			return err
		}
		idea, err = anyIdea(ctx, tx, member, id)
		return err
	})
	return idea, err
}

// anyIdea reads an idea in whatever state.
func anyIdea(ctx context.Context, q querier, viewer, id int64) (ideas.Idea, error) {
	idea, _, err := scanIdea(q.QueryRow(ctx, "SELECT "+ideaColumns+ideaTables+" WHERE t.idea_id = $2", viewer, id))
	if err != nil {
		return idea, fmt.Errorf("read an idea: %w", err)
	}
	return idea, nil
}

// CreateIdea implements ideas.IdeaLifeStore.
func (s *Store) CreateIdea(ctx context.Context, author int64, key string, c ideas.Content, submit bool) (ideas.Idea, error) {
	c, err := c.Clean(!submit)
	settings, _ := s.Current(ctx)
	if err := errors.Join(err, checkKey(key), settings.CheckTheme(c.Theme, "")); err != nil {
		return ideas.Idea{}, err
	}
	var idea ideas.Idea
	err = s.transact(ctx, "create an idea", func(tx pgx.Tx) error {
		who, err := s.contributor(ctx, tx, author)
		if err != nil {
			return err
		}
		id, isNew, err := s.insertIdea(ctx, tx, who, key, c)
		if err != nil {
			return err
		}
		if isNew && submit {
			r, err := lockIdea(ctx, tx, id, who)
			if err != nil {
				return err
			}
			if err := s.submit(ctx, tx, who, r); err != nil {
				return err
			}
		}
		idea, err = anyIdea(ctx, tx, author, id)
		return err
	})
	return idea, err
}

// insertIdea inserts a draft, or finds what an earlier request with the same key has inserted.
func (s *Store) insertIdea(ctx context.Context, tx pgx.Tx, who actor, key string, c ideas.Content) (id int64, isNew bool, err error) {
	var drafts int
	err = tx.QueryRow(ctx, `SELECT count(*) FROM (SELECT FROM idea WHERE author_id = $1 AND state = 'draft' LIMIT $2) d`,
		who.id, ideas.MaxDrafts).Scan(&drafts)
	if err != nil {
		return 0, false, fmt.Errorf("count drafts: %w", err)
	}
	if drafts >= ideas.MaxDrafts {
		return 0, false, &ideas.FieldError{Field: "draft", Code: "too_many", Limit: ideas.MaxDrafts}
	}
	now := s.config.Clock()
	err = tx.QueryRow(ctx, `INSERT INTO idea (author_id, submission_key, slug, title, body, state, theme, tags, challenge_id, created_at, updated_at, state_at)
		VALUES ($1, $2, $3, $4, $5, 'draft', $6, $7, nullif($8, 0), $9, $9, $9) ON CONFLICT (author_id, submission_key) DO NOTHING RETURNING id`,
		who.id, nullable(key), ideas.Slug(c.Title), c.Title, c.Body, c.Theme, c.Tags, c.Challenge, now).Scan(&id)
	if errors.Is(err, pgx.ErrNoRows) {
		err = tx.QueryRow(ctx, "SELECT id FROM idea WHERE author_id = $1 AND submission_key = $2", who.id, key).Scan(&id)
		return id, false, err
	}
	return id, true, err
}

// submit moves an idea to publication, or to the moderators.
func (s *Store) submit(ctx context.Context, tx pgx.Tx, who actor, r ideaRow) error {
	to, cause := ideas.StateGathering, s.screen(ctx, who, r.challenge, r.content.Title, r.content.Body)
	if r.state == ideas.StateChangesRequested && cause == "" && !who.roles.May(ideas.MayModerate) {
		cause = ideas.CauseBefore // who asked for changes sees whether they were made
	}
	if cause != "" {
		to = ideas.StatePending
	}
	if _, err := r.content.Clean(false); err != nil {
		return err // a draft that is not complete
	}
	if err := s.maySubmit(ctx, tx, r); err != nil {
		return err
	}
	if r.state == ideas.StateDraft {
		e := ideas.Event{Kind: ideas.EventIdeaSubmitted, Actor: who.id, Idea: r.id, Challenge: r.challenge}
		if err := s.recordEvents(ctx, tx, e); err != nil {
			return err
		}
	}
	if err := s.moveIdea(ctx, tx, r, to, who, ideas.Reason{}); err != nil {
		return err
	}
	if cause == "" {
		return nil
	}
	return s.openItem(ctx, tx, ideas.Contribution{Idea: r.id}, cause)
}

// ResubmitIdea implements ideas.IdeaLifeStore.
func (s *Store) ResubmitIdea(ctx context.Context, member, id int64) (ideas.Idea, error) {
	return s.withIdea(ctx, "submit an idea", member, id, func(tx pgx.Tx, who actor, r ideaRow) error {
		if err := s.requireContributor(ctx, tx, member); err != nil {
			return err
		}
		switch r.state {
		case ideas.StateDraft, ideas.StateChangesRequested:
		case ideas.StateExpired:
			if err := s.beginAgain(ctx, tx, r); err != nil {
				return err
			}
		default:
			return &ideas.TransitionError{From: r.state, To: ideas.StateGathering}
		}
		return s.submit(ctx, tx, who, r)
	})
}

// beginAgain takes an expired idea's supporters: it has its chance anew, as everybody had it.
func (s *Store) beginAgain(ctx context.Context, tx pgx.Tx, r ideaRow) error {
	if _, err := ideas.CheckTransition(r.state, ideas.StateGathering, r.as, ideas.Reason{}); err != nil {
		return err
	}
	now := s.config.Clock()
	for _, change := range []string{
		"DELETE FROM support WHERE idea_id = $1", "DELETE FROM parked_support WHERE root_id = $1", "DELETE FROM answer_due WHERE idea_id = $1",
	} {
		if _, err := tx.Exec(ctx, change, r.id); err != nil {
			return fmt.Errorf("reset an expired idea: %w", err)
		}
	}
	if _, err := tx.Exec(ctx, "UPDATE idea SET created_at = $2, updated_at = $2, published_at = $2 WHERE id = $1", r.id, now); err != nil {
		return fmt.Errorf("date an expired idea anew: %w", err)
	}
	if _, err := tx.Exec(ctx, "UPDATE tally SET trend = trend_of($2) WHERE idea_id = $1", r.id, now); err != nil {
		return fmt.Errorf("rank an expired idea anew: %w", err)
	}
	return nil
}

// DeleteDraft implements ideas.IdeaLifeStore.
func (s *Store) DeleteDraft(ctx context.Context, member, id int64) error {
	return s.transact(ctx, "delete a draft", func(tx pgx.Tx) error {
		tag, err := tx.Exec(ctx, "DELETE FROM idea WHERE id = $1 AND author_id = $2 AND state = 'draft'", id, member)
		if err == nil && tag.RowsAffected() == 0 {
			return ideas.ErrNotFound
		}
		return err
	})
}

// EditIdea implements ideas.IdeaLifeStore.
func (s *Store) EditIdea(ctx context.Context, member, id int64, c ideas.Content) (ideas.Idea, error) {
	return s.ReviseIdea(ctx, member, id, func(ideas.Content) (ideas.Content, error) { return c, nil })
}

// ReviseIdea implements ideas.IdeaLifeStore.
func (s *Store) ReviseIdea(ctx context.Context, member, id int64, revise func(ideas.Content) (ideas.Content, error)) (ideas.Idea, error) {
	return s.withIdea(ctx, "edit an idea", member, id, func(tx pgx.Tx, who actor, r ideaRow) error {
		if len(r.as) == 0 || r.as[0] != ideas.AsAuthor || !r.state.Editable() {
			return fmt.Errorf("edit an idea that is %s: %w", r.state, ideas.ErrForbidden)
		}
		if err := s.requireContributor(ctx, tx, member); err != nil {
			return err
		}
		if r.state == ideas.StateGathering {
			if err := s.mayInChallenge(ctx, r.challenge, ideas.ActionEdit); err != nil {
				return err
			}
		}
		c, err := revise(r.content)
		if err != nil {
			return err
		}
		c, err = c.Clean(r.state == ideas.StateDraft)
		settings, _ := s.Current(ctx)
		if err := errors.Join(err, settings.CheckTheme(c.Theme, r.content.Theme)); err != nil {
			return err
		}
		return s.edit(ctx, tx, who, r, c)
	})
}

func (s *Store) edit(ctx context.Context, tx pgx.Tx, who actor, r ideaRow, c ideas.Content) error {
	now := s.config.Clock()
	rewritten := c.Title != r.content.Title || c.Body != r.content.Body
	if rewritten && r.state != ideas.StateDraft {
		if err := keepRevision(ctx, tx, who, r, c, now); err != nil {
			return err
		}
	}
	// An address stays as long as nobody has seen another: slugs follow titles.
	_, err := tx.Exec(ctx, `UPDATE idea SET title = $2, body = $3, slug = $4, theme = $5, tags = $6,
			updated_at = CASE WHEN $7 THEN $8 ELSE updated_at END, revision = revision + CASE WHEN $7 AND state <> 'draft' THEN 1 ELSE 0 END
		WHERE id = $1`, r.id, c.Title, c.Body, ideas.Slug(c.Title), c.Theme, c.Tags, rewritten, now)
	if err != nil {
		return fmt.Errorf("write the new text: %w", err)
	}
	if !rewritten || !r.state.Published() {
		return nil
	}
	e := ideas.Event{Kind: ideas.EventIdeaEdited, Actor: who.id, Idea: r.id, Challenge: r.challenge}
	if err := s.recordEvents(ctx, tx, e); err != nil {
		return err
	}
	cause := s.screen(ctx, who, r.challenge, c.Title, c.Body)
	if cause == "" {
		return nil
	}
	if err := s.moveIdea(ctx, tx, r, ideas.StatePending, who, ideas.Reason{}); err != nil {
		return err
	}
	return s.openItem(ctx, tx, ideas.Contribution{Idea: r.id}, cause)
}

// keepRevision keeps the new version, and before the first edit the one that was there.
func keepRevision(ctx context.Context, tx pgx.Tx, who actor, r ideaRow, c ideas.Content, now time.Time) error {
	if r.revision == 1 {
		_, err := tx.Exec(ctx, "INSERT INTO idea_revision (idea_id, number, at, author_id, title, body) VALUES ($1, 1, $2, $3, $4, $5)",
			r.id, r.created, r.author, r.content.Title, r.content.Body)
		if err != nil {
			return fmt.Errorf("keep the first version: %w", err)
		}
	}
	_, err := tx.Exec(ctx, "INSERT INTO idea_revision (idea_id, number, at, author_id, title, body) VALUES ($1, $2, $3, $4, $5, $6)",
		r.id, r.revision+1, now, who.id, c.Title, c.Body)
	if err != nil {
		return fmt.Errorf("keep a version: %w", err)
	}
	return nil
}

// MoveIdea implements ideas.IdeaLifeStore.
func (s *Store) MoveIdea(ctx context.Context, member, id int64, to ideas.State, reason ideas.Reason) (ideas.Idea, error) {
	reason, err := reason.Clean()
	if err != nil {
		return ideas.Idea{}, err
	}
	return s.withIdea(ctx, "move an idea to "+string(to), member, id, func(tx pgx.Tx, who actor, r ideaRow) error {
		hasOwnWay := to == ideas.StateMerged || r.state == ideas.StateMerged || r.state == ideas.StateHidden ||
			to == ideas.StatePending && r.state != ideas.StateRejected || r.state == ideas.StateDraft || r.state == ideas.StateExpired && to == ideas.StateGathering
		if hasOwnWay {
			return &ideas.TransitionError{From: r.state, To: to}
		}
		if err := s.moveIdea(ctx, tx, r, to, who, reason); err != nil {
			return err
		}
		if to == ideas.StatePending {
			return s.openItem(ctx, tx, ideas.Contribution{Idea: r.id}, ideas.CauseBefore)
		}
		return nil
	})
}

// RestoreIdea implements ideas.IdeaLifeStore.
func (s *Store) RestoreIdea(ctx context.Context, member, id int64) (ideas.Idea, error) {
	return s.withIdea(ctx, "restore an idea", member, id, func(tx pgx.Tx, who actor, r ideaRow) error {
		if r.state != ideas.StateHidden {
			return &ideas.TransitionError{From: r.state, To: r.former}
		}
		return s.moveIdea(ctx, tx, r, r.former, who, ideas.Reason{})
	})
}

// moveAsService takes a step that follows from a clock, a threshold, a ballot or a jury, in the transaction that
// found it out.
func (s *Store) moveAsService(ctx context.Context, tx pgx.Tx, id int64, to ideas.State, reason ideas.Reason) error {
	r, err := scanIdeaRow(tx.QueryRow(ctx, ideaRowQuery+" FOR UPDATE OF i", id, int64(0)), actor{roles: ideas.Roles{ideas.RoleLead}})
	if err != nil {
		return err
	}
	r.as = []ideas.Capacity{ideas.AsService}
	return s.moveIdea(ctx, tx, r, to, actor{}, reason)
}
