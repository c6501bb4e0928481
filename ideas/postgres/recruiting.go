package postgres

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"slices"

	"github.com/jackc/pgx/v5"

	"github.com/quaeso/community-operator/ideas"
	"github.com/quaeso/community-operator/internal/control"
)

// open refuses what the phase of the moment does not allow.
func (s *Store) open(c *ideas.Challenge, actions ...ideas.Action) error {
	now := s.config.Clock()
	if slices.ContainsFunc(actions, func(a ideas.Action) bool { return c.Allows(now, a) }) {
		return nil
	}
	return ideas.ErrClosed
}

// lockChallenge makes decisions on a challenge follow each other.
func lockChallenge(ctx context.Context, tx pgx.Tx, challenge int64) error {
	_, err := tx.Exec(ctx, "SELECT FROM challenge WHERE id = $1 FOR NO KEY UPDATE", challenge)
	return err
}

// segmentsOf are a member's attributes of these names, as given with consent.
func segmentsOf(ctx context.Context, q querier, member int64, names []string) (ideas.Segments, error) {
	segments := ideas.Segments{}
	if len(names) == 0 {
		return segments, nil
	}
	rows, err := q.Query(ctx, "SELECT name, value FROM attribute WHERE member_id = $1 AND name = ANY($2) ORDER BY name, value", member, names)
	if err != nil {
		return nil, fmt.Errorf("read the attributes of a member: %w", err)
	}
	var name, value string
	_, err = pgx.ForEachRow(rows, []any{&name, &value}, func() error {
		segments[name] = append(segments[name], value)
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read the attributes of a member: %w", err)
	}
	return segments, nil
}

func attributesOf(quotas []control.Quota) []string {
	var names []string
	for _, q := range quotas {
		if !slices.Contains(names, q.Attribute) {
			names = append(names, q.Attribute)
		}
	}
	return names
}

// Apply implements ideas.RecruitingStore.
func (s *Store) Apply(ctx context.Context, c *ideas.Challenge, member int64, typed map[string][]string) (ideas.Application, error) {
	call := c.Spec.Recruiting
	if call == nil {
		return ideas.Application{}, ideas.ErrNotFound
	}
	if err := s.open(c, ideas.ActionApply); err != nil {
		return ideas.Application{}, err
	}
	answers, err := ideas.CleanForm(call.Questions, typed)
	if err != nil {
		return ideas.Application{}, err
	}
	var application ideas.Application
	err = s.transact(ctx, "apply", func(tx pgx.Tx) error {
		if err := s.admit(ctx, tx, c, member); err != nil {
			return err
		}
		names := attributesOf(call.Quotas)
		segments, err := segmentsOf(ctx, tx, member, names)
		if err != nil {
			return err
		}
		// A screening question of the attribute's name counts more than the profile.
		for _, name := range names {
			if given := answers[name]; len(given) > 0 {
				segments[name] = given
			}
		}
		if err := commitDraw(ctx, tx, c); err != nil {
			return err
		}
		var isNew bool
		err = tx.QueryRow(ctx, `INSERT INTO application AS a (challenge_id, member_id, answers, segments, created_at) VALUES ($1, $2, $3, $4, $5)
			ON CONFLICT (challenge_id, member_id) DO UPDATE SET answers = excluded.answers, segments = excluded.segments, state = 'submitted'
			WHERE a.state IN ('submitted', 'withdrawn')
			RETURNING xmax = 0`, c.ID, member, answers, segments, s.config.Clock()).Scan(&isNew)
		if errors.Is(err, pgx.ErrNoRows) {
			return ideas.ErrClosed // it was decided
		}
		if err != nil {
			return err
		}
		if application, err = myApplication(ctx, tx, c.ID, member); err != nil || !isNew {
			return err
		}
		return s.recordEvents(ctx, tx, ideas.Event{Kind: ideas.EventApplicationSubmitted, Actor: member, Challenge: c.ID})
	})
	return application, err
}

// commitDraw fixes the seed of a draw with the first application.
func commitDraw(ctx context.Context, tx pgx.Tx, c *ideas.Challenge) error {
	if c.Spec.Recruiting.Selection != ideas.SelectionDraw {
		return nil
	}
	_, err := tx.Exec(ctx, "INSERT INTO application_draw (challenge_id, seed) VALUES ($1, $2) ON CONFLICT DO NOTHING", c.ID, rand.Text()+rand.Text())
	return err
}

const applicationColumns = `a.id, a.challenge_id, m.id, m.name, a.answers, a.segments, a.state, a.reason, coalesce(a.place, 0), a.votes,
	a.created_at, coalesce(a.decided_at, '0001-01-01')`

func scanApplication(row pgx.Row, more ...any) (ideas.Application, error) {
	var a ideas.Application
	err := row.Scan(append([]any{
		&a.ID, &a.Challenge, &a.Member.ID, &a.Member.Name, &a.Answers, &a.Segments, &a.State, &a.Reason, &a.Place, &a.Votes,
		&a.CreatedAt, &a.DecidedAt,
	}, more...)...)
	return a, err
}

func myApplication(ctx context.Context, q querier, challenge, member int64) (ideas.Application, error) {
	return scanApplication(q.QueryRow(ctx, "SELECT "+applicationColumns+` FROM application a JOIN member m ON m.id = a.member_id
		WHERE a.challenge_id = $1 AND a.member_id = $2`, challenge, member))
}

// MyApplication implements ideas.RecruitingStore.
func (s *Store) MyApplication(ctx context.Context, c *ideas.Challenge, member int64) (ideas.Application, error) {
	pool, err := s.db()
	if err != nil {
		return ideas.Application{}, err
	}
	a, err := myApplication(ctx, pool, c.ID, member)
	if err != nil {
		return a, s.failed("get an application", err)
	}
	return a, nil
}

// viewedApplication adds to applicationColumns what concerns the viewer, $1.
const viewedApplication = "SELECT " + applicationColumns + `,
	EXISTS (SELECT FROM application_vote v WHERE v.application_id = a.id AND v.member_id = $1),
	(SELECT points FROM application_score s WHERE s.application_id = a.id AND s.juror_id = $1)
	FROM application a JOIN member m ON m.id = a.member_id`

func scanViewed(row pgx.CollectableRow) (ideas.Application, error) {
	var voted bool
	var points map[string]int
	a, err := scanApplication(row, &voted, &points)
	a.Voted, a.Points = voted, points
	return a, err
}

// GetApplication implements ideas.RecruitingStore.
func (s *Store) GetApplication(ctx context.Context, c *ideas.Challenge, viewer, id int64) (ideas.Application, error) {
	list, err := s.applications(ctx, viewedApplication+" WHERE a.id = $2 AND a.challenge_id = $3", viewer, id, c.ID)
	if err == nil && len(list) == 0 {
		err = ideas.ErrNotFound
	}
	if err != nil {
		return ideas.Application{}, err
	}
	return list[0], nil
}

func (s *Store) applications(ctx context.Context, query string, args ...any) ([]ideas.Application, error) {
	pool, err := s.db()
	if err != nil {
		return nil, err
	}
	rows, err := pool.Query(ctx, query, args...)
	if err != nil {
		return nil, s.failed("list applications", err)
	}
	list, err := pgx.CollectRows(rows, scanViewed)
	if err != nil {
		return nil, s.failed("list applications", err)
	}
	return list, nil
}

// ListApplications implements ideas.RecruitingStore.
func (s *Store) ListApplications(ctx context.Context, viewer int64, q ideas.ApplicationQuery) ([]ideas.Application, error) {
	limit := pageSize(q.Limit)
	if q.ByVotes {
		return s.applications(ctx, viewedApplication+` WHERE a.challenge_id = $2 AND a.state <> 'withdrawn'
			ORDER BY a.votes DESC, a.id LIMIT $3 OFFSET $4`, viewer, q.Challenge, limit, q.After)
	}
	if q.State == "" {
		return s.applications(ctx, viewedApplication+` WHERE a.challenge_id = $2 AND a.state <> 'withdrawn' AND a.id > $3
			ORDER BY a.id LIMIT $4`, viewer, q.Challenge, q.After, limit)
	}
	return s.applications(ctx, viewedApplication+` WHERE a.challenge_id = $2 AND a.state = $3 AND a.id > $4
		ORDER BY a.id LIMIT $5`, viewer, q.Challenge, q.State, q.After, limit)
}

// CountApplications implements ideas.RecruitingStore.
func (s *Store) CountApplications(ctx context.Context, challenge int64) (ideas.ApplicationCounts, error) {
	pool, err := s.db()
	if err != nil {
		return nil, err
	}
	counts := ideas.ApplicationCounts{}
	rows, err := pool.Query(ctx, "SELECT state, count(*) FROM application WHERE challenge_id = $1 GROUP BY state", challenge)
	if err != nil {
		return nil, s.failed("count applications", err)
	}
	var state ideas.ApplicationState
	var n int
	if _, err := pgx.ForEachRow(rows, []any{&state, &n}, func() error { counts[state] = n; return nil }); err != nil {
		return nil, s.failed("count applications", err)
	}
	return counts, nil
}

// VoteApplication implements ideas.RecruitingStore.
func (s *Store) VoteApplication(ctx context.Context, c *ideas.Challenge, application, member int64, vote bool) (int, error) {
	if c.Spec.Recruiting == nil || c.Spec.Recruiting.Selection != ideas.SelectionVote {
		return 0, ideas.ErrNotFound
	}
	if err := s.open(c, ideas.ActionVote); err != nil {
		return 0, err
	}
	votes := 0
	err := s.transact(ctx, "vote for an application", func(tx pgx.Tx) error {
		if err := s.requireContributor(ctx, tx, member); err != nil {
			return err
		}
		change := "DELETE FROM application_vote WHERE application_id = (SELECT id FROM application WHERE id = $1 AND challenge_id = $3 AND state = 'submitted') AND member_id = $2"
		if vote {
			change = `INSERT INTO application_vote (application_id, member_id) SELECT id, $2 FROM application
				WHERE id = $1 AND challenge_id = $3 AND state = 'submitted' AND member_id <> $2 ON CONFLICT DO NOTHING`
		}
		if _, err := tx.Exec(ctx, change, application, member, c.ID); err != nil {
			return err
		}
		return tx.QueryRow(ctx, "SELECT votes FROM application WHERE id = $1 AND challenge_id = $2 AND state <> 'withdrawn'", application, c.ID).Scan(&votes)
	})
	return votes, err
}

// ScoreApplication implements ideas.RecruitingStore.
func (s *Store) ScoreApplication(ctx context.Context, c *ideas.Challenge, application int64, juror ideas.Member, points map[string]int) error {
	if !c.IsJuror(juror.Email) {
		return ideas.ErrNotFound
	}
	kept := map[string]int{}
	var wrong []error
	for _, criterion := range c.Spec.Jury.Criteria {
		n, given := points[criterion.Name]
		switch most := ideas.CriterionMaximum(criterion); {
		case !given:
			wrong = append(wrong, &ideas.FieldError{Field: ideas.InputName(criterion.Name), Code: "required"})
		case n < 0:
			wrong = append(wrong, &ideas.FieldError{Field: ideas.InputName(criterion.Name), Code: "too_small"})
		case n > most:
			wrong = append(wrong, &ideas.FieldError{Field: ideas.InputName(criterion.Name), Code: "too_large", Limit: most})
		}
		kept[criterion.Name] = n
	}
	if err := errors.Join(wrong...); err != nil {
		return err
	}
	return s.transact(ctx, "score an application", func(tx pgx.Tx) error {
		tag, err := tx.Exec(ctx, `INSERT INTO application_score (application_id, juror_id, points)
			SELECT id, $2, $3 FROM application WHERE id = $1 AND challenge_id = $4 AND state = 'submitted' AND member_id <> $2
			ON CONFLICT (application_id, juror_id) DO UPDATE SET points = excluded.points`, application, juror.ID, kept, c.ID)
		if err == nil && tag.RowsAffected() == 0 {
			return ideas.ErrClosed
		}
		return err
	})
}

// RankApplications implements ideas.RecruitingStore.
func (s *Store) RankApplications(ctx context.Context, c *ideas.Challenge) ([]ideas.RankedApplication, error) {
	pool, err := s.db()
	if err != nil {
		return nil, err
	}
	ranked, err := rankApplications(ctx, pool, c)
	if err != nil {
		return nil, s.failed("rank applications", err)
	}
	return ranked, nil
}

func rankApplications(ctx context.Context, q querier, c *ideas.Challenge) ([]ideas.RankedApplication, error) {
	rows, err := q.Query(ctx, `SELECT a.id, a.segments, a.votes, coalesce(jsonb_agg(s.points) FILTER (WHERE s.points IS NOT NULL), '[]')
		FROM application a LEFT JOIN application_score s ON s.application_id = a.id
		WHERE a.challenge_id = $1 AND a.state = 'submitted' GROUP BY a.id ORDER BY a.id`, c.ID)
	if err != nil {
		return nil, err
	}
	standings, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (ideas.RankedApplication, error) {
		var one ideas.RankedApplication
		err := row.Scan(&one.Application, &one.Segments, &one.Votes, &one.Points)
		return one, err
	})
	if err != nil {
		return nil, err
	}
	return ideas.Rank(standings, c.Spec.Jury), nil
}

