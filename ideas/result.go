package ideas

import (
	"bufio"
	"bytes"
	"cmp"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/quaeso/community-operator/internal/control"
)

// ResultFormat names the format of a published result; another format has another name.
const ResultFormat = "community-operator ballot result 1"

// maxResultLine bounds one line of a result: the ballots of one voter.
const maxResultLine = 16 << 20

// ErrResultDamaged is returned for a result that is not as it was published: it does not keep the ballot's rules, its
// ranking does not follow from its votes, or it is not written as results are.
var ErrResultDamaged = errors.New("the result does not hold")

// Pseudonym of a member in a challenge's published result. The key is forgotten when the vote closes; from then on
// nobody can make it again.
func Pseudonym(key []byte, member int64) string {
	mac := hmac.New(sha256.New, key)
	mac.Write(binary.BigEndian.AppendUint64(nil, uint64(member))) //nolint:gosec // the bits, not the number
	return hex.EncodeToString(mac.Sum(nil)[:16])
}

// ResultHead is the first line of a published result.
type ResultHead struct {
	Format    string         `json:"format"`
	Challenge string         `json:"challenge"`
	UID       string         `json:"uid"`
	Ballot    control.Ballot `json:"ballot"`
	ClosedAt  time.Time      `json:"closedAt"`
	Voters    int            `json:"voters"`
}

// resultLine is any line but the first: an entry with what came out for it, or the votes of one voter.
type resultLine struct {
	Entry  int64  `json:"entry,omitempty"`
	Title  string `json:"title,omitempty"`
	Rank   int    `json:"rank,omitempty"`
	Votes  *int   `json:"votes,omitempty"`
	Points *int64 `json:"points,omitempty"`

	Voter  string       `json:"voter,omitempty"`
	Ballot []resultVote `json:"ballot,omitempty"`
}

type resultVote struct {
	Entry  int64  `json:"entry"`
	Points int    `json:"points"`
	Day    string `json:"day,omitempty"`
}

// RankedEntry is an entry of a result.
type RankedEntry struct {
	Placing
	Title string
}

// WriteResult writes the result of a vote in the one way in which it is written, and returns its SHA-256. The entries
// are those of Rank; next gives the ballots of one voter after the other in the order of their pseudonyms, and ok false
// at the end.
func WriteResult(w io.Writer, head ResultHead, ranked []RankedEntry, next func() (voter string, votes []BallotVote, ok bool, err error)) (string, error) {
	hash := sha256.New()
	out := json.NewEncoder(io.MultiWriter(w, hash))
	out.SetEscapeHTML(false)
	head.Format, head.ClosedAt = ResultFormat, head.ClosedAt.UTC()
	if err := out.Encode(head); err != nil {
		return "", fmt.Errorf("write the result: %w", err)
	}
	for _, e := range ranked {
		if err := out.Encode(resultLine{Entry: e.Entry, Title: e.Title, Rank: e.Rank, Votes: &e.Votes, Points: &e.Points}); err != nil {
			return "", fmt.Errorf("write the result: %w", err)
		}
	}
	for {
		voter, votes, ok, err := next()
		if err != nil {
			return "", err
		}
		if !ok {
			return hex.EncodeToString(hash.Sum(nil)), nil
		}
		slices.SortFunc(votes, compareVotes)
		line := resultLine{Voter: voter}
		for _, v := range votes {
			line.Ballot = append(line.Ballot, resultVote{Entry: v.Entry, Points: v.Points, Day: v.Day})
		}
		if err := out.Encode(line); err != nil {
			return "", fmt.Errorf("write the result: %w", err)
		}
	}
}

func compareVotes(x, y BallotVote) int {
	return cmp.Or(cmp.Compare(x.Entry, y.Entry), cmp.Compare(x.Day, y.Day))
}

// VerifiedResult is a published result after everything in it was computed again.
type VerifiedResult struct {
	Head   ResultHead
	Ranked []RankedEntry
	Voters int
	Votes  int
	// SHA256 of the file, to be compared with the one that the community shows.
	SHA256 string
}

// VerifyResult reads a published result and computes it again from its ballots. Errors: ErrResultDamaged, or that of
// reading.
func VerifyResult(r io.Reader) (VerifiedResult, error) {
	hash := sha256.New()
	lines := bufio.NewScanner(io.TeeReader(r, hash))
	lines.Buffer(nil, maxResultLine)
	lines.Split(scanResultLines)
	v := resultReader{}
	for lines.Scan() {
		if err := v.read(lines.Bytes()); err != nil {
			return VerifiedResult{}, err
		}
	}
	if err := lines.Err(); err != nil {
		return VerifiedResult{}, fmt.Errorf("read the result: %w", err)
	}
	if err := v.finish(); err != nil {
		return VerifiedResult{}, err
	}
	v.result.SHA256 = hex.EncodeToString(hash.Sum(nil))
	return v.result, nil
}

