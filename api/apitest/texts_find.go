package apitest

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// errorTexts finds the texts of the errors that a package makes for users, each with
// a place where it is made. It finds them in calls of protocol.Errorf, of the
// generated constructors and of the package's own functions that hand a parameter on
// to one of those, and in literals of protocol.Error.
func errorTexts(dir string) (map[string]string, error) {
	f, err := parsePackage(dir)
	if err != nil {
		return nil, err
	}
	for before := -1; before != len(f.helpers); { // helpers may call helpers
		before = len(f.helpers)
		f.texts = map[string]string{}
		for _, fn := range f.functions {
			f.search(fn)
		}
	}
	return f.texts, nil
}

const (
	module       = "fargo/"
	protocolPath = module + "aws/protocol"
)

// finder is a package whose texts are looked for.
type finder struct {
	fset         *token.FileSet
	functions    []function
	byName       map[string]function
	values       map[string]ast.Expr // package-level constants and variables
	constructors map[string][]string // names of the generated constructors, by import path
	helpers      map[string]int      // which parameter of a function of the package is an error's text
	texts        map[string]string
}

// function is a function, or a package-level declaration, of a file.
type function struct {
	name    string
	node    ast.Node
	params  []string
	strings []string          // those of the parameters that are strings
	imports map[string]string // paths by the file's names for them
}

func parsePackage(dir string) (*finder, error) {
	f := &finder{
		fset: token.NewFileSet(), byName: map[string]function{}, values: map[string]ast.Expr{},
		constructors: map[string][]string{}, helpers: map[string]int{},
	}
	files, err := filepath.Glob(filepath.Join(dir, "*.go"))
	if err != nil {
		return nil, err
	}
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		syntax, err := parser.ParseFile(f.fset, name, nil, parser.ParseComments)
		if err != nil {
			return nil, err
		}
		if ast.IsGenerated(syntax) {
			continue
		}
		imports, err := f.imports(dir, syntax)
		if err != nil {
			return nil, err
		}
		for _, d := range syntax.Decls {
			f.declare(d, imports)
		}
	}
	return f, nil
}

// imports gives a file's imports by name, and learns the constructors of those that
// are generated.
func (f *finder) imports(dir string, file *ast.File) (map[string]string, error) {
	imports := map[string]string{}
	for _, spec := range file.Imports {
		p, err := strconv.Unquote(spec.Path.Value)
		if err != nil {
			return nil, err
		}
		name := path.Base(p)
		if spec.Name != nil {
			name = spec.Name.Name
		}
		imports[name] = p
		below, ours := strings.CutPrefix(p, module+"aws/")
		if _, known := f.constructors[p]; known || !ours {
			continue
		}
		if f.constructors[p], err = constructors(dir, below); err != nil {
			return nil, err
		}
	}
	return imports, nil
}

// constructors are the functions of aws/<name>/errors_gen.go.
func constructors(dir, name string) (names []string, err error) {
	root, err := filepath.Abs(dir)
	if err != nil {
		return nil, err
	}
	for {
		if _, err := os.Stat(filepath.Join(root, "go.mod")); err == nil {
			break
		}
		if root == filepath.Dir(root) {
			return nil, fs.ErrNotExist
		}
		root = filepath.Dir(root)
	}
	file, err := parser.ParseFile(token.NewFileSet(), filepath.Join(root, "aws", name, "errors_gen.go"), nil, 0)
	if os.IsNotExist(err) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	for _, d := range file.Decls {
		if fn, ok := d.(*ast.FuncDecl); ok {
			names = append(names, fn.Name.Name)
		}
	}
	return names, nil
}

