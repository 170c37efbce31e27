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
// ids that are gone.
func deleteImage(tx *store.Tx, i *record.RepositoryImage, id ecr.ImageIdentifier) ([]ecr.ImageIdentifier, *ecr.ImageFailure) {
	parent := indexOf(tx, i)
	if id.ImageTag != nil {
		if len(i.Image.ImageTags) > 1 || parent != nil {
			untag(tx, i, *id.ImageTag)
		} else {
			store.Images.Delete(tx, i.Key())
		}
		return []ecr.ImageIdentifier{{ImageDigest: i.Image.ImageDigest, ImageTag: id.ImageTag}}, nil
	}
	if parent != nil {
		return nil, &ecr.ImageFailure{
			ImageId: &id, FailureCode: ecr.ImageFailureCodeImageReferencedByManifestList,
			FailureReason: new(fmt.Sprintf("Requested image referenced by manifest list: [%s]", parent.Digest())),
		}
	}
	store.Images.Delete(tx, i.Key())
	return idsOf(i), nil
}

// indexOf finds an index that lists the image.
func indexOf(r store.Reader, i *record.RepositoryImage) *record.RepositoryImage {
	for parent := range store.Images.By(r, "child", i.Key()) {
		return parent
	}
	return nil
}
