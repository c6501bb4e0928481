package postgres

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/quaeso/community-operator/ideas"
	"github.com/quaeso/community-operator/internal/control"
)

// StoreArchive stores an archive beside what is there. What it holds of an earlier time is left as it is, so storing it twice
// adds nothing. It returns the number of new ideas. What happened counts for points and badges as it does for everybody,
// but nobody is told of it.
func (s *Store) StoreArchive(ctx context.Context, a ideas.Archive) (added int, err error) {
	err = s.transact(ctx, "store an archive", func(tx pgx.Tx) error {
		w := archiver{store: s, tx: tx, members: make([]int64, len(a.Members))}
		for i, m := range a.Members {
			if w.members[i], err = w.member(ctx, m); err != nil {
				return fmt.Errorf("store member %d: %w", i, err)
			}
		}
		for _, idea := range a.Ideas {
			isNew, err := w.idea(ctx, idea)
			if err != nil {
				return fmt.Errorf("store idea %s: %w", idea.Key, err)
			}
			if isNew {
				added++
			}
		}
		if err := w.methods(ctx, a); err != nil {
			return err
		}
		return w.tell(ctx)
	})
	if err != nil {
		return 0, err
	}
	return added, nil
}

// archiver stores one archive in one transaction.
type archiver struct {
	store   *Store
	tx      pgx.Tx
	members []int64
	// events are what happened, in no order.
	events []ideas.Event
}

func (w *archiver) member(ctx context.Context, m ideas.ArchivedMember) (int64, error) {
	email, err := ideas.CleanEmail(m.Email)
	if err != nil {
		return 0, err
	}
	id, err := memberOfEmail(ctx, w.tx, email, m.Name, m.Locale)
	if err != nil {
		return 0, err
	}
	if _, err = w.tx.Exec(ctx, "UPDATE member SET created_at = $2 WHERE id = $1 AND created_at > $2", id, m.CreatedAt); err != nil {
		return 0, err
	}
	settings, _ := w.store.Current(ctx)
	if settings.House == nil {
		return id, nil
	}
	// They have joined as everybody does.
	for _, terms := range settings.TermsNamed(control.TermsOfCommunity) {
		if err := w.store.acceptOne(ctx, w.tx, id, m.Locale, terms); err != nil {
			return 0, err
		}
	}
	if _, err := w.tx.Exec(ctx, "UPDATE member SET joined_under = $2 WHERE id = $1", id, settings.Requirements().Digest); err != nil {
		return 0, err
	}
	for _, declared := range settings.House.Attributes {
		values := m.Attributes[declared.Name]
		if len(values) == 0 {
			continue
		}
		text := declared.Consent[m.Locale]
		var consent int64
		rows, err := w.tx.Query(ctx, `INSERT INTO consent (member_id, attribute, locale, text, text_hash, given_at) VALUES ($1, $2, $3, $4, $5, $6)
			ON CONFLICT (member_id, attribute) WHERE withdrawn_at IS NULL DO NOTHING RETURNING id`,
			id, declared.Name, m.Locale, text, ideas.TextHash(text), m.CreatedAt)
		if err != nil {
			return 0, err
		}
		given, err := pgx.CollectRows(rows, pgx.RowTo[int64])
		if err != nil {
			return 0, err
		}
		if len(given) == 0 {
			continue // stored before
		}
		consent = given[0]
		if _, err := w.tx.Exec(ctx, "INSERT INTO attribute (member_id, name, value, consent_id) SELECT $1, $2, v, $4 FROM unnest($3::text[]) AS v",
			id, declared.Name, values, consent); err != nil {
			return 0, err
		}
	}
	return id, nil
}

// challenge is the number of a declared challenge; 0 where none is declared by the name.
func (w *archiver) challenge(ctx context.Context, name string) *ideas.Challenge {
	if name == "" {
		return nil
	}
	programme := w.store.Programme(ctx)
	for i := range programme.Challenges {
		if c := programme.Challenges[i]; c.Name == name {
			return c
		}
	}
	return nil
}

