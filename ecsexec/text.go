package ecsexec

import (
	"errors"
	"strings"
)

// notStarted says that a command cannot be started, in the words of AWS's agent.
// Source: amazon-ssm-agent, session/shell/shell.go and framework/processor/executer/iohandler.
func notStarted(err error) error {
	text := err.Error()
	if _, cause, ok := strings.Cut(text, "unable to start container process: "); ok { // runc's words
		text = cause
	}
	return errors.New("\n----------ERROR-------\nUnable to start command: Failed to start pty: " + strings.TrimSpace(text) + "\n")
}

// encryptedMessage is what a client prints when its channel is encrypted.
// Source: amazon-ssm-agent, session/datachannel/datachannel.go.
const encryptedMessage = "This session is encrypted using AWS KMS."
