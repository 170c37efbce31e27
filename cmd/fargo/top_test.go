package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestTop draws tables from two looks (testdata/top/*.json), without and with tasks (*.txt;
// run with -rewrite to accept).
func TestTop(t *testing.T) {
	paths, err := filepath.Glob("testdata/top/*.json")
	if err != nil || len(paths) == 0 {
		t.Fatal(paths, err)
	}
	for _, path := range paths {
		t.Run(strings.TrimSuffix(filepath.Base(path), ".json"), func(t *testing.T) {
			b, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			var looks struct{ Before, Now topLook }
			if err := json.Unmarshal(b, &looks); err != nil {
				t.Fatal(err)
			}
			got := looks.Now.table(&looks.Before, false) + "\n" + looks.Now.table(&looks.Before, true)
			file := strings.TrimSuffix(path, ".json") + ".txt"
			if *rewrite {
				if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(string(want), got); d != "" {
				t.Errorf("%s (run with -rewrite to accept):\n%s", file, d)
			}
		})
	}
}
