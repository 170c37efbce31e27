package node

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"

	"fargo/desired"
)

// Records are lines for log streams that parts of the node write, and not containers. A
// file has those of one name; it is shipped as the output of a container is. Each line
// begins with its time, in milliseconds, and what has no stream yet gets one.
type Records struct {
	output *output

	mu struct {
		sync.Mutex
		files map[string]string // ids of files, by name
	}
}

// Records are the node's.
func (n *Node) Records() *Records { return n.records }

func newRecords(o *output) *Records {
	r := &Records{output: o}
	r.mu.files = map[string]string{}
	return r
}

// Open finds the files that are not finished, also those of a process before, and gives
// their names.
func (r *Records) Open() (names []string, err error) {
	entries, err := os.ReadDir(r.output.disk.logs())
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, e := range entries {
		id, ok := strings.CutSuffix(e.Name(), ".json")
		at := strings.LastIndexByte(id, '.')
		if !ok || at < 0 {
			continue // a container's have no dot
		}
		var c cursor
		if load(r.output.path(e.Name()), &c) != nil || !c.Records || c.Sealed {
			continue
		}
		r.mu.files[id[:at]] = id
		names = append(names, id[:at])
	}
	return names, nil
}

// Append writes events under a name, which stands for one target. When it returns, a crash
// of the process loses none of them; after an error none of them was written.
func (r *Records) Append(name string, target desired.LogTarget, events []desired.LogEvent) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	id, known := r.mu.files[name]
	if !known {
		id = name + "." + strconv.FormatInt(time.Now().UnixNano(), 36) // never one that was there before
	}
	if err := r.output.beginAt(id, cursor{Target: target, Records: true}); err != nil {
		return err
	}
	r.mu.files[name] = id
	if err := appendLines(r.output.path(id), events); err != nil {
		return fmt.Errorf("records of %s: %w", name, err)
	}
	return nil
}

// appendLines adds a line for each event, or nothing. A line that a crash has cut short is
// ended before.
func appendLines(path string, events []desired.LogEvent) error {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return err
	}
	size := info.Size()
	var lines bytes.Buffer
	last := []byte{'\n'}
	if size > 0 {
		if _, err := f.ReadAt(last, size-1); err != nil {
			return err
		}
	}
	if last[0] != '\n' {
		lines.WriteByte('\n')
	}
	for _, e := range events {
		fmt.Fprintf(&lines, "%d %s\n", e.Timestamp, e.Message)
	}
	if _, err := f.WriteAt(lines.Bytes(), size); err != nil {
		return errors.Join(err, f.Truncate(size))
	}
	return nil
}

// Finish says that nothing more is written under a name. Its file goes when all that is in
// it has been delivered. When discard is true, what has no stream is dropped instead: a log
// group that was deleted does not come back.
func (r *Records) Finish(name string, discard bool) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	id, known := r.mu.files[name]
	if !known {
		return nil
	}
	if err := r.output.beginAt(id, cursor{Dropped: true}); err != nil { // it is there
		return err
	}
	delete(r.mu.files, name)
	r.output.seal(id, discard)
	return nil
}

// stamped takes the time from the beginning of a record. A line without one is what a
// crash has left of a record: it has no message.
func stamped(text string) (timestamp int64, message string) {
	time, message, _ := strings.Cut(text, " ")
	timestamp, err := strconv.ParseInt(time, 10, 64)
	if err != nil {
		return 0, ""
	}
	return timestamp, message
}
