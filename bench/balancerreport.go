package main

import (
	"fmt"
	"time"
)

// balanced notes what the proxies did under a load: the medians of their rounds,
// and of the ratios within each round. The first proxy is ours.
func (r *report) balanced(l demand, proxies []*proxy, results [][]outcome) {
	rate := func(o outcome) float64 { return o.rate }
	for i, p := range proxies {
		o := results[i]
		r.Balanced = append(r.Balanced, fmt.Sprintf("| %s | %s | %.0f | %s | %s | %.1f µs |", l.name, p.name,
			median(o, rate), millis(median(o, func(o outcome) time.Duration { return o.p50 })),
			millis(median(o, func(o outcome) time.Duration { return o.p99 })),
			float64(median(o, func(o outcome) time.Duration { return o.cost }))/1e3))
	}
	if len(proxies) < 2 {
		return
	}
	var ratios []outcome
	for i := range results[0] {
		ours, theirs := results[0][i], results[1][i]
		ratios = append(ratios, outcome{rate: ours.rate / theirs.rate, p99: ours.p99 - theirs.p99})
	}
	ratio := median(ratios, rate)
	r.Balanced = append(r.Balanced, fmt.Sprintf("| | ratio | %.2f | | | |", ratio))
}
