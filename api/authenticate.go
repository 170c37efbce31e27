package api

import (
	"crypto/subtle"
	"errors"
	"net/http"
	"net/netip"
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
		return nil
	}
	refusals := refusalsByFamily[family(x.operation.service, x.request.HTTP)]
	if x.sig == nil {
		return refusals.signature(x.sigErr)
	}
	key := x.key
	if !x.keyKnown || subtle.ConstantTimeCompare([]byte(key.Token), []byte(x.sig.Token)) == 0 {
		return refusals.refuse(unknownKey, "The security token included in the request is invalid.")
	}
	now := time.Now()
	if err := x.verifier.Verify(x.sig, x.http, x.raw, key.Secret, now); err != nil {
		return refusals.signature(err)
	}
	if !key.Expires.IsZero() && now.After(key.Expires) {
		return refusals.refuse(expiredToken, "The security token included in the request is expired")
	}
	x.setCaller(key)
	x.body.release() // the caller is known
	return x.scope(refusals)
}

// setCaller sets the caller: what its key says, and what the request says.
func (x *exchange) setCaller(key Key) {
	c := &x.call.Caller
	x.call.Account, *c = key.Account, key.Caller
	if x.sig != nil {
		c.AccessKeyID = x.sig.AccessKeyID
	}
	if from, err := netip.ParseAddrPort(x.http.RemoteAddr); err == nil {
		c.SourceAddress = from.Addr().Unmap()
	}
	c.Secure, c.UserAgent, c.Referer = x.http.TLS != nil, x.http.UserAgent(), x.http.Referer()
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
}

// family is the key in refusalsByFamily for a request to a service.
func family(s *protocol.Service, r *http.Request) string {
	switch {
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
	sigv4.NotYetCurrent: wrongTime,
}

// signature translates an error of sigv4.
func (w refusals) signature(err error) error {
	var e *sigv4.Error
	if !errors.As(err, &e) {
		return err
	}
	return w.refuse(failureOf[e.Kind], "%s", e.Message)
}
