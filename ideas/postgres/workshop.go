package postgres

import (
	"context"
	"errors"

	"github.com/jackc/pgx/v5"

	"github.com/quaeso/community-operator/ideas"
	"github.com/quaeso/community-operator/internal/control"
)

// lockSession makes those who register follow each other, with the capacity that is declared now. Places that were taken
// stay taken when a declaration lowers it.
func lockSession(ctx context.Context, tx pgx.Tx, c *ideas.Challenge, session control.Session) (free int, err error) {
	err = tx.QueryRow(ctx, `INSERT INTO workshop_session AS s (challenge_id, session, capacity) VALUES ($1, $2, $3)
		ON CONFLICT (challenge_id, session) DO UPDATE SET capacity = greatest(excluded.capacity, s.taken)
		RETURNING capacity - taken`, c.ID, session.Name, session.Capacity).Scan(&free)
	return free, err
}

// upcoming is a session that has not begun.
func (s *Store) upcoming(c *ideas.Challenge, name string) (ideas.Session, error) {
	session, ok := c.Session(name, s.zone())
	if !ok {
		return session, ideas.ErrNotFound
	}
	if !s.config.Clock().Before(session.Start) || s.open(c, ideas.ActionRespond, ideas.ActionApply) != nil {
		return session, ideas.ErrClosed
	}
	return session, nil
}

// Register implements ideas.WorkshopStore. The session's row is locked, and its check holds that no more places are taken
// than there are.
func (s *Store) Register(ctx context.Context, c *ideas.Challenge, name string, member int64) (ideas.RegistrationState, error) {
	session, err := s.upcoming(c, name)
	if err != nil {
		return "", err
	}
	var state ideas.RegistrationState
	err = s.transact(ctx, "register for a session", func(tx pgx.Tx) error {
		if err := s.admit(ctx, tx, c, member); err != nil {
			return err
		}
		if err := requireRole(ctx, tx, c, member); err != nil {
			return err
		}
		free, err := lockSession(ctx, tx, c, session.Session)
		if err != nil {
			return err
		}
		// Places of a raised capacity belong to those who wait.
		if free, err = s.moveUp(ctx, tx, c, name, free); err != nil {
			return err
		}
		wanted, kind := ideas.Registered, ideas.EventWorkshopRegistered
		if free <= 0 {
			wanted, kind = ideas.Waiting, ideas.EventWorkshopWaiting
		}
		err = tx.QueryRow(ctx, `INSERT INTO workshop_registration AS r (challenge_id, session, member_id, state, created_at) VALUES ($1, $2, $3, $4, $5)
			ON CONFLICT (challenge_id, session, member_id) DO UPDATE SET state = excluded.state, queued = nextval('workshop_queue')
			WHERE r.state = 'cancelled' RETURNING state`, c.ID, name, member, wanted, s.config.Clock()).Scan(&state)
		if errors.Is(err, pgx.ErrNoRows) {
			// Registering again changes nothing.
			return tx.QueryRow(ctx, "SELECT state FROM workshop_registration WHERE challenge_id = $1 AND session = $2 AND member_id = $3", c.ID, name, member).Scan(&state)
		}
		if err != nil {
			return err
		}
		return s.recordEvents(ctx, tx, ideas.Event{Kind: kind, Actor: member, Challenge: c.ID, Data: sessionData(c, name)})
	})
	return state, err
}

// sessionData names a session by its name and its title; one without is called like its challenge.
func sessionData(c *ideas.Challenge, name string) map[string]any {
	title := c.Spec.Title
	for _, session := range c.Spec.Workshop.Sessions {
		if session.Name == name && len(session.Title) > 0 {
			title = session.Title
		}
	}
	return map[string]any{"session": name, "title": title}
}

// moveUp gives free places to those who wait and returns how many are left. The session is locked.
func (s *Store) moveUp(ctx context.Context, tx pgx.Tx, c *ideas.Challenge, session string, free int) (left int, err error) {
	if free <= 0 {
		return free, nil
	}
	rows, err := tx.Query(ctx, `UPDATE workshop_registration SET state = 'registered' WHERE challenge_id = $1 AND session = $2 AND state = 'waiting'
		AND member_id IN (SELECT member_id FROM workshop_registration WHERE challenge_id = $1 AND session = $2 AND state = 'waiting' ORDER BY queued LIMIT $3)
		RETURNING member_id`, c.ID, session, free)
	if err != nil {
		return free, err
	}
	members, err := pgx.CollectRows(rows, pgx.RowTo[int64])
	if err != nil {
		return free, err
	}
	for _, member := range members {
		event := ideas.Event{Kind: ideas.EventWorkshopMovedUp, Subject: member, Challenge: c.ID, Data: sessionData(c, session)}
		if err := s.recordEvents(ctx, tx, event); err != nil {
			return free, err
		}
	}
	return free - len(members), nil
}

