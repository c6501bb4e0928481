// Package translations holds the texts of the pages, one file for each part of the site and language, and writes numbers, dates and
// plurals the way the language does.
package translations

import (
	"embed"
	"encoding/json"
	"fmt"
	"io/fs"
	"math"
	"path"
	"strconv"
	"strings"
	"time"

	"golang.org/x/text/feature/plural"
	"golang.org/x/text/language"
	"golang.org/x/text/message"
	"golang.org/x/text/number"

	"github.com/quaeso/community-operator/internal/rules"
)

//go:embed *.json
var files embed.FS

// Catalog is the texts of one language. It is safe for use by many requests at once.
type Catalog struct {
	// Tag is the language, such as "fr".
	Tag     string
	tag     language.Tag
	printer *message.Printer
	texts   map[string]string
	// forms are the texts that depend on a number, by key.
	forms map[string]forms
}

// forms are the texts of one message by the plural form that the language has for a number; "other" is always there.
type forms map[plural.Form]string

// formNames are the names that the files have for plural forms.
var formNames = map[string]plural.Form{
	"zero": plural.Zero, "one": plural.One, "two": plural.Two, "few": plural.Few, "many": plural.Many, "other": plural.Other,
}

// Load reads the texts of every language, by language tag.
func Load() (map[string]*Catalog, error) {
	names, err := fs.Glob(files, "*.json")
	if err != nil {
		return nil, fmt.Errorf("list message files: %w", err)
	}
	catalogs := map[string]*Catalog{}
	for _, name := range names {
		_, tag, _ := strings.Cut(strings.TrimSuffix(name, path.Ext(name)), ".")
		c := catalogs[tag]
		if c == nil {
			c = &Catalog{Tag: tag, tag: language.Make(tag), texts: map[string]string{}, forms: map[string]forms{}}
			c.printer = message.NewPrinter(c.tag)
			catalogs[tag] = c
		}
		if err := c.read(name); err != nil {
			return nil, fmt.Errorf("load message file %s: %w", name, err)
		}
	}
	return catalogs, nil
}

// read adds a file of messages: a text for each key, or texts by their plural form.
func (c *Catalog) read(name string) error {
	raw, err := files.ReadFile(name)
	if err != nil {
		return err
	}
	var messages map[string]json.RawMessage
	if err := json.Unmarshal(raw, &messages); err != nil {
		return err
	}
	for key, value := range messages {
		var text string
		if json.Unmarshal(value, &text) == nil {
			c.texts[key] = text
			continue
		}
		var named map[string]string
		if err := json.Unmarshal(value, &named); err != nil {
			return fmt.Errorf("read message %s: %w", key, err)
		}
		byForm := make(forms, len(named))
		for name, text := range named {
			form, known := formNames[name]
			if !known {
				return fmt.Errorf("read message %s: there is no plural form %q", key, name)
			}
			byForm[form] = text
		}
		if byForm[plural.Other] == "" {
			return fmt.Errorf(`read message %s: the form "other" is missing`, key)
		}
		c.forms[key], c.texts[key] = byForm, byForm[plural.Other]
	}
	return nil
}

// Text is the message of a key. pairs are names and values that the message mentions: "Name", "Lou". A key
// that does not exist is shown as it is; a test keeps that from happening.
func (c *Catalog) Text(key string, pairs ...any) string {
	text, ok := c.texts[key]
	if !ok {
		return key
	}
	return fill(text, pairs)
}

// Plural is the message of a key in the form that n asks for; the message mentions n as {{.Count}}, written
// in the language's way.
func (c *Catalog) Plural(key string, n int64, pairs ...any) string {
	text, ok := c.texts[key]
	if !ok {
		return key
	}
	if form, ok := c.forms[key][c.form(max(n, -n))]; ok {
		text = form
	}
	if len(pairs) == 0 && !strings.Contains(text, "{{") {
		return text
	}
	return fill(text, append([]any{"Count", c.Number(n)}, pairs...))
}

