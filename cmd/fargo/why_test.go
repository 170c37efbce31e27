package main

import (
	"encoding/json"
	"strings"
	"testing"
	"time"
)

// TestWhy explains services, each as the APIs describe it.
func TestWhy(t *testing.T) {
	testTexts(t, "why", func(t *testing.T, in []byte) string {
		var facts whyFacts
		if err := json.Unmarshal(in, &facts); err != nil {
			t.Fatal(err)
		}
		return strings.Join(facts.explain(time.Unix(1_700_000_000, 0)), "\n") + "\n"
	})
}
