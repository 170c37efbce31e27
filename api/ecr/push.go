package ecr

import (
	"context"
	"errors"
	"slices"
	"time"

	"fargo/aws"
	"fargo/aws/ecr"
	"fargo/aws/protocol"
	"fargo/record"
	"fargo/store"
)

// PutImage stores a manifest whose layers are there, or puts a tag on one that
// is.
func (s *Server) PutImage(ctx context.Context, in *ecr.PutImageInput) (*ecr.PutImageOutput, error) {
	_, r, err := s.view(ctx, in.RegistryId, in.RepositoryName)
	if err != nil {
		return nil, err
	}
	manifest := []byte(*in.ImageManifest)
	i, err := s.blobs.PutManifest(ctx, r.Scope, r.Name(), aws.Value(in.ImageManifestMediaType), manifest)
	if err != nil {
		return nil, err
	}
	if in.ImageDigest != nil && *in.ImageDigest != i.Digest() {
		return nil, ecr.ImageDigestDoesNotMatchException("The digest of the image manifest is '%s', not '%s'", i.Digest(), *in.ImageDigest)
	}
	if err := s.record(ctx, i, aws.Value(in.ImageTag)); err != nil {
		return nil, err
	}
	return &ecr.PutImageOutput{Image: new(apiImage(i, in.ImageTag, manifest))}, nil
}

// RecordImage is what the registry does when a client has pushed: see
// registry.Catalog.
func (s *Server) RecordImage(ctx context.Context, i *record.RepositoryImage, tag string) error {
	err := s.record(ctx, i, tag)
	var e *protocol.Error
	if errors.As(err, &e) && e.Code == "ImageAlreadyExistsException" {
		return nil
	}
	return err
}

// record writes the record of an image that is durable, and moves tag to it
// unless that is empty.
func (s *Server) record(ctx context.Context, i *record.RepositoryImage, tag string) error {
	return s.db.Update(ctx, func(tx *store.Tx) error {
		r, err := find(tx, i.Scope, i.Repository())
		if err != nil {
			return err
		}
		image := *i
		old, known := store.Images.Get(tx, i.Key())
		switch {
		case known && old.Image.ImageStatus == ecr.ImageStatusArchived: // a push restores it
			store.RestoreImage(tx, old, time.Now())
			old, _ = store.Images.Get(tx, i.Key())
			image, known = *old, false
		case known:
			image = *old
		default:
			image.PushedAt, image.Image.ImagePushedAt = time.Now(), now()
			if err := measure(tx, &image); err != nil {
				return err
			}
		}
		if known && (tag == "" || hasTag(old, tag)) {
			return ecr.ImageAlreadyExistsException("Image with digest '%s' and tag '%s' already exists in the repository with name '%s' in registry with id '%s'",
				i.Digest(), quoted(aws.NonZero(tag)), r.Name(), r.Scope.Account)
		}
		if tag != "" && !hasTag(&image, tag) {
			if err := takeTag(tx, r, tag); err != nil {
				return err
			}
			image.Image.ImageTags = append(slices.Clone(image.Image.ImageTags), tag)
			slices.Sort(image.Image.ImageTags)
		}
		store.Images.Put(tx, &image)
		return nil
	})
}

// measure checks that the children of an index are images of its repository,
// and gives it the size of the largest.
// Source: ECR API, ImageDetail.imageSizeInBytes.
func measure(tx *store.Tx, i *record.RepositoryImage) error {
	if i.Children == nil {
		return nil
	}
	size := int64(0)
	for _, digest := range i.Children {
		child, ok := store.Images.Get(tx, record.ImageKey(i.Scope, i.Repository(), digest))
		if !ok {
			return ecr.ReferencedImagesNotFoundException("The manifest list references images that do not exist in the repository: %s", digest)
		}
		size = max(size, *child.Image.ImageSizeInBytes)
	}
	i.Image.ImageSizeInBytes = &size
	return nil
}

// takeTag takes a tag from the image that has it, if that is allowed.
func takeTag(tx *store.Tx, r *record.Repository, tag string) error {
	holder, ok := store.ImageByTag(tx, r.Scope, r.Name(), tag)
	if !ok {
		return nil
	}
	if !movable(r, tag) {
		return ecr.ImageTagAlreadyExistsException("The image tag '%s' already exists in the '%s' repository and cannot be overwritten because the tag is immutable.", tag, r.Name())
	}
	untag(tx, holder, tag)
	return nil
}

func untag(tx *store.Tx, i *record.RepositoryImage, tag string) {
	changed := *i
	changed.Image.ImageTags = slices.DeleteFunc(slices.Clone(i.Image.ImageTags), func(t string) bool { return t == tag })
	store.Images.Put(tx, &changed)
}

func hasTag(i *record.RepositoryImage, tag string) bool {
	return slices.Contains(i.Image.ImageTags, tag)
}
