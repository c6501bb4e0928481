package main

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// verifierFile keeps the verifier of the password that was last applied: the server holds the same
// text, and comparing with the file tells without starting the server whether the password changed.
const verifierFile = "community-password.verifier"

// prepare makes the data folder ready for the server: a new database in an empty one, the password in a used one.
func prepare(set settings) error {
	_, err := os.Stat(filepath.Join(set.dataDir, "PG_VERSION"))
	switch {
	case err == nil:
		return applyPassword(set)
	case errors.Is(err, fs.ErrNotExist):
		return initialize(set)
	default:
		return fmt.Errorf("look at the data folder: %w", err)
	}
}

// initialize builds the database under another name and renames it when it is complete and on disk.
func initialize(set settings) error {
	if entries, err := os.ReadDir(set.dataDir); err == nil && len(entries) > 0 {
		return fmt.Errorf("%s is not empty and holds no database: PGDATA must be a folder below the volume's mount point", set.dataDir)
	}
	partial := set.dataDir + ".partial"
	if err := os.RemoveAll(partial); err != nil {
		return fmt.Errorf("remove what an interrupted start left: %w", err)
	}
	if err := os.MkdirAll(filepath.Dir(set.dataDir), 0o700); err != nil {
		return fmt.Errorf("make the data folder: %w", err)
	}
	verifier, err := newVerifier(set.password)
	if err != nil {
		return err
	}
	if err := createCluster(set, partial, verifier); err != nil {
		return err
	}
	if err := createDatabase(set, partial); err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(partial, verifierFile), []byte(verifier), 0o600); err != nil {
		return fmt.Errorf("keep the password's verifier: %w", err)
	}
	// One write-out for all instead of one per file: the folder only counts once it bears its name.
	if err := runProgram("initdb", "", "--sync-only", "--pgdata", partial); err != nil {
		return err
	}
	if err := os.Rename(partial, set.dataDir); err != nil {
		return fmt.Errorf("put the new database in its place: %w", err)
	}
	return syncFolder(filepath.Dir(set.dataDir))
}

func createCluster(set settings, dir, verifier string) error {
	password, err := os.CreateTemp("", "verifier")
	if err != nil {
		return fmt.Errorf("make a password file (is /tmp writable?): %w", err)
	}
	defer os.Remove(password.Name())
	if _, err := password.WriteString(verifier + "\n"); err != nil {
		return fmt.Errorf("write the password file: %w", err)
	}
	if err := password.Close(); err != nil {
		return fmt.Errorf("write the password file: %w", err)
	}
	err = runProgram("initdb", "", "--pgdata", dir, "--username", set.role, "--pwfile", password.Name(),
		"--encoding", "UTF8", "--locale", "C.UTF-8", "--data-checksums", "--no-sync", "--no-instructions",
		"--auth-host", "scram-sha-256", "--auth-local", "trust")
	if err != nil {
		return err
	}
	// Other pods may connect, with the password; initdb itself only lets this one in.
	file, err := os.OpenFile(filepath.Join(dir, "pg_hba.conf"), os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		return fmt.Errorf("open pg_hba.conf: %w", err)
	}
	defer file.Close()
	if _, err := file.WriteString("host all all all scram-sha-256\n"); err != nil {
		return fmt.Errorf("write pg_hba.conf: %w", err)
	}
	return nil
}

func createDatabase(set settings, dir string) error {
	if set.database == "postgres" {
		return nil
	}
	// Without fsync: the whole folder is written out once, before it counts.
	return runAlone(dir, "CREATE DATABASE "+quoteIdentifier(set.database)+" OWNER "+quoteIdentifier(set.role), "-c", "fsync=off")
}

// applyPassword compares with what was applied last, so that an ordinary start costs nothing.
func applyPassword(set settings) error {
	file := filepath.Join(set.dataDir, verifierFile)
	applied, err := os.ReadFile(file)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("read the password's verifier: %w", err)
	}
	if matches(string(applied), set.password) {
		return nil
	}
	fmt.Fprintln(os.Stderr, "postgres image: the password changed, applying it")
	verifier, err := newVerifier(set.password)
	if err != nil {
		return err
	}
	// A server that was stopped hard leaves its lock file; no other server can run in this pod.
	if err := os.Remove(filepath.Join(set.dataDir, "postmaster.pid")); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("remove a stale lock file: %w", err)
	}
	if err := runAlone(set.dataDir, "ALTER ROLE "+quoteIdentifier(set.role)+" PASSWORD '"+verifier+"'"); err != nil {
		return err
	}
	if err := os.WriteFile(file+".new", []byte(verifier), 0o600); err != nil {
		return fmt.Errorf("keep the password's verifier: %w", err)
	}
	return os.Rename(file+".new", file)
}

// runAlone runs one statement in a server of its own, without clients: nobody can connect meanwhile.
func runAlone(dir, statement string, options ...string) error {
	arguments := append([]string{"--single", "-j", "-D", dir, "-c", "exit_on_error=true"}, options...)
	return runProgram("postgres", statement+"\n", append(arguments, "postgres")...)
}

// runProgram runs a program of PostgreSQL and gives its words back when it fails.
func runProgram(name, input string, arguments ...string) error {
	command := exec.Command(name, arguments...)
	command.Stdin = strings.NewReader(input)
	var output bytes.Buffer
	command.Stdout, command.Stderr = &output, &output
	if err := command.Run(); err != nil {
		return fmt.Errorf("%s: %w\n%s", name, err, withoutVerifier(output.String()))
	}
	return nil
}

// withoutVerifier: a refused statement is repeated in the server's message, and what it holds is a secret.
func withoutVerifier(text string) string {
	var kept []string
	for line := range strings.Lines(text) {
		if !strings.Contains(line, verifierPrefix) {
			kept = append(kept, line)
		}
	}
	return strings.Join(kept, "")
}

func quoteIdentifier(name string) string { return `"` + strings.ReplaceAll(name, `"`, `""`) + `"` }

func syncFolder(dir string) error {
	folder, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer folder.Close()
	return folder.Sync()
}
