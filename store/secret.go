package store

import (
	"strings"

	"fargo"
	"fargo/record"
)

// SecretByRotation finds the secrets that are being rotated, under [Rotating].
const (
	SecretByRotation = "rotation"
	Rotating         = "pending"
)

// Secrets are the secrets of Secrets Manager, by account, region and name.
var Secrets = NewTable("secret", (*record.Secret).Key, Index[record.Secret]{SecretByRotation, func(s *record.Secret) []string {
	if s.Rotation == nil || s.Rotation.Pending == nil {
		return nil
	}
	return []string{Rotating}
}})

// SecretValues are the values of secrets, by the secret's ARN and the version.
var SecretValues = NewTable("secretvalue", (*record.SecretValue).Key).Sealed()

// secretSuffix is the length of what AWS adds to a secret's name in its ARN: a hyphen and
// six random characters.
const secretSuffix = 7

// placeholderSuffix is the suffix of the ARNs in AWS's documentation, and in all that is
// written after it. It means the secret with that name, so that such texts work as they
// are printed; on AWS they find nothing until somebody puts the secret's own suffix there.
const placeholderSuffix = "-AbCdEf"

// FindSecret finds a secret in a scope by what callers name it by: its name, its ARN, or
// the ARN without its random suffix, or with that of AWS's documentation. An ARN of another
// account or region finds nothing.
// Source: Secrets Manager API, GetSecretValue, SecretId.
func FindSecret(r Reader, scope fargo.Scope, id string) (*record.Secret, bool) {
	if !strings.HasPrefix(id, "arn:") {
		return Secrets.Get(r, scope.Key(id))
	}
	name, ok := strings.CutPrefix(id, scope.ARN("secretsmanager", "secret:"))
	if !ok {
		return nil, false
	}
	if end := len(name) - secretSuffix; end > 0 && name[end] == '-' {
		if s, ok := Secrets.Get(r, scope.Key(name[:end])); ok && (s.ARN == id || name[end:] == placeholderSuffix) {
			return s, true
		}
	}
	return Secrets.Get(r, scope.Key(name))
}

// DeleteSecret removes a secret with all its values.
func DeleteSecret(tx *Tx, s *record.Secret) {
	for v := range SecretValues.Prefix(tx, record.SecretValueKey(s.ARN, "")) {
		SecretValues.Delete(tx, v.Key())
	}
	Secrets.Delete(tx, s.Key())
}
