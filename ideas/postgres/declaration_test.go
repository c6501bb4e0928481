package postgres_test

import (
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

func declaration(uid string, generation int64, primary string) control.Declaration {
	return control.Declaration{UID: uid, Generation: generation, Settings: control.Settings{
		BaseURL: "https://ideas.brand.example", Hostnames: []string{"ideas.brand.example"},
		Brand: control.Brand{
			Name: map[string]string{"fr": "Marque", "en": "Brand"}, LogoURL: "https://brand.example/logo.svg",
			TagLine: map[string]string{"fr": "Ensemble"}, Colors: control.Colors{Primary: primary},
		},
		Locales: []string{"fr", "en"}, TimeZone: "Europe/Paris",
		OIDC: &control.OIDC{IssuerURL: "https://login.brand.example", Label: map[string]string{"en": "Sign in"}},
	}}
}

func inForce(d control.Declaration) control.InForce {
	return control.InForce{UID: d.UID, Generation: d.Generation, Digest: d.Settings.Digest()}
}

// TestDeclarationReachesEveryReplica declares at one and looks at the other, and at one that starts later.
func TestDeclarationReachesEveryReplica(t *testing.T) {
	db := migrated(t)
	first, second := open(t, configFor(db)), open(t, configFor(db))
	if _, ok := second.Current(t.Context()); ok {
		t.Fatal("settings before the first declaration")
	}
	d := declaration("uid-1", 1, "#0b6e4f")
	got, accepted, err := first.Declare(t.Context(), d)
	if err != nil || !accepted || got != inForce(d) {
		t.Fatalf("declare: %+v, %v, %v; want %+v", got, accepted, err, inForce(d))
	}
	eventually(t, time.Minute, "the declaration at the other replica", func() bool { return second.InForce() == inForce(d) })
	want := ideas.Settings{
		BaseURL: "https://ideas.brand.example", Hostnames: []string{"ideas.brand.example"},
		Name: map[string]string{"fr": "Marque", "en": "Brand"}, TagLine: map[string]string{"fr": "Ensemble"},
		LogoURL: "https://brand.example/logo.svg", Colors: ideas.Colors{Primary: "#0b6e4f"},
		Locales: []string{"fr", "en"}, TimeZone: "Europe/Paris", Revision: d.Settings.Digest(),
		OIDC: &ideas.OIDCSettings{IssuerURL: "https://login.brand.example", Label: map[string]string{"en": "Sign in"}},
	}
	for name, store := range map[string]*postgres.Store{"first": first, "second": second, "later": open(t, configFor(db))} {
		settings, ok := store.Current(t.Context())
		if diff := cmp.Diff(want, settings); !ok || diff != "" {
			t.Errorf("%s replica: settings %v (-want +got):\n%s", name, ok, diff)
		}
	}
}

// TestDeclarationArrivesWithoutNotification writes it as a replica does whose notification gets lost.
func TestDeclarationArrivesWithoutNotification(t *testing.T) {
	store, db := fresh(t)
	if _, _, err := store.Declare(t.Context(), declaration("uid-1", 1, "#111111")); err != nil {
		t.Fatal(err)
	}
	db.Exec(t, "UPDATE ideas.declaration SET generation = 2, digest = 'silent'")
	eventually(t, time.Minute, "the silent declaration", func() bool { return store.InForce().Digest == "silent" })
}

func TestStaleDeclarationsAreRefused(t *testing.T) {
	store, db := fresh(t)
	for _, step := range []struct {
		name     string
		d        control.Declaration
		accepted bool
	}{
		{"first", declaration("uid-1", 3, "#111111"), true},
		{"same again", declaration("uid-1", 3, "#111111"), true},
		{"same generation, another class", declaration("uid-1", 3, "#222222"), true},
		{"older", declaration("uid-1", 2, "#333333"), false},
		{"newer", declaration("uid-1", 4, "#444444"), true},
		{"another object takes the database over", declaration("uid-2", 1, "#555555"), true},
	} {
		before := store.InForce()
		got, accepted, err := store.Declare(t.Context(), step.d)
		want := inForce(step.d)
		if !step.accepted {
			want = before
		}
		if err != nil || accepted != step.accepted || got != want || store.InForce() != want {
			t.Errorf("%s: in force %+v, accepted %v, error %v; want %+v, %v", step.name, got, accepted, err, want, step.accepted)
		}
	}
	version := db.QueryInt(t, "SELECT xmin::text::bigint FROM ideas.declaration")
	if _, _, err := store.Declare(t.Context(), declaration("uid-2", 1, "#555555")); err != nil {
		t.Fatal(err)
	}
	if again := db.QueryInt(t, "SELECT xmin::text::bigint FROM ideas.declaration"); again != version {
		t.Error("declaring what is in force has written")
	}
}

// TestConcurrentDeclarationsEndWithTheNewest has replicas declare generations in any order.
func TestConcurrentDeclarationsEndWithTheNewest(t *testing.T) {
	db := migrated(t)
	stores := []*postgres.Store{open(t, configFor(db)), open(t, configFor(db))}
	var wait sync.WaitGroup
	for generation := range int64(40) {
		wait.Go(func() {
			d := declaration("uid", generation+1, fmt.Sprintf("#0000%02x", generation))
			if _, _, err := stores[generation%2].Declare(t.Context(), d); err != nil {
				t.Errorf("generation %d: %v", generation+1, err)
			}
		})
	}
	wait.Wait()
	for i, store := range stores {
		eventually(t, time.Minute, fmt.Sprintf("generation 40 at replica %d", i), func() bool {
			settings, _ := store.Current(t.Context())
			return store.InForce().Generation == 40 && settings.Colors.Primary == "#000027"
		})
	}
}

func TestDeclarationOfALaterReleaseIsServed(t *testing.T) {
	store, db := fresh(t)
	if _, _, err := store.Declare(t.Context(), declaration("uid-1", 1, "#111111")); err != nil {
		t.Fatal(err)
	}
	db.Exec(t, `UPDATE ideas.declaration SET digest = 'later', settings = settings || '{"inventedLater": {"a": 1}}'`)
	eventually(t, time.Minute, "the later declaration", func() bool { return store.InForce().Digest == "later" })
}

func TestHostileTextsSurviveUnchanged(t *testing.T) {
	store, _ := fresh(t)
	d := declaration("uid", 1, "#111111")
	d.Settings.Brand.Name["fr"] = `"'; DROP SCHEMA ideas;-- {{.}} </script> ` + strings.Repeat("é", 50)
	if _, _, err := store.Declare(t.Context(), d); err != nil {
		t.Fatal(err)
	}
	if settings, _ := store.Current(t.Context()); settings.Name["fr"] != d.Settings.Brand.Name["fr"] || store.InForce() != inForce(d) {
		t.Errorf("name = %q, in force %+v", settings.Name["fr"], store.InForce())
	}
}
