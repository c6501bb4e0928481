package postgres

import (
	"context"
	"math/rand/v2"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/quaeso/community-operator/ideas"
	"github.com/quaeso/community-operator/internal/control"
)

// shuffleAt is how many anonymous responses are gathered before they lose the place at which they were written.
const shuffleAt = 10

// surveyOf is what a part of a challenge asks, and whether its responses are anonymous.
func surveyOf(c *ideas.Challenge, part string) (s control.Survey, ok bool) {
	switch {
	case part == ideas.PartSurvey && c.Spec.Survey != nil:
		return *c.Spec.Survey, true
	case part == ideas.PartFinal && c.Spec.BetaTest != nil && c.Spec.BetaTest.FinalSurvey != nil:
		return *c.Spec.BetaTest.FinalSurvey, true
	case c.Spec.ConceptTest != nil:
		for _, stimulus := range c.Spec.ConceptTest.Stimuli {
			if part == ideas.PartOfStimulus(stimulus.Name) {
				return control.Survey{Questions: c.Spec.ConceptTest.Questions}, true
			}
		}
	}
	return control.Survey{}, false
}

// segmentNames are the attributes kept with a response: those that quotas need, and where responses bear a name anyway
// all that offer options, for results by segment.
func (s *Store) segmentNames(c *ideas.Challenge, anonymous bool) []string {
	names := attributesOf(c.Spec.Quotas)
	settings, _ := s.Current(context.Background())
	if anonymous || settings.House == nil {
		return names
	}
	for _, a := range settings.House.Attributes {
		if len(a.Options) > 0 && !slices.Contains(names, a.Name) {
			names = append(names, a.Name)
		}
	}
	return names
}

// quotaCounter is a counter that a response moves, with the bound that it must not pass; 0 for none.
type quotaCounter struct {
	attribute, value string
	most             int
}

// counters of a response: all responses, and its segments that have a quota. Values without a quota share what the
// others leave.
func counters(survey control.Survey, quotas []control.Quota, segments ideas.Segments) []quotaCounter {
	all := []quotaCounter{{most: survey.Limit}}
	if survey.Limit == 0 {
		return all
	}
	for _, attribute := range attributesOf(quotas) {
		one := quotaCounter{attribute: attribute, most: survey.Limit}
		for _, seat := range ideas.QuotaSeats(survey.Limit, quotas) {
			if seat.Attribute != attribute {
				continue
			}
			if slices.Contains(segments[attribute], seat.Value) {
				one.value, one.most = seat.Value, seat.Seats
				break
			}
			one.most -= seat.Seats
		}
		all = append(all, one)
	}
	return all
}

// SurveyStanding implements ideas.SurveyStore.
func (s *Store) SurveyStanding(ctx context.Context, c *ideas.Challenge, part string, member int64) (ideas.SurveyStanding, error) {
	var standing ideas.SurveyStanding
	survey, ok := surveyOf(c, part)
	if !ok {
		return standing, ideas.ErrNotFound
	}
	pool, err := s.db()
	if err != nil {
		return standing, err
	}
	err = pool.QueryRow(ctx, `SELECT coalesce((SELECT responses FROM survey_count WHERE challenge_id = $1 AND part = $2 AND attribute = '' AND value = ''), 0),
		EXISTS (SELECT FROM survey_participation WHERE challenge_id = $1 AND part = $2 AND member_id = $3)`, c.ID, part, member).
		Scan(&standing.Responses, &standing.Responded)
	if err != nil {
		return standing, s.failed("read how far a survey is", err)
	}
	segments := ideas.Segments{}
	if member != 0 {
		if segments, err = segmentsOf(ctx, pool, member, attributesOf(c.Spec.Quotas)); err != nil {
			return standing, s.failed("read how far a survey is", err)
		}
	}
	for _, counter := range counters(survey, c.Spec.Quotas, segments) {
		if counter.most == 0 && counter.attribute == "" || member == 0 && counter.attribute != "" {
			continue
		}
		var n int
		err := pool.QueryRow(ctx, "SELECT coalesce(max(responses), 0) FROM survey_count WHERE challenge_id = $1 AND part = $2 AND attribute = $3 AND value = $4",
			c.ID, part, counter.attribute, counter.value).Scan(&n)
		if err != nil {
			return standing, s.failed("read how far a survey is", err)
		}
		standing.Full = standing.Full || n >= counter.most
	}
	return standing, nil
}

