package containerd

import (
	"os"
	"path/filepath"
	"testing"

	specs "github.com/opencontainers/runtime-spec/specs-go"
	"pgregory.net/rapid"
)

// Two ids change places, every other one stays as it is: nobody owns what was another's.
func TestExchange(t *testing.T) {
	ids := rapid.OneOf(rapid.SampledFrom([]uint32{0, 1, 2, nobody, 1<<32 - 2}), rapid.Uint32Max(1<<32-2))
	rapid.Check(t, func(t *rapid.T) {
		a, b, other := ids.Draw(t, "a"), ids.Draw(t, "b"), ids.Draw(t, "other")
		all := exchange(a, b)
		want := map[uint32]uint32{other: other, a: b, b: a}
		for from, to := range want {
			if got, ok := mapped(all, from); !ok || got != to {
				t.Fatalf("%d becomes %d, want %d", from, got, to)
			}
		}
		var size uint64
		for _, m := range all {
			size += uint64(m.Size)
		}
		if size != 1<<32-1 {
			t.Fatalf("%d ids are mapped", size)
		}
	})
}

func mapped(all []specs.LinuxIDMapping, id uint32) (to uint32, ok bool) {
	for _, m := range all {
		if id >= m.ContainerID && id-m.ContainerID < m.Size {
			return m.HostID + (id - m.ContainerID), true
		}
	}
	return 0, false
}

// A link that leads out is not followed.
func TestSourceBeneath(t *testing.T) {
	dir := t.TempDir()
	for _, path := range []string{"fs/a", "outside"} {
		if err := os.MkdirAll(filepath.Join(dir, path), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Symlink("../outside", filepath.Join(dir, "fs/out")); err != nil {
		t.Fatal(err)
	}
	directory, err := openBeneath(filepath.Join(dir, "fs"), "a")
	if err != nil {
		t.Fatal(err)
	}
	directory.Close()
	for _, name := range []string{"out", "..", "../outside", "none"} {
		if directory, err := openBeneath(filepath.Join(dir, "fs"), name); err == nil {
			t.Errorf("%s was opened", name)
			directory.Close()
		}
	}
}
