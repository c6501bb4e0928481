package postgres

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/riverqueue/river"

	"github.com/quaeso/community-operator/ideas"
	"github.com/quaeso/community-operator/internal/control"
)

// requireTester refuses who does not test, or no longer.
func (s *Store) requireTester(ctx context.Context, q querier, c *ideas.Challenge, member int64) error {
	var tests bool
	err := q.QueryRow(ctx, "SELECT EXISTS (SELECT FROM tester WHERE challenge_id = $1 AND member_id = $2 AND dropped_at IS NULL)", c.ID, member).Scan(&tests)
	if err == nil && !tests {
		return ideas.ErrNotFound
	}
	return err
}

func (s *Store) touchTester(ctx context.Context, tx pgx.Tx, challenge, member int64) error {
	_, err := tx.Exec(ctx, "UPDATE tester SET active_at = greatest(active_at, $3) WHERE challenge_id = $1 AND member_id = $2", challenge, member, s.config.Clock())
	return err
}

const testerQuery = `SELECT t.challenge_id, m.id, m.name, t.kit, t.tracking, t.joined_at, coalesce(t.sent_at, '0001-01-01'),
		coalesce(t.received_at, '0001-01-01'), t.active_at, coalesce(t.dropped_at, '0001-01-01'),
		(SELECT count(*) FROM diary_entry d WHERE d.challenge_id = t.challenge_id AND d.member_id = t.member_id),
		(SELECT count(*) FROM bug_report b WHERE b.challenge_id = t.challenge_id AND b.member_id = t.member_id),
		EXISTS (SELECT FROM survey_participation p WHERE p.challenge_id = t.challenge_id AND p.member_id = t.member_id AND p.part = 'final')
	FROM tester t JOIN member m ON m.id = t.member_id WHERE t.challenge_id = $1`

func scanTester(row pgx.Row) (ideas.Tester, error) {
	var t ideas.Tester
	err := row.Scan(&t.Challenge, &t.Member.ID, &t.Member.Name, &t.Kit, &t.Tracking, &t.JoinedAt, &t.SentAt, &t.ReceivedAt, &t.ActiveAt,
		&t.DroppedAt, &t.Entries, &t.Bugs, &t.Final)
	return t, err
}

// Tester implements ideas.BetaTestStore.
func (s *Store) Tester(ctx context.Context, c *ideas.Challenge, member int64) (ideas.Tester, error) {
	pool, err := s.db()
	if err != nil {
		return ideas.Tester{}, err
	}
	t, err := scanTester(pool.QueryRow(ctx, testerQuery+" AND t.member_id = $2", c.ID, member))
	if err != nil {
		return t, s.failed("get a tester", err)
	}
	return t, nil
}

// maxTesters bounds a list of testers.
const maxTesters = 1000

// Testers implements ideas.BetaTestStore.
func (s *Store) Testers(ctx context.Context, c *ideas.Challenge) ([]ideas.Tester, error) {
	pool, err := s.db()
	if err != nil {
		return nil, err
	}
	rows, err := pool.Query(ctx, testerQuery+" ORDER BY t.dropped_at IS NOT NULL, t.joined_at, t.member_id LIMIT $2", c.ID, maxTesters)
	if err != nil {
		return nil, s.failed("list testers", err)
	}
	list, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (ideas.Tester, error) { return scanTester(row) })
	if err != nil {
		return nil, s.failed("list testers", err)
	}
	return list, nil
}