// Respond implements ideas.SurveyStore. The primary key of survey_participation holds that a member responds once, and
// the counters, moved under their bounds, that limit and quotas hold, however many respond at once.
func (s *Store) Respond(ctx context.Context, c *ideas.Challenge, part string, member int64, typed map[string][]string) error {
	survey, ok := surveyOf(c, part)
	if !ok {
		return ideas.ErrNotFound
	}
	if err := s.open(c, ideas.ActionRespond); err != nil {
		return err
	}
	answers, err := ideas.CleanResponse(survey.Questions, typed)
	if err != nil {
		return err
	}
	return s.transact(ctx, "respond to a survey", func(tx pgx.Tx) error {
		if err := s.admitTo(ctx, tx, c, part, member); err != nil {
			return err
		}
		segments, err := segmentsOf(ctx, tx, member, s.segmentNames(c, survey.Anonymous))
		if err != nil {
			return err
		}
		tag, err := tx.Exec(ctx, "INSERT INTO survey_participation (challenge_id, part, member_id) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING", c.ID, part, member)
		if err != nil {
			return err
		}
		if tag.RowsAffected() == 0 {
			return ideas.ErrClosed
		}
		if err := count(ctx, tx, c.ID, part, counters(survey, c.Spec.Quotas, segments)); err != nil {
			return err
		}
		if survey.Anonymous {
			err = storeAnonymous(ctx, tx, c.ID, part, answers, segments)
		} else {
			_, err = tx.Exec(ctx, `INSERT INTO survey_response (challenge_id, part, member_id, responded_at, answers, segments)
				VALUES ($1, $2, $3, $4, $5, $6)`, c.ID, part, member, s.config.Clock(), answers, segments)
		}
		if err != nil {
			return err
		}
		if part == ideas.PartFinal {
			if err := s.touchTester(ctx, tx, c.ID, member); err != nil {
				return err
			}
		}
		return s.recordEvents(ctx, tx, ideas.Event{Kind: ideas.EventSurveyResponded, Actor: member, Challenge: c.ID, Data: map[string]any{"part": part}})
	})
}

// admitTo asks who may respond to a part: the testers to a final survey, those to whom it was shown to a stimulus.
func (s *Store) admitTo(ctx context.Context, tx pgx.Tx, c *ideas.Challenge, part string, member int64) error {
	if part == ideas.PartFinal {
		if err := s.requireTester(ctx, tx, c, member); err != nil {
			return err
		}
		return s.requireContributor(ctx, tx, member)
	}
	if err := s.admit(ctx, tx, c, member); err != nil {
		return err
	}
	if err := requireRole(ctx, tx, c, member); err != nil {
		return err
	}
	stimulus, isStimulus := strings.CutPrefix(part, ideas.PartOfStimulus(""))
	if !isStimulus {
		return nil
	}
	var shown bool
	err := tx.QueryRow(ctx, "SELECT EXISTS (SELECT FROM exposure WHERE challenge_id = $1 AND member_id = $2 AND stimulus = $3)", c.ID, member, stimulus).Scan(&shown)
	if err == nil && !shown {
		return ideas.ErrNotFound
	}
	return err
}

