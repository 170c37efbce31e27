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

// durable is distribution's filesystem driver, made durable. The driver syncs a file,
// but not the directories above it after it has moved the file into place, so a blob
// that it has acknowledged may be lost by a power cut.
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

// sync syncs the directories above path, up to the root of the storage: any of them
// may be new. Uploads are not synced: a client begins a lost one again.
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

// driverName is the name of our driver for distribution's handler. The handler takes
// drivers by name from a registry of the whole process, so the name is that of a
// factory that returns the driver in its parameters.
const driverName = "fargo"

type driverFactory struct{}

// Create implements [factory.StorageDriverFactory].
func (driverFactory) Create(_ context.Context, parameters map[string]any) (driver.StorageDriver, error) {
	return parameters["driver"].(driver.StorageDriver), nil
}

var registerDriver = sync.OnceFunc(func() { factory.Register(driverName, driverFactory{}) })
