package apitest

import (
	"maps"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestTextsAreFound(t *testing.T) {
	found, err := errorTexts("testdata/errors")
	if err != nil {
		t.Fatal(err)
	}
	want := []string{
		"A %s.", "A constant.", "Another of a table.", "By a helper of a helper.", "By a helper.", "In a function literal.",
		"In a literal.", "In a table of errors.", "Of a variable again.", "Of a variable.", "One of a table.", "Why is %d.", "{err}",
	}
	if d := cmp.Diff(want, slices.Sorted(maps.Keys(found))); d != "" {
		t.Error(d)
	}
}

func TestTextsNeedSources(t *testing.T) {
	found := map[string]string{"kept": "a.go:1", "new": "a.go:2", "doubtful": "a.go:3", "documented": "a.go:4"}
	table := map[string]string{
		"kept": "ours", "doubtful": "perhaps", "gone": "recorded",
		"documented": "docs.aws.amazon.com/AmazonECS/latest/APIReference/API_RunTask.html of taskId",
	}
	want := []string{
		`"perhaps" is no source of "doubtful" (a.go:3)`,
		`no row for "new" (a.go:2)`,
		`no error has the text "gone"`,
	}
	if d := cmp.Diff(want, compareTexts(found, table)); d != "" {
		t.Error(d)
	}
}

func TestTextsAreWrittenAndRead(t *testing.T) {
	file := filepath.Join(t.TempDir(), "texts", "some.tsv")
	found := map[string]string{"a\tb\n\\n": "a.go:1", "plain": "a.go:2"}
	if err := writeTexts(file, found, map[string]string{"a\tb\n\\n": "ours", "gone": "recorded"}); err != nil {
		t.Fatal(err)
	}
	got, err := readTexts(file)
	if d := cmp.Diff(map[string]string{"a\tb\n\\n": "ours", "plain": ""}, got); d != "" || err != nil {
		t.Error(err, d)
	}
	for _, content := range []string{"no tab\n", "twice\tours\ntwice\trecorded\n"} {
		if err := os.WriteFile(file, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
		if table, err := readTexts(file); err == nil {
			t.Errorf("%q was read as %v", content, table)
		}
	}
}