// SetKit implements ideas.BetaTestStore.
func (s *Store) SetKit(ctx context.Context, actor int64, c *ideas.Challenge, tester int64, kit ideas.Kit, tracking string) error {
	tracking, err := ideas.CleanTracking(tracking)
	if err != nil {
		return err
	}
	now := s.config.Clock()
	change := "UPDATE tester SET kit = $3, tracking = $4, sent_at = CASE WHEN $3 = 'sent' THEN $5::timestamptz END, received_at = NULL"
	switch kit {
	case ideas.KitReceived:
		change = "UPDATE tester SET kit = $3, tracking = CASE WHEN $4 = '' THEN tracking ELSE $4 END, received_at = $5, active_at = greatest(active_at, $5)"
	case ideas.KitSent, ideas.KitToSend:
	default:
		return ideas.ErrNotFound
	}
	return s.transact(ctx, "record where a kit is", func(tx pgx.Tx) error {
		tag, err := tx.Exec(ctx, change+" WHERE challenge_id = $1 AND member_id = $2 AND dropped_at IS NULL AND kit <> $3", c.ID, tester, kit, tracking, now)
		if err != nil || tag.RowsAffected() == 0 {
			return err
		}
		event := ideas.Event{Kind: ideas.EventTestKit, Actor: actor, Subject: tester, Challenge: c.ID, Data: map[string]any{"kit": kit, "tracking": tracking}}
		if err := s.recordEvents(ctx, tx, event); err != nil || actor == tester {
			return err
		}
		return audit(ctx, tx, actor, "test.kit", "challenge", c.ID, map[string]any{"member": tester, "kit": kit})
	})
}

// AddDiary implements ideas.BetaTestStore.
func (s *Store) AddDiary(ctx context.Context, c *ideas.Challenge, tester int64, key string, mood int, body string) error {
	body, err := ideas.CleanDiary(mood, body)
	if err := errors.Join(err, checkKey(key)); err != nil {
		return err
	}
	if err := s.open(c, ideas.ActionRespond); err != nil {
		return err
	}
	return s.transact(ctx, "add a diary entry", func(tx pgx.Tx) error {
		if err := s.requireTester(ctx, tx, c, tester); err != nil {
			return err
		}
		if err := s.requireContributor(ctx, tx, tester); err != nil {
			return err
		}
		tag, err := tx.Exec(ctx, `INSERT INTO diary_entry (challenge_id, member_id, mood, body, submission_key, created_at) VALUES ($1, $2, $3, $4, $5, $6)
			ON CONFLICT (member_id, submission_key) DO NOTHING`, c.ID, tester, mood, body, nullable(key), s.config.Clock())
		if err != nil || tag.RowsAffected() == 0 {
			return err
		}
		if err := s.touchTester(ctx, tx, c.ID, tester); err != nil {
			return err
		}
		return s.recordEvents(ctx, tx, ideas.Event{Kind: ideas.EventTestDiary, Actor: tester, Challenge: c.ID})
	})
}

// maxDiary bounds the entries of a diary that are read.
const maxDiary = 500

// Diary implements ideas.BetaTestStore.
func (s *Store) Diary(ctx context.Context, challenge, tester int64) ([]ideas.DiaryEntry, error) {
	pool, err := s.db()
	if err != nil {
		return nil, err
	}
	rows, err := pool.Query(ctx, `SELECT id, mood, body, created_at FROM diary_entry WHERE challenge_id = $1 AND member_id = $2
		ORDER BY id DESC LIMIT $3`, challenge, tester, maxDiary)
	if err != nil {
		return nil, s.failed("read a diary", err)
	}
	list, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (ideas.DiaryEntry, error) {
		var e ideas.DiaryEntry
		err := row.Scan(&e.ID, &e.Mood, &e.Body, &e.CreatedAt)
		return e, err
	})
	if err != nil {
		return nil, s.failed("read a diary", err)
	}
	return list, nil
}

// DiaryTimes implements ideas.BetaTestStore.
func (s *Store) DiaryTimes(ctx context.Context, challenge int64) (map[int64][]time.Time, error) {
	pool, err := s.db()
	if err != nil {
		return nil, err
	}
	rows, err := pool.Query(ctx, "SELECT member_id, array_agg(created_at) FROM diary_entry WHERE challenge_id = $1 GROUP BY member_id LIMIT $2", challenge, maxTesters)
	if err != nil {
		return nil, s.failed("read when testers have written", err)
	}
	times := map[int64][]time.Time{}
	var member int64
	var at []time.Time
	if _, err := pgx.ForEachRow(rows, []any{&member, &at}, func() error { times[member] = slices.Clone(at); return nil }); err != nil {
		return nil, s.failed("read when testers have written", err)
	}
	return times, nil
}