// Unregister implements ideas.WorkshopStore.
func (s *Store) Unregister(ctx context.Context, c *ideas.Challenge, name string, member int64) error {
	session, ok := c.Session(name, s.zone())
	if !ok {
		return ideas.ErrNotFound
	}
	if !s.config.Clock().Before(session.Start) {
		return ideas.ErrClosed
	}
	return s.transact(ctx, "give a place back", func(tx pgx.Tx) error {
		return s.freePlace(ctx, tx, c, session.Session, member)
	})
}

// freePlace gives a member's place to the first who waits.
func (s *Store) freePlace(ctx context.Context, tx pgx.Tx, c *ideas.Challenge, session control.Session, member int64) error {
	if _, err := lockSession(ctx, tx, c, session); err != nil {
		return err
	}
	tag, err := tx.Exec(ctx, `UPDATE workshop_registration SET state = 'cancelled' WHERE challenge_id = $1 AND session = $2 AND member_id = $3
		AND state <> 'cancelled'`, c.ID, session.Name, member)
	if err != nil || tag.RowsAffected() == 0 {
		return err
	}
	event := ideas.Event{Kind: ideas.EventWorkshopCancelled, Actor: member, Challenge: c.ID, Data: map[string]any{"session": session.Name}}
	if err := s.recordEvents(ctx, tx, event); err != nil {
		return err
	}
	free, err := lockSession(ctx, tx, c, session)
	if err != nil {
		return err
	}
	_, err = s.moveUp(ctx, tx, c, session.Name, free)
	return err
}

// SessionPlaces implements ideas.WorkshopStore.
func (s *Store) SessionPlaces(ctx context.Context, c *ideas.Challenge, member int64) (map[string]ideas.SessionPlaces, error) {
	if c.Spec.Workshop == nil {
		return nil, ideas.ErrNotFound
	}
	pool, err := s.db()
	if err != nil {
		return nil, err
	}
	all := map[string]ideas.SessionPlaces{}
	for _, session := range c.Spec.Workshop.Sessions {
		all[session.Name] = ideas.SessionPlaces{Capacity: session.Capacity}
	}
	rows, err := pool.Query(ctx, `SELECT s.session, s.taken, (SELECT count(*) FROM workshop_registration w WHERE w.challenge_id = s.challenge_id
			AND w.session = s.session AND w.state = 'waiting'), coalesce(r.state, ''),
			CASE WHEN r.state = 'waiting' THEN (SELECT count(*) FROM workshop_registration w WHERE w.challenge_id = s.challenge_id
				AND w.session = s.session AND w.state = 'waiting' AND w.queued <= r.queued) ELSE 0 END
		FROM workshop_session s LEFT JOIN workshop_registration r ON r.challenge_id = s.challenge_id AND r.session = s.session AND r.member_id = $2
		WHERE s.challenge_id = $1`, c.ID, member)
	if err != nil {
		return nil, s.failed("read the places of sessions", err)
	}
	var name string
	var one ideas.SessionPlaces
	_, err = pgx.ForEachRow(rows, []any{&name, &one.Taken, &one.Waiting, &one.Mine, &one.Place}, func() error {
		if declared, ok := all[name]; ok {
			one.Capacity = max(declared.Capacity, one.Taken)
			if one.Mine == ideas.Unregistered {
				one.Mine = ""
			}
			all[name] = one
		}
		return nil
	})
	if err != nil {
		return nil, s.failed("read the places of sessions", err)
	}
	return all, nil
}

// maxRegistrations bounds a list of registrations.
const maxRegistrations = 1000

// Registrations implements ideas.WorkshopStore.
func (s *Store) Registrations(ctx context.Context, challenge int64, session string) ([]ideas.Registration, error) {
	pool, err := s.db()
	if err != nil {
		return nil, err
	}
	rows, err := pool.Query(ctx, `SELECT m.id, m.name, r.state, CASE WHEN r.state = 'waiting' THEN row_number() OVER (PARTITION BY r.state ORDER BY r.queued) ELSE 0 END
		FROM workshop_registration r JOIN member m ON m.id = r.member_id
		WHERE r.challenge_id = $1 AND r.session = $2 AND r.state IN ('registered', 'waiting') ORDER BY r.state, r.queued LIMIT $3`, challenge, session, maxRegistrations)
	if err != nil {
		return nil, s.failed("list registrations", err)
	}
	list, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (ideas.Registration, error) {
		var r ideas.Registration
		err := row.Scan(&r.Member.ID, &r.Member.Name, &r.State, &r.Place)
		return r, err
	})
	if err != nil {
		return nil, s.failed("list registrations", err)
	}
	return list, nil
}

