//go:build e2e

// Package journeys walks through a community as its members and its team do, in Chromium, against the real idea service
// and PostgreSQL. The service runs from a file of declarations; its clock is advanced where a contest takes months.
package journeys

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/mail"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/quaeso/community-operator/internal/testutil"
)

// program is the idea service, built with a clock that can be advanced.
var program string

func TestMain(m *testing.M) {
	code, err := run(m)
	if err != nil {
		fmt.Fprintln(os.Stderr, "journeys:", err)
		code = 1
	}
	os.Exit(code)
}

func run(m *testing.M) (int, error) {
	folder, err := os.MkdirTemp("", "journeys-*")
	if err != nil {
		return 1, err
	}
	defer func() { _ = os.RemoveAll(folder) }()
	program = filepath.Join(folder, "ideas")
	build := exec.Command("go", "build", "-tags", "testclock", "-trimpath", "-o", program, "../../cmd/ideas")
	if out, err := build.CombinedOutput(); err != nil {
		return 1, fmt.Errorf("build the idea service: %w\n%s", err, out)
	}
	code := m.Run()
	if code == 0 && everythingRan() {
		err = seenByAxe.complete()
	}
	return code, err
}

// world is one community and what a journey may do to it.
type world struct {
	*testing.T
	base  string
	db    *testutil.PostgresDatabase
	clock string

	mutex sync.Mutex
	ahead time.Duration
	mails map[string][]string
	came  *sync.Cond
}

// walk runs a script of this folder in both languages, in French on a phone and in English on a desktop, each in
// a community of its own made from declared/NAME.yaml or the sample of that name.
func walk(t *testing.T, script, declared string) {
	t.Helper()
	for _, way := range []struct{ locale, screen string }{{"fr", "phone"}, {"en", "desktop"}} {
		t.Run(way.locale, func(t *testing.T) {
			t.Parallel()
			w := open(t, declared)
			w.browse(script, "--locale", way.locale, "--screen", way.screen)
		})
	}
}

