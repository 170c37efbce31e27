package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// TestWhy explains services, each as the APIs describe it (testdata/why/*.json), in words
// (*.txt; run with -rewrite to accept).
func TestWhy(t *testing.T) {
	paths, err := filepath.Glob("testdata/why/*.json")
	if err != nil || len(paths) == 0 {
		t.Fatal(paths, err)
	}
	for _, path := range paths {
		t.Run(strings.TrimSuffix(filepath.Base(path), ".json"), func(t *testing.T) {
			b, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			var facts whyFacts
			if err := json.Unmarshal(b, &facts); err != nil {
				t.Fatal(err)
			}
			got := strings.Join(facts.explain(time.Unix(1_700_000_000, 0)), "\n") + "\n"
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
