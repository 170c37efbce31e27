package engine

import (
	"bytes"
	"io"
	"log/slog"
	"testing"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/record"
	"github.com/cockroachdb/pebble/v2/vfs"
)

// written is a log and the manifest of a small engine.
func written(t testing.TB) (log, manifest []byte, number uint64) {
	t.Helper()
	mem := vfs.NewMem()
	e, err := Open(Config{Dir: "d", FS: mem, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	for _, size := range []int{1, 100, 40_000, 10} {
		b := e.DB.NewBatch()
		b.Set(make([]byte, 10), make([]byte, size), nil)
		b.DeleteRange([]byte("a"), []byte("b"), nil)
		if err := b.Commit(pebble.Sync); err != nil {
			t.Fatal(err)
		}
	}
	d, err := look(mem, "d")
	if err != nil {
		t.Fatal(err)
	}
	number = d.logs[len(d.logs)-1]
	if log, err = readFile(mem, d.path(logName(number))); err != nil {
		t.Fatal(err)
	}
	if manifest, err = readFile(mem, d.path(d.manifest)); err != nil {
		t.Fatal(err)
	}
	return log, manifest, number
}

// The engine's own reader and ours agree on where a log ends that nobody damaged,
// wherever it is cut.
func TestMeasureAgreesWithTheEngine(t *testing.T) {
	log, _, number := written(t)
	f := format{log: number}
	for cut := 0; cut <= len(log); cut += 7 {
		e := f.measure(log[:cut])
		if got := f.align(log[:cut], f.replay(log[:cut])); got != e.replayed {
			t.Fatalf("cut to %d bytes: the engine stops at %d, measured %d", cut, got, e.replayed)
		}
		if e.good < e.replayed || e.end < e.good {
			t.Fatalf("cut to %d bytes: %+v", cut, e)
		}
	}
}

// Wherever a record ends in a block, in either of a log's formats, a log that was
// closed is whole. The first log of a directory has no sync offsets, and so may have
// a header where others have zeros.
func TestRecordsEndAnywhereInABlock(t *testing.T) {
	const number = 2
	for _, offsets := range []bool{false, true} {
		for size := blockSize - 64; size <= blockSize; size++ {
			var log bytes.Buffer
			w := newLogWriter(record.NewLogWriter, &log, number, record.LogWriterConfig{WriteWALSyncOffsets: func() bool { return offsets }})
			for _, n := range []int{size, 100} {
				if _, err := w.WriteRecord(make([]byte, n)); err != nil {
					t.Fatal(err)
				}
			}
			if err := w.Close(); err != nil {
				t.Fatal(err)
			}
			e := format{log: number}.measure(log.Bytes())
			at, why := (&directory{}).judge(number, log.Bytes(), false)
			if !e.closed || e.end != int64(log.Len()) || why != "" {
				t.Errorf("sync offsets %v, a record of %d bytes: %+v of %d bytes; damaged at %d: %s", offsets, size, e, log.Len(), at, why)
			}
		}
	}
}

func newLogWriter[N ~uint64](make func(io.Writer, N, record.LogWriterConfig) *record.LogWriter, w io.Writer, number uint64, c record.LogWriterConfig) *record.LogWriter {
	return make(w, N(number), c)
}

// Whatever is in a log or a manifest, it is read without a panic and to an end.
func FuzzDamagedFile(f *testing.F) {
	log, manifest, number := written(f)
	f.Add(log[:200], uint64(len(log)), true)
	f.Add(log[32<<10-40:], uint64(0), false)
	f.Add(manifest, uint64(len(manifest)), true)
	f.Fuzz(func(t *testing.T, data []byte, synced uint64, last bool) {
		s := &salvage{
			from:   &directory{files: vfs.NewMem(), mark: watermark{log: number, logBytes: synced}, marked: synced > 0},
			name:   func(key []byte) (string, bool) { return string(key), true },
			report: new(Report),
		}
		s.salvageLog(number, data, last)
		if at, why := s.from.judge(number, data, last); why != "" && (at < 0 || at > (format{log: number}).align(data, int64(len(data)))) {
			t.Errorf("damaged at %d of %d", at, len(data))
		}
		var m format
		if e := m.measure(data); e.replayed <= int64(len(data)) {
			_, _ = oldestLog(data[:e.replayed])
		}
		if w, ok := decodeWatermark(data); ok && string(w.encode()) != string(data) {
			t.Errorf("%q is not what was written", data)
		}
	})
}
