package postgres_test

import (
	"archive/zip"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/quaeso/community-operator/ideas"
	"github.com/quaeso/community-operator/ideas/postgres"
	"github.com/quaeso/community-operator/internal/control"
	"github.com/quaeso/community-operator/internal/testutil"
)

// working is a store whose jobs run without the pauses that spread the work of many replicas.
func working(t testing.TB, db *testutil.PostgresDatabase, clock func() time.Time) *postgres.Store {
	t.Helper()
	config := configFor(db)
	config.TestOnly, config.Clock = true, clock
	return open(t, config)
}

// until waits for a number to be the wanted one.
func until(t testing.TB, db *testutil.PostgresDatabase, query string, want int64) {
	t.Helper()
	deadline := time.Now().Add(30 * time.Second)
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		got := db.QueryInt(t, query)
		if got == want {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("%s: %d, want %d", query, got, want)
		}
		<-tick.C
	}
}

// A member's copy holds what every table has about them, without secrets, and is theirs alone.
func TestPersonalExport(t *testing.T) {
	db := migrated(t)
	store := working(t, db, nil)
	ctx := t.Context()
	claire, other := member(t, store, "claire"), member(t, store, "other")
	idea := submit(t, store, claire, "A lamp")
	submit(t, store, other, "The other's idea")
	if _, err := store.AddComment(ctx, claire.ID, idea.ID, "", "My comment"); err != nil {
		t.Fatal(err)
	}
	if _, err := store.SetSupport(ctx, claire.ID, idea.ID, true); err != nil {
		t.Fatal(err)
	}
	invitation, err := store.Invite(ctx, claire.ID, "For Bob", 5)
	if err != nil {
		t.Fatal(err)
	}
	if err := store.RequestExport(ctx, claire.ID); err != nil {
		t.Fatal(err)
	}
	if err := store.RequestExport(ctx, claire.ID); !errors.Is(err, ideas.ErrTooMany) {
		t.Errorf("a second copy within the day: %v", err)
	}
	until(t, db, "SELECT count(*) FROM ideas.personal_export WHERE ready_at IS NOT NULL", 1)
	list, err := store.Exports(ctx, claire.ID)
	if err != nil || len(list) != 1 || list[0].Size == 0 {
		t.Fatalf("copies %+v, error %v", list, err)
	}
	if _, err := store.ExportContent(ctx, other.ID, list[0].ID); !errors.Is(err, ideas.ErrNotFound) {
		t.Errorf("somebody else's copy: %v", err)
	}
	content, err := store.ExportContent(ctx, claire.ID, list[0].ID)
	if err != nil {
		t.Fatal(err)
	}
	files := unzip(t, content)
	for name, want := range map[string]string{
		"data/member.json": "claire@brand.example", "data/idea.author_id.json": "A lamp", "data/comment.author_id.json": "My comment",
		"data/support.member_id.json": `"idea_id"`, "data/member_identity.member_id.json": "https://issuer.example", "data/invitation.member_id.json": "For Bob",
		"index.html": "A lamp",
	} {
		if !strings.Contains(files[name], want) {
			t.Errorf("%s lacks %q:\n%.300s", name, want, files[name])
		}
	}
	var rows []map[string]any
	if err := json.Unmarshal([]byte(files["data/idea.author_id.json"]), &rows); err != nil || len(rows) != 1 {
		t.Errorf("%d ideas, error %v", len(rows), err)
	}
	for name, text := range files {
		for _, secret := range []string{"mail_key", "token_hash", "The other's idea", invitation, "document"} {
			if strings.Contains(text, secret) {
				t.Errorf("%s holds %q", name, secret)
			}
		}
	}
}

func unzip(t testing.TB, content []byte) map[string]string {
	t.Helper()
	archive, err := zip.NewReader(bytes.NewReader(content), int64(len(content)))
	if err != nil {
		t.Fatal(err)
	}
	files := map[string]string{}
	for _, f := range archive.File {
		r, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		raw, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		files[f.Name] = string(raw)
	}
	return files
}

