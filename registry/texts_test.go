package registry

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// It is known where the text of every error of the registry's protocol is from: the
// table has a row for each, with a page or "ours". Those of AWS errors are in the table
// of api/ecr.
func TestTexts(t *testing.T) {
	content, err := os.ReadFile("testdata/texts.tsv")
	if err != nil {
		t.Fatal(err)
	}
	sources := map[string]string{}
	for line := range strings.Lines(string(content)) {
		text, source, _ := strings.Cut(strings.TrimSpace(line), "\t")
		sources[text] = source
	}
	found := map[string]bool{}
	for _, text := range protocolTexts(t) {
		found[text] = true
		if source := sources[text]; source != "ours" && !strings.Contains(source, "/") {
			t.Errorf("no source of %q", text)
		}
	}
	for text := range sources {
		if !found[text] {
			t.Errorf("no error has the text %q", text)
		}
	}
}

// protocolTexts are the messages in the literals of apiError.
func protocolTexts(t *testing.T) (texts []string) {
	files, err := filepath.Glob("*.go")
	if err != nil || len(files) == 0 {
		t.Fatal(err)
	}
	for _, file := range files {
		syntax, err := parser.ParseFile(token.NewFileSet(), file, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(syntax, func(n ast.Node) bool {
			literal, ok := n.(*ast.CompositeLit)
			if !ok || len(literal.Elts) != 3 {
				return true
			}
			if name, ok := literal.Type.(*ast.Ident); !ok || name.Name != "apiError" {
				return true
			}
			message := literal.Elts[2]
			if pair, ok := message.(*ast.KeyValueExpr); ok {
				message = pair.Value
			}
			if text, ok := message.(*ast.BasicLit); ok { // else it comes from somewhere else
				s, err := strconv.Unquote(text.Value)
				if err != nil {
					t.Fatal(err)
				}
				texts = append(texts, s)
			}
			return true
		})
	}
	return texts
}
