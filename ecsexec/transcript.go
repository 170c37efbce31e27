package ecsexec

import (
	"errors"
	"fmt"
	"os"
	"sync"

	"fargo/desired"
)

// transcript keeps the beginning of what a client was shown in a file. Nothing that goes
// wrong with it disturbs the session: Close tells.
type transcript struct {
	path string
	mu   sync.Mutex
	file *os.File
	size int   // of what is kept
	lost int64 // bytes that are not
	err  error
}

func newTranscript(path string) *transcript { return &transcript{path: path} }

// noteSize is left for what Close may have to add.
const noteSize = 128

// Write implements [io.Writer]. It never fails.
func (t *transcript) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.file == nil && t.err == nil {
		t.file, t.err = os.OpenFile(t.path, os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o600)
	}
	room := max(desired.MaxTranscript-noteSize-t.size, 0)
	if t.err != nil {
		room = 0
	}
	n := min(len(p), room)
	t.lost += int64(len(p) - n)
	t.size += n
	if n > 0 {
		_, t.err = t.file.Write(p[:n])
	}
	return len(p), nil
}

// Close completes the file: it says what is not there.
func (t *transcript) Close() error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.file == nil {
		return t.err
	}
	if t.lost > 0 && t.err == nil {
		_, t.err = fmt.Fprintf(t.file, "\n[%d bytes more were not kept]\n", t.lost)
	}
	return errors.Join(t.err, t.file.Close())
}
