package ecr

import (
	"context"

	"fargo/aws/ecr"
)

// DescribeImageScanFindings says that there are none: nothing scans images, whether
// scanOnPush is set or not.
func (s *Server) DescribeImageScanFindings(ctx context.Context, in *ecr.DescribeImageScanFindingsInput) (*ecr.DescribeImageScanFindingsOutput, error) {
	v, r, err := s.view(ctx, in.RegistryId, in.RepositoryName)
	if err != nil {
		return nil, err
	}
	if _, err := findOne(v, r, *in.ImageId); err != nil {
		return nil, err
	}
	return nil, ecr.ScanNotFoundException("Image scan does not exist for the image with '{imageDigest:'%s', imageTag:'%s'}' in the repository with name '%s' in the registry with id '%s'",
		quoted(in.ImageId.ImageDigest), quoted(in.ImageId.ImageTag), r.Name(), r.Scope.Account)
}
