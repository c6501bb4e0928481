package testutil_test

import (
	"path/filepath"
	"testing"

	"github.com/quaeso/community-operator/internal/testutil"
)

func TestSavedDataIsTakenUp(t *testing.T) {
	first, err := testutil.RunPostgres(testutil.PostgresOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defer first.Stop()
	first.Exec(t, "postgres", "CREATE DATABASE kept")
	first.Exec(t, "kept", "CREATE TABLE numbers AS SELECT generate_series(1, 1000) AS n")
	folder := filepath.Join(t.TempDir(), "data")
	if err := first.SaveData(folder); err != nil {
		t.Fatal(err)
	}
	for range 2 { // what a server does to its copy leaves the saved one as it is
		second := testutil.StartPostgres(t, testutil.PostgresOptions{Data: folder, Settings: map[string]string{"work_mem": "9MB"}})
		db := &testutil.PostgresDatabase{Server: second, Name: "kept"}
		if n := db.QueryInt(t, "SELECT count(*) FROM numbers"); n != 1000 {
			t.Errorf("%d rows were kept, want 1000", n)
		}
		if n := db.QueryInt(t, "SELECT setting::int FROM pg_settings WHERE name = 'work_mem'"); n != 9<<10 {
			t.Errorf("work_mem is %d kB, want what the options say", n)
		}
		db.Exec(t, "DELETE FROM numbers")
	}
}
