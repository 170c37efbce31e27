package secretsmanager

import (
	"context"
	"math/rand/v2"

	"fargo/api"
	"fargo/aws"
	"fargo/aws/secretsmanager"
	"fargo/record"
	"fargo/store"
)

// CreateSecret makes a secret, with a first version if a value is given.
func (s *Server) CreateSecret(ctx context.Context, in *secretsmanager.CreateSecretInput) (*secretsmanager.CreateSecretOutput, error) {
	if err := checkName(*in.Name); err != nil {
		return nil, err
	}
	if err := requireToken(in.ClientRequestToken); err != nil {
		return nil, err
	}
	v, err := valueOf(in.SecretString, in.SecretBinary)
	if err != nil {
		return nil, err
	}
	if err := tagRules.Check(in.Tags); err != nil {
		return nil, err
	}
	if len(in.AddReplicaRegions) > 0 {
		return nil, notImplemented("AddReplicaRegions: secrets are not replicated")
	}
	scope := api.CallFrom(ctx).Scope()
	made := &record.Secret{
		Scope: scope, Name: *in.Name, ARN: scope.ARN("secretsmanager", "secret:"+*in.Name+"-"+suffix()),
		Description: in.Description, Type: in.Type, Tags: in.Tags, CreatedAt: now(),
	}
	made.ChangedAt = made.CreatedAt
	err = s.db.Update(ctx, func(tx *store.Tx) error {
		if was, ok := store.Secrets.Get(tx, made.Key()); ok {
			made = was
			return again(tx, was, in, v)
		}
		var err error
		if made.KMSKeyID, err = chosenKey(tx, scope, in.KmsKeyId); err != nil {
			return err
		}
		if v != nil {
			if err := addVersion(tx, made, *in.ClientRequestToken, v, nil, made.CreatedAt); err != nil {
				return err
			}
		}
		store.Secrets.Put(tx, made)
		return nil
	})
	if err != nil {
		return nil, err
	}
	out := &secretsmanager.CreateSecretOutput{ARN: &made.ARN, Name: &made.Name}
	if v != nil {
		out.VersionId = in.ClientRequestToken
	}
	return out, nil
}

// again answers a CreateSecret of a name that is taken: a repetition of the call that
// took it succeeds.
func again(tx *store.Tx, was *record.Secret, in *secretsmanager.CreateSecretInput, v *record.SecretValue) error {
	if !was.DeletedAt.IsZero() {
		return unfit("You can't create this secret because a secret with this name is already scheduled for deletion.")
	}
	if v != nil && was.Version(*in.ClientRequestToken) != nil {
		return sameValue(tx, was, *in.ClientRequestToken, v)
	}
	return secretsmanager.ResourceExistsException("The operation failed because the secret %s already exists.", *in.Name)
}

// suffix is what ends the ARN of a new secret.
func suffix() string {
	const characters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
	b := make([]byte, 6)
	for i := range b {
		b[i] = characters[rand.IntN(len(characters))]
	}
	return string(b)
}

// UpdateSecret changes what is said of a secret and its key, and gives it a new value.
func (s *Server) UpdateSecret(ctx context.Context, in *secretsmanager.UpdateSecretInput) (*secretsmanager.UpdateSecretOutput, error) {
	if err := requireToken(in.ClientRequestToken); err != nil {
		return nil, err
	}
	v, err := valueOf(in.SecretString, in.SecretBinary)
	if err != nil {
		return nil, err
	}
	at := now()
	changed, err := s.change(ctx, in.SecretId, func(tx *store.Tx, changed *record.Secret) error {
		if in.Description != nil {
			changed.Description = in.Description
		}
		if in.Type != nil {
			changed.Type = in.Type
		}
		if in.KmsKeyId != nil {
			if err := setKey(tx, changed, in.KmsKeyId); err != nil {
				return err
			}
		}
		changed.ChangedAt = at
		if v == nil {
			return nil
		}
		return putValue(tx, changed, *in.ClientRequestToken, v, nil, at)
	})
	if err != nil {
		return nil, err
	}
	out := &secretsmanager.UpdateSecretOutput{ARN: &changed.ARN, Name: &changed.Name}
	if v != nil {
		out.VersionId = in.ClientRequestToken
	}
	return out, nil
}

