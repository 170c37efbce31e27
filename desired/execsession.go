package desired

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"time"
)

// DataChannelPath is where clients open data channels, as WebSockets; a session's id
// follows.
// Source: the streamUrl that ExecuteCommand answers with.
const DataChannelPath = "/v1/data-channel/"

// ExecSession is a session of ECS Exec that a node serves: a command in a container, and
// the terminal that a client has of it over a data channel. It ends when its command
// does, when its container does, or when it is no longer desired.
type ExecSession struct {
	ID          string   `json:"id"` // "ecs-execute-command-…", unique among all there are
	TaskARN     string   `json:"taskArn"`
	ContainerID string   `json:"containerId"` // [ContainerAssignment.RuntimeID]
	Command     []string `json:"command"`     // empty only with a Refusal
	// TokenHash is the [ExecTokenHash] of the token that opens one connection, until
	// TokenExpires. A client that has lost its connection gets another token.
	TokenHash    string    `json:"tokenHash"`
	TokenExpires time.Time `json:"tokenExpires"`
	// Begun says that the node has reported that the command was started. A node that
	// knows nothing of it has lost the session, and does not start it again.
	Begun bool `json:"begun,omitempty"`
	// Refusal is what the client is told in place of the command's output. Empty for a
	// session that begins.
	Refusal string `json:"refusal,omitempty"`
	// KMSKeyID is the key of KMS with which the channel is encrypted; empty for none.
	KMSKeyID string `json:"kmsKeyId,omitempty"`
	// Target is what Systems Manager calls the container, and clients that encrypt.
	Target string `json:"target,omitempty"`
	// Transcript says that the control plane wants what the client was shown.
	Transcript bool `json:"transcript,omitempty"`
}

func execSessionKey(s *ExecSession) string { return s.ID }

// ExecTokenHash is what is kept of a token of an [ExecSession]: its SHA-256, in
// hexadecimal digits. Tokens have 240 random bits.
func ExecTokenHash(token string) string {
	sum := sha256.Sum256([]byte(token))
	return hex.EncodeToString(sum[:])
}

// Opens reports whether a token opens a connection of the session at now. How long it
// takes says nothing about the token.
func (s *ExecSession) Opens(token string, now time.Time) bool {
	equal := subtle.ConstantTimeCompare([]byte(ExecTokenHash(token)), []byte(s.TokenHash)) == 1
	return equal && now.Before(s.TokenExpires)
}

// ExecSessionReport is what a node has seen of an [ExecSession]. It is whole; the same one
// may come again.
type ExecSessionReport struct {
	ID        string    `json:"id"`
	StartedAt time.Time `json:"startedAt,omitzero"` // of the command
	EndedAt   time.Time `json:"endedAt,omitzero"`
	// ExitCode is the command's; absent when it did not end by itself, or never ran.
	ExitCode *int `json:"exitCode,omitempty"`
	// Reason is why the session ended, for people; empty when its command did.
	Reason string `json:"reason,omitempty"`
}

// MaxTranscript is how many bytes of a session's transcript are kept.
const MaxTranscript = 8 << 20

// ExecTranscript is what the client of an [ExecSession] was shown, once the session has
// ended. The same one may come again.
type ExecTranscript struct {
	ID      string `json:"id"`      // of the session
	Content []byte `json:"content"` // at most [MaxTranscript]
}

// ExecKey is the data key of the channel of an [ExecSession], as KMS has encrypted it.
type ExecKey struct {
	ID         string            `json:"id"` // of the session
	Ciphertext []byte            `json:"ciphertext"`
	Context    map[string]string `json:"context"` // the encryption context
}
