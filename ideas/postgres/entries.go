package postgres

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/quaeso/community-operator/ideas"
	"github.com/quaeso/community-operator/internal/control"
)

// Participant implements ideas.ChallengeStore.
func (s *Store) Participant(ctx context.Context, member int64, c *ideas.Challenge) (ideas.Participant, error) {
	pool, err := s.db()
	if err != nil {
		return ideas.Participant{}, err
	}
	p, err := s.participant(ctx, pool, member, c)
	if err != nil {
		return p, s.failed("read what a challenge's eligibility looks at", err)
	}
	return p, nil
}

func (s *Store) participant(ctx context.Context, q querier, member int64, c *ideas.Challenge) (ideas.Participant, error) {
	p := ideas.Participant{Member: member, Attributes: map[string][]string{}}
	var born *time.Time
	var email string
	var attributes []byte
	err := q.QueryRow(ctx, `SELECT m.level, coalesce(m.email, ''), m.born, coalesce(m.age_reached, 0),
			(SELECT jsonb_object_agg(name, given) FROM (SELECT name, jsonb_agg(value) AS given FROM attribute WHERE member_id = m.id GROUP BY name) a),
			ARRAY(SELECT DISTINCT role FROM challenge_role WHERE member_id = m.id),
			ARRAY(SELECT c.name FROM challenge_role r JOIN challenge c ON c.id = r.challenge_id WHERE r.member_id = m.id
				UNION SELECT c.name FROM winner w JOIN idea i ON i.id = w.idea_id JOIN challenge c ON c.id = w.challenge_id WHERE i.author_id = m.id),
			(SELECT count(*) FROM idea WHERE author_id = m.id AND challenge_id = $2 AND state NOT IN ('draft', 'withdrawn', 'erased'))
		FROM member m WHERE m.id = $1`, member, c.ID).
		Scan(&p.Level, &email, &born, &p.Age, &attributes, &p.Roles, &p.SelectedIn, &p.Entries)
	if err != nil {
		return p, fmt.Errorf("look up member %d: %w", member, err)
	}
	if born != nil {
		p.Age = age(*born, s.config.Clock().In(s.zone()))
	}
	if attributes != nil {
		if err := json.Unmarshal(attributes, &p.Attributes); err != nil {
			return p, fmt.Errorf("read the attributes of member %d: %w", member, err)
		}
	}
	settings, _ := s.Current(ctx)
	for _, role := range settings.RolesOf(email) {
		p.Roles = append(p.Roles, string(role))
	}
	missing, err := missingTerms(ctx, q, member, settings.TermsNamed(c.Spec.Terms...))
	if err != nil {
		return p, fmt.Errorf("look for accepted terms: %w", err)
	}
	p.AcceptedTerms = len(missing) == 0
	return p, nil
}

// age in whole years on a day.
func age(born, today time.Time) int {
	years := today.Year() - born.Year()
	if today.Month() < born.Month() || today.Month() == born.Month() && today.Day() < born.Day() {
		years--
	}
	return years
}

// ChallengeTotals implements ideas.ChallengeStore.
func (s *Store) ChallengeTotals(ctx context.Context, ids []int64) (map[int64]ideas.ChallengeTotals, error) {
	totals := make(map[int64]ideas.ChallengeTotals, len(ids))
	if len(ids) == 0 {
		return totals, nil
	}
	pool, err := s.db()
	if err != nil {
		return nil, err
	}
	rows, err := pool.Query(ctx, `SELECT challenge_id, coalesce(sum(n) FILTER (WHERE kind = 'ideas'), 0)::bigint,
			coalesce(sum(n) FILTER (WHERE kind = 'votes'), 0)::bigint, coalesce(sum(n) FILTER (WHERE kind = 'participants'), 0)::bigint
		FROM challenge_total WHERE challenge_id = ANY($1) GROUP BY challenge_id`, ids)
	if err != nil {
		return nil, s.failed("read the totals of challenges", err)
	}
	var id int64
	var t ideas.ChallengeTotals
	if _, err := pgx.ForEachRow(rows, []any{&id, &t.Ideas, &t.Votes, &t.Participants}, func() error { totals[id] = t; return nil }); err != nil {
		return nil, s.failed("read the totals of challenges", err)
	}
	return totals, nil
}

