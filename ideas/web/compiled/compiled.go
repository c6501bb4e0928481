// Package compiled executes templates of html/template several times faster than html/template does, with the same
// result. It takes html/template's own trees once html/template has put its escaping into them, and makes functions of
// them. What it does not know it leaves to html/template: a page that needs it is executed there.
package compiled

import (
	"bytes"
	"errors"
	"fmt"
	"html/template"
	"io"
	"reflect"
	"sync"
	"text/template/parse"
)

// Set is a set of templates. What was executed once is kept as functions, and html/template's trees are let go.
type Set struct {
	load  func(name string) (*template.Template, error)
	funcs template.FuncMap
	mutex sync.RWMutex
	pages map[string]*page
	// making is held while a template is made: everybody who waits needs it too.
	making sync.Mutex
}

// page is a template that was executed before.
type page struct {
	body  body
	slots int
	// plain is what html/template has to execute; nil for others.
	plain *template.Template
}

// New takes what reads a template with all that it calls, each time anew, and the functions that they call.
func New(load func(name string) (*template.Template, error), funcs template.FuncMap) *Set {
	return &Set{load: load, funcs: funcs, pages: map[string]*page{}}
}

// errUnsupported leaves a page to html/template.
var errUnsupported = errors.New("not supported")

func unsupported(format string, args ...any) error {
	return fmt.Errorf("%w: %s", errUnsupported, fmt.Sprintf(format, args...))
}

// ExecuteTemplate writes a template's output. After an error there may be some of it.
func (s *Set) ExecuteTemplate(out *bytes.Buffer, name string, data any) error {
	p := s.page(name)
	if p == nil {
		s.making.Lock()
		defer s.making.Unlock()
		if p = s.page(name); p == nil {
			return s.make(out, name, data)
		}
	}
	if p.plain != nil {
		return p.plain.ExecuteTemplate(out, name, data)
	}
	before := out.Len()
	err := p.run(out, reflect.ValueOf(data))
	if err == nil {
		return nil
	}
	// html/template makes it, or tells what is wrong better.
	out.Truncate(before)
	set, loadErr := s.load(name)
	if loadErr != nil {
		return loadErr
	}
	if errors.Is(err, errUnsupported) {
		s.keep(name, &page{plain: set})
	}
	return set.ExecuteTemplate(out, name, data)
}

func (s *Set) page(name string) *page {
	s.mutex.RLock()
	defer s.mutex.RUnlock()
	return s.pages[name]
}

func (s *Set) keep(name string, p *page) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	s.pages[name] = p
}

// make executes a template for the first time, which makes html/template put escaping into it and all that it calls, and
// makes functions of that.
func (s *Set) make(out *bytes.Buffer, name string, data any) error {
	set, err := s.load(name)
	if err != nil {
		return err
	}
	if err := set.ExecuteTemplate(out, name, data); err != nil {
		return err
	}
	p, err := s.compile(set, name)
	if err != nil {
		p = &page{plain: set}
	}
	s.keep(name, p)
	return nil
}

func (s *Set) compile(set *template.Template, name string) (*page, error) {
	c := compiler{set: set, funcs: s.funcs, known: map[string]*page{}}
	return c.page(name)
}

// Plain tells why html/template executes a template itself; nil when it does not. It reads the template anew.
func (s *Set) Plain(name string) error {
	set, err := s.load(name)
	if err != nil {
		return err
	}
	// The first execution decides what is escaped, although it fails for want of data.
	_ = set.ExecuteTemplate(io.Discard, name, nil)
	_, err = s.compile(set, name)
	return err
}

// frame is one execution of a template: its output and its variables, the first of which is "$".
type frame struct {
	out  *bytes.Buffer
	vars []reflect.Value
}

// step writes what a node does; value evaluates an expression. dot is the current ".".
type (
	step  func(f *frame, dot reflect.Value) error
	value func(f *frame, dot reflect.Value) (reflect.Value, error)
	body  []step
)

func (p *page) run(out *bytes.Buffer, data reflect.Value) error {
	data = concrete(data)
	f := frame{out: out, vars: make([]reflect.Value, p.slots)}
	f.vars[0] = data
	return p.body.run(&f, data)
}

func (b body) run(f *frame, dot reflect.Value) error {
	for _, s := range b {
		if err := s(f, dot); err != nil {
			return err
		}
	}
	return nil
}

// concrete is the value in an interface.
func concrete(v reflect.Value) reflect.Value {
	for v.Kind() == reflect.Interface && !v.IsNil() {
		v = v.Elem()
	}
	return v
}

// compiler makes a template and all that it calls.
type compiler struct {
	set   *template.Template
	funcs template.FuncMap
	known map[string]*page
	// scope holds the names of the variables of the template that is being made, in the order of their slots.
	scope []string
	most  int
}

func (c *compiler) page(name string) (*page, error) {
	if p := c.known[name]; p != nil {
		return p, nil
	}
	t := c.set.Lookup(name)
	if t == nil || t.Tree == nil || t.Tree.Root == nil {
		// Such as one that html/template has derived for another context.
		return nil, unsupported("template %s", name)
	}
	p := &page{}
	c.known[name] = p
	outer, outerMost := c.scope, c.most
	c.scope, c.most = []string{"$"}, 1
	made, err := c.list(t.Tree.Root)
	p.body, p.slots = made, c.most
	c.scope, c.most = outer, outerMost
	return p, err
}

func (c *compiler) list(list *parse.ListNode) (body, error) {
	if list == nil {
		return nil, nil
	}
	var made body
	for _, node := range list.Nodes {
		s, err := c.step(node)
		if err != nil {
			return nil, err
		}
		if s != nil {
			made = append(made, s)
		}
	}
	return made, nil
}

