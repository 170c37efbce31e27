package sigv4

import (
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"slices"
	"strings"
	"time"
)

// Credentials are what a client signs with.
type Credentials struct {
	AccessKeyID string
	Secret      string
	Token       string // of a session, or ""
}

// Sign signs a client's request in its headers, as the SDKs do: the host, the
// content type and all x-amz headers. body is what r will send.
func Sign(r *http.Request, body []byte, c Credentials, region, service string, now time.Time) {
	hash := sha256.Sum256(body)
	SignPayload(r, hex.EncodeToString(hash[:]), c, region, service, now)
}

// SignPayload signs as [Sign] does a request whose body has a hash, in hexadecimal, or
// is not signed (UNSIGNED-PAYLOAD).
func SignPayload(r *http.Request, payloadHash string, c Credentials, region, service string, now time.Time) {
	now = now.UTC()
	s := &Signature{
		AccessKeyID: c.AccessKeyID, Region: region, Service: service,
		date: now.Format(dateFormat), stamp: now.Format(stampFormat),
	}
	r.Header.Set("X-Amz-Date", s.stamp)
	if c.Token != "" {
		r.Header.Set("X-Amz-Security-Token", c.Token)
	}
	if r.Host == "" {
		r.Host = r.URL.Host
	}
	s.SignedHeaders = []string{"host"}
	for name := range r.Header {
		if name = strings.ToLower(name); name == "content-type" || strings.HasPrefix(name, "x-amz-") {
			s.SignedHeaders = append(s.SignedHeaders, name)
		}
	}
	slices.Sort(s.SignedHeaders)
	mac := s.compute(derive(keyScope{c.Secret, s.date, region, service}), r, payloadHash)
	r.Header.Set("Authorization", Algorithm+" Credential="+strings.Join([]string{c.AccessKeyID, s.date, region, service, terminator}, "/")+
		", SignedHeaders="+strings.Join(s.SignedHeaders, ";")+", Signature="+hex.EncodeToString(mac))
}
