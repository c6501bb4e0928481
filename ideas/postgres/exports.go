package postgres

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/quaeso/community-operator/ideas"
)

// exportPortion is how many rows are read at once.
const exportPortion = 2000

func itoa(n int) string { return strconv.Itoa(n) }

func id64(n int64) string { return strconv.FormatInt(n, 10) }

// exportTable reads one table: rows after a position of two numbers, in its order.
type exportTable struct {
	heading []string
	// query has the position as $1 and $2, the number of rows as $3, and selects the position first.
	query string
	// row reads one; cells writes it.
	row func(pgx.CollectableRow, *[2]int64) ([]string, error)
}

// Export implements ideas.RecordStore.
func (s *Store) Export(ctx context.Context, actor int64, kind ideas.ExportKind, row func([]string) error) error {
	table, ok := s.exportTable(kind)
	if !ok {
		return &ideas.FieldError{Field: "kind", Code: "invalid"}
	}
	err := s.transact(ctx, "note an export", func(tx pgx.Tx) error {
		return audit(ctx, tx, actor, "export."+string(kind), "export", 0, nil)
	})
	if err != nil {
		return err
	}
	if err := row(table.heading); err != nil {
		return err
	}
	for at := [2]int64{}; ; {
		pool, err := s.db()
		if err != nil {
			return err
		}
		rows, err := pool.Query(ctx, table.query, at[0], at[1], exportPortion)
		if err != nil {
			return s.failed("export "+string(kind), err)
		}
		cells, err := pgx.CollectRows(rows, func(r pgx.CollectableRow) ([]string, error) { return table.row(r, &at) })
		if err != nil {
			return s.failed("export "+string(kind), err)
		}
		for _, c := range cells {
			if err := row(c); err != nil {
				return err
			}
		}
		if len(cells) < exportPortion {
			return nil
		}
	}
}

func (s *Store) exportTable(kind ideas.ExportKind) (exportTable, bool) {
	switch kind {
	case ideas.ExportIdeas:
		return exportedIdeas(), true
	case ideas.ExportComments:
		return exportedComments(), true
	case ideas.ExportVotes:
		return exportedVotes(), true
	case ideas.ExportMembers:
		return s.exportedMembers(), true
	}
	return exportTable{}, false
}

func exportedIdeas() exportTable {
	return exportTable{
		heading: []string{"id", "created_at", "updated_at", "state", "challenge", "theme", "title", "body", "author_id", "author", "supporters", "comments"},
		query: `SELECT i.id, i.created_at, i.updated_at, i.state, coalesce(c.name, ''), i.theme, i.title, i.body, m.id, m.name, t.supporters, t.comments
			FROM idea i JOIN member m ON m.id = i.author_id JOIN tally t ON t.idea_id = i.id LEFT JOIN challenge c ON c.id = i.challenge_id
			WHERE i.id > $1 AND $2::bigint >= 0 AND i.state NOT IN ('draft', 'erased') ORDER BY i.id LIMIT $3`,
		row: func(r pgx.CollectableRow, at *[2]int64) ([]string, error) {
			var created, updated time.Time
			var author int64
			var supporters, comments int
			c := make([]string, 6)
			err := r.Scan(&at[0], &created, &updated, &c[0], &c[1], &c[2], &c[3], &c[4], &author, &c[5], &supporters, &comments)
			return []string{
				id64(at[0]), stamp(created), stamp(updated), c[0], c[1], c[2], c[3], c[4], id64(author), c[5], itoa(supporters), itoa(comments),
			}, err
		},
	}
}

func exportedComments() exportTable {
	return exportTable{
		heading: []string{"id", "created_at", "state", "idea_id", "author_id", "author", "body"},
		query: `SELECT c.id, c.created_at, c.state, c.idea_id, m.id, m.name, c.body FROM comment c JOIN member m ON m.id = c.author_id
			WHERE c.id > $1 AND $2::bigint >= 0 AND c.state NOT IN ('deleted', 'erased') ORDER BY c.id LIMIT $3`,
		row: func(r pgx.CollectableRow, at *[2]int64) ([]string, error) {
			var created time.Time
			var idea, author int64
			var state, name, body string
			err := r.Scan(&at[0], &created, &state, &idea, &author, &name, &body)
			return []string{id64(at[0]), stamp(created), state, id64(idea), id64(author), name, body}, err
		},
	}
}

// exportedVotes has a pseudonym for each voter: the same within the export, so that votes can be counted by voter, and
// another one in the next, so that nobody can put exports together.
func exportedVotes() exportTable {
	key := make([]byte, 32)
	_, _ = rand.Read(key) // never fails, see crypto/rand
	return exportTable{
		heading: []string{"idea_id", "voter", "day"},
		query: `SELECT idea_id, member_id, created_at FROM support WHERE (idea_id, member_id) > ($1, $2)
			ORDER BY idea_id, member_id LIMIT $3`,
		row: func(r pgx.CollectableRow, at *[2]int64) ([]string, error) {
			var created time.Time
			err := r.Scan(&at[0], &at[1], &created)
			mac := hmac.New(sha256.New, key)
			mac.Write([]byte(id64(at[1])))
			// The day alone: the second of a vote would tell whose it is to who knows when somebody voted.
			return []string{id64(at[0]), hex.EncodeToString(mac.Sum(nil)[:8]), created.UTC().Format(time.DateOnly)}, err
		},
	}
}

// exportedMembers has a column for each declared attribute. Addresses are in no export.
func (s *Store) exportedMembers() exportTable {
	heading := []string{"id", "name", "joined_at", "level"}
	var attributes []string
	if settings, ok := s.Current(context.Background()); ok && settings.House != nil {
		for _, a := range settings.House.Attributes {
			attributes = append(attributes, a.Name)
		}
	}
	return exportTable{
		heading: append(heading, attributes...),
		query: `SELECT m.id, m.name, m.created_at, m.level,
				coalesce((SELECT jsonb_object_agg(name, value) FROM (SELECT name, string_agg(value, ', ' ORDER BY value) AS value
					FROM attribute t WHERE t.member_id = m.id GROUP BY name) said), '{}')
			FROM member m WHERE m.id > $1 AND $2::bigint >= 0 AND m.erased_at IS NULL ORDER BY m.id LIMIT $3`,
		row: func(r pgx.CollectableRow, at *[2]int64) ([]string, error) {
			var joined time.Time
			var name string
			var level int
			said := map[string]string{}
			err := r.Scan(&at[0], &name, &joined, &level, &said)
			cells := []string{id64(at[0]), name, stamp(joined), itoa(level)}
			for _, a := range attributes {
				cells = append(cells, strings.ReplaceAll(said[a], "\x00", ""))
			}
			return cells, err
		},
	}
}

func stamp(t time.Time) string { return t.UTC().Format(time.RFC3339) }
