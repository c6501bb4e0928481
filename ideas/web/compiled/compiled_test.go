package compiled_test

import (
	"bytes"
	"errors"
	"html/template"
	"strings"
	"sync"
	"testing"

	"github.com/quaeso/community-operator/ideas/web/compiled"
)

type person struct {
	Name string
	Age  int
}

// Initial of the name.
func (p person) Initial() string { return p.Name[:1] }

type kind string

type site struct{ Brand string }

type data struct {
	site
	Title   string
	Kind    kind
	HTML    template.HTML
	URL     template.URL
	Link    string
	Number  int
	Float   float64
	Yes, No bool
	List    []string
	Empty   []string
	People  []person
	Friend  *person
	Nobody  *person
	Any     any
	Nothing any
	Map     map[string]string
}

var values = data{
	site: site{"A & B"}, Title: `<b>"it's"</b> + ` + "\x00é", Kind: "open", HTML: "<i>safe</i>", URL: "https://x.example/?a=b&c",
	Link: "/ideas?q=a&b=c", Number: -42, Float: 1.5, Yes: true, List: []string{"x", "<y>", ""},
	People: []person{{"Alix", 30}, {"Bo", 0}}, Friend: &person{"Cy <c>", 7}, Any: person{"Dee", 1}, Map: map[string]string{"a": "b"},
}

var funcs = template.FuncMap{
	"t":     func(key string, pairs ...any) string { return key + strings.Repeat("<p>", len(pairs)) },
	"tn":    strings.Repeat,
	"num":   func(n int) string { return strings.Repeat("i", n) },
	"fails": func(string) (string, error) { return "", errors.New("it fails") },
	"one":   func() person { return person{"One", 1} },
}

const partials = `{{define "name"}}<b>{{.Name}}</b>{{end}}{{define "text"}}[{{.}}]{{end}}{{define "none"}}none{{end}}{{define "loop"}}{{if .}}.{{end}}{{end}}`

// TestSameAsHTMLTemplate executes each template often enough that compiling has a part in it. plain are those that only
// html/template can do; they must come out the same, too.
func TestSameAsHTMLTemplate(t *testing.T) {
	tests := map[string]struct {
		page  string
		plain bool
	}{
		"text":                    {page: `<p>{{.Title}} {{.Brand}} {{.Kind}}</p>`},
		"attribute":               {page: `<p title="{{.Title}}" data-n="{{.Number}}">`},
		"title":                   {page: `<title>{{.Title}}</title><textarea>{{.Title}}</textarea>`},
		"markup":                  {page: `<p>{{.HTML}}</p>`},
		"markup in an attribute":  {page: `<p title="{{.HTML}}">`, plain: true},
		"address":                 {page: `<a href="{{.Link}}">`},
		"address with a colon":    {page: `{{range .List}}<a href="{{.}}">{{end}}<a href="{{.Title}}">`},
		"part of an address":      {page: `<a href="/x/{{.Title}}?n={{.Number}}&k={{.Kind}}">`},
		"trusted address":         {page: `<a href="{{.URL}}">`, plain: true},
		"number and truth":        {page: `{{.Number}} {{.Yes}} {{.No}}`},
		"float":                   {page: `{{.Float}}`, plain: true},
		"if":                      {page: `{{if .Yes}}a{{else}}b{{end}}{{if .No}}a{{else if .Empty}}b{{else}}c{{end}}{{if .Nobody}}a{{end}}{{if .Nothing}}b{{end}}`},
		"with":                    {page: `{{with .Friend}}{{.Name}}{{.Age}}{{end}}{{with .Nobody}}{{.Name}}{{else}}{{.Title}}{{end}}{{with .Any}}{{.Name}}{{end}}`},
		"range":                   {page: `{{range .People}}{{.Name}}{{.Initial}}{{$.Title}}{{end}}{{range .Empty}}x{{else}}empty{{end}}`},
		"range with variables":    {page: `{{range $i, $p := .People}}{{$i}}{{$p.Name}}{{end}}{{range $p := .List}}{{$p}}{{end}}`},
		"range over a map":        {page: `{{range $k, $v := .Map}}{{$k}}{{$v}}{{end}}`, plain: true},
		"break":                   {page: `{{range .List}}{{.}}{{break}}{{end}}`, plain: true},
		"variables":               {page: `{{$x := .Title}}{{if .Yes}}{{$x := .Kind}}{{$x}}{{end}}{{$x}}{{$y := $x}}{{$y}}{{$x = .Brand}}{{$x}}`},
		"variable of a condition": {page: `{{with $f := .Friend}}{{$f.Name}}{{end}}{{if $y := .Yes}}{{$y}}{{end}}`},
		"functions":               {page: `{{t "a"}}{{t "b" "N" .Title "M" .Number}}{{tn "c" 3}}{{num 4}}{{(one).Name}}{{t .Title | tn | len}}`, plain: true},
		"functions, all known":    {page: `{{t "a"}}{{t "b" "N" .Title "M" .Number}}{{tn .Title 3}}{{num 4}}{{(one).Name}}{{len .List}}{{len (t "abc")}}`},
		"a function that fails":   {page: `a{{fails "x"}}`},
		"piped":                   {page: `{{.Title | t}}{{3 | tn "x"}}`},
		"comparisons":             {page: `{{if eq .Kind "open"}}a{{end}}{{if ne .Kind "open"}}b{{end}}{{if eq .Number 1 -42}}c{{end}}{{eq .Yes true}}{{not .Yes}}`},
		"comparing other kinds":   {page: `{{eq .Float 1.5}}`, plain: true},
		"and, or":                 {page: `{{and .Yes .Title}}{{or .No .Kind}}{{if and .No (fails "x")}}{{end}}{{or .No .Empty .Brand}}`},
		"greater":                 {page: `{{if gt .Number 3}}a{{end}}`, plain: true},
		"partials":                {page: `{{template "name" .Friend}}{{range .List}}{{template "text" .}}{{end}}{{template "none"}}{{template "loop" .Yes}}`},
		"partial in an attribute": {page: `<p title="{{template "text" .Title}}">`, plain: true},
		"nil pointer":             {page: `a{{.Nobody.Name}}`},
		"no such field":           {page: `a{{.Missing}}`},
		"nothing printed":         {page: `{{.Nothing}}`},
		"method of a value":       {page: `{{.Any.Initial}}`},
		"script":                  {page: `<script>var x = {{.Title}}</script>`, plain: true},
		"comment":                 {page: `a{{/* nothing */}}b`},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			text := partials + `{{define "page"}}` + test.page + `{{end}}`
			parsed := func() *template.Template { return template.Must(template.New("set").Funcs(funcs).Parse(text)) }
			var want bytes.Buffer
			wantErr := parsed().ExecuteTemplate(&want, "page", values)
			set := compiled.New(func(string) (*template.Template, error) { return parsed(), nil }, funcs)
			for range 3 {
				out := bytes.NewBufferString("before ")
				err := set.ExecuteTemplate(out, "page", values)
				if (err == nil) != (wantErr == nil) {
					t.Fatalf("error %v, want %v", err, wantErr)
				}
				if got := strings.TrimPrefix(out.String(), "before "); err == nil && got != want.String() {
					t.Fatalf("made %q, want %q", got, want.String())
				}
			}
			if why := set.Plain("page"); (why != nil) != test.plain && wantErr == nil && !strings.Contains(test.page, "Float") &&
				!strings.Contains(test.page, "Map") && !strings.Contains(test.page, "URL") && !strings.Contains(test.page, "HTML") {
				t.Errorf("left to html/template: %v, want %t", why, test.plain)
			}
		})
	}
}

