package main

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"io/fs"
	"log/slog"
	"math/rand/v2"
	"os"
	"path/filepath"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/quaeso/community-operator/ideas"
	"github.com/quaeso/community-operator/ideas/postgres"
	"github.com/quaeso/community-operator/internal/testutil"
)

// The community that is measured.
const (
	memberCount  = 20_000
	ideaCount    = 100_000
	voteCount    = 1_000_000
	commentCount = 300_000
	// age of the oldest idea.
	communityAge = 600 * 24 * time.Hour
)

// The database and its owner, which has no further rights, as a brand's has none.
const (
	databaseName  = "brand"
	ownerName     = "brand"
	ownerPassword = "brand-of-the-benchmark"
)

// dataKey names what the loaded database depends on: the schema and this program's way of filling it.
func dataKey() (string, error) {
	sum := sha256.New()
	for _, pattern := range []string{"ideas/postgres/migrations/*.sql", "test/bench/ideas/fill.go", "test/bench/ideas/text.go"} {
		paths, err := filepath.Glob(pattern)
		if err != nil || len(paths) == 0 {
			return "", fmt.Errorf("find %s from the root of the project: %w", pattern, fs.ErrNotExist)
		}
		for _, path := range paths {
			content, err := os.ReadFile(path)
			if err != nil {
				return "", fmt.Errorf("read what the database is made of: %w", err)
			}
			fmt.Fprintf(sum, "%s %d\n%s", path, len(content), content)
		}
	}
	return hex.EncodeToString(sum.Sum(nil))[:12], nil
}

// loadedData is the folder with the loaded database, made when there is none for this schema yet.
func loadedData(ctx context.Context) (string, error) {
	cache, err := cacheFolder()
	if err != nil {
		return "", err
	}
	key, err := dataKey()
	if err != nil {
		return "", err
	}
	folder := filepath.Join(cache, key)
	if _, err := os.Stat(folder); err == nil {
		return folder, nil
	}
	progress("filling a database with %d ideas, %d votes and %d comments; it is kept for the next run", ideaCount, voteCount, commentCount)
	server, err := testutil.RunPostgres(testutil.PostgresOptions{Settings: map[string]string{
		"shared_buffers": "1GB", "maintenance_work_mem": "512MB", "work_mem": "256MB", "max_wal_size": "1GB", "wal_level": "minimal", "max_wal_senders": "0", "autovacuum": "off",
	}})
	if err != nil {
		return "", fmt.Errorf("start PostgreSQL: %w", err)
	}
	defer server.Stop()
	if err := fill(ctx, server); err != nil {
		return "", err
	}
	// Data of earlier schemas is of no use any more.
	if err := removeOthers(cache, key); err != nil {
		return "", err
	}
	return folder, server.SaveData(folder)
}

func removeOthers(cache, key string) error {
	entries, err := os.ReadDir(cache)
	if err != nil {
		return fmt.Errorf("look into the cache: %w", err)
	}
	for _, e := range entries {
		if e.Name() != key {
			if err := os.RemoveAll(filepath.Join(cache, e.Name())); err != nil {
				return fmt.Errorf("remove old data: %w", err)
			}
		}
	}
	return nil
}

func ownerURI(server *testutil.PostgresServer) string {
	return server.URI(ownerName, ownerPassword, databaseName)
}

func fill(ctx context.Context, server *testutil.PostgresServer) error {
	admin, err := pgx.Connect(ctx, server.AdminURI("postgres"))
	if err != nil {
		return fmt.Errorf("connect as superuser: %w", err)
	}
	defer admin.Close(ctx)
	for _, statement := range []string{
		"CREATE ROLE " + ownerName + " LOGIN PASSWORD '" + ownerPassword + "'",
		"CREATE DATABASE " + databaseName + " OWNER " + ownerName + " TEMPLATE template0",
	} {
		if _, err := admin.Exec(ctx, statement); err != nil {
			return fmt.Errorf("make the database: %w", err)
		}
	}
	if err := migrate(ctx, server); err != nil {
		return err
	}
	// As the service's owner, so that every trigger counts as it does in production.
	conn, err := pgx.Connect(ctx, ownerURI(server)+"?search_path=ideas,pg_temp&statement_timeout=0")
	if err != nil {
		return fmt.Errorf("connect to the database: %w", err)
	}
	defer conn.Close(ctx)
	l := newLoader(conn)
	for _, step := range []func(context.Context) error{l.members, l.ideas, l.votes, l.comments} {
		if err := step(ctx); err != nil {
			return err
		}
	}
	if _, err := conn.Exec(ctx, "VACUUM ANALYZE"); err != nil {
		return fmt.Errorf("tidy the database: %w", err)
	}
	return nil
}

