package node

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// A file that is updated has what was written last, all of it and no more, and
// the mode that was asked for.
func TestUpdate(t *testing.T) {
	path := filepath.Join(t.TempDir(), "file")
	for i, length := range []int{10, 5000, 3, 0, 70, 8} {
		want := strings.Repeat(string(rune('a'+i)), length)
		if err := update(path, []byte(want), 0o600); err != nil {
			t.Fatal(err)
		}
		got, err := os.ReadFile(path)
		if err != nil || string(got) != want {
			t.Errorf("%d: %q, %v", length, got, err)
		}
		if info, err := os.Stat(path); err != nil || info.Mode() != 0o600 {
			t.Errorf("%v, %v", info.Mode(), err)
		}
	}
}
