package apitest

import (
	"bytes"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// Texts checks that the source of every text of an error is known which the package
// in dir makes for users. The table testdata/texts/<package>.tsv has a row for each:
// the text as the Go source has it, a tab, and where it is from:
//
//	recorded                     what AWS answered, as a recorded case has it
//	reference/<page>             a page of the reference
//	docs.aws.amazon.com/<path>   AWS's documentation; and so any other host's page,
//	github.com/<path>            such as a public report
//	fargo/<package>              the text is made there, and its source is named there
//	ours                         nobody knows what AWS says, or AWS has no such error
//
// A remark may follow after a space. What is not written out in the source stands in
// braces, as the expression that it is. Run with -rewrite, texts without a row get one,
// which fails until its source is given, and rows without a text are removed.
func Texts(t *testing.T, dir string) {
	t.Helper()
	found, err := errorTexts(dir)
	if err != nil {
		t.Fatal(err)
	}
	if len(found) == 0 {
		t.Fatalf("%s makes no errors that this test can find", dir)
	}
	abs, err := filepath.Abs(dir)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join("testdata", "texts", filepath.Base(abs)+".tsv")
	table, err := readTexts(file)
	if err != nil {
		t.Fatal(err)
	}
	if *rewrite {
		if err := writeTexts(file, found, table); err != nil {
			t.Fatal(err)
		}
	}
	for _, problem := range compareTexts(found, table) {
		t.Errorf("%s: %s", file, problem)
	}
}

// sources is what a row may name as its source.
var sources = regexp.MustCompile(`^(recorded|ours|reference/[a-z0-9-]+\.md|fargo/[a-z0-9/]+|[a-z0-9-]+(\.[a-z0-9-]+)+/\S+)( .+)?$`)

// compareTexts tells what the table lacks, what it has for nothing, and which
// sources are none. found gives for each text where it is made.
func compareTexts(found, table map[string]string) []string {
	var problems []string
	for _, text := range slices.Sorted(maps.Keys(found)) {
		source, ok := table[text]
		switch {
		case !ok:
			problems = append(problems, fmt.Sprintf("no row for %q (%s)", text, found[text]))
		case !sources.MatchString(source):
			problems = append(problems, fmt.Sprintf("%q is no source of %q (%s)", source, text, found[text]))
		}
	}
	for _, text := range slices.Sorted(maps.Keys(table)) {
		if found[text] == "" {
			problems = append(problems, fmt.Sprintf("no error has the text %q", text))
		}
	}
	return problems
}

// escaped are the characters that a row cannot have as they are.
var (
	escaped   = strings.NewReplacer(`\`, `\\`, "\n", `\n`, "\t", `\t`)
	unescaped = strings.NewReplacer(`\\`, `\`, `\n`, "\n", `\t`, "\t")
)

// readTexts reads a table: sources by text. No file is an empty table.
func readTexts(file string) (map[string]string, error) {
	content, err := os.ReadFile(file)
	if err != nil && !os.IsNotExist(err) {
		return nil, err
	}
	table := map[string]string{}
	for line := range strings.Lines(string(content)) {
		text, source, ok := strings.Cut(strings.TrimRight(line, "\n"), "\t")
		if !ok {
			return nil, fmt.Errorf("%s: %q is no row: it has no tab", file, line)
		}
		if text = unescaped.Replace(text); table[text] != "" {
			return nil, fmt.Errorf("%s: two rows for %q", file, text)
		}
		table[text] = source
	}
	return table, nil
}

// writeTexts writes a row for each text that was found, with the source that the
// table has.
func writeTexts(file string, found, table map[string]string) error {
	var b bytes.Buffer
	for _, text := range slices.Sorted(maps.Keys(found)) {
		fmt.Fprintf(&b, "%s\t%s\n", escaped.Replace(text), table[text])
	}
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		return err
	}
	return os.WriteFile(file, b.Bytes(), 0o644)
}
