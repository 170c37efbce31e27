package plan

import (
	"maps"
	"slices"
	"time"
)

// balancerMetric is one of CloudWatch's metrics of load balancers.
type balancerMetric struct {
	name, unit string
	of         balancerScope
	// samples are those of a period. counts are nil when each value is there once; without
	// values the metric is not reported.
	samples func(balancerPeriod) (values, counts []float64)
}

// balancerScope says of what a metric is reported.
type balancerScope uint8

const (
	ofBalancer   balancerScope = 1 << iota // LoadBalancer
	ofGroup                                // TargetGroup, LoadBalancer
	ofGroupAlone                           // TargetGroup
	inZones                                // each of them with AvailabilityZone too
)

// balancerPeriod is what there is to make samples of.
type balancerPeriod struct {
	name   string // of the metric
	nodes  []*balancerSample
	length time.Duration
}

// total is the sum of a count or gauge of all nodes.
func (p balancerPeriod) total(name string) (sum float64) {
	for _, s := range p.nodes {
		v, _ := s.value(name)
		sum += v
	}
	return sum
}

// perNode has a sample of each node that has a value other than zero.
func (p balancerPeriod) perNode() (values, _ []float64) {
	for _, s := range p.nodes {
		if v, _ := s.value(p.name); v != 0 {
			values = append(values, v)
		}
	}
	return values, nil
}

// always has a sample of each node.
func (p balancerPeriod) always() (values, _ []float64) {
	for _, s := range p.nodes {
		v, _ := s.value(p.name)
		values = append(values, v)
	}
	return values, nil
}

// whenTold has a sample of each node that has a value, be it zero.
func (p balancerPeriod) whenTold() (values, _ []float64) {
	for _, s := range p.nodes {
		if v, told := s.value(p.name); told {
			values = append(values, v)
		}
	}
	return values, nil
}

// ones has a sample of 1 for each time that something happened.
func (p balancerPeriod) ones() (values, counts []float64) {
	if n := p.total(p.name); n != 0 {
		return []float64{1}, []float64{n}
	}
	return nil, nil
}

// onesOrZero is the same, with a sample of 0 when nothing happened.
func (p balancerPeriod) onesOrZero() (values, counts []float64) {
	if values, counts = p.ones(); values == nil {
		values = []float64{0}
	}
	return values, counts
}

// zones has one sample: in how many zones something is so.
func (p balancerPeriod) zones() (values, _ []float64) {
	if values, _ = p.whenTold(); values == nil {
		return nil, nil
	}
	return []float64{p.total(p.name)}, nil
}

// times has a sample of each time, in seconds.
func (p balancerPeriod) times() (values, counts []float64) {
	sum := map[float64]float64{}
	for _, s := range p.nodes {
		for seconds, n := range s.times[p.name] {
			sum[seconds] += n
		}
	}
	for _, seconds := range slices.Sorted(maps.Keys(sum)) {
		values, counts = append(values, seconds), append(counts, sum[seconds])
	}
	return values, counts
}

// perTarget has one sample, whose sum is the average over targets: of one zone, the
// targets that its node uses; else those of the group.
func (p balancerPeriod) perTarget() (values, _ []float64) {
	if len(p.nodes) == 1 && p.total("HealthyHostCount") > 0 {
		return []float64{p.total("RequestCount") / p.total("HealthyHostCount")}, nil
	}
	return []float64{p.total(p.name)}, nil
}
