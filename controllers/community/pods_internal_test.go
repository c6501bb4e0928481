package community

import (
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"pgregory.net/rapid"

	"github.com/quaeso/community-operator/internal/control"
	"github.com/quaeso/community-operator/internal/stack"
)

func TestPrintable(t *testing.T) {
	tests := map[string]struct{ line, want string }{
		"plain":             {"panic: no database\n", "panic: no database"},
		"several lines":     {"one\ntwo\nthree\n", "three"},
		"carriage returns":  {"10 %\r20 %\r30 %", "30 %"},
		"slog":              {`{"time":"2026-11-21T22:01:02.123Z","level":"ERROR","msg":"cannot listen"}`, `{"level":"ERROR","msg":"cannot listen"}`},
		"zap":               {`{"level":"error","ts":1764198062.123,"msg":"cannot listen"}`, `{"level":"error","msg":"cannot listen"}`},
		"log":               {"2026/11/21 22:01:02 cannot listen", "cannot listen"},
		"klog":              {"E1121 22:01:02.123456       1 main.go:12] cannot listen", "main.go:12] cannot listen"},
		"PostgreSQL":        {"2026-11-21 22:01:02.123 UTC [17] FATAL:  data directory is wrong", "FATAL:  data directory is wrong"},
		"RFC 3339":          {"2026-11-21T22:01:02+01:00 cannot listen", "cannot listen"},
		"a password":        {"cannot connect to postgresql://ideas:hunter22@db:5432/ideas", "cannot connect to postgresql://…@db:5432/ideas"},
		"an odd password":   {"postgres://u:p@ss@db/x", "postgres://…@db/x"},
		"control":           {"a\x1b[31mred\x07", "a [31mred"},
		"direction":         {"a\u202eb\u200bc\ufeff", "a b c"},
		"accents and emoji": {"échec 💥", "échec 💥"},
		"broken UTF-8":      {"a\xff\xfeb", "a�b"},
		"long":              {strings.Repeat("é", 1000), strings.Repeat("é", 399) + "…"},
		"nothing":           {" \n", ""},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			if got := printable(test.line); got != test.want {
				t.Errorf("printable(%q) is %q, want %q", test.line, got, test.want)
			}
		})
	}
}

// Whatever a container logs, the condition stays one short line of valid text, and the same for the same cause.
func TestPrintableIsAlwaysFit(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		line := rapid.String().Draw(t, "line") + string(rapid.SliceOf(rapid.Byte()).Draw(t, "bytes"))
		got := printable(line)
		if !utf8.ValidString(got) || utf8.RuneCountInString(got) > maxLogLine {
			t.Fatalf("printable(%q) is %q", line, got)
		}
		for _, c := range got {
			if !unicode.IsPrint(c) {
				t.Fatalf("printable(%q) has the character %U", line, c)
			}
		}
	})
}

func TestRedacted(t *testing.T) {
	s := &scope{controlToken: "the-t0ken", plan: stack.Plan{
		Database: stack.DatabasePlan{Password: "own-password"},
		Credentials: &stack.Credentials{Files: map[string][]byte{
			control.FileDatabaseURI: []byte("postgresql://u:uri-password@h/d"), control.FileMailPassword: []byte("mail-password"),
			control.FileOIDCClientSecret: []byte("login-secret"), control.FileMailHost: []byte("smtp.brand.example"),
		}},
	}}
	got := s.redacted("the-t0ken own-password uri-password mail-password login-secret at smtp.brand.example")
	if want := "… … … … … at smtp.brand.example"; got != want {
		t.Errorf("redacted is %q, want %q", got, want)
	}
	if got := (&scope{}).redacted("nothing is known"); got != "nothing is known" {
		t.Errorf("redacted is %q", got)
	}
}
