package web

import (
	"bytes"
	"fmt"
	"html/template"
	"net/http"
	"runtime"
	"strconv"
	"strings"
	"sync"

	"github.com/klauspost/compress/gzip"

	"github.com/quaeso/community-operator/ideas"
	"github.com/quaeso/community-operator/ideas/web/compiled"
)

// templateSets makes one set for each language, with the texts of that language built in.
func (a *app) templateSets() map[string]*compiled.Set {
	sets := make(map[string]*compiled.Set, len(a.catalogs))
	for tag, c := range a.catalogs {
		funcs := template.FuncMap{
			"t":      c.Text,
			"tn":     func(key string, n int) string { return c.Plural(key, int64(n)) },
			"num":    func(n int) string { return c.Number(int64(n)) },
			"asset":  a.assets.address,
			"limits": func() limits { return limits{ideas.MaxTitle, ideas.MaxBody, ideas.MaxComment, ideas.MaxName} },
		}
		sets[tag] = compiled.New(func(name string) (*template.Template, error) {
			set, err := parseTemplate(name, funcs)
			if err != nil {
				return nil, err
			}
			folder{set, c.Text, a.assets.address}.fold()
			return set, nil
		}, funcs)
	}
	return sets
}

// limits of input that the forms count against.
type limits struct{ Title, Body, Comment, Name int }

// render writes a page. It is rendered to a buffer first, so that a failure becomes an error page and not half
// a page.
func (v *visit) render(status int, name string, data any) error {
	page := v.app.compressor.buffer()
	defer v.app.compressor.release(page)
	if err := v.app.templates[v.lang.catalog.Tag].ExecuteTemplate(page, name, data); err != nil {
		return fmt.Errorf("render %s: %w", name, err)
	}
	h := v.w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Language", v.lang.Tag)
	h.Set("Vary", "Accept-Language, Cookie, HX-Request, Accept-Encoding")
	if h.Get("Cache-Control") == "" {
		// The page depends on who looks; the browser asks again each time.
		h.Set("Cache-Control", "private, no-cache")
	}
	if v.session != "" && status < http.StatusBadRequest {
		// A session lasts as long as it is used, and so does its cookie.
		v.signedIn(v.session)
	}
	body := v.app.compressor.compress(h, v.r, page.Bytes())
	h.Set("Content-Length", strconv.Itoa(len(body)))
	v.w.WriteHeader(status)
	if v.r.Method != http.MethodHead {
		// A reader who has gone is no error of ours.
		_, _ = v.w.Write(body) //nolint:gosec // html/template has escaped it
	}
	return nil
}

// compressor holds as many gzip writers as can work at once. A writer takes a few hundred kilobytes, so
// instead of one for each request, a request that finds none free answers uncompressed. It keeps what pages are rendered
// to, too, until garbage is collected.
type compressor struct {
	free    chan *gzip.Writer
	buffers sync.Pool
}

// largestKept bounds the buffers that are kept, in bytes; most pages are smaller.
const largestKept = 256 << 10

func (c *compressor) buffer() *bytes.Buffer {
	if b, ok := c.buffers.Get().(*bytes.Buffer); ok {
		return b
	}
	return new(bytes.Buffer)
}

func (c *compressor) release(b *bytes.Buffer) {
	if b.Cap() <= largestKept {
		b.Reset()
		c.buffers.Put(b)
	}
}

func newCompressor() *compressor {
	n := runtime.GOMAXPROCS(0)
	c := &compressor{free: make(chan *gzip.Writer, n)}
	for range n {
		c.free <- nil
	}
	return c
}

// compress shortens a body worth it for a client that understands, and sets the header that says so.
func (c *compressor) compress(h http.Header, r *http.Request, body []byte) []byte {
	if len(body) < 1024 || !acceptsGzip(r) {
		return body
	}
	select {
	case w := <-c.free:
		var out bytes.Buffer
		out.Grow(len(body) / 3)
		if w == nil {
			// BestSpeed is a valid level, so there is no error; the writers are made when first needed.
			w, _ = gzip.NewWriterLevel(&out, gzip.BestSpeed)
		} else {
			w.Reset(&out)
		}
		// Writing to a buffer cannot fail.
		_, _ = w.Write(body)
		_ = w.Close()
		c.free <- w
		h.Set("Content-Encoding", "gzip")
		return out.Bytes()
	default:
		return body
	}
}

func acceptsGzip(r *http.Request) bool {
	for part := range strings.SplitSeq(r.Header.Get("Accept-Encoding"), ",") {
		name, weight, _ := strings.Cut(strings.TrimSpace(part), ";")
		if name == "gzip" {
			return strings.ReplaceAll(weight, " ", "") != "q=0"
		}
	}
	return false
}
