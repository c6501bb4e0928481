package stack_test

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5/pgconn"
	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/utils/ptr"

	"github.com/quaeso/community-operator/api/v1alpha1"
	"github.com/quaeso/community-operator/internal/stack"
	"github.com/quaeso/community-operator/internal/testutil"
)

// sizes "small" (1 replica, no storage said) and "large" (3 replicas, 20Gi).
func withLarge(c *v1alpha1.CommunityClass) { c.Spec.Sizes = append(c.Spec.Sizes, largeSize()) }

func TestResolveSizeAndReplicas(t *testing.T) {
	tests := map[string]struct {
		scenario     scenario
		wantSize     string
		wantReplicas int32
	}{
		"the first size when nobody says":    {scenario{class: withLarge}, "small", 1},
		"the class's default size":           {scenario{class: func(c *v1alpha1.CommunityClass) { withLarge(c); c.Spec.DefaultSize = "large" }}, "large", 3},
		"the community's size":               {scenario{func(c *v1alpha1.Community) { c.Spec.Size = "large" }, withLarge, nil}, "large", 3},
		"the community's before the class's": {scenario{func(c *v1alpha1.Community) { c.Spec.Size = "small" }, func(c *v1alpha1.CommunityClass) { withLarge(c); c.Spec.DefaultSize = "large" }, nil}, "small", 1},
		"the community's replicas":           {scenario{func(c *v1alpha1.Community) { c.Spec.Size = "large"; c.Spec.Replicas = ptr.To[int32](1) }, withLarge, nil}, "large", 1},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			p := newPlan(t, tt.scenario)
			if p.Size.Name != tt.wantSize || p.Replicas != tt.wantReplicas {
				t.Errorf("got size %q with %d replicas, want %q with %d", p.Size.Name, p.Replicas, tt.wantSize, tt.wantReplicas)
			}
		})
	}
}

func TestResolveLocalesAndTimeZone(t *testing.T) {
	both := v1alpha1.TextByLocale{"fr": "Atelier", "en": "Lab"}
	tests := map[string]struct {
		brand        v1alpha1.Brand
		wantLocales  []v1alpha1.Locale
		wantTimeZone string
	}{
		"those of displayName, fr first": {v1alpha1.Brand{DisplayName: both}, []v1alpha1.Locale{"fr", "en"}, "Europe/Paris"},
		"only one text":                  {v1alpha1.Brand{DisplayName: v1alpha1.TextByLocale{"en": "Lab"}}, []v1alpha1.Locale{"en"}, "Europe/Paris"},
		"as declared":                    {v1alpha1.Brand{DisplayName: both, Locales: []v1alpha1.Locale{"en", "fr"}}, []v1alpha1.Locale{"en", "fr"}, "Europe/Paris"},
		"fewer than texts":               {v1alpha1.Brand{DisplayName: both, Locales: []v1alpha1.Locale{"en"}}, []v1alpha1.Locale{"en"}, "Europe/Paris"},
		"own time zone":                  {v1alpha1.Brand{DisplayName: both, TimeZone: "UTC"}, []v1alpha1.Locale{"fr", "en"}, "UTC"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			p := newPlan(t, scenario{community: func(c *v1alpha1.Community) { c.Spec.Brand = tt.brand }})
			if diff := cmp.Diff(tt.wantLocales, p.Locales); diff != "" {
				t.Errorf("locales (-want +got):\n%s", diff)
			}
			if p.TimeZone != tt.wantTimeZone {
				t.Errorf("time zone is %q, want %q", p.TimeZone, tt.wantTimeZone)
			}
		})
	}
}

func TestResolveDatabase(t *testing.T) {
	fast := ptr.To("fast")
	large := func(c *v1alpha1.Community) { c.Spec.Size = "large" }
	tests := map[string]struct {
		scenario scenario
		want     stack.DatabasePlan
	}{
		"standalone": {
			scenario{class: func(c *v1alpha1.CommunityClass) { c.Spec.Database.Standalone.StorageClassName = fast }},
			stack.DatabasePlan{Kind: v1alpha1.DatabaseStandalone, Storage: resource.MustParse("1Gi"), StorageClassName: fast, Instances: 1},
		},
		"storage of the size": {
			scenario{community: large, class: withLarge},
			stack.DatabasePlan{Kind: v1alpha1.DatabaseStandalone, Storage: resource.MustParse("20Gi"), Instances: 1},
		},
		"storage of the community": {
			scenario{community: func(c *v1alpha1.Community) {
				large(c)
				c.Spec.Database = &v1alpha1.CommunityDatabase{Storage: quantity("30Gi")}
			}, class: withLarge},
			stack.DatabasePlan{Kind: v1alpha1.DatabaseStandalone, Storage: resource.MustParse("30Gi"), Instances: 1},
		},
		"cloudNativePG without settings": {
			scenario{class: useCloudNativePG},
			stack.DatabasePlan{Kind: v1alpha1.DatabaseCloudNativePG, Storage: resource.MustParse("1Gi"), Instances: 1},
		},
		"cloudNativePG of the class": {
			scenario{class: func(c *v1alpha1.CommunityClass) {
				useCloudNativePG(c)
				c.Spec.Database.CloudNativePG = &v1alpha1.CloudNativePGSettings{Instances: ptr.To[int32](3), StorageClassName: fast}
			}},
			stack.DatabasePlan{Kind: v1alpha1.DatabaseCloudNativePG, Storage: resource.MustParse("1Gi"), StorageClassName: fast, Instances: 3},
		},
		"instances of the community": {
			scenario{class: useCloudNativePG, community: func(c *v1alpha1.Community) {
				c.Spec.Database = &v1alpha1.CommunityDatabase{Instances: ptr.To[int32](2)}
			}},
			stack.DatabasePlan{Kind: v1alpha1.DatabaseCloudNativePG, Storage: resource.MustParse("1Gi"), Instances: 2},
		},
		"external, whatever the class says": {
			scenario{community: useExternal, class: useCloudNativePG},
			stack.DatabasePlan{Kind: v1alpha1.DatabaseExternal},
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			got := newPlan(t, tt.scenario).Database
			got.Password = ""
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("database (-want +got):\n%s", diff)
			}
		})
	}
}

