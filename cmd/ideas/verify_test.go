package main

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/quaeso/community-operator/ideas"
	"github.com/quaeso/community-operator/internal/control"
)

// The command counts again what was published, and refuses what was changed or is another file.
func TestVerifyResult(t *testing.T) {
	var file bytes.Buffer
	voters := []string{"aa", "bb"}
	hash, err := ideas.WriteResult(&file, ideas.ResultHead{Challenge: "summer", Ballot: control.Ballot{Kind: control.BallotApproval}, ClosedAt: time.Unix(0, 0), Voters: 2},
		[]ideas.RankedEntry{{Placing: ideas.Placing{Entry: 7, Votes: 2, Points: 2, Rank: 1}, Title: "A lamp\x1b[31m"}},
		func() (string, []ideas.BallotVote, bool, error) {
			if len(voters) == 0 {
				return "", nil, false, nil
			}
			voter := voters[0]
			voters = voters[1:]
			return voter, []ideas.BallotVote{{Voter: voter, Entry: 7, Points: 1}}, true, nil
		})
	if err != nil {
		t.Fatal(err)
	}
	write := func(name, content string) string {
		path := filepath.Join(t.TempDir(), name)
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	good, tampered := write("good", file.String()), write("tampered", strings.Replace(file.String(), `"votes":2`, `"votes":3`, 1))
	for name, tc := range map[string]struct {
		args []string
		want error
	}{
		"as published":   {[]string{"--sha256", strings.ToUpper(hash), good}, nil},
		"without a hash": {[]string{good}, nil},
		"another file":   {[]string{"--sha256", strings.Repeat("0", 64), good}, errOtherResult},
		"tampered":       {[]string{tampered}, ideas.ErrResultDamaged},
		"missing":        {[]string{"nowhere"}, os.ErrNotExist},
	} {
		var out, errOut bytes.Buffer
		err := run(t.Context(), append([]string{"verify-result"}, tc.args...), &out, &errOut)
		if !errors.Is(err, tc.want) {
			t.Errorf("%s: %v, want %v", name, err, tc.want)
		}
		if tc.want == nil && (!strings.Contains(out.String(), hash) || !strings.Contains(out.String(), "A lamp") || strings.Contains(out.String(), "\x1b")) {
			t.Errorf("%s: it prints %q", name, out.String())
		}
	}
	if err := run(t.Context(), []string{"verify-result"}, &bytes.Buffer{}, &bytes.Buffer{}); err == nil {
		t.Error("no file is not refused")
	}
}
