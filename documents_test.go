package fargo_test

import (
	"go/ast"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// documents are the pages that people write.
var documents = []string{"README.md", "CONTRIBUTING.md", "docs/benchmarks.md", "docs/design.md", "docs/security.md"}

var (
	testInDocument = regexp.MustCompile("`((?:Test|Fuzz|Benchmark)[A-Z]\\w*)`")
	fileInDocument = regexp.MustCompile("`([a-z0-9_]+(?:/[a-z0-9_]+)*\\.go)`")
)

// TestDocumentsNameWhatExists fails when a document names a test or a Go file that is
// not there any more. A file may be named by its path, or by the end of it.
func TestDocumentsNameWhatExists(t *testing.T) {
	var tests, files []string
	for _, p := range packages(t) {
		for _, f := range p.files {
			files = append(files, "/"+filepath.ToSlash(f.path))
			for _, decl := range f.syntax.Decls {
				if fn, ok := decl.(*ast.FuncDecl); ok && f.test {
					tests = append(tests, fn.Name.Name)
				}
			}
		}
	}
	for _, path := range documents {
		b, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range testInDocument.FindAllStringSubmatch(string(b), -1) {
			if !slices.Contains(tests, m[1]) {
				t.Errorf("%s names %s, and there is no such test", path, m[1])
			}
		}
		for _, m := range fileInDocument.FindAllStringSubmatch(string(b), -1) {
			if !slices.ContainsFunc(files, func(file string) bool { return strings.HasSuffix(file, "/"+m[1]) }) {
				t.Errorf("%s names %s, and there is no such file", path, m[1])
			}
		}
	}
}
