package postgres_test

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/quaeso/community-operator/ideas"
	"github.com/quaeso/community-operator/ideas/postgres"
	"github.com/quaeso/community-operator/internal/control"
)

// invited asks for a link with an invitation and returns the token of its mail.
func invited(t testing.TB, store *postgres.Store, email, invitation string) (string, error) {
	t.Helper()
	if err := store.RequestLink(t.Context(), ideas.LinkRequest{Email: email, Locale: "en", Invitation: invitation}); err != nil {
		t.Fatal(err)
	}
	mail, err := store.ClaimMail(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	token, issued := store.IssueLink(t.Context(), mail)
	if err := store.MailSent(t.Context(), mail); err != nil {
		t.Fatal(err)
	}
	return token, issued
}

// Each policy admits whom it says, by mail and through an issuer; members stay members whatever it is.
func TestSignUpPolicies(t *testing.T) {
	jury := control.House{Roles: map[string][]string{"lead": {"lead@brand.example"}}}
	byInvitation, byDomain := jury, jury
	byInvitation.SignUp.Policy = control.SignUpInvitation
	byDomain.SignUp = control.SignUp{Policy: control.SignUpDomains, Domains: []string{"School.example"}}
	for name, tc := range map[string]struct {
		house control.House
		// admitted and refused are addresses; those with a "+" come with an invitation.
		admitted, refused []string
	}{
		"open":       {jury, []string{"a@any.example", "b+@any.example"}, nil},
		"invitation": {byInvitation, []string{"old@brand.example", "lead@brand.example", "b+@any.example"}, []string{"a@any.example"}},
		"domains": {
			byDomain, []string{"old@brand.example", "lead@brand.example", "a@school.example"},
			[]string{"a@any.example", "b+@any.example", "a@sub.school.example", "a@school.example.evil.example", "school.example@evil.example"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			store, db := fresh(t)
			ctx := t.Context()
			old := member(t, store, "old")
			declare(t, store, 1, tc.house)
			for i, address := range append(append([]string{}, tc.admitted...), tc.refused...) {
				want := error(nil)
				if i >= len(tc.admitted) {
					want = ideas.ErrNotInvited
				}
				invitation := ""
				if strings.Contains(address, "+") {
					var err error
					if invitation, err = store.Invite(ctx, old.ID, "", ideas.MaxInvitations); err != nil {
						t.Fatal(err)
					}
				}
				_, err := store.SignInWith(ctx, ideas.Identity{
					Issuer: "https://issuer.example", Subject: address + "x", Email: "oidc." + address, EmailVerified: true, Invitation: invitation,
				})
				named := address == "old@brand.example" || address == "lead@brand.example" // their other addresses are strangers'
				if !named && !errors.Is(err, want) {
					t.Errorf("%s by an issuer: %v, want %v", address, err, want)
				}
				if invitation != "" {
					if invitation, err = store.Invite(ctx, old.ID, "", ideas.MaxInvitations); err != nil {
						t.Fatal(err)
					}
				}
				token, err := invited(t, store, address, invitation)
				if !errors.Is(err, want) {
					t.Errorf("the mail to %s: %v, want %v", address, err, want)
				}
				if err == nil {
					if _, _, err := store.RedeemLink(ctx, token); err != nil {
						t.Errorf("%s: %v", address, err)
					}
				}
			}
			if _, err := store.SignInWith(ctx, ideas.Identity{Issuer: "https://issuer.example", Subject: "nobody", Email: "a@school.example"}); name != "open" && !errors.Is(err, ideas.ErrNotInvited) {
				t.Errorf("an address that the issuer has not verified: %v", err)
			}
			for _, address := range tc.refused {
				if n := db.QueryInt(t, fmt.Sprintf("SELECT count(*) FROM ideas.member WHERE email LIKE '%%%s'", address)); n != 0 {
					t.Errorf("%s is a member", address)
				}
			}
		})
	}
}

// An invitation lets one person in, whoever tries at once, and the member who made it is told and credited.
func TestInvitations(t *testing.T) {
	store, db := fresh(t)
	ctx := t.Context()
	host := member(t, store, "host")
	declare(t, store, 1, control.House{SignUp: control.SignUp{Policy: control.SignUpInvitation}})
	invitation, err := store.Invite(ctx, host.ID, "For a friend", 2)
	if err != nil {
		t.Fatal(err)
	}
	if who, err := store.Inviter(ctx, invitation); err != nil || who.Name != "host" {
		t.Fatalf("invited by %+v, error %v", who, err)
	}
	var tokens []string
	for i := range 5 {
		token, err := invited(t, store, fmt.Sprintf("m%d@any.example", i), invitation)
		if err != nil {
			t.Fatal(err)
		}
		tokens = append(tokens, token)
	}
	var wait sync.WaitGroup
	results := make(chan error, len(tokens))
	for _, token := range tokens {
		wait.Go(func() {
			_, _, err := store.RedeemLink(ctx, token)
			results <- err
		})
	}
	wait.Wait()
	joined := 0
	for range tokens {
		if err := <-results; err == nil {
			joined++
		} else if !errors.Is(err, ideas.ErrNotInvited) {
			t.Errorf("one of several: %v", err)
		}
	}
	if joined != 1 {
		t.Errorf("%d joined by one invitation", joined)
	}
	list, count, err := store.Invitations(ctx, host.ID)
	if err != nil || count != 1 || len(list) != 1 || list[0].UsedBy.ID == 0 || list[0].Note != "For a friend" {
		t.Errorf("invitations %+v, %d joined, error %v", list, count, err)
	}
	dispatch(t, store, db)
	if diff := cmp.Diff([]string{"account/member.referred"}, told(t, store, host)); diff != "" {
		t.Errorf("told (-want +got):\n%s", diff)
	}
	if _, err := store.Inviter(ctx, invitation); !errors.Is(err, ideas.ErrLinkSpent) {
		t.Errorf("used invitation: %v", err)
	}
	for range 2 {
		if _, err := store.Invite(ctx, host.ID, "", 2); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := store.Invite(ctx, host.ID, "", 2); !errors.Is(err, ideas.ErrTooMany) {
		t.Errorf("a third open invitation of two: %v", err)
	}
	list, _, _ = store.Invitations(ctx, host.ID)
	other := member2(t, store, "other@any.example")
	if err := store.WithdrawInvitation(ctx, other, list[0].ID); !errors.Is(err, ideas.ErrNotFound) {
		t.Errorf("somebody else's invitation withdrawn: %v", err)
	}
	if err := store.WithdrawInvitation(ctx, host.ID, list[0].ID); err != nil {
		t.Error(err)
	}
}

// member2 makes a member behind the policies.
func member2(t testing.TB, store *postgres.Store, email string) int64 {
	t.Helper()
	if _, err := store.StoreArchive(t.Context(), ideas.Archive{Members: []ideas.ArchivedMember{{Email: email, Name: "M", Locale: "en", CreatedAt: time.Now()}}}); err != nil {
		t.Fatal(err)
	}
	session, _, err := store.RedeemLink(t.Context(), link(t, store, email, "/"))
	if err != nil {
		t.Fatal(err)
	}
	m, err := store.Authenticate(t.Context(), session)
	if err != nil {
		t.Fatal(err)
	}
	return m.ID
}

// The birth date is asked for and kept only as needed; nobody contributes below the ages that the house sets.
func TestAges(t *testing.T) {
	now := time.Date(2027, time.March, 10, 12, 0, 0, 0, time.UTC)
	for name, tc := range map[string]struct {
		born, guardian string
		want           error
		field          string
		// kept is what the database has: the date, the age reached, and the state of the guardian.
		kept string
	}{
		"adult":                    {"1990-05-30", "", nil, "", " 18 none"},
		"eighteen today":           {"2009-03-10", "", nil, "", " 18 none"},
		"seventeen":                {"2009-03-11", "", nil, "", "2009-03-11  none"},
		"guardian":                 {"2013-03-10", "parent@home.example", nil, "", "2013-03-10  needed"},
		"guardian without address": {"2013-03-10", "", nil, "guardian", "  none"},
		"guardian is oneself":      {"2013-03-10", "Kid@brand.example", nil, "guardian", "  none"},
		"too young":                {"2014-03-11", "parent@home.example", ideas.ErrTooYoung, "", "  none"},
		"no date":                  {"", "", nil, "born", "  none"},
		"no such date":             {"2010-02-30", "", nil, "born", "  none"},
		"tomorrow":                 {"2027-03-11", "", nil, "born", "  none"},
		"long ago":                 {"1850-01-01", "", nil, "born", "  none"},
	} {
		t.Run(name, func(t *testing.T) {
			db := migrated(t)
			config := configFor(db)
			config.Clock = func() time.Time { return now }
			store := open(t, config)
			declare(t, store, 1, control.House{SignUp: control.SignUp{MinimumAge: 13, GuardianBelow: 15}})
			kid := member(t, store, "kid")
			if _, err := store.SubmitIdea(t.Context(), kid.ID, "", "A", "B"); !errors.Is(err, ideas.ErrNotJoined) {
				t.Errorf("before joining: %v", err)
			}
			err := store.Join(t.Context(), kid.ID, ideas.JoinAnswers{Born: tc.born, GuardianEmail: tc.guardian, Locale: "en"})
			field := (*ideas.FieldError)(nil)
			switch {
			case tc.field != "":
				if !errors.As(err, &field) || field.Field != tc.field {
					t.Errorf("got %v, want the field %s", err, tc.field)
				}
			case !errors.Is(err, tc.want):
				t.Errorf("got %v, want %v", err, tc.want)
			}
			got := db.QueryText(t, fmt.Sprintf("SELECT concat_ws(' ', coalesce(born::text, ''), coalesce(age_reached::text, ''), guardian) FROM ideas.member WHERE id = %d", kid.ID))
			if got != tc.kept {
				t.Errorf("kept %q, want %q", got, tc.kept)
			}
			if tc.want != nil {
				if n := db.QueryInt(t, "SELECT count(*) FROM ideas.member WHERE email IS NOT NULL"); n != 0 {
					t.Error("the address of somebody too young is kept")
				}
				again := member(t, store, "kid")
				if err := store.Join(t.Context(), again.ID, ideas.JoinAnswers{Born: "1990-05-30"}); !errors.Is(err, ideas.ErrTooYoung) {
					t.Errorf("with another date right afterwards: %v", err)
				}
			}
		})
	}
}

// A minor reads until the guardian consents, and again when the consent is withdrawn. Only the link of the mail answers.
func TestGuardian(t *testing.T) {
	store, _ := fresh(t)
	ctx := t.Context()
	author := member(t, store, "author")
	idea := submit(t, store, author, "A lamp")
	declare(t, store, 1, control.House{SignUp: control.SignUp{GuardianBelow: 15}})
	kid := member(t, store, "kid")
	born := time.Now().AddDate(-14, 0, 0).Format(time.DateOnly)
	if err := store.Join(ctx, kid.ID, ideas.JoinAnswers{Born: born, GuardianEmail: "parent@home.example", Locale: "en"}); err != nil {
		t.Fatal(err)
	}
	checkWrites(t, store, kid, idea.ID, ideas.ErrGuardianMissing)
	email, _, name, token, err := store.GuardianRecipient(ctx, kid.ID)
	if err != nil || email != "parent@home.example" || name != "kid" {
		t.Fatalf("written to %s about %s, error %v", email, name, err)
	}
	for name, forged := range map[string]string{"empty": "", "made up": strings.Repeat("A", 43), "cut": token[:42], "longer": token + "A"} {
		if err := store.AnswerGuardian(ctx, forged, true, ""); !errors.Is(err, ideas.ErrLinkSpent) {
			t.Errorf("%s token: %v", name, err)
		}
	}
	checkWrites(t, store, kid, idea.ID, ideas.ErrGuardianMissing)
	if request, err := store.GuardianRequest(ctx, token); err != nil || request.Answer != ideas.GuardianNeeded || request.Member.Name != "kid" {
		t.Fatalf("request %+v, error %v", request, err)
	}
	for _, step := range []struct {
		consents bool
		want     error
	}{{false, ideas.ErrGuardianMissing}, {true, nil}, {false, ideas.ErrGuardianMissing}} {
		if err := store.AnswerGuardian(ctx, token, step.consents, ideas.TextHash("text")); err != nil {
			t.Fatal(err)
		}
		checkWrites(t, store, kid, idea.ID, step.want)
	}
	// Another guardian is asked: the former link ends, so nobody answers for whom the minor no longer names.
	if err := store.AskGuardian(ctx, kid.ID, "other@home.example"); err != nil {
		t.Fatal(err)
	}
	if err := store.AnswerGuardian(ctx, token, true, ""); !errors.Is(err, ideas.ErrLinkSpent) {
		t.Errorf("the former guardian's link: %v", err)
	}
	if err := store.AskGuardian(ctx, author.ID, "other@home.example"); !errors.Is(err, ideas.ErrNotFound) {
		t.Errorf("an adult's guardian: %v", err)
	}
	for range 5 {
		err = store.AskGuardian(ctx, kid.ID, "third@home.example")
	}
	if !errors.Is(err, ideas.ErrTooMany) {
		t.Errorf("mails without end: %v", err)
	}
}

// What members say of themselves has their consent to a text; withdrawing it takes the values away.
func TestAttributes(t *testing.T) {
	store, db := fresh(t)
	ctx := t.Context()
	region := control.Attribute{
		Name: "region", Required: true, Label: map[string]string{"en": "Region"}, Consent: map[string]string{"en": "Used for statistics", "fr": "Pour nos statistiques"},
		Options: []control.Option{{Name: "north"}, {Name: "south"}},
	}
	hobby := control.Attribute{Name: "hobby", Multiple: true, Options: []control.Option{{Name: "bike"}, {Name: "swim"}}, Consent: map[string]string{"en": "To invite you"}}
	city := control.Attribute{Name: "city"}
	declare(t, store, 1, control.House{Attributes: []control.Attribute{region, hobby, city}})
	claire, other := member(t, store, "claire"), member(t, store, "other")
	if err := store.Join(ctx, claire.ID, ideas.JoinAnswers{Locale: "fr", Attributes: map[string][]string{"region": {"east"}}}); err == nil {
		t.Error("an option that is none was accepted")
	}
	if err := store.Join(ctx, claire.ID, ideas.JoinAnswers{Locale: "fr", Attributes: map[string][]string{"region": {"north"}}}); err != nil {
		t.Fatal(err)
	}
	for name, values := range map[string][]string{"hobby": {"swim", "bike", "bike"}, "city": {" Lyon "}} {
		if err := store.SetAttribute(ctx, claire.ID, name, values, "en"); err != nil {
			t.Fatal(err)
		}
	}
	if err := store.SetAttribute(ctx, other.ID, "region", []string{"north"}, "en"); err != nil {
		t.Fatal(err)
	}
	for name, values := range map[string][]string{"region": {"north", "south"}, "hobby": {"chess"}, "city": {strings.Repeat("x", 300)}, "salary": {"1"}} {
		if err := store.SetAttribute(ctx, claire.ID, name, values, "en"); err == nil {
			t.Errorf("%s: %v accepted", name, values)
		}
	}
	list, err := store.Attributes(ctx, claire.ID)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, a := range list {
		if a.ConsentHash != ideas.TextHash(a.Consent) {
			t.Errorf("%s: the hash is not the consent's", a.Name)
		}
		got = append(got, fmt.Sprintf("%s %v %s", a.Name, a.Values, a.Consent))
	}
	if diff := cmp.Diff([]string{"city [Lyon] ", "hobby [bike swim] To invite you", "region [north] Pour nos statistiques"}, got); diff != "" {
		t.Errorf("attributes (-want +got):\n%s", diff)
	}
	segments, err := store.Segments(ctx, "region")
	if diff := cmp.Diff([]ideas.Segment{{Value: "north", Members: 2}}, segments); err != nil || diff != "" {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
	idea := submit(t, store, claire, "A lamp")
	if err := store.SetAttribute(ctx, claire.ID, "region", nil, "en"); err != nil {
		t.Fatal(err)
	}
	if n := db.QueryInt(t, "SELECT count(*) FROM ideas.attribute WHERE name = 'region'"); n != 1 {
		t.Errorf("%d values of the region, want the other member's", n)
	}
	if n := db.QueryInt(t, "SELECT count(*) FROM ideas.consent WHERE withdrawn_at IS NOT NULL AND attribute = 'region'"); n != 1 {
		t.Errorf("%d withdrawn consents, want 1", n)
	}
	checkWrites(t, store, claire, idea.ID, ideas.ErrNotJoined)
}