// count moves counters, in their order so that responses cannot wait for each other in a circle, and fails where one is
// full.
func count(ctx context.Context, tx pgx.Tx, challenge int64, part string, all []quotaCounter) error {
	slices.SortFunc(all, func(a, b quotaCounter) int {
		return strings.Compare(a.attribute+"\x00"+a.value, b.attribute+"\x00"+b.value)
	})
	for _, one := range all {
		var n int
		err := tx.QueryRow(ctx, `INSERT INTO survey_count AS s (challenge_id, part, attribute, value, responses) VALUES ($1, $2, $3, $4, 1)
			ON CONFLICT (challenge_id, part, attribute, value) DO UPDATE SET responses = s.responses + 1 RETURNING responses`,
			challenge, part, one.attribute, one.value).Scan(&n)
		if err != nil {
			return err
		}
		if n > one.most && (one.most > 0 || one.attribute != "") {
			return ideas.ErrFull
		}
	}
	return nil
}

// storeAnonymous keeps a response without member and time. Where a row lies and which transaction wrote it would still
// tell who looks into the database's own columns when it came; so every few responses are written anew together, in
// random order.
func storeAnonymous(ctx context.Context, tx pgx.Tx, challenge int64, part string, answers ideas.Answers, segments ideas.Segments) error {
	_, err := tx.Exec(ctx, "INSERT INTO survey_response (challenge_id, part, answers, segments, fresh) VALUES ($1, $2, $3, $4, true)", challenge, part, answers, segments)
	if err != nil {
		return err
	}
	_, err = tx.Exec(ctx, `WITH moved AS (DELETE FROM survey_response r WHERE challenge_id = $1 AND part = $2 AND fresh
			AND (SELECT count(*) FROM survey_response WHERE challenge_id = $1 AND part = $2 AND fresh) >= $3 RETURNING r.*)
		INSERT INTO survey_response (challenge_id, part, answers, segments)
		SELECT challenge_id, part, answers, segments FROM moved ORDER BY random()`, challenge, part, shuffleAt)
	return err
}

// Responses implements ideas.SurveyStore. Identifiers are random, so their order tells nothing.
func (s *Store) Responses(ctx context.Context, c *ideas.Challenge, part string) ([]ideas.Response, error) {
	pool, err := s.db()
	if err != nil {
		return nil, err
	}
	rows, err := pool.Query(ctx, `SELECT coalesce(m.id, 0), coalesce(m.name, ''), r.answers, r.segments
		FROM survey_response r LEFT JOIN member m ON m.id = r.member_id
		WHERE r.challenge_id = $1 AND r.part = $2 ORDER BY r.responded_at, r.id`, c.ID, part)
	if err != nil {
		return nil, s.failed("list responses", err)
	}
	list, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (ideas.Response, error) {
		var r ideas.Response
		var author ideas.Author
		err := row.Scan(&author.ID, &author.Name, &r.Answers, &r.Segments)
		if author.ID != 0 {
			r.Member = &author
		}
		return r, err
	})
	if err != nil {
		return nil, s.failed("list responses", err)
	}
	return list, nil
}

// ExportResponses implements ideas.SurveyStore.
func (s *Store) ExportResponses(ctx context.Context, actor int64, c *ideas.Challenge, part string) ([]ideas.Response, error) {
	err := s.transact(ctx, "note an export of responses", func(tx pgx.Tx) error {
		who, err := s.teamMember(ctx, tx, actor, ideas.MayExport)
		if err != nil {
			return err
		}
		return audit(ctx, tx, who.id, "export.responses", "challenge", c.ID, map[string]any{"challenge": c.Name, "part": part})
	})
	if err != nil {
		return nil, err
	}
	return s.Responses(ctx, c, part)
}

