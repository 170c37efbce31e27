package kms

import (
	"context"
	"crypto/rand"

	"fargo/api"
	"fargo/aws"
	"fargo/aws/kms"
	engine "fargo/kms"
	"fargo/plan"
	"fargo/record"
)

// dryRun is the answer to a request that would succeed and was only to be checked.
func dryRun(asked *bool) error {
	if aws.Value(asked) {
		return kms.DryRunOperationException("The request would have succeeded, but the DryRun option is set.")
	}
	return nil
}

// checkAlgorithms refuses what a symmetric key does not encrypt with.
func checkAlgorithms(given ...kms.EncryptionAlgorithmSpec) error {
	for _, a := range given {
		if a != "" && a != symmetric {
			return kms.InvalidKeyUsageException("Algorithm %s is incompatible with key spec %s.", a, kms.KeySpecSymmetricDefault)
		}
	}
	return nil
}

const symmetric = kms.EncryptionAlgorithmSpecSymmetricDefault

// checkRecipient refuses answers for Nitro enclaves only.
func checkRecipient(r *kms.RecipientInfo) error {
	if r != nil {
		return notImplemented("Nitro enclaves as recipients")
	}
	return nil
}

func checkModifiers(given []kms.DryRunModifierType) error {
	if len(given) > 0 {
		return notImplemented("DryRunModifiers")
	}
	return nil
}

