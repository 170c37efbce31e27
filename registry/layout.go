package registry

import (
	"path/filepath"
	"strings"

	"github.com/distribution/reference"
	"github.com/opencontainers/go-digest"

	"fargo"
)

// The layout of distribution's storage, version 2, below Storage.dir:
//
//	docker/registry/v2/blobs/sha256/<2 hex>/<64 hex>/data
//	docker/registry/v2/repositories/<name>/_layers/sha256/<64 hex>/link
//	docker/registry/v2/repositories/<name>/_manifests/revisions/sha256/<64 hex>/link
//	docker/registry/v2/repositories/<name>/_uploads/<id>/…
//
// A link says that a repository has a blob. Its tags (_manifests/tags) are not
// used: a tag is a record of the catalog.
const (
	blobsDir        = "docker/registry/v2/blobs"
	repositoriesDir = "docker/registry/v2/repositories"
	layersPart      = "_layers"
	revisionsPart   = "_manifests/revisions"
	uploadsPart     = "_uploads"
)

// storedName is the name of a repository on disk.
func storedName(s fargo.Scope, repository string) string { return s.Key(repository) }

// namedRepository is storedName as distribution wants it. The name is refused
// when it is not a repository name at all, or with its scope longer than the
// 255 characters distribution allows.
func namedRepository(s fargo.Scope, repository string) (reference.Named, error) {
	return reference.WithName(storedName(s, repository))
}

// blobDir holds a blob's data file.
func (s *Storage) blobDir(d digest.Digest) string {
	return filepath.Join(s.dir, blobsDir, string(d.Algorithm()), d.Encoded()[:2], d.Encoded())
}

// linkDir holds the link file of a blob in a repository; part is layersPart or
// revisionsPart.
func (s *Storage) linkDir(name, part string, d digest.Digest) string {
	return filepath.Join(s.dir, repositoriesDir, name, part, string(d.Algorithm()), d.Encoded())
}

// parseLink takes the path of a link file below repositoriesDir apart.
func parseLink(path string) (name, part string, d digest.Digest, ok bool) {
	for _, part := range []string{layersPart, revisionsPart} {
		name, rest, ok := strings.Cut(path, "/"+part+"/")
		if !ok {
			continue
		}
		p := strings.Split(rest, "/")
		if len(p) != 3 || p[2] != "link" {
			return "", "", "", false
		}
		d := digest.NewDigestFromEncoded(digest.Algorithm(p[0]), p[1])
		return name, part, d, d.Validate() == nil
	}
	return "", "", "", false
}

// parseBlob takes the path of a data file below blobsDir apart.
func parseBlob(path string) (d digest.Digest, ok bool) {
	p := strings.Split(path, "/")
	if len(p) != 4 || p[3] != "data" {
		return "", false
	}
	d = digest.NewDigestFromEncoded(digest.Algorithm(p[0]), p[2])
	return d, d.Validate() == nil
}
