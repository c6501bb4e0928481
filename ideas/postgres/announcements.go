package postgres

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/quaeso/community-operator/ideas"
)

// toAnnounced is the audience of an announcement's event.
const toAnnounced = `SELECT member_id FROM (SELECT n.* FROM e JOIN announcement n ON n.id = (e.data->>'announcement')::bigint) n, LATERAL (` + audienceOf + `) a`

// audienceOf selects the members whom an announcement n is for.
const audienceOf = `SELECT id AS member_id FROM member WHERE erased_at IS NULL AND n.audience = 'all'
	UNION SELECT t.member_id FROM attribute t WHERE n.audience = 'segment' AND t.name = n.attribute AND t.value = n.value
	UNION SELECT i.author_id FROM idea i WHERE n.audience = 'challenge' AND i.challenge_id = n.challenge_id AND i.state <> 'draft'
	UNION SELECT f.member_id FROM follow f WHERE n.audience = 'challenge' AND f.kind = 'challenge' AND f.target_id = n.challenge_id AND f.following
	EXCEPT SELECT f.member_id FROM follow f WHERE n.audience = 'challenge' AND f.kind = 'challenge' AND f.target_id = n.challenge_id AND NOT f.following`

// SaveAnnouncement implements ideas.AnnouncementStore.
func (s *Store) SaveAnnouncement(ctx context.Context, actor int64, a ideas.Announcement, locales []string) (int64, error) {
	a, err := s.cleanAnnouncement(a, locales)
	if err != nil {
		return 0, err
	}
	now := s.config.Clock()
	err = s.transact(ctx, "save an announcement", func(tx pgx.Tx) error {
		if a.ID == 0 {
			return tx.QueryRow(ctx, `INSERT INTO announcement (author_id, title, body, audience, attribute, value, challenge_id, created_at, updated_at)
				VALUES ($1, $2, $3, $4, $5, $6, nullif($7, 0), $8, $8) RETURNING id`,
				actor, a.Title, a.Body, a.Audience, a.Attribute, a.Value, a.Challenge, now).Scan(&a.ID)
		}
		return tx.QueryRow(ctx, `UPDATE announcement SET title = $2, body = $3, audience = $4, attribute = $5, value = $6,
			challenge_id = nullif($7, 0), updated_at = $8 WHERE id = $1 AND sent_at IS NULL RETURNING id`,
			a.ID, a.Title, a.Body, a.Audience, a.Attribute, a.Value, a.Challenge, now).Scan(&a.ID)
	})
	return a.ID, err
}

// cleanAnnouncement asks for both texts in every language of the community, and for an audience that exists.
func (s *Store) cleanAnnouncement(a ideas.Announcement, locales []string) (ideas.Announcement, error) {
	var wrong []error
	title, body := map[string]string{}, map[string]string{}
	for _, locale := range locales {
		var err error
		if title[locale], err = ideas.CleanTitle(a.Title[locale]); err != nil {
			wrong = append(wrong, fieldIn(err, "title."+locale))
		}
		if body[locale], err = ideas.CleanBody(a.Body[locale]); err != nil {
			wrong = append(wrong, fieldIn(err, "body."+locale))
		} else if len([]rune(body[locale])) > ideas.MaxAnnouncement {
			wrong = append(wrong, &ideas.FieldError{Field: "body." + locale, Code: "too_long", Limit: ideas.MaxAnnouncement})
		}
	}
	a.Title, a.Body = title, body
	switch a.Audience {
	case ideas.AudienceAll:
		a.Attribute, a.Value, a.Challenge = "", "", 0
	case ideas.AudienceSegment:
		if a.Challenge = 0; a.Attribute == "" || a.Value == "" {
			wrong = append(wrong, &ideas.FieldError{Field: "segment", Code: "required"})
		}
	case ideas.AudienceChallenge:
		if a.Attribute, a.Value = "", ""; s.Programme(context.Background()).ChallengeByID(a.Challenge) == nil {
			wrong = append(wrong, &ideas.FieldError{Field: "challenge", Code: "required"})
		}
	default:
		wrong = append(wrong, &ideas.FieldError{Field: "audience", Code: "invalid"})
	}
	return a, errors.Join(wrong...)
}

// fieldIn is a field's error under another name.
func fieldIn(err error, name string) error {
	field := (*ideas.FieldError)(nil)
	if !errors.As(err, &field) {
		return err
	}
	return &ideas.FieldError{Field: name, Code: field.Code, Limit: field.Limit}
}

// SendAnnouncement implements ideas.AnnouncementStore. The row's lock makes two who press at once send it once.
func (s *Store) SendAnnouncement(ctx context.Context, actor, id int64) error {
	return s.transact(ctx, "send an announcement", func(tx pgx.Tx) error {
		a, err := scanAnnouncement(tx.QueryRow(ctx, announcementQuery+" WHERE n.id = $1 FOR UPDATE OF n", id))
		if err != nil || !a.SentAt.IsZero() {
			return err
		}
		if _, err := tx.Exec(ctx, "UPDATE announcement SET sent_at = $2 WHERE id = $1", id, s.config.Clock()); err != nil {
			return err
		}
		detail := map[string]any{"audience": a.Audience}
		if a.Attribute != "" {
			detail["attribute"], detail["value"] = a.Attribute, a.Value
		}
		if err := audit(ctx, tx, actor, "announcement.send", "announcement", id, detail); err != nil {
			return err
		}
		return s.recordEvents(ctx, tx, ideas.Event{
			Kind: ideas.EventAnnounced, Actor: actor, Challenge: a.Challenge, Data: map[string]any{"announcement": id, "title": a.Title},
		})
	})
}

