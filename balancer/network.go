package balancer

import (
	"context"
	"net"
)

// Network is where balancers listen and from where they reach targets. Its
// methods may be called from several goroutines. An interface that is not there
// yet is an error like any other: the balancer asks again.
type Network interface {
	Dialer

	// ListenTCP and ListenUDP bind the port on the interface's own address, beside
	// others who have done so in the same way: connections, and clients'
	// datagrams, are spread over all of them (SO_REUSEPORT). When the interface
	// goes away, Accept and ReadFrom fail.
	ListenTCP(interfaceID string, port uint16) (net.Listener, error)
	ListenUDP(interfaceID string, port uint16) (net.PacketConn, error)
}

// Dialer is from where targets are reached.
type Dialer interface {
	// Dial opens a connection from the interface, its address being the source.
	// network and address are those of net.Dialer. The connection outlives ctx.
	Dial(ctx context.Context, interfaceID, network, address string) (net.Conn, error)
}