func (w *archiver) idea(ctx context.Context, idea ideas.ArchivedIdea) (isNew bool, err error) {
	title, err := ideas.CleanTitle(idea.Title)
	if err != nil {
		return false, err
	}
	body, err := ideas.CleanBody(idea.Body)
	if err != nil {
		return false, err
	}
	var challenge int64
	if c := w.challenge(ctx, idea.Challenge); c != nil {
		challenge = c.ID
	}
	state, reason := ideas.StateGathering, ""
	last := idea.CreatedAt
	for _, step := range idea.Steps {
		state, reason, last = step.To, step.Reason, step.At
	}
	author := w.members[idea.Author]
	tags := idea.Tags
	if tags == nil {
		tags = []string{}
	}
	tag, err := w.tx.Exec(ctx, `INSERT INTO idea (author_id, submission_key, slug, title, body, state, created_at, updated_at, published_at, state_at,
			challenge_id, theme, tags, reason)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $7, $7, $8, nullif($9, 0), $10, $11, $12) ON CONFLICT (author_id, submission_key) DO NOTHING`,
		author, idea.Key, ideas.Slug(title), title, body, state, idea.CreatedAt, last, challenge, idea.Theme, tags, reason)
	if err != nil || tag.RowsAffected() == 0 {
		return false, err
	}
	var id int64
	if err := w.tx.QueryRow(ctx, "SELECT id FROM idea WHERE author_id = $1 AND submission_key = $2", author, idea.Key).Scan(&id); err != nil {
		return false, err
	}
	w.happened(ideas.Event{Kind: ideas.EventIdeaPublished, At: idea.CreatedAt, Actor: author, Idea: id, Challenge: challenge})
	for _, part := range []func(context.Context, int64, int64, ideas.ArchivedIdea) error{w.coAuthors, w.supports, w.votes, w.comments, w.steps, w.answers} {
		if err := part(ctx, id, challenge, idea); err != nil {
			return false, err
		}
	}
	return true, nil
}

func (w *archiver) happened(e ideas.Event) { w.events = append(w.events, e) }

func (w *archiver) coAuthors(ctx context.Context, id, _ int64, idea ideas.ArchivedIdea) error {
	for _, m := range idea.CoAuthors {
		if _, err := w.tx.Exec(ctx, `INSERT INTO co_author (idea_id, member_id, state, invited_at, answered_at) VALUES ($1, $2, 'accepted', $3, $3)`,
			id, w.members[m], idea.CreatedAt); err != nil {
			return err
		}
	}
	return nil
}

func (w *archiver) supports(ctx context.Context, id, challenge int64, idea ideas.ArchivedIdea) error {
	supporters, times := make([]int64, len(idea.Supports)), make([]time.Time, len(idea.Supports))
	for i, support := range idea.Supports {
		supporters[i], times[i] = w.members[support.Member], support.CreatedAt
		w.happened(ideas.Event{Kind: ideas.EventIdeaSupported, At: support.CreatedAt, Actor: supporters[i], Idea: id, Challenge: challenge})
	}
	_, err := w.tx.Exec(ctx, `INSERT INTO support (idea_id, member_id, created_at)
		SELECT $1, m, t FROM unnest($2::bigint[], $3::timestamptz[]) AS rows (m, t) ON CONFLICT DO NOTHING`, id, supporters, times)
	return err
}

// votes go to the challenge's ballot, which stores no more of them once it is closed.
func (w *archiver) votes(ctx context.Context, id, challenge int64, idea ideas.ArchivedIdea) error {
	for _, v := range idea.Votes {
		if _, err := w.tx.Exec(ctx, `INSERT INTO ballot_vote (challenge_id, idea_id, member_id, points, cast_at)
			SELECT challenge_id, $2, $3, $4, $5 FROM ballot WHERE challenge_id = $1 AND closed_at IS NULL`,
			challenge, id, w.members[v.Member], v.Points, v.CreatedAt); err != nil {
			return err
		}
	}
	return nil
}

