package kms

import (
	"strings"
	"time"

	"github.com/google/uuid"

	"fargo"
	"fargo/aws/kms"
	"fargo/aws/protocol"
	"fargo/plan"
	"fargo/record"
	"fargo/store"
)

// Encrypt encrypts with a key, unless it is disabled or on its way out. The errors are
// KMS's.
func Encrypt(r store.Reader, k *record.KMSKey, plaintext []byte, context map[string]string) ([]byte, error) {
	if err := plan.KMSKeyUsable(k); err != nil {
		return nil, err
	}
	m, ok := store.KMSMaterials.Get(r, k.ARN()+"/"+*k.Metadata.CurrentKeyMaterialId)
	if !ok {
		return nil, kms.KeyUnavailableException("")
	}
	return Material(*m).Encrypt(plaintext, context)
}

// Decrypted is what a ciphertext was, and what it was made with.
type Decrypted struct {
	Plaintext  []byte
	Key        *record.KMSKey
	MaterialID string
}

// Decrypt decrypts what Encrypt made, with the key that the ciphertext names, unless
// the key is not in scope, disabled or on its way out. The errors are KMS's.
func Decrypt(r store.Reader, scope fargo.Scope, blob []byte, context map[string]string) (*Decrypted, error) {
	k, id, err := KeyOf(r, scope, blob)
	if err != nil {
		return nil, err
	}
	if err := plan.KMSKeyUsable(k); err != nil {
		return nil, err
	}
	m, ok := store.KMSMaterials.Get(r, k.ARN()+"/"+id)
	if !ok {
		return nil, kms.InvalidCiphertextException("")
	}
	plaintext, err := Material(*m).Decrypt(blob, context)
	if err != nil {
		return nil, kms.InvalidCiphertextException("")
	}
	return &Decrypted{plaintext, k, id}, nil
}

// KeyOf is the key in scope that a ciphertext names, and the id of its material. It need
// not have been made with it: only Decrypt finds that out. The errors are KMS's.
func KeyOf(r store.Reader, scope fargo.Scope, blob []byte) (k *record.KMSKey, materialID string, err error) {
	keyARN, id, _, err := parse(blob)
	if err != nil {
		return nil, "", kms.InvalidCiphertextException("")
	}
	k, ok := store.FindKMSKey(r, scope, keyARN)
	if !ok {
		return nil, "", protocol.Errorf("AccessDeniedException",
			"The ciphertext refers to a customer master key that does not exist, does not exist in this region, or you are not allowed to access.")
	}
	return k, id, nil
}

// NewKey makes a symmetric key with material of its own.
func NewKey(tx *store.Tx, scope fargo.Scope, manager kms.KeyManagerType, description, policy string, tags []kms.Tag, now time.Time) *record.KMSKey {
	id := uuid.NewString()
	k := &record.KMSKey{
		Scope: scope, Policy: policy, Tags: tags,
		Metadata: kms.KeyMetadata{
			AWSAccountId: &scope.Account, KeyId: &id, Arn: new(scope.ARN("kms", "key/"+id)), CreationDate: &now,
			Enabled: new(true), Description: &description, KeyUsage: kms.KeyUsageTypeEncryptDecrypt, KeyState: kms.KeyStateEnabled,
			Origin: kms.OriginTypeAwsKms, KeyManager: manager, MultiRegion: new(false),
			CustomerMasterKeySpec: kms.CustomerMasterKeySpecSymmetricDefault, KeySpec: kms.KeySpecSymmetricDefault,
			EncryptionAlgorithms: []kms.EncryptionAlgorithmSpec{kms.EncryptionAlgorithmSpecSymmetricDefault},
		},
	}
	addMaterial(tx, k, record.KMSRotation{})
	store.KMSKeys.Put(tx, k)
	return k
}

// addMaterial gives a key that is not in the store yet, or a copy, other material.
func addMaterial(tx *store.Tx, k *record.KMSKey, rotation record.KMSRotation) {
	m := NewMaterial(k.ARN())
	store.KMSMaterials.Put(tx, new(record.KMSMaterial(m)))
	rotation.MaterialID = m.ID
	k.Materials = append(k.Materials[:len(k.Materials):len(k.Materials)], rotation)
	k.Metadata.CurrentKeyMaterialId = &m.ID
}

// Rotate gives a key new material, and gives the key as it is then. What it has
// encrypted can still be decrypted.
func Rotate(tx *store.Tx, k *record.KMSKey, how kms.RotationType, now time.Time) *record.KMSKey {
	rotated := *k
	addMaterial(tx, &rotated, record.KMSRotation{Date: now, Type: how})
	if how == kms.RotationTypeAutomatic {
		rotated.NextRotation = plan.KMSRotationAfter(now, k.RotationDays)
	}
	store.KMSKeys.Put(tx, &rotated)
	return &rotated
}

// serviceKeys are the aliases of the keys that AWS manages, for a service each, and
// what DescribeKey says of them.
var serviceKeys = map[string]string{
	"alias/aws/acm":               "Default key that protects my ACM private keys when no other key is defined",
	"alias/aws/ebs":               "Default key that protects my EBS volumes when no other key is defined",
	"alias/aws/ecr":               "Default key that protects my ECR data when no other key is defined",
	"alias/aws/elasticfilesystem": "Default key that protects my EFS filesystems when no other key is defined",
	"alias/aws/s3":                "Default key that protects my S3 objects when no other key is defined",
	"alias/aws/secretsmanager":    "Default key that protects my Secrets Manager data when no other key is defined",
	"alias/aws/ssm":               "Default key that protects my SSM parameters when no other key is defined",
}

// FindOrMake is [store.FindKMSKey] for callers who may be the first to name the key of
// a service, such as "alias/aws/ssm": it is made then. The error is KMS's, of a key that
// is not there.
func FindOrMake(tx *store.Tx, scope fargo.Scope, keyID string, now time.Time) (*record.KMSKey, error) {
	if k, ok := store.FindKMSKey(tx, scope, keyID); ok {
		return k, nil
	}
	name := strings.TrimPrefix(keyID, scope.ARN("kms", ""))
	description, ok := serviceKeys[name]
	if !ok {
		return nil, plan.KMSKeyNotFound(scope, keyID)
	}
	service := strings.TrimPrefix(name, "alias/aws/")
	k := NewKey(tx, scope, kms.KeyManagerTypeAws, description, servicePolicy(scope, service), nil, now)
	rotating := *k
	rotating.RotationDays, rotating.NextRotation = serviceRotationDays, plan.KMSRotationAfter(now, serviceRotationDays)
	store.KMSKeys.Put(tx, &rotating)
	store.KMSAliases.Put(tx, &record.KMSAlias{Scope: scope, Name: name, KeyID: *k.Metadata.KeyId, Created: now, Updated: now})
	return &rotating, nil
}

// serviceRotationDays is how often AWS rotates its keys.
// Source: KMS developer guide, "Rotate AWS KMS keys": every year.
const serviceRotationDays = 365
