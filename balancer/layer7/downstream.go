package layer7

import "fargo/balancer/http1"

// downstream is the client of a round trip, whatever protocol it speaks.
type downstream interface {
	// SendContinue is called when the target is there and the body is not: the client
	// may be waiting for 100 (Continue).
	SendContinue() error
	// SendInterim passes on an answer of status 1xx.
	SendInterim(*http1.Response) error
	// AbortReads ends the reading of the body. When it turns out that all of it had
	// been read, ResumeReads undoes that for what comes after it.
	AbortReads()
	ResumeReads()
	// CheckAlive gives an error when the client has gone.
	CheckAlive() error
}
