package containerd

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"runtime"
	"strings"
	"unicode"

	"github.com/containerd/containerd/v2/core/remotes/docker"
	remoteerrors "github.com/containerd/containerd/v2/core/remotes/errors"
	"github.com/containerd/errdefs"

	"fargo/containerd/confined"
)

// explained is the error of a failed pull as a user reads it in a stopped task's
// reason. What a registry, or whoever it sent us to, has answered is not in it but
// for the status code: that might be anything, and of somebody whom the user
// cannot reach. Texts of our own and of the kernel are.
func explained(ref string, err error) error { return &pullError{text: plain(why(ref, err)), err: err} }

// pullError hides the text of an error, not what it is.
type pullError struct {
	text string
	err  error
}

func (e *pullError) Error() string { return e.text }
func (e *pullError) Unwrap() error { return e.err }

// why is the cause. Sources of AWS's texts: ECS developer guide,
// "CannotPullContainer task errors in Amazon ECS".
func why(ref string, err error) string {
	var (
		refused *refusal
		image   confined.Refusal
		status  remoteerrors.ErrUnexpectedStatus
		request *url.Error
	)
	switch {
	case errors.As(err, &refused):
		return refused.Error()
	case errors.As(err, &image):
		return image.Error()
	case errors.Is(err, errRegistryIdle):
		return errRegistryIdle.Error()
	case errors.Is(err, docker.ErrInvalidAuthorization):
		return "pull access denied, repository does not exist or may require authorization: authorization failed"
	case errors.As(err, &status):
		return fmt.Sprintf("unexpected status from %s request to %s: %d %s",
			status.RequestMethod, withoutQuery(status.RequestURL), status.StatusCode, http.StatusText(status.StatusCode))
	case strings.Contains(err.Error(), "no match for platform"):
		return fmt.Sprintf("image Manifest does not contain descriptor matching platform '%s/%s'", runtime.GOOS, runtime.GOARCH)
	case strings.Contains(err.Error(), " byte manifest for "): // which containerd says was not found
		return fmt.Sprintf("the manifest of %s is larger than 4 MiB", ref)
	case errdefs.IsNotFound(err):
		return ref + ": not found"
	case errors.As(err, &request):
		return fmt.Sprintf("failed to do request: %s %q: %s", request.Op, withoutQuery(request.URL), ofNetwork(request.Err))
	}
	return err.Error()
}

// ofNetwork is the text of what went wrong on the way, if nobody but this machine
// chose it.
func ofNetwork(err error) string {
	var (
		operation *net.OpError
		lookup    *net.DNSError
		authority x509.UnknownAuthorityError
		invalid   x509.CertificateInvalidError
		hostname  x509.HostnameError
		record    tls.RecordHeaderError
	)
	switch {
	case errors.As(err, &operation):
		return operation.Error()
	case errors.As(err, &lookup):
		return lookup.Error()
	case errors.As(err, &authority):
		return "tls: failed to verify certificate: x509: certificate signed by unknown authority"
	case errors.As(err, &invalid):
		return "tls: failed to verify certificate: " + (x509.CertificateInvalidError{Reason: invalid.Reason}).Error()
	case errors.As(err, &hostname):
		return "tls: failed to verify certificate: x509: certificate is not valid for " + hostname.Host
	case errors.As(err, &record):
		return record.Msg
	}
	return "no valid answer"
}

// withoutQuery is a URL without what may be secret in it.
func withoutQuery(text string) string {
	u, err := url.Parse(text)
	if err != nil {
		return "a URL that is none"
	}
	return (&url.URL{Scheme: u.Scheme, Host: u.Host, Path: u.Path}).String()
}

// mostReason bounds a cause, in bytes. ECS's own are cut too.
const mostReason = 512

// plain is text in one line, of characters that can be seen, and not too long.
func plain(text string) string {
	text = strings.Map(func(r rune) rune {
		switch {
		case unicode.IsSpace(r):
			return ' '
		case unicode.IsPrint(r) && r != unicode.ReplacementChar:
			return r
		}
		return -1
	}, text)
	text = strings.Join(strings.Fields(text), " ")
	if len(text) <= mostReason {
		return text
	}
	const more = "…"
	return strings.ToValidUTF8(text[:mostReason-len(more)], "") + more
}
