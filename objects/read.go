package objects

import (
	"errors"
	"fmt"
	"io"
	"os"

	"fargo/record"
)

// Reader reads a range of contents. While it is not closed, none of its files is
// removed.
type Reader struct {
	store *Store
	held  []record.Blob
	left  []piece // what is to be read, in order
	file  *os.File
}

// piece is a range of a file.
type piece struct {
	blob         record.Blob
	offset, size int64
}

// Read gives a reader of size bytes from an offset on of contents that are in several
// files. The range must be within them. Whoever found the files in a record looks
// whether the record is still the same: before Read returned, they may have been
// removed.
func (s *Store) Read(blobs []record.Blob, offset, size int64) (*Reader, error) {
	r := &Reader{store: s, held: blobs, left: pieces(blobs, offset, size)}
	s.hold(blobs)
	if err := r.next(); err != nil && !errors.Is(err, io.EOF) {
		return nil, errors.Join(err, r.Close())
	}
	return r, nil
}

// pieces are the ranges of files that make up a range of all.
func pieces(blobs []record.Blob, offset, size int64) (all []piece) {
	for _, b := range blobs {
		if n := min(b.Size-offset, size); n > 0 {
			all = append(all, piece{b, offset, n})
			offset, size = offset+n, size-n
		}
		offset -= b.Size
	}
	return all
}

func (s *Store) hold(blobs []record.Blob) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, b := range blobs {
		s.mu.readers[b.ID]++
	}
}

func (s *Store) release(blobs []record.Blob) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, b := range blobs {
		if s.mu.readers[b.ID]--; s.mu.readers[b.ID] > 0 {
			continue
		}
		delete(s.mu.readers, b.ID)
		if s.mu.removed[b.ID] {
			delete(s.mu.removed, b.ID)
			s.unlink(b.ID)
		}
	}
}

// next opens the file of the first piece that is left; io.EOF when there is none.
func (r *Reader) next() error {
	if r.file != nil {
		err := r.file.Close()
		if r.file = nil; err != nil {
			return err
		}
	}
	if len(r.left) == 0 {
		return io.EOF
	}
	f, err := os.Open(r.store.path(r.left[0].blob.ID))
	if err != nil {
		return fmt.Errorf("read an object: %w", err)
	}
	r.file = f
	if _, err := f.Seek(r.left[0].offset, io.SeekStart); err != nil {
		return fmt.Errorf("read an object: %w", err)
	}
	return nil
}

// Read implements [io.Reader].
func (r *Reader) Read(p []byte) (int, error) {
	for len(r.left) > 0 {
		first := &r.left[0]
		n, err := r.file.Read(p[:min(int64(len(p)), first.size)])
		first.size -= int64(n)
		switch {
		case n > 0:
			return n, nil
		case err != nil && !errors.Is(err, io.EOF), first.size > 0 && errors.Is(err, io.EOF):
			return 0, errShort(first.blob, err)
		case first.size > 0:
			return 0, nil // p is empty
		}
		r.left = r.left[1:]
		if err := r.next(); err != nil {
			return 0, err
		}
	}
	return 0, io.EOF
}

// WriteTo implements [io.WriterTo]: files go to a socket without being copied.
func (r *Reader) WriteTo(w io.Writer) (written int64, err error) {
	for len(r.left) > 0 {
		first := r.left[0]
		n, err := io.Copy(w, &io.LimitedReader{R: r.file, N: first.size})
		written += n
		if err == nil && n < first.size {
			err = errShort(first.blob, io.ErrUnexpectedEOF)
		}
		if err != nil {
			return written, err
		}
		r.left = r.left[1:]
		if err := r.next(); err != nil && !errors.Is(err, io.EOF) {
			return written, err
		}
	}
	return written, nil
}

// errShort is the error of a file that is shorter than its record says.
func errShort(b record.Blob, err error) error {
	return fmt.Errorf("read an object: file %s: %w", b.ID, err)
}

// Close ends reading. It may be called again.
func (r *Reader) Close() error {
	r.left = nil
	r.store.release(r.held)
	r.held = nil
	if r.file == nil {
		return nil
	}
	err := r.file.Close()
	r.file = nil
	return err
}
