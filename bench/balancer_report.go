package main

import (
	"fmt"
	"time"
)

// proxied notes what the proxies did under a workload: the medians of their rounds.
// The first proxy is ours, the second, if there is one, the peer; their ratios
// are those of each round, of which the median counts too.
func (r *report) proxied(w workload, proxies []*proxy, results [][]round) {
	for i, p := range proxies {
		o := results[i]
		r.Proxies = append(r.Proxies, fmt.Sprintf("| %s | %s | %.0f/s | %s | %s | %.1f µs |",
			w.name, p.name, medianOf(o, round.requests), millis(medianOf(o, round.median)), millis(medianOf(o, round.slowest)),
			medianOf(o, round.micros)))
	}
	if w.budget {
		r.requestCost = medianOf(results[0], func(o round) time.Duration { return o.cost })
	}
	if len(proxies) < 2 {
		if w.budget {
			r.notMeasured(balancerBudget, fmt.Errorf("nginx is not installed"))
		}
		return
	}
	ours, theirs := results[0], results[1]
	rate := medianRatio(ours, theirs, round.requests)
	p99 := medianRatio(ours, theirs, func(o round) float64 { return o.p99.Seconds() })
	r.Proxies = append(r.Proxies, fmt.Sprintf("| | ratio | %.2f | | %.2f | %.2f |", rate, p99, medianRatio(ours, theirs, round.micros)))
	if w.budget {
		r.budget(balancerBudget, fmt.Sprintf("%.2f × nginx, p99 %.2f ×", rate, p99), check{balancerRate, rate}, check{balancerLatency, p99})
	}
}

const balancerBudget = "load balancer, small answers, 64 connections"

func (o round) requests() float64      { return o.rate }
func (o round) median() time.Duration  { return o.p50 }
func (o round) slowest() time.Duration { return o.p99 }
func (o round) micros() float64        { return float64(o.cost) / float64(time.Microsecond) }
