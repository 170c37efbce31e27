package ecr

import (
	"context"
	"fmt"
	"time"

	"fargo/aws/ecr"
	"fargo/record"
	"fargo/store"
)

// UpdateImageStorageClass moves an image to the archive, or back. Nothing has to be
// copied for that: it can be pulled again at once.
func (s *Server) UpdateImageStorageClass(ctx context.Context, in *ecr.UpdateImageStorageClassInput) (*ecr.UpdateImageStorageClassOutput, error) {
	scope, err := registryOf(ctx, in.RegistryId)
	if err != nil {
		return nil, err
	}
	out := new(ecr.UpdateImageStorageClassOutput)
	err = s.db.Update(ctx, func(tx *store.Tx) error {
		r, err := find(tx, scope, *in.RepositoryName)
		if err != nil {
			return err
		}
		i, err := findOne(tx, r, *in.ImageId)
		if err != nil {
			return err
		}
		archive := in.TargetStorageClass == ecr.TargetStorageClassArchive
		if archive == (i.Image.ImageStatus == ecr.ImageStatusArchived) {
			return ecr.ImageStorageClassUpdateNotSupportedException("The image with digest '%s' is in the storage class %s already", i.Digest(), in.TargetStorageClass)
		}
		if index, ok := store.IndexOf(tx, i); archive && ok && index.Image.ImageStatus != ecr.ImageStatusArchived {
			return ecr.ImageStorageClassUpdateNotSupportedException("Requested image referenced by manifest list: [%s]", index.Digest())
		}
		if archive {
			store.ArchiveImage(tx, i, time.Now())
		} else {
			store.RestoreImage(tx, i, time.Now())
		}
		now, _ := store.Images.Get(tx, i.Key())
		*out = ecr.UpdateImageStorageClassOutput{
			RegistryId: r.Repository.RegistryId, RepositoryName: r.Repository.RepositoryName, ImageId: in.ImageId, ImageStatus: now.Image.ImageStatus,
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// archivedText says why an image cannot be pulled.
func archivedText(i *record.RepositoryImage) string {
	return fmt.Sprintf("Requested image with digest '%s' is archived and cannot be pulled. Restore it first.", i.Digest())
}