const announcementQuery = `SELECT n.id, n.title, n.body, n.audience, n.attribute, n.value, coalesce(n.challenge_id, 0), coalesce(m.id, 0),
	coalesce(m.name, ''), n.updated_at, coalesce(n.sent_at, '0001-01-01') FROM announcement n LEFT JOIN member m ON m.id = n.author_id`

func scanAnnouncement(row pgx.Row) (ideas.Announcement, error) {
	var a ideas.Announcement
	err := row.Scan(&a.ID, &a.Title, &a.Body, &a.Audience, &a.Attribute, &a.Value, &a.Challenge, &a.Author.ID, &a.Author.Name, &a.UpdatedAt, &a.SentAt)
	return a, err
}

// Announcements implements ideas.AnnouncementStore.
func (s *Store) Announcements(ctx context.Context, limit int) ([]ideas.Announcement, error) {
	pool, err := s.db()
	if err != nil {
		return nil, err
	}
	rows, err := pool.Query(ctx, announcementQuery+" ORDER BY n.sent_at DESC NULLS FIRST, n.id DESC LIMIT $1", pageSize(limit))
	if err != nil {
		return nil, s.failed("list announcements", err)
	}
	list, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (ideas.Announcement, error) { return scanAnnouncement(row) })
	if err != nil {
		return nil, s.failed("list announcements", err)
	}
	return list, nil
}

// Announcement implements ideas.AnnouncementStore.
func (s *Store) Announcement(ctx context.Context, id int64) (ideas.Announcement, error) {
	return s.announcement(ctx, " WHERE n.id = $1", id)
}

// SentAnnouncement implements ideas.AnnouncementStore.
func (s *Store) SentAnnouncement(ctx context.Context, viewer, id int64) (ideas.Announcement, error) {
	return s.announcement(ctx, ` WHERE n.id = $1 AND n.sent_at IS NOT NULL
		AND (n.audience = 'all' OR EXISTS (SELECT FROM (`+audienceOf+`) a WHERE a.member_id = $2))`, id, viewer)
}

func (s *Store) announcement(ctx context.Context, where string, args ...any) (ideas.Announcement, error) {
	pool, err := s.db()
	if err != nil {
		return ideas.Announcement{}, err
	}
	a, err := scanAnnouncement(pool.QueryRow(ctx, announcementQuery+where, args...))
	if err != nil {
		return a, s.failed("read an announcement", err)
	}
	return a, nil
}

// Reach implements ideas.AnnouncementStore.
func (s *Store) Reach(ctx context.Context, id int64) (int, error) {
	pool, err := s.db()
	if err != nil {
		return 0, err
	}
	var n int
	err = pool.QueryRow(ctx, "SELECT count(*) FROM announcement n, LATERAL ("+audienceOf+") a WHERE n.id = $1", id).Scan(&n)
	if err != nil {
		return 0, s.failed("count an audience", err)
	}
	return n, nil
}

// Audit implements ideas.RecordStore.
func (s *Store) Audit(ctx context.Context, q ideas.AuditQuery) ([]ideas.AuditEntry, error) {
	pool, err := s.db()
	if err != nil {
		return nil, err
	}
	var where strings.Builder
	args := []any{pageSize(q.Limit)}
	add := func(condition string, value any) {
		args = append(args, value)
		where.WriteString(" AND " + strings.ReplaceAll(condition, "$n", "$"+itoa(len(args))))
	}
	switch {
	case strings.HasSuffix(q.Action, "."):
		// The end of the range is the prefix with the character after the point.
		add("a.action >= $n", q.Action)
		add("a.action < $n", strings.TrimSuffix(q.Action, ".")+"/")
	case q.Action != "":
		add("a.action = $n", q.Action)
	}
	if q.Actor != 0 {
		add("a.actor_id = $n", q.Actor)
	}
	if q.Subject != "" {
		add("a.subject = $n", q.Subject)
	}
	if q.SubjectID != 0 {
		add("a.subject_id = $n", q.SubjectID)
	}
	for condition, at := range map[string]time.Time{"a.at >= $n": q.From, "a.at < $n": q.To} {
		if !at.IsZero() {
			add(condition, at)
		}
	}
	if q.Before != 0 {
		add("a.id < $n", q.Before)
	}
	rows, err := pool.Query(ctx, `SELECT a.id, a.at, coalesce(a.actor_id, 0), coalesce(m.name, ''), a.action, a.subject, coalesce(a.subject_id, 0), a.detail
		FROM audit a LEFT JOIN member m ON m.id = a.actor_id WHERE true`+where.String()+" ORDER BY a.id DESC LIMIT $1", args...)
	if err != nil {
		return nil, s.failed("read the audit log", err)
	}
	entries, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (ideas.AuditEntry, error) {
		var e ideas.AuditEntry
		err := row.Scan(&e.ID, &e.At, &e.Actor.ID, &e.Actor.Name, &e.Action, &e.Subject, &e.SubjectID, &e.Detail)
		return e, err
	})
	if err != nil {
		return nil, s.failed("read the audit log", err)
	}
	return entries, nil
}
