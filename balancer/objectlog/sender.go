package objectlog

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/containerd/errdefs"

	"fargo/desired"
)

const (
	// sendEvery is how often it is looked for files. Delivery on AWS is a matter of
	// minutes: "Log delivery is eventually consistent".
	sendEvery = 30 * time.Second
	// shortest is the time between two looks at any pace.
	shortest = time.Second
	// abandoned is the age of an empty file whose process died before it wrote anything.
	abandoned = time.Hour
)

// Sender sends the files of logs that nobody writes to any more to their buckets, and
// removes them then. Those that a process has left when it was killed are among them: of
// such a file at most the lines of its last second are missing. A file is sent again when
// it is not known whether it arrived, and is the same object.
type Sender struct {
	Dir Dir
	// Put puts an object into its bucket. It waits for the control plane for as long as
	// ctx lasts. errdefs.IsNotFound holds for the error when the bucket does not take it.
	Put    func(ctx context.Context, o desired.LogObject) error
	Logger *slog.Logger
}

// Run sends files until ctx ends.
func (s *Sender) Run(ctx context.Context) error {
	tick := time.NewTicker(max(s.Dir.Pace.Of(sendEvery), shortest))
	defer tick.Stop()
	for {
		if err := s.Send(ctx); err != nil && ctx.Err() == nil {
			s.Logger.Error("logs of load balancers are not sent", "err", err)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

// Send sends all files that nobody writes to.
func (s *Sender) Send(ctx context.Context) error {
	var errs []error
	err := filepath.WalkDir(s.Dir.Root, func(path string, e fs.DirEntry, err error) error {
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case errors.Is(err, fs.ErrNotExist):
			return nil
		case err != nil:
			return err
		case e.Type().IsRegular() && strings.HasSuffix(path, suffix):
			errs = append(errs, s.send(ctx, path))
		}
		return nil
	})
	return errors.Join(append(errs, err)...)
}

// send sends a file, unless somebody writes to it.
func (s *Sender) send(ctx context.Context, path string) error {
	file, err := take(path)
	if file == nil {
		return err
	}
	defer file.Close()
	switch info, err := file.Stat(); {
	case err != nil:
		return err
	case info.Size() == 0 && time.Since(info.ModTime()) < abandoned:
		return nil // it is about to be locked
	case info.Size() > 0:
		if err := s.put(ctx, path, file); err != nil {
			return err
		}
	}
	if err := os.Remove(path); err != nil {
		return fmt.Errorf("sent log: %w", err)
	}
	for dir := filepath.Dir(path); dir != s.Dir.Root && os.Remove(dir) == nil; {
		dir = filepath.Dir(dir)
	}
	return nil
}

// put puts a file's lines, compressed, to where the file's name says.
func (s *Sender) put(ctx context.Context, path string, file io.Reader) error {
	name, err := filepath.Rel(s.Dir.Root, path)
	if err != nil {
		return err
	}
	o := desired.LogObject{}
	o.Bucket, o.Name, _ = strings.Cut(filepath.ToSlash(name)+".gz", "/")
	var compressed bytes.Buffer
	w := gzip.NewWriter(&compressed)
	if _, err := io.Copy(w, file); err != nil {
		return fmt.Errorf("log %s: %w", name, err)
	}
	if err := w.Close(); err != nil {
		return fmt.Errorf("log %s: %w", name, err)
	}
	o.Content = compressed.Bytes()
	err = s.Put(ctx, o)
	if errdefs.IsNotFound(err) {
		s.Logger.Warn("a log of a load balancer is lost: its bucket does not take it", "bucket", o.Bucket, "key", o.Name, "why", err)
		return nil
	}
	return err
}
