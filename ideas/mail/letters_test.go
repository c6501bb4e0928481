package mail_test

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/quaeso/community-operator/ideas"
	"github.com/quaeso/community-operator/ideas/mail"
	"github.com/quaeso/community-operator/ideas/postgres"
	"github.com/quaeso/community-operator/internal/testutil"
)

// replica runs a store and its postman until the test ends.
func replica(t *testing.T, db *testutil.PostgresDatabase, server *testutil.SMTPServer) *postgres.Store {
	t.Helper()
	s := brand()
	s.TimeZone = "Europe/Paris"
	postman := &mail.Postman{Config: anonymous(server), Settings: settings(s), Paths: mail.Paths{
		Guardian: "/guardian", Unsubscribe: "/unsubscribe", Notices: "/notices", NoticeSettings: "/account/notices", Erasure: "/erasure",
	}}
	store := postgres.New(postgres.Config{
		URI: func() (string, error) { return db.URI(), nil }, Logger: slog.New(slog.DiscardHandler), TestOnly: true, Fallback: &s,
		MailEnabled: func() bool { return true }, Jobs: []postgres.Jobs{{Register: postman.Register}},
	})
	postman.Letters = store
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { defer close(done); store.Run(ctx) }()
	t.Cleanup(func() { stop(); <-done })
	ready, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	if err := store.WaitReady(ready); err != nil {
		t.Fatal(err)
	}
	return store
}

// Two replicas share the letters; those that a third had taken when it died are written by the others, those that it had
// sent are not. Each mailbox gets its letter once, with the headers of one-click unsubscription.
func TestReplicasWriteEachLetterOnce(t *testing.T) {
	const members = 12
	db := testutil.Postgres(t).Database(t)
	server := testutil.StartSMTP(t, testutil.SMTPOptions{})
	first := replica(t, db, server)
	db.Exec(t,
		fmt.Sprintf("INSERT INTO ideas.member (name, locale, email) SELECT 'Member ' || n, 'fr', 'm' || n || '@brand.example' FROM generate_series(1, %d) n", members),
		"INSERT INTO ideas.event (kind, subject_id, dispatched) SELECT 'member.sanction_lifted', id, true FROM ideas.member",
		"INSERT INTO ideas.notice (member_id, event_id, kind, created_at, listed, mail) SELECT subject_id, id, 'account', now(), true, CASE WHEN subject_id = 1 THEN 'sent' ELSE 'now' END FROM ideas.event",
		// What a replica that died ten minutes ago was working on; the first of them it had sent.
		`INSERT INTO ideas.river_job (kind, args, max_attempts, attempt, attempted_at, attempted_by, state, queue) SELECT 'notice_mail', jsonb_build_object('notice', id), 15, 1,
			now() - interval '10 minutes', '{dead}', 'running', 'default' FROM ideas.notice WHERE member_id <= 4`,
		`INSERT INTO ideas.river_job (kind, args, max_attempts, state, queue) SELECT 'notice_mail', jsonb_build_object('notice', id), 15, 'available', 'default' FROM ideas.notice WHERE member_id > 4`)
	replica(t, db, server)
	got := map[string]int{}
	deadline := time.Now().Add(2 * time.Minute)
	for len(got) < members-1 && time.Now().Before(deadline) {
		if server.Received() == 0 {
			waitFor(t, func() bool { return server.Received() > 0 }, deadline)
		}
		m := server.Mail(t)
		got[m.To[0]]++
		if h := m.Message.Header; h.Get("List-Unsubscribe-Post") != "List-Unsubscribe=One-Click" ||
			!strings.HasPrefix(h.Get("List-Unsubscribe"), "<https://ideas.brand.example/unsubscribe?token=") {
			t.Errorf("headers to unsubscribe: %q, %q", h.Get("List-Unsubscribe"), h.Get("List-Unsubscribe-Post"))
		}
		if subject := header(t, m, "Subject"); subject != "Une restriction de votre compte est levée" {
			t.Errorf("subject %q", subject)
		}
	}
	waitFor(t, func() bool {
		return db.QueryInt(t, "SELECT count(*) FROM ideas.river_job WHERE kind = 'notice_mail' AND state <> 'completed'") == 0
	}, deadline)
	for server.Received() > 0 {
		got[server.Mail(t).To[0]]++
	}
	for n := 1; n <= members; n++ {
		want := 1
		if n == 1 {
			want = 0
		}
		if address := fmt.Sprintf("m%d@brand.example", n); got[address] != want {
			t.Errorf("%s got %d letters, want %d", address, got[address], want)
		}
	}
	if _, err := first.NoticeLetter(t.Context(), 2); err == nil {
		t.Error("a letter that was sent is written again")
	}
}

// Guardians and those who leave get a link of their own, which stands in the letter alone.
func TestLettersWithLinks(t *testing.T) {
	db := testutil.Postgres(t).Database(t)
	server := testutil.StartSMTP(t, testutil.SMTPOptions{})
	store := replica(t, db, server)
	db.Exec(t, "INSERT INTO ideas.member (name, locale, email, guardian) VALUES ('Kid', 'en', 'kid@brand.example', 'needed')")
	if err := store.AskGuardian(t.Context(), 1, "parent@home.example"); err != nil {
		t.Fatal(err)
	}
	m := server.Mail(t)
	if subject := header(t, m, "Subject"); m.To[0] != "parent@home.example" || subject != "Kid asks for your consent" {
		t.Errorf("to %s: %q", m.To[0], subject)
	}
	_, link, _ := strings.Cut(parts(t, m)["text/plain"], "https://ideas.brand.example/guardian?token=")
	token, _, _ := strings.Cut(link, "\n")
	if r, err := store.GuardianRequest(t.Context(), strings.TrimSpace(token)); err != nil || r.Member.Name != "Kid" {
		t.Errorf("the letter's link asks about %+v, error %v", r, err)
	}
	if err := store.RequestErasure(t.Context(), 1, ideas.ContributionsKept); err != nil {
		t.Fatal(err)
	}
	m = server.Mail(t)
	_, link, _ = strings.Cut(parts(t, m)["text/plain"], "https://ideas.brand.example/erasure?token=")
	token, _, _ = strings.Cut(link, "\n")
	if name, _, err := store.PendingErasure(t.Context(), strings.TrimSpace(token)); err != nil || name != "Kid" {
		t.Errorf("the letter's link erases %q, error %v", name, err)
	}
}

func waitFor(t *testing.T, met func() bool, deadline time.Time) {
	t.Helper()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for !met() {
		if time.Now().After(deadline) {
			t.Fatal("not in time")
		}
		<-tick.C
	}
}