// form is the plural form for a number. "Un million de votes": French has a form for whole millions that the module's
// edition of CLDR does not know yet.
func (c *Catalog) form(n int64) plural.Form {
	if c.Tag == "fr" && n > 0 && n%1_000_000 == 0 {
		return plural.Many
	}
	return plural.Cardinal.MatchPlural(c.tag, int(n), 0, 0, 0, 0)
}

// fill puts values into the places that a message has for them, written {{.Name}}. A value is never read as a
// message itself.
func fill(text string, pairs []any) string {
	var b strings.Builder
	for {
		before, rest, ok := strings.Cut(text, "{{.")
		if !ok {
			break
		}
		name, after, ok := strings.Cut(rest, "}}")
		if !ok {
			break
		}
		b.WriteString(before)
		for i := 0; i+1 < len(pairs); i += 2 {
			if pairs[i] == name {
				fmt.Fprint(&b, pairs[i+1])
				break
			}
		}
		text = after
	}
	if b.Len() == 0 {
		return text
	}
	b.WriteString(text)
	return b.String()
}

// Number writes n with the language's separators.
func (c *Catalog) Number(n int64) string {
	if n >= 0 && n < 1000 {
		return strconv.FormatInt(n, 10)
	}
	return c.printer.Sprint(number.Decimal(n))
}

// Decimal writes an amount of minor units with the language's separators: 123456 with two digits is "1,234.56".
func (c *Catalog) Decimal(n int64, digits int) string {
	return c.printer.Sprint(number.Decimal(float64(n)/math.Pow10(digits), number.Scale(digits)))
}

// currencySymbols are those that everybody reads; other currencies are written by their codes.
var currencySymbols = map[string]string{"EUR": "€", "USD": "$", "GBP": "£", "JPY": "¥"}

// Money writes an amount of minor units: "€1,234.56".
func (c *Catalog) Money(amount int64, currency string) string {
	digits, ok := rules.CurrencyDigits(currency)
	if !ok {
		digits = 2
	}
	symbol := currencySymbols[currency]
	if symbol == "" {
		return c.Text("money", "Amount", c.Decimal(amount, digits), "Currency", currency)
	}
	sign := ""
	if amount < 0 {
		sign, amount = "−", -amount
	}
	return c.Text("money.symbol", "Sign", sign, "Amount", c.Decimal(amount, digits), "Symbol", symbol)
}

// Month writes a month: "June 2026".
func (c *Catalog) Month(t time.Time) string {
	return c.Text("date.month", "Month", c.Text(monthKeys[t.Month()-1]), "Year", t.Year())
}

// Date writes a day: "3 June 2026".
func (c *Catalog) Date(t time.Time) string {
	day := fmt.Sprint(t.Day())
	if t.Day() == 1 {
		day = c.Text("date.first")
	}
	return c.Text("date.day", "Day", day, "Month", c.Text(monthKeys[t.Month()-1]), "Year", t.Year())
}

// DateTime writes a day and the time of day.
func (c *Catalog) DateTime(t time.Time) string {
	return c.Text("date.at", "Date", c.Date(t), "Time", t.Format(c.Text("date.clock")))
}

// monthKeys are spelled out so that the test that looks for unused keys finds them.
var monthKeys = [...]string{
	"month.1", "month.2", "month.3", "month.4", "month.5", "month.6",
	"month.7", "month.8", "month.9", "month.10", "month.11", "month.12",
}

// Ago writes how long before now t was; what is older than a week gets its date.
func (c *Catalog) Ago(t, now time.Time) string {
	switch d := now.Sub(t); {
	case d < time.Minute:
		return c.Text("ago.now")
	case d < time.Hour:
		return c.Plural("ago.minutes", int64(d/time.Minute))
	case d < 24*time.Hour:
		return c.Plural("ago.hours", int64(d/time.Hour))
	case d < 7*24*time.Hour:
		return c.Plural("ago.days", int64(d/(24*time.Hour)))
	default:
		return c.Date(t)
	}
}