// candidates in one state, in the order of their places and numbers.
func candidates(ctx context.Context, q querier, challenge int64, state ideas.ApplicationState) ([]ideas.Candidate, error) {
	rows, err := q.Query(ctx, `SELECT id, segments FROM application WHERE challenge_id = $1 AND state = $2
		ORDER BY place NULLS LAST, id`, challenge, state)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, func(row pgx.CollectableRow) (ideas.Candidate, error) {
		var one ideas.Candidate
		err := row.Scan(&one.Application, &one.Segments)
		return one, err
	})
}

// DecideApplication implements ideas.RecruitingStore.
func (s *Store) DecideApplication(ctx context.Context, actor int64, c *ideas.Challenge, application int64, state ideas.ApplicationState, reason string) error {
	call := c.Spec.Recruiting
	if call == nil || !slices.Contains([]ideas.ApplicationState{ideas.ApplicationSelected, ideas.ApplicationWaiting, ideas.ApplicationRefused}, state) {
		return ideas.ErrNotFound
	}
	reason, err := ideas.CleanReason(reason, state == ideas.ApplicationRefused)
	if err != nil {
		return err
	}
	return s.transact(ctx, "decide on an application", func(tx pgx.Tx) error {
		if err := lockChallenge(ctx, tx, c.ID); err != nil {
			return err
		}
		if state == ideas.ApplicationSelected {
			taken, err := candidates(ctx, tx, c.ID, ideas.ApplicationSelected)
			if err != nil {
				return err
			}
			if len(taken) >= call.Places {
				return ideas.ErrFull
			}
		}
		var open bool
		err := tx.QueryRow(ctx, "SELECT state IN ('submitted', 'waiting') FROM application WHERE id = $1 AND challenge_id = $2 FOR NO KEY UPDATE",
			application, c.ID).Scan(&open)
		if err != nil {
			return err
		}
		if !open {
			return ideas.ErrClosed
		}
		return s.settle(ctx, tx, actor, c, state, reason, []int64{application})
	})
}

