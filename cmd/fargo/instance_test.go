package main

import (
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"testing"
)

func TestInstanceKeepsItsIDAndKey(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")
	if _, err := findInstance(dir); !errors.Is(err, errNoInstance) {
		t.Fatalf("before it is made: %v", err)
	}
	made, err := makeInstance(dir)
	if err != nil {
		t.Fatal(err)
	}
	if !regexp.MustCompile(`^[0-9a-f]{4}$`).MatchString(made.ID) {
		t.Errorf("id is %q", made.ID)
	}
	key := accessKey{ID: "AKIAEXAMPLE", Secret: "secret"}
	if err := made.SetAdminKey(key); err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(filepath.Join(dir, "admin.json")); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the key's file: %v, %v", info.Mode(), err)
	}

	found, err := findInstance(dir)
	if err != nil {
		t.Fatal(err)
	}
	if *found != *made {
		t.Errorf("found %+v, made %+v", found, made)
	}
	if again, err := found.AdminKey(); err != nil || again != key {
		t.Errorf("the key changed: %+v, %v", again, err)
	}
}

// down --purge removes the data directory, so nobody's home may become one.
func TestInstanceRefusesAForeignDirectory(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "thesis.tex"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := makeInstance(dir); err == nil {
		t.Error("a directory with a stranger's file became an instance")
	}
}
