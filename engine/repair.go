package engine

import (
	"errors"
	"fmt"
	"io/fs"
	"time"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"
)

// Owner is who knows what is in a directory that is repaired.
type Owner struct {
	// Name says a key as people read it; ok is false for what is none.
	Name func(key []byte) (name string, ok bool)
	// Keep says whether a key is of use; nil keeps all.
	Keep func(key, value []byte) bool
	// Finish sets, when all that is left has been through Keep, what has to be
	// right for the rest to be; nil sets nothing.
	Finish func(set func(key, value []byte) error) error
}

// Repair reads all that is in a directory, and if anything is wrong with it makes a
// new one in its place, with everything that could be read. The old one is kept
// beside it, untouched. Nobody may have the directory open. It may be killed at any
// time, and called again.
func Repair(c Config, owner Owner, now time.Time) (*Report, error) {
	if c.FS == nil {
		c.FS = vfs.Default
	}
	r := &repair{Config: c, owner: owner, backup: c.Dir + ".damaged-" + now.UTC().Format("20060102T150405")}
	report, err := r.run()
	if err != nil {
		return nil, fmt.Errorf("repair %s in %s: %w", c.What, c.Dir, err)
	}
	return report, nil
}

type repair struct {
	Config
	owner  Owner
	backup string
}

// The new directory has these names, with that of the old before them: while it is
// written, and when it is complete. Repair takes an old one away again; where the
// latter is there, it was killed, and has to be called again.
const (
	unfinished = ".repairing"
	Repaired   = ".repaired"
)

func (r *repair) run() (*Report, error) {
	if err := r.exchange(); err != nil { // what an earlier one may have left to do
		return nil, err
	}
	if err := r.FS.RemoveAll(r.Dir + unfinished); err != nil {
		return nil, err
	}
	report, err := r.read(func([]byte, []byte) error { return nil })
	if err != nil || report.Whole() {
		return report, err
	}
	if report, err = r.rebuild(); err != nil {
		return nil, err
	}
	if err := r.FS.Rename(r.Dir+unfinished, r.Dir+Repaired); err != nil {
		return nil, err
	}
	report.Backup = r.backup
	return report, r.exchange()
}

// exchange puts a complete new directory where the old one is.
func (r *repair) exchange() error {
	if _, err := r.FS.Stat(r.Dir + Repaired); err != nil {
		return ignoreMissing(err)
	}
	if err := ignoreMissing(r.FS.Rename(r.Dir, r.backup)); err != nil {
		return err
	}
	if err := r.FS.Rename(r.Dir+Repaired, r.Dir); err != nil {
		return err
	}
	parent, err := r.FS.OpenDir(r.FS.PathDir(r.Dir))
	if err != nil {
		return err
	}
	return errors.Join(parent.Sync(), parent.Close())
}

func ignoreMissing(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

// batchSize is how much is written to the new directory at a time.
const batchSize = 1 << 20

// rebuild reads the old directory and writes a new one.
func (r *repair) rebuild() (*Report, error) {
	c := r.Config
	c.Dir += unfinished
	e, err := Open(c)
	if err != nil {
		return nil, err
	}
	b := e.DB.NewBatch()
	flush := func() error {
		err := e.Write(func() error { return b.Commit(pebble.NoSync) })
		b.Close()
		b = e.DB.NewBatch()
		return err
	}
	set := func(key, value []byte) error {
		if err := b.Set(key, value, nil); err != nil || b.Len() < batchSize {
			return err
		}
		return flush()
	}
	report, err := r.read(set)
	if err == nil && r.owner.Finish != nil {
		err = r.owner.Finish(set)
	}
	if err == nil {
		err = flush()
	}
	b.Close()
	if err == nil {
		err = e.DB.Flush()
	}
	return report, errors.Join(err, e.Close())
}

// read gives every key that is there to sink, with its newest value.
func (r *repair) read(sink func(key, value []byte) error) (*Report, error) {
	s := &salvage{name: r.owner.Name, options: r.Options.Clone(), report: new(Report)}
	s.options.EnsureDefaults()
	var err error
	if s.from, err = look(r.FS, r.Dir); err != nil {
		return nil, err
	}
	if err = s.from.check(&r.Options); err != nil && !errors.As(err, new(*Damage)) {
		return nil, err
	}
	s.report.Damage = err
	if err := s.open(); err != nil {
		return nil, errors.Join(err, s.close())
	}
	err = s.merge(func(key, value []byte) error {
		if r.owner.Keep != nil && !r.owner.Keep(key, value) {
			name, _ := r.owner.Name(key)
			s.report.Dropped = append(s.report.Dropped, name)
			return nil
		}
		s.report.Kept++
		return sink(key, value)
	})
	return s.report, errors.Join(err, s.close())
}
