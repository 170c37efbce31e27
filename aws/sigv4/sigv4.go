// Package sigv4 checks AWS Signature Version 4: that whoever sent a request
// holds the secret of the access key it names, and that what the signature
// covers has arrived unchanged. It knows the canonical form of a request, in
// signed headers and in presigned URLs. It refuses to know whose an access key
// is, and it reads no clock.
//
// The algorithm is AWS's "Signature Version 4 signing process"; what that leaves
// open follows the requests botocore makes.
package sigv4

import (
	"fmt"
	"time"
)

// Algorithm names the only kind of signature known here.
const Algorithm = "AWS4-HMAC-SHA256"

const (
	stampFormat = "20060102T150405Z"
	dateFormat  = "20060102"
	terminator  = "aws4_request"

	// skew is how far a signature's time may be from ours; s3Skew is that of S3.
	// Source: S3 API reference, "Error responses", RequestTimeTooSkewed.
	skew   = 5 * time.Minute
	s3Skew = 15 * time.Minute
	// maxExpires is how long a presigned URL may be good for.
	maxExpires = 7 * 24 * time.Hour

	unsignedPayload = "UNSIGNED-PAYLOAD"
)

// Signature is what a request says of its own signature. Nothing in it is true
// until Verify says so.
type Signature struct {
	AccessKeyID   string
	Region        string
	Service       string // the signing name: "ecs", "elasticloadbalancing"
	Token         string // of the session, "" for a long-term key
	Time          time.Time
	Expires       time.Duration // how long a presigned URL is good; 0 for signed headers
	SignedHeaders []string      // in lower case, as the request lists them

	presigned bool
	version2  bool
	date      string // of the scope: "20150830"
	stamp     string // of the request: "20150830T123600Z"
	mac       []byte
}

// Kind says what is wrong with a signature.
type Kind uint8

// The kinds of error.
const (
	Missing       Kind = iota // the request is not signed
	Malformed                 // the signature cannot be read
	Scope                     // the credential's scope does not fit the request
	Unsupported               // another algorithm, or a payload signed in chunks
	Expired                   // too long ago
	ExpiredURL                // a presigned URL past its time
	NotYetCurrent             // in the future
	BodyMismatch              // the body is not the one that was signed
	Mismatch                  // a wrong secret, or something changed on the way
	Incomplete                // a body in chunks that ends early, or is no such body
	Length                    // a body in chunks without its length
)

// Error is the only type of error from this package. Message has AWS's text.
type Error struct {
	Kind    Kind
	Message string
}

func (e *Error) Error() string { return e.Message }

func errorf(kind Kind, format string, args ...any) *Error {
	return &Error{Kind: kind, Message: fmt.Sprintf(format, args...)}
}

const mismatchText = "The request signature we calculated does not match the signature you provided. " +
	"Check your AWS Secret Access Key and signing method. Consult the service documentation for details."
