package plan

import "fargo/desired"

// What one load balancer capacity unit is good for. Source: Elastic Load Balancing pricing,
// "LCU details" and "NLCU details"; bytes are those between clients and targets that are no
// Lambda functions.
var (
	applicationUnit = capacityUnit{newPerSecond: 25, active: 3000}
	tcpUnit         = capacityUnit{newPerSecond: 800, active: 100_000}
	udpUnit         = capacityUnit{newPerSecond: 400, active: 50_000}
	tlsUnit         = capacityUnit{newPerSecond: 50, active: 3000}
)

const (
	unitBytesPerHour         = 1 << 30
	unitEvaluationsPerSecond = 1000 // without those that are free
)

// capacityUnit is what differs between units: new connections and those that are open.
type capacityUnit struct{ newPerSecond, active float64 }

// used is how many units a period's connections and bytes take: as many as the one that
// takes most.
func (u capacityUnit) used(p balancerPeriod, begun, active, bytes string) float64 {
	seconds := p.length.Seconds()
	return max(
		p.total(begun)/seconds/u.newPerSecond,
		p.total(active)/u.active,
		p.total(bytes)/seconds*3600/unitBytesPerHour)
}

// flows are how many units the flows of one protocol take.
func (u capacityUnit) flows(p balancerPeriod, protocol string) float64 {
	return u.used(p, "NewFlowCount_"+protocol, "ActiveFlowCount_"+protocol, "ProcessedBytes_"+protocol)
}

// applicationUnits has one sample: how many units an application load balancer takes.
func (p balancerPeriod) applicationUnits() (values, _ []float64) {
	units := max(
		applicationUnit.used(p, "NewConnectionCount", "ActiveConnectionCount", "ProcessedBytes"),
		p.total(desired.BillableRuleEvaluations)/p.length.Seconds()/unitEvaluationsPerSecond)
	return []float64{units}, nil
}

// networkUnits has one sample: how many units a network load balancer takes.
func (p balancerPeriod) networkUnits() (values, _ []float64) {
	return []float64{tcpUnit.flows(p, "TCP") + udpUnit.flows(p, "UDP") + tlsUnit.flows(p, "TLS")}, nil
}

// tcpUnits, and those below, have one sample: how many of them the flows of one protocol
// take, if any.
func (p balancerPeriod) tcpUnits() (values, _ []float64) {
	return notZero(tcpUnit.flows(p, "TCP")), nil
}

func (p balancerPeriod) udpUnits() (values, _ []float64) {
	return notZero(udpUnit.flows(p, "UDP")), nil
}

func (p balancerPeriod) tlsUnits() (values, _ []float64) {
	return notZero(tlsUnit.flows(p, "TLS")), nil
}

func notZero(v float64) []float64 {
	if v == 0 {
		return nil
	}
	return []float64{v}
}
