package registry

import (
	"context"
	"iter"

	"fargo"
	"fargo/record"
)

// The actions a client needs for what it does here, as IAM names them.
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
)

// Catalog knows the repositories, their images and who may use them. Errors a
// client should see are AWS errors (*protocol.Error); the server says them in
// the registry's protocol. All methods may be called at the same time.
type Catalog interface {
	// Login finds whom a password was given to. One that is no good, or no
	// longer, is an AccessDeniedException.
	Login(ctx context.Context, password string) (record.RegistryGrant, error)

	// Authorize returns nil if the repository is there and the principal may
	// do action in it; else RepositoryNotFoundException or
	// AccessDeniedException.
	Authorize(ctx context.Context, g record.RegistryGrant, action string, s fargo.Scope, repository string) error

	// FindImage gives the image behind a tag or a digest, or
	// ImageNotFoundException.
	FindImage(ctx context.Context, s fargo.Scope, repository, reference string) (*record.RepositoryImage, error)

	// ListTags gives the repository's tags in order.
	ListTags(ctx context.Context, s fargo.Scope, repository string) ([]string, error)

	// RecordImage writes the record of a manifest that is durable, and moves
	// tag to it unless that is empty. When it returns nil, the record is
	// durable too. It refuses a tag that may not be moved
	// (ImageTagAlreadyExistsException) and an index with a child that is not
	// in the repository (ReferencedImagesNotFoundException). To record what is
	// there already changes nothing and is no error.
	RecordImage(ctx context.Context, i *record.RepositoryImage, tag string) error

	// RecordPull notes that the image was pulled now.
	RecordPull(ctx context.Context, i *record.RepositoryImage) error

	// AllImages gives every image of every account, as of now.
	AllImages() iter.Seq[*record.RepositoryImage]
}
