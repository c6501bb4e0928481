package postgres

import (
	"archive/zip"
	"bytes"
	"context"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"html/template"
	"io"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/riverqueue/river"

	"github.com/quaeso/community-operator/ideas"
)

// exportJob makes the copy of a member's data.
type exportJob struct {
	Export int64 `json:"export" river:"unique"`
}

// Kind names the job.
func (exportJob) Kind() string { return "personal_export" }

// exportsEvery is how often a copy can be asked for.
const exportsEvery = 24 * time.Hour

// maxExportRows bounds the rows of one table in a copy.
const maxExportRows = 200_000

// maxExportFiles bounds the files of a copy, in bytes: a copy is made in memory.
const maxExportFiles = 24 << 20

// RequestExport implements ideas.PersonalDataStore.
func (s *Store) RequestExport(ctx context.Context, member int64) error {
	return s.transact(ctx, "ask for a copy of personal data", func(tx pgx.Tx) error {
		now := s.config.Clock()
		if _, err := tx.Exec(ctx, "SELECT FROM member WHERE id = $1 FOR NO KEY UPDATE", member); err != nil {
			return err
		}
		var id int64
		err := tx.QueryRow(ctx, `INSERT INTO personal_export (member_id, requested_at, expires_at)
			SELECT $1, $2, $3 WHERE NOT EXISTS (SELECT FROM personal_export WHERE member_id = $1 AND requested_at > $4) RETURNING id`,
			member, now, now.Add(ideas.ExportLifetime), now.Add(-exportsEvery)).Scan(&id)
		if errors.Is(err, pgx.ErrNoRows) {
			return ideas.ErrTooMany
		}
		if err != nil {
			return err
		}
		return s.enqueue(ctx, tx, exportJob{Export: id}, &river.InsertOpts{UniqueOpts: river.UniqueOpts{ByArgs: true}})
	})
}

// Exports implements ideas.PersonalDataStore.
func (s *Store) Exports(ctx context.Context, member int64) ([]ideas.PersonalExport, error) {
	pool, err := s.db()
	if err != nil {
		return nil, err
	}
	rows, err := pool.Query(ctx, `SELECT id, requested_at, ready_at, expires_at, coalesce(octet_length(content), 0) FROM personal_export
		WHERE member_id = $1 AND expires_at > $2 ORDER BY id DESC LIMIT 10`, member, s.config.Clock())
	if err != nil {
		return nil, s.failed("list copies of personal data", err)
	}
	list, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (ideas.PersonalExport, error) {
		var e ideas.PersonalExport
		var ready *time.Time
		err := row.Scan(&e.ID, &e.RequestedAt, &ready, &e.ExpiresAt, &e.Size)
		e.ReadyAt = orZero(ready)
		return e, err
	})
	if err != nil {
		return nil, s.failed("list copies of personal data", err)
	}
	return list, nil
}

// ExportContent implements ideas.PersonalDataStore.
func (s *Store) ExportContent(ctx context.Context, member, export int64) ([]byte, error) {
	pool, err := s.db()
	if err != nil {
		return nil, err
	}
	var content []byte
	err = pool.QueryRow(ctx, `SELECT content FROM personal_export WHERE id = $1 AND member_id = $2 AND ready_at IS NOT NULL AND expires_at > $3`,
		export, member, s.config.Clock()).Scan(&content)
	if err != nil {
		return nil, s.failed("read a copy of personal data", err)
	}
	return content, nil
}

// makeExport is the work of an export's job. Running it again makes the copy anew.
func (s *Store) makeExport(ctx context.Context, job exportJob) error {
	return s.transact(ctx, "make a copy of personal data", func(tx pgx.Tx) error {
		var member int64
		err := tx.QueryRow(ctx, "SELECT member_id FROM personal_export WHERE id = $1 FOR UPDATE", job.Export).Scan(&member)
		if errors.Is(err, pgx.ErrNoRows) {
			return nil // erased meanwhile
		}
		if err != nil {
			return err
		}
		content, err := personalArchive(ctx, tx, member, s.config.Clock())
		if err != nil {
			return err
		}
		_, err = tx.Exec(ctx, "UPDATE personal_export SET content = $2, ready_at = $3 WHERE id = $1", job.Export, content, s.config.Clock())
		return err
	})
}

// section is one table's rows of a copy.
type section struct {
	Name string
	Rows []map[string]any
}

// exportText describes a copy in both languages: it is read outside of the community.
var exportText = template.Must(template.New("index.html").Parse(exportSource))

//go:embed personalexport.html
var exportSource string

// exported is what a copy has of one table: the rows that a condition finds, $1 being the member.
type exported struct{ name, table, where string }

