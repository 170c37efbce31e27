package engine_test

import (
	"bytes"
	"fmt"
	"log/slog"
	"maps"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/cockroachdb/pebble/v2/vfs/errorfs"

	"fargo/engine"
	"fargo/engine/enginetest"
)

// said is what was logged, for tests whose engine logs from goroutines of its own.
type said struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (s *said) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(p)
}

func (s *said) count(text string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return strings.Count(s.b.String(), text)
}

// A table that is damaged fails whoever reads it, and is named once; the process
// goes on, and so does all that has nothing to do with it.
func TestDamagedTable(t *testing.T) {
	mem := vfs.NewMem()
	e := open(t, mem)
	for i := range 100 {
		set(t, e, fmt.Sprintf("key-%03d", i), strings.Repeat("v", 1000))
	}
	if err := e.DB.Flush(); err != nil {
		t.Fatal(err)
	}
	e.Close()
	files := enginetest.Read(t, mem, dir)
	table := ""
	for name, content := range files {
		if strings.HasSuffix(name, ".sst") {
			table, content[100] = name, content[100]^0xff
		}
	}

	var log said
	c := config(files.FS(t, dir))
	c.Logger = slog.New(slog.NewTextHandler(&log, nil))
	e, err := engine.Open(c)
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	for range 3 {
		_, _, err := e.DB.Get([]byte("key-001"))
		if err = e.Read(err); err == nil || !strings.Contains(err.Error(), table) {
			t.Errorf("a damaged key: %v", err)
		}
	}
	set(t, e, "key-001", "again", "other", "value")
	if err := e.DB.Flush(); err != nil {
		t.Error(err)
	}
	// That it cannot be compacted is no reason to end, nor to say so for ever.
	for range 8 {
		set(t, e, "key-001", "again", "key-099", "again")
		if err := e.DB.Flush(); err != nil {
			t.Error(err)
		}
	}
	value, closer, err := e.DB.Get([]byte("other"))
	if err != nil || string(value) != "value" {
		t.Fatalf("a key elsewhere: %q, %v", value, err)
	}
	closer.Close()
	if n := log.count(table); n == 0 || log.count("level=ERROR") != 1 {
		t.Errorf("the table was named %d times, in %d errors", n, log.count("level=ERROR"))
	}
}

// filled is a disk that others fill to its last byte although it says that there is
// room: nothing can be written until some room is given up.
func filled(full *atomic.Bool, mem vfs.FS) vfs.FS {
	return errorfs.Wrap(mem, errorfs.InjectorFunc(func(op errorfs.Op) error {
		switch op.Kind {
		case errorfs.OpCreate, errorfs.OpFileWrite, errorfs.OpFileSyncData, errorfs.OpReuseForWrite:
		default:
			return nil
		}
		if _, err := mem.Stat(dir + "/BALLAST"); full.Load() && err == nil && filepath.Base(op.Path) != "BALLAST" {
			return syscall.ENOSPC
		}
		return nil
	}))
}

// Others may take what was measured as free a moment ago. The engine then has room
// of its own, with which it goes on, or opens.
func TestBallast(t *testing.T) {
	var full atomic.Bool
	mem := vfs.NewMem()
	files := filled(&full, mem)
	e := open(t, files)
	set(t, e, "a", "1") // makes the ballast
	full.Store(true)
	set(t, e, "b", "2")
	if _, err := mem.Stat(dir + "/BALLAST"); err == nil {
		t.Fatal("the ballast was not given up")
	}
	full.Store(false)
	set(t, e, "c", "3") // and made again
	if _, err := mem.Stat(dir + "/BALLAST"); err != nil {
		t.Fatal("the ballast was not made again:", err)
	}
	e.Close()

	full.Store(true)
	e = open(t, files)
	defer e.Close()
	if got := content(t, e); len(got) != 3 {
		t.Errorf("found %v", got)
	}
}

// What the note of synced bytes says holds for all content of the file, or it says
// nothing.
func TestDamageOfTheNoteIsNoDamage(t *testing.T) {
	files, want := inhabited(t)
	for d := range (enginetest.Files{"SYNCED": files["SYNCED"]}).Damage(1, 15) {
		c := enginetest.Files{}
		for name, content := range files {
			c[name] = content
		}
		c["SYNCED"] = d.Files["SYNCED"]
		e, err := engine.Open(config(c.FS(t, dir)))
		if err != nil {
			t.Errorf("%v: %v", d, err)
			continue
		}
		if n := len(content(t, e)); n != len(want) {
			t.Errorf("%v: %d keys of %d", d, n, len(want))
		}
		e.Close()
	}
}

// Wherever a process is killed while it opens a directory that another left when it
// was killed: the next one opens it, and nothing is lost.
func TestKilledWhileOpening(t *testing.T) {
	for name, prepare := range map[string]func(e *engine.Engine){
		"new":     nil,
		"nothing": func(*engine.Engine) {},
		"no writes": func(e *engine.Engine) {
			write(t, e, func(b *pebble.Batch) { b.LogData([]byte("data"), nil) })
		},
		"writes": func(e *engine.Engine) { set(t, e, "key", "value") },
	} {
		t.Run(name, func(t *testing.T) {
			left, want := enginetest.Files{}, map[string]string{}
			mem := vfs.NewMem()
			if prepare != nil {
				e := open(t, mem)
				prepare(e)
				left, want = enginetest.Read(t, mem, dir), content(t, e)
				e.Close()
			}
			// Each change to the directory is a moment to be killed at.
			var mu sync.Mutex
			var states []enginetest.Files
			mem = left.FS(t, dir)
			e := open(t, errorfs.Wrap(mem, errorfs.InjectorFunc(func(op errorfs.Op) error {
				if op.Kind.ReadOrWrite() == errorfs.OpIsWrite {
					mu.Lock()
					defer mu.Unlock()
					states = append(states, enginetest.Read(t, mem, dir))
				}
				return nil
			})))
			e.Close()
			for i, state := range states {
				next, err := engine.Open(config(state.FS(t, dir)))
				if err != nil {
					t.Errorf("killed before change %d of %d: %v", i, len(states), err)
					continue
				}
				if got := content(t, next); !maps.Equal(got, want) {
					t.Errorf("killed before change %d of %d: found %v, want %v", i, len(states), got, want)
				}
				next.Close()
			}
			if len(states) < 20 {
				t.Errorf("%d states", len(states))
			}
		})
	}
}
