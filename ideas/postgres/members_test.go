package postgres_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/quaeso/community-operator/ideas"
	"github.com/quaeso/community-operator/ideas/postgres"
	"github.com/quaeso/community-operator/internal/control"
)

// declare puts house rules in force.
func declare(t testing.TB, store *postgres.Store, generation int64, house control.House) {
	t.Helper()
	_, _, err := store.Declare(t.Context(), control.Declaration{UID: "community", Generation: generation, Settings: control.Settings{
		BaseURL: "https://ideas.brand.example", Brand: control.Brand{Name: map[string]string{"en": "Brand", "fr": "Marque"}},
		Locales: []string{"en", "fr"}, TimeZone: "Europe/Paris", House: &house,
	}})
	if err != nil {
		t.Fatal(err)
	}
}

// writes tries every way in which a member writes, and returns the error of each.
func writes(ctx context.Context, store *postgres.Store, m ideas.Member, idea int64) map[string]error {
	_, submitted := store.SubmitIdea(ctx, m.ID, "", "A title", "A text")
	_, commented := store.AddComment(ctx, m.ID, idea, "", "A comment")
	_, supported := store.SetSupport(ctx, m.ID, idea, true)
	_, withdrawn := store.SetSupport(ctx, m.ID, idea, false)
	return map[string]error{"submit": submitted, "comment": commented, "support": supported, "withdraw": withdrawn}
}

func checkWrites(t *testing.T, store *postgres.Store, m ideas.Member, idea int64, want error) {
	t.Helper()
	for name, err := range writes(t.Context(), store, m, idea) {
		if !errors.Is(err, want) {
			t.Errorf("%s: %v, want %v", name, err, want)
		}
	}
}

