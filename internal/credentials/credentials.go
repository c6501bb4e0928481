// Package credentials reads the files that the operator mounts into the idea service.
package credentials

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// maxBytes bounds a credential; a bundle of certificates is the longest.
const maxBytes = 1 << 20

// Folder holds one credential per file. Files are read anew each time, so that a rotated one is taken up
// without a restart; they are small and in memory.
type Folder string

// Read returns a file's content without surrounding white space; empty when the file is absent, which switches
// its feature off.
func (f Folder) Read(name string) (string, error) {
	if f == "" {
		return "", nil
	}
	file, err := os.Open(filepath.Join(string(f), filepath.Base(name)))
	if errors.Is(err, fs.ErrNotExist) {
		return "", nil
	}
	if err != nil {
		return "", fmt.Errorf("open credential: %w", err)
	}
	defer func() { _ = file.Close() }() // read only
	raw, err := io.ReadAll(io.LimitReader(file, maxBytes+1))
	if err != nil {
		return "", fmt.Errorf("read credential: %w", err)
	}
	if len(raw) > maxBytes {
		return "", fmt.Errorf("credential %s is longer than %d bytes", name, maxBytes)
	}
	return strings.TrimSpace(string(raw)), nil
}

// Path of a credential, for a library that reads it by itself.
func (f Folder) Path(name string) string { return filepath.Join(string(f), filepath.Base(name)) }
