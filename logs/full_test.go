package logs

import (
	"errors"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/containerd/errdefs"

	"fargo"
)

// crowded is a file system with as much room as a test says.
type crowded struct {
	vfs.FS
	free uint64
}

func (c *crowded) GetDiskUsage(string) (vfs.DiskUsage, error) {
	return vfs.DiskUsage{AvailBytes: c.free}, nil
}

// Without room nothing is taken, which a sender learns in a way that makes it come
// again; what is there can be read; and with room again all goes on.
func TestFull(t *testing.T) {
	fs := &crowded{FS: vfs.NewMem(), free: 2 * reserve}
	s, err := openOn(fs, "logs", discard)
	must(t, err)
	defer s.Close()
	must(t, s.CreateGroup(t.Context(), testScope, Group{Name: "g"}))
	must(t, s.CreateStream(t.Context(), testScope, "g", "s0"))
	batch := stretch(0, 0)
	to, err := s.Append(t.Context(), batch)
	must(t, err)

	fs.free = reserve - 1
	next := stretch(0, to)
	for name, write := range map[string]func() error{
		"Append":       func() error { _, err := s.Append(t.Context(), next); return err },
		"OpenLog":      func() error { return s.OpenLog(t.Context(), target("g", "s1")) },
		"Put":          func() error { return s.Put(t.Context(), testScope, "g", "s0", events(1, "x")) },
		"CreateStream": func() error { return s.CreateStream(t.Context(), testScope, "g", "s1") },
		"DeleteGroup":  func() error { return s.DeleteGroup(t.Context(), testScope, "g") },
		"Writable":     s.Writable,
	} {
		if err := write(); !errors.Is(err, fargo.ErrNotWritable) || !errdefs.IsUnavailable(err) {
			t.Errorf("%s without room: %v", name, err)
		}
	}
	checkStream(t, s, "s0", to)

	fs.free = 2 * reserve
	to, err = s.Append(t.Context(), next)
	must(t, err)
	checkStream(t, s, "s0", to)
}
