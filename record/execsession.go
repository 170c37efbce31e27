package record

import (
	"time"

	"fargo"
)

// ExecSession is a session of ECS Exec, and what is known of it afterwards: who ran what
// where and when, and how it ended. It never has the token, only the token's hash.
//
// All fields up to Refusal are written when the session is made. TokenHash and
// TokenExpires are written then, and when it is resumed; TerminatedAt by who ends it by
// the API; what follows by package control.
type ExecSession struct {
	Scope       fargo.Scope
	ID          string
	Cluster     string // name
	TaskID      string
	Container   string // name
	ContainerID string // runtime id
	Node        string
	Owner       string // ARN of the caller
	Reason      string `json:",omitzero"` // that the caller gave
	Command     string // as it was given
	Arguments   []string
	CreatedAt   time.Time
	// Logging is where the transcript goes.
	Logging  ExecLogging `json:",omitzero"`
	KMSKeyID string      `json:",omitzero"` // of the channel's encryption; empty for none
	// Refusal is what the client is told in place of the command's output.
	Refusal string `json:",omitzero"`

	TokenHash    string // [desired.ExecTokenHash]
	TokenExpires time.Time

	TerminatedAt time.Time `json:",omitzero"`

	StartedAt time.Time `json:",omitzero"` // of the command
	EndedAt   time.Time `json:",omitzero"`
	ExitCode  *int      `json:",omitzero"`
	EndReason string    `json:",omitzero"` // empty when the command ended by itself
}

// ExecLogging is where the transcript of a session goes: nowhere, to a log group, to a
// bucket, or to both.
type ExecLogging struct {
	LogGroup  string `json:",omitzero"`
	LogRegion string `json:",omitzero"` // of the group; empty means the task's
	Bucket    string `json:",omitzero"`
	// KeyPrefix is of the object's key, without a slash at its end.
	KeyPrefix string `json:",omitzero"`
	// LogGroupEncrypted and BucketEncrypted ask for what is not to be written where it
	// is not encrypted.
	LogGroupEncrypted bool `json:",omitzero"`
	BucketEncrypted   bool `json:",omitzero"`
}

// Key is the session's place in the store.
func (s *ExecSession) Key() string { return s.Scope.Key(s.ID) }

// TaskKey is the place in the store of the session's task.
func (s *ExecSession) TaskKey() string { return s.Scope.Key(s.Cluster, s.TaskID) }

// TaskARN is the name of the session's task.
func (s *ExecSession) TaskARN() string { return s.Scope.ARN("ecs", "task/"+s.Cluster+"/"+s.TaskID) }

// Target is what Systems Manager calls the container.
func (s *ExecSession) Target() string {
	return "ecs:" + s.Cluster + "_" + s.TaskID + "_" + s.ContainerID
}

// Ended reports whether the session is over.
func (s *ExecSession) Ended() bool { return !s.EndedAt.IsZero() }