func (c *compiler) step(node parse.Node) (step, error) {
	switch n := node.(type) {
	case *parse.TextNode:
		text := n.Text
		return func(f *frame, _ reflect.Value) error { f.out.Write(text); return nil }, nil
	case *parse.CommentNode:
		return nil, nil
	case *parse.ActionNode:
		return c.action(n)
	case *parse.IfNode:
		return c.branch(&n.BranchNode, false)
	case *parse.WithNode:
		return c.branch(&n.BranchNode, true)
	case *parse.RangeNode:
		return c.loop(n)
	case *parse.TemplateNode:
		return c.call(n)
	}
	return nil, unsupported("%T", node)
}

// inner makes a list with variables of its own.
func (c *compiler) inner(list *parse.ListNode) (body, error) {
	depth := len(c.scope)
	made, err := c.list(list)
	c.scope = c.scope[:depth]
	return made, err
}

func (c *compiler) declare(name string) int {
	c.scope = append(c.scope, name)
	c.most = max(c.most, len(c.scope))
	return len(c.scope) - 1
}

func (c *compiler) slot(name string) (int, error) {
	for i := len(c.scope) - 1; i >= 0; i-- {
		if c.scope[i] == name {
			return i, nil
		}
	}
	return 0, unsupported("variable %s", name)
}

func (c *compiler) action(n *parse.ActionNode) (step, error) {
	if len(n.Pipe.Decl) == 0 {
		return c.print(n.Pipe)
	}
	v, err := c.pipe(n.Pipe.Cmds)
	if err != nil {
		return nil, err
	}
	slot, err := c.assigned(n.Pipe)
	if err != nil {
		return nil, err
	}
	return func(f *frame, dot reflect.Value) error {
		got, err := v(f, dot)
		f.vars[slot] = got
		return err
	}, nil
}

// assigned is the slot of the one variable that a pipeline sets.
func (c *compiler) assigned(pipe *parse.PipeNode) (int, error) {
	if len(pipe.Decl) != 1 {
		return 0, unsupported("several variables")
	}
	if pipe.IsAssign {
		return c.slot(pipe.Decl[0].Ident[0])
	}
	return c.declare(pipe.Decl[0].Ident[0]), nil
}

func (c *compiler) branch(n *parse.BranchNode, with bool) (step, error) {
	depth := len(c.scope)
	defer func() { c.scope = c.scope[:depth] }()
	condition, err := c.pipe(n.Pipe.Cmds)
	if err != nil {
		return nil, err
	}
	slot := -1
	if len(n.Pipe.Decl) > 0 {
		if slot, err = c.assigned(n.Pipe); err != nil {
			return nil, err
		}
	}
	then, err := c.inner(n.List)
	if err != nil {
		return nil, err
	}
	otherwise, err := c.inner(n.ElseList)
	if err != nil {
		return nil, err
	}
	return func(f *frame, dot reflect.Value) error {
		v, err := condition(f, dot)
		if err != nil {
			return err
		}
		if slot >= 0 {
			f.vars[slot] = v
		}
		if !truth(v) {
			return otherwise.run(f, dot)
		}
		if with {
			dot = concrete(v)
		}
		return then.run(f, dot)
	}, nil
}

func (c *compiler) loop(n *parse.RangeNode) (step, error) {
	depth := len(c.scope)
	defer func() { c.scope = c.scope[:depth] }()
	over, err := c.pipe(n.Pipe.Cmds)
	if err != nil {
		return nil, err
	}
	if n.Pipe.IsAssign {
		return nil, unsupported("a loop over variables that exist")
	}
	index, element := -1, -1
	for i, d := range n.Pipe.Decl {
		index, element = element, c.declare(d.Ident[0])
		if i > 1 {
			return nil, unsupported("a loop with three variables")
		}
	}
	each, err := c.inner(n.List)
	if err != nil {
		return nil, err
	}
	otherwise, err := c.inner(n.ElseList)
	if err != nil {
		return nil, err
	}
	return func(f *frame, dot reflect.Value) error {
		list, err := over(f, dot)
		if err != nil {
			return err
		}
		list = concrete(list)
		if k := list.Kind(); k != reflect.Slice && k != reflect.Array {
			return unsupported("a loop over %s", k)
		}
		if list.Len() == 0 {
			return otherwise.run(f, dot)
		}
		for i := range list.Len() {
			v := concrete(list.Index(i))
			if element >= 0 {
				f.vars[element] = v
			}
			if index >= 0 {
				f.vars[index] = reflect.ValueOf(i)
			}
			if err := each.run(f, v); err != nil {
				return err
			}
		}
		return nil
	}, nil
}

func (c *compiler) call(n *parse.TemplateNode) (step, error) {
	called, err := c.page(n.Name)
	if err != nil {
		return nil, err
	}
	if n.Pipe == nil {
		return func(f *frame, _ reflect.Value) error { return called.run(f.out, reflect.Value{}) }, nil
	}
	if len(n.Pipe.Decl) > 0 {
		return nil, unsupported("a variable for a template")
	}
	with, err := c.pipe(n.Pipe.Cmds)
	if err != nil {
		return nil, err
	}
	return func(f *frame, dot reflect.Value) error {
		data, err := with(f, dot)
		if err != nil {
			return err
		}
		return called.run(f.out, data)
	}, nil
}

// truth is what a condition takes a value for.
func truth(v reflect.Value) bool {
	v = concrete(v)
	if !v.IsValid() {
		return false
	}
	is, _ := template.IsTrue(v.Interface())
	return is
}
