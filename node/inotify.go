package node

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// Inotify is the kernel's watcher. Source: inotify(7).
type Inotify struct{}

// Watch implements [Watcher].
func (Inotify) Watch(ctx context.Context, dir string) (<-chan string, error) {
	fd, err := unix.InotifyInit1(unix.IN_CLOEXEC | unix.IN_NONBLOCK)
	if err != nil {
		return nil, fmt.Errorf("watching %s: %w", dir, err)
	}
	f := os.NewFile(uintptr(fd), "inotify")
	if _, err := unix.InotifyAddWatch(fd, dir, unix.IN_MODIFY); err != nil {
		f.Close()
		return nil, fmt.Errorf("watching %s: %w", dir, err)
	}
	names := make(chan string)
	closed := context.AfterFunc(ctx, func() { f.Close() })
	go func() {
		defer close(names)
		defer closed()
		buf := make([]byte, 64<<10)
		for {
			n, err := f.Read(buf)
			if err != nil {
				return // closed: reading an inotify descriptor fails in no other way
			}
			for _, name := range grown(buf[:n]) {
				select {
				case names <- name:
				case <-ctx.Done():
					return
				}
			}
		}
	}()
	return names, nil
}

// grown gives the names in a run of inotify events, each once; empty when the
// kernel lost some.
func grown(events []byte) (names []string) {
	seen := map[string]bool{}
	for len(events) >= unix.SizeofInotifyEvent {
		mask := binary.NativeEndian.Uint32(events[4:])
		size := unix.SizeofInotifyEvent + int(binary.NativeEndian.Uint32(events[12:]))
		name := string(bytes.TrimRight(events[unix.SizeofInotifyEvent:size], "\x00"))
		if mask&unix.IN_Q_OVERFLOW != 0 {
			name = ""
		}
		if !seen[name] {
			seen[name] = true
			names = append(names, name)
		}
		events = events[size:]
	}
	return names
}
