package web

import (
	"html/template"
	"slices"
	"text/template/parse"
)

// folder writes into templates what is the same on every page: the texts of the set's language, the addresses of
// files, and the partial templates that are nothing but text. Most of the time that a page takes goes to calls of functions by
// their names, and most of those calls are for texts.
type folder struct {
	set  *template.Template
	text func(key string, pairs ...any) string
	// asset gives a file's address.
	asset func(file string) (string, error)
}

// fold must run before the first page: then html/template reads the trees to learn what each action must escape.
func (f folder) fold() {
	// Twice: a partial may become text in the first round and be put into others in the second.
	for range 2 {
		for _, t := range f.set.Templates() {
			if t.Tree != nil && t.Tree.Root != nil {
				f.list(t.Tree.Root)
			}
		}
	}
}

func (f folder) list(list *parse.ListNode) {
	if list == nil {
		return
	}
	var kept []parse.Node
	for _, node := range list.Nodes {
		node = f.node(node)
		text, ok := node.(*parse.TextNode)
		if ok && len(kept) > 0 {
			if before, ok := kept[len(kept)-1].(*parse.TextNode); ok {
				// A new text without room to spare: it stays for the life of the process.
				kept[len(kept)-1] = &parse.TextNode{NodeType: parse.NodeText, Pos: before.Pos, Text: slices.Clip(slices.Concat(before.Text, text.Text))}
				continue
			}
		}
		kept = append(kept, node)
	}
	list.Nodes = kept
}

func (f folder) node(node parse.Node) parse.Node {
	switch n := node.(type) {
	case *parse.IfNode:
		f.branch(&n.BranchNode)
	case *parse.WithNode:
		f.branch(&n.BranchNode)
	case *parse.RangeNode:
		f.branch(&n.BranchNode)
	case *parse.ActionNode:
		if text, ok := f.constant(n.Pipe); ok {
			// Escaped for text and for quoted attributes, the only places where templates put texts.
			return &parse.TextNode{NodeType: parse.NodeText, Pos: n.Pos, Text: []byte(template.HTMLEscapeString(text))}
		}
	case *parse.TemplateNode:
		if partial := f.set.Lookup(n.Name); n.Pipe == nil && partial != nil && partial.Tree != nil {
			if text, ok := onlyText(partial.Tree.Root); ok {
				return &parse.TextNode{NodeType: parse.NodeText, Pos: n.Pos, Text: text}
			}
		}
	}
	return node
}

func (f folder) branch(b *parse.BranchNode) {
	f.list(b.List)
	f.list(b.ElseList)
}

// constant is what a call of t or asset with constants gives.
func (f folder) constant(pipe *parse.PipeNode) (string, bool) {
	if len(pipe.Decl) > 0 || len(pipe.Cmds) != 1 || len(pipe.Cmds[0].Args) < 2 {
		return "", false
	}
	args := pipe.Cmds[0].Args
	name, ok := args[0].(*parse.IdentifierNode)
	if !ok {
		return "", false
	}
	values := make([]any, 0, len(args)-1)
	for _, a := range args[1:] {
		s, ok := a.(*parse.StringNode)
		if !ok {
			return "", false
		}
		values = append(values, s.Text)
	}
	key, _ := values[0].(string)
	switch {
	case name.Ident == "t":
		return f.text(key, values[1:]...), true
	case name.Ident == "asset" && len(values) == 1:
		// An unknown file stays a call, which fails when the page is made.
		address, err := f.asset(key)
		return address, err == nil
	}
	return "", false
}

func onlyText(list *parse.ListNode) ([]byte, bool) {
	if len(list.Nodes) != 1 {
		return nil, len(list.Nodes) == 0
	}
	text, ok := list.Nodes[0].(*parse.TextNode)
	if !ok {
		return nil, false
	}
	return text.Text, true
}
