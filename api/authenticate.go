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

// Keys finds who an access key belongs to. It is asked for every request, and
// may be asked by many at once.
type Keys interface {
	// Key gives what is known of an access key that may be used; ok is false
	// when there is none of that id.
	Key(id string) (key Key, ok bool)
}

// Key is an access key and the caller that signs with it.
type Key struct {
	Secret  string
	Token   string    // the session token that must come with it; "" for a long-term key
	Expires time.Time // zero for a long-term key
	Account string
	Caller  // what is known of it without the request
}

// unsigned are the operations that a caller needs no key for.
var unsigned = []string{"sts:AssumeRoleWithSAML", "sts:AssumeRoleWithWebIdentity"}

// authenticate finds out who is calling, from where and in which region.
func (x *exchange) authenticate() error {
	x.call.Account, x.call.Region = x.Account, x.Region
	if x.sig != nil {
		x.call.Region = x.sig.Region
	}
	if x.sig == nil && slices.Contains(unsigned, x.operation.name) {
		x.is(Key{}) // nobody
		return nil
	}
	if x.AcceptAnyCredentials {
		x.acceptAny()
		return nil
	}
	words := wordings[family(x.operation.service, x.request.HTTP)]
	if x.sig == nil {
		return words.signature(x.sigErr)
	}
	key := x.key
	if !x.keyKnown || subtle.ConstantTimeCompare([]byte(key.Token), []byte(x.sig.Token)) == 0 {
		return words.refuse(unknownKey, "The security token included in the request is invalid.")
	}
	now := time.Now()
	if err := x.verifier.Verify(x.sig, x.http, x.raw, key.Secret, now); err != nil {
		return words.signature(err)
	}
	if !key.Expires.IsZero() && now.After(key.Expires) {
		return words.refuse(expiredToken, "The security token included in the request is expired")
	}
	x.is(key)
	x.body.release() // from here on the caller answers for it
	return x.scope(words)
}

// is says whose the request is, and where it comes from.
func (x *exchange) is(key Key) {
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
		x.is(x.key)
		return
	}
	x.is(Key{Account: x.Account, Caller: Caller{PrincipalARN: "arn:aws:iam::" + x.Account + ":root", PrincipalID: x.Account}})
}

var region = regexp.MustCompile(`^[a-z]{2}(-[a-z]+)+-[0-9]+$`)

// scope checks the region and the service a signature was made for.
func (x *exchange) scope(words wording) error {
	if !region.MatchString(x.sig.Region) {
		return words.refuse(badSignature, "Credential should be scoped to a valid region, not '%s'. ", x.sig.Region)
	}
	if want := x.operation.service.SigningName; x.sig.Service != want {
		return words.refuse(badSignature, "Credential should be scoped to correct service: '%s'. ", want)
	}
	return nil
}

// problem is a kind of failure to authenticate.
type problem uint8

const (
	notSigned problem = iota
	incomplete
	badSignature
	wrongTime
	unknownKey
	expiredToken
)

// wording is how one family of services refuses each problem.
type wording map[problem]protocol.Error

// EC2 tells nothing about why.
const ec2AuthFailure = "AWS was not able to validate the provided access credentials"

// wordings are the families. An error with a message has that message always.
var wordings = map[string]wording{
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

// family tells which wording a service uses.
func family(s *protocol.Service, r *http.Request) string {
	switch {
	case s.Speaks("ec2"):
		return "ec2"
	case s.Speaks("rest-xml"), s.Speaks("query") && r.Header.Get("X-Amz-Target") == "" && r.Header.Get("Smithy-Protocol") == "":
		return "query"
	}
	return "json"
}

func (w wording) refuse(p problem, format string, args ...any) error {
	e := w[p]
	if e.Message != "" {
		return &e
	}
	return protocol.Errorf(e.Code, format, args...).WithStatus(e.Status)
}

var problems = map[sigv4.Kind]problem{
	sigv4.Missing:       notSigned,
	sigv4.Malformed:     incomplete,
	sigv4.Unsupported:   incomplete,
	sigv4.Scope:         badSignature,
	sigv4.BodyMismatch:  badSignature,
	sigv4.Mismatch:      badSignature,
	sigv4.Expired:       wrongTime,
	sigv4.NotYetCurrent: wrongTime,
}

// signature refuses what sigv4 found.
func (w wording) signature(err error) error {
	var e *sigv4.Error
	if !errors.As(err, &e) {
		return err
	}
	return w.refuse(problems[e.Kind], "%s", e.Message)
}