// applicationEvents tell applicants what became of them.
var applicationEvents = map[ideas.ApplicationState]ideas.EventKind{
	ideas.ApplicationSelected: ideas.EventApplicationSelected, ideas.ApplicationWaiting: ideas.EventApplicationWaiting,
	ideas.ApplicationRefused: ideas.EventApplicationRefused,
}

// settle gives applications their state, in this order: those that wait stand behind those that waited before.
func (s *Store) settle(ctx context.Context, tx pgx.Tx, actor int64, c *ideas.Challenge, state ideas.ApplicationState, reason string, applications []int64) error {
	if len(applications) == 0 {
		return nil
	}
	now := s.config.Clock()
	rows, err := tx.Query(ctx, `UPDATE application a SET state = $3, reason = $4, decided_at = $5,
			place = CASE WHEN $3 = 'waiting' THEN o.n + coalesce((SELECT max(place) FROM application WHERE challenge_id = $1), 0) END
		FROM unnest($2::bigint[]) WITH ORDINALITY AS o (id, n) WHERE a.id = o.id AND a.challenge_id = $1 RETURNING a.member_id`,
		c.ID, applications, state, reason, now)
	if err != nil {
		return err
	}
	members, err := pgx.CollectRows(rows, pgx.RowTo[int64])
	if err != nil {
		return err
	}
	if state == ideas.ApplicationSelected {
		if err := s.grantRole(ctx, tx, c, members); err != nil {
			return err
		}
	}
	events := make([]ideas.Event, len(members))
	for i, member := range members {
		events[i] = ideas.Event{Kind: applicationEvents[state], Actor: actor, Subject: member, Challenge: c.ID}
	}
	if err := s.recordEvents(ctx, tx, events...); err != nil {
		return err
	}
	return audit(ctx, tx, actor, "application."+string(state), "challenge", c.ID, map[string]any{"applications": applications})
}

