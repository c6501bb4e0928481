package ideas_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/quaeso/community-operator/ideas"
	"github.com/quaeso/community-operator/internal/control"
)

// wrongFields are the codes of an error's fields, "form.age: too_small".
func wrongFields(err error) []string {
	if err == nil {
		return nil
	}
	var one *ideas.FieldError
	var all []string
	if many, ok := err.(interface{ Unwrap() []error }); ok {
		for _, e := range many.Unwrap() {
			all = append(all, wrongFields(e)...)
		}
	} else if errors.As(err, &one) {
		all = append(all, one.Error())
	} else {
		all = append(all, "not of a field: "+err.Error())
	}
	return all
}

func TestCleanForm(t *testing.T) {
	low, high := int64(18), int64(99)
	options := []control.Option{{Name: "north"}, {Name: "south"}, {Name: "east"}}
	fields := func(f control.FormField) []control.FormField {
		f.Name = "x"
		return []control.FormField{f}
	}
	for name, tc := range map[string]struct {
		field control.FormField
		typed []string
		want  []string
		wrong string
	}{
		"text":               {control.FormField{Type: "text"}, []string{"  a\n b\u202e "}, []string{"a b"}, ""},
		"text too long":      {control.FormField{Type: "text", MaxLength: 3}, []string{"abcd"}, nil, "form.x: too_long"},
		"text by default":    {control.FormField{Type: "text"}, []string{strings.Repeat("é", 201)}, nil, "form.x: too_long"},
		"text missing":       {control.FormField{Type: "text", Required: true}, []string{"  "}, nil, "form.x: required"},
		"text left out":      {control.FormField{Type: "text"}, nil, nil, ""},
		"long text":          {control.FormField{Type: "longText"}, []string{"a\r\nb"}, []string{"a\nb"}, ""},
		"number":             {control.FormField{Type: "number", Minimum: &low, Maximum: &high}, []string{" 1 8"}, []string{"18"}, ""},
		"number too small":   {control.FormField{Type: "number", Minimum: &low}, []string{"17"}, nil, "form.x: too_small"},
		"number too large":   {control.FormField{Type: "number", Maximum: &high}, []string{"100"}, nil, "form.x: too_large"},
		"no number":          {control.FormField{Type: "number"}, []string{"a lot"}, nil, "form.x: number"},
		"date":               {control.FormField{Type: "date"}, []string{"2027-02-28"}, []string{"2027-02-28"}, ""},
		"no such day":        {control.FormField{Type: "date"}, []string{"2027-02-29"}, nil, "form.x: date"},
		"choice":             {control.FormField{Type: "choice", Options: options}, []string{"south"}, []string{"south"}, ""},
		"foreign choice":     {control.FormField{Type: "choice", Options: options}, []string{"west"}, nil, "form.x: choice"},
		"choices in order":   {control.FormField{Type: "choices", Options: options}, []string{"east", "north", "east"}, []string{"north", "east"}, ""},
		"a foreign one":      {control.FormField{Type: "choices", Options: options}, []string{"east", "west"}, nil, "form.x: choice"},
		"no choice":          {control.FormField{Type: "choices", Options: options, Required: true}, nil, nil, "form.x: required"},
		"yes":                {control.FormField{Type: "yesNo"}, []string{"yes"}, []string{"yes"}, ""},
		"neither yes nor no": {control.FormField{Type: "yesNo"}, []string{"maybe"}, nil, "form.x: choice"},
		"address":            {control.FormField{Type: "url"}, []string{"https://brand.example/a?b"}, []string{"https://brand.example/a?b"}, ""},
		"script":             {control.FormField{Type: "url"}, []string{"javascript:alert(1)"}, nil, "form.x: url"},
		"password in it":     {control.FormField{Type: "url"}, []string{"https://a:b@brand.example"}, nil, "form.x: url"},
		"file":               {control.FormField{Type: "file", Required: true}, []string{"x"}, nil, ""},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := ideas.CleanForm(fields(tc.field), map[string][]string{"x": tc.typed, "y": {"surprise"}})
			want := ideas.Answers{}
			if tc.want != nil {
				want["x"] = tc.want
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("answers (-want +got):\n%s", diff)
			}
			if wrong := strings.Join(wrongFields(err), ", "); wrong != tc.wrong {
				t.Errorf("wrong is %q, want %q", wrong, tc.wrong)
			}
		})
	}
}

// All fields at fault are named at once, so that nobody corrects them one by one.
func TestCleanFormNamesEveryFault(t *testing.T) {
	_, err := ideas.CleanForm([]control.FormField{
		{Name: "a", Type: "text", Required: true}, {Name: "b", Type: "date"}, {Name: "c", Type: "text"},
	}, map[string][]string{"b": {"soon"}, "c": {"fine"}})
	if diff := cmp.Diff([]string{"form.a: required", "form.b: date"}, wrongFields(err)); diff != "" {
		t.Errorf("wrong (-want +got):\n%s", diff)
	}
}
