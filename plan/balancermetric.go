package plan

import (
	"maps"
	"slices"
	"strings"
	"time"

	"fargo"
	"fargo/desired"
)

// BalancerData are what measurements of load balancers, all of one node and of the period
// of a length that begins at start, are of CloudWatch's metrics. A load balancer has a node,
// in AWS's words, in each of its zones: what Minimum, Maximum and SampleCount say is of
// those.
func BalancerData(measured []desired.BalancerMeasurement, start time.Time, length time.Duration) (data []Datum) {
	byBalancer := map[string][]desired.BalancerMeasurement{}
	for _, m := range measured {
		byBalancer[m.Balancer] = append(byBalancer[m.Balancer], m)
	}
	for _, arn := range slices.Sorted(maps.Keys(byBalancer)) {
		if b, ok := newBalancerData(arn, start, length); ok {
			data = append(data, b.of(byBalancer[arn])...)
		}
	}
	return data
}

// balancerData makes the data of one load balancer.
type balancerData struct {
	scope     fargo.Scope
	namespace string
	metrics   []balancerMetric
	name      MetricDimension
	start     time.Time
	length    time.Duration
}

// newBalancerData is for the load balancer with an ARN. ok is false when it is none.
func newBalancerData(arn string, start time.Time, length time.Duration) (b *balancerData, ok bool) {
	a, ok := fargo.ParseARN(arn)
	name, is := strings.CutPrefix(a.Resource, "loadbalancer/")
	if !ok || !is {
		return nil, false
	}
	b = &balancerData{scope: a.Scope(), name: MetricDimension{"LoadBalancer", name}, start: start, length: length}
	b.namespace, b.metrics = "AWS/ApplicationELB", applicationMetrics
	if strings.HasPrefix(name, "net/") {
		b.namespace, b.metrics = "AWS/NetworkELB", networkMetrics
	}
	return b, true
}

// of makes the data, in the order of metrics: of the load balancer, of its zones, of its
// groups.
// Source: ELB user guides, "Metric dimensions".
func (b *balancerData) of(measured []desired.BalancerMeasurement) (data []Datum) {
	zones, groups := map[string]*balancerSample{}, map[string]map[string]*balancerSample{}
	for i := range measured {
		m := &measured[i]
		sampleOf(zones, m.Zone).add(m)
		if m.Group == "" {
			continue
		}
		if groups[m.Group] == nil {
			groups[m.Group] = map[string]*balancerSample{}
		}
		sampleOf(groups[m.Group], m.Zone).add(m)
	}
	data = b.add(data, ofBalancer, zones, nil, []MetricDimension{b.name})
	for _, arn := range slices.Sorted(maps.Keys(groups)) {
		a, ok := fargo.ParseARN(arn)
		if !ok {
			continue
		}
		group := MetricDimension{"TargetGroup", a.Resource}
		data = b.add(data, ofGroup, groups[arn], []MetricDimension{group}, []MetricDimension{b.name})
		data = b.add(data, ofGroupAlone, groups[arn], []MetricDimension{group}, nil)
	}
	return data
}

// add adds the data of what is measured of one thing, in all zones together and in each.
// Its dimensions are those before and after that of the zone.
func (b *balancerData) add(data []Datum, of balancerScope, zones map[string]*balancerSample, before, after []MetricDimension) []Datum {
	names := slices.Sorted(maps.Keys(zones))
	all := make([]*balancerSample, len(names))
	for i, zone := range names {
		all[i] = zones[zone]
	}
	for i := range b.metrics {
		m := &b.metrics[i]
		if m.of&of == 0 {
			continue
		}
		data = b.append(data, m, all, slices.Concat(before, after))
		for j, zone := range names {
			if m.of&inZones != 0 && zone != "" {
				data = b.append(data, m, all[j:j+1], slices.Concat(before, []MetricDimension{{"AvailabilityZone", zone}}, after))
			}
		}
	}
	return data
}

// append adds the datum of a metric, if there is one.
func (b *balancerData) append(data []Datum, m *balancerMetric, nodes []*balancerSample, dimensions []MetricDimension) []Datum {
	values, counts := m.samples(balancerPeriod{m.name, nodes, b.length})
	if len(values) == 0 {
		return data
	}
	return append(data, Datum{
		Scope: b.scope, Namespace: b.namespace, Name: m.name, Dimensions: dimensions, Unit: m.unit,
		Time: b.start, HighResolution: b.length < time.Minute, Values: values, Counts: counts,
	})
}

// balancerSample is what the node of a load balancer in one zone has measured.
type balancerSample struct {
	counts, gauges map[string]float64
	times          map[string]map[float64]float64 // counts by seconds
}

// sampleOf is that of a zone.
func sampleOf(zones map[string]*balancerSample, zone string) *balancerSample {
	if zones[zone] == nil {
		zones[zone] = &balancerSample{map[string]float64{}, map[string]float64{}, map[string]map[float64]float64{}}
	}
	return zones[zone]
}

// add adds what was measured.
func (s *balancerSample) add(m *desired.BalancerMeasurement) {
	for name, n := range m.Counts {
		s.counts[name] += n
	}
	for name, n := range m.Gauges {
		s.gauges[name] += n
	}
	for name, times := range m.Times {
		if s.times[name] == nil {
			s.times[name] = map[float64]float64{}
		}
		for _, t := range times {
			s.times[name][t.Seconds] += t.Count
		}
	}
}

// value is a count or a gauge; told says that it is there, be it zero.
func (s *balancerSample) value(name string) (v float64, told bool) {
	if v, told = s.counts[name]; !told {
		v, told = s.gauges[name]
	}
	return v, told
}
