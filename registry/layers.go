package registry

import (
	"bytes"
	"encoding/json"
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

// serveContent answers with content of a digest, all or a range of it.
func serveContent(w http.ResponseWriter, r *request, mediaType, dgst string, content io.ReadSeeker) {
	h := w.Header()
	h.Set("Content-Type", mediaType)
	h.Set("Docker-Content-Digest", dgst)
	h.Set("Etag", `"`+dgst+`"`)
	http.ServeContent(w, r.Request, "", time.Time{}, content)
}

// beginUpload begins an upload, or mounts a blob from another repository that
// the client may pull from. Where that may not be, the client uploads.
func (s *Server) beginUpload(w http.ResponseWriter, r *request) error {
	q := r.URL.Query()
	from, mount := q.Get("from"), q.Get("mount")
	q.Del("from")
	if d, err := digest.Parse(mount); err == nil && from != "" && s.mayMount(r, from) {
		s.Storage.refresh(storedName(r.scope, from), d)
		q.Set("from", storedName(r.scope, from))
	}
	r.URL.RawQuery = q.Encode()
	return s.upload(w, r)
}

func (s *Server) mayMount(r *request, from string) bool {
	return s.authorize(r, actionPullLayer, from) == nil && s.Catalog.MayMount(r.Context(), r.scope, from, r.repository)
}

// endUpload completes an upload, which becomes a blob.
func (s *Server) endUpload(w http.ResponseWriter, r *request) error {
	if d, err := digest.Parse(r.URL.Query().Get("digest")); err == nil {
		s.Storage.refresh(storedName(r.scope, r.repository), d)
	}
	return s.upload(w, r)
}

// upload hands a request over to distribution's handler, which knows the
// repository by its name on disk.
func (s *Server) upload(w http.ResponseWriter, r *request) error {
	if err := s.checkSpace(r); err != nil {
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
	if r.Method == http.MethodPost {
		// As a form, the body could name what to mount, which nobody has looked at.
		there.Header.Del("Content-Type")
	}
	there.Body = &measuredBody{ReadCloser: r.Body, space: s.Storage.Writable}
	answer := &uploadWriter{ResponseWriter: w, from: "/v2/" + r.scope.Key(), to: "/v2/"}
	s.layers.ServeHTTP(answer, there)
	if answer.refused >= http.StatusInternalServerError {
		if err := s.Storage.Writable(); err != nil {
			return err
		}
	}
	return answer.refusal()
}

// checkSpace refuses a request that adds to an upload when the disk is full.
func (s *Server) checkSpace(r *request) error {
	switch r.Method {
	case http.MethodPost, http.MethodPatch, http.MethodPut:
		return s.Storage.Writable()
	}
	return nil
}

// checkUpload refuses client errors that distribution's handler would answer with
// 500. The texts are ours.
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

// measuredBody is a body that ends with an error when the disk is full.
type measuredBody struct {
	io.ReadCloser
	space func() error
	left  int // bytes until the free space is measured again
}

// checkInterval is the bytes between two measurements of the free space.
const checkInterval = 4 << 20

// Read implements [io.Reader].
func (m *measuredBody) Read(p []byte) (int, error) {
	if m.left <= 0 {
		if err := m.space(); err != nil {
			return 0, err
		}
		m.left = checkInterval
	}
	n, err := m.ReadCloser.Read(p)
	m.left -= n
	return n, err
}

// uploadWriter passes on what distribution's handler answers, without the scope in the
// Location. It keeps refusals back, whose details are not for clients.
type uploadWriter struct {
	http.ResponseWriter
	from, to string
	refused  int // the status of a refusal, 0 when there is none
	body     bytes.Buffer
}

// WriteHeader implements [http.ResponseWriter].
func (w *uploadWriter) WriteHeader(status int) {
	if status >= http.StatusBadRequest {
		w.refused = status
		return
	}
	h := w.Header()
	if rest, ok := strings.CutPrefix(h.Get("Location"), w.from); ok {
		h.Set("Location", w.to+rest)
	}
	w.ResponseWriter.WriteHeader(status)
}

// Write implements [http.ResponseWriter].
func (w *uploadWriter) Write(p []byte) (int, error) {
	if w.refused != 0 {
		return w.body.Write(p)
	}
	return w.ResponseWriter.Write(p)
}

// Unwrap is for [http.ResponseController].
func (w *uploadWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// refusal is the error that the handler has answered with, if it has.
func (w *uploadWriter) refusal() error {
	if w.refused == 0 {
		return nil
	}
	var said struct{ Errors []apiError }
	if json.Unmarshal(w.body.Bytes(), &said) != nil || len(said.Errors) == 0 {
		return &apiError{w.refused, "UNKNOWN", http.StatusText(w.refused)}
	}
	return &apiError{w.refused, said.Errors[0].Code, said.Errors[0].Message}
}
