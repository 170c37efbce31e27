package ecr

import (
	"context"
	"slices"

	v1 "github.com/opencontainers/image-spec/specs-go/v1"

	"fargo/api/page"
	"fargo/aws"
	"fargo/aws/ecr"
	"fargo/record"
)

// referrerPages have 20 items. Source: ECR API, ListImageReferrers.
var referrerPages = pages.WithDefault(20)

// ListImageReferrers shows what refers to an image, which need not be there.
func (s *Server) ListImageReferrers(ctx context.Context, in *ecr.ListImageReferrersInput) (*ecr.ListImageReferrersOutput, error) {
	v, r, err := s.view(ctx, in.RegistryId, in.RepositoryName)
	if err != nil {
		return nil, err
	}
	if !isDigest(*in.SubjectId.ImageDigest) {
		return nil, ecr.InvalidParameterException("%s", badDigest)
	}
	filter := aws.Value(in.Filter)
	var all []ecr.ImageReferrer
	for _, i := range referrers(v, r.Scope, r.Name(), *in.SubjectId.ImageDigest) {
		if !ofStatus(i, filter.ArtifactStatus) {
			continue
		}
		d, err := s.blobs.Describe(ctx, i)
		if err != nil {
			return nil, err
		}
		if len(filter.ArtifactTypes) == 0 || slices.Contains(filter.ArtifactTypes, d.ArtifactType) {
			all = append(all, referrer(i, d))
		}
	}
	shown, next, err := page.Of(referrerPages.Ask(in, in.NextToken, in.MaxResults), slices.Values(all), func(a ecr.ImageReferrer) string { return *a.Digest })
	return &ecr.ListImageReferrersOutput{Referrers: shown, NextToken: next}, err
}

// ofStatus reports whether a filter lets an artifact through; without one, those that
// can be pulled.
func ofStatus(i *record.RepositoryImage, status ecr.ArtifactStatusFilter) bool {
	if status == "" {
		status = ecr.ArtifactStatusFilterActive
	}
	return status == ecr.ArtifactStatusFilterAny || string(status) == string(i.Image.ImageStatus)
}

func referrer(i *record.RepositoryImage, d v1.Descriptor) ecr.ImageReferrer {
	return ecr.ImageReferrer{
		Digest: i.Image.ImageDigest, MediaType: &d.MediaType, ArtifactType: aws.NonZero(d.ArtifactType), Size: &d.Size,
		Annotations: d.Annotations, ArtifactStatus: ecr.ArtifactStatus(i.Image.ImageStatus),
	}
}
