package translations_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/quaeso/community-operator/ideas"
	"github.com/quaeso/community-operator/ideas/web/translations"
)

// messages of a language: key to form to text; a message without plural forms has the form "other".
func messages(t *testing.T, tag string) map[string]map[string]string {
	t.Helper()
	names, err := filepath.Glob("*." + tag + ".json")
	if err != nil || len(names) == 0 {
		t.Fatalf("message files of %s: %q, %v", tag, names, err)
	}
	all := map[string]map[string]string{}
	for _, name := range names {
		readMessages(t, name, all)
	}
	return all
}

func readMessages(t *testing.T, name string, all map[string]map[string]string) {
	t.Helper()
	raw, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	var file map[string]any
	if err := json.Unmarshal(raw, &file); err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	for key, value := range file {
		if all[key] != nil {
			t.Errorf("%s: another file has %q too", name, key)
		}
		switch value := value.(type) {
		case string:
			all[key] = map[string]string{"other": value}
		case map[string]any:
			all[key] = map[string]string{}
			for form, text := range value {
				all[key][form] = text.(string)
			}
		}
	}
}

func keys(m map[string]map[string]string) []string {
	var all []string
	for key := range m {
		all = append(all, key)
	}
	slices.Sort(all)
	return all
}

var placeholder = regexp.MustCompile(`{{[^}]*}}`)

func TestLanguagesHaveTheSameMessages(t *testing.T) {
	en, fr := messages(t, "en"), messages(t, "fr")
	if diff := cmp.Diff(keys(en), keys(fr)); diff != "" {
		t.Fatalf("keys differ (-en +fr):\n%s", diff)
	}
	for key, forms := range en {
		want := []string{"other"}
		if len(forms) > 1 {
			want = []string{"many", "one", "other"}
		}
		var got []string
		for form := range fr[key] {
			got = append(got, form)
		}
		slices.Sort(got)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: French forms (-want +got):\n%s", key, diff)
		}
		mentions := func(text string) []string {
			found := placeholder.FindAllString(text, -1)
			slices.Sort(found)
			return slices.Compact(found)
		}
		for form, text := range fr[key] {
			if strings.TrimSpace(text) == "" {
				t.Errorf("%s.%s is empty in French", key, form)
			}
			same := forms[form]
			if same == "" {
				same = forms["other"]
			}
			if diff := cmp.Diff(mentions(same), mentions(text)); diff != "" {
				t.Errorf("%s.%s mentions other values (-en +fr):\n%s", key, form, diff)
			}
		}
	}
}

// TestEveryKeyIsUsedAndExists reads templates and code for keys in quotes. A key is either written out or one
// that FieldError codes lead to.
func TestEveryKeyIsUsedAndExists(t *testing.T) {
	known := messages(t, "en")
	used := map[string]bool{}
	calls := regexp.MustCompile(`(?:\bt|\btn|\.t|Text|Plural|fieldText)[ (]"([^"]+)"`)
	quoted := regexp.MustCompile(`"([a-z_0-9]+(?:\.[a-z_0-9]+)+)"`)
	var files []string
	for _, pattern := range []string{"../*.go", "../templates/*.html", "*.go", "../../mail/*.go"} {
		found, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, found...)
	}
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		raw, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, match := range calls.FindAllStringSubmatch(string(raw), -1) {
			used[match[1]] = true
			if known[match[1]] == nil {
				t.Errorf("%s uses %q, which no message file has", file, match[1])
			}
		}
		for _, match := range quoted.FindAllStringSubmatch(string(raw), -1) {
			used[match[1]] = true
		}
		// "title" and "skip" have no dot.
		for key := range known {
			if strings.Contains(string(raw), `"`+key+`"`) {
				used[key] = true
			}
		}
	}
	for key := range known {
		if !used[key] {
			t.Errorf("nothing uses the message %q", key)
		}
	}
}

// French sets a space that does not break before "?", "!", ";", ":" and inside quotation marks.
func TestFrenchSpaces(t *testing.T) {
	breaking := regexp.MustCompile(` [?!;:»]|« `)
	missing := regexp.MustCompile(`[\p{L}0-9)][?!;»]|«[\p{L}{]`)
	for key, forms := range messages(t, "fr") {
		for _, text := range forms {
			text = placeholder.ReplaceAllString(text, "x")
			if breaking.MatchString(text) || missing.MatchString(text) {
				t.Errorf("%s: %q", key, text)
			}
		}
	}
}

func catalog(t *testing.T, tag string) *translations.Catalog {
	t.Helper()
	all, err := translations.Load()
	if err != nil {
		t.Fatal(err)
	}
	return all[tag]
}

func TestNumbersAndPlurals(t *testing.T) {
	for name, tc := range map[string]struct {
		tag  string
		n    int64
		want string
	}{
		"English none":    {"en", 0, "0 comments"},
		"English one":     {"en", 1, "1 comment"},
		"English many":    {"en", 12345, "12,345 comments"},
		"French none":     {"fr", 0, "0 commentaire"},
		"French one":      {"fr", 1, "1 commentaire"},
		"French two":      {"fr", 2, "2 commentaires"},
		"French thousand": {"fr", 12345, "12\u00a0345 commentaires"},
		"French million":  {"fr", 1_000_000, "1\u00a0000\u00a0000 de commentaires"},
	} {
		got := catalog(t, tc.tag).Plural("idea.comment_count", tc.n)
		// CLDR has used both widths of the space that does not break.
		if got = strings.ReplaceAll(got, "\u202f", "\u00a0"); got != tc.want {
			t.Errorf("%s: %q, want %q", name, got, tc.want)
		}
	}
}

