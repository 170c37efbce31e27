package engine_test

import (
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"

	"fargo/engine"
	"fargo/engine/enginetest"
)

const dir = "engine"

var owner = engine.Owner{Name: func(key []byte) (string, bool) {
	return string(key), strings.HasPrefix(string(key), "key-")
}}

// The tests' merger is pebble's own: it appends newer values to older ones.
func config(files vfs.FS) engine.Config {
	return engine.Config{Dir: dir, FS: files, What: "a test", Logger: slog.New(slog.DiscardHandler), Options: pebble.Options{Merger: pebble.DefaultMerger}}
}

func open(t *testing.T, files vfs.FS) *engine.Engine {
	t.Helper()
	e, err := engine.Open(config(files))
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func set(t *testing.T, e *engine.Engine, pairs ...string) {
	t.Helper()
	write(t, e, func(b *pebble.Batch) {
		for i := 0; i < len(pairs); i += 2 {
			b.Set([]byte(pairs[i]), []byte(pairs[i+1]), nil)
		}
	})
}

func write(t *testing.T, e *engine.Engine, fn func(*pebble.Batch)) {
	t.Helper()
	err := e.Write(func() error {
		b := e.DB.NewBatch()
		fn(b)
		return b.Commit(pebble.Sync)
	})
	if err != nil {
		t.Fatal(err)
	}
}

func merge(t *testing.T, e *engine.Engine, key, value string) {
	t.Helper()
	write(t, e, func(b *pebble.Batch) { b.Merge([]byte(key), []byte(value), nil) })
}

// content is all that is in an engine, which must be readable.
func content(t *testing.T, e *engine.Engine) map[string]string {
	t.Helper()
	all := map[string]string{}
	it, err := e.DB.NewIter(nil)
	if err != nil {
		t.Fatal(err)
	}
	for it.First(); it.Valid(); it.Next() {
		all[string(it.Key())] = string(it.Value())
	}
	if err := errors.Join(it.Error(), it.Close()); err != nil {
		t.Fatal(err)
	}
	return all
}

// inhabited is an engine with several tables, one of several blocks, tombstones of
// keys and of ranges in tables and in its log, and a log of several blocks.
func inhabited(t *testing.T) (enginetest.Files, map[string]string) {
	t.Helper()
	mem := vfs.NewMem()
	e := open(t, mem)
	for i := range 300 {
		set(t, e, fmt.Sprintf("key-a%03d", i), fmt.Sprint(i, strings.Repeat("a", i)))
	}
	if err := e.DB.Flush(); err != nil {
		t.Fatal(err)
	}
	write(t, e, func(b *pebble.Batch) {
		b.Delete([]byte("key-a007"), nil)
		b.DeleteRange([]byte("key-a010"), []byte("key-a020"), nil)
	})
	set(t, e, "key-a015", "again", "key-b", "b")
	if err := e.DB.Flush(); err != nil {
		t.Fatal(err)
	}
	merge(t, e, "key-m1", "a") // a part in each table, and one in the log
	merge(t, e, "key-m2", "a")
	merge(t, e, "key-m3", "a")
	set(t, e, "key-m4", "a")
	merge(t, e, "key-m4", "b")
	if err := e.DB.Flush(); err != nil {
		t.Fatal(err)
	}
	merge(t, e, "key-m1", "b")
	merge(t, e, "key-m4", "c")
	write(t, e, func(b *pebble.Batch) {
		b.Delete([]byte("key-m2"), nil)
		b.DeleteRange([]byte("key-m3"), []byte("key-m4"), nil)
		b.Merge([]byte("key-m3"), []byte("b"), nil)
		b.Delete([]byte("key-a008"), nil)
		b.DeleteRange([]byte("key-a030"), []byte("key-a040"), nil)
	})
	for i := range 200 {
		set(t, e, fmt.Sprintf("key-c%03d", i), strings.Repeat("c", i), "key-newest", fmt.Sprint(i))
	}
	set(t, e, "key-long", strings.Repeat("long", 15_000))
	set(t, e, "key-z", "z")
	defer e.Close()
	return enginetest.Read(t, mem, dir), content(t, e)
}

// repaired repairs files and gives what is there then.
func repaired(t *testing.T, files enginetest.Files) (*engine.Report, map[string]string) {
	t.Helper()
	mem := files.FS(t, dir)
	report, err := engine.Repair(config(mem), owner, time.Unix(0, 0))
	if err != nil {
		t.Fatal(err)
	}
	if report.Backup != "" {
		if left := enginetest.Read(t, mem, report.Backup); !maps.EqualFunc(left, files, slices.Equal) {
			t.Errorf("the backup is not what was there: %v", slices.Sorted(maps.Keys(left)))
		}
	}
	e := open(t, mem)
	defer e.Close()
	return report, content(t, e)
}

func TestRepairOfWhatIsWhole(t *testing.T) {
	files, want := inhabited(t)
	for key, value := range map[string]string{"key-m1": "ab", "key-m2": "", "key-m3": "b", "key-m4": "abc"} {
		if want[key] != value {
			t.Errorf("%s is %q", key, want[key])
		}
	}
	report, got := repaired(t, files)
	if !report.Whole() || report.Backup != "" || report.Kept != len(want) {
		t.Errorf("reported %+v", report)
	}
	if !maps.Equal(got, want) {
		t.Errorf("%d keys of %d", len(got), len(want))
	}
}

// Whatever one thing is damaged: what is kept is what was there, and all that is
// missing is among the losses. After a repair the engine opens.
func TestRepair(t *testing.T) {
	files, want := inhabited(t)
	for d := range files.Damage(3, 8) {
		report, got := repaired(t, d.Files)
		missing := 0
		for key, value := range want {
			if got[key] != value {
				missing++
			}
		}
		back := 0
		for key := range got {
			if _, ok := want[key]; !ok {
				back++
			}
		}
		if missing+back > 0 && len(report.Losses) == 0 {
			t.Errorf("%v: %d keys are missing and %d are back, and nothing is reported", d, missing, back)
		}
		known := int64(0)
		for _, l := range report.Losses {
			if known >= 0 && l.Writes >= 0 {
				known += l.Writes
			} else {
				known = -1
			}
		}
		if known >= 0 && back == 0 && int64(missing) > known {
			t.Errorf("%v: %d keys are missing, reported are %v", d, missing, report.Losses)
		}
		if report.Kept != len(got) {
			t.Errorf("%v: reported %d keys kept, found %d", d, report.Kept, len(got))
		}
	}
}

// One byte in the middle of a log costs one batch, which is said.
func TestRepairKeepsWhatIsBehindDamage(t *testing.T) {
	mem := vfs.NewMem()
	e := open(t, mem)
	for i := range 50 {
		set(t, e, fmt.Sprintf("key-%02d", i), "v", fmt.Sprintf("key-%02d-twin", i), "v")
	}
	files := enginetest.Read(t, mem, dir)
	e.Close()
	name := logOf(t, files)
	at := strings.Index(string(files[name]), "key-20-twin")
	files[name][at-3] ^= 0xff // in the value of the key before

	_, err := engine.Open(config(files.FS(t, dir)))
	var damage *engine.Damage
	if !errors.As(err, &damage) || damage.File != dir+"/"+name || damage.Offset <= 0 || damage.Offset >= int64(at) {
		t.Fatalf("opened, or refused with %v", err)
	}
	report, got := repaired(t, files)
	if len(got) != 98 || got["key-19"] == "" || got["key-21-twin"] == "" {
		t.Errorf("kept %d keys", len(got))
	}
	if len(report.Losses) != 1 || report.Losses[0].Writes != 2 || report.Losses[0].Offset != damage.Offset || !slices.Contains(report.Losses[0].Keys, "key-20") {
		t.Errorf("losses %v", report.Losses)
	}
}

func logOf(t *testing.T, files enginetest.Files) string {
	t.Helper()
	for name := range files {
		if strings.HasSuffix(name, ".log") && len(files[name]) > 0 {
			return name
		}
	}
	t.Fatal("no log")
	return ""
}

// A repair that was killed is finished by the next.
func TestRepairGoesOn(t *testing.T) {
	files, _ := inhabited(t)
	mem := files.FS(t, dir)
	// As it is between the two last steps.
	if err := errors.Join(mem.Rename(dir, dir+".repaired"), mem.MkdirAll(dir+".repairing", 0o755)); err != nil {
		t.Fatal(err)
	}
	if _, err := engine.Repair(config(mem), owner, time.Unix(0, 0)); err != nil {
		t.Fatal(err)
	}
	for _, left := range []string{".repaired", ".repairing"} {
		if _, err := mem.Stat(dir + left); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s%s is left: %v", dir, left, err)
		}
	}
	e := open(t, mem)
	defer e.Close()
	if len(content(t, e)) == 0 {
		t.Error("nothing is there")
	}
}