// Whoever leaves is nobody afterwards: votes count as before, sessions end, and the proof says what was done.
func TestErasure(t *testing.T) {
	for name, tc := range map[string]struct {
		contributions string
		ideas         int64
		body          string
	}{
		"contributions stay":    {ideas.ContributionsKept, 2, "My comment"},
		"contributions emptied": {ideas.ContributionsRemoved, 1, "–"},
	} {
		t.Run(name, func(t *testing.T) {
			store, db := fresh(t)
			ctx := t.Context()
			claire, other := member(t, store, "claire"), member(t, store, "other")
			own, theirs := submit(t, store, claire, "A lamp"), submit(t, store, other, "A chair")
			for _, id := range []int64{own.ID, theirs.ID} {
				if _, err := store.SetSupport(ctx, claire.ID, id, true); err != nil {
					t.Fatal(err)
				}
			}
			if _, err := store.AddComment(ctx, claire.ID, theirs.ID, "", "My comment"); err != nil {
				t.Fatal(err)
			}
			if _, err := store.Sanction(ctx, other.ID, claire.ID, ideas.SanctionWarn, "About Claire", time.Time{}); err != nil {
				t.Fatal(err)
			}
			dispatch(t, store, db)
			unsubscribe, err := store.UnsubscribeToken(ctx, claire.ID, "")
			if err != nil {
				t.Fatal(err)
			}
			if err := store.RequestErasure(ctx, claire.ID, tc.contributions); err != nil {
				t.Fatal(err)
			}
			_, token, err := store.ErasureRecipient(ctx, db.QueryInt(t, "SELECT id FROM ideas.erasure"))
			if err != nil {
				t.Fatal(err)
			}
			for _, forged := range []string{"", token[:42], strings.Repeat("A", 43)} {
				if _, err := store.ConfirmErasure(ctx, forged); !errors.Is(err, ideas.ErrLinkSpent) {
					t.Errorf("forged token %q: %v", forged, err)
				}
			}
			if who, what, err := store.PendingErasure(ctx, token); err != nil || who != "claire" || what != tc.contributions {
				t.Errorf("the link erases %q, %q; error %v", who, what, err)
			}
			proof, err := store.ConfirmErasure(ctx, token)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := store.ConfirmErasure(ctx, token); !errors.Is(err, ideas.ErrLinkSpent) {
				t.Errorf("confirmed twice: %v", err)
			}
			sum := sha256.Sum256(proof.Record)
			if proof.Hash != hex.EncodeToString(sum[:]) || strings.Contains(string(proof.Record), "claire") {
				t.Errorf("proof %s with the hash %s", proof.Record, proof.Hash)
			}
			if dump := db.QueryText(t, `SELECT coalesce(string_agg(x::text, ' '), '') FROM (SELECT to_jsonb(t) x FROM ideas.member t UNION ALL SELECT to_jsonb(t) FROM ideas.sanction t
				UNION ALL SELECT to_jsonb(t) FROM ideas.audit t UNION ALL SELECT to_jsonb(t) FROM ideas.member_identity t UNION ALL SELECT to_jsonb(t) FROM ideas.erasure t) d`); strings.Contains(strings.ToLower(dump), "claire") {
				t.Errorf("the database still knows Claire: %s", dump)
			}
			for query, want := range map[string]int64{
				fmt.Sprintf("SELECT count(*) FROM ideas.session WHERE member_id = %d", claire.ID): 0,
				fmt.Sprintf("SELECT count(*) FROM ideas.notice WHERE member_id = %d", claire.ID):  0,
				"SELECT count(*) FROM ideas.support":                                              2,
				fmt.Sprintf("SELECT supporters FROM ideas.tally WHERE idea_id = %d", theirs.ID):   1,
				"SELECT sum(n)::bigint FROM ideas.total WHERE kind = 'votes'":                     2,
				"SELECT count(*) FROM ideas.idea WHERE visible":                                   tc.ideas,
			} {
				if got := db.QueryInt(t, query); got != want {
					t.Errorf("%s: %d, want %d", query, got, want)
				}
			}
			comments, err := store.ListComments(ctx, theirs.ID, 0, 10)
			if err != nil || len(comments) != 1 || comments[0].Body != tc.body || comments[0].Author.Name != "" {
				t.Errorf("comments %+v, error %v", comments, err)
			}
			if _, err := store.Profile(ctx, 0, claire.ID); !errors.Is(err, ideas.ErrNotFound) {
				t.Errorf("the profile: %v", err)
			}
			if _, err := store.Unsubscribe(ctx, unsubscribe); !errors.Is(err, ideas.ErrNotFound) {
				t.Errorf("the link of an old mail: %v", err)
			}
			again := member(t, store, "claire")
			if again.ID == claire.ID {
				t.Error("whoever comes back is the former member")
			}
			// A restore brings the member back; the list of proofs takes them away again, and the new member is left alone.
			proofs, err := store.Erasures(ctx, 0)
			if err != nil || len(proofs) != 1 {
				t.Fatalf("proofs %+v, error %v", proofs, err)
			}
			db.Exec(t, fmt.Sprintf("UPDATE ideas.member SET erased_at = NULL, name = 'Restored', email = 'restored@brand.example' WHERE id = %d", claire.ID))
			if done, err := store.EraseAgain(ctx, append(proofs, ideas.Erasure{Member: again.ID, DoneAt: time.Now().Add(-time.Hour), Record: proofs[0].Record})); err != nil || done != 1 {
				t.Errorf("%d erased again, error %v", done, err)
			}
			if n := db.QueryInt(t, "SELECT count(*) FROM ideas.member WHERE name = 'Restored'"); n != 0 {
				t.Error("the restored member is still there")
			}
		})
	}
}

