package balancer

import (
	"encoding/hex"
	"math/rand/v2"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"fargo/balancer/http1"
)

// settings are what the attributes of a load balancer and a listener say about
// requests.
type settings struct {
	idle          time.Duration // of either side, while nothing passes
	tcpIdle       time.Duration // the same for network load balancers
	keepAlive     time.Duration // how old a client's connection may become
	desync        string        // monitor, defensive, strictest
	dropInvalid   bool          // fields with names of other than letters, digits, "-"
	preserveHost  bool
	tlsFields     bool   // X-Amzn-TLS-Version and -Cipher-Suite
	forwardedPort bool   // the client's port in X-Forwarded-For
	forwardedMode string // append, preserve, remove
	http2         bool
	serverField   bool
	answerFields  []http1.Field // put on every answer, in place of the target's
}

// answerAttributes are the listener's attributes that set a field.
var answerAttributes = []struct{ key, field string }{
	{"strict_transport_security", "Strict-Transport-Security"},
	{"access_control_allow_origin", "Access-Control-Allow-Origin"},
	{"access_control_allow_methods", "Access-Control-Allow-Methods"},
	{"access_control_allow_headers", "Access-Control-Allow-Headers"},
	{"access_control_allow_credentials", "Access-Control-Allow-Credentials"},
	{"access_control_expose_headers", "Access-Control-Expose-Headers"},
	{"access_control_max_age", "Access-Control-Max-Age"},
	{"content_security_policy", "Content-Security-Policy"},
	{"x_content_type_options", "X-Content-Type-Options"},
	{"x_frame_options", "X-Frame-Options"},
}

func readSettings(balancer, listener attributes) settings {
	s := settings{
		idle:          balancer.seconds("idle_timeout.timeout_seconds", 60),
		tcpIdle:       readTCPIdle(listener),
		keepAlive:     balancer.seconds("client_keep_alive.seconds", 3600),
		desync:        balancer.text("routing.http.desync_mitigation_mode", "defensive"),
		dropInvalid:   balancer.on("routing.http.drop_invalid_header_fields.enabled", false),
		preserveHost:  balancer.on("routing.http.preserve_host_header.enabled", false),
		tlsFields:     balancer.on("routing.http.x_amzn_tls_version_and_cipher_suite.enabled", false),
		forwardedPort: balancer.on("routing.http.xff_client_port.enabled", false),
		forwardedMode: balancer.text("routing.http.xff_header_processing.mode", "append"),
		http2:         balancer.on("routing.http2.enabled", true),
		serverField:   listener.on("routing.http.response.server.enabled", true),
	}
	for _, a := range answerAttributes {
		if v := listener["routing.http.response."+a.key+".header_value"]; v != "" {
			s.answerFields = append(s.answerFields, http1.Field{Name: a.field, Value: v})
		}
	}
	return s
}

// maxForwardedFor is how many addresses X-Forwarded-For may bring.
const maxForwardedFor = 30

func tooManyForwards(fields []http1.Field) bool {
	n := 0
	for i := range fields {
		if fields[i].Kind == http1.ForwardedFor {
			n += strings.Count(fields[i].Value, ",") + 1
		}
	}
	return n > maxForwardedFor
}

// origin is where requests of one connection come from.
type origin struct {
	peer        netip.AddrPort
	address     string // the peer's, without port
	port        string
	tlsVersion  string // "TLSv1.3"; empty without TLS
	cipherSuite string
	sni         string // the name the client asked for
	connection  string // what logs call the connection; empty without logs
}

// requestFields appends the fields that the target gets, save those that frame
// the body. The Host field comes first.
// Source: ALB user guide, "HTTP headers and Application Load Balancers".
func requestFields(to []http1.Field, r *request, s *settings, port uint16, from *origin, trace string) []http1.Field {
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
			if s.dropInvalid && !plainName(f.Name) {
				return
			}
			to = append(to, *f)
		}
	})
	to = forwardedFields(to, r, s, port, from, forwarded)
	if s.tlsFields && from.tlsVersion != "" {
		to = append(to, http1.Field{Name: "X-Amzn-Tls-Version", Value: from.tlsVersion}, http1.Field{Name: "X-Amzn-Tls-Cipher-Suite", Value: from.cipherSuite})
	}
	return append(to, http1.Field{Name: "X-Amzn-Trace-Id", Value: trace, Kind: http1.TraceID})
}

// targetHost is the Host field for the target. Unless it is to be preserved, a
// port is dropped on the well-known ports and added on others.
func targetHost(r *request, s *settings, port uint16) string {
	authority := r.Authority
	if r.rewritten != nil {
		authority = r.rewritten.authority
	}
	if s.preserveHost || authority == "" {
		return authority
	}
	host, had := splitPort(authority)
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
func forwardedFields(to []http1.Field, r *request, s *settings, port uint16, from *origin, forwarded string) []http1.Field {
	if s.forwardedMode == "append" {
		if forwarded != "" {
			forwarded += ", "
		}
		forwarded += from.client(s.forwardedPort)
	}
	if forwarded != "" && s.forwardedMode != "remove" {
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

// client is the client's address as X-Forwarded-For has it.
func (o *origin) client(withPort bool) string {
	switch {
	case !withPort:
		return o.address
	case strings.Contains(o.address, ":"):
		return "[" + o.address + "]:" + o.port
	}
	return o.address + ":" + o.port
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

// traceID is the X-Amzn-Trace-Id for the target: a new root, or what the client
// sent with this balancer's own place before it. random is 12 bytes.
// Source: ALB user guide, "Request tracing for your Application Load Balancer".
func traceID(received string, now time.Time, random [12]byte) string {
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

func randomTrace() (r [12]byte) {
	a, b := rand.Uint64(), rand.Uint32()
	for i := range 8 {
		r[i] = byte(a >> (8 * i))
	}
	for i := range 4 {
		r[8+i] = byte(b >> (8 * i))
	}
	return r
}

// answerFields appends the fields that the client gets of a target's answer,
// save those that frame the body.
func answerFields(to []http1.Field, fields []http1.Field, s *settings, now time.Time) []http1.Field {
	dated := false
	http1.Forwardable(fields, func(f *http1.Field) {
		dated = dated || f.Kind == http1.Date
		for i := range s.answerFields {
			if strings.EqualFold(s.answerFields[i].Name, f.Name) {
				return
			}
		}
		to = append(to, *f)
	})
	if !dated {
		to = append(to, http1.Field{Name: "Date", Value: httpDate(now), Kind: http1.Date})
	}
	return append(to, s.answerFields...)
}
