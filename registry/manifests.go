package registry

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/distribution/reference"
	"github.com/opencontainers/go-digest"

	"fargo"
	"fargo/aws/ecr"
	"fargo/record"
)

// getManifest answers with a manifest by tag or digest.
func (s *Server) getManifest(w http.ResponseWriter, r *request) error {
	image, err := s.Catalog.FindImage(r.Context(), r.scope, r.repository, r.reference)
	if err != nil {
		return err
	}
	if isArchived(image) {
		return &apiError{http.StatusNotFound, "MANIFEST_UNKNOWN", "Requested image is archived and cannot be pulled. Restore it first."}
	}
	text, err := s.Storage.Manifest(r.Context(), r.scope, r.repository, image.Digest())
	if err != nil {
		return fmt.Errorf("manifest of a recorded image: %w", err)
	}
	if r.Method == http.MethodGet {
		// A pull does not fail because it cannot be recorded.
		if err := s.Catalog.RecordPull(r.Context(), image); err != nil && !errors.Is(err, fargo.ErrNotWritable) {
			return err
		}
	}
	serveContent(w, r, *image.Image.ImageManifestMediaType, image.Digest(), bytes.NewReader(text))
	return nil
}

func isArchived(i *record.RepositoryImage) bool {
	return i.Image.ImageStatus == ecr.ImageStatusArchived
}

// deleteManifest deletes an image by tag or digest.
// Source: ECR user guide, "Deleting signatures and other artifacts from an Amazon ECR
// private repository".
func (s *Server) deleteManifest(w http.ResponseWriter, r *request) error {
	if err := s.Catalog.DeleteImage(r.Context(), r.scope, r.repository, r.reference); err != nil {
		return err
	}
	w.WriteHeader(http.StatusAccepted)
	return nil
}

// putManifest stores a manifest under a tag or its digest. It answers when both
// the manifest and its record are durable.
func (s *Server) putManifest(w http.ResponseWriter, r *request) error {
	tag, wanted := r.reference, ""
	if strings.Contains(r.reference, ":") {
		tag, wanted = "", r.reference
	} else if reference.TagRegexp.FindString(tag) != tag {
		return &apiError{http.StatusBadRequest, "TAG_INVALID", "manifest tag did not match URI"}
	}
	text, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxManifest))
	if err != nil {
		if errors.As(err, new(*http.MaxBytesError)) {
			return &apiError{http.StatusRequestEntityTooLarge, "MANIFEST_INVALID", "manifest is larger than 4 MiB"}
		}
		return &apiError{http.StatusBadRequest, "MANIFEST_INVALID", "manifest incomplete"}
	}
	dgst := digest.FromBytes(text).String()
	if wanted != "" && wanted != dgst {
		return &apiError{http.StatusBadRequest, "DIGEST_INVALID", "provided digest did not match uploaded content"}
	}
	image, err := s.Storage.PutManifest(r.Context(), r.scope, r.repository, r.Header.Get("Content-Type"), text)
	if e, _ := translate(err); err != nil && e.Code == "BLOB_UNKNOWN" {
		return &apiError{e.status, "MANIFEST_BLOB_UNKNOWN", e.Message}
	}
	if err != nil {
		return err
	}
	if err := s.Catalog.RecordImage(r.Context(), image, tag); err != nil {
		return err
	}
	w.Header().Set("Location", "/v2/"+r.repository+"/manifests/"+dgst)
	w.Header().Set("Docker-Content-Digest", dgst)
	if subject := image.Image.SubjectManifestDigest; subject != nil {
		w.Header().Set("OCI-Subject", *subject)
	}
	w.WriteHeader(http.StatusCreated)
	return nil
}

// listTags answers with the repository's tags, n of them after last.
// Source: OCI Distribution Specification, "Listing Tags".
func (s *Server) listTags(w http.ResponseWriter, r *request) error {
	tags, err := s.Catalog.ListTags(r.Context(), r.scope, r.repository)
	if err != nil {
		return err
	}
	q := r.URL.Query()
	if last := q.Get("last"); last != "" {
		i, found := slices.BinarySearch(tags, last)
		if found {
			i++
		}
		tags = tags[i:]
	}
	if q.Has("n") {
		n, err := strconv.Atoi(q.Get("n"))
		if err != nil || n < 0 {
			return &apiError{http.StatusBadRequest, "PAGINATION_NUMBER_INVALID", "invalid number of results requested"}
		}
		if n < len(tags) {
			tags = tags[:n]
			if n > 0 {
				next := url.Values{"n": {strconv.Itoa(n)}, "last": {tags[n-1]}}
				w.Header().Set("Link", fmt.Sprintf(`</v2/%s/tags/list?%s>; rel="next"`, r.repository, next.Encode()))
			}
		}
	}
	w.Header().Set("Content-Type", "application/json")
	return json.NewEncoder(w).Encode(struct {
		Name string   `json:"name"`
		Tags []string `json:"tags"`
	}{r.repository, append([]string{}, tags...)})
}
