// Package scenariotest runs scenarios written as text, for the tests of rooms
// that decide. It knows commands and answers, and nothing of what is decided.
package scenariotest

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"
)

var rewrite = flag.Bool("rewrite", false, "write what the scenarios in testdata answer")

// Run runs the script in a file: a line without indent is a command, the indented
// lines after it are its answer. Empty lines, and those that begin with "#", are
// for readers. With -rewrite the file gets the answers that there are.
func Run(t *testing.T, file string, run func(command string) (answer string)) {
	t.Helper()
	content, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var got strings.Builder
	for line := range strings.Lines(string(content)) {
		line = strings.TrimRight(line, "\n")
		if strings.HasPrefix(line, "  ") {
			continue
		}
		fmt.Fprintln(&got, line)
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		for answer := range strings.Lines(run(line)) {
			fmt.Fprintf(&got, "  %s\n", strings.TrimRight(answer, "\n"))
		}
	}
	if *rewrite {
		if err := os.WriteFile(file, []byte(got.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	} else if got.String() != string(content) {
		t.Errorf("got\n%s", got.String())
	}
}
