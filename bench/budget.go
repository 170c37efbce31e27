package main

import (
	"fmt"
	"strings"
)

// A bound is what a measured number is held against.
type bound struct {
	text string
	met  func(measured float64) bool
}

func atMost(limit float64, unit string) bound {
	return bound{fmt.Sprintf("≤ %v %s", limit, unit), func(v float64) bool { return v <= limit }}
}

func below(limit float64, unit string) bound {
	return bound{fmt.Sprintf("< %v %s", limit, unit), func(v float64) bool { return v < limit }}
}

func atLeast(limit float64, unit string) bound {
	return bound{fmt.Sprintf("≥ %v %s", limit, unit), func(v float64) bool { return v >= limit }}
}

// The budgets.
var (
	balancerRate    = atLeast(1, "× nginx")
	balancerLatency = atMost(1, "× nginx's p99")
	singleLatency   = atMost(100, "ms, then 60 ms")
	burstRate       = atLeast(20, "tasks/s")
	serviceRate     = atLeast(20, "tasks/s")
	idleShare       = below(1, "% of a core")
	describeRate    = atLeast(26_000, "requests/s")
	secretRate      = atLeast(15_000, "requests/s")
	secretsLatency  = atMost(5, "ms")
	execRate        = atLeast(100, "MB/s")
	execEcho        = atMost(2, "ms")
	reconcileTime   = below(2, "s")
	natRate         = atLeast(0.95, "× nft")
	metricsShare    = below(10, "% of a core")
	metricDataTime  = atMost(50, "ms")
	measuringShare  = below(0.5, "% of a core")
	countingShare   = below(3, "% of a request's processor time")
	decisionTime    = atMost(10, "µs")
	memorySize      = atMost(150, "MB")
	readyTime       = atMost(150, "ms")
	firstTaskTime   = atMost(1000, "ms")
)

// check is a measured number and its bound.
type check struct {
	bound    bound
	measured float64
}

// row is a line of the table of budgets; figures without a budget have neither
// Budget nor Met.
type row struct{ What, Budget, Measured, Met string }

// judge makes the row of something measured, which is shown as the text: its
// budget is met when all its bounds are.
func judge(what, text string, checks ...check) row {
	result := row{What: what, Measured: text}
	var bounds []string
	met := true
	for _, c := range checks {
		bounds = append(bounds, c.bound.text)
		met = met && c.bound.met(c.measured)
	}
	if len(checks) > 0 {
		result.Budget = strings.Join(bounds, "; ")
		result.Met = map[bool]string{true: "yes", false: "no"}[met]
	}
	return result
}
