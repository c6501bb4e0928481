package main

import (
	"bytes"
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"
)

func voteFor(idea, member int64) request {
	return request{
		method: "POST", path: fmt.Sprintf("/ideas/%d/support", idea), member: member, fragment: true,
		body: url.Values{"support": {"true"}, "back": {"/ideas"}}.Encode(),
	}
}

// measureVotes compares votes through HTTP with the very statements that they send, run by pgbench with as many clients.
func (b *bench) measureVotes(ctx context.Context) error {
	script, err := b.voteScript(ctx)
	if err != nil {
		return err
	}
	s, err := b.loaded(ctx)
	if err != nil {
		return err
	}
	next := func(r *rand.Rand) request { return voteFor(1+r.Int64N(ideaCount), 1+r.Int64N(memberCount)) }
	if warm := load(ctx, s.pages, b.options.readers, b.options.duration/4, next); warm.err != nil {
		return fmt.Errorf("vote: %w", warm.err)
	}
	if _, err := b.runPgbench(ctx, script, b.options.duration/4); err != nil {
		return err
	}
	var direct, through, ratios []float64
	var used []string
	votes := 0
	for round := range b.options.rounds {
		tps, err := b.runPgbench(ctx, script, b.options.duration)
		if err != nil {
			return err
		}
		if err := b.forgetStatements(ctx); err != nil {
			return err
		}
		profiled := b.startProfile(s, fmt.Sprintf("vote-%d", round), b.options.duration)
		before := b.times()
		o := load(ctx, s.pages, b.options.readers, b.options.duration, next)
		used = append(used, b.times().each(before, len(o.took)))
		profiled()
		if o.err != nil {
			return fmt.Errorf("vote: %w", o.err)
		}
		votes = len(o.took)
		direct, through, ratios = append(direct, tps), append(through, o.rate()), append(ratios, o.rate()/tps)
		progress("votes: %.0f/s by pgbench, %.0f/s through HTTP, ratio %.2f; %s", tps, o.rate(), o.rate()/tps, used[round])
	}
	slices.Sort(ratios)
	b.report.Note(fmt.Sprintf("votes by pgbench, %d clients", b.options.readers), "%s a second", list(direct))
	b.report.Note(fmt.Sprintf("votes through HTTP, %d clients", b.options.readers), "%s a second", list(through))
	b.report.AtLeast(fmt.Sprintf("votes: ratio (median of %d)", len(ratios)), ratios[len(ratios)/2], leastRatio, "")
	b.report.Detail("A vote took %s.", used[len(used)-1])
	return b.checkStatements(ctx, "vote", votes)
}

func list(values []float64) string {
	texts := make([]string, len(values))
	for i, v := range values {
		texts[i] = strconv.FormatFloat(v, 'f', 0, 64)
	}
	return strings.Join(texts, ", ")
}

// The member and the idea of the vote that is listened to: numbers that nothing else in it has.
const (
	heardMember = 12_347
	heardIdea   = 54_329
)

// voteScript writes pgbench's script: the transaction of a vote, as the server's log has it.
func (b *bench) voteScript(ctx context.Context) (string, error) {
	logged, err := b.listen(ctx, func(s *service) error {
		c, err := dial(ctx, s.pages)
		if err != nil {
			return err
		}
		defer c.conn.Close()
		// The first vote makes the connection and prepares the statements.
		for _, vote := range []request{voteFor(heardIdea+1, heardMember+1), voteFor(heardIdea, heardMember)} {
			if status, _, err := c.do(vote.encode(s.pages)); err != nil || status != 200 {
				return fmt.Errorf("vote: status %d: %w", status, err)
			}
		}
		return nil
	})
	if err != nil {
		return "", err
	}
	script, err := transactionScript(logged)
	if err != nil {
		return "", err
	}
	folder, err := os.MkdirTemp("", "bench-ideas-")
	if err != nil {
		return "", fmt.Errorf("make a folder: %w", err)
	}
	path := filepath.Join(folder, "vote.sql")
	b.report.Detail("pgbench ran, with the statements prepared: `%s`", strings.Join(strings.Fields(script), " "))
	if err := os.WriteFile(path, []byte(script), 0o600); err != nil {
		return "", fmt.Errorf("write pgbench's script: %w", err)
	}
	return path, nil
}

// listen returns what the server logs of the statements of a service of its own while it is used.
func (b *bench) listen(ctx context.Context, use func(*service) error) ([][]string, error) {
	if _, err := b.admin.Exec(ctx, "ALTER DATABASE "+databaseName+" SET log_statement = 'all'"); err != nil {
		return nil, fmt.Errorf("log statements: %w", err)
	}
	s, err := b.startService(ctx, ownerURI(b.server))
	if err == nil {
		err = use(s)
		s.stop()
	}
	if _, resetErr := b.admin.Exec(ctx, "ALTER DATABASE "+databaseName+" RESET log_statement"); resetErr != nil {
		err = errors.Join(err, fmt.Errorf("log statements no more: %w", resetErr))
	}
	if err != nil {
		return nil, err
	}
	var folder string
	if err := b.admin.QueryRow(ctx, "SHOW data_directory").Scan(&folder); err != nil {
		return nil, fmt.Errorf("find the server's log: %w", err)
	}
	raw, err := os.ReadFile(filepath.Join(folder, "log", "server.csv"))
	if err != nil {
		return nil, fmt.Errorf("read the server's log: %w", err)
	}
	reader := csv.NewReader(bytes.NewReader(raw))
	reader.FieldsPerRecord = -1
	lines, err := reader.ReadAll()
	if err != nil && !errors.Is(err, io.ErrUnexpectedEOF) {
		return nil, fmt.Errorf("read the server's log: %w", err)
	}
	return lines, nil
}

