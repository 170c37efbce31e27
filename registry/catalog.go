package registry

import (
	"context"
	"iter"

	"fargo"
	"fargo/record"
)

// The IAM actions that requests need.
// Source: ECR user guide, "Amazon ECR repository policy examples".
const (
	actionPullManifest = "ecr:BatchGetImage"
	actionPullLayer    = "ecr:GetDownloadUrlForLayer"
	actionCheckLayer   = "ecr:BatchCheckLayerAvailability"
	actionListTags     = "ecr:ListImages"
	actionBeginUpload  = "ecr:InitiateLayerUpload"
	actionUploadPart   = "ecr:UploadLayerPart"
	actionEndUpload    = "ecr:CompleteLayerUpload"
	actionPushManifest = "ecr:PutImage"
	actionDeleteImage  = "ecr:BatchDeleteImage"
)

// Catalog has the repositories, their images and who may use them. Errors for clients
// are AWS errors (*protocol.Error); the server translates them to those of the
// registry's protocol. All methods may be called concurrently.
type Catalog interface {
	// Login finds the principal that a password was given to. One that is invalid
	// or has expired is an AccessDeniedException.
	Login(ctx context.Context, password string) (record.RegistryGrant, error)

	// Authorize returns nil if the repository exists and the principal may do
	// action in it; else RepositoryNotFoundException or
	// AccessDeniedException.
	Authorize(ctx context.Context, g record.RegistryGrant, action string, s fargo.Scope, repository string) error

	// MayMount reports whether a layer of one repository may become one of another
	// without an upload. Whether the client may read it is asked with Authorize.
	MayMount(ctx context.Context, s fargo.Scope, from, to string) bool

	// FindImage returns the image of a tag or a digest, or
	// ImageNotFoundException.
	FindImage(ctx context.Context, s fargo.Scope, repository, reference string) (*record.RepositoryImage, error)

	// ListTags returns the repository's tags in order.
	ListTags(ctx context.Context, s fargo.Scope, repository string) ([]string, error)

	// RecordImage writes the record of a manifest that is durable, and moves
	// tag to it unless that is empty. When it returns nil, the record is
	// durable too. It refuses a tag that may not be moved
	// (ImageTagAlreadyExistsException) and an index with a child that is not
	// in the repository (ReferencedImagesNotFoundException). It is idempotent.
	RecordImage(ctx context.Context, i *record.RepositoryImage, tag string) error

	// Referrers returns the images whose subject is that of a digest, in the order of
	// their digests.
	Referrers(ctx context.Context, s fargo.Scope, repository, digest string) ([]*record.RepositoryImage, error)

	// DeleteImage takes a tag away, or deletes an image: that of a digest, or of
	// its last tag. It refuses what an index lists (InvalidParameterException), and
	// returns ImageNotFoundException.
	DeleteImage(ctx context.Context, s fargo.Scope, repository, reference string) error

	// RecordPull notes that the image was pulled now.
	RecordPull(ctx context.Context, i *record.RepositoryImage) error

	// AllImages returns every image of every account, as of now.
	AllImages() iter.Seq[*record.RepositoryImage]
}
