package apitest

import (
	"bytes"
	"go/ast"
	"go/printer"
	"go/token"
	"slices"
	"strconv"
)

// resolver tells which texts an expression in a function can be, as far as the
// package's source shows it.
type resolver struct {
	*finder
	fn    function
	given map[string][]string // what parameters are, in a call that is being followed
	depth int
}

// deepest is how far values are followed from one to the next.
const deepest = 10

// text gives the texts that e can be. What the source does not show stands in braces.
func (r resolver) text(e ast.Expr) []string {
	if r.depth++; r.depth > deepest {
		return r.unknown(e)
	}
	switch e := e.(type) {
	case *ast.BasicLit:
		if s, err := strconv.Unquote(e.Value); err == nil && e.Kind == token.STRING {
			return []string{s}
		}
	case *ast.ParenExpr:
		return r.text(e.X)
	case *ast.BinaryExpr:
		return r.joined(e)
	case *ast.Ident:
		return r.name(e)
	case *ast.IndexExpr:
		if l, ok := r.values[named(e.X)].(*ast.CompositeLit); ok {
			return r.entries(l)
		}
	case *ast.CallExpr:
		return r.call(e)
	}
	return r.unknown(e)
}

func (r resolver) unknown(e ast.Expr) []string {
	var b bytes.Buffer
	if err := printer.Fprint(&b, r.fset, e); err != nil {
		panic(err) // of source that was parsed
	}
	return []string{"{" + b.String() + "}"}
}

func (r resolver) joined(e *ast.BinaryExpr) (all []string) {
	for _, left := range r.text(e.X) {
		for _, right := range r.text(e.Y) {
			all = append(all, left+right)
		}
	}
	return all
}

// name gives what a constant, a variable or a parameter can be. Of a variable of the
// function that is what the source shows of it, if that is anything: the others of its
// values are not texts.
func (r resolver) name(id *ast.Ident) (all []string) {
	if texts, ok := r.given[id.Name]; ok {
		return texts
	}
	if slices.Contains(r.fn.params, id.Name) {
		return r.unknown(id)
	}
	ast.Inspect(r.fn.node, func(n ast.Node) bool {
		if a, ok := n.(*ast.AssignStmt); ok && len(a.Lhs) == len(a.Rhs) {
			for i, left := range a.Lhs {
				if named(left) == id.Name {
					all = append(all, slices.DeleteFunc(r.text(a.Rhs[i]), hidden)...)
				}
			}
		}
		return true
	})
	if value := r.values[id.Name]; value != nil && len(all) == 0 {
		all = r.text(value)
	}
	if len(all) == 0 {
		return r.unknown(id)
	}
	return all
}

// hidden tells whether nothing of a text is known, or there is none.
func hidden(text string) bool {
	return text == "" || text[0] == '{' && text[len(text)-1] == '}'
}

// entries gives the texts of a list or map literal.
func (r resolver) entries(l *ast.CompositeLit) (all []string) {
	for _, e := range l.Elts {
		if kv, ok := e.(*ast.KeyValueExpr); ok {
			e = kv.Value
		}
		all = append(all, r.text(e)...)
	}
	return all
}

// call gives what a function of the package returns, and what fmt.Sprintf is told to
// write.
func (r resolver) call(c *ast.CallExpr) (all []string) {
	if s, ok := c.Fun.(*ast.SelectorExpr); ok && r.fn.imports[named(s.X)] == "fmt" && s.Sel.Name == "Sprintf" {
		return r.text(c.Args[0])
	}
	callee, ok := r.byName[named(c.Fun)]
	if !ok {
		return r.unknown(c)
	}
	inside := resolver{finder: r.finder, fn: callee, depth: r.depth, given: map[string][]string{}}
	for i := range min(len(callee.params), len(c.Args)) {
		inside.given[callee.params[i]] = r.text(c.Args[i])
	}
	ast.Inspect(callee.node, func(n ast.Node) bool {
		if ret, ok := n.(*ast.ReturnStmt); ok && len(ret.Results) == 1 {
			all = append(all, slices.DeleteFunc(inside.text(ret.Results[0]), func(s string) bool { return s == "" })...)
		}
		_, nested := n.(*ast.FuncLit)
		return !nested
	})
	if len(all) == 0 {
		return r.unknown(c)
	}
	return all
}
