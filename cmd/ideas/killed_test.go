package main

import (
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/quaeso/community-operator/internal/testutil"
)

// replicas are processes of the built program, which a test kills.
type replicas struct {
	t       *testing.T
	program string
	args    []string
	mutex   sync.Mutex
	running []*exec.Cmd
	kills   int
}

// build makes the program as it is shipped.
func build(t *testing.T) string {
	t.Helper()
	program := filepath.Join(t.TempDir(), "ideas")
	if out, err := exec.CommandContext(t.Context(), "go", "build", "-o", program, ".").CombinedOutput(); err != nil {
		t.Fatalf("build the program: %v\n%s", err, out)
	}
	return program
}

func (r *replicas) start(n int) {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	for range n {
		process := exec.Command(r.program, r.args...) // killed by the test, not by a context
		if err := process.Start(); err != nil {
			r.t.Errorf("start a replica: %v", err)
			return
		}
		r.running = append(r.running, process)
	}
}

// kill ends all at once, as a machine that loses its power does.
func (r *replicas) kill() {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	for _, process := range r.running {
		_ = process.Process.Kill() // it may have ended
	}
	for _, process := range r.running {
		_ = process.Wait() // killed, which is an error
	}
	r.running = nil
	r.kills++
}

// Replicas that are killed while the mail server has a mail and they do not know yet send it to nobody twice: neither letters of
// the queue nor sign-in links.
func TestKilledReplicasSendNoMailTwice(t *testing.T) {
	const members, kills, most = 60, 6, 16 // at most so many mails are under way when all are killed
	db := testutil.Postgres(t).Database(t)
	r := &replicas{t: t, program: build(t)}
	var mutex sync.Mutex
	texts, planned := 0, 0
	smtp := testutil.StartSMTP(t, testutil.SMTPOptions{RefuseData: func(string) string {
		mutex.Lock()
		defer mutex.Unlock()
		if texts++; texts%9 == 0 && planned < kills {
			planned++
			r.kill() // the text has come, and nobody has been told so
		}
		return ""
	}})
	uri := filepath.Join(t.TempDir(), "uri")
	write(t, filepath.Dir(uri), "uri", db.URI())
	r.args = []string{
		"--database-url-file=" + uri, "--listen=127.0.0.1:0", "--management-listen=127.0.0.1:0",
		"--smtp-host=" + smtp.Host, fmt.Sprintf("--smtp-port=%d", smtp.Port),
	}
	r.start(2)
	t.Cleanup(r.kill)
	eventually(t, time.Minute, "the schema", func() bool {
		return db.QueryInt(t, "SELECT count(*) FROM pg_tables WHERE schemaname = 'ideas' AND tablename = 'goose_db_version'") == 1 &&
			db.QueryInt(t, "SELECT count(*) FROM pg_tables WHERE schemaname = 'ideas' AND tablename IN ('river_job', 'letter')") == 2
	})
	db.Exec(t,
		fmt.Sprintf("INSERT INTO ideas.member (name, locale, email) SELECT 'Member ' || n, 'fr', 'm' || n || '@brand.example' FROM generate_series(1, %d) n", members),
		"INSERT INTO ideas.event (kind, subject_id) SELECT 'member.sanction_lifted', id FROM ideas.member",
		fmt.Sprintf("INSERT INTO ideas.sign_in_mail (email, locale, return_to) SELECT 's' || n || '@brand.example', 'fr', '/' FROM generate_series(1, %d) n", members))
	eventually(t, 4*time.Minute, "every mail to be handed over", func() bool {
		r.mutex.Lock()
		alive := len(r.running)
		r.mutex.Unlock()
		if alive == 0 {
			// Minutes pass before others come: what the dead were at is taken up again.
			db.Exec(t, "UPDATE ideas.river_job SET attempted_at = attempted_at - interval '10 minutes' WHERE state = 'running'",
				"UPDATE ideas.sign_in_mail SET due_at = now() - interval '1 second'")
			r.start(2)
		}
		return db.QueryInt(t, "SELECT count(*) FROM ideas.notice") == members &&
			db.QueryInt(t, `SELECT (SELECT count(*) FROM ideas.notice WHERE mail = 'now') + (SELECT count(*) FROM ideas.sign_in_mail WHERE handed_over_at IS NULL)
				+ (SELECT count(*) FROM ideas.event WHERE NOT dispatched)
				+ (SELECT count(*) FROM ideas.river_job WHERE kind = 'notice_mail' AND state NOT IN ('completed', 'running'))`) == 0
	})
	// Those that lie with the dead are taken up by the living once more, to see that nothing is sent.
	db.Exec(t, "UPDATE ideas.river_job SET attempted_at = attempted_at - interval '10 minutes' WHERE state = 'running'")
	eventually(t, 2*time.Minute, "every job to end", func() bool {
		return db.QueryInt(t, "SELECT count(*) FROM ideas.river_job WHERE kind = 'notice_mail' AND state <> 'completed'") == 0
	})
	got := map[string]int{}
	for smtp.Received() > 0 {
		got[smtp.Mail(t).To[0]]++
	}
	lost := 2*members - len(got)
	for address, n := range got {
		if n != 1 {
			t.Errorf("%s got %d mails", address, n)
		}
	}
	if r.kills < kills || lost > r.kills*most {
		t.Errorf("%d kills; %d of %d mails never came: %s", r.kills, lost, 2*members, strings.Repeat(".", lost))
	}
	t.Logf("%d kills, %d of %d mails lost", r.kills, lost, 2*members)
}
