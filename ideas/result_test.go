package ideas_test

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/quaeso/community-operator/ideas"
	"github.com/quaeso/community-operator/internal/control"
)

// published writes the result of votes; those of one voter follow each other, in the voters' order.
func published(t testing.TB, ballot control.Ballot, entries []int64, votes []ideas.BallotVote) (file, hash string) {
	t.Helper()
	var ranked []ideas.RankedEntry
	for _, s := range ideas.RulesOf(ballot).Rank(ideas.CountVotes(entries, votes)) {
		ranked = append(ranked, ideas.RankedEntry{Placing: s, Title: fmt.Sprintf("Lamp <%d> & \"more\"", s.Entry)})
	}
	voters := 0
	for i, v := range votes {
		if i == 0 || votes[i-1].Voter != v.Voter {
			voters++
		}
	}
	head := ideas.ResultHead{Challenge: "summer", UID: "uid-1", Ballot: ballot, ClosedAt: at(t.(*testing.T), "2027-07-08T07:00:00Z"), Voters: voters}
	var b bytes.Buffer
	i := 0
	hash, err := ideas.WriteResult(&b, head, ranked, func() (string, []ideas.BallotVote, bool, error) {
		if i == len(votes) {
			return "", nil, false, nil
		}
		start := i
		for i < len(votes) && votes[i].Voter == votes[start].Voter {
			i++
		}
		return votes[start].Voter, votes[start:i], true, nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return b.String(), hash
}

func TestVerifyResult(t *testing.T) {
	score := control.Ballot{Kind: control.BallotScore, Maximum: 5, Hidden: true}
	file, hash := published(t, score, []int64{7, 8, 9}, []ideas.BallotVote{
		vote("aa", 8, 5), vote("aa", 7, 3), vote("bb", 8, 4), vote("cc", 9, 0),
	})
	got, err := ideas.VerifyResult(strings.NewReader(file))
	if err != nil {
		t.Fatal(err)
	}
	if got.SHA256 != hash || got.Voters != 3 || got.Votes != 4 {
		t.Errorf("hash %s, want %s; %d voters, %d votes", got.SHA256, hash, got.Voters, got.Votes)
	}
	var order []string
	for _, r := range got.Ranked {
		order = append(order, fmt.Sprintf("%d %d %d %d %s", r.Rank, r.Entry, r.Votes, r.Points, r.Title))
	}
	want := []string{`1 8 2 9 Lamp <8> & "more"`, `2 7 1 3 Lamp <7> & "more"`, `3 9 1 0 Lamp <9> & "more"`}
	if diff := cmp.Diff(want, order); diff != "" {
		t.Errorf("ranking (-want +got):\n%s", diff)
	}
	for name, change := range map[string][2]string{
		"a score":                       {`{"entry":8,"points":4}`, `{"entry":8,"points":3}`},
		"a score out of bounds":         {`{"entry":8,"points":4}`, `{"entry":8,"points":9}`},
		"a rank":                        {`"rank":2`, `"rank":1`},
		"a counter":                     {`"votes":2`, `"votes":3`},
		"an entry's number":             {`{"entry":9,"title"`, `{"entry":10,"title"`},
		"a voter left out":              {"\n" + `{"voter":"cc","ballot":[{"entry":9,"points":0}]}`, ""},
		"a voter twice":                 {`"voter":"bb"`, `"voter":"aa"`},
		"a vote twice":                  {`{"entry":8,"points":4}`, `{"entry":8,"points":4},{"entry":8,"points":4}`},
		"a vote for no entry":           {`{"entry":9,"points":0}`, `{"entry":4,"points":0}`},
		"the ballot's rules":            {`"maximum":5`, `"maximum":4`},
		"the format":                    {ideas.ResultFormat, "another"},
		"a field more":                  {`"voter":"bb"`, `"voter":"bb","note":"x"`},
		"a space":                       {`"voter":"bb"`, `"voter": "bb"`},
		"line ends of another system":   {"\n", "\r\n"},
		"a field twice":                 {`"voter":"bb"`, `"voter":"xx","voter":"bb"`},
		"two votes' order":              {`{"entry":7,"points":3},{"entry":8,"points":5}`, `{"entry":8,"points":5},{"entry":7,"points":3}`},
		"the number of voters":          {`"voters":3`, `"voters":4`},
		"everything":                    {file, ""},
		"the last line's end":           {"{\"voter\":\"cc\",\"ballot\":[{\"entry\":9,\"points\":0}]}\n", "{\"voter\":\"cc\",\"ballot\":[{\"entry\":9,\"points\":0}]}"},
		"an entry after the ballots":    {`{"voter":"cc","ballot":[{"entry":9,"points":0}]}`, `{"entry":10,"title":"x","rank":4,"votes":0,"points":0}`},
		"an empty line":                 {"\n{\"voter\":\"cc\"", "\n\n{\"voter\":\"cc\""},
		"something behind the last one": {"]}\n", "]} \n"},
	} {
		tampered := strings.Replace(file, change[0], change[1], 1)
		if tampered == file {
			t.Errorf("%s: nothing was changed", name)
		}
		if _, err := ideas.VerifyResult(strings.NewReader(tampered)); !errors.Is(err, ideas.ErrResultDamaged) {
			t.Errorf("%s: tampering was not noticed: %v", name, err)
		}
	}
	// What can be changed without breaking a rule changes the hash, which the community shows.
	retitled := strings.Replace(file, "Lamp <9>", "Lamp <0>", 1)
	if got, err := ideas.VerifyResult(strings.NewReader(retitled)); err != nil || got.SHA256 == hash {
		t.Errorf("another title: hash %s, %v", got.SHA256, err)
	}
}

// Whatever is voted, the published ranking is the one that its ballots give.
func TestEveryResultVerifies(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		ballot := rapid.SampledFrom([]control.Ballot{
			{Kind: control.BallotSupport}, {Kind: control.BallotApproval, Approvals: 3}, {Kind: control.BallotScore, Minimum: -2, Maximum: 7},
			{Kind: control.BallotBudget, Budget: 20, MaxPerIdea: 9}, {Kind: control.BallotPerDay, PerDay: 2},
		}).Draw(r, "ballot")
		rules := ideas.RulesOf(ballot)
		entries := []int64{3, 5, 8, 13}
		var votes []ideas.BallotVote
		for voter := range rapid.IntRange(0, 12).Draw(r, "voters") {
			var own []ideas.BallotVote
			for range rapid.IntRange(1, 5).Draw(r, "votes") {
				v := vote(fmt.Sprintf("%04x", voter), rapid.SampledFrom(entries).Draw(r, "entry"), rapid.IntRange(rules.Minimum, rules.Maximum).Draw(r, "points"))
				if rules.ByDay {
					v.Day = rapid.SampledFrom([]string{"2027-03-27", "2027-03-28"}).Draw(r, "day")
				}
				if rules.Check(append(own[:len(own):len(own)], v)) == nil {
					own = append(own, v)
				}
			}
			votes = append(votes, own...)
		}
		file, hash := published(t, ballot, entries, votes)
		if got, err := ideas.VerifyResult(strings.NewReader(file)); err != nil || got.SHA256 != hash || got.Votes != len(votes) {
			r.Fatalf("%d votes verified, %v\n%s", got.Votes, err, file)
		}
	})
}

// Pseudonyms differ by member and by key, and are the same for both.
func TestPseudonym(t *testing.T) {
	key, other := bytes.Repeat([]byte{1}, 32), bytes.Repeat([]byte{2}, 32)
	one, again := ideas.Pseudonym(key, 7), ideas.Pseudonym(bytes.Clone(key), 7)
	if one != again || one == ideas.Pseudonym(key, 8) || one == ideas.Pseudonym(other, 7) {
		t.Error("pseudonyms do not tell members and keys apart")
	}
	if got := len(ideas.Pseudonym(key, 7)); got != 32 {
		t.Errorf("a pseudonym has %d digits", got)
	}
}
