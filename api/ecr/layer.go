package ecr

import (
	"context"
	"errors"
	"regexp"

	"fargo/aws/ecr"
	"fargo/aws/protocol"
)

var digestForm = regexp.MustCompile(`^[a-zA-Z0-9-_+.]+:[a-fA-F0-9]+$`)

func isDigest(s string) bool { return digestForm.MatchString(s) }

// layerMediaType is what ECR says of every layer.
const layerMediaType = "application/vnd.docker.image.rootfs.diff.tar.gzip"

// BatchCheckLayerAvailability says which layers a repository has.
func (s *Server) BatchCheckLayerAvailability(ctx context.Context, in *ecr.BatchCheckLayerAvailabilityInput) (*ecr.BatchCheckLayerAvailabilityOutput, error) {
	_, r, err := s.view(ctx, in.RegistryId, in.RepositoryName)
	if err != nil {
		return nil, err
	}
	out := &ecr.BatchCheckLayerAvailabilityOutput{Layers: []ecr.Layer{}, Failures: []ecr.LayerFailure{}}
	for _, digest := range in.LayerDigests {
		if !isDigest(digest) {
			out.Failures = append(out.Failures, ecr.LayerFailure{
				LayerDigest: &digest, FailureCode: ecr.LayerFailureCodeInvalidLayerDigest,
				FailureReason: new("Invalid layer digest"),
			})
			continue
		}
		size, err := s.blobs.Layer(ctx, r.Scope, r.Name(), digest)
		var e *protocol.Error
		switch {
		case err == nil:
			out.Layers = append(out.Layers, ecr.Layer{
				LayerDigest: &digest, LayerAvailability: ecr.LayerAvailabilityAvailable,
				LayerSize: &size, MediaType: new(layerMediaType),
			})
		case errors.As(err, &e) && e.Code == "LayersNotFoundException":
			out.Layers = append(out.Layers, ecr.Layer{LayerDigest: &digest, LayerAvailability: ecr.LayerAvailabilityUnavailable})
		default:
			return nil, err
		}
	}
	return out, nil
}
