package postgres

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/quaeso/community-operator/ideas"
)

// chunkBytes bounds one row of a file's content.
const chunkBytes = 256 << 10

var uploadsPerMember = allowance{kind: "uploads per member", interval: 20 * time.Second, burst: 20}

const attachmentColumns = "a.id, a.idea_id, a.field, a.name, a.media_type, a.alt, a.size, a.width, a.height, a.digest, a.created_at"

func scanAttachment(row pgx.Row) (ideas.Attachment, error) {
	var a ideas.Attachment
	err := row.Scan(&a.ID, &a.Idea, &a.Field, &a.Name, &a.Type, &a.Alt, &a.Size, &a.Width, &a.Height, &a.Digest, &a.CreatedAt)
	return a, err
}

// Attach implements ideas.AttachmentStore.
func (s *Store) Attach(ctx context.Context, member int64, a ideas.Attachment, content []byte) (ideas.Attachment, error) {
	a.Field = ""
	a, err := s.measured(a, "file", content)
	if err != nil {
		return a, err
	}
	if a.Alt, err = cleanAlt(a.Alt); err != nil {
		return a, err
	}
	allowed := false
	_, err = s.withIdea(ctx, "attach a file", member, a.Idea, func(tx pgx.Tx, _ actor, r ideaRow) error {
		if err := s.requireContributor(ctx, tx, member); err != nil {
			return err
		}
		if !r.mayBeEdited() {
			return ideas.ErrForbidden
		}
		if allowed, err = allow(ctx, tx, uploadsPerMember, strconv.FormatInt(member, 10)); err != nil || !allowed {
			return err
		}
		if err := mayAttach(ctx, tx, a); err != nil {
			return err
		}
		a, err = insertAttachment(ctx, tx, member, a, content)
		return err
	})
	if err == nil && !allowed {
		err = ideas.ErrTooMany
	}
	return a, err
}

// measured is a file with what its content tells. field is the input that it comes from.
func (s *Store) measured(a ideas.Attachment, field string, content []byte) (ideas.Attachment, error) {
	if len(content) == 0 {
		return a, &ideas.FieldError{Field: field, Code: "required"}
	}
	if len(content) > ideas.MaxAttachmentBytes {
		return a, &ideas.FieldError{Field: field, Code: "too_large", Limit: ideas.MaxAttachmentBytes >> 20}
	}
	digest := sha256.Sum256(content)
	a.Size, a.Digest, a.CreatedAt = len(content), digest[:], s.config.Clock()
	return a, nil
}

// answerWithFiles keeps the files that answer a challenge's form, one for a field.
func (s *Store) answerWithFiles(ctx context.Context, tx pgx.Tx, member, idea int64, c *ideas.Challenge, files []ideas.FormFile) error {
	for _, f := range c.Spec.Form {
		i := slices.IndexFunc(files, func(one ideas.FormFile) bool { return one.Field == f.Name })
		if f.Type != ideas.FieldFile || i < 0 {
			continue
		}
		a, err := s.measured(files[i].Attachment, ideas.InputName(f.Name), files[i].Content)
		if err != nil {
			return err
		}
		if allowed, err := allow(ctx, tx, uploadsPerMember, strconv.FormatInt(member, 10)); err != nil || !allowed {
			return errors.Join(err, ideas.ErrTooMany)
		}
		a.Idea, a.Alt = idea, ""
		if _, err := insertAttachment(ctx, tx, member, a, files[i].Content); err != nil {
			return err
		}
	}
	return nil
}

// isPrivate tells whether a file answers a field that is private, or declared no more.
func isPrivate(c *ideas.Challenge, field string) bool {
	if c == nil {
		return true
	}
	for _, f := range c.Spec.Form {
		if f.Name == field {
			return f.Private
		}
	}
	return true
}

// mayBeEdited tells whether who asked may change the idea now.
func (r ideaRow) mayBeEdited() bool {
	return r.state.Editable() && slices.Contains(r.as, ideas.AsAuthor)
}

func cleanAlt(alt string) (string, error) {
	if alt == "" {
		return "", nil
	}
	return ideas.CleanText("alt", alt, ideas.MaxAlt)
}

// mayAttach refuses more files than an idea has room for.
func mayAttach(ctx context.Context, tx pgx.Tx, a ideas.Attachment) error {
	var n int
	err := tx.QueryRow(ctx, "SELECT count(*) FROM attachment WHERE idea_id = $1 AND field = '' AND digest <> $2", a.Idea, a.Digest).Scan(&n)
	if err != nil {
		return fmt.Errorf("count files: %w", err)
	}
	if n >= ideas.MaxAttachments {
		return &ideas.FieldError{Field: "file", Code: "too_many", Limit: ideas.MaxAttachments}
	}
	return nil
}

