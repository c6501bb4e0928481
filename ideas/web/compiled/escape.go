package compiled

import (
	"bytes"
	"fmt"
	"html/template"
	"reflect"
	"strconv"
	"strings"
	"text/template/parse"
)

// escapings are the chains of html/template's functions that are known here, by their names without what all have in
// common. All else is left to html/template.
var escapings = map[string]func(out *bytes.Buffer, s string) error{
	"htmlescaper":               plain,
	"attrescaper":               plain,
	"rcdataescaper":             plain,
	addressChain:                address,
	"urlnormalizer attrescaper": pathPart,
	"urlescaper attrescaper":    parameter,
}

const addressChain = "urlfilter urlnormalizer attrescaper"

func plain(out *bytes.Buffer, s string) error {
	escape(out, s)
	return nil
}

// print writes an expression's value, escaped as html/template has decided.
func (c *compiler) print(pipe *parse.PipeNode) (step, error) {
	commands := pipe.Cmds
	var names []string
	for len(commands) > 0 && isEscaper(commands[len(commands)-1]) {
		names = append([]string{strings.TrimPrefix(commands[len(commands)-1].Args[0].String(), "_html_template_")}, names...)
		commands = commands[:len(commands)-1]
	}
	chain := strings.Join(names, " ")
	escaped := escapings[chain]
	if escaped == nil || len(commands) == 0 {
		return nil, unsupported("escaping %q in %s", chain, pipe)
	}
	v, err := c.pipe(commands)
	if err != nil {
		return nil, err
	}
	return func(f *frame, dot reflect.Value) error {
		got, err := v(f, dot)
		if err != nil {
			return err
		}
		got = concrete(got)
		if !got.IsValid() {
			return unsupported("printing nothing")
		}
		switch got.Type() {
		case typeHTML:
			if chain != "htmlescaper" {
				return unsupported("markup in an attribute")
			}
			f.out.WriteString(got.String())
			return nil
		case typeCSS, typeURL, typeJS, typeJSStr, typeAttr, typeSrcset:
			return unsupported("printing a %s", got.Type())
		}
		if got.Type().NumMethod() > 0 || reflect.PointerTo(got.Type()).NumMethod() > 0 {
			// It may know how to print itself.
			return unsupported("printing a %s", got.Type())
		}
		switch {
		case got.Kind() == reflect.String:
			return escaped(f.out, got.String())
		case got.CanInt() && chain != addressChain:
			f.out.Write(strconv.AppendInt(f.out.AvailableBuffer(), got.Int(), 10))
			return nil
		case got.Kind() == reflect.Bool:
			return escaped(f.out, strconv.FormatBool(got.Bool()))
		}
		return unsupported("printing a %s", got.Type())
	}, nil
}

var (
	typeHTML   = reflect.TypeFor[template.HTML]()
	typeCSS    = reflect.TypeFor[template.CSS]()
	typeURL    = reflect.TypeFor[template.URL]()
	typeJS     = reflect.TypeFor[template.JS]()
	typeJSStr  = reflect.TypeFor[template.JSStr]()
	typeAttr   = reflect.TypeFor[template.HTMLAttr]()
	typeSrcset = reflect.TypeFor[template.Srcset]()
)

// replacements of bytes that mean something in text or in a quoted attribute, as html/template writes them.
var replacements = [256]string{
	0: "\uFFFD", '"': "&#34;", '&': "&amp;", '\'': "&#39;", '+': "&#43;", '<': "&lt;", '>': "&gt;",
}

func escape(out *bytes.Buffer, s string) {
	written := 0
	for i := range len(s) {
		if r := replacements[s[i]]; r != "" {
			out.WriteString(s[written:i])
			out.WriteString(r)
			written = i + 1
		}
	}
	out.WriteString(s[written:])
}

const letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~"

// Characters that stay as they are in an address, and in a part of one, but for the escaping of the attribute.
var (
	inAddress   = characters(letters + "/?=&#,;:@!$*")
	inParameter = characters(letters)
)

func characters(list string) (kept [256]bool) {
	for _, c := range []byte(list) {
		kept[c] = true
	}
	return kept
}

func only(s string, kept *[256]bool) bool {
	for i := range len(s) {
		if !kept[s[i]] {
			return false
		}
	}
	return true
}

// address writes a path of this site, which nothing can be wrong with; others html/template writes.
func address(out *bytes.Buffer, s string) error {
	if strings.HasPrefix(s, "/") && only(s, &inAddress) {
		escape(out, s)
		return nil
	}
	return wholeAddress.write(out, s)
}

// pathPart writes what follows a slash in an address.
func pathPart(out *bytes.Buffer, s string) error {
	if only(s, &inAddress) {
		escape(out, s)
		return nil
	}
	return addressPath.write(out, s)
}

// parameter writes a part of an address.
func parameter(out *bytes.Buffer, s string) error {
	if only(s, &inParameter) {
		out.WriteString(s)
		return nil
	}
	return addressPart.write(out, s)
}

// sample is a place of which html/template knows what to escape there.
type sample struct {
	before, after string
	template      *template.Template
}

var (
	wholeAddress = newSample(`<a href="`, `">`)
	addressPath  = newSample(`<a href="/`, `">`)
	addressPart  = newSample(`<a href="/?a=`, `">`)
)

func newSample(before, after string) sample {
	return sample{before, after, template.Must(template.New("sample").Parse(before + "{{.}}" + after))}
}

func (p sample) write(out *bytes.Buffer, s string) error {
	var whole bytes.Buffer
	if err := p.template.Execute(&whole, s); err != nil {
		return fmt.Errorf("write an address: %w", err)
	}
	out.Write(whole.Bytes()[len(p.before) : whole.Len()-len(p.after)])
	return nil
}
