// Package audit keeps the audit log of an installation: lines of JSON in files of
// bounded size, number and age. It knows files, and that a line must not be lost when
// the process is killed; it refuses to know what the lines tell.
package audit

import (
	"errors"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"time"

	"gopkg.in/natefinch/lumberjack.v2"
)

// What is kept: a file that is full is compressed, and the oldest ones are removed. CloudTrail's event history has 90 days too.
const (
	fileName     = "events.jsonl"
	maxFile      = 64 // MB
	maxFiles     = 64 // compressed ones, of some 5 MB each
	maxAge       = 90 // days
	maxBuffered  = 64 << 10
	maxWaiting   = time.Second
	inaccessible = 0o700
)

// Log is an audit log. [Open] makes it.
type Log struct {
	dir    string
	logger *slog.Logger
	files  io.WriteCloser
	mu     struct {
		sync.Mutex
		buffered []byte
		// torn says that the last line in the file may be cut off.
		torn    bool
		lost    int // lines, since the last one that was written
		closed  bool
		waiting bool // for the timer to write what is buffered
	}
}

// Open opens the log in a directory, which is made if need be.
func Open(dir string, logger *slog.Logger) (*Log, error) {
	if err := os.MkdirAll(dir, inaccessible); err != nil {
		return nil, err
	}
	file := filepath.Join(dir, fileName)
	torn, err := endsTorn(file)
	if err != nil {
		return nil, err
	}
	l := &Log{dir: dir, logger: logger, files: &lumberjack.Logger{Filename: file, MaxSize: maxFile, MaxBackups: maxFiles, MaxAge: maxAge}}
	l.mu.torn = torn
	return l, nil
}

// endsTorn reports whether a file ends within a line: the machine, or its disk, has
// stopped while the line was written.
func endsTorn(file string) (bool, error) {
	f, err := os.Open(file)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	defer f.Close()
	if _, err := f.Seek(-1, io.SeekEnd); err != nil {
		return false, nil //nolint:nilerr // it is empty
	}
	var last [1]byte
	if _, err := io.ReadFull(f, last[:]); err != nil {
		return false, err
	}
	return last[0] != '\n', nil
}

// Append appends a line, which has no newline. With now it is in the file when Append
// returns, with all lines before it: it is kept when the process is killed. Without, this
// takes a second at most. A line that cannot be written is lost, which is logged: a full
// disk does not keep requests from being answered.
func (l *Log) Append(line []byte, now bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.mu.buffered = append(append(l.mu.buffered, line...), '\n')
	switch {
	case now || l.mu.closed || len(l.mu.buffered) >= maxBuffered:
		l.write()
	case !l.mu.waiting:
		l.mu.waiting = true
		time.AfterFunc(maxWaiting, func() {
			l.mu.Lock()
			defer l.mu.Unlock()
			l.mu.waiting = false
			l.write()
		})
	}
}

// write writes what is buffered.
func (l *Log) write() {
	if len(l.mu.buffered) == 0 {
		return
	}
	if l.mu.torn {
		l.mu.buffered = append([]byte{'\n'}, l.mu.buffered...)
	}
	n, err := l.files.Write(l.mu.buffered)
	l.mu.torn = err != nil && (n > 0 || l.mu.torn)
	if err != nil {
		if l.mu.lost == 0 {
			l.logger.Error("calls are missing in the audit log", "err", err)
		}
		l.mu.lost++
	} else if l.mu.lost > 0 {
		l.logger.Warn("the audit log is written again", "failed", l.mu.lost)
		l.mu.lost = 0
	}
	l.mu.buffered = l.mu.buffered[:0]
}

// Close writes what is buffered and closes the file.
func (l *Log) Close() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.mu.closed = true
	l.write()
	return l.files.Close()
}