// setKey gives a secret another key: new versions are encrypted with it, and those with a
// staging label of Secrets Manager's own are encrypted anew, unless their key cannot decrypt
// them.
func setKey(r store.Reader, changed *record.Secret, keyID *string) error {
	key, err := chosenKey(r, changed.Scope, keyID)
	if err != nil {
		return err
	}
	changed.KMSKeyID = key
	changed.Versions = append([]record.SecretVersion(nil), changed.Versions...)
	for i := range changed.Versions {
		v := &changed.Versions[i]
		own := v.Has(record.StageCurrent) || v.Has(record.StagePending) || v.Has(record.StagePrevious)
		if own && readable(r, changed.Scope, v) == nil {
			v.KMSKeyID = key
		}
	}
	return nil
}

// DescribeSecret shows all of a secret but its values.
func (s *Server) DescribeSecret(ctx context.Context, in *secretsmanager.DescribeSecretInput) (*secretsmanager.DescribeSecretOutput, error) {
	found, err := find(s.db.View(), api.CallFrom(ctx).Scope(), in.SecretId)
	if err != nil {
		return nil, err
	}
	e := entry(found)
	return &secretsmanager.DescribeSecretOutput{
		ARN: e.ARN, Name: e.Name, Type: e.Type, Description: e.Description, KmsKeyId: e.KmsKeyId,
		RotationEnabled: e.RotationEnabled, RotationLambdaARN: e.RotationLambdaARN, RotationRules: e.RotationRules,
		LastRotatedDate: e.LastRotatedDate, LastChangedDate: e.LastChangedDate, LastAccessedDate: e.LastAccessedDate,
		DeletedDate: e.DeletedDate, NextRotationDate: e.NextRotationDate, Tags: e.Tags,
		VersionIdsToStages: e.SecretVersionsToStages, CreatedDate: e.CreatedDate, OwningService: e.OwningService,
	}, nil
}

// entry is a secret as lists show it.
func entry(s *record.Secret) secretsmanager.SecretListEntry {
	e := secretsmanager.SecretListEntry{
		ARN: &s.ARN, Name: &s.Name, Type: s.Type, Description: s.Description, Tags: s.Tags,
		CreatedDate: &s.CreatedAt, LastChangedDate: &s.ChangedAt,
		LastAccessedDate: aws.NonZero(s.AccessedAt), DeletedDate: aws.NonZero(s.DeletedAt),
		SecretVersionsToStages: stagesOf(s), OwningService: aws.NonZero(s.OwningService),
	}
	if s.Description != nil && *s.Description == "" {
		e.Description = nil
	}
	if s.KMSKeyID != "" {
		e.KmsKeyId = &s.KMSKeyID
	}
	if r := s.Rotation; r != nil {
		e.RotationEnabled, e.RotationRules = &r.Enabled, &r.Rules
		e.LastRotatedDate, e.NextRotationDate = aws.NonZero(r.LastAt), aws.NonZero(r.NextAt)
		if r.FunctionARN != "" {
			e.RotationLambdaARN = &r.FunctionARN
		}
	}
	return e
}

// stagesOf are the staging labels of those versions that have any.
func stagesOf(s *record.Secret) map[string][]string {
	all := map[string][]string{}
	for _, v := range s.Versions {
		if len(v.Stages) > 0 {
			all[v.ID] = v.Stages
		}
	}
	if len(all) == 0 {
		return nil
	}
	return all
}

// keyIDs is the key of a version as lists have it.
func keyIDs(v *record.SecretVersion) []string {
	if v.KMSKeyID == "" {
		return []string{"DefaultEncryptionKey"}
	}
	return []string{v.KMSKeyID}
}
