package containerd

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"github.com/containerd/containerd/v2/core/mount"
	continuity "github.com/containerd/continuity/fs"

	"fargo"
)

// copyUp fills the empty sources of mounts that want it with what the root file
// system has at their targets: files, owners and modes.
func copyUp(ctx context.Context, rootfs []mount.Mount, mounts []fargo.Mount) error {
	var wanting []fargo.Mount
	for _, m := range mounts {
		if !m.CopyUp {
			continue
		}
		entries, err := os.ReadDir(m.Source)
		if err != nil {
			return fmt.Errorf("volume at %s: %w", m.Target, err)
		}
		if len(entries) == 0 {
			wanting = append(wanting, m)
		}
	}
	if len(wanting) == 0 {
		return nil
	}
	return mount.WithReadonlyTempMount(ctx, rootfs, func(root string) error {
		for _, m := range wanting {
			from, err := continuity.RootPath(root, m.Target)
			if err != nil {
				return fmt.Errorf("volume at %s: %w", m.Target, err)
			}
			info, err := os.Stat(from)
			if errors.Is(err, fs.ErrNotExist) || err == nil && !info.IsDir() {
				continue // the image has nothing to give
			}
			if err == nil {
				err = continuity.CopyDir(m.Source, from)
			}
			if err != nil {
				return fmt.Errorf("fill volume at %s: %w", m.Target, err)
			}
		}
		return nil
	})
}
