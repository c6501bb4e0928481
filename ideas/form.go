package ideas

import (
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/quaeso/community-operator/internal/control"
)

// Types of a form's fields.
const (
	FieldText     = "text"
	FieldLongText = "longText"
	FieldNumber   = "number"
	FieldDate     = "date"
	FieldChoice   = "choice"
	FieldChoices  = "choices"
	FieldYesNo    = "yesNo"
	FieldURL      = "url"
	FieldFile     = "file"
)

// Bounds of what a form's fields take where the declaration says none, in characters.
const (
	MaxFieldText     = 200
	MaxFieldLongText = 4_000
	MaxFieldURL      = 500
)

// Yes and No are the answers to a field of type yesNo.
const (
	Yes = "yes"
	No  = "no"
)

// Answers to the fields of a form or the questions of a survey, by name. Most have one value; choices and rankings
// have several, and a matrix has "row=option" for each row.
type Answers map[string][]string

// One is the only value of an answer, empty where there is none.
func (a Answers) One(name string) string {
	if len(a[name]) == 0 {
		return ""
	}
	return a[name][0]
}

// InputName is the name that a field or question has in a form and in a FieldError, apart from the form's own inputs.
func InputName(name string) string { return "form." + name }

// CleanForm returns the answers to a form as they are stored, or the *FieldErrors of all fields at fault, joined. It
// takes the values as they were typed, by field name; those of unknown fields are left out. Of a file it takes the name,
// which tells that there is one, and keeps nothing.
func CleanForm(fields []control.FormField, typed map[string][]string) (Answers, error) {
	answers := Answers{}
	var wrong []error
	for _, f := range fields {
		if f.Type == FieldFile {
			if f.Required && len(typed[f.Name]) == 0 {
				wrong = append(wrong, &FieldError{Field: InputName(f.Name), Code: "required"})
			}
			continue
		}
		values, err := cleanField(f, typed[f.Name])
		if err != nil {
			wrong = append(wrong, err)
		} else if len(values) > 0 {
			answers[f.Name] = values
		}
	}
	return answers, errors.Join(wrong...)
}

// cleanField cleans the values of one field; none at all is an error only where one is required.
func cleanField(f control.FormField, typed []string) ([]string, error) {
	input := InputName(f.Name)
	if f.Type == FieldChoices {
		return cleanChoices(input, f.Required, f.Options, typed)
	}
	raw := ""
	if len(typed) > 0 {
		raw = cleanLine(typed[0])
	}
	if raw == "" {
		if f.Required {
			return nil, &FieldError{Field: input, Code: "required"}
		}
		return nil, nil
	}
	var value string
	var err error
	switch f.Type {
	case FieldText:
		value, err = bounded(input, raw, orDefault(f.MaxLength, MaxFieldText))
	case FieldLongText:
		value, err = bounded(input, cleanText(typed[0]), orDefault(f.MaxLength, MaxFieldLongText))
	case FieldNumber:
		value, err = cleanNumber(input, raw, f.Minimum, f.Maximum)
	case FieldDate:
		if _, bad := time.Parse(control.DateLayout, raw); bad != nil {
			err = &FieldError{Field: input, Code: "date"}
		}
		value = raw
	case FieldChoice:
		value, err = cleanChoice(input, f.Options, raw)
	case FieldYesNo:
		value, err = cleanChoice(input, []control.Option{{Name: Yes}, {Name: No}}, raw)
	case FieldURL:
		value, err = cleanAddress(input, raw)
	default:
		err = fmt.Errorf("field %s has the unknown type %q", f.Name, f.Type)
	}
	if err != nil {
		return nil, err
	}
	return []string{value}, nil
}

func orDefault(n, fallback int) int {
	if n > 0 {
		return n
	}
	return fallback
}

// cleanNumber reads a whole number within bounds, which may be nil.
func cleanNumber(input, raw string, minimum, maximum *int64) (string, error) {
	n, err := strconv.ParseInt(strings.ReplaceAll(strings.ReplaceAll(raw, " ", ""), "\u202f", ""), 10, 64)
	switch {
	case err != nil:
		return "", &FieldError{Field: input, Code: "number"}
	case minimum != nil && n < *minimum:
		return "", &FieldError{Field: input, Code: "too_small", Limit: int(*minimum)}
	case maximum != nil && n > *maximum:
		return "", &FieldError{Field: input, Code: "too_large", Limit: int(*maximum)}
	}
	return strconv.FormatInt(n, 10), nil
}

func cleanChoice(input string, options []control.Option, raw string) (string, error) {
	if !slices.ContainsFunc(options, func(o control.Option) bool { return o.Name == raw }) {
		return "", &FieldError{Field: input, Code: "choice"}
	}
	return raw, nil
}

// cleanChoices keeps chosen options in the order in which they are offered, each once.
func cleanChoices(input string, required bool, options []control.Option, typed []string) ([]string, error) {
	var chosen []string
	for _, o := range options {
		if slices.Contains(typed, o.Name) {
			chosen = append(chosen, o.Name)
		}
	}
	for _, t := range typed {
		if t != "" && !slices.Contains(chosen, t) {
			return nil, &FieldError{Field: input, Code: "choice"}
		}
	}
	if required && len(chosen) == 0 {
		return nil, &FieldError{Field: input, Code: "required"}
	}
	return chosen, nil
}

// cleanAddress takes an http or https address of a public host.
func cleanAddress(input, raw string) (string, error) {
	u, err := url.Parse(raw)
	if err != nil || (u.Scheme != "https" && u.Scheme != "http") || !strings.Contains(u.Hostname(), ".") || u.User != nil {
		return "", &FieldError{Field: input, Code: "url"}
	}
	if utf8.RuneCountInString(raw) > MaxFieldURL {
		return "", &FieldError{Field: input, Code: "too_long", Limit: MaxFieldURL}
	}
	return raw, nil
}
