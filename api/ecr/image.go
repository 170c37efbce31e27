package ecr

import (
	"context"
	"iter"

	"fargo"
	"fargo/api/page"
	"fargo/aws"
	"fargo/aws/ecr"
	"fargo/record"
	"fargo/store"
)

var errPagedImageIDs = ecr.InvalidParameterException("Invalid parameter: maxResults and nextToken cannot be used with imageIds")

const badDigest = "Invalid request parameters: image digest should satisfy the regex '[a-zA-Z0-9-_+.]+:[a-fA-F0-9]+'"

// quoted shows a member of an image id in a text, as ECR does.
func quoted(p *string) string {
	if p == nil {
		return "null"
	}
	return *p
}

func imageNotFound(s fargo.Scope, repository string, id ecr.ImageIdentifier) error {
	return ecr.ImageNotFoundException("The image with imageId {imageDigest:'%s', imageTag:'%s'} does not exist within the repository with name '%s' in the registry with id '%s'",
		quoted(id.ImageDigest), quoted(id.ImageTag), repository, s.Account)
}

// findImage finds the image an id means, or says what is wrong with the id.
func findImage(r store.Reader, repository *record.Repository, id ecr.ImageIdentifier) (*record.RepositoryImage, *ecr.ImageFailure) {
	fail := func(code ecr.ImageFailureCode, reason string) (*record.RepositoryImage, *ecr.ImageFailure) {
		return nil, &ecr.ImageFailure{ImageId: &id, FailureCode: code, FailureReason: &reason}
	}
	s, name := repository.Scope, repository.Name()
	if id.ImageDigest == nil && id.ImageTag == nil {
		return fail(ecr.ImageFailureCodeMissingDigestAndTag, "Invalid request parameters: both tag and digest cannot be null")
	}
	if id.ImageDigest != nil && !isDigest(*id.ImageDigest) {
		return fail(ecr.ImageFailureCodeInvalidImageDigest, badDigest)
	}
	var image *record.RepositoryImage
	var ok bool
	if id.ImageDigest != nil {
		image, ok = store.Images.Get(r, record.ImageKey(s, name, *id.ImageDigest))
	} else {
		image, ok = store.ImageByTag(r, s, name, *id.ImageTag)
	}
	if !ok {
		return fail(ecr.ImageFailureCodeImageNotFound, "Requested image not found")
	}
	if id.ImageDigest != nil && id.ImageTag != nil && !hasTag(image, *id.ImageTag) {
		return fail(ecr.ImageFailureCodeImageTagDoesNotMatchDigest, "Requested image tag does not match the digest")
	}
	return image, nil
}

// findOne finds the image of an operation on one.
func findOne(v store.Reader, r *record.Repository, id ecr.ImageIdentifier) (*record.RepositoryImage, error) {
	i, failure := findImage(v, r, id)
	switch {
	case failure == nil:
		return i, nil
	case failure.FailureCode == ecr.ImageFailureCodeImageNotFound || failure.FailureCode == ecr.ImageFailureCodeImageTagDoesNotMatchDigest:
		return nil, imageNotFound(r.Scope, r.Name(), id)
	}
	return nil, ecr.InvalidParameterException("%s", *failure.FailureReason)
}

// wanted reports whether an image is among those a filter lets through.
func wanted(i *record.RepositoryImage, tags ecr.TagStatus, status ecr.ImageStatusFilter) bool {
	if status != "" && status != ecr.ImageStatusFilterAny && string(status) != string(i.Image.ImageStatus) {
		return false
	}
	switch tags {
	case ecr.TagStatusTagged:
		return len(i.Image.ImageTags) > 0
	case ecr.TagStatusUntagged:
		return len(i.Image.ImageTags) == 0
	}
	return true
}

// imagesOf gives a repository's images that a filter lets through.
func imagesOf(r store.Reader, repository *record.Repository, tags ecr.TagStatus, status ecr.ImageStatusFilter) iter.Seq[*record.RepositoryImage] {
	return func(yield func(*record.RepositoryImage) bool) {
		for i := range store.Images.Prefix(r, record.ImageKey(repository.Scope, repository.Name(), "")) {
			if wanted(i, tags, status) && !yield(i) {
				return
			}
		}
	}
}

