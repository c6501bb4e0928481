package postgres

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/quaeso/community-operator/ideas"
	"github.com/quaeso/community-operator/internal/control"
)

// What belongs to a challenge that not everybody may see is found, read and discussed by those who may, and exists for
// nobody else; also when the challenge was archived.
func TestConcealedChallenges(t *testing.T) {
	s, _ := openInside(t)
	ctx := t.Context()
	texts := func(text string) map[string]string { return map[string]string{"en": text} }
	_, _, err := s.Declare(ctx, control.Declaration{UID: "c", Generation: 1, Settings: control.Settings{
		BaseURL: "https://ideas.brand.example", Brand: control.Brand{Name: texts("Brand")}, Locales: []string{"en"}, TimeZone: "UTC",
		House: &control.House{Roles: map[string][]string{"lead": {"lead@brand.example"}, "host": {"pilot@brand.example"}}},
	}})
	if err != nil {
		t.Fatal(err)
	}
	for name, spec := range map[string]control.Challenge{
		"open":     {},
		"inner":    {Visibility: ideas.VisibleMembers},
		"selected": {Visibility: ideas.VisibleEligible, Eligibility: &control.Eligibility{Level: 3}},
	} {
		spec.Type, spec.Title = control.TypeIdeation, texts(name)
		if _, _, err := s.DeclareChallenge(ctx, control.Object[control.Challenge]{UID: name, Name: name, Generation: 1, Spec: spec}); err != nil {
			t.Fatal(err)
		}
	}
	join := func(name string, level int) int64 {
		t.Helper()
		session, err := s.SignInWith(ctx, ideas.Identity{Issuer: "i", Subject: name, Name: name, Email: name + "@brand.example", EmailVerified: true, Locale: "en"})
		if err != nil {
			t.Fatal(err)
		}
		m, err := s.Authenticate(ctx, session)
		if err != nil {
			t.Fatal(err)
		}
		pool, err := s.db()
		if err != nil {
			t.Fatal(err)
		}
		if _, err := pool.Exec(ctx, "UPDATE member SET level = $2 WHERE id = $1", m.ID, level); err != nil {
			t.Fatal(err)
		}
		return m.ID
	}
	author, member, trusted, lead := join("author", 3), join("member", 0), join("trusted", 3), join("lead", 0)
	byChallenge := map[string]int64{}
	for _, name := range []string{"open", "inner", "selected"} {
		c := s.Programme(ctx).Challenge(name)
		idea, err := s.SubmitEntry(ctx, author, c, "", ideas.Content{Title: "A lantern for " + name, Body: "It glows."}, nil)
		if err != nil {
			t.Fatal(err)
		}
		byChallenge[name] = idea.ID
	}
	viewers := map[string]int64{"stranger": 0, "member": member, "trusted": trusted, "author": author, "lead": lead}
	readable := func() map[string]string {
		all := map[string]string{}
		for who, id := range viewers {
			var may []string
			for name, idea := range byChallenge {
				switch _, err := s.GetIdea(ctx, id, idea); {
				case err == nil:
					may = append(may, name)
				case !errors.Is(err, ideas.ErrNotFound):
					t.Errorf("%s asks for %s: %v", who, name, err)
				}
				if _, err := s.OpenIdea(ctx, id, idea); (err == nil) != slices.Contains(may, name) {
					t.Errorf("%s asks for what belongs to %s: %v, may read it: %v", who, name, err, slices.Contains(may, name))
				}
			}
			slices.Sort(may)
			all[who] = strings.Join(may, " ")
		}
		return all
	}
	want := map[string]string{
		"stranger": "open", "member": "inner open", "trusted": "inner open selected", "author": "inner open selected", "lead": "inner open selected",
	}
	if diff := cmp.Diff(want, readable()); diff != "" {
		t.Errorf("readable (-want +got):\n%s", diff)
	}
	if page, err := s.ListIdeas(ctx, member, ideas.Query{}); err != nil || len(page.Ideas) != 2 {
		t.Errorf("members are shown %d ideas, %v; want the open and the inner one", len(page.Ideas), err)
	}
	for _, q := range []ideas.Query{{}, {Order: ideas.OrderNewest}, {Order: ideas.OrderTop}, {Search: "lantern"}, {Order: ideas.OrderTop, Search: "lantern"}} {
		page, err := s.ListIdeas(ctx, 0, q)
		if err != nil {
			t.Fatal(err)
		}
		if len(page.Ideas) != 1 || page.Ideas[0].ID != byChallenge["open"] {
			t.Errorf("list %+v: %d ideas, want the open one", q, len(page.Ideas))
		}
	}
	similar, err := s.SimilarIdeas(ctx, "A lantern for selected", 0)
	if err != nil || len(similar) != 1 || similar[0].ID != byChallenge["open"] {
		t.Errorf("similar ideas: %d, %v; want the open one", len(similar), err)
	}
	if _, err := s.AddComment(ctx, member, byChallenge["selected"], "", "Hello?"); !errors.Is(err, ideas.ErrNotFound) {
		t.Errorf("a comment of somebody who may not see the idea: %v", err)
	}
	if _, err := s.AddComment(ctx, trusted, byChallenge["selected"], "", "Hello!"); err != nil {
		t.Errorf("a comment of somebody who may see the idea: %v", err)
	}
	if err := s.WithdrawChallenge(ctx, "selected"); err != nil {
		t.Fatal(err)
	}
	want["trusted"] = "inner open"
	if diff := cmp.Diff(want, readable()); diff != "" {
		t.Errorf("readable after the challenge was archived (-want +got):\n%s", diff)
	}
}
