package ecr

import (
	"context"
	"errors"

	"fargo"
	"fargo/api"
	"fargo/aws/protocol"
	"fargo/aws/s3"
	"fargo/desired"
	"fargo/plan"
	"fargo/store"
)

// authorizeLayers returns nil if a client in a VPC gets layers by the way that it has to S3,
// where those of ECR are. They come from the registry itself here.
func (s *Server) authorizeLayers(ctx context.Context, c api.Client, scope fargo.Scope, repository string) error {
	if c.Origin == nil {
		return nil
	}
	view := s.db.View()
	c.Origin = inVPC(view, c.Origin)
	err := s.calls.Authorizer.Authorize(ctx, &api.Call{
		RequestID: fargo.NewHex(32), Service: s3.API.Name, Operation: "GetObject", Region: scope.Region,
		Caller: api.Caller{ServicePrincipal: plan.LayerSigner, Client: c},
	}, &s3.GetObjectInput{Bucket: new(plan.LayerBucket(scope.Region)), Key: new(plan.LayerKey(scope.Account, repository))})
	var refused *protocol.Error
	if errors.As(err, &refused) {
		return protocol.Errorf("AccessDeniedException", "%s", refused.Message)
	}
	return err
}

// inVPC is where in its VPC what came by an interface endpoint of one service comes
// from to another.
func inVPC(r store.Reader, o *desired.Origin) *desired.Origin {
	for e := range store.EC2VPCEndpoints.By(r, store.EC2VPCEndpointByID, o.At) {
		return &desired.Origin{At: *e.Endpoint.VpcId, Client: o.Client, Secure: o.Secure}
	}
	return o
}
