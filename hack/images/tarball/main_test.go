package main

import (
	"archive/tar"
	"bytes"
	"io"
	"os"
	"path/filepath"
	"testing"
	"time"
)

func TestSameInputGivesSameImage(t *testing.T) {
	program := filepath.Join(t.TempDir(), "program")
	if err := os.WriteFile(program, []byte("v1"), 0o700); err != nil {
		t.Fatal(err)
	}
	req := request{repository: "localhost/test", files: listFlag{program + "=/program"}, labels: listFlag{"b=2", "a=1"}}
	first := idOf(t, req)
	if err := os.Chtimes(program, time.Unix(1, 0), time.Unix(1, 0)); err != nil {
		t.Fatal(err)
	}
	if second := idOf(t, req); second != first {
		t.Errorf("the same program gives %s and %s", first, second)
	}
	if err := os.WriteFile(program, []byte("v2"), 0o700); err != nil {
		t.Fatal(err)
	}
	if changed := idOf(t, req); changed == first {
		t.Error("another program gives the same image")
	}
}

func TestBaseLayerHoldsWhatProgramsExpect(t *testing.T) {
	layer, err := baseLayer()
	if err != nil {
		t.Fatal(err)
	}
	reader, err := layer.Uncompressed()
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]string{}
	archive := tar.NewReader(reader)
	for {
		header, err := archive.Next()
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		content, err := io.ReadAll(archive)
		if err != nil {
			t.Fatal(err)
		}
		found[header.Name] = string(content)
	}
	for name, part := range map[string]string{
		"etc/passwd":                        "nonroot:x:65532",
		"etc/ssl/certs/ca-certificates.crt": "BEGIN CERTIFICATE",
		"usr/share/zoneinfo/Europe/Paris":   "TZif",
		"usr/share/zoneinfo/Asia/Kathmandu": "TZif",
		"tmp/":                              "",
	} {
		content, ok := found[name]
		if !ok || !bytes.Contains([]byte(content), []byte(part)) {
			t.Errorf("the layer's %s is missing or does not hold %q", name, part)
		}
	}
}

func idOf(t *testing.T, req request) string {
	t.Helper()
	image, err := build(req)
	if err != nil {
		t.Fatal(err)
	}
	id, err := image.ConfigName()
	if err != nil {
		t.Fatal(err)
	}
	return id.String()
}
