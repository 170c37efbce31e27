// Package http2 holds what net/http's HTTP/2 lacks for a load balancer: limits on
// frames that carry nothing, which a peer could send for ever, and transports that
// speak HTTP/2 only. It refuses to know requests and answers, which are net/http's.
package http2
