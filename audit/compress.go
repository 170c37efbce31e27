package audit

import (
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

const (
	compressedSuffix = ".gz"
	unfinishedSuffix = ".new"
	// compressEvery is how often it is looked for full files.
	compressEvery = time.Minute
	// lowestPriority is for work that others must not wait for. Source: sched(7).
	lowestPriority = 19
)

// Run compresses files that are full until ctx ends. It does so in a thread of the lowest
// priority: when there are so many calls that files fill up quickly, all time that it takes
// would be missing for them.
func (l *Log) Run(ctx context.Context) error {
	runtime.LockOSThread() // for good: the thread ends with its goroutine
	if err := unix.Setpriority(unix.PRIO_PROCESS, unix.Gettid(), lowestPriority); err != nil {
		l.logger.Warn("the audit log is compressed at the priority of everything else", "err", err)
	}
	tick := time.NewTicker(compressEvery)
	defer tick.Stop()
	for {
		if err := compressFull(ctx, l.dir); err != nil && ctx.Err() == nil {
			l.logger.Error("a full file of the audit log is not compressed", "err", err)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

// compressFull compresses the files in a directory that are not written to any more.
func compressFull(ctx context.Context, dir string) error {
	name, suffix, _ := strings.Cut(fileName, ".")
	full, err := filepath.Glob(filepath.Join(dir, name+"-*."+suffix))
	if err != nil {
		return err
	}
	slices.Sort(full) // by their times: the oldest first
	for _, path := range full {
		if err := compress(ctx, path); err != nil {
			return fmt.Errorf("%s: %w", filepath.Base(path), err)
		}
	}
	return nil
}

// compress replaces a file by a compressed one. Killed at any time, it leaves one of them
// whole, or both.
func compress(ctx context.Context, path string) (err error) {
	from, err := os.Open(path)
	if err != nil {
		return err
	}
	defer from.Close()
	unfinished := path + unfinishedSuffix
	to, err := os.OpenFile(unfinished, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.Remove(unfinished))
		}
	}()
	w := gzip.NewWriter(to)
	_, err = io.Copy(w, untilDone{ctx, from})
	if err = errors.Join(err, w.Close(), to.Sync(), to.Close()); err != nil {
		return err
	}
	if err := os.Rename(unfinished, path+compressedSuffix); err != nil {
		return err
	}
	return os.Remove(path)
}

// untilDone is a reader that ends with a context.
type untilDone struct {
	ctx context.Context //nolint:containedctx // of one copy
	r   io.Reader
}

func (u untilDone) Read(p []byte) (int, error) {
	if err := u.ctx.Err(); err != nil {
		return 0, err
	}
	return u.r.Read(p)
}
