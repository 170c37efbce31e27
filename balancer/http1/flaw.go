package http1

import "fmt"

// Class is how dangerous a request is that does not follow RFC 9112: how
// differently two servers might read it.
type Class uint8

// The classes, from harmless to dangerous.
const (
	Compliant Class = iota
	Acceptable
	Ambiguous
	Severe
)

// String is the class as access logs have it.
func (c Class) String() string {
	return [...]string{"Compliant", "Acceptable", "Ambiguous", "Severe"}[c]
}

// Finding is the worst that was found in a request that can still be framed.
type Finding struct {
	Class  Class
	Reason string // the name AWS gives it: "BothTeClPresent"
}

// note keeps the worse finding, and the first among equals.
func (f *Finding) note(c Class, reason string) {
	if c > f.Class {
		*f = Finding{c, reason}
	}
}

// Error says why a message cannot be read. For a request, Status is the answer
// it deserves.
type Error struct {
	Status int
	Reason string
}

func (e *Error) Error() string { return fmt.Sprintf("http1: %s", e.Reason) }

func bad(reason string) error { return &Error{400, reason} }
