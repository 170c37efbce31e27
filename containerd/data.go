package containerd

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	bolt "go.etcd.io/bbolt"
)

// errData says that a daemon's data cannot be used.
type errData struct{ error }

// unusable reports whether a daemon could not be started, perhaps for its data.
func unusable(err error) bool {
	var ended errEnded
	var data errData
	return errors.As(err, &ended) || errors.As(err, &data)
}

// checkData opens the databases of a daemon that does not run, which would open
// some of them only when it needs them, and then work no more. What is damaged
// deeper inside ends the daemon when it gets there.
func (d *Daemon) checkData() error {
	for _, name := range []string{"meta.db", "metadata.db"} { // of the daemon, and of snapshotters
		databases, err := filepath.Glob(filepath.Join(d.RootDir, "*", name))
		if err != nil {
			return err
		}
		for _, path := range databases {
			database, err := bolt.Open(path, 0o600, &bolt.Options{ReadOnly: true, Timeout: time.Second})
			if err != nil {
				return errData{fmt.Errorf("%s: %w", path, err)}
			}
			if err := database.Close(); err != nil {
				return err
			}
		}
	}
	return nil
}

// setAside puts the daemon's damaged data out of the way, for whoever wants to
// look into it, and ends the containers that only it knew. The daemon must not
// run.
func (d *Daemon) setAside(ctx context.Context, why error) error {
	aside := d.RootDir + ".damaged-" + time.Now().UTC().Format("20060102T150405Z")
	d.Logger.Error("containerd cannot work with its data, which is put aside; containers are ended, images will be pulled again",
		"data", d.RootDir, "aside", aside, "err", why)
	if err := d.sweep(ctx); err != nil {
		return fmt.Errorf("end what containerd's damaged data was about: %w", err)
	}
	if err := UnmountBelow(d.RootDir); err != nil {
		return err
	}
	return os.Rename(d.RootDir, aside)
}
