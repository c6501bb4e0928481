package web

import (
	"errors"
	"fmt"
	"html/template"
	"strings"
	"testing"

	"github.com/quaeso/community-operator/ideas/web/translations"
)

// TestFoldKeepsPages makes each page with and without folding: the same must come out, whatever a text holds.
func TestFoldKeepsPages(t *testing.T) {
	const partials = `{{define "icon"}}<svg></svg>{{end}}{{define "with-icon"}}{{template "icon"}} {{t "greeting"}}{{end}}{{define "of"}}[{{.}}]{{end}}`
	tests := map[string]struct{ page, want string }{
		"text":                     {`<p>{{t "greeting"}}</p>`, `<p>Rock &amp; &#34;roll&#34; &lt;b&gt; l&#39;été</p>`},
		"attribute":                {`<p title="{{t "greeting"}}">`, ""},
		"text with values":         {`<p>{{t "hello" "Name" .Name}}</p>`, `<p>hello Name=&lt;i&gt;</p>`},
		"constant values":          {`<p>{{t "hello" "Name" "<i>"}}</p>`, `<p>hello Name=&lt;i&gt;</p>`},
		"address":                  {`<img src="{{asset "a.css"}}">`, `<img src="/static/a.css">`},
		"unknown file":             {`<img src="{{asset "none"}}">`, "error"},
		"partial of text":          {`<b>{{template "icon"}}</b>`, `<b><svg></svg></b>`},
		"partial of partial":       {`<b>{{template "with-icon"}}</b>`, ""},
		"partial with a value":     {`<b>{{template "of" .Name}}</b>`, `<b>[&lt;i&gt;]</b>`},
		"inside branches":          {`{{if .Yes}}{{t "greeting"}}{{else}}{{t "hello"}}{{end}}{{range .List}}{{t "greeting"}}{{.}}{{end}}{{with .No}}{{t "hello"}}{{else}}{{template "icon"}}{{end}}`, ""},
		"a variable holds a text":  {`{{$x := t "greeting"}}<p>{{$x}}</p>`, ""},
		"a pipeline goes on":       {`<p>{{t "greeting" | len}}</p>`, ""},
		"title":                    {`<title>{{t "greeting"}}</title>`, ""},
		"a condition asks a text":  {`{{if t "greeting"}}yes{{end}}`, "yes"},
		"nothing but text remains": {`<p>plain</p>`, `<p>plain</p>`},
	}
	data := map[string]any{"Name": "<i>", "Yes": true, "No": "", "List": []string{"a", "<b>"}}
	text := func(key string, pairs ...any) string {
		if key == "greeting" {
			return `Rock & "roll" <b> l'été`
		}
		for i := 0; i+1 < len(pairs); i += 2 {
			name, _ := pairs[i].(string)
			value, _ := pairs[i+1].(string)
			key += " " + name + "=" + value
		}
		return key
	}
	asset := func(file string) (string, error) {
		if file == "none" {
			return "", errors.New("no such file")
		}
		return "/static/" + file, nil
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			made := func(fold bool) string {
				set := template.Must(template.New("set").Funcs(template.FuncMap{"t": text, "asset": asset}).Parse(partials + `{{define "page"}}` + test.page + `{{end}}`))
				if fold {
					folder{set, text, asset}.fold()
				}
				var out strings.Builder
				if err := set.ExecuteTemplate(&out, "page", data); err != nil {
					return "error"
				}
				return out.String()
			}
			plain, folded := made(false), made(true)
			if folded != plain || test.want != "" && folded != test.want {
				t.Errorf("folded %q, plain %q, want %q", folded, plain, test.want)
			}
		})
	}
}

// ofTemplates is an app that has templates and nothing else.
func ofTemplates(t *testing.T) *app {
	t.Helper()
	a := &app{}
	var err error
	if a.catalogs, err = translations.Load(); err != nil {
		t.Fatal(err)
	}
	if a.assets, err = newAssets(); err != nil {
		t.Fatal(err)
	}
	a.templates = a.templateSets()
	return a
}

// TestQuickPages holds that the pages that members ask for most are made without html/template's executor.
func TestQuickPages(t *testing.T) {
	a := ofTemplates(t)
	for _, name := range []string{"home", "ideas", "cards", "idea", "vote"} {
		if err := a.templates["fr"].Plain(name); err != nil {
			t.Errorf("template %s: %v", name, err)
		}
	}
}

// TestEveryTemplateParses reads each template of each language as the first request for it does, and holds that none is missed.
func TestEveryTemplateParses(t *testing.T) {
	sources, err := templateSources()
	if err != nil {
		t.Fatal(err)
	}
	whole, err := template.New("pages").Funcs(template.FuncMap{"t": fmt.Sprint, "tn": fmt.Sprint, "num": fmt.Sprint, "asset": fmt.Sprint, "limits": fmt.Sprint}).
		ParseFS(templateFiles, "templates/*.html")
	if err != nil {
		t.Fatal(err)
	}
	defined := 0
	for _, one := range whole.Templates() {
		if _, ok := sources[one.Name()]; ok {
			defined++
		} else if one.Tree != nil && strings.TrimSpace(one.Tree.Root.String()) != "" {
			t.Errorf("template %s is not found, or text is outside of templates", one.Name())
		}
	}
	if defined != len(sources) {
		t.Errorf("%d templates are found, %d are defined", len(sources), defined)
	}
	for tag, set := range ofTemplates(t).templates {
		for name := range sources {
			// Not everything can be made a function, but all of it must parse.
			if err := set.Plain(name); errors.Is(err, errNoTemplate) || err != nil && strings.Contains(err.Error(), "parse") {
				t.Errorf("%s in %s: %v", name, tag, err)
			}
		}
	}
}
