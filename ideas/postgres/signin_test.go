package postgres_test

import (
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/quaeso/community-operator/ideas"
	"github.com/quaeso/community-operator/ideas/postgres"
	"github.com/quaeso/community-operator/ideas/sample"
	"github.com/quaeso/community-operator/internal/testutil"
	"time"
)

// link asks for a link and plays the worker.
func link(t testing.TB, store *postgres.Store, email, returnTo string) string {
	t.Helper()
	if err := store.RequestLink(t.Context(), ideas.LinkRequest{Email: email, Locale: "fr", ReturnTo: returnTo, ClientAddress: "192.0.2.1"}); err != nil {
		t.Fatal(err)
	}
	mail, err := store.ClaimMail(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	token, err := store.IssueLink(t.Context(), mail)
	if err != nil {
		t.Fatal(err)
	}
	if err := store.MailSent(t.Context(), mail); err != nil {
		t.Fatal(err)
	}
	return token
}

func TestLinkMakesAMemberAndWorksOnce(t *testing.T) {
	store, _ := fresh(t)
	token := link(t, store, "New.Person@Brand.Example", "/ideas/1")
	session, returnTo, err := store.RedeemLink(t.Context(), token)
	if err != nil || returnTo != "/ideas/1" {
		t.Fatalf("redeem: return to %q, error %v", returnTo, err)
	}
	m, err := store.Authenticate(t.Context(), session)
	if err != nil || m.Email != "new.person@brand.example" || m.Locale != "fr" {
		t.Errorf("member = %+v, error %v", m, err)
	}
	if strings.Contains(strings.ToLower(m.Name), "person") || m.Name != fmt.Sprintf("Membre %d", m.ID) {
		t.Errorf("name = %q, want a neutral one that shows nothing of the address", m.Name)
	}
	if _, _, err := store.RedeemLink(t.Context(), token); !errors.Is(err, ideas.ErrLinkSpent) {
		t.Errorf("second redemption: %v, want ErrLinkSpent", err)
	}
	again, _, err := store.RedeemLink(t.Context(), link(t, store, "NEW.person@brand.example", "/"))
	if err != nil {
		t.Fatal(err)
	}
	if same, err := store.Authenticate(t.Context(), again); err != nil || same.ID != m.ID {
		t.Errorf("another link for the address: member %d, error %v; want member %d", same.ID, err, m.ID)
	}
	if again == session {
		t.Error("two sign-ins share a session")
	}
}

func TestOneLinkRedeemedManyTimesAtOnce(t *testing.T) {
	store, _ := fresh(t)
	token := link(t, store, "a@brand.example", "/")
	var mutex sync.Mutex
	var wait sync.WaitGroup
	sessions := 0
	for range 20 {
		wait.Go(func() {
			_, _, err := store.RedeemLink(t.Context(), token)
			if err == nil {
				mutex.Lock()
				sessions++
				mutex.Unlock()
			} else if !errors.Is(err, ideas.ErrLinkSpent) {
				t.Errorf("redeem: %v", err)
			}
		})
	}
	wait.Wait()
	if sessions != 1 {
		t.Errorf("%d sessions from one link, want 1", sessions)
	}
}

func TestLinksExpire(t *testing.T) {
	store, db := fresh(t)
	token := link(t, store, "a@brand.example", "/")
	db.Exec(t, "UPDATE ideas.sign_in_link SET expires_at = expires_at - interval '20 minutes'")
	if _, _, err := store.RedeemLink(t.Context(), token); !errors.Is(err, ideas.ErrLinkSpent) {
		t.Errorf("link after 20 minutes: %v, want ErrLinkSpent", err)
	}
	for name, forged := range map[string]string{
		"empty": "", "garbage": "garbage", "random": base64.RawURLEncoding.EncodeToString(make([]byte, 32)),
		"a megabyte": strings.Repeat("A", 1<<20), "quote": "' OR 1=1 --",
	} {
		if _, _, err := store.RedeemLink(t.Context(), forged); !errors.Is(err, ideas.ErrLinkSpent) {
			t.Errorf("%s token: %v, want ErrLinkSpent", name, err)
		}
		if _, err := store.Authenticate(t.Context(), forged); !errors.Is(err, ideas.ErrNotFound) {
			t.Errorf("%s session: %v, want ErrNotFound", name, err)
		}
	}
}

// TestTokensAreStoredAsHashes looks for the tokens in every text and binary column.
func TestTokensAreStoredAsHashes(t *testing.T) {
	store, db := fresh(t)
	token := link(t, store, "a@brand.example", "/")
	session, _, err := store.RedeemLink(t.Context(), link(t, store, "b@brand.example", "/"))
	if err != nil {
		t.Fatal(err)
	}
	for _, secret := range []string{token, session} {
		raw, err := base64.RawURLEncoding.DecodeString(secret)
		if err != nil || len(raw) != 32 {
			t.Fatalf("token of %d bytes, error %v; want 32", len(raw), err)
		}
		for _, table := range []string{"sign_in_link", "sign_in_mail", "session"} {
			query := fmt.Sprintf("SELECT count(*) FROM ideas.%s x WHERE x::text LIKE '%%%s%%' OR x::text LIKE '%%%x%%'", table, secret, raw)
			if n := db.QueryInt(t, query); n != 0 {
				t.Errorf("%s holds a token in clear", table)
			}
		}
	}
	if n := db.QueryInt(t, "SELECT count(*) FROM ideas.session") + db.QueryInt(t, "SELECT count(*) FROM ideas.sign_in_link"); n != 2 {
		t.Errorf("%d rows of links and sessions, want 2", n)
	}
}

func TestSessionsEnd(t *testing.T) {
	store, db := fresh(t)
	m := member(t, store, "Alix")
	session, err := store.SignInWith(t.Context(), ideas.Identity{Issuer: "https://issuer.example", Subject: "Alix"})
	if err != nil {
		t.Fatal(err)
	}
	age := func(interval string) {
		db.Exec(t, "UPDATE ideas.session SET seen_at = seen_at - interval '"+interval+"'")
	}
	for range 3 {
		age("20 days")
		if got, err := store.Authenticate(t.Context(), session); err != nil || got.ID != m.ID {
			t.Fatalf("session used after 20 days: %v; want it prolonged", err)
		}
	}
	before := db.QueryInt(t, "SELECT max(xmin::text::bigint) FROM ideas.session")
	if _, err := store.Authenticate(t.Context(), session); err != nil {
		t.Fatal(err)
	}
	if after := db.QueryInt(t, "SELECT max(xmin::text::bigint) FROM ideas.session"); after != before {
		t.Error("a session seen within the hour was written again")
	}
	age("31 days")
	if _, err := store.Authenticate(t.Context(), session); !errors.Is(err, ideas.ErrNotFound) {
		t.Errorf("session unused for 31 days: %v, want ErrNotFound", err)
	}
	fresh, err := store.SignInWith(t.Context(), ideas.Identity{Issuer: "https://issuer.example", Subject: "Alix"})
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := store.SignOut(t.Context(), fresh); err != nil {
			t.Errorf("sign out: %v", err)
		}
	}
	if _, err := store.Authenticate(t.Context(), fresh); !errors.Is(err, ideas.ErrNotFound) {
		t.Errorf("session after signing out: %v, want ErrNotFound", err)
	}
	if err := store.SignOut(t.Context(), "garbage"); err != nil {
		t.Errorf("signing out without a session: %v", err)
	}
}

