// Package balancer is the data plane of the load balancers on one node: it
// listens where a balancer's interfaces are and serves what comes as its listeners
// say.
//
// A Server is told all it should do by Set, what is known of targets by SetHealth,
// and tells what it counted by Metrics. Package health finds out what is known of
// targets; package worker joins several servers and a checker. The server refuses
// to know how a configuration comes about, what a task is, and how the machine's
// network is made: that is behind Network.
//
// The packages below it know one thing each. Their imports run one way, which
// imports_test.go of the module holds:
//
//	http1, netconn, proxyprotocol, settings, tlsconfig, http2, objectlog   what others use
//	health                                                                 targets' health
//	sticky, routing, header, exchange, accesslog, metrics                  requests: pure
//	upstream, targetgroup, listener                                        what they go to
//	layer7, layer4                                                         who serves them
package balancer