// firstError is the first that there is.
func firstError(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

// Encrypt encrypts up to 4096 bytes.
func (s *Server) Encrypt(ctx context.Context, in *kms.EncryptInput) (*kms.EncryptOutput, error) {
	k, err := s.used(ctx, *in.KeyId)
	if err := firstError(err, checkAlgorithms(in.EncryptionAlgorithm)); err != nil {
		return nil, err
	}
	blob, err := engine.Encrypt(s.db.View(), k, in.Plaintext, in.EncryptionContext)
	if err := firstError(err, dryRun(in.DryRun)); err != nil {
		return nil, err
	}
	return &kms.EncryptOutput{CiphertextBlob: blob, KeyId: k.Metadata.Arn, EncryptionAlgorithm: symmetric}, nil
}

// Decrypt decrypts. It needs no key named, but can insist on one.
func (s *Server) Decrypt(ctx context.Context, in *kms.DecryptInput) (*kms.DecryptOutput, error) {
	if err := firstError(checkAlgorithms(in.EncryptionAlgorithm), checkRecipient(in.Recipient), checkModifiers(in.DryRunModifiers)); err != nil {
		return nil, err
	}
	d, err := s.decrypt(ctx, in.CiphertextBlob, in.EncryptionContext, in.KeyId)
	if err := firstError(err, dryRun(in.DryRun)); err != nil {
		return nil, err
	}
	return &kms.DecryptOutput{KeyId: d.Key.Metadata.Arn, Plaintext: d.Plaintext, EncryptionAlgorithm: symmetric, KeyMaterialId: &d.MaterialID}, nil
}

// decrypt decrypts with the key that a ciphertext names, which must be the expected one
// if there is one.
func (s *Server) decrypt(ctx context.Context, blob []byte, context map[string]string, expected *string) (*engine.Decrypted, error) {
	view, scope := s.db.View(), api.CallFrom(ctx).Scope()
	if len(blob) == 0 {
		return nil, invalid("1 validation error detected: Value null at 'ciphertextBlob' failed to satisfy constraint: Member must not be null")
	}
	var want *record.KMSKey
	if expected != nil {
		var err error
		if want, err = find(view, scope, *expected); err != nil {
			return nil, err
		}
		if err := plan.KMSKeyUsable(want); err != nil {
			return nil, err
		}
	}
	k, _, err := engine.KeyOf(view, scope, blob)
	if err != nil {
		return nil, err
	}
	if want != nil && want.Key() != k.Key() {
		return nil, kms.IncorrectKeyException("The key ID in the request does not identify a CMK that can perform this operation.")
	}
	return engine.Decrypt(view, scope, blob, context)
}

// ReEncrypt decrypts and encrypts again, with another key or context, and shows nobody
// what.
func (s *Server) ReEncrypt(ctx context.Context, in *kms.ReEncryptInput) (*kms.ReEncryptOutput, error) {
	if err := firstError(checkAlgorithms(in.SourceEncryptionAlgorithm, in.DestinationEncryptionAlgorithm), checkModifiers(in.DryRunModifiers)); err != nil {
		return nil, err
	}
	d, err := s.decrypt(ctx, in.CiphertextBlob, in.SourceEncryptionContext, in.SourceKeyId)
	if err != nil {
		return nil, err
	}
	to, err := s.used(ctx, *in.DestinationKeyId)
	if err != nil {
		return nil, err
	}
	blob, err := engine.Encrypt(s.db.View(), to, d.Plaintext, in.DestinationEncryptionContext)
	if err := firstError(err, dryRun(in.DryRun)); err != nil {
		return nil, err
	}
	return &kms.ReEncryptOutput{
		CiphertextBlob: blob, SourceKeyId: d.Key.Metadata.Arn, KeyId: to.Metadata.Arn,
		SourceEncryptionAlgorithm: symmetric, DestinationEncryptionAlgorithm: symmetric,
		SourceKeyMaterialId: &d.MaterialID, DestinationKeyMaterialId: to.Metadata.CurrentKeyMaterialId,
	}, nil
}

// GenerateDataKey makes a key, in clear and encrypted.
func (s *Server) GenerateDataKey(ctx context.Context, in *kms.GenerateDataKeyInput) (*kms.GenerateDataKeyOutput, error) {
	if err := checkRecipient(in.Recipient); err != nil {
		return nil, err
	}
	d, err := s.dataKey(ctx, *in.KeyId, in.KeySpec, in.NumberOfBytes, in.EncryptionContext)
	if err := firstError(err, dryRun(in.DryRun)); err != nil {
		return nil, err
	}
	return &kms.GenerateDataKeyOutput{CiphertextBlob: d.blob, Plaintext: d.plaintext, KeyId: d.key.Metadata.Arn, KeyMaterialId: d.key.Metadata.CurrentKeyMaterialId}, nil
}

// GenerateDataKeyWithoutPlaintext makes a key that is to be used later: encrypted only.
func (s *Server) GenerateDataKeyWithoutPlaintext(ctx context.Context, in *kms.GenerateDataKeyWithoutPlaintextInput) (*kms.GenerateDataKeyWithoutPlaintextOutput, error) {
	d, err := s.dataKey(ctx, *in.KeyId, in.KeySpec, in.NumberOfBytes, in.EncryptionContext)
	if err := firstError(err, dryRun(in.DryRun)); err != nil {
		return nil, err
	}
	return &kms.GenerateDataKeyWithoutPlaintextOutput{CiphertextBlob: d.blob, KeyId: d.key.Metadata.Arn, KeyMaterialId: d.key.Metadata.CurrentKeyMaterialId}, nil
}

// dataKey is a key for others to encrypt with.
type dataKey struct {
	plaintext, blob []byte
	key             *record.KMSKey
}

func (s *Server) dataKey(ctx context.Context, keyID string, spec kms.DataKeySpec, size *int32, context map[string]string) (*dataKey, error) {
	var plaintext []byte
	switch {
	case (spec == "") == (size == nil):
		return nil, invalid("Please specify either number of bytes or key spec.")
	case size != nil:
		plaintext = make([]byte, *size)
	case spec == kms.DataKeySpecAes128:
		plaintext = make([]byte, 16)
	default:
		plaintext = make([]byte, 32)
	}
	k, err := s.used(ctx, keyID)
	if err != nil {
		return nil, err
	}
	rand.Read(plaintext) // never fails: see crypto/rand
	blob, err := engine.Encrypt(s.db.View(), k, plaintext, context)
	return &dataKey{plaintext, blob, k}, err
}

// GenerateRandom gives random bytes.
func (s *Server) GenerateRandom(_ context.Context, in *kms.GenerateRandomInput) (*kms.GenerateRandomOutput, error) {
	switch {
	case in.CustomKeyStoreId != nil:
		return nil, notImplemented("custom key stores")
	case in.NumberOfBytes == nil:
		return nil, invalid("NumberOfBytes must be specified.")
	}
	b := make([]byte, *in.NumberOfBytes)
	rand.Read(b)
	return &kms.GenerateRandomOutput{Plaintext: b}, checkRecipient(in.Recipient)
}