func TestMoney(t *testing.T) {
	for name, tc := range map[string]struct {
		amount   int64
		currency string
		en, fr   string
	}{
		"euros":              {123456, "EUR", "€1,234.56", "1\u00a0234,56\u00a0€"},
		"a loss":             {-50, "EUR", "−€0.50", "−0,50\u00a0€"},
		"no minor unit":      {1500, "JPY", "¥1,500", "1\u00a0500\u00a0¥"},
		"a currency by code": {123456, "CHF", "1,234.56\u00a0CHF", "1\u00a0234,56\u00a0CHF"},
		"three digits":       {1234567, "TND", "1,234.567\u00a0TND", "1\u00a0234,567\u00a0TND"},
		"nothing":            {0, "EUR", "€0.00", "0,00\u00a0€"},
	} {
		t.Run(name, func(t *testing.T) {
			for tag, want := range map[string]string{"en": tc.en, "fr": tc.fr} {
				// CLDR has used both widths of the space that does not break.
				if got := strings.ReplaceAll(catalog(t, tag).Money(tc.amount, tc.currency), "\u202f", "\u00a0"); got != want {
					t.Errorf("%s: %q, want %q", tag, got, want)
				}
			}
		})
	}
}

func TestDates(t *testing.T) {
	paris, err := time.LoadLocation("Europe/Paris")
	if err != nil {
		t.Fatal(err)
	}
	first := time.Date(2026, time.August, 1, 9, 5, 0, 0, paris)
	for name, tc := range map[string]struct{ got, want string }{
		"English day":      {catalog(t, "en").Date(first), "1 August 2026"},
		"French first":     {catalog(t, "fr").Date(first), "1er août 2026"},
		"French other day": {catalog(t, "fr").Date(first.AddDate(0, 4, 1)), "2 décembre 2026"},
		"English time":     {catalog(t, "en").DateTime(first), "1 August 2026, 09:05"},
		"French time":      {catalog(t, "fr").DateTime(first), "1er août 2026 à 09:05"},
	} {
		if tc.got != tc.want {
			t.Errorf("%s: %q, want %q", name, tc.got, tc.want)
		}
	}
}

func TestAgo(t *testing.T) {
	now := time.Date(2026, time.March, 10, 12, 0, 0, 0, time.UTC)
	for ago, want := range map[time.Duration][2]string{
		-time.Second:       {"just now", "à l’instant"},
		59 * time.Second:   {"just now", "à l’instant"},
		time.Minute:        {"1 minute ago", "il y a 1 minute"},
		59 * time.Minute:   {"59 minutes ago", "il y a 59 minutes"},
		90 * time.Minute:   {"1 hour ago", "il y a 1 heure"},
		25 * time.Hour:     {"1 day ago", "il y a 1 jour"},
		6 * 24 * time.Hour: {"6 days ago", "il y a 6 jours"},
		7 * 24 * time.Hour: {"3 March 2026", "3 mars 2026"},
	} {
		for i, tag := range []string{"en", "fr"} {
			if got := catalog(t, tag).Ago(now.Add(-ago), now); got != want[i] {
				t.Errorf("%s, %v ago: %q, want %q", tag, ago, got, want[i])
			}
		}
	}
}

// What messages mention is text: it is never read as a template.
func TestValuesAreNoTemplates(t *testing.T) {
	got := catalog(t, "en").Text("ideas.search.results", "Search", `{{.Count}}{{printf "x"}}`)
	if want := `Results for “{{.Count}}{{printf "x"}}”`; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

// A notice leads to what it tells of.
func TestNoticesLeadOn(t *testing.T) {
	data := func(name string, value any) map[string]any { return map[string]any{name: value} }
	for name, tc := range map[string]struct {
		notice ideas.Notice
		want   string
	}{
		"announcement": {
			ideas.Notice{Kind: ideas.NoticeAnnouncement, Challenge: "night-bus", Event: ideas.Event{Kind: ideas.EventAnnounced, Data: data("announcement", 1234567.0)}},
			"/announcements/1234567",
		},
		"reply to a topic": {
			ideas.Notice{Kind: ideas.NoticeComment, Challenge: "forum", Event: ideas.Event{Kind: ideas.EventTopicReplied, Data: data("topic", 1000000.0)}},
			"/challenges/forum/topics/1000000",
		},
		"place in a session": {
			ideas.Notice{Kind: ideas.NoticePlace, Challenge: "knots", Event: ideas.Event{Kind: ideas.EventWorkshopMovedUp, Data: data("session", "evening")}},
			"/challenges/knots/sessions/evening",
		},
		"disabled webhook": {
			ideas.Notice{Kind: ideas.NoticeAccount, Event: ideas.Event{Kind: ideas.EventWebhookDisabled, Data: data("webhook", "board")}}, "/team/webhooks",
		},
		"invitation to an idea that is not public": {
			ideas.Notice{Kind: ideas.NoticeAccount, Event: ideas.Event{Kind: ideas.EventCoAuthorInvited, Idea: 7}}, "/profile/ideas",
		},
		"invitation": {
			ideas.Notice{Kind: ideas.NoticeAccount, IdeaTitle: "A lamp", IdeaSlug: "a-lamp", Event: ideas.Event{Kind: ideas.EventCoAuthorInvited, Idea: 7}},
			"/ideas/7-a-lamp",
		},
		"sanction": {ideas.Notice{Kind: ideas.NoticeAccount, Event: ideas.Event{Kind: ideas.EventSanctioned}}, "/account/standing"},
	} {
		if text, got := catalog(t, "en").Notice(tc.notice); text == "" || got != tc.want {
			t.Errorf("%s leads to %s, want %s", name, got, tc.want)
		}
	}
}