// A muted or blocked member writes nothing until the end, a warned one goes on; all of it is audited and told.
func TestSanctions(t *testing.T) {
	now := time.Now()
	config := configFor(migrated(t))
	config.Clock = func() time.Time { return now }
	store := open(t, config)
	ctx := t.Context()
	lead, author, loud := member(t, store, "lead"), member(t, store, "author"), member(t, store, "loud")
	idea := submit(t, store, author, "A lamp")
	impose := func(kind ideas.SanctionKind, ends time.Time) ideas.Sanction {
		t.Helper()
		s, err := store.Sanction(ctx, lead.ID, loud.ID, kind, "Too loud", ends)
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	impose(ideas.SanctionWarn, time.Time{})
	checkWrites(t, store, loud, idea.ID, nil)
	impose(ideas.SanctionMute, now.Add(aWeek))
	checkWrites(t, store, loud, idea.ID, ideas.ErrRestricted)
	now = now.Add(aWeek)
	checkWrites(t, store, loud, idea.ID, nil)

	block := impose(ideas.SanctionBlock, time.Time{})
	impose(ideas.SanctionMute, now.Add(time.Hour))
	checkWrites(t, store, loud, idea.ID, ideas.ErrRestricted)
	if err := store.Appeal(ctx, author.ID, block.ID, "Let them"); !errors.Is(err, ideas.ErrNotFound) {
		t.Errorf("appeal of somebody else: %v", err)
	}
	if err := store.Appeal(ctx, loud.ID, block.ID, "I am sorry"); err != nil {
		t.Fatal(err)
	}
	if err := store.Appeal(ctx, loud.ID, block.ID, "Once more"); !errors.Is(err, ideas.ErrNotFound) {
		t.Errorf("second appeal: %v", err)
	}
	waiting, err := store.Appeals(ctx)
	if err != nil || len(waiting) != 1 || waiting[0].Appeal != "I am sorry" || waiting[0].Member.Name != "loud" || waiting[0].By.Name != "lead" {
		t.Fatalf("appeals %+v, error %v", waiting, err)
	}
	if err := store.AnswerAppeal(ctx, loud.ID, block.ID, "Granted", true); !errors.Is(err, ideas.ErrNotFound) {
		t.Errorf("answer to one's own appeal: %v", err)
	}
	if err := store.AnswerAppeal(ctx, lead.ID, block.ID, "Welcome back", true); err != nil {
		t.Fatal(err)
	}
	checkWrites(t, store, loud, idea.ID, ideas.ErrRestricted) // still muted
	now = now.Add(2 * time.Hour)
	checkWrites(t, store, loud, idea.ID, nil)
	list, err := store.Sanctions(ctx, loud.ID)
	if err != nil || len(list) != 4 {
		t.Fatalf("%d sanctions, error %v", len(list), err)
	}
	if list[1].Answer != "Welcome back" || list[1].LiftedAt.IsZero() || list[1].InForce(now) {
		t.Errorf("lifted block: %+v", list[1])
	}
	for name, tc := range map[string]struct {
		by, member int64
		kind       ideas.SanctionKind
		reason     string
		ends       time.Time
	}{
		"oneself":        {lead.ID, lead.ID, ideas.SanctionMute, "x", time.Time{}},
		"no reason":      {lead.ID, loud.ID, ideas.SanctionMute, " ", time.Time{}},
		"unknown kind":   {lead.ID, loud.ID, "ban", "x", time.Time{}},
		"ended already":  {lead.ID, loud.ID, ideas.SanctionMute, "x", now},
		"unknown member": {lead.ID, 4711, ideas.SanctionMute, "x", time.Time{}},
	} {
		if _, err := store.Sanction(ctx, tc.by, tc.member, tc.kind, tc.reason, tc.ends); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}

// What was done to a member stands in the audit log and among their notices.
func TestSanctionsAreToldAndAudited(t *testing.T) {
	store, db := fresh(t)
	lead, loud := member(t, store, "lead"), member(t, store, "loud")
	s, err := store.Sanction(t.Context(), lead.ID, loud.ID, ideas.SanctionMute, "Too loud", time.Time{})
	if err != nil {
		t.Fatal(err)
	}
	if err := store.LiftSanction(t.Context(), lead.ID, s.ID); err != nil {
		t.Fatal(err)
	}
	if err := store.LiftSanction(t.Context(), lead.ID, s.ID); !errors.Is(err, ideas.ErrNotFound) {
		t.Errorf("lifted twice: %v", err)
	}
	dispatch(t, store, db)
	if diff := cmp.Diff([]string{"account/member.sanction_lifted", "account/member.sanctioned"}, told(t, store, loud)); diff != "" {
		t.Errorf("told (-want +got):\n%s", diff)
	}
	if n := db.QueryInt(t, "SELECT count(*) FROM ideas.audit WHERE action IN ('member.mute', 'member.lift') AND subject = 'member'"); n != 2 {
		t.Errorf("%d entries in the audit log, want 2", n)
	}
}

// Nobody contributes before having accepted the community's terms; a new text asks again, and what was accepted stays.
func TestTerms(t *testing.T) {
	store, _ := fresh(t)
	ctx := t.Context()
	house := func(version, text string) control.House {
		return control.House{Terms: []control.Terms{
			{Name: "community", Kind: "participation", Version: version, Text: map[string]string{"en": text, "fr": "FR " + text}},
			{Name: "secret", Kind: "nonDisclosure", Version: "1", Text: map[string]string{"en": "Say nothing"}},
		}}
	}
	declare(t, store, 1, control.House{})
	author := member(t, store, "author")
	idea := submit(t, store, author, "A lamp")
	declare(t, store, 2, house("1", "Be kind"))
	checkWrites(t, store, author, idea.ID, ideas.ErrNotJoined)

	accept := func(names ...string) []string {
		t.Helper()
		missing, err := store.AcceptedTerms(ctx, author.ID, names)
		if err != nil {
			t.Fatal(err)
		}
		var hashes []string
		for _, m := range missing {
			hashes = append(hashes, m.Hash)
		}
		if err := store.AcceptTerms(ctx, author.ID, "fr", hashes); err != nil {
			t.Fatal(err)
		}
		return hashes
	}
	first := accept("community")
	checkWrites(t, store, author, idea.ID, nil)
	if missing, err := store.AcceptedTerms(ctx, author.ID, []string{"community", "secret"}); err != nil || len(missing) != 1 || missing[0].Name != "secret" {
		t.Fatalf("missing %+v, error %v", missing, err)
	}
	declare(t, store, 3, house("2", "Be very kind"))
	checkWrites(t, store, author, idea.ID, ideas.ErrNotJoined)
	if err := store.AcceptTerms(ctx, author.ID, "fr", first); !errors.Is(err, ideas.ErrNotFound) {
		t.Errorf("accepting a former version: %v", err)
	}
	accept("community", "secret")
	checkWrites(t, store, author, idea.ID, nil)
	list, err := store.Acceptances(ctx, author.ID)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, a := range list {
		if a.TextHash != ideas.TextHash(a.Text) {
			t.Errorf("%s: the hash is not that of the text", a.Name)
		}
		got = append(got, a.Name+" "+a.Locale+": "+a.Text)
	}
	if diff := cmp.Diff([]string{"secret en: Say nothing", "community fr: FR Be very kind", "community fr: FR Be kind"}, got); diff != "" {
		t.Errorf("accepted (-want +got):\n%s", diff)
	}
}