func TestIdentitiesJoinMembersByVerifiedAddressOnly(t *testing.T) {
	store, _ := fresh(t)
	sign := func(id ideas.Identity) ideas.Member {
		t.Helper()
		session, err := store.SignInWith(t.Context(), id)
		if err != nil {
			t.Fatal(err)
		}
		m, err := store.Authenticate(t.Context(), session)
		if err != nil {
			t.Fatal(err)
		}
		return m
	}
	session, _, err := store.RedeemLink(t.Context(), link(t, store, "claire@brand.example", "/"))
	if err != nil {
		t.Fatal(err)
	}
	claire, err := store.Authenticate(t.Context(), session)
	if err != nil {
		t.Fatal(err)
	}
	verified := ideas.Identity{Issuer: "https://a.example", Subject: "1", Email: "Claire@Brand.example", EmailVerified: true, Name: "Claire"}
	if m := sign(verified); m.ID != claire.ID {
		t.Errorf("verified address gives member %d, want %d", m.ID, claire.ID)
	}
	thief := ideas.Identity{Issuer: "https://b.example", Subject: "1", Email: "claire@brand.example", Name: " Eve\u202E "}
	if m := sign(thief); m.ID == claire.ID || m.Email != "" || m.Name != "Eve" {
		t.Errorf("unverified address gives %+v, want a member of its own without an address", m)
	}
	if first, second := sign(thief), sign(thief); first.ID != second.ID {
		t.Errorf("one identity is members %d and %d", first.ID, second.ID)
	}
	moved := verified
	moved.Email = "other@brand.example"
	if m := sign(moved); m.ID != claire.ID || m.Email != "claire@brand.example" {
		t.Errorf("the identity with another address gives %+v, want member %d unchanged", m, claire.ID)
	}
	if _, err := store.SignInWith(t.Context(), ideas.Identity{Issuer: "https://a.example"}); err == nil {
		t.Error("an identity without a subject signs in")
	}
	var wait sync.WaitGroup
	ids := make([]int64, 8)
	for i := range ids {
		wait.Go(func() { ids[i] = sign(ideas.Identity{Issuer: "https://a.example", Subject: "new", Name: "N"}).ID })
	}
	wait.Wait()
	for _, id := range ids {
		if id != ids[0] {
			t.Errorf("first sign-ins at once made several members: %v", ids)
			break
		}
	}
}

