package instance

import (
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
)

func TestInstanceKeepsItsIDAndKey(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")
	if _, err := Find(dir); !errors.Is(err, ErrNotFound) {
		t.Fatalf("before it is made: %v", err)
	}
	made, err := create(dir)
	if err != nil {
		t.Fatal(err)
	}
	if !regexp.MustCompile(`^[0-9a-f]{4}$`).MatchString(made.ID) {
		t.Errorf("id is %q", made.ID)
	}
	key := AccessKey{ID: "AKIAEXAMPLE", Secret: "secret"}
	if err := made.SetAdminKey(key); err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(filepath.Join(dir, "admin.json")); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the key's file: %v, %v", info.Mode(), err)
	}

	found, err := Find(dir)
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
	if _, err := create(dir); err == nil {
		t.Error("a directory with a stranger's file became an instance")
	}
}

// The id becomes part of paths, of which some are removed.
func TestInstanceFileIsChecked(t *testing.T) {
	for _, content := range []string{"", "\n", "../x", "..", "1A2B", "1a2", "1a2b3", "1a2b\n\n", " 1a2b", "1a2b\x00", "zzzz"} {
		dir := t.TempDir()
		path := filepath.Join(dir, "instance")
		if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
		for name, open := range map[string]func(string) (*Instance, error){"Find": Find, "Open": Open} {
			if inst, err := open(dir); err == nil || errors.Is(err, ErrNotFound) || !strings.Contains(err.Error(), path) {
				t.Errorf("%s with %q in the file: %+v, %v", name, content, inst, err)
			}
		}
	}
}

// A small file that is damaged is said to be, by its path and with how it comes to
// be whole again; none of it reaches a shell.
func TestSmallFilesAreChecked(t *testing.T) {
	inst := &Instance{Dir: t.TempDir(), ID: "1a2b"}
	type flags struct{ Speed float64 }
	if err := errors.Join(
		inst.SetEndpoint("http://127.0.0.1:4566"),
		inst.SetAdminKey(AccessKey{ID: "AKIAEXAMPLE", Secret: "abc/+"}),
		inst.SetMachineFlags(flags{Speed: 1}),
	); err != nil {
		t.Fatal(err)
	}
	for file, read := range map[string]func() error{
		"endpoint":     func() error { _, err := inst.Endpoint(); return err },
		"admin.json":   func() error { _, err := inst.AdminKey(); return err },
		"machine.json": func() error { return inst.MachineFlags(new(flags)) },
	} {
		path := inst.path(file)
		whole, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if err := read(); err != nil {
			t.Errorf("%s: %v", file, err)
		}
		for name, content := range map[string]string{
			"empty":   "",
			"cut":     string(whole[:len(whole)/2]),
			"garbage": "\x00\xff';reboot;'",
			"quotes":  strings.NewReplacer("127", "'$(reboot)'", "AKIA", "'$(reboot)'", ":1", ":'").Replace(string(whole)),
		} {
			if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
				t.Fatal(err)
			}
			if err := read(); err == nil || !strings.Contains(err.Error(), path) || !strings.Contains(err.Error(), "fargo up writes it again") {
				t.Errorf("%s, %s: %v", file, name, err)
			}
		}
	}
}

// The URL may be of either scheme, and no file says what to trust that nobody needs.
func TestEndpointOverTLS(t *testing.T) {
	inst := &Instance{Dir: t.TempDir(), ID: "1a2b"}
	for _, url := range []string{"https://127.0.0.1:4566", "https://fargo.example.com:443", "http://[::1]:4566", "https://[fe80::1%eth0]:1"} {
		if err := inst.SetEndpoint(url); err != nil {
			t.Fatal(err)
		}
		if got, err := inst.Endpoint(); err != nil || got != url {
			t.Errorf("%s: %q, %v", url, got, err)
		}
	}
	for _, pem := range []string{"", "one", "another", "", ""} {
		if err := inst.SetTrust(pem); err != nil {
			t.Fatal(err)
		}
		content, err := os.ReadFile(inst.TrustFile())
		if exists := err == nil; string(content) != pem || exists != (pem != "") {
			t.Errorf("trust %q: %q, %v", pem, content, err)
		}
	}
}

// Writing what is there already needs no room, and writes nothing.
func TestFileThatIsRightIsLeftAlone(t *testing.T) {
	path := filepath.Join(t.TempDir(), "file")
	inode := func() uint64 {
		t.Helper()
		if err := writeFile(path, []byte("content"), 0o600); err != nil {
			t.Fatal(err)
		}
		info, err := os.Stat(path)
		if err != nil {
			t.Fatal(err)
		}
		return info.Sys().(*syscall.Stat_t).Ino
	}
	first := inode()
	if inode() != first {
		t.Error("the file was written again")
	}
	if err := os.Chmod(path, 0o644); err != nil {
		t.Fatal(err)
	}
	if inode() == first {
		t.Error("a file that others can read was left so")
	}
}
