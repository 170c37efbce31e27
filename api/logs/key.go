package logs

import (
	"context"
	"errors"

	"fargo"
	"fargo/aws/logs"
	"fargo/aws/protocol"
	engine "fargo/logs"
)

// AssociateKmsKey has a group be encrypted with a key.
func (s *Server) AssociateKmsKey(ctx context.Context, in *logs.AssociateKmsKeyInput) (*logs.AssociateKmsKeyOutput, error) {
	name, err := groupOfEither(scopeOf(ctx), in.LogGroupName, in.ResourceIdentifier)
	if err != nil {
		return nil, err
	}
	if _, err := s.store.Group(scopeOf(ctx), name); err != nil {
		return nil, refused(err)
	}
	if err := s.checkKey(scopeOf(ctx), in.KmsKeyId, name); err != nil {
		return nil, err
	}
	return &logs.AssociateKmsKeyOutput{}, s.updateGroup(ctx, name, func(g *engine.Group) error {
		g.KMSKey = *in.KmsKeyId
		return nil
	})
}

// DisassociateKmsKey has a group be encrypted with no key of its user's any more.
func (s *Server) DisassociateKmsKey(ctx context.Context, in *logs.DisassociateKmsKeyInput) (*logs.DisassociateKmsKeyOutput, error) {
	name, err := groupOfEither(scopeOf(ctx), in.LogGroupName, in.ResourceIdentifier)
	if err != nil {
		return nil, err
	}
	return &logs.DisassociateKmsKeyOutput{}, s.updateGroup(ctx, name, func(g *engine.Group) error {
		g.KMSKey = ""
		return nil
	})
}

// checkKey refuses a key that cannot be used for a group, or whose policy does not let
// CloudWatch Logs use it.
// Source: CloudWatch Logs user guide, "Encrypt log data using AWS KMS", for the service's
// name and the encryption context; CloudWatch Logs API, AssociateKmsKey, for the code of a
// disabled key.
func (s *Server) checkKey(scope fargo.Scope, key *string, group string) error {
	if key == nil {
		return nil
	}
	arn := groupARN(scope, group)
	err := s.keyUsable(*key, "logs."+scope.Region+".amazonaws.com", "aws:logs:arn", arn)
	var e *protocol.Error
	switch {
	case err == nil:
		return nil
	case errors.As(err, &e) && e.Code == "DisabledException":
		return logs.InvalidParameterException("The specified KMS key is disabled: %s", *key)
	}
	return logs.AccessDeniedException("The specified KMS key does not exist or is not allowed to be used with Arn '%s'", arn)
}
