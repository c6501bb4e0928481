package rules

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"
)

// Bounds of a policy.
const (
	MaxRules  = 64
	MaxLevels = 20
	MaxBadges = 64
	MaxPrizes = 100
	// MaxPoints is the most that one event gives by one rule.
	MaxPoints = 100_000
	// MaxTotal bounds levels, caps and counts.
	MaxTotal = 1_000_000_000
	// MaxRank bounds prizes.
	MaxRank = 10_000
	// MaxText is the most characters of a title or text in one language.
	MaxText    = 500
	maxLocales = 32
	// maxLocale is as much of a locale as an error repeats, in bytes.
	maxLocale = 35
	maxName   = 63
)

// Error says what is wrong with one field of a policy.
type Error struct {
	// Field is the path within the policy, such as "rules[2].condition".
	Field string
	// Line and Column in the expression, from 1; 0 for a field that is none.
	Line, Column int
	// Message says what is wrong and what would be right.
	Message string
}

// Error implements error.
func (e *Error) Error() string {
	if e.Line == 0 {
		return e.Field + ": " + e.Message
	}
	return fmt.Sprintf("%s: %d:%d: %s", e.Field, e.Line, e.Column, e.Message)
}

// Errors are everything that is wrong with a policy, in the order of its fields.
type Errors []*Error

// Error implements error.
func (e Errors) Error() string {
	messages := make([]string, len(e))
	for i, err := range e {
		messages[i] = err.Error()
	}
	return strings.Join(messages, "; ")
}

// Unwrap gives errors.As each of them.
func (e Errors) Unwrap() []error {
	out := make([]error, len(e))
	for i, err := range e {
		out[i] = err
	}
	return out
}

// Engine applies a policy. It is immutable and safe for concurrent use.
type Engine struct {
	policy Policy
	rules  []*condition
	badges []*condition
}

// Policy that the engine applies.
func (e *Engine) Policy() Policy { return e.policy }

// Compile checks a policy. Its rules and badges must be about one of the events, if any are given. What is wrong with it
// comes as Errors; any other error is a failure of the engine itself.
func Compile(p Policy, events ...string) (*Engine, error) {
	check := &checking{events: events}
	engine := &Engine{policy: p, rules: make([]*condition, len(p.Rules)), badges: make([]*condition, len(p.Badges))}
	check.rules(engine)
	check.levels(p.Levels)
	check.badges(engine)
	check.prizes(p)
	check.share(p)
	if check.failure != nil {
		return nil, check.failure
	}
	if len(check.errors) > 0 {
		return nil, check.errors
	}
	return engine, nil
}

// checking collects what is wrong.
type checking struct {
	compiler compiler
	events   []string
	errors   Errors
	failure  error
}

func (c *checking) add(field, format string, args ...any) {
	c.errors = append(c.errors, &Error{Field: field, Message: fmt.Sprintf(format, args...)})
}

// many refuses a list that is too long, whose items are then not looked at.
func (c *checking) many(field string, n, limit int) bool {
	if n > limit {
		c.add(field, "has %d items, %d at most are allowed", n, limit)
	}
	return n > limit
}

func (c *checking) within(field string, n, least, most int) {
	if n < least || n > most {
		c.add(field, "is %d, must be from %d to %d", n, least, most)
	}
}

var namePattern = regexp.MustCompile(`^[a-z0-9]([-a-z0-9]*[a-z0-9])?$`)

// name checks one and that no earlier item has it.
func (c *checking) name(field, name string, seen map[string]bool) {
	switch {
	case len(name) > maxName || !namePattern.MatchString(name):
		c.add(field, "must be 1 to %d lower-case letters, digits and dashes, such as good-idea", maxName)
	case seen[name]:
		c.add(field, "repeats %q: the ledger tells them apart by their names", name)
	}
	seen[name] = true
}

func (c *checking) event(field, name string) {
	switch {
	case name == "":
		c.add(field, "is missing: name an event, such as idea.published")
	case len(c.events) > 0 && !slices.Contains(c.events, name):
		c.add(field, "%q is no event: must be one of %s", name, strings.Join(c.events, ", "))
	}
}

func (c *checking) to(field, to string) {
	if !slices.Contains([]string{"", ToActor, ToAuthor, ToSubject}, to) {
		c.add(field, "is %q, must be %s, %s or %s", to, ToActor, ToAuthor, ToSubject)
	}
}

func (c *checking) texts(field string, texts map[string]string) {
	if c.many(field, len(texts), maxLocales) {
		return
	}
	for _, locale := range slices.Sorted(maps.Keys(texts)) {
		text := texts[locale]
		if n := len([]rune(text)); n == 0 || n > MaxText {
			c.add(field+"."+strings.ToValidUTF8(locale[:min(len(locale), maxLocale)], ""), "has %d characters, must have 1 to %d", n, MaxText)
		}
	}
}

func conditionField(list string, i int) string { return fmt.Sprintf("%s[%d].condition", list, i) }

