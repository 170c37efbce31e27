package api

import (
	"crypto/subtle"
	"errors"
	"io"
	"net/http"
	"os"
	"regexp"
	"slices"
	"time"

	"fargo/aws/protocol"
	"fargo/aws/sigv4"
)

// Keys looks up access keys. It is called for every request, by many goroutines.
type Keys interface {
	// Key gives the access key of an id; ok is false when there is no such key or
	// it may not be used.
	Key(id string) (key Key, ok bool)
}

// Key is an access key and the caller that signs with it.
type Key struct {
	Secret  string
	Token   string    // the session token that must come with it; "" for a long-term key
	Expires time.Time // zero for a long-term key
	Account string
	Caller  // without what only the request can say
}

// unsigned are the operations that a caller needs no key for.
var unsigned = []string{"sts:AssumeRoleWithSAML", "sts:AssumeRoleWithWebIdentity"}

// authenticate sets the caller, the account and the region of the call.
func (x *exchange) authenticate() error {
	if err := x.findOrigin(); err != nil {
		return err
	}
	x.call.Account, x.call.Region = x.Account, x.Region
	if x.sig != nil {
		x.call.Region = x.sig.Region
	}
	if x.sig == nil && slices.Contains(unsigned, x.operation.name) {
		x.setCaller(Key{}) // anonymous
		return nil
	}
	if x.AcceptAnyCredentials {
		x.acceptAny()
		return x.streamUnverified()
	}
	refusals := x.refusals()
	if x.sig == nil {
		return refusals.signature(x.sigErr)
	}
	key := x.key
	if !x.keyKnown || subtle.ConstantTimeCompare([]byte(key.Token), []byte(x.sig.Token)) == 0 {
		return refusals.refuse(unknownKey, "The security token included in the request is invalid.")
	}
	now := time.Now()
	if err := x.verify(key.Secret, now); err != nil {
		return refusals.signature(err)
	}
	if !key.Expires.IsZero() && now.After(key.Expires) {
		return refusals.refuse(expiredToken, "The security token included in the request is expired")
	}
	x.setCaller(key)
	x.body.release() // the caller is known
	return x.scope(refusals)
}

// verify checks the signature. A body that the handler reads is checked when it does.
func (x *exchange) verify(secret string, now time.Time) error {
	if !x.operation.streams {
		return x.verifier.Verify(x.sig, x.http, x.raw, secret, now)
	}
	body, err := x.verifier.VerifyStream(x.sig, x.http, secret, now)
	if err == nil {
		x.request.Stream = body
	}
	return err
}

// streamUnverified gives the handler the body of a request that nobody checks.
func (x *exchange) streamUnverified() error {
	if !x.operation.streams {
		return nil
	}
	body, err := sigv4.UnverifiedBody(x.http)
	if err != nil {
		return x.refusals().signature(err)
	}
	x.request.Stream = body
	return nil
}

// refusals are the errors of the operation's service.
func (x *exchange) refusals() refusals {
	return refusalsByFamily[family(x.operation.service, x.request.HTTP)]
}

// setCaller sets the caller: what its key says, and what the request says.
func (x *exchange) setCaller(key Key) {
	c := &x.call.Caller
	x.callerKnown = true
	x.call.Account, *c = key.Account, key.Caller
	if x.sig != nil {
		c.AccessKeyID = x.sig.AccessKeyID
	}
	c.Client = ClientOf(x.http, x.from)
}

// errUnknownOrigin is of a request whose origin was signed with no key that is known now:
// by a node that has not heard of a new one yet, or by nobody.
var errUnknownOrigin = errors.New("it is not known where the request comes from")

// findOrigin finds out where in a VPC the request comes from, if it does.
func (x *exchange) findOrigin() error {
	if x.origin == "" || x.Origin == nil {
		return nil
	}
	o, ok := x.Origin(x.origin)
	if !ok {
		return x.unavailable(errUnknownOrigin)
	}
	x.from = &o
	return nil
}

func (x *exchange) acceptAny() {
	if x.keyKnown {
		x.setCaller(x.key)
		return
	}
	x.setCaller(Key{Account: x.Account, Caller: Caller{PrincipalARN: "arn:aws:iam::" + x.Account + ":root", PrincipalID: x.Account}})
}

var region = regexp.MustCompile(`^[a-z]{2}(-[a-z]+)+-[0-9]+$`)

// scope checks the region and the service a signature was made for. The expression
// is asked only about other regions than our own: it takes longer than all else here.
func (x *exchange) scope(refusals refusals) error {
	if x.sig.Region != x.Region && !region.MatchString(x.sig.Region) {
		return refusals.refuse(badSignature, "Credential should be scoped to a valid region, not '%s'. ", x.sig.Region)
	}
	if want := x.operation.service.SigningName; x.sig.Service != want {
		return refusals.refuse(badSignature, "Credential should be scoped to correct service: '%s'. ", want)
	}
	return nil
}

// authFailure is a reason for which authentication fails.
type authFailure uint8

const (
	notSigned authFailure = iota
	incomplete
	badSignature
	wrongTime
	unknownKey
	expiredToken
	// Those that only S3 tells apart from the others.
	expiredURL
	wrongBody
	brokenBody
	noLength
)

// refusals are the errors of one family of services.
type refusals map[authFailure]protocol.Error

// EC2's message does not say why.
const ec2AuthFailure = "AWS was not able to validate the provided access credentials"

