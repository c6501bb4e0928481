package ideas_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/quaeso/community-operator/ideas"
)

func TestCleanEmail(t *testing.T) {
	for name, tc := range map[string]struct{ raw, want string }{
		"plain":                  {"claire@brand.example", "claire@brand.example"},
		"case and spaces":        {"  Claire.M+ideas@Brand.Example ", "claire.m+ideas@brand.example"},
		"international domain":   {"a@bücher.example", "a@xn--bcher-kva.example"},
		"empty":                  {" ", "email: required"},
		"no at sign":             {"claire", "email: invalid"},
		"no host":                {"claire@", "email: invalid"},
		"no dot":                 {"claire@localhost", "email: invalid"},
		"display name":           {"Claire <claire@brand.example>", "email: invalid"},
		"header injection":       {"a@brand.example\r\nBcc: b@brand.example", "email: invalid"},
		"two addresses":          {"a@brand.example,b@brand.example", "email: invalid"},
		"quoted local part":      {`"a b"@brand.example`, "email: invalid"},
		"letters beyond ASCII":   {"émile@brand.example", "email: invalid"},
		"local part over 64":     {strings.Repeat("a", 65) + "@brand.example", "email: invalid"},
		"longer than SMTP takes": {"a@" + strings.Repeat("a.", 130) + "example", "email: too_long"},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := ideas.CleanEmail(tc.raw)
			if err != nil {
				got = err.Error()
			}
			if got != tc.want {
				t.Errorf("CleanEmail(%q) = %q, want %q", tc.raw, got, tc.want)
			}
		})
	}
}

func TestCleanText(t *testing.T) {
	line, text := ideas.CleanTitle, ideas.CleanBody
	for name, tc := range map[string]struct {
		clean func(string) (string, error)
		raw   string
		want  string
	}{
		"spaces of a line":       {line, "  A \t lighter\n tent ", "A lighter tent"},
		"direction overrides":    {line, "safe\u202Egnp.exe\u2066x", "safegnp.exex"},
		"control characters":     {line, "a\x00b\x1bc", "abc"},
		"broken UTF-8":           {line, "a\xffb", "a\uFFFDb"},
		"composed accents":       {line, "e\u0301te\u0301", "été"},
		"markup stays as text":   {line, `<script>"{{.}}"</script>`, `<script>"{{.}}"</script>`},
		"line breaks of a text":  {text, "one\r\ntwo\rthree\n\n", "one\ntwo\nthree"},
		"only invisible":         {line, "\u202E \x00", "title: required"},
		"characters, not bytes":  {line, strings.Repeat("é", ideas.MaxTitle), strings.Repeat("é", ideas.MaxTitle)},
		"one character too many": {line, strings.Repeat("é", ideas.MaxTitle+1), "title: too_long"},
		"a text of a megabyte":   {text, strings.Repeat("x", 1<<20), "body: too_long"},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := tc.clean(tc.raw)
			if err != nil {
				if field := (*ideas.FieldError)(nil); !errors.As(err, &field) {
					t.Fatalf("error %v is no *FieldError", err)
				}
				got = err.Error()
			}
			if got != tc.want {
				t.Errorf("got %q, want %q", got, tc.want)
			}
		})
	}
}

func TestCleanReturnTo(t *testing.T) {
	for raw, want := range map[string]string{
		"/ideas/12-tent?order=top":     "/ideas/12-tent?order=top",
		"":                             "/",
		"//evil.example/":              "/",
		`/\evil.example`:               "/",
		"https://evil.example/":        "/",
		"/a\nLocation: x":              "/",
		"/" + strings.Repeat("a", 600): "/",
	} {
		if got := ideas.CleanReturnTo(raw); got != want {
			t.Errorf("CleanReturnTo(%q) = %q, want %q", raw, got, want)
		}
	}
}

func TestSlug(t *testing.T) {
	for title, want := range map[string]string{
		"Une tente plus légère !":    "une-tente-plus-legere",
		"Cœur & vélo: 100 % recyclé": "coeur-velo-100-recycle",
		"日本":                         "idea",
		"--":                         "idea",
		"2026, année du vélo":        "2026-annee-du-velo",
		strings.Repeat("x", 120):     strings.Repeat("x", 80),
	} {
		if got := ideas.Slug(title); got != want {
			t.Errorf("Slug(%q) = %q, want %q", title, got, want)
		}
	}
}
