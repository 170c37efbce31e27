package fargo_test

import (
	"go/ast"
	"go/token"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"unicode"
)

// privateWords are those that only this project ever used for what the field has
// terms for. They name nothing: no package, file, type, function, variable or test.
// Behind each is what to say instead.
var privateWords = map[string]string{
	"beside":    "next to, peer, sibling",
	"conduct":   "behavior, or what is checked",
	"door":      "adapters, restricted imports",
	"fate":      "outcome, exit status",
	"flaw":      "error, violation",
	"foreman":   "controller, supervisor",
	"hall":      "registry, runtime directory",
	"hands":     "executor, runtime",
	"hear":      "receive, watch",
	"heir":      "successor, next",
	"house":     "fixture, installation",
	"inquiry":   "request, query",
	"keeper":    "supervisor, owner",
	"law":       "invariant, convention",
	"likeness":  "similarity, lookalike",
	"logbook":   "log, journal",
	"memo":      "cache",
	"messenger": "transport, dispatcher",
	"neighbour": "peer, ARP entry",
	"outlook":   "forecast, next event",
	"patience":  "timeout",
	"passage":   "exchange, proxied request",
	"rehearsal": "simulation",
	"rehearse":  "simulate",
	"road":      "route, path",
	"standin":   "fake",
	"trouble":   "failure",
}

// TestNamesArePlain fails when a private word is in a name.
func TestNamesArePlain(t *testing.T) {
	for _, p := range packages(t) {
		for _, f := range p.files {
			if f.generated {
				continue
			}
			base := strings.TrimSuffix(filepath.Base(f.path), ".go")
			for _, name := range append(declaredNames(f.syntax), base, filepath.Base(p.dir)) {
				if word := privateWord(name); word != "" {
					t.Errorf("%s: the name %s has the word %q: say %s", f.path, name, word, privateWords[word])
				}
			}
		}
	}
}

// privateWord is a private word in a name, in the singular or the plural; "" when
// there is none.
func privateWord(name string) string {
	for _, word := range words(name) {
		for _, form := range []string{word, strings.TrimSuffix(word, "s")} {
			if _, private := privateWords[form]; private {
				return form
			}
		}
	}
	return ""
}

// words are the parts of a name in lower case: "HTTPRoadMap_x" has http, road, map, x.
func words(name string) []string {
	var parts []string
	runes := []rune(name)
	start := 0
	for i := 1; i <= len(runes); i++ {
		if i < len(runes) {
			prev, next := runes[i-1], runes[i]
			begins := unicode.IsUpper(next) && (!unicode.IsUpper(prev) || i+1 < len(runes) && unicode.IsLower(runes[i+1]))
			if unicode.IsLetter(prev) == unicode.IsLetter(next) && !begins {
				continue
			}
		}
		parts = append(parts, strings.ToLower(string(runes[start:i])))
		start = i
	}
	return parts
}

// declaredNames are all names that a file declares, local ones included.
func declaredNames(syntax *ast.File) []string {
	var names []string
	add := func(idents ...*ast.Ident) {
		for _, id := range idents {
			names = append(names, id.Name)
		}
	}
	ast.Inspect(syntax, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.FuncDecl:
			add(n.Name)
		case *ast.TypeSpec:
			add(n.Name)
		case *ast.ValueSpec:
			add(n.Names...)
		case *ast.Field:
			add(n.Names...)
		case *ast.AssignStmt:
			if n.Tok == token.DEFINE {
				for _, left := range n.Lhs {
					if id, ok := left.(*ast.Ident); ok {
						add(id)
					}
				}
			}
		case *ast.RangeStmt:
			for _, left := range []ast.Expr{n.Key, n.Value} {
				if id, ok := left.(*ast.Ident); ok && n.Tok == token.DEFINE {
					add(id)
				}
			}
		}
		return true
	})
	return slices.Compact(names)
}

func TestWords(t *testing.T) {
	for name, want := range map[string][]string{
		"HTTPRoadMap_x":   {"http", "road", "map", "_", "x"},
		"road":            {"road"},
		"broad":           {"broad"},
		"TestRehearsal":   {"test", "rehearsal"},
		"machine_house":   {"machine", "_", "house"},
		"warehouseAction": {"warehouse", "action"},
		"lawOf2Things":    {"law", "of", "2", "things"},
	} {
		if got := words(name); !slices.Equal(got, want) {
			t.Errorf("words(%q) = %q, want %q", name, got, want)
		}
	}
	for name, want := range map[string]string{"laws_test": "law", "broadcast": "", "roads": "road", "nodeFates": "fate", "inTroubles": "trouble", "Doors": "door"} {
		if got := privateWord(name); got != want {
			t.Errorf("privateWord(%q) = %q, want %q", name, got, want)
		}
	}
}