// refusalsByFamily has the errors of each family. An error with a message always has
// that message.
var refusalsByFamily = map[string]refusals{
	"json": {
		notSigned:    {Code: "MissingAuthenticationTokenException", Status: 400, Message: "Missing Authentication Token"},
		incomplete:   {Code: "IncompleteSignatureException", Status: 400},
		badSignature: {Code: "InvalidSignatureException", Status: 400},
		wrongTime:    {Code: "InvalidSignatureException", Status: 400},
		unknownKey:   {Code: "UnrecognizedClientException", Status: 400},
		expiredToken: {Code: "ExpiredTokenException", Status: 400},
	},
	"query": {
		notSigned:    {Code: "MissingAuthenticationToken", Status: 403, Message: "Request is missing Authentication Token"},
		incomplete:   {Code: "IncompleteSignature", Status: 400},
		badSignature: {Code: "SignatureDoesNotMatch", Status: 403},
		wrongTime:    {Code: "SignatureDoesNotMatch", Status: 403},
		unknownKey:   {Code: "InvalidClientTokenId", Status: 403},
		expiredToken: {Code: "ExpiredToken", Status: 403},
	},
	"ec2": {
		notSigned:    {Code: "AuthFailure", Status: 401, Message: ec2AuthFailure},
		incomplete:   {Code: "AuthFailure", Status: 401, Message: ec2AuthFailure},
		badSignature: {Code: "AuthFailure", Status: 401, Message: ec2AuthFailure},
		wrongTime:    {Code: "RequestExpired", Status: 400, Message: "Request has expired."},
		unknownKey:   {Code: "AuthFailure", Status: 401, Message: ec2AuthFailure},
		expiredToken: {Code: "RequestExpired", Status: 400, Message: "Request has expired."},
	},
	// Source: S3 API reference, "Error responses", and public reports of answers.
	"s3": {
		notSigned:    {Code: "AccessDenied", Status: 403, Message: "Access Denied"},
		incomplete:   {Code: "AuthorizationHeaderMalformed", Status: 400},
		badSignature: {Code: "SignatureDoesNotMatch", Status: 403, Message: "The request signature we calculated does not match the signature you provided. Check your key and signing method."},
		wrongTime:    {Code: "RequestTimeTooSkewed", Status: 403, Message: "The difference between the request time and the current time is too large."},
		unknownKey:   {Code: "InvalidAccessKeyId", Status: 403, Message: "The AWS Access Key Id you provided does not exist in our records."},
		expiredToken: {Code: "ExpiredToken", Status: 400, Message: "The provided token has expired."},
		expiredURL:   {Code: "AccessDenied", Status: 403, Message: "Request has expired"},
		wrongBody:    {Code: "XAmzContentSHA256Mismatch", Status: 400},
		brokenBody:   {Code: "IncompleteBody", Status: 400},
		noLength:     {Code: "MissingContentLength", Status: 411},
	},
}

// family is the key in refusalsByFamily for a request to a service.
func family(s *protocol.Service, r *http.Request) string {
	switch {
	case s.Name == "s3":
		return "s3"
	case s.Speaks("ec2"):
		return "ec2"
	case s.Speaks("rest-xml"), s.Speaks("query") && r.Header.Get("X-Amz-Target") == "" && r.Header.Get("Smithy-Protocol") == "":
		return "query"
	}
	return "json"
}

func (w refusals) refuse(p authFailure, format string, args ...any) error {
	e := w[p]
	if e.Message != "" {
		return &e
	}
	return protocol.Errorf(e.Code, format, args...).WithStatus(e.Status)
}

var failureOf = map[sigv4.Kind]authFailure{
	sigv4.Missing:       notSigned,
	sigv4.Malformed:     incomplete,
	sigv4.Unsupported:   incomplete,
	sigv4.Scope:         badSignature,
	sigv4.BodyMismatch:  badSignature,
	sigv4.Mismatch:      badSignature,
	sigv4.Expired:       wrongTime,
	sigv4.ExpiredURL:    wrongTime,
	sigv4.NotYetCurrent: wrongTime,
	sigv4.Incomplete:    brokenBody,
	sigv4.Length:        noLength,
}

// ofS3 are the failures that S3 tells apart.
var ofS3 = map[sigv4.Kind]authFailure{sigv4.BodyMismatch: wrongBody, sigv4.ExpiredURL: expiredURL}

// signature translates an error of sigv4.
func (w refusals) signature(err error) error {
	var e *sigv4.Error
	if !errors.As(err, &e) {
		return err
	}
	failure := failureOf[e.Kind]
	if particular, ok := ofS3[e.Kind]; ok {
		if _, told := w[particular]; told {
			failure = particular
		}
	}
	return w.refuse(failure, "%s", e.Message)
}

// streamed translates the error of a handler that has read the body: of the signature,
// or of a client that has left.
func (w refusals) streamed(err error) error {
	switch {
	case errors.As(err, new(*sigv4.Error)):
		return w.signature(err)
	case errors.Is(err, os.ErrDeadlineExceeded):
		return protocol.Errorf("RequestTimeout", "Your socket connection to the server was not read from or written to within the timeout period. Idle connections will be closed.")
	case errors.Is(err, io.ErrUnexpectedEOF):
		return w.refuse(brokenBody, "You did not provide the number of bytes specified by the Content-Length HTTP header")
	}
	return err
}