func TestLinkRequestsAreLimited(t *testing.T) {
	db := migrated(t)
	replicas := []*postgres.Store{open(t, configFor(db)), open(t, configFor(db))}
	ask := func(i int, email, client string) error {
		return replicas[i%2].RequestLink(t.Context(), ideas.LinkRequest{Email: email, Locale: "en", ReturnTo: "/", ClientAddress: client})
	}
	for i := range 4 {
		if err := ask(i, "a@brand.example", fmt.Sprintf("192.0.2.%d", i)); err != nil {
			t.Fatalf("request %d for an address: %v", i, err)
		}
	}
	if err := ask(0, "A@Brand.example", "192.0.2.99"); !errors.Is(err, ideas.ErrTooMany) {
		t.Errorf("fifth request for an address: %v, want ErrTooMany", err)
	}
	// Addresses of one IPv6 network are one client, whoever is asked for.
	refused := 0
	for i := range 40 {
		err := ask(i, fmt.Sprintf("m%d@brand.example", i), fmt.Sprintf("2001:db8:1:2::%x", i+1))
		if errors.Is(err, ideas.ErrTooMany) {
			refused++
		} else if err != nil {
			t.Fatal(err)
		}
	}
	if refused != 10 {
		t.Errorf("%d of 40 requests of a client refused, want 10", refused)
	}
	if err := ask(0, "elsewhere@brand.example", "2001:db8:1:3::1"); err != nil {
		t.Errorf("another client: %v", err)
	}
	db.Exec(t, "UPDATE ideas.rate SET full_at = full_at - interval '5 minutes'")
	if err := ask(0, "a@brand.example", "192.0.2.99"); err != nil {
		t.Errorf("after five minutes: %v, want one more request allowed", err)
	}
	if err := ask(0, "a@brand.example", "192.0.2.99"); !errors.Is(err, ideas.ErrTooMany) {
		t.Errorf("and another: %v, want ErrTooMany", err)
	}
}

// TestRateIsExactUnderParallelRequests has both replicas asked at once.
func TestRateIsExactUnderParallelRequests(t *testing.T) {
	db := migrated(t)
	replicas := []*postgres.Store{open(t, configFor(db)), open(t, configFor(db))}
	var wait sync.WaitGroup
	var mutex sync.Mutex
	allowed := 0
	for i := range 30 {
		wait.Go(func() {
			if err := replicas[i%2].RequestLink(t.Context(), ideas.LinkRequest{Email: "a@brand.example", Locale: "en", ReturnTo: "/", ClientAddress: "192.0.2.1"}); err == nil {
				mutex.Lock()
				allowed++
				mutex.Unlock()
			}
		})
	}
	wait.Wait()
	if n := db.QueryInt(t, "SELECT count(*) FROM ideas.sign_in_mail"); allowed != 4 || n != 4 {
		t.Errorf("%d requests allowed and %d mails queued, want 4", allowed, n)
	}
}

func TestRequestLinkRefusals(t *testing.T) {
	db := migrated(t)
	off := configFor(db)
	off.MailEnabled = func() bool { return false }
	if err := open(t, off).RequestLink(t.Context(), ideas.LinkRequest{Email: "a@brand.example", Locale: "en", ReturnTo: "/", ClientAddress: ""}); !errors.Is(err, ideas.ErrMailOff) {
		t.Errorf("without mail: %v, want ErrMailOff", err)
	}
	store := open(t, configFor(db))
	field := (*ideas.FieldError)(nil)
	if err := store.RequestLink(t.Context(), ideas.LinkRequest{Email: "nonsense", Locale: "en", ReturnTo: "/", ClientAddress: ""}); !errors.As(err, &field) || field.Field != "email" {
		t.Errorf("nonsense as address: %v, want a *FieldError of email", err)
	}
	_, returnTo, err := store.RedeemLink(t.Context(), link(t, store, "a@brand.example", "//evil.example"))
	if err != nil || returnTo != "/" {
		t.Errorf("return to %q, error %v; want /", returnTo, err)
	}
}

