package main

import (
	"fmt"
	"time"
)

// balanced notes what the proxies did under a load: the medians of their rounds.
// The first proxy is ours, the second, if there is one, the peer; their ratios
// are those of each round, of which the median counts too.
func (r *report) balanced(d demand, proxies []*proxy, results [][]outcome) {
	for i, p := range proxies {
		o := results[i]
		r.Balanced = append(r.Balanced, fmt.Sprintf("| %s | %s | %.0f/s | %s | %s | %.1f µs |",
			d.name, p.name, median(o, rateOf), millis(median(o, p50Of)), millis(median(o, p99Of)), micros(median(o, costOf))))
	}
	if len(proxies) < 2 {
		if d.budget {
			r.budget(balancerBudget, "≥ 1.0 × nginx, p99 no worse", "nginx is not installed", false)
		}
		return
	}
	var rate, p99, cost []float64
	for i, ours := range results[0] {
		theirs := results[1][i]
		rate = append(rate, ours.rate/theirs.rate)
		p99 = append(p99, ours.p99.Seconds()/theirs.p99.Seconds())
		cost = append(cost, ours.cost.Seconds()/theirs.cost.Seconds())
	}
	r.Balanced = append(r.Balanced, fmt.Sprintf("| | ratio | %.2f | | %.2f | %.2f |", middle(rate), middle(p99), middle(cost)))
	if d.budget {
		r.budget(balancerBudget, "≥ 1.0 × nginx, p99 no worse",
			fmt.Sprintf("%.2f × nginx, p99 %.2f ×", middle(rate), middle(p99)), middle(rate) >= 1 && middle(p99) <= 1)
	}
}

const balancerBudget = "load balancer, small answers, 64 connections"

func rateOf(o outcome) float64       { return o.rate }
func p50Of(o outcome) time.Duration  { return o.p50 }
func p99Of(o outcome) time.Duration  { return o.p99 }
func costOf(o outcome) time.Duration { return o.cost }

func micros(d time.Duration) float64 { return float64(d) / float64(time.Microsecond) }
