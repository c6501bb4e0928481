package main

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"html/template"
	"net/http"
	"regexp"
)

//go:embed inbox.html
var inboxPage string

var page = template.Must(template.New("inbox").Funcs(template.FuncMap{"linked": linked}).Parse(inboxPage))

func newHandler(box *inbox) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /livez", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) })
	mux.HandleFunc("GET /api/v1/messages", func(w http.ResponseWriter, r *http.Request) { listMessages(w, r, box) })
	mux.HandleFunc("GET /api/v1/search", func(w http.ResponseWriter, r *http.Request) { listMessages(w, r, box) })
	mux.HandleFunc("DELETE /api/v1/messages", func(w http.ResponseWriter, _ *http.Request) { box.clear() })
	mux.HandleFunc("GET /api/v1/message/{id}", func(w http.ResponseWriter, r *http.Request) {
		if found, ok := box.get(r.PathValue("id")); ok {
			writeJSON(w, found)
			return
		}
		http.Error(w, "no such message", http.StatusNotFound)
	})
	mux.HandleFunc("GET /message/{id}/html", func(w http.ResponseWriter, r *http.Request) { showHTML(w, r, box) })
	mux.HandleFunc("GET /message/{id}", func(w http.ResponseWriter, r *http.Request) { showInbox(w, r, box) })
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, r *http.Request) { showInbox(w, r, box) })
	return mux
}

func listMessages(w http.ResponseWriter, r *http.Request, box *inbox) {
	found := box.find(r.URL.Query().Get("query"))
	writeJSON(w, map[string]any{"total": len(found), "messages": found})
}

func writeJSON(w http.ResponseWriter, value any) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(value)
}

func showInbox(w http.ResponseWriter, r *http.Request, box *inbox) {
	query := r.URL.Query().Get("query")
	data := struct {
		Query   string
		Letters []letter
		Open    *letter
	}{Query: query, Letters: box.find(query)}
	if id := r.PathValue("id"); id != "" {
		if found, ok := box.get(id); ok {
			data.Open = &found
		}
	}
	var rendered bytes.Buffer
	if err := page.Execute(&rendered, data); err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; frame-src 'self'; form-action 'self'")
	_, _ = rendered.WriteTo(w)
}

// showHTML shows a message's own page, locked in: no scripts, no forms, nothing fetched from elsewhere.
func showHTML(w http.ResponseWriter, r *http.Request, box *inbox) {
	found, ok := box.get(r.PathValue("id"))
	if !ok {
		http.NotFound(w, r)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Content-Security-Policy", "sandbox allow-popups allow-popups-to-escape-sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:")
	_, _ = w.Write([]byte(`<base target="_blank">` + found.HTML))
}

var webAddress = regexp.MustCompile(`https?://[^\s<>"]+`)

// linked makes the addresses in a plain text clickable.
func linked(text string) template.HTML {
	var out bytes.Buffer
	last := 0
	for _, span := range webAddress.FindAllStringIndex(text, -1) {
		out.WriteString(template.HTMLEscapeString(text[last:span[0]]))
		link := template.HTMLEscapeString(text[span[0]:span[1]])
		out.WriteString(`<a target="_blank" rel="noreferrer" href="` + link + `">` + link + `</a>`)
		last = span[1]
	}
	out.WriteString(template.HTMLEscapeString(text[last:]))
	return template.HTML(out.String())
}
