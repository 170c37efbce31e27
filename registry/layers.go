package registry

import (
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/opencontainers/go-digest"
)

// getLayer answers with a blob, or a range of it.
func (s *Server) getLayer(w http.ResponseWriter, r *request) error {
	f, err := s.Storage.openLayer(r.Context(), r.scope, r.repository, r.reference)
	if err != nil {
		return err
	}
	defer f.Close()
	serveContent(w, r, "application/octet-stream", r.reference, f)
	return nil
}

// serveContent answers with what has a digest, all or a range of it.
func serveContent(w http.ResponseWriter, r *request, mediaType, dgst string, content io.ReadSeeker) {
	h := w.Header()
	h.Set("Content-Type", mediaType)
	h.Set("Docker-Content-Digest", dgst)
	h.Set("Etag", `"`+dgst+`"`)
	http.ServeContent(w, r.Request, "", time.Time{}, content)
}

// beginUpload makes an upload, or mounts a blob from another repository that
// the client may pull from.
func (s *Server) beginUpload(w http.ResponseWriter, r *request) error {
	q := r.URL.Query()
	from, mount := q.Get("from"), q.Get("mount")
	q.Del("from")
	if d, err := digest.Parse(mount); err == nil && from != "" && s.authorize(r, actionPullLayer, from) == nil {
		s.Storage.keep(storedName(r.scope, from), d)
		q.Set("from", storedName(r.scope, from))
	}
	r.URL.RawQuery = q.Encode()
	return s.upload(w, r)
}

// endUpload makes a blob of an upload.
func (s *Server) endUpload(w http.ResponseWriter, r *request) error {
	if d, err := digest.Parse(r.URL.Query().Get("digest")); err == nil {
		s.Storage.keep(storedName(r.scope, r.repository), d)
	}
	return s.upload(w, r)
}

// upload hands a request over to distribution's handler, which knows the
// repository by its name on disk.
func (s *Server) upload(w http.ResponseWriter, r *request) error {
	if err := s.roomFor(r); err != nil {
		return err
	}
	name, err := namedRepository(r.scope, r.repository)
	if err != nil {
		return &apiError{http.StatusBadRequest, "NAME_INVALID", "invalid repository name"}
	}
	if err := checkUpload(r); err != nil {
		return err
	}
	there := r.Clone(r.Context())
	there.URL.Path = "/v2/" + name.Name() + "/blobs/uploads/" + r.reference
	there.URL.RawPath = ""
	there.Body = &measured{ReadCloser: r.Body, room: s.Storage.Writable}
	answer := &renamed{ResponseWriter: w, from: "/v2/" + r.scope.Key(), to: "/v2/", room: s.Storage.Writable}
	s.layers.ServeHTTP(answer, there)
	return answer.failure
}

// roomFor refuses what would add to an upload when there is no room for it.
func (s *Server) roomFor(r *request) error {
	switch r.Method {
	case http.MethodPost, http.MethodPatch, http.MethodPut:
		return s.Storage.Writable()
	}
	return nil
}

// checkUpload refuses what distribution's handler would answer with 500 though it
// is the client's fault. The texts are ours.
// Source: OCI Distribution Specification, "Pushing a blob in chunks".
func checkUpload(r *request) error {
	if said := r.Header.Get("Content-Range"); said != "" && !isContentRange(said) {
		return &apiError{http.StatusRequestedRangeNotSatisfiable, "RANGE_INVALID", "Content-Range is not <first>-<last>, or out of range"}
	}
	if said := r.Header.Get("Content-Type"); r.Method == http.MethodPatch && said != "" && said != "application/octet-stream" {
		return &apiError{http.StatusUnsupportedMediaType, "UNSUPPORTED", "a chunk's Content-Type is application/octet-stream"}
	}
	return nil
}

// isContentRange reports whether s is two offsets that a file can have.
func isContentRange(s string) bool {
	first, last, ok := strings.Cut(s, "-")
	for _, offset := range []string{first, last} {
		if _, err := strconv.ParseUint(offset, 10, 63); err != nil {
			return false
		}
	}
	return ok
}

// measured is a body that ends with an error when there is no room for more of it.
type measured struct {
	io.ReadCloser
	room func() error
	left int // bytes until the room is measured again
}

// measureEvery is how much is taken between two looks at the room.
const measureEvery = 4 << 20

// Read implements [io.Reader].
func (m *measured) Read(p []byte) (int, error) {
	if m.left <= 0 {
		if err := m.room(); err != nil {
			return 0, err
		}
		m.left = measureEvery
	}
	n, err := m.ReadCloser.Read(p)
	m.left -= n
	return n, err
}

// renamed takes the scope out of the Location of an answer.
//
// An answer that something went wrong on our side is held back when there is no
// room, which is then what went wrong: failure says so.
type renamed struct {
	http.ResponseWriter
	from, to string
	room     func() error
	failure  error
}

// WriteHeader implements [http.ResponseWriter].
func (w *renamed) WriteHeader(status int) {
	if status >= http.StatusInternalServerError {
		if w.failure = w.room(); w.failure != nil {
			return
		}
	}
	h := w.Header()
	if rest, ok := strings.CutPrefix(h.Get("Location"), w.from); ok {
		h.Set("Location", w.to+rest)
	}
	w.ResponseWriter.WriteHeader(status)
}

// Write implements [http.ResponseWriter].
func (w *renamed) Write(p []byte) (int, error) {
	if w.failure != nil {
		return len(p), nil
	}
	return w.ResponseWriter.Write(p)
}

// Unwrap gives [http.ResponseController] the writer behind.
func (w *renamed) Unwrap() http.ResponseWriter { return w.ResponseWriter }
