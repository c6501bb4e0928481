package postgres

import (
	"archive/zip"
	"bytes"
	"context"
	"encoding/hex"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/quaeso/community-operator/ideas"
	"github.com/quaeso/community-operator/internal/testutil"
)

// namesMembers matches columns that hold a member's number, whether or not a foreign key says so.
const namesMembers = `(^|_)(member|author|actor|juror|subject)_id$|_by$`

// impersonal are such columns, and texts beside them, that hold nothing of anybody, with the reason.
var impersonal = map[string]string{
	"moderation_item.cause": "one of three words", "moderation_item.decision": "one of four words", "objective_value.objective": "a declared name",
	"river_job.attempted_by": "names replicas", "attachment.field": "a declared name",
}

// columns of the schema, as far as personal data goes.
type column struct {
	Table, Name, Type string
	// NamesMember by a foreign key or its name, Marked as personal, Filled by the database.
	NamesMember, Marked, Filled, HasDefault bool
}

func catalogue(t *testing.T, s *Store) []column {
	t.Helper()
	pool, err := s.db()
	if err != nil {
		t.Fatal(err)
	}
	rows, err := pool.Query(t.Context(), `SELECT c.relname, a.attname, format_type(a.atttypid, NULL),
			EXISTS (SELECT FROM pg_constraint k WHERE k.contype = 'f' AND k.conrelid = c.oid AND k.confrelid = 'member'::regclass AND k.conkey = ARRAY[a.attnum])
				OR a.attname ~ $1 AND a.atttypid = 'bigint'::regtype,
			coalesce(col_description(c.oid, a.attnum) = 'personal', false), a.attgenerated <> '', a.atthasdef OR NOT a.attnotnull
		FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
		WHERE c.relnamespace = 'ideas'::regnamespace AND c.relkind IN ('r', 'p') ORDER BY c.relname, a.attnum`, namesMembers)
	if err != nil {
		t.Fatal(err)
	}
	all, err := pgx.CollectRows(rows, pgx.RowToStructByPos[column])
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// Every column that names a member, and every one that is marked as personal, is in the list that erasures go by; and so is
// every text beside them. What stays has its reason.
func TestEveryPersonalColumnHasItsTreatment(t *testing.T) {
	s, _ := openInside(t)
	known := map[string]personalTable{}
	for _, table := range personalTables() {
		if known[table.name].name != "" {
			t.Errorf("%s is there twice", table.name)
		}
		known[table.name] = table
		if len(table.kept)+len(table.contributions) > 0 && table.why == "" {
			t.Errorf("%s keeps something and does not say why", table.name)
		}
	}
	seen := map[string]bool{}
	for _, c := range catalogue(t, s) {
		table, listed := known[c.Table]
		seen[c.Table+"."+c.Name] = true
		if impersonal[c.Table+"."+c.Name] != "" {
			continue
		}
		if c.NamesMember && !slices.Contains(table.owners, c.Name) {
			t.Errorf("%s.%s names members, and no erasure and no copy of personal data knows of it: add it to personalTables", c.Table, c.Name)
		}
		if c.Marked && !slices.Contains(table.texts, c.Name) {
			t.Errorf("%s.%s is marked as personal and erased nowhere: add it to personalTables", c.Table, c.Name)
		}
		isText := c.Type == "text" || c.Type == "jsonb" || c.Type == "text[]"
		if isText && listed && len(table.owners) > 0 && !slices.Contains(table.texts, c.Name) && !freeOfPeople(c) {
			t.Errorf("%s.%s is a text beside a member's number: add it to the texts of personalTables, or to those that hold nothing personal", c.Table, c.Name)
		}
	}
	for _, table := range personalTables() {
		for _, name := range slices.Concat(table.owners, table.texts) {
			if !seen[table.name+"."+name] {
				t.Errorf("%s.%s does not exist", table.name, name)
			}
		}
	}
}

// freeOfPeople are texts that the service chooses from a few words, or makes itself.
func freeOfPeople(c column) bool {
	switch c.Name {
	case "kind", "state", "mail", "locale", "digest", "cause", "contributions", "capacity", "from_state", "to_state", "former_state", "reason_code", "submission_key",
		"action", "subject", "rule", "badge", "currency", "policy_uid", "media_type", "role", "theme", "severity", "status", "kit", "session", "part", "stimulus",
		"task", "criterion", "record", "record_hash", "text_hash", "terms_hash", "guardian", "joined_under", "scopes", "audience", "attribute", "value", "title",
		"file_name":
		return c.Name != "title" || c.Table == "prize_award"
	}
	return impersonal[c.Table+"."+c.Name] != ""
}

const trace = "zanzibarine"

// plant fills a row of every table that has personal data: each text with a trace, each member's number with the member's.
// Nothing of the schema's rules is asked.
func plant(t *testing.T, s *Store, db *testutil.PostgresDatabase, member int64, email string) map[string][]column {
	t.Helper()
	tables := map[string][]column{}
	personal := map[string]bool{}
	for _, table := range personalTables() {
		personal[table.name] = true
	}
	for _, c := range catalogue(t, s) {
		if personal[c.Table] {
			tables[c.Table] = append(tables[c.Table], c)
		}
	}
	db.Exec(t, `DO $$ DECLARE k record; BEGIN
		FOR k IN SELECT conrelid::regclass AS of, conname FROM pg_constraint WHERE connamespace = 'ideas'::regnamespace
			AND (contype = 'c' OR contype = 'f' AND confdeltype <> 'c') AND conname <> 'member_erased' LOOP
			EXECUTE format('ALTER TABLE %s DROP CONSTRAINT %I', k.of, k.conname);
		END LOOP; END $$`)
	special := map[string]string{
		"audit.subject": "'member'", "river_job.id": "999999", "river_job.kind": "'digest_mail'", "river_job.args": fmt.Sprintf(`'{"member": %d, "text": "%s"}'`, member, trace),
		"sign_in_link.email": "'" + email + "'", "sign_in_mail.email": "'" + email + "'", "event.data": fmt.Sprintf(`'{"reason": "%s"}'`, trace),
		"audit.detail": fmt.Sprintf(`'{"reason": "%s"}'`, trace), "visit_day.visitor": fmt.Sprintf(`'\x%032x'`, member), "idea.state": "'gathering'",
		"co_author.state": "'accepted'", "attachment.media_type": "'image/png'", "event.dispatched": "true",
	}
	for name, columns := range tables {
		if name == "member" || name == "erasure" {
			continue // they are there already
		}
		var names, values []string
		for _, c := range columns {
			value, ok := special[name+"."+c.Name]
			switch {
			case c.Filled:
				continue
			case ok:
			case c.NamesMember:
				value = fmt.Sprint(member)
			default:
				if value = valueOf(c); value == "" {
					continue
				}
			}
			names, values = append(names, pgx.Identifier{c.Name}.Sanitize()), append(values, value)
		}
		db.Exec(t, "SET session_replication_role = replica", fmt.Sprintf("INSERT INTO ideas.%s (%s) OVERRIDING SYSTEM VALUE VALUES (%s)",
			name, strings.Join(names, ", "), strings.Join(values, ", ")), "RESET session_replication_role")
	}
	return tables
}

// valueOf a column of a planted row; empty for the default.
func valueOf(c column) string {
	switch c.Type {
	case "text", "character varying":
		return "'" + trace + "'"
	case "jsonb", "json":
		return `'{"text": "` + trace + `"}'`
	case "text[]":
		return "'{" + trace + "}'"
	case "bytea":
		return "'" + trace + "'"
	case "bigint", "integer", "smallint":
		return "1"
	case "bigint[]", "jsonb[]":
		return "'{}'"
	case "boolean":
		return "true"
	case "timestamp with time zone", "date":
		return "'2027-01-01'"
	}
	if c.HasDefault {
		return ""
	}
	return "gen_random_uuid()"
}

// Nobody is left of a member in any table with personal data, whatever is added to the schema: a row is planted in each, and
// afterwards looked for. Before, all of it is in the copy of their data.
func TestNothingIsLeftOfAMember(t *testing.T) {
	for _, contributions := range []string{ideas.ContributionsKept, ideas.ContributionsRemoved} {
		t.Run(contributions, func(t *testing.T) {
			s, db := openInside(t)
			var member int64
			email := trace + "@members.example"
			err := s.transact(t.Context(), "join", func(tx pgx.Tx) error {
				for i := range 3 { // so that the member's number is no other number of a planted row
					var err error
					if member, err = insertMember(t.Context(), tx, fmt.Sprint(i, "@members.example"), "Somebody", "en"); err != nil {
						return err
					}
				}
				_, err := tx.Exec(t.Context(), "UPDATE member SET name = $2, email = $3, time_zone = $2 WHERE id = $1", member, trace, email)
				return err
			})
			if err != nil {
				t.Fatal(err)
			}
			tables := plant(t, s, db, member, email)
			copied(t, s, member)
			eraseNow(t, s, member, contributions)
			for _, table := range personalTables() {
				stays := slices.Clone(table.kept)
				if contributions == ideas.ContributionsKept {
					stays = append(stays, table.contributions...)
				}
				for _, c := range tables[table.name] {
					name := table.name + "." + c.Name
					if c.Filled || slices.Contains(stays, c.Name) || freeOfPeople(c) && !slices.Contains(table.texts, c.Name) {
						continue
					}
					if slices.Contains(table.owners, c.Name) && rowsOf(t, db, "SELECT count(*) FROM ideas.%s WHERE %s = %d", table.name, c.Name, member) > 0 {
						t.Errorf("%s still has the member's number", name)
					}
					if slices.Contains(table.texts, c.Name) && rowsOf(t, db, "SELECT count(*) FROM ideas.%s t WHERE to_jsonb(t)->>'%s' LIKE ANY (ARRAY['%%%s%%', '%%%s%%'])",
						table.name, c.Name, trace, hex.EncodeToString([]byte(trace))) > 0 {
						t.Errorf("%s still has what is personal", name)
					}
				}
			}
		})
	}
}

func rowsOf(t *testing.T, db *testutil.PostgresDatabase, query string, args ...any) int64 {
	t.Helper()
	return db.QueryInt(t, fmt.Sprintf(query, args...))
}

func eraseNow(t *testing.T, s *Store, member int64, contributions string) {
	t.Helper()
	err := s.transact(t.Context(), "erase", func(tx pgx.Tx) error {
		_, err := s.eraseMember(t.Context(), tx, member, contributions)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// copied checks that the copy of somebody's data has a file for each column that names them, and the files that they uploaded.
func copied(t *testing.T, s *Store, member int64) {
	t.Helper()
	var raw []byte
	err := s.transact(t.Context(), "copy", func(tx pgx.Tx) error {
		var err error
		raw, err = personalArchive(t.Context(), tx, member, time.Now())
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	archive, err := zip.NewReader(bytes.NewReader(raw), int64(len(raw)))
	if err != nil {
		t.Fatal(err)
	}
	files := map[string]string{}
	for _, f := range archive.File {
		r, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		content, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		files[f.Name] = string(content)
	}
	for _, table := range personalTables() {
		for _, owner := range table.owners {
			if file := files["data/"+table.name+"."+owner+".json"]; (file == "") != (table.secret != "" || table.name == "erasure") {
				t.Errorf("%s.%s in the copy: %.100q; secret: %q", table.name, owner, file, table.secret)
			}
		}
	}
	for name, want := range map[string]string{"data/member.json": trace, "data/entry.idea_id.json": trace, "data/comment.author_id.json": trace, "files/1.png": trace} {
		if !strings.Contains(files[name], want) {
			t.Errorf("%s lacks %q: %.200s", name, want, files[name])
		}
	}
}

// The name goes from where others have called the member, and from nowhere else; drafts go, and what was said to the team
// alone; what others follow and wrote stays.
func TestMentionsAndDraftsGoWithTheMember(t *testing.T) {
	s, db := openInside(t)
	ctx := context.WithoutCancel(t.Context())
	join := func(name string) int64 {
		session, err := s.SignInWith(ctx, ideas.Identity{Issuer: "https://issuer.example", Subject: name, Name: name, Email: name + "@members.example", EmailVerified: true})
		if err != nil {
			t.Fatal(err)
		}
		m, err := s.Authenticate(ctx, session)
		if err != nil {
			t.Fatal(err)
		}
		return m.ID
	}
	claire, other := join("Claire"), join("Other")
	mention := func(id int64, name string) string { return ideas.MentionOf(ideas.Author{ID: id, Name: name}) }
	idea, err := s.SubmitIdea(ctx, other, "", "A lamp", "As "+mention(claire, "Claire")+" and "+mention(other, "Other")+" said")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.CreateIdea(ctx, claire, "", ideas.Content{Title: "A draft"}, false); err != nil {
		t.Fatal(err)
	}
	if _, err := s.AddComment(ctx, other, idea.ID, "", "Thanks "+mention(claire, "Claire")); err != nil {
		t.Fatal(err)
	}
	if err := s.Follow(ctx, other, ideas.FollowMember, claire, true); err != nil {
		t.Fatal(err)
	}
	if _, _, err := s.IssueToken(ctx, claire, "bot", []ideas.Scope{ideas.ScopeRead}, 10); err != nil {
		t.Fatal(err)
	}
	eraseNow(t, s, claire, ideas.ContributionsKept)
	for query, want := range map[string]int64{
		"SELECT count(*) FROM ideas.idea WHERE body LIKE 'As @– and [@Other](/members/%'": 1,
		"SELECT count(*) FROM ideas.comment WHERE body = 'Thanks @–'":                     1,
		"SELECT count(*) FROM ideas.idea WHERE state = 'draft'":                           0,
		"SELECT count(*) FROM ideas.follow":                                               0,
		"SELECT count(*) FROM ideas.api_token":                                            0,
	} {
		if got := db.QueryInt(t, query); got != want {
			t.Errorf("%s: %d, want %d", query, got, want)
		}
	}
}
