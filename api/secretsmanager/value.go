package secretsmanager

import (
	"context"
	"crypto/subtle"
	"errors"
	"time"

	"fargo"
	"fargo/api"
	"fargo/aws"
	"fargo/aws/protocol"
	"fargo/aws/secretsmanager"
	"fargo/plan"
	"fargo/record"
	"fargo/store"
)

// GetSecretValue gives the value of a version: by its id, its staging label, or else the
// one with AWSCURRENT.
func (s *Server) GetSecretValue(ctx context.Context, in *secretsmanager.GetSecretValueInput) (*secretsmanager.GetSecretValueOutput, error) {
	scope := api.CallFrom(ctx).Scope()
	r, err := Read(s.db.View(), scope, *in.SecretId, aws.Value(in.VersionId), aws.Value(in.VersionStage))
	if err != nil {
		return nil, err
	}
	if err := s.remember(ctx, []Reading{r}); err != nil {
		return nil, err
	}
	return &secretsmanager.GetSecretValueOutput{
		ARN: &r.Secret.ARN, Name: &r.Secret.Name, VersionId: &r.Version.ID, VersionStages: r.Version.Stages, CreatedDate: &r.Version.CreatedAt,
		SecretString: r.Value.Text, SecretBinary: r.Value.Binary,
	}, nil
}

// Reading is a version of a secret that was read. What it points to is the store's, and
// not to be changed.
type Reading struct {
	Secret  *record.Secret
	Version *record.SecretVersion
	Value   *record.SecretValue
}

// Read reads a version of a secret in a scope, with the errors of GetSecretValue.
// versionID and stage may be empty. That it was read is not noted: see [Note].
func Read(r store.Reader, scope fargo.Scope, secretID, versionID, stage string) (Reading, error) {
	s, err := findLive(r, scope, &secretID)
	if err != nil {
		return Reading{}, err
	}
	version, err := plan.SecretVersion(s, versionID, stage)
	if err != nil {
		return Reading{}, err
	}
	v := s.Version(version)
	if err := readable(r, s.Scope, v); err != nil {
		return Reading{}, err
	}
	value, ok := store.SecretValues.Get(r, record.SecretValueKey(s.ARN, version))
	if !ok {
		return Reading{}, errors.New("a version of a secret has no value: " + s.ARN + " " + version)
	}
	return Reading{s, v, value}, nil
}

// Note notes when a version was read, which is news once a day.
func Note(tx *store.Tx, of Reading, at time.Time) {
	now, ok := store.Secrets.Get(tx, of.Secret.Key())
	if !ok || now.ARN != of.Secret.ARN {
		return
	}
	if read := plan.ReadSecret(now, of.Version.ID, at); read != nil {
		store.Secrets.Put(tx, read)
	}
}

// remember notes what was read. Where nothing can be written, reading goes on.
func (s *Server) remember(ctx context.Context, all []Reading) error {
	at, news := now(), false
	for _, r := range all {
		news = news || plan.ReadSecret(r.Secret, r.Version.ID, at) != nil
	}
	if !news {
		return nil
	}
	err := s.db.Update(ctx, func(tx *store.Tx) error {
		for _, r := range all {
			Note(tx, r, at)
		}
		return nil
	})
	if errors.Is(err, fargo.ErrNotWritable) {
		return nil
	}
	return err
}

// PutSecretValue gives a secret a new version.
func (s *Server) PutSecretValue(ctx context.Context, in *secretsmanager.PutSecretValueInput) (*secretsmanager.PutSecretValueOutput, error) {
	if err := requireToken(in.ClientRequestToken); err != nil {
		return nil, err
	}
	v, err := valueOf(in.SecretString, in.SecretBinary)
	if err != nil {
		return nil, err
	}
	if v == nil {
		return nil, unfit("You must provide either SecretString or SecretBinary.")
	}
	at := now()
	changed, err := s.change(ctx, in.SecretId, func(tx *store.Tx, changed *record.Secret) error {
		if err := checkRotationToken(changed, in.RotationToken); err != nil {
			return err
		}
		changed.ChangedAt = at
		return putValue(tx, changed, *in.ClientRequestToken, v, in.VersionStages, at)
	})
	if err != nil {
		return nil, err
	}
	return &secretsmanager.PutSecretValueOutput{
		ARN: &changed.ARN, Name: &changed.Name, VersionId: in.ClientRequestToken,
		VersionStages: changed.Version(*in.ClientRequestToken).Stages,
	}, nil
}