// entryLock keeps a member's submissions to one challenge apart, so that none exceeds the bound.
const entryLock = 6

// mayEnter tells why a member may not submit to a challenge now; nil where they may. Until the transaction ends no other
// submission of the member is looked at.
func (s *Store) mayEnter(ctx context.Context, tx pgx.Tx, author int64, c *ideas.Challenge) error {
	if err := c.Bar(s.config.Clock(), ideas.ActionSubmit); err != nil {
		return err
	}
	if _, err := tx.Exec(ctx, "SELECT pg_advisory_xact_lock($1, hashint8($2 * 1000003 + $3))", entryLock, c.ID, author); err != nil {
		return fmt.Errorf("wait for another submission: %w", err)
	}
	return s.mayTakePart(ctx, tx, author, c, ideas.ActionSubmit)
}

// SubmitEntry implements ideas.ChallengeStore.
func (s *Store) SubmitEntry(ctx context.Context, author int64, c *ideas.Challenge, key string, content ideas.Content, typed ideas.Answers, files ...ideas.FormFile) (ideas.Idea, error) {
	content.Challenge = c.ID
	if content.Theme == "" {
		content.Theme = c.Spec.Theme
	}
	content, contentErr := content.Clean(false)
	typed = maps.Clone(typed)
	for _, f := range c.Spec.Form {
		if f.Type == ideas.FieldFile {
			delete(typed, f.Name) // only a file answers it
		}
	}
	for _, f := range files {
		if typed == nil {
			typed = ideas.Answers{}
		}
		typed[f.Field] = []string{f.Name}
	}
	answers, formErr := ideas.CleanForm(c.Spec.Form, typed)
	settings, _ := s.Current(ctx)
	if err := errors.Join(contentErr, formErr, checkKey(key), settings.CheckTheme(content.Theme, c.Spec.Theme)); err != nil {
		return ideas.Idea{}, err
	}
	raw, err := json.Marshal(answers)
	if err != nil {
		return ideas.Idea{}, fmt.Errorf("encode the answers: %w", err)
	}
	var idea ideas.Idea
	err = s.transact(ctx, "submit an entry", func(tx pgx.Tx) error {
		who, err := s.contributor(ctx, tx, author)
		if err != nil {
			return err
		}
		id, isNew, err := s.insertIdea(ctx, tx, who, key, content)
		if err != nil {
			return err
		}
		if isNew {
			if _, err := tx.Exec(ctx, "UPDATE entry SET answers = $2 WHERE idea_id = $1", id, raw); err != nil {
				return fmt.Errorf("keep the answers: %w", err)
			}
			if err := s.answerWithFiles(ctx, tx, author, id, c, files); err != nil {
				return err
			}
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

// maySubmit tells why an idea may not be submitted to its challenge now; nil where it may, and where it has none.
func (s *Store) maySubmit(ctx context.Context, tx pgx.Tx, r ideaRow) error {
	if r.challenge == 0 || r.state == ideas.StateChangesRequested {
		return nil // a moderator has asked for it
	}
	c := s.Programme(ctx).ChallengeByID(r.challenge)
	if c == nil {
		return &ideas.BarredError{Action: ideas.ActionSubmit, Code: ideas.BarredClosed}
	}
	return s.mayEnter(ctx, tx, r.author, c)
}

// mayInChallenge tells why something may not be done to an idea of a challenge now; nil where it may, and where it has none.
func (s *Store) mayInChallenge(ctx context.Context, challenge int64, a ideas.Action) error {
	if challenge == 0 {
		return nil
	}
	c := s.Programme(ctx).ChallengeByID(challenge)
	if c == nil {
		return &ideas.BarredError{Action: a, Code: ideas.BarredClosed}
	}
	return c.Bar(s.config.Clock(), a)
}

// entrySelect reads entries beside their ideas: $1 is who looks, $2 the day of votes by day; %s is the position in a list.
const entrySelect = `SELECT e.idea_id, e.challenge_id, e.answers, coalesce(i.published_at, i.created_at), e.rung, e.deadline, e.seen, e.shortlisted, e.released_at IS NOT NULL,
		coalesce(e.origin_id, 0), t.votes, t.points, v.points, coalesce(w.rank, 0), coalesce(w.reason, ''), i.author_id = $1, %s
	FROM tally t JOIN entry e ON e.idea_id = t.idea_id JOIN idea i ON i.id = t.idea_id
		LEFT JOIN winner w ON w.challenge_id = e.challenge_id AND w.idea_id = e.idea_id
		LEFT JOIN ballot_vote v ON v.idea_id = e.idea_id AND v.member_id = $1 AND v.day = $2::date `

// entryRow is an entry before its idea is read.
type entryRow struct {
	entry             ideas.Entry
	challenge, origin int64
	published         *time.Time
	isAuthor          bool
	position          string
}

func scanEntry(row pgx.CollectableRow) (entryRow, error) {
	var r entryRow
	var answers []byte
	var deadline *time.Time
	e := &r.entry
	err := row.Scan(&e.ID, &r.challenge, &answers, &r.published, &e.Rung, &deadline, &e.Seen, &e.Shortlisted, &e.Released, &r.origin,
		&e.Votes, &e.Points, &e.Own, &e.Rank, &e.WonReason, &r.isAuthor, &r.position)
	if err != nil {
		return r, err
	}
	e.Deadline = orZero(deadline)
	return r, json.Unmarshal(answers, &e.Answers)
}

// readEntries completes rows with their ideas, and takes away what the viewer may not know.
func (s *Store) readEntries(ctx context.Context, q querier, viewer int64, c *ideas.Challenge, rows []entryRow) ([]ideas.Entry, error) {
	ids := make([]int64, 0, 2*len(rows))
	for _, r := range rows {
		ids = append(ids, r.entry.ID)
		if r.origin != 0 {
			ids = append(ids, r.origin)
		}
	}
	found, err := q.Query(ctx, "SELECT "+ideaColumns+ideaTables+" WHERE t.visible AND t.idea_id = ANY($2)", viewer, ids)
	if err != nil {
		return nil, fmt.Errorf("read the ideas of entries: %w", err)
	}
	list, err := pgx.CollectRows(found, func(row pgx.CollectableRow) (ideas.Idea, error) {
		idea, _, err := scanIdea(row)
		return idea, err
	})
	if err != nil {
		return nil, fmt.Errorf("read the ideas of entries: %w", err)
	}
	byID := make(map[int64]ideas.Idea, len(list))
	for _, idea := range list {
		byID[idea.ID] = idea
	}
	files, err := entryFiles(ctx, q, c, rows)
	if err != nil {
		return nil, err
	}
	all, err := s.seesPrivate(ctx, q, viewer, c)
	if err != nil {
		return nil, err
	}
	hidden := c.CountsHidden(s.config.Clock())
	entries := make([]ideas.Entry, 0, len(rows))
	for _, r := range rows {
		e := r.entry
		idea, ok := byID[e.ID]
		if !ok {
			continue // hidden between the two reads
		}
		e.Idea, e.VotesUntil = idea, s.votesUntil(c, r.published)
		e.Challenge = c.ID
		if origin, ok := byID[r.origin]; ok {
			e.Origin = &origin
		}
		if hidden {
			e.Votes, e.Points, e.Supporters = 0, 0, 0
		}
		e.Files = files[e.ID]
		if !r.isAuthor && !all {
			e.Answers = c.PublicAnswers(e.Answers)
			e.Files = slices.DeleteFunc(e.Files, func(f ideas.Attachment) bool { return isPrivate(c, f.Field) })
		}
		entries = append(entries, e)
	}
	return entries, nil
}

// entryFiles are the files that answer the form of a challenge, by entry.
func entryFiles(ctx context.Context, q querier, c *ideas.Challenge, rows []entryRow) (map[int64][]ideas.Attachment, error) {
	byEntry := map[int64][]ideas.Attachment{}
	if !slices.ContainsFunc(c.Spec.Form, func(f control.FormField) bool { return f.Type == ideas.FieldFile }) {
		return byEntry, nil
	}
	ids := make([]int64, len(rows))
	for i, r := range rows {
		ids[i] = r.entry.ID
	}
	found, err := q.Query(ctx, "SELECT "+attachmentColumns+" FROM attachment a WHERE a.idea_id = ANY($1) AND a.field <> '' ORDER BY a.id", ids)
	if err != nil {
		return nil, fmt.Errorf("read the files of entries: %w", err)
	}
	list, err := pgx.CollectRows(found, func(row pgx.CollectableRow) (ideas.Attachment, error) { return scanAttachment(row) })
	if err != nil {
		return nil, fmt.Errorf("read the files of entries: %w", err)
	}
	for _, f := range list {
		byEntry[f.Idea] = append(byEntry[f.Idea], f)
	}
	return byEntry, nil
}

// seesPrivate tells whether the viewer is of the team, which sees the private answers of all entries.
func (s *Store) seesPrivate(ctx context.Context, q querier, viewer int64, c *ideas.Challenge) (bool, error) {
	if viewer == 0 || !slices.ContainsFunc(c.Spec.Form, func(f control.FormField) bool { return f.Private }) {
		return false, nil
	}
	_, err := s.teamMember(ctx, q, viewer, ideas.MaySeeTeam)
	if errors.Is(err, ideas.ErrForbidden) {
		return false, nil
	}
	return err == nil, err
}

// voteDay is the day to which a vote belongs now.
func (s *Store) voteDay(c *ideas.Challenge) string {
	if ideas.RulesOf(c.Ballot()).ByDay {
		return s.config.Clock().In(s.zone()).Format(control.DateLayout)
	}
	return anyDay
}

// entryOrder is an order of entries: an expression that an index serves, and how its value in a cursor is read back.
type entryOrder struct {
	challenge, position, text string
	parse                     func(string) (any, error)
}

func orderOf(c *ideas.Challenge, q ideas.EntryQuery) entryOrder {
	o := entryOrder{challenge: "t.challenge_id = $3 AND t.visible", parse: func(text string) (any, error) { return strconv.ParseInt(text, 10, 64) }}
	switch {
	case q.Order == ideas.EntriesRandom:
		o.position = "hashint8extended(t.idea_id, " + strconv.FormatInt(q.Seed, 10) + ")"
	case q.Order == ideas.EntriesNewest:
		o.challenge, o.position = "i.challenge_id = $3 AND i.visible", "i.created_at"
		o.text = "(extract(epoch FROM i.created_at) * 1000000)::bigint::text"
		o.parse = func(text string) (any, error) {
			n, err := strconv.ParseInt(text, 10, 64)
			return time.UnixMicro(n), err
		}
	case c.Plain():
		o.position = "t.supporters"
	default:
		o.position = "t.standing"
		o.parse = func(text string) (any, error) { return strconv.ParseFloat(text, 64) }
	}
	if o.text == "" {
		o.text = o.position + "::text"
	}
	return o
}

// ListEntries implements ideas.ChallengeStore.
func (s *Store) ListEntries(ctx context.Context, viewer int64, c *ideas.Challenge, q ideas.EntryQuery) (ideas.EntryPage, error) {
	allowed := c.EntryOrders(s.config.Clock())
	if q.Order == "" {
		q.Order = allowed[0]
	}
	if !slices.Contains(allowed, q.Order) {
		return ideas.EntryPage{}, &ideas.FieldError{Field: "order", Code: "invalid"}
	}
	order := orderOf(c, q)
	args := []any{viewer, s.voteDay(c), c.ID, pageSize(q.Limit) + 1}
	where := "WHERE " + order.challenge
	if q.Shortlisted {
		where += " AND e.shortlisted"
	}
	if q.After != "" {
		value, id, err := decodeEntryCursor(q.Order, q.After, order.parse)
		if err != nil {
			return ideas.EntryPage{}, err
		}
		args = append(args, value, id)
		where += fmt.Sprintf(" AND (%s, t.idea_id) < ($5, $6)", order.position)
	}
	pool, err := s.db()
	if err != nil {
		return ideas.EntryPage{}, err
	}
	found, err := pool.Query(ctx, fmt.Sprintf(entrySelect, order.text)+where+" ORDER BY "+order.position+" DESC, t.idea_id DESC LIMIT $4", args...)
	if err != nil {
		return ideas.EntryPage{}, s.failed("list entries", err)
	}
	rows, err := pgx.CollectRows(found, scanEntry)
	if err != nil {
		return ideas.EntryPage{}, s.failed("list entries", err)
	}
	var page ideas.EntryPage
	if limit := pageSize(q.Limit); len(rows) > limit {
		rows = rows[:limit]
		page.Next = encodeEntryCursor(q.Order, rows[limit-1].position, rows[limit-1].entry.ID)
	}
	if page.Entries, err = s.readEntries(ctx, pool, viewer, c, rows); err != nil {
		return page, s.failed("list entries", err)
	}
	return page, nil
}

func encodeEntryCursor(order ideas.EntryOrder, position string, id int64) string {
	return base64.RawURLEncoding.EncodeToString([]byte(string(order) + " " + position + " " + strconv.FormatInt(id, 10)))
}

func decodeEntryCursor(order ideas.EntryOrder, text string, parse func(string) (any, error)) (value any, id int64, err error) {
	wrong := &ideas.FieldError{Field: "after", Code: "invalid"}
	raw, err := base64.RawURLEncoding.DecodeString(text)
	parts := strings.Split(string(raw), " ")
	if err != nil || len(parts) != 3 || parts[0] != string(order) {
		return nil, 0, wrong
	}
	value, valueErr := parse(parts[1])
	id, idErr := strconv.ParseInt(parts[2], 10, 64)
	if valueErr != nil || idErr != nil {
		return nil, 0, wrong
	}
	return value, id, nil
}

// EntryOf implements ideas.ChallengeStore.
func (s *Store) EntryOf(ctx context.Context, viewer, idea int64) (ideas.Entry, *ideas.Challenge, error) {
	pool, err := s.db()
	if err != nil {
		return ideas.Entry{}, nil, err
	}
	var challenge int64
	if err := pool.QueryRow(ctx, "SELECT challenge_id FROM entry WHERE idea_id = $1", idea).Scan(&challenge); err != nil {
		return ideas.Entry{}, nil, s.failed("look up an entry", err)
	}
	c := s.Programme(ctx).ChallengeByID(challenge)
	if c == nil {
		return ideas.Entry{}, nil, ideas.ErrNotFound
	}
	entries, err := s.entriesByID(ctx, pool, viewer, c, []int64{idea})
	if err != nil {
		return ideas.Entry{}, nil, s.failed("read an entry", err)
	}
	if len(entries) == 0 {
		return ideas.Entry{}, nil, ideas.ErrNotFound
	}
	return entries[0], c, nil
}

// entriesByID reads visible entries of a challenge, in the order of their ids.
func (s *Store) entriesByID(ctx context.Context, q querier, viewer int64, c *ideas.Challenge, ids []int64) ([]ideas.Entry, error) {
	found, err := q.Query(ctx, fmt.Sprintf(entrySelect, "''")+"WHERE t.idea_id = ANY($4) AND e.challenge_id = $3 AND t.visible ORDER BY t.idea_id",
		viewer, s.voteDay(c), c.ID, ids)
	if err != nil {
		return nil, err
	}
	rows, err := pgx.CollectRows(found, scanEntry)
	if err != nil {
		return nil, err
	}
	return s.readEntries(ctx, q, viewer, c, rows)
}