// grantRole gives the selected their role, and makes those of a beta test its testers.
func (s *Store) grantRole(ctx context.Context, tx pgx.Tx, c *ideas.Challenge, members []int64) error {
	now := s.config.Clock()
	if _, err := tx.Exec(ctx, `INSERT INTO challenge_role (challenge_id, member_id, role, granted_at) SELECT $1, m, $3, $4 FROM unnest($2::bigint[]) AS t (m)
		ON CONFLICT DO NOTHING`, c.ID, members, c.RecruitedRole(), now); err != nil {
		return fmt.Errorf("give the selected their role: %w", err)
	}
	if c.Spec.Type != control.TypeBetaTest {
		return nil
	}
	_, err := tx.Exec(ctx, `INSERT INTO tester (challenge_id, member_id, joined_at, active_at) SELECT $1, m, $3, $3 FROM unnest($2::bigint[]) AS t (m)
		ON CONFLICT (challenge_id, member_id) DO UPDATE SET dropped_at = NULL, active_at = excluded.active_at`, c.ID, members, now)
	if err != nil {
		return fmt.Errorf("make the selected testers: %w", err)
	}
	return nil
}

// CloseSelection implements ideas.RecruitingStore.
func (s *Store) CloseSelection(ctx context.Context, actor int64, c *ideas.Challenge, reason string) error {
	call := c.Spec.Recruiting
	if call == nil {
		return ideas.ErrNotFound
	}
	if s.open(c, ideas.ActionApply) == nil {
		return ideas.ErrClosed // somebody may still apply
	}
	reason, err := ideas.CleanReason(reason, false)
	if err != nil {
		return err
	}
	return s.transact(ctx, "close a selection", func(tx pgx.Tx) error {
		if err := lockChallenge(ctx, tx, c.ID); err != nil {
			return err
		}
		selected, waiting, err := s.chosen(ctx, tx, c)
		if err != nil {
			return err
		}
		if err := s.settle(ctx, tx, actor, c, ideas.ApplicationSelected, "", numbersOf(selected)); err != nil {
			return err
		}
		return s.settle(ctx, tx, actor, c, ideas.ApplicationWaiting, reason, numbersOf(waiting))
	})
}

