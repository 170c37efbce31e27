package exchange

import (
	"strings"
	"time"

	"fargo/balancer/http1"
	"fargo/balancer/routing"
)

// Exchange is one request and what became of it: what rules look at, and what
// counters and logs want to know.
type Exchange struct {
	routing.Request
	Protocol string
	Finding  http1.Finding
	Trace    string
	Received int64

	Connection string // what logs call the connection it came on
	// of TLS; empty without
	TLSVersion, Cipher, SNI, Certificate string

	Rule          *routing.Rule // nil when none was looked for
	GroupARN      string        // empty when it was not for a target group
	TargetAddress string        // the address of the target chosen; empty for none
	Location      string        // of a redirect
	Evaluated     uint64        // rules looked at
	FailOpen      bool
	GRPC          bool
	// NonSticky says that clients stay with targets, and this one could not.
	NonSticky bool
	// InvalidFields says that the request for the target would have fields whose names are
	// not letters, digits and hyphens, and DropsInvalid that it has not got them.
	InvalidFields, DropsInvalid bool
	// TransformStatus is how the rule's transforms ended; empty when none matched.
	TransformStatus string

	Began      time.Time
	SentAt     time.Time // to the target; zero when it was not
	ResponseAt time.Time // the head of the target's answer was there

	Status       int
	TargetStatus int // 0 when the target gave no answer
	Written      int64
	Passed       int64  // of Received and Written, what was counted when it passed
	Reason       string // why there is no answer of a target
}

// What the protocol of an exchange is called.
const (
	HTTP10 = "HTTP/1.0"
	HTTP11 = "HTTP/1.1"
	HTTP2  = "HTTP/2.0"
)

// IsGRPC reports whether fields are those of a call of gRPC.
func IsGRPC(fields []http1.Field) bool {
	v, _ := http1.Find(fields, http1.ContentType)
	return strings.HasPrefix(v, "application/grpc")
}
