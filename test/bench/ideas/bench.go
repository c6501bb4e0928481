package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/quaeso/community-operator/internal/testutil"
	"github.com/quaeso/community-operator/test/bench/report"
)

// bench holds what the measurements share.
type bench struct {
	options options
	report  *report.Report
	pgbench string
	server  *testutil.PostgresServer
	admin   *pgx.Conn
	// service that the load goes to, the same one through all of it.
	service *service
	began   times
}

// productionSettings are those of a small server that keeps what it has answered, whatever happens.
var productionSettings = map[string]string{
	"fsync": "on", "synchronous_commit": "on", "full_page_writes": "on", "shared_buffers": "512MB", "effective_cache_size": "1GB",
	"max_wal_size": "2GB", "autovacuum_naptime": "1min", "max_connections": "200", "log_min_messages": "warning",
	"shared_preload_libraries": "pg_stat_statements", "pg_stat_statements.track_planning": "on", "logging_collector": "on", "log_destination": "csvlog", "log_directory": "log",
	"log_filename": "server.log", "log_rotation_age": "0", "log_rotation_size": "0", "log_file_mode": "0644",
}

// prepare starts PostgreSQL on a copy of the loaded database.
func (b *bench) prepare(ctx context.Context) error {
	var err error
	if b.pgbench, err = findPgbench(); err != nil {
		return err
	}
	data := b.options.data
	if data == "" {
		if data, err = loadedData(ctx); err != nil {
			return err
		}
	}
	if b.server, err = testutil.RunPostgres(testutil.PostgresOptions{Data: data, Settings: productionSettings}); err != nil {
		return fmt.Errorf("start PostgreSQL: %w", err)
	}
	if b.admin, err = pgx.Connect(ctx, b.server.AdminURI(databaseName)); err != nil {
		b.server.Stop()
		return fmt.Errorf("connect as superuser: %w", err)
	}
	b.began = b.times()
	if _, err := b.admin.Exec(ctx, "CREATE EXTENSION IF NOT EXISTS pg_stat_statements SCHEMA public"); err != nil {
		return fmt.Errorf("count statements: %w", err)
	}
	b.report.Note("processors", "%d", runtime.NumCPU())
	return b.describe(ctx)
}

// describe says what is measured, from the database itself, and brings its tables into memory.
func (b *bench) describe(ctx context.Context) error {
	var counts [4]int
	for i, table := range []string{"idea", "support", "comment", "member"} {
		if err := b.admin.QueryRow(ctx, "SELECT count(*) FROM ideas."+table).Scan(&counts[i]); err != nil {
			return fmt.Errorf("count rows: %w", err)
		}
	}
	if counts[0] < ideaCount || counts[1] < voteCount || counts[2] < commentCount {
		return fmt.Errorf("check the database: it holds %v rows of ideas, votes, comments and members", counts)
	}
	b.report.Note("ideas, votes, comments, members", "%d, %d, %d, %d", counts[0], counts[1], counts[2], counts[3])
	return nil
}

// end stops everything.
func (b *bench) end() {
	if b.service != nil {
		b.service.stop()
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	b.admin.Close(ctx)
	b.server.Stop()
}

// loaded is the service that the load goes to.
func (b *bench) loaded(ctx context.Context) (*service, error) {
	if b.service == nil {
		var err error
		if b.service, err = b.startService(ctx, ownerURI(b.server)); err != nil {
			return nil, err
		}
	}
	return b.service, nil
}

// measureStart starts and ends the service over and over.
func (b *bench) measureStart(ctx context.Context) error {
	const starts = 15
	took := make([]time.Duration, starts)
	for i := range took {
		s, err := b.startService(ctx, ownerURI(b.server))
		if err != nil {
			return err
		}
		took[i] = s.ready
		s.stop()
	}
	slices.Sort(took)
	b.report.AtMost(fmt.Sprintf("from process start to ready (median of %d)", starts), float64(took[starts/2].Microseconds())/1000, longestStart, " ms")
	b.report.Note("from process start to ready (worst)", "%d ms", took[starts-1].Milliseconds())
	return nil
}

// measureIdle lets a few members look around, and waits until the service has given back what that took.
func (b *bench) measureIdle(ctx context.Context) error {
	s, err := b.startService(ctx, ownerURI(b.server))
	if err != nil {
		return err
	}
	defer s.stop()
	for i := range int64(300) {
		path := []string{"/", "/ideas", "/ideas?order=top", "/profile", "/ideas?q=tent"}[i%5]
		if _, err := s.get(ctx, i+1, path); err != nil {
			return err
		}
	}
	busy, _, err := s.memory()
	if err != nil {
		return err
	}
	idle, err := b.idleMemory(ctx, s)
	if err != nil {
		return err
	}
	b.report.Note("resident memory after 300 requests", "%.1f MiB", busy)
	b.report.AtMost("resident memory, idle", idle, mostIdle, " MiB")
	return nil
}

// idleMemory is what is usual while the service is quiet, the median of a while: it gives memory back after twenty seconds at
// the latest, and pages of its program every five from then on.
func (b *bench) idleMemory(ctx context.Context, s *service) (float64, error) {
	const settled, watched = 35, 20
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	var seen []float64
	for i := range settled + watched {
		select {
		case <-ctx.Done():
			return 0, ctx.Err()
		case <-tick.C:
		}
		now, _, err := s.memory()
		if err != nil {
			return 0, err
		}
		if i >= settled {
			seen = append(seen, now)
		}
	}
	slices.Sort(seen)
	return seen[len(seen)/2], nil
}

func (b *bench) reportMemory() error {
	if b.service == nil {
		return nil
	}
	_, peak, err := b.service.memory()
	if err != nil {
		return err
	}
	b.report.AtMost("resident memory under the load, peak", peak, mostBusy, " MiB")
	return nil
}

// reportQuietness says how busy the machine was with other things.
func (b *bench) reportQuietness() error {
	raw, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		return fmt.Errorf("read the load: %w", err)
	}
	now := b.times()
	elapsed := now.at.Sub(b.began.at).Seconds()
	ours := now.service - b.began.service + now.database - b.began.database + now.bench - b.began.bench
	b.report.Detail("Everything: %.0f s; other programs used %.2f processors on average; load average at the end %s.",
		elapsed, max(0, now.all-b.began.all-ours)/elapsed, strings.Join(strings.Fields(string(raw))[:3], ", "))
	return nil
}

// hold keeps what was started until the program is interrupted.
func (b *bench) hold(ctx context.Context) error {
	s, err := b.loaded(ctx)
	if err != nil {
		return err
	}
	progress("the service: http://%s, the cookie of a session: session=%s", s.pages, sessionToken(1))
	progress("the database: psql '%s'", b.server.AdminURI(databaseName))
	<-ctx.Done()
	return nil
}

// findPgbench looks where PostgreSQL's packages put it.
func findPgbench() (string, error) {
	found, err := filepath.Glob("/usr/lib/postgresql/*/bin/pgbench")
	if err != nil {
		return "", fmt.Errorf("look for pgbench: %w", err)
	}
	if len(found) == 0 {
		return "", fmt.Errorf("look for pgbench in /usr/lib/postgresql/*/bin: %w; it comes with PostgreSQL", os.ErrNotExist)
	}
	slices.Sort(found)
	return found[len(found)-1], nil
}
