package host

import "net/netip"

// Flow is a connection, or what the connection tracker takes for one, in the router of a
// VPC, with what it has carried so far.
type Flow struct {
	ID       uint32 // the kernel's; another flow may get it later
	Protocol uint8  // IANA's number
	// Original is the first packet as it came to the router, and Reply the answer as it
	// comes there. They differ in more than their direction where addresses are
	// translated. Ports are 0 where the protocol has none.
	Original, Reply Tuple
	// Sent and Answered are the packets in the direction of Original and Reply, with those
	// that were dropped after the first one was let through. They are unknown in the report
	// of a flow that begins.
	Sent, Answered Traffic
}

// Tuple is where a packet comes from and goes to.
type Tuple struct{ Source, Destination netip.AddrPort }

// Traffic is an amount of packets; Bytes are with their IP headers.
type Traffic struct{ Packets, Bytes uint64 }

// Rejection is a packet that the router has dropped: a security group or a network ACL
// did not let it through.
type Rejection struct {
	Protocol uint8
	Tuple
	Bytes    uint64 // with the IP header
	TCPFlags uint8  // of the TCP header; 0 for others
	// Inbound says that it was dropped on its way into Destination's interface, and not
	// on its way out of Source's.
	Inbound bool
}

// FlowEvent is what a router reports by itself. One of its fields is set.
type FlowEvent struct {
	Begun    *Flow
	Ended    *Flow
	Rejected *Rejection
	// Lost says that reports before this one are missing: there were more than could be
	// read in time.
	Lost bool
}

// FlowObserver watches one router.
type FlowObserver interface {
	// Events are in order. The channel is closed when the observer is, or the router is
	// gone.
	Events() <-chan FlowEvent
	// Flows are those that there are now.
	Flows() ([]Flow, error)
	// Close lets go of the router.
	Close() error
}
