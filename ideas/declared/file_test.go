package declared_test

import (
	"context"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/quaeso/community-operator/ideas"
	"github.com/quaeso/community-operator/ideas/declared"
	"github.com/quaeso/community-operator/ideas/postgres"
	"github.com/quaeso/community-operator/internal/testutil"
)

var rules = declared.Rules{Locales: []string{"en", "fr"}}

const community = `
community:
  baseURL: http://localhost:8080
  brand: {name: {en: Lumière Lab, fr: Atelier Lumière}}
  locales: [fr, en]
  timeZone: Europe/Paris
  house:
    moderation: {when: before}
    roles: {lead: [lou@brand.example]}
`

const contest = `
challenges:
  - name: summer
    spec:
      type: contest
      title: {en: Summer light, fr: Lumière d’été}
      phases:
        - {name: open, start: "2027-06-01T09:00"}
        - {name: voting, start: "2027-07-01T09:00", end: "2027-07-08T09:00"}
`

func TestRead(t *testing.T) {
	for name, tc := range map[string]struct{ content, want string }{
		"good":          {community + contest, ""},
		"unknown field": {community + "surprise: true\n", `unknown field "surprise"`},
		"no YAML":       {"community: [", "as YAML"},
		"bad role": {
			strings.Replace(community, "lead:", "boss:", 1), "community.house.roles.boss: is no role",
		},
		"reversed phases": {
			community + strings.Replace(contest, "2027-07-08T09:00", "2027-06-30T09:00", 1),
			"challenges[0].spec.phases[1].end: must be after the start 2027-07-01T09:00",
		},
		"skipped hour": {
			community + strings.Replace(contest, "2027-06-01T09:00", "2027-03-28T02:30", 1),
			"challenges[0].spec.phases[0].start: read \"2027-03-28T02:30\": clocks are set forward",
		},
		"title missing in a language": {
			community + strings.Replace(contest, "fr: Lumière d’été", "", 1), "challenges[0].spec.title.fr: is missing",
		},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := rules.Read([]byte(tc.content))
			switch {
			case tc.want == "" && err != nil:
				t.Errorf("refused: %v", err)
			case tc.want != "" && (err == nil || !strings.Contains(err.Error(), tc.want)):
				t.Errorf("got %v, want %q", err, tc.want)
			}
		})
	}
}

// A file is followed: what it gains, changes and loses, and a broken state in between changes nothing.
func TestFollow(t *testing.T) {
	store := openStore(t)
	path := filepath.Join(t.TempDir(), "declared.yaml")
	write := func(content string) {
		t.Helper()
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write(community + contest)
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() { defer close(done); rules.Follow(ctx, path, store, slog.New(slog.DiscardHandler)) }()
	t.Cleanup(func() { stop(); <-done })

	wait(t, store, "summer: Summer light")
	c := store.Programme(ctx).Challenge("summer")
	if got := c.PhaseName(time.Date(2027, 7, 1, 7, 0, 0, 0, time.UTC)); got != "voting" {
		t.Errorf("at nine in Paris the phase is %q, want voting", got)
	}
	if got := c.PhaseName(time.Date(2027, 7, 1, 6, 59, 59, 0, time.UTC)); got != "open" {
		t.Errorf("before nine in Paris the phase is %q, want open", got)
	}
	settings, _ := store.Current(ctx)
	if diff := cmp.Diff(ideas.Roles{ideas.RoleLead}, settings.RolesOf("LOU@brand.example")); diff != "" {
		t.Errorf("roles (-want +got):\n%s", diff)
	}
	write(community + "challenges: [{name: summer, spec: {type: surprise}}]")
	write(community + strings.Replace(contest, "Summer light", "Summer nights", 1))
	wait(t, store, "summer: Summer nights")
	if now := store.Programme(ctx).Challenge("summer"); now.ID != c.ID {
		t.Errorf("the changed challenge has the id %d, the former had %d", now.ID, c.ID)
	}
	write(community)
	wait(t, store, "")
	write(community + contest)
	wait(t, store, "summer: Summer light")
	if now := store.Programme(ctx).Challenge("summer"); now.ID != c.ID {
		t.Errorf("the challenge that came back has the id %d, it had %d", now.ID, c.ID)
	}
}

// Challenges of a file may refer to later ones.
func TestOrderOfAFile(t *testing.T) {
	store := openStore(t)
	first := strings.ReplaceAll(contest, "name: summer", "name: autumn")
	second := strings.TrimPrefix(contest, "\nchallenges:\n")
	f, err := rules.Read([]byte(community + strings.Replace(first, "spec:", "spec:\n      origin: summer", 1) + second))
	if err != nil {
		t.Fatal(err)
	}
	if err := declared.Apply(t.Context(), f, store, 1); err != nil {
		t.Fatal(err)
	}
	if c := store.Programme(t.Context()).Challenge("autumn"); c == nil || c.Spec.Origin != "summer" {
		t.Errorf("autumn is %+v, want it to continue summer", c)
	}
}

func openStore(t *testing.T) *postgres.Store {
	t.Helper()
	db := testutil.Postgres(t).Database(t)
	store := postgres.New(postgres.Config{
		URI: func() (string, error) { return db.URI(), nil }, Logger: slog.New(slog.DiscardHandler), TestOnly: true,
	})
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

// wait until the challenges in force have these names and English titles.
func wait(t *testing.T, store *postgres.Store, want string) {
	t.Helper()
	deadline := time.After(30 * time.Second)
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		var all []string
		for _, c := range store.Programme(t.Context()).Challenges {
			all = append(all, c.Name+": "+c.Spec.Title["en"])
		}
		got := strings.Join(all, ", ")
		if got == want {
			return
		}
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatalf("challenges in force are %q, want %q", got, want)
		}
	}
}