func (w *archiver) comments(ctx context.Context, id, challenge int64, idea ideas.ArchivedIdea) error {
	type place struct{ id, thread int64 }
	stored := make([]place, len(idea.Comments))
	for i, c := range idea.Comments {
		body, err := ideas.CleanComment(c.Body)
		if err != nil {
			return err
		}
		var answers, thread int64
		if c.Answers > 0 {
			above := stored[c.Answers-1]
			answers, thread = above.id, above.thread
			if thread == 0 {
				thread = above.id
			}
		}
		stored[i].thread = thread
		if err := w.tx.QueryRow(ctx, `INSERT INTO comment (idea_id, author_id, submission_key, body, created_at, thread_id, reply_to)
			VALUES ($1, $2, $3, $4, $5, nullif($6, 0), nullif($7, 0)) RETURNING id`,
			id, w.members[c.Author], c.Key, body, c.CreatedAt, thread, answers).Scan(&stored[i].id); err != nil {
			return err
		}
		for _, m := range c.Thanks {
			if _, err := w.tx.Exec(ctx, "INSERT INTO comment_thanks (comment_id, member_id) VALUES ($1, $2) ON CONFLICT DO NOTHING", stored[i].id, w.members[m]); err != nil {
				return err
			}
		}
		w.happened(ideas.Event{Kind: ideas.EventCommentPublished, At: c.CreatedAt, Actor: w.members[c.Author], Idea: id, Challenge: challenge, Comment: stored[i].id})
	}
	return nil
}

// kinds of events that say more than that an idea has another state.
var stepEvents = map[ideas.State]ideas.EventKind{
	ideas.StateQualified: ideas.EventIdeaQualified, ideas.StateSelected: ideas.EventIdeaSelected, ideas.StateLaunched: ideas.EventIdeaLaunched,
}

func (w *archiver) steps(ctx context.Context, id, challenge int64, idea ideas.ArchivedIdea) error {
	from := ideas.StateGathering
	for _, step := range idea.Steps {
		var by int64
		if step.As != ideas.AsService {
			by = w.members[step.By]
		}
		if _, err := w.tx.Exec(ctx, `INSERT INTO idea_change (idea_id, at, actor_id, capacity, from_state, to_state, reason)
			VALUES ($1, $2, nullif($3, 0), $4, $5, $6, $7)`, id, step.At, by, step.As, from, step.To, step.Reason); err != nil {
			return err
		}
		kind := ideas.EventIdeaState
		if named, ok := stepEvents[step.To]; ok {
			kind = named
		}
		w.happened(ideas.Event{
			Kind: kind, At: step.At, Actor: by, Idea: id, Challenge: challenge,
			Data: map[string]any{"from": string(from), "to": string(step.To)},
		})
		from = step.To
	}
	return nil
}

func (w *archiver) answers(ctx context.Context, id, challenge int64, idea ideas.ArchivedIdea) error {
	var answered *time.Time
	for _, a := range idea.Answers {
		answered = &a.CreatedAt
		if _, err := w.tx.Exec(ctx, "INSERT INTO official_answer (idea_id, author_id, body, created_at) VALUES ($1, $2, $3, $4)",
			id, w.members[a.By], a.Body, a.CreatedAt); err != nil {
			return err
		}
		w.happened(ideas.Event{Kind: ideas.EventIdeaAnswered, At: a.CreatedAt, Actor: w.members[a.By], Idea: id, Challenge: challenge})
	}
	if idea.DueAt.IsZero() {
		return nil
	}
	_, err := w.tx.Exec(ctx, "INSERT INTO answer_due (idea_id, due_at, responsible, answered_at) VALUES ($1, $2, 'lead', $3)", id, idea.DueAt, answered)
	return err
}

// tell writes what happened in the order of time, and gives the points and badges that it is worth.
func (w *archiver) tell(ctx context.Context) error {
	slices.SortStableFunc(w.events, func(a, b ideas.Event) int { return a.At.Compare(b.At) })
	for i, e := range w.events {
		var data []byte
		if len(e.Data) > 0 {
			var err error
			if data, err = json.Marshal(e.Data); err != nil {
				return fmt.Errorf("encode what happened: %w", err)
			}
		}
		if err := w.tx.QueryRow(ctx, `INSERT INTO event (kind, at, actor_id, idea_id, challenge_id, comment_id, data, dispatched)
			VALUES ($1, $2, nullif($3, 0), nullif($4, 0), nullif($5, 0), nullif($6, 0), $7, true) RETURNING id`,
			e.Kind, e.At, e.Actor, e.Idea, e.Challenge, e.Comment, data).Scan(&w.events[i].ID); err != nil {
			return err
		}
	}
	for batch := range slices.Chunk(w.events, dispatchBatch) {
		if err := w.store.recognise(ctx, w.tx, batch); err != nil {
			return err
		}
	}
	// Badges and levels are no news either.
	_, err := w.tx.Exec(ctx, "UPDATE event SET dispatched = true WHERE NOT dispatched AND xmin = pg_current_xact_id()::xid")
	return err
}
