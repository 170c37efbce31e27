package node

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"fargo/desired"
)

// output ships what containers write. The shim appends a container's output to
// the file logs/<runtime id>, whoever lives or dies; beside it <runtime id>.json
// says where it goes and how far it has been delivered. Files outlive tasks:
// they go when all that is in them is delivered.
type output struct {
	disk    disk
	link    Link
	watcher Watcher
	log     *slog.Logger

	mu struct {
		sync.Mutex
		start   func(*outlet) // nil until open
		outlets map[string]*outlet
	}
}

// cursor is what is kept of a file across restarts.
type cursor struct {
	Target    desired.LogTarget `json:"target"`
	Delivered int64             `json:"delivered"` // position up to which the control plane has it
	Sealed    bool              `json:"sealed,omitempty"`
	Dropped   bool              `json:"dropped,omitempty"` // the group or stream was deleted
}

func newOutput(disk disk, link Link, watcher Watcher, log *slog.Logger) *output {
	o := &output{disk: disk, link: link, watcher: watcher, log: log}
	o.mu.outlets = map[string]*outlet{}
	return o
}

// path is the file that a container's output is appended to.
func (o *output) path(id string) string { return filepath.Join(o.disk.logs(), id) }

// open resumes the files that are there and ships until ctx ends. Those that
// are not growing are whole.
func (o *output) open(ctx context.Context, all *sync.WaitGroup, growing func(id string) bool) error {
	grown, err := o.watcher.Watch(ctx, o.disk.logs())
	if err != nil {
		return err
	}
	entries, err := os.ReadDir(o.disk.logs())
	if err != nil {
		return fmt.Errorf("resuming logs: %w", err)
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	o.mu.start = func(l *outlet) {
		all.Go(func() {
			l.run(ctx)
			o.mu.Lock()
			defer o.mu.Unlock()
			delete(o.mu.outlets, l.id)
		})
	}
	for _, e := range entries {
		if id, ok := strings.CutSuffix(e.Name(), ".json"); ok && o.mu.outlets[id] == nil {
			l := newOutlet(o, id)
			err := load(l.cursorPath(), &l.cursor)
			if errors.Is(err, errBroken) {
				o.log.Error("output is dropped: where it goes is not known", "container", id, "err", err)
				l.cursor, err = cursor{Dropped: true}, o.disk.putAside(l.cursorPath())
			}
			if err != nil {
				return fmt.Errorf("resuming logs: %w", err)
			}
			o.mu.outlets[id] = l
		}
	}
	for id, l := range o.mu.outlets {
		if !growing(id) {
			l.seal()
		}
		o.mu.start(l)
	}
	all.Go(func() { o.follow(grown) })
	return nil
}

// begin makes a container's file, unless it is there.
func (o *output) begin(id string, target desired.LogTarget) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.mu.outlets[id] != nil {
		return nil
	}
	l := newOutlet(o, id)
	err := load(l.cursorPath(), &l.cursor)
	if errors.Is(err, fs.ErrNotExist) {
		l.cursor = cursor{Target: target}
		err = l.save()
	}
	if err != nil {
		return fmt.Errorf("beginning log %s: %w", id, err)
	}
	o.mu.outlets[id] = l
	if o.mu.start != nil {
		o.mu.start(l)
	}
	return nil
}

// finish says that a container's file is whole and waits until all of it is
// delivered. It may be repeated.
func (o *output) finish(ctx context.Context, id string) error {
	o.mu.Lock()
	l := o.mu.outlets[id]
	o.mu.Unlock()
	if l == nil {
		return nil
	}
	l.seal()
	select {
	case <-l.finished:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// follow tells outlets that their files have grown.
func (o *output) follow(grown <-chan string) {
	for name := range grown {
		o.mu.Lock()
		if name != "" {
			if l := o.mu.outlets[name]; l != nil {
				wake(l.kick)
			}
		} else {
			for _, l := range o.mu.outlets {
				wake(l.kick)
			}
		}
		o.mu.Unlock()
	}
}

func (l *outlet) cursorPath() string { return l.output.path(l.id) + ".json" }

// save keeps the cursor.
func (l *outlet) save() error {
	data, err := json.Marshal(l.cursor)
	if err != nil {
		return err
	}
	return update(l.cursorPath(), data, 0o600)
}
