package metrics

import "sync/atomic"

// Flow is what a connection, or datagrams that belong together, are to CloudWatch.
type Flow uint8

// Kinds of flows: HTTP are the connections of an application load balancer, with clients
// and with targets; the others are those of a network load balancer, by the protocol that
// it has taken off them.
const (
	HTTP Flow = iota
	TCP
	TLS
	UDP
)

// flowNames are the metrics that a flow, or what passes in it, is part of.
var flowNames = [...]struct{ begun, open, bytes []string }{
	HTTP: {[]string{"NewConnectionCount"}, []string{"ActiveConnectionCount"}, []string{"ProcessedBytes"}},
	TCP:  {[]string{"NewFlowCount", "NewFlowCount_TCP"}, []string{"ActiveFlowCount", "ActiveFlowCount_TCP"}, []string{"ProcessedBytes", "ProcessedBytes_TCP"}},
	TLS:  {[]string{"NewFlowCount", "NewFlowCount_TLS"}, []string{"ActiveFlowCount", "ActiveFlowCount_TLS"}, []string{"ProcessedBytes", "ProcessedBytes_TLS"}},
	UDP:  {[]string{"NewFlowCount", "NewFlowCount_UDP"}, []string{"ActiveFlowCount", "ActiveFlowCount_UDP"}, []string{"ProcessedBytes", "ProcessedBytes_UDP"}},
}

// flows are all flows of one kind.
type flows struct {
	begun, bytes atomic.Uint64
	open         atomic.Int64
}

// Begin counts a flow that begins, and is open from then on until End.
func (m *Balancer) Begin(kind Flow) {
	m.flows[kind].begun.Add(1)
	m.flows[kind].open.Add(1)
}

// Resume has a flow that began before be open again.
func (m *Balancer) Resume(kind Flow) { m.flows[kind].open.Add(1) }

// End ends what Begin or Resume began.
func (m *Balancer) End(kind Flow) { m.flows[kind].open.Add(-1) }

// Opened and Closed are Begin and End of a connection to a target of an application load
// balancer.
func (m *Balancer) Opened() { m.Begin(HTTP) }

// Closed is described with Opened.
func (m *Balancer) Closed() { m.End(HTTP) }

// Passed counts bytes in a flow.
func (m *Balancer) Passed(kind Flow, bytes int64) { m.flows[kind].bytes.Add(uint64(bytes)) }

// PassedHTTP counts bytes between an application load balancer and a client.
func (m *Balancer) PassedHTTP(bytes int64, ipv6 bool) {
	m.Passed(HTTP, bytes)
	if ipv6 {
		m.counts[ipv6Bytes].Add(uint64(bytes))
	}
}

// counted adds to counts what is not zero.
func (f *flows) counted(kind Flow, counts map[string]uint64) {
	for _, c := range []struct {
		n     uint64
		names []string
	}{{f.begun.Load(), flowNames[kind].begun}, {f.bytes.Load(), flowNames[kind].bytes}} {
		if c.n != 0 {
			for _, name := range c.names {
				counts[name] += c.n
			}
		}
	}
}
