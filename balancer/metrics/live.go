package metrics

import (
	"sync/atomic"
	"time"

	"fargo/balancer/exchange"
	"fargo/balancer/tlsconfig"
)

// Balancer counts what one load balancer does. Its fields are counted up by those who
// serve it; the rest by Count.
type Balancer struct {
	Active                                atomic.Int64
	Connections, TLSErrors, Bytes         atomic.Uint64
	requests, redirects, fixed            atomic.Uint64
	classes                               [6]atomic.Uint64 // of the balancer's own answers, by their hundreds
	e500, e502, e503, e504                atomic.Uint64
	evaluations, nonCompliant, grpc       atomic.Uint64
	ELBResets, ClientResets, TargetResets atomic.Uint64
}

// Count counts a request that is over.
func (m *Balancer) Count(x *exchange.Exchange) {
	m.Bytes.Add(uint64(x.Received + x.Written))
	if x.Finding.Class != 0 {
		m.nonCompliant.Add(1)
	}
	if x.Method == "" && x.Status == 0 {
		return // there was no request
	}
	m.requests.Add(1)
	m.evaluations.Add(x.Evaluated)
	if x.GRPC {
		m.grpc.Add(1)
	}
	switch {
	case x.TargetStatus != 0:
	case x.Rule != nil && x.Rule.Action.Redirect != nil && x.Status < 400:
		m.redirects.Add(1)
		m.classes[3].Add(1)
	case x.Rule != nil && x.Rule.Action.Fixed != nil:
		m.fixed.Add(1)
	default:
		m.countOwn(x.Status)
	}
}

func (m *Balancer) countOwn(status int) {
	if class := status / 100; class < len(m.classes) {
		m.classes[class].Add(1)
	}
	switch status {
	case 500:
		m.e500.Add(1)
	case 502:
		m.e502.Add(1)
	case 503:
		m.e503.Add(1)
	case 504:
		m.e504.Add(1)
	}
}

// Snapshot gives the counters as they are now.
func (m *Balancer) Snapshot(name string, network bool) Counters {
	return Counters{
		Name: name, Network: network,
		ActiveConnections: m.Active.Load(), NewConnections: m.Connections.Load(),
		TLSErrors: m.TLSErrors.Load(), ProcessedBytes: m.Bytes.Load(),
		Requests: m.requests.Load(), Redirects: m.redirects.Load(), FixedResponses: m.fixed.Load(),
		ELB3xx: m.classes[3].Load(), ELB4xx: m.classes[4].Load(), ELB5xx: m.classes[5].Load(),
		ELB500: m.e500.Load(), ELB502: m.e502.Load(), ELB503: m.e503.Load(), ELB504: m.e504.Load(),
		RuleEvaluations: m.evaluations.Load(), NonCompliant: m.nonCompliant.Load(), GRPCRequests: m.grpc.Load(),
		ELBResets: m.ELBResets.Load(), ClientResets: m.ClientResets.Load(), TargetResets: m.TargetResets.Load(),
	}
}

// Group counts what is done with the targets of one target group.
type Group struct {
	requests, connectionErrors, tlsErrors, unhealthyRouting atomic.Uint64
	classes                                                 [6]atomic.Uint64
	times                                                   [len(responseTimeBounds) + 1]atomic.Uint64
	timeSum                                                 atomic.Int64
}

// Count counts a request that was meant for the group.
func (m *Group) Count(x *exchange.Exchange) {
	if x.TargetAddress == "" {
		return
	}
	m.requests.Add(1)
	if x.FailOpen {
		m.unhealthyRouting.Add(1)
	}
	if x.TargetStatus == 0 {
		return
	}
	if class := x.TargetStatus / 100; class < len(m.classes) {
		m.classes[class].Add(1)
	}
	took := x.ResponseAt.Sub(x.SentAt)
	m.timeSum.Add(int64(took))
	for i, bound := range responseTimeBounds {
		if took <= bound {
			m.times[i].Add(1)
			return
		}
	}
	m.times[len(responseTimeBounds)].Add(1)
}

// CountUnreached counts a connection to a target that could not be made.
func (m *Group) CountUnreached(err error) {
	if tlsconfig.IsHandshakeError(err) {
		m.tlsErrors.Add(1)
		return
	}
	m.connectionErrors.Add(1)
}

// Snapshot gives the counters as they are now, but for the names and the targets.
func (m *Group) Snapshot() GroupCounters {
	c := GroupCounters{
		Requests: m.requests.Load(), Target2xx: m.classes[2].Load(), Target3xx: m.classes[3].Load(),
		Target4xx: m.classes[4].Load(), Target5xx: m.classes[5].Load(),
		ConnectionErrors: m.connectionErrors.Load(), TLSErrors: m.tlsErrors.Load(), UnhealthyRouting: m.unhealthyRouting.Load(),
		ResponseTime: Histogram{Sum: time.Duration(m.timeSum.Load())},
	}
	for i := range m.times {
		c.ResponseTime.Buckets[i] = m.times[i].Load()
	}
	return c
}
