package sigv4

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"strings"
	"sync"
	"time"
)

// Verifier checks signatures. Its zero value is ready; it may be shared, and
// should be, since it remembers the keys it derives from secrets.
type Verifier struct {
	mu struct {
		sync.RWMutex
		keys map[keyScope][]byte
	}
}

// keyScope is what a signing key is derived from.
type keyScope struct{ secret, date, region, service string }

// maxKeys bounds the keys remembered. One access key in one region uses one per
// service and day.
const maxKeys = 4096

// maxScope is how long, in bytes, region and service may be together for a key to be
// remembered: the caller, who may not be who he says, writes them.
const maxScope = 128

// Verify checks that sig, which Parse found in r, was made with secret over r
// and body, and is good at now. Its error is an *Error.
func (v *Verifier) Verify(sig *Signature, r *http.Request, body []byte, secret string, now time.Time) error {
	if err := sig.current(now); err != nil {
		return err
	}
	if sig.version2 {
		return sig.verifyVersion2(r, secret)
	}
	payload, err := sig.payload(r, body)
	if err != nil {
		return err
	}
	key := v.key(keyScope{secret, sig.date, sig.Region, sig.Service})
	if !hmac.Equal(sig.compute(key, r, payload), sig.mac) {
		return errorf(Mismatch, mismatchText)
	}
	return nil
}

// current checks the time of signing.
func (s *Signature) current(now time.Time) error {
	if s.version2 {
		return s.currentVersion2(now)
	}
	now, skew := now.UTC(), s.skew()
	if s.Time.After(now.Add(skew)) {
		return errorf(NotYetCurrent, "Signature not yet current: %s is still later than %s (%s + %d min.)",
			s.stamp, now.Add(skew).Format(stampFormat), now.Format(stampFormat), int(skew.Minutes()))
	}
	if s.presigned {
		if end := s.Time.Add(s.Expires); now.After(end) {
			return errorf(ExpiredURL, "Signature expired: %s is now earlier than %s", end.Format(stampFormat), now.Format(stampFormat))
		}
		return nil
	}
	if s.Time.Before(now.Add(-skew)) {
		return errorf(Expired, "Signature expired: %s is now earlier than %s (%s - %d min.)",
			s.stamp, now.Add(-skew).Format(stampFormat), now.Format(stampFormat), int(skew.Minutes()))
	}
	return nil
}

func (s *Signature) skew() time.Duration {
	if s.Service == "s3" {
		return s3Skew
	}
	return skew
}

// payload gives the hash that was signed, once it is known to be the body's.
func (s *Signature) payload(r *http.Request, body []byte) (string, error) {
	stated := r.Header.Get("X-Amz-Content-Sha256")
	switch {
	case stated == unsignedPayload:
		return stated, nil
	case strings.HasPrefix(stated, "STREAMING-"):
		return "", errorf(Unsupported, "A payload signed in chunks (%s) is not supported.", stated)
	case stated == "" && s.presigned && s.Service == "s3":
		return unsignedPayload, nil
	}
	sum := sha256.Sum256(body)
	actual := hex.EncodeToString(sum[:])
	if stated != "" && stated != actual {
		return "", errorf(BodyMismatch, "The provided 'x-amz-content-sha256' header does not match what was computed.")
	}
	return actual, nil
}

// key derives the signing key of a scope, or remembers it.
func (v *Verifier) key(scope keyScope) []byte {
	v.mu.RLock()
	key := v.mu.keys[scope]
	v.mu.RUnlock()
	if key != nil {
		return key
	}
	key = derive(scope)
	if len(scope.region)+len(scope.service) > maxScope {
		return key
	}
	// They are parts of the request's head, which is not to be kept.
	scope.date, scope.region, scope.service = strings.Clone(scope.date), strings.Clone(scope.region), strings.Clone(scope.service)
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.mu.keys == nil || len(v.mu.keys) >= maxKeys {
		v.mu.keys = map[keyScope][]byte{} // yesterday's keys are never asked for again
	}
	v.mu.keys[scope] = key
	return key
}

func derive(scope keyScope) []byte {
	key := sum([]byte("AWS4"+scope.secret), []byte(scope.date))
	key = sum(key, []byte(scope.region))
	key = sum(key, []byte(scope.service))
	return sum(key, []byte(terminator))
}

func sum(key, text []byte) []byte {
	h := hmac.New(sha256.New, key)
	h.Write(text)
	return h.Sum(nil)
}

// buffers hold canonical requests while they are hashed.
var buffers = sync.Pool{New: func() any { return new([]byte) }}

// compute gives the signature that r ought to have.
func (s *Signature) compute(key []byte, r *http.Request, payloadHash string) []byte {
	buffer := buffers.Get().(*[]byte)
	defer buffers.Put(buffer)
	b := s.canonical((*buffer)[:0], r, payloadHash)
	hash := sha256.Sum256(b)
	b = append(append(append(b[:0], Algorithm...), '\n'), s.stamp...)
	b = append(append(b, '\n'), s.date...)
	for _, part := range []string{s.Region, s.Service, terminator} {
		b = append(append(b, '/'), part...)
	}
	b = hex.AppendEncode(append(b, '\n'), hash[:])
	*buffer = b
	return sum(key, b)
}
