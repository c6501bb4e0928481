package main

import "testing"

// The example of RFC 7677, in the form that PostgreSQL stores.
const (
	examplePassword = "pencil"
	exampleVerifier = "SCRAM-SHA-256$4096:W22ZaJ0SNY7soEsUEjb6gQ==$WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=:wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU="
)

func TestMatches(t *testing.T) {
	for name, test := range map[string]struct {
		verifier, password string
		want               bool
	}{
		"the same password":    {exampleVerifier, examplePassword, true},
		"another password":     {exampleVerifier, "crayon", false},
		"no verifier yet":      {"", examplePassword, false},
		"a damaged verifier":   {exampleVerifier[:40], examplePassword, false},
		"not a verifier":       {"md5abc", examplePassword, false},
		"iterations no number": {"SCRAM-SHA-256$x:W22ZaJ0SNY7soEsUEjb6gQ==$a:b", examplePassword, false},
	} {
		t.Run(name, func(t *testing.T) {
			if got := matches(test.verifier, test.password); got != test.want {
				t.Errorf("matches() = %v, want %v", got, test.want)
			}
		})
	}
}

func TestNewVerifierIsSalted(t *testing.T) {
	first, err := newVerifier(examplePassword)
	if err != nil {
		t.Fatal(err)
	}
	second, err := newVerifier(examplePassword)
	if err != nil {
		t.Fatal(err)
	}
	if first == second {
		t.Error("two verifiers of one password are equal, want different salts")
	}
	if !matches(first, examplePassword) || !matches(second, examplePassword) {
		t.Error("a fresh verifier does not match its password")
	}
}
