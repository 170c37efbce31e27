package fargo_test

import (
	"go/ast"
	"go/token"
	"regexp"
	"testing"
)

// secretName matches the names of what nobody may learn by how long a comparison takes.
// Other tokens than those of sessions are page tokens and idempotency tokens.
var secretName = regexp.MustCompile(`(?i:secret|password|passphrase|signature|sessiontoken|tokenhash|challenge|privatekey)$|^mac$|Mac$|HMAC$`)

// comparable are the files that compare what has such a name, although not for anybody who
// could measure the time.
var comparable = map[string]string{
	"api/acm/export.go": "a key of the store with itself, later",
	"ecsexec/server.go": "what the control plane says, with what it said before",
}

// What a caller could guess byte by byte is compared in constant time: by crypto/subtle,
// crypto/hmac, or [secret.Text]'s method.
func TestSecretsAreComparedInConstantTime(t *testing.T) {
	unused := map[string]bool{}
	for path := range comparable {
		unused[path] = true
	}
	for _, p := range packages(t) {
		if p.top == "bench" || p.top == "sim" || p.top == "e2e" {
			continue
		}
		for _, f := range p.files {
			if f.test || f.generated {
				continue
			}
			for _, name := range compared(f.syntax) {
				if comparable[f.path] == "" {
					t.Errorf("%s compares %s: in constant time?", f.path, name)
				}
				delete(unused, f.path)
			}
		}
	}
	for path := range unused {
		t.Errorf("%s compares nothing any more", path)
	}
}

// compared are the names of secrets that a file compares byte by byte.
func compared(syntax *ast.File) (names []string) {
	note := func(operands ...ast.Expr) {
		for _, o := range operands {
			if isConstant(o) {
				return
			}
		}
		for _, o := range operands {
			if name := lastName(o); secretName.MatchString(name) {
				names = append(names, name)
				return
			}
		}
	}
	ast.Inspect(syntax, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.BinaryExpr:
			if n.Op == token.EQL || n.Op == token.NEQ {
				note(n.X, n.Y)
			}
		case *ast.CallExpr:
			if f, ok := n.Fun.(*ast.SelectorExpr); ok && len(n.Args) == 2 {
				if of, ok := f.X.(*ast.Ident); ok && (of.Name == "bytes" || of.Name == "slices" || of.Name == "strings") && (f.Sel.Name == "Equal" || f.Sel.Name == "EqualFold" || f.Sel.Name == "Compare") {
					note(n.Args...)
				}
			}
		}
		return true
	})
	return names
}

// isConstant reports whether an operand is a literal, nil, or a true or false.
func isConstant(e ast.Expr) bool {
	switch e := e.(type) {
	case *ast.BasicLit:
		return true
	case *ast.Ident:
		return e.Name == "nil" || e.Name == "true" || e.Name == "false"
	}
	return false
}

// lastName is the name of a variable, a member, or what a function is called with.
func lastName(e ast.Expr) string {
	switch e := e.(type) {
	case *ast.Ident:
		return e.Name
	case *ast.SelectorExpr:
		return e.Sel.Name
	case *ast.StarExpr:
		return lastName(e.X)
	case *ast.ParenExpr:
		return lastName(e.X)
	case *ast.SliceExpr:
		return lastName(e.X)
	case *ast.CallExpr:
		if len(e.Args) > 0 {
			return lastName(e.Args[0])
		}
		return lastName(e.Fun)
	}
	return ""
}