// chosen are those of the undecided whom the declared way of selecting takes, and those who wait, in order.
func (s *Store) chosen(ctx context.Context, tx pgx.Tx, c *ideas.Challenge) (selected, waiting []ideas.Candidate, err error) {
	call := c.Spec.Recruiting
	undecided, err := candidates(ctx, tx, c.ID, ideas.ApplicationSubmitted)
	if err != nil {
		return nil, nil, err
	}
	taken, err := candidates(ctx, tx, c.ID, ideas.ApplicationSelected)
	if err != nil {
		return nil, nil, err
	}
	switch call.Selection {
	case ideas.SelectionVote:
		ranked, err := rankApplications(ctx, tx, c)
		if err != nil {
			return nil, nil, err
		}
		undecided = undecided[:0]
		for _, r := range ranked {
			undecided = append(undecided, r.Candidate)
		}
	case ideas.SelectionDraw:
		return s.draw(ctx, tx, c, undecided)
	default:
		return nil, undecided, nil // the team has selected one by one
	}
	// Those whom the team has taken already count for places and quotas.
	selected, waiting = ideas.FillPlaces(append(slices.Clone(taken), undecided...), call.Places, call.Quotas)
	isTaken := func(c ideas.Candidate) bool {
		return slices.ContainsFunc(taken, func(t ideas.Candidate) bool { return t.Application == c.Application })
	}
	return slices.DeleteFunc(selected, isTaken), slices.DeleteFunc(waiting, isTaken), nil
}

