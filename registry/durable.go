package registry

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"github.com/distribution/distribution/v3/registry/storage/driver"
	"github.com/distribution/distribution/v3/registry/storage/driver/factory"
)

// durable is distribution's filesystem driver with the missing half of
// durability. The driver syncs what is in a file, but not the directories that
// lead to it once it has been moved into place, so a blob it has acknowledged
// may be gone after a power cut.
type durable struct {
	driver.StorageDriver
	dir string
}

// Move implements [driver.StorageDriver].
func (d *durable) Move(ctx context.Context, from, to string) error {
	if err := d.StorageDriver.Move(ctx, from, to); err != nil {
		return err
	}
	return d.sync(to)
}

// PutContent implements [driver.StorageDriver].
func (d *durable) PutContent(ctx context.Context, path string, content []byte) error {
	if err := d.StorageDriver.PutContent(ctx, path, content); err != nil {
		return err
	}
	return d.sync(path)
}

// sync makes the directories above path durable, up to the root of the storage.
// All of them: any may have been made a moment ago, and not only by us. What
// belongs to an upload is not worth it: a client begins a lost one again.
func (d *durable) sync(path string) error {
	if strings.Contains(path, "/"+uploadsPart+"/") {
		return nil
	}
	for dir := filepath.Join(d.dir, filepath.Dir(path)); ; dir = filepath.Dir(dir) {
		if err := syncDir(dir); err != nil {
			return err
		}
		if len(dir) <= len(d.dir) {
			return nil
		}
	}
}

func syncDir(path string) error {
	dir, err := os.Open(path)
	if err != nil {
		return fmt.Errorf("sync directory: %w", err)
	}
	defer dir.Close()
	if err := dir.Sync(); err != nil {
		return fmt.Errorf("sync directory %s: %w", path, err)
	}
	return nil
}

// driverName is what distribution's handler finds our driver under. It takes
// drivers by name from a registry of the whole process, so the name leads to a
// factory that hands out the driver in its parameters.
const driverName = "fargo"

type handOver struct{}

// Create implements [factory.StorageDriverFactory].
func (handOver) Create(_ context.Context, parameters map[string]any) (driver.StorageDriver, error) {
	return parameters["driver"].(driver.StorageDriver), nil
}

var registerDriver = sync.OnceFunc(func() { factory.Register(driverName, handOver{}) })
