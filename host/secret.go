package host

import (
	"context"

	"fargo/secret"
)

// Login gives what a registry wants to know of who pulls an image. It is called when a
// registry asks, and may wait for the control plane. An error of it is a [SecretError],
// or that of its context.
type Login func(context.Context) (username string, password secret.Text, err error)

// SecretVariable is a variable of a container's environment whose value is a secret.
type SecretVariable struct {
	Name  string
	Value secret.Text
}

// SecretError says, in ECS's words, why a secret cannot be had. Asking for it again
// changes nothing.
type SecretError struct{ Reason string }

// Error is the reason.
func (e *SecretError) Error() string { return e.Reason }
