package instance

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// A part is missing when something that is made after it is there; one that may be
// written again is not.
func TestMissing(t *testing.T) {
	const first, second = "which loses all", "which loses some"
	parts := []Part{{Name: "first", Consequence: first}, {Name: "second", Consequence: second}, {Name: "key"}, {Name: "last"}}
	for name, c := range map[string]struct {
		exist string // of each part, in order
		want  []MissingError
	}{
		"a first start":                   {"----", nil},
		"all there":                       {"++++", nil},
		"a start that was cut short":      {"+---", nil},
		"the first":                       {"-+-+", []MissingError{{"/data/first", first, []string{"second", "last"}}}},
		"the second":                      {"+--+", []MissingError{{"/data/second", second, []string{"last"}}}},
		"both":                            {"--++", []MissingError{{"/data/first", first, []string{"key", "last"}}, {"/data/second", second, []string{"key", "last"}}}},
		"what is written again":           {"++-+", nil},
		"the last, which nothing follows": {"+++-", nil},
	} {
		t.Run(name, func(t *testing.T) {
			exist := make([]bool, len(parts))
			for i := range exist {
				exist[i] = c.exist[i] == '+'
			}
			var got []MissingError
			for _, m := range (&Instance{Dir: "/data"}).missing(parts, exist) {
				got = append(got, *m)
			}
			if d := cmp.Diff(c.want, got); d != "" {
				t.Error(d)
			}
		})
	}
}

// A part is looked for in the data directory, by its own notion of being there.
func TestMissingLooksAtTheDirectory(t *testing.T) {
	inst := &Instance{Dir: t.TempDir()}
	for _, name := range []string{"empty", "later"} {
		if err := os.Mkdir(filepath.Join(inst.Dir, name), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	hasContent := func(path string) (bool, error) {
		entries, err := os.ReadDir(path)
		return len(entries) > 0, err
	}
	missing, err := inst.Missing([]Part{{Name: "empty", Exists: hasContent, Consequence: "x"}, {Name: "later", Consequence: "y"}, {Name: "absent"}})
	if err != nil || len(missing) != 1 || missing[0].Part != filepath.Join(inst.Dir, "empty") {
		t.Errorf("got %v, %v", missing, err)
	}
}
