package desired

import (
	"encoding/json"
	"time"
)

// Invocation is what a task that runs a function is to do. The node asks for it when the
// task does.
type Invocation struct {
	RequestID   string          `json:"requestId"`
	FunctionARN string          `json:"functionArn"`
	Deadline    time.Time       `json:"deadline"` // when the function is no longer waited for
	Event       json.RawMessage `json:"event"`
}

// InvocationResult is how an invocation has ended.
type InvocationResult struct {
	TaskARN string `json:"taskArn"`
	// RequestID is the invocation's; empty when the runtime could not begin, whatever the
	// invocation would have been.
	RequestID string `json:"requestId,omitempty"`
	// ErrorType is the runtime's, such as "Runtime.ExitError"; empty when there is no error.
	ErrorType string `json:"errorType,omitempty"`
	// Error is what the runtime says of the error, the beginning of it.
	Error string `json:"error,omitempty"`
}