func TestResolveRefuses(t *testing.T) {
	wasStandalone := func(c *v1alpha1.Community) {
		c.Status.Database = &v1alpha1.DatabaseStatus{Kind: v1alpha1.DatabaseStandalone}
	}
	tests := map[string]struct {
		community   func(*v1alpha1.Community)
		class       func(*v1alpha1.CommunityClass)
		wantReason  string
		wantMessage string
	}{
		"a size that the class does not have": {
			func(c *v1alpha1.Community) { c.Spec.Size = "huge" }, withLarge,
			v1alpha1.ReasonUnknownSize, `spec.size "huge" is not a size of class "standard"; choose one of: small, large`,
		},
		"another kind of database": {
			wasStandalone, useCloudNativePG,
			v1alpha1.ReasonDatabaseKindChanged,
			`the database of this community is of kind standalone, but class "standard" now asks for cloudNativePG; ` +
				`data is not moved between kinds: name a class of kind standalone in spec.className`,
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			_, err := stack.Resolve(testutil.Community("lumiere", tt.community), testutil.CommunityClass("standard", tt.class))
			var refused *stack.ResolveError
			if !errors.As(err, &refused) {
				t.Fatalf("got error %v, want a *ResolveError", err)
			}
			if refused.Reason != tt.wantReason || refused.Message != tt.wantMessage {
				t.Errorf("got %s: %s\nwant %s: %s", refused.Reason, refused.Message, tt.wantReason, tt.wantMessage)
			}
		})
	}

	same := testutil.Community("lumiere", wasStandalone)
	if _, err := stack.Resolve(same, testutil.CommunityClass("standard")); err != nil {
		t.Errorf("a database of the same kind is refused: %v", err)
	}
}

func TestKeepVolume(t *testing.T) {
	slow, fast := ptr.To("slow"), ptr.To("fast")
	tests := map[string]struct {
		have, class, want string
	}{
		"it grows":         {have: "1Gi", class: "2Gi", want: "2Gi"},
		"it never shrinks": {have: "5Gi", class: "2Gi", want: "5Gi"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			d := stack.DatabasePlan{Storage: resource.MustParse(tt.class), StorageClassName: fast}
			d.KeepVolume(resource.MustParse(tt.have), slow)
			if d.Storage.String() != tt.want || *d.StorageClassName != "slow" {
				t.Errorf("got %s of class %s, want %s of class slow", d.Storage.String(), *d.StorageClassName, tt.want)
			}
		})
	}
}

// TestSharedName pins names: a community whose role got another name would lose its database.
func TestSharedName(t *testing.T) {
	const long = "a23456789-123456789-123456789-123456789-123456789-123456789-123"
	tests := map[string]struct {
		namespace, name, want string
	}{
		"readable":                   {"brands", "lumiere", "c_brands_lumiere_6dedf121"},
		"dashes":                     {"a-b", "c", "c_a_b_c_4e84717d"},
		"dashes elsewhere":           {"a", "b-c", "c_a_b_c_b88f83c8"},
		"the namespace is cut first": {long, "lumiere", "c_a23456789_123456789_123456789_123456789_1234_lumiere_4df08ca1"},
		"then the name":              {"brands", long, "c__a23456789_123456789_123456789_123456789_123456789_1_5a91f5cb"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			if got := stack.SharedName(tt.namespace, tt.name); got != tt.want {
				t.Errorf("got %s, want %s", got, tt.want)
			}
		})
	}
}

func TestDatabaseURI(t *testing.T) {
	password := func(p *stack.Plan) { p.Database.Password = `p@:/?#[]%&= "'\` }
	const escaped = "p%40%3A%2F%3F%23%5B%5D%25&=%20%22%27%5C"
	tests := map[string]struct {
		scenario scenario
		want     string
	}{
		"standalone": {
			scenario{plan: password},
			"postgresql://ideas:" + escaped + "@lumiere-db.brands.svc:5432/ideas?sslmode=disable",
		},
		"cloudNativePG": {
			scenario{class: useCloudNativePG, plan: password},
			"postgresql://ideas:" + escaped + "@lumiere-db-primary.brands.svc:5432/ideas?sslmode=verify-full" +
				"&sslrootcert=/etc/community/credentials/database-ca.crt",
		},
		"shared":   {scenario{class: useShared}, ""},
		"external": {scenario{community: useExternal}, ""},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			if got := stack.DatabaseURI(newPlan(t, tt.scenario)); got != tt.want {
				t.Errorf("got  %s\nwant %s", got, tt.want)
			}
		})
	}

	p := newPlan(t, scenario{plan: password})
	parsed, err := pgconn.ParseConfig(stack.DatabaseURI(p))
	if err != nil {
		t.Fatalf("PostgreSQL's client refuses the URI: %v", err)
	}
	if parsed.Password != p.Database.Password || parsed.User != "ideas" || parsed.Database != "ideas" || parsed.Port != 5432 {
		t.Errorf("the client reads password %q, user %q, database %q, port %d", parsed.Password, parsed.User, parsed.Database, parsed.Port)
	}
}
