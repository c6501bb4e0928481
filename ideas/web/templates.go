package web

import (
	"embed"
	"errors"
	"fmt"
	"html/template"
	"io/fs"
	"regexp"
	"strings"
	"sync"
)

//go:embed templates/*.html
var templateFiles embed.FS

// templateSource is where a template is defined: from and to are bytes of a file, and calls are the templates that it calls.
type templateSource struct {
	file     string
	from, to int
	calls    []string
}

// templateSources finds every template by its name. Files hold nothing but definitions, one after the other. Parsing all of them
// for each language would take as much memory as everything else that a quiet service keeps, and few pages are asked for often.
var templateSources = sync.OnceValues(func() (map[string]templateSource, error) {
	defines, calls := regexp.MustCompile(`{{-?\s*define "([^"]+)"`), regexp.MustCompile(`{{-?\s*template "([^"]+)"`)
	names, err := fs.Glob(templateFiles, "templates/*.html")
	if err != nil {
		return nil, fmt.Errorf("list templates: %w", err)
	}
	sources := map[string]templateSource{}
	for _, name := range names {
		text, err := templateFiles.ReadFile(name)
		if err != nil {
			return nil, fmt.Errorf("read templates: %w", err)
		}
		found := defines.FindAllSubmatchIndex(text, -1)
		for i, at := range found {
			source := templateSource{file: name, from: at[0], to: len(text)}
			if i+1 < len(found) {
				source.to = found[i+1][0]
			}
			for _, call := range calls.FindAllSubmatch(text[source.from:source.to], -1) {
				source.calls = append(source.calls, string(call[1]))
			}
			sources[string(text[at[2]:at[3]])] = source
		}
	}
	return sources, nil
})

var errNoTemplate = errors.New("there is no such template")

// parseTemplate reads a template and all that it calls.
func parseTemplate(name string, funcs template.FuncMap) (*template.Template, error) {
	sources, err := templateSources()
	if err != nil {
		return nil, err
	}
	var text strings.Builder
	waiting, seen := []string{name}, map[string]bool{name: true}
	for len(waiting) > 0 {
		next := waiting[0]
		waiting = waiting[1:]
		source, ok := sources[next]
		if !ok {
			return nil, fmt.Errorf("parse template %s: %s: %w", name, next, errNoTemplate)
		}
		file, err := templateFiles.ReadFile(source.file)
		if err != nil {
			return nil, fmt.Errorf("read templates: %w", err)
		}
		text.Write(file[source.from:source.to])
		for _, called := range source.calls {
			if !seen[called] {
				seen[called] = true
				waiting = append(waiting, called)
			}
		}
	}
	set, err := template.New("pages").Funcs(funcs).Parse(text.String())
	if err != nil {
		return nil, fmt.Errorf("parse template %s: %w", name, err)
	}
	return set, nil
}
