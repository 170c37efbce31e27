package policy_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// Every sentence that the checks can answer with is in one of the tables, whose
// comments say where the sentences are from.
func TestEverySentenceHasASource(t *testing.T) {
	var wanted []string
	for _, s := range slices.Concat(identitySentences, trustSentences) {
		wanted = append(wanted, s.want)
	}
	wanted = append(wanted, version)
	sentences := sentencesOf(t, "check*.go", "grammar.go")
	if len(sentences) < 20 {
		t.Fatalf("only %d sentences are found: %q", len(sentences), sentences)
	}
	for _, s := range sentences {
		pattern := regexp.MustCompile("^" + strings.ReplaceAll(regexp.QuoteMeta(s), "%s", ".*") + "$")
		if !slices.ContainsFunc(wanted, pattern.MatchString) {
			t.Errorf("no table has %q", s)
		}
	}
}

// sentencesOf finds the texts that files give to errors.New and fmt.Errorf.
func sentencesOf(t *testing.T, patterns ...string) (found []string) {
	t.Helper()
	for _, pattern := range patterns {
		files, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range files {
			syntax, err := parser.ParseFile(token.NewFileSet(), file, nil, 0)
			if err != nil {
				t.Fatal(err)
			}
			if strings.HasSuffix(file, "_test.go") {
				continue
			}
			ast.Inspect(syntax, func(n ast.Node) bool {
				call, ok := n.(*ast.CallExpr)
				if !ok {
					return true
				}
				fn, ok := call.Fun.(*ast.SelectorExpr)
				if !ok || fn.Sel.Name != "New" && fn.Sel.Name != "Errorf" {
					return true
				}
				if literal, ok := call.Args[0].(*ast.BasicLit); ok {
					text, err := strconv.Unquote(literal.Value)
					if err != nil {
						t.Fatal(err)
					}
					found = append(found, text)
				}
				return true
			})
		}
	}
	return found
}
