package flowlog

import (
	"net/netip"
	"time"

	"fargo/host"
)

// A key is one direction of a connection as an interface sees it. What has the same key
// in a window is one record.
type key struct {
	local    netip.Addr // the interface's address, by which it is found
	inbound  bool
	rejected bool
	protocol uint8
	tuple    host.Tuple // with the interface's own address on its side
	// packet are the addresses that the packet has, where they are others than the tuple's:
	// a NAT gateway stands between them.
	packet endpoints
}

type endpoints struct{ source, destination netip.Addr }

// A tally is what a key has come to.
type tally struct {
	host.Traffic
	flags      uint8 // of TCP, of rejected packets
	start, end time.Time
}

// tallies are those of one stretch of time.
type tallies map[key]tally

// add adds traffic that was seen between start and end. No packets are no traffic.
func (t tallies) add(k key, more tally) {
	if more.Packets == 0 {
		return
	}
	had, ok := t[k]
	if !ok {
		t[k] = more
		return
	}
	had.Packets, had.Bytes, had.flags = had.Packets+more.Packets, had.Bytes+more.Bytes, had.flags|more.flags
	if more.start.Before(had.start) {
		had.start = more.start
	}
	if more.end.After(had.end) {
		had.end = more.end
	}
	t[k] = had
}

// addFlow adds what a flow has carried, as those at both ends see it, and who translates
// an address between them.
func (t tallies) addFlow(f *host.Flow, sent, answered host.Traffic, start, end time.Time) {
	one := func(k key, amount host.Traffic) {
		k.protocol = f.Protocol
		t.add(k, tally{Traffic: amount, start: start, end: end})
	}
	client, server := f.Original.Source, f.Reply.Source
	// The client sees whom it has asked for, the server who seems to ask.
	asked, asker := f.Original.Destination, f.Reply.Destination
	one(key{local: client.Addr(), tuple: host.Tuple{Source: client, Destination: asked}}, sent)
	one(key{local: client.Addr(), inbound: true, tuple: host.Tuple{Source: asked, Destination: client}}, answered)
	one(key{local: server.Addr(), inbound: true, tuple: host.Tuple{Source: asker, Destination: server}}, sent)
	one(key{local: server.Addr(), tuple: host.Tuple{Source: server, Destination: asker}}, answered)
	if asker.Addr() == client.Addr() {
		return
	}
	// What translates the source is passed four times: from the client, on to the server,
	// and back. Source: VPC user guide, "Flow log record examples", NAT gateway.
	gateway := asker.Addr()
	inside := netip.AddrPortFrom(gateway, asked.Port())
	one(key{
		local: gateway, inbound: true, tuple: host.Tuple{Source: client, Destination: inside},
		packet: endpoints{client.Addr(), asked.Addr()},
	}, sent)
	one(key{local: gateway, tuple: host.Tuple{Source: asker, Destination: asked}}, sent)
	one(key{local: gateway, inbound: true, tuple: host.Tuple{Source: asked, Destination: asker}}, answered)
	one(key{
		local: gateway, tuple: host.Tuple{Source: inside, Destination: client},
		packet: endpoints{asked.Addr(), client.Addr()},
	}, answered)
}

// addRejection adds a packet that was dropped on its way out of an interface or into one.
func (t tallies) addRejection(r *host.Rejection, now time.Time) {
	k := key{local: r.Source.Addr(), rejected: true, protocol: r.Protocol, tuple: r.Tuple}
	if r.Inbound {
		k.local, k.inbound = r.Destination.Addr(), true
	}
	t.add(k, tally{Traffic: host.Traffic{Packets: 1, Bytes: r.Bytes}, flags: r.TCPFlags, start: now, end: now})
}

// settle makes rejected and accepted packets add up. A packet that was dropped after its
// connection had begun is in the connection's count too. One that was dropped on its way
// into an interface had been let out of the one that it came from, and one that was
// dropped on its way out came to no other.
func (t tallies) settle() {
	for k, v := range t {
		if !k.rejected {
			continue
		}
		known := t.subtract(k.accepted(), v)
		out := key{local: k.tuple.Source.Addr(), protocol: k.protocol, tuple: k.tuple}
		in := key{local: k.tuple.Destination.Addr(), inbound: true, protocol: k.protocol, tuple: k.tuple}
		switch {
		case !k.inbound:
			t.subtract(in, v)
		case !known:
			v.flags = 0
			t.add(out, v)
		}
	}
}

func (k key) accepted() key {
	k.rejected = false
	return k
}

// subtract takes traffic away from what a key has, if it has any.
func (t tallies) subtract(k key, v tally) (known bool) {
	had, known := t[k]
	switch {
	case known && had.Packets > v.Packets:
		had.Packets, had.Bytes = had.Packets-v.Packets, had.Bytes-min(v.Bytes, had.Bytes)
		t[k] = had
	case known:
		delete(t, k)
	}
	return known
}