func insertAttachment(ctx context.Context, tx pgx.Tx, member int64, a ideas.Attachment, content []byte) (ideas.Attachment, error) {
	tag, err := tx.Exec(ctx, `INSERT INTO attachment (idea_id, field, member_id, name, media_type, alt, size, width, height, digest, created_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) ON CONFLICT (idea_id, field, digest) DO NOTHING`,
		a.Idea, a.Field, member, a.Name, a.Type, a.Alt, a.Size, a.Width, a.Height, a.Digest, a.CreatedAt)
	if err != nil {
		return a, fmt.Errorf("write a file: %w", err)
	}
	isNew := tag.RowsAffected() > 0
	if a, err = scanAttachment(tx.QueryRow(ctx, "SELECT "+attachmentColumns+" FROM attachment a WHERE idea_id = $1 AND field = $2 AND digest = $3", a.Idea, a.Field, a.Digest)); err != nil {
		return a, fmt.Errorf("read a file: %w", err)
	}
	if !isNew {
		return a, nil
	}
	number := 0
	for chunk := range slices.Chunk(content, chunkBytes) {
		if _, err := tx.Exec(ctx, "INSERT INTO attachment_chunk (attachment_id, number, data) VALUES ($1, $2, $3)", a.ID, number, chunk); err != nil {
			return a, fmt.Errorf("write a file's content: %w", err)
		}
		number++
	}
	return a, nil
}

// withAttachment runs a change of a file by those who may edit its idea.
func (s *Store) withAttachment(ctx context.Context, attempt string, member, id int64, change func(tx pgx.Tx) error) error {
	pool, err := s.db()
	if err != nil {
		return err
	}
	var idea int64
	if err := pool.QueryRow(ctx, "SELECT idea_id FROM attachment WHERE id = $1 AND field = ''", id).Scan(&idea); err != nil {
		return s.failed(attempt, err)
	}
	_, err = s.withIdea(ctx, attempt, member, idea, func(tx pgx.Tx, _ actor, r ideaRow) error {
		if !r.mayBeEdited() {
			return ideas.ErrForbidden
		}
		return change(tx)
	})
	return err
}

// DescribeAttachment implements ideas.AttachmentStore.
func (s *Store) DescribeAttachment(ctx context.Context, member, id int64, alt string) error {
	alt, err := cleanAlt(alt)
	if err != nil {
		return err
	}
	return s.withAttachment(ctx, "describe a file", member, id, func(tx pgx.Tx) error {
		_, err := tx.Exec(ctx, "UPDATE attachment SET alt = $2 WHERE id = $1", id, alt)
		return err
	})
}

// Detach implements ideas.AttachmentStore.
func (s *Store) Detach(ctx context.Context, member, id int64) error {
	return s.withAttachment(ctx, "remove a file", member, id, func(tx pgx.Tx) error {
		_, err := tx.Exec(ctx, "DELETE FROM attachment WHERE id = $1", id)
		return err
	})
}

const attachmentsQuery = "SELECT " + attachmentColumns + " FROM attachment a WHERE a.idea_id = $1 AND a.field = '' ORDER BY a.id LIMIT $2"

// OpenAttachment implements ideas.AttachmentStore.
func (s *Store) OpenAttachment(ctx context.Context, viewer, id int64) (ideas.Attachment, []byte, error) {
	pool, err := s.db()
	if err != nil {
		return ideas.Attachment{}, nil, err
	}
	a, err := scanAttachment(pool.QueryRow(ctx, "SELECT "+attachmentColumns+" FROM attachment a WHERE a.id = $1", id))
	if err != nil {
		return a, nil, s.failed("open a file", err)
	}
	r, err := s.seenIdea(ctx, viewer, a.Idea)
	if err == nil && a.Field != "" && !slices.Contains(r.as, ideas.AsAuthor) && isPrivate(s.Programme(ctx).ChallengeByID(r.challenge), a.Field) {
		if _, err = s.teamMember(ctx, pool, viewer, ideas.MaySeeTeam); errors.Is(err, ideas.ErrForbidden) {
			err = ideas.ErrNotFound
		}
	}
	if err != nil {
		return a, nil, s.failed("open a file", err)
	}
	rows, err := pool.Query(ctx, "SELECT data FROM attachment_chunk WHERE attachment_id = $1 ORDER BY number", id)
	if err != nil {
		return a, nil, s.failed("read a file's content", err)
	}
	defer rows.Close()
	content := make([]byte, 0, a.Size)
	for rows.Next() {
		content = append(content, rows.RawValues()[0]...)
	}
	if err := rows.Err(); err != nil {
		return a, nil, s.failed("read a file's content", err)
	}
	return a, content, nil
}
