package registry

import (
	"encoding/json"
	"fmt"
	"net/http"

	"github.com/opencontainers/go-digest"
	v1 "github.com/opencontainers/image-spec/specs-go/v1"
)

// referrersPage bounds a page of referrers, in bytes of their descriptors.
const referrersPage = 1 << 20

// listReferrers answers with an index of what refers to a manifest: signatures,
// attestations. The manifest itself need not be there.
// Source: OCI Distribution Specification, "Listing Referrers".
func (s *Server) listReferrers(w http.ResponseWriter, r *request) error {
	if digest.Digest(r.reference).Validate() != nil {
		return &apiError{http.StatusBadRequest, "DIGEST_INVALID", "provided digest did not match uploaded content"}
	}
	images, err := s.Catalog.Referrers(r.Context(), r.scope, r.repository, r.reference)
	if err != nil {
		return err
	}
	index := v1.Index{MediaType: v1.MediaTypeImageIndex, Manifests: []v1.Descriptor{}}
	index.SchemaVersion = 2
	q := r.URL.Query()
	kind, last, size := q.Get("artifactType"), q.Get("last"), 0
	for _, i := range images {
		if i.Digest() <= last || isArchived(i) {
			continue
		}
		d, err := s.Storage.Describe(r.Context(), i)
		if err != nil {
			return err
		}
		if kind != "" && d.ArtifactType != kind {
			continue
		}
		if size > referrersPage {
			q.Set("last", index.Manifests[len(index.Manifests)-1].Digest.String())
			w.Header().Set("Link", fmt.Sprintf(`</v2/%s/referrers/%s?%s>; rel="next"`, r.repository, r.reference, q.Encode()))
			break
		}
		index.Manifests = append(index.Manifests, d)
		size += int(d.Size) // its annotations are a part of it
	}
	if kind != "" {
		w.Header().Set("OCI-Filters-Applied", "artifactType")
	}
	w.Header().Set("Content-Type", v1.MediaTypeImageIndex)
	return json.NewEncoder(w).Encode(index)
}
