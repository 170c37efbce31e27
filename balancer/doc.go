// Package balancer is the data plane of the load balancers on one node: it
// listens where a balancer's interfaces are, chooses a target for each request
// (application load balancers) or connection (network load balancers), passes
// the bytes, and checks the targets' health.
//
// A Server is told all it should do by Set, what is known of targets by
// SetHealth, and tells what it counted by Metrics. A Checker is told by Set which
// targets there are and tells what it finds by Health. Package worker joins
// several servers and a checker. They refuse to know how a configuration comes
// about, what a task is, and how the machine's network is made: that is behind
// Network.
//
// A request's way through an application load balancer is: client (client.go)
// → admit, route (exchange.go) → a rule's action (action.go) → a group's choice
// of target (group.go, sticky.go) → passage to the target and back (passage.go).
// HTTP/1.x is spoken by package http1 on plain and encrypted connections alike,
// to clients and targets. Clients of HTTP/2 are net/http's (http2.go), and take
// the same way from there (streamforward.go), but for targets of HTTP/2 and gRPC
// (streamhttp2.go).
package balancer
