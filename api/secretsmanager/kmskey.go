package secretsmanager

import (
	"errors"

	"fargo"
	"fargo/aws"
	"fargo/aws/protocol"
	"fargo/aws/secretsmanager"
	"fargo/plan"
	"fargo/record"
	"fargo/store"
)

// chosenKey is the KMS key that a caller wants a secret to be encrypted with, as a secret
// keeps it. The key must be there and able to encrypt.
func chosenKey(r store.Reader, scope fargo.Scope, keyID *string) (string, error) {
	id := aws.Value(keyID)
	if plan.DefaultSecretKey(scope, id) {
		return "", nil
	}
	err := plan.KMSKeyNotFound(scope, id)
	if k, ok := store.FindKMSKey(r, scope, id); ok {
		err = plan.KMSKeyUsable(k)
	}
	if err != nil {
		return "", invalidKey(err)
	}
	return id, nil
}

// invalidKey says with KMS's message that a key cannot encrypt. AWS's code is not known;
// this is the documented one of keys that are not available or not enabled.
func invalidKey(err error) error {
	var e *protocol.Error
	if !errors.As(err, &e) {
		return err
	}
	return secretsmanager.EncryptionFailure("The operation failed because of an invalid KMS key: %s", e.Message)
}

// readable refuses to read a version whose key cannot decrypt.
func readable(r store.Reader, scope fargo.Scope, v *record.SecretVersion) error {
	if v.KMSKeyID == "" {
		return nil
	}
	k, _ := store.FindKMSKey(r, scope, v.KMSKeyID)
	return plan.SecretKeyUsable(k)
}
