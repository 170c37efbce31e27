package host

import (
	"context"

	"fargo/secret"
)

// Password gives the password of [desired.PullSource.Username]. It is called when a
// registry asks for one, and may wait for the control plane. An error of it is a
// [SecretError], or that of its context.
type Password func(context.Context) (secret.Text, error)

// SecretError says, in ECS's words, why a secret cannot be had. Asking for it again
// changes nothing.
type SecretError struct{ Reason string }

// Error is the reason.
func (e *SecretError) Error() string { return e.Reason }
