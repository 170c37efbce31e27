package containerd

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/containerd/containerd/v2/core/mount"

	"fargo/containerd/confined"
	"fargo/host"
)

// copyUp fills the empty sources of mounts that want it with what the root file
// system has at their targets: files, owners and modes.
func (r *Runtime) copyUp(ctx context.Context, rootfs []mount.Mount, mounts []host.Mount) error {
	wanting := map[string]string{}
	for _, m := range mounts {
		if !m.CopyUp {
			continue
		}
		empty, err := isEmpty(m.Source)
		if err != nil {
			return fmt.Errorf("volume at %s: %w", m.Target, err)
		}
		if empty {
			wanting[m.Target] = m.Source
		}
	}
	if len(wanting) == 0 {
		return nil
	}
	_, err := r.confine(ctx, r.readers, confined.Request{Fill: &confined.Fill{
		Root: rootfs, To: wanting, MaxBytes: usualRoom, MaxEntries: maxEntries,
	}})
	return err
}

// isEmpty looks at no more than one entry of a directory: another container may
// have put any number there.
func isEmpty(dir string) (bool, error) {
	opened, err := os.Open(dir)
	if err != nil {
		return false, err
	}
	defer opened.Close()
	_, err = opened.Readdirnames(1)
	if errors.Is(err, io.EOF) {
		return true, nil
	}
	return false, err
}