// Columns of the server's log.
const (
	columnTransaction = 9
	columnMessage     = 13
	columnDetail      = 14
)

var (
	statementText = regexp.MustCompile(`(?s)^(?:statement|execute [^:]*): (.*)$`)
	parameter     = regexp.MustCompile(`\$(\d+) = (?:'((?:[^']|'')*)'|(NULL))`)
	placeholder   = regexp.MustCompile(`\$(\d+)`)
)

// transactionScript is the transaction that stored the vote that is listened to, with the member and the idea as variables. Statements
// that went in one round trip do so here too.
func transactionScript(logged [][]string) (string, error) {
	transaction := ""
	for _, line := range logged {
		if len(line) > columnDetail && strings.Contains(line[columnMessage], "INSERT INTO support") &&
			strings.Contains(line[columnDetail], "'"+strconv.Itoa(heardMember)+"'") {
			transaction = line[columnTransaction]
		}
	}
	if transaction == "" {
		return "", errors.New("read the server's log: it shows no vote")
	}
	var statements []string
	for _, line := range logged {
		if len(line) <= columnDetail || line[columnTransaction] != transaction {
			continue
		}
		if text := statementText.FindStringSubmatch(line[columnMessage]); text != nil {
			statements = append(statements, strings.TrimSuffix(substitute(text[1], line[columnDetail]), ";")+";")
		}
	}
	if !strings.EqualFold(statements[0], "begin;") {
		statements = append([]string{`\startpipeline`}, append(statements, `\endpipeline`)...)
	}
	head := fmt.Sprintf("\\set member random(1, %d)\n\\set idea random(1, %d)\n", memberCount, ideaCount)
	return head + strings.Join(statements, "\n") + "\n", nil
}

// substitute puts a statement's parameters in their places.
func substitute(statement, detail string) string {
	values := map[string]string{}
	for _, p := range parameter.FindAllStringSubmatch(detail, -1) {
		switch {
		case p[3] != "":
			values[p[1]] = "NULL"
		case p[2] == strconv.Itoa(heardMember):
			values[p[1]] = ":member"
		case p[2] == strconv.Itoa(heardIdea):
			values[p[1]] = ":idea"
		default:
			values[p[1]] = "'" + p[2] + "'"
		}
	}
	return placeholder.ReplaceAllStringFunc(statement, func(p string) string { return values[p[1:]] })
}

var pgbenchRate = regexp.MustCompile(`tps = ([0-9.]+)`)

// runPgbench returns the transactions a second, without the time that connecting took.
func (b *bench) runPgbench(ctx context.Context, script string, length time.Duration) (float64, error) {
	seconds := strconv.Itoa(max(1, int(length.Seconds())))
	cmd := exec.CommandContext(ctx, b.pgbench, "--no-vacuum", "--protocol=prepared", "--client="+strconv.Itoa(b.options.readers),
		"--jobs=2", "--time="+seconds, "--file="+script, ownerURI(b.server))
	// As the service's sessions.
	cmd.Env = append(os.Environ(), "PGOPTIONS=-c search_path=ideas,pg_temp -c random_page_cost=1.1 -c jit=off -c max_parallel_workers_per_gather=0")
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	out, err := cmd.CombinedOutput()
	if err != nil {
		return 0, fmt.Errorf("run pgbench: %w: %s", err, out)
	}
	found := pgbenchRate.FindSubmatch(out)
	if found == nil {
		return 0, fmt.Errorf("read pgbench's result: %s", out)
	}
	return strconv.ParseFloat(string(found[1]), 64)
}

// crowd is how many vote for one idea at the same moment.
const crowd = 300

// measureCrowd lets many members vote for one new idea at once, each on a connection of their own, twice.
func (b *bench) measureCrowd(ctx context.Context) error {
	s, err := b.loaded(ctx)
	if err != nil {
		return err
	}
	var idea int64
	if err := b.admin.QueryRow(ctx, `INSERT INTO ideas.idea (author_id, slug, title, body, state)
		VALUES (1, 'crowd', 'Crowd', 'Everybody at once', 'gathering') RETURNING id`).Scan(&idea); err != nil {
		return fmt.Errorf("make an idea for the crowd: %w", err)
	}
	began := time.Now()
	failures := b.voteAtOnce(ctx, s, idea)
	took := time.Since(began)
	var counted, stored int
	if err := b.admin.QueryRow(ctx, `SELECT t.supporters, (SELECT count(*) FROM ideas.support WHERE idea_id = $1) FROM ideas.tally t WHERE idea_id = $1`,
		idea).Scan(&counted, &stored); err != nil {
		return fmt.Errorf("count the crowd: %w", err)
	}
	b.report.AtMost(fmt.Sprintf("%d voters at once, each twice: errors", crowd), float64(failures), 0, "")
	b.report.AtMost("the same: votes lost or counted twice", abs(counted-crowd)+abs(stored-crowd), 0, "")
	b.report.Note("the same: until all were answered", "%d ms", took.Milliseconds())
	return nil
}

func (b *bench) voteAtOnce(ctx context.Context, s *service, idea int64) (failures int) {
	start := make(chan struct{})
	failed := make(chan bool, crowd)
	var ready, wait sync.WaitGroup
	for i := range int64(crowd) {
		ready.Add(1)
		wait.Go(func() {
			c, err := dial(ctx, s.pages)
			ready.Done()
			if err != nil {
				failed <- true
				return
			}
			defer c.conn.Close()
			<-start
			for range 2 {
				if status, _, err := c.do(voteFor(idea, 1000+i).encode(s.pages)); err != nil || status != 200 {
					failed <- true
					return
				}
			}
		})
	}
	ready.Wait()
	close(start)
	wait.Wait()
	return len(failed)
}

func abs(n int) float64 { return float64(max(n, -n)) }