const bugQuery = `SELECT b.id, m.id, m.name, b.title, b.steps, b.severity, b.status, coalesce(b.duplicate_of, 0),
		(SELECT count(*) FROM bug_report d WHERE d.duplicate_of = b.id), b.answer, b.created_at
	FROM bug_report b JOIN member m ON m.id = b.member_id`

func scanBug(row pgx.Row) (ideas.Bug, error) {
	var b ideas.Bug
	err := row.Scan(&b.ID, &b.Author.ID, &b.Author.Name, &b.Title, &b.Steps, &b.Severity, &b.Status, &b.DuplicateOf, &b.Duplicates, &b.Answer, &b.CreatedAt)
	return b, err
}

// ReportBug implements ideas.BetaTestStore.
func (s *Store) ReportBug(ctx context.Context, c *ideas.Challenge, tester int64, key, title, steps string, severity ideas.Severity) (ideas.Bug, error) {
	title, steps, err := ideas.CleanBug(title, steps, severity)
	if err := errors.Join(err, checkKey(key)); err != nil {
		return ideas.Bug{}, err
	}
	if err := s.open(c, ideas.ActionRespond); err != nil {
		return ideas.Bug{}, err
	}
	var bug ideas.Bug
	err = s.transact(ctx, "report a bug", func(tx pgx.Tx) error {
		if err := s.requireTester(ctx, tx, c, tester); err != nil {
			return err
		}
		if err := s.requireContributor(ctx, tx, tester); err != nil {
			return err
		}
		var id int64
		err := tx.QueryRow(ctx, `INSERT INTO bug_report (challenge_id, member_id, title, steps, severity, submission_key, created_at) VALUES ($1, $2, $3, $4, $5, $6, $7)
			ON CONFLICT (member_id, submission_key) DO NOTHING RETURNING id`, c.ID, tester, title, steps, severity, nullable(key), s.config.Clock()).Scan(&id)
		if errors.Is(err, pgx.ErrNoRows) {
			bug, err = scanBug(tx.QueryRow(ctx, bugQuery+" WHERE b.member_id = $1 AND b.submission_key = $2", tester, key))
			return err
		}
		if err != nil {
			return err
		}
		if err := s.touchTester(ctx, tx, c.ID, tester); err != nil {
			return err
		}
		if bug, err = scanBug(tx.QueryRow(ctx, bugQuery+" WHERE b.id = $1", id)); err != nil {
			return err
		}
		return s.recordEvents(ctx, tx, ideas.Event{Kind: ideas.EventTestBug, Actor: tester, Challenge: c.ID, Data: map[string]any{"bug": id, "severity": severity}})
	})
	return bug, err
}

// Bugs implements ideas.BetaTestStore.
func (s *Store) Bugs(ctx context.Context, challenge, tester, before int64, limit int) ([]ideas.Bug, error) {
	pool, err := s.db()
	if err != nil {
		return nil, err
	}
	rows, err := pool.Query(ctx, bugQuery+` WHERE b.challenge_id = $1 AND ($2::bigint = 0 OR b.member_id = $2) AND ($3::bigint = 0 OR b.id < $3)
		ORDER BY b.id DESC LIMIT $4`, challenge, tester, before, pageSize(limit))
	if err != nil {
		return nil, s.failed("list bugs", err)
	}
	list, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (ideas.Bug, error) { return scanBug(row) })
	if err != nil {
		return nil, s.failed("list bugs", err)
	}
	return list, nil
}

