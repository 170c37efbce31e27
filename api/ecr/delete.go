package ecr

import (
	"context"
	"fmt"

	"fargo/aws/ecr"
	"fargo/record"
	"fargo/store"
)

// BatchDeleteImage takes tags away, and deletes images: those named by digest,
// and those that lose their last tag. What is on disk is collected later.
func (s *Server) BatchDeleteImage(ctx context.Context, in *ecr.BatchDeleteImageInput) (*ecr.BatchDeleteImageOutput, error) {
	scope, err := registryOf(ctx, in.RegistryId)
	if err != nil {
		return nil, err
	}
	out := &ecr.BatchDeleteImageOutput{ImageIds: []ecr.ImageIdentifier{}, Failures: []ecr.ImageFailure{}}
	err = s.db.Update(ctx, func(tx *store.Tx) error {
		r, err := find(tx, scope, *in.RepositoryName)
		if err != nil {
			return err
		}
		for _, id := range in.ImageIds {
			i, failure := findImage(tx, r, id)
			var gone []ecr.ImageIdentifier
			if failure == nil {
				gone, failure = deleteImage(tx, i, id)
			}
			if failure != nil {
				out.Failures = append(out.Failures, *failure)
			}
			out.ImageIds = append(out.ImageIds, gone...)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// deleteImage takes the tag in id from an image, or deletes it, and gives the
// ids that are gone. An index keeps the images that it lists, also when their last
// tag is to go.
func deleteImage(tx *store.Tx, i *record.RepositoryImage, id ecr.ImageIdentifier) ([]ecr.ImageIdentifier, *ecr.ImageFailure) {
	if id.ImageTag != nil && len(i.Image.ImageTags) > 1 {
		untag(tx, i, *id.ImageTag)
		return []ecr.ImageIdentifier{{ImageDigest: i.Image.ImageDigest, ImageTag: id.ImageTag}}, nil
	}
	if index, ok := store.IndexOf(tx, i); ok {
		return nil, &ecr.ImageFailure{
			ImageId: &id, FailureCode: ecr.ImageFailureCodeImageReferencedByManifestList,
			FailureReason: new(fmt.Sprintf("Requested image referenced by manifest list: [%s]", index.Digest())),
		}
	}
	store.DeleteImage(tx, i)
	return idsOf(i), nil
}
