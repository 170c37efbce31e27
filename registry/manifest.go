package registry

import (
	"cmp"
	"encoding/json"
	"mime"
	"slices"

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
	MediaType    string            `json:"mediaType"`
	ArtifactType string            `json:"artifactType"`
	Config       v1.Descriptor     `json:"config"`
	Layers       []v1.Descriptor   `json:"layers"`
	Manifests    []v1.Descriptor   `json:"manifests"`
	Subject      *v1.Descriptor    `json:"subject"`
	Annotations  map[string]string `json:"annotations"`
}

// parseManifest checks a manifest's text and describes the image it makes. mediaType
// is what the client calls it, and may be empty.
func parseManifest(scope fargo.Scope, repository, mediaType string, text []byte) (distribution.Manifest, *record.RepositoryImage, error) {
	var o manifestFields
	if err := json.Unmarshal(text, &o); err != nil {
		return nil, nil, errNotManifest
	}
	mediaType, err := o.mediaType(mediaType)
	if err != nil {
		return nil, nil, err
	}
	m, _, err := distribution.UnmarshalManifest(mediaType, text)
	if err != nil || o.Subject != nil && isNoDigest(*o.Subject) || slices.ContainsFunc(m.References(), isNoDigest) {
		return nil, nil, errNotManifest
	}
	return m, o.image(scope, repository, mediaType, digest.FromBytes(text)), nil
}

func isNoDigest(d v1.Descriptor) bool { return d.Digest.Validate() != nil }

// mediaType is the type of the manifest, by what the client calls it and by what it
// says itself. One of the two is enough; two that differ are refused, unless the
// client's is none of a manifest.
// Source: OCI Distribution Specification, "Pushing Manifests"; ECR API,
// PutImage.imageManifestMediaType.
func (o *manifestFields) mediaType(given string) (string, error) {
	if parsed, _, err := mime.ParseMediaType(given); err == nil {
		given = parsed
	}
	switch {
	case given == "" && o.MediaType == "":
		return "", errNoMediaType
	case isManifestType(given) && (o.MediaType == "" || o.MediaType == given):
		return given, nil
	case !isManifestType(given) && isManifestType(o.MediaType):
		return o.MediaType, nil
	}
	return "", errNotManifest
}

func isManifestType(mediaType string) bool {
	switch mediaType {
	case dockerManifest, dockerList, v1.MediaTypeImageManifest, v1.MediaTypeImageIndex:
		return true
	}
	return false
}

// What is wrong with a manifest, ECR tells no more of than this.
// Source: public reports of pushes of what ECR does not know.
var (
	errNotManifest = ecr.InvalidParameterException("Invalid parameter at 'ImageManifest' failed to satisfy constraint: 'Invalid JSON syntax'")
	errNoMediaType = ecr.InvalidParameterException("image manifest mediatype not provided in manifest or parameter")
)

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
	}
	if t := o.artifactType(); t != "" {
		i.Image.ArtifactMediaType = &t
	}
	if o.Subject != nil {
		i.Image.SubjectManifestDigest = new(o.Subject.Digest.String())
	}
	return i
}

// artifactType is what a manifest is the manifest of.
// Source: OCI Distribution Specification, "Listing Referrers".
func (o *manifestFields) artifactType() string { return cmp.Or(o.ArtifactType, o.Config.MediaType) }

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