// AnswerBug implements ideas.BetaTestStore.
func (s *Store) AnswerBug(ctx context.Context, actor int64, c *ideas.Challenge, bug int64, answer ideas.BugAnswer) error {
	text, err := ideas.CleanReason(answer.Answer, false)
	if err != nil {
		return err
	}
	if !slices.Contains(ideas.BugStatuses(), answer.Status) {
		return &ideas.FieldError{Field: "status", Code: "choice"}
	}
	if answer.Status != ideas.BugDuplicate {
		answer.DuplicateOf = 0
	}
	return s.transact(ctx, "answer a bug", func(tx pgx.Tx) error {
		original := int64(0)
		if answer.Status == ideas.BugDuplicate {
			// A duplicate of a duplicate repeats the first of them.
			err := tx.QueryRow(ctx, "SELECT coalesce(duplicate_of, id) FROM bug_report WHERE id = $1 AND challenge_id = $2", answer.DuplicateOf, c.ID).Scan(&original)
			if errors.Is(err, pgx.ErrNoRows) || original == bug {
				return &ideas.FieldError{Field: "duplicateOf", Code: "invalid"}
			}
			if err != nil {
				return err
			}
		}
		var author int64
		err := tx.QueryRow(ctx, `UPDATE bug_report SET status = $3, duplicate_of = nullif($4::bigint, 0), answer = $5 WHERE id = $1 AND challenge_id = $2 RETURNING member_id`,
			bug, c.ID, answer.Status, original, text).Scan(&author)
		if err != nil {
			return err
		}
		if original != 0 {
			if _, err := tx.Exec(ctx, "UPDATE bug_report SET duplicate_of = $2 WHERE duplicate_of = $1", bug, original); err != nil {
				return err
			}
		}
		event := ideas.Event{
			Kind: ideas.EventTestBugAnswered, Actor: actor, Subject: author, Challenge: c.ID, Data: map[string]any{"bug": bug, "status": answer.Status},
		}
		if err := s.recordEvents(ctx, tx, event); err != nil {
			return err
		}
		return audit(ctx, tx, actor, "test.bug", "challenge", c.ID, map[string]any{"bug": bug, "status": answer.Status})
	})
}

// DropSilentTesters implements ideas.BetaTestStore. Before somebody's kit has come, nothing is expected of them.
func (s *Store) DropSilentTesters(ctx context.Context) (int, error) {
	dropped := 0
	now := s.config.Clock()
	for _, c := range s.Programme(ctx).Challenges {
		test := c.Spec.BetaTest
		if c.Spec.Type != control.TypeBetaTest || test == nil || test.DropOutDays <= 0 || s.open(c, ideas.ActionRespond) != nil {
			continue
		}
		err := s.transact(ctx, "drop silent testers", func(tx pgx.Tx) error {
			if err := lockChallenge(ctx, tx, c.ID); err != nil {
				return err
			}
			rows, err := tx.Query(ctx, `SELECT member_id FROM tester WHERE challenge_id = $1 AND dropped_at IS NULL AND active_at < $2
				AND (kit = 'received' OR NOT $3) AND NOT EXISTS (SELECT FROM survey_participation p
					WHERE p.challenge_id = tester.challenge_id AND p.member_id = tester.member_id AND p.part = 'final')
				ORDER BY member_id LIMIT $4`, c.ID, now.AddDate(0, 0, -test.DropOutDays), len(test.Kit) > 0, maxTesters)
			if err != nil {
				return err
			}
			silent, err := pgx.CollectRows(rows, pgx.RowTo[int64])
			if err != nil {
				return err
			}
			for _, member := range silent {
				if err := s.dropOut(ctx, tx, 0, c, member, "silent"); err != nil {
					return fmt.Errorf("drop tester %d: %w", member, err)
				}
			}
			dropped += len(silent)
			return nil
		})
		if err != nil {
			return dropped, err
		}
	}
	return dropped, nil
}

// dropSilentArgs is the job that drops silent testers.
type dropSilentArgs struct{}

// Kind implements river.JobArgs.
func (dropSilentArgs) Kind() string { return "drop_silent_testers" }

type dropSilentWorker struct {
	river.WorkerDefaults[dropSilentArgs]
	store *Store
}

// Work implements river.Worker.
func (w *dropSilentWorker) Work(ctx context.Context, _ *river.Job[dropSilentArgs]) error {
	_, err := w.store.DropSilentTesters(ctx)
	return err
}

// methodJobs are what the clock brings about in the methods beside ideation.
func (s *Store) methodJobs() Jobs {
	return Jobs{
		Register: func(workers *river.Workers) { river.AddWorker(workers, &dropSilentWorker{store: s}) },
		Periodic: []*river.PeriodicJob{river.NewPeriodicJob(river.PeriodicInterval(time.Hour), func() (river.JobArgs, *river.InsertOpts) {
			return dropSilentArgs{}, nil
		}, nil)},
	}
}