// migrate lets the service's own store make the schema.
func migrate(ctx context.Context, server *testutil.PostgresServer) error {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	store := postgres.New(postgres.Config{URI: func() (string, error) { return ownerURI(server), nil }, MaxConns: 1, Logger: slog.New(slog.DiscardHandler)})
	done := make(chan struct{})
	go func() { defer close(done); store.Run(ctx) }()
	err := store.WaitReady(ctx)
	cancel()
	<-done
	return err
}

// loader fills a database. Its seed is fixed, so every database is the same but for the time it starts from.
type loader struct {
	conn      *pgx.Conn
	random    *rand.Rand
	languages []*language
	start     time.Time
	created   []time.Time
}

func newLoader(conn *pgx.Conn) *loader {
	random := rand.New(rand.NewPCG(2026, 100_000))
	return &loader{
		conn: conn, random: random, start: time.Now().Add(-communityAge), created: make([]time.Time, ideaCount),
		languages: []*language{newLanguage(random, "fr"), newLanguage(random, "en")},
	}
}

// copyRows loads in batches: triggers keep a batch's rows in memory.
func (l *loader) copyRows(ctx context.Context, table string, columns []string, count, batch int, row func(i int) []any) error {
	for first := 0; first < count; first += batch {
		rows := pgx.CopyFromSlice(min(batch, count-first), func(i int) ([]any, error) { return row(first + i), nil })
		if _, err := l.conn.CopyFrom(ctx, pgx.Identifier{"ideas", table}, columns, rows); err != nil {
			return fmt.Errorf("load %s: %w", table, err)
		}
	}
	progress("  %d rows of %s", count, table)
	return nil
}

func (l *loader) members(ctx context.Context) error {
	err := l.copyRows(ctx, "member", []string{"email", "name", "locale", "created_at"}, memberCount, 10_000, func(i int) []any {
		return []any{fmt.Sprintf("member-%d@members.example", i+1), fmt.Sprintf("%s %d", l.languages[i%2].sentence(1), i+1), []string{"fr", "en"}[i%2], l.start}
	})
	if err != nil {
		return err
	}
	return l.copyRows(ctx, "session", []string{"token_hash", "member_id"}, memberCount, 10_000, func(i int) []any {
		hash := sha256.Sum256(rawToken(int64(i + 1)))
		return []any{hash[:], int64(i + 1)}
	})
}

// rawToken is a session's secret; those of the benchmark can be told from the member.
func rawToken(member int64) []byte {
	sum := sha256.Sum256(fmt.Appendf(nil, "session of member %d", member))
	return sum[:]
}

func sessionToken(member int64) string { return base64.RawURLEncoding.EncodeToString(rawToken(member)) }

func (l *loader) ideas(ctx context.Context) error {
	for i := range l.created {
		l.created[i] = l.start.Add(time.Duration(float64(communityAge) * (float64(i) + l.random.Float64()) / ideaCount))
	}
	columns := []string{"author_id", "slug", "title", "body", "state", "created_at", "updated_at"}
	return l.copyRows(ctx, "idea", columns, ideaCount, 10_000, func(i int) []any {
		lang := l.languages[l.random.IntN(2)]
		title := lang.title(l.random)
		return []any{l.member(), ideas.Slug(title), title, lang.body(l.random), "gathering", l.created[i], l.created[i]}
	})
}

func (l *loader) member() int64 { return 1 + l.random.Int64N(memberCount) }

// since is a time between an idea's submission and now, sooner rather than later.
func (l *loader) since(idea int64) time.Time {
	at := l.created[idea-1]
	age := float64(time.Since(at)) * l.random.Float64() * l.random.Float64()
	return at.Add(time.Duration(age))
}

// popular draws ideas as people do: a few get most of what is given.
func (l *loader) popular() func() int64 {
	zipf := rand.NewZipf(l.random, 1.15, 80, ideaCount-1)
	order := l.random.Perm(ideaCount)
	return func() int64 { return int64(order[zipf.Uint64()]) + 1 }
}

func (l *loader) votes(ctx context.Context) error {
	type vote struct{ idea, member int64 }
	seen := make(map[vote]bool, voteCount)
	popular := l.popular()
	return l.copyRows(ctx, "support", []string{"idea_id", "member_id", "created_at"}, voteCount, 100_000, func(int) []any {
		for {
			v := vote{popular(), l.member()}
			if !seen[v] {
				seen[v] = true
				return []any{v.idea, v.member, l.since(v.idea)}
			}
		}
	})
}

func (l *loader) comments(ctx context.Context) error {
	popular := l.popular()
	columns := []string{"idea_id", "author_id", "body", "created_at"}
	return l.copyRows(ctx, "comment", columns, commentCount, 100_000, func(int) []any {
		idea := popular()
		return []any{idea, l.member(), l.languages[l.random.IntN(2)].sentence(4 + l.random.IntN(50)), l.since(idea)}
	})
}
