package desired

import (
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strconv"
	"strings"

	"fargo/secret"
)

// SecretID names a secret: "<kind>/<what it is of>". It shows nothing of the value,
// and may be logged and kept anywhere. A value never changes under its id: what is
// renewed gets another id, so a node need ask only once.
type SecretID string

// The kinds of secrets.
const (
	// RegistryPassword is the password that a task's images are pulled with. It is of
	// a task's ARN.
	RegistryPassword = "registry-password"
	// CertificateKey is a certificate's private key, in PEM. It is of the digest of
	// the certificate's chain, which contains the public key.
	CertificateKey = "certificate-key"
	// TaskCredentials are temporary credentials of a task's role: [RoleCredentials] as
	// JSON. They are of a number and the task's ARN.
	TaskCredentials = "task-credentials"
	// TaskSecret is a value that a task is given, as it was when the task began. It is
	// of a task's ARN and the place of the value among those of the task.
	TaskSecret = "task-secret"
)

// RegistryPasswordOf names the password that the images of a task are pulled with.
func RegistryPasswordOf(taskARN string) SecretID { return SecretID(RegistryPassword + "/" + taskARN) }

// TaskSecretOf names one of the values that a task is given.
func TaskSecretOf(taskARN string, n int) SecretID {
	return SecretID(TaskSecret + "/" + taskARN + "/" + strconv.Itoa(n))
}

// ParseTaskSecret takes apart what a [TaskSecret] is of.
func ParseTaskSecret(of string) (taskARN string, n int, ok bool) {
	at := max(strings.LastIndexByte(of, '/'), 0)
	n, err := strconv.Atoi(strings.TrimPrefix(of[at:], "/"))
	return of[:at], n, err == nil && n >= 0
}

// CertificateKeyOf names the private key that belongs to a certificate, by its chain
// in PEM.
func CertificateKeyOf(chain string) SecretID {
	sum := sha256.Sum256([]byte(chain))
	return SecretID(CertificateKey + "/sha256:" + hex.EncodeToString(sum[:]))
}

// Cut gives the kind of a secret, and what it is of.
func (id SecretID) Cut() (kind, of string) {
	kind, of, _ = strings.Cut(string(id), "/")
	return kind, of
}

// Secret is a secret as a node has it. It is not part of [State]: a node asks for it
// by its id, on the connection of its session, and keeps it in memory for as long as
// something that it is assigned names it.
type Secret struct {
	ID    SecretID
	Value secret.Text
}

// RegistryCredentials is the value, as JSON, of a secret that
// [PullSource.CredentialsID] names.
type RegistryCredentials struct {
	Username string         `json:"username"`
	Password secret.Exposed `json:"password"`
}

// Variables is the value, as JSON, of a secret that
// [ContainerAssignment.EnvironmentFiles] names: "NAME=value", each name once.
type Variables []string

// PullSecrets are the ids of what a container needs until its image is pulled.
func (c *ContainerAssignment) PullSecrets() (ids []SecretID) {
	for _, id := range []SecretID{c.Pull.PasswordID, c.Pull.CredentialsID} {
		if id != "" {
			ids = append(ids, id)
		}
	}
	return ids
}

// EnvironmentSecrets are the ids of what a container needs for as long as it may be
// started.
func (c *ContainerAssignment) EnvironmentSecrets() (ids []SecretID) {
	for _, v := range c.Secrets {
		ids = append(ids, v.ValueID)
	}
	return append(ids, c.EnvironmentFiles...)
}

// DataPlaneSecrets are the ids of what states name apart from their tasks, in order and
// each once: the keys of the certificates of load balancers and of [Platform].
func DataPlaneSecrets(states ...*State) (ids []SecretID) {
	add := func(certificates []Certificate) {
		for _, c := range certificates {
			ids = append(ids, c.KeyID)
		}
	}
	for _, s := range states {
		for i := range s.Balancers {
			for j := range s.Balancers[i].Listeners {
				add(s.Balancers[i].Listeners[j].Certificates)
			}
		}
		add(s.Platform.Certificates)
	}
	slices.Sort(ids)
	return slices.Compact(ids)
}
