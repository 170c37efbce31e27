package protocol

import "fmt"

// Error is an error as a client sees it. An error of any other type that
// reaches the wire is internal: the client is told so and no more.
type Error struct {
	Code    string // "ClusterNotFoundException"
	Message string
	Status  int  // HTTP; 0 means 400
	Fault   bool // the server's fault, not the caller's
	// Fields are the error structure's further members, by wire name.
	Fields map[string]any
}

// Error gives the code and the message.
func (e *Error) Error() string { return e.Code + ": " + e.Message }

// Errorf makes an Error with status 400. Generated packages have a constructor
// for each error their model names; this is for the rest.
func Errorf(code, format string, args ...any) *Error {
	return &Error{Code: code, Message: fmt.Sprintf(format, args...), Status: 400}
}

// WithStatus returns e with another HTTP status.
func (e *Error) WithStatus(status int) *Error {
	c := *e
	c.Status = status
	return &c
}

// WithField returns e with one more member of its structure.
func (e *Error) WithField(name string, value any) *Error {
	c := *e
	c.Fields = map[string]any{name: value}
	for k, v := range e.Fields {
		c.Fields[k] = v
	}
	return &c
}
