package registry

import (
	"encoding/json"
	"errors"
	"fmt"
	"mime"

	"github.com/distribution/distribution/v3"
	_ "github.com/distribution/distribution/v3/manifest/manifestlist" // the manifests there are
	_ "github.com/distribution/distribution/v3/manifest/ocischema"
	_ "github.com/distribution/distribution/v3/manifest/schema2"
	"github.com/opencontainers/go-digest"
	v1 "github.com/opencontainers/image-spec/specs-go/v1"

	"fargo"
	"fargo/aws/ecr"
	"fargo/record"
)

// The media types of Docker's manifests; OCI's are in image-spec.
const (
	dockerManifest = "application/vnd.docker.distribution.manifest.v2+json"
	dockerList     = "application/vnd.docker.distribution.manifest.list.v2+json"
)

// maxManifest bounds a manifest's text, in bytes.
// Source: OCI Distribution Specification, "Pushing Manifests".
const maxManifest = 4 << 20

// manifestFields is what we read of a manifest ourselves, image or index.
type manifestFields struct {
	MediaType string          `json:"mediaType"`
	Config    v1.Descriptor   `json:"config"`
	Layers    []v1.Descriptor `json:"layers"`
	Manifests []v1.Descriptor `json:"manifests"`
	Subject   *v1.Descriptor  `json:"subject"`
}

// parseManifest checks a manifest's text and describes the image it makes.
// mediaType is what the client calls it; without one, the text must say.
func parseManifest(scope fargo.Scope, repository, mediaType string, text []byte) (distribution.Manifest, *record.RepositoryImage, error) {
	var o manifestFields
	if json.Unmarshal(text, &o) != nil {
		return nil, nil, invalidManifest(errNotJSON)
	}
	if mediaType == "" {
		mediaType = o.MediaType
	}
	mediaType, _, err := mime.ParseMediaType(mediaType)
	if err != nil {
		return nil, nil, invalidManifest(errNoMediaType)
	}
	switch mediaType {
	case dockerManifest, dockerList, v1.MediaTypeImageManifest, v1.MediaTypeImageIndex:
	default:
		return nil, nil, invalidManifest(fmt.Errorf("media type %q is not that of an image manifest or index", mediaType))
	}
	m, _, err := distribution.UnmarshalManifest(mediaType, text)
	if err != nil {
		return nil, nil, invalidManifest(errNotJSON)
	}
	return m, o.image(scope, repository, mediaType, digest.FromBytes(text)), nil
}

var (
	errNotJSON     = errors.New("Invalid JSON syntax")
	errNoMediaType = errors.New("no media type of an image manifest or index")
)

func invalidManifest(err error) error {
	return ecr.InvalidParameterException("Invalid parameter at 'ImageManifest' failed to satisfy constraint: '%v'", err)
}

// image is the record of a manifest. The size of an index is not here: it is
// that of its largest child, which the catalog knows.
func (o *manifestFields) image(scope fargo.Scope, repository, mediaType string, d digest.Digest) *record.RepositoryImage {
	i := &record.RepositoryImage{Scope: scope, Image: ecr.ImageDetail{
		RegistryId:             &scope.Account,
		RepositoryName:         &repository,
		ImageDigest:            new(d.String()),
		ImageManifestMediaType: &mediaType,
		ImageStatus:            ecr.ImageStatusActive,
	}}
	for _, child := range o.Manifests {
		i.Children = append(i.Children, child.Digest.String())
	}
	if i.Children == nil {
		size := o.Config.Size
		for _, layer := range o.Layers {
			size += layer.Size
		}
		i.Image.ImageSizeInBytes = &size
		i.Image.ArtifactMediaType = &o.Config.MediaType
	}
	if o.Subject != nil {
		i.Image.SubjectManifestDigest = new(o.Subject.Digest.String())
	}
	return i
}

// references are the digests of what a manifest needs to be there: children or
// configuration and layers.
func references(text []byte) ([]digest.Digest, error) {
	var o manifestFields
	if err := json.Unmarshal(text, &o); err != nil {
		return nil, err
	}
	all := make([]digest.Digest, 0, 1+len(o.Layers)+len(o.Manifests))
	if o.Config.Digest != "" {
		all = append(all, o.Config.Digest)
	}
	for _, list := range [][]v1.Descriptor{o.Layers, o.Manifests} {
		for _, d := range list {
			all = append(all, d.Digest)
		}
	}
	return all, nil
}
