package compiled

import (
	"fmt"
	"reflect"
	"strings"
	"sync/atomic"
	"text/template/parse"
)

// pipe evaluates a pipeline without the functions that escape.
func (c *compiler) pipe(commands []*parse.CommandNode) (value, error) {
	var last value
	for _, command := range commands {
		v, err := c.command(command, last)
		if err != nil {
			return nil, err
		}
		last = v
	}
	return last, nil
}

// command evaluates one command; piped is what the one before it gave, if there is one.
func (c *compiler) command(n *parse.CommandNode, piped value) (value, error) {
	if name, ok := n.Args[0].(*parse.IdentifierNode); ok {
		args, err := c.operands(n.Args[1:])
		if err != nil {
			return nil, err
		}
		if piped != nil {
			args = append(args, piped)
		}
		return c.function(name.Ident, args)
	}
	if len(n.Args) > 1 || piped != nil {
		return nil, unsupported("a method with arguments: %s", n)
	}
	return c.operand(n.Args[0])
}

func (c *compiler) operands(nodes []parse.Node) ([]value, error) {
	made := make([]value, len(nodes))
	for i, n := range nodes {
		v, err := c.operand(n)
		if err != nil {
			return nil, err
		}
		made[i] = v
	}
	return made, nil
}

func constant(v any) value {
	made := reflect.ValueOf(v)
	return func(*frame, reflect.Value) (reflect.Value, error) { return made, nil }
}

func (c *compiler) operand(node parse.Node) (value, error) {
	switch n := node.(type) {
	case *parse.DotNode:
		return func(_ *frame, dot reflect.Value) (reflect.Value, error) { return dot, nil }, nil
	case *parse.FieldNode:
		return fields(func(_ *frame, dot reflect.Value) (reflect.Value, error) { return dot, nil }, n.Ident), nil
	case *parse.VariableNode:
		slot, err := c.slot(n.Ident[0])
		if err != nil {
			return nil, err
		}
		return fields(func(f *frame, _ reflect.Value) (reflect.Value, error) { return f.vars[slot], nil }, n.Ident[1:]), nil
	case *parse.StringNode:
		return constant(n.Text), nil
	case *parse.BoolNode:
		return constant(n.True), nil
	case *parse.NumberNode:
		if !n.IsInt {
			return nil, unsupported("the number %s", n)
		}
		return constant(int(n.Int64)), nil
	case *parse.PipeNode:
		if len(n.Decl) > 0 {
			return nil, unsupported("a variable inside of an expression")
		}
		return c.pipe(n.Cmds)
	case *parse.ChainNode:
		of, err := c.operand(n.Node)
		if err != nil {
			return nil, err
		}
		return fields(of, n.Field), nil
	case *parse.IdentifierNode:
		return c.function(n.Ident, nil)
	}
	return nil, unsupported("%T", node)
}

// fields follows a chain of names.
func fields(of value, names []string) value {
	for _, name := range names {
		inner, get := of, field(name)
		of = func(f *frame, dot reflect.Value) (reflect.Value, error) {
			v, err := inner(f, dot)
			if err != nil {
				return reflect.Value{}, err
			}
			return get(v)
		}
	}
	return of
}

// place is where a type has a field or method.
type place struct {
	of     reflect.Type
	index  []int
	method int
}

// field gives a field or the result of a method. It remembers where the last type had it: nearly always the next value
// has the same type.
func field(name string) func(reflect.Value) (reflect.Value, error) {
	var last atomic.Pointer[place]
	return func(v reflect.Value) (reflect.Value, error) {
		v = concrete(v)
		if !v.IsValid() {
			return v, unsupported("field %s of nothing", name)
		}
		p := last.Load()
		if p == nil || p.of != v.Type() {
			found, err := find(v.Type(), name)
			if err != nil {
				return v, err
			}
			p = found
			last.Store(p)
		}
		if p.method >= 0 {
			return v.Method(p.method).Call(nil)[0], nil
		}
		if v.Kind() == reflect.Pointer {
			if v.IsNil() {
				return v, unsupported("field %s of a nil pointer", name)
			}
			v = v.Elem()
		}
		if len(p.index) == 1 {
			return v.Field(p.index[0]), nil
		}
		return v.FieldByIndexErr(p.index)
	}
}

func find(t reflect.Type, name string) (*place, error) {
	methods := t
	if t.Kind() == reflect.Struct {
		// Methods of the pointer count for addressable values; those are left to html/template.
		if _, ok := reflect.PointerTo(t).MethodByName(name); ok {
			if _, ok := t.MethodByName(name); !ok {
				return nil, unsupported("method %s of a pointer to %s", name, t)
			}
		}
	}
	if m, ok := methods.MethodByName(name); ok {
		// The receiver counts as a parameter.
		if m.Type.NumIn() != 1 || m.Type.NumOut() != 1 {
			return nil, unsupported("method %s of %s", name, t)
		}
		return &place{of: t, method: m.Index}, nil
	}
	s := t
	if s.Kind() == reflect.Pointer {
		s = s.Elem()
	}
	if s.Kind() != reflect.Struct {
		return nil, unsupported("field %s of %s", name, t)
	}
	f, ok := s.FieldByName(name)
	if !ok || !f.IsExported() {
		return nil, unsupported("field %s of %s", name, t)
	}
	return &place{of: t, index: f.Index, method: -1}, nil
}

// function evaluates a call.
func (c *compiler) function(name string, args []value) (value, error) {
	if f, ok := c.funcs[name]; ok {
		return called(name, f, args)
	}
	if builtin, ok := builtins[name]; ok && len(args) > 0 {
		return builtin(args), nil
	}
	return nil, unsupported("function %s", name)
}

