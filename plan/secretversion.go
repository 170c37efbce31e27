package plan

import (
	"slices"
	"time"

	"fargo"
	"fargo/aws/secretsmanager"
	"fargo/record"
)

const (
	// mostSecretVersions is how many versions a secret has before those without staging
	// labels are dropped, and secretVersionAge how old those are at least.
	// Source: Secrets Manager user guide, "Secrets Manager quotas".
	mostSecretVersions = 100
	secretVersionAge   = 24 * time.Hour
	// mostSecretStages is how many staging labels the versions of a secret have together.
	// Source: Secrets Manager user guide, "Secrets Manager quotas".
	mostSecretStages = 20
)

// SecretVersion is the version of a secret that a caller means who names a version id, a
// staging label, both, or (both empty) neither. The errors are those of GetSecretValue.
func SecretVersion(s *record.Secret, versionID, stage string) (id string, err error) {
	if versionID != "" {
		v := s.Version(versionID)
		switch {
		case v == nil || v.Empty:
			return "", secretsmanager.ResourceNotFoundException("Secrets Manager can't find the specified secret value for VersionId: %s", versionID)
		case stage != "" && !v.Has(stage):
			return "", secretsmanager.InvalidRequestException("You provided a VersionStage that is not associated to the provided VersionId.")
		}
		return versionID, nil
	}
	if stage == "" {
		stage = record.StageCurrent
	}
	v := s.Staged(stage)
	if v == nil || v.Empty {
		return "", secretsmanager.ResourceNotFoundException("Secrets Manager can't find the specified secret value for staging label: %s", stage)
	}
	return v.ID, nil
}

// ReadSecret is a secret after the value of a version was read, or nil when that is no
// news: reads are remembered by the day.
func ReadSecret(s *record.Secret, versionID string, now time.Time) *record.Secret {
	midnight := now.UTC().Truncate(24 * time.Hour)
	v := s.Version(versionID)
	if v == nil || v.AccessedAt.Equal(midnight) && s.AccessedAt.Equal(midnight) {
		return nil
	}
	read := *s
	read.AccessedAt = midnight
	read.Versions = slices.Clone(s.Versions)
	read.Version(versionID).AccessedAt = midnight
	return &read
}

// AddSecretVersion is a secret's versions with a new one, or with one that was empty and
// gets its value, to which the staging labels are attached; none means AWSCURRENT. They
// are taken from other versions. A new AWSCURRENT ends the rotation of what was
// AWSPENDING. Dropped are the ids of versions that are too many.
func AddSecretVersion(s *record.Secret, v record.SecretVersion, stages []string) (versions []record.SecretVersion, dropped []string, err error) {
	if len(stages) == 0 || s.Staged(record.StageCurrent) == nil && !v.Empty {
		stages = append(slices.Clone(stages), record.StageCurrent)
	}
	versions = slices.Clone(s.Versions)
	if i := slices.IndexFunc(versions, func(o record.SecretVersion) bool { return o.ID == v.ID }); i >= 0 {
		v.Stages = versions[i].Stages
		versions[i] = v
	} else {
		v.Stages = nil
		versions = append(versions, v)
	}
	if slices.Contains(stages, record.StageCurrent) {
		detach(versions, record.StagePending)
	}
	for _, stage := range stages {
		attach(versions, stage, v.ID)
	}
	if countStages(versions) > mostSecretStages {
		return nil, nil, secretsmanager.LimitExceededException("A secret can have at most %d staging labels.", mostSecretStages)
	}
	versions, dropped = dropOld(versions, v.CreatedAt)
	if len(versions) > mostSecretVersions {
		return nil, nil, secretsmanager.LimitExceededException("A secret can have at most %d versions, and keeps those of the last 24 hours.", mostSecretVersions)
	}
	return versions, dropped, nil
}

