// Package proxyprotocol writes headers of the PROXY protocol, version 2, which
// tell a target where a connection or a datagram really comes from. It knows their
// bytes, and nothing of connections.
//
// Source: "The PROXY protocol", https://www.haproxy.org/download/3.0/doc/proxy-protocol.txt
package proxyprotocol
