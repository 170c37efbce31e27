package metrics

import (
	"errors"
	"sync/atomic"
	"syscall"

	"fargo/balancer/exchange"
	"fargo/desired"
)

// Balancer counts what one load balancer does in one zone.
type Balancer struct {
	counts [len(balancerCounts)]atomic.Uint64
	flows  [len(flowNames)]flows
}

// Indexes of balancerCounts.
const (
	clientTLSErrors = iota
	nonCompliant
	droppedFields
	forwardedFields
	grpcRequests
	fixedResponses
	redirects
	redirectsTooLong
	own3xx
	own4xx
	own5xx
	own500
	own502
	own503
	own504
	ipv6Bytes
	ipv6Requests
	evaluations
	billableEvaluations
	clientResets
	ownResets
	targetResets
	portErrors
	unhealthyFlows
)

var balancerCounts = [...]string{
	clientTLSErrors:     "ClientTLSNegotiationErrorCount",
	nonCompliant:        "DesyncMitigationMode_NonCompliant_Request_Count",
	droppedFields:       "DroppedInvalidHeaderRequestCount",
	forwardedFields:     "ForwardedInvalidHeaderRequestCount",
	grpcRequests:        "GrpcRequestCount",
	fixedResponses:      "HTTP_Fixed_Response_Count",
	redirects:           "HTTP_Redirect_Count",
	redirectsTooLong:    "HTTP_Redirect_Url_Limit_Exceeded_Count",
	own3xx:              "HTTPCode_ELB_3XX_Count",
	own4xx:              "HTTPCode_ELB_4XX_Count",
	own5xx:              "HTTPCode_ELB_5XX_Count",
	own500:              "HTTPCode_ELB_500_Count",
	own502:              "HTTPCode_ELB_502_Count",
	own503:              "HTTPCode_ELB_503_Count",
	own504:              "HTTPCode_ELB_504_Count",
	ipv6Bytes:           "IPv6ProcessedBytes",
	ipv6Requests:        "IPv6RequestCount",
	evaluations:         "RuleEvaluations",
	billableEvaluations: desired.BillableRuleEvaluations,
	clientResets:        "TCP_Client_Reset_Count",
	ownResets:           "TCP_ELB_Reset_Count",
	targetResets:        "TCP_Target_Reset_Count",
	portErrors:          "PortAllocationErrorCount",
	unhealthyFlows:      "UnhealthyRoutingFlowCount",
}

// freeEvaluations is how many rules are looked at for each request without being billed.
// Source: Elastic Load Balancing pricing, "LCU details".
const freeEvaluations = 10

// Count counts a request that is over.
func (m *Balancer) Count(x *exchange.Exchange) {
	ipv6 := x.Client.Addr().Is6() && !x.Client.Addr().Is4In6()
	m.PassedHTTP(x.Received+x.Written-x.Passed, ipv6)
	if x.Finding.Class != 0 {
		m.add(nonCompliant)
	}
	if x.Method == "" && x.Status == 0 {
		return // there was no request
	}
	if ipv6 {
		m.add(ipv6Requests)
	}
	if x.GRPC {
		m.add(grpcRequests)
	}
	m.countRule(x)
	m.countFields(x)
	if x.TargetStatus == 0 {
		m.countOwn(x.Status)
	}
}

// countRule counts what the rule has done. The default rule is not one that was looked at.
// Source: ALB user guide, "CloudWatch metrics", RuleEvaluations.
func (m *Balancer) countRule(x *exchange.Exchange) {
	if x.Rule == nil {
		return
	}
	looked := x.Evaluated
	if x.Rule.IsDefault() {
		looked--
	}
	if looked > 0 {
		m.counts[evaluations].Add(looked)
	}
	if looked > freeEvaluations {
		m.counts[billableEvaluations].Add(looked - freeEvaluations)
	}
	switch a := &x.Rule.Action; {
	case a.Redirect != nil && x.Location != "":
		m.add(redirects)
	case a.Redirect != nil:
		m.add(redirectsTooLong)
	case a.Fixed != nil:
		m.add(fixedResponses)
	}
}

// countFields counts a request that brought invalid fields, when a target was chosen for it.
func (m *Balancer) countFields(x *exchange.Exchange) {
	switch {
	case !x.InvalidFields:
	case x.DropsInvalid:
		m.add(droppedFields)
	default:
		m.add(forwardedFields)
	}
}

// countOwn counts an answer that is none of a target.
func (m *Balancer) countOwn(status int) {
	switch status / 100 {
	case 3:
		m.add(own3xx)
	case 4:
		m.add(own4xx)
	case 5:
		m.add(own5xx)
	}
	switch status {
	case 500:
		m.add(own500)
	case 502:
		m.add(own502)
	case 503:
		m.add(own503)
	case 504:
		m.add(own504)
	}
}

// CountTLSError counts a client's handshake that failed.
func (m *Balancer) CountTLSError() { m.add(clientTLSErrors) }

// CountReset counts a flow that was reset by the load balancer itself.
func (m *Balancer) CountReset() { m.add(ownResets) }

// CountClientReset counts a flow that its client has reset.
func (m *Balancer) CountClientReset() { m.add(clientResets) }

// CountTargetReset counts a flow that its target has reset.
func (m *Balancer) CountTargetReset() { m.add(targetResets) }

// CountUnhealthyFlow counts a flow to a target that was chosen though it is not healthy.
func (m *Balancer) CountUnhealthyFlow() { m.add(unhealthyFlows) }

// CountUnreached counts a flow for which there was no connection to a target, if that was
// for lack of a port.
func (m *Balancer) CountUnreached(err error) {
	if errors.Is(err, syscall.EADDRNOTAVAIL) {
		m.add(portErrors)
	}
}

func (m *Balancer) add(i int) { m.counts[i].Add(1) }

// counted gives what is not zero.
func (m *Balancer) counted() map[string]uint64 {
	counts := nonZero(m.counts[:], balancerCounts[:])
	for kind := range m.flows {
		m.flows[kind].counted(Flow(kind), counts)
	}
	return counts
}

// open gives how many connections and flows there are.
func (m *Balancer) open() map[string]int64 {
	open := map[string]int64{}
	for kind := range m.flows {
		if n := m.flows[kind].open.Load(); n != 0 {
			for _, name := range flowNames[kind].open {
				open[name] += n
			}
		}
	}
	return open
}

func nonZero(counts []atomic.Uint64, names []string) map[string]uint64 {
	all := map[string]uint64{}
	for i := range counts {
		if n := counts[i].Load(); n != 0 {
			all[names[i]] = n
		}
	}
	return all
}