// Exposures implements ideas.SurveyStore.
func (s *Store) Exposures(ctx context.Context, c *ideas.Challenge, member int64) ([]ideas.Exposure, error) {
	test := c.Spec.ConceptTest
	if test == nil {
		return nil, ideas.ErrNotFound
	}
	pool, err := s.db()
	if err != nil {
		return nil, err
	}
	list, err := exposures(ctx, pool, c.ID, member)
	if err != nil {
		return nil, s.failed("read what a member is shown", err)
	}
	if len(list) > 0 {
		return list, nil
	}
	if err := s.open(c, ideas.ActionRespond); err != nil {
		return nil, err
	}
	err = s.transact(ctx, "assign stimuli", func(tx pgx.Tx) error {
		if err := s.admit(ctx, tx, c, member); err != nil {
			return err
		}
		if err := requireRole(ctx, tx, c, member); err != nil {
			return err
		}
		if err := assignStimuli(ctx, tx, c.ID, member, *test); err != nil {
			return err
		}
		list, err = exposures(ctx, tx, c.ID, member)
		return err
	})
	return list, err
}

// assignStimuli decides once what a member is shown. The counters are locked in one order, so members who come at once
// are balanced too.
func assignStimuli(ctx context.Context, tx pgx.Tx, challenge, member int64, test control.ConceptTest) error {
	names := make([]string, len(test.Stimuli))
	for i, stimulus := range test.Stimuli {
		names[i] = stimulus.Name
	}
	if _, err := tx.Exec(ctx, "INSERT INTO stimulus_count (challenge_id, stimulus) SELECT $1, s FROM unnest($2::text[]) AS t (s) ORDER BY s ON CONFLICT DO NOTHING", challenge, names); err != nil {
		return err
	}
	rows, err := tx.Query(ctx, "SELECT stimulus, shown FROM stimulus_count WHERE challenge_id = $1 ORDER BY stimulus FOR UPDATE", challenge)
	if err != nil {
		return err
	}
	shown := map[string]int{}
	var name string
	var n int
	if _, err := pgx.ForEachRow(rows, []any{&name, &n}, func() error { shown[name] = n; return nil }); err != nil {
		return err
	}
	random := rand.New(rand.NewPCG(rand.Uint64(), rand.Uint64())) //nolint:gosec // an order, no secret
	picked := ideas.AssignStimuli(names, shown, test.PerMember, random)
	tag, err := tx.Exec(ctx, `INSERT INTO exposure (challenge_id, member_id, place, stimulus)
		SELECT $1, $2, n, s FROM unnest($3::text[]) WITH ORDINALITY AS t (s, n)
		WHERE NOT EXISTS (SELECT FROM exposure WHERE challenge_id = $1 AND member_id = $2)`, challenge, member, picked)
	if err != nil || tag.RowsAffected() == 0 {
		return err
	}
	_, err = tx.Exec(ctx, "UPDATE stimulus_count SET shown = shown + 1 WHERE challenge_id = $1 AND stimulus = ANY($2)", challenge, picked)
	return err
}

func exposures(ctx context.Context, q querier, challenge, member int64) ([]ideas.Exposure, error) {
	rows, err := q.Query(ctx, `SELECT e.stimulus, EXISTS (SELECT FROM survey_participation p
			WHERE p.challenge_id = e.challenge_id AND p.member_id = e.member_id AND p.part = $3 || e.stimulus)
		FROM exposure e WHERE e.challenge_id = $1 AND e.member_id = $2 ORDER BY e.place`, challenge, member, ideas.PartOfStimulus(""))
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, func(row pgx.CollectableRow) (ideas.Exposure, error) {
		var e ideas.Exposure
		err := row.Scan(&e.Stimulus, &e.Answered)
		return e, err
	})
}

// StimuliShown implements ideas.SurveyStore.
func (s *Store) StimuliShown(ctx context.Context, challenge int64) (map[string]int, error) {
	pool, err := s.db()
	if err != nil {
		return nil, err
	}
	rows, err := pool.Query(ctx, "SELECT stimulus, shown FROM stimulus_count WHERE challenge_id = $1", challenge)
	if err != nil {
		return nil, s.failed("read what was shown", err)
	}
	shown := map[string]int{}
	var name string
	var n int
	if _, err := pgx.ForEachRow(rows, []any{&name, &n}, func() error { shown[name] = n; return nil }); err != nil {
		return nil, s.failed("read what was shown", err)
	}
	return shown, nil
}