// exports are the member's own row, the rows of every table that names the member, and the answers that belong to the
// member's ideas.
func exports() []exported {
	all := []exported{{"member", "member", "t.id = $1"}, {"entry.idea_id", "entry", "t.idea_id IN " + ofMember}}
	for _, table := range personalTables() {
		if table.secret != "" {
			continue
		}
		for _, owner := range table.owners {
			where := "t." + owner + " = $1"
			if table.name == "audit" && owner == "subject_id" {
				where += " AND t.subject = 'member'"
			}
			all = append(all, exported{table.name + "." + owner, table.name, where})
		}
	}
	return all
}

// personalArchive is a ZIP with data/TABLE.COLUMN.json for every table that names the member in the column, a list of objects
// each, data/member.json, the files that the member uploaded, and index.html, which shows the same to people.
func personalArchive(ctx context.Context, tx pgx.Tx, member int64, now time.Time) ([]byte, error) {
	var out bytes.Buffer
	archive := zip.NewWriter(&out)
	var sections []section
	for _, e := range exports() {
		rows, err := personalRowsOf(ctx, tx, e, member)
		if err != nil {
			return nil, fmt.Errorf("read %s: %w", e.table, err)
		}
		if len(rows) == 0 {
			continue
		}
		sections = append(sections, section{Name: e.name, Rows: rows})
		raw, err := json.MarshalIndent(rows, "", "  ")
		if err != nil {
			return nil, fmt.Errorf("encode %s: %w", e.table, err)
		}
		if err := addFile(archive, "data/"+e.name+".json", now, raw); err != nil {
			return nil, err
		}
	}
	if err := addUploads(ctx, tx, archive, member, now); err != nil {
		return nil, err
	}
	var page bytes.Buffer
	if err := exportText.Execute(&page, map[string]any{"At": now.UTC().Format(time.RFC3339), "Sections": sections}); err != nil {
		return nil, fmt.Errorf("write the page of a copy: %w", err)
	}
	if err := addFile(archive, "index.html", now, page.Bytes()); err != nil {
		return nil, err
	}
	if err := archive.Close(); err != nil {
		return nil, fmt.Errorf("finish the archive of a copy: %w", err)
	}
	return out.Bytes(), nil
}

// personalRowsOf are a table's rows of the member without what is no information to people: hashes of tokens, keys, and
// the indexes of searches.
func personalRowsOf(ctx context.Context, tx pgx.Tx, e exported, member int64) ([]map[string]any, error) {
	rows, err := tx.Query(ctx, `SELECT jsonb_strip_nulls(to_jsonb(t) - ARRAY(SELECT attname::text FROM pg_attribute
			WHERE attrelid = $2::text::regclass AND attnum > 0 AND (atttypid IN ('bytea'::regtype, 'tsvector'::regtype) OR attname IN ('mail_key', 'submission_key'))))
		FROM `+pgx.Identifier{e.table}.Sanitize()+` t WHERE `+e.where+` LIMIT $3`, member, e.table, maxExportRows)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowTo[map[string]any])
}

// addUploads puts the files that the member uploaded beside the data, up to a bound for all of them.
func addUploads(ctx context.Context, tx pgx.Tx, archive *zip.Writer, member int64, now time.Time) error {
	rows, err := tx.Query(ctx, `SELECT id, media_type FROM (SELECT id, media_type, sum(size) OVER (ORDER BY id) AS total FROM attachment WHERE member_id = $1) a
		WHERE total <= $2 ORDER BY id`, member, maxExportFiles)
	if err != nil {
		return fmt.Errorf("list files: %w", err)
	}
	type upload struct {
		ID   int64
		Type string
	}
	uploads, err := pgx.CollectRows(rows, pgx.RowToStructByPos[upload])
	if err != nil {
		return fmt.Errorf("list files: %w", err)
	}
	for _, u := range uploads {
		rows, err := tx.Query(ctx, "SELECT data FROM attachment_chunk WHERE attachment_id = $1 ORDER BY number", u.ID)
		if err != nil {
			return fmt.Errorf("read file %d: %w", u.ID, err)
		}
		chunks, err := pgx.CollectRows(rows, pgx.RowTo[[]byte])
		if err != nil {
			return fmt.Errorf("read file %d: %w", u.ID, err)
		}
		_, kind, _ := strings.Cut(u.Type, "/")
		if err := addFile(archive, fmt.Sprintf("files/%d.%s", u.ID, kind), now, bytes.Join(chunks, nil)); err != nil {
			return err
		}
	}
	return nil
}

func addFile(archive *zip.Writer, name string, now time.Time, content []byte) error {
	w, err := archive.CreateHeader(&zip.FileHeader{Name: name, Method: zip.Deflate, Modified: now})
	if err == nil {
		_, err = io.Copy(w, bytes.NewReader(content))
	}
	if err != nil {
		return fmt.Errorf("add %s to a copy: %w", name, err)
	}
	return nil
}
