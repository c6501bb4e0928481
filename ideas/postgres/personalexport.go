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
	"slices"
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

// personalTable is a table with a column that names members.
type personalTable struct{ Table, Column string }

// notExported are tables that hold secrets or the copies themselves; what matters of them is told otherwise.
var notExported = []string{"session", "personal_export", "sign_in_link"}

// personalTables are found in the catalogue, by their foreign keys to member: what another release, or another part, keeps
// about somebody is in their copy without anybody remembering to add it.
func personalTables(ctx context.Context, tx pgx.Tx) ([]personalTable, error) {
	rows, err := tx.Query(ctx, `SELECT c.conrelid::regclass::text, a.attname FROM pg_constraint c
			JOIN pg_attribute a ON a.attrelid = c.conrelid AND a.attnum = c.conkey[1]
		WHERE c.contype = 'f' AND c.confrelid = 'member'::regclass AND cardinality(c.conkey) = 1 AND c.conrelid <> 'member'::regclass
		UNION VALUES ('event', 'actor_id'), ('event', 'subject_id') ORDER BY 1, 2`)
	if err != nil {
		return nil, fmt.Errorf("look for tables about members: %w", err)
	}
	tables, err := pgx.CollectRows(rows, pgx.RowToStructByPos[personalTable])
	if err != nil {
		return nil, fmt.Errorf("look for tables about members: %w", err)
	}
	return slices.DeleteFunc(tables, func(t personalTable) bool { return slices.Contains(notExported, t.Table) }), nil
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

// personalArchive is a ZIP with data/TABLE.COLUMN.json for every table that names the member in the column, a list of objects
// each, data/member.json, and index.html, which shows the same to people.
func personalArchive(ctx context.Context, tx pgx.Tx, member int64, now time.Time) ([]byte, error) {
	tables, err := personalTables(ctx, tx)
	if err != nil {
		return nil, err
	}
	tables = append([]personalTable{{"member", "id"}}, tables...)
	var out bytes.Buffer
	archive := zip.NewWriter(&out)
	var sections []section
	for _, t := range tables {
		rows, err := personalRowsOf(ctx, tx, t, member)
		if err != nil {
			return nil, fmt.Errorf("read %s: %w", t.Table, err)
		}
		if len(rows) == 0 {
			continue
		}
		name := t.Table + "." + t.Column
		if t.Table == "member" {
			name = t.Table
		}
		sections = append(sections, section{Name: name, Rows: rows})
		raw, err := json.MarshalIndent(rows, "", "  ")
		if err != nil {
			return nil, fmt.Errorf("encode %s: %w", t.Table, err)
		}
		if err := addFile(archive, "data/"+name+".json", now, raw); err != nil {
			return nil, err
		}
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
func personalRowsOf(ctx context.Context, tx pgx.Tx, t personalTable, member int64) ([]map[string]any, error) {
	table, column := pgx.Identifier(strings.Split(t.Table, ".")).Sanitize(), pgx.Identifier{t.Column}.Sanitize()
	rows, err := tx.Query(ctx, `SELECT jsonb_strip_nulls(to_jsonb(t) - ARRAY(SELECT attname::text FROM pg_attribute
			WHERE attrelid = $2::text::regclass AND attnum > 0 AND (atttypid IN ('bytea'::regtype, 'tsvector'::regtype) OR attname IN ('mail_key', 'submission_key'))))
		FROM `+table+` t WHERE t.`+column+` = $1 LIMIT $3`, member, t.Table, maxExportRows)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowTo[map[string]any])
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
