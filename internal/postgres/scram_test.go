package postgres

import (
	"encoding/base64"
	"testing"
)

// TestScramVerifier compares with the worked example of RFC 7677: its password, salt and count, and the
// verifier that PostgreSQL 15 stores for them.
func TestScramVerifier(t *testing.T) {
	salt, err := base64.StdEncoding.DecodeString("W22ZaJ0SNY7soEsUEjb6gQ==")
	if err != nil {
		t.Fatal(err)
	}
	got, err := scramVerifierWithSalt("pencil", salt, 4096)
	if err != nil {
		t.Fatal(err)
	}
	const want = "SCRAM-SHA-256$4096:W22ZaJ0SNY7soEsUEjb6gQ==$WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=:wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU="
	if got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestScramVerifiersDiffer(t *testing.T) {
	first, err1 := scramVerifier("pencil")
	second, err2 := scramVerifier("pencil")
	if err1 != nil || err2 != nil || first == second {
		t.Errorf("two verifiers of one password: %s, %s, %v, %v", first, second, err1, err2)
	}
}
