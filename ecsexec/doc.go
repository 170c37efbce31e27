// Package ecsexec serves the sessions of ECS Exec on a node: it opens data channels for
// clients that have a session's token, runs the session's command in its container, keeps
// what the client was shown, and reports how the session ended. A session needs no control
// plane once it is desired: open ones go on while that is away. It refuses to know the
// protocol of data channels (package session has it), who may open a session, and where
// transcripts go.
package ecsexec

import (
	"context"

	"fargo/desired"
	"fargo/host"
	"fargo/secret"
)

// Runtime runs processes in containers.
type Runtime interface {
	// Exec runs a further process in a running container and gives its exit code. When
	// ctx ends the process is killed.
	Exec(ctx context.Context, container string, spec host.ExecSpec) (int, error)
	// EndExec kills what Exec has left behind of a process, by its id, when its caller
	// died. It is no error when there is nothing.
	EndExec(ctx context.Context, container, id string) error
}

// Link is what is told to the control plane. All calls wait for it for as long as ctx
// lasts.
type Link interface {
	ReportExecSession(ctx context.Context, r desired.ExecSessionReport) error
	// PutExecTranscript hands up what a client was shown; an error is final.
	PutExecTranscript(ctx context.Context, t desired.ExecTranscript) error
	// DecryptExecKey decrypts the data key of a session's channel, and gives it in base64.
	DecryptExecKey(ctx context.Context, k desired.ExecKey) (secret.Text, error)
}