// MoveSecretStage is a secret's versions after a staging label was attached to the
// version to, or, when that is empty, removed from the version from. From is required
// when the label is attached to another version than to. The errors are those of
// UpdateSecretVersionStage.
func MoveSecretStage(s *record.Secret, stage, from, to string) ([]record.SecretVersion, error) {
	for _, id := range []string{from, to} {
		if id != "" && s.Version(id) == nil {
			return nil, secretsmanager.InvalidParameterException("Not a valid version: %s", id)
		}
	}
	holder := s.Staged(stage)
	switch {
	case from == "" && to == "":
		return nil, secretsmanager.InvalidParameterException("You must provide RemoveFromVersionId or MoveToVersionId.")
	case from != "" && !s.Version(from).Has(stage):
		return nil, secretsmanager.InvalidParameterException("Version stage %s not found in version %s", stage, from)
	case stage == record.StageCurrent && to == "":
		return nil, secretsmanager.InvalidParameterException("You can only move staging label AWSCURRENT to a different secret version. It can’t be completely removed.")
	case from == "" && holder != nil && holder.ID != to:
		return nil, secretsmanager.InvalidParameterException("The parameter RemoveFromVersionId can't be empty. Staging label %s is currently attached to version %s, so you must explicitly reference that version in RemoveFromVersionId.", stage, holder.ID)
	}
	versions := slices.Clone(s.Versions)
	if to == "" {
		detach(versions, stage)
		return versions, nil
	}
	attach(versions, stage, to)
	if countStages(versions) > mostSecretStages {
		return nil, secretsmanager.LimitExceededException("A secret can have at most %d staging labels.", mostSecretStages)
	}
	return versions, nil
}

// SecretLive refuses the operations that a secret does not have which is marked for
// deletion.
func SecretLive(s *record.Secret) error {
	if !s.DeletedAt.IsZero() {
		return secretsmanager.InvalidRequestException("You can't perform this operation on the secret because it was marked for deletion.")
	}
	return nil
}

// SecretKeyUsable refuses to read what was encrypted with a KMS key that is disabled, on
// its way out, or (nil) gone.
func SecretKeyUsable(k *record.KMSKey) error {
	if k == nil || KMSKeyUsable(k) != nil {
		return secretsmanager.DecryptionFailure("Secrets Manager can't decrypt the protected secret text using the provided KMS key.")
	}
	return nil
}

// DefaultSecretKey reports whether the name of a KMS key is that of the key of AWS's that
// secrets are encrypted with when their owner chooses none.
func DefaultSecretKey(scope fargo.Scope, keyID string) bool {
	const alias = "alias/aws/secretsmanager"
	return keyID == "" || keyID == alias || keyID == scope.ARN("kms", alias)
}

// attach moves a staging label to a version. Who loses AWSCURRENT gets AWSPREVIOUS.
func attach(versions []record.SecretVersion, stage, id string) {
	loser := detach(versions, stage)
	for i := range versions {
		if v := &versions[i]; v.ID == id {
			v.Stages = append(slices.Clone(v.Stages), stage)
			slices.Sort(v.Stages)
		}
	}
	if stage == record.StageCurrent && loser != "" && loser != id {
		attach(versions, record.StagePrevious, loser)
	}
}

// detach takes a staging label away from the version that has it, if one does, whose id
// it gives.
func detach(versions []record.SecretVersion, stage string) (id string) {
	for i := range versions {
		if v := &versions[i]; v.Has(stage) {
			id = v.ID
			v.Stages = slices.DeleteFunc(slices.Clone(v.Stages), func(s string) bool { return s == stage })
			if len(v.Stages) == 0 {
				v.Stages = nil
			}
		}
	}
	return id
}

func countStages(versions []record.SecretVersion) (n int) {
	for i := range versions {
		n += len(versions[i].Stages)
	}
	return n
}

// dropOld drops the oldest of the versions that are too many: those that have no staging
// label and are more than a day old.
func dropOld(versions []record.SecretVersion, now time.Time) (left []record.SecretVersion, dropped []string) {
	tooMany := len(versions) - mostSecretVersions
	for _, v := range versions {
		if len(dropped) < tooMany && len(v.Stages) == 0 && now.Sub(v.CreatedAt) > secretVersionAge {
			dropped = append(dropped, v.ID)
		} else {
			left = append(left, v)
		}
	}
	return left, dropped
}
