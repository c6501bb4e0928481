package main

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"sort"
	"strings"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
)

// certificateBundle is where Debian's ca-certificates package keeps the roots, and where Go looks for them first.
const certificateBundle = "/etc/ssl/certs/ca-certificates.crt"

// layerWriter writes a layer whose bytes depend on names and contents only: no times, no owners of this machine.
type layerWriter struct {
	buffer  bytes.Buffer
	archive *tar.Writer
	folders map[string]bool
}

func newLayerWriter() *layerWriter {
	w := &layerWriter{folders: map[string]bool{"/": true}}
	w.archive = tar.NewWriter(&w.buffer)
	return w
}

func (w *layerWriter) folder(dir string, mode int64, uid int) error {
	if w.folders[dir] {
		return nil
	}
	if err := w.folder(path.Dir(dir), 0o755, 0); err != nil {
		return err
	}
	w.folders[dir] = true
	return w.archive.WriteHeader(&tar.Header{
		Typeflag: tar.TypeDir, Name: strings.TrimPrefix(dir, "/") + "/", Mode: mode, Uid: uid, Gid: uid, ModTime: time.Unix(0, 0),
	})
}

func (w *layerWriter) file(name string, mode int64, content []byte) error {
	if err := w.folder(path.Dir(name), 0o755, 0); err != nil {
		return err
	}
	header := &tar.Header{
		Typeflag: tar.TypeReg, Name: strings.TrimPrefix(name, "/"), Mode: mode, Size: int64(len(content)), ModTime: time.Unix(0, 0),
	}
	if err := w.archive.WriteHeader(header); err != nil {
		return err
	}
	_, err := w.archive.Write(content)
	return err
}

func (w *layerWriter) link(name, target string) error {
	if err := w.folder(path.Dir(name), 0o755, 0); err != nil {
		return err
	}
	return w.archive.WriteHeader(&tar.Header{
		Typeflag: tar.TypeSymlink, Name: strings.TrimPrefix(name, "/"), Linkname: target, Mode: 0o777, ModTime: time.Unix(0, 0),
	})
}

func (w *layerWriter) layer() (v1.Layer, error) {
	if err := w.archive.Close(); err != nil {
		return nil, err
	}
	return layerFromBytes(w.buffer.Bytes()), nil
}

// baseLayer holds what a static program still expects of its surroundings: users, a temporary folder,
// the certificate authorities to trust and the time zones.
func baseLayer() (v1.Layer, error) {
	certificates, err := os.ReadFile(certificateBundle)
	if err != nil {
		return nil, fmt.Errorf("read certificate authorities (Debian package ca-certificates): %w", err)
	}
	w := newLayerWriter()
	for _, step := range []error{
		w.file("/etc/passwd", 0o644, []byte(passwdFile)),
		w.file("/etc/group", 0o644, []byte(groupFile)),
		w.file(certificateBundle, 0o644, certificates),
		w.folder("/home/nonroot", 0o700, 65532),
		w.folder("/tmp", 0o1777, 0),
		addTimeZones(w),
	} {
		if step != nil {
			return nil, fmt.Errorf("write base layer: %w", step)
		}
	}
	return w.layer()
}

// addTimeZones unpacks the time zones that come with the Go toolchain: the same on every machine.
func addTimeZones(w *layerWriter) error {
	root, err := exec.Command("go", "env", "GOROOT").Output()
	if err != nil {
		return fmt.Errorf("ask for GOROOT: %w", err)
	}
	archive, err := zip.OpenReader(filepath.Join(strings.TrimSpace(string(root)), "lib/time/zoneinfo.zip"))
	if err != nil {
		return fmt.Errorf("open time zones: %w", err)
	}
	defer archive.Close()
	files := archive.File
	sort.Slice(files, func(i, j int) bool { return files[i].Name < files[j].Name })
	for _, zone := range files {
		if strings.HasSuffix(zone.Name, "/") {
			continue
		}
		content, err := readZipped(zone)
		if err != nil {
			return fmt.Errorf("read time zone %s: %w", zone.Name, err)
		}
		if err := w.file("/usr/share/zoneinfo/"+zone.Name, 0o644, content); err != nil {
			return err
		}
	}
	return nil
}

func readZipped(file *zip.File) ([]byte, error) {
	reader, err := file.Open()
	if err != nil {
		return nil, err
	}
	defer reader.Close()
	return io.ReadAll(reader)
}

// programLayer adds files as "source=destination", readable and executable by everyone.
func programLayer(files, links []string) (v1.Layer, error) {
	w := newLayerWriter()
	for _, pair := range files {
		source, destination, ok := strings.Cut(pair, "=")
		if !ok {
			return nil, fmt.Errorf("file %q: want source=destination", pair)
		}
		content, err := os.ReadFile(source)
		if err != nil {
			return nil, fmt.Errorf("read program: %w", err)
		}
		if err := w.file(destination, 0o755, content); err != nil {
			return nil, fmt.Errorf("add %s: %w", destination, err)
		}
	}
	for _, pair := range links {
		target, link, ok := strings.Cut(pair, "=")
		if !ok {
			return nil, fmt.Errorf("link %q: want target=name", pair)
		}
		if err := w.link(link, target); err != nil {
			return nil, fmt.Errorf("add link %s: %w", link, err)
		}
	}
	return w.layer()
}