// valueOf is the value that a request has; nil when it has none.
func valueOf(text *string, binary []byte) (*record.SecretValue, error) {
	switch {
	case text != nil && binary != nil:
		return nil, invalid("You can't specify both a binary secret value and a string secret value in the same secret.")
	case text == nil && binary == nil:
		return nil, nil
	}
	return &record.SecretValue{Text: text, Binary: binary}, nil
}

// putValue gives a secret a value under a token. A repetition changes nothing.
func putValue(tx *store.Tx, changed *record.Secret, token string, v *record.SecretValue, stages []string, at time.Time) error {
	if was := changed.Version(token); was != nil && !was.Empty {
		return sameValue(tx, changed, token, v)
	}
	return addVersion(tx, changed, token, v, stages, at)
}

// addVersion adds a version with its value.
func addVersion(tx *store.Tx, changed *record.Secret, token string, v *record.SecretValue, stages []string, at time.Time) error {
	if changed.KMSKeyID != "" {
		if _, err := chosenKey(tx, changed.Scope, &changed.KMSKeyID); err != nil {
			return err
		}
	}
	versions, dropped, err := plan.AddSecretVersion(changed, record.SecretVersion{ID: token, CreatedAt: at, KMSKeyID: changed.KMSKeyID}, stages)
	if err != nil {
		return err
	}
	changed.Versions = versions
	if changed.Version(token).Has(record.StageCurrent) {
		changed.Rotation = plan.ChangedSecret(changed.Rotation, at)
	}
	for _, id := range dropped {
		store.SecretValues.Delete(tx, record.SecretValueKey(changed.ARN, id))
	}
	v.Secret, v.Version = changed.ARN, token
	store.SecretValues.Put(tx, v)
	return nil
}

// sameValue refuses another value under a token that a version has been made with. Who may
// write a secret need not be who may read it.
func sameValue(r store.Reader, of *record.Secret, token string, v *record.SecretValue) error {
	was, ok := store.SecretValues.Get(r, record.SecretValueKey(of.ARN, token))
	if ok && subtle.ConstantTimeCompare([]byte(aws.Value(was.Text)), []byte(aws.Value(v.Text)))&subtle.ConstantTimeCompare(was.Binary, v.Binary) == 1 {
		return nil
	}
	return secretsmanager.ResourceExistsException("You can't use ClientRequestToken %s because that value is already in use for a version of secret %s.", token, of.ARN)
}

// readAll reads the current values of secrets into an answer.
func (s *Server) readAll(ctx context.Context, r store.Reader, scope fargo.Scope, ids []string, out *secretsmanager.BatchGetSecretValueOutput) error {
	var read []Reading
	for _, id := range ids {
		one, err := Read(r, scope, id, "", "")
		var refused *protocol.Error
		switch {
		case errors.As(err, &refused):
			out.Errors = append(out.Errors, secretsmanager.APIErrorType{SecretId: &id, ErrorCode: &refused.Code, Message: &refused.Message})
			continue
		case err != nil:
			return err
		}
		read = append(read, one)
		out.SecretValues = append(out.SecretValues, secretsmanager.SecretValueEntry{
			ARN: &one.Secret.ARN, Name: &one.Secret.Name, VersionId: &one.Version.ID, VersionStages: one.Version.Stages,
			CreatedDate: &one.Version.CreatedAt, SecretString: one.Value.Text, SecretBinary: one.Value.Binary,
		})
	}
	return s.remember(ctx, read)
}
