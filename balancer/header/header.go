package header

import (
	"encoding/hex"
	"math/rand/v2"
	"net/http"
	"strconv"
	"strings"
	"time"

	"fargo/balancer/exchange"
	"fargo/balancer/http1"
	"fargo/balancer/routing"
	"fargo/balancer/settings"
)

// maxForwardedFor is how many addresses X-Forwarded-For may bring.
const maxForwardedFor = 30

// TooManyForwarders reports whether X-Forwarded-For brings too many addresses.
func TooManyForwarders(fields []http1.Field) bool {
	n := 0
	for i := range fields {
		if fields[i].Kind == http1.ForwardedFor {
			n += strings.Count(fields[i].Value, ",") + 1
		}
	}
	return n > maxForwardedFor
}

// AppendForTarget appends the fields that the target gets, save those that frame
// the body. The Host field comes first. invalid says that the request brought fields with
// names of other than letters, digits and hyphens.
// Source: ALB user guide, "HTTP headers and Application Load Balancers".
func AppendForTarget(to []http1.Field, r *routing.Request, s *settings.Listener, port uint16, from *exchange.Origin, trace string) (all []http1.Field, invalid bool) {
	to = append(to, http1.Field{Name: "Host", Value: targetHost(r, s, port), Kind: http1.Host})
	forwarded := ""
	http1.Forwardable(r.Fields, func(f *http1.Field) {
		switch f.Kind {
		case http1.Host, http1.Expect, http1.TraceID, http1.ForwardedProto, http1.ForwardedPort:
		case http1.ForwardedFor:
			if forwarded != "" {
				forwarded += ", "
			}
			forwarded += f.Value
		default:
			if f.Kind == http1.Other && !plainName(f.Name) {
				if invalid = true; s.DropInvalid {
					return
				}
			}
			to = append(to, *f)
		}
	})
	to = forwardedFields(to, r, s, port, from, forwarded)
	if s.TLSFields && from.TLSVersion != "" {
		to = append(to, http1.Field{Name: "X-Amzn-Tls-Version", Value: from.TLSVersion}, http1.Field{Name: "X-Amzn-Tls-Cipher-Suite", Value: from.CipherSuite})
	}
	return append(to, http1.Field{Name: "X-Amzn-Trace-Id", Value: trace, Kind: http1.TraceID}), invalid
}

// targetHost is the Host field for the target. Unless it is to be preserved, a
// port is dropped on the well-known ports and added on others.
func targetHost(r *routing.Request, s *settings.Listener, port uint16) string {
	authority := r.Authority
	if r.Rewritten != nil {
		authority = r.Rewritten.Authority
	}
	if s.PreserveHost || authority == "" {
		return authority
	}
	host, had := routing.SplitPort(authority)
	if port == 80 || port == 443 {
		return host
	}
	if had == "" {
		return host + ":" + strconv.Itoa(int(port))
	}
	return authority
}

// forwardedFields adds the X-Forwarded fields. The mode is about the client's
// address only: preserve passes on what came, remove passes on nothing.
func forwardedFields(to []http1.Field, r *routing.Request, s *settings.Listener, port uint16, from *exchange.Origin, forwarded string) []http1.Field {
	if s.ForwardedMode == "append" {
		if forwarded != "" {
			forwarded += ", "
		}
		forwarded += from.Client(s.ForwardedPort)
	}
	if forwarded != "" && s.ForwardedMode != "remove" {
		to = append(to, http1.Field{Name: "X-Forwarded-For", Value: forwarded, Kind: http1.ForwardedFor})
	}
	proto := "http"
	if r.TLS {
		proto = "https"
	}
	return append(to,
		http1.Field{Name: "X-Forwarded-Proto", Value: proto, Kind: http1.ForwardedProto},
		http1.Field{Name: "X-Forwarded-Port", Value: portText(port), Kind: http1.ForwardedPort})
}

func portText(port uint16) string {
	switch port {
	case 80:
		return "80"
	case 443:
		return "443"
	}
	return strconv.Itoa(int(port))
}

// plainName reports whether a name has letters, digits and hyphens only.
func plainName(name string) bool {
	for i := range len(name) {
		switch c := name[i]; {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', c == '-':
		default:
			return false
		}
	}
	return true
}

// TraceID is the X-Amzn-Trace-Id for the target: a new root, or what the client
// sent with this balancer's own place before it. random is 12 bytes.
// Source: ALB user guide, "Request tracing for your Application Load Balancer".
func TraceID(received string, now time.Time, random [12]byte) string {
	var id [35]byte
	copy(id[:], "1-00000000-")
	seconds := uint32(now.Unix())
	hex.Encode(id[2:10], []byte{byte(seconds >> 24), byte(seconds >> 16), byte(seconds >> 8), byte(seconds)})
	hex.Encode(id[11:], random[:])
	switch {
	case received == "":
		return "Root=" + string(id[:])
	case strings.Contains(received, "Root="):
		return "Self=" + string(id[:]) + ";" + received
	}
	return "Root=" + string(id[:]) + ";" + received
}

// RandomTrace is the random part of a trace id.
func RandomTrace() (r [12]byte) {
	a, b := rand.Uint64(), rand.Uint32()
	for i := range 8 {
		r[i] = byte(a >> (8 * i))
	}
	for i := range 4 {
		r[8+i] = byte(b >> (8 * i))
	}
	return r
}

// AppendForClient appends the fields that the client gets of a target's answer,
// save those that frame the body.
func AppendForClient(to []http1.Field, fields []http1.Field, s *settings.Listener, now time.Time) []http1.Field {
	dated := false
	http1.Forwardable(fields, func(f *http1.Field) {
		dated = dated || f.Kind == http1.Date
		for i := range s.AnswerFields {
			if strings.EqualFold(s.AnswerFields[i].Name, f.Name) {
				return
			}
		}
		to = append(to, *f)
	})
	if !dated {
		to = append(to, http1.Field{Name: "Date", Value: Date(now), Kind: http1.Date})
	}
	return append(to, s.AnswerFields...)
}

// Date is a time as fields have it. Source: RFC 9110 section 5.6.7.
func Date(at time.Time) string { return at.UTC().Format(http.TimeFormat) }
