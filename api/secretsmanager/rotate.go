package secretsmanager

import (
	"context"
	"time"

	"github.com/google/uuid"

	"fargo/aws"
	"fargo/aws/protocol"
	"fargo/aws/secretsmanager"
	"fargo/plan"
	"fargo/record"
	"fargo/store"
)

// RotateSecret says how and when a secret is rotated, and begins to rotate it, or to test
// the function that does. The controller of rotation goes on with it.
func (s *Server) RotateSecret(ctx context.Context, in *secretsmanager.RotateSecretInput) (*secretsmanager.RotateSecretOutput, error) {
	if aws.Value(in.ClientRequestToken) == "" {
		return nil, invalid("You must provide a ClientRequestToken value. We recommend a UUID-type value.")
	}
	if len(in.ExternalSecretRotationMetadata) > 0 || in.ExternalSecretRotationRoleArn != nil {
		return nil, notImplemented("the rotation of managed external secrets (ExternalSecretRotationMetadata, ExternalSecretRotationRoleArn)")
	}
	at := now()
	changed, err := s.change(ctx, in.SecretId, func(_ *store.Tx, changed *record.Secret) error {
		r, err := s.configured(changed, in, at)
		if err != nil {
			return err
		}
		changed.Rotation = r
		return begin(changed, *in.ClientRequestToken, aws.ValueOr(in.RotateImmediately, true), at)
	})
	if err != nil {
		return nil, err
	}
	out := &secretsmanager.RotateSecretOutput{ARN: &changed.ARN, Name: &changed.Name}
	if aws.ValueOr(in.RotateImmediately, true) {
		out.VersionId = in.ClientRequestToken
	}
	return out, nil
}

// configured is the rotation of a secret as a request changes it.
func (s *Server) configured(of *record.Secret, in *secretsmanager.RotateSecretInput, at time.Time) (*record.SecretRotation, error) {
	r := record.SecretRotation{}
	if of.Rotation != nil {
		r = *of.Rotation
	}
	if aws.Value(in.RotationLambdaARN) != "" {
		r.FunctionARN = *in.RotationLambdaARN
	}
	if in.RotationRules != nil {
		r.Rules = *in.RotationRules
	}
	switch {
	case r.FunctionARN == "":
		return nil, unfit("No Lambda rotation function ARN is associated with this secret.")
	case !s.callable(r.FunctionARN):
		return nil, protocol.Errorf("AccessDeniedException", "Secrets Manager cannot invoke the specified Lambda function. Ensure that the function policy grants access to the principal secretsmanager.amazonaws.com.")
	}
	if err := plan.CheckRotationRules(r.Rules, at); err != nil {
		return nil, err
	}
	r.Enabled = true
	return &r, nil
}

// begin begins a rotation, or a test of one, in the configuration that a secret has.
func begin(changed *record.Secret, token string, immediately bool, at time.Time) error {
	if p := changed.Rotation.Pending; p != nil && p.Token == token {
		return nil // the same request once more
	}
	if plan.RotationPending(changed) {
		return unfit("A previous rotation isn't complete. That rotation will be reattempted.")
	}
	if was := changed.Version(token); was != nil {
		return secretsmanager.ResourceExistsException("You can't use ClientRequestToken %s because that value is already in use for a version of secret %s.", token, changed.ARN)
	}
	changed.ChangedAt = at
	changed.Rotation.DueAt, changed.Rotation.NextAt = plan.NextRotation(changed.Rotation, at)
	return plan.BeginRotation(changed, token, uuid.NewString(), !immediately, at)
}

// CancelRotateSecret ends a rotation under way and turns rotation off. Staging labels are
// left as they are.
func (s *Server) CancelRotateSecret(ctx context.Context, in *secretsmanager.CancelRotateSecretInput) (*secretsmanager.CancelRotateSecretOutput, error) {
	var canceled string
	changed, err := s.change(ctx, in.SecretId, func(_ *store.Tx, changed *record.Secret) error {
		if changed.Rotation == nil {
			return nil
		}
		r := *changed.Rotation
		if r.Pending != nil {
			canceled = r.Pending.Token
		}
		r.Enabled, r.Pending, r.DueAt, r.NextAt = false, nil, time.Time{}, time.Time{}
		changed.Rotation = &r
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &secretsmanager.CancelRotateSecretOutput{ARN: &changed.ARN, Name: &changed.Name, VersionId: aws.NonZero(canceled)}, nil
}

// checkRotationToken refuses a value that names another rotation than the one under way
// as its source.
func checkRotationToken(of *record.Secret, token *string) error {
	if token == nil || of.Rotation != nil && of.Rotation.Pending != nil && of.Rotation.Pending.Source == *token {
		return nil
	}
	return invalid("The RotationToken is not that of a rotation of this secret.")
}
