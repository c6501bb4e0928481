package rules

import (
	"fmt"
	"regexp"
	"strings"

	"github.com/google/cel-go/cel"
	"github.com/google/cel-go/checker"
	"github.com/google/cel-go/common/ast"
	"github.com/google/cel-go/common/types"
)

// Bounds of a condition. The cost is CEL's own measure: about one for each operation and for each ten characters
// that a text function reads.
const (
	// MaxCondition is the most characters of a condition.
	MaxCondition = 1024
	// MaxCost is the most that evaluating one may cost, in the worst case that its types allow.
	MaxCost        = 10_000
	maxNesting     = 32
	maxParseErrors = 5
)

// condition is a compiled expression.
type condition struct {
	program cel.Program
	byName  map[string]func(scope) any
}

// compiler makes conditions. Its environment is made for the first one, and goes when no condition holds it.
type compiler struct {
	env    *cel.Env
	byName map[string]func(scope) any
}

func (c *compiler) prepare() error {
	if c.env != nil {
		return nil
	}
	options := []cel.EnvOption{
		cel.StdLib(), cel.ParserExpressionSizeLimit(MaxCondition), cel.ParserRecursionLimit(maxNesting),
		cel.ParserErrorRecoveryLimit(maxParseErrors), cel.EagerlyValidateDeclarations(true),
		cel.ASTValidators(cel.ValidateRegexLiterals(), cel.ValidateDurationLiterals(), cel.ValidateTimestampLiterals()),
	}
	c.byName = map[string]func(scope) any{}
	for _, v := range variables() {
		options = append(options, cel.Variable(v.Name, v.celType()))
		c.byName[v.Name] = v.read
	}
	// A custom environment, since the standard one is kept by its package for as long as the process lives.
	env, err := cel.NewCustomEnv(options...)
	if err != nil {
		return fmt.Errorf("prepare the expressions' environment: %w", err)
	}
	c.env = env
	return nil
}

// fault is what is wrong with an expression and where, counted from 1; a line of 0 means the whole.
type fault struct {
	line, column int
	message      string
}

// compile gives a condition, or every fault of its text. The error is ours alone.
func (c *compiler) compile(text string) (*condition, []fault, error) {
	if err := c.prepare(); err != nil {
		return nil, nil, err
	}
	// CEL's own limit says no position and counts in its own words.
	if n := len([]rune(text)); n > MaxCondition {
		return nil, []fault{{message: fmt.Sprintf("is %d characters long, %d at most are allowed", n, MaxCondition)}}, nil
	}
	tree, issues := c.env.Compile(text)
	if faults := faultsOf(issues, text); len(faults) > 0 {
		return nil, faults, nil
	}
	if tree.OutputType() != types.BoolType {
		return nil, []fault{{1, 1, fmt.Sprintf("is of type %s: a condition must be true or false, such as idea.supporters >= 10",
			cel.FormatCELType(tree.OutputType()))}}, nil
	}
	if faults := indefinite(tree.NativeRep()); len(faults) > 0 {
		return nil, faults, nil
	}
	cost, err := c.env.EstimateCost(tree, sizes{})
	if err != nil {
		return nil, nil, fmt.Errorf("estimate the cost of a condition: %w", err)
	}
	if cost.Max > MaxCost {
		return nil, []fault{{1, 1, fmt.Sprintf("may cost %d to evaluate, %d at most are allowed: use fewer nested lists and patterns",
			cost.Max, MaxCost)}}, nil
	}
	program, err := c.env.Program(tree, cel.CostLimit(MaxCost))
	if err != nil {
		return nil, nil, fmt.Errorf("plan a condition: %w", err)
	}
	return &condition{program: program, byName: c.byName}, nil, nil
}

// holds evaluates the condition; none holds always. One that fails, such as by a division by zero, does not hold.
func (c *condition) holds(s scope) (bool, error) {
	if c == nil {
		return true, nil
	}
	out, _, err := c.program.Eval(activation{s, c.byName})
	if err != nil {
		return false, fmt.Errorf("evaluate: %w", err)
	}
	return out == types.True, nil
}

// activation gives an evaluation the variables that it asks for and makes no others.
type activation struct {
	scope  scope
	byName map[string]func(scope) any
}

// ResolveName implements cel.Activation.
func (a activation) ResolveName(name string) (any, bool) {
	read := a.byName[name]
	if read == nil {
		return nil, false
	}
	return read(a.scope), true
}

// Parent implements cel.Activation.
func (a activation) Parent() cel.Activation { return nil }

func faultsOf(issues *cel.Issues, text string) []fault {
	var faults []fault
	for _, e := range issues.Errors() {
		f := fault{max(e.Location.Line(), 1), e.Location.Column() + 1, plain(e.Message)}
		if strings.HasPrefix(f.message, "undeclared reference to ") {
			if name := nameAt(text, f.line, f.column); name != "" {
				f.message = unknownName(name)
			}
		}
		faults = append(faults, f)
	}
	return faults
}

var dottedName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*(\.[A-Za-z_][A-Za-z0-9_]*)?`)

// nameAt is the name at a position with what follows its point: CEL complains of "idea" where "idea.suporters" was
// meant to be "idea.supporters".
func nameAt(text string, line, column int) string {
	lines := strings.Split(text, "\n")
	if line > len(lines) {
		return ""
	}
	runes := []rune(lines[line-1])
	if column > len(runes) {
		return ""
	}
	return dottedName.FindString(string(runes[column-1:]))
}

// unknownName says which names there are: those that begin as it does, else all.
func unknownName(name string) string {
	group, _, _ := strings.Cut(name, ".")
	var alike, all []string
	for _, v := range variables() {
		all = append(all, v.Name)
		if strings.HasPrefix(v.Name, group+".") {
			alike = append(alike, v.Name)
		}
	}
	if len(alike) == 0 {
		alike = all
	}
	return fmt.Sprintf("there is no %s; there are %s", name, strings.Join(alike, ", "))
}

// plain makes CEL's message one line of text. It names the parser's rules and the environment's container, which
// mean nothing to whoever wrote the expression.
func plain(message string) string {
	message, _, _ = strings.Cut(message, " (in container")
	return strings.Join(strings.Fields(message), " ")
}

// indefinite finds what could give another result the next time: maps, whose entries come in any order, and
// computing with the machine's own numbers.
func indefinite(tree *ast.AST) []fault {
	var faults []fault
	ast.PreOrderVisit(tree.Expr(), ast.NewExprVisitor(func(e ast.Expr) {
		if e.Kind() != ast.MapKind && e.Kind() != ast.StructKind {
			return
		}
		at := tree.SourceInfo().GetStartLocation(e.ID())
		faults = append(faults, fault{max(at.Line(), 1), at.Column() + 1, "maps are not allowed: their entries come in no fixed order; use a list"})
	}))
	return faults
}

// sizes bounds what the variables hold, as facts are cut to.
type sizes struct{}

// EstimateSize implements checker.CostEstimator.
func (sizes) EstimateSize(node checker.AstNode) *checker.SizeEstimate {
	switch node.Type().Kind() {
	case types.ListKind:
		return &checker.SizeEstimate{Max: maxFactItems}
	case types.StringKind, types.BytesKind:
		return &checker.SizeEstimate{Max: maxFactLength}
	}
	return nil
}

// EstimateCallCost implements checker.CostEstimator; the standard functions' own estimates hold.
func (sizes) EstimateCallCost(string, string, *checker.AstNode, []checker.AstNode) *checker.CallEstimate {
	return nil
}