// draw carries out the draw once and keeps what is published of it.
func (s *Store) draw(ctx context.Context, tx pgx.Tx, c *ideas.Challenge, undecided []ideas.Candidate) (selected, waiting []ideas.Candidate, err error) {
	var seed string
	var drawn bool
	err = tx.QueryRow(ctx, "SELECT seed, drawn_at IS NOT NULL FROM application_draw WHERE challenge_id = $1 FOR UPDATE", c.ID).Scan(&seed, &drawn)
	if errors.Is(err, pgx.ErrNoRows) || drawn {
		return nil, nil, ideas.ErrClosed
	}
	if err != nil {
		return nil, nil, err
	}
	result := ideas.Draw{Challenge: c.Name, Places: c.Spec.Recruiting.Places, Quotas: c.Spec.Recruiting.Quotas, Candidates: undecided}.Carry(seed)
	if _, err := tx.Exec(ctx, "UPDATE application_draw SET drawn_at = $2, result = $3 WHERE challenge_id = $1", c.ID, s.config.Clock(), result); err != nil {
		return nil, nil, err
	}
	pick := func(numbers []int64) (list []ideas.Candidate) {
		for _, n := range numbers {
			list = append(list, ideas.Candidate{Application: n})
		}
		return list
	}
	return pick(result.Selected), pick(result.Waiting), nil
}

func numbersOf(list []ideas.Candidate) []int64 {
	numbers := make([]int64, len(list))
	for i, c := range list {
		numbers[i] = c.Application
	}
	return numbers
}

// PublishedDraw implements ideas.RecruitingStore.
func (s *Store) PublishedDraw(ctx context.Context, c *ideas.Challenge) (ideas.Draw, error) {
	pool, err := s.db()
	if err != nil {
		return ideas.Draw{}, err
	}
	var seed string
	var result *ideas.Draw
	if err := pool.QueryRow(ctx, "SELECT seed, result FROM application_draw WHERE challenge_id = $1", c.ID).Scan(&seed, &result); err != nil {
		return ideas.Draw{}, s.failed("read a draw", err)
	}
	if result != nil {
		return *result, nil
	}
	return ideas.Draw{
		Challenge: c.Name, Commitment: ideas.Commitment(seed), Places: c.Spec.Recruiting.Places, Quotas: c.Spec.Recruiting.Quotas,
	}, nil
}

// WithdrawApplication implements ideas.RecruitingStore.
func (s *Store) WithdrawApplication(ctx context.Context, c *ideas.Challenge, member int64) error {
	return s.transact(ctx, "withdraw an application", func(tx pgx.Tx) error {
		if err := lockChallenge(ctx, tx, c.ID); err != nil {
			return err
		}
		var state ideas.ApplicationState
		err := tx.QueryRow(ctx, "SELECT state FROM application WHERE challenge_id = $1 AND member_id = $2", c.ID, member).Scan(&state)
		if err != nil {
			return err
		}
		switch state {
		case ideas.ApplicationSelected:
			return s.dropOut(ctx, tx, member, c, member, "withdrawn")
		case ideas.ApplicationSubmitted, ideas.ApplicationWaiting:
			_, err := tx.Exec(ctx, "UPDATE application SET state = 'withdrawn', place = NULL WHERE challenge_id = $1 AND member_id = $2", c.ID, member)
			return err
		}
		return nil
	})
}

