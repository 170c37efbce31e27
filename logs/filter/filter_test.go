package filter

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"
)

var rewrite = flag.Bool("rewrite", false, "write what patterns match into testdata")

// TestPatterns runs testdata: every file holds the messages of "messages" and,
// below "-- pattern … --", those of them that a pattern matches, or its error.
// Lines that "extract" patterns name are followed by what is taken out.
func TestPatterns(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatal("no testdata", err)
	}
	for _, name := range files {
		t.Run(strings.TrimSuffix(filepath.Base(name), ".txtar"), func(t *testing.T) {
			a, err := txtar.ParseFile(name)
			if err != nil {
				t.Fatal(err)
			}
			var messages []string
			for i, f := range a.Files {
				pattern, extract := strings.CutPrefix(f.Name, "extract ")
				if f.Name == "messages" {
					messages = strings.Split(strings.TrimSuffix(string(f.Data), "\n"), "\n")
					continue
				}
				got := answer(strings.TrimPrefix(pattern, "pattern"), messages, extract)
				if *rewrite {
					a.Files[i].Data = []byte(got)
				} else if diff := cmp.Diff(string(f.Data), got); diff != "" {
					t.Errorf("%s: (-want +got)\n%s", f.Name, diff)
				}
			}
			if *rewrite {
				if err := os.WriteFile(name, txtar.Format(a), 0o644); err != nil {
					t.Fatal(err)
				}
			}
		})
	}
}

func answer(pattern string, messages []string, extract bool) string {
	p, err := Parse(pattern)
	if err != nil {
		if !errors.Is(err, ErrPattern) {
			return "not an ErrPattern: " + err.Error() + "\n"
		}
		return "error: " + err.Error() + "\n"
	}
	var b strings.Builder
	for _, m := range messages {
		if !p.Match(m) {
			continue
		}
		fmt.Fprintln(&b, m)
		if extract {
			var lines []string
			for k, v := range p.Extract(m) {
				lines = append(lines, fmt.Sprintf("  %s: %s\n", k, v))
			}
			slices.Sort(lines)
			b.WriteString(strings.Join(lines, ""))
		}
	}
	return b.String()
}

func TestGlob(t *testing.T) {
	for _, c := range []struct {
		pattern, text string
		want          bool
	}{
		{"", "", true},
		{"a", "a", true},
		{"a", "ab", false},
		{"*", "", true},
		{"a*", "abc", true},
		{"*c", "abc", true},
		{"a*c", "ac", true},
		{"ab*ba", "aba", false},
		{"a*b*c", "axxbyyc", true},
		{"a*b*c", "axxcyyb", false},
		{"**", "x", true},
		{"*.html*", "/index.html?q", true},
	} {
		if got := glob(c.pattern, c.text); got != c.want {
			t.Errorf("glob(%q, %q) = %v", c.pattern, c.text, got)
		}
	}
}

// FuzzPattern looks for a pattern or message that makes the parser panic, and
// for one of whose negation it is not.
func FuzzPattern(f *testing.F) {
	f.Add(`{ $.a[0]['b c'].* = "x*" && ! ($.n >= -1.5e3 || $.z NOT EXISTS) }`, `{"a":[{"b c":{"d":"xy"}}],"n":1}`)
	f.Add(`[ip, user, ..., status = 4* || status = %5\d\d%, bytes > 1000]`, `127.0.0.1 - [10/Oct] "GET /" 404 1534`)
	f.Add(`"quoted \" phrase" ?a -b %[a-z]+%`, `quoted " phrase`)
	f.Add(`{ $.x IS NULL }`, `{"x":null}`)
	f.Fuzz(func(t *testing.T, pattern, message string) {
		p, err := Parse(pattern)
		if err != nil {
			if !errors.Is(err, ErrPattern) {
				t.Fatalf("error %v is not an ErrPattern", err)
			}
			return
		}
		match := p.Match(message)
		p.Extract(message)
		inner, ok := strings.CutPrefix(strings.TrimSpace(pattern), "{")
		if _, isJSON := parseJSON(message); !ok || !isJSON {
			return
		}
		n, err := Parse("{ !(" + strings.TrimSuffix(inner, "}") + ") }")
		if err != nil {
			return // deeper than allowed
		}
		if n.Match(message) == match {
			t.Fatalf("%q and its negation agree on %q", pattern, message)
		}
	})
}
