package main

import (
	"bytes"
	"os"
	"testing"
)

// The page says what this program does, not what another one did.
func TestCoveragePageIsCurrent(t *testing.T) {
	var want bytes.Buffer
	if err := (coverageCommand{}).Run(&stdio{out: &want}); err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile("../../docs/coverage.md")
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want.Bytes()) {
		t.Error("docs/coverage.md is stale: run make generate")
	}
}
