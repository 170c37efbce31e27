package containerd

import "errors"

// Kind is the first word of an error as ECS shows it in a container's reason.
// Source: ECS developer guide, "Stopped tasks error messages".
type Kind string

// The kinds this package answers with.
const (
	CannotPull   Kind = "CannotPullContainerError"
	CannotCreate Kind = "CannotCreateContainerError"
	CannotStart  Kind = "CannotStartContainerError"
)

// Error says that a container cannot be what its specification wants, and that
// trying again will not help. Its text is ECS's reason.
type Error struct {
	Kind Kind
	Err  error
}

// Error is the kind and the text of the inner error; of nested kinds the
// innermost, which knows best, stands alone.
func (e *Error) Error() string {
	var inner *Error
	if errors.As(e.Err, &inner) {
		return inner.Error()
	}
	return string(e.Kind) + ": " + e.Err.Error()
}

func (e *Error) Unwrap() error { return e.Err }
