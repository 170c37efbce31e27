package balancer

import (
	"strings"
	"time"

	"fargo/balancer/http1"
)

// exchange is one request and what became of it: what rules look at, and what
// counters and logs want to know.
type exchange struct {
	request
	protocol string
	finding  http1.Finding
	trace    string
	received int64

	connection string // what logs call the connection it came on
	// of TLS; empty without
	tlsVersion, cipher, sni, certificate string

	rule          *rule  // nil when none was looked for
	groupARN      string // empty when it was not for a target group
	targetAddress string // the address of the target chosen; empty for none
	location      string // of a redirect
	evaluated     uint64 // rules looked at
	failOpen      bool
	grpc          bool
	// transformStatus is how the rule's transforms ended; empty when none matched.
	transformStatus string

	began    time.Time
	departed time.Time // to the target; zero when it was not
	answered time.Time // the head of the target's answer was there

	status       int
	targetStatus int // 0 when the target gave no answer
	written      int64
	reason       string // why there is no answer of a target
}

// What the protocol of an exchange is called.
const (
	protocolHTTP10 = "HTTP/1.0"
	protocolHTTP11 = "HTTP/1.1"
	protocolHTTP2  = "HTTP/2.0"
)

// isGRPC reports whether fields are those of a call of gRPC.
func isGRPC(fields []http1.Field) bool {
	v, _ := http1.Find(fields, http1.ContentType)
	return strings.HasPrefix(v, "application/grpc")
}
