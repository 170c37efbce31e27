package fargo_test

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"os"
	"testing"
)

// TestPicture holds docs/processes.svg to its text, whose digest it carries.
func TestPicture(t *testing.T) {
	text, err := os.ReadFile("docs/processes.dot")
	if err != nil {
		t.Fatal(err)
	}
	picture, err := os.ReadFile("docs/processes.svg")
	if err != nil {
		t.Fatal(err)
	}
	if want := fmt.Sprintf("%x", sha256.Sum256(text)); !bytes.Contains(picture, []byte(want)) {
		t.Error("docs/processes.svg is of another docs/processes.dot: run make generate")
	}
}