func (f *finder) declare(d ast.Decl, imports map[string]string) {
	fn := function{node: d, imports: imports}
	switch d := d.(type) {
	case *ast.FuncDecl:
		fn.name = d.Name.Name
		fn.params, fn.strings = parameters(d.Type)
		f.byName[fn.name] = fn
	case *ast.GenDecl:
		for _, spec := range d.Specs {
			if v, ok := spec.(*ast.ValueSpec); ok {
				for i := range min(len(v.Names), len(v.Values)) {
					f.values[v.Names[i].Name] = v.Values[i]
				}
			}
		}
	}
	f.functions = append(f.functions, fn)
}

func parameters(t *ast.FuncType) (names, strings []string) {
	for _, field := range t.Params.List {
		for _, n := range field.Names {
			names = append(names, n.Name)
			if named(field.Type) == "string" {
				strings = append(strings, n.Name)
			}
		}
	}
	return names, strings
}

// search finds the texts in a function.
func (f *finder) search(fn function) {
	ast.Inspect(fn.node, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.CallExpr:
			if i, ok := f.textArgument(fn, n); ok && i < len(n.Args) {
				f.found(fn, n.Args[i], n.Args[i+1:])
			}
		case *ast.CompositeLit:
			if isError(fn, n.Type) {
				f.literal(fn, n)
			} else if m, ok := n.Type.(*ast.MapType); ok && isError(fn, m.Value) {
				f.elements(fn, n)
			}
		}
		return true
	})
}

// elements finds the texts in a literal whose elements are errors.
func (f *finder) elements(fn function, list *ast.CompositeLit) {
	for _, e := range list.Elts {
		if kv, ok := e.(*ast.KeyValueExpr); ok {
			if l, ok := kv.Value.(*ast.CompositeLit); ok && l.Type == nil {
				f.literal(fn, l)
			}
		}
	}
}

func (f *finder) literal(fn function, l *ast.CompositeLit) {
	for _, e := range l.Elts {
		if kv, ok := e.(*ast.KeyValueExpr); ok && named(kv.Key) == "Message" {
			f.found(fn, kv.Value, nil)
		}
	}
}

// isError tells whether a type is protocol.Error, or a pointer to it.
func isError(fn function, t ast.Expr) bool {
	if star, ok := t.(*ast.StarExpr); ok {
		t = star.X
	}
	s, ok := t.(*ast.SelectorExpr)
	return ok && s.Sel.Name == "Error" && fn.imports[named(s.X)] == protocolPath
}

// textArgument tells which of a call's arguments is the text of an error.
func (f *finder) textArgument(fn function, call *ast.CallExpr) (int, bool) {
	switch callee := call.Fun.(type) {
	case *ast.Ident:
		i, ok := f.helpers[callee.Name]
		return i, ok
	case *ast.SelectorExpr:
		p, imported := fn.imports[named(callee.X)]
		switch {
		case !imported: // perhaps a method of ours
			i, ok := f.helpers[callee.Sel.Name]
			return i, ok
		case p == protocolPath && callee.Sel.Name == "Errorf":
			return 1, true
		}
		return 0, slices.Contains(f.constructors[p], callee.Sel.Name)
	}
	return 0, false
}

// found notes the text that an expression is. If it is a parameter of the function,
// then the texts are in the function's calls.
func (f *finder) found(fn function, text ast.Expr, args []ast.Expr) {
	if name := named(text); slices.Contains(fn.strings, name) {
		f.helpers[fn.name] = slices.Index(fn.params, name)
		return
	}
	r := resolver{finder: f, fn: fn}
	resolved := r.text(text)
	if len(args) > 0 && len(resolved) == 1 && (resolved[0] == "%s" || resolved[0] == "%v") {
		f.found(fn, args[0], nil)
		return
	}
	at := f.fset.Position(text.Pos())
	for _, s := range resolved {
		f.texts[s] = fmt.Sprintf("%s:%d", filepath.Base(at.Filename), at.Line)
	}
}

// named is the name that an expression is, or "".
func named(e ast.Expr) string {
	if id, ok := e.(*ast.Ident); ok {
		return id.Name
	}
	return ""
}
