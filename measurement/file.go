package measurement

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"fargo/desired"
)

// kept is a measurement as it is on disk, with the counts that it ends with.
type kept struct {
	Measurements desired.Measurements `json:"measurements"`
	Counts       counts               `json:"counts"`
}

// folder keeps the measurements that the control plane has not taken yet, and the last one:
// a file each.
type folder struct{ dir string }

const suffix = ".json"

func (f folder) path(number uint64) string {
	return filepath.Join(f.dir, fmt.Sprintf("%020d%s", number, suffix))
}

// save keeps a measurement, so that also a machine that loses its power has it.
func (f folder) save(k *kept) error {
	data, err := json.Marshal(k)
	if err != nil {
		return err
	}
	path := f.path(k.Measurements.Number)
	if err := writeSynced(path+".new", data); err != nil {
		return fmt.Errorf("keeping a measurement: %w", err)
	}
	return os.Rename(path+".new", path)
}

func writeSynced(path string, data []byte) (err error) {
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	if _, err := file.Write(data); err != nil {
		return err
	}
	return file.Sync()
}

// numbers are those of the measurements that are kept, in their order.
func (f folder) numbers() ([]uint64, error) {
	entries, err := os.ReadDir(f.dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	var all []uint64
	for _, e := range entries {
		var n uint64
		if _, err := fmt.Sscanf(e.Name(), "%d"+suffix, &n); err == nil && filepath.Base(f.path(n)) == e.Name() {
			all = append(all, n)
		}
	}
	slices.SortFunc(all, cmp.Compare)
	return all, nil
}

// load reads a measurement. One that is damaged is as good as none.
func (f folder) load(number uint64) (*kept, error) {
	data, err := os.ReadFile(f.path(number))
	if err != nil {
		return nil, err
	}
	var k kept
	if err := json.Unmarshal(data, &k); err != nil || k.Measurements.Number != number {
		return nil, errors.Join(errDamaged, err)
	}
	return &k, nil
}

var errDamaged = errors.New("the file of a measurement is damaged")

func (f folder) remove(number uint64) error {
	if err := os.Remove(f.path(number)); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}
