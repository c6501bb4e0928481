package web

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"

	"github.com/goccy/go-yaml"
)

//go:embed openapi.yaml
var openAPISource []byte

// openAPI is the document as it is served. It is made when somebody first asks for it.
var openAPI = sync.OnceValues(func() ([]byte, error) {
	raw, err := yaml.YAMLToJSON(openAPISource)
	if err != nil {
		return nil, fmt.Errorf("read the OpenAPI document: %w", err)
	}
	return raw, nil
})

// serveOpenAPI serves the document to everybody: it tells nothing of the community.
func (a *app) serveOpenAPI(w http.ResponseWriter, r *http.Request) {
	c := &apiCall{w: w, r: r, app: a, site: a.site(r.Context())}
	document, err := openAPI()
	if err == nil {
		err = c.sendBody(http.StatusOK, document)
	}
	if err != nil {
		c.fail(err)
	}
}

type apiPage struct {
	page
	Example  string
	Groups   []apiGroup
	Problems []apiProblem
}

type apiGroup struct {
	Name  string
	Calls []apiCallView
}

type apiCallView struct{ Method, Path, Summary, Scope string }

type apiProblem struct {
	Status      int
	Name, Title string
}

// apiDocument is what the page shows of the document.
type apiDocument struct {
	Tags  []struct{ Name string }
	Paths map[string]map[string]json.RawMessage
}

// apiOperation is one call of the document.
type apiOperation struct {
	Tags     []string
	Summary  string
	Security []map[string][]string
}

// showAPI shows the document to people.
func (a *app) showAPI(v *visit) error {
	v.here = "/api"
	p := apiPage{page: v.page(v.t("api.title")), Example: "curl -H 'Authorization: Bearer ideas_…' " + v.site.BaseURL + apiPath + "/ideas?order=top"}
	p.Section = "tokens"
	var err error
	if p.Groups, err = apiGroups(); err != nil {
		return err
	}
	for _, status := range slices.Sorted(maps.Keys(problemKinds)) {
		p.Problems = append(p.Problems, apiProblem{status, problemKinds[status][0], problemKinds[status][1]})
	}
	return v.render(http.StatusOK, "api", p)
}

// apiGroups are the calls by tag, in the document's order of tags.
var apiGroups = sync.OnceValues(func() ([]apiGroup, error) {
	raw, err := openAPI()
	if err != nil {
		return nil, err
	}
	var document apiDocument
	if err := json.Unmarshal(raw, &document); err != nil {
		return nil, fmt.Errorf("read the OpenAPI document: %w", err)
	}
	groups := make([]apiGroup, len(document.Tags))
	for i, tag := range document.Tags {
		groups[i].Name = tag.Name
	}
	for _, path := range slices.Sorted(maps.Keys(document.Paths)) {
		for _, method := range []string{"get", "post", "put", "patch", "delete"} {
			raw, ok := document.Paths[path][method]
			if !ok {
				continue
			}
			var operation apiOperation
			if err := json.Unmarshal(raw, &operation); err != nil {
				return nil, fmt.Errorf("read %s %s of the OpenAPI document: %w", method, path, err)
			}
			i := slices.IndexFunc(groups, func(g apiGroup) bool { return slices.Contains(operation.Tags, g.Name) })
			if i < 0 {
				return nil, fmt.Errorf("%s %s of the OpenAPI document has no tag", method, path)
			}
			groups[i].Calls = append(groups[i].Calls, apiCallView{strings.ToUpper(method), apiPath + path, operation.Summary, operation.scope()})
		}
	}
	return groups, nil
})

// scope that a token needs; empty where none is needed.
func (o apiOperation) scope() string {
	if len(o.Security) == 0 {
		return ""
	}
	return strings.Join(o.Security[0]["token"], " ")
}