// TestOutboxSurvivesACrash claims a mail and never reports it, as a process does that is killed.
func TestOutboxSurvivesACrash(t *testing.T) {
	db := migrated(t)
	crashed, next := open(t, configFor(db)), open(t, configFor(db))
	if err := crashed.RequestLink(t.Context(), ideas.LinkRequest{Email: "a@brand.example", Locale: "en", ReturnTo: "/", ClientAddress: ""}); err != nil {
		t.Fatal(err)
	}
	first, err := crashed.ClaimMail(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := next.ClaimMail(t.Context()); !errors.Is(err, ideas.ErrNotFound) {
		t.Errorf("a mail being sent is claimed again: %v", err)
	}
	db.Exec(t, "UPDATE ideas.sign_in_mail SET due_at = due_at - interval '30 seconds'")
	second, err := next.ClaimMail(t.Context())
	if err != nil || second != first {
		t.Errorf("after the lease: %+v, %v; want %+v", second, err, first)
	}
	token, err := next.IssueLink(t.Context(), second)
	if err != nil {
		t.Fatal(err)
	}
	if err := next.MailSent(t.Context(), second); err != nil {
		t.Fatal(err)
	}
	db.Exec(t, "UPDATE ideas.sign_in_mail SET due_at = now() - interval '1 second'")
	if _, err := next.ClaimMail(t.Context()); !errors.Is(err, ideas.ErrNotFound) {
		t.Errorf("a sent mail is claimed again: %v", err)
	}
	if _, err := next.IssueLink(t.Context(), second); !errors.Is(err, ideas.ErrNotFound) {
		t.Errorf("a link is issued for a sent mail: %v", err)
	}
	if _, _, err := crashed.RedeemLink(t.Context(), token); err != nil {
		t.Errorf("the link of another replica: %v", err)
	}
}

func TestOldMailsAreNotSent(t *testing.T) {
	store, db := fresh(t)
	if err := store.RequestLink(t.Context(), ideas.LinkRequest{Email: "a@brand.example", Locale: "en", ReturnTo: "/", ClientAddress: ""}); err != nil {
		t.Fatal(err)
	}
	db.Exec(t, "UPDATE ideas.sign_in_mail SET created_at = now() - interval '2 hours'")
	if _, err := store.ClaimMail(t.Context()); !errors.Is(err, ideas.ErrNotFound) {
		t.Errorf("mail of two hours ago: %v, want it left alone", err)
	}
}

func TestManyWorkersShareTheOutbox(t *testing.T) {
	db := migrated(t)
	stores := []*postgres.Store{open(t, configFor(db)), open(t, configFor(db))}
	for i := range 20 {
		if err := stores[0].RequestLink(t.Context(), ideas.LinkRequest{Email: fmt.Sprintf("m%d@brand.example", i), Locale: "en", ReturnTo: "/", ClientAddress: fmt.Sprint(i)}); err != nil {
			t.Fatal(err)
		}
	}
	var wait sync.WaitGroup
	var mutex sync.Mutex
	claimed := map[int64]int{}
	for i := range 8 {
		wait.Go(func() {
			for {
				mail, err := stores[i%2].ClaimMail(t.Context())
				if err != nil {
					if !errors.Is(err, ideas.ErrNotFound) {
						t.Errorf("claim: %v", err)
					}
					return
				}
				mutex.Lock()
				claimed[mail.ID]++
				mutex.Unlock()
			}
		})
	}
	wait.Wait()
	if len(claimed) != 20 {
		t.Errorf("%d of 20 mails claimed", len(claimed))
	}
	for id, n := range claimed {
		if n != 1 {
			t.Errorf("mail %d claimed %d times", id, n)
		}
	}
}

func TestExpiredRowsAreRemoved(t *testing.T) {
	store, db := fresh(t)
	link(t, store, "a@brand.example", "/")
	if _, _, err := store.RedeemLink(t.Context(), link(t, store, "b@brand.example", "/")); err != nil {
		t.Fatal(err)
	}
	if err := store.RequestLink(t.Context(), ideas.LinkRequest{Email: "c@brand.example", Locale: "en", ReturnTo: "/", ClientAddress: ""}); err != nil {
		t.Fatal(err)
	}
	count := "SELECT (SELECT count(*) FROM ideas.sign_in_link) + (SELECT count(*) FROM ideas.session) + (SELECT count(*) FROM ideas.sign_in_mail)"
	clean := func() {
		t.Helper()
		conn := connectAs(t, db.URI()+"?search_path=ideas")
		if err := postgres.RemoveExpired(t.Context(), conn); err != nil {
			t.Fatal(err)
		}
	}
	if clean(); db.QueryInt(t, count) != 3 {
		t.Errorf("%d rows left, want the 3 that are not expired", db.QueryInt(t, count))
	}
	db.Exec(t, "UPDATE ideas.sign_in_link SET expires_at = now()", "UPDATE ideas.session SET seen_at = now() - interval '31 days'",
		"UPDATE ideas.sign_in_mail SET created_at = now() - interval '2 hours'", "UPDATE ideas.rate SET full_at = now()")
	if clean(); db.QueryInt(t, count)+db.QueryInt(t, "SELECT count(*) FROM ideas.rate") != 0 {
		t.Error("expired rows are left")
	}
}

func TestArchiveIsStoredOnce(t *testing.T) {
	store, db := fresh(t)
	content := sample.Content(time.Now())
	added, err := store.StoreArchive(t.Context(), content)
	if err != nil || added != len(content.Ideas) || added < 20 {
		t.Fatalf("%d of %d ideas added, error %v", added, len(content.Ideas), err)
	}
	before, err := store.Totals(t.Context())
	if err != nil || before.Members != 64 || before.Votes < 300 || before.Comments < 25 {
		t.Errorf("totals = %+v, error %v", before, err)
	}
	m := member(t, store, "Visitor")
	if _, err := store.SetSupport(t.Context(), m.ID, 1, true); err != nil {
		t.Fatal(err)
	}
	if added, err := store.StoreArchive(t.Context(), sample.Content(time.Now().Add(time.Hour))); err != nil || added != 0 {
		t.Errorf("second time: %d ideas added, error %v", added, err)
	}
	after, err := store.Totals(t.Context())
	before.Members++
	before.Votes++
	if err != nil || after != before {
		t.Errorf("totals after the second time = %+v, error %v; want %+v", after, err, before)
	}
	checkCounters(t, db)
}

// checkCounters compares the counters that the database keeps with what they count.
func checkCounters(t testing.TB, db *testutil.PostgresDatabase) {
	t.Helper()
	wrong := db.QueryInt(t, `SELECT count(*) FROM ideas.idea i LEFT JOIN ideas.tally t ON t.idea_id = i.id
		WHERE t.supporters IS DISTINCT FROM (SELECT count(*) FROM ideas.support s WHERE s.idea_id = i.id)
		OR t.comments IS DISTINCT FROM (SELECT count(*) FROM ideas.comment c WHERE c.idea_id = i.id)
		OR t.visible IS DISTINCT FROM i.visible`)
	for kind, table := range map[string]string{"members": "member", "ideas": "idea WHERE visible", "votes": "support", "comments": "comment"} {
		wrong += db.QueryInt(t, fmt.Sprintf(`SELECT ((SELECT coalesce(sum(n), 0) FROM ideas.total WHERE kind = '%s')
			<> (SELECT count(*) FROM ideas.%s))::int`, kind, table))
	}
	if wrong != 0 {
		t.Errorf("%d counters differ from what they count", wrong)
	}
}

// TestCountersSurviveBulkChanges changes many rows by single statements, as migrations and erasure do.
func TestCountersSurviveBulkChanges(t *testing.T) {
	store, db := fresh(t)
	if _, err := store.StoreArchive(t.Context(), sample.Content(time.Now())); err != nil {
		t.Fatal(err)
	}
	for _, change := range []string{
		"DELETE FROM ideas.support WHERE member_id % 3 = 0",
		"UPDATE ideas.idea SET state = 'hidden' WHERE id % 2 = 0",
		"DELETE FROM ideas.comment WHERE id % 4 = 1",
		"UPDATE ideas.idea SET state = 'gathering' WHERE id % 4 = 0",
		"DELETE FROM ideas.idea WHERE id % 5 = 0",
		"DELETE FROM ideas.member m WHERE NOT EXISTS (SELECT FROM ideas.idea WHERE author_id = m.id) AND NOT EXISTS (SELECT FROM ideas.comment WHERE author_id = m.id)",
		"DELETE FROM ideas.support",
	} {
		db.Exec(t, change)
		checkCounters(t, db)
	}
}
