package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"sync"
	"time"

	api "github.com/containerd/containerd/api/runtime/task/v3"
	"golang.org/x/sys/unix"
)

// outputAnnotation is a [bound] in JSON: how much of a container's output may wait in its
// file. Package containerd of Fargo writes it. Without it there is no bound.
const outputAnnotation = "fargo.output"

const (
	askAgain   = 20 * time.Millisecond // until there is room for what a container waits to write
	drainLimit = 10 * time.Second      // for what is left when a container has ended, as containerd's
	pieceSize  = 32 << 10
)

// outputs are the files of the containers that have a bound, by the container's id.
type outputs struct {
	mu sync.Mutex
	of map[string][]*outputFile
}

// outputFile is one file of a container's output. What the container writes comes by a
// named pipe, of which containerd's service knows nothing but the name.
type outputFile struct {
	pipe  *os.File
	held  *os.File // a writer of the pipe: its end does not come before the container's
	file  *os.File
	queue queue
	ended chan struct{} // closed when the container has ended: nothing waits any more
	done  chan struct{} // closed when all is in the file
}

// interpose puts pipes in the place of the files that a container's output is to go to,
// and copies what comes through them within the bound.
func (o *outputs) interpose(r *api.CreateTaskRequest) error {
	b, err := boundOf(r.Bundle)
	if err != nil || b == nil || r.Stdout == "" {
		return err
	}
	var files []*outputFile
	pipeOf := map[string]string{}
	for _, stream := range []struct {
		path *string
		name string
	}{{&r.Stdout, "stdout"}, {&r.Stderr, "stderr"}} {
		path := filepath.Clean(*stream.path)
		switch pipe, known := pipeOf[path]; {
		case *stream.path == "":
			continue
		case known:
			// One file: containerd is to open its pipe once for each of the two.
			*stream.path = filepath.Dir(pipe) + "/./" + filepath.Base(pipe)
			continue
		}
		f, err := openOutput(path, filepath.Join(r.Bundle, stream.name), *b)
		if err != nil {
			for _, f := range files {
				f.close()
			}
			return err
		}
		pipeOf[path], *stream.path = f.pipe.Name(), f.pipe.Name()
		files = append(files, f)
	}
	for _, f := range files {
		go f.copy()
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	o.of[r.ID] = files
	return nil
}

// boundOf reads the annotation of a bundle's specification; nil when there is none.
func boundOf(bundle string) (*bound, error) {
	stored, err := os.ReadFile(filepath.Join(bundle, "config.json"))
	if err != nil || !bytes.Contains(stored, []byte(outputAnnotation)) {
		return nil, err
	}
	var spec struct {
		Annotations map[string]string `json:"annotations"`
	}
	if err := json.Unmarshal(stored, &spec); err != nil || spec.Annotations[outputAnnotation] == "" {
		return nil, err
	}
	var b bound
	return &b, json.Unmarshal([]byte(spec.Annotations[outputAnnotation]), &b)
}

func openOutput(path, pipe string, b bound) (*outputFile, error) {
	if err := unix.Mkfifo(pipe, 0o600); err != nil && !errors.Is(err, unix.EEXIST) {
		return nil, &os.PathError{Op: "mkfifo", Path: pipe, Err: err}
	}
	f := &outputFile{ended: make(chan struct{}), done: make(chan struct{})}
	var err, err2, err3 error
	f.held, err = os.OpenFile(pipe, os.O_RDWR, 0) // waits for nobody: fifo(7)
	if err == nil {
		f.pipe, err2 = os.OpenFile(pipe, os.O_RDONLY, 0)
		f.file, err3 = os.OpenFile(path, os.O_WRONLY|os.O_APPEND|os.O_CREATE, 0o600)
	}
	if err := errors.Join(err, err2, err3); err != nil {
		f.close()
		return nil, err
	}
	info, err := f.file.Stat()
	if err != nil {
		f.close()
		return nil, err
	}
	f.queue = queue{bound: b, size: info.Size()}
	return f, nil
}

// close lets go of what is open.
func (f *outputFile) close() {
	for _, file := range []*os.File{f.held, f.pipe, f.file} {
		if file != nil {
			file.Close()
		}
	}
}

// end says that a container has ended, or was never made, so that what is left of its
// output goes to its files whatever the bound.
func (o *outputs) end(id string) (files []*outputFile) {
	o.mu.Lock()
	defer o.mu.Unlock()
	files = o.of[id]
	delete(o.of, id)
	for _, f := range files {
		close(f.ended)
		f.held.Close()
	}
	return files
}

// await returns when all that files were given is in them, or it takes too long.
func await(files []*outputFile) {
	enough := time.After(drainLimit)
	for _, f := range files {
		select {
		case <-f.done:
		case <-enough:
			return
		}
	}
}

// copy writes to the file what comes through the pipe, until its last writer closes it.
func (f *outputFile) copy() {
	defer close(f.done)
	defer f.file.Close()
	defer f.pipe.Close()
	buf := make([]byte, pieceSize)
	for {
		n, err := f.pipe.Read(buf)
		f.write(buf[:n])
		if err != nil {
			return // it is closed: reading a pipe fails in no other way
		}
	}
}

// write writes what the queue takes of p, and waits where it says so.
func (f *outputFile) write(p []byte) {
	for asked := false; len(p) > 0; {
		n, what := f.queue.next(p, f.over())
		switch {
		case what == ask && !asked:
			asked = true
			f.ask()
			continue
		case what == ask && f.queue.Blocking:
			f.pause()
			f.ask()
			continue
		case what == ask:
			n = f.queue.skip(p)
		case what == keep:
			written, err := f.file.Write(p[:n])
			f.queue.wrote(p[:written])
			if err != nil { // the disk is full: a container does not wait for that
				f.queue.lose(p)
				n = len(p)
			}
		}
		p = p[n:]
	}
}

// over reports whether the container has ended.
func (f *outputFile) over() bool {
	select {
	case <-f.ended:
		return true
	default:
		return false
	}
}

func (f *outputFile) pause() {
	select {
	case <-f.ended:
	case <-time.After(askAgain):
	}
}

// ask reads what the node notes of a file next to it: how much is delivered, and whether
// what comes is not delivered any more, so that there is nothing to wait for.
func (f *outputFile) ask() {
	content, err := os.ReadFile(f.file.Name() + ".json")
	if err != nil {
		return
	}
	var cursor struct {
		Delivered int64 `json:"delivered"`
		Dropped   bool  `json:"dropped"`
	}
	if json.Unmarshal(content, &cursor) != nil {
		return // being written: later
	}
	f.queue.delivered = cursor.Delivered
	if cursor.Dropped {
		f.queue.delivered = f.queue.size
	}
}

// Delete deletes what is left of a process. A container's output is in its files then.
func (s service) Delete(ctx context.Context, r *api.DeleteRequest) (*api.DeleteResponse, error) {
	if r.ExecID != "" {
		return s.TTRPCTaskService.Delete(ctx, r)
	}
	files := s.outputs.end(r.ID)
	answer, err := s.TTRPCTaskService.Delete(ctx, r)
	await(files)
	return answer, err
}
