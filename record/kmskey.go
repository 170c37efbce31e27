package record

import (
	"time"

	"fargo"
	"fargo/aws/kms"
)

// KMSKey is a key of KMS. Its material is elsewhere: see [KMSMaterial].
type KMSKey struct {
	Scope fargo.Scope
	// Metadata is what DescribeKey shows. The KMS API writes it, and the controller of
	// keys, which rotates and deletes them.
	Metadata kms.KeyMetadata
	Policy   string    // the key policy, as it was given
	Tags     []kms.Tag `json:",omitempty"`
	// RotationDays is how often the key gets new material by itself; 0: never.
	RotationDays int32 `json:",omitzero"`
	// NextRotation is when it does so next; zero when it never does.
	NextRotation time.Time `json:",omitzero"`
	// Materials are all that the key ever had, the oldest first. The last one
	// encrypts, and each decrypts what it has encrypted.
	Materials []KMSRotation
}

// KMSRotation says how a key came to one of its materials.
type KMSRotation struct {
	MaterialID string
	// Date and Type are zero for the material that the key began with.
	Date time.Time        `json:",omitzero"`
	Type kms.RotationType `json:",omitzero"`
}

// Key is the key's place in the store.
func (k *KMSKey) Key() string { return k.Scope.Key(*k.Metadata.KeyId) }

// ARN is the key's ARN.
func (k *KMSKey) ARN() string { return *k.Metadata.Arn }

// KMSMaterial is one of the secrets that a KMS key has had. Its table is sealed.
type KMSMaterial struct {
	KeyARN string
	ID     string // 64 hexadecimal digits
	Secret []byte // 32 bytes: an AES-256 key
}

// Key is the material's place in the store.
func (m *KMSMaterial) Key() string { return m.KeyARN + "/" + m.ID }

// KMSAlias is another name of a KMS key.
type KMSAlias struct {
	Scope            fargo.Scope
	Name             string // "alias/production"
	KeyID            string // of the key, in the same scope
	Created, Updated time.Time
}

// Key is the alias's place in the store.
func (a *KMSAlias) Key() string { return a.Scope.Key(a.Name) }

// ARN is the alias's ARN.
func (a *KMSAlias) ARN() string { return a.Scope.ARN("kms", a.Name) }
