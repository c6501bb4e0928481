package credentials_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/quaeso/community-operator/internal/credentials"
)

func TestRead(t *testing.T) {
	dir := t.TempDir()
	write := func(name, content string) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	read := func(name string) string {
		t.Helper()
		got, err := credentials.Folder(dir).Read(name)
		if err != nil {
			t.Fatal(err)
		}
		return got
	}
	if got := read("control-token"); got != "" {
		t.Errorf("absent file gives %q, want nothing", got)
	}
	write("control-token", "first\n")
	if got := read("control-token"); got != "first" {
		t.Errorf("got %q, want the content without its line end", got)
	}
	write("control-token", "second")
	if got := read("control-token"); got != "second" {
		t.Errorf("got %q after rotation, want the new content", got)
	}
	write("large", strings.Repeat("x", 1<<20+1))
	if _, err := credentials.Folder(dir).Read("large"); err == nil {
		t.Error("a file of more than a megabyte was read")
	}
	if err := os.Mkdir(filepath.Join(dir, "folder"), 0o700); err != nil {
		t.Fatal(err)
	}
	if _, err := credentials.Folder(dir).Read("folder"); err == nil {
		t.Error("a folder in a file's place gives no error")
	}
	if got, err := credentials.Folder("").Read("control-token"); got != "" || err != nil {
		t.Errorf("no folder gives %q, %v; want nothing", got, err)
	}
}