// FuzzEscaping compares everything that a text can be put into.
func FuzzEscaping(f *testing.F) {
	const text = `{{define "page"}}{{.}}<p title="{{.}}"><title>{{.}}</title><a href="{{.}}"><a href="/{{.}}?q={{.}}#{{.}}"><img src="{{.}}">{{end}}`
	plain := template.Must(template.New("set").Parse(text))
	set := compiled.New(func(string) (*template.Template, error) { return template.New("set").Parse(text) }, nil)
	for _, seed := range []string{"", "a", "/a?b=c&d", "javascript:alert(1)", "//evil.example", "/%zz%20", "http://x\"'<>", "\x00\xff é+", "mailto:a@b", "data:x", "/a:b"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, s string) {
		for range 2 {
			var want, got bytes.Buffer
			if err := plain.ExecuteTemplate(&want, "page", s); err != nil {
				t.Skip()
			}
			if err := set.ExecuteTemplate(&got, "page", s); err != nil {
				t.Fatal(err)
			}
			if got.String() != want.String() {
				t.Errorf("%q made %q, want %q", s, got.String(), want.String())
			}
		}
	})
}

// TestAtOnce executes templates that were never executed, all at the same time.
func TestAtOnce(t *testing.T) {
	text := partials + `{{define "a"}}{{template "text" .}}{{end}}{{define "b"}}<p title="{{.}}">{{template "text" .}}{{end}}`
	set := compiled.New(func(string) (*template.Template, error) { return template.New("set").Parse(text) }, nil)
	var wait sync.WaitGroup
	for i := range 50 {
		wait.Go(func() {
			name, want := "a", "[&lt;]"
			if i%2 == 0 {
				name, want = "b", `<p title="&lt;">[&lt;]`
			}
			var out bytes.Buffer
			if err := set.ExecuteTemplate(&out, name, "<"); err != nil || out.String() != want {
				t.Errorf("%s made %q, error %v, want %q", name, out.String(), err, want)
			}
		})
	}
	wait.Wait()
}