// Members who do not come back are told a month before, and erased; whoever comes back, or is of the team, stays.
func TestRetention(t *testing.T) {
	db := migrated(t)
	store := open(t, configFor(db))
	declare(t, store, 1, control.House{Retention: control.Retention{InactiveMemberDays: 365}, Roles: map[string][]string{"lead": {"Lead@brand.example"}}})
	ids := map[string]int64{}
	for _, name := range []string{"gone", "back", "lead", "busy"} {
		ids[name] = member(t, store, name).ID
	}
	db.Exec(t, "UPDATE ideas.member SET active_at = now() - interval '340 days' WHERE name <> 'busy'")
	keep := func() {
		t.Helper()
		if err := store.KeepRetention(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	keep()
	keep()
	if n := db.QueryInt(t, "SELECT count(*) FROM ideas.river_job WHERE kind = 'retention_mail'"); n != 2 {
		t.Errorf("%d mails announce an erasure, want 2: to the one who is gone and the one who will be back", n)
	}
	member(t, store, "back")
	db.Exec(t, "UPDATE ideas.member SET active_at = active_at - interval '31 days', erasure_announced_at = erasure_announced_at - interval '31 days'")
	keep()
	var left []string
	for name, id := range ids {
		if db.QueryInt(t, fmt.Sprintf("SELECT count(*) FROM ideas.member WHERE id = %d AND erased_at IS NOT NULL", id)) == 1 {
			left = append(left, name)
		}
	}
	if len(left) != 1 || left[0] != "gone" {
		t.Errorf("erased: %v, want the one who is gone", left)
	}
	if n := db.QueryInt(t, "SELECT count(*) FROM ideas.erasure WHERE cause = 'retention' AND record_hash IS NOT NULL"); n != 1 {
		t.Errorf("%d proofs, want 1", n)
	}
}

// A digest covers what happened until eight o'clock where the member lives, once, also when clocks change.
func TestDigests(t *testing.T) {
	db := migrated(t)
	now := time.Date(2027, time.March, 28, 5, 30, 0, 0, time.UTC) // the night in which Paris sets its clocks forward
	config := configFor(db)
	config.Clock = func() time.Time { return now }
	store := open(t, config)
	ctx := t.Context()
	declare(t, store, 1, control.House{})
	paris, montreal, weekly := member(t, store, "paris"), member(t, store, "montreal"), member(t, store, "weekly")
	for _, s := range []struct {
		m    ideas.Member
		want ideas.NoticeSettings
	}{{montreal, ideas.NoticeSettings{Digest: ideas.DigestDaily, TimeZone: "America/Montreal"}}, {weekly, ideas.NoticeSettings{Digest: ideas.DigestWeekly}}} {
		if err := store.SetNoticeSettings(ctx, s.m.ID, s.want); err != nil {
			t.Fatal(err)
		}
	}
	for _, m := range []ideas.Member{paris, montreal, weekly} {
		happen(t, store, db, ideas.EventBadgeAwarded, "subject_id", m.ID)
	}
	due := func() map[int64]bool {
		t.Helper()
		if err := store.PlanDigests(ctx); err != nil {
			t.Fatal(err)
		}
		got := map[int64]bool{}
		for _, m := range []ideas.Member{paris, montreal, weekly} {
			got[m.ID] = db.QueryInt(t, fmt.Sprintf("SELECT count(*) FROM ideas.river_job WHERE kind = 'digest_mail' AND (args->>'member')::bigint = %d", m.ID)) > 0
		}
		return got
	}
	for _, step := range []struct {
		at                      time.Time
		paris, montreal, weekly bool
	}{
		{now, false, false, false},
		{time.Date(2027, time.March, 28, 5, 59, 0, 0, time.UTC), false, false, false},
		{time.Date(2027, time.March, 28, 6, 0, 0, 0, time.UTC), true, false, false}, // 08:00 summer time in Paris
		{time.Date(2027, time.March, 28, 12, 0, 0, 0, time.UTC), true, true, false}, // 08:00 in Montreal
		{time.Date(2027, time.March, 29, 6, 0, 0, 0, time.UTC), true, true, true},   // Monday
	} {
		now = step.at
		got := due()
		if got[paris.ID] != step.paris || got[montreal.ID] != step.montreal || got[weekly.ID] != step.weekly {
			t.Errorf("at %s: Paris %v, Montreal %v, weekly %v", step.at, got[paris.ID], got[montreal.ID], got[weekly.ID])
		}
	}
	letter, err := store.DigestLetter(ctx, paris.ID, time.Date(2027, time.March, 28, 6, 0, 0, 0, time.UTC))
	if err != nil || len(letter.Notices) != 1 || letter.Email != "paris@brand.example" {
		t.Fatalf("letter %+v, error %v", letter, err)
	}
	if claimed, err := store.ClaimLetter(ctx, "digest", letter.IDs); err != nil || !claimed {
		t.Fatalf("the letter is claimed: %v, %v", claimed, err)
	}
	if claimed, err := store.ClaimLetter(ctx, "digest", letter.IDs); err != nil || claimed {
		t.Errorf("the same letter is claimed twice: %v, %v", claimed, err)
	}
	if _, err := store.DigestLetter(ctx, paris.ID, now); !errors.Is(err, ideas.ErrNotFound) {
		t.Errorf("a second letter of the same: %v", err)
	}
}

// The team finds members by what it knows of them.
func TestFindMembers(t *testing.T) {
	store, db := fresh(t)
	ctx := t.Context()
	lead, emile, eva := member(t, store, "lead"), member(t, store, "emile"), member(t, store, "eva")
	db.Exec(t, fmt.Sprintf("UPDATE ideas.member SET name = 'Émile_100%%', level = 2, invited_by = %d WHERE id = %d", eva.ID, emile.ID))
	if _, err := store.Sanction(ctx, lead.ID, eva.ID, ideas.SanctionMute, "x", time.Time{}); err != nil {
		t.Fatal(err)
	}
	for name, tc := range map[string]struct {
		q    ideas.MemberQuery
		want []int64
	}{
		"all":                     {ideas.MemberQuery{}, []int64{eva.ID, emile.ID, lead.ID}},
		"page":                    {ideas.MemberQuery{Before: eva.ID, Limit: 1}, []int64{emile.ID}},
		"name without accent":     {ideas.MemberQuery{Name: "emi"}, []int64{emile.ID}},
		"letters mean themselves": {ideas.MemberQuery{Name: "%"}, nil},
		"underscore":              {ideas.MemberQuery{Name: "Emile_1"}, []int64{emile.ID}},
		"address":                 {ideas.MemberQuery{Name: "EVA@brand.example"}, []int64{eva.ID}},
		"level":                   {ideas.MemberQuery{Level: 2}, []int64{emile.ID}},
		"restricted":              {ideas.MemberQuery{Restricted: true}, []int64{eva.ID}},
		"invited":                 {ideas.MemberQuery{Invited: true}, []int64{emile.ID}},
		"invited by":              {ideas.MemberQuery{InvitedBy: eva.ID}, []int64{emile.ID}},
		"role":                    {ideas.MemberQuery{Addresses: []string{"Lead@brand.example"}}, []int64{lead.ID}},
		"role of nobody":          {ideas.MemberQuery{Addresses: []string{}}, nil},
	} {
		list, err := store.FindMembers(ctx, tc.q)
		if err != nil {
			t.Fatal(err)
		}
		var got []int64
		for _, m := range list {
			got = append(got, m.ID)
		}
		if fmt.Sprint(got) != fmt.Sprint(tc.want) {
			t.Errorf("%s: %v, want %v", name, got, tc.want)
		}
	}
}

// Of an entry, what was answered for the team alone goes with its author; where contributions are removed, nothing that they
// wrote or sent is left, former versions neither.
func TestEraseEntries(t *testing.T) {
	for name, tc := range map[string]struct {
		contributions string
		answers       string
		files         int64
		texts         int64
	}{
		"kept without a name": {ideas.ContributionsKept, `{"size": ["Large"]}`, 2, 4},
		"removed":             {ideas.ContributionsRemoved, "{}", 0, 0},
	} {
		t.Run(name, func(t *testing.T) {
			s := openClocked(t)
			ctx := t.Context()
			author := member(t, s.Store, "Author")
			c := s.declare("poster", control.Challenge{
				Type: control.TypeIdeation, Phases: []control.Phase{{Name: control.PhaseOpen, Start: "2027-02-01T00:00"}},
				Form: []control.FormField{
					{Name: "size", Type: ideas.FieldText}, {Name: "phone", Type: ideas.FieldText, Private: true},
					{Name: "sketch", Type: ideas.FieldFile}, {Name: "proof", Type: ideas.FieldFile, Private: true},
				},
			})
			file := func(field string) ideas.FormFile {
				return ideas.FormFile{Attachment: ideas.Attachment{Field: field, Name: field + ".pdf", Type: "application/pdf"}, Content: []byte(field)}
			}
			typed := ideas.Answers{"size": {"Large"}, "phone": {"0123"}}
			entry, err := s.SubmitEntry(ctx, author.ID, c, "", ideas.Content{Title: "My poster", Body: "My text"}, typed, file("sketch"), file("proof"))
			if err != nil {
				t.Fatal(err)
			}
			if _, err := s.EditIdea(ctx, author.ID, entry.ID, ideas.Content{Title: "My poster again", Body: "My text"}); err != nil {
				t.Fatal(err)
			}
			if _, err := s.Attach(ctx, author.ID, ideas.Attachment{Idea: entry.ID, Name: "own.pdf", Type: "application/pdf"}, []byte("own")); err != nil {
				t.Fatal(err)
			}
			eraseWith(s, author, tc.contributions)
			if answers := s.db.QueryText(t, "SELECT answers::text FROM ideas.entry"); answers != tc.answers {
				t.Errorf("answers %s are left, want %s", answers, tc.answers)
			}
			if n := s.count("SELECT count(*) FROM ideas.attachment"); n != tc.files {
				t.Errorf("%d files are left, want %d", n, tc.files)
			}
			if n := s.count(`SELECT (SELECT count(*) FROM ideas.idea WHERE title LIKE 'My%') + (SELECT count(*) FROM ideas.idea WHERE body LIKE 'My%')
				+ (SELECT count(*) FROM ideas.idea_revision WHERE title LIKE 'My%' AND body LIKE 'My%')`); n != tc.texts {
				t.Errorf("%d texts are left, want %d", n, tc.texts)
			}
		})
	}
}
