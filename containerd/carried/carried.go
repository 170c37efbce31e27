// Package carried holds the programs that Fargo brings along: containerd, its
// runc shim, runc, and the init of containers. The script build makes them from
// the modules pinned in pins/, runc with the seccomp compiler in libseccomp/; a
// build with the tag "carried" embeds them, and one without finds them in $PATH.
// It knows how to put them on a disk, and nothing of what they do.
package carried

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/klauspost/compress/zstd"
)

// Binaries are the absolute paths of the programs.
type Binaries struct {
	Containerd string
	Shim       string
	Runc       string
	Init       string // PID 1 of containers that want one; empty when there is none
	// Environment says that Shim adds the variables that containerd does not know: the
	// carried one does.
	Environment bool
}

// The names of the programs, on disk and in the bundle.
const (
	containerdName = "containerd"
	shimName       = "containerd-shim-runc-v2"
	runcName       = "runc"
	initName       = "init"
)

// Extract puts the carried programs into a directory below dir that is named
// after their content, and returns their paths. What is already there is used
// as it is, so that only the first start pays. Programs of other builds stay:
// running containers may still need them.
//
// A build that carries nothing looks the programs up in $PATH, and then has no
// Init unless a "fargo-init" is there.
func Extract(dir string) (Binaries, error) {
	hash, err := bundle.ReadFile("bundle/hash")
	if errors.Is(err, fs.ErrNotExist) {
		return lookUp()
	}
	if err != nil {
		return Binaries{}, fmt.Errorf("read what is carried: %w", err)
	}
	target, err := filepath.Abs(filepath.Join(dir, strings.TrimSpace(string(hash))))
	if err != nil {
		return Binaries{}, err
	}
	if err := extract(bundle, target); err != nil {
		return Binaries{}, fmt.Errorf("extract carried programs: %w", err)
	}
	return Binaries{
		Containerd: filepath.Join(target, containerdName),
		Shim:       filepath.Join(target, shimName),
		Runc:       filepath.Join(target, runcName),
		Init:       filepath.Join(target, initName),

		Environment: true,
	}, nil
}

// extract makes target, whole or not at all: it is written beside its name and
// renamed.
func extract(bundle fs.FS, target string) error {
	if _, err := os.Stat(target); err == nil {
		return nil
	}
	parent := filepath.Dir(target)
	if err := os.MkdirAll(parent, 0o755); err != nil {
		return err
	}
	half, err := os.MkdirTemp(parent, ".extract-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(half)
	if err := os.Chmod(half, 0o755); err != nil {
		return err
	}
	for _, name := range []string{containerdName, shimName, runcName, initName} {
		if err := decompress(bundle, "bundle/"+name+".zst", filepath.Join(half, name)); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	err = os.Rename(half, target)
	if errors.Is(err, fs.ErrExist) {
		return nil // another process was faster
	}
	return err
}

func decompress(bundle fs.FS, from, to string) error {
	in, err := bundle.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	stream, err := zstd.NewReader(in)
	if err != nil {
		return err
	}
	defer stream.Close()
	out, err := os.OpenFile(to, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o755)
	if err != nil {
		return err
	}
	if _, err := io.Copy(out, stream); err != nil {
		return errors.Join(err, out.Close())
	}
	// A power failure must not leave a short program under the final name.
	return errors.Join(out.Sync(), out.Close())
}

func lookUp() (Binaries, error) {
	var found Binaries
	for _, want := range []struct {
		name string
		path *string
	}{{containerdName, &found.Containerd}, {shimName, &found.Shim}, {runcName, &found.Runc}} {
		path, err := exec.LookPath(want.name)
		if err != nil {
			return Binaries{}, fmt.Errorf("this build carries no programs (tag \"carried\"): %w", err)
		}
		*want.path = path
	}
	if path, err := exec.LookPath("fargo-init"); err == nil {
		found.Init = path
	}
	return found, nil
}
