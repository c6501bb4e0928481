package web

import (
	"bytes"
	"compress/gzip"
	"embed"
	"fmt"
	"io/fs"
	"net/http"
	"path"
	"slices"
	"strconv"
	"strings"
	"sync"
)

//go:embed static
var staticFiles embed.FS

// asset is one static file. Its address holds the hash of its content, so it may be cached for ever.
type asset struct {
	contentType string
	content     []byte
	// compressed is made on first use; nil where it would not help.
	compressed func() []byte
}

type assets struct {
	byAddress map[string]asset
	addresses map[string]string
}

func newAssets() (*assets, error) {
	a := &assets{byAddress: map[string]asset{}, addresses: map[string]string{}}
	if err := a.addStyles(); err != nil {
		return nil, err
	}
	err := fs.WalkDir(staticFiles, "static", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || path.Ext(name) == ".css" {
			return err
		}
		content, err := staticFiles.ReadFile(name)
		if err != nil {
			return err
		}
		a.add(strings.TrimPrefix(name, "static/"), content)
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read static files: %w", err)
	}
	return a, nil
}

// addStyles makes one style sheet of those in static/css, one for each part of the site. The base comes first, so that
// the others may refine it.
func (a *assets) addStyles() error {
	names, err := fs.Glob(staticFiles, "static/css/*.css")
	if err != nil {
		return fmt.Errorf("list style sheets: %w", err)
	}
	const base = "static/css/base.css"
	slices.SortFunc(names, func(x, y string) int {
		if (x == base) != (y == base) {
			if x == base {
				return -1
			}
			return 1
		}
		return strings.Compare(x, y)
	})
	var all []byte
	for _, name := range names {
		content, err := staticFiles.ReadFile(name)
		if err != nil {
			return fmt.Errorf("read style sheet %s: %w", name, err)
		}
		all = append(all, content...)
	}
	a.add("app.css", all)
	return nil
}

func (a *assets) add(file string, content []byte) {
	address := "/static/" + contentHash(content) + "/" + file
	a.addresses[file] = address
	a.byAddress[address] = newAsset(file, content)
}

func newAsset(file string, content []byte) asset {
	types := map[string]string{
		".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".woff2": "font/woff2",
		".txt": "text/plain; charset=utf-8", ".md": "text/plain; charset=utf-8",
	}
	one := asset{contentType: types[path.Ext(file)], content: content, compressed: func() []byte { return nil }}
	if one.contentType == "" {
		// Asking the system's list of types would keep all of it in memory.
		one.contentType = "application/octet-stream"
	}
	if path.Ext(file) != ".woff2" {
		one.compressed = sync.OnceValue(func() []byte {
			var out bytes.Buffer
			// BestCompression is a valid level and writing to a buffer cannot fail.
			w, _ := gzip.NewWriterLevel(&out, gzip.BestCompression)
			_, _ = w.Write(content)
			_ = w.Close()
			return out.Bytes()
		})
	}
	return one
}

// address of a file, for templates.
func (a *assets) address(file string) (string, error) {
	address, ok := a.addresses[file]
	if !ok {
		return "", fmt.Errorf("no static file %q", file)
	}
	return address, nil
}

// fontFace declares the typeface here, because only here its address is known. "optional" never moves text that
// is already shown: a first visit on a slow line keeps the system's typeface. The range is that of the file.
func (a *assets) fontFace() string {
	return `@font-face{font-family:Figtree;font-weight:300 900;font-display:optional;src:url(` +
		a.addresses["figtree.woff2"] + `) format("woff2");unicode-range:U+0000-00FF,U+0131,U+0152-0153,U+02BB-02BC,` +
		"U+02C6,U+02DA,U+02DC,U+0304,U+0308,U+0329,U+2000-206F,U+20AC,U+2122,U+2191,U+2193,U+2212,U+2215,U+FEFF,U+FFFD}\n"
}

// ServeHTTP implements http.Handler.
func (a *assets) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	one, ok := a.byAddress[r.URL.Path]
	if !ok {
		http.NotFound(w, r)
		return
	}
	h := w.Header()
	h.Set("Content-Type", one.contentType)
	h.Set("Cache-Control", "public, max-age=31536000, immutable")
	h.Set("Vary", "Accept-Encoding")
	body := one.content
	if acceptsGzip(r) {
		if c := one.compressed(); c != nil {
			h.Set("Content-Encoding", "gzip")
			body = c
		}
	}
	h.Set("Content-Length", strconv.Itoa(len(body)))
	if r.Method != http.MethodHead {
		// A reader who has gone is no error of ours.
		_, _ = w.Write(body)
	}
}

// theme serves the brand's colours. The address holds the hash of the content; a replica that has not heard of
// the newest settings yet answers with what it has, and nobody keeps that.
func (a *app) theme(w http.ResponseWriter, r *http.Request) {
	s := a.site(r.Context())
	brandFile(w, r, "text/css; charset=utf-8", s.themeCSS, s.themeHash)
}

// favicon serves the brand's initial in its colours.
func (a *app) favicon(w http.ResponseWriter, r *http.Request) {
	s := a.site(r.Context())
	_, hash, _ := strings.Cut(s.faviconAddress, "=")
	brandFile(w, r, "image/svg+xml", s.favicon, hash)
}

func brandFile(w http.ResponseWriter, r *http.Request, contentType, content, hash string) {
	h := w.Header()
	h.Set("Content-Type", contentType)
	h.Set("Cache-Control", "no-cache")
	if r.URL.Query().Get("v") == hash {
		h.Set("Cache-Control", "public, max-age=31536000, immutable")
	}
	h.Set("Content-Length", strconv.Itoa(len(content)))
	if r.Method != http.MethodHead {
		_, _ = w.Write([]byte(content))
	}
}

// robots keeps search engines out of pages that are nobody's but the reader's.
func (a *app) robots(w http.ResponseWriter, r *http.Request) {
	rules := "User-agent: *\nDisallow: /sign-in\nDisallow: /profile\nDisallow: /account\nDisallow: /members\nDisallow: /join\nDisallow: /ideas/new\n"
	if s := a.site(r.Context()); !s.declared || s.closed() {
		rules = "User-agent: *\nDisallow: /\n"
	}
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("Cache-Control", "public, max-age=3600")
	_, _ = w.Write([]byte(rules))
}