// DropOut implements ideas.RecruitingStore.
func (s *Store) DropOut(ctx context.Context, actor int64, c *ideas.Challenge, member int64, cause string) error {
	return s.transact(ctx, "drop out", func(tx pgx.Tx) error {
		if err := lockChallenge(ctx, tx, c.ID); err != nil {
			return err
		}
		return s.dropOut(ctx, tx, actor, c, member, cause)
	})
}

// dropOut ends somebody's part and gives the place to the next who waits. The challenge is locked.
func (s *Store) dropOut(ctx context.Context, tx pgx.Tx, actor int64, c *ideas.Challenge, member int64, cause string) error {
	now := s.config.Clock()
	tag, err := tx.Exec(ctx, `UPDATE application SET state = 'dropped_out', decided_at = $3 WHERE challenge_id = $1 AND member_id = $2 AND state = 'selected'`, c.ID, member, now)
	if err != nil {
		return err
	}
	if tag.RowsAffected() == 0 {
		return ideas.ErrNotFound
	}
	if _, err := tx.Exec(ctx, "DELETE FROM challenge_role WHERE challenge_id = $1 AND member_id = $2", c.ID, member); err != nil {
		return err
	}
	if _, err := tx.Exec(ctx, "UPDATE tester SET dropped_at = $3 WHERE challenge_id = $1 AND member_id = $2", c.ID, member, now); err != nil {
		return err
	}
	event := ideas.Event{Kind: ideas.EventApplicationDropped, Actor: actor, Subject: member, Challenge: c.ID, Data: map[string]any{"cause": cause}}
	if err := s.recordEvents(ctx, tx, event); err != nil {
		return err
	}
	if err := audit(ctx, tx, actor, "application.dropped_out", "challenge", c.ID, map[string]any{"member": member, "cause": cause}); err != nil {
		return err
	}
	waiting, err := candidates(ctx, tx, c.ID, ideas.ApplicationWaiting)
	if err != nil {
		return err
	}
	selected, err := candidates(ctx, tx, c.ID, ideas.ApplicationSelected)
	if err != nil {
		return err
	}
	call := c.Spec.Recruiting
	if call == nil || len(selected) >= call.Places {
		return nil
	}
	next, ok := ideas.NextWaiting(waiting, selected, call.Places, call.Quotas)
	if !ok {
		return nil
	}
	return s.settle(ctx, tx, 0, c, ideas.ApplicationSelected, "", []int64{next.Application})
}

// HasChallengeRole implements ideas.RecruitingStore.
func (s *Store) HasChallengeRole(ctx context.Context, challenge, member int64) (bool, error) {
	pool, err := s.db()
	if err != nil {
		return false, err
	}
	var has bool
	err = pool.QueryRow(ctx, "SELECT EXISTS (SELECT FROM challenge_role WHERE challenge_id = $1 AND member_id = $2)", challenge, member).Scan(&has)
	if err != nil {
		return false, s.failed("read a role", err)
	}
	return has, nil
}

// requireRole refuses members whom the challenge has not selected, where it selects anybody at all.
func requireRole(ctx context.Context, q querier, c *ideas.Challenge, member int64) error {
	if c.Spec.Recruiting == nil {
		return nil
	}
	var has bool
	err := q.QueryRow(ctx, "SELECT EXISTS (SELECT FROM challenge_role WHERE challenge_id = $1 AND member_id = $2)", c.ID, member).Scan(&has)
	if err == nil && !has {
		return ideas.ErrNotFound
	}
	return err
}
