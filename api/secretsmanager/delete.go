package secretsmanager

import (
	"context"
	"errors"
	"strings"
	"time"

	"fargo"
	"fargo/api"
	"fargo/aws"
	"fargo/aws/protocol"
	"fargo/aws/secretsmanager"
	"fargo/record"
	"fargo/store"
)

// The bounds of the recovery window, in days.
// Source: Secrets Manager API, DeleteSecret.
const (
	leastRecovery   = 7
	mostRecovery    = 30
	defaultRecovery = 30
)

// DeleteSecret marks a secret for deletion, which the controller of secrets carries out
// when the recovery window has passed, or deletes it at once.
func (s *Server) DeleteSecret(ctx context.Context, in *secretsmanager.DeleteSecretInput) (*secretsmanager.DeleteSecretOutput, error) {
	force := aws.Value(in.ForceDeleteWithoutRecovery)
	days := aws.ValueOr(in.RecoveryWindowInDays, defaultRecovery)
	switch {
	case force && in.RecoveryWindowInDays != nil:
		return nil, invalid("You can't use ForceDeleteWithoutRecovery in conjunction with RecoveryWindowInDays.")
	case days < leastRecovery || days > mostRecovery:
		return nil, invalid("The RecoveryWindowInDays value must be between 7 and 30 days (inclusive).")
	case force:
		return s.deleteAtOnce(ctx, in)
	}
	at := now()
	changed, err := s.change(ctx, in.SecretId, func(_ *store.Tx, changed *record.Secret) error {
		changed.DeletedAt, changed.RemovedAt = at, at.Add(time.Duration(days)*24*time.Hour)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &secretsmanager.DeleteSecretOutput{ARN: &changed.ARN, Name: &changed.Name, DeletionDate: &changed.RemovedAt}, nil
}

// deleteAtOnce deletes a secret, also one that is marked for deletion. That there is none
// is as good.
func (s *Server) deleteAtOnce(ctx context.Context, in *secretsmanager.DeleteSecretInput) (*secretsmanager.DeleteSecretOutput, error) {
	scope := api.CallFrom(ctx).Scope()
	at := now()
	out := &secretsmanager.DeleteSecretOutput{DeletionDate: &at}
	return out, s.db.Update(ctx, func(tx *store.Tx) error {
		found, err := find(tx, scope, in.SecretId)
		if isNotFound(err) {
			out.ARN, out.Name = absent(scope, *in.SecretId)
			return nil
		}
		if err == nil {
			err = checkOwner(found)
		}
		if err != nil {
			return err
		}
		out.ARN, out.Name = &found.ARN, &found.Name
		store.DeleteSecret(tx, found)
		return nil
	})
}

// RestoreSecret takes a secret's mark for deletion away, if it has one.
func (s *Server) RestoreSecret(ctx context.Context, in *secretsmanager.RestoreSecretInput) (*secretsmanager.RestoreSecretOutput, error) {
	scope := api.CallFrom(ctx).Scope()
	out := &secretsmanager.RestoreSecretOutput{}
	return out, s.db.Update(ctx, func(tx *store.Tx) error {
		found, err := find(tx, scope, in.SecretId)
		if err != nil {
			return err
		}
		restored := *found
		restored.DeletedAt, restored.RemovedAt = time.Time{}, time.Time{}
		store.Secrets.Put(tx, &restored)
		out.ARN, out.Name = &restored.ARN, &restored.Name
		return nil
	})
}

func isNotFound(err error) bool {
	var e *protocol.Error
	return errors.As(err, &e) && e.Code == "ResourceNotFoundException"
}

// absent is what a secret is called that there is not.
func absent(scope fargo.Scope, id string) (arn, name *string) {
	if a, ok := fargo.ParseARN(id); ok {
		return &id, new(strings.TrimPrefix(a.Resource, "secret:"))
	}
	return new(scope.ARN("secretsmanager", "secret:"+id+"-"+suffix())), &id
}
