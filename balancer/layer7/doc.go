// Package layer7 is the application load balancer: it reads requests from clients'
// connections, passes each to a target or answers it itself, and passes the answer
// back.
//
// A request's way is: client (client.go), or stream for HTTP/2 (stream.go) → admit,
// route (transaction.go) → forward → choice of a target and round trip to it
// (roundtrip.go). HTTP/1.x is spoken by package http1 on plain and encrypted
// connections alike, to clients and targets. Clients of HTTP/2 are net/http's
// (http2.go), and take the same way from there (streamforward.go), but for targets of
// HTTP/2 and gRPC (streamhttp2.go).
//
// It refuses to know how ports are opened, how rules are written, and how a target
// is chosen.
package layer7
