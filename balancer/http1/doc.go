// Package http1 reads and writes HTTP/1.x messages as a proxy must: strictly,
// never in doubt where a message ends, and piece by piece, so that a body of
// any size passes through a buffer of fixed size.
//
// A request head is classified as AWS's desync mitigation does: what cannot be
// framed safely is an error, what could be read in two ways is a Finding. The
// messages are written anew from what was understood, so that the next server
// never sees the original's ambiguity.
//
// It refuses to know of connections, time, routing and what a field means
// beyond framing.
//
// Source: RFC 9112; ALB user guide, "Desync mitigation mode".
package http1