func (c *checking) condition(field, text string) *condition {
	if strings.TrimSpace(text) == "" {
		return nil
	}
	compiled, faults, err := c.compiler.compile(text)
	if err != nil && c.failure == nil {
		c.failure = err
	}
	for _, f := range faults {
		c.errors = append(c.errors, &Error{Field: field, Line: f.line, Column: f.column, Message: f.message})
	}
	return compiled
}

func (c *checking) rules(e *Engine) {
	if c.many("rules", len(e.policy.Rules), MaxRules) {
		return
	}
	seen := map[string]bool{}
	for i, r := range e.policy.Rules {
		field := fmt.Sprintf("rules[%d]", i)
		c.name(field+".name", r.Name, seen)
		c.event(field+".event", r.Event)
		e.rules[i] = c.condition(conditionField("rules", i), r.Condition)
		c.to(field+".to", r.To)
		c.within(field+".points", r.Points, 1, MaxPoints)
		if c.within(field+".dailyCap", r.DailyCap, 0, MaxTotal); r.DailyCap > 0 && r.DailyCap < r.Points {
			c.add(field+".dailyCap", "is %d, less than the %d points of one event: raise it, or leave it out for no cap", r.DailyCap, r.Points)
		}
	}
}

func (c *checking) levels(levels []Level) {
	if c.many("levels", len(levels), MaxLevels) {
		return
	}
	seen := map[string]bool{}
	below := 0
	for i, l := range levels {
		field := fmt.Sprintf("levels[%d]", i)
		c.name(field+".name", l.Name, seen)
		c.texts(field+".title", l.Title)
		c.within(field+".points", l.Points, 1, MaxTotal)
		if i > 0 && l.Points <= below {
			c.add(field+".points", "is %d, must be above the %d of the level before", l.Points, below)
		}
		below = max(below, l.Points)
	}
}

func (c *checking) badges(e *Engine) {
	if c.many("badges", len(e.policy.Badges), MaxBadges) {
		return
	}
	seen := map[string]bool{}
	for i, b := range e.policy.Badges {
		field := fmt.Sprintf("badges[%d]", i)
		c.name(field+".name", b.Name, seen)
		c.texts(field+".title", b.Title)
		c.texts(field+".text", b.Text)
		c.event(field+".event", b.Event)
		e.badges[i] = c.condition(conditionField("badges", i), b.Condition)
		c.to(field+".to", b.To)
		c.within(field+".count", b.Count, 0, MaxTotal)
	}
}

func (c *checking) prizes(p Policy) {
	if c.many("prizes", len(p.Prizes), MaxPrizes) {
		return
	}
	money := false
	for i, prize := range p.Prizes {
		field := fmt.Sprintf("prizes[%d]", i)
		c.within(field+".fromRank", prize.FromRank, 1, MaxRank)
		if prize.ToRank != 0 {
			c.within(field+".toRank", prize.ToRank, max(prize.FromRank, 1), MaxRank)
		}
		if len(prize.Title) == 0 {
			c.add(field+".title", "is missing: say what the winner gets")
		}
		c.texts(field+".title", prize.Title)
		if prize.Amount < 0 || prize.Amount > MaxAmount {
			c.add(field+".amount", "is %d, must be from 0 to %d minor units", prize.Amount, int64(MaxAmount))
		}
		money = money || prize.Amount != 0
	}
	if money {
		c.currency(p.Currency, "prizes with an amount")
	}
}

func (c *checking) currency(code, needer string) {
	if slices.ContainsFunc(c.errors, func(e *Error) bool { return e.Field == "currency" }) {
		return
	}
	if _, ok := CurrencyDigits(code); code == "" {
		c.add("currency", "is missing: %s need the code of a currency, such as EUR", needer)
	} else if !ok {
		c.add("currency", "%q is no code of ISO 4217, such as EUR", code)
	}
}

func (c *checking) share(p Policy) {
	if p.Currency != "" {
		c.currency(p.Currency, "")
	}
	share := p.RevenueShare
	if share == nil {
		return
	}
	c.within("revenueShare.basisPoints", share.BasisPoints, 1, basis)
	if share.Base != BaseNetSales && share.Base != BaseGrossSales {
		c.add("revenueShare.base", "is %q, must be %s or %s", share.Base, BaseNetSales, BaseGrossSales)
	}
	if share.Minimum < 0 || share.Minimum > MaxAmount {
		c.add("revenueShare.minimum", "is %d, must be from 0 to %d minor units", share.Minimum, int64(MaxAmount))
	}
	if share.Until != "" && !IsDay(share.Until) {
		c.add("revenueShare.until", "is %q, must be a day such as 2027-12-31", share.Until)
	}
	c.currency(p.Currency, "payouts")
}

// IsDay tells whether a text is a day of the calendar as "2027-12-31".
func IsDay(s string) bool {
	_, err := time.Parse(time.DateOnly, s)
	return err == nil
}
