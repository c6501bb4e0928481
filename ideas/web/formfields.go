package web

import (
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/quaeso/community-operator/ideas"
	"github.com/quaeso/community-operator/internal/control"
)

// formField is one declared field as the template "form-fields" shows it.
type formField struct {
	// Name of the input, which is its id too.
	Name, Label, Hint, Type string
	Required, Private       bool
	Value, Error            string
	Options                 []formOption
	// Minimum and Maximum of a number, empty for none.
	Minimum, Maximum string
	MaxLength        int
	// Focus is set for the first field at fault.
	Focus bool
}

type formOption struct {
	Name, Label string
	Chosen      bool
}

// formFields are declared fields with what was typed and what is wrong with it.
func (v *visit) formFields(fields []control.FormField, typed map[string][]string, wrong map[string]*ideas.FieldError) []formField {
	var shown []formField
	focus := true
	for _, f := range fields {
		one := formField{
			Name: ideas.InputName(f.Name), Label: v.local(f.Label), Hint: v.local(f.Hint), Type: f.Type, Required: f.Required,
			Private: f.Private, Value: ideas.Answers(typed).One(f.Name), Error: v.fieldText(wrong[ideas.InputName(f.Name)]), MaxLength: f.MaxLength,
		}
		one.Focus = focus && one.Error != ""
		focus = focus && one.Error == ""
		if f.Minimum != nil {
			one.Minimum = strconv.FormatInt(*f.Minimum, 10)
		}
		if f.Maximum != nil {
			one.Maximum = strconv.FormatInt(*f.Maximum, 10)
		}
		one.Options = v.formOptions(f.Options, typed[f.Name])
		switch {
		case f.Type == ideas.FieldYesNo:
			one.Options = []formOption{
				{Name: ideas.Yes, Label: v.t("form.yes"), Chosen: one.Value == ideas.Yes},
				{Name: ideas.No, Label: v.t("form.no"), Chosen: one.Value == ideas.No},
			}
		case f.Type == ideas.FieldFile:
			one.Value = ""
			one.Hint = strings.TrimSpace(one.Hint + " " + v.t("form.file.hint", "Megabytes", ideas.MaxAttachmentBytes>>20))
		case f.Type == ideas.FieldText && f.MaxLength == 0:
			one.MaxLength = ideas.MaxFieldText
		case f.Type == ideas.FieldLongText && f.MaxLength == 0:
			one.MaxLength = ideas.MaxFieldLongText
		}
		shown = append(shown, one)
	}
	return shown
}

func (v *visit) formOptions(options []control.Option, chosen []string) []formOption {
	shown := make([]formOption, len(options))
	for i, o := range options {
		shown[i] = formOption{Name: o.Name, Label: v.local(o.Label), Chosen: slices.Contains(chosen, o.Name)}
	}
	return shown
}

// typedFields are the values of a form's declared fields, by field name, cleaned as far as it takes to show them again.
func typedFields(fields []control.FormField, form url.Values) map[string][]string {
	typed := map[string][]string{}
	for _, f := range fields {
		for _, value := range form[ideas.InputName(f.Name)] {
			typed[f.Name] = append(typed[f.Name], cleanText(value))
		}
	}
	return typed
}

// local is a declared text in the reader's language.
func (v *visit) local(texts map[string]string) string { return v.site.text(texts, v.lang) }

// answerText is an answer to a declared field as people read it.
func (v *visit) answerText(f control.FormField, values []string) string {
	var all []string
	for _, value := range values {
		switch {
		case f.Type == ideas.FieldYesNo && value == ideas.Yes:
			value = v.t("form.yes")
		case f.Type == ideas.FieldYesNo && value == ideas.No:
			value = v.t("form.no")
		default:
			value = v.optionText(f.Options, value)
		}
		all = append(all, value)
	}
	return v.list(all)
}

// optionText is the label of an option, or the text itself where it is none.
func (v *visit) optionText(options []control.Option, name string) string {
	for _, o := range options {
		if o.Name == name {
			return v.local(o.Label)
		}
	}
	return cleanText(name)
}

// list is a line of texts.
func (v *visit) list(texts []string) string {
	line := ""
	for i, text := range texts {
		if i > 0 {
			line += ", "
		}
		line += text
	}
	return line
}