// ListImages shows the ids of a repository's images: one for each tag, and one
// for each image that has none.
func (s *Server) ListImages(ctx context.Context, in *ecr.ListImagesInput) (*ecr.ListImagesOutput, error) {
	v, r, err := s.view(ctx, in.RegistryId, in.RepositoryName)
	if err != nil {
		return nil, err
	}
	filter := aws.Value(in.Filter)
	ids := func(yield func(ecr.ImageIdentifier) bool) {
		for i := range imagesOf(v, r, filter.TagStatus, filter.ImageStatus) {
			for _, id := range idsOf(i) {
				if !yield(id) {
					return
				}
			}
		}
	}
	key := func(id ecr.ImageIdentifier) string { return *id.ImageDigest + " " + aws.Value(id.ImageTag) }
	all, next, err := page.Of(pages.Ask(in, in.NextToken, in.MaxResults), ids, key)
	return &ecr.ListImagesOutput{ImageIds: all, NextToken: next}, err
}

// idsOf gives an image's ids: one for each tag, or one without.
func idsOf(i *record.RepositoryImage) []ecr.ImageIdentifier {
	if len(i.Image.ImageTags) == 0 {
		return []ecr.ImageIdentifier{{ImageDigest: i.Image.ImageDigest}}
	}
	ids := make([]ecr.ImageIdentifier, len(i.Image.ImageTags))
	for n := range i.Image.ImageTags {
		ids[n] = ecr.ImageIdentifier{ImageDigest: i.Image.ImageDigest, ImageTag: &i.Image.ImageTags[n]}
	}
	return ids
}

// DescribeImages shows what is known of a repository's images.
func (s *Server) DescribeImages(ctx context.Context, in *ecr.DescribeImagesInput) (*ecr.DescribeImagesOutput, error) {
	v, r, err := s.view(ctx, in.RegistryId, in.RepositoryName)
	if err != nil {
		return nil, err
	}
	out := &ecr.DescribeImagesOutput{ImageDetails: []ecr.ImageDetail{}}
	if len(in.ImageIds) > 0 {
		if in.NextToken != nil || in.MaxResults != nil {
			return nil, errPagedImageIDs
		}
		for _, id := range in.ImageIds {
			i, err := findOne(v, r, id)
			if err != nil {
				return nil, err
			}
			out.ImageDetails = append(out.ImageDetails, i.Image)
		}
		return out, nil
	}
	filter := aws.Value(in.Filter)
	images, next, err := page.Of(pages.Ask(in, in.NextToken, in.MaxResults), imagesOf(v, r, filter.TagStatus, filter.ImageStatus), (*record.RepositoryImage).Digest)
	for _, i := range images {
		out.ImageDetails = append(out.ImageDetails, i.Image)
	}
	out.NextToken = next
	return out, err
}

// BatchGetImage gives the manifests of images.
func (s *Server) BatchGetImage(ctx context.Context, in *ecr.BatchGetImageInput) (*ecr.BatchGetImageOutput, error) {
	v, r, err := s.view(ctx, in.RegistryId, in.RepositoryName)
	if err != nil {
		return nil, err
	}
	out := &ecr.BatchGetImageOutput{Images: []ecr.Image{}, Failures: []ecr.ImageFailure{}}
	for _, id := range in.ImageIds {
		i, failure := findImage(v, r, id)
		if failure == nil && i.Image.ImageStatus == ecr.ImageStatusArchived {
			failure = &ecr.ImageFailure{ImageId: &id, FailureCode: ecr.ImageFailureCodeImageInaccessible, FailureReason: new(archivedText(i))}
		}
		if failure == nil && !accepts(in.AcceptedMediaTypes, *i.Image.ImageManifestMediaType) {
			failure = &ecr.ImageFailure{
				ImageId: &id, FailureCode: ecr.ImageFailureCodeImageNotFound,
				FailureReason: new("Requested image has the media type " + *i.Image.ImageManifestMediaType + ", which is not among those accepted"),
			}
		}
		if failure != nil {
			out.Failures = append(out.Failures, *failure)
			continue
		}
		manifest, err := s.blobs.Manifest(ctx, r.Scope, r.Name(), i.Digest())
		if err != nil {
			return nil, err
		}
		if err := s.RecordPull(ctx, i); err != nil {
			return nil, err
		}
		out.Images = append(out.Images, apiImage(i, id.ImageTag, manifest))
	}
	return out, nil
}

// accepts reports whether mediaType is among those accepted; no list accepts
// all. ECR could make another manifest of an old one; we give what was pushed.
func accepts(accepted []string, mediaType string) bool {
	for _, t := range accepted {
		if t == mediaType {
			return true
		}
	}
	return len(accepted) == 0
}

func apiImage(i *record.RepositoryImage, tag *string, manifest []byte) ecr.Image {
	return ecr.Image{
		RegistryId: i.Image.RegistryId, RepositoryName: i.Image.RepositoryName,
		ImageId:       &ecr.ImageIdentifier{ImageDigest: i.Image.ImageDigest, ImageTag: tag},
		ImageManifest: new(string(manifest)), ImageManifestMediaType: i.Image.ImageManifestMediaType,
	}
}
