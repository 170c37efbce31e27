package fargo_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// A pkg is one package of this module, parsed.
type pkg struct {
	dir   string
	top   string // the top-level package that it is in
	files []file
}

type file struct {
	path      string
	test      bool
	generated bool
	imports   []string
	lines     int
	syntax    *ast.File
}

// packages reads every Go file of the module, whatever its build tags.
func packages(t *testing.T) []*pkg {
	t.Helper()
	byDir := map[string]*pkg{}
	fset := token.NewFileSet()
	err := filepath.WalkDir(".", func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if entry.IsDir() {
			if path != "." && (outside(path) || strings.HasPrefix(entry.Name(), ".")) {
				return filepath.SkipDir
			}
			return nil
		}
		if !strings.HasSuffix(path, ".go") {
			return nil
		}
		parsed, err := parseFile(fset, path)
		if err != nil {
			return err
		}
		dir := filepath.Dir(path)
		if byDir[dir] == nil {
			top, _, _ := strings.Cut(filepath.ToSlash(dir), "/")
			byDir[dir] = &pkg{dir: dir, top: top}
		}
		byDir[dir].files = append(byDir[dir].files, parsed)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	var all []*pkg
	for _, p := range byDir {
		all = append(all, p)
	}
	slices.SortFunc(all, func(a, b *pkg) int { return strings.Compare(a.dir, b.dir) })
	return all
}

// outside reports whether dir is not one of this module's packages.
func outside(dir string) bool {
	if base := filepath.Base(dir); base == "testdata" || base == "node_modules" {
		return true
	}
	_, err := os.Stat(filepath.Join(dir, "go.mod"))
	return err == nil
}

func parseFile(fset *token.FileSet, path string) (file, error) {
	syntax, err := parser.ParseFile(fset, path, nil, parser.ParseComments|parser.SkipObjectResolution)
	if err != nil {
		return file{}, err
	}
	f := file{
		path:      path,
		test:      strings.HasSuffix(path, "_test.go"),
		generated: ast.IsGenerated(syntax),
		lines:     fset.File(syntax.Pos()).LineCount(),
		syntax:    syntax,
	}
	for _, spec := range syntax.Imports {
		imported, err := strconv.Unquote(spec.Path.Value)
		if err != nil {
			return file{}, err
		}
		f.imports = append(f.imports, imported)
	}
	return f, nil
}

// A package comment says what the package knows and what it does not.
func TestPackagesAreDocumented(t *testing.T) {
	for _, p := range packages(t) {
		documented, tests := false, true
		for _, f := range p.files {
			tests = tests && f.test
			documented = documented || !f.test && f.syntax.Doc != nil
		}
		if !documented && !tests {
			t.Errorf("%s: no package comment", p.dir)
		}
	}
}

// Exported names carry their meaning, units, errors and ownership.
func TestExportedNamesAreDocumented(t *testing.T) {
	for _, p := range packages(t) {
		for _, f := range p.files {
			if f.test || f.generated || f.syntax.Name.Name == "main" {
				continue
			}
			for _, name := range undocumented(f.syntax) {
				t.Errorf("%s: %s has no doc comment", f.path, name)
			}
		}
	}
}

// undocumented lists the exported top-level names of a file that have no
// comment of their own nor one on the group they are declared in. Methods are
// excused: those that satisfy an interface are documented there.
func undocumented(syntax *ast.File) []string {
	var names []string
	for _, decl := range syntax.Decls {
		switch decl := decl.(type) {
		case *ast.FuncDecl:
			if decl.Recv == nil && decl.Name.IsExported() && decl.Doc == nil {
				names = append(names, decl.Name.Name)
			}
		case *ast.GenDecl:
			if decl.Doc == nil {
				names = append(names, undocumentedSpecs(decl.Specs)...)
			}
		}
	}
	return names
}

func undocumentedSpecs(specs []ast.Spec) []string {
	var names []string
	for _, spec := range specs {
		switch spec := spec.(type) {
		case *ast.TypeSpec:
			if spec.Name.IsExported() && spec.Doc == nil {
				names = append(names, spec.Name.Name)
			}
		case *ast.ValueSpec:
			if spec.Doc != nil || spec.Comment != nil {
				continue
			}
			for _, name := range spec.Names {
				if name.IsExported() {
					names = append(names, name.Name)
				}
			}
		}
	}
	return names
}

// pure are the packages of decisions, and those that only have types.
var pure = []string{"plan", "policy", "record", "desired", root}

// Decisions take the time as an argument and randomness with it, so that the
// same input always gives the same output.
func TestDecisionsArePure(t *testing.T) {
	impure := map[string][]string{
		"time": {"Now", "Since", "Until", "Sleep", "After", "AfterFunc", "NewTimer", "NewTicker", "Tick"},
	}
	forbidden := []string{"os", "net", "net/http", "sync", "crypto/rand", "math/rand", "math/rand/v2", "log/slog"}
	for _, p := range packages(t) {
		if !slices.Contains(pure, p.top) {
			continue
		}
		for _, f := range p.files {
			if f.test {
				continue
			}
			for _, path := range f.imports {
				// The root package makes random ids; nothing else is random.
				if slices.Contains(forbidden, path) && (p.top != root || path != "crypto/rand") {
					t.Errorf("%s imports %s", f.path, path)
				}
			}
			ast.Inspect(f.syntax, func(n ast.Node) bool {
				if sel, ok := n.(*ast.SelectorExpr); ok {
					if x, ok := sel.X.(*ast.Ident); ok && slices.Contains(impure[x.Name], sel.Sel.Name) {
						t.Errorf("%s calls %s.%s", f.path, x.Name, sel.Sel.Name)
					}
				}
				if _, ok := n.(*ast.GoStmt); ok {
					t.Errorf("%s starts a goroutine", f.path)
				}
				return true
			})
		}
	}
}

// Tests wait for conditions, never for time to pass: a sleep is the interval of
// polling, in a loop, or it is wrong.
func TestTestsDoNotSleep(t *testing.T) {
	for _, p := range packages(t) {
		for _, f := range p.files {
			if !f.test || slices.Contains(f.imports, "testing/synctest") {
				continue // inside a synctest bubble a sleep takes no time
			}
			ast.Inspect(f.syntax, func(n ast.Node) bool {
				if _, ok := n.(*ast.ForStmt); ok {
					return false
				}
				if sel, ok := n.(*ast.SelectorExpr); ok {
					if x, ok := sel.X.(*ast.Ident); ok && x.Name == "time" && sel.Sel.Name == "Sleep" {
						t.Errorf("%s sleeps", f.path)
					}
				}
				return true
			})
		}
	}
}

// A file that is longer than this should be more than one.
func TestFilesAreSmall(t *testing.T) {
	const most = 600
	for _, p := range packages(t) {
		for _, f := range p.files {
			if !f.generated && f.lines > most {
				t.Errorf("%s has %d lines, more than %d", f.path, f.lines, most)
			}
		}
	}
}
