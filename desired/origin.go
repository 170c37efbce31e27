package desired

import (
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"net/netip"
	"strconv"
	"strings"
)

// Origin is where a request of a VPC to Fargo's APIs has come from. A node says it in the
// header [OriginHeader] of what it forwards.
type Origin struct {
	// At is the interface endpoint ("vpce-…") that the request came to, or the VPC ("vpc-…")
	// at whose address of [Platform] it came.
	At     string
	Client netip.Addr // as the endpoint or the VPC sees it
	Secure bool       // whether the client uses TLS
}

// OriginHeader is in no request that a client signs: a node takes it away from what
// clients send.
const OriginHeader = "X-Fargo-Origin"

// OriginKey is the key that origins are signed with, made of the private key, in PEM, of
// one of the certificates in [Platform]. The control plane and its nodes have those, and
// nobody else.
func OriginKey(privateKey string) []byte {
	key, err := hkdf.Key(sha256.New, []byte(privateKey), nil, "origin of requests", sha256.Size)
	if err != nil {
		panic(err) // the length is one that there can be
	}
	return key
}

// Sign gives the header.
func (o Origin) Sign(key []byte) string {
	text := strings.Join([]string{o.At, o.Client.String(), strconv.FormatBool(o.Secure)}, " ")
	return text + " " + base64.RawURLEncoding.EncodeToString(signature(text, key))
}

// OpenOrigin reads a header; ok is false for one that was not signed with the key.
func OpenOrigin(header string, key []byte) (o Origin, ok bool) {
	at := strings.LastIndexByte(header, ' ')
	if at < 0 {
		return o, false
	}
	text := header[:at]
	signed, err := base64.RawURLEncoding.DecodeString(header[at+1:])
	if err != nil || !hmac.Equal(signed, signature(text, key)) {
		return o, false
	}
	words := strings.Split(text, " ")
	if len(words) != 3 {
		return o, false
	}
	o.At = words[0]
	if o.Client, err = netip.ParseAddr(words[1]); err != nil {
		return o, false
	}
	o.Secure, err = strconv.ParseBool(words[2])
	return o, err == nil
}

func signature(text string, key []byte) []byte {
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(text))
	return mac.Sum(nil)
}