// scanResultLines splits at line feeds alone and keeps them, so that another way of ending lines is noticed.
func scanResultLines(data []byte, atEOF bool) (int, []byte, error) {
	if i := bytes.IndexByte(data, '\n'); i >= 0 {
		return i + 1, data[:i+1], nil
	}
	if atEOF && len(data) > 0 {
		return len(data), data, nil
	}
	return 0, nil, nil
}

// resultReader follows a result line by line.
type resultReader struct {
	result VerifiedResult
	rules  BallotRules
	number int
	voter  string
	counts map[int64]*Placing
}

func damaged(line int, format string, args ...any) error {
	return fmt.Errorf("line %d: %s: %w", line, fmt.Sprintf(format, args...), ErrResultDamaged)
}

func (v *resultReader) read(raw []byte) error {
	v.number++
	if v.number == 1 {
		if err := decodeLine(raw, &v.result.Head); err != nil {
			return damaged(v.number, "%v", err)
		}
		if v.result.Head.Format != ResultFormat {
			return damaged(v.number, "the format %q is not %q", v.result.Head.Format, ResultFormat)
		}
		v.rules, v.counts = RulesOf(v.result.Head.Ballot), map[int64]*Placing{}
		return nil
	}
	var line resultLine
	if err := decodeLine(raw, &line); err != nil {
		return damaged(v.number, "%v", err)
	}
	switch {
	case line.Voter == "" && line.Entry > 0 && line.Votes != nil && line.Points != nil:
		return v.readEntry(line)
	case line.Voter != "" && line.Entry == 0 && len(line.Ballot) > 0:
		return v.readBallot(line)
	}
	return damaged(v.number, "neither an entry nor a ballot")
}

func (v *resultReader) readEntry(line resultLine) error {
	if v.result.Voters > 0 {
		return damaged(v.number, "entry %d after the ballots", line.Entry)
	}
	if v.counts[line.Entry] != nil {
		return damaged(v.number, "entry %d twice", line.Entry)
	}
	v.counts[line.Entry] = &Placing{Entry: line.Entry}
	v.result.Ranked = append(v.result.Ranked, RankedEntry{
		Placing: Placing{Entry: line.Entry, Votes: *line.Votes, Points: *line.Points, Rank: line.Rank}, Title: line.Title,
	})
	return nil
}

func (v *resultReader) readBallot(line resultLine) error {
	if line.Voter <= v.voter {
		return damaged(v.number, "voters are not in order, or one comes twice")
	}
	v.voter = line.Voter
	votes := make([]BallotVote, len(line.Ballot))
	for i, b := range line.Ballot {
		votes[i] = BallotVote{Entry: b.Entry, Voter: line.Voter, Day: b.Day, Points: b.Points}
		if v.counts[b.Entry] == nil {
			return damaged(v.number, "a vote for %d, which is no entry", b.Entry)
		}
		if i > 0 && compareVotes(votes[i-1], votes[i]) >= 0 {
			return damaged(v.number, "votes are not in order, or one comes twice")
		}
		v.counts[b.Entry].Votes++
		v.counts[b.Entry].Points += int64(b.Points)
	}
	if err := v.rules.Check(votes); err != nil {
		return damaged(v.number, "%v", err)
	}
	v.result.Voters++
	v.result.Votes += len(votes)
	return nil
}

// finish compares what was published with what the ballots say.
func (v *resultReader) finish() error {
	if v.number == 0 {
		return damaged(1, "the file is empty")
	}
	if v.result.Voters != v.result.Head.Voters {
		return damaged(1, "%d voters are named, %d are there", v.result.Head.Voters, v.result.Voters)
	}
	counted := make([]Placing, 0, len(v.counts))
	for _, s := range v.counts {
		counted = append(counted, *s)
	}
	for i, s := range v.rules.Rank(counted) {
		if published := v.result.Ranked[i].Placing; published != s {
			return damaged(i+2, "entry %d is published with rank %d, %d votes and %d points; place %d is entry %d with rank %d, %d votes and %d points",
				published.Entry, published.Rank, published.Votes, published.Points, i+1, s.Entry, s.Rank, s.Votes, s.Points)
		}
	}
	return nil
}

// decodeLine reads a line that is written exactly as WriteResult writes it.
func decodeLine(raw []byte, into any) error {
	d := json.NewDecoder(bytes.NewReader(raw))
	d.DisallowUnknownFields()
	if err := d.Decode(into); err != nil {
		return err
	}
	var again strings.Builder
	e := json.NewEncoder(&again)
	e.SetEscapeHTML(false)
	if err := e.Encode(into); err != nil {
		return err
	}
	if again.String() != string(raw) {
		return errors.New("not written as results are")
	}
	return nil
}
