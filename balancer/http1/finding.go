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

// Finding is the worst that was found in a request.
type Finding struct {
	Class  Class
	Reason string // the name AWS gives it: "BothTeClPresent"
	// Doubtful says that another server may have seen the request end elsewhere:
	// what follows it on the connection must not be read.
	Doubtful bool
}

// note keeps the worse finding, and the first among equals.
func (f *Finding) note(c Class, reason string) {
	if c > f.Class {
		f.Class, f.Reason = c, reason
	}
	f.Doubtful = f.Doubtful || c == Severe
}

// Error says why a message cannot be read, or is not to be passed on. What
// follows it on its connection has no meaning. For a request, Status is the
// answer it deserves.
type Error struct {
	Status int
	Reason string
}

func (e *Error) Error() string { return fmt.Sprintf("http1: %s", e.Reason) }

func bad(reason string) error { return &Error{400, reason} }
