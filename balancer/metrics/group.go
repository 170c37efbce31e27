package metrics

import (
	"sync/atomic"

	"fargo/balancer/exchange"
	"fargo/balancer/tlsconfig"
)

// Group counts what is done in one zone with the targets of one target group. A nil Group
// counts nothing.
type Group struct {
	counts [len(groupCounts)]atomic.Uint64
	times  times // TargetResponseTime
}

// Indexes of groupCounts.
const (
	requests = iota
	target2xx
	target3xx
	target4xx
	target5xx
	connectionErrors
	targetTLSErrors
	unhealthyRequests
	nonSticky
)

var groupCounts = [...]string{
	requests:          "RequestCount",
	target2xx:         "HTTPCode_Target_2XX_Count",
	target3xx:         "HTTPCode_Target_3XX_Count",
	target4xx:         "HTTPCode_Target_4XX_Count",
	target5xx:         "HTTPCode_Target_5XX_Count",
	connectionErrors:  "TargetConnectionErrorCount",
	targetTLSErrors:   "TargetTLSNegotiationErrorCount",
	unhealthyRequests: "UnhealthyRoutingRequestCount",
	nonSticky:         nonStickyRequests,
}

const (
	nonStickyRequests = "NonStickyRequestCount"
	responseTime      = "TargetResponseTime"
)

// Count counts a request that was meant for the group. One for which no target could be
// chosen is none of CloudWatch's requests.
func (m *Group) Count(x *exchange.Exchange) {
	if m == nil || x.TargetAddress == "" {
		return
	}
	m.add(requests)
	if x.FailOpen {
		m.add(unhealthyRequests)
	}
	if x.NonSticky {
		m.add(nonSticky)
	}
	switch x.TargetStatus / 100 {
	case 2:
		m.add(target2xx)
	case 3:
		m.add(target3xx)
	case 4:
		m.add(target4xx)
	case 5:
		m.add(target5xx)
	}
	if x.TargetStatus != 0 {
		m.times.add(x.ResponseAt.Sub(x.SentAt))
	}
}

// CountUnreached counts a connection to a target that could not be made.
func (m *Group) CountUnreached(err error) {
	switch {
	case m == nil:
	case tlsconfig.IsHandshakeError(err):
		m.add(targetTLSErrors)
	default:
		m.add(connectionErrors)
	}
}

func (m *Group) add(i int) { m.counts[i].Add(1) }
