package postgres

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/riverqueue/river"

	"github.com/quaeso/community-operator/ideas"
)

const (
	// digestHour is when digests are sent, in the member's time zone; weekly ones on Mondays.
	digestHour = 8
	// planEvery is how late a digest may be.
	planEvery = 10 * time.Minute
	// planBatch bounds the digests planned in one transaction.
	planBatch = 1000
)

// NoticeLetter is what is to be mailed of a notice; ideas.ErrNotFound where nothing is any more.
func (s *Store) NoticeLetter(ctx context.Context, notice int64) (ideas.Letter, error) {
	return s.letter(ctx, `n.id = $1 AND n.mail = 'now'`, "", notice)
}

// DigestLetter is what is to be mailed to a member of what happened before a moment; ideas.ErrNotFound where nothing is.
func (s *Store) DigestLetter(ctx context.Context, member int64, before time.Time) (ideas.Letter, error) {
	return s.letter(ctx, `n.member_id = $1 AND n.mail = 'digest' AND n.created_at < $2`, everyKind, member, before)
}

// letter gathers notices for one member. The notices' kind is that of the link that stops them, unless every is given.
func (s *Store) letter(ctx context.Context, where string, every ideas.NoticeKind, args ...any) (ideas.Letter, error) {
	pool, err := s.db()
	if err != nil {
		return ideas.Letter{}, err
	}
	var l ideas.Letter
	rows, err := pool.Query(ctx, "SELECT n.id, n.member_id FROM notice n WHERE "+where+" ORDER BY n.id DESC", args...)
	if err != nil {
		return l, s.failed("look what is to be mailed", err)
	}
	var id int64
	_, err = pgx.ForEachRow(rows, []any{&id, &l.Member}, func() error { l.IDs = append(l.IDs, id); return nil })
	if err != nil {
		return l, s.failed("look what is to be mailed", err)
	}
	if len(l.IDs) == 0 {
		return l, ideas.ErrNotFound
	}
	return s.fillLetter(ctx, pool, l, every)
}

func (s *Store) fillLetter(ctx context.Context, q querier, l ideas.Letter, every ideas.NoticeKind) (ideas.Letter, error) {
	var key [16]byte
	err := q.QueryRow(ctx, "SELECT email, name, locale, mail_key FROM member WHERE id = $1 AND email IS NOT NULL AND erased_at IS NULL", l.Member).
		Scan(&l.Email, &l.Name, &l.Locale, &key)
	if err != nil {
		return l, s.failed("look whom to write to", err)
	}
	told := l.IDs[:min(len(l.IDs), ideas.LettersInDigest)]
	l.More = len(l.IDs) - len(told)
	rows, err := q.Query(ctx, noticeQuery+" WHERE n.id = ANY($1) ORDER BY n.id DESC", told)
	if err != nil {
		return l, s.failed("read what is to be mailed", err)
	}
	if l.Notices, err = pgx.CollectRows(rows, scanNotice); err != nil {
		return l, s.failed("read what is to be mailed", err)
	}
	kind := every
	if kind == "" && len(l.Notices) > 0 {
		kind = l.Notices[0].Kind
	}
	l.Unsubscribe = unsubscribeToken(key, l.Member, kind)
	return l, nil
}

// lettersKept is how long it is known which letters were handed over; jobs are tried for three days.
const lettersKept = 30 * day

// ClaimLetter notes that a letter is about to be handed over to the mail server, with the notices that it tells of; false
// where it was before. A process that dies in between may lose the letter, and nobody sends it a second time.
func (s *Store) ClaimLetter(ctx context.Context, id string, notices []int64) (bool, error) {
	claimed := false
	err := s.transact(ctx, "claim a letter", func(tx pgx.Tx) error {
		tag, err := tx.Exec(ctx, "INSERT INTO letter (id, at) VALUES ($1, $2) ON CONFLICT DO NOTHING", id, s.config.Clock())
		if claimed = tag.RowsAffected() > 0; err != nil || !claimed {
			return err
		}
		_, err = tx.Exec(ctx, "UPDATE notice SET mail = 'sent' WHERE id = ANY($1)", notices)
		return err
	})
	return claimed && err == nil, err
}

// ReturnLetter takes a claim back: the mail server has not taken the letter over, and it is to be tried again.
func (s *Store) ReturnLetter(ctx context.Context, id string, notices []int64, mail ideas.MailMode) error {
	return s.transact(ctx, "return a letter", func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, "DELETE FROM letter WHERE id = $1", id); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, "UPDATE notice SET mail = $2 WHERE id = ANY($1) AND mail = 'sent'", notices, mail)
		return err
	})
}

// PlanDigests adds the jobs of digests that are due. A digest covers what happened until its hour came: whoever is told of
// something afterwards waits for the next, and a job that has been added is not added again.
func (s *Store) PlanDigests(ctx context.Context) error {
	now := s.config.Clock()
	for after := int64(0); ; {
		var planned int
		err := s.transact(ctx, "plan digests", func(tx pgx.Tx) error {
			rows, err := tx.Query(ctx, `SELECT d.id, d.due FROM (
					SELECT m.id, (CASE m.digest WHEN 'weekly' THEN date_trunc('week', l.at) ELSE date_trunc('day', l.at) END
						+ make_interval(hours => $3)) AT TIME ZONE l.zone AS due
					FROM member m, LATERAL (SELECT coalesce(m.time_zone, $2) AS zone,
						($1::timestamptz AT TIME ZONE coalesce(m.time_zone, $2)) - make_interval(hours => $3) AS at) l
					WHERE m.id > $4 AND m.id IN (SELECT member_id FROM notice WHERE mail = 'digest')) d
				WHERE EXISTS (SELECT FROM notice n WHERE n.member_id = d.id AND n.mail = 'digest' AND n.created_at < d.due)
				ORDER BY d.id LIMIT $5`, now, s.zone().String(), digestHour, after, planBatch)
			if err != nil {
				return err
			}
			var jobs []river.InsertManyParams
			var member int64
			var due time.Time
			_, err = pgx.ForEachRow(rows, []any{&member, &due}, func() error {
				jobs = append(jobs, river.InsertManyParams{
					Args:       ideas.DigestMail{Member: member, Before: due.UTC()},
					InsertOpts: &river.InsertOpts{Priority: priorityDigest, UniqueOpts: river.UniqueOpts{ByArgs: true}},
				})
				after = member
				return nil
			})
			if err != nil {
				return err
			}
			planned = len(jobs)
			return s.enqueueAll(ctx, tx, jobs)
		})
		if err != nil {
			return err
		}
		if planned < planBatch {
			return nil
		}
	}
}

// planDigestsArgs is the periodic job that plans digests.
type planDigestsArgs struct{}

// Kind names the job.
func (planDigestsArgs) Kind() string { return "plan_digests" }