// open starts a community.
func open(t *testing.T, declared string) *world {
	t.Helper()
	folder := t.TempDir()
	w := &world{T: t, db: testutil.Postgres(t).Database(t), clock: filepath.Join(folder, "ahead"), mails: map[string][]string{}}
	w.came = sync.NewCond(&w.mutex)
	smtp := testutil.StartSMTP(t, testutil.SMTPOptions{})
	collecting, stop := context.WithCancel(context.Background())
	t.Cleanup(stop)
	go w.collect(collecting, smtp)
	pages, management := freeAddress(t), freeAddress(t)
	w.base = "http://" + pages
	file := filepath.Join(folder, "declared.yaml")
	if err := os.WriteFile(file, w.declaration(declared), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(w.clock, []byte("0s"), 0o600); err != nil {
		t.Fatal(err)
	}
	w.start(pages, management, "--database-url="+w.db.URI(), "--declared="+file, "--clock-ahead-file="+w.clock,
		"--smtp-host="+smtp.Host, fmt.Sprintf("--smtp-port=%d", smtp.Port))
	return w
}

// declaration is what the community declares.
func (w *world) declaration(name string) []byte {
	w.Helper()
	raw, err := declaration(name, w.base, time.Now())
	if err != nil {
		w.Fatal(err)
	}
	return raw
}

// start runs the service until the test ends and waits until it has taken up the declarations.
func (w *world) start(pages, management string, args ...string) {
	w.Helper()
	var log bytes.Buffer
	command := exec.Command(program, append([]string{"--listen=" + pages, "--management-listen=" + management, "--log-format=text"}, args...)...)
	command.Stdout, command.Stderr = &log, &log
	if err := command.Start(); err != nil {
		w.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- command.Wait() }()
	w.Cleanup(func() {
		_ = command.Process.Signal(syscall.SIGTERM)
		if err := <-ended; err != nil {
			w.Errorf("the service ended with: %v", err)
		}
		if w.Failed() {
			w.Logf("log of the service:\n%s", log.String())
		}
	})
	for deadline := time.Now().Add(30 * time.Second); ; {
		res, err := http.Get(w.base + "/")
		if err == nil {
			_ = res.Body.Close()
			if res.StatusCode == http.StatusOK {
				return
			}
		}
		if time.Now().After(deadline) {
			w.Fatalf("the community did not open:\n%s", log.String())
		}
		select {
		case err := <-ended:
			ended <- err
			w.Fatalf("the service ended: %v\n%s", err, log.String())
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// browse runs the script, which asks for what it cannot do itself over a control port of the test's own.
func (w *world) browse(script string, args ...string) {
	w.Helper()
	mux := http.NewServeMux()
	mux.HandleFunc("POST /member", answering(w.signIn))
	mux.HandleFunc("POST /advance", answering(w.advance))
	mux.HandleFunc("POST /mail", answering(w.mail))
	mux.HandleFunc("POST /crowd", answering(w.crowd))
	mux.HandleFunc("POST /figures", answering(w.figures))
	mux.HandleFunc("POST /seen", answering(seenByAxe.saw))
	server := httptest.NewServer(mux)
	defer server.Close()
	args = append([]string{script, "--base", w.base, "--world", server.URL}, args...)
	if folder := os.Getenv("JOURNEY_SCREENSHOTS"); folder != "" {
		args = append(args, "--screenshots", filepath.Join(folder, strings.ReplaceAll(w.Name(), "/", "-")))
	}
	ctx, cancel := context.WithTimeout(w.Context(), 4*time.Minute)
	defer cancel()
	command := exec.CommandContext(ctx, "node", args...)
	out, err := command.CombinedOutput()
	if err != nil {
		w.Errorf("%s: %v\n%s", script, err, out)
	}
}

// answering makes a handler of a function from JSON to JSON.
func answering[In, Out any](do func(In) (Out, error)) http.HandlerFunc {
	return func(rw http.ResponseWriter, r *http.Request) {
		var in In
		err := json.NewDecoder(r.Body).Decode(&in)
		if err == nil {
			var out Out
			if out, err = do(in); err == nil {
				_ = json.NewEncoder(rw).Encode(out)
				return
			}
		}
		http.Error(rw, err.Error(), http.StatusInternalServerError)
	}
}

type memberWanted struct{ Email, Locale string }

type session struct{ Name, Value string }

// signIn does what a person does with a mail link, without the browser, which journeys of sign-in use themselves.
func (w *world) signIn(m memberWanted) (session, error) {
	jar, err := cookiejar.New(nil)
	if err != nil {
		return session{}, err
	}
	browser := &http.Client{Jar: jar, Timeout: 20 * time.Second}
	post := func(path string, form url.Values) error {
		req, err := http.NewRequest(http.MethodPost, w.base+path, strings.NewReader(form.Encode()))
		if err != nil {
			return err
		}
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		req.Header.Set("Origin", w.base)
		req.Header.Set("Accept-Language", m.Locale)
		res, err := browser.Do(req)
		if err != nil {
			return err
		}
		defer func() { _ = res.Body.Close() }()
		if res.StatusCode >= http.StatusBadRequest {
			body, _ := io.ReadAll(res.Body)
			return fmt.Errorf("POST %s answered %d: %.500s", path, res.StatusCode, body)
		}
		return nil
	}
	if err := post("/sign-in", url.Values{"email": {m.Email}, "returnTo": {"/"}}); err != nil {
		return session{}, err
	}
	letter, err := w.mail(mailWanted{To: m.Email, Match: `/sign-in/link\?token=[\w-]+`})
	if err != nil {
		return session{}, err
	}
	_, token, _ := strings.Cut(letter.Found, "token=")
	if err := post("/sign-in/link", url.Values{"token": {token}}); err != nil {
		return session{}, err
	}
	base, err := url.Parse(w.base)
	if err != nil {
		return session{}, err
	}
	for _, cookie := range jar.Cookies(base) {
		if cookie.Name == "session" {
			return session{cookie.Name, cookie.Value}, nil
		}
	}
	return session{}, errors.New("the link gave no session")
}

type advance struct{ By string }

// advance moves the service's clock on.
func (w *world) advance(a advance) (struct{}, error) {
	by, err := time.ParseDuration(a.By)
	if err != nil {
		return struct{}{}, err
	}
	w.mutex.Lock()
	defer w.mutex.Unlock()
	w.ahead += by
	next := w.clock + ".next"
	if err := os.WriteFile(next, []byte(w.ahead.String()), 0o600); err != nil {
		return struct{}{}, err
	}
	return struct{}{}, os.Rename(next, w.clock)
}

type crowd struct{ Idea, Supporters int64 }

// crowd lets an idea have so many supporters, of whom only those are told apart who came by their browsers: tens of
// thousands take a moment instead of hours.
func (w *world) crowd(c crowd) (struct{}, error) {
	w.mutex.Lock()
	now := time.Now().Add(w.ahead)
	w.mutex.Unlock()
	conn, err := pgx.Connect(w.Context(), w.db.URI())
	if err != nil {
		return struct{}{}, fmt.Errorf("connect to let a crowd support an idea: %w", err)
	}
	defer func() { _ = conn.Close(context.WithoutCancel(w.Context())) }()
	err = pgx.BeginFunc(w.Context(), conn, func(tx pgx.Tx) error {
		// Without addresses nobody writes to them.
		if _, err := tx.Exec(w.Context(), `INSERT INTO ideas.member (name, locale, created_at) SELECT 'Fan ' || n, 'en', $2
			FROM generate_series((SELECT count(*) FROM ideas.member WHERE email IS NULL) + 1, $1::bigint) AS n`, c.Supporters, now); err != nil {
			return err
		}
		_, err := tx.Exec(w.Context(), `INSERT INTO ideas.support (idea_id, member_id, created_at) SELECT $1::bigint, m.id, $3 FROM ideas.member m
			WHERE m.email IS NULL AND NOT EXISTS (SELECT FROM ideas.support s WHERE s.idea_id = $1 AND s.member_id = m.id)
			ORDER BY m.id LIMIT greatest(0, $2::bigint - (SELECT supporters FROM ideas.tally WHERE idea_id = $1))`, c.Idea, c.Supporters, now)
		return err
	})
	return struct{}{}, err
}

// figures has the service write the figures of the day and waits until it has.
func (w *world) figures(struct{}) (struct{}, error) {
	conn, err := pgx.Connect(w.Context(), w.db.URI())
	if err != nil {
		return struct{}{}, fmt.Errorf("connect to ask for the figures of the day: %w", err)
	}
	defer func() { _ = conn.Close(context.WithoutCancel(w.Context())) }()
	var job int64
	err = conn.QueryRow(w.Context(), "INSERT INTO ideas.river_job (kind, args, max_attempts, state) VALUES ('snapshot', '{}', 5, 'available') RETURNING id").Scan(&job)
	for deadline := time.Now().Add(30 * time.Second); err == nil; {
		var done bool
		err = conn.QueryRow(w.Context(), "SELECT state = 'completed' FROM ideas.river_job WHERE id = $1", job).Scan(&done)
		if done {
			return struct{}{}, nil
		}
		if time.Now().After(deadline) {
			return struct{}{}, errors.New("the figures of the day are not written within 30 s")
		}
		time.Sleep(100 * time.Millisecond)
	}
	return struct{}{}, fmt.Errorf("ask for the figures of the day: %w", err)
}

type mailWanted struct{ To, Match string }

type letter struct{ Found, Text string }

// mail waits for a mail to an address that matches, takes it away, and returns what matched.
func (w *world) mail(wanted mailWanted) (letter, error) {
	match, err := regexp.Compile(wanted.Match)
	if err != nil {
		return letter{}, err
	}
	late := time.AfterFunc(30*time.Second, w.came.Broadcast)
	defer late.Stop()
	began := time.Now()
	w.mutex.Lock()
	defer w.mutex.Unlock()
	for {
		for i, text := range w.mails[wanted.To] {
			if found := match.FindString(text); found != "" {
				w.mails[wanted.To] = append(w.mails[wanted.To][:i:i], w.mails[wanted.To][i+1:]...)
				return letter{found, text}, nil
			}
		}
		if time.Since(began) > 29*time.Second {
			return letter{}, fmt.Errorf("no mail to %s matches %s; there are:\n%s", wanted.To, wanted.Match, strings.Join(w.mails[wanted.To], "\n---\n"))
		}
		w.came.Wait()
	}
}

// collect keeps the text of what arrives, by recipient.
func (w *world) collect(ctx context.Context, smtp *testutil.SMTPServer) {
	for {
		m, ok := smtp.Take(ctx)
		if !ok {
			return
		}
		text, err := m.PlainText()
		if err != nil {
			text = m.Text
		}
		w.mutex.Lock()
		for _, to := range m.To {
			if address, err := mail.ParseAddress(to); err == nil {
				to = address.Address
			}
			w.mails[to] = append(w.mails[to], text)
		}
		w.mutex.Unlock()
		w.came.Broadcast()
	}
}

func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	return l.Addr().String()
}