// AddOutcome implements ideas.WorkshopStore.
func (s *Store) AddOutcome(ctx context.Context, actor int64, c *ideas.Challenge, session, key, title, body string) (ideas.Idea, error) {
	content, err := ideas.Content{Title: title, Body: body, Theme: c.Spec.Theme, Challenge: c.ID}.Clean(false)
	if err := errors.Join(err, checkKey(key)); err != nil {
		return ideas.Idea{}, err
	}
	held, ok := c.Session(session, s.zone())
	if !ok {
		return ideas.Idea{}, ideas.ErrNotFound
	}
	if s.config.Clock().Before(held.Start) {
		return ideas.Idea{}, ideas.ErrClosed
	}
	var idea ideas.Idea
	err = s.transact(ctx, "keep a session's outcome", func(tx pgx.Tx) error {
		who, err := s.contributor(ctx, tx, actor)
		if err != nil {
			return err
		}
		if _, err := lockSession(ctx, tx, c, held.Session); err != nil {
			return err
		}
		id, isNew, err := s.insertIdea(ctx, tx, who, key, content)
		if err != nil {
			return err
		}
		if isNew {
			if err := s.publishOutcome(ctx, tx, who, c, session, id); err != nil {
				return err
			}
		}
		idea, err = anyIdea(ctx, tx, actor, id)
		return err
	})
	return idea, err
}

// publishOutcome makes an outcome's draft an idea like others, of all who took part.
func (s *Store) publishOutcome(ctx context.Context, tx pgx.Tx, who actor, c *ideas.Challenge, session string, id int64) error {
	if _, err := tx.Exec(ctx, "INSERT INTO workshop_outcome (idea_id, challenge_id, session) VALUES ($1, $2, $3)", id, c.ID, session); err != nil {
		return err
	}
	now := s.config.Clock()
	if _, err := tx.Exec(ctx, `INSERT INTO co_author (idea_id, member_id, state, invited_at, answered_at) SELECT $1, member_id, 'accepted', $4, $4
		FROM workshop_registration WHERE challenge_id = $2 AND session = $3 AND state = 'registered' AND member_id <> $5`, id, c.ID, session, now, who.id); err != nil {
		return err
	}
	r, err := lockIdea(ctx, tx, id, who)
	if err != nil {
		return err
	}
	to, cause := ideas.StateGathering, s.screen(ctx, who, c.ID, r.content.Title, r.content.Body)
	if cause != "" {
		to = ideas.StatePending
	}
	err = s.recordEvents(ctx, tx, ideas.Event{Kind: ideas.EventIdeaSubmitted, Actor: who.id, Idea: id, Challenge: c.ID},
		ideas.Event{Kind: ideas.EventWorkshopOutcome, Actor: who.id, Idea: id, Challenge: c.ID, Data: map[string]any{"session": session}})
	if err != nil {
		return err
	}
	if err := s.moveIdea(ctx, tx, r, to, who, ideas.Reason{}); err != nil || cause == "" {
		return err
	}
	return s.openItem(ctx, tx, ideas.Contribution{Idea: id}, cause)
}

// Outcomes implements ideas.WorkshopStore.
func (s *Store) Outcomes(ctx context.Context, viewer, challenge int64, session string) ([]ideas.Idea, error) {
	pool, err := s.db()
	if err != nil {
		return nil, err
	}
	rows, err := pool.Query(ctx, "SELECT "+ideaColumns+ideaTables+` JOIN workshop_outcome o ON o.idea_id = i.id
		WHERE t.visible AND o.challenge_id = $2 AND o.session = $3 ORDER BY i.id LIMIT $4`, viewer, challenge, session, ideas.MaxPage)
	if err != nil {
		return nil, s.failed("list outcomes", err)
	}
	list, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (ideas.Idea, error) {
		idea, _, err := scanIdea(row)
		return idea, err
	})
	if err != nil {
		return nil, s.failed("list outcomes", err)
	}
	return list, nil
}
