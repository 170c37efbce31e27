// Package tlsconfig knows TLS as load balancers have it: a listener's
// certificates, security policy, ALPN policy and session tickets as a
// configuration of crypto/tls, the names that AWS gives cipher suites, and the
// handshake with a target. It refuses to know what is said within TLS.
package tlsconfig
