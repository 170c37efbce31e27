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
	"time"

	"fargo/desired"
)

// output ships what containers write. The shim appends a container's output to
// the file logs/<runtime id>, whichever process is alive; next to it <runtime id>.json
// says where it goes and how far it has been delivered, which the shim reads when the
// container's desired.LogBuffer is full. Files outlive tasks:
// they go when all that is in them is delivered.
type output struct {
	disk    disk
	link    Link
	watcher Watcher
	log     *slog.Logger
	// routerTimeout is how long a container's output waits for its log router after its end.
	routerTimeout time.Duration

	mu struct {
		sync.Mutex
		start    func(*shipper) // nil until open
		shippers map[string]*shipper
	}
}

// cursor is what is kept of a file across restarts.
type cursor struct {
	Target    desired.LogTarget `json:"target"`
	Delivered int64             `json:"delivered"` // position up to which the control plane has it
	Sealed    bool              `json:"sealed,omitempty"`
	Dropped   bool              `json:"dropped,omitempty"` // the group or stream was deleted
	Records   bool              `json:"records,omitempty"` // the file is one of [Records]
	Route     *route            `json:"route,omitempty"`   // it goes to a log router, and not to Target
}

func newOutput(disk disk, link Link, watcher Watcher, log *slog.Logger) *output {
	o := &output{disk: disk, link: link, watcher: watcher, log: log, routerTimeout: shipTimeout}
	o.mu.shippers = map[string]*shipper{}
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
	o.mu.start = func(s *shipper) {
		all.Go(func() {
			s.run(ctx)
			o.mu.Lock()
			defer o.mu.Unlock()
			delete(o.mu.shippers, s.id)
		})
	}
	for _, e := range entries {
		if id, ok := strings.CutSuffix(e.Name(), ".json"); ok && o.mu.shippers[id] == nil {
			s := newShipper(o, id)
			err := load(s.cursorPath(), &s.cursor)
			if errors.Is(err, errBroken) {
				o.log.Error("output is dropped: where it goes is not known", "container", id, "err", err)
				s.cursor, err = cursor{Dropped: true}, o.disk.putAside(s.cursorPath())
			}
			if err != nil {
				return fmt.Errorf("resuming logs: %w", err)
			}
			o.mu.shippers[id] = s
		}
	}
	for id, s := range o.mu.shippers {
		if !s.cursor.Records && !growing(id) {
			s.seal()
		}
		o.mu.start(s)
	}
	all.Go(func() { o.follow(grown) })
	return nil
}

// begin makes a container's file, unless it is there.
func (o *output) begin(id string, target desired.LogTarget) error {
	return o.beginAt(id, cursor{Target: target})
}

// beginAt makes a file with a cursor, unless it is there.
func (o *output) beginAt(id string, c cursor) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.mu.shippers[id] != nil {
		return nil
	}
	s := newShipper(o, id)
	err := load(s.cursorPath(), &s.cursor)
	if errors.Is(err, fs.ErrNotExist) {
		s.cursor = c
		err = s.save()
	}
	if err != nil {
		return fmt.Errorf("beginning log %s: %w", id, err)
	}
	o.mu.shippers[id] = s
	if o.mu.start != nil {
		o.mu.start(s)
	}
	return nil
}

// finish says that a container's file is whole and waits until all of it is
// delivered. It may be repeated.
func (o *output) finish(ctx context.Context, id string) error {
	o.mu.Lock()
	s := o.mu.shippers[id]
	o.mu.Unlock()
	if s == nil {
		return nil
	}
	s.seal()
	select {
	case <-s.finished:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// seal says that a file grows no more; when discard is true, it is not worth a new stream.
func (o *output) seal(id string, discard bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if s := o.mu.shippers[id]; s != nil {
		s.unopened.Store(discard)
		s.seal()
	}
}

// follow wakes the shippers of files that have grown.
func (o *output) follow(grown <-chan string) {
	for name := range grown {
		o.mu.Lock()
		if name != "" {
			if s := o.mu.shippers[name]; s != nil {
				wake(s.wakeUp)
			}
		} else {
			for _, s := range o.mu.shippers {
				wake(s.wakeUp)
			}
		}
		o.mu.Unlock()
	}
}

func (s *shipper) cursorPath() string { return s.output.path(s.id) + ".json" }

// save keeps the cursor.
func (s *shipper) save() error {
	data, err := json.Marshal(s.cursor)
	if err != nil {
		return err
	}
	return update(s.cursorPath(), data, 0o600)
}
