package record

import (
	"time"

	"fargo"
	"fargo/aws/secretsmanager"
)

// The staging labels that Secrets Manager itself moves.
const (
	StageCurrent  = "AWSCURRENT"
	StagePrevious = "AWSPREVIOUS"
	StagePending  = "AWSPENDING"
)

// Secret is a secret of Secrets Manager: all of it but its values, each of which is a
// [SecretValue]. The API writes it, that of EventBridge for those of connections. The controllers of secrets and of their rotation write
// what a rotation changes in Versions and Rotation, and remove the secret in the end.
type Secret struct {
	Scope fargo.Scope
	Name  string
	ARN   string
	// Description and Type are nil when they were never given.
	Description *string `json:",omitempty"`
	Type        *string `json:",omitempty"`
	// KMSKeyID is the key as its user named it. Empty for the default, the key of AWS's
	// that is called alias/aws/secretsmanager.
	KMSKeyID string `json:",omitempty"`
	// Tags is nil when there never were any, and empty when all were removed.
	Tags   []secretsmanager.Tag `json:",omitzero"`
	Policy string               `json:",omitempty"` // the resource policy, as given
	// OwningService is the service whose secret it is ("events"); empty for a user's own.
	OwningService string `json:",omitempty"`

	CreatedAt time.Time
	ChangedAt time.Time
	// AccessedAt is the midnight (UTC) before the last time that a value was read.
	AccessedAt time.Time `json:",omitzero"`
	// DeletedAt is when the secret was marked for deletion, and RemovedAt when it will be
	// gone. Both are zero for a live secret.
	DeletedAt time.Time `json:",omitzero"`
	RemovedAt time.Time `json:",omitzero"`

	// Versions are in the order in which they were made.
	Versions []SecretVersion `json:",omitempty"`
	// Rotation is nil when it was never configured.
	Rotation *SecretRotation `json:",omitempty"`
}

// Key is the secret's place in the store.
func (s *Secret) Key() string { return s.Scope.Key(s.Name) }

// Version finds a version by its id.
func (s *Secret) Version(id string) *SecretVersion {
	for i := range s.Versions {
		if s.Versions[i].ID == id {
			return &s.Versions[i]
		}
	}
	return nil
}

// Staged finds the version that a staging label is attached to.
func (s *Secret) Staged(stage string) *SecretVersion {
	for i := range s.Versions {
		if s.Versions[i].Has(stage) {
			return &s.Versions[i]
		}
	}
	return nil
}

// SecretVersion is a version of a secret without its value.
type SecretVersion struct {
	ID string // the client's request token
	// Stages are the staging labels attached to it, sorted. Without any it is deprecated.
	Stages []string `json:",omitempty"`
	// Empty says that there is no value: a rotation has begun, and its function is still
	// to make one.
	Empty     bool `json:",omitempty"`
	CreatedAt time.Time
	// AccessedAt is the midnight (UTC) before the last time that the value was read.
	AccessedAt time.Time `json:",omitzero"`
	// KMSKeyID is the key that the value was encrypted with, as [Secret] has it.
	KMSKeyID string `json:",omitempty"`
}

// Has reports whether a staging label is attached to the version.
func (v *SecretVersion) Has(stage string) bool {
	for _, s := range v.Stages {
		if s == stage {
			return true
		}
	}
	return false
}

// SecretValue is the value of one version of a secret: a text or bytes. Its table is
// sealed.
type SecretValue struct {
	Secret  string // the secret's ARN
	Version string
	Text    *string `json:",omitempty"`
	Binary  []byte  `json:",omitempty"`
}

// Key is the value's place in the store.
func (v *SecretValue) Key() string { return SecretValueKey(v.Secret, v.Version) }

// SecretValueKey is the store key of a version's value. With an empty version it is the
// prefix of all values of the secret.
func SecretValueKey(arn, version string) string { return arn + "/" + version }

// SecretRotation is how and when a secret is rotated.
type SecretRotation struct {
	Enabled     bool
	FunctionARN string // of the Lambda function that does it
	Rules       secretsmanager.RotationRulesType
	LastAt      time.Time `json:",omitzero"` // when the last rotation succeeded
	// DueAt and NextAt are the beginning and the end of the window in which the secret is
	// rotated next; zero while it is not by itself.
	DueAt  time.Time `json:",omitzero"`
	NextAt time.Time `json:",omitzero"`
	// Pending is the rotation under way; nil while there is none.
	Pending *PendingRotation `json:",omitempty"`
}

// PendingRotation is a rotation that has begun and not ended. It is gone on with by
// whichever process finds it.
type PendingRotation struct {
	Token string // the id of the version that it makes
	// Source is what its function proves with that it acts for this rotation.
	Source string
	// Step is the next one to be carried out: "createSecret", "setSecret", "testSecret" or
	// "finishSecret".
	Step string
	// Test says that only testSecret is wanted, after which the version is given up.
	Test bool `json:",omitempty"`
	// Failures is how often it was begun anew because a step failed, and RetryAt when it
	// is to be tried again.
	Failures int       `json:",omitempty"`
	RetryAt  time.Time `json:",omitzero"`
}
