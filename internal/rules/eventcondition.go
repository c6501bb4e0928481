package rules

import (
	"fmt"
	"strings"

	"github.com/google/cel-go/cel"
)

// EventCondition decides which events a webhook is told of. It knows of the event, its idea and its challenge, nothing of
// members; "supporters" and "comments" are short for those of the idea. It is immutable and safe for concurrent use.
type EventCondition struct {
	condition *condition
	counts    bool
}

// short names of an EventCondition, and what they stand for.
var short = map[string]string{"supporters": "idea.supporters", "comments": "idea.comments"}

// CompileEventCondition reads an expression such as "supporters >= 10". What is wrong with it comes as Errors, whose
// Field is empty; any other error is a failure of the engine itself.
func CompileEventCondition(text string) (*EventCondition, error) {
	c := &compiler{byName: map[string]func(scope) any{}}
	options := []cel.EnvOption{
		cel.StdLib(), cel.ParserExpressionSizeLimit(MaxCondition), cel.ParserRecursionLimit(maxNesting),
		cel.ParserErrorRecoveryLimit(maxParseErrors), cel.EagerlyValidateDeclarations(true),
		cel.ASTValidators(cel.ValidateRegexLiterals(), cel.ValidateDurationLiterals(), cel.ValidateTimestampLiterals()),
	}
	for _, v := range variables() {
		if strings.HasPrefix(v.Name, "member.") || v.Name == "idea.own" {
			continue
		}
		options = append(options, cel.Variable(v.Name, v.celType()))
		c.byName[v.Name] = v.read
		for name, long := range short {
			if long == v.Name {
				options = append(options, cel.Variable(name, v.celType()))
				c.byName[name] = v.read
			}
		}
	}
	var err error
	if c.env, err = cel.NewCustomEnv(options...); err != nil {
		return nil, fmt.Errorf("prepare the environment of webhooks' conditions: %w", err)
	}
	compiled, faults, err := c.compile(text)
	if err != nil {
		return nil, err
	}
	if len(faults) > 0 {
		var wrong Errors
		for _, f := range faults {
			wrong = append(wrong, &Error{Line: f.line, Column: f.column, Message: f.message})
		}
		return nil, wrong
	}
	tree, issues := c.env.Compile(text)
	if issues.Err() != nil {
		return nil, fmt.Errorf("read a webhook's condition again: %w", issues.Err())
	}
	e := &EventCondition{condition: compiled}
	for _, reference := range tree.NativeRep().ReferenceMap() {
		switch reference.Name {
		case "supporters", "comments", "idea.supporters", "idea.comments":
			e.counts = true
		}
	}
	return e, nil
}

// Holds evaluates the condition. One that fails, such as by a division by zero, does not hold.
func (e *EventCondition) Holds(f Facts) (bool, error) { return e.condition.holds(scope{Facts: f}) }

// Counts tells whether the condition is about how many there are of something: it is then met when the number is reached,
// and not again with every further one.
func (e *EventCondition) Counts() bool { return e.counts }
