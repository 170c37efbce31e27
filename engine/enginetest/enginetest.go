// Package enginetest damages what an engine has written, for the tests of all that
// is kept in one. It knows files and bytes; it refuses to know what they mean.
package enginetest

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"

	"fargo/engine"
)

// Files are those of a directory, by name.
type Files map[string][]byte

// Read takes a copy of a directory, as a process that is killed now would leave it.
// The engine may be at work on its tables: what is found twice in the same way was
// there at one moment.
func Read(t testing.TB, files vfs.FS, dir string) Files {
	t.Helper()
	before := read(t, files, dir)
	for {
		now := read(t, files, dir)
		if maps.EqualFunc(before, now, slices.Equal) {
			return now
		}
		before = now
	}
}

func read(t testing.TB, files vfs.FS, dir string) Files {
	t.Helper()
	names, err := files.List(dir)
	if err != nil {
		t.Fatal(err)
	}
	all := Files{}
	for _, name := range names {
		f, err := files.Open(files.PathJoin(dir, name))
		if errors.Is(err, fs.ErrNotExist) {
			continue // the engine has taken it away meanwhile
		}
		if err != nil {
			t.Fatal(err)
		}
		content, err := io.ReadAll(f)
		if err := errors.Join(err, f.Close()); err != nil {
			t.Fatal(err)
		}
		all[name] = content
	}
	return all
}

// FS gives a file system in memory with the files in a directory.
func (f Files) FS(t testing.TB, dir string) *vfs.MemFS {
	t.Helper()
	mem := vfs.NewMem()
	if err := mem.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	for name, content := range f {
		file, err := mem.Create(mem.PathJoin(dir, name), vfs.WriteCategoryUnspecified)
		if err != nil {
			t.Fatal(err)
		}
		_, err = file.Write(slices.Clone(content))
		if err := errors.Join(err, file.Sync(), file.Close()); err != nil {
			t.Fatal(err)
		}
	}
	return mem
}

// Damaged is a directory of which one file was damaged.
type Damaged struct {
	Name   string // of the file
	What   string // was done to it
	Offset int    // of the byte that was changed; -1 for more than one
	Files  Files
}

// String says what was damaged.
func (d Damaged) String() string { return d.Name + ": " + d.What }

// Damage gives the directory again and again, each time with one thing wrong: one
// byte changed, at every place of a small file, and at the last perFile and as many
// others of a larger one; a file cut short, emptied, or removed. The seed chooses.
func (f Files) Damage(seed uint64, perFile int) iter.Seq[Damaged] {
	random := rand.New(rand.NewPCG(seed, seed))
	return func(yield func(Damaged) bool) {
		for _, name := range slices.Sorted(maps.Keys(f)) {
			for _, d := range f.damage(random, name, perFile) {
				if !yield(d) {
					return
				}
			}
		}
	}
}

func (f Files) damage(random *rand.Rand, name string, most int) (all []Damaged) {
	with := func(what string, offset int, change func(Files)) {
		c := maps.Clone(f)
		change(c)
		all = append(all, Damaged{name, what, offset, c})
	}
	with("removed", -1, func(c Files) { delete(c, name) })
	size := len(f[name])
	if size == 0 {
		return all
	}
	with("emptied", -1, func(c Files) { c[name] = nil })
	places := random.Perm(size)
	changed := slices.Clone(places[:min(size, most)])
	for at := max(0, size-most); at < size && size > most; at++ {
		changed = append(changed, at) // what was written last has the least behind it
	}
	for _, at := range changed {
		by := byte(1 + random.IntN(255))
		with(fmt.Sprintf("the byte at %d changed by %#x", at, by), at, func(c Files) {
			c[name] = slices.Clone(c[name])
			c[name][at] ^= by
		})
	}
	for _, at := range places[:min(size, 1+most/10)] {
		with(fmt.Sprintf("cut to %d bytes", at), -1, func(c Files) { c[name] = c[name][:at] })
		with(fmt.Sprintf("zeros from %d on", at), -1, func(c Files) {
			c[name] = slices.Clone(c[name])
			clear(c[name][at:])
		})
	}
	return all
}

// Refused reports whether an error says of a directory with one damaged file that
// it is damaged, and names the file. Of a file that is missing the directory may
// be named.
func Refused(err error, d Damaged) bool {
	var found *engine.Damage
	if !errors.As(err, &found) {
		return false
	}
	base := vfs.Default.PathBase(found.File)
	return base == d.Name || d.What == "removed" && d.Files[base] == nil
}
