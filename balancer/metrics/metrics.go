package metrics

import (
	"maps"
	"reflect"
	"slices"
	"time"

	"fargo/desired"
)

// Counters are what one load balancer has counted since it was first configured.
// Names are those of CloudWatch's metrics in AWS/ApplicationELB and
// AWS/NetworkELB; what is not a gauge only grows.
type Counters struct {
	Name    string // the metrics' dimension LoadBalancer
	Network bool

	ActiveConnections int64 // a gauge: ActiveConnectionCount, ActiveFlowCount
	NewConnections    uint64
	TLSErrors         uint64 // ClientTLSNegotiationErrorCount
	ProcessedBytes    uint64

	// Of application load balancers:
	Requests        uint64
	Redirects       uint64
	FixedResponses  uint64
	ELB3xx          uint64
	ELB4xx          uint64
	ELB5xx          uint64
	ELB500          uint64
	ELB502          uint64
	ELB503          uint64
	ELB504          uint64
	RuleEvaluations uint64
	NonCompliant    uint64 // DesyncMitigationMode_NonCompliant_Request_Count
	GRPCRequests    uint64

	// Of network load balancers:
	ELBResets    uint64 // TCP_ELB_Reset_Count
	ClientResets uint64
	TargetResets uint64
}

// GroupCounters are what was counted of one target group.
type GroupCounters struct {
	Name     string // the metrics' dimension TargetGroup
	Balancer string // the metrics' dimension LoadBalancer

	Healthy, Unhealthy int64 // gauges: HealthyHostCount, UnHealthyHostCount

	Requests         uint64 // RequestCount; over Healthy, RequestCountPerTarget
	Target2xx        uint64
	Target3xx        uint64
	Target4xx        uint64
	Target5xx        uint64
	ConnectionErrors uint64
	TLSErrors        uint64
	// UnhealthyRouting counts requests sent while failing open.
	UnhealthyRouting uint64
	// ResponseTime is how long targets took from the request's leaving to the
	// first of the answer.
	ResponseTime Histogram
}

// Histogram counts times by how long they are.
type Histogram struct {
	// Buckets holds the number of times of at most the bound with the same
	// index in ResponseTimeBounds; the last, those above all.
	Buckets [len(responseTimeBounds) + 1]uint64
	Sum     time.Duration
}

var responseTimeBounds = [...]time.Duration{
	time.Millisecond, 2 * time.Millisecond, 5 * time.Millisecond,
	10 * time.Millisecond, 20 * time.Millisecond, 50 * time.Millisecond,
	100 * time.Millisecond, 200 * time.Millisecond, 500 * time.Millisecond,
	time.Second, 2 * time.Second, 5 * time.Second,
	10 * time.Second, 20 * time.Second, 60 * time.Second,
}

// ResponseTimeBounds are the upper bounds of a Histogram's buckets.
func ResponseTimeBounds() []time.Duration { return responseTimeBounds[:] }

// Metrics is a snapshot of all counters. Each is exact; together they are of
// almost the same moment.
type Metrics struct {
	Balancers []Counters
	Groups    []GroupCounters
}

// Plus adds what another server has counted, for as long as both are asked about
// the same load balancers and target groups. Of the gauges, connections are
// added too, and targets are the same for all.
func (m Metrics) Plus(other Metrics) Metrics {
	return Metrics{
		Balancers: merge(m.Balancers, other.Balancers, func(c *Counters) string { return c.Name }),
		Groups:    merge(m.Groups, other.Groups, func(c *GroupCounters) string { return c.Name }),
	}
}

// Past is what was counted by a server that is gone: the gauges are zero.
func (m Metrics) Past() Metrics {
	past := Metrics{Balancers: slices.Clone(m.Balancers), Groups: slices.Clone(m.Groups)}
	for i := range past.Balancers {
		past.Balancers[i].ActiveConnections = 0
	}
	for i := range past.Groups {
		past.Groups[i].Healthy, past.Groups[i].Unhealthy = 0, 0
	}
	return past
}

// Of is what was counted of these load balancers and target groups.
func (m Metrics) Of(balancers []desired.Balancer, groups []desired.BalancerGroup) Metrics {
	names := map[string]bool{}
	for i := range balancers {
		names[balancers[i].Name] = true
	}
	for i := range groups {
		names[groups[i].Name] = true
	}
	var of Metrics
	for _, c := range m.Balancers {
		if names[c.Name] {
			of.Balancers = append(of.Balancers, c)
		}
	}
	for _, c := range m.Groups {
		if names[c.Name] {
			of.Groups = append(of.Groups, c)
		}
	}
	return of
}

// merge adds counters with the same name, in the order of names.
func merge[T any](a, b []T, name func(*T) string) []T {
	sums := map[string]T{}
	for _, c := range slices.Concat(a, b) {
		sum := sums[name(&c)]
		add(reflect.ValueOf(&sum).Elem(), reflect.ValueOf(c))
		sums[name(&c)] = sum
	}
	var all []T
	for _, key := range slices.Sorted(maps.Keys(sums)) {
		all = append(all, sums[key])
	}
	return all
}

// add adds all numbers in a value to those in another, and takes over the rest.
func add(sum, v reflect.Value) {
	switch v.Kind() {
	case reflect.Struct:
		for i := range v.NumField() {
			if name := v.Type().Field(i).Name; name == "Healthy" || name == "Unhealthy" {
				sum.Field(i).SetInt(max(sum.Field(i).Int(), v.Field(i).Int()))
				continue
			}
			add(sum.Field(i), v.Field(i))
		}
	case reflect.Array:
		for i := range v.Len() {
			add(sum.Index(i), v.Index(i))
		}
	case reflect.Int64:
		sum.SetInt(sum.Int() + v.Int())
	case reflect.Uint64:
		sum.SetUint(sum.Uint() + v.Uint())
	default:
		sum.Set(v)
	}
}
