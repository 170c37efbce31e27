package balancer

import (
	"net"

	"fargo/balancer/upstream"
)

// Network is where balancers listen and from where they reach targets. Its
// methods may be called from several goroutines. An interface that is not there
// yet is an error like any other: the balancer asks again.
type Network interface {
	upstream.Dialer

	// ListenTCP and ListenUDP bind a port of the interface, along with others who have
	// done so in the same way: connections, and clients' datagrams, are spread over
	// all of them (SO_REUSEPORT). The local address may be the unspecified one. When
	// the interface goes away, Accept and ReadFrom fail.
	ListenTCP(interfaceID string, port uint16) (net.Listener, error)
	ListenUDP(interfaceID string, port uint16) (net.PacketConn, error)
}
