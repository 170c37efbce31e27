package plan

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

var rewrite = flag.Bool("rewrite", false, "write what the scenarios in testdata answer")

// scenarios runs the text files of a directory, each against a runner of its own. A
// file is a row of blocks: a command, a line of dashes, and what comes of it.
func scenarios(t *testing.T, dir string, runner func() (do func(t *testing.T, command string) string)) {
	files, err := filepath.Glob(filepath.Join(dir, "*.txt"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no scenarios: %v", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) { runScenario(t, file, runner()) })
	}
}

func runScenario(t *testing.T, file string, do func(*testing.T, string) string) {
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for block := range strings.SplitSeq(strings.TrimSpace(string(text)), "\n\n") {
		if strings.HasPrefix(block, "#") {
			out = append(out, strings.TrimSpace(block))
			continue
		}
		command, want, _ := strings.Cut(block+"\n", "----\n")
		command = strings.TrimSpace(command)
		got := do(t, command)
		if got != strings.TrimSpace(want) && !*rewrite {
			t.Errorf("%s: %s\ngives\n%s\nwant\n%s", file, command, got, want)
		}
		out = append(out, command+"\n----\n"+got)
	}
	if *rewrite {
		if err := os.WriteFile(file, []byte(strings.Join(out, "\n\n")+"\n"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}
