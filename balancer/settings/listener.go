package settings

import (
	"time"

	"fargo/balancer/http1"
)

// Listener is what the attributes of a load balancer and a listener say about
// requests.
type Listener struct {
	Idle          time.Duration // of either side, while nothing passes
	TCPIdle       time.Duration // the same for network load balancers
	MaxAge        time.Duration // how old a client's connection may become
	DesyncMode    string        // monitor, defensive, strictest
	DropInvalid   bool          // fields with names of other than letters, digits, "-"
	PreserveHost  bool
	TLSFields     bool   // X-Amzn-TLS-Version and -Cipher-Suite
	ForwardedPort bool   // the client's port in X-Forwarded-For
	ForwardedMode string // append, preserve, remove
	HTTP2         bool
	ServerField   bool
	AnswerFields  []http1.Field // put on every answer, in place of the target's
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

// ReadListener reads the attributes of a load balancer and of one of its listeners.
func ReadListener(balancer, listener Attributes) Listener {
	s := Listener{
		Idle:          balancer.Seconds("idle_timeout.timeout_seconds", 60),
		TCPIdle:       readTCPIdle(listener),
		MaxAge:        balancer.Seconds("client_keep_alive.seconds", 3600),
		DesyncMode:    balancer.text("routing.http.desync_mitigation_mode", "defensive"),
		DropInvalid:   balancer.Bool("routing.http.drop_invalid_header_fields.enabled", false),
		PreserveHost:  balancer.Bool("routing.http.preserve_host_header.enabled", false),
		TLSFields:     balancer.Bool("routing.http.x_amzn_tls_version_and_cipher_suite.enabled", false),
		ForwardedPort: balancer.Bool("routing.http.xff_client_port.enabled", false),
		ForwardedMode: balancer.text("routing.http.xff_header_processing.mode", "append"),
		HTTP2:         balancer.Bool("routing.http2.enabled", true),
		ServerField:   listener.Bool("routing.http.response.server.enabled", true),
	}
	for _, a := range answerAttributes {
		if v := listener["routing.http.response."+a.key+".header_value"]; v != "" {
			s.AnswerFields = append(s.AnswerFields, http1.Field{Name: a.field, Value: v})
		}
	}
	return s
}

// defaultTCPIdle is how long a connection may rest unless the listener's
// attributes say otherwise, in seconds. Source: NLB user guide, "Idle timeout".
const defaultTCPIdle = 350

// readTCPIdle is how long a listener's connections may rest.
func readTCPIdle(a Attributes) time.Duration {
	return a.Seconds("tcp.idle_timeout.seconds", defaultTCPIdle)
}