// called calls a function of the program. The usual kinds are called directly, which is much quicker.
func called(name string, function any, args []value) (value, error) {
	t := reflect.TypeOf(function)
	least, most := t.NumIn(), t.NumIn()
	if t.IsVariadic() {
		least, most = least-1, len(args)
	}
	if len(args) < least || len(args) > most {
		return nil, unsupported("function %s with %d arguments", name, len(args))
	}
	switch f := function.(type) {
	case func(int) string:
		return func(fr *frame, dot reflect.Value) (reflect.Value, error) {
			n, err := integer(args[0], fr, dot)
			return reflect.ValueOf(f(n)), err
		}, nil
	case func(string, int) string:
		return func(fr *frame, dot reflect.Value) (reflect.Value, error) {
			s, err := text(args[0], fr, dot)
			if err != nil {
				return reflect.Value{}, err
			}
			n, err := integer(args[1], fr, dot)
			return reflect.ValueOf(f(s, n)), err
		}, nil
	}
	f := reflect.ValueOf(function)
	return func(fr *frame, dot reflect.Value) (reflect.Value, error) {
		given := make([]reflect.Value, len(args))
		for i, a := range args {
			v, err := a(fr, dot)
			if err != nil {
				return v, err
			}
			if given[i], err = argument(t, i, v); err != nil {
				return v, err
			}
		}
		results := f.Call(given)
		if len(results) == 2 && !results[1].IsNil() {
			return reflect.Value{}, fmt.Errorf("call %s: %w", name, results[1].Interface().(error))
		}
		return concrete(results[0]), nil
	}, nil
}

func argument(t reflect.Type, i int, v reflect.Value) (reflect.Value, error) {
	var wanted reflect.Type
	if t.IsVariadic() && i >= t.NumIn()-1 {
		wanted = t.In(t.NumIn() - 1).Elem()
	} else {
		wanted = t.In(i)
	}
	v = concrete(v)
	if !v.IsValid() || !v.Type().AssignableTo(wanted) {
		return v, unsupported("an argument of another type")
	}
	return v, nil
}

func integer(v value, f *frame, dot reflect.Value) (int, error) {
	got, err := v(f, dot)
	if err != nil {
		return 0, err
	}
	if got = concrete(got); got.Kind() != reflect.Int {
		return 0, unsupported("no int as argument")
	}
	return int(got.Int()), nil
}

func text(v value, f *frame, dot reflect.Value) (string, error) {
	got, err := v(f, dot)
	if err != nil {
		return "", err
	}
	if got = concrete(got); got.Kind() != reflect.String {
		return "", unsupported("no string as argument")
	}
	return got.String(), nil
}

// builtins are functions of text/template.
var builtins = map[string]func(args []value) value{
	"and": func(args []value) value { return choose(args, false) },
	"or":  func(args []value) value { return choose(args, true) },
	"not": func(args []value) value {
		return func(f *frame, dot reflect.Value) (reflect.Value, error) {
			v, err := args[0](f, dot)
			return reflect.ValueOf(!truth(v)), err
		}
	},
	"len": func(args []value) value {
		return func(f *frame, dot reflect.Value) (reflect.Value, error) {
			v, err := args[0](f, dot)
			if err != nil {
				return v, err
			}
			switch v = concrete(v); v.Kind() {
			case reflect.Slice, reflect.Map, reflect.String, reflect.Array:
				return reflect.ValueOf(v.Len()), nil
			}
			return v, unsupported("the length of %s", v.Kind())
		}
	},
	"eq": func(args []value) value {
		return func(f *frame, dot reflect.Value) (reflect.Value, error) {
			equal, err := anyEqual(args, f, dot)
			return reflect.ValueOf(equal), err
		}
	},
	"ne": func(args []value) value {
		return func(f *frame, dot reflect.Value) (reflect.Value, error) {
			if len(args) != 2 {
				return reflect.Value{}, unsupported("ne of %d", len(args))
			}
			equal, err := anyEqual(args, f, dot)
			return reflect.ValueOf(!equal), err
		}
	},
}

// choose gives the first argument that is true or not, or the last one.
func choose(args []value, wanted bool) value {
	return func(f *frame, dot reflect.Value) (v reflect.Value, err error) {
		for _, a := range args {
			if v, err = a(f, dot); err != nil || truth(v) == wanted {
				return v, err
			}
		}
		return v, nil
	}
}

// anyEqual tells whether the first argument equals any other.
func anyEqual(args []value, f *frame, dot reflect.Value) (bool, error) {
	if len(args) < 2 {
		return false, unsupported("eq of one")
	}
	first, err := args[0](f, dot)
	if err != nil {
		return false, err
	}
	first = concrete(first)
	for _, a := range args[1:] {
		other, err := a(f, dot)
		if err != nil {
			return false, err
		}
		equal, err := same(first, concrete(other))
		if err != nil || equal {
			return equal, err
		}
	}
	return false, nil
}

func same(a, b reflect.Value) (bool, error) {
	switch {
	case a.Kind() == reflect.String && b.Kind() == reflect.String:
		return a.String() == b.String(), nil
	case a.Kind() == reflect.Bool && b.Kind() == reflect.Bool:
		return a.Bool() == b.Bool(), nil
	case a.CanInt() && b.CanInt():
		return a.Int() == b.Int(), nil
	}
	return false, unsupported("comparing %s and %s", a.Kind(), b.Kind())
}

// isEscaper tells html/template's own functions.
func isEscaper(command *parse.CommandNode) bool {
	name, ok := command.Args[0].(*parse.IdentifierNode)
	return ok && len(command.Args) == 1 && strings.HasPrefix(name.Ident, "_html_template_")
}
