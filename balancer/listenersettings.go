package balancer

import (
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

// defaultTCPIdle is how long a connection may rest unless the listener's
// attributes say otherwise, in seconds. Source: NLB user guide, "Idle timeout".
const defaultTCPIdle = 350

// readTCPIdle is how long a listener's connections may rest.
func readTCPIdle(a attributes) time.Duration {
	return a.seconds("tcp.idle_timeout.seconds", defaultTCPIdle)
}
